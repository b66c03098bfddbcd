package dev.kumihimo.channel;

import static dev.kumihimo.channel.BroadcastTest.awaitWaitingAt;
import static dev.kumihimo.channel.BroadcastTest.awaitWaitingInSelect;
import static dev.kumihimo.channel.BroadcastTest.whileTheCarrierIsHeld;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.support.TaskProbe;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class BackpressuredBroadcastTest {
    private TaskRuntime runtime;

    @BeforeEach
    void open() {
        runtime = TaskRuntime.builder().workerThreads(2).build();
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    private <T> JoinHandle<Integer> spawnSend(BackpressuredBroadcast<T> broadcast, T item) {
        JoinHandle<Integer> sender = runtime.spawn(() -> broadcast.send(item));
        awaitWaitingAt(sender, broadcast.waitPoint());
        return sender;
    }

    @Test
    void send_waits_whileTheSlowestReceiverIsAFullBufferBehind() throws Exception {
        BackpressuredBroadcast<Integer> broadcast = Broadcast.backpressured(3);
        assertThat(broadcast.capacity()).as("exactly").isEqualTo(3);
        var slow = broadcast.subscribe();
        var fast = broadcast.subscribe();
        for (int i = 0; i < 3; i++) {
            assertThat(broadcast.send(i)).isEqualTo(2);
        }
        assertThat(broadcast.trySend(-1)).isFalse();
        JoinHandle<Integer> sender = spawnSend(broadcast, 3);
        for (int i = 0; i < 3; i++) {
            assertThat(fast.receive()).isEqualTo(i);
        }
        assertThat(sender.isDone()).as("the fast one does not matter").isFalse();
        assertThat(fast.tryReceive()).isNull();
        assertThat(slow.receive()).isEqualTo(0);
        assertThat(sender.join()).isEqualTo(2);
        assertThat(fast.receive()).isEqualTo(3);
        for (int i = 1; i < 4; i++) {
            assertThat(slow.receive()).isEqualTo(i);
        }
        assertThat(broadcast.size()).isZero();
    }

    @Test
    void send_neverWaits_withoutReceivers() throws Exception {
        BackpressuredBroadcast<Integer> broadcast = Broadcast.backpressured(1);
        for (int i = 0; i < 10; i++) {
            assertThat(broadcast.send(i)).isZero();
        }
        assertThat(broadcast.trySend(1)).isTrue();
        assertThat(broadcast.size()).isZero();
    }

    @Test
    void closingTheSlowestReceiver_releasesSenders_asFarAsTheNextSlowestAllows() throws Exception {
        BackpressuredBroadcast<Integer> broadcast = Broadcast.backpressured(2);
        var slowest = broadcast.subscribe();
        var slower = broadcast.subscribe();
        broadcast.send(0);
        broadcast.send(1);
        assertThat(slower.receive()).isEqualTo(0);
        JoinHandle<Integer> first = spawnSend(broadcast, 2);
        JoinHandle<Integer> second = spawnSend(broadcast, 3);
        slowest.close();
        assertThat(first.join()).isEqualTo(1);
        assertThat(second.isDone()).isFalse();
        slower.close();
        assertThat(second.join()).as("nobody is left").isZero();
        assertThat(broadcast.size()).isZero();
    }

    @Test
    void aCancelledReceiver_releasesSenders_whenItsTaskClosesIt() throws Exception {
        BackpressuredBroadcast<Integer> broadcast = Broadcast.backpressured(1);
        var slow = broadcast.subscribe();
        Channel<String> never = Channel.rendezvous();
        JoinHandle<String> reader = runtime.spawn(() -> {
            try (slow) {
                return never.receive();
            }
        });
        awaitWaitingAt(reader, never.waitPoint());
        broadcast.send(1);
        JoinHandle<Integer> sender = spawnSend(broadcast, 2);
        reader.abort();
        assertThat(sender.join()).isZero();
    }

    @Test
    void senders_areServedInTheOrderOfArrival_andACancelledOneIsPassedOver() throws Exception {
        BackpressuredBroadcast<Integer> broadcast = Broadcast.backpressured(1);
        var receiver = broadcast.subscribe();
        broadcast.send(0);
        List<JoinHandle<Integer>> senders = new ArrayList<>();
        for (int i = 1; i <= 4; i++) {
            senders.add(spawnSend(broadcast, i));
        }
        senders.get(0).abort();
        assertThat(senders.get(0).result()).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(receiver.receive()).isEqualTo(0);
        assertThat(broadcast.trySend(9)).as("nobody barges in").isFalse();
        assertThat(receiver.receive()).isEqualTo(2);
        assertThat(receiver.receive()).isEqualTo(3);
        assertThat(receiver.receive()).isEqualTo(4);
        assertThat(receiver.tryReceive()).isNull();
        for (int i = 1; i < 4; i++) {
            assertThat(senders.get(i).join()).isEqualTo(1);
        }
    }

    @Test
    void aSendThatGaveUpButHasNotResumed_isNotAdmitted_andTheOneBehindItIs() throws Exception {
        try (var single = TaskRuntime.builder().workerThreads(1).build()) {
            BackpressuredBroadcast<Integer> broadcast = Broadcast.backpressured(1);
            var receiver = broadcast.subscribe();
            broadcast.send(0);
            JoinHandle<Integer> aborted = single.spawn(() -> broadcast.send(1));
            awaitWaitingAt(aborted, broadcast.waitPoint());
            JoinHandle<Integer> behind = spawnSend(broadcast, 2);
            whileTheCarrierIsHeld(single, () -> {
                aborted.abort();
                assertThat(receiver.tryReceive()).isEqualTo(0);
            });
            assertThat(aborted.result()).isInstanceOf(JoinResult.Cancelled.class);
            assertThat(behind.join()).isEqualTo(1);
            assertThat(receiver.tryReceive()).isEqualTo(2);
            assertThat(receiver.tryReceive()).isNull();
        }
    }

    @Test
    void send_hasNoEffect_whenItTimesOut_isAborted_orInterrupted() throws Exception {
        BackpressuredBroadcast<Integer> broadcast = Broadcast.backpressured(1);
        var receiver = broadcast.subscribe();
        assertThat(broadcast.send(1, Duration.ZERO)).isEqualTo(1);
        assertThatThrownBy(() -> broadcast.send(2, Duration.ofMillis(5))).isInstanceOf(TimeoutException.class);
        assertThatThrownBy(() -> broadcast.send(2, Duration.ZERO)).isInstanceOf(TimeoutException.class);
        JoinHandle<Integer> aborted = spawnSend(broadcast, 3);
        aborted.abort();
        assertThat(aborted.result()).isInstanceOf(JoinResult.Cancelled.class);
        TaskProbe<Integer> interrupted =
                TaskProbe.spawn(runtime, () -> broadcast.send(4)).untilParked();
        interrupted.thread().interrupt();
        assertThat(((JoinResult.Failure<?>) interrupted.handle().result()).exception())
                .isInstanceOf(InterruptedException.class);
        JoinHandle<Integer> timed = runtime.spawn(() -> broadcast.send(5, Duration.ofSeconds(30)));
        awaitWaitingAt(timed, broadcast.waitPoint());
        assertThat(receiver.receive()).isEqualTo(1);
        assertThat(timed.join()).isEqualTo(1);
        assertThat(receiver.receive()).isEqualTo(5);
        assertThat(receiver.tryReceive()).isNull();
    }

    @Test
    void close_refusesSendersThatWait_andLetsReceiversReadTheRest() throws Exception {
        BackpressuredBroadcast<Integer> broadcast = Broadcast.backpressured(1);
        var receiver = broadcast.subscribe();
        broadcast.send(1);
        JoinHandle<Integer> sender = spawnSend(broadcast, 2);
        broadcast.close();
        assertThat(((JoinResult.Failure<?>) sender.result()).exception()).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(() -> broadcast.send(3)).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(() -> broadcast.send(3, Duration.ZERO)).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(() -> broadcast.trySend(3)).isInstanceOf(ChannelClosedException.class);
        assertThat(receiver.receive()).isEqualTo(1);
        assertThat(receiver.receiveOrNull()).isNull();
    }

    @Test
    void select_sends_onceThereIsRoom_andNotIfAnotherBranchWins() throws Exception {
        BackpressuredBroadcast<Integer> broadcast = Broadcast.backpressured(1);
        Channel<String> other = Channel.bounded(1);
        var receiver = broadcast.subscribe();
        broadcast.send(1);
        JoinHandle<String> loses = runtime.spawn(() -> Select.<String>of()
                .onSend(broadcast, 2, () -> "sent")
                .on(other, s -> s)
                .await());
        awaitWaitingInSelect(loses);
        other.send("other");
        assertThat(loses.join()).isEqualTo("other");
        JoinHandle<String> wins = runtime.spawn(() -> Select.<String>of()
                .onSend(broadcast, 3, () -> "sent")
                .on(other, s -> s)
                .await());
        awaitWaitingInSelect(wins);
        assertThat(receiver.receive()).isEqualTo(1);
        assertThat(wins.join()).isEqualTo("sent");
        assertThat(receiver.receive()).isEqualTo(3);
        assertThat(receiver.tryReceive()).isNull();
    }

    @Test
    void select_thatSendsAndReceivesOnOneBroadcast_doesOneOfThem() throws Exception {
        BackpressuredBroadcast<Integer> broadcast = Broadcast.backpressured(1);
        var slow = broadcast.subscribe();
        var own = broadcast.subscribe();
        broadcast.send(1);
        assertThat(own.receive()).isEqualTo(1);
        JoinHandle<String> select = runtime.spawn(() -> Select.<String>of()
                .onSend(broadcast, 2, () -> "sent")
                .on(own, item -> "received " + item)
                .await());
        awaitWaitingInSelect(select);
        assertThat(slow.receive()).isEqualTo(1);
        assertThat(select.join()).isEqualTo("sent");
        assertThat(own.receive())
                .as("its own item, which the select did not receive")
                .isEqualTo(2);
        assertThat(slow.receive()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 16, 100})
    void allReceivers_getAllItemsInOneOrder_fromManySenders(int capacity) throws Exception {
        BackpressuredBroadcast<Integer> broadcast = Broadcast.backpressured(capacity);
        int senders = 4;
        int each = 2_000;
        List<JoinHandle<List<Integer>>> receiving = new ArrayList<>();
        for (int r = 0; r < 3; r++) {
            var receiver = broadcast.subscribe();
            receiving.add(runtime.spawn(() -> {
                List<Integer> mine = new ArrayList<>();
                for (Integer item; (item = receiver.receiveOrNull()) != null; ) {
                    mine.add(item);
                }
                return mine;
            }));
        }
        List<JoinHandle<?>> sending = new ArrayList<>();
        for (int s = 0; s < senders; s++) {
            int from = s * each;
            sending.add(runtime.spawn(() -> {
                for (int i = from; i < from + each; i++) {
                    broadcast.send(i);
                }
            }));
        }
        for (JoinHandle<?> sender : sending) {
            sender.join();
        }
        broadcast.close();
        List<Integer> first = receiving.get(0).join();
        assertThat(first)
                .containsExactlyInAnyOrderElementsOf(
                        IntStream.range(0, senders * each).boxed().toList());
        assertThat(receiving.get(1).join()).isEqualTo(first);
        assertThat(receiving.get(2).join()).isEqualTo(first);
        assertThat(broadcast.size()).isZero();
    }

    @Test
    void receiversThatComeAndGo_neverLeaveASenderWaiting() throws Exception {
        BackpressuredBroadcast<Integer> broadcast = Broadcast.backpressured(2);
        JoinHandle<?> sender = runtime.spawn(() -> {
            for (int i = 0; i < 20_000; i++) {
                broadcast.send(i);
            }
            broadcast.close();
        });
        List<JoinHandle<?>> readers = new ArrayList<>();
        for (int r = 0; r < 4; r++) {
            int before = r + 1;
            readers.add(runtime.spawn(() -> {
                while (!broadcast.isClosed()) {
                    try (var receiver = broadcast.subscribe()) {
                        Integer previous = null;
                        for (int n = 0; n < before; n++) {
                            Integer item = receiver.receiveOrNull();
                            if (item == null) {
                                break;
                            }
                            assertThat(previous == null || item == previous + 1).isTrue();
                            previous = item;
                        }
                    }
                }
            }));
        }
        sender.join(Duration.ofSeconds(50));
        for (JoinHandle<?> reader : readers) {
            reader.join(Duration.ofSeconds(5));
        }
        assertThat(broadcast.receiverCount()).isZero();
    }
}
