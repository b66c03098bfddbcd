package dev.kumihimo.test.guide;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.test.ExternalIo;
import dev.kumihimo.test.JdkTimers;
import dev.kumihimo.test.Parked;
import dev.kumihimo.test.ScheduleError;
import dev.kumihimo.test.TestRuntime;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Each row of the table of docs/testing.md that tells what the JDK's own waits do. */
@Timeout(60)
class WaitsGuideTest {
    private static final boolean MONITORS_PIN = Runtime.version().feature() < 24;

    private static void runsUnderControl(VoidBody<?> body) throws Exception {
        long[] hashes = new long[3];
        for (int i = 0; i < 3; i++) {
            try (TestRuntime test = TestRuntime.seeded(7)) {
                test.run(body);
                assertThat(test.outsideWakes()).isZero();
                assertThat(test.clock().elapsed()).isZero();
                hashes[i] = test.traceHash();
            }
        }
        assertThat(hashes[2]).isEqualTo(hashes[1]); // the first may have initialised classes
    }

    @Test
    void park_isUnderControl() throws Exception {
        runsUnderControl(() -> {
            Thread main = Thread.currentThread();
            boolean[] free = {false};
            Task.spawn(() -> {
                free[0] = true;
                LockSupport.unpark(main);
            });
            while (!free[0]) {
                LockSupport.park();
            }
        });
    }

    @Test
    void locksAndSemaphores_areUnderControl() throws Exception {
        runsUnderControl(() -> {
            ReentrantLock lock = new ReentrantLock();
            Semaphore semaphore = new Semaphore(0);
            lock.lock();
            var waiter = Task.spawn(() -> {
                lock.lock();
                lock.unlock();
                semaphore.release();
            });
            Task.yieldNow();
            lock.unlock();
            semaphore.acquire();
            waiter.join();
        });
    }

    @Test
    void queuesAndFutures_areUnderControl() throws Exception {
        runsUnderControl(() -> {
            var queue = new ArrayBlockingQueue<Integer>(1);
            FutureTask<Integer> future = new FutureTask<>(queue::take);
            Task.spawn(future::run);
            Task.spawn(() -> queue.put(7));
            assertThat(future.get()).isEqualTo(7);
        });
    }

    @Test
    void aSleep_takesRealTime_andTheClockStands() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            long before = System.nanoTime();
            test.run(() -> {
                Task.spawn(() -> Task.sleep(Duration.ofMillis(1)));
                Thread.sleep(20);
            });
            assertThat(System.nanoTime() - before).isGreaterThanOrEqualTo(19_000_000);
            assertThat(test.clock().elapsed()).isZero();
        }
    }

    @Test
    void aFreeMonitor_isNotSeen() throws Exception {
        Object monitor = new Object();
        runsUnderControl(() -> {
            synchronized (monitor) {
                assertThat(Thread.holdsLock(monitor)).isTrue();
            }
        });
    }

    private static final class Shared {
        private boolean set;

        synchronized void awaitSet() throws InterruptedException {
            while (!set) {
                wait();
            }
        }

        synchronized void set() {
            set = true;
            notifyAll();
        }

        synchronized void parkUntilSet() {
            while (!set) {
                LockSupport.park(this);
            }
        }

        synchronized boolean isSet() {
            return set;
        }
    }

    private static void works_whereMonitorsDoNotPin(VoidBody<?> body) {
        TestRuntime test = TestRuntime.fifo();
        Throwable thrown = catchThrowable(() -> test.run(body));
        if (MONITORS_PIN) {
            assertThat(thrown).isInstanceOf(ScheduleError.class).hasMessageContaining("carrier pinned");
        } else {
            assertThat(thrown).isNull();
            assertThat(test.outsideWakes()).isPositive();
        }
        test.close();
    }

    @Test
    void objectWait_worksWhereItDoesNotPin() {
        works_whereMonitorsDoNotPin(() -> {
            Shared shared = new Shared();
            Task.spawn(shared::set);
            shared.awaitSet();
        });
    }

    @Test
    void aHeldMonitor_worksWhereItDoesNotPin() {
        works_whereMonitorsDoNotPin(() -> {
            Shared shared = new Shared();
            Thread[] owner = new Thread[1];
            var first = Task.spawn(() -> {
                owner[0] = Thread.currentThread();
                shared.parkUntilSet();
            });
            var second = Task.spawn(() -> assertThat(shared.isSet()).isTrue());
            Task.yieldNow();
            shared.set = true;
            LockSupport.unpark(owner[0]);
            first.join();
            second.join();
        });
    }

    @Test
    void aFile_holdsTheCarrier(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "text");
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                boolean[] ran = {false};
                Task.spawn(() -> ran[0] = true);
                assertThat(Files.readString(file)).isEqualTo("text");
                assertThat(ran[0]).isFalse();
            });
        }
    }

    @Test
    void rawVirtualThreads_areUnderControl() throws Exception {
        runsUnderControl(() -> {
            Semaphore done = new Semaphore(0); // on 27 a join() is a wait for a monitor
            Thread.ofVirtual().start(done::release);
            done.acquire();
        });
    }

    @Test
    void otherThreads_runOutside_andTheirWakesAreCounted() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                Thread main = Thread.currentThread();
                Semaphore done = new Semaphore(0);
                new Thread(() -> {
                            Parked.await(main); // else it may be done before anybody waits
                            done.release();
                        })
                        .start();
                done.acquire();
            });
            assertThat(test.outsideWakes()).isPositive();
        }
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                Thread main = Thread.currentThread();
                CompletableFuture.runAsync(() -> Parked.await(main)).get();
            });
            assertThat(test.outsideWakes()).isPositive();
        }
    }

    @Test
    void aStrictRuntime_refuses() throws Exception {
        try (TestRuntime test = strict()) {
            assertThatThrownBy(() -> test.run(() -> Thread.sleep(60_000))).hasMessageContaining("JdkTimers.FORBID");
        }
        try (TestRuntime test = strict()) {
            assertThatThrownBy(() -> test.run(() -> dev.kumihimo.net.TcpListener.bind("127.0.0.1", 0)))
                    .hasStackTraceContaining("ExternalIo.FORBID forbids: #0 \"main\" in TcpListener.bind at ")
                    .hasStackTraceContaining("WaitsGuideTest.java:");
        }
        try (TestRuntime test = strict()) {
            assertThatThrownBy(() -> test.run(() -> Task.sleep(Duration.ofDays(2))))
                    .isInstanceOf(ScheduleError.class);
        }
    }

    private static TestRuntime strict() {
        return TestRuntime.builder()
                .externalIo(ExternalIo.FORBID) // who opens a socket fails
                .jdkTimers(JdkTimers.FORBID) // who sleeps in the JDK, too
                .virtualLimit(Duration.ofDays(1)) // what waits for longer is a failure
                .maxSteps(100_000) // and so is what goes round for ever
                .build();
    }
}
