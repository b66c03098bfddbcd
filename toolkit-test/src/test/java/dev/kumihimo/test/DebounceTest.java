package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.channel.Receiver;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.time.Debounce;
import dev.kumihimo.time.Timeout;
import java.io.IOException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which item a debounce hands on, and when, on a clock that stands still. */
class DebounceTest {
    private static final Duration QUIET = millis(50);

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

    /** Sends an item at each of these times, in milliseconds; each is named after its own. */
    private JoinHandle<?> sendAt(long... times) {
        return Task.spawn(() -> {
            for (long time : times) {
                Task.sleep(millis(time).minus(test.clock().elapsed()));
                channel.send("of " + time);
            }
        });
    }

    private List<String> receive(Debounce<String> debounce, int count) throws InterruptedException {
        List<String> received = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            received.add(at(debounce.receive()));
        }
        return received;
    }

    /* ---------------- Which, and when -------------- */

    @Test
    void receive_givesTheLatest_onceNoFurtherOneHasCome() throws Exception {
        test.run(() -> {
            sendAt(10, 40, 80, 200, 249, 400);
            assertThat(receive(Debounce.of(channel, QUIET), 3))
                    .containsExactly("of 80@130", "of 249@299", "of 400@450");
        });
    }

    @Test
    void receive_skipsABacklog_butForItsLast() throws Exception {
        test.run(() -> {
            for (int i = 0; i < 1_000; i++) {
                channel.send("item " + i);
            }
            assertThat(receive(Debounce.of(channel, QUIET), 1)).containsExactly("item 999@50");
            assertThat(channel.size()).isZero();
        });
    }

    @Test
    void receive_givesAnItemOfASourceThatIsNeverQuiet_afterTheLongestWait() throws Exception {
        test.run(() -> {
            sendAt(0, 40, 80, 120, 160, 200, 240, 280, 320);
            Debounce<String> debounce = Debounce.of(channel, QUIET).atMost(millis(150));
            assertThat(receive(debounce, 3)).containsExactly("of 120@150", "of 280@310", "of 320@370");
        });
    }

    @Test
    void receive_waitsNoLongerThanTheLongestWait_forTheQuiet() throws Exception {
        test.run(() -> {
            sendAt(0, 100);
            Debounce<String> debounce = Debounce.of(channel, QUIET).atMost(millis(20));
            assertThat(receive(debounce, 2)).containsExactly("of 0@20", "of 100@120");
        });
    }

    @Test
    void theLongestWait_isKept_thoughMoreItemsAreReady() throws Exception {
        test.run(() -> {
            Debounce<String> debounce = Debounce.of(channel, QUIET).atMost(millis(80));
            channel.send("a");
            assertThatThrownBy(() -> debounce.receive(millis(10))).isInstanceOf(TimeoutException.class);
            Task.sleep(millis(90));
            channel.send("b");
            assertThat(receive(debounce, 2)).containsExactly("a@100", "b@150");
        });
    }

    @Test
    void receive_neverGives_ifTheQuietNeverEnds_butByTheLongestWaitOrTheClose() throws Exception {
        Duration forever = ChronoUnit.FOREVER.getDuration();
        test.run(() -> {
            Debounce<String> debounce = Debounce.of(channel, forever).atMost(forever);
            channel.send("a");
            assertThatThrownBy(() -> debounce.receive(Duration.ofDays(10_000))).isInstanceOf(TimeoutException.class);
            channel.close();
            assertThat(debounce.receive()).isEqualTo("a");
        });
    }

    /* ---------------- The other forms -------------- */

    @Test
    void receive_withATime_keepsWhatIsNotQuietYet_forTheNextCall() throws Exception {
        test.run(() -> {
            Debounce<String> debounce = Debounce.of(channel, QUIET);
            assertThatThrownBy(() -> debounce.receive(millis(20))).isInstanceOf(TimeoutException.class);
            channel.send("a");
            assertThatThrownBy(() -> debounce.receive(millis(30)))
                    .isInstanceOf(TimeoutException.class)
                    .hasMessage("no item within PT0.03S of " + debounce);
            assertThat(at("")).isEqualTo("@50");
            assertThat(channel.size()).isZero();
            assertThatThrownBy(() -> debounce.receive(Duration.ZERO)).isInstanceOf(TimeoutException.class);
            assertThat(at(debounce.receive(millis(20)))).isEqualTo("a@70");
        });
    }

    @Test
    void anItemThatWasQuietMeanwhile_isGivenAtOnce_unlessAFurtherOneHasCome() throws Exception {
        test.run(() -> {
            Debounce<String> debounce = Debounce.of(channel, QUIET);
            channel.send("a");
            assertThatThrownBy(() -> debounce.receive(millis(1))).isInstanceOf(TimeoutException.class);
            Task.sleep(millis(99));
            assertThat(at(debounce.receive())).isEqualTo("a@100");
            channel.send("b");
            assertThatThrownBy(() -> debounce.receive(millis(1))).isInstanceOf(TimeoutException.class);
            Task.sleep(millis(99));
            channel.send("c");
            assertThat(at(debounce.receive())).isEqualTo("c@250");
        });
    }

    @Test
    void tryReceive_takesWhatIsThere_andGivesTheLastOnceItIsQuiet() throws Exception {
        test.run(() -> {
            Debounce<String> debounce = Debounce.of(channel, QUIET);
            assertThat(debounce.tryReceive()).isNull();
            channel.send("a");
            channel.send("b");
            assertThat(debounce.tryReceive()).isNull();
            assertThat(channel.size()).isZero();
            Task.sleep(millis(49));
            assertThat(debounce.tryReceive()).isNull();
            Task.sleep(millis(1));
            assertThat(debounce.tryReceive()).isEqualTo("b");
            assertThat(debounce.tryReceive()).isNull();
            channel.send("c");
            channel.close();
            assertThat(debounce.tryReceive()).isEqualTo("c");
            assertThatThrownBy(debounce::tryReceive).isInstanceOf(ChannelClosedException.class);
        });
    }

    @Test
    void tryReceive_ends_thoughTheSourceDoesNot() throws Exception {
        test.run(() -> {
            for (int i = 0; i < 10_000; i++) {
                channel.send("item " + i);
            }
            Debounce<String> debounce = Debounce.of(channel, QUIET);
            assertThat(debounce.tryReceive()).isNull();
            assertThat(channel.size()).isBetween(1, 9_999);
        });
    }

    /* ---------------- The end -------------- */

    @Test
    void aClose_deliversWhatIsPending_atOnce_andThenTheEnd() throws Exception {
        test.run(() -> {
            Task.spawn(() -> {
                channel.send("a");
                Task.sleep(millis(20));
                channel.close();
            });
            Debounce<String> debounce = Debounce.of(channel, QUIET);
            assertThat(receive(debounce, 1)).containsExactly("a@20");
            assertThatThrownBy(debounce::receive).isInstanceOf(ChannelClosedException.class);
            assertThatThrownBy(() -> debounce.receive(QUIET)).isInstanceOf(ChannelClosedException.class);
            assertThatThrownBy(() -> debounce.receive(Duration.ZERO)).isInstanceOf(ChannelClosedException.class);
            assertThat(debounce.receiveOrNull()).isNull();
            assertThat(at("")).isEqualTo("@20");
        });
    }

    @Test
    void aCloseWithACause_deliversWhatIsPending_andEndsLoopsWithIt() throws Exception {
        test.run(() -> {
            channel.send("a");
            channel.close(new IOException("gone"));
            Debounce<String> debounce = Debounce.of(channel, QUIET);
            assertThat(debounce.receiveOrNull()).isEqualTo("a");
            assertThatThrownBy(debounce::receiveOrNull)
                    .isInstanceOf(ChannelClosedException.class)
                    .hasCauseInstanceOf(IOException.class);
            assertThat(at("")).isEqualTo("@0");
        });
    }

    @Test
    void aReceiver_isDebouncedLikeItsChannel() throws Exception {
        test.run(() -> {
            Receiver<String> receiver = channel.receiver();
            Debounce<String> debounce = Debounce.of(receiver, QUIET);
            sendAt(0, 30);
            assertThat(receive(debounce, 1)).containsExactly("of 30@80");
            receiver.close();
            assertThatThrownBy(debounce::receive)
                    .isExactlyInstanceOf(IllegalStateException.class)
                    .hasMessageStartingWith("this receiver is closed");
        });
    }

    /* ---------------- Interrupted and cancelled -------------- */

    @Test
    void anItemThatIsHeld_whenTheWaitIsCancelled_isForTheNextCall() throws Exception {
        test.run(() -> {
            Debounce<String> debounce = Debounce.of(channel, QUIET);
            channel.send("a");
            assertThatThrownBy(() -> Timeout.call(millis(20), () -> debounce.receive()))
                    .isInstanceOf(TimeoutException.class);
            JoinHandle<String> receiving = Task.spawn(() -> debounce.receive());
            Task.sleep(millis(20));
            receiving.abort();
            assertThatThrownBy(receiving::join).isInstanceOf(TaskCancelledException.class);
            assertThat(receive(debounce, 1)).containsExactly("a@50");
        });
    }

    @Test
    void anItemThatIsHeld_whenTheThreadIsInterrupted_isForTheNextCall() throws Exception {
        Debounce<String> debounce = test.run(() -> {
            channel.send("a");
            return Debounce.of(channel, QUIET);
        });
        JoinHandle<String> receiving = test.runtime().spawn(() -> debounce.receive());
        test.runUntilIdle();
        assertThat(channel.size()).isZero();
        test.interrupt(receiving);
        test.runUntilIdle();
        assertThatThrownBy(receiving::join).hasRootCauseExactlyInstanceOf(InterruptedException.class);
        assertThat(at(test.run(() -> debounce.receive()))).isEqualTo("a@50");
    }

    @Test
    void aSourceThatIsNeverEmpty_doesNotKeepACancelledTask() throws Exception {
        for (int i = 0; i < 100_000; i++) {
            channel.send("item");
        }
        JoinHandle<String> receiving =
                test.runtime().spawn(() -> Debounce.of(channel, QUIET).receive());
        test.step(receiving); // up to where it yields
        assertThat(channel.size()).isBetween(1, 99_999);
        receiving.abort();
        test.runUntilIdle();
        assertThatThrownBy(receiving::join).isInstanceOf(TaskCancelledException.class);
        assertThat(channel.size()).isPositive();
    }
}
