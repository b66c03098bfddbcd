package dev.kumihimo.lincheck;

import static dev.kumihimo.lincheck.Checks.accept;
import static dev.kumihimo.lincheck.Checks.call;
import static dev.kumihimo.lincheck.Checks.scenario;

import dev.kumihimo.channel.BackpressuredBroadcast;
import dev.kumihimo.channel.Broadcast;
import java.util.List;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** A broadcast does what {@link BroadcastModel} does: all items to each receiver, or the number of those it missed. */
class BroadcastLincheckTest {
    /* ---------------- Senders that never wait -------------- */

    public abstract static class Lagging extends BroadcastOperations {
        final Broadcast<Integer> broadcast = Broadcast.create(2);

        Lagging() {
            receiveBy(broadcast.subscribe(), broadcast.subscribe(this::onLag));
        }

        @Operation
        public int send(@Param(name = "item") int item) {
            return broadcast.send(item);
        }

        @Operation(runOnce = true)
        public boolean close() {
            broadcast.close();
            return true;
        }
    }

    /** With waits that end by themselves. */
    public static final class TimedLagging extends Lagging {
        @Operation
        public Object receive(@Param(name = "receiver") int receiver) throws Exception {
            return result(receiver, from -> from.receive(Checks.PATIENCE));
        }

        @Operation
        public boolean awaitNoReceivers() throws Exception {
            broadcast.awaitNoReceivers(Checks.PATIENCE);
            return true;
        }
    }

    @Test
    void timedWaits_areLinearizable_withLag() {
        accept(Checks.stress(BroadcastModel.Lagging.class), TimedLagging.class);
    }

    /** With waits that only an item or an end ends. */
    public static final class EndlessLagging extends Lagging {
        @Operation
        public Object receive(@Param(name = "receiver") int receiver) throws Exception {
            return result(receiver, Broadcast.Receiver::receive);
        }

        @Operation
        public boolean awaitNoReceivers() throws Exception {
            broadcast.awaitNoReceivers();
            return true;
        }
    }

    private static List<ExecutionScenario> lagging() {
        Class<?> subject = EndlessLagging.class;
        return List.of(
                scenario(
                        List.of(call(subject, "send", 1), call(subject, "send", 2), call(subject, "send", 3)),
                        List.of(call(subject, "receive", 0), call(subject, "receive", 0)),
                        List.of(call(subject, "receive", 1), call(subject, "receive", 1), call(subject, "size", 1))),
                scenario( // a receiver that is shared
                        List.of(call(subject, "send", 1), call(subject, "send", 2)),
                        List.of(call(subject, "receive", 0)),
                        List.of(call(subject, "receive", 0), call(subject, "tryReceive", 1))),
                scenario(
                        List.of(call(subject, "receive", 0), call(subject, "receive", 0)),
                        List.of(call(subject, "receive", 1)),
                        List.of(call(subject, "send", 1), call(subject, "close"))),
                scenario(
                        List.of(call(subject, "receive", 0), call(subject, "closeReceiver", 1)),
                        List.of(call(subject, "closeReceiver", 0), call(subject, "send", 1)),
                        List.of(call(subject, "awaitNoReceivers"), call(subject, "send", 2))));
    }

    @Test
    void endlessWaits_areLinearizableAndEnd_withLag() {
        accept(Checks.modelChecking(BroadcastModel.Lagging.class, lagging()), EndlessLagging.class);
    }

    /* ---------------- Senders that wait -------------- */

    public abstract static class Backpressured extends BroadcastOperations {
        final BackpressuredBroadcast<Integer> broadcast = Broadcast.backpressured(1);

        Backpressured() {
            receiveBy(broadcast.subscribe(), broadcast.subscribe());
        }

        @Operation(runOnce = true)
        public boolean close() {
            broadcast.close();
            return true;
        }
    }

    /** With waits that end by themselves. */
    public static final class TimedBackpressured extends Backpressured {
        @Operation
        public int send(@Param(name = "item") int item) throws Exception {
            return broadcast.send(item, Checks.PATIENCE);
        }

        @Operation
        public Object receive(@Param(name = "receiver") int receiver) throws Exception {
            return result(receiver, from -> from.receive(Checks.PATIENCE));
        }
    }

    @Test
    void timedWaits_areLinearizable_withBackpressure() {
        accept(Checks.stress(BroadcastModel.Backpressured.class), TimedBackpressured.class);
    }

    /** With waits that only their counterparts end. */
    public static final class EndlessBackpressured extends Backpressured {
        @Operation
        public int send(@Param(name = "item") int item) throws Exception {
            return broadcast.send(item);
        }

        @Operation
        public Object receive(@Param(name = "receiver") int receiver) throws Exception {
            return result(receiver, Broadcast.Receiver::receive);
        }
    }

    private static List<ExecutionScenario> backpressured() {
        Class<?> subject = EndlessBackpressured.class;
        return List.of(
                scenario(
                        List.of(call(subject, "send", 1), call(subject, "send", 2), call(subject, "size", 1)),
                        List.of(call(subject, "receive", 0), call(subject, "receive", 0)),
                        List.of(call(subject, "receive", 1), call(subject, "receive", 1))),
                scenario(
                        List.of(call(subject, "send", 1), call(subject, "send", 2)),
                        List.of(call(subject, "send", 3)),
                        List.of(
                                call(subject, "closeReceiver", 1),
                                call(subject, "receive", 0),
                                call(subject, "receive", 0))),
                scenario(
                        List.of(call(subject, "send", 1), call(subject, "send", 2)),
                        List.of(call(subject, "receive", 0), call(subject, "receive", 0)),
                        List.of(call(subject, "close"), call(subject, "tryReceive", 1))));
    }

    @Test
    void endlessWaits_areLinearizableAndEnd_withBackpressure() {
        accept(Checks.modelChecking(BroadcastModel.Backpressured.class, backpressured()), EndlessBackpressured.class);
    }
}
