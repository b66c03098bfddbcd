package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.time.Timeout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** When the clock moves, and what ends a run that goes nowhere. What TestRuntimeTest has of it is not repeated. */
@org.junit.jupiter.api.Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class VirtualTimeRulesTest {
    private static final Duration MILLI = Duration.ofMillis(1);
    private static final Duration HOUR = Duration.ofHours(1);

    private static JoinHandle<?> named(TestRuntime test, String name, VoidBody<?> body) {
        return test.runtime().spawnNamed(name, () -> {
            body.run();
            return null;
        });
    }

    /* ---------------- T1: it takes no time to compute -------------- */

    @Test
    void theClockStands_asLongAsAnythingIsReady() throws Exception {
        for (int seed = 0; seed < 10; seed++) {
            try (TestRuntime test = TestRuntime.seeded(seed)) {
                test.run(() -> {
                    Channel<Integer> channel = Channel.bounded(1);
                    JoinHandle<?> sleeper = Task.spawn(() -> Task.sleep(MILLI));
                    JoinHandle<?> sender = Task.spawn(() -> {
                        for (int i = 0; i < 2_000; i++) {
                            channel.send(i);
                        }
                    });
                    for (int i = 0; i < 2_000; i++) {
                        channel.receive();
                        assertThat(test.nanoTime()).isZero();
                    }
                    sender.join();
                    sleeper.join();
                });
                assertThat(test.clock().elapsed()).isEqualTo(MILLI);
            }
        }
    }

    /* ---------------- T2: blocking jobs -------------- */

    private static void aWhile() {
        LockSupport.parkNanos(10_000_000); // real time, in which a clock that does not stand runs away
    }

    @Test
    void jobsThatOverlap_andStartOthers_freezeTheClockUntilTheLastHasEnded() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            List<Long> ends = new ArrayList<>();
            test.run(() -> {
                JoinHandle<?> sleeper = Task.spawn(() -> Task.sleep(MILLI));
                List<JoinHandle<?>> jobs = new ArrayList<>();
                for (int i = 0; i < 5; i++) {
                    jobs.add(Task.spawn(() -> {
                        JoinHandle<JoinHandle<?>> outer = test.runtime().spawnBlocking(() -> {
                            aWhile();
                            return test.runtime().spawnBlocking(VirtualTimeRulesTest::aWhile);
                        });
                        outer.join().join();
                        ends.add(test.nanoTime());
                    }));
                }
                for (JoinHandle<?> job : jobs) {
                    job.join();
                }
                assertThat(sleeper.isDone()).isFalse();
                sleeper.join();
            });
            assertThat(ends).containsExactly(0L, 0L, 0L, 0L, 0L);
            assertThat(test.clock().elapsed()).isEqualTo(MILLI);
        }
    }

    @Test
    void aJobThatFails_letsGoOfTheClock() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                assertThatThrownBy(() -> Task.blocking(() -> {
                            aWhile();
                            throw new IllegalArgumentException("broken");
                        }))
                        .isInstanceOf(IllegalArgumentException.class);
                Task.sleep(HOUR);
            });
            assertThat(test.clock().elapsed()).isEqualTo(HOUR);
        }
    }

    @Test
    void aJobThatWakesTasks_isHeardBeforeTheClockMoves() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                Channel<Integer> channel = Channel.bounded(100);
                Task.spawn(() -> Task.sleep(MILLI));
                JoinHandle<?> job = test.runtime().spawnBlocking(() -> {
                    for (int i = 0; i < 100; i++) {
                        channel.trySend(i);
                        if (i % 10 == 0) {
                            LockSupport.parkNanos(1_000_000);
                        }
                    }
                });
                for (int i = 0; i < 100; i++) {
                    assertThat(channel.receive()).isEqualTo(i);
                    assertThat(test.nanoTime()).isZero();
                }
                job.join();
            });
        }
    }

    @Test
    void aJobUnderWay_freezesAdvanceToo() {
        try (TestRuntime test = TestRuntime.fifo()) {
            List<String> order = new ArrayList<>();
            test.runtime().spawn(() -> {
                Task.blocking(VirtualTimeRulesTest::aWhile);
                order.add("job at " + test.nanoTime());
            });
            test.runtime().spawn(() -> {
                Task.sleep(MILLI);
                order.add("slept");
            });
            assertThat(test.advance(MILLI)).isEqualTo(1);
            assertThat(order).containsExactly("job at 0", "slept");
        }
    }

    @Test
    void yieldingUntilAJobHasEnded_isNoLivelock() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                AtomicBoolean ended = new AtomicBoolean();
                CountDownLatch spun = new CountDownLatch(9_990); // ten more count as idle
                Task.spawn(() -> {
                    Task.blocking(() -> {
                        spun.await();
                        aWhile();
                        aWhile();
                    });
                    ended.set(true);
                });
                while (!ended.get()) {
                    spun.countDown();
                    Task.yieldNow();
                }
            });
            assertThat(test.nanoTime()).isZero();
        }
    }

    /* ---------------- T6, T9: one deadline after the other -------------- */

    @Test
    void whatIsDueAtOneTime_becomesReadyInTheOrderOfArming() {
        try (TestRuntime test = TestRuntime.fifo()) {
            List<String> names = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                String name = "sleeper-" + i;
                names.add("#" + i + " \"" + name + '"');
                named(test, name, () -> Task.sleep(HOUR));
            }
            test.runUntilIdle();
            assertThat(test.elapse(HOUR)).isEqualTo(20);
            assertThat(test.ready()).isEqualTo(names);
        }
    }

    @Test
    void advance_expiresWhatIsDueAtItsEnd_andNothingBeyond() {
        try (TestRuntime test = TestRuntime.fifo()) {
            for (int i = 1; i <= 5; i++) {
                Duration length = Duration.ofSeconds(i);
                test.runtime().spawn(() -> Task.sleep(length));
            }
            assertThat(test.advance(Duration.ofSeconds(3))).isEqualTo(3);
            assertThat(test.timers()).isEqualTo(2);
            assertThat(test.advance(Duration.ZERO)).isZero();
        }
    }

    /* ---------------- T8: going nowhere -------------- */

    @Test
    void livelock_tellsWhereThoseAreThatOnlyYield() {
        try (TestRuntime test = TestRuntime.fifo()) {
            assertThatThrownBy(() -> test.run(() -> {
                        JoinHandle<?> other = named(test, "polite", VirtualTimeRulesTest::yieldForEver);
                        other.join();
                    }))
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("livelock")
                    .hasMessageContaining("#1 \"polite\"")
                    .hasMessageContaining("VirtualTimeRulesTest.yieldForEver(VirtualTimeRulesTest.java:");
        }
    }

    private static void yieldForEver() {
        while (!Thread.currentThread().isInterrupted()) {
            Task.yieldNow();
        }
    }

    @Test
    void twoThatPlayPingPongForEver_meetTheLimitOfRuns() {
        try (TestRuntime test = TestRuntime.builder().maxSteps(5_000).build()) {
            assertThatThrownBy(() -> test.run(() -> {
                        Channel<Integer> there = Channel.bounded(1);
                        Channel<Integer> back = Channel.bounded(1);
                        named(test, "pong", () -> pong(there, back));
                        there.send(0);
                        while (true) {
                            there.send(back.receive());
                        }
                    }))
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("livelock: not done after 5000 runs")
                    .hasMessageContaining("VirtualTimeRulesTest.java:");
            assertThat(test.nanoTime()).isZero();
        }
    }

    private static void pong(Channel<Integer> from, Channel<Integer> to) throws InterruptedException {
        while (true) {
            to.send(from.receive());
        }
    }

    @Test
    void maxSteps_countsForEachDrive() throws Exception {
        try (TestRuntime test = TestRuntime.builder().maxSteps(100).build()) {
            for (int i = 0; i < 10; i++) {
                test.run(() -> {
                    for (int k = 0; k < 50; k++) {
                        Task.yieldNow();
                    }
                });
            }
            assertThat(test.steps()).isGreaterThan(500);
        }
    }

    @Test
    void virtualLimit_endsWhatWaitsForEver_whileSomethingElseTicks() {
        try (TestRuntime test = TestRuntime.builder().virtualLimit(HOUR).build()) {
            assertThatThrownBy(() -> test.run(() -> {
                        Task.spawn(() -> {
                            while (true) {
                                Task.sleep(Duration.ofMinutes(7));
                            }
                        });
                        Semaphore.of(0).acquire();
                    }))
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("out of virtual time")
                    .hasMessageContaining("virtualLimit of 01:00:00.000")
                    .hasMessageContaining("01:03:00.000")
                    .hasMessageContaining("waits for semaphore with 0 free");
            assertThat(test.clock().elapsed()).isEqualTo(Duration.ofMinutes(56));
        }
    }

    @Test
    void virtualLimit_isTheLastTimeThatMayBeReached() throws Exception {
        try (TestRuntime test = TestRuntime.builder().virtualLimit(HOUR).build()) {
            test.run(() -> Task.sleep(HOUR));
            assertThatThrownBy(() -> test.run(() -> Task.sleep(MILLI))).isInstanceOf(ScheduleError.class);
        }
    }

    @Test
    void settings_areChecked() {
        TestRuntimeBuilder builder = TestRuntime.builder();
        assertThatThrownBy(() -> builder.maxSteps(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("steps=0 must be at least 1");
        assertThatThrownBy(() -> builder.virtualLimit(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("virtualTime=PT0S must be more than zero");
        assertThatThrownBy(() -> builder.externalIo(ExternalIo.GRACE, Duration.ofMillis(-1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("realTime=PT-0.001S must be more than zero");
    }

    /* ---------------- T10: the clock begins at 0, and never wraps -------------- */

    @Test
    void theClock_beginsAtZero_andADeadlineThatDoesNotFitIsNever() throws Exception {
        try (TestRuntime test = TestRuntime.seeded(8)) {
            assertThat(test.nanoTime()).isZero();
            test.elapse(Duration.ofNanos(Long.MAX_VALUE - 1_000_000_000)); // 1 s before nothing fits any more
            test.run(() -> {
                JoinHandle<?> never = Task.spawn(() -> Task.sleep(Duration.ofSeconds(2)));
                Task.sleep(Duration.ofMillis(500));
                assertThat(never.isDone()).isFalse();
                never.abort();
                assertThatThrownBy(never::join).isInstanceOf(TaskCancelledException.class);
                assertThatThrownBy(() -> Semaphore.of(0).acquire(Duration.ofMillis(400)))
                        .isInstanceOf(java.util.concurrent.TimeoutException.class);
            });
            assertThat(test.nanoTime()).isPositive();
        }
    }

    /* ---------------- T11: after the body -------------- */

    @Test
    void close_givesFinalisersFiveSeconds_andTellsWhoTakesLonger() {
        JoinHandle<?> quick;
        try (TestRuntime test = TestRuntime.fifo()) {
            quick = test.runtime().spawn(() -> lastWords(Duration.ofSeconds(5)));
            test.runUntilIdle();
        }
        assertThat(quick.isDone()).isTrue();

        TestRuntime test = TestRuntime.fifo();
        named(test, "slow", () -> lastWords(Duration.ofMillis(5_001)));
        test.runUntilIdle();
        assertThatThrownBy(test::close)
                .isInstanceOf(ScheduleError.class)
                .hasMessageContaining("1 tasks have not ended within 5 s of virtual time after their abort")
                .hasMessageContaining("\"slow\"");
        test.advance(Duration.ofMillis(1));
        test.close();
    }

    private static void lastWords(Duration length) throws InterruptedException {
        try {
            Task.sleep(HOUR);
        } finally {
            Task.shield(() -> Task.sleep(length));
        }
    }

    @Test
    void close_tellsOfAFinaliserThatRunsForEver() {
        TestRuntime test = TestRuntime.fifo();
        AtomicBoolean end = new AtomicBoolean();
        named(test, "restless", () -> {
            Channel<Integer> channel = Channel.bounded(1);
            Task.shield(() -> {
                while (!end.get()) {
                    Thread.startVirtualThread(() -> channel.trySend(1));
                    channel.receive();
                }
            });
        });
        test.step();
        assertThatThrownBy(test::close)
                .isInstanceOf(ScheduleError.class)
                .hasMessageContaining("what was aborted has not ended within 100000 runs");
        end.set(true);
        test.close();
    }

    @Test
    void close_endsWhatIsBeyondTheLimits() {
        TestRuntime test =
                TestRuntime.builder().virtualLimit(MILLI).maxSteps(10).build();
        JoinHandle<?> task = test.runtime().spawn(() -> lastWords(Duration.ofSeconds(4)));
        test.runUntilIdle();
        test.close();
        assertThat(task.isDone()).isTrue();
    }

    @Test
    void timeout_isNotHeldUp_byThoseThatYield() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                AtomicBoolean stop = new AtomicBoolean();
                List<JoinHandle<?>> polite = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    polite.add(Task.spawn(() -> {
                        while (!stop.get()) {
                            Task.yieldNow();
                        }
                    }));
                }
                Timeout.call(HOUR.multipliedBy(2), () -> Task.sleep(HOUR));
                stop.set(true);
                for (JoinHandle<?> each : polite) {
                    each.join();
                }
            });
            assertThat(test.clock().elapsed()).isEqualTo(HOUR);
        }
    }
}
