package dev.kumihimo.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ch.qos.logback.classic.Level;
import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.support.CapturedLog;
import dev.kumihimo.support.TaskProbe;
import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** The tree of tokens, those who wait for one, and those who run in one. */
@Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD)
class CancellationTokenTest {
    private static final Duration LONG = Duration.ofSeconds(10);
    private static final Duration FOREVER = Duration.ofDays(1);

    private final TaskRuntime runtime = TaskRuntime.builder().workerThreads(2).build();
    private final CancellationToken token = CancellationToken.create("root");

    @AfterEach
    void close() {
        runtime.close();
    }

    private TaskProbe<CancelReason> waiterAt(CancellationToken at) {
        return TaskProbe.spawn(runtime, () -> at.awaitCancelled()).untilParked();
    }

    private static boolean isForgotten(CancellationToken unused) {
        return ((TokenNode) unused.waitPoint()).isForgotten();
    }

    /* ---------------- The tree -------------- */

    @Test
    void cancel_isForTheFirstOnly_andItsReasonStays() {
        assertThat(token.isCancelled()).isFalse();
        assertThat(token.reason()).isNull();
        assertThat(token.cancel("enough")).isTrue();
        assertThat(token.cancel("too much")).isFalse();
        assertThat(token.cancel()).isFalse();
        assertThat(token.isCancelled()).isTrue();
        assertThat(token.reason()).isEqualTo(new CancelReason(CancelReason.Kind.TOKEN, "enough"));
        assertThat(token).hasToString("token \"root\", cancelled: enough");
    }

    @Test
    void cancel_withoutAReason_namesTheToken() {
        CancellationToken child = token.child().child("request");
        child.cancel();
        assertThat(child.reason().message()).isEqualTo("token \"root > request\" was cancelled");
    }

    /** Tokio's cancel_only_all_descendants: of eight that wait, the six in the subtree are woken. */
    @Test
    void cancel_wakesExactlyTheSubtree() throws Exception {
        CancellationToken sibling = token.child();
        CancellationToken middle = token.child();
        CancellationToken below = middle.child();
        List<TaskProbe<CancelReason>> woken = new ArrayList<>();
        for (CancellationToken each :
                List.of(middle, middle.child(), below, below.child(), below.child(), middle.child())) {
            woken.add(waiterAt(each));
        }
        TaskProbe<CancelReason> atRoot = waiterAt(token);
        TaskProbe<CancelReason> beside = waiterAt(sibling);
        middle.cancel("the subtree");
        for (TaskProbe<CancelReason> each : woken) {
            assertThat(each.handle().join(LONG).message()).isEqualTo("the subtree");
        }
        assertThat(token.isCancelled()).isFalse();
        assertThat(sibling.isCancelled()).isFalse();
        assertThat(List.of(atRoot, beside)).noneMatch(each -> each.handle().isFinished());
        token.cancel();
        atRoot.handle().join(LONG);
        beside.handle().join(LONG);
    }

    @Test
    void cancel_reachesAGrandchild_whoseMiddleWasDropped() throws Exception {
        CancellationToken grandchild = token.child().child();
        TaskProbe<CancelReason> waiter = waiterAt(grandchild);
        AtomicInteger calls = new AtomicInteger();
        token.child().child().child().onCancel(calls::incrementAndGet);
        System.gc();
        token.cancel("from above");
        assertThat(waiter.handle().join(LONG).message()).isEqualTo("from above");
        assertThat(calls).hasValue(1);
    }

    @Test
    void dropping_aParent_cancelsNothing() {
        CancellationToken child = CancellationToken.create().child();
        System.gc();
        assertThat(child.isCancelled()).isFalse();
        assertThat(child.cancel()).isTrue();
    }

    @Test
    void aChild_ofACancelledParent_isBornCancelled_andKeepsThatReason() {
        token.cancel("before");
        CancellationToken child = token.child();
        assertThat(child.isCancelled()).isTrue();
        assertThat(child.cancel("its own")).isFalse();
        assertThat(child.reason()).isSameAs(token.reason());
    }

    @Test
    void aChild_cancelledBeforeItsParent_keepsItsOwnReason() {
        CancellationToken child = token.child();
        child.cancel("mine");
        token.cancel("yours");
        assertThat(child.reason().message()).isEqualTo("mine");
    }

