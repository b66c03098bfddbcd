package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.Receiver;
import dev.kumihimo.channel.Sender;
import dev.kumihimo.fs.FileHandle;
import dev.kumihimo.fs.Fs;
import dev.kumihimo.io.BufferPool;
import dev.kumihimo.io.ByteStreams;
import dev.kumihimo.io.DuplexPair;
import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpServer;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.select.Select;
import dev.kumihimo.sync.Mutex;
import dev.kumihimo.sync.RwLock;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.task.CancellationToken;
import dev.kumihimo.task.JoinSet;
import dev.kumihimo.task.TaskTracker;
import dev.kumihimo.task.Tasks;
import dev.kumihimo.time.DelayQueue;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is no leak is not told: each rule's other side, and sound programs in many schedules. */
@Timeout(60)
class NoLeaksTest {
    private static final Duration DAY = Duration.ofDays(1);

    /** How many schedules the sound programs are run in, by each strategy. */
    private static final int SCHEDULES = Integer.getInteger("kumihimo.test.leak.schedules", 150);

    private static TestRuntime failing() {
        return TestRuntime.builder().leaks(LeakPolicy.FAIL).build();
    }

    private static void assertNoLeak(VoidBody<Exception> body) throws Exception {
        try (TestRuntime test = failing()) {
            test.run(body);
            test.finish();
        }
    }

    @Test
    void permits() throws Exception {
        assertNoLeak(() -> {
            Semaphore semaphore = Semaphore.of(5);
            semaphore.acquire(2).forget();
            semaphore.forgetPermits(1);
            semaphore.acquire().close();
            Semaphore.Permit first = semaphore.acquire();
            first.merge(semaphore.acquire());
            first.split(1).close();
            first.close();
        });
        assertNoLeak(
                () -> { // a signal: nobody gives back what was never lent
                    Semaphore signal = Semaphore.of(0);
                    JoinHandle<?> waiter = Task.spawn(() -> signal.acquire());
                    signal.release(1);
                    waiter.join();
                });
        assertNoLeak(
                () -> { // taken here, given back there
                    Semaphore semaphore = Semaphore.of(1);
                    semaphore.acquire();
                    Task.spawn(() -> semaphore.release(1)).join();
                });
        assertNoLeak(() -> {
            Semaphore semaphore = Semaphore.of(1);
            semaphore.acquire();
            semaphore.close();
        });
    }

    @Test
    void locks() throws Exception {
        assertNoLeak(() -> {
            Mutex<Integer> mutex = Mutex.of(1);
            mutex.lock().close();
            RwLock<Integer> lock = RwLock.of(1);
            lock.read().close();
            lock.write().downgrade().close();
            lock.write().close();
        });
        try (TestRuntime test = failing()) { // still held by the thread of the test, which can unlock it
            Mutex<Integer> mutex = Mutex.of(1);
            Mutex.Guard<Integer> guard = mutex.lock();
            test.finish();
            guard.close();
        }
    }

    @Test
    void items() throws Exception {
        assertNoLeak(() -> {
            Channel<Integer> open = Channel.bounded(2);
            open.send(1);
            Channel<Integer> failed = Channel.bounded(2);
            failed.send(1);
            failed.close(new IllegalStateException("why"));
            Channel<Integer> drained = Channel.bounded(2);
            drained.send(1);
            drained.close();
            drained.receive();
            Channel<Integer> unwanted = Channel.bounded(2);
            try (Receiver<Integer> receiver = unwanted.receiver();
                    Sender<Integer> sender = unwanted.sender()) {
                sender.send(1);
            }
            DelayQueue<Integer> delayed = DelayQueue.create();
            delayed.insert(1, DAY);
        });
    }

