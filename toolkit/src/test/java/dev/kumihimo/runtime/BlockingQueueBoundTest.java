package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kumihimo.support.Observe;
import dev.kumihimo.support.TaskProbe;
import dev.kumihimo.task.JoinMap;
import dev.kumihimo.task.JoinSet;
import dev.kumihimo.task.TaskTracker;
import dev.kumihimo.time.Timeout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** A blocking pool whose queue has a bound: what is refused, who waits for room, and that nothing stays behind. */
@org.junit.jupiter.api.Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class BlockingQueueBoundTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private final CountDownLatch release = new CountDownLatch(1);
    private final Queue<String> order = new ConcurrentLinkedQueue<>();
    private final TaskRuntime runtime = bounded("orders", 1);

    private static TaskRuntime bounded(String name, int queue) {
        return TaskRuntime.builder()
                .name(name)
                .workerThreads(1)
                .maxBlockingThreads(1)
                .maxBlockingQueue(queue)
                .shutdownTimeout(Duration.ofSeconds(10))
                .build();
    }

    @AfterEach
    void close() {
        release.countDown();
        runtime.close();
    }

    /** Has the one thread busy until the release. */
    private TaskProbe<Object> occupy(TaskRuntime of) {
        return TaskProbe.spawnBlocking(of, () -> {
                    release.await();
                    return null;
                })
                .untilParked();
    }

    private JoinHandle<String> queue(String name) {
        return runtime.spawnBlocking(() -> {
            order.add(name);
            return name;
        });
    }

    private void fill() {
        occupy(runtime);
        queue("queued");
    }

    /** A task that waits for room, and has begun to. */
    private TaskProbe<String> waiting(String name) {
        return TaskProbe.<String>spawn(
                        runtime,
                        () -> Task.blocking(() -> {
                            order.add(name);
                            return name;
                        }))
                .untilParked();
    }

    /* ---------------- Refusals -------------- */

    @Test
    void aFullQueue_refuses_namingTheRuntimeItsThreadsAndTheBound() throws Exception {
        TaskProbe<Object> busy = occupy(runtime);
        JoinHandle<String> queued = queue("queued");
        for (ThrowingCallable spawn : List.<ThrowingCallable>of(
                () -> queue("refused"),
                () -> runtime.spawnBlocking(() -> {
                    order.add("refused");
                }),
                () -> runtime.blockOn(() -> Task.spawnBlocking(() -> order.add("refused"))))) {
            assertThatExceptionOfType(RejectedExecutionException.class)
                    .isThrownBy(spawn)
                    .withMessageContainingAll("runtime orders", "all 1 blocking threads", "maxBlockingQueue=1");
        }
        Observe.until("the two that were taken are left", () -> runtime.liveTasks() == 2);
        release.countDown();
        busy.handle().join(LONG);
        assertThat(queued.join(LONG)).isEqualTo("queued");
        assertThat(queue("later").join(LONG)).isEqualTo("later");
        assertThat(order).containsExactly("queued", "later");
    }

    @Test
    void withoutAQueue_aJobIsGivenToAThreadOrRefused() throws Exception {
        try (TaskRuntime direct = bounded("direct", 0)) {
            TaskProbe<Object> busy = occupy(direct);
            assertThatExceptionOfType(RejectedExecutionException.class)
                    .isThrownBy(() -> direct.spawnBlocking(() -> 1))
                    .withMessageContaining("maxBlockingQueue=0");
            TaskProbe<Integer> waits = TaskProbe.spawn(direct, () -> Task.<Integer, RuntimeException>blocking(() -> 2))
                    .untilParked();
            assertThatExceptionOfType(RejectedExecutionException.class).isThrownBy(() -> direct.spawnBlocking(() -> 1));
            release.countDown();
            assertThat(waits.handle().join(LONG)).isEqualTo(2);
            Observe.untilParked(busy.thread());
            assertThat(direct.spawnBlocking(() -> 3).join(LONG))
                    .as("an idle thread")
                    .isEqualTo(3);
        }
    }

    @Test
    void anAbortedJob_givesItsPlaceBack() throws Exception {
        occupy(runtime);
        JoinHandle<String> first = queue("first");
        first.abort();
        assertThat(first.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        JoinHandle<String> second = queue("second");
        assertThatExceptionOfType(RejectedExecutionException.class).isThrownBy(() -> queue("third"));
        release.countDown();
        assertThat(second.join(LONG)).isEqualTo("second");
        assertThat(order).containsExactly("second");
    }

    @Test
    void setsMapsAndTrackers_passARefusalOn_andKeepNoMember() throws Exception {
        fill();
        runtime.blockOn(() -> {
            TaskTracker tracker = TaskTracker.create();
            try (JoinSet<String> set = JoinSet.open(1);
                    JoinMap<String, String> map = JoinMap.open()) {
                map.spawn("key", () -> "kept");
                assertThatExceptionOfType(RejectedExecutionException.class)
                        .isThrownBy(() -> set.spawnBlocking(() -> "refused"))
                        .withMessageContaining("maxBlockingQueue=1");
                assertThatExceptionOfType(RejectedExecutionException.class)
                        .isThrownBy(() -> map.spawnBlocking("key", () -> "refused"));
                assertThatExceptionOfType(RejectedExecutionException.class)
                        .isThrownBy(() -> map.spawnBlocking("other", () -> "refused"));
                assertThatExceptionOfType(RejectedExecutionException.class)
                        .isThrownBy(() -> tracker.spawnBlocking(() -> "refused"));
                assertThat(set.size()).isZero();
                assertThat(map.size()).isOne();
                assertThat(map.containsKey("other")).isFalse();
                assertThat(tracker.size()).isZero();
                set.spawn(() -> "has the one slot");
                assertThat(set.joinAll()).containsExactly("has the one slot");
                assertThat(map.joinNext().result().get()).as("not replaced").isEqualTo("kept");
            }
        });
        Observe.until("the two that were taken are left", () -> runtime.liveTasks() == 2);
    }

    /* ---------------- Waiting for room -------------- */

    @Test
    void whoWaits_isServedInOrder_andBeforeAnybodyElse() throws Exception {
        fill();
        List<TaskProbe<String>> waiting = new ArrayList<>();
        for (String name : List.of("a", "b", "c")) {
            waiting.add(waiting(name));
        }
        assertThat(runtime.core().blocking().queued()).isOne();
        assertThatExceptionOfType(RejectedExecutionException.class).isThrownBy(() -> queue("barging"));
        release.countDown();
        for (TaskProbe<String> each : waiting) {
            each.handle().join(LONG);
        }
        assertThat(order).containsExactly("queued", "a", "b", "c");
        assertThat(runtime.core().blocking().hasWaiters()).isFalse();
        Observe.until("none is left", () -> runtime.liveTasks() == 0);
    }

    /** Not only once a thread has nothing else to do. */
    @Test
    void thePlaceOfAJobThatBegins_goesToWhoWaits() throws Exception {
        CountDownLatch first = new CountDownLatch(1);
        TaskProbe.spawnBlocking(runtime, () -> {
                    first.await();
                    return null;
                })
                .untilParked();
        TaskProbe<Object> second = TaskProbe.spawnBlocking(runtime, () -> {
            release.await();
            return null;
        });
        TaskProbe<String> waits = waiting("a");
        first.countDown();
        second.untilParked();
        assertThat(runtime.core().blocking().queued()).isOne();
        assertThat(runtime.core().blocking().hasWaiters()).isFalse();
        assertThatExceptionOfType(RejectedExecutionException.class).isThrownBy(() -> queue("barging"));
        release.countDown();
        assertThat(waits.handle().join(LONG)).isEqualTo("a");
    }

    @Test
    void thePlaceOfAnAbortedJob_goesToWhoWaits() throws Exception {
        occupy(runtime);
        JoinHandle<String> queued = queue("queued");
        TaskProbe<String> waits = waiting("a");
        queued.abort();
        Observe.until("it has the place", () -> runtime.core().blocking().queued() == 1);
        assertThat(runtime.core().blocking().hasWaiters()).isFalse();
        assertThatExceptionOfType(RejectedExecutionException.class).isThrownBy(() -> queue("barging"));
        release.countDown();
        assertThat(waits.handle().join(LONG)).isEqualTo("a");
        assertThat(order).containsExactly("a");
    }

    @Test
    void whoIsCancelledWhileItWaits_leavesNothing_andHoldsNobodyUp() throws Exception {
        fill();
        TaskProbe<String> cancelled = waiting("cancelled");
        TaskProbe<String> next = waiting("next");
        cancelled.handle().abort();
        assertThat(cancelled.handle().result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        Observe.until(
                "its job has gone: two jobs, the waiting task and its job are left", () -> runtime.liveTasks() == 4);
        release.countDown();
        assertThat(next.handle().join(LONG)).isEqualTo("next");
        assertThat(order).containsExactly("queued", "next");
    }

    @Test
    void whoIsInterruptedWhileItWaits_isToldSo() throws Exception {
        fill();
        AtomicReference<Throwable> told = new AtomicReference<>();
        Thread foreign = Thread.ofPlatform().start(() -> {
            try {
                runtime.spawnBlockingWhenRoom(() -> order.add("interrupted"));
            } catch (Throwable e) {
                told.set(e);
            }
        });
        Observe.until("it waits", () -> runtime.core().blocking().hasWaiters());
        foreign.interrupt();
        foreign.join();
        assertThat(told.get()).isExactlyInstanceOf(InterruptedException.class);
        assertThat(runtime.core().blocking().hasWaiters()).isFalse();
        assertThat(runtime.liveTasks()).isEqualTo(2);
        release.countDown();
        Observe.until("all have ended", () -> runtime.liveTasks() == 0);
        assertThat(order).containsExactly("queued");
    }

    @Test
    void aTimeout_endsTheWait() throws Exception {
        fill();
        assertThat(runtime.spawn(() -> {
                            try {
                                return Timeout.call(
                                        Duration.ofMillis(20),
                                        () -> Task.<String, RuntimeException>blocking(() -> "in time"));
                            } catch (TimeoutException e) {
                                return "timed out";
                            }
                        })
                        .join(LONG))
                .isEqualTo("timed out");
        assertThat(runtime.core().blocking().hasWaiters()).isFalse();
        Observe.until("the two that were taken are left", () -> runtime.liveTasks() == 2);
    }

    @Test
    void spawnBlockingWhenRoom_givesAHandleOnceThereIsRoom() throws Exception {
        fill();
        TaskProbe<JoinHandle<String>> waits = TaskProbe.spawn(
                        runtime,
                        () -> Task.spawnBlockingWhenRoom(() -> {
                            order.add("a");
                            return "a";
                        }))
                .untilParked();
        assertThat(runtime.core().blocking().hasWaiters()).isTrue();
        release.countDown();
        assertThat(waits.handle().join(LONG).join(LONG)).isEqualTo("a");
        runtime.spawnBlockingWhenRoom(() -> {
                    order.add("b");
                })
                .join(LONG);
        assertThat(order).containsExactly("queued", "a", "b");
    }

    /* ---------------- Shutdown -------------- */

    /** Whoever waits from outside is not cancelled by the shutdown, but has nothing left to wait for. */
    @Test
    void shutdown_endsTheWaitOfAForeignThread_withACancelledHandle() throws Exception {
        TaskRuntime ending = bounded("ending", 0);
        CountDownLatch stuck = new CountDownLatch(1);
        TaskProbe<Object> busy = TaskProbe.spawnBlocking(ending, () -> {
                    while (stuck.getCount() > 0) {
                        try {
                            stuck.await();
                        } catch (InterruptedException e) {
                            // it is stuck
                        }
                    }
                    return null;
                })
                .untilParked();
        AtomicReference<JoinResult<?>> result = new AtomicReference<>();
        AtomicReference<Throwable> told = new AtomicReference<>();
        Thread foreign = Thread.ofPlatform().start(() -> {
            try {
                result.set(
                        ending.spawnBlockingWhenRoom(() -> order.add("never")).result());
            } catch (Throwable e) {
                told.set(e);
            }
        });
        Observe.until("it waits", () -> ending.core().blocking().hasWaiters());
        assertThat(ending.shutdown(Duration.ZERO)).isNotEmpty();
        foreign.join();
        assertThat(told.get()).isNull();
        assertThat(result.get()).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(ending.spawnBlockingWhenRoom(() -> 1).result()).isInstanceOf(JoinResult.Cancelled.class);
        stuck.countDown();
        busy.handle().join(LONG);
        Observe.until("the job has gone", () -> ending.liveTasks() == 0);
        assertThat(order).isEmpty();
    }

    @Test
    void shutdown_endsWhoWaitsInATask() throws Exception {
        TaskRuntime ending = bounded("ending", 0);
        TaskProbe<Object> busy = occupy(ending);
        TaskProbe<Integer> waits = TaskProbe.spawn(ending, () -> Task.<Integer, RuntimeException>blocking(() -> 1))
                .untilParked();
        assertThat(ending.shutdown(LONG)).isEmpty();
        assertThat(waits.handle().result()).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(busy.handle().result()).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(ending.core().blocking().hasWaiters()).isFalse();
    }
}
