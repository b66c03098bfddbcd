package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kumihimo.support.Observe;
import dev.kumihimo.support.TaskProbe;
import dev.kumihimo.time.Timeout;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Jobs on the blocking pool: its threads, its queue, and how jobs are ended. */
@org.junit.jupiter.api.Timeout(value = 30, threadMode = ThreadMode.SEPARATE_THREAD)
class BlockingJobTest {
    private static final Duration LONG = Duration.ofSeconds(10);

    private final TaskRuntime runtime = TaskRuntime.builder()
            .workerThreads(1)
            .maxBlockingThreads(2)
            .threadName("jobs")
            .shutdownTimeout(Duration.ofSeconds(5))
            .build();

    @AfterEach
    void close() {
        runtime.close();
    }

    @Test
    void aJob_runsOnANamedPlatformThread_andGivesItsValue() throws Exception {
        JoinHandle<String> job = runtime.spawnBlocking(() ->
                Thread.currentThread().getName() + " " + Thread.currentThread().isVirtual() + " "
                        + Task.current().name());
        assertThat(job.join(LONG)).isEqualTo("jobs-blocking-1 false " + job.name());
        assertThat(job.name()).startsWith("job-");
        assertThat(job.toString()).isEqualTo("blocking job \"" + job.name() + '"');
    }

