package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.runtime.VoidBody;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** What waits in the JDK, who wakes from outside, and who holds the carrier (rules T4 and T5). */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class RealWaitsTest {
    private static final Duration HOUR = Duration.ofHours(1);
    private static final boolean SYNCHRONIZED_PINS = Runtime.version().feature() < 24;
    private static final boolean JDK_WAITS_IN_ORDER = Runtime.version().feature() >= 25;

    private static JoinHandle<?> named(TestRuntime test, String name, VoidBody<?> body) {
        return test.runtime().spawnNamed(name, () -> {
            body.run();
            return null;
        });
    }

    /* ---------------- JDK timers -------------- */

    @Test
    void jdkTimers_areToldOf_whenTheyAreReal() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            assertThat(test.replay()).doesNotContain("in the JDK");
            test.run(() -> {
                Thread.sleep(20);
                assertThat(new Semaphore(0).tryAcquire(20, TimeUnit.MILLISECONDS))
                        .isFalse();
            });
            assertThat(test.replay())
                    .contains(
                            "waits in the JDK for a time, which is real time; the first: #0 \"main\" in Thread.sleep at ")
                    .contains("RealWaitsTest.java:");
            assertThat(test.nanoTime()).isZero();
        }
    }

    private static void computeFor(long millis) {
        long end = System.nanoTime() + millis * 1_000_000;
        while (System.nanoTime() - end < 0) {
            Thread.onSpinWait();
        }
    }

    private static TestRuntime forbidding() {
        return TestRuntime.builder().jdkTimers(JdkTimers.FORBID).build();
    }

    @Test
    void jdkWaits_endInTheOrderOfTheirTimes_howeverLongTheComputingTakes() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            List<String> order = new ArrayList<>();
            test.run(() -> {
                JoinHandle<?> first = named(test, "first", () -> {
                    Thread.sleep(30);
                    order.add("30");
                });
                JoinHandle<?> second = named(test, "second", () -> {
                    computeFor(20);
                    Thread.sleep(15); // until 35 ms after the first began
                    order.add("15");
                });
                JoinHandle<?> third = named(test, "third", () -> {
                    LockSupport.parkNanos(10_000_000);
                    order.add("10");
                    Thread.sleep(5); // with the second; that was there first
                    order.add("10 and 5");
                });
                first.join();
                second.join();
                third.join();
            });
            assertThat(order).containsExactlyInAnyOrder("10", "15", "10 and 5", "30");
            assertThat(test.nanoTime()).isZero();
            if (JDK_WAITS_IN_ORDER) {
                assertThat(order).containsExactly("10", "15", "10 and 5", "30");
                assertThat(test.outsideWakes()).isZero();
            }
        }
    }

    @Test
    void jdkWaits_thatEndAtOnce_areReadyAtOnce_andTheStrategySaysWhoGoesFirst() throws Exception {
        try (TestRuntime test = TestRuntime.with(Strategy.lifo())) {
            List<Integer> slept = new ArrayList<>();
            List<Integer> woken = new ArrayList<>();
            test.run(() -> {
                List<JoinHandle<?>> tasks = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    int number = i;
                    tasks.add(Task.spawn(() -> {
                        slept.add(number);
                        Thread.sleep(5);
                        woken.add(number);
                    }));
                }
                for (JoinHandle<?> task : tasks) {
                    task.join();
                }
            });
            assertThat(woken).containsExactlyInAnyOrderElementsOf(slept);
            if (JDK_WAITS_IN_ORDER) {
                Collections.reverse(slept);
                assertThat(woken).isEqualTo(slept);
            }
        }
    }

    @Test
    void jdkWaits_areReplayedByTheSeed() throws Exception {
        Set<List<Integer>> orders = new HashSet<>();
        for (int seed = 0; seed < 20; seed++) {
            List<Integer> once = orderOfSleepers(seed);
            orders.add(once);
            if (JDK_WAITS_IN_ORDER) {
                assertThat(orderOfSleepers(seed)).as("seed %d", seed).isEqualTo(once);
            }
        }
        assertThat(orders).hasSizeGreaterThan(1);
    }

    private static List<Integer> orderOfSleepers(int seed) throws Exception {
        try (TestRuntime test = TestRuntime.seeded(seed)) {
            List<Integer> order = new ArrayList<>();
            test.run(() -> {
                List<JoinHandle<?>> tasks = new ArrayList<>();
                for (int i = 0; i < 5; i++) {
                    int number = i;
                    tasks.add(Task.spawn(() -> {
                        for (int time = 1; time <= 2; time++) {
                            Thread.sleep(time);
                            order.add(number);
                            Task.sleep(Duration.ofMillis(1)); // a park, for the permit that the JDK's sleep has left
                        }
                    }));
                }
                for (JoinHandle<?> task : tasks) {
                    task.join();
                }
            });
            assertThat(order).hasSize(10);
            if (JDK_WAITS_IN_ORDER) {
                assertThat(test.replay()).doesNotContain("from outside");
            }
            return order;
        }
    }

    @Test
    void aJdkWaitThatIsEndedBefore_holdsNothingUp() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                Semaphore permit = new Semaphore(0);
                JoinHandle<Boolean> waiter = Task.spawn(() -> permit.tryAcquire(1, TimeUnit.HOURS));
                JoinHandle<?> sleeper = Task.spawn(() -> Thread.sleep(Long.MAX_VALUE));
                Task.yieldNow();
                if (JDK_WAITS_IN_ORDER) {
                    assertThat(test.dump()).contains("TIMED_WAITING").contains(" ms of real time");
                }
                permit.release();
                assertThat(waiter.join()).isTrue();
                sleeper.abort();
                assertThatThrownBy(sleeper::join).isInstanceOf(TaskCancelledException.class);
                Task.sleep(HOUR);
            });
            assertThat(test.clock().elapsed()).isEqualTo(HOUR);
        }
    }

    @Test
    void aWaitForAMonitorWithATime_endsAtIt() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                Object monitor = new Object();
                long end = System.nanoTime() + 20_000_000;
                synchronized (monitor) {
                    while (System.nanoTime() - end < 0) {
                        monitor.wait(20);
                    }
                }
            });
            assertThat(test.nanoTime()).isZero();
        }
    }

    /** Who is woken from outside, again and again and before its time, does not put off one whose time has come. */
    @Test
    void aJdkWait_isNotPutOff_byWhatComesFromOutside() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            AtomicBoolean slept = new AtomicBoolean();
            Semaphore wakeups = new Semaphore(0);
            test.run(() -> {
                TaskRuntime.current().spawnBlocking(() -> {
                    while (!slept.get()) {
                        LockSupport.parkNanos(1_000_000);
                        wakeups.release();
                    }
                    return null;
                });
                Task.spawn(() -> {
                    Thread.sleep(50);
                    slept.set(true);
                });
                while (!slept.get()) {
                    wakeups.tryAcquire(10, TimeUnit.MILLISECONDS);
                }
            });
            assertThat(test.nanoTime()).isZero();
        }
    }

    /** The clock of these waits moves to the time that has come, whether that was slept or computed away. */
    @Test
    void aJdkWait_countsFromTheEndOfTheOneBefore() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            List<String> order = new ArrayList<>();
            test.run(() -> {
                JoinHandle<?> twice = Task.spawn(() -> {
                    LockSupport.parkNanos(10_000_000);
                    order.add("10");
                    Thread.sleep(10);
                    order.add("10 and 10");
                });
                JoinHandle<?> once = Task.spawn(() -> {
                    computeFor(30);
                    Thread.sleep(15);
                    order.add("15");
                });
                twice.join();
                once.join();
            });
            assertThat(order).hasSize(3);
            if (JDK_WAITS_IN_ORDER) {
                assertThat(order).containsExactly("10", "15", "10 and 10");
            }
        }
    }

    /** 1,200 parks of 20 us take some 150 ms, and not 1,200: with a timeout in the place of the sleep, it would pass. */
    @Test
    void shortParks_doNotCountAsMilliseconds() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            List<String> order = new ArrayList<>();
            test.run(() -> {
                JoinHandle<?> sleeper = named(test, "sleeper", () -> {
                    Thread.sleep(1_000);
                    order.add("slept");
                });
                JoinHandle<?> parker = named(test, "parker", () -> {
                    for (int i = 0; i < 1_200; i++) {
                        LockSupport.parkNanos(20_000);
                    }
                    order.add("parked");
                });
                parker.join();
                sleeper.join();
            });
            assertThat(order).hasSize(2);
            if (JDK_WAITS_IN_ORDER) {
                assertThat(order).containsExactly("parked", "slept");
            }
        }
    }

    @Test
    void aJdkWaitThatIsEndedBefore_isForgotten() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                Semaphore permit = new Semaphore(0);
                JoinHandle<Boolean> waiter = Task.spawn(() -> permit.tryAcquire(10, TimeUnit.MILLISECONDS));
                Task.yieldNow();
                permit.release();
                waiter.join();
                Thread.sleep(20); // beyond what it would have waited
            });
            assertThat(test.nanoTime()).isZero();
        }
    }

    @Test
    void aJdkWait_isSeenToEnd_whileNobodyDrives() {
        try (TestRuntime test = TestRuntime.fifo()) {
            JoinHandle<?> sleeper = named(test, "sleeper", () -> Thread.sleep(5));
            JoinHandle<?> longSleeper = named(test, "long sleeper", () -> Thread.sleep(Long.MAX_VALUE));
            test.step();
            test.step();
            named(test, "other", () -> {});
            while (!test.isReady(sleeper)) {
                Thread.onSpinWait(); // before 25 a thread of the JDK's brings it
            }
            assertThat(test.isReady(longSleeper)).isFalse();
            assertThat(test.ready()).containsExactlyInAnyOrder("#0 \"sleeper\"", "#2 \"other\"");
            while (!sleeper.isDone()) {
                test.step(sleeper);
            }
        }
    }

    /** Two that always have something to do, until a third has slept; beside a fourth, whose short sleeps come first in order. */
    private static void beBusyUntilOneHasSlept() throws Exception {
        AtomicBoolean slept = new AtomicBoolean();
        Channel<Integer> ping = Channel.bounded(1);
        Task.spawn(() -> {
            Thread.sleep(100);
            slept.set(true);
        });
        Task.spawn(() -> {
            while (!slept.get()) {
                Thread.sleep(1);
                computeFor(5);
            }
        });
        Task.spawn(() -> {
            while (!slept.get()) {
                ping.send(1);
            }
            ping.close();
        });
        ping.forEach(item -> {});
    }

    @Test
    void aJdkWait_endsAlsoWhereSomethingIsAlwaysReady() throws Exception {
        try (TestRuntime test = TestRuntime.builder()
                .strategy(Strategy.fifo())
                .maxSteps(Long.MAX_VALUE)
                .build()) {
            test.run(RealWaitsTest::beBusyUntilOneHasSlept);
            if (JDK_WAITS_IN_ORDER) {
                assertThat(test.replay())
                        .contains(" of them ended while others ran on and on, which no replay repeats");
            }
        }
    }

    @Test
    void aJdkWait_endsAtItsTime_whereTheClockFollowsRealTime() throws Exception {
        try (TestRuntime test = TestRuntime.builder()
                .strategy(Strategy.fifo())
                .startPaused(false)
                .maxSteps(Long.MAX_VALUE)
                .build()) {
            test.run(RealWaitsTest::beBusyUntilOneHasSlept);
            assertThat(test.replay()).doesNotContain("ran on and on");
        }
    }

    /** Their scheduler is neither the JDK's own nor a test's, so the JDK asks the same place for their wakeup. */
    @Test
    void threadsOfOtherRuntimes_sleepAsEver() throws Exception {
        try (TestRuntime test = TestRuntime.fifo();
                TaskRuntime other = TaskRuntime.builder().workerThreads(1).build()) {
            test.run(() -> Thread.sleep(1));
            assertThat(other.spawn(() -> {
                                Thread.sleep(1);
                                return "slept";
                            })
                            .join())
                    .isEqualTo("slept");
        }
    }

    @Test
    void forbid_fails_namingTaskCallAndPlace() {
        try (TestRuntime test = forbidding()) {
            assertThatThrownBy(() -> test.run(() ->
                            named(test, "sleepy", () -> Thread.sleep(60_000)).join()))
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("JdkTimers.FORBID")
                    .hasMessageContaining("#1 \"sleepy\" in Thread.sleep at ")
                    .hasMessageContaining("RealWaitsTest.java:")
                    .hasMessageContaining("Task.sleep");
        }
        try (TestRuntime test = forbidding()) {
            assertThatThrownBy(() -> test.run(() -> new Semaphore(0).tryAcquire(1, TimeUnit.MINUTES)))
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("\"main\" in Semaphore.tryAcquire at ");
        }
    }

    @Test
    void forbid_allowsWaitsWithoutATime_andThoseOfTheToolkit() throws Exception {
        try (TestRuntime test = forbidding()) {
            test.run(() -> {
                CountDownLatch latch = new CountDownLatch(1);
                Task.spawn(() -> {
                    Task.sleep(HOUR);
                    latch.countDown();
                });
                latch.await();
                assertThatThrownBy(() -> dev.kumihimo.sync.Semaphore.of(0).acquire(HOUR))
                        .isInstanceOf(java.util.concurrent.TimeoutException.class);
            });
            assertThat(test.clock().elapsed()).isEqualTo(HOUR.multipliedBy(2));
        }
    }

    @Test
    void forbid_doesNotHinderTheEnd() {
        JoinHandle<?> task;
        try (TestRuntime test = forbidding()) {
            task = test.runtime().spawn(() -> {
                try {
                    Task.sleep(HOUR);
                } finally {
                    Task.shield(() -> Thread.sleep(20));
                }
            });
            test.runUntilIdle();
        }
        assertThat(task.isDone()).isTrue();
    }

    /* ---------------- From outside -------------- */

    @Test
    void whoWakesFromOutside_isNamed_andWhom() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            CountDownLatch latch = new CountDownLatch(1);
            Thread[] waker = new Thread[1];
            test.run(() -> {
                Thread main = Thread.currentThread();
                waker[0] = Thread.ofPlatform().name("intruder").start(() -> {
                    Parked.await(main);
                    latch.countDown();
                });
                latch.await();
            });
            waker[0].join();
            assertThat(test.outsideWakes()).isEqualTo(1);
            assertThat(test.replay())
                    .contains("1 wakes from outside, which a replay need not repeat: #0 \"main\" by \"intruder\"");
        }
    }

    @Test
    void aFutureThatRunsElsewhere_isNamed() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            List<Thread> threads = new ArrayList<>();
            test.run(() -> {
                Thread main = Thread.currentThread();
                Executor elsewhere =
                        job -> threads.add(Thread.ofPlatform().name("elsewhere").start(() -> {
                            Parked.await(main);
                            job.run();
                        }));
                assertThat(CompletableFuture.supplyAsync(() -> 7, elsewhere).get())
                        .isEqualTo(7);
            });
            assertThat(test.replay()).contains("#0 \"main\" by \"elsewhere\"");
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }

    @Test
    void nobodyIsNamed_whereAllAreTasks() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                CountDownLatch latch = new CountDownLatch(1);
                Thread raw = Thread.startVirtualThread(latch::countDown);
                latch.await();
                raw.join();
            });
            assertThat(test.replay()).doesNotContain("from outside").doesNotContain("real");
        }
    }

    /* ---------------- Monitors and pinned carriers -------------- */

    private static final class Shared {
        private boolean free;

        synchronized void parkUntilFree() {
            while (!free) {
                LockSupport.park(this);
            }
        }
    }

    /** On 24 and later the owner of a monitor leaves its carrier; before, that is found out and told. */
    @Test
    void parkingInsideSynchronized_isTold_whereItPins() throws Exception {
        Shared shared = new Shared();
        AtomicBoolean otherRan = new AtomicBoolean();
        TestRuntime test = TestRuntime.fifo();
        Throwable thrown = org.assertj.core.api.Assertions.catchThrowable(() -> test.run(() -> {
            JoinHandle<?> owner = named(test, "owner", shared::parkUntilFree);
            JoinHandle<?> other = Task.spawn(() -> {
                otherRan.set(true);
                shared.free = true;
                LockSupport.unpark(threadOf(owner));
            });
            other.join();
            owner.join();
        }));
        if (SYNCHRONIZED_PINS) {
            assertThat(thrown)
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("carrier pinned: #1 \"owner\" waits (WAITING)")
                    .hasMessageContaining("synchronized")
                    .hasMessageContaining("RealWaitsTest.java:")
                    .hasMessageContaining("Shared.parkUntilFree")
                    .hasMessageContaining("order: TestRuntime.fifo()");
            assertThat(otherRan).isFalse();
            test.close(); // given up: told already
        } else {
            assertThat(thrown).isNull();
            test.close();
        }
    }

    private static Thread threadOf(JoinHandle<?> task) {
        return ((dev.kumihimo.internal.carrier.LiveTask) task).threadOrNull();
    }

    private static final CountDownLatch HELD = new CountDownLatch(1);

    private static final class ParksInItsInitialiser {
        static final boolean DONE = park();

        private static boolean park() {
            try {
                HELD.await();
                return true;
            } catch (InterruptedException e) {
                return false;
            }
        }
    }

    @Test
    void parkingInAClassInitialiser_isTold_onEveryJdk() {
        try (TestRuntime test = TestRuntime.fifo()) {
            assertThatThrownBy(() -> test.run(() -> {
                        Task.spawn(HELD::countDown);
                        assertThat(ParksInItsInitialiser.DONE).isTrue();
                    }))
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("carrier pinned: #0 \"main\" waits (WAITING)")
                    .hasMessageContaining("ParksInItsInitialiser")
                    .hasMessageContaining("class initialiser");
        } finally {
            HELD.countDown();
        }
    }

    private static final class WaitsForAJob {
        static final boolean DONE = work();

        private static boolean work() {
            try {
                Task.blocking(RealWaitsTest::longJob); // no lambda: one of this class would wait for the initialiser
                return true;
            } catch (InterruptedException e) {
                return false;
            }
        }
    }

    private static void longJob() {
        LockSupport.parkNanos(800_000_000);
    }

    @Test
    void aPinnedTaskThatWaitsForAJob_isNotTold() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> assertThat(WaitsForAJob.DONE).isTrue());
        }
    }

    @Test
    void aTaskThatComputesForLong_isNotTold() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                computeFor(800);
            });
        }
    }

    private static final class Count {
        private int value;

        synchronized void add() {
            value++;
            Thread.yield(); // where the JDK lets it: the others meet a monitor that is held
            value++;
        }
    }

    @Test
    void contendedMonitors_areWaitedFor_andTheClockStands() throws Exception {
        for (int seed = 0; seed < 20; seed++) {
            try (TestRuntime test = TestRuntime.seeded(seed)) {
                Count count = new Count();
                test.run(() -> {
                    Task.spawn(() -> Task.sleep(HOUR));
                    List<JoinHandle<?>> tasks = new ArrayList<>();
                    for (int i = 0; i < 4; i++) {
                        tasks.add(Task.spawn(count::add));
                    }
                    for (JoinHandle<?> task : tasks) {
                        task.join();
                    }
                });
                assertThat(count.value).isEqualTo(8);
                assertThat(test.nanoTime()).isZero();
            }
        }
    }
}
