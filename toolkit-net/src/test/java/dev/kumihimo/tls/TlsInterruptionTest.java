package dev.kumihimo.tls;

import static dev.kumihimo.tls.TlsPair.HOST;
import static dev.kumihimo.tls.TlsPair.bytes;
import static dev.kumihimo.tls.TlsPair.read;
import static dev.kumihimo.tls.TlsPair.runtime;
import static dev.kumihimo.tls.TlsPair.trusting;
import static dev.kumihimo.tls.TlsPair.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.net.OpenSockets;
import dev.kumihimo.net.TcpListener;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A wait that ends otherwise than by what it waited for loses nothing, tears nothing, and the next call goes on. */
@Timeout(120)
class TlsInterruptionTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    /** Strikes a body until it has come to its end. Returns how often it struck. */
    private static int struck(Random random, Duration most, IoBody body) throws IOException, InterruptedException {
        return struck(random, most, new AtomicInteger(), body);
    }

    private static int struck(Random random, Duration most, AtomicInteger struck, IoBody body)
            throws IOException, InterruptedException {
        while (true) {
            Duration time = Duration.ofNanos(random.nextLong(most.toNanos()));
            try {
                dev.kumihimo.time.Timeout.call(time, body::run);
                return struck.get();
            } catch (TimeoutException e) {
                struck.incrementAndGet();
                assertThat(Thread.currentThread().isInterrupted()).isFalse();
            }
        }
    }

    private static void until(java.util.function.BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Task.sleep(Duration.ofMillis(1)); // and look again
        }
    }

    private interface IoBody {
        void run() throws IOException;
    }

    /* ---------------- The handshake -------------- */

    @ParameterizedTest
    @CsvSource({"TLSv1.3,1", "TLSv1.3,7", "TLSv1.2,1", "TLSv1.2,7"})
    void handshake_goesOn_howeverOftenItIsStruck(String protocol, int piece) throws Exception {
        TlsClient client = trusting().protocols(protocol).build();
        TlsServer server = TlsPair.server("localhost");
        int struck = 0;
        try (TaskRuntime runtime = runtime(2)) {
            for (int i = 0; i < 10; i++) {
                int seed = i;
                try (TlsPair pair = TlsPair.open(client, server, stream -> new Below(stream, piece))) {
                    JoinHandle<Integer> other = runtime.spawn(() -> {
                        Random random = new Random(seed);
                        int timeouts = 0;
                        while (true) {
                            try {
                                pair.server().handshake(Duration.ofNanos(random.nextInt(300_000)));
                                return timeouts;
                            } catch (SocketTimeoutException e) {
                                timeouts++;
                            }
                        }
                    });
                    struck += runtime.blockOn(() -> struck(
                            new Random(seed),
                            Duration.ofNanos(300_000),
                            () -> pair.client().handshake()));
                    struck += other.join();
                    pair.client().writeAll(bytes("whole"));
                    assertThat(read(pair.server(), 100)).isEqualTo("whole");
                    pair.server().writeAll(bytes("too"));
                    assertThat(read(pair.client(), 100)).isEqualTo("too");
                }
            }
        }
        assertThat(struck).isPositive();
    }

    @Test
    void connect_thatIsAborted_leavesNoDescriptor() throws Exception {
        OpenSockets before = OpenSockets.now();
        try (TaskRuntime runtime = runtime(1);
                TcpListener listener = TcpListener.bind(HOST, 0)) {
            int port = listener.localAddress().getPort();
            for (int i = 0; i < 5; i++) {
                JoinHandle<?> connecting =
                        runtime.spawn(() -> trusting().build().connect(HOST, port));
                listener.accept().close(); // its hello is not answered; the next one's neither
                JoinHandle<?> hanging = runtime.spawn(() -> trusting().build().connect(HOST, port));
                var accepted = listener.accept();
                assertThat(accepted.read(ByteBuffer.allocate(10_000))).isPositive();
                untilWaiting(hanging);
                hanging.abort();
                assertThat(hanging.result()).isInstanceOf(JoinResult.Cancelled.class);
                assertThat(connecting.result()).isInstanceOf(JoinResult.Failure.class);
                accepted.close();
            }
            assertThatThrownBy(() -> trusting().build().connect(HOST, port, Duration.ofMillis(20)))
                    .isInstanceOf(SocketTimeoutException.class);
        }
        org.awaitility.Awaitility.await().until(() -> before.opened() == 0);
    }

    @Test
    void second_goesOn_whenTheOneThatShakesHandsIsAborted() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TlsPair pair = TlsPair.open("TLSv1.3")) {
            JoinHandle<String> first = runtime.spawn(() -> read(pair.client(), 10));
            untilWaiting(first);
            JoinHandle<String> second = runtime.spawn(() -> read(pair.client(), 10));
            untilWaiting(second);
            first.abort();
            assertThat(first.result()).isInstanceOf(JoinResult.Cancelled.class);
            runtime.blockOn(() -> pair.server().writeAll(bytes("second")));
            assertThat(second.join()).isEqualTo("second");
        }
    }

    /* ---------------- Reading -------------- */

    @Test
    void read_throwsTheCancellation_andTheStreamStaysUsable() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
            JoinHandle<String> reader = runtime.spawn(() -> {
                ByteBuffer target = ByteBuffer.allocate(10);
                assertThatThrownBy(() -> pair.client().read(target))
                        .isInstanceOf(InterruptedIOException.class)
                        .hasCauseInstanceOf(TaskCancelledException.class);
                assertThat(Thread.currentThread().isInterrupted()).isTrue();
                return Task.shield(() -> read(pair.client(), 10));
            });
            untilWaiting(reader);
            reader.abort();
            untilWaiting(reader);
            pair.server().writeAll(bytes("kept"));
            assertThat(reader.join()).isEqualTo("kept");
        }
    }

    @Test
    void boundedRead_throwsSocketTimeout_andLeavesTheFlag() throws Exception {
        try (TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
            for (Duration timeout : new Duration[] {Duration.ofMillis(20), Duration.ZERO, Duration.ofSeconds(-1)}) {
                assertThatThrownBy(() -> pair.client().read(ByteBuffer.allocate(10), timeout))
                        .isInstanceOf(SocketTimeoutException.class)
                        .hasMessageContaining("a read from TLS over 127.0.0.1:");
                assertThat(Thread.currentThread().isInterrupted()).isFalse();
            }
            pair.server().writeAll(bytes("there"));
            assertThat(pair.client().read(ByteBuffer.allocate(10), LONG)).isEqualTo(5);
        }
    }

    @ParameterizedTest
    @CsvSource({"1,100000", "2,100000", "1,3", "2,3"})
    void nothingIsLostOrTorn_whenBothSidesAreStruckAllTheTime(int carriers, int piece) throws Exception {
        int numbers = piece < 10 ? 20_000 : 6_000_000; // these have no room in the system's buffers
        AtomicInteger reads = new AtomicInteger();
        AtomicInteger writes = new AtomicInteger();
        try (TaskRuntime runtime = runtime(carriers);
                TlsPair pair = TlsPair.open(
                        trusting().build(), TlsPair.server("localhost"), stream -> new Below(stream, piece))) {
            JoinHandle<?> sender = runtime.spawn(() -> {
                until(() -> reads.get() > 0);
                Random random = new Random(1);
                ByteBuffer source = ByteBuffer.allocate(4 * numbers);
                for (int i = 0; i < numbers; i++) {
                    source.putInt(i);
                }
                source.flip();
                while (source.hasRemaining()) {
                    source.limit(Math.min(source.capacity(), source.position() + random.nextInt(100_000) + 1));
                    struck(random, Duration.ofMillis(1), writes, () -> {
                        int start = source.position();
                        try {
                            if (random.nextBoolean()) {
                                pair.client().writeAll(source);
                            } else {
                                int count = pair.client().write(source);
                                assertThat(count).isEqualTo(source.position() - start);
                            }
                        } catch (InterruptedIOException e) {
                            assertThat(e.bytesTransferred).isEqualTo(source.position() - start);
                            throw e;
                        }
                    });
                    source.limit(source.capacity());
                }
                struck(random, Duration.ofMillis(10), () -> pair.client().shutdownOutput());
            });
            int received = runtime.blockOn(() -> {
                Random random = new Random(2);
                ByteBuffer buffer = ByteBuffer.allocate(4 * 10_000);
                int expected = 0;
                boolean[] end = new boolean[1];
                while (!end[0]) {
                    if (piece > 10 && reads.get() > 0) {
                        until(() -> writes.get() > 0);
                    }
                    struck(random, Duration.ofMillis(1), reads, () -> {
                        if (random.nextBoolean()) {
                            end[0] = pair.server().read(buffer) < 0;
                        } else {
                            try {
                                end[0] = pair.server().read(buffer, Duration.ofNanos(random.nextInt(500_000))) < 0;
                            } catch (SocketTimeoutException e) {
                                // once more
                            }
                        }
                    });
                    buffer.flip();
                    while (buffer.remaining() >= 4) {
                        if (buffer.getInt() != expected) {
                            throw new AssertionError("not number " + expected);
                        }
                        expected++;
                    }
                    buffer.compact();
                }
                return expected;
            });
            assertThat(received).isEqualTo(numbers);
            sender.join();
            assertThat(reads.get()).isPositive();
        }
    }

    /* ---------------- Writing -------------- */

    @Test
    void write_thatIsCutOff_leavesItsRecordToWhatComesNext() throws Exception {
        for (int way = 0; way < 4; way++) {
            int next = way;
            try (TaskRuntime runtime = runtime(2);
                    TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
                JoinHandle<Integer> writer = runtime.spawn(() -> {
                    ByteBuffer source = ByteBuffer.allocate(100_000_000);
                    try {
                        pair.client().writeAll(source);
                        throw new AssertionError("there was room for all");
                    } catch (InterruptedIOException e) {
                        assertThat(e.bytesTransferred)
                                .isEqualTo(source.position())
                                .isPositive();
                    }
                    return source.position();
                });
                untilWaiting(writer);
                writer.abort();
                int written = writer.join();
                assertThat(pair.client().bufferBytes()).isPositive();
                JoinHandle<Integer> after = runtime.spawn(() -> {
                    switch (next) {
                        case 0 -> pair.client().writeAll(ByteBuffer.allocate(0));
                        case 1 -> pair.client().shutdownOutput();
                        case 2 -> pair.client().write(bytes("x"));
                        default -> assertThat(read(pair.client(), 10)).isEqualTo("got it");
                    }
                    return next == 2 ? 1 : 0;
                });
                int received = 0;
                ByteBuffer buffer = ByteBuffer.allocate(100_000);
                int more = next == 2 ? 1 : 0;
                while (received < written + more) {
                    received += pair.server().read(buffer.clear(), LONG);
                }
                assertThat(received).isEqualTo(written + more);
                pair.server().writeAll(bytes("got it"));
                after.join();
                assertThat(pair.client().bufferBytes()).isZero();
            }
        }
    }

    @Test
    void write_returnsWhatItTook_withTheFlagSet_ifStruckAfterwards() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
            JoinHandle<String> writer = runtime.spawn(() -> {
                while (true) {
                    ByteBuffer source = ByteBuffer.allocate(10_000);
                    int count = pair.client().write(source);
                    assertThat(count).isEqualTo(source.position());
                    if (Thread.currentThread().isInterrupted()) {
                        assertThatThrownBy(() -> pair.client().write(bytes("x")))
                                .isInstanceOf(InterruptedIOException.class);
                        assertThatThrownBy(() -> Task.sleep(LONG)).isInstanceOf(TaskCancelledException.class);
                        return "told";
                    }
                }
            });
            untilWaiting(writer);
            writer.abort();
            assertThat(writer.join()).isEqualTo("told");
        }
    }

    @Test
    void write_thatWaits_fails_whenTheOutputIsShutDown() throws Exception {
        try (TaskRuntime runtime = runtime(2);
                TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
            JoinHandle<Integer> writer = runtime.spawn(() -> {
                ByteBuffer source = ByteBuffer.allocate(100_000_000);
                assertThatThrownBy(() -> pair.client().writeAll(source))
                        .isInstanceOf(java.nio.channels.AsynchronousCloseException.class);
                return source.position();
            });
            untilWaiting(writer);
            JoinHandle<?> ending = runtime.spawn(() -> pair.client().shutdownOutput());
            untilWaiting(ending);
            int received = 0;
            ByteBuffer buffer = ByteBuffer.allocate(100_000);
            for (int count; (count = pair.server().read(buffer.clear(), LONG)) >= 0; ) {
                received += count;
            }
            ending.join();
            assertThat(received).isEqualTo(writer.join());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void close_endsAWriteThatWaits(boolean inHandshake) throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TcpListener listener = TcpListener.bind(HOST, 0);
                Socket silent = new Socket(HOST, listener.localAddress().getPort());
                TlsPair shaken = TlsPair.open("TLSv1.3").shaken()) {
            TlsStream stream = inHandshake ? trusting().build().wrap(listener.accept(), HOST, 1) : shaken.client();
            JoinHandle<?> writer = runtime.spawn(() -> stream.writeAll(ByteBuffer.allocate(100_000_000)));
            untilWaiting(writer);
            stream.close();
            assertThatThrownBy(writer::join).hasCauseInstanceOf(java.nio.channels.AsynchronousCloseException.class);
            assertThat(silent.isConnected()).isTrue();
        }
    }
}
