package dev.kumihimo.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.select.Select;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class OneshotTest extends ChannelFixture {
    private static final Duration SHORT = Duration.ofMillis(5);

    @Test
    void theValue_isReceivedOnce() throws Exception {
        Oneshot<String> oneshot = Oneshot.create();
        assertThat(oneshot.tryReceive()).isNull();
        assertThat(oneshot.send("value")).isTrue();
        assertThat(oneshot.send("another")).isFalse();
        assertThat(oneshot.isClosed()).isFalse();
        assertThat(oneshot.receive()).isEqualTo("value");
        assertThat(oneshot.isClosed()).isTrue();
        assertThat(oneshot.send("late")).isFalse();
        assertThatThrownBy(oneshot::receive)
                .isInstanceOf(ChannelClosedException.class)
                .hasMessageContaining("received already");
        assertThatThrownBy(oneshot::tryReceive).isInstanceOf(ChannelClosedException.class);
        assertThat(oneshot).hasToString("Oneshot[received]");
    }

    @Test
    void aReceiverThatWaits_getsTheValue_andTheNextOneTheEnd() throws Exception {
        Oneshot<String> oneshot = Oneshot.create();
        JoinHandle<String> first = waitingAt(oneshot, () -> oneshot.receive());
        JoinHandle<String> second = waitingAt(oneshot, () -> oneshot.receive(LONG));
        assertThat(oneshot.send("value")).isTrue();
        assertThat(first.join(LONG)).isEqualTo("value");
        assertThat(failure(second)).isInstanceOf(ChannelClosedException.class);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("ends")
    void aReceiverThatGivesUp_hasNotReceived_andIsPassedOver(String name, Ender ender) throws Exception {
        Oneshot<String> oneshot = Oneshot.create();
        JoinHandle<String> first = waitingAt(oneshot, () -> oneshot.receive());
        JoinHandle<String> second = waitingAt(oneshot, () -> oneshot.receive());
        ender.end(first);
        assertThat(oneshot.send("value")).isTrue();
        assertThat(second.join(LONG)).isEqualTo("value");
    }

    /** The sender meets a receiver that has given up and has not withdrawn yet. */
    @Test
    void aReceiverThatIsGivingUp_isPassedOver_andWithoutAnotherTheValueStays() throws Exception {
        for (boolean another : new boolean[] {true, false}) {
            Oneshot<String> oneshot = Oneshot.create();
            OneshotCore<String> core = (OneshotCore<String>) oneshot;
            Wait givingUp = Wait.at(core);
            core.lock();
            core.awaitValue(givingUp);
            core.unlock();
            givingUp.expire();
            JoinHandle<String> receiver = another ? waitingAt(oneshot, () -> oneshot.receive()) : null;
            assertThat(oneshot.send("value")).isTrue();
            assertThat(receiver == null ? oneshot.receive() : receiver.join(LONG))
                    .isEqualTo("value");
            assertThat(oneshot.isClosed()).isTrue();
        }
    }

    @Test
    void aReceiveThatTimesOut_hasNotReceived() throws Exception {
        Oneshot<String> oneshot = Oneshot.create();
        assertThatThrownBy(() -> oneshot.receive(SHORT)).isInstanceOf(TimeoutException.class);
        assertThatThrownBy(() -> oneshot.receive(Duration.ZERO)).isInstanceOf(TimeoutException.class);
        assertThat(oneshot.send("value")).isTrue();
        assertThat(oneshot.receive(Duration.ZERO)).isEqualTo("value");
    }

    @Test
    void close_refusesTheValue_andEndsReceivers() throws Exception {
        Oneshot<String> oneshot = Oneshot.create();
        JoinHandle<String> receiver = waitingAt(oneshot, () -> oneshot.receive());
        oneshot.close();
        oneshot.close();
        assertThat(failure(receiver))
                .isInstanceOf(ChannelClosedException.class)
                .hasMessageContaining("without a value")
                .hasNoCause();
        assertThat(oneshot.send("late")).isFalse();
        assertThat(oneshot.isClosed()).isTrue();
        assertThatThrownBy(oneshot::tryReceive).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(() -> oneshot.receive(LONG)).isInstanceOf(ChannelClosedException.class);
    }

    @Test
    void aValueSentBeforeTheClose_isStillReceived() throws Exception {
        Oneshot<String> oneshot = Oneshot.create();
        oneshot.send("value");
        oneshot.close(new IOException("too late to matter"));
        assertThat(oneshot.isClosed()).isTrue();
        assertThat(oneshot.tryReceive()).isEqualTo("value");
        assertThatThrownBy(oneshot::tryReceive)
                .isInstanceOf(ChannelClosedException.class)
                .hasNoCause();
    }

    @Test
    void closeWithACause_isToldToReceivers() throws Exception {
        Oneshot<String> oneshot = Oneshot.create();
        IOException cause = new IOException("no such user");
        JoinHandle<String> receiver = waitingAt(oneshot, () -> oneshot.receive());
        oneshot.close(cause);
        oneshot.close(new IOException("second"));
        assertThat(failure(receiver)).isInstanceOf(ChannelClosedException.class).hasCause(cause);
        assertThatThrownBy(oneshot::receive).hasCause(cause);
    }

    @Test
    void anExceptionAsTheValue_isAValue() throws Exception {
        Oneshot<Exception> oneshot = Oneshot.create();
        Exception value = new IOException("a value");
        oneshot.send(value);
        assertThat(oneshot.receive()).isSameAs(value);
        assertThatThrownBy(oneshot::receive).hasNoCause();
        assertThatThrownBy(() -> oneshot.send(null)).isInstanceOf(NullPointerException.class);
    }

    /* ---------------- awaitClosed -------------- */

    @Test
    void awaitClosed_returns_whenTheReceiverGivesUp_orHasReceived() throws Exception {
        Oneshot<String> unwanted = Oneshot.create();
        JoinHandle<?> working = waitingAt(unwanted, () -> {
            unwanted.awaitClosed();
            return null;
        });
        unwanted.close();
        working.join(LONG);
        unwanted.awaitClosed();
        unwanted.awaitClosed(Duration.ZERO);

        Oneshot<String> wanted = Oneshot.create();
        wanted.send("value");
        JoinHandle<?> delivering = waitingAt(wanted, () -> {
            wanted.awaitClosed(LONG);
            return null;
        });
        assertThat(wanted.receive()).isEqualTo("value");
        delivering.join(LONG);

        Oneshot<String> handedOver = Oneshot.create();
        JoinHandle<String> receiver = waitingAt(handedOver, () -> handedOver.receive());
        JoinHandle<?> watching = waitingAt(handedOver, () -> {
            handedOver.awaitClosed();
            return null;
        });
        handedOver.send("value");
        receiver.join(LONG);
        watching.join(LONG);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("ends")
    void awaitClosed_canBeEnded_andTimesOut(String name, Ender ender) throws Exception {
        Oneshot<String> oneshot = Oneshot.create();
        JoinHandle<?> waits = waitingAt(oneshot, () -> {
            oneshot.awaitClosed();
            return null;
        });
        ender.end(waits);
        assertThatThrownBy(() -> oneshot.awaitClosed(SHORT)).isInstanceOf(TimeoutException.class);
        assertThatThrownBy(() -> oneshot.awaitClosed(Duration.ZERO)).isInstanceOf(TimeoutException.class);
        assertThat(oneshot.send("value")).isTrue();
    }

    /* ---------------- Selecting, and races -------------- */

    @Test
    void aOneshot_isSelectable_andALosingSelectTakesNothing() throws Exception {
        Oneshot<String> left = Oneshot.create();
        Oneshot<String> right = Oneshot.create();
        JoinHandle<String> selecting = waiting(() -> Select.<String>of()
                .onReceive(left, value -> "left " + value)
                .onReceive(right, value -> "right " + value)
                .await());
        right.send("value");
        assertThat(selecting.join(LONG)).isEqualTo("right value");
        left.send("other");
        assertThat(left.isClosed()).as("nobody has taken it").isFalse();
        assertThat(Select.<String>of().onReceive(left, value -> value).await()).isEqualTo("other");
        Oneshot<String> third = Oneshot.create();
        JoinHandle<String> closing = waiting(() -> Select.<String>of()
                .on(third.closed(), () -> "closed")
                .on(Channel.<String>bounded(1).closed(), () -> "never")
                .await());
        third.close();
        assertThat(closing.join(LONG)).isEqualTo("closed");
        assertThatThrownBy(() ->
                        Select.<String>of().onReceive(left, value -> value).await())
                .isInstanceOf(ChannelClosedException.class);
    }

    @Test
    void exactlyOneSendAndOneReceiveWin_whenManyRaceWithAClose() throws Exception {
        for (int round = 0; round < 500; round++) {
            Oneshot<Integer> oneshot = Oneshot.create();
            List<JoinHandle<Boolean>> senders = new ArrayList<>();
            List<JoinHandle<Boolean>> receivers = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                int value = i;
                receivers.add(runtime.spawn(() -> {
                    try {
                        oneshot.receive();
                        return true;
                    } catch (ChannelClosedException e) {
                        return false;
                    }
                }));
                senders.add(runtime.spawn(() -> oneshot.send(value)));
            }
            if (round % 2 == 0) {
                runtime.spawn(() -> oneshot.close()).join(LONG);
            }
            int sent = 0;
            int received = 0;
            for (JoinHandle<Boolean> sender : senders) {
                sent += sender.join(LONG) ? 1 : 0;
            }
            for (JoinHandle<Boolean> receiver : receivers) {
                received += receiver.join(LONG) ? 1 : 0;
            }
            assertThat(sent).isLessThanOrEqualTo(1);
            assertThat(received).isEqualTo(sent);
            if (round % 2 == 1) {
                assertThat(sent).isEqualTo(1);
            }
        }
    }
}