    @Test
    void aFailingJob_leavesItsThreadFitForTheNext() throws Exception {
        JoinHandle<Object> failing = runtime.spawnBlocking(() -> {
            Thread.currentThread().setName("spoiled");
            Thread.currentThread().interrupt();
            throw new IOException("no disk");
        });
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(() -> failing.join(LONG))
                .withCauseInstanceOf(IOException.class);
        runtime.core(); // the thread is being cleaned after the join returned, so both threads are asked below
        CyclicBarrier both = new CyclicBarrier(2);
        List<JoinHandle<String>> jobs = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            jobs.add(runtime.spawnBlocking(() -> {
                String seen = Thread.currentThread().getName() + " "
                        + Thread.currentThread().isInterrupted();
                both.await();
                return seen;
            }));
        }
        List<String> seen = new ArrayList<>();
        for (JoinHandle<String> job : jobs) {
            seen.add(job.join(LONG));
        }
        assertThat(seen).containsExactlyInAnyOrder("jobs-blocking-1 false", "jobs-blocking-2 false");
    }

    @Test
    void threads_areReused_thenGrown_thenJobsQueue() throws Exception {
        for (int i = 0; i < 5; i++) {
            Thread only = runtime.spawnBlocking(() -> Thread.currentThread()).join(LONG);
            Observe.untilParked(only); // it takes no job before it waits for one
        }
        assertThat(runtime.core().blocking().threads()).isOne();
        CountDownLatch release = new CountDownLatch(1);
        List<JoinHandle<?>> jobs = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            jobs.add(runtime.spawnBlocking(() -> {
                release.await();
            }));
        }
        assertThat(runtime.core().blocking().threads()).isEqualTo(2);
        assertThat(runtime.core().blocking().queued()).isEqualTo(3);
        release.countDown();
        for (JoinHandle<?> job : jobs) {
            job.join(LONG);
        }
        assertThat(runtime.core().blocking().threads()).isEqualTo(2);
    }

    @Test
    void idleThreads_endAfterTheirKeepAlive_andComeBack() throws Exception {
        try (TaskRuntime brief = TaskRuntime.builder()
                .workerThreads(1)
                .threadKeepAlive(Duration.ofMillis(20))
                .build()) {
            brief.spawnBlocking(() -> 1).join(LONG);
            Observe.until("no thread is left", () -> brief.core().blocking().threads() == 0);
            assertThat(brief.spawnBlocking(() -> 2).join(LONG)).isEqualTo(2);
        }
    }

    /** Jobs that arrive just as idle threads give up: one that queues behind a full pool must not be left there. */
    @Test
    void jobsThatArriveAsThreadsEnd_areNotForgotten() throws Exception {
        try (TaskRuntime brief = TaskRuntime.builder()
                .workerThreads(1)
                .maxBlockingThreads(2)
                .threadKeepAlive(Duration.ofNanos(50_000))
                .build()) {
            CountDownLatch release = new CountDownLatch(1);
            JoinHandle<?> occupier = brief.spawnBlocking(() -> {
                release.await();
            });
            for (int i = 0; i < 5_000; i++) {
                JoinHandle<Integer> job = brief.spawnBlocking(() -> 1);
                long pause = System.nanoTime() + (i % 100) * 1_000L;
                job.join(Duration.ofSeconds(5));
                while (System.nanoTime() < pause) {
                    Thread.onSpinWait();
                }
            }
            release.countDown();
            occupier.join(LONG);
        }
    }

    @Test
    void abort_ofAQueuedJob_meansThatItNeverRuns() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        AtomicInteger ran = new AtomicInteger();
        for (int i = 0; i < 2; i++) {
            TaskProbe.spawnBlocking(runtime, () -> {
                        release.await();
                        return null;
                    })
                    .untilParked();
        }
        JoinHandle<Integer> queued = runtime.spawnBlocking(ran::incrementAndGet);
        JoinHandle<Integer> behind = runtime.spawnBlocking(() -> 2);
        queued.abort();
        assertThat(queued.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        release.countDown();
        assertThat(behind.join(LONG)).isEqualTo(2);
        assertThat(ran).hasValue(0);
    }

    @Test
    void abort_ofARunningJob_interruptsIt_andItsHandleEndsWhenItHas() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        AtomicBoolean interrupted = new AtomicBoolean();
        TaskProbe<Object> job = TaskProbe.spawnBlocking(runtime, () -> {
                    try {
                        new CountDownLatch(1).await();
                    } catch (InterruptedException e) {
                        interrupted.set(true);
                        release.await(); // one interrupt, no more
                        throw e;
                    }
                    return null;
                })
                .untilParked();
        job.handle().abort();
        Observe.until("it is interrupted", interrupted::get);
        assertThat(job.handle().isFinished()).isFalse();
        release.countDown();
        assertThat(job.handle().result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
    }

    @Test
    void abort_ofARunningJob_interruptsItAlsoWhenThePoolIsFull() throws Exception {
        List<TaskProbe<Object>> jobs = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            jobs.add(TaskProbe.spawnBlocking(runtime, () -> {
                        Thread.sleep(Duration.ofDays(1));
                        return null;
                    })
                    .untilParked());
        }
        for (TaskProbe<Object> job : jobs) {
            job.handle().abort();
        }
        for (TaskProbe<Object> job : jobs) {
            assertThat(job.handle().result(Duration.ofSeconds(5))).isInstanceOf(JoinResult.Cancelled.class);
        }
    }

    @Test
    void theInterruptOfAnAbort_neverHitsTheNextJobOfTheThread() throws Exception {
        AtomicInteger hit = new AtomicInteger();
        for (int i = 0; i < 2_000; i++) {
            int spin = i % 50;
            JoinHandle<?> victim = runtime.spawnBlocking(() -> {
                for (int s = 0; s < spin * 20; s++) {
                    Thread.onSpinWait();
                }
            });
            victim.abort();
            runtime.spawnBlocking(() -> {
                        if (Thread.interrupted()) {
                            hit.incrementAndGet();
                        }
                    })
                    .join(LONG);
            victim.result(LONG);
        }
        assertThat(hit).hasValue(0);
    }

    @Test
    void interruptingAJoiner_leavesTheJobAlone() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        JoinHandle<String> job = runtime.spawnBlocking(() -> {
            release.await();
            return "whole";
        });
        TaskProbe<String> joiner = TaskProbe.spawn(runtime, () -> job.join()).untilParked();
        joiner.handle().abort();
        assertThat(joiner.handle().result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        release.countDown();
        assertThat(job.join(LONG)).isEqualTo("whole");
    }

    @Test
    void taskBlocking_givesTheValueOrTheExceptionAsItIs() throws Exception {
        runtime.blockOn(() -> {
            assertThat(Task.<String, RuntimeException>blocking(
                            () -> Thread.currentThread().isVirtual() + " "
                                    + Task.current().runtime().workerThreads()))
                    .isEqualTo("false 1");
            IOException thrown = new IOException("gone");
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> Task.blocking(() -> {
                        if (thrown != null) {
                            throw thrown;
                        }
                        return 1;
                    }))
                    .isSameAs(thrown);
        });
    }

    @Test
    void taskBlocking_passesCancellationOn_andWaitsForTheJobsEnd() throws Exception {
        AtomicBoolean ended = new AtomicBoolean();
        TaskProbe<Object> task = TaskProbe.spawn(
                        runtime,
                        () -> Task.blocking(() -> {
                            try {
                                new CountDownLatch(1).await();
                            } finally {
                                ended.set(true);
                            }
                            return null;
                        }))
                .untilParked();
        Observe.until("the job runs", () -> runtime.core().blocking().threads() == 1);
        task.handle().abort();
        assertThat(task.handle().result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        // The job may have been aborted before it began; what counts is that nothing of it lives on.
        Observe.until("nothing lives", () -> runtime.liveTasks() == 0);
        assertThat(ended.get() || runtime.core().blocking().queued() == 0).isTrue();
    }

    @Test
    void taskBlocking_abortedWhileTheJobRuns_endsAfterTheJob() throws Exception {
        AtomicBoolean interrupted = new AtomicBoolean();
        CountDownLatch started = new CountDownLatch(1);
        JoinHandle<?> task = runtime.spawn(() -> Task.blocking(() -> {
            try {
                started.countDown();
                Thread.sleep(Duration.ofDays(1));
            } catch (InterruptedException e) {
                interrupted.set(true);
                throw e;
            }
        }));
        started.await();
        task.abort();
        assertThat(task.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(interrupted).as("the call ended after the job").isTrue();
    }

    @Test
    void aJob_canJoinOneThatRanOnItsThreadBefore() throws Exception {
        JoinHandle<Integer> earlier = runtime.spawnBlocking(() -> 1);
        earlier.join();
        for (int i = 0; i < 4; i++) {
            assertThat(runtime.spawnBlocking(() -> earlier.join()).join(LONG)).isOne();
        }
    }

    @Test
    void taskBlocking_insideATimeout_endsWithIt() throws Exception {
        assertThat(runtime.spawn(() -> {
                            try {
                                Timeout.call(
                                        Duration.ofMillis(20),
                                        () -> Task.blocking(() -> {
                                            TimeUnit.DAYS.sleep(1);
                                        }));
                                return "slept";
                            } catch (TimeoutException e) {
                                return "timed out, flag "
                                        + Thread.currentThread().isInterrupted();
                            }
                        })
                        .join(LONG))
                .isEqualTo("timed out, flag false");
    }

    @Test
    void toolkitWaits_workInAJob_andObeyItsAbort() throws Exception {
        TaskProbe<Object> job = TaskProbe.spawnBlocking(runtime, () -> {
                    Task.sleep(Duration.ofMillis(1));
                    assertThat(Task.spawn(() -> 3).join()).isEqualTo(3);
                    Task.sleep(Duration.ofDays(1));
                    return null;
                })
                .untilParked();
        job.handle().abort();
        assertThat(job.handle().result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
    }

    @Test
    void hundredsOfJobs_runAtOnce() throws Exception {
        try (TaskRuntime wide = TaskRuntime.builder().workerThreads(1).build()) {
            CyclicBarrier all = new CyclicBarrier(300);
            List<JoinHandle<Integer>> jobs = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                jobs.add(wide.spawnBlocking(() -> all.await(20, TimeUnit.SECONDS)));
            }
            for (JoinHandle<Integer> job : jobs) {
                job.join(Duration.ofSeconds(25));
            }
        }
    }
}
