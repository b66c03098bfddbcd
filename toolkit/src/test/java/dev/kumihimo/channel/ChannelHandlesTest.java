package dev.kumihimo.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.select.Select;
import dev.kumihimo.support.Observe;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ChannelHandlesTest extends ChannelFixture {
    @Test
    void theLastSenderClosed_closesTheChannel_andReceiversDrainIt() throws Exception {
        Channel<String> channel = Channel.bounded(4);
        Sender<String> first = channel.sender();
        Sender<String> second = first.copy();
        assertThat(channel.senderCount()).isEqualTo(2);
        first.send("a");
        first.close();
        first.close();
        assertThat(channel.senderCount()).isEqualTo(1);
        assertThat(channel.isClosed()).isFalse();
        assertThat(second.trySend("b")).isTrue();
        second.close();
        assertThat(channel.isClosed()).isTrue();
        assertThat(channel.receive()).isEqualTo("a");
        assertThat(channel.receive()).isEqualTo("b");
        assertThat(channel.receiveOrNull()).isNull();
        assertThatThrownBy(() -> channel.send("c")).isInstanceOf(ChannelClosedException.class);
    }

    @Test
    void theLastSenderClosed_endsAReceiverThatWaits() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        Sender<String> sender = channel.sender();
        JoinHandle<String> receiver = waitingAt(channel, () -> channel.receiveOrNull());
        sender.close();
        assertThat(receiver.join(LONG)).isNull();
    }

    /** Tokio's dropping_rx_closes_channel. */
    @Test
    void theLastReceiverClosed_failsSenders_thoseThatWaitIncluded() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        Receiver<String> first = channel.receiver();
        Receiver<String> second = first.copy();
        Sender<String> sender = channel.sender();
        sender.send("dropped");
        JoinHandle<?> sends = waitingAt(channel, () -> {
            sender.send("refused");
            return null;
        });
        JoinHandle<?> reserves = waitingAt(channel, () -> sender.reserve());
        first.close();
        assertThat(channel.isClosed()).isFalse();
        second.close();
        assertThat(failure(sends)).isInstanceOf(ChannelClosedException.class);
        assertThat(failure(reserves)).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(() -> sender.send("x")).isInstanceOf(ChannelClosedException.class);
        assertThat(sender.isClosed()).isTrue();
        assertThat(channel.size()).isZero();
        assertThatThrownBy(channel::receive).isInstanceOf(ChannelClosedException.class);
    }

    /** Tokio's unconsumed_messages_are_dropped. */
    @Test
    void theLastReceiverClosed_letsGoOfWhatIsBuffered_alsoIfItWasClosedBefore() throws Exception {
        for (boolean closedBefore : new boolean[] {false, true}) {
            Channel<Object> channel = Channel.bounded(4);
            Receiver<Object> receiver = channel.receiver();
            Permit<Object> permit = channel.reserve();
            WeakReference<Object> buffered = sendOne(channel);
            if (closedBefore) {
                channel.close();
            }
            receiver.close();
            permit.send(new Object());
            assertThat(channel.size()).as("what a permit sends is dropped too").isZero();
            assertThat(channel.isDrained()).isTrue();
            Observe.until("the item is garbage", () -> {
                System.gc();
                return buffered.refersTo(null);
            });
        }
    }

    private static WeakReference<Object> sendOne(Channel<Object> channel) throws InterruptedException {
        Object item = new Object();
        channel.send(item);
        return new WeakReference<>(item);
    }

    @Test
    void theLastReceiverClosed_endsThoseWhoReceiveWithoutAHandle() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        Permit<String> permit = channel.reserve();
        Receiver<String> receiver = channel.receiver();
        JoinHandle<String> direct = waitingAt(channel, () -> channel.receiveOrNull());
        receiver.close();
        assertThat(direct.join(LONG)).isNull();
        permit.close();
    }

    @Test
    void aClosedHandle_saysSo() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        Sender<String> open = channel.sender();
        Sender<String> sender = channel.sender();
        sender.close();
        assertThatThrownBy(() -> sender.send("x"))
                .isInstanceOf(IllegalStateException.class)
                .isNotInstanceOf(ChannelClosedException.class)
                .hasMessageContaining("this sender is closed");
        assertThatThrownBy(() -> sender.trySend("x")).hasMessageContaining("this sender is closed");
        assertThatThrownBy(() -> sender.send("x", LONG)).hasMessageContaining("this sender is closed");
        assertThatThrownBy(sender::reserve).hasMessageContaining("this sender is closed");
        assertThatThrownBy(sender::copy).hasMessageContaining("this sender is closed");
        assertThatThrownBy(() -> sender.sending("x")).hasMessageContaining("this sender is closed");
        assertThat(sender.toString()).contains("closed, of channel 0/1");
        Receiver<String> receiver = channel.receiver();
        try (Receiver<String> another = receiver.copy()) {
            receiver.close();
            assertThat(another.isClosed()).isFalse();
            assertThatThrownBy(receiver::receive)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("this receiver is closed");
            assertThatThrownBy(receiver::tryReceive).hasMessageContaining("this receiver is closed");
            assertThatThrownBy(receiver::receiveOrNull).hasMessageContaining("this receiver is closed");
            assertThatThrownBy(receiver::clause).hasMessageContaining("this receiver is closed");
            assertThatThrownBy(receiver::copy).hasMessageContaining("this receiver is closed");
            open.send("open");
            assertThat(another.receive()).isEqualTo("open");
        }
    }

    @Test
    void handles_knowTheirChannel() {
        Channel<String> channel = Channel.bounded(1);
        try (Sender<String> sender = channel.sender();
                Sender<String> copy = sender.copy();
                Sender<String> other = Channel.<String>bounded(1).sender();
                Receiver<String> receiver = channel.receiver();
                Receiver<String> another = channel.receiver()) {
            assertThat(sender.isSameChannel(copy)).isTrue();
            assertThat(sender.isSameChannel(other)).isFalse();
            assertThat(receiver.isSameChannel(another)).isTrue();
            assertThat(channel.receiverCount()).isEqualTo(2);
        }
    }

    @Test
    void aChannelWithoutHandles_isClosedByNothingButClose() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        channel.receiver();
        channel.send("a");
        assertThat(channel.senderCount()).isZero();
        assertThat(channel.isClosed()).isFalse();
    }

    /* ---------------- Weak ones -------------- */

    @Test
    void aWeakSender_doesNotKeepTheChannelOpen_andGivesASenderWhileOneIs() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        Sender<String> sender = channel.sender();
        WeakSender<String> weak = sender.downgrade();
        try (Sender<String> upgraded = weak.upgrade()) {
            assertThat(upgraded).isNotNull();
            sender.close();
            assertThat(channel.isClosed()).as("the upgraded one counts").isFalse();
            upgraded.send("a");
        }
        assertThat(channel.isClosed()).isTrue();
        assertThat(weak.upgrade()).isNull();
    }

    /** Tokio's downgrade_get_permit_upgrade_no_senders, with permits that are no handles. */
    @Test
    void aWeakSender_givesNone_whenOnlyPermitsRemain() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        Sender<String> sender = channel.sender();
        WeakSender<String> weak = sender.downgrade();
        try (Permit<String> permit = sender.reserve()) {
            sender.close();
            assertThat(weak.upgrade()).isNull();
            permit.send("still");
        }
        assertThat(channel.receive()).isEqualTo("still");
    }

    @Test
    void aWeakReceiver_doesNotCount_andGivesAReceiverWhileOneIs() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        Receiver<String> receiver = channel.receiver();
        WeakReceiver<String> weak = receiver.downgrade();
        try (Receiver<String> upgraded = weak.upgrade()) {
            assertThat(upgraded).isNotNull();
            receiver.close();
            assertThat(channel.isClosed()).isFalse();
        }
        assertThat(channel.isClosed()).isTrue();
        assertThat(weak.upgrade()).isNull();
    }

    /* ---------------- Selecting, and many at once -------------- */

    @Test
    void handles_areSelectable() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        try (Sender<String> sender = channel.sender();
                Receiver<String> receiver = channel.receiver()) {
            assertThat(Select.<String>of().onSend(sender, "a", () -> "sent").await())
                    .isEqualTo("sent");
            assertThat(Select.<String>of().onReceive(receiver, item -> item).await())
                    .isEqualTo("a");
            JoinHandle<String> closed = waiting(() -> Select.<String>of()
                    .onReceive(receiver, item -> item)
                    .on(sender.closed(), () -> "closed")
                    .biased()
                    .await());
            sender.send("b");
            assertThat(closed.join(LONG)).isEqualTo("b");
            JoinHandle<String> next = waiting(() ->
                    Select.<String>of().on(sender.closed(), () -> "closed").await());
            receiver.close();
            assertThat(next.join(LONG)).isEqualTo("closed");
        }
    }

    @Test
    void everyItemArrives_andTheEndComesOnce_whenSendersLeaveOneByOne() throws Exception {
        Channel<Integer> channel = Channel.bounded(2);
        List<JoinHandle<?>> senders = new ArrayList<>();
        try (Sender<Integer> sender = channel.sender()) {
            for (int s = 0; s < 20; s++) {
                Sender<Integer> own = sender.copy();
                int count = s * 10;
                senders.add(runtime.spawn(() -> {
                    try (own) {
                        for (int i = 0; i < count; i++) {
                            own.send(i);
                        }
                    }
                }));
            }
        }
        List<Integer> received = new ArrayList<>();
        channel.forEach(received::add);
        assertThat(received).hasSize(1900);
        for (JoinHandle<?> sender : senders) {
            sender.join(LONG);
        }
    }
}
