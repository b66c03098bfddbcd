package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.HOST;
import static dev.kumihimo.net.Loopback.bytes;
import static dev.kumihimo.net.Loopback.runtime;
import static dev.kumihimo.net.Loopback.text;
import static dev.kumihimo.net.Loopback.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.time.Timeout;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What stream sockets do whatever their addresses are: both kinds share the code, and this says that they share the habits. */
@org.junit.jupiter.api.Timeout(60)
@DisabledOnOs(OS.WINDOWS)
class StreamContractTest {
    private static final Duration SHORT = Duration.ofMillis(20);
    private static final Duration LONG = Duration.ofSeconds(20);

    @TempDir
    static Path directory;

    private static final AtomicInteger PATHS = new AtomicInteger();

    private enum Kind {
        TCP {
            @Override
            ChannelListener<?> listen() throws IOException {
                return TcpListener.bind(HOST, 0);
            }

            @Override
            ChannelStream connect(ChannelListener<?> listener) throws IOException {
                return TcpStream.connect(((TcpListener) listener).localAddress());
            }
        },
        UNIX {
            @Override
            ChannelListener<?> listen() throws IOException {
                return UnixListener.bind(directory.resolve("s" + PATHS.incrementAndGet()));
            }

            @Override
            ChannelStream connect(ChannelListener<?> listener) throws IOException {
                return UnixStream.connect(
                        ((UnixListener) listener).localAddress().getPath());
            }
        };

        abstract ChannelListener<?> listen() throws IOException;

        abstract ChannelStream connect(ChannelListener<?> listener) throws IOException;

        Pair pair(TaskRuntime runtime) throws Exception {
            return runtime.blockOn(() -> {
                try (ChannelListener<?> listener = listen()) {
                    ChannelStream there = connect(listener);
                    return new Pair(listener.accept(), there);
                }
            });
        }
    }

    private record Pair(ChannelStream here, ChannelStream there) implements AutoCloseable {
        void send(String text) throws IOException {
            there.writeAll(ByteBuffer.wrap(bytes(text)));
        }

        @Override
        public void close() throws IOException {
            here.close();
            there.close();
        }
    }

