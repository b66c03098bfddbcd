package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ch.qos.logback.classic.Level;
import dev.kumihimo.channel.Channel;
import dev.kumihimo.support.CapturedLog;
import dev.kumihimo.support.Observe;
import dev.kumihimo.support.TaskProbe;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How a runtime ends, and what comes after. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class ShutdownTest {
    private static final Duration LONG = Duration.ofSeconds(10);
    private static final Duration FOREVER = Duration.ofDays(1);

    private static TaskRuntime runtime(int workers) {
        return TaskRuntime.builder().workerThreads(workers).build();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void close_endsEveryOutstandingTask_andRunsItsCleanup(int workers) {
        TaskRuntime runtime = runtime(workers);
        Channel<String> never = Channel.bounded(1);
        AtomicInteger cleaned = new AtomicInteger();
        List<JoinHandle<?>> handles = new ArrayList<>();
        List<TaskProbe<?>> probes = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            boolean foreign = i % 2 == 0;
            probes.add(TaskProbe.spawn(runtime, () -> {
                try {
                    if (foreign) {
                        Thread.sleep(FOREVER);
                    }
                    return never.receive();
                } finally {
                    Task.shield(() -> Task.sleep(Duration.ofMillis(2)));
                    cleaned.incrementAndGet();
                }
            }));
        }
        probes.forEach(probe -> handles.add(probe.untilParked().handle()));
        runtime.close();
        assertThat(cleaned).hasValue(100);
        assertThat(handles)
                .allSatisfy(handle -> assertThat(handle.tryResult())
                        .isInstanceOfSatisfying(
                                JoinResult.Cancelled.class,
                                cancelled ->
                                        assertThat(cancelled.reason().kind()).isEqualTo(CancelReason.Kind.SHUTDOWN)));
        assertThat(runtime.liveTasks()).isZero();
        assertThat(runtime.isShutdown()).isTrue();
    }

    @Test
    void close_letsGoOfWhatTheTasksHeld() {
        TaskRuntime runtime = runtime(1);
        WeakReference<Object> held = new WeakReference<>(startHolding(runtime));
        runtime.close();
        Observe.until("it is collected", () -> {
            System.gc();
            return held.get() == null;
        });
    }

    private static Object startHolding(TaskRuntime runtime) {
        Object held = new Object();
        TaskProbe.spawn(runtime, () -> {
                    Task.sleep(FOREVER);
                    return held;
                })
                .untilParked();
        return held;
    }

    @Test
    void close_endsTheRuntimesThreads() {
        TaskRuntime runtime = TaskRuntime.builder()
                .workerThreads(2)
                .threadName("ending")
                .name("ending")
                .threadKeepAlive(Duration.ofMillis(10))
                .build();
        for (int i = 0; i < 100; i++) {
            runtime.spawn(() -> Task.sleep(Duration.ofMillis(1)));
            runtime.spawnBlocking(() -> 1);
        }
        runtime.close();
        Observe.until(
                "its threads are gone",
                () -> Thread.getAllStackTraces().keySet().stream()
                        .noneMatch(thread -> thread.getName().startsWith("ending-")));
    }

    @Test
    void shutdown_withNothingRunning_returnsAtOnce() {
        TaskRuntime runtime = runtime(2);
        assertThat(runtime.shutdown(FOREVER)).isEmpty();
        TaskRuntime used = runtime(2);
        used.spawn(() -> 1);
        used.spawnBlocking(() -> 1);
        assertThat(used.shutdown(FOREVER)).isEmpty();
    }

    @Test
    void shutdown_withAStuckJob_returnsInTimeAndNamesIt() throws Exception {
        TaskRuntime runtime = runtime(1);
        CountDownLatch release = new CountDownLatch(1);
        TaskProbe<Integer> job = TaskProbe.spawnBlocking(runtime, () -> {
            while (true) {
                try {
                    release.await();
                    return 42;
                } catch (InterruptedException e) {
                    // deaf on purpose
                }
            }
        });
        job.untilParked();
        long begun = System.nanoTime();
        assertThat(runtime.shutdown(Duration.ofMillis(100)))
                .containsExactly(job.handle().toString());
        assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun)).isGreaterThanOrEqualTo(100);
        assertThat(runtime.shutdown(Duration.ZERO)).containsExactly(job.handle().toString());
        // RT-35: what remains runs on, and ends properly.
        release.countDown();
        assertThat(job.handle().join(LONG)).isEqualTo(42);
        assertThat(runtime.shutdown(LONG)).isEmpty();
    }

    @Test
    void close_withAStuckTask_warnsAndNamesIt_andTheTaskRunsOn() throws Exception {
        TaskRuntime runtime = TaskRuntime.builder()
                .workerThreads(1)
                .name("impatient")
                .shutdownTimeout(Duration.ofMillis(50))
                .build();
        Channel<Integer> gate = Channel.bounded(1);
        CountDownLatch began = new CountDownLatch(1);
        JoinHandle<Integer> stuck = runtime.spawnNamed(
                "stubborn",
                () -> Task.shield(() -> {
                    began.countDown();
                    Task.sleep(Duration.ofMillis(100)); // timers still turn for it
                    return gate.receive();
                }));
        began.await();
        try (CapturedLog log = CapturedLog.open()) {
            runtime.close();
            assertThat(log.messages(Level.WARN, "impatient"))
                    .singleElement()
                    .asString()
                    .contains("1 tasks", "PT0.05S", "task \"stubborn\"");
        }
        gate.send(3);
        assertThat(stuck.join(LONG)).isEqualTo(3);
        Observe.until("the last one has put out the light", () -> runtime.liveTasks() == 0);
    }

    @Test
    void close_isIdempotent_alsoConcurrently() throws Exception {
        TaskRuntime runtime = runtime(2);
        for (int i = 0; i < 50; i++) {
            runtime.spawn(() -> Task.sleep(FOREVER));
        }
        List<CompletableFuture<Void>> closers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            closers.add(CompletableFuture.runAsync(
                    runtime::close, task -> Thread.ofPlatform().start(task)));
        }
        for (CompletableFuture<Void> closer : closers) {
            closer.get(10, TimeUnit.SECONDS);
        }
        runtime.close();
        assertThat(runtime.liveTasks()).isZero();
    }

    @Test
    void shutdown_isNotEndedByAnInterrupt_butKeepsIt() {
        TaskRuntime runtime = runtime(1);
        JoinHandle<?> slow = TaskProbe.spawn(runtime, () -> {
                    try {
                        Task.sleep(FOREVER);
                    } finally {
                        Task.shield(() -> Task.sleep(Duration.ofMillis(30)));
                    }
                    return null;
                })
                .untilParked()
                .handle();
        Thread.currentThread().interrupt();
        assertThat(runtime.shutdown(LONG)).isEmpty();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(slow.isFinished()).isTrue();
    }

    /* ---------------- From inside -------------- */

    @Test
    void shutdown_byAnOwnTaskOrJob_isRefusedWithAHelpfulMessage() throws Exception {
        try (TaskRuntime runtime =
                TaskRuntime.builder().workerThreads(1).name("mine").build()) {
            runtime.spawnNamed("suicidal", () -> {
                        assertThatExceptionOfType(IllegalStateException.class)
                                .isThrownBy(runtime::close)
                                .withMessageContainingAll("task \"suicidal\"", "its own runtime mine");
                        return 1;
                    })
                    .join(LONG);
            runtime.spawnBlocking(() -> {
                        assertThatExceptionOfType(IllegalStateException.class)
                                .isThrownBy(() -> runtime.shutdown(Duration.ZERO));
                    })
                    .join(LONG);
            assertThat(runtime.isShutdown()).isFalse();
        }
    }

    @Test
    void close_byATaskOfAnotherRuntime_works() throws Exception {
        TaskRuntime runtime = runtime(1);
        TaskProbe<Object> sleeper = TaskProbe.spawn(runtime, () -> {
                    Task.sleep(FOREVER);
                    return null;
                })
                .untilParked();
        try (TaskRuntime other = runtime(1)) {
            other.blockOn(runtime::close);
        }
        assertThat(sleeper.handle().isFinished()).isTrue();
    }

    /* ---------------- Afterwards -------------- */

    @Test
    void spawn_afterShutdown_isACancelledHandle() throws Exception {
        TaskRuntime runtime = runtime(1);
        runtime.close();
        AtomicInteger ran = new AtomicInteger();
        for (JoinHandle<Integer> handle : List.of(
                runtime.spawn(ran::incrementAndGet),
                runtime.spawnBlocking(ran::incrementAndGet),
                runtime.spawnNamed("late", ran::incrementAndGet))) {
            assertThat(handle.isFinished()).isTrue();
            assertThat(handle.result())
                    .isInstanceOfSatisfying(
                            JoinResult.Cancelled.class,
                            cancelled -> assertThat(cancelled.reason().kind()).isEqualTo(CancelReason.Kind.SHUTDOWN));
            handle.abort();
        }
        assertThatExceptionOfType(TaskCancelledException.class).isThrownBy(() -> runtime.blockOn(ran::incrementAndGet));
        assertThat(ran).hasValue(0);
    }

    @Test
    void executorView_afterShutdown_rejects() {
        TaskRuntime runtime =
                TaskRuntime.builder().workerThreads(1).name("over").build();
        ExecutorService executor = runtime.asExecutorService();
        runtime.close();
        assertThatExceptionOfType(RejectedExecutionException.class).isThrownBy(() -> executor.execute(() -> {}));
        assertThatExceptionOfType(RejectedExecutionException.class).isThrownBy(() -> executor.submit(() -> 1));
        assertThatExceptionOfType(RejectedExecutionException.class)
                .isThrownBy(() -> runtime.threadFactory().newThread(() -> {}))
                .withMessageContaining("over");
    }

    @Test
    void executorView_racingTheShutdown_completesEveryFutureItAccepted() throws Exception {
        for (int round = 0; round < 300; round++) {
            TaskRuntime runtime = runtime(1);
            ExecutorService executor = runtime.asExecutorService();
            Queue<Future<Integer>> accepted = new ConcurrentLinkedQueue<>();
            CountDownLatch begun = new CountDownLatch(1);
            Thread submitter = Thread.ofPlatform().start(() -> {
                try {
                    for (int i = 0; i < 500; i++) {
                        accepted.add(executor.submit(() -> 1));
                        begun.countDown();
                    }
                } catch (RejectedExecutionException e) {
                    // the shutdown has won
                }
                begun.countDown();
            });
            begun.await();
            runtime.close();
            submitter.join();
            for (Future<Integer> future : accepted) {
                try {
                    future.get(5, TimeUnit.SECONDS);
                } catch (ExecutionException | java.util.concurrent.CancellationException e) {
                    // ended, and said so
                }
            }
            executor.shutdown();
            assertThat(executor.awaitTermination(5, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void aThreadOfTheFactory_startedAfterShutdown_runsAsCancelledAndEnds() throws Exception {
        TaskRuntime runtime = runtime(1);
        CompletableFuture<String> seen = new CompletableFuture<>();
        Thread thread = runtime.threadFactory().newThread(() -> {
            try {
                Task.sleep(FOREVER);
                seen.complete("slept");
            } catch (TaskCancelledException e) {
                seen.complete(e.reason().kind().toString());
            } catch (InterruptedException e) {
                seen.complete("interrupted");
            }
        });
        runtime.close();
        thread.start();
        assertThat(seen.get(10, TimeUnit.SECONDS)).isEqualTo("SHUTDOWN");
        thread.join();
    }

    @Test
    void virtualThreadsThatATaskStarted_runOnAfterTheEnd_withWaitsAndTimers() throws Exception {
        TaskRuntime runtime = runtime(1);
        Channel<Integer> gate = Channel.bounded(1);
        CompletableFuture<String> seen = new CompletableFuture<>();
        CompletableFuture<Thread> started = new CompletableFuture<>();
        runtime.blockOn(() -> {
            started.complete(Thread.startVirtualThread(() -> {
                try {
                    Integer item = gate.receive();
                    Task.sleep(Duration.ofMillis(5));
                    Thread.sleep(Duration.ofMillis(5));
                    seen.complete("received " + item + " and slept");
                } catch (InterruptedException e) {
                    seen.completeExceptionally(e);
                }
            }));
        });
        Observe.untilParked(started.join());
        runtime.close();
        gate.send(1);
        assertThat(seen.get(10, TimeUnit.SECONDS)).isEqualTo("received 1 and slept");
    }

    @Test
    void aForeignThreadThatSleepsInTheToolkit_whenTheRuntimeEnds_wakesInTime() throws Exception {
        TaskRuntime runtime = runtime(1);
        CompletableFuture<Long> seen = new CompletableFuture<>();
        CompletableFuture<Thread> started = new CompletableFuture<>();
        runtime.blockOn(() -> {
            started.complete(Thread.startVirtualThread(() -> {
                try {
                    long begun = System.nanoTime();
                    Task.sleep(Duration.ofMillis(300));
                    seen.complete(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun));
                } catch (InterruptedException e) {
                    seen.completeExceptionally(e);
                }
            }));
        });
        Thread thread = started.join();
        Observe.until("it sleeps, or no more", () -> switch (thread.getState()) {
            case WAITING, TIMED_WAITING, TERMINATED -> true;
            default -> false;
        });
        runtime.close();
        assertThat(seen.get(10, TimeUnit.SECONDS)).isGreaterThanOrEqualTo(300);
    }

    /* ---------------- Races -------------- */

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void spawning_duringShutdown_neitherHangsNorLeaks(int workers) throws Exception {
        try (CapturedLog log = CapturedLog.open()) {
            for (int round = 0; round < 300; round++) {
                spawnDuringShutdown(runtime(workers));
            }
            assertThat(log.messages(Level.ERROR, "")).isEmpty();
        }
    }

    private static void spawnDuringShutdown(TaskRuntime runtime) throws Exception {
        Queue<JoinHandle<?>> handles = new ConcurrentLinkedQueue<>();
        CountDownLatch begun = new CountDownLatch(2);
        List<Thread> spawners = new ArrayList<>();
        for (int s = 0; s < 2; s++) {
            boolean blocking = s == 1;
            spawners.add(Thread.ofPlatform().start(() -> {
                begun.countDown();
                for (int i = 0; i < 50; i++) {
                    handles.add(
                            blocking
                                    ? runtime.spawnBlocking(() -> Task.sleep(FOREVER))
                                    : runtime.spawn(() -> {
                                        try {
                                            Task.sleep(FOREVER);
                                        } finally {
                                            handles.add(Task.spawn(() -> Task.sleep(FOREVER)));
                                        }
                                    }));
                }
            }));
        }
        begun.await();
        assertThat(runtime.shutdown(Duration.ofSeconds(20))).isEmpty();
        for (Thread spawner : spawners) {
            spawner.join();
        }
        assertThat(handles).isNotEmpty();
        for (JoinHandle<?> handle : handles) {
            assertThat(handle.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        }
        assertThat(runtime.liveTasks()).isZero();
    }
}
