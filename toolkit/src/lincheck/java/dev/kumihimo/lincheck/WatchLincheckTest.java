package dev.kumihimo.lincheck;

import static dev.kumihimo.lincheck.Checks.accept;
import static dev.kumihimo.lincheck.Checks.call;
import static dev.kumihimo.lincheck.Checks.scenario;

import dev.kumihimo.channel.Watch;
import java.util.List;
import java.util.stream.Stream;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** A watch does what {@link WatchModel} does: a receiver misses no change, and is told of none twice. */
class WatchLincheckTest {
    @Param(name = "item", gen = IntGen.class, conf = "1:9")
    @Param(name = "receiver", gen = IntGen.class, conf = "0:1")
    public abstract static class Operations {
        final Watch<Integer> watch = Watch.of(WatchModel.INITIAL);
        final List<Watch.Receiver<Integer>> receivers = Stream.generate(watch::subscribe)
                .limit(ReceiversModel.RECEIVERS)
                .toList();

        @Operation
        public boolean send(@Param(name = "item") int item) {
            return watch.send(item);
        }

        @Operation
        public int sendReplace(@Param(name = "item") int item) {
            return watch.sendReplace(item);
        }

        @Operation
        public int increase() {
            return watch.update(value -> value + 1);
        }

        @Operation
        public int value() {
            return watch.value();
        }

        @Operation
        public Object tryChanged(@Param(name = "receiver") int receiver) {
            Integer changed = receivers.get(receiver).tryChanged();
            return changed == null ? ChannelOperations.NOTHING : changed;
        }

        @Operation
        public int valueAndMarkSeen(@Param(name = "receiver") int receiver) {
            return receivers.get(receiver).valueAndMarkSeen();
        }

        @Operation
        public boolean markChanged(@Param(name = "receiver") int receiver) {
            receivers.get(receiver).markChanged();
            return true;
        }

        @Operation
        public boolean closeReceiver(@Param(name = "receiver") int receiver) {
            receivers.get(receiver).close();
            return true;
        }

        @Operation(runOnce = true)
        public boolean close() {
            watch.close();
            return true;
        }
    }

    /** With waits that end by themselves. */
    public static final class Timed extends Operations {
        @Operation
        public int changed(@Param(name = "receiver") int receiver) throws Exception {
            return receivers.get(receiver).changed(Checks.PATIENCE);
        }

        @Operation
        public boolean awaitNoReceivers() throws Exception {
            watch.awaitNoReceivers(Checks.PATIENCE);
            return true;
        }
    }

    @Test
    void timedWaits_areLinearizable() {
        accept(Checks.stress(WatchModel.class), Timed.class);
    }

    /** With waits that only a change or an end ends. */
    public static final class Endless extends Operations {
        @Operation
        public int changed(@Param(name = "receiver") int receiver) throws Exception {
            return receivers.get(receiver).changed();
        }

        @Operation
        public boolean awaitNoReceivers() throws Exception {
            watch.awaitNoReceivers();
            return true;
        }
    }

    private static List<ExecutionScenario> balanced() {
        Class<?> subject = Endless.class;
        return List.of(
                scenario(
                        List.of(call(subject, "changed", 0), call(subject, "tryChanged", 0)),
                        List.of(call(subject, "changed", 1)),
                        List.of(call(subject, "send", 1), call(subject, "sendReplace", 2))),
                scenario(
                        List.of(call(subject, "changed", 0)),
                        List.of(call(subject, "increase"), call(subject, "value")),
                        List.of(call(subject, "increase"), call(subject, "tryChanged", 1))),
                scenario(
                        List.of(call(subject, "changed", 0), call(subject, "changed", 0)),
                        List.of(call(subject, "valueAndMarkSeen", 1), call(subject, "changed", 1)),
                        List.of(call(subject, "markChanged", 1), call(subject, "send", 1), call(subject, "close"))),
                scenario(
                        List.of(call(subject, "changed", 0), call(subject, "closeReceiver", 0)),
                        List.of(call(subject, "awaitNoReceivers"), call(subject, "send", 1)),
                        List.of(call(subject, "closeReceiver", 1), call(subject, "send", 2))));
    }

    @Test
    void endlessWaits_areLinearizableAndEnd() {
        accept(Checks.modelChecking(WatchModel.class, balanced()), Endless.class);
    }
}
