package dev.kumihimo.channel;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** Channels: close against send and receive, and what an item publishes. */
public final class ChannelRaces {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private ChannelRaces() {}

    private static int send(Channel<int[]> channel) {
        try {
            channel.send(new int[] {42}, PATIENCE);
            return 1;
        } catch (ChannelClosedException e) {
            return 0;
        } catch (InterruptedException | TimeoutException e) {
            return -9;
        }
    }

    private static int receive(Channel<int[]> channel) {
        try {
            return channel.receive(PATIENCE)[0];
        } catch (ChannelClosedException e) {
            return 0;
        } catch (InterruptedException | TimeoutException e) {
            return -9;
        }
    }

    /** Results: sent, what is in the channel at the end. */
    @JCStressTest
    @Outcome(id = "1, 42", expect = ACCEPTABLE, desc = "sent, and there")
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "refused, and not there")
    @Outcome(expect = FORBIDDEN, desc = "lost, or there in spite of the exception")
    @State
    public static class CloseAgainstSend {
        private final Channel<int[]> channel = Channel.bounded(1);

        @Actor
        public void sender(II_Result r) {
            r.r1 = send(channel);
        }

        @Actor
        public void closer() {
            channel.close();
        }

        @Arbiter
        public void drain(II_Result r) {
            r.r2 = receive(channel);
        }
    }

    /** A send that nobody receives ends when the channel is closed. */
    @JCStressTest
    @Outcome(id = "0", expect = ACCEPTABLE, desc = "told that it is closed")
    @Outcome(expect = FORBIDDEN, desc = "sent to nobody, or left waiting")
    @State
    public static class CloseAgainstWaitingSend {
        private final Channel<int[]> channel = Channel.rendezvous();

        @Actor
        public void sender(I_Result r) {
            r.r1 = send(channel);
        }

        @Actor
        public void closer() {
            channel.close();
        }
    }

    /** A receive ends when the channel is closed. */
    @JCStressTest
    @Outcome(id = "0", expect = ACCEPTABLE, desc = "told that it is closed")
    @Outcome(expect = FORBIDDEN, desc = "received from nobody, or left waiting")
    @State
    public static class CloseAgainstReceive {
        private final Channel<int[]> channel = Channel.bounded(1);

        @Actor
        public void receiver(I_Result r) {
            r.r1 = receive(channel);
        }

        @Actor
        public void closer() {
            channel.close();
        }
    }

    /** Results: sent, what the receiver sees in the item. */
    @JCStressTest
    @Outcome(id = "1, 42", expect = ACCEPTABLE, desc = "handed over, with what was written before")
    @Outcome(expect = FORBIDDEN, desc = "lost, or not visible")
    @State
    public static class SendAgainstReceive {
        private final Channel<int[]> channel = Channel.rendezvous();

        @Actor
        public void sender(II_Result r) {
            r.r1 = send(channel);
        }

        @Actor
        public void receiver(II_Result r) {
            r.r2 = receive(channel);
        }
    }
}
