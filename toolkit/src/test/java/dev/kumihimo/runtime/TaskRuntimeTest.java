package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.sync.Semaphore;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

@Timeout(60)
class TaskRuntimeTest {
    private static final Duration LONG = Duration.ofHours(1);

    private TaskRuntime runtime;

    @BeforeEach
    void open() {
        runtime = TaskRuntime.builder()
                .workerThreads(2)
                .maxBlockingThreads(2)
                .name("tested")
                .threadName("tested")
                .shutdownTimeout(Duration.ofSeconds(20))
                .build();
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    @Test
    void aHandle_givesTheValue_theFailureOrTheCancellation_alsoAsAFuture() throws Exception {
        JoinHandle<Integer> value = runtime.spawn(() -> 42);
        assertThat(value.join()).isEqualTo(42);
        assertThat(value.get(1, TimeUnit.SECONDS)).isEqualTo(42);
        assertThat(value.resultNow()).isEqualTo(42);
        assertThat(value.state()).isEqualTo(Future.State.SUCCESS);

        JoinHandle<Integer> failure = runtime.spawn(() -> {
            throw new IOException("disk");
        });
        assertThatThrownBy(failure::join).isInstanceOf(ExecutionException.class).hasRootCauseMessage("disk");
        assertThat(failure.exceptionNow()).isInstanceOf(IOException.class);
        assertThat(failure.state()).isEqualTo(Future.State.FAILED);

        JoinHandle<Integer> cancelled = runtime.spawn(() -> {
            Task.sleep(LONG);
            return 1;
        });
        assertThat(cancelled.cancel(true)).isTrue();
        assertThatThrownBy(cancelled::get).isInstanceOf(CancellationException.class);
        assertThatThrownBy(cancelled::join)
                .isInstanceOfSatisfying(
                        TaskCancelledException.class, e -> assertThat(e.isOwn()).isFalse());
        assertThat(cancelled.isCancelled()).isTrue();
        assertThat(cancelled.cancel(true)).isFalse();
    }

    @Test
    void aBoundedJoin_timesOut_andTheTaskRunsOn() throws Exception {
        Semaphore gate = Semaphore.of(0);
        JoinHandle<String> task = runtime.spawn(() -> {
            gate.acquire().forget();
            return "done";
        });
        assertThatThrownBy(() -> task.join(Duration.ofMillis(5))).isInstanceOf(TimeoutException.class);
        assertThat(task.tryResult()).isNull();
        gate.release(1);
        assertThat(task.join(Duration.ofSeconds(10))).isEqualTo("done");
    }

    @Test
    void aTask_knowsItself_andItsRuntimeIsAmbient_inTasksBlockingJobsAndPlainThreadsItStarts() throws Exception {
        assertThat(Task.currentOrNull()).isNull();
        assertThatThrownBy(Task::current).isInstanceOf(IllegalStateException.class);
        JoinHandle<String> named = runtime.spawnNamed(
                "me",
                () -> Task.current().name() + " " + Thread.currentThread().getName() + " "
                        + Task.current().runtime().name());
        assertThat(named.join()).isEqualTo("me me tested");
        assertThat(runtime.spawn(() -> TaskRuntime.current()).join()).isSameAs(runtime);
        assertThat(runtime.spawnBlocking(() -> TaskRuntime.current()).join()).isSameAs(runtime);
        assertThat(runtime.spawnBlocking(
                                () -> Task.spawn(() -> Task.current().runtime()).join())
                        .join())
                .isSameAs(runtime);
        AtomicBoolean ambient = new AtomicBoolean();
        runtime.blockOn(() -> {
            Thread plain = Thread.startVirtualThread(() -> ambient.set(TaskRuntime.current() == runtime));
            plain.join();
        });
        assertThat(ambient).isTrue();
        assertThat(TaskRuntime.current()).isSameAs(TaskRuntime.global());
    }

    @Test
    void blockOn_throwsWhatTheBodyThrows_andIsNotForTasks() throws Exception {
        assertThatThrownBy(() -> runtime.blockOn(() -> {
                    throw new IOException("as it is");
                }))
                .isInstanceOf(IOException.class)
                .hasMessage("as it is");
        assertThatThrownBy(() -> runtime.<Integer, RuntimeException>blockOn(() -> {
                    throw new StackOverflowError();
                }))
                .isInstanceOf(StackOverflowError.class);
        JoinHandle<?> nested = runtime.spawn(() -> runtime.blockOn(() -> 1));
        assertThat(((JoinResult.Failure<?>) nested.result()).exception()).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void interruptingBlockOn_abortsTheBody_andWaitsForIt() throws Exception {
        AtomicBoolean ended = new AtomicBoolean();
        AtomicBoolean interrupted = new AtomicBoolean();
        CountDownLatch started = new CountDownLatch(1);
        Thread caller = new Thread(() -> {
            try {
                runtime.blockOn(() -> {
                    try {
                        started.countDown();
                        Task.sleep(LONG);
                    } finally {
                        ended.set(true);
                    }
                });
            } catch (InterruptedException e) {
                interrupted.set(ended.get());
            }
        });
        caller.start();
        started.await();
        caller.interrupt();
        caller.join();
        assertThat(interrupted).isTrue();
    }

    /* ---------------- Blocking jobs -------------- */

    @Test
    void blockingJobs_reuseThreads_growToTheMaximum_andThenQueue() throws Exception {
        Semaphore gate = Semaphore.of(0);
        AtomicInteger running = new AtomicInteger();
        List<JoinHandle<?>> jobs = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            jobs.add(runtime.spawnBlocking(() -> {
                running.incrementAndGet();
                gate.acquire().forget();
            }));
        }
        await().until(() -> running.get() == 2);
        assertThat(runtime.core().blocking().threads()).isEqualTo(2);
        assertThat(runtime.core().blocking().queued()).isEqualTo(4);
        JoinHandle<?> last = jobs.get(5);
        last.abort();
        assertThat(last.result()).isInstanceOf(JoinResult.Cancelled.class);
        gate.release(5);
        for (JoinHandle<?> job : jobs.subList(0, 5)) {
            job.join();
        }
        assertThat(running.get()).as("the aborted one never began").isEqualTo(5);
    }

    @Test
    void abort_interruptsABlockingJob_andTheThreadIsCleanForTheNext() throws Exception {
        CountDownLatch started = new CountDownLatch(1);
        JoinHandle<?> job = runtime.spawnBlocking(() -> {
            started.countDown();
            Thread.sleep(LONG);
        });
        started.await();
        job.abort();
        assertThat(job.result()).isInstanceOf(JoinResult.Cancelled.class);
        for (int i = 0; i < 4; i++) {
            assertThat(runtime.spawnBlocking(() -> Thread.currentThread().isInterrupted())
                            .join())
                    .isFalse();
        }
    }

    @Test
    void aBlockingJob_canJoinOneThatRanOnItsThreadBefore() throws Exception {
        JoinHandle<Integer> earlier = runtime.spawnBlocking(() -> 1);
        earlier.join();
        for (int i = 0; i < 4; i++) {
            assertThat(runtime.spawnBlocking(() -> earlier.join()).join()).isEqualTo(1);
        }
    }

    @Test
    void taskBlocking_givesTheResultInPlace_andPassesCancellationOn() throws Exception {
        assertThat(runtime.<Boolean, InterruptedException>blockOn(
                        () -> Task.blocking(() -> Thread.currentThread().isVirtual())))
                .isFalse();
        assertThatThrownBy(() -> runtime.blockOn(() -> {
                    Task.blocking(() -> {
                        throw new IOException("disk");
                    });
                }))
                .isInstanceOf(IOException.class);
        AtomicBoolean interrupted = new AtomicBoolean();
        CountDownLatch started = new CountDownLatch(1);
        JoinHandle<?> task = runtime.spawn(() -> Task.blocking(() -> {
            try {
                started.countDown();
                Thread.sleep(LONG);
            } catch (InterruptedException e) {
                interrupted.set(true);
                throw e;
            }
        }));
        started.await();
        task.abort();
        assertThat(task.result()).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(interrupted).as("the call ended after the job").isTrue();
    }

    /* ---------------- The end -------------- */

    @Test
    void shutdown_abortsTasks_andReturnsWhenTheirCleanupHasRun() throws Exception {
        AtomicInteger cleaned = new AtomicInteger();
        Semaphore started = Semaphore.of(0);
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            tasks.add(runtime.spawn(() -> {
                try {
                    started.release(1);
                    Task.sleep(LONG);
                } finally {
                    cleaned.incrementAndGet();
                }
            }));
        }
        started.acquire(100).forget();
        assertThat(runtime.shutdown(Duration.ofSeconds(20))).isEmpty();
        assertThat(cleaned.get()).isEqualTo(100);
        assertThat(tasks).allMatch(JoinHandle::isFinished);
        assertThat(runtime.liveTasks()).isZero();
    }