    @Test
    void theBackground_isAbortedFirst_andWhatItDoesThenIsNotHeldAgainstIt() throws Exception {
        try (TestRuntime test = failing()) {
            Semaphore semaphore = Semaphore.of(1);
            Channel<Integer> channel = Channel.bounded(2);
            boolean[] cleanedUp = {false};
            JoinHandle<?> background = test.runtime().spawn(() -> {
                Task.spawn(() -> Task.sleep(DAY)); // of the background, too
                try (Semaphore.Permit permit = semaphore.acquire()) {
                    Task.sleep(DAY);
                } finally {
                    Task.shield(() -> Task.sleep(Duration.ofSeconds(4)));
                    channel.send(1);
                    channel.close();
                    cleanedUp[0] = true;
                }
            });
            test.background(background);
            JoinHandle<?> wraps = test.runtime().spawn(() -> {
                try {
                    Task.sleep(DAY);
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            test.background(wraps);
            test.run(() -> Task.sleep(Duration.ofSeconds(1)));
            test.finish();
            assertThat(cleanedUp[0]).isTrue();
        }
    }

    @Test
    void aBackgroundTaskThatTakesTooLongToEnd_isTold() throws Exception {
        try (TestRuntime test = failing()) {
            JoinHandle<?> background = test.runtime().spawnNamed("slow", () -> {
                Task.shield(() -> Task.sleep(Duration.ofSeconds(6)));
                return 1;
            });
            test.background(background);
            test.run(() -> {});
            assertThat(org.assertj.core.api.Assertions.catchThrowable(test::finish))
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("task \"slow\" in the background has not ended within 5 s of its abort");
        }
    }

    @Test
    void aServerThatIsAborted() throws Exception {
        assertNoLeak(() -> {
            TcpListener listener = TcpListener.bind("127.0.0.1", 0);
            JoinHandle<?> server = Task.spawn(() -> TcpServer.serve(listener, stream -> {}));
            try (TcpStream client = TcpStream.connect(listener.localAddress())) {
                assertThat(client.read(ByteBuffer.allocate(1))).isNegative(); // it has served, and is at its next one
            }
            server.abort();
            assertThat(server.result()).isInstanceOf(JoinResult.Cancelled.class);
        });
    }

    @Test
    void failures() throws Exception {
        assertNoLeak(() -> {
            JoinHandle<?> joined = Task.spawn(() -> {
                throw new IllegalStateException("boom");
            });
            assertThat(joined.result()).isInstanceOf(JoinResult.Failure.class);
            JoinHandle<?> error = Task.spawn(() -> {
                throw new StackOverflowError();
            });
            assertThat(error.result()).isInstanceOf(JoinResult.Failure.class);
            JoinHandle<?> aborted = Task.spawn(() -> {
                try {
                    Task.sleep(DAY);
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            Task.sleep(Duration.ofSeconds(1));
            aborted.abort();
            Task.sleep(Duration.ofSeconds(1));
        });
        try (TestRuntime test = failing()) { // it has come out where the test sees it
            assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> test.run(() -> Task.spawn(() -> {
                                throw new AssertionError("boom");
                            })
                            .join())))
                    .hasRootCauseInstanceOf(AssertionError.class);
            test.finish();
        }
    }

    @Test
    void files(@TempDir Path directory) throws Exception {
        Path path = directory.resolve("file");
        Files.writeString(path, "one line\n");
        assertNoLeak(() -> {
            try (FileHandle file = FileHandle.open(path, StandardOpenOption.WRITE)) {
                file.writeAll(ByteBuffer.wrap(new byte[] {'O'}));
            }
            Fs.lines(path).nextOrNull(); // the whole file is read, and so closed
            try (BufferPool pool = BufferPool.create()) {
                pool.take(10).close();
            }
            BufferPool.shared().take(10);
        });
    }

    @Test
    void whatWasMadeBeforeTheRuntime_orByAnotherThread_isNotItsOwn() throws Exception {
        Semaphore before = Semaphore.of(1);
        try (TestRuntime test = failing();
                TestRuntime ignoring = TestRuntime.fifo()) {
            Semaphore[] others = new Semaphore[1];
            ignoring.run(() -> {
                others[0] = Semaphore.of(1);
                others[0].acquire();
            });
            Thread thread = new Thread(() -> assertThat(Leaks.ofCaller()).isNull());
            thread.start();
            thread.join();
            test.run(() -> before.acquire());
            test.finish();
        }
    }

    @Test
    void accountsOfOneThread_mayEndInAnyOrder() throws Exception {
        TestRuntime[] elsewhere = new TestRuntime[1];
        Thread.ofPlatform().start(() -> elsewhere[0] = failing()).join();
        try (TestRuntime others = elsewhere[0];
                TestRuntime first = failing();
                TestRuntime second = failing();
                TestRuntime third = failing()) {
            first.close();
            third.close();
            assertThat(Leaks.ofCaller()).isNotNull();
            second.close();
            assertThat(Leaks.ofCaller()).isNull();
            others.finish();
        }
    }

    @Test
    void theAccountEnds_withTheRuntime() throws Exception {
        try (TestRuntime outer = failing()) {
            Leaks ofOuter = Leaks.ofCaller();
            try (TestRuntime inner = failing()) {
                assertThat(Leaks.ofCaller()).isNotNull().isNotSameAs(ofOuter);
                inner.finish();
            }
            assertThat(Leaks.ofCaller()).isSameAs(ofOuter);
            outer.finish();
            outer.finish();
        }
        assertThat(Leaks.ofCaller()).isNull();
    }

    /* ---------------- Sound programs -------------- */

    private static void pipeline() throws Exception {
        Channel<Integer> numbers = Channel.bounded(1);
        Channel<Integer> squares = Channel.rendezvous();
        try (JoinSet<Integer> set = JoinSet.open()) {
            set.spawn(() -> {
                for (int i = 1; i <= 3; i++) {
                    numbers.send(i);
                }
                numbers.close();
                return 0;
            });
            set.spawn(() -> {
                numbers.forEach(number -> squares.send(number * number));
                squares.close();
                return 0;
            });
            int[] sum = {0};
            squares.forEach(square -> sum[0] += square);
            assertThat(sum[0]).isEqualTo(14);
        }
    }

    private static void permitsUnderCancellation() throws Exception {
        Semaphore semaphore = Semaphore.of(1);
        CancellationToken token = CancellationToken.create();
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            tasks.add(Task.spawn(() -> token.run(() -> {
                try (Semaphore.Permit permit = semaphore.acquire()) {
                    Task.sleep(Duration.ofMillis(1));
                }
            })));
        }
        tasks.add(Task.spawn(() -> token.cancel()));
        for (JoinHandle<?> task : tasks) {
            task.result();
        }
    }

    private static void locksAndAborts() throws Exception {
        Mutex<Integer> mutex = Mutex.of(0);
        RwLock<Map<String, Integer>> table = RwLock.of(new TreeMap<>());
        JoinHandle<?> writer = Task.spawn(() -> {
            try (var guard = mutex.lock();
                    var writing = table.write()) {
                writing.get().put("key", guard.get());
                Task.yieldNow();
            }
        });
        JoinHandle<?> reader = Task.spawn(() -> {
            try (var reading = table.read()) {
                reading.get().get("key");
            }
            try (var guard = mutex.lock(Duration.ofSeconds(1))) {
                guard.set(2);
            }
        });
        writer.abort();
        writer.result();
        reader.join();
    }

    private static void timeoutsAndSelects() throws Exception {
        Channel<Integer> channel = Channel.bounded(1);
        try {
            dev.kumihimo.time.Timeout.call(Duration.ofSeconds(1), () -> channel.receive());
        } catch (TimeoutException e) {
            channel.send(1);
        }
        DelayQueue<Integer> delayed = DelayQueue.create();
        delayed.insert(2, Duration.ofSeconds(2));
        int sum = 0;
        for (int i = 0; i < 2; i++) {
            sum += Select.<Integer>of()
                    .on(channel, item -> item)
                    .on(delayed, expired -> expired.value())
                    .after(DAY, () -> 100)
                    .await();
        }
        assertThat(sum).isEqualTo(3);
    }

    private static void trackedAndRaced() throws Exception {
        TaskTracker tracker = TaskTracker.create();
        int[] ended = {0};
        for (int i = 0; i < 2; i++) {
            tracker.spawn(() -> {
                Task.sleep(Duration.ofMillis(1));
                ended[0]++;
            });
        }
        assertThat(Tasks.race(() -> 1, () -> {
                    Task.sleep(DAY);
                    return 2;
                }))
                .isEqualTo(1);
        try {
            Tasks.all(
                    () -> {
                        throw new IllegalStateException("boom");
                    },
                    () -> {
                        Task.sleep(DAY);
                        return 2;
                    });
        } catch (ExecutionException e) {
            // seen
        }
        tracker.close();
        tracker.await();
        assertThat(ended[0]).isEqualTo(2);
    }

    private static void pipesAndTokens() throws Exception {
        DuplexPair pair = ByteStreams.duplex(2);
        CancellationToken token = CancellationToken.create();
        JoinHandle<?> reader = Task.spawn(() -> {
            try {
                token.child().run(() -> {
                    ByteBuffer target = ByteBuffer.allocate(8);
                    while (pair.second().read(target) >= 0) {
                        Task.yieldNow();
                    }
                });
            } catch (TaskCancelledException e) {
                // that is how it ends
            }
        });
        pair.first().writeAll(ByteBuffer.wrap(new byte[2]));
        token.cancel();
        reader.join();
    }

    private static void executors() throws Exception {
        try (ExecutorService executor = Task.current().runtime().asExecutorService()) {
            assertThat(executor.submit(() -> 1).get()).isEqualTo(1);
        }
        Thread raw = Thread.startVirtualThread(Thread::yield);
        while (raw.isAlive()) {
            Thread.yield();
        }
    }

    private static final Map<String, VoidBody<Exception>> SOUND = Map.of(
            "pipeline", NoLeaksTest::pipeline,
            "permits", NoLeaksTest::permitsUnderCancellation,
            "locks", NoLeaksTest::locksAndAborts,
            "timeouts", NoLeaksTest::timeoutsAndSelects,
            "tracked", NoLeaksTest::trackedAndRaced,
            "pipes", NoLeaksTest::pipesAndTokens,
            "executors", NoLeaksTest::executors);

    @Test
    void soundPrograms_areNotAccused_inAnySchedule() {
        int run = 0;
        for (Map.Entry<String, VoidBody<Exception>> program : new TreeMap<>(SOUND).entrySet()) {
            for (Explore explore :
                    List.of(Explore.seeds(SCHEDULES), Explore.preemptions(1).atMost(SCHEDULES))) {
                run += explore.configure(builder -> builder.leaks(LeakPolicy.FAIL))
                        .run(program.getValue())
                        .schedules();
            }
        }
        assertThat(run).isGreaterThan(7 * SCHEDULES);
    }
}
