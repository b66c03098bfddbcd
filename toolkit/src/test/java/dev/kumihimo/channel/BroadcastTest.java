package dev.kumihimo.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.support.Observe;
import dev.kumihimo.support.TaskProbe;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class BroadcastTest {
    private TaskRuntime runtime;

    @BeforeEach
    void open() {
        runtime = TaskRuntime.builder().workerThreads(2).build();
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    /** Waits until a task waits at the point: only then is it parked there. */
    static void awaitWaitingAt(JoinHandle<?> task, WaitPoint point) {
        await().until(() -> {
            var open = ((Waiter) task).openWait();
            return open != null && open.point == point;
        });
    }

    static void assertNoWaiterIsLeft(WaitPoint point) {
        SubscriptionPoint subscribed = (SubscriptionPoint) point;
        for (var s = subscribed.firstListed(); s != null; s = s.after) {
            assertThat(s.waiters.isEmpty()).isTrue();
        }
    }

    private static void assertLagged(Broadcast.Receiver<?> receiver, long missed) {
        assertThatThrownBy(receiver::tryReceive)
                .isInstanceOfSatisfying(
                        LaggedException.class, e -> assertThat(e.missed()).isEqualTo(missed));
    }

    private static void assertAtItsEnd(Broadcast.Receiver<?> receiver) throws InterruptedException {
        assertThat(receiver.receiveOrNull()).isNull();
        assertThatThrownBy(receiver::receive).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(receiver::tryReceive).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(() -> receiver.receive(Duration.ZERO)).isInstanceOf(ChannelClosedException.class);
    }

    /* ---------------- SY-19: sending -------------- */

    @Test
    void send_reachesEachReceiver_andReturnsHowMany() throws Exception {
        Broadcast<String> broadcast = Broadcast.create(4);
        var first = broadcast.subscribe();
        assertThat(broadcast.send("a")).isEqualTo(1);
        var second = broadcast.subscribe();
        assertThat(broadcast.send("b")).isEqualTo(2);
        assertThat(first.receive()).isEqualTo("a");
        assertThat(first.receive()).isEqualTo("b");
        assertThat(second.receive()).as("sees only what is sent after it").isEqualTo("b");
        assertThat(first.tryReceive()).isNull();
        assertThat(second.tryReceive()).isNull();
    }

    @Test
    void send_isNoErrorAndKeepsNothing_withoutReceivers() {
        Broadcast<String> broadcast = Broadcast.create(4);
        assertThat(broadcast.send("nobody")).isZero();
        assertThat(broadcast.size()).isZero();
        var receiver = broadcast.subscribe();
        assertThat(receiver.tryReceive()).isNull();
        receiver.close();
        assertThat(broadcast.send("nobody again")).isZero();
    }

    @ParameterizedTest
    @CsvSource({"1,1", "2,2", "3,4", "4,4", "5,8", "1000,1024", "1073741824,1073741824"})
    void capacity_isRoundedUpToAPowerOfTwo(int asked, int given) {
        assertThat(Broadcast.create(asked).capacity()).isEqualTo(given);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, (1 << 30) + 1, Integer.MAX_VALUE})
    void badCapacity_isNamed(int capacity) {
        assertThatThrownBy(() -> Broadcast.create(capacity))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("capacity=" + capacity + " must be 1 to 1073741824");
        assertThatThrownBy(() -> Broadcast.backpressured(capacity)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Broadcast.create(1).send(null)).isInstanceOf(NullPointerException.class);
    }

    /* ---------------- SY-20: lag, and the end -------------- */

    @Test
    void lag_usesThePowerOfTwoBufferLength() throws Exception {
        Broadcast<Integer> broadcast = Broadcast.create(3); // 4
        var receiver = broadcast.subscribe();
        IntStream.rangeClosed(1, 4).forEach(broadcast::send);
        assertThat(receiver.receive()).as("none is overwritten yet").isEqualTo(1);
        IntStream.rangeClosed(5, 7).forEach(broadcast::send);
        assertLagged(receiver, 2);
        assertThat(IntStream.range(0, 4).mapToObj(i -> receiver.tryReceive())).containsExactly(4, 5, 6, 7);
        assertThat(receiver.tryReceive()).isNull();
    }

    @ParameterizedTest
    @CsvSource({"1,1", "1,5", "2,1", "2,2", "2,3", "4,1", "4,9", "32,1", "32,100"})
    void aLaggingReceiver_recoversAfterAWrap(int capacity, int missed) throws Exception {
        Broadcast<Integer> broadcast = Broadcast.create(capacity);
        var slow = broadcast.subscribe();
        var fast = broadcast.subscribe();
        for (int i = 0; i < capacity + missed; i++) {
            broadcast.send(i);
            assertThat(fast.receive()).isEqualTo(i);
        }
        assertLagged(slow, missed);
        for (int i = missed; i < missed + capacity; i++) {
            assertThat(slow.receive()).isEqualTo(i);
        }
        assertThat(slow.tryReceive()).isNull();
        broadcast.send(-1);
        assertThat(slow.receive()).isEqualTo(-1);
        assertThat(fast.receive()).isEqualTo(-1);
    }

    @Test
    void lag_isOfEachReceiver_andMayComeAgainBeforeItReads() {
        Broadcast<Integer> broadcast = Broadcast.create(2);
        var receiver = broadcast.subscribe();
        IntStream.rangeClosed(1, 3).forEach(broadcast::send);
        assertLagged(receiver, 1);
        var other = broadcast.subscribe();
        broadcast.send(4);
        assertLagged(receiver, 1);
        assertThat(receiver.tryReceive()).isEqualTo(3);
        assertThat(other.tryReceive()).isEqualTo(4);
        assertThat(receiver.tryReceive()).isEqualTo(4);
    }

    @Test
    void lag_isThrownByEachFormOfReceive() {
        for (int form = 0; form < 4; form++) {
            Broadcast<Integer> broadcast = Broadcast.create(1);
            var receiver = broadcast.subscribe();
            broadcast.send(1);
            broadcast.send(2);
            int which = form;
            assertThatThrownBy(() -> {
                        switch (which) {
                            case 0 -> receiver.receive();
                            case 1 -> receiver.receiveOrNull();
                            case 2 -> receiver.receive(Duration.ofSeconds(1));
                            default ->
                                Select.<Integer>of().on(receiver, item -> item).await();
                        }
                    })
                    .isInstanceOf(LaggedException.class)
                    .hasMessage("missed 1 item");
            assertThat(receiver.tryReceive()).isEqualTo(2);
        }
    }

    @Test
    void aListenerOfLag_isToldInsteadOfAThrow_andTheLoopGoesOn() throws Exception {
        Broadcast<Integer> broadcast = Broadcast.create(2);
        List<Long> missed = new ArrayList<>();
        var receiver = broadcast.subscribe(missed::add);
        IntStream.rangeClosed(1, 5).forEach(broadcast::send);
        assertThat(receiver.receive()).isEqualTo(4);
        assertThat(missed).containsExactly(3L);
        IntStream.rangeClosed(6, 8).forEach(broadcast::send);
        assertThat(Select.<Integer>of().on(receiver, item -> item).await()).isEqualTo(7);
        assertThat(missed).containsExactly(3L, 2L);
        broadcast.close();
        assertThat(receiver.receiveOrNull()).isEqualTo(8);
        assertAtItsEnd(receiver);
    }

    @Test
    void close_doesNotOverwrite_andEndsAReceiverOnlyAfterAllRetainedItems() throws Exception {
        Broadcast<Integer> broadcast = Broadcast.create(2);
        var receiver = broadcast.subscribe();
        IntStream.rangeClosed(1, 3).forEach(broadcast::send);
        broadcast.close();
        broadcast.close();
        assertThat(broadcast.isClosed()).isTrue();
        assertThatThrownBy(() -> broadcast.send(4)).isInstanceOf(ChannelClosedException.class);
        assertLagged(receiver, 1);
        assertThat(receiver.receive()).isEqualTo(2);
        assertThat(receiver.receive()).isEqualTo(3);
        assertAtItsEnd(receiver);
    }

    /* ---------------- SY-21: the rest -------------- */

    @Test
    void resubscribe_startsAtTheTail_alsoWhenClosed() throws Exception {
        Broadcast<Integer> broadcast = Broadcast.create(4);
        var receiver = broadcast.subscribe();
        broadcast.send(1);
        var again = receiver.resubscribe();
        assertThat(again.tryReceive()).isNull();
        broadcast.send(2);
        assertThat(again.tryReceive()).isEqualTo(2);
        broadcast.close();
        assertAtItsEnd(receiver.resubscribe());
        assertAtItsEnd(broadcast.subscribe());
        assertThat(receiver.receive()).isEqualTo(1);
        assertThat(broadcast.receiverCount()).isEqualTo(4);
    }

    @Test
    void size_ofAReceiver_countsWhatItMissed_andSizeOfTheBroadcastWhatIsKept() {
        Broadcast<Integer> broadcast = Broadcast.create(2);
        var receiver = broadcast.subscribe();
        assertThat(receiver.size()).isZero();
        IntStream.rangeClosed(1, 5).forEach(broadcast::send);
        assertThat(receiver.size()).isEqualTo(5);
        assertThat(broadcast.size()).isEqualTo(2);
        assertLagged(receiver, 3);
        assertThat(receiver.size()).isEqualTo(2);
        receiver.tryReceive();
        assertThat(receiver.size()).isEqualTo(1);
        assertThat(broadcast.size()).isEqualTo(1);
        receiver.close();
        assertThat(receiver.size()).isZero();
        assertThat(broadcast.size()).isZero();
    }

    @Test
    void awaitNoReceivers_returns_wheneverTheLastIsClosed_alsoAfterAnExtraSubscribe() throws Exception {
        Broadcast<Integer> broadcast = Broadcast.create(2);
        broadcast.awaitNoReceivers();
        broadcast.awaitNoReceivers(Duration.ZERO);
        var first = broadcast.subscribe();
        JoinHandle<?> waiting = runtime.spawn(() -> {
            broadcast.awaitNoReceivers();
            return null;
        });
        awaitWaitingAt(waiting, broadcast.waitPoint());
        var second = broadcast.subscribe();
        first.close();
        first.close();
        assertThat(waiting.isDone()).isFalse();
        assertThatThrownBy(() -> broadcast.awaitNoReceivers(Duration.ofMillis(5)))
                .isInstanceOf(TimeoutException.class);
        assertThatThrownBy(() -> broadcast.awaitNoReceivers(Duration.ZERO)).isInstanceOf(TimeoutException.class);
        second.close();
        waiting.join();

        var third = broadcast.subscribe();
        JoinHandle<String> selecting = runtime.spawn(() ->
                Select.<String>of().on(broadcast.noReceivers(), () -> "none").await());
        awaitWaitingInSelect(selecting);
        broadcast.close();
        assertThat(selecting.isDone()).as("closing is not the end of receivers").isFalse();
        third.close();
        assertThat(selecting.join()).isEqualTo("none");
        assertThat(Select.<String>of()
                        .on(broadcast.noReceivers(), () -> "still")
                        .await())
                .isEqualTo("still");
    }

    static void awaitWaitingInSelect(JoinHandle<?> task) {
        await().until(() -> ((Waiter) task).openWait() != null);
    }

    @Test
    void anItem_isLetGo_whenAllWhoCouldReadItHave_orWereClosed() {
        Broadcast<Object> broadcast = Broadcast.create(8);
        var first = broadcast.subscribe();
        var second = broadcast.subscribe();
        WeakReference<Object> read = new WeakReference<>(new Object());
        broadcast.send(read.get());
        first.tryReceive();
        System.gc();
        assertThat(read.get()).as("one has yet to read it").isNotNull();
        second.tryReceive();
        assertThat(broadcast.size()).isZero();
        await().until(() -> {
            System.gc();
            return read.get() == null;
        });
        WeakReference<Object> unread = new WeakReference<>(new Object());
        broadcast.send(unread.get());
        first.tryReceive();
        second.close();
        await().until(() -> {
            System.gc();
            return unread.get() == null;
        });
        assertThat(broadcast.receiverCount()).isEqualTo(1);
    }

    /* ---------------- Waits -------------- */

    @Test
    void receive_waitsForTheNextItem_andASendWakesAllReceivers() throws Exception {
        Broadcast<Integer> broadcast = Broadcast.create(1);
        List<JoinHandle<Integer>> tasks = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            var receiver = broadcast.subscribe();
            tasks.add(runtime.spawn(() -> receiver.receive() + receiver.receive()));
        }
        for (JoinHandle<Integer> task : tasks) {
            awaitWaitingAt(task, broadcast.waitPoint());
        }
        assertThat(broadcast.send(1)).isEqualTo(5);
        assertThat(broadcast.size()).as("all were handed it").isZero();
        for (JoinHandle<Integer> task : tasks) {
            awaitWaitingAt(task, broadcast.waitPoint());
        }
        broadcast.send(10);
        for (JoinHandle<Integer> task : tasks) {
            assertThat(task.join()).isEqualTo(11);
        }
    }

    @Test
    void receive_hasNoEffect_whenItTimesOut_isAborted_orInterrupted() throws Exception {
        Broadcast<Integer> broadcast = Broadcast.create(4);
        var receiver = broadcast.subscribe();
        assertThatThrownBy(() -> receiver.receive(Duration.ofMillis(5))).isInstanceOf(TimeoutException.class);
        assertThatThrownBy(() -> receiver.receive(Duration.ofSeconds(-1))).isInstanceOf(TimeoutException.class);
        JoinHandle<Integer> aborted = runtime.spawn(() -> receiver.receive());
        awaitWaitingAt(aborted, broadcast.waitPoint());
        aborted.abort();
        assertThat(aborted.result()).isInstanceOf(JoinResult.Cancelled.class);
        TaskProbe<Integer> interrupted =
                TaskProbe.spawn(runtime, () -> receiver.receive()).untilParked();
        interrupted.thread().interrupt();
        assertThat(((JoinResult.Failure<?>) interrupted.handle().result()).exception())
                .isInstanceOf(InterruptedException.class);
        assertNoWaiterIsLeft(broadcast.waitPoint());
        broadcast.send(1);
        assertThat(receiver.receive(Duration.ofSeconds(5))).as("missed nothing").isEqualTo(1);
        assertThat(receiver.tryReceive()).isNull();
    }

    @Test
    void anItem_isNotLost_whenItMeetsAReceiveThatGaveUpButHasNotResumed() throws Exception {
        try (var single = TaskRuntime.builder().workerThreads(1).build()) {
            Broadcast<Integer> broadcast = Broadcast.create(4);
            var receiver = broadcast.subscribe();
            JoinHandle<Integer> aborted = single.spawn(() -> receiver.receive());
            awaitWaitingAt(aborted, broadcast.waitPoint());
            whileTheCarrierIsHeld(single, () -> {
                aborted.abort();
                broadcast.send(1);
            });
            assertThat(aborted.result()).isInstanceOf(JoinResult.Cancelled.class);
            assertThat(receiver.tryReceive()).isEqualTo(1);
            assertThat(receiver.tryReceive()).isNull();
        }
    }

    /** Runs something while no task of a runtime with one carrier can resume. */
    static void whileTheCarrierIsHeld(TaskRuntime single, Runnable action) throws Exception {
        AtomicBoolean held = new AtomicBoolean();
        AtomicBoolean done = new AtomicBoolean();
        JoinHandle<?> holder = single.spawn(() -> {
            held.set(true);
            while (!done.get()) {
                Thread.onSpinWait();
            }
        });
        Observe.until("the carrier is held", held::get); // soon: after 100 ms a spare carrier would be added
        action.run();
        done.set(true);
        holder.join();
    }

    @Test
    void close_endsReceiversThatWait() throws Exception {
        Broadcast<Integer> broadcast = Broadcast.create(4);
        var receiver = broadcast.subscribe();
        var other = broadcast.subscribe();
        JoinHandle<Integer> waiting = runtime.spawn(() -> receiver.receive());
        JoinHandle<Integer> looping = runtime.spawn(() -> other.receiveOrNull());
        awaitWaitingAt(waiting, broadcast.waitPoint());
        awaitWaitingAt(looping, broadcast.waitPoint());
        broadcast.close();
        assertThat(((JoinResult.Failure<?>) waiting.result()).exception()).isInstanceOf(ChannelClosedException.class);
        assertThat(looping.join()).isNull();
    }

    @Test
    void closingAReceiver_endsItsOwnWaitsOnly_andFurtherUseIsMisuse() throws Exception {
        Broadcast<Integer> broadcast = Broadcast.create(4);
        var receiver = broadcast.subscribe();
        var other = broadcast.subscribe();
        JoinHandle<Integer> ended = runtime.spawn(() -> receiver.receive());
        JoinHandle<Integer> untouched = runtime.spawn(() -> other.receive());
        awaitWaitingAt(ended, broadcast.waitPoint());
        awaitWaitingAt(untouched, broadcast.waitPoint());
        receiver.close();
        assertThat(((JoinResult.Failure<?>) ended.result()).exception())
                .isExactlyInstanceOf(IllegalStateException.class)
                .hasMessageContaining("receiver")
                .hasMessageContaining("closed");
        assertThatThrownBy(receiver::receiveOrNull).isExactlyInstanceOf(IllegalStateException.class);
        assertThatThrownBy(receiver::tryReceive).isExactlyInstanceOf(IllegalStateException.class);
        assertThat(broadcast.send(7)).isEqualTo(1);
        assertThat(untouched.join()).isEqualTo(7);
    }

    @Test
    void threadsThatShareAReceiver_getEachItemOnce_inTheOrderInWhichTheyCame() throws Exception {
        Broadcast<Integer> broadcast = Broadcast.create(4);
        var shared = broadcast.subscribe();
        List<JoinHandle<Integer>> tasks = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            JoinHandle<Integer> task = runtime.spawn(() -> shared.receive());
            awaitWaitingAt(task, broadcast.waitPoint());
            tasks.add(task);
        }
        tasks.get(1).abort();
        tasks.get(1).result();
        IntStream.range(0, 4).forEach(broadcast::send);
        assertThat(tasks.get(0).join()).isEqualTo(0);
        assertThat(tasks.get(2).join()).isEqualTo(1);
        assertThat(tasks.get(3).join()).isEqualTo(2);
        assertThat(shared.receive()).isEqualTo(3);
    }

    @Test
    void select_receivesFromTheFirstReadyReceiver_andLosesNothingOnTheOthers() throws Exception {
        Broadcast<Integer> left = Broadcast.create(4);
        Broadcast<Integer> right = Broadcast.create(4);
        var fromLeft = left.subscribe();
        var fromRight = right.subscribe();
        JoinHandle<Integer> selecting = runtime.spawn(() ->
                Select.<Integer>of().on(fromLeft, i -> i).on(fromRight, i -> i).await());
        awaitWaitingInSelect(selecting);
        right.send(2);
        assertThat(selecting.join()).isEqualTo(2);
        left.send(1);
        assertThat(fromLeft.receive()).isEqualTo(1);
        assertThat(fromRight.tryReceive()).isNull();
        assertThat(Select.<String>of()
                        .onSend(left, 3, () -> "sent")
                        .on(fromLeft, i -> "received")
                        .biased()
                        .await())
                .isEqualTo("sent");
        assertThat(fromLeft.receive()).isEqualTo(3);
        left.close();
        assertThatThrownBy(() -> Select.<String>of().on(fromLeft, i -> "item").await())
                .isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(
                        () -> Select.<String>of().onSend(left, 3, () -> "sent").await())
                .isInstanceOf(ChannelClosedException.class);
    }

    @Test
    void manySenders_arriveInOneOrder_andItemsPlusMissedAddUp() throws Exception {
        Broadcast<Integer> broadcast = Broadcast.create(64);
        int senders = 4;
        int each = 5_000;
        List<JoinHandle<List<Integer>>> receiving = new ArrayList<>();
        List<long[]> lost = new ArrayList<>();
        for (int r = 0; r < 4; r++) {
            long[] missed = new long[1];
            lost.add(missed);
            var receiver = broadcast.subscribe(n -> missed[0] += n);
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
        for (int r = 0; r < receiving.size(); r++) {
            List<Integer> mine = receiving.get(r).join();
            assertThat(mine).doesNotHaveDuplicates();
            assertThat(mine.size() + lost.get(r)[0]).isEqualTo(senders * each);
            for (int s = 0; s < senders; s++) {
                int from = s * each;
                assertThat(mine.stream().filter(i -> i >= from && i < from + each))
                        .as("of one sender in order")
                        .isSorted();
            }
        }
    }
}
