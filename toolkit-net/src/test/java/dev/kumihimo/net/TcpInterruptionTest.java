package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.HOST;
import static dev.kumihimo.net.Loopback.read;
import static dev.kumihimo.net.Loopback.runtime;
import static dev.kumihimo.net.Loopback.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.kumihimo.net.Loopback.Pair;
import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.time.Timeout;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A wait that ends otherwise than by what it waited for leaves the socket open and loses nothing. */
@org.junit.jupiter.api.Timeout(60)
class TcpInterruptionTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(20);

    /* ---------------- The exception and the flag -------------- */

    @Test
    void read_throwsWithTheFlagSet_whenAThreadIsInterrupted() throws Exception {
        try (Pair pair = Pair.open()) {
            for (Thread.Builder kind : new Thread.Builder[] {Thread.ofPlatform(), Thread.ofVirtual()}) {
                CountDownLatch thrownOut = new CountDownLatch(1);
                FutureTask<String> reader = new FutureTask<>(() -> {
                    InterruptedIOException thrown = catchThrowableOfType(
                            InterruptedIOException.class, () -> pair.stream().read(ByteBuffer.allocate(10)));
                    assertThat(thrown).isExactlyInstanceOf(InterruptedIOException.class);
                    assertThat(thrown).hasCauseExactlyInstanceOf(InterruptedException.class);
                    assertThat(thrown.bytesTransferred).isZero();
                    assertThatThrownBy(() -> pair.stream().read(ByteBuffer.allocate(10)))
                            .isInstanceOf(InterruptedIOException.class); // as long as the flag is set
                    assertThat(Thread.interrupted()).isTrue();
                    thrownOut.countDown();
                    return read(pair.stream(), 10);
                });
                Thread thread = kind.start(reader);
                org.awaitility.Awaitility.await()
                        .until(() -> thread.getState() == Thread.State.WAITING
                                || thread.getState() == Thread.State.TIMED_WAITING);
                thread.interrupt();
                thrownOut.await();
                pair.send("kept");
                assertThat(reader.get()).isEqualTo("kept");
                thread.join();
            }
        }
    }

    @Test
    void read_throwsTheCancellationAsCause_whenATaskIsAborted() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            CountDownLatch thrownOut = new CountDownLatch(1);
            JoinHandle<String> reader = runtime.spawn(() -> {
                InterruptedIOException thrown =
                        catchThrowableOfType(InterruptedIOException.class, () -> read(pair.stream(), 10));
                assertThat(thrown.getCause()).isInstanceOf(TaskCancelledException.class);
                assertThat(((TaskCancelledException) thrown.getCause()).reason().kind())
                        .isEqualTo(CancelReason.Kind.ABORT);
                assertThat(Thread.currentThread().isInterrupted()).isTrue();
                assertThatThrownBy(() -> read(pair.stream(), 10)).isInstanceOf(InterruptedIOException.class);
                assertThatThrownBy(() -> Task.sleep(LONG)).isInstanceOf(TaskCancelledException.class);
                thrownOut.countDown();
                return Task.shield(() -> read(pair.stream(), 10));
            });
            untilWaiting(reader);
            reader.abort();
            thrownOut.await(); // before that its first wait may still look open
            untilWaiting(reader);
            pair.send("shielded");
            assertThat(reader.join()).isEqualTo("shielded");
        }
    }

    @Test
    void read_endsTheTaskAsCancelled_whenItsExceptionPasses() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            JoinHandle<String> reader = runtime.spawn(() -> read(pair.stream(), 10));
            untilWaiting(reader);
            reader.abort();
            assertThat(reader.result()).isInstanceOf(JoinResult.Cancelled.class);
            assertThat(pair.stream().isOpen()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void timeoutCall_throwsTimeout_andLeavesFlagAndSocketClean(boolean platform) throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            Object done = inside(runtime, platform, () -> {
                assertThatThrownBy(() -> Timeout.call(SHORT, () -> read(pair.stream(), 10)))
                        .isInstanceOf(TimeoutException.class);
                assertThat(Thread.currentThread().isInterrupted()).isFalse();
                Task.sleep(SHORT); // would throw if anything were left behind
                pair.send("usable");
                assertThat(read(pair.stream(), 10)).isEqualTo("usable");
                return "done";
            });
            assertThat(done).isEqualTo("done");
        }
    }

    @Test
    void timeoutCall_leavesTheFlagClean_whenTheBodySwallowsTheException() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            runtime.blockOn(() -> {
                String answer = Timeout.call(SHORT, () -> {
                    try {
                        return read(pair.stream(), 10);
                    } catch (InterruptedIOException e) {
                        assertThat(Thread.currentThread().isInterrupted()).isTrue();
                        return "swallowed";
                    }
                });
                assertThat(answer).isEqualTo("swallowed");
                assertThat(Thread.currentThread().isInterrupted()).isFalse();
            });
        }
    }

    @Test
    void timeoutCall_leavesAPlainInterruptAlone() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            runtime.blockOn(() -> {
                Thread.currentThread().interrupt();
                assertThatThrownBy(() -> Timeout.call(LONG, () -> read(pair.stream(), 10)))
                        .isInstanceOf(InterruptedIOException.class);
                assertThat(Thread.interrupted()).isTrue();
            });
        }
    }

    private static <T> T inside(TaskRuntime runtime, boolean platform, dev.kumihimo.runtime.Body<T, Exception> body)
            throws Exception {
        return platform ? body.call() : runtime.blockOn(body);
    }

    /* ---------------- Bounded waits -------------- */

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void boundedWaits_throwSocketTimeout_andLeaveTheFlag(boolean platform) throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TcpListener listener = TcpListener.bind(HOST, 0);
                Pair pair = Pair.open(listener)) {
            inside(runtime, platform, () -> {
                for (Duration timeout : new Duration[] {SHORT, Duration.ZERO, Duration.ofSeconds(-1)}) {
                    long start = System.nanoTime();
                    assertThatThrownBy(() -> pair.stream().read(ByteBuffer.allocate(10), timeout))
                            .isInstanceOf(SocketTimeoutException.class)
                            .hasMessageContaining(pair.stream().toString());
                    assertThatThrownBy(() -> listener.accept(timeout)).isInstanceOf(SocketTimeoutException.class);
                    assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(2 * timeout.toNanos());
                    assertThat(Thread.currentThread().isInterrupted()).isFalse();
                }
                return null;
            });
            pair.send("late");
            assertThat(inside(runtime, platform, () -> pair.stream().read(ByteBuffer.allocate(10), LONG)))
                    .isEqualTo(4);
        }
    }

    @Test
    void boundedWaits_takeWhatIsThere_withoutATimeToWait() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TcpListener listener = TcpListener.bind(HOST, 0);
                Pair pair = Pair.open(listener);
                Socket second = new Socket(HOST, listener.localAddress().getPort())) {
            pair.send("abc");
            runtime.blockOn(() -> {
                assertThat(read(pair.stream(), 100)).isEqualTo("abc"); // drained
                pair.send("def");
                pair.stream().awaitReadable(LONG); // the system may take a moment to deliver
                assertThat(pair.stream().read(ByteBuffer.allocate(10), Duration.ZERO))
                        .isEqualTo(3);
                boolean waits = Select.<Boolean>of()
                        .onReadable(listener, () -> true)
                        .after(LONG, () -> false)
                        .await();
                assertThat(waits).isTrue();
                listener.accept(Duration.ZERO).close();
            });
            assertThat(second.isConnected()).isTrue();
        }
    }

    @Test
    void boundedRead_countsTheTimeInTheQueue() throws Exception {
        try (TaskRuntime runtime = runtime(2);
                Pair pair = Pair.open()) {
            JoinHandle<String> first = runtime.spawn(() -> read(pair.stream(), 10));
            untilWaiting(first);
            assertThatThrownBy(() -> pair.stream().read(ByteBuffer.allocate(10), SHORT))
                    .isInstanceOf(SocketTimeoutException.class);
            pair.send("first");
            assertThat(first.join()).isEqualTo("first");
        }
    }

    /* ---------------- Nothing lost -------------- */

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void read_losesNoByte_whenTimeoutsStrikeAllTheTime(int carriers) throws Exception {
        int numbers = 40_000;
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = Pair.open()) {
            Thread sender = Thread.ofPlatform().start(() -> {
                Random random = new Random(1);
                ByteBuffer buffer = ByteBuffer.allocate(4 * 64);
                try {
                    for (int i = 0; i < numbers; ) {
                        buffer.clear();
                        for (int n = random.nextInt(64); n >= 0 && i < numbers; n--) {
                            buffer.putInt(i++);
                        }
                        pair.peer().getOutputStream().write(buffer.array(), 0, buffer.position());
                        if (random.nextInt(4) == 0) {
                            LockSupport.parkNanos(random.nextInt(300_000));
                        }
                        if (random.nextInt(50) == 0) {
                            LockSupport.parkNanos(3_000_000); // longer than any of the timeouts, rounding included
                        }
                    }
                    pair.peer().shutdownOutput();
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            AtomicInteger timeouts = new AtomicInteger();
            int received = runtime.blockOn(() -> {
                Random random = new Random(2);
                ByteBuffer buffer = ByteBuffer.allocate(4 * 100);
                int expected = 0;
                while (true) {
                    try {
                        int count = random.nextBoolean()
                                ? Timeout.call(
                                        Duration.ofNanos(random.nextInt(200_000)),
                                        () -> pair.stream().read(buffer))
                                : pair.stream().read(buffer, Duration.ofNanos(random.nextInt(200_000)));
                        if (count < 0) {
                            return expected;
                        }
                    } catch (TimeoutException | SocketTimeoutException e) {
                        timeouts.incrementAndGet();
                    }
                    assertThat(Thread.currentThread().isInterrupted()).isFalse();
                    buffer.flip();
                    while (buffer.remaining() >= 4) {
                        assertThat(buffer.getInt()).isEqualTo(expected++);
                    }
                    buffer.compact();
                }
            });
            sender.join();
            assertThat(received).isEqualTo(numbers);
            assertThat(timeouts.get()).isPositive();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void write_tellsHowFarItCame_whenItIsEnded(int carriers) throws Exception {
        int numbers = 3_000_000;
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = Pair.open()) {
            JoinHandle<Integer> writer = runtime.spawn(() -> {
                ByteBuffer source = ByteBuffer.allocate(4 * numbers);
                for (int i = 0; i < numbers; i++) {
                    source.putInt(i);
                }
                source.flip();
                int ended = 0;
                while (source.hasRemaining()) {
                    int start = source.position();
                    try {
                        Timeout.call(Duration.ofMillis(1), () -> {
                            try {
                                pair.stream().writeAll(source);
                            } catch (InterruptedIOException e) {
                                assertThat(e.bytesTransferred).isEqualTo(source.position() - start);
                                throw e;
                            }
                        });
                    } catch (TimeoutException e) {
                        ended++;
                    }
                    assertThat(source.limit()).isEqualTo(4 * numbers);
                }
                pair.stream().shutdownOutput();
                return ended;
            });
            untilWaiting(writer);
            DataInputStream in = new DataInputStream(
                    new java.io.BufferedInputStream(pair.peer().getInputStream(), 1 << 16));
            for (int i = 0; i < numbers; i++) {
                if (in.readInt() != i) {
                    throw new AssertionError("not number " + i);
                }
            }
            assertThat(in.read()).isEqualTo(-1);
            assertThat(writer.join()).isPositive();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void accept_losesNoConnection_whenWaitsEndAllTheTime(int carriers) throws Exception {
        int connections = 300;
        Set<Integer> accepted = ConcurrentHashMap.newKeySet();
        try (TcpListener listener = TcpListener.bind(HOST, 0);
                TaskRuntime runtime = runtime(carriers)) {
            for (int i = 0; i < 4; i++) {
                int seed = i;
                runtime.spawn(() -> {
                    Random random = new Random(seed);
                    while (true) {
                        try {
                            TcpStream stream = random.nextBoolean()
                                    ? listener.accept(Duration.ofNanos(random.nextInt(300_000)))
                                    : Timeout.call(Duration.ofNanos(random.nextInt(300_000)), () -> listener.accept());
                            assertThat(accepted.add(stream.peerAddress().getPort()))
                                    .isTrue();
                            stream.close();
                        } catch (TimeoutException | SocketTimeoutException e) {
                            // once more
                        }
                    }
                });
            }
            Set<Integer> connected = ConcurrentHashMap.newKeySet();
            for (int i = 0; i < connections; i++) {
                try (Socket socket = new Socket(HOST, listener.localAddress().getPort())) {
                    connected.add(socket.getLocalPort());
                    assertThat(socket.getInputStream().read()).isEqualTo(-1);
                }
            }
            assertThat(accepted).hasSize(connections).isEqualTo(connected);
        }
    }

    @Test
    void connect_leavesNothing_whenItTimesOut() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TcpListener listener = TcpListener.bind(HOST, 0)) {
            OpenSockets before = OpenSockets.now();
            for (int i = 0; i < 20; i++) {
                runtime.blockOn(() -> {
                    try {
                        TcpStream.connect(listener.localAddress(), Duration.ZERO)
                                .close(); // loopback may be quick enough
                    } catch (SocketTimeoutException e) {
                        assertThat(e).hasMessageContaining("127.0.0.1:");
                    }
                });
            }
            org.awaitility.Awaitility.await().until(() -> before.opened() == 0);
        }
    }
}