    private static String read(ChannelStream stream) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(100);
        return stream.read(buffer) < 0 ? null : text(buffer);
    }

    /* ---------------- Data -------------- */

    @ParameterizedTest
    @EnumSource
    void echo_returnsEveryByte_toManyConnections(Kind kind) throws Exception {
        int connections = 100;
        try (TaskRuntime runtime = runtime(2);
                ChannelListener<?> listener = runtime.blockOn(() -> kind.listen())) {
            JoinHandle<Void> server = runtime.spawn(() -> {
                for (int i = 0; i < connections; i++) {
                    ChannelStream session = listener.accept();
                    Task.spawn(() -> {
                        try (session) {
                            ByteBuffer buffer = ByteBuffer.allocate(2048);
                            while (session.read(buffer) >= 0) {
                                session.writeAll(buffer.flip());
                                buffer.clear();
                            }
                        }
                    });
                }
            });
            List<JoinHandle<Void>> clients = new ArrayList<>();
            for (int i = 0; i < connections; i++) {
                int seed = i;
                clients.add(runtime.spawn(() -> {
                    Random random = new Random(seed);
                    try (ChannelStream stream = kind.connect(listener)) {
                        for (int round = 0; round < 20; round++) {
                            byte[] sent = new byte[1 + random.nextInt(5_000)];
                            random.nextBytes(sent);
                            stream.writeAll(ByteBuffer.wrap(sent));
                            assertThat(stream.inputStream().readNBytes(sent.length))
                                    .isEqualTo(sent);
                        }
                    }
                }));
            }
            for (JoinHandle<Void> client : clients) {
                client.join();
            }
            server.join();
        }
    }

    @ParameterizedTest
    @EnumSource
    void writeAll_deliversWhatExceedsEveryBuffer_andThenTheEnd(Kind kind) throws Exception {
        byte[] sent = new byte[5_000_000];
        new Random(7).nextBytes(sent);
        try (TaskRuntime runtime = runtime(2);
                Pair pair = kind.pair(runtime)) {
            JoinHandle<Void> writing = runtime.spawn(() -> {
                pair.here.writeAll(ByteBuffer.wrap(sent));
                pair.here.shutdownOutput();
                pair.here.shutdownOutput();
            });
            untilWaiting(writing); // the buffers of the system are full
            byte[] received = runtime.blockOn(() -> pair.there.inputStream().readAllBytes());
            writing.join();
            assertThat(Arrays.equals(received, sent)).isTrue();
            pair.send("the other way is open");
            assertThat(read(pair.here)).isEqualTo("the other way is open");
            assertThatThrownBy(() -> pair.here.write(ByteBuffer.allocate(1)))
                    .isInstanceOf(ClosedChannelException.class);
        }
    }

    @ParameterizedTest
    @EnumSource
    void vectoredAndPeekedBytes_areTheSame(Kind kind) throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = kind.pair(runtime)) {
            pair.there.writeAll(ByteBuffer.wrap(bytes("abc")), ByteBuffer.wrap(bytes("defg")));
            ByteBuffer peeked = ByteBuffer.allocate(2);
            pair.here.peek(peeked);
            assertThat(text(peeked)).isEqualTo("ab");
            ByteBuffer first = ByteBuffer.allocate(2);
            ByteBuffer second = ByteBuffer.allocate(10);
            while (first.hasRemaining() || second.position() < 5) {
                assertThat(pair.here.read(new ByteBuffer[] {first, second})).isPositive();
            }
            assertThat(text(first) + text(second)).isEqualTo("abcdefg");
        }
    }

    /* ---------------- What ends waits -------------- */

    @ParameterizedTest
    @EnumSource
    void waits_takeNothing_whenTheyAreInterruptedOrCancelled(Kind kind) throws Exception {
        try (TaskRuntime runtime = runtime(2);
                Pair pair = kind.pair(runtime);
                ChannelListener<?> listener = runtime.blockOn(() -> kind.listen())) {
            CountDownLatch ended = new CountDownLatch(1);
            FutureTask<String> reading = new FutureTask<>(() -> {
                assertThatThrownBy(() -> read(pair.here)).isExactlyInstanceOf(InterruptedIOException.class);
                assertThat(Thread.interrupted()).isTrue();
                ended.countDown();
                return read(pair.here);
            });
            Thread thread = Thread.ofPlatform().start(reading);
            await().until(() -> thread.getState() == Thread.State.WAITING);
            thread.interrupt();
            assertThat(ended.await(20, TimeUnit.SECONDS)).isTrue();
            pair.send("kept");
            assertThat(reading.get(20, TimeUnit.SECONDS)).isEqualTo("kept");
            thread.join();

            JoinHandle<ChannelStream> accepting = runtime.spawn(() -> {
                try {
                    return listener.accept();
                } catch (InterruptedIOException e) {
                    assertThat(e).hasCauseInstanceOf(TaskCancelledException.class);
                    throw (InterruptedException) e.getCause();
                }
            });
            untilWaiting(accepting);
            accepting.abort();
            assertThat(accepting.result()).isInstanceOf(JoinResult.Cancelled.class);
            try (ChannelStream client = kind.connect(listener);
                    ChannelStream session = listener.accept(LONG)) {
                client.writeAll(ByteBuffer.wrap(bytes("here")));
                assertThat(read(session)).isEqualTo("here");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void waits_endInTime(Kind kind) throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = kind.pair(runtime);
                ChannelListener<?> listener = runtime.blockOn(() -> kind.listen())) {
            runtime.blockOn(() -> {
                for (Duration time : List.of(SHORT, Duration.ZERO)) {
                    assertThatThrownBy(() -> pair.here.read(ByteBuffer.allocate(1), time))
                            .isInstanceOf(SocketTimeoutException.class)
                            .hasMessageContaining(pair.here.toString());
                    assertThatThrownBy(() -> listener.accept(time))
                            .isInstanceOf(SocketTimeoutException.class)
                            .hasMessageContaining(listener.where());
                }
                assertThatThrownBy(() -> Timeout.call(SHORT, () -> pair.here.read(ByteBuffer.allocate(1))))
                        .isInstanceOf(TimeoutException.class);
                assertThatThrownBy(() -> Timeout.call(SHORT, () -> listener.accept()))
                        .isInstanceOf(TimeoutException.class);
                assertThat(Thread.currentThread().isInterrupted()).isFalse();
                assertThat(pair.here.tryRead(ByteBuffer.allocate(1))).isZero();
                assertThat(listener.tryAccept()).isNull();
                pair.send("late");
                assertThat(pair.here.read(ByteBuffer.allocate(10), LONG)).isEqualTo(4);
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void close_endsTheWaitsOfOthers_andThenAllFails(Kind kind) throws Exception {
        try (TaskRuntime runtime = runtime(2);
                Pair pair = kind.pair(runtime);
                ChannelListener<?> listener = runtime.blockOn(() -> kind.listen())) {
            ChannelStream stream = pair.here;
            List<JoinHandle<?>> waiting = new ArrayList<>();
            waiting.add(runtime.spawn(() -> read(stream)));
            waiting.add(runtime.spawn(() -> read(stream))); // waits for its turn
            waiting.add(runtime.spawn(() -> listener.accept()));
            waiting.add(runtime.spawn(() -> listener.accept(Duration.ofMinutes(1))));
            JoinHandle<Void> writer = runtime.spawn(() -> stream.writeAll(ByteBuffer.allocate(20_000_000)));
            waiting.forEach(Loopback::untilWaiting);
            untilWaiting(writer);
            stream.close();
            stream.close();
            listener.close();
            listener.close();
            for (JoinHandle<?> waiter : waiting) {
                assertThatThrownBy(() -> waiter.join(LONG)).hasCauseInstanceOf(AsynchronousCloseException.class);
            }
            assertThatThrownBy(() -> writer.join(LONG))
                    .hasCauseInstanceOf(ClosedChannelException.class); // the system may just have had room again
            for (ThrowingCallable late : List.<ThrowingCallable>of(
                    () -> read(stream),
                    () -> stream.tryRead(ByteBuffer.allocate(1)),
                    () -> stream.write(ByteBuffer.allocate(1)),
                    stream::shutdownOutput,
                    listener::accept,
                    listener::tryAccept)) {
                assertThatThrownBy(late).isExactlyInstanceOf(ClosedChannelException.class);
            }
            assertThat(stream.toString()).isNotEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource
    void write_namesBothAddresses_onceThePeerIsGone(Kind kind) throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = kind.pair(runtime)) {
            pair.there.close();
            assertThatThrownBy(() -> runtime.blockOn(() -> {
                        while (true) {
                            pair.here.writeAll(ByteBuffer.allocate(1000));
                        }
                    }))
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining(pair.here.toString());
        }
    }

    @ParameterizedTest
    @EnumSource
    void operations_fail_onceTheRuntimeIsClosed(Kind kind) throws Exception {
        TaskRuntime runtime = runtime(1);
        try (Pair pair = kind.pair(runtime);
                ChannelListener<?> listener = runtime.blockOn(() -> kind.listen())) {
            runtime.close();
            for (ThrowingCallable late :
                    List.<ThrowingCallable>of(() -> read(pair.here), () -> pair.send("late"), listener::accept)) {
                assertThatThrownBy(late).isInstanceOf(IOException.class).hasMessageContaining("shut down");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void descriptors_areGivenBack(Kind kind) throws Exception {
        try (TaskRuntime runtime = runtime(2)) {
            OpenSockets before = OpenSockets.now();
            for (int i = 0; i < 50; i++) {
                Pair pair = kind.pair(runtime);
                JoinHandle<String> reading = runtime.spawn(() -> read(pair.here));
                untilWaiting(reading);
                pair.close();
                reading.result();
            }
            await().atMost(LONG).until(() -> before.opened() == 0);
        }
    }

    /* ---------------- Turns, selects -------------- */

    @ParameterizedTest
    @EnumSource
    void turns_areTakenInOrder(Kind kind) throws Exception {
        try (TaskRuntime runtime = runtime(2);
                ChannelListener<?> listener = runtime.blockOn(() -> kind.listen())) {
            List<JoinHandle<ChannelStream>> acceptors = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                acceptors.add(runtime.spawn(() -> listener.accept()));
                untilWaiting(acceptors.get(i));
            }
            acceptors.remove(1).abort();
            for (JoinHandle<ChannelStream> acceptor : acceptors) {
                try (ChannelStream client = kind.connect(listener);
                        ChannelStream session = acceptor.join(LONG)) {
                    List<JoinHandle<Integer>> readers = new ArrayList<>();
                    for (int i = 0; i < 3; i++) {
                        readers.add(runtime.spawn(() -> {
                            ByteBuffer one = ByteBuffer.allocate(1);
                            session.read(one);
                            return (int) one.get(0);
                        }));
                        untilWaiting(readers.get(i));
                    }
                    client.writeAll(ByteBuffer.wrap(bytes("abc")));
                    for (int i = 0; i < 3; i++) {
                        assertThat(readers.get(i).join(LONG)).isEqualTo('a' + i);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void select_learnsOfConnectionsAndBytes(Kind kind) throws Exception {
        try (TaskRuntime runtime = runtime(1)) {
            for (boolean bytes : new boolean[] {true, false}) {
                try (Pair pair = kind.pair(runtime); // anew: an event from just before a read may be told just after
                        ChannelListener<?> listener = runtime.blockOn(() -> kind.listen())) {
                    JoinHandle<String> selecting = runtime.spawn(() -> Select.<String>of()
                            .onReadable(listener, () -> "connection")
                            .onReadable(pair.here, () -> "bytes")
                            .await());
                    untilWaiting(selecting);
                    if (bytes) {
                        pair.send("x");
                        assertThat(selecting.join(LONG)).isEqualTo("bytes");
                        assertThat(pair.here.tryRead(ByteBuffer.allocate(10))).isEqualTo(1);
                    } else {
                        ChannelStream client = kind.connect(listener);
                        assertThat(selecting.join(LONG)).isEqualTo("connection");
                        listener.tryAccept().close();
                        client.close();
                    }
                }
            }
        }
    }
}
