package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.channel.Receiver;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.time.Throttle;
import dev.kumihimo.time.Timeout;
import java.io.IOException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When a throttle hands on what, on a clock that stands still. */
class ThrottleTest {
    private static final Duration PERIOD = millis(100);

    private final TestRuntime test = TestRuntime.fifo();
    private final Channel<String> channel = Channel.unbounded();

    @AfterEach
    void close() {
        test.close();
    }

    private static Duration millis(long millis) {
        return Duration.ofMillis(millis);
    }

    private String at(String what) {
        return what + "@" + test.clock().elapsed().toMillis();
    }

    private void send(String... items) throws InterruptedException {
        for (String item : items) {
            channel.send(item);
        }
    }

    private List<String> receive(Throttle<String> throttle, int count) throws InterruptedException {
        List<String> received = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            received.add(at(throttle.receive()));
        }
        return received;
    }

    /* ---------------- When -------------- */

    @Test
    void receive_givesTheFirstAtOnce_andThenOneAPeriod_andDropsNone() throws Exception {
        test.run(() -> {
            send("a", "b", "c", "d");
            assertThat(receive(Throttle.of(channel, PERIOD), 4)).containsExactly("a@0", "b@100", "c@200", "d@300");
        });
    }

    @Test
    void receive_givesAnItemAtOnce_ifAPeriodHasPassed() throws Exception {
        test.run(() -> {
            Throttle<String> throttle = Throttle.of(channel, PERIOD);
            Task.spawn(() -> {
                Task.sleep(millis(30));
                send("a");
                Task.sleep(millis(170));
                send("b", "c");
            });
            assertThat(receive(throttle, 3)).containsExactly("a@30", "b@200", "c@300");
        });
    }

    @Test
    void receive_doesNotCatchUp_afterAConsumerThatWasSlow() throws Exception {
        test.run(() -> {
            send("a", "b", "c", "d");
            Throttle<String> throttle = Throttle.of(channel, PERIOD);
            throttle.receive();
            Task.sleep(millis(350));
            assertThat(receive(throttle, 3)).containsExactly("b@350", "c@450", "d@550");
        });
    }

    @Test
    void receive_isNeverEarly_ifThePeriodIsNoMultipleOfAMillisecond() throws Exception {
        test.run(() -> {
            Throttle<String> throttle = Throttle.of(channel, Duration.ofNanos(1_333_333));
            send("a", "b", "c");
            long before = Long.MIN_VALUE / 2;
            for (int i = 0; i < 3; i++) {
                throttle.receive();
                assertThat(test.nanoTime() - before).isGreaterThanOrEqualTo(1_333_333);
                before = test.nanoTime();
            }
        });
    }

    @Test
    void backPressure_reachesTheSender() throws Exception {
        test.run(() -> {
            Channel<String> narrow = Channel.bounded(1);
            List<String> sent = new ArrayList<>();
            Task.spawn(() -> {
                for (String item : "abcd".split("")) {
                    narrow.send(item);
                    sent.add(at(item));
                }
                narrow.close();
            });
            Throttle<String> throttle = Throttle.of(narrow, PERIOD);
            assertThat(receive(throttle, 4)).containsExactly("a@0", "b@100", "c@200", "d@300");
            assertThat(sent).containsExactly("a@0", "b@0", "c@100", "d@200");
        });
    }

    @Test
    void receive_givesOneItem_ifThePeriodNeverEnds() throws Exception {
        test.run(() -> {
            send("a", "b");
            Throttle<String> throttle = Throttle.of(channel, ChronoUnit.FOREVER.getDuration());
            assertThat(throttle.receive()).isEqualTo("a");
            assertThatThrownBy(() -> throttle.receive(Duration.ofDays(100_000))).isInstanceOf(TimeoutException.class);
            assertThat(channel.size()).isOne();
        });
    }

    /* ---------------- The other forms -------------- */

    @Test
    void tryReceive_takesNothing_beforeItsTime() throws Exception {
        test.run(() -> {
            Throttle<String> throttle = Throttle.of(channel, PERIOD);
            assertThat(throttle.tryReceive()).isNull();
            send("a", "b");
            assertThat(throttle.tryReceive()).isEqualTo("a");
            assertThat(throttle.tryReceive()).isNull();
            Task.sleep(millis(99));
            assertThat(throttle.tryReceive()).isNull();
            assertThat(channel.size()).isOne();
            Task.sleep(millis(1));
            assertThat(throttle.tryReceive()).isEqualTo("b");
        });
    }

    @Test
    void receive_withATime_throwsWhenThatIsOver_andTakesNothing() throws Exception {
        test.run(() -> {
            Throttle<String> throttle = Throttle.of(channel, PERIOD);
            assertThatThrownBy(() -> throttle.receive(millis(20))).isInstanceOf(TimeoutException.class);
            send("a", "b");
            assertThat(at(throttle.receive(Duration.ZERO))).isEqualTo("a@20");
            assertThatThrownBy(() -> throttle.receive(Duration.ZERO)).isInstanceOf(TimeoutException.class);
            assertThatThrownBy(() -> throttle.receive(millis(30)))
                    .isInstanceOf(TimeoutException.class)
                    .hasMessage("no item within PT0.03S of " + throttle);
            assertThat(at("")).isEqualTo("@50");
            assertThat(channel.size()).isOne();
            assertThat(at(throttle.receive(millis(70)))).isEqualTo("b@120");
            assertThatThrownBy(() -> throttle.receive(millis(150))).isInstanceOf(TimeoutException.class);
            assertThat(at("")).isEqualTo("@270"); // the pause and the wait for an item have one time together
        });
    }

    @Test
    void theEnd_isToldAsTheChannelTellsIt() throws Exception {
        test.run(() -> {
            Throttle<String> throttle = Throttle.of(channel, PERIOD);
            send("a", "b");
            channel.close();
            assertThat(receive(throttle, 2)).containsExactly("a@0", "b@100");
            assertThat(throttle.receiveOrNull()).isNull();
            assertThat(at("")).isEqualTo("@200");
            assertThatThrownBy(throttle::receive).isInstanceOf(ChannelClosedException.class);
            assertThatThrownBy(throttle::tryReceive).isInstanceOf(ChannelClosedException.class);
            assertThatThrownBy(() -> throttle.receive(PERIOD)).isInstanceOf(ChannelClosedException.class);
        });
    }

    @Test
    void aClose_endsTheWaitForAnItem_withItsCause() throws Exception {
        test.run(() -> {
            Throttle<String> throttle = Throttle.of(channel, PERIOD);
            Task.spawn(() -> {
                Task.sleep(millis(10));
                channel.close(new IOException("gone"));
            });
            assertThatThrownBy(throttle::receiveOrNull)
                    .isInstanceOf(ChannelClosedException.class)
                    .hasCauseInstanceOf(IOException.class);
            assertThat(at("")).isEqualTo("@10");
        });
    }

    @Test
    void aReceiver_isThrottledLikeItsChannel() throws Exception {
        test.run(() -> {
            Receiver<String> receiver = channel.receiver();
            Throttle<String> throttle = Throttle.of(receiver, PERIOD);
            send("a", "b");
            assertThat(throttle.tryReceive()).isEqualTo("a");
            assertThat(at(throttle.receive())).isEqualTo("b@100");
            receiver.close();
            Task.sleep(PERIOD);
            assertThatThrownBy(throttle::receive)
                    .isExactlyInstanceOf(IllegalStateException.class)
                    .hasMessageStartingWith("this receiver is closed");
        });
    }

    /* ---------------- Interrupted and cancelled -------------- */

    @Test
    void aReceiveThatWasCancelledInItsPause_hasTakenNothing() throws Exception {
        test.run(() -> {
            Throttle<String> throttle = Throttle.of(channel, PERIOD);
            send("a", "b");
            throttle.receive();
            assertThatThrownBy(() -> Timeout.call(millis(30), () -> throttle.receive()))
                    .isInstanceOf(TimeoutException.class);
            JoinHandle<String> receiving = Task.spawn(() -> throttle.receive());
            Task.sleep(millis(30));
            receiving.abort();
            assertThatThrownBy(receiving::join).isInstanceOf(TaskCancelledException.class);
            assertThat(at(throttle.receive())).isEqualTo("b@100");
        });
    }

    @Test
    void aReceiveThatWasInterrupted_hasTakenNothing() throws Exception {
        Throttle<String> throttle = test.run(() -> {
            send("a", "b");
            return Throttle.of(channel, PERIOD);
        });
        assertThat(test.run(() -> throttle.receive())).isEqualTo("a");
        JoinHandle<String> receiving = test.runtime().spawn(() -> throttle.receive());
        test.runUntilIdle();
        test.interrupt(receiving);
        test.runUntilIdle();
        assertThatThrownBy(receiving::join).hasRootCauseExactlyInstanceOf(InterruptedException.class);
        assertThat(at(test.run(() -> throttle.receive()))).isEqualTo("b@100");
    }
}
