package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.net.TcpListener;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** What comes to the thread that drives, wherever the carrier is just then, and that a runtime can be ended afterwards. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class DrivingTest {
    private static final Duration HOUR = Duration.ofHours(1);

    /* ---------------- Interrupts -------------- */

    @Test
    void anInterruptThatCameBefore_endsTheDrive_andNotTheRuntime() {
        CountDownLatch never = new CountDownLatch(1);
        AtomicReference<JoinHandle<?>> started = new AtomicReference<>();
        for (int i = 0; i < 100; i++) { // it may come before the carrier begins, or after
            try (TestRuntime test = TestRuntime.fifo()) {
                JoinHandle<?> other = test.runtime().spawn(() -> Task.sleep(HOUR));
                started.set(other);
                Thread.currentThread().interrupt();
                assertThatThrownBy(() -> test.run(() -> Task.blocking(() -> never.await())))
                        .isInstanceOf(ScheduleError.class)
                        .hasMessageContaining("the driving thread was interrupted");
                assertThat(Thread.interrupted()).isTrue();
            }
            assertThat(started.get().isDone()).isTrue();
        }
    }

    @Test
    void anInterruptWhileNothingRuns_andSomethingMayComeFromOutside_endsTheDrive() throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        AtomicReference<Thread> parking = new AtomicReference<>();
        Thread driver = Thread.currentThread();
        Thread intruder = Thread.ofPlatform().start(() -> {
            while (parking.get() == null || parking.get().getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            driver.interrupt();
        });
        JoinHandle<?> other;
        try (TestRuntime test = TestRuntime.fifo()) {
            other = test.runtime().spawn(() -> dev.kumihimo.sync.Semaphore.of(0).acquire());
            assertThatThrownBy(() -> test.run(() -> {
                        parking.set(Thread.currentThread());
                        never.await();
                    }))
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("the driving thread was interrupted");
            assertThat(Thread.interrupted()).isTrue();
        }
        intruder.join();
        assertThat(other.isDone()).isTrue();
    }

    @Test
    void anInterruptThatCameTooLate_isNotTheNextOnes() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {});
            test.interruptDriving();
            assertThat(test.<Integer, Exception>run(() -> 7)).isEqualTo(7);
        }
    }

    @Test
    void anInterrupt_endsAnExploration_alsoAsAScheduleIsAboutToBegin() {
        CountDownLatch never = new CountDownLatch(1);
        AtomicInteger running = new AtomicInteger();
        for (int i = 0; i < 50; i++) {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> Explore.seeds(10).run(() -> {
                        running.incrementAndGet();
                        try {
                            Task.blocking(() -> never.await());
                        } finally {
                            running.decrementAndGet();
                        }
                    }))
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("interrupted while it drove");
            assertThat(Thread.interrupted()).isTrue();
            assertThat(running).hasValue(0);
        }
    }

    /* ---------------- Limits -------------- */

    @Test
    void wakesFromOutsideWithoutEnd_areOutOfTime_andTheRuntimeIsNotGivenUp() {
        Semaphore bell = new Semaphore(0);
        AtomicBoolean over = new AtomicBoolean();
        Thread ringer = Thread.ofPlatform().unstarted(() -> {
            while (!over.get()) {
                LockSupport.parkNanos(30_000_000);
                bell.release();
            }
        });
        JoinHandle<?> other;
        try (TestRuntime test = TestRuntime.fifo().limit(Duration.ofMillis(300))) {
            other = test.runtime().spawn(() -> dev.kumihimo.sync.Semaphore.of(0).acquire());
            assertThatThrownBy(() -> test.run(() -> {
                        ringer.start();
                        while (true) {
                            bell.acquire();
                        }
                    }))
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("out of time");
        } finally {
            over.set(true);
        }
        assertThat(other.isDone()).isTrue();
    }

    @Test
    void aLimitWithoutEnd_isNone() throws Exception {
        try (TestRuntime test =
                TestRuntime.builder().limit(ChronoUnit.FOREVER.getDuration()).build()) {
            test.run(() -> Task.blocking(() -> LockSupport.parkNanos(50_000_000)));
        }
        Explore.seeds(1)
                .limit(ChronoUnit.FOREVER.getDuration())
                .run(() -> Task.blocking(() -> LockSupport.parkNanos(50_000_000)));
    }

    @Test
    void whoYieldsOften_runsOn_alsoWhileABlockingJobWaitsForIt() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                CountDownLatch latch = new CountDownLatch(1);
                JoinHandle<?> job = Task.spawn(() -> Task.blocking(() -> latch.await()));
                for (int i = 0; i < 11_000; i++) {
                    Task.yieldNow();
                }
                latch.countDown();
                job.join();
            });
        }
    }

    /* ---------------- From outside -------------- */

    @Test
    void whatTheCommonPoolHasToDo_mayWakeATask_alsoFromAToolkitWait() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                Channel<Integer> channel = Channel.bounded(1);
                ForkJoinPool.commonPool().execute(() -> {
                    LockSupport.parkNanos(20_000_000);
                    channel.trySend(7);
                });
                assertThat(channel.receive()).isEqualTo(7);
            });
        }
    }

    @Test
    void aClockThatFollowsRealTime_isNotHeldByAWaitForASocket() throws Exception {
        for (ExternalIo io : new ExternalIo[] {ExternalIo.GRACE, ExternalIo.INHIBIT}) {
            Duration patience = io == ExternalIo.GRACE ? HOUR : Duration.ofMillis(20);
            try (TestRuntime test = TestRuntime.builder()
                    .startPaused(false)
                    .externalIo(io, patience)
                    .build()) {
                test.run(() -> {
                    try (TcpListener listener = TcpListener.bind("127.0.0.1", 0)) {
                        JoinHandle<?> server = Task.spawn(() -> listener.accept());
                        Task.sleep(Duration.ofMillis(200));
                        server.abort();
                    }
                });
            }
        }
    }

    @Test
    void manyMayAskForADumpAtOnce() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            List<String> dumps = new CopyOnWriteArrayList<>();
            List<Thread> askers = Stream.generate(() -> Thread.ofPlatform().unstarted(() -> dumps.add(test.dump())))
                    .limit(3)
                    .toList();
            test.run(() -> {
                askers.forEach(Thread::start);
                for (Thread asker : askers) {
                    while (asker.getState() != Thread.State.TIMED_WAITING) {
                        Thread.onSpinWait(); // it has asked: we hold the carrier
                    }
                }
                Task.yieldNow();
                Task.blocking(() -> {
                    for (Thread asker : askers) {
                        asker.join();
                    }
                });
            });
            assertThat(dumps).hasSize(3).allSatisfy(dump -> assertThat(dump).startsWith("at 00:00:00.000"));
        }
    }

    /* ---------------- Strategies -------------- */

    @Test
    void aStrategyThatThrowsAnError_failsTheDrive_alsoAtAPoint() {
        AssertionError broken = new AssertionError("broken");
        for (boolean atPoint : new boolean[] {false, true}) {
            JoinHandle<?> other;
            try (TestRuntime test = TestRuntime.with(new Strategy() {
                @Override
                public int choose(Choice choice) {
                    if (choice.canGoOn() == atPoint) {
                        throw broken;
                    }
                    return 0;
                }
            })) {
                other = test.runtime().spawn(() -> Task.sleep(HOUR));
                assertThatThrownBy(() -> test.run(() -> {
                            Task.spawn(() -> {});
                            dev.kumihimo.sync.Semaphore.of(1).acquire();
                        }))
                        .isInstanceOf(ScheduleError.class)
                        .hasMessageContaining("the strategy failed: " + broken)
                        .hasCause(broken);
            }
            assertThat(other.isDone()).isTrue();
        }
    }
}
