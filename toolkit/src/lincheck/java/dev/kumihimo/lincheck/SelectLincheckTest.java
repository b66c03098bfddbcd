package dev.kumihimo.lincheck;

import static dev.kumihimo.lincheck.Checks.accept;
import static dev.kumihimo.lincheck.Checks.call;
import static dev.kumihimo.lincheck.Checks.scenario;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.select.Select;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** A select over two channels does what {@link SelectModel} does: exactly one of its branches, and that at one moment. */
class SelectLincheckTest {
    @Param(name = "item", gen = IntGen.class, conf = "1:9")
    @Param(name = "channel", gen = IntGen.class, conf = "0:1")
    public abstract static class Operations {
        final List<Channel<Integer>> channels;

        Operations(Channel<Integer> first, Channel<Integer> second) {
            channels = List.of(first, second);
        }

        static int received(int channel, int item) {
            return channel == 0 ? item : -item;
        }

        final Select<Object> receiveAny() {
            return Select.of()
                    .onReceive(channels.get(0), item -> received(0, item))
                    .onReceive(channels.get(1), item -> received(1, item));
        }

        final Select<Object> sendOrReceive(int channel, int item) {
            return Select.of()
                    .onSend(channels.get(channel), item, () -> SelectModel.SENT)
                    .onReceive(channels.get(1 - channel), received -> received(1 - channel, received));
        }

        @Operation
        public Object trySelect() throws Exception {
            return receiveAny().otherwise(() -> ChannelOperations.NOTHING).await();
        }

        @Operation
        public Object tryReceive(@Param(name = "channel") int channel) {
            Integer item = channels.get(channel).tryReceive();
            return item == null ? ChannelOperations.NOTHING : received(channel, item);
        }

        @Operation(runOnce = true)
        public boolean close(@Param(name = "channel") int channel) {
            channels.get(channel).close();
            return true;
        }
    }

    /** With waits that end by themselves. */
    public static final class Timed extends Operations {
        public Timed() {
            super(Channel.rendezvous(), Channel.bounded(1));
        }

        private static Object await(Select<Object> select) throws Exception {
            Object result =
                    select.after(Checks.PATIENCE, () -> TimeoutException.class).await();
            if (result == TimeoutException.class) {
                throw new TimeoutException();
            }
            return result;
        }

        @Operation
        public int send(@Param(name = "channel") int channel, @Param(name = "item") int item) throws Exception {
            channels.get(channel).send(item, Checks.PATIENCE);
            return SelectModel.SENT;
        }

        @Operation
        public int receive(@Param(name = "channel") int channel) throws Exception {
            return received(channel, channels.get(channel).receive(Checks.PATIENCE));
        }

        @Operation
        public Object select() throws Exception {
            return await(receiveAny());
        }

        @Operation
        public Object selectToSend(@Param(name = "channel") int channel, @Param(name = "item") int item)
                throws Exception {
            return await(sendOrReceive(channel, item));
        }
    }

    @Test
    void timedWaits_areLinearizable() {
        accept(Checks.stress(SelectModel.Mixed.class), Timed.class);
    }

    /* ---------------- Waits without end -------------- */

    /** Waits that only their counterpart ends. */
    public abstract static class Endless extends Operations {
        Endless(Channel<Integer> first, Channel<Integer> second) {
            super(first, second);
        }

        @Operation
        public int send(@Param(name = "channel") int channel, @Param(name = "item") int item) throws Exception {
            channels.get(channel).send(item);
            return SelectModel.SENT;
        }

        @Operation
        public int receive(@Param(name = "channel") int channel) throws Exception {
            return received(channel, channels.get(channel).receive());
        }

        @Operation
        public Object select() throws Exception {
            return receiveAny().await();
        }

        @Operation
        public Object selectToSend(@Param(name = "channel") int channel, @Param(name = "item") int item)
                throws Exception {
            return sendOrReceive(channel, item).await();
        }
    }

    public static final class EndlessRendezvous extends Endless {
        public EndlessRendezvous() {
            super(Channel.rendezvous(), Channel.rendezvous());
        }
    }

    public static final class EndlessOne extends Endless {
        public EndlessOne() {
            super(Channel.bounded(1), Channel.bounded(1));
        }
    }

    private static List<ExecutionScenario> balanced(Class<?> subject) {
        return List.of(
                scenario(
                        List.of(call(subject, "select"), call(subject, "select")),
                        List.of(call(subject, "send", 0, 1)),
                        List.of(call(subject, "send", 1, 2))),
                scenario( // whoever the select leaves is served by the other
                        List.of(call(subject, "select")),
                        List.of(call(subject, "select")),
                        List.of(call(subject, "send", 0, 1), call(subject, "send", 0, 2))),
                scenario( // two selects that fit each other in both branches
                        List.of(call(subject, "selectToSend", 0, 1)), List.of(call(subject, "selectToSend", 1, 2))),
                scenario(
                        List.of(call(subject, "select")),
                        List.of(call(subject, "select")),
                        List.of(call(subject, "close", 1))));
    }

    @Test
    void endlessWaits_areLinearizableAndEnd_overRendezvous() {
        accept(
                Checks.modelChecking(SelectModel.Rendezvous.class, balanced(EndlessRendezvous.class)),
                EndlessRendezvous.class);
    }

    @Test
    void endlessWaits_areLinearizableAndEnd_withCapacityOne() {
        Class<?> subject = EndlessOne.class;
        accept(
                Checks.modelChecking(
                        SelectModel.One.class,
                        List.of(
                                scenario( // what the select leaves is there
                                        List.of(call(subject, "select"), call(subject, "trySelect")),
                                        List.of(call(subject, "send", 0, 1)),
                                        List.of(call(subject, "send", 1, 2))),
                                scenario( // at no moment are both empty
                                        List.of(call(subject, "send", 1, 1), call(subject, "trySelect")),
                                        List.of(call(subject, "send", 0, 2), call(subject, "tryReceive", 1))),
                                scenario(
                                        List.of(call(subject, "send", 0, 1), call(subject, "trySelect")),
                                        List.of(call(subject, "send", 1, 2), call(subject, "tryReceive", 0))),
                                scenario(
                                        List.of(call(subject, "selectToSend", 0, 1), call(subject, "send", 0, 3)),
                                        List.of(call(subject, "select"), call(subject, "receive", 0))))),
                subject);
    }
}