    @Test
    void cancel_ofADeepChain_needsNoStack() throws Exception {
        CancellationToken deep = token;
        for (int i = 0; i < 100_000; i++) {
            deep = deep.child();
        }
        TaskProbe<CancelReason> waiter = waiterAt(deep);
        token.cancel("far above");
        assertThat(waiter.handle().join(LONG).message()).isEqualTo("far above");
    }

    /* ---------------- Waiting -------------- */

    @Test
    void awaitCancelled_isOverAtOnce_ifTheTokenIsCancelled_evenForACancelledTask() throws Exception {
        token.cancel("done");
        Thread.currentThread().interrupt();
        assertThat(token.child().awaitCancelled().message()).isEqualTo("done");
        assertThat(token.awaitCancelled(Duration.ZERO).message()).isEqualTo("done");
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void awaitCancelled_inTime_orNot() throws Exception {
        CancellationToken child = token.child();
        assertThatExceptionOfType(TimeoutException.class)
                .isThrownBy(() -> child.awaitCancelled(Duration.ofMillis(5)))
                .withMessageContaining("PT0.005S");
        assertThatExceptionOfType(TimeoutException.class)
                .isThrownBy(() -> child.awaitCancelled(Duration.ofSeconds(-1)));
        assertThat(isForgotten(token)).isTrue();
        TaskProbe<CancelReason> waiter =
                TaskProbe.spawn(runtime, () -> child.awaitCancelled(LONG)).untilParked();
        token.cancel("in time");
        assertThat(waiter.handle().join(LONG).message()).isEqualTo("in time");
    }

    @Test
    void awaitCancelled_interruptedOrAborted_leavesNoWaiter() throws Exception {
        CancellationToken child = token.child().child();
        TaskProbe<CancelReason> interrupted = waiterAt(child);
        TaskProbe<CancelReason> aborted = waiterAt(child);
        assertThat(isForgotten(token)).isFalse();
        interrupted.thread().interrupt();
        aborted.handle().abort();
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(() -> interrupted.handle().join(LONG))
                .withCauseExactlyInstanceOf(InterruptedException.class);
        assertThat(aborted.handle().result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(isForgotten(token)).isTrue();
        assertThat(isForgotten(child)).isTrue();
    }

    @Test
    void select_isToldOfTheCancellation_andLeavesNothingWhereItLoses() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        CancellationToken child = token.child();
        Select<String> select = Select.<String>of()
                .onReceive(channel, item -> item)
                .onCancelled(child, () -> "child")
                .onCancelled(token, () -> "token"); // parent and child in one select: both locks are held at once
        TaskProbe<String> loser = TaskProbe.spawn(runtime, select::await).untilParked();
        assertThat(isForgotten(token)).isFalse();
        channel.send("item");
        assertThat(loser.handle().join(LONG)).isEqualTo("item");
        assertThat(isForgotten(token)).isTrue();
        TaskProbe<String> winner = TaskProbe.spawn(runtime, select::await).untilParked();
        child.cancel();
        assertThat(winner.handle().join(LONG)).isEqualTo("child");
        assertThat(select.await()).isEqualTo("child");
        assertThat(Select.<CancelReason>of().on(child, reason -> reason).await())
                .isSameAs(child.reason());
    }

    /* ---------------- Callbacks -------------- */

    @Test
    void onCancel_runsInTheCanceller_inOrder_afterWaitersAndRegionsWereTold() throws Exception {
        List<String> calls = new ArrayList<>();
        TaskProbe<CancelReason> waiter = waiterAt(token.child());
        token.onCancel(() -> {
            try {
                waiter.handle().join(LONG);
            } catch (Exception e) {
                calls.add("the waiter was not told: " + e);
            }
        });
        token.onCancel(() -> calls.add("first in " + Thread.currentThread().getName()));
        token.onCancel(() -> calls.add("second"));
        token.cancel();
        assertThat(calls).containsExactly("first in " + Thread.currentThread().getName(), "second");
    }

    @Test
    void onCancel_ofACancelledToken_runsAtOnce() {
        token.cancel();
        AtomicInteger calls = new AtomicInteger();
        token.child().onCancel(calls::incrementAndGet).close();
        assertThat(calls).hasValue(1);
    }

    @Test
    void onCancel_closed_isNotRun_andLeavesNothing() {
        AtomicInteger calls = new AtomicInteger();
        CancellationToken child = token.child();
        CancellationToken.Registration registration = child.onCancel(calls::incrementAndGet);
        assertThat(isForgotten(token)).isFalse();
        registration.close();
        registration.close();
        assertThat(isForgotten(token)).isTrue();
        assertThat(isForgotten(child)).isTrue();
        token.cancel();
        assertThat(calls).hasValue(0);
    }

    @Test
    void onCancel_closedByAnEarlierCallback_isNotRun() {
        AtomicInteger calls = new AtomicInteger();
        List<CancellationToken.Registration> later = new ArrayList<>();
        token.onCancel(() -> later.get(0).close());
        later.add(token.onCancel(calls::incrementAndGet));
        token.cancel();
        assertThat(calls).hasValue(0);
    }

    @Test
    void onCancel_whatACallbackThrows_isLogged_andHindersNobody() {
        AtomicInteger calls = new AtomicInteger();
        token.onCancel(() -> {
            throw new IllegalStateException("broken");
        });
        token.onCancel(calls::incrementAndGet);
        try (CapturedLog log = CapturedLog.open()) {
            assertThat(token.cancel("now")).isTrue();
            assertThat(log.messages(Level.WARN, "a callback of token \"root\"")).hasSize(1);
        }
        assertThat(calls).hasValue(1);
    }

    @Test
    void guard_cancelsWhenClosed_unlessDisarmed() {
        try (CancellationToken.Guard guard = token.guard()) {
            assertThat(guard.disarm()).isSameAs(token);
        }
        assertThat(token.isCancelled()).isFalse();
        CancellationToken.Guard guard = token.guard();
        guard.close();
        guard.close();
        assertThat(token.isCancelled()).isTrue();
    }

    /* ---------------- Running in a token -------------- */

    @Nested
    class Run {
        @Test
        void aBodyThatWaits_isEndedByTheToken_andTheCallerGoesOn() throws Exception {
            TaskProbe<String> task = TaskProbe.spawn(runtime, () -> {
                        try {
                            token.child().run(() -> Task.sleep(FOREVER));
                            return "slept";
                        } catch (TaskCancelledException e) {
                            Task.sleep(Duration.ofMillis(1)); // the region is over
                            return e.reason().kind() + " " + e.reason() + " own " + e.isOwn() + ", inside own "
                                    + ((TaskCancelledException) e.getCause()).isOwn();
                        }
                    })
                    .untilParked();
            token.cancel("stop it");
            assertThat(task.handle().join(LONG)).isEqualTo("TOKEN stop it own false, inside own true");
        }

        @Test
        void aBodyInAForeignWait_isInterrupted_andNoInterruptIsLeft() throws Exception {
            TaskProbe<Boolean> task = TaskProbe.spawn(runtime, () -> {
                        assertThatExceptionOfType(TaskCancelledException.class)
                                .isThrownBy(() -> token.run(() -> new ArrayBlockingQueue<>(1).take()))
                                .satisfies(e -> assertThat(e.isOwn()).isFalse());
                        return Thread.interrupted();
                    })
                    .untilParked();
            token.cancel();
            assertThat(task.handle().join(LONG)).isFalse();
        }

        @Test
        void aTokenCancelledBefore_doesNotStartTheBody() {
            token.cancel("before");
            AtomicBoolean begun = new AtomicBoolean();
            assertThatExceptionOfType(TaskCancelledException.class)
                    .isThrownBy(() -> token.child().run(() -> begun.set(true)))
                    .withMessage("before")
                    .satisfies(e -> assertThat(e.isOwn()).isFalse());
            assertThat(begun).isFalse();
        }

        @Test
        void aBodyThatCompletesOnATie_hasItsWay() throws Exception {
            assertThat(token.<String, Exception>run(() -> {
                        token.cancel();
                        return "done";
                    }))
                    .isEqualTo("done");
            assertThat(Thread.interrupted()).isFalse();
            assertThatExceptionOfType(IllegalStateException.class)
                    .isThrownBy(() -> CancellationToken.create().run(() -> {
                        throw new IllegalStateException("mine");
                    }))
                    .withMessage("mine");
        }

        @Test
        void aBodyThatEnds_leavesNothingAtTheToken() throws Exception {
            CancellationToken child = token.child();
            assertThat(child.<Boolean, RuntimeException>run(() -> isForgotten(token)))
                    .isFalse();
            assertThat(isForgotten(token)).isTrue();
            assertThat(isForgotten(child)).isTrue();
        }

        @Test
        void anAbort_isNotTakenForTheToken() throws Exception {
            AtomicBoolean own = new AtomicBoolean();
            TaskProbe<Object> task = TaskProbe.spawn(runtime, () -> {
                        try {
                            token.run(() -> Task.sleep(FOREVER));
                            return null;
                        } catch (TaskCancelledException e) {
                            own.set(e.isOwn());
                            throw e;
                        }
                    })
                    .untilParked();
            task.handle().abort();
            assertThat(task.handle().result(LONG)).isInstanceOfSatisfying(JoinResult.Cancelled.class, cancelled -> {
                assertThat(cancelled.reason().kind()).isEqualTo(CancelReason.Kind.ABORT);
            });
            assertThat(own).isTrue();
        }

        @Test
        void aTimeoutAround_isNotTakenForTheToken_norTheTokenForATimeout() throws Exception {
            assertThatExceptionOfType(TimeoutException.class)
                    .isThrownBy(() -> dev.kumihimo.time.Timeout.call(
                            Duration.ofMillis(5), () -> token.run(() -> Task.sleep(FOREVER))));
            TaskProbe<Object> task = TaskProbe.spawn(
                            runtime,
                            () -> token.run(() -> dev.kumihimo.time.Timeout.call(FOREVER, () -> {
                                Task.sleep(FOREVER);
                                return null;
                            })))
                    .untilParked();
            token.cancel("the token");
            assertThat(task.handle().result(LONG))
                    .isEqualTo(new JoinResult.Cancelled<>(new CancelReason(CancelReason.Kind.TOKEN, "the token")));
        }

        @Test
        void whatABodyThrowsOfItsOwn_goesOn_alsoIfTheTokenIsCancelled() {
            assertThatExceptionOfType(IllegalStateException.class)
                    .isThrownBy(() -> token.run(() -> {
                        token.cancel();
                        throw new IllegalStateException("mine");
                    }))
                    .withMessage("mine");
            assertThat(Thread.interrupted()).isFalse();
        }

        @Test
        void anAbortAndTheToken_theAbortGoesOn() throws Exception {
            CompletableFuture<JoinHandle<Object>> self = new CompletableFuture<>();
            AtomicBoolean own = new AtomicBoolean();
            JoinHandle<Object> task = runtime.spawn(() -> {
                JoinHandle<Object> me = self.get();
                try {
                    token.run(() -> {
                        token.cancel();
                        me.abort();
                        Task.sleep(FOREVER);
                    });
                    return null;
                } catch (TaskCancelledException e) {
                    own.set(e.isOwn());
                    throw e;
                }
            });
            self.complete(task);
            assertThat(task.result(LONG))
                    .isInstanceOfSatisfying(
                            JoinResult.Cancelled.class,
                            cancelled -> assertThat(cancelled.reason().kind()).isEqualTo(CancelReason.Kind.ABORT));
            assertThat(own).isTrue();
        }

        @Test
        void theOuterOfTwo_cancelled_endsBoth_andTheInnerOneLetsItPass() throws Exception {
            CancellationToken other = CancellationToken.create("other");
            TaskProbe<String> task = TaskProbe.spawn(runtime, () -> {
                        try {
                            token.run(() -> {
                                try {
                                    other.run(() -> Task.sleep(FOREVER));
                                } catch (TaskCancelledException e) {
                                    assertThat(e.isOwn()).isTrue();
                                    throw e;
                                }
                            });
                            return "slept";
                        } catch (TaskCancelledException e) {
                            return e.reason() + ", own " + e.isOwn();
                        }
                    })
                    .untilParked();
            token.cancel("outer");
            assertThat(task.handle().join(LONG)).isEqualTo("outer, own false");
        }

        @Test
        void aTaskThatLetsItPass_endsAsCancelled_andNothingIsLogged() throws Exception {
            try (CapturedLog log = CapturedLog.open()) {
                JoinHandle<?> task = TaskProbe.spawn(
                                runtime,
                                () -> token.run(() -> {
                                    Task.sleep(FOREVER);
                                    return null;
                                }))
                        .untilParked()
                        .handle();
                token.cancel("shutting down");
                assertThat(task.result(LONG))
                        .isEqualTo(
                                new JoinResult.Cancelled<>(new CancelReason(CancelReason.Kind.TOKEN, "shutting down")));
                runtime.close();
                assertThat(log.messages(Level.WARN, "nobody joined")).isEmpty();
            }
        }

        @Test
        void insideAShield_theTokenOfAnEnclosingRunWaits() throws Exception {
            Channel<String> channel = Channel.bounded(1);
            TaskProbe<String> task = TaskProbe.spawn(
                            runtime,
                            () -> token.run(() -> {
                                String inside = Task.shield(() -> channel.receive());
                                try {
                                    Task.sleep(FOREVER);
                                } catch (TaskCancelledException e) {
                                    return inside + ", then " + e.reason().kind();
                                }
                                return "slept";
                            }))
                    .untilParked();
            token.cancel();
            channel.send("shielded");
            assertThat(task.handle().join(LONG)).isEqualTo("shielded, then TOKEN");
        }
    }

    /* ---------------- Races and memory -------------- */

    @Test
    void cancel_racingThoseWhoCome_missesNobody() throws Exception {
        for (int round = 0; round < 300; round++) {
            CancellationToken root = CancellationToken.create();
            AtomicInteger calls = new AtomicInteger();
            List<JoinHandle<?>> tasks = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                CancellationToken mine = root.child().child();
                tasks.add(runtime.spawn(() -> mine.awaitCancelled()));
                tasks.add(runtime.spawn(() -> mine.run(() -> Task.sleep(FOREVER))));
                tasks.add(runtime.spawn(() -> mine.onCancel(calls::incrementAndGet)));
                tasks.add(runtime.spawn(() -> Select.of()
                        .onCancelled(mine, () -> 1)
                        .onCancelled(root, () -> 2)
                        .await()));
            }
            tasks.add(runtime.spawn(() -> root.cancel()));
            for (JoinHandle<?> task : tasks) {
                task.result(LONG);
            }
            assertThat(calls).hasValue(4);
            assertThat(isForgotten(root)).isTrue();
        }
    }

