package dev.kumihimo.lincheck;

import static dev.kumihimo.lincheck.Checks.accept;
import static dev.kumihimo.lincheck.Checks.call;
import static dev.kumihimo.lincheck.Checks.scenario;

import dev.kumihimo.time.DelayQueue;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/**
 * A delay queue does what {@link DelayQueueModel} does. No time passes here: an item is due because it is inserted or reset so.
 * What the timers decide is checked on a virtual clock, in toolkit-test.
 */
class DelayQueueLincheckTest {
    private static final Duration NEVER = ChronoUnit.FOREVER.getDuration();

    static {
        DelayQueue.create(); // and the runtime whose clock it has
    }

    @Param(name = "item", gen = IntGen.class, conf = "1:9")
    @Param(name = "key", gen = IntGen.class, conf = "0:1")
    public abstract static class Operations {
        final DelayQueue<Integer> queue = DelayQueue.create();
        final List<DelayQueue.Key> keys = new ArrayList<>();
        final Duration later;

        Operations(Duration later) {
            this.later = later;
            for (int i = 0; i < DelayQueueModel.KEYS; i++) {
                keys.add(queue.insert(DelayQueueModel.FIRST + i, later));
            }
        }

        private static Object orNothing(Integer value) {
            return value == null ? ChannelOperations.NOTHING : value;
        }

        @Operation
        public boolean insert(@Param(name = "item") int item) {
            queue.insert(item, Duration.ZERO);
            return true;
        }

        @Operation
        public boolean hasten(@Param(name = "key") int key) {
            return queue.tryReset(keys.get(key), Duration.ZERO);
        }

        @Operation
        public boolean delay(@Param(name = "key") int key) {
            return queue.tryReset(keys.get(key), later);
        }

        @Operation
        public Object remove(@Param(name = "key") int key) {
            return orNothing(queue.tryRemove(keys.get(key)));
        }

        @Operation
        public Object tryTake() {
            DelayQueue.Expired<Integer> expired = queue.tryTake();
            return orNothing(expired == null ? null : expired.value());
        }

        @Operation
        public int size() {
            return queue.size();
        }
    }

    /** With waits that end by themselves, and a timer for the first item that is made and dropped, and never fires. */
    public static final class Timed extends Operations {
        public Timed() {
            super(Duration.ofDays(1));
        }

        @Operation
        public int take() throws Exception {
            return queue.take(Checks.PATIENCE).value();
        }
    }

    @Test
    void timedWaits_areLinearizable() {
        accept(Checks.stress(DelayQueueModel.class), Timed.class);
    }

    /** With waits that only an item ends, and no timers. */
    public static final class Endless extends Operations {
        public Endless() {
            super(NEVER);
        }

        @Operation
        public int take() throws Exception {
            return queue.take().value();
        }
    }

    private static List<ExecutionScenario> balanced() {
        Class<?> subject = Endless.class;
        return List.of(
                scenario(
                        List.of(call(subject, "take"), call(subject, "size")),
                        List.of(call(subject, "take")),
                        List.of(call(subject, "insert", 1), call(subject, "hasten", 0))),
                scenario(
                        List.of(call(subject, "take")),
                        List.of(call(subject, "hasten", 0), call(subject, "insert", 1)),
                        List.of(call(subject, "remove", 0), call(subject, "insert", 2))),
                scenario(
                        List.of(call(subject, "take")),
                        List.of(call(subject, "hasten", 0), call(subject, "hasten", 1)),
                        List.of(call(subject, "delay", 0), call(subject, "tryTake"), call(subject, "insert", 3))));
    }

    @Test
    void endlessWaits_areLinearizableAndEnd() {
        accept(Checks.modelChecking(DelayQueueModel.class, balanced()), Endless.class);
    }
}
