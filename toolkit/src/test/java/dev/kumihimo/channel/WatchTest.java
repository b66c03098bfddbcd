package dev.kumihimo.channel;

import static dev.kumihimo.channel.BroadcastTest.assertNoWaiterIsLeft;
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
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WatchTest {
    private TaskRuntime runtime;

    @BeforeEach
    void open() {
        runtime = TaskRuntime.builder().workerThreads(2).build();
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    private static Throwable failureOf(JoinHandle<?> task) throws InterruptedException {
        return ((JoinResult.Failure<?>) task.result()).exception();
    }

    /* ---------------- SY-22, 27: seen and unseen -------------- */

    @Test
    void subscribe_countsThePresentValueAsSeen_andCopyCopiesWhatWasSeen() throws Exception {
        Watch<String> watch = Watch.of("one");
        var receiver = watch.subscribe();
        assertThat(receiver.hasChanged()).isFalse();
        assertThat(receiver.tryChanged()).isNull();
        assertThat(watch.send("two")).isTrue();
        assertThat(receiver.hasChanged()).isTrue();
        var copy = receiver.copy();
        var later = watch.subscribe();
        assertThat(later.hasChanged()).isFalse();
        assertThat(receiver.changed()).isEqualTo("two");
        assertThat(receiver.hasChanged()).isFalse();
        assertThat(copy.hasChanged()).isTrue();
        assertThat(copy.changed(Duration.ZERO)).isEqualTo("two");
        assertThat(watch.receiverCount()).isEqualTo(3);
    }

    @Test
    void onlyTheLatestValue_isSeen() throws Exception {
        Watch<Integer> watch = Watch.of(0);
        var receiver = watch.subscribe();
        for (int i = 1; i <= 5; i++) {
            watch.send(i);
        }
        assertThat(receiver.changed()).isEqualTo(5);
        assertThat(receiver.tryChanged()).isNull();
    }

    @Test
    void value_doesNotMarkAsSeen_andValueAndMarkSeenDoes() {
        Watch<String> watch = Watch.of("one");
        var receiver = watch.subscribe();
        watch.send("two");
        assertThat(receiver.value()).isEqualTo("two").isEqualTo(watch.value());
        assertThat(receiver.hasChanged()).isTrue();
        assertThat(receiver.valueAndMarkSeen()).isEqualTo("two");
        assertThat(receiver.hasChanged()).isFalse();
    }

    @Test
    void aValue_thatEqualsItsPredecessor_isAChange() throws Exception {
        Watch<String> watch = Watch.of("same");
        var receiver = watch.subscribe();
        watch.send("same");
        assertThat(receiver.hasChanged()).isTrue();
        assertThat(receiver.changed()).isEqualTo("same");
    }

    @Test
    void markChangedAndMarkUnchanged_decideWhatChangedFinds() throws Exception {
        Watch<String> watch = Watch.of("one");
        var receiver = watch.subscribe();
        receiver.markChanged();
        assertThat(receiver.hasChanged()).isTrue();
        assertThat(receiver.changed()).isEqualTo("one");
        watch.send("two");
        receiver.markUnchanged();
        assertThat(receiver.hasChanged()).isFalse();
        assertThat(receiver.tryChanged()).isNull();
    }

    @Test
    void markChanged_wakesWhoWaitsThroughTheSameReceiver() throws Exception {
        Watch<String> watch = Watch.of("one");
        var receiver = watch.subscribe();
        JoinHandle<String> waiting = runtime.spawn(() -> receiver.changed());
        awaitWaitingAt(waiting, watch.waitPoint());
        receiver.markChanged();
        assertThat(waiting.join()).isEqualTo("one");
        assertThat(receiver.hasChanged()).isFalse();
    }

    /* ---------------- SY-23, 24: the end -------------- */

    @Test
    void aReceiver_observesTheFinalValue_andThenTheEnd() throws Exception {
        Watch<String> watch = Watch.of("one");
        var receiver = watch.subscribe();
        var late = receiver.copy();
        watch.send("final");
        watch.close();
        watch.close();
        assertThat(receiver.changed()).isEqualTo("final");
        assertThatThrownBy(receiver::changed).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(receiver::tryChanged).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(() -> receiver.changed(Duration.ZERO)).isInstanceOf(ChannelClosedException.class);
        assertThat(receiver.changedOrNull()).isNull();
        assertThat(late.tryChanged()).isEqualTo("final");
        assertThat(receiver.value()).isEqualTo("final");
    }

    @Test
    void hasChanged_throws_onAClosedWatchWithAnUnseenValue() throws Exception {
        Watch<String> watch = Watch.of("one");
        var receiver = watch.subscribe();
        watch.send("unseen");
        watch.close();
        assertThatThrownBy(receiver::hasChanged).isInstanceOf(ChannelClosedException.class);
        assertThat(receiver.changed()).isEqualTo("unseen");
    }

    @Test
    void close_refusesSends_andEndsThoseWhoWait() throws Exception {
        Watch<Integer> watch = Watch.of(0);
        var receiver = watch.subscribe();
        JoinHandle<Integer> changed = runtime.spawn(() -> receiver.changed());
        JoinHandle<Integer> looping = runtime.spawn(() -> receiver.changedOrNull());
        JoinHandle<Integer> waitFor = runtime.spawn(() -> receiver.waitFor(v -> v > 5));
        for (JoinHandle<?> task : List.of(changed, looping, waitFor)) {
            awaitWaitingAt(task, watch.waitPoint());
        }
        watch.close();
        assertThat(failureOf(changed)).isInstanceOf(ChannelClosedException.class);
        assertThat(looping.join()).isNull();
        assertThat(failureOf(waitFor)).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(() -> watch.send(1)).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(() -> watch.sendReplace(1)).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(() -> watch.update(v -> v + 1)).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(() -> watch.sendIfModified(v -> v)).isInstanceOf(ChannelClosedException.class);
        assertThat(watch.value()).isZero();
    }

    /* ---------------- SY-26: waitFor -------------- */

    @Test
    void waitFor_testsThePresentValueFirst_evenIfItWasSeen() throws Exception {
        Watch<Integer> watch = Watch.of(7);
        var receiver = watch.subscribe();
        assertThat(receiver.waitFor(v -> v == 7)).isEqualTo(7);
        assertThat(receiver.waitFor(v -> v == 7, Duration.ZERO)).isEqualTo(7);
        watch.send(8);
        assertThat(receiver.waitFor(v -> v == 8)).isEqualTo(8);
        assertThat(receiver.hasChanged()).as("it has seen it").isFalse();
    }

    @Test
    void waitFor_waitsUntilAValueFulfilsTheCondition() throws Exception {
        Watch<Integer> watch = Watch.of(0);
        var receiver = watch.subscribe();
        JoinHandle<Integer> waiting = runtime.spawn(() -> receiver.waitFor(v -> v >= 3));
        JoinHandle<Integer> timed = runtime.spawn(() -> receiver.waitFor(v -> v >= 3, Duration.ofSeconds(30)));
        for (int i = 1; i <= 3; i++) {
            awaitWaitingAt(waiting, watch.waitPoint());
            awaitWaitingAt(timed, watch.waitPoint());
            watch.send(i);
        }
        assertThat(waiting.join()).isEqualTo(3);
        assertThat(timed.join()).isEqualTo(3);
    }

    @Test
    void waitFor_missesNothing_thatAnotherThreadSawThroughTheSameReceiver() throws Exception {
        Watch<Integer> watch = Watch.of(0);
        var receiver = watch.subscribe();
        Integer found = receiver.waitFor(
                v -> {
                    if (v == 0) {
                        watch.send(1);
                        receiver.markUnchanged();
                    }
                    return v == 1;
                },
                Duration.ofSeconds(30));
        assertThat(found).isEqualTo(1);
    }

    @Test
    void waitFor_onAClosedWatch_returnsALastValueThatFulfilsTheCondition_elseThrows() throws Exception {
        Watch<Integer> watch = Watch.of(0);
        var receiver = watch.subscribe();
        watch.send(1);
        watch.close();
        assertThat(receiver.copy().waitFor(v -> v == 1)).isEqualTo(1);
        assertThat(receiver.waitFor(v -> true)).isEqualTo(1);
        assertThatThrownBy(() -> receiver.waitFor(v -> v == 2)).isInstanceOf(ChannelClosedException.class);
        assertThatThrownBy(() -> receiver.waitFor(v -> v == 2, Duration.ofSeconds(30)))
                .isInstanceOf(ChannelClosedException.class);
    }

    @Test
    void waitFor_passesOnWhatTheConditionThrows_andTheWatchWorksOn() throws Exception {
        Watch<Integer> watch = Watch.of(0);
        var receiver = watch.subscribe();
        assertThatThrownBy(() -> receiver.waitFor(v -> {
                    throw new IllegalArgumentException("condition");
                }))
                .isInstanceOf(IllegalArgumentException.class);
        watch.send(1);
        assertThat(receiver.waitFor(v -> v == 1)).isEqualTo(1);
    }

    /* ---------------- SY-28: sending -------------- */

    @Test
    void send_doesNotStore_withoutReceivers_butSendReplaceAndUpdateDo() {
        Watch<Integer> watch = Watch.of(0);
        assertThat(watch.send(1)).isFalse();
        assertThat(watch.value()).isZero();
        assertThat(watch.sendReplace(2)).isZero();
        assertThat(watch.value()).isEqualTo(2);
        assertThat(watch.update(v -> v + 1)).isEqualTo(3);
        assertThat(watch.sendIfModified(v -> v * 10)).isTrue();
        assertThat(watch.value()).isEqualTo(30);
        var receiver = watch.subscribe();
        receiver.close();
        assertThat(watch.send(4)).isFalse();
        watch.subscribe();
        assertThat(watch.send(4)).as("open again").isTrue();
        assertThat(watch.value()).isEqualTo(4);
    }

    @Test
    void sendIfModified_tellsNobody_ifTheFunctionReturnsWhatItWasGiven() {
        Watch<String> watch = Watch.of("one");
        var receiver = watch.subscribe();
        assertThat(watch.sendIfModified(v -> v)).isFalse();
        assertThat(receiver.hasChanged()).isFalse();
        assertThat(watch.sendIfModified(v -> v + "!")).isTrue();
        assertThat(receiver.tryChanged()).isEqualTo("one!");
        watch.update(v -> v);
        assertThat(receiver.hasChanged()).as("update always tells").isTrue();
    }

    @Test
    void update_thatThrows_changesNothing_andTellsNobody() {
        Watch<String> watch = Watch.of("one");
        var receiver = watch.subscribe();
        assertThatThrownBy(() -> watch.update(v -> {
                    throw new IllegalArgumentException("update");
                }))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> watch.update(v -> null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> watch.send(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> Watch.of(null)).isInstanceOf(NullPointerException.class);
        assertThat(receiver.hasChanged()).isFalse();
        assertThat(watch.send("two")).as("it works on").isTrue();
    }

    @Test
    void update_appliesItsFunctionAgain_ifAnotherValueWasSentMeanwhile() {
        Watch<Integer> watch = Watch.of(0);
        watch.subscribe();
        AtomicInteger applied = new AtomicInteger();
        int sent = watch.update(v -> {
            if (applied.incrementAndGet() == 1) {
                watch.send(100); // under no lock, so a function may even use the watch
            }
            return v + 1;
        });
        assertThat(sent).isEqualTo(101);
        assertThat(applied).hasValue(2);
    }

    @Test
    void update_isAtomic_amongManySenders() throws Exception {
        Watch<Integer> watch = Watch.of(0);
        int senders = 8;
        int each = 2_000;
        var receiver = watch.subscribe();
        JoinHandle<Integer> last = runtime.spawn(() -> {
            int previous = 0;
            for (Integer value; (value = receiver.changedOrNull()) != null; ) {
                assertThat(value).isGreaterThan(previous);
                previous = value;
            }
            return previous;
        });
        List<JoinHandle<?>> sending = new ArrayList<>();
        for (int s = 0; s < senders; s++) {
            sending.add(runtime.spawn(() -> {
                for (int i = 0; i < each; i++) {
                    watch.update(v -> v + 1);
                }
            }));
        }
        for (JoinHandle<?> sender : sending) {
            sender.join();
        }
        watch.close();
        assertThat(watch.value()).isEqualTo(senders * each);
        assertThat(last.join()).as("the final value is not missed").isEqualTo(senders * each);
    }

    /* ---------------- SY-29, and the waits -------------- */

    @Test
    void awaitNoReceivers_returns_wheneverTheLastIsClosed() throws Exception {
        Watch<Integer> watch = Watch.of(0);
        watch.awaitNoReceivers();
        var first = watch.subscribe();
        var second = first.copy();
        JoinHandle<?> waiting = runtime.spawn(() -> {
            watch.awaitNoReceivers();
            return null;
        });
        awaitWaitingAt(waiting, watch.waitPoint());
        first.close();
        first.close();
        assertThat(waiting.isDone()).isFalse();
        assertThatThrownBy(() -> watch.awaitNoReceivers(Duration.ofMillis(5))).isInstanceOf(TimeoutException.class);
        JoinHandle<?> aborted = runtime.spawn(() -> {
            watch.awaitNoReceivers();
            return null;
        });
        awaitWaitingAt(aborted, watch.waitPoint());
        aborted.abort();
        assertThat(aborted.result()).isInstanceOf(JoinResult.Cancelled.class);
        second.close();
        waiting.join();
        watch.subscribe();
        assertThatThrownBy(() -> watch.awaitNoReceivers(Duration.ZERO)).isInstanceOf(TimeoutException.class);
    }

    @Test
    void changed_marksNothing_whenItTimesOut_isAborted_orInterrupted() throws Exception {
        Watch<Integer> watch = Watch.of(0);
        var receiver = watch.subscribe();
        assertThatThrownBy(() -> receiver.changed(Duration.ofMillis(5))).isInstanceOf(TimeoutException.class);
        assertThatThrownBy(() -> receiver.changed(Duration.ZERO)).isInstanceOf(TimeoutException.class);
        assertThatThrownBy(() -> receiver.waitFor(v -> v == 9, Duration.ofMillis(5)))
                .isInstanceOf(TimeoutException.class);
        assertThatThrownBy(() -> receiver.waitFor(v -> v == 9, Duration.ZERO)).isInstanceOf(TimeoutException.class);
        JoinHandle<Integer> aborted = runtime.spawn(() -> receiver.changed());
        JoinHandle<Integer> abortedFor = runtime.spawn(() -> receiver.waitFor(v -> v == 9));
        awaitWaitingAt(aborted, watch.waitPoint());
        awaitWaitingAt(abortedFor, watch.waitPoint());
        aborted.abort();
        abortedFor.abort();
        assertThat(aborted.result()).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(abortedFor.result()).isInstanceOf(JoinResult.Cancelled.class);
        TaskProbe<Integer> interrupted =
                TaskProbe.spawn(runtime, () -> receiver.changed()).untilParked();
        interrupted.thread().interrupt();
        assertThat(failureOf(interrupted.handle())).isInstanceOf(InterruptedException.class);
        assertNoWaiterIsLeft(watch.waitPoint());
        watch.send(1);
        assertThat(receiver.hasChanged()).isTrue();
        assertThat(receiver.changed(Duration.ofSeconds(5))).isEqualTo(1);
    }

    @Test
    void aChange_staysUnseen_whenItMeetsAWaitThatGaveUpButHasNotResumed() throws Exception {
        try (var single = TaskRuntime.builder().workerThreads(1).build()) {
            Watch<Integer> watch = Watch.of(0);
            var receiver = watch.subscribe();
            JoinHandle<Integer> aborted = single.spawn(() -> receiver.changed());
            awaitWaitingAt(aborted, watch.waitPoint());
            whileTheCarrierIsHeld(single, () -> {
                aborted.abort();
                watch.send(1);
            });
            assertThat(aborted.result()).isInstanceOf(JoinResult.Cancelled.class);
            assertThat(receiver.tryChanged()).isEqualTo(1);
        }
    }

    @Test
    void aChange_wakesAllWhoWait_throughOneReceiverOrMany() throws Exception {
        Watch<Integer> watch = Watch.of(0);
        var shared = watch.subscribe();
        List<JoinHandle<Integer>> tasks = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            var receiver = i % 2 == 0 ? shared : watch.subscribe();
            JoinHandle<Integer> task = runtime.spawn(() -> receiver.changed());
            awaitWaitingAt(task, watch.waitPoint());
            tasks.add(task);
        }
        watch.send(1);
        for (JoinHandle<Integer> task : tasks) {
            assertThat(task.join()).isEqualTo(1);
        }
    }

    @Test
    void closingAReceiver_endsItsOwnWaitsOnly_andFurtherUseIsMisuse() throws Exception {
        Watch<Integer> watch = Watch.of(0);
        var receiver = watch.subscribe();
        var other = watch.subscribe();
        JoinHandle<Integer> ended = runtime.spawn(() -> receiver.changed());
        JoinHandle<Integer> untouched = runtime.spawn(() -> other.changed());
        awaitWaitingAt(ended, watch.waitPoint());
        awaitWaitingAt(untouched, watch.waitPoint());
        receiver.close();
        assertThat(failureOf(ended))
                .isExactlyInstanceOf(IllegalStateException.class)
                .hasMessageContaining("receiver")
                .hasMessageContaining("closed");
        assertThatThrownBy(receiver::changed).isExactlyInstanceOf(IllegalStateException.class);
        assertThatThrownBy(receiver::tryChanged).isExactlyInstanceOf(IllegalStateException.class);
        assertThatThrownBy(receiver::hasChanged).isExactlyInstanceOf(IllegalStateException.class);
        assertThatThrownBy(receiver::valueAndMarkSeen).isExactlyInstanceOf(IllegalStateException.class);
        assertThatThrownBy(receiver::markChanged).isExactlyInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> receiver.waitFor(v -> true)).isExactlyInstanceOf(IllegalStateException.class);
        watch.send(1);
        assertThat(untouched.join()).isEqualTo(1);
    }

    @Test
    void select_waitsForAChange_andMarksItAsSeenOnlyIfItWins() throws Exception {
        Watch<Integer> watch = Watch.of(0);
        Channel<Integer> channel = Channel.bounded(1);
        var receiver = watch.subscribe();
        JoinHandle<Integer> wins = runtime.spawn(() ->
                Select.<Integer>of().on(receiver, v -> v).on(channel, v -> v).await());
        awaitWaitingInSelect(wins);
        watch.send(1);
        assertThat(wins.join()).isEqualTo(1);
        assertThat(receiver.hasChanged()).isFalse();
        JoinHandle<Integer> loses = runtime.spawn(() ->
                Select.<Integer>of().on(receiver, v -> v).on(channel, v -> v).await());
        awaitWaitingInSelect(loses);
        channel.send(-1);
        assertThat(loses.join()).isEqualTo(-1);
        watch.send(2);
        assertThat(receiver.hasChanged()).isTrue();
        assertThat(Select.<Integer>of().on(receiver, v -> v).await()).isEqualTo(2);
        watch.close();
        assertThatThrownBy(() -> Select.<Integer>of().on(receiver, v -> v).await())
                .isInstanceOf(ChannelClosedException.class);
    }
}
