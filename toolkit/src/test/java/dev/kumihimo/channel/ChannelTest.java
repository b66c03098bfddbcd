package dev.kumihimo.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ChannelTest {
    private TaskRuntime runtime;

    @BeforeEach
    void open() {
        runtime = TaskRuntime.builder().workerThreads(2).build();
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    /** Waits until a task waits at the channel: only then is it parked there. */
    private static void awaitWaitingAt(JoinHandle<?> task, Channel<?> channel) {
        await().until(() -> {
            var open = ((dev.kumihimo.internal.wait.Waiter) task).openWait();
            return open != null && open.point == channel.waitPoint();
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 16, 1000})
    void items_arriveOnceAndInOrder_fromOneSenderToOneReceiver(int capacity) throws Exception {
        Channel<Integer> channel = capacity == 0 ? Channel.rendezvous() : Channel.bounded(capacity);
        int n = 20_000;
        runtime.spawn(() -> {
            for (int i = 0; i < n; i++) {
                channel.send(i);
            }
            channel.close();
        });
        List<Integer> received = runtime.blockOn(() -> {
            List<Integer> all = new ArrayList<>();
            for (Integer item; (item = channel.receiveOrNull()) != null; ) {
                all.add(item);
            }
            return all;
        });
        assertThat(received).isEqualTo(IntStream.range(0, n).boxed().toList());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 16})
    void items_arriveOnce_fromManySendersToManyReceivers(int capacity) throws Exception {
        Channel<Integer> channel = capacity == 0 ? Channel.rendezvous() : Channel.bounded(capacity);
        int senders = 8;
        int each = 2_000;
        List<JoinHandle<?>> sending = new ArrayList<>();
        for (int s = 0; s < senders; s++) {
            int from = s * each;
            sending.add(runtime.spawn(() -> {
                for (int i = from; i < from + each; i++) {
                    channel.send(i);
                }
            }));
        }
        List<JoinHandle<List<Integer>>> receiving = new ArrayList<>();
        for (int r = 0; r < 4; r++) {
            receiving.add(runtime.spawn(() -> {
                List<Integer> mine = new ArrayList<>();
                for (Integer item; (item = channel.receiveOrNull()) != null; ) {
                    mine.add(item);
                }
                return mine;
            }));
        }
        for (JoinHandle<?> sender : sending) {
            sender.join();
        }
        channel.close();
        List<Integer> all = new ArrayList<>();
        for (JoinHandle<List<Integer>> receiver : receiving) {
            all.addAll(receiver.join());
        }
        assertThat(all).hasSize(senders * each).doesNotHaveDuplicates();
    }

    @Test
    void unbounded_neverMakesASenderWait_andGrows() throws Exception {
        Channel<Integer> channel = Channel.unbounded();
        for (int i = 0; i < 10_000; i++) {
            assertThat(channel.trySend(i)).isTrue();
        }
        for (int i = 0; i < 10_000; i++) {
            assertThat(channel.receive()).isEqualTo(i);
        }
    }

    @Test
    void trySend_isFalse_whenFull_andTryReceiveIsNull_whenEmpty() {
        Channel<String> channel = Channel.bounded(1);
        assertThat(channel.tryReceive()).isNull();
        assertThat(channel.trySend("a")).isTrue();
        assertThat(channel.trySend("b")).isFalse();
        assertThat(channel.size()).isEqualTo(1);
        assertThat(channel.tryReceive()).isEqualTo("a");
    }

    @Test
    void rendezvous_trySend_succeedsOnlyIfSomebodyReceives() throws Exception {
        Channel<String> channel = Channel.rendezvous();
        assertThat(channel.trySend("nobody")).isFalse();
        JoinHandle<String> receiver = runtime.spawn(() -> channel.receive());
        awaitWaitingAt(receiver, channel);
        assertThat(channel.trySend("somebody")).isTrue();
        assertThat(receiver.join()).isEqualTo("somebody");
    }

    @Test
    void boundedWaits_timeOut_andHaveNoEffect() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        assertThatThrownBy(() -> channel.receive(Duration.ofMillis(5))).isInstanceOf(TimeoutException.class);
        channel.send("kept");
        assertThatThrownBy(() -> channel.send("lost", Duration.ofMillis(5))).isInstanceOf(TimeoutException.class);
        assertThat(channel.receive(Duration.ofSeconds(5))).isEqualTo("kept");
        assertThat(channel.tryReceive()).isNull();
        JoinHandle<?> inTask = runtime.spawn(() -> channel.receive(Duration.ofMillis(5)));
        assertThat(inTask.result()).isInstanceOf(JoinResult.Failure.class);
    }

    @Test
    void close_letsReceiversDrain_thenEndsThem_andRefusesSenders() throws Exception {
        Channel<String> channel = Channel.bounded(2);
        channel.send("a");
        channel.close();
        assertThatThrownBy(() -> channel.send("b")).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(() -> channel.trySend("b")).isInstanceOf(ChannelClosedException.class);
        assertThat(channel.receive()).isEqualTo("a");
        assertThat(channel.receiveOrNull()).isNull();
        assertThatThrownBy(channel::receive).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(channel::tryReceive).isInstanceOf(ChannelClosedException.class);
    }

    @Test
    void close_endsThoseWhoWait() throws Exception {
        Channel<String> full = Channel.bounded(1);
        full.send("a");
        JoinHandle<?> sender = runtime.spawn(() -> full.send("b"));
        Channel<String> empty = Channel.bounded(1);
        JoinHandle<String> receiver = runtime.spawn(() -> empty.receive());
        awaitWaitingAt(sender, full);
        awaitWaitingAt(receiver, empty);
        full.close();
        empty.close();
        assertThat(((JoinResult.Failure<?>) sender.result()).exception()).isInstanceOf(ChannelClosedException.class);
        assertThat(((JoinResult.Failure<?>) receiver.result()).exception()).isInstanceOf(ChannelClosedException.class);
        assertThat(full.receive()).isEqualTo("a");
        assertThat(full.receiveOrNull()).isNull();
    }

    @Test
    void receivers_areServedInTheOrderOfArrival_andACancelledHeadIsPassedOver() throws Exception {
        Channel<Integer> channel = Channel.bounded(4);
        List<JoinHandle<Integer>> receivers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            JoinHandle<Integer> receiver = runtime.spawn(() -> channel.receive());
            awaitWaitingAt(receiver, channel);
            receivers.add(receiver);
        }
        receivers.get(0).abort();
        assertThat(receivers.get(0).result()).isInstanceOf(JoinResult.Cancelled.class);
        for (int i = 1; i < 4; i++) {
            channel.send(i);
        }
        for (int i = 1; i < 4; i++) {
            assertThat(receivers.get(i).join()).isEqualTo(i);
        }
    }

    @Test
    void aSendThatIsCancelled_hasNotSent() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        channel.send("a");
        AtomicReference<Throwable> seen = new AtomicReference<>();
        JoinHandle<?> sender = runtime.spawn(() -> {
            try {
                channel.send("cancelled");
            } catch (TaskCancelledException e) {
                seen.set(e);
                throw e;
            }
        });
        awaitWaitingAt(sender, channel);
        sender.abort();
        assertThat(sender.result()).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(seen.get()).isInstanceOf(TaskCancelledException.class);
        assertThat(channel.receive()).isEqualTo("a");
        assertThat(channel.tryReceive()).isNull();
    }

    @Test
    void aLoopOverAReadyChannel_letsOthersRun_andObeysCancellation() throws Exception {
        try (var single = TaskRuntime.builder().workerThreads(1).build()) {
            Channel<Integer> channel = Channel.bounded(1);
            JoinHandle<?> hog = single.spawn(() -> {
                while (true) {
                    channel.send(1);
                    channel.receive();
                }
            });
            assertThat(single.spawn(() -> "ran").join(Duration.ofSeconds(10))).isEqualTo("ran");
            hog.abort();
            assertThat(hog.result(Duration.ofSeconds(10))).isInstanceOf(JoinResult.Cancelled.class);
        }
    }

    @Test
    void platformThreadsAndTasks_meetInAChannel() throws Exception {
        Channel<Integer> there = Channel.bounded(1);
        Channel<Integer> back = Channel.bounded(1);
        runtime.spawn(() -> {
            for (int i = 0; i < 500; i++) {
                back.send(there.receive() + 1);
            }
        });
        for (int i = 0; i < 500; i++) {
            there.send(i);
            assertThat(back.receive()).isEqualTo(i + 1);
        }
    }

    @Test
    void badCapacity_isNamed() {
        assertThatThrownBy(() -> Channel.bounded(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("capacity=0")
                .hasMessageContaining("at least 1");
        assertThatThrownBy(() -> Channel.bounded(1).trySend(null)).isInstanceOf(NullPointerException.class);
        assertThat(Task.currentOrNull()).isNull();
    }
}
