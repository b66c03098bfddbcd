package dev.kumihimo.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.runtime.JoinHandle;
import java.time.Duration;
import java.util.AbstractCollection;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ReceiveManyTest extends ChannelFixture {
    private static Channel<Integer> holding(int capacity, int items) {
        Channel<Integer> channel = Channel.bounded(capacity);
        for (int i = 0; i < items; i++) {
            assertThat(channel.trySend(i)).isTrue();
        }
        return channel;
    }

    /** Tokio's send_recv_many_bounded_capacity. */
    @Test
    void receiveMany_takesWhatIsThere_upToTheLimit_andAppends() throws Exception {
        Channel<Integer> channel = holding(10, 7);
        List<Integer> into = new ArrayList<>(List.of(-1));
        assertThat(channel.receiveMany(into, 5)).isEqualTo(5);
        assertThat(channel.availableCapacity()).isEqualTo(8);
        assertThat(channel.receiveMany(into, 5)).isEqualTo(2);
        assertThat(into).containsExactly(-1, 0, 1, 2, 3, 4, 5, 6);
        assertThat(channel.tryReceiveMany(into, 5)).isZero();
    }

    /** Tokio's recv_many_with_non_empty_buffer_bounded_rx_closed_and_idle. */
    @Test
    void receiveMany_isZero_onlyWhenClosedAndDrained_orNothingIsWanted() throws Exception {
        Channel<Integer> channel = holding(10, 2);
        List<Integer> into = new ArrayList<>(List.of(-1));
        assertThat(channel.receiveMany(into, 0)).isZero();
        channel.close();
        assertThat(channel.receiveMany(into, 10)).isEqualTo(2);
        assertThat(channel.receiveMany(into, 10)).isZero();
        assertThat(channel.receiveMany(into, 10, Duration.ofSeconds(1))).isZero();
        assertThat(channel.receiveMany(into, 10, Duration.ZERO)).isZero();
        assertThatThrownBy(() -> channel.tryReceiveMany(into, 10)).isInstanceOf(ChannelClosedException.class);
        assertThat(channel.tryReceiveMany(into, 0)).isZero();
        assertThat(into).containsExactly(-1, 0, 1);
        assertThatThrownBy(() -> channel.receiveMany(into, -1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("max=-1");
    }

    @Test
    void receiveMany_takesMoreThanOneBatch_inOrder() throws Exception {
        Channel<Integer> channel = holding(5000, 3000);
        List<Integer> into = new ArrayList<>();
        assertThat(channel.receiveMany(into, Integer.MAX_VALUE)).isEqualTo(3000);
        assertThat(into).isEqualTo(IntStream.range(0, 3000).boxed().toList());
        assertThat(channel.availableCapacity()).isEqualTo(5000);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void receiveMany_waitsForTheFirst(boolean timed) throws Exception {
        Channel<Integer> channel = Channel.bounded(4);
        List<Integer> into = new ArrayList<>();
        JoinHandle<Integer> receiver =
                waitingAt(channel, () -> timed ? channel.receiveMany(into, 3, LONG) : channel.receiveMany(into, 3));
        channel.send(1);
        assertThat(receiver.join(LONG)).isEqualTo(1);
        assertThat(into).containsExactly(1);
    }

    @Test
    void receiveMany_isEndedByTheClose() throws Exception {
        Channel<Integer> channel = Channel.bounded(4);
        JoinHandle<Integer> receiver = waitingAt(channel, () -> channel.receiveMany(new ArrayList<>(), 3));
        channel.close();
        assertThat(receiver.join(LONG)).isZero();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("ends")
    void receiveMany_hasReceivedNothing_whenItIsEnded(String name, Ender ender) throws Exception {
        Channel<Integer> channel = Channel.bounded(4);
        List<Integer> into = new ArrayList<>();
        JoinHandle<Integer> receiver = waitingAt(channel, () -> channel.receiveMany(into, 3));
        ender.end(receiver);
        assertThatThrownBy(() -> channel.receiveMany(into, 3, Duration.ofMillis(5)))
                .isInstanceOf(TimeoutException.class);
        assertThatThrownBy(() -> channel.receiveMany(into, 3, Duration.ZERO)).isInstanceOf(TimeoutException.class);
        assertThat(into).isEmpty();
        channel.send(1);
        assertThat(channel.size()).isEqualTo(1);
    }

    @Test
    void receiveMany_servesAllSendersForWhomItMadeRoom() throws Exception {
        Channel<Integer> channel = holding(2, 2);
        List<JoinHandle<?>> senders = new ArrayList<>();
        for (int i = 2; i < 5; i++) {
            int item = i;
            senders.add(waitingAt(channel, () -> {
                channel.send(item);
                return null;
            }));
        }
        List<Integer> into = new ArrayList<>();
        assertThat(channel.receiveMany(into, 2)).isEqualTo(2);
        senders.get(0).join(LONG);
        senders.get(1).join(LONG);
        assertThat(senders.get(2).isFinished()).isFalse();
        while (into.size() < 5) {
            channel.receiveMany(into, 5);
        }
        senders.get(2).join(LONG);
        assertThat(into).containsExactly(0, 1, 2, 3, 4);
    }

    @Test
    void receiveMany_takesFromTheSendersOfARendezvous() throws Exception {
        Channel<Integer> channel = Channel.rendezvous();
        List<JoinHandle<?>> senders = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            int item = i;
            senders.add(waitingAt(channel, () -> {
                channel.send(item);
                return null;
            }));
        }
        List<Integer> into = new ArrayList<>();
        assertThat(channel.receiveMany(into, 3)).isEqualTo(3);
        assertThat(channel.receiveMany(into, 3)).isEqualTo(1);
        assertThat(into).containsExactly(0, 1, 2, 3);
        for (JoinHandle<?> sender : senders) {
            sender.join(LONG);
        }
    }

    @Test
    void aCollectionThatRefuses_losesNothing() throws Exception {
        Channel<Integer> channel = holding(8, 8);
        ArrayBlockingQueue<Integer> small = new ArrayBlockingQueue<>(3);
        assertThatThrownBy(() -> channel.receiveMany(small, 8)).isInstanceOf(IllegalStateException.class);
        assertThat(small).containsExactly(0, 1, 2);
        List<Integer> rest = new ArrayList<>();
        assertThat(channel.receiveMany(rest, 8)).isEqualTo(5);
        assertThat(rest).containsExactly(3, 4, 5, 6, 7);
        assertThat(channel.availableCapacity()).isEqualTo(8);
    }

    /** Senders have moved into the places meanwhile: more is buffered than the capacity, and nobody is let in until it fits. */
    @Test
    void whatIsPutBack_comesFirst_alsoIfSendersHaveMovedIn() throws Exception {
        Channel<Integer> channel = holding(2, 2);
        List<JoinHandle<?>> senders = new ArrayList<>();
        for (int i = 2; i < 5; i++) {
            int item = i;
            senders.add(waitingAt(channel, () -> {
                channel.send(item);
                return null;
            }));
        }
        ArrayBlockingQueue<Integer> small = new ArrayBlockingQueue<>(1);
        assertThatThrownBy(() -> channel.receiveMany(small, 2)).isInstanceOf(IllegalStateException.class);
        assertThat(small).containsExactly(0);
        assertThat(channel.size()).isEqualTo(3);
        assertThat(channel.availableCapacity()).isZero();
        assertThat(channel.trySend(9)).isFalse();
        for (int i = 1; i < 5; i++) {
            assertThat(channel.receive()).isEqualTo(i);
        }
        for (JoinHandle<?> sender : senders) {
            sender.join(LONG);
        }
        assertThat(channel.availableCapacity()).isEqualTo(2);
    }

    /** A collection that refuses all, after something was done in the middle of its add(). */
    private static <T> Collection<T> refusing(Runnable meanwhile) {
        return new AbstractCollection<>() {
            @Override
            public boolean add(T item) {
                meanwhile.run();
                throw new IllegalStateException("refused");
            }

            @Override
            public Iterator<T> iterator() {
                throw new UnsupportedOperationException();
            }

            @Override
            public int size() {
                return 0;
            }
        };
    }

    @Test
    void aClosedChannel_hasNotEnded_whileItemsMayBePutBack() throws Exception {
        Channel<Integer> channel = holding(4, 2);
        channel.close();
        List<JoinHandle<Integer>> other = new ArrayList<>();
        assertThatThrownBy(() -> channel.receiveMany(
                        refusing(() -> {
                            assertThat(channel.isDrained()).isFalse();
                            assertThat(channel.tryReceive()).isNull();
                            assertThat(channel.tryReceiveMany(new ArrayList<>(), 2))
                                    .isZero();
                            other.add(waitingAt(channel, channel::receiveOrNull));
                        }),
                        2))
                .hasMessage("refused");
        assertThat(other.get(0).join(LONG)).isZero();
        assertThat(channel.receive()).isEqualTo(1);
        assertThat(channel.isDrained()).isTrue();
    }

    @Test
    void aClosedChannel_ends_onceAllItemsWereAdded() throws Exception {
        Channel<Integer> channel = holding(4, 2);
        channel.close();
        List<JoinHandle<Integer>> others = new ArrayList<>();
        List<Integer> added = new ArrayList<>();
        channel.receiveMany(
                new AbstractList<Integer>() {
                    @Override
                    public boolean add(Integer item) {
                        added.add(item);
                        others.add(waitingAt(channel, channel::receiveOrNull));
                        others.add(waitingAt(channel, () -> channel.receiveMany(new ArrayList<>(), 9)));
                        return true;
                    }

                    @Override
                    public Integer get(int index) {
                        return added.get(index);
                    }

                    @Override
                    public int size() {
                        return added.size();
                    }
                },
                2);
        assertThat(added).containsExactly(0, 1);
        assertThat(channel.isDrained()).isTrue();
        assertThat(others.get(0).join(LONG)).isNull();
        assertThat(others.get(1).join(LONG)).isZero();
        assertThat(others.get(2).join(LONG)).isNull();
        assertThat(others.get(3).join(LONG)).isZero();
    }

    /** What a receiver that waits for a batch was given is put back for the next who waits for one. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3})
    void whatIsPutBack_goesFromOneBatchToTheNext(int capacity) throws Exception {
        Channel<Integer> channel = capacity == 0 ? Channel.rendezvous() : Channel.bounded(capacity);
        List<JoinHandle<Integer>> refusers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            refusers.add(waitingAt(channel, () -> channel.receiveMany(refusing(() -> {}), 2, LONG)));
        }
        List<Integer> into = new ArrayList<>();
        JoinHandle<Integer> last = waitingAt(channel, () -> channel.receiveMany(into, 2));
        channel.send(7);
        channel.close();
        for (JoinHandle<Integer> refuser : refusers) {
            assertThat(failure(refuser)).hasMessage("refused");
        }
        assertThat(last.join(LONG)).isEqualTo(1);
        assertThat(into).containsExactly(7);
        assertThat(channel.isDrained()).isTrue();
    }

    /** The ring keeps a place for each item that is under way, also if others send meanwhile. */
    @Test
    void whatIsPutBack_findsItsPlace_whenTheBufferIsFullAgain() throws Exception {
        Channel<Integer> channel = holding(16, 16);
        assertThatThrownBy(() -> channel.receiveMany(
                        refusing(() -> {
                            for (int i = 16; i < 32; i++) {
                                assertThat(channel.trySend(i)).isTrue();
                            }
                        }),
                        16))
                .hasMessage("refused");
        assertThat(channel.size()).isEqualTo(32);
        List<Integer> all = new ArrayList<>();
        assertThat(channel.receiveMany(all, 40)).isEqualTo(32);
        assertThat(all).isEqualTo(IntStream.range(0, 32).boxed().toList());
    }
}
