package dev.kumihimo.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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

/** Closing with a cause, waiting for the close, and loops that end with it. */
@Timeout(60)
class ChannelEndTest extends ChannelFixture {
    @Test
    void closeWithACause_isToldToSendersAtOnce_andToReceiversAfterWhatIsBuffered() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        IOException cause = new IOException("disk full");
        channel.send("a");
        JoinHandle<?> sends = waitingAt(channel, () -> {
            channel.send("b");
            return null;
        });
        JoinHandle<?> reserves = waitingAt(channel, () -> channel.reserve());
        channel.close(cause);
        channel.close(new IOException("second"));
        channel.close();
        assertThat(failure(sends)).isInstanceOf(ChannelClosedException.class).hasCause(cause);
        assertThat(failure(reserves)).isInstanceOf(ChannelClosedException.class).hasCause(cause);
        assertThatThrownBy(() -> channel.send("c")).hasCause(cause);
        assertThatThrownBy(() -> channel.trySend("c")).hasCause(cause);
        assertThatThrownBy(channel::reserve).hasCause(cause);
        assertThat(channel.receive()).isEqualTo("a");
        assertThatThrownBy(channel::receive)
                .isInstanceOf(ChannelClosedException.class)
                .hasCause(cause);
        assertThatThrownBy(channel::tryReceive).hasCause(cause);
        assertThatThrownBy(() -> channel.receive(LONG)).hasCause(cause);
        assertThatThrownBy(() ->
                        Select.<String>of().onReceive(channel, item -> item).await())
                .hasCause(cause);
        assertThatThrownBy(() ->
                        Select.<String>of().onSend(channel, "c", () -> "sent").await())
                .hasCause(cause);
    }

    @Test
    void loops_endNormallyOnAPlainClose_butThrowTheCauseOfAnother() throws Exception {
        Channel<String> plain = Channel.bounded(1);
        JoinHandle<String> plainly = waitingAt(plain, () -> plain.receiveOrNull());
        plain.close();
        assertThat(plainly.join(LONG)).isNull();
        assertThat(plain.receiveMany(new ArrayList<>(), 5)).isZero();

        Channel<String> failed = Channel.bounded(1);
        IOException cause = new IOException("disk full");
        JoinHandle<?> loop = waitingAt(failed, () -> {
            failed.forEach(item -> {});
            return null;
        });
        failed.close(cause);
        assertThat(failure(loop)).isInstanceOf(ChannelClosedException.class).hasCause(cause);
        assertThatThrownBy(failed::receiveOrNull).hasCause(cause);
        assertThatThrownBy(() -> failed.receiveMany(new ArrayList<>(), 5)).hasCause(cause);
    }

    @Test
    void aSenderThatFails_tellsTheReceivers() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        Sender<String> sender = channel.sender();
        Sender<String> other = channel.sender();
        IOException cause = new IOException("connection lost");
        sender.fail(cause);
        assertThat(channel.senderCount()).isEqualTo(1);
        assertThatThrownBy(channel::receiveOrNull).hasCause(cause);
        assertThatThrownBy(() -> other.send("x")).hasCause(cause);
        other.close();
    }

    @Test
    void forEach_handlesAllItems_andStopsAtTheHandlersException() throws Exception {
        Channel<Integer> channel = Channel.bounded(8);
        for (int i = 0; i < 5; i++) {
            channel.send(i);
        }
        channel.close();
        List<Integer> handled = new ArrayList<>();
        assertThatThrownBy(() -> channel.forEach(item -> {
                    handled.add(item);
                    if (item == 2) {
                        throw new IOException("at " + item);
                    }
                }))
                .isInstanceOf(IOException.class)
                .hasMessage("at 2");
        channel.forEach(handled::add);
        assertThat(handled).containsExactly(0, 1, 2, 3, 4);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("ends")
    void forEach_endsWithItsTask_andLeavesNoWaiter(String name, Ender ender) throws Exception {
        Channel<Integer> channel = Channel.bounded(1);
        JoinHandle<?> loop = waitingAt(channel, () -> {
            channel.forEach(item -> {});
            return null;
        });
        ender.end(loop);
        assertThat(channel.trySend(1)).isTrue();
        assertThat(channel.tryReceive()).isEqualTo(1);
    }

    /* ---------------- awaitClosed -------------- */

    @Test
    void awaitClosed_returns_whenClosed_andAtOnceAfter() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        JoinHandle<?> first = waitingAt(channel, () -> {
            channel.awaitClosed();
            return null;
        });
        JoinHandle<?> second = waitingAt(channel, () -> {
            channel.awaitClosed(LONG);
            return null;
        });
        channel.send("does not wake them");
        assertThat(first.isFinished()).isFalse();
        channel.close();
        first.join(LONG);
        second.join(LONG);
        channel.awaitClosed();
        channel.awaitClosed(Duration.ZERO);
        assertThat(channel.size()).isEqualTo(1);
    }

    @Test
    void awaitClosed_returns_whenThereAreNoReceiversAnyMore() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        Sender<String> sender = channel.sender();
        Receiver<String> receiver = channel.receiver();
        JoinHandle<?> waits = waitingAt(channel, () -> {
            sender.awaitClosed();
            return null;
        });
        receiver.close();
        waits.join(LONG);
        sender.awaitClosed(Duration.ZERO);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("ends")
    void awaitClosed_canBeEnded_andTimesOut(String name, Ender ender) throws Exception {
        Channel<String> channel = Channel.bounded(1);
        JoinHandle<?> waits = waitingAt(channel, () -> {
            channel.awaitClosed();
            return null;
        });
        ender.end(waits);
        assertThatThrownBy(() -> channel.awaitClosed(Duration.ofMillis(5))).isInstanceOf(TimeoutException.class);
        assertThatThrownBy(() -> channel.awaitClosed(Duration.ZERO)).isInstanceOf(TimeoutException.class);
        channel.close();
    }
}