    @Test
    void waitersThatComeAndGo_whileOthersDo_unlinkThemselves() throws Exception {
        CancellationToken middle = token.child();
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            CancellationToken mine = middle.child();
            tasks.add(runtime.spawn(() -> {
                for (int k = 0; k < 500; k++) {
                    mine.run(() -> Task.yieldNow());
                    mine.onCancel(() -> {}).close();
                    assertThatExceptionOfType(TimeoutException.class)
                            .isThrownBy(() -> mine.awaitCancelled(Duration.ofNanos(1)));
                }
            }));
        }
        for (JoinHandle<?> task : tasks) {
            task.join(Duration.ofSeconds(60));
        }
        assertThat(isForgotten(token)).isTrue();
        assertThat(isForgotten(middle)).isTrue();
    }

    @Test
    void aChild_thatNobodyUses_isCollected() throws Exception {
        CancellationToken child = token.child();
        child.run(() -> {});
        WeakReference<CancellationToken> dropped = new WeakReference<>(child);
        child = null;
        for (int i = 0; i < 100 && dropped.get() != null; i++) {
            System.gc();
        }
        assertThat(dropped.get()).isNull();
    }

    @Test
    void tenMillionChildren_ofOneParent_leaveNothing() throws Exception {
        long before = settledHeap();
        for (int i = 0; i < 10_000_000; i++) {
            CancellationToken child = token.child();
            switch (i & 3) {
                case 0 -> child.run(() -> {});
                case 1 -> child.onCancel(() -> {}).close();
                case 2 -> child.child().isCancelled();
                default -> child.cancel("own");
            }
        }
        long grown = settledHeap() - before;
        System.out.println("CancellationToken: heap grown by " + grown + " B over 10,000,000 children");
        assertThat(isForgotten(token)).isTrue();
        assertThat(grown).isLessThan(4 << 20);
    }

    private static long settledHeap() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
