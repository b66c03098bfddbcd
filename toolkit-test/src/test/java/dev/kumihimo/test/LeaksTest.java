package dev.kumihimo.test;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.fs.FileHandle;
import dev.kumihimo.fs.Fs;
import dev.kumihimo.fs.TempDirectory;
import dev.kumihimo.internal.wait.Expirable;
import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.io.BufferPool;
import dev.kumihimo.io.PooledBuffer;
import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.net.UdpSocket;
import dev.kumihimo.net.UnixListener;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.sync.Mutex;
import dev.kumihimo.sync.RwLock;
import dev.kumihimo.sync.Semaphore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a test leaves behind is told, with the line that made it. */
@Timeout(30)
class LeaksTest {
    private static final Duration DAY = Duration.ofDays(1);

    /** The line below that of the call, as a failure tells it. */
    private String below;

    private void markBelow() {
        StackTraceElement caller = new Throwable().getStackTrace()[1];
        below = caller.getFileName() + ":" + (caller.getLineNumber() + 1) + ")";
    }

    private static TestRuntime failing() {
        return TestRuntime.builder().leaks(LeakPolicy.FAIL).build();
    }

    private static ScheduleError leakOf(VoidBody<Exception> body) throws Exception {
        try (TestRuntime test = failing()) {
            test.run(body);
            ScheduleError error = catchThrowableOfType(ScheduleError.class, test::finish);
            assertThat(error).as("a leak").isNotNull();
            return error;
        }
    }

    /* ---------------- Tasks -------------- */

    @Test
    void aTaskThatLives_isTold_withWhatItWaitsForAndWhereAndByWhomItWasSpawned() throws Exception {
        ScheduleError error = leakOf(() -> {
            markBelow();
            TaskRuntime.current().spawnNamed("sleeper", () -> {
                Task.sleep(DAY);
                return 1;
            });
        });
        assertThat(error)
                .hasMessageStartingWith("the test leaves something behind:")
                .hasMessageContaining("#1 task \"sleeper\" has not ended: waits for its deadline; spawned at ")
                .hasMessageContaining(below + " by #0 \"main\"")
                .hasMessageContaining("order: TestRuntime.fifo()");
    }

    @Test
    void aTaskOfATask_isTold_andItsSpawnerToo() throws Exception {
        Semaphore never = Semaphore.of(0);
        ScheduleError error = leakOf(() -> TaskRuntime.current()
                .spawnNamed("outer", () -> {
                    markBelow();
                    Task.spawn(() -> never.acquire());
                    return 1;
                })
                .join());
        assertThat(error)
                .hasMessageContaining("has not ended: waits for semaphore with 0 free; spawned at ")
                .hasMessageContaining(below + " by #1 \"outer\"");
    }

