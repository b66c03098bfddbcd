package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.internal.jdk.VirtualThreads;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.support.Observe;
import dev.kumihimo.support.TaskProbe;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.time.Timeout;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Starting tasks, finding one's runtime, and working without one. */
@org.junit.jupiter.api.Timeout(value = 30, threadMode = ThreadMode.SEPARATE_THREAD)
class RuntimeTest {
    private final TaskRuntime runtime =
            TaskRuntime.builder().workerThreads(2).name("under-test").build();

    @AfterEach
    void close() {
        runtime.close();
    }

    /* ---------------- Running a program -------------- */

    @Test
    void run_returnsWhatTheBodyReturns() throws Exception {
        String result = TaskRuntime.run(() -> Task.current().runtime().name());
        assertThat(result).startsWith("kumihimo-");
    }

    @Test
    void run_throwsTheBodysCheckedExceptionAsItIs() {
        IOException thrown = new IOException("disk gone");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> TaskRuntime.run(() -> {
                    failWith(thrown);
                }))
                .isSameAs(thrown);
    }

    private static void failWith(IOException e) throws IOException {
        throw e;
    }

    @Test
    void run_throwsTheBodysErrorAsItIs() {
        Error thrown = new StackOverflowError("deep");
        assertThatExceptionOfType(StackOverflowError.class)
                .isThrownBy(() -> TaskRuntime.run(() -> {
                    failWith(thrown);
                }))
                .isSameAs(thrown);
    }

    private static void failWith(Error e) {
        throw e;
    }

    @Test
    void run_abortsWhatTheProgramLeftRunning() throws Exception {
        CompletableFuture<JoinHandle<?>> left = new CompletableFuture<>();
        TaskRuntime.run(() -> {
            left.complete(Task.spawn(() -> Task.sleep(Duration.ofDays(1))));
        });
        assertThat(left.join().tryResult()).isInstanceOf(JoinResult.Cancelled.class);
        TaskRuntime itself = TaskRuntime.run(() -> TaskRuntime.current());
        assertThat(itself.isShutdown()).isTrue();
        assertThat(itself.liveTasks()).isZero();
    }

    @Test
    void blockOn_runsTheBodyAsATaskOfThisRuntime() throws Exception {
        assertThat(runtime.<Boolean, InterruptedException>blockOn(() ->
                        Thread.currentThread().isVirtual() && Task.current().runtime() == runtime))
                .isTrue();
    }

    @Test
    void blockOn_interrupted_abortsTheBodyAndWaitsForItsCleanup() throws Exception {
        AtomicInteger cleaned = new AtomicInteger();
        CompletableFuture<Thread> inside = new CompletableFuture<>();
        CompletableFuture<String> outcome = new CompletableFuture<>();
        Thread caller = Thread.ofPlatform().start(() -> {
            try {
                runtime.blockOn(() -> {
                    inside.complete(Thread.currentThread());
                    try {
                        Task.sleep(Duration.ofDays(1));
                    } finally {
                        Task.shield(() -> Task.sleep(Duration.ofMillis(20)));
                        cleaned.incrementAndGet();
                    }
                });
                outcome.complete("returned");
            } catch (InterruptedException e) {
                outcome.complete(e.getClass().getSimpleName() + " after " + cleaned.get());
            }
        });
        Observe.untilParked(inside.join());
        caller.interrupt();
        assertThat(outcome.get(10, TimeUnit.SECONDS)).isEqualTo("InterruptedException after 1");
    }

    @Test
    void blockOn_calledByATask_isRefused() throws Exception {
        runtime.blockOn(() -> {
            assertThatIllegalStateException()
                    .isThrownBy(() -> runtime.blockOn(() -> 1))
                    .withMessageContaining("blockOn was called by task");
        });
    }

    @Test
    void blockOn_calledByABlockingJob_works() throws Exception {
        assertThat(runtime.spawnBlocking(() -> runtime.<Integer, RuntimeException>blockOn(() -> 42))
                        .join(Duration.ofSeconds(10)))
                .isEqualTo(42);
    }

    /* ---------------- Spawning -------------- */

    @Test
    void spawn_runsEachBodyOnAVirtualThreadOfItsOwn() throws Exception {
        List<JoinHandle<Thread>> handles = IntStream.range(0, 1_000)
                .mapToObj(i -> runtime.spawn(Thread::currentThread))
                .toList();
        List<Thread> threads = new ArrayList<>();
        for (JoinHandle<Thread> handle : handles) {
            threads.add(handle.join());
        }
        assertThat(threads).allMatch(Thread::isVirtual).doesNotHaveDuplicates();
    }

    @Test
    void spawn_ofATaskThatSpawns_nestsToAnyDepth() throws Exception {
        assertThat(runtime.blockOn(() -> depth(2_000))).isEqualTo(2_000);
    }

    private static int depth(int remaining) throws Exception {
        return remaining == 0 ? 0 : 1 + Task.spawn(() -> depth(remaining - 1)).join();
    }

    @Test
    void spawn_publishesWhatTheSpawnerDid_andJoinWhatTheTaskDid() throws Exception {
        int[] cell = new int[1];
        for (int i = 0; i < 10_000; i++) {
            cell[0] = i;
            runtime.spawn(() -> {
                        cell[0]++;
                    })
                    .join();
            assertThat(cell[0]).isEqualTo(i + 1);
        }
    }

    @Test
    void spawn_withoutABody_isRefusedAtOnce() {
        assertThatExceptionOfType(NullPointerException.class)
                .isThrownBy(() -> runtime.spawn((Body<Object, ?>) null))
                .withMessage("body");
        assertThat(runtime.liveTasks()).isZero();
    }

    @Test
    void spawn_countsAsLiveUntilItHasEnded() throws Exception {
        Channel<String> gate = Channel.bounded(1);
        JoinHandle<String> handle = runtime.spawn(() -> gate.receive());
        assertThat(runtime.liveTasks()).isOne();
        gate.send("go");
        handle.join();
        Observe.until("nothing lives", () -> runtime.liveTasks() == 0);
    }

    @Test
    void spawnNamed_namesTaskAndThread() throws Exception {
        JoinHandle<String> handle = runtime.spawnNamed("billing", () -> {
            return Task.current().name() + "/" + Thread.currentThread().getName();
        });
        assertThat(handle.join()).isEqualTo("billing/billing");
        assertThat(handle.name()).isEqualTo("billing");
        assertThat(handle).hasToString("task \"billing\"");
    }

    @Test
    void unnamedTasks_areNamedByTheirUniqueId() throws Exception {
        JoinHandle<Long> a = runtime.spawn(() -> Task.current().id());
        JoinHandle<Long> b = runtime.spawn(() -> Task.current().id());
        assertThat(a.join()).isEqualTo(a.id()).isNotEqualTo(b.join());
        assertThat(a.name()).isEqualTo("task-" + a.id());
    }

    @Test
    void aTaskThatReplacesItsThreadsExceptionHandler_isStillAbortable() throws Exception {
        TaskProbe<Object> task = TaskProbe.spawn(runtime, () -> {
            Thread.currentThread().setUncaughtExceptionHandler((thread, e) -> {});
            return Channel.bounded(1).receive();
        });
        task.untilParked();
        task.handle().abort();
        assertThat(task.handle().result(Duration.ofSeconds(10))).isInstanceOf(JoinResult.Cancelled.class);
    }

    /* ---------------- The ambient runtime -------------- */

    @Test
    void current_isTheRuntimeOfTheTask_ofTheBlockingJob_andOfAThreadThatATaskStarted() throws Exception {
        assertThat(runtime.blockOn(() -> TaskRuntime.current())).isSameAs(runtime);
        assertThat(runtime.spawnBlocking(() -> TaskRuntime.current()).join()).isSameAs(runtime);
        assertThat(runtime.spawnBlocking(
                                () -> Task.spawn(() -> Task.current().runtime()).join())
                        .join())
                .isSameAs(runtime);
        CompletableFuture<TaskRuntime> seen = new CompletableFuture<>();
        runtime.blockOn(() -> {
            Thread.startVirtualThread(() -> seen.complete(TaskRuntime.current()));
        });
        boolean isolated = runtime.capabilities().isolation() == Capabilities.Isolation.ISOLATED;
        assertThat(seen.get(10, TimeUnit.SECONDS)).isSameAs(isolated ? runtime : TaskRuntime.global());
    }

    @Test
    void current_outsideOfAnyRuntime_isTheGlobalOne() throws Exception {
        assertThat(TaskRuntime.current()).isSameAs(TaskRuntime.global());
        assertThat(Task.spawn(() -> Task.current().runtime()).join()).isSameAs(TaskRuntime.global());
    }

    @Test
    void taskCurrent_outsideOfAnyTask_namesTheThread() throws Exception {
        CompletableFuture<Throwable> thrown = new CompletableFuture<>();
        Thread.ofPlatform().name("stranger").start(() -> {
            try {
                Task.current();
                thrown.complete(null);
            } catch (IllegalStateException e) {
                thrown.complete(e);
            }
        });
        assertThat(thrown.get(10, TimeUnit.SECONDS)).hasMessageContaining("\"stranger\"");
        assertThat(Task.currentOrNull()).isNull();
    }

    @Test
    void global_isNeverShutDown() {
        assertThatIllegalStateException()
                .isThrownBy(() -> TaskRuntime.global().shutdown(Duration.ZERO))
                .withMessageContaining("never shut down");
        assertThatIllegalStateException().isThrownBy(() -> TaskRuntime.global().close());
        assertThat(TaskRuntime.global().isShutdown()).isFalse();
        assertThat(TaskRuntime.global().name()).isEqualTo("kumihimo-global");
    }

    @Test
    void severalRuntimes_keepTheirTasksApart() throws Exception {
        try (TaskRuntime other =
                TaskRuntime.builder().workerThreads(1).name("other").build()) {
            JoinHandle<TaskRuntime> there = runtime.blockOn(() -> other.spawn(() -> TaskRuntime.current()));
            assertThat(there.join()).isSameAs(other);
            Channel<Integer> between = Channel.bounded(1);
            JoinHandle<Integer> sum = other.spawn(() -> {
                int total = 0;
                for (Integer n; (n = between.receiveOrNull()) != null; ) {
                    total += n;
                }
                return total;
            });
            runtime.blockOn(() -> {
                for (int i = 1; i <= 1_000; i++) {
                    between.send(i);
                }
            });
            between.close();
            assertThat(sum.join(Duration.ofSeconds(10))).isEqualTo(500_500);
        }
    }

    /* ---------------- Without a runtime -------------- */

    @Test
    void platformThreads_useChannelsSemaphoresAndTimeouts() throws Exception {
        assertThat(onThread(Thread.ofPlatform(), RuntimeTest::exerciseEverything))
                .isEqualTo("timeout, item 7, 2 permits");
    }

    @Test
    void virtualThreadsOfTheJdk_useChannelsSemaphoresAndTimeouts() throws Exception {
        assertThat(onThread(Thread.ofVirtual(), RuntimeTest::exerciseEverything))
                .isEqualTo("timeout, item 7, 2 permits");
    }

    @Test
    void virtualThreadsStartedInATask_useChannelsSemaphoresAndTimeouts() throws Exception {
        assertThat(runtime.spawn(() -> onThread(Thread.ofVirtual(), RuntimeTest::exerciseEverything))
                        .join())
                .isEqualTo("timeout, item 7, 2 permits");
    }

    private static String exerciseEverything() throws Exception {
        Channel<Integer> channel = Channel.rendezvous();
        String first;
        try {
            Timeout.call(Duration.ofMillis(20), () -> channel.receive());
            first = "no timeout";
        } catch (TimeoutException e) {
            first = "timeout";
        }
        try {
            channel.receive(Duration.ofMillis(5));
            return "received";
        } catch (TimeoutException e) {
            // as it should be
        }
        TaskRuntime.global().spawn(() -> {
            Task.sleep(Duration.ofMillis(5));
            channel.send(7);
        });
        Integer item = channel.receive(Duration.ofSeconds(10));
        Semaphore semaphore = Semaphore.of(1);
        try (Semaphore.Permit permit = semaphore.acquire()) {
            Task.spawn(() -> {
                Task.sleep(Duration.ofMillis(5));
                semaphore.release(1);
            });
            try (Semaphore.Permit second = semaphore.acquire(Duration.ofSeconds(10))) {
                return first + ", item " + item + ", " + (permit.count() + second.count()) + " permits";
            }
        }
    }

    private interface Work {
        String run() throws Exception;
    }

    private static String onThread(Thread.Builder builder, Work work) throws Exception {
        CompletableFuture<String> result = new CompletableFuture<>();
        builder.start(() -> {
            try {
                result.complete(work.run());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        return result.get(20, TimeUnit.SECONDS);
    }

    @Test
    void platformThread_interruptedWhileItReceives_getsAPlainInterruptOnce() throws Exception {
        Channel<Integer> channel = Channel.bounded(1);
        CompletableFuture<String> seen = new CompletableFuture<>();
        Thread thread = Thread.ofPlatform().start(() -> {
            String first;
            try {
                channel.receive();
                first = "received";
            } catch (InterruptedException e) {
                first = e.getClass().getSimpleName() + ", flag "
                        + Thread.currentThread().isInterrupted();
            }
            try {
                seen.complete(first + ", then " + channel.receive());
            } catch (InterruptedException e) {
                seen.complete(first + ", then again");
            }
        });
        Observe.untilParked(thread);
        thread.interrupt();
        channel.send(5);
        // The item may come before or after the interrupt is looked at; it must be received in either case.
        assertThat(seen.get(10, TimeUnit.SECONDS))
                .isIn("InterruptedException, flag false, then 5", "received, then again");
    }

    /* ---------------- Facts and views -------------- */

    @Test
    void capabilities_tellWhetherTheFlagWasGiven() {
        boolean opened = Thread.class.getModule().isOpen("java.lang", TaskRuntime.class.getModule());
        assertThat(runtime.capabilities().isolation())
                .isEqualTo(opened ? Capabilities.Isolation.ISOLATED : Capabilities.Isolation.SHARED);
        assertThat(runtime.capabilities().structuredScopes()).isTrue();
    }

    @Test
    void carriers_areAtMostAsManyAsAskedFor() throws Exception {
        AtomicInteger running = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        long nanos;
        do { // anew if one may have been held for so long that a spare one came
            most.set(0);
            try (TaskRuntime two = TaskRuntime.builder().workerThreads(2).build()) {
                assertThat(two.workerThreads()).isEqualTo(2);
                long begun = System.nanoTime();
                List<JoinHandle<?>> handles = new ArrayList<>();
                for (int i = 0; i < 6; i++) {
                    handles.add(two.spawn(() -> {
                        most.accumulateAndGet(running.incrementAndGet(), Math::max);
                        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(5);
                        while (most.get() <= 2 && System.nanoTime() < end) {
                            Thread.onSpinWait();
                        }
                        running.decrementAndGet();
                    }));
                }
                for (JoinHandle<?> handle : handles) {
                    handle.join();
                }
                nanos = System.nanoTime() - begun;
            }
        } while (nanos >= TimeUnit.MILLISECONDS.toNanos(100));
        assertThat(most.get()).isBetween(1, 2);
    }

    @Test
    void threads_areDaemonsWithNamesThatTellWhatTheyAre() throws Exception {
        try (TaskRuntime named = TaskRuntime.builder()
                .workerThreads(1)
                .threadName("shop")
                .name("shop")
                .build()) {
            named.spawnBlocking(() -> {
                        assertThat(Thread.currentThread().getName()).startsWith("shop-blocking-");
                        assertThat(Thread.currentThread().isDaemon()).isTrue();
                    })
                    .join();
            named.spawn(() -> 1).join();
            assertThat(Thread.getAllStackTraces().keySet())
                    .filteredOn(thread -> thread.getName().startsWith("shop-"))
                    .allMatch(Thread::isDaemon)
                    .extracting(Thread::getName)
                    .contains("shop-sentinel", "shop-blocking-1");
        }
    }

    @Test
    void executorView_runsEachJobAsATask() throws Exception {
        try (ExecutorService executor = runtime.asExecutorService()) {
            Future<TaskRuntime> seen = executor.submit(() -> Task.current().runtime());
            assertThat(seen.get(10, TimeUnit.SECONDS)).isSameAs(runtime);
            List<Future<Integer>> all = executor.invokeAll(IntStream.range(0, 100)
                    .mapToObj(i -> (java.util.concurrent.Callable<Integer>) () -> i)
                    .toList());
            int sum = 0;
            for (Future<Integer> each : all) {
                sum += each.get();
            }
            assertThat(sum).isEqualTo(4950);
        }
        assertThat(runtime.isShutdown()).isFalse();
        assertThat(runtime.spawn(() -> 1).join()).isOne();
    }

    @Test
    void executorView_closedWhileJobsRun_waitsForThem() throws Exception {
        AtomicInteger ended = new AtomicInteger();
        try (ExecutorService executor = runtime.asExecutorService()) {
            for (int i = 0; i < 10; i++) {
                executor.execute(() -> {
                    try {
                        Task.sleep(Duration.ofMillis(10));
                    } catch (InterruptedException e) {
                        throw new AssertionError(e);
                    }
                    ended.incrementAndGet();
                });
            }
        }
        assertThat(ended).hasValue(10);
    }

    @Test
    void threadFactory_makesThreadsThatAreTasksOnceTheyRun() throws Exception {
        CompletableFuture<Task> seen = new CompletableFuture<>();
        Thread thread = runtime.threadFactory().newThread(() -> seen.complete(Task.current()));
        assertThat(thread.isVirtual()).isTrue();
        assertThat(runtime.liveTasks()).isZero();
        thread.start();
        assertThat(seen.get(10, TimeUnit.SECONDS).runtime()).isSameAs(runtime);
        assertThat(seen.join().id()).isEqualTo(thread.threadId());
        thread.join();
    }

    @Test
    void shutdown_ofANegativeTimeout_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> runtime.shutdown(Duration.ofNanos(-1)))
                .withMessageContaining("PT-0.000000001S");
    }

    @Test
    void toString_tellsTheState() throws Exception {
        assertThat(runtime).hasToString("TaskRuntime[under-test, 2 workers, 0 live tasks]");
        runtime.shutdown(Duration.ZERO);
        assertThat(runtime).hasToString("TaskRuntime[under-test, 2 workers, 0 live tasks, shut down]");
    }

    /* ---------------- Sleeping and yielding -------------- */

    @Test
    void sleep_isNeverShorterThanAskedFor() throws Exception {
        runtime.blockOn(() -> {
            for (int micros : new int[] {1, 999, 1_000, 1_001, 5_500}) {
                long begun = System.nanoTime();
                Task.sleep(Duration.ofNanos(micros * 1_000L));
                assertThat(System.nanoTime() - begun).isGreaterThanOrEqualTo(micros * 1_000L);
            }
        });
    }

    /**
     * On one carrier: on two, tasks that a stalled machine wakes together may overtake each other after they were woken. And
     * each deadline counts from when its task begins: they are in order only if all begin within the 10 ms between them.
     */
    @Test
    void sleep_ofManyTasks_endsInTheOrderOfTheirDeadlines() throws Exception {
        List<Integer> woken = new CopyOnWriteArrayList<>();
        Set<Thread> carriers = ConcurrentHashMap.newKeySet();
        boolean ordered;
        do {
            woken.clear();
            carriers.clear();
            try (TaskRuntime one = TaskRuntime.builder().workerThreads(1).build()) {
                long begun = System.nanoTime();
                List<JoinHandle<?>> tasks = new ArrayList<>();
                for (int i = 20; i > 0; i--) {
                    int n = i;
                    tasks.add(one.spawn(() -> {
                        Task.sleep(Duration.ofMillis(50 + n * 10L));
                        woken.add(n);
                        carriers.add(VirtualThreads.currentCarrier());
                    }));
                }
                Observe.until(
                        "all sleep, or do no more",
                        () -> tasks.stream().allMatch(task -> ((Waiter) task).openWait() != null || task.isDone()));
                ordered = System.nanoTime() - begun < TimeUnit.MILLISECONDS.toNanos(9);
                if (ordered) {
                    for (JoinHandle<?> task : tasks) {
                        task.join(Duration.ofSeconds(10));
                    }
                }
            }
        } while (!ordered || carriers.size() > 1); // anew: a stall came between them, or a spare carrier came
        assertThat(woken).isEqualTo(IntStream.rangeClosed(1, 20).boxed().toList());
    }

    @Test
    void sleep_ofZeroOrLess_yieldsOnly() throws Exception {
        runtime.blockOn(() -> {
            Task.sleep(Duration.ZERO);
            Task.sleep(Duration.ofSeconds(-5));
            Task.sleep(Duration.ofSeconds(Long.MIN_VALUE));
        });
    }

    @Test
    void yieldNow_letsTheOtherTaskOfASingleCarrierRun() throws Exception {
        try (TaskRuntime single = TaskRuntime.builder().workerThreads(1).build()) {
            AtomicInteger turns = new AtomicInteger();
            JoinHandle<?> spinner = single.spawn(() -> {
                while (turns.get() == 0) {
                    Task.yieldNow();
                }
            });
            single.spawn(turns::incrementAndGet);
            spinner.join(Duration.ofSeconds(10));
        }
    }
}