    @Test
    void shutdown_namesWhatDoesNotEnd_andReturnsInTime() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch started = new CountDownLatch(1);
        JoinHandle<?> job = runtime.spawnBlocking(() -> {
            started.countDown();
            while (release.getCount() > 0) {
                try {
                    release.await();
                } catch (InterruptedException e) {
                    // a job that does not listen
                }
            }
        });
        started.await();
        assertThat(runtime.shutdown(Duration.ofMillis(20)))
                .singleElement()
                .asString()
                .contains(job.name());
        assertThat(runtime.shutdown(Duration.ZERO)).hasSize(1);
        release.countDown();
        assertThat(runtime.shutdown(Duration.ofSeconds(20))).isEmpty();
    }

    @Test
    void afterShutdown_spawnsAreCancelledHandles_andTheExecutorRejects() throws Exception {
        var executor = runtime.asExecutorService();
        assertThat(executor.submit(() -> Task.current().runtime()).get()).isSameAs(runtime);
        runtime.close();
        JoinResult<Integer> late = runtime.spawn(() -> 1).result();
        assertThat(late)
                .isInstanceOfSatisfying(
                        JoinResult.Cancelled.class,
                        c -> assertThat(c.reason().kind()).isEqualTo(CancelReason.Kind.SHUTDOWN));
        assertThat(runtime.spawnBlocking(() -> 1).result()).isInstanceOf(JoinResult.Cancelled.class);
        assertThatThrownBy(() -> executor.submit(() -> 1)).isInstanceOf(RejectedExecutionException.class);
        runtime.close();
    }

    @Test
    void aTask_cannotEndItsOwnRuntime_norAnybodyTheGlobalOne() throws Exception {
        JoinHandle<?> suicidal = runtime.spawn(runtime::close);
        assertThat(((JoinResult.Failure<?>) suicidal.result()).exception())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("tested");
        assertThatThrownBy(() -> TaskRuntime.global().close()).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> runtime.shutdown(Duration.ofSeconds(-1))).hasMessageContaining("PT-1S");
    }

    @Test
    void spawningDuringShutdown_neitherHangsNorLeaks() throws Exception {
        for (int round = 0; round < 200; round++) {
            TaskRuntime brief = TaskRuntime.builder().workerThreads(2).build();
            List<JoinHandle<?>> spawned = new ArrayList<>();
            JoinHandle<?> spawner = brief.spawn(() -> {
                while (true) {
                    JoinHandle<?> child = Task.spawn(() -> Task.sleep(LONG));
                    synchronized (spawned) {
                        spawned.add(child);
                    }
                    Task.yieldNow();
                    Task.checkCancelled();
                }
            });
            assertThat(brief.shutdown(Duration.ofSeconds(20))).isEmpty();
            assertThat(spawner.isFinished()).isTrue();
            synchronized (spawned) {
                assertThat(spawned).allMatch(JoinHandle::isFinished);
            }
        }
    }

    @Test
    void whenARuntimeHasEnded_itsThreadsEnd() {
        TaskRuntime brief = TaskRuntime.builder()
                .workerThreads(2)
                .name("brief")
                .threadName("brief")
                .build();
        assertThat(brief.spawn(() -> 1)).succeedsWithin(Duration.ofSeconds(10));
        brief.close();
        await().atMost(Duration.ofSeconds(20))
                .until(() -> Thread.getAllStackTraces().keySet().stream()
                        .noneMatch(t -> t.getName().startsWith("brief-carrier")
                                || t.getName().startsWith("brief-sentinel")));
    }

    @Test
    void aFailureNobodyJoins_isLoggedOnceAtTheEnd_andAJoinedOneIsNot() throws Exception {
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        Logger logger = (Logger) LoggerFactory.getLogger(TaskRuntime.class);
        log.start();
        logger.addAppender(log);
        try {
            JoinHandle<?> lonely = runtime.spawn(() -> {
                throw new IllegalStateException("lonely failure");
            });
            JoinHandle<?> joined = runtime.spawn(() -> {
                throw new IllegalStateException("joined failure");
            });
            joined.result();
            await().until(lonely::isFinished);
            runtime.close();
            List<String> logged = log.list.stream()
                    .filter(e -> e.getThrowableProxy() != null)
                    .map(e -> e.getThrowableProxy().getMessage())
                    .toList();
            assertThat(logged).containsExactly("lonely failure");
        } finally {
            logger.detachAppender(log);
        }
    }

    @Test
    void run_makesARuntimeAndClosesIt() throws Exception {
        TaskRuntime[] seen = new TaskRuntime[1];
        int result = TaskRuntime.<Integer, RuntimeException>run(() -> {
            seen[0] = TaskRuntime.current();
            Task.spawn(() -> Task.sleep(LONG));
            return 7;
        });
        assertThat(result).isEqualTo(7);
        assertThat(seen[0].isShutdown()).isTrue();
        assertThat(seen[0].liveTasks()).isZero();
    }

    @Test
    void capabilities_tellOfIsolation_andAnInvalidOptionIsNamed() {
        assertThat(runtime.capabilities()).isEqualTo(new Capabilities(Capabilities.Isolation.ISOLATED, true));
        assertThatThrownBy(() -> TaskRuntime.builder().workerThreads(0).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("workerThreads")
                .hasMessageContaining("0");
        assertThat(Waiter.currentTask()).isNull();
    }
}
