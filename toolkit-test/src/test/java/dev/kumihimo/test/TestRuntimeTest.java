package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.task.JoinSet;
import dev.kumihimo.time.Timeout;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Order, time, and what is told when nothing can go on. */
class TestRuntimeTest {
    private static final Duration HOUR = Duration.ofHours(1);

    /* ---------------- Order -------------- */

    @Test
    void run_runsTasksInTheOrderOfTheirSpawns_underFifo() throws Exception {
        List<Integer> order = new ArrayList<>();
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                List<JoinHandle<?>> tasks = new ArrayList<>();
                for (int i = 0; i < 100; i++) {
                    int number = i;
                    tasks.add(Task.spawn(() -> {
                        order.add(number);
                        Task.yieldNow();
                        order.add(100 + number);
                    }));
                }
                for (JoinHandle<?> task : tasks) {
                    task.join();
                }
            });
        }
        assertThat(order).hasSize(200).isSorted();
    }

    private static List<String> race(TestRuntime test) throws Exception {
        List<String> order = new ArrayList<>();
        test.run(() -> {
            Channel<String> channel = Channel.bounded(2);
            Channel<String> other = Channel.bounded(2);
            Semaphore semaphore = Semaphore.of(1);
            List<JoinHandle<?>> tasks = new ArrayList<>();
            for (String name : List.of("a", "b", "c")) {
                tasks.add(Task.spawn(() -> {
                    for (int i = 0; i < 5; i++) {
                        try (var permit = semaphore.acquire()) {
                            (i % 2 == 0 ? channel : other).send(name + i);
                        }
                        Task.sleep(Duration.ofMillis(1));
                    }
                }));
            }
            for (int i = 0; i < 15; i++) {
                Task.sleep(Duration.ofMillis(i % 3)); // so that both may be ready: which is tried first is drawn
                order.add(Select.<String>of()
                        .onReceive(channel, item -> item)
                        .onReceive(other, item -> item)
                        .after(HOUR, () -> "late")
                        .await());
            }
            for (JoinHandle<?> task : tasks) {
                task.join();
            }
        });
        return order;
    }

    @Test
    void run_repeatsOrderAndHash_withTheSameSeed() throws Exception {
        List<List<String>> orders = new ArrayList<>();
        List<Long> hashes = new ArrayList<>();
        List<String> traces = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            try (TestRuntime test = TestRuntime.seeded(0x7d1e03)) {
                orders.add(race(test));
                hashes.add(test.traceHash());
                traces.add(test.trace());
                assertThat(test.outsideWakes()).isZero();
            }
        }
        assertThat(orders).allMatch(order -> order.equals(orders.get(0)));
        assertThat(hashes).containsOnly(hashes.get(0));
        assertThat(traces).containsOnly(traces.get(0));
    }

    @Test
    void run_repeatsTheHash_whileOtherThreadsDisturbTheTiming() throws Exception {
        long alone;
        try (TestRuntime test = TestRuntime.seeded(5)) {
            race(test);
            alone = test.traceHash();
        }
        List<Thread> disturbers = new ArrayList<>();
        CountDownLatch end = new CountDownLatch(1);
        for (int i = 0; i < 4; i++) {
            disturbers.add(Thread.ofPlatform().start(() -> {
                while (end.getCount() > 0) {
                    Thread.onSpinWait();
                }
            }));
        }
        try {
            for (int i = 0; i < 5; i++) {
                try (TestRuntime test = TestRuntime.seeded(5)) {
                    race(test);
                    assertThat(test.traceHash()).isEqualTo(alone);
                }
            }
        } finally {
            end.countDown();
            for (Thread disturber : disturbers) {
                disturber.join();
            }
        }
    }

    @Test
    void run_differs_betweenSeeds() throws Exception {
        List<Long> hashes = new ArrayList<>();
        List<List<String>> orders = new ArrayList<>();
        for (int seed = 0; seed < 20; seed++) {
            try (TestRuntime test = TestRuntime.seeded(seed)) {
                orders.add(race(test));
                hashes.add(test.traceHash());
            }
        }
        assertThat(hashes).doesNotHaveDuplicates();
        assertThat(orders.stream().distinct().count()).isGreaterThan(5);
    }

    @Test
    void replay_repeatsTheRun_fromItsTrace() throws Exception {
        try (TestRuntime first = TestRuntime.seeded(99)) {
            List<String> order = race(first);
            try (TestRuntime second = TestRuntime.with(Strategy.replay(first.trace()))) {
                assertThat(race(second)).isEqualTo(order);
                assertThat(second.traceHash()).isEqualTo(first.traceHash());
            }
        }
    }

    @Test
    void threadsStartedByTasks_runUnderTheSameControl() throws Exception {
        List<String> order = new ArrayList<>();
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                Thread raw = Thread.startVirtualThread(() -> {
                    order.add("raw");
                    order.add(TaskRuntime.current() == test.runtime() ? "same runtime" : "another");
                });
                order.add("before");
                raw.join();
                order.add("after");
            });
        }
        assertThat(order).containsExactly("before", "raw", "same runtime", "after");
    }

    /* ---------------- Time -------------- */

    @Test
    void sleep_takesNoRealTime_andMovesTheClock() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> Task.sleep(HOUR.multipliedBy(24 * 365)));
            assertThat(test.clock().elapsed()).isEqualTo(HOUR.multipliedBy(24 * 365));
            assertThat(test.clock().instant()).isEqualTo(Instant.parse("2000-12-31T00:00:00Z"));
        }
    }

    @Test
    void deadlines_passOneByOne_withAllRunUntilIdleBetween() throws Exception {
        List<String> order = new ArrayList<>();
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                List<JoinHandle<?>> tasks = new ArrayList<>();
                for (int millis : new int[] {30, 10, 20, 10}) {
                    tasks.add(Task.spawn(() -> {
                        Task.sleep(Duration.ofMillis(millis));
                        order.add("woke " + millis + " at "
                                + test.clock().elapsed().toMillis());
                        Task.yieldNow(); // others of this deadline first, but none of a later one
                        order.add("ran on " + millis);
                    }));
                }
                for (JoinHandle<?> task : tasks) {
                    task.join();
                }
            });
        }
        assertThat(order)
                .containsExactly(
                        "woke 10 at 10",
                        "woke 10 at 10",
                        "ran on 10",
                        "ran on 10",
                        "woke 20 at 20",
                        "ran on 20",
                        "woke 30 at 30",
                        "ran on 30");
    }

    @Test
    void runUntilIdle_leavesTheClock() {
        try (TestRuntime test = TestRuntime.fifo()) {
            JoinHandle<?> sleeper = test.runtime().spawn(() -> Task.sleep(HOUR));
            assertThat(test.runUntilIdle()).isZero();
            assertThat(test.nanoTime()).isZero();
            assertThat(test.isWaiting(sleeper)).isTrue();
            assertThat(test.timers()).isEqualTo(1);
            assertThat(test.advance(HOUR.minusMillis(1))).isZero();
            assertThat(sleeper.isDone()).isFalse();
            assertThat(test.advance(Duration.ofMillis(1))).isEqualTo(1);
            assertThat(sleeper.isDone()).isTrue();
            assertThat(test.clock().elapsed()).isEqualTo(HOUR);
            assertThat(test.timers()).isZero();
        }
    }

    @Test
    void advance_walksEveryDeadline_alsoThoseThatAreArmedOnTheWay() {
        try (TestRuntime test = TestRuntime.fifo()) {
            List<Long> ticks = new ArrayList<>();
            test.runtime().spawn(() -> {
                while (true) {
                    Task.sleep(Duration.ofSeconds(1));
                    ticks.add(test.clock().elapsed().toSeconds());
                }
            });
            assertThat(test.advance(Duration.ofSeconds(5))).isEqualTo(5);
            assertThat(ticks).containsExactly(1L, 2L, 3L, 4L, 5L);
        }
    }

    @Test
    void elapse_expiresWhatIsDue_andRunsNothing() {
        try (TestRuntime test = TestRuntime.fifo()) {
            JoinHandle<?> sleeper = test.runtime().spawn(() -> Task.sleep(HOUR));
            test.runUntilIdle();
            assertThat(test.elapse(HOUR)).isEqualTo(1);
            assertThat(test.isDecided(sleeper)).isTrue();
            assertThat(test.isReady(sleeper)).isTrue();
            assertThat(sleeper.isDone()).isFalse();
            test.runUntilIdle();
            assertThat(sleeper.isDone()).isTrue();
        }
    }

    @Test
    void cancelledTimers_doNotMoveTheClock() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                Timeout.call(HOUR, () -> Task.sleep(Duration.ofMillis(5)));
                Task.sleep(Duration.ofMillis(5));
            });
            assertThat(test.clock().elapsed()).isEqualTo(Duration.ofMillis(10));
            assertThat(test.timers()).isZero();
        }
    }

    @Test
    void timeout_endsTheBody_atItsDeadline() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                Semaphore none = Semaphore.of(0);
                assertThatThrownBy(() -> Timeout.call(HOUR, () -> none.acquire()))
                        .isInstanceOf(TimeoutException.class);
                assertThat(test.clock().elapsed()).isEqualTo(HOUR);
                assertThatThrownBy(() -> none.acquire(HOUR)).isInstanceOf(TimeoutException.class);
            });
            assertThat(test.clock().elapsed()).isEqualTo(HOUR.multipliedBy(2));
        }
    }

    @Test
    void timeout_interruptsWhatWaitsInTheJdk_asOneOfTheThingsScheduled() throws Exception {
        for (int seed = 0; seed < 50; seed++) {
            try (TestRuntime test = TestRuntime.seeded(seed)) {
                test.run(() -> {
                    CountDownLatch never = new CountDownLatch(1);
                    assertThatThrownBy(() -> Timeout.call(HOUR, () -> never.await()))
                            .isInstanceOf(TimeoutException.class);
                    assertThat(Thread.currentThread().isInterrupted()).isFalse();
                });
                assertThat(test.outsideWakes()).isZero();
                assertThat(test.clock().elapsed()).isEqualTo(HOUR);
            }
        }
    }

    @Test
    void yieldingForAFlag_isTakenForIdle_soThatTimePasses() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> assertThatThrownBy(() -> Timeout.call(HOUR, () -> {
                        while (true) {
                            Task.yieldNow();
                            Task.checkCancelled();
                        }
                    }))
                    .isInstanceOf(TimeoutException.class));
        }
    }

    @Test
    void blockingJob_freezesTheClock_untilItHasEnded() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        try (TestRuntime test = TestRuntime.fifo()) {
            List<String> order = new ArrayList<>();
            test.run(() -> {
                Thread main = Thread.currentThread();
                JoinHandle<?> sleeper = Task.spawn(() -> {
                    Task.sleep(Duration.ofMillis(1));
                    order.add("slept");
                });
                Task.blocking(() -> {
                    Thread waker = Thread.ofPlatform().start(() -> {
                        Parked.await(main); // else the job's end need not wake it
                        LockSupport.parkNanos(30_000_000); // real time, in which the clock could have run away
                        go.countDown();
                    });
                    go.await();
                    waker.join();
                    return null;
                });
                order.add("job at " + test.nanoTime());
                sleeper.join();
            });
            assertThat(order).containsExactly("job at 0", "slept");
            assertThat(test.outsideWakes()).isEqualTo(1);
        }
    }

    @Test
    void sleepOfTheJdk_takesRealTime_andTheClockStands() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                JoinHandle<?> toolkit = Task.spawn(() -> Task.sleep(HOUR));
                Thread.sleep(5);
                assertThat(test.nanoTime()).isZero();
                toolkit.join();
            });
        }
    }

    /* ---------------- Cancellation and sets -------------- */

    @Test
    void abort_endsAWait_andTheTaskIsCancelled() {
        try (TestRuntime test = TestRuntime.fifo()) {
            Semaphore none = Semaphore.of(0);
            JoinHandle<?> victim = test.runtime().spawn(() -> none.acquire());
            test.runUntilIdle();
            victim.abort();
            assertThat(test.isDecided(victim)).isTrue();
            test.runUntilIdle();
            assertThat(victim.tryResult()).isInstanceOf(JoinResult.Cancelled.class);
            assertThat(test.timers()).isZero();
        }
    }

    @Test
    void joinSet_worksUnderControl() throws Exception {
        for (int seed = 0; seed < 50; seed++) {
            try (TestRuntime test = TestRuntime.seeded(seed)) {
                int sum = test.run(() -> {
                    int total = 0;
                    try (var set = JoinSet.<Integer>open()) {
                        for (int i = 1; i <= 4; i++) {
                            int number = i;
                            set.spawn(() -> {
                                Task.sleep(Duration.ofMillis(number));
                                return number;
                            });
                        }
                        for (JoinResult<Integer> result; (result = set.joinNext()) != null; ) {
                            total += result.get();
                        }
                        set.spawn(() -> {
                            Task.sleep(HOUR);
                            return 0;
                        });
                    }
                    return total;
                });
                assertThat(sum).isEqualTo(10);
                assertThat(test.clock().elapsed()).isEqualTo(Duration.ofMillis(4));
            }
        }
    }

    @Test
    void run_throwsWhatTheBodyThrows_andAddsTheSeed() {
        try (TestRuntime test = TestRuntime.seeded(0xabc)) {
            Throwable thrown = catchThrowable(() -> test.run(() -> {
                throw new java.io.IOException("broken");
            }));
            assertThat(thrown).isInstanceOf(java.io.IOException.class).hasMessage("broken");
            assertThat(thrown.getSuppressed()).singleElement().asString().contains("0xabc", "kumihimo.test.seed");
        }
    }

    @Test
    void run_throwsTaskCancelled_whenTheBodyIsAborted() {
        try (TestRuntime test = TestRuntime.fifo()) {
            assertThatThrownBy(() -> test.run(() -> {
                        ((JoinHandle<?>) Task.current()).abort();
                        Task.sleep(HOUR);
                    }))
                    .isInstanceOf(TaskCancelledException.class);
        }
    }

    @Test
    void close_endsWhatLives_inVirtualTime() {
        JoinHandle<?> slow;
        try (TestRuntime test = TestRuntime.fifo()) {
            slow = test.runtime().spawn(() -> {
                try {
                    Task.sleep(HOUR);
                } finally {
                    Task.shield(() -> Task.sleep(Duration.ofSeconds(4)));
                }
            });
            test.runUntilIdle();
        }
        assertThat(slow.tryResult()).isInstanceOf(JoinResult.Cancelled.class);
    }

    @Test
    void close_fails_ifATaskDoesNotEnd() {
        Semaphore none = Semaphore.of(0);
        TestRuntime test = TestRuntime.fifo();
        JoinHandle<?> stubborn = test.runtime().spawn(() -> Task.shield(() -> none.acquire()));
        test.runUntilIdle();
        assertThatThrownBy(test::close)
                .isInstanceOf(ScheduleError.class)
                .hasMessageContaining("1 tasks have not ended")
                .hasMessageContaining("waits for semaphore with 0 free");
        none.release(1);
        test.runUntilIdle();
        assertThat(stubborn.isDone()).isTrue();
        test.close();
    }

    /* ---------------- When nothing can go on -------------- */

    @Test
    void run_tellsWhoWaitsForWhat_inADeadlock() {
        try (TestRuntime test = TestRuntime.seeded(0x7d1e03)) {
            Throwable thrown = catchThrowable(() -> test.run(() -> {
                Channel<String> empty = Channel.bounded(4);
                Channel<String> other = Channel.bounded(4);
                JoinHandle<?> reader = test.runtime()
                        .spawnNamed("reader", () -> Semaphore.of(0).acquire());
                Task.sleep(Duration.ofMillis(1250));
                Select.<Object>of()
                        .onReceive(empty, item -> item)
                        .onReceive(other, item -> item)
                        .await();
                reader.join();
            }));
            assertThat(thrown)
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("deadlock: main has not ended")
                    .hasMessageContaining("00:00:01.250")
                    .hasMessageContaining("seed 0x7d1e03")
                    .hasMessageContaining("-Dkumihimo.test.seed=0x7d1e03")
                    .hasMessageContaining("JDK " + Runtime.version())
                    .hasMessageContaining("#0 task \"main\"    waits for the first of ")
                    .hasMessageContaining("#1 task \"reader\"  waits for semaphore with 0 free")
                    .hasMessageContaining("TestRuntimeTest.java");
        }
    }

    @Test
    void dump_tellsDeadlines() {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.runtime().spawnNamed("late", () -> Semaphore.of(0).acquire(HOUR));
            assertThat(test.dump()).contains("#0 task \"late\"  is ready");
            test.runUntilIdle();
            assertThat(test.dump()).contains("\"late\"  waits for semaphore with 0 free until 01:00:00.000");
        }
    }

    @Test
    void run_tellsALivelock() {
        try (TestRuntime test = TestRuntime.fifo()) {
            assertThatThrownBy(() -> test.run(() -> {
                        while (!Thread.currentThread().isInterrupted()) {
                            Task.yieldNow();
                        }
                    }))
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("livelock");
        }
    }

    @Test
    void run_givesUp_onATaskThatHoldsTheCarrier() {
        CountDownLatch end = new CountDownLatch(1);
        try (TestRuntime test = TestRuntime.fifo().limit(Duration.ofMillis(200))) {
            assertThatThrownBy(() -> test.run(() -> {
                        while (end.getCount() > 0) {
                            Thread.onSpinWait();
                        }
                    }))
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("holds the carrier")
                    .hasMessageContaining("TestRuntimeTest.java");
        } finally {
            end.countDown();
        }
    }

    @Test
    void run_isRefused_toATask() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> assertThatThrownBy(test::runUntilIdle)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("platform thread"));
        }
    }

    @Test
    void run_waitsForAWakeFromOutside_beforeItCallsADeadlock() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            CountDownLatch latch = new CountDownLatch(1);
            Thread[] outside = new Thread[1];
            test.run(() -> {
                Thread main = Thread.currentThread();
                outside[0] = Thread.ofPlatform().start(() -> {
                    Parked.await(main);
                    latch.countDown();
                });
                latch.await();
            });
            outside[0].join();
            assertThat(test.outsideWakes()).isEqualTo(1);
        }
    }
}
