package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ch.qos.logback.classic.Level;
import dev.kumihimo.support.CapturedLog;
import dev.kumihimo.support.ForkedJvm;
import dev.kumihimo.support.Observe;
import dev.kumihimo.support.TaskProbe;
import dev.kumihimo.task.JoinSet;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** What a program has run at the begin and the end of each thread, and of each task. */
@Timeout(value = 90, threadMode = ThreadMode.SEPARATE_THREAD)
class HooksTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    /* ---------------- Threads -------------- */

    /** What happened to each thread: S when it was told to start, J for each job, E at its end. */
    private static final class Lives {
        private final Map<Thread, String> ofThread = new ConcurrentHashMap<>();

        void note(String what) {
            ofThread.merge(Thread.currentThread(), what, String::concat);
        }

        TaskRuntime.Builder in(TaskRuntime.Builder builder) {
            return builder.onThreadStart(thread -> noteOwn("S", thread)).onThreadStop(thread -> noteOwn("E", thread));
        }

        private void noteOwn(String what, Thread thread) {
            note(thread == Thread.currentThread() ? what : "!");
        }

        List<String> of(String part) {
            return ofThread.entrySet().stream()
                    .filter(life -> life.getKey().getName().contains(part))
                    .map(Map.Entry::getValue)
                    .toList();
        }

        /** Also of those that begin late, when others have ended. */
        void untilEachIs(String life) {
            Observe.until(
                    "the life of every thread is " + life + ": " + ofThread,
                    Duration.ofSeconds(60),
                    () -> ofThread.values().stream().allMatch(each -> each.matches(life)));
        }
    }

    @Test
    void eachCarrier_isToldBeforeItsFirstTaskAndAtItsEnd() throws Exception {
        Lives lives = new Lives();
        Map<Thread, Boolean> carriers = new ConcurrentHashMap<>();
        try (TaskRuntime runtime = lives.in(
                        TaskRuntime.builder().workerThreads(2).threadName("hooked"))
                .build()) {
            CyclicBarrier both = new CyclicBarrier(2);
            List<JoinHandle<?>> tasks = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                tasks.add(runtime.spawn(() -> {
                    carriers.put(dev.kumihimo.internal.jdk.VirtualThreads.currentCarrier(), true);
                    lives.ofThread.merge(
                            dev.kumihimo.internal.jdk.VirtualThreads.currentCarrier(), "J", String::concat);
                    both.await();
                }));
            }
            for (JoinHandle<?> task : tasks) {
                task.join(LONG);
            }
        }
        lives.untilEachIs("SJ*E");
        assertThat(lives.of("hooked-carrier")).anyMatch(life -> life.contains("J"));
        assertThat(lives.ofThread.keySet()).as("and no other thread").containsAll(carriers.keySet());
        assertThat(lives.ofThread.keySet()).allMatch(thread -> thread.getName().matches("hooked-carrier-\\d+"));
    }

    @Test
    void eachBlockingThread_isToldBeforeItsFirstJobAndAfterItsKeepAlive() throws Exception {
        Lives lives = new Lives();
        try (TaskRuntime runtime = lives.in(TaskRuntime.builder()
                        .workerThreads(1)
                        .maxBlockingThreads(2)
                        .threadName("kept")
                        .threadKeepAlive(Duration.ofMillis(20)))
                .build()) {
            CyclicBarrier both = new CyclicBarrier(2);
            for (int round = 0; round < 3; round++) {
                List<JoinHandle<?>> jobs = new ArrayList<>();
                for (int i = 0; i < 2; i++) {
                    jobs.add(runtime.spawnBlocking(() -> {
                        lives.note("J");
                        both.await();
                    }));
                }
                for (JoinHandle<?> job : jobs) {
                    job.join(LONG);
                }
                Observe.until("they are gone", () -> runtime.core().blocking().threads() == 0);
                int expected = 2 * (round + 1);
                Observe.until(
                        "both were told",
                        () -> lives.of("kept-blocking").stream()
                                        .filter("SJE"::equals)
                                        .count()
                                == expected);
            }
        }
        assertThat(lives.of("kept-blocking")).hasSize(6).containsOnly("SJE");
    }

    /** Closing does not wait for the threads, but each one that began is told of its end, also one that was stuck meanwhile. */
    @Test
    void threadsThatOutliveTheirRuntime_areToldOfTheirEndOnce() throws Exception {
        Lives lives = new Lives();
        CountDownLatch release = new CountDownLatch(1);
        TaskRuntime runtime = lives.in(TaskRuntime.builder()
                        .workerThreads(2)
                        .threadName("outliving")
                        .threadKeepAlive(Duration.ofMillis(10))
                        .shutdownTimeout(Duration.ZERO))
                .build();
        TaskProbe<Object> stuck = TaskProbe.spawnBlocking(runtime, () -> {
            while (release.getCount() > 0) {
                try {
                    release.await();
                } catch (InterruptedException e) {
                    // it is stuck
                }
            }
            return null;
        });
        TaskProbe<Object> task = TaskProbe.spawn(runtime, () -> null);
        task.handle().join(LONG);
        stuck.untilParked();
        try (CapturedLog log = CapturedLog.open()) {
            runtime.close();
            assertThat(log.messages(Level.WARN, "did not end")).hasSize(1);
        }
        assertThat(lives.of("outliving-blocking")).containsExactly("S");
        release.countDown();
        lives.untilEachIs("SE");
        stuck.thread().join();
    }

    @Test
    void runtimesSideBySide_haveTheirOwnHooks() throws Exception {
        Lives here = new Lives();
        Lives there = new Lives();
        try (TaskRuntime first = here.in(TaskRuntime.builder().workerThreads(1).threadName("first"))
                        .build();
                TaskRuntime second = there.in(
                                TaskRuntime.builder().workerThreads(1).threadName("second"))
                        .build();
                TaskRuntime none = TaskRuntime.builder().workerThreads(1).build()) {
            for (TaskRuntime runtime : List.of(first, second, none)) {
                runtime.spawn(() -> 1).join(LONG);
                runtime.spawnBlocking(() -> 1).join(LONG);
            }
        }
        assertThat(here.ofThread.keySet())
                .hasSize(2)
                .allMatch(thread -> thread.getName().startsWith("first-"));
        assertThat(there.ofThread.keySet())
                .hasSize(2)
                .allMatch(thread -> thread.getName().startsWith("second-"));
    }

    @Test
    void aThreadHookThatThrows_isLoggedEachTime_andTheThreadWorks() throws Exception {
        try (CapturedLog log = CapturedLog.open()) {
            try (TaskRuntime runtime = TaskRuntime.builder()
                    .workerThreads(1)
                    .maxBlockingThreads(1)
                    .threadName("cursed")
                    .threadKeepAlive(Duration.ofMillis(10))
                    .onThreadStart(thread -> {
                        thread.interrupt();
                        throw new IllegalStateException("start of " + thread.getName());
                    })
                    .onThreadStop(thread -> {
                        throw new AssertionError("stop of " + thread.getName());
                    })
                    .build()) {
                assertThat(runtime.spawn(() -> 1).join(LONG)).isOne();
                assertThat(runtime.spawnBlocking(() -> Thread.currentThread().isInterrupted())
                                .join(LONG))
                        .isFalse();
                Observe.until(
                        "the blocking thread has gone",
                        () -> runtime.core().blocking().threads() == 0);
                assertThat(runtime.spawnBlocking(() -> 1).join(LONG)).isOne();
            }
            for (String hook : List.of("onThreadStart", "onThreadStop")) {
                Observe.until(
                        "it was told of " + hook,
                        Duration.ofSeconds(60),
                        () -> log.messages(Level.WARN, hook).size() == 3);
                assertThat(log.messages(Level.WARN, hook))
                        .containsExactlyInAnyOrder(
                                "the hook " + hook + " failed on thread cursed-carrier-1",
                                "the hook " + hook + " failed on thread cursed-blocking-1",
                                "the hook " + hook + " failed on thread cursed-blocking-2");
            }
        }
    }

    /** The carriers are not ours then, and nobody is told of them. */
    @Test
    void onTheJdksScheduler_blockingThreadsAreToldAlone() throws Exception {
        assertThat(ForkedJvm.run(List.of(), OnTheJdksScheduler.class)).contains("told of [plain-blocking-1]");
    }

    /** What the forked JVM runs. */
    static final class OnTheJdksScheduler {
        public static void main(String[] args) throws Exception {
            Queue<String> told = new ConcurrentLinkedQueue<>();
            try (TaskRuntime runtime = TaskRuntime.builder()
                    .threadName("plain")
                    .onThreadStart(thread -> told.add(thread.getName()))
                    .build()) {
                runtime.spawn(() -> 1).join();
                runtime.spawnBlocking(() -> 1).join();
            }
            System.out.println("told of " + told);
        }
    }

    /* ---------------- Tasks -------------- */

    /** What hooks and bodies did, in order, on which thread. */
    private static final class Notes {
        private final Queue<String> all = new ConcurrentLinkedQueue<>();
        private final AtomicReference<Thread> starter = new AtomicReference<>();

        TaskRuntime runtime() {
            return TaskRuntime.builder()
                    .workerThreads(1)
                    .maxBlockingThreads(1)
                    .onTaskStart(task -> {
                        starter.set(Thread.currentThread());
                        all.add("start" + (Task.current() == task ? "" : " of another"));
                    })
                    .onTaskEnd((task, result) -> all.add("end "
                            + result.getClass().getSimpleName()
                            + (Task.current() == task ? "" : " of another")
                            + (Thread.currentThread() == starter.get() ? "" : " elsewhere")))
                    .build();
        }
    }

    @Test
    void aTask_hasItsHooksAroundItsBody_andIsJoinedAfterThem() throws Exception {
        Notes notes = new Notes();
        try (TaskRuntime runtime = notes.runtime()) {
            runtime.spawn(() -> notes.all.add("body")).join(LONG);
            assertThat(notes.all).containsExactly("start", "body", "end Success");
        }
    }

    @Test
    void aJob_hasThemToo_andOneThatIsRunInPlace() throws Exception {
        Notes notes = new Notes();
        try (TaskRuntime runtime = notes.runtime()) {
            runtime.spawnBlocking(() -> notes.all.add("body")).join(LONG);
            assertThat(notes.all).containsExactly("start", "body", "end Success");
            notes.all.clear();
            runtime.blockOn(() -> {
                Task.blocking(() -> {
                    notes.all.add("job");
                });
                notes.starter.set(Thread.currentThread());
            });
            assertThat(notes.all).containsExactly("start", "start", "job", "end Success", "end Success");
        }
    }

    @Test
    void theEndHook_isTold_howTheTaskEnded() throws Exception {
        Notes notes = new Notes();
        try (TaskRuntime runtime = notes.runtime()) {
            JoinHandle<Object> failing = runtime.spawn(() -> {
                throw new IOException("expected");
            });
            assertThatExceptionOfType(ExecutionException.class).isThrownBy(() -> failing.join(LONG));
            assertThat(notes.all).containsExactly("start", "end Failure");
            notes.all.clear();
            TaskProbe<Object> waiting = TaskProbe.spawn(runtime, () -> {
                        Task.sleep(Duration.ofDays(1));
                        return null;
                    })
                    .untilParked();
            waiting.handle().abort();
            assertThat(waiting.handle().result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
            assertThat(notes.all).containsExactly("start", "end Cancelled");
        }
    }

    @Test
    void theEndHook_runsBeforeAnybodyLearnsOfTheEnd() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch inHook = new CountDownLatch(1);
        try (TaskRuntime runtime = TaskRuntime.builder()
                .workerThreads(1)
                .onTaskEnd((task, result) -> {
                    inHook.countDown();
                    awaitQuietly(release);
                })
                .build()) {
            JoinHandle<Integer> task = runtime.spawn(() -> 1);
            inHook.await();
            assertThat(task.isFinished()).isFalse();
            assertThat(runtime.liveTasks()).isOne();
            release.countDown();
            assertThat(task.join(LONG)).isOne();
        }
    }

    /** Aborted before it ran, or refused: what has not begun has neither hook. */
    @Test
    void aTaskThatNeverBegins_hasNoHooks() throws Exception {
        Notes notes = new Notes();
        TaskRuntime runtime = notes.runtime();
        CountDownLatch release = new CountDownLatch(1);
        JoinHandle<JoinHandle<?>> holdingTheCarrier = runtime.spawn(() -> {
            JoinHandle<?> task = Task.spawn(() -> notes.all.add("body"));
            task.abort(); // from here, and at once: a carrier that is held for long gets a spare one
            return task;
        });
        TaskProbe<Object> holdingTheThread = TaskProbe.spawnBlocking(runtime, () -> {
                    release.await();
                    return null;
                })
                .untilParked();
        JoinHandle<?> job = runtime.spawnBlocking(() -> notes.all.add("body"));
        job.abort();
        assertThat(job.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        release.countDown();
        assertThat(holdingTheCarrier.join(LONG).result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        holdingTheThread.handle().join(LONG);
        runtime.close();
        assertThat(runtime.spawn(() -> notes.all.add("body")).result()).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(notes.all.stream().filter("start"::equals)).hasSize(2);
        assertThat(notes.all.stream().filter(note -> note.startsWith("end Success")))
                .hasSize(2);
        assertThat(notes.all).hasSize(4);
    }

    @Test
    void shutdown_givesEveryTaskThatBeganItsEnd() throws Exception {
        AtomicInteger open = new AtomicInteger();
        AtomicInteger begun = new AtomicInteger();
        for (int round = 0; round < 20; round++) {
            TaskRuntime runtime = TaskRuntime.builder()
                    .workerThreads(2)
                    .maxBlockingThreads(4)
                    .onTaskStart(task -> {
                        begun.incrementAndGet();
                        open.incrementAndGet();
                    })
                    .onTaskEnd((task, result) -> open.decrementAndGet())
                    .build();
            for (int i = 0; i < 100; i++) {
                runtime.spawn(() -> Task.sleep(Duration.ofDays(1)));
                runtime.spawnBlocking(() -> TimeUnit.DAYS.sleep(1));
            }
            assertThat(runtime.shutdown(LONG)).isEmpty();
            assertThat(open).as("round %s", round).hasValue(0);
        }
        assertThat(begun).hasPositiveValue();
    }

    @Test
    void taskHooksThatThrow_areLoggedEachTime_andTheTaskEndsAsItWould() throws Exception {
        try (CapturedLog log = CapturedLog.open();
                TaskRuntime runtime = TaskRuntime.builder()
                        .workerThreads(1)
                        .onTaskStart(task -> {
                            throw new IllegalStateException("start");
                        })
                        .onTaskEnd((task, result) -> {
                            throw new StackOverflowError("end");
                        })
                        .build()) {
            for (int i = 1; i <= 2; i++) {
                assertThat(runtime.spawnNamed("t" + i, () -> 1).join(LONG)).isOne();
                assertThat(log.messages(Level.WARN, "hook onTaskStart failed around task \"t" + i + '"'))
                        .hasSize(1);
                assertThat(log.messages(Level.WARN, "hook onTaskEnd failed around task \"t" + i + '"'))
                        .hasSize(1);
            }
            assertThat(log.messages(Level.WARN, "failed around")).hasSize(4);
            Observe.until("they have ended", () -> runtime.liveTasks() == 0);
        }
    }

    @Test
    void tasksOfSetsAndOfAnExecutor_haveThemToo() throws Exception {
        Notes notes = new Notes();
        try (TaskRuntime runtime = notes.runtime()) {
            runtime.blockOn(() -> {
                try (JoinSet<Integer> set = JoinSet.open()) {
                    set.spawn(() -> 1);
                    set.joinAll();
                }
                notes.starter.set(Thread.currentThread());
            });
            assertThat(notes.all).containsExactly("start", "start", "end Success", "end Success");
            notes.all.clear();
            try (ExecutorService executor = runtime.asExecutorService()) {
                executor.submit(() -> notes.all.add("body")).get();
            }
            Observe.until("its end", () -> notes.all.size() == 3); // the future is done before the task is
            assertThat(notes.all).containsExactly("start", "body", "end Success");
        }
    }

    @Test
    void aHookThatIsSetAgain_replacesTheFirst() throws Exception {
        Queue<String> told = new ConcurrentLinkedQueue<>();
        try (TaskRuntime runtime = TaskRuntime.builder()
                .workerThreads(1)
                .onThreadStart(thread -> told.add("first thread start"))
                .onThreadStop(thread -> told.add("first thread stop"))
                .onTaskStart(task -> told.add("first task start"))
                .onTaskEnd((task, result) -> told.add("first task end"))
                .onThreadStart(thread -> told.add("thread start"))
                .onThreadStop(thread -> told.add("thread stop"))
                .onTaskStart(task -> told.add("task start"))
                .onTaskEnd((task, result) -> told.add("task end"))
                .build()) {
            runtime.spawn(() -> 1).join(LONG);
        }
        Observe.until("the carrier has ended", Duration.ofSeconds(60), () -> told.size() == 4);
        assertThat(told).containsExactly("thread start", "task start", "task end", "thread stop");
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
