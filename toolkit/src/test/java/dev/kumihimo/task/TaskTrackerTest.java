package dev.kumihimo.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.support.Observe;
import dev.kumihimo.support.TaskProbe;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Counting what is under way, and waiting for its end. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class TaskTrackerTest {
    private static final Duration LONG = Duration.ofSeconds(10);
    private static final Duration FOREVER = Duration.ofDays(1);

    private final TaskRuntime runtime = TaskRuntime.builder().workerThreads(2).build();
    private final TaskTracker tracker = TaskTracker.create();

    @AfterEach
    void close() {
        runtime.close();
    }

    private TaskProbe<String> waiter() {
        return TaskProbe.spawn(runtime, () -> {
                    tracker.await();
                    return "over";
                })
                .untilParked();
    }

    @Test
    void await_endsWhenClosedAndEmpty_andNotBefore() throws Exception {
        Channel<Integer> gate = Channel.bounded(2);
        JoinHandle<Integer> task =
                runtime.<JoinHandle<Integer>, RuntimeException>blockOn(() -> tracker.spawn(() -> gate.receive()));
        JoinHandle<Integer> job = runtime.<JoinHandle<Integer>, RuntimeException>blockOn(
                () -> tracker.spawnBlocking(() -> gate.receive()));
        assertThat(tracker.size()).isEqualTo(2);
        TaskProbe<String> waiter = waiter();
        assertThat(tracker.close()).isTrue();
        assertThat(tracker.close()).isFalse();
        assertThatExceptionOfType(TimeoutException.class)
                .isThrownBy(() -> tracker.await(Duration.ofMillis(2)))
                .withMessageContaining("2 tracked, closed");
        gate.send(1);
        gate.send(2);
        assertThat(waiter.handle().join(LONG)).isEqualTo("over");
        assertThat(task.join() + job.join()).isEqualTo(3);
        tracker.await();
        tracker.await(Duration.ZERO);
        assertThat(tracker.isEmpty()).isTrue();
    }

    @Test
    void await_ofAnEmptyTracker_waitsForTheClose() throws Exception {
        TaskProbe<String> waiter = waiter();
        assertThatExceptionOfType(TimeoutException.class).isThrownBy(() -> tracker.await(Duration.ZERO));
        tracker.close();
        assertThat(waiter.handle().join(LONG)).isEqualTo("over");
    }

    /** Tokio's notify_on_close_reopen: closed and empty for a moment, before the waiter can have looked. */
    @Test
    void await_begunBefore_isNotMissed_ifTheTrackerIsReopenedAtOnce() throws Exception {
        TaskProbe<String> waiter = waiter();
        assertThat(tracker.close()).isTrue();
        assertThat(tracker.reopen()).isTrue();
        assertThat(tracker.reopen()).isFalse();
        assertThat(tracker.isClosed()).isFalse();
        assertThat(waiter.handle().join(LONG)).isEqualTo("over");
        TaskProbe<String> later = waiter();
        assertThat(later.handle().isFinished()).isFalse();
        tracker.close();
        assertThat(later.handle().join(LONG)).isEqualTo("over");
    }

    @Test
    void await_isNotEndedByEmptiness_whileOpen_orByAClose_whileTracking() throws Exception {
        TaskProbe<String> waiter = waiter();
        tracker.token().close();
        TaskTracker.Token token = tracker.token();
        tracker.close();
        tracker.reopen();
        token.close();
        assertThat(waiter.handle().isFinished()).isFalse();
        TaskTracker.Token last = tracker.token();
        tracker.close();
        last.close();
        last.close();
        assertThat(waiter.handle().join(LONG)).isEqualTo("over");
        assertThat(tracker.size()).isZero();
    }

    @Test
    void track_countsABodyInPlace_alsoIfItThrows() throws Exception {
        assertThat(tracker.<Integer, RuntimeException>track(() -> tracker.size()))
                .isEqualTo(1);
        assertThatExceptionOfType(IllegalStateException.class)
                .isThrownBy(() -> tracker.track(() -> {
                    assertThat(tracker.size()).isEqualTo(1);
                    throw new IllegalStateException("mine");
                }));
        assertThat(tracker.size()).isZero();
    }

    @Test
    void spawn_afterTheClose_isTracked() throws Exception {
        Channel<Integer> gate = Channel.bounded(1);
        tracker.close();
        JoinHandle<Integer> task = tracker.spawn(() -> gate.receive());
        assertThatExceptionOfType(TimeoutException.class).isThrownBy(() -> tracker.await(Duration.ofMillis(1)));
        gate.send(4);
        tracker.await(LONG);
        assertThat(task.tryResult()).isEqualTo(new JoinResult.Success<>(4));
    }

    @Test
    void spawn_inARuntimeThatIsShutDown_isNotTracked() throws Exception {
        TaskProbe<JoinResult<Integer>> late = TaskProbe.spawn(runtime, () -> {
                    try {
                        Task.sleep(FOREVER);
                        return null;
                    } catch (InterruptedException e) {
                        return Task.shield(() -> tracker.spawn(() -> 1).result());
                    }
                })
                .untilParked();
        runtime.shutdown(LONG);
        assertThat(late.handle().join()).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(tracker.size()).isZero();
    }

    @Test
    void await_interruptedAbortedOrLate_leavesNoWaiter() throws Exception {
        TaskProbe<String> interrupted = waiter();
        TaskProbe<String> aborted = waiter();
        interrupted.thread().interrupt();
        aborted.handle().abort();
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(() -> interrupted.handle().join(LONG))
                .withCauseExactlyInstanceOf(InterruptedException.class);
        assertThat(aborted.handle().result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        assertThatExceptionOfType(TimeoutException.class).isThrownBy(() -> tracker.await(Duration.ofMillis(2)));
        assertThat(((TrackerPoint) tracker.waitPoint()).hasWaiters()).isFalse();
    }

    @Test
    void select_waitsForTheEnd_andLeavesNothingWhereItLoses() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        Select<String> select =
                Select.<String>of().onReceive(channel, item -> item).on(tracker, () -> "over");
        TaskProbe<String> loser = TaskProbe.spawn(runtime, select::await).untilParked();
        channel.send("item");
        assertThat(loser.handle().join(LONG)).isEqualTo("item");
        assertThat(((TrackerPoint) tracker.waitPoint()).hasWaiters()).isFalse();
        TaskProbe<String> winner = TaskProbe.spawn(runtime, select::await).untilParked();
        tracker.close();
        assertThat(winner.handle().join(LONG)).isEqualTo("over");
        assertThat(select.await()).isEqualTo("over");
    }

    /** Tokio's close_during_exit: whoever comes last, the close or the end, ends the wait. */
    @Test
    void closeAndTheLastEnd_atOnce_alwaysEndTheWait() throws Exception {
        for (int round = 0; round < 2_000; round++) {
            TaskTracker each = TaskTracker.create();
            TaskTracker.Token token = each.token();
            JoinHandle<?> waiter = runtime.spawn(() -> each.await());
            JoinHandle<?> ending = runtime.spawn(() -> token.close());
            JoinHandle<?> closing = runtime.spawn(() -> {
                each.close();
            });
            assertThat(waiter.result(LONG).isSuccess()).isTrue();
            ending.join();
            closing.join();
        }
    }

    @Test
    void theCleanupOfATask_isOverWhenTheWaitIs() throws Exception {
        AtomicInteger cleaned = new AtomicInteger();
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            tasks.add(tracker.spawn(() -> {
                try {
                    Task.sleep(FOREVER);
                } finally {
                    Task.shield(() -> Task.sleep(Duration.ofMillis(2)));
                    cleaned.incrementAndGet();
                }
            }));
        }
        tracker.close();
        Observe.until("all sleep", () -> tracker.size() == 10);
        for (JoinHandle<?> task : tasks) {
            Observe.until("it sleeps", () -> ((dev.kumihimo.internal.wait.Waiter) task).openWait() != null);
            task.abort();
        }
        tracker.await(LONG);
        assertThat(cleaned).hasValue(10);
    }

    @Test
    void finishedTasks_areNotRetained() throws Exception {
        runtime.blockOn(() -> {
            long before = 0;
            for (int i = 0; i < 300_000; i++) {
                if (i == 50_000) {
                    before = settledHeap();
                }
                tracker.spawn(() -> 1).join();
            }
            long grown = settledHeap() - before;
            System.out.println("TaskTracker: heap grown by " + grown + " B over 250,000 tasks");
            assertThat(grown).isLessThan(4 << 20);
        });
    }

    private static long settledHeap() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
