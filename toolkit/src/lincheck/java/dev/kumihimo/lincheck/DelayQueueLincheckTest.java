package dev.kumihimo.lincheck;

import static dev.kumihimo.lincheck.Checks.accept;

import dev.kumihimo.time.DelayQueue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/**
 * A delay queue does what {@link DelayQueueModel} does. No time passes here: an item is due because it is inserted or reset so,
 * and the timer for the first of the others is made and dropped, and never fires. What it decides is checked on a virtual clock,
 * in toolkit-test, and lost wakeups are looked for there: the model checker's clock shows a time before the toolkit's origin.
 */
class DelayQueueLincheckTest {
    private static final Duration LATER = Duration.ofDays(1);

    @Param(name = "item", gen = IntGen.class, conf = "1:9")
    @Param(name = "key", gen = IntGen.class, conf = "0:1")
    public static final class Timed {
        private final DelayQueue<Integer> queue = DelayQueue.create();
        private final List<DelayQueue.Key> keys = new ArrayList<>();

        public Timed() {
            for (int i = 0; i < DelayQueueModel.KEYS; i++) {
                keys.add(queue.insert(DelayQueueModel.FIRST + i, LATER));
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
            return queue.tryReset(keys.get(key), LATER);
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
        public int take() throws Exception {
            return queue.take(Checks.PATIENCE).value();
        }

        @Operation
        public int size() {
            return queue.size();
        }
    }

    @Test
    void timedWaits_areLinearizable() {
        accept(Checks.stress(DelayQueueModel.class), Timed.class);
    }
}
