package dev.kumihimo.lincheck;

import static dev.kumihimo.lincheck.Checks.accept;
import static dev.kumihimo.lincheck.Checks.call;
import static dev.kumihimo.lincheck.Checks.scenario;

import dev.kumihimo.channel.Channel;
import java.util.List;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** A channel of any capacity does what {@link ChannelModel} does: items in order, first come first served, none lost. */
class ChannelLincheckTest {
    public static final class Rendezvous extends ChannelOperations {
        public Rendezvous() {
            super(Channel.rendezvous());
        }
    }

    public static final class One extends ChannelOperations {
        public One() {
            super(Channel.bounded(1));
        }
    }

    public static final class Two extends ChannelOperations {
        public Two() {
            super(Channel.bounded(2));
        }
    }

    public static final class Unbounded extends ChannelOperations {
        public Unbounded() {
            super(Channel.unbounded());
        }
    }

    @Test
    void timedWaits_areLinearizable_inARendezvous() {
        accept(Checks.stress(ChannelModel.Rendezvous.class), Rendezvous.class);
    }

    @Test
    void timedWaits_areLinearizable_withCapacityOne() {
        accept(Checks.stress(ChannelModel.One.class), One.class);
    }

    @Test
    void timedWaits_areLinearizable_withCapacityTwo() {
        accept(Checks.stress(ChannelModel.Two.class), Two.class);
    }

    @Test
    void timedWaits_areLinearizable_withoutBound() {
        accept(Checks.stress(ChannelModel.Unbounded.class), Unbounded.class);
    }

    /* ---------------- Without waits -------------- */

    /** The operations that never wait. */
    @Param(name = "item", gen = IntGen.class, conf = "1:9")
    public static final class Trying {
        private final Channel<Integer> channel = Channel.bounded(1);

        @Operation
        public boolean trySend(@Param(name = "item") int item) {
            return channel.trySend(item);
        }

        @Operation
        public Object tryReceive() {
            Integer item = channel.tryReceive();
            return item == null ? ChannelOperations.NOTHING : item;
        }

        @Operation(runOnce = true)
        public boolean close() {
            channel.close();
            return true;
        }
    }

    @Test
    void trying_isLinearizable_inEveryInterleaving() {
        accept(Checks.modelChecking(ChannelModel.One.class), Trying.class);
    }

    /* ---------------- Waits without end -------------- */

    /** Waits that only their counterpart ends. */
    public abstract static class Endless {
        private final Channel<Integer> channel;

        Endless(Channel<Integer> channel) {
            this.channel = channel;
        }

        @Operation
        public boolean send(@Param(gen = IntGen.class) int item) throws Exception {
            channel.send(item);
            return true;
        }

        @Operation
        public int receive() throws Exception {
            return channel.receive();
        }

        @Operation
        public boolean close() {
            channel.close();
            return true;
        }
    }

    public static final class EndlessRendezvous extends Endless {
        public EndlessRendezvous() {
            super(Channel.rendezvous());
        }
    }

    public static final class EndlessOne extends Endless {
        public EndlessOne() {
            super(Channel.bounded(1));
        }
    }

    private static List<ExecutionScenario> balanced(Class<?> subject) {
        return List.of(
                scenario(
                        List.of(call(subject, "send", 1), call(subject, "send", 2), call(subject, "send", 3)),
                        List.of(call(subject, "receive"), call(subject, "receive"), call(subject, "receive"))),
                scenario(
                        List.of(call(subject, "send", 1), call(subject, "send", 2)),
                        List.of(call(subject, "receive")),
                        List.of(call(subject, "receive"))),
                scenario(
                        List.of(call(subject, "send", 1)),
                        List.of(call(subject, "send", 2)),
                        List.of(call(subject, "receive"), call(subject, "receive"))),
                scenario(
                        List.of(call(subject, "receive")),
                        List.of(call(subject, "receive")),
                        List.of(call(subject, "close"))),
                scenario(
                        List.of(call(subject, "send", 1), call(subject, "send", 2)),
                        List.of(call(subject, "close"), call(subject, "receive"))));
    }

    @Test
    void endlessWaits_areLinearizableAndEnd_inARendezvous() {
        accept(
                Checks.modelChecking(ChannelModel.Rendezvous.class, balanced(EndlessRendezvous.class)),
                EndlessRendezvous.class);
    }

    @Test
    void endlessWaits_areLinearizableAndEnd_withCapacityOne() {
        accept(Checks.modelChecking(ChannelModel.One.class, balanced(EndlessOne.class)), EndlessOne.class);
    }
}