    @Test
    void aBlockingJobThatRuns_isTold() throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        ScheduleError error = leakOf(() -> {
            markBelow();
            Task.current().runtime().spawnBlocking(() -> never.await());
        });
        assertThat(error)
                .hasMessageContaining("blocking job \"job-")
                .hasMessageContaining("has not ended: WAITING at ")
                .hasMessageContaining(below);
    }

    @Test
    void aRawVirtualThreadThatLives_isTold() throws Exception {
        Thread[] raw = new Thread[1];
        ScheduleError error = leakOf(() -> {
            markBelow();
            raw[0] = Thread.ofVirtual().name("raw").start(LockSupport::park);
        });
        raw[0].interrupt(); // nobody runs it any more
        assertThat(error)
                .hasMessageContaining("thread \"raw\" has not ended: WAITING")
                .hasMessageContaining(below + " by #0 \"main\"");
    }

    @Test
    void aTaskThatOnlyHasToRun_isRunToItsEnd() throws Exception {
        try (TestRuntime test = failing()) {
            boolean[] ran = {false};
            test.run(() -> {
                Task.spawn(() -> {
                    Task.yieldNow();
                    ran[0] = true;
                });
            });
            test.finish();
            assertThat(ran[0]).isTrue();
        }
    }

    @Test
    void ofSeveral_allAreToldInOneError_inTheirOrder() throws Exception {
        Exception boom = new IllegalStateException("boom");
        ScheduleError error = leakOf(() -> {
            TaskRuntime.current().spawnNamed("first", () -> {
                Task.sleep(DAY);
                return 1;
            });
            TaskRuntime.current().spawnNamed("second", () -> {
                Task.sleep(DAY);
                return 1;
            });
            Semaphore.of(3).acquire(2);
            TaskRuntime.current().spawnNamed("fails", () -> {
                throw boom;
            });
            TaskRuntime.current().spawnNamed("fails too", () -> {
                throw new IllegalArgumentException();
            });
        });
        assertThat(error.getMessage().lines().map(line -> line.strip().split(": ")[0]))
                .startsWith(
                        "the test leaves 5 things behind:",
                        "#1 task \"first\" has not ended",
                        "#2 task \"second\" has not ended",
                        "task \"fails\" failed and nobody joined it",
                        "task \"fails too\" failed and nobody joined it",
                        "semaphore with 1 free");
        assertThat(error).hasCause(boom);
        assertThat(error.getSuppressed()).hasOnlyElementsOfType(IllegalArgumentException.class);
    }

    /* ---------------- Failures -------------- */

    @Test
    void aFailureThatNobodyJoined_isTold() throws Exception {
        Exception boom = new IllegalStateException("boom");
        ScheduleError error = leakOf(() -> {
            markBelow();
            Task.spawn(() -> {
                throw boom;
            });
        });
        assertThat(error)
                .hasCause(boom)
                .hasMessageContaining("failed and nobody joined it: java.lang.IllegalStateException: boom; spawned at ")
                .hasMessageContaining(below);
    }

    @Test
    void aFailureOfABlockingJob_isTold() throws Exception {
        ScheduleError error = leakOf(() -> {
            markBelow();
            Task.current().runtime().spawnBlocking(() -> {
                throw new IllegalStateException("boom");
            });
        });
        assertThat(error).hasMessageContaining("blocking job").hasMessageContaining(below);
    }

    @Test
    void aFailureOfAThreadOfAnExecutor_isTold() throws Exception {
        ScheduleError error = leakOf(() -> {
            try (ExecutorService executor = TaskRuntime.current().asExecutorService()) {
                markBelow();
                executor.execute(() -> {
                    throw new IllegalStateException("boom");
                });
            }
        });
        assertThat(error).hasMessageContaining("IllegalStateException: boom").hasMessageContaining(below);
    }

    @Test
    void anAssertionErrorThatWasSwallowedByWhoJoined_isTold() throws Exception {
        ScheduleError error = leakOf(() -> {
            JoinHandle<?> task = Task.spawn(() -> assertThat(1).isEqualTo(2));
            try {
                task.join();
            } catch (ExecutionException e) {
                // as careless tests do
            }
        });
        assertThat(error).hasMessageContaining(" failed: ").hasCauseInstanceOf(AssertionError.class);
    }

    @Test
    void anExceptionOfARawThread_isTold() throws Exception {
        RuntimeException boom = new IllegalStateException("boom");
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> {}); // else it is printed, too
        try {
            ScheduleError error = leakOf(() -> {
                markBelow();
                Thread.startVirtualThread(() -> {
                    throw boom;
                });
            });
            assertThat(error)
                    .hasCause(boom)
                    .hasMessageContaining("ended by an exception that nobody caught: ")
                    .hasMessageContaining(below);
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before);
        }
    }

    @Test
    void whatCleanupThrowsAfterAnAbort_isTold() throws Exception {
        ScheduleError error = leakOf(() -> Task.spawn(() -> {
            try {
                Task.sleep(DAY);
            } finally {
                throwIfTrue(true);
            }
        }));
        assertThat(error)
                .hasMessageContaining("has not ended")
                .hasMessageContaining("failed and nobody joined it: java.lang.IllegalStateException: in cleanup");
    }

    private static void throwIfTrue(boolean really) {
        if (really) {
            throw new IllegalStateException("in cleanup");
        }
    }

    /* ---------------- Permits, locks, items -------------- */

    @Test
    void permitsNotGivenBack_areTold() throws Exception {
        ScheduleError error = leakOf(() -> {
            markBelow();
            Semaphore semaphore = Semaphore.of(5);
            semaphore.acquire(3).split(1).close();
            semaphore.acquire().forget();
        });
        assertThat(error)
                .hasMessageContaining("semaphore with 2 free: 2 permits were not given back; made at ")
                .hasMessageContaining(below);
    }

    @Test
    void aPermitThatATaskGivesBackAsItIsAborted_isNotTold_butTheTask() throws Exception {
        ScheduleError error = leakOf(() -> {
            Semaphore semaphore = Semaphore.of(1);
            Task.spawn(() -> {
                try (Semaphore.Permit permit = semaphore.acquire()) {
                    Task.sleep(DAY);
                }
            });
        });
        assertThat(error).hasMessageStartingWith("the test leaves something behind:");
    }

    @Test
    void aPermitOfASemaphoreThatTheTestMade_isTold() throws Exception {
        try (TestRuntime test = failing()) {
            markBelow();
            Semaphore semaphore = Semaphore.of(1);
            test.run(() -> semaphore.acquire());
            assertThatThrownBy(test::finish)
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("1 permit was not given back")
                    .hasMessageContaining(below);
        }
    }

    @Test
    void aMutexThatItsHolderHasNotUnlocked_isTold() throws Exception {
        ScheduleError error = leakOf(() -> {
            markBelow();
            Mutex<Integer> mutex = Mutex.of(1);
            TaskRuntime.current().spawnNamed("holder", () -> mutex.lock()).join();
        });
        assertThat(error)
                .hasMessageContaining(": still held by thread \"holder\", which has ended; made at ")
                .hasMessageContaining(below);
    }

    @Test
    void readAndWriteGuards_areTold() throws Exception {
        assertThat(leakOf(() -> {
                    markBelow();
                    RwLock<Integer> lock = RwLock.of(1);
                    lock.read();
                    lock.read().close();
                    lock.read();
                }))
                .hasMessageContaining("read by 2: 2 read guards were not closed")
                .hasMessageContaining(below);
        assertThat(leakOf(() -> {
                    markBelow();
                    RwLock<Integer> lock = RwLock.of(1);
                    lock.write();
                }))
                .hasMessageContaining("still held for writing by thread \"main\", which has ended")
                .hasMessageContaining(below);
    }

    @Test
    void itemsOfAClosedChannel_areTold() throws Exception {
        ScheduleError error = leakOf(() -> {
            markBelow();
            Channel<Integer> channel = Channel.bounded(3);
            channel.send(1);
            channel.send(2);
            channel.close();
            channel.receive();
        });
        assertThat(error).hasMessageContaining("1 item was never received").hasMessageContaining(below);
    }

    /* ---------------- Files and buffers -------------- */

    @Test
    void openFiles_areTold(@TempDir Path directory) throws Exception {
        Path path = directory.resolve("file");
        assertThat(leakOf(() -> {
                    markBelow();
                    FileHandle.open(path, CREATE, WRITE);
                }))
                .hasMessageContaining("FileHandle[" + path + "]: not closed; made at ")
                .hasMessageContaining(below);
        Files.writeString(path, "line\n".repeat(200_000));
        assertThat(leakOf(() -> {
                    markBelow();
                    Fs.lines(path);
                }))
                .hasMessageContaining("Lines[" + path)
                .hasMessageContaining(below);
        assertThat(leakOf(() -> {
                    markBelow();
                    TempDirectory.create(directory, "left");
                }))
                .hasMessageContaining("TempDirectory[")
                .hasMessageContaining(below);
    }

    @Test
    void buffersOfAPool_areTold() throws Exception {
        PooledBuffer[] left = new PooledBuffer[1];
        ScheduleError error = leakOf(() -> {
            markBelow();
            BufferPool pool = BufferPool.create();
            pool.take(10).close();
            left[0] = pool.take(10);
        });
        left[0].close();
        assertThat(error).hasMessageContaining("1 buffer was not closed").hasMessageContaining(below);
    }

    /* ---------------- Real sockets -------------- */

    /** Of what the body opens in the line below its mark. */
    private void assertTold(String what, Body<AutoCloseable, Exception> body) throws Exception {
        AutoCloseable[] left = new AutoCloseable[1];
        ScheduleError error = leakOf(() -> {
            left[0] = body.call();
        });
        left[0].close();
        assertThat(error)
                .hasMessageContaining(what)
                .hasMessageContaining("not closed; made at ")
                .hasMessageContaining(below);
    }

    @Test
    void aListener_isTold() throws Exception {
        assertTold("TcpListener", () -> {
            markBelow();
            return TcpListener.bind("127.0.0.1", 0);
        });
    }

    @Test
    void aListenerOfAPath_isTold(@TempDir Path directory) throws Exception {
        assertTold("UnixListener", () -> {
            markBelow();
            return UnixListener.bind(directory.resolve("socket"));
        });
    }

    @Test
    void aStreamThatConnected_isTold() throws Exception {
        assertTold("TcpStream", () -> {
            try (TcpListener listener = TcpListener.bind("127.0.0.1", 0)) {
                markBelow();
                TcpStream client = TcpStream.connect(listener.localAddress());
                listener.accept().close();
                return client;
            }
        });
    }

    @Test
    void aStreamThatWasAccepted_isTold() throws Exception {
        assertTold("TcpStream", () -> {
            try (TcpListener listener = TcpListener.bind("127.0.0.1", 0);
                    TcpStream client = TcpStream.connect(listener.localAddress())) {
                markBelow();
                return listener.accept();
            }
        });
    }

    @Test
    void aSocketOfDatagrams_isTold() throws Exception {
        assertTold("UdpSocket", () -> {
            markBelow();
            return UdpSocket.bind("127.0.0.1", 0);
        });
    }

    /* ---------------- Timers and jobs -------------- */

    @Test
    void aTimerThatNobodyWaitsFor_isTold() throws Exception {
        ScheduleError error = leakOf(() -> {
            Expirable forgotten = () -> {};
            markBelow();
            Waiter.current().timers().arm(3_600_000_000_000L, forgotten);
        });
        assertThat(error).hasMessageContaining("a timer for ").hasMessageContaining(below);
    }

    @Test
    void whatABlockingJobMakes_isOfItsRuntime() throws Exception {
        ScheduleError error = leakOf(() -> Task.blocking(() -> {
            markBelow();
            Points.made("a socket", aborted -> "not closed");
        }));
        assertThat(error).hasMessageContaining("a socket: not closed; made at ").hasMessageContaining(below);
    }

    /* ---------------- Policies -------------- */

    @Test
    void theOtherPolicies_doNotFail() throws Exception {
        for (LeakPolicy policy : new LeakPolicy[] {LeakPolicy.WARN, LeakPolicy.IGNORE}) {
            try (TestRuntime test = TestRuntime.builder().leaks(policy).build()) {
                test.run(() -> {
                    Task.spawn(() -> Task.sleep(DAY));
                });
                test.finish();
                assertThat(test.runtime().liveTasks()).isZero();
            }
        }
    }

    @Test
    void theLeakIsFound_inWhicheverScheduleItComesAbout() {
        assertThatThrownBy(() -> Explore.preemptions(1)
                        .configure(builder -> builder.leaks(LeakPolicy.FAIL))
                        .run(() -> {
                            Semaphore semaphore = Semaphore.of(1);
                            JoinHandle<?> taker = Task.spawn(() -> {
                                Semaphore.Permit permit = semaphore.acquire();
                                Task.checkCancelled(); // throws if the abort comes just here
                                permit.close();
                            });
                            Task.spawn(() -> taker.abort()).join();
                            taker.result();
                        }))
                .isInstanceOf(ScheduleError.class)
                .hasMessageContaining("1 permit was not given back")
                .hasMessageContaining("Strategy.replay(");
        assertThat(Leaks.ofCaller()).isNull();
    }
}
