package dev.kumihimo.lincheck;

import static dev.kumihimo.lincheck.Checks.accept;
import static dev.kumihimo.lincheck.Checks.call;
import static dev.kumihimo.lincheck.Checks.scenario;

import dev.kumihimo.channel.Oneshot;
import java.util.List;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** A oneshot does what {@link OneshotModel} does: one value, once, and everybody learns of the end. */
class OneshotLincheckTest {
    @Param(name = "item", gen = IntGen.class, conf = "1:9")
    public abstract static class Operations {
        final Oneshot<Integer> oneshot = Oneshot.create();

        @Operation
        public boolean send(@Param(name = "item") int item) {
            return oneshot.send(item);
        }

        @Operation
        public Object tryReceive() {
            Integer item = oneshot.tryReceive();
            return item == null ? ChannelOperations.NOTHING : item;
        }

        @Operation(runOnce = true)
        public boolean close() {
            oneshot.close();
            return true;
        }

        @Operation
        public boolean isClosed() {
            return oneshot.isClosed();
        }
    }

    /** With waits that end by themselves. */
    public static final class Timed extends Operations {
        @Operation
        public int receive() throws Exception {
            return oneshot.receive(Checks.PATIENCE);
        }

        @Operation
        public boolean awaitClosed() throws Exception {
            oneshot.awaitClosed(Checks.PATIENCE);
            return true;
        }
    }

    @Test
    void timedWaits_areLinearizable() {
        accept(Checks.stress(OneshotModel.class), Timed.class);
    }

    /** With waits that only the value or the end ends. */
    public static final class Endless extends Operations {
        @Operation
        public int receive() throws Exception {
            return oneshot.receive();
        }

        @Operation
        public boolean awaitClosed() throws Exception {
            oneshot.awaitClosed();
            return true;
        }
    }

    private static List<ExecutionScenario> balanced() {
        Class<?> subject = Endless.class;
        return List.of(
                scenario(
                        List.of(call(subject, "send", 1), call(subject, "isClosed")),
                        List.of(call(subject, "receive")),
                        List.of(call(subject, "awaitClosed"), call(subject, "tryReceive"))),
                scenario(
                        List.of(call(subject, "receive")),
                        List.of(call(subject, "receive")),
                        List.of(call(subject, "send", 1), call(subject, "send", 2))),
                scenario(
                        List.of(call(subject, "receive")),
                        List.of(call(subject, "send", 1), call(subject, "awaitClosed")),
                        List.of(call(subject, "close"), call(subject, "tryReceive"))),
                scenario(
                        List.of(call(subject, "awaitClosed"), call(subject, "receive")),
                        List.of(call(subject, "close"), call(subject, "send", 1))));
    }

    @Test
    void endlessWaits_areLinearizableAndEnd() {
        accept(Checks.modelChecking(OneshotModel.class, balanced()), Endless.class);
    }
}
