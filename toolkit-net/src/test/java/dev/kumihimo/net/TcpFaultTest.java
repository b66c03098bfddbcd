package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.HOST;
import static dev.kumihimo.net.Loopback.bytes;
import static dev.kumihimo.net.Loopback.fill;
import static dev.kumihimo.net.Loopback.read;
import static dev.kumihimo.net.Loopback.runtime;
import static dev.kumihimo.net.Loopback.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.net.Loopback.Pair;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What peers do to a connection, on real sockets: reset it, end half of it, fall silent, read slowly. */
@Timeout(60)
class TcpFaultTest {
    /* ---------------- Resets -------------- */

    @Test
    void read_fails_whenThePeerResetsInTheMiddleOfAFrame() throws Exception {
        OpenSockets before = OpenSockets.now();
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            AtomicInteger got = new AtomicInteger();
            JoinHandle<Void> reading = runtime.spawn(() -> {
                ByteBuffer frame = ByteBuffer.allocate(1_000);
                while (frame.hasRemaining()) {
                    assertThat(pair.stream().read(frame)).isPositive();
                    got.set(frame.position());
                }
            });
            pair.peer().getOutputStream().write(new byte[400]);
            await().until(() -> got.get() == 400); // a reset drops what was not read yet
            untilWaiting(reading);
            pair.peer().setSoLinger(true, 0);
            pair.peer().close();
            assertThatThrownBy(() -> reading.join())
                    .cause()
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("reset")
                    .hasMessageContaining(pair.stream().toString());
            assertThat(got.get()).isEqualTo(400);
            pair.stream().close();
            await().until(() -> before.opened() == 0);
        }
    }

    @Test
    void write_fails_whenThePeerResetsInTheMiddleOfIt() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            ByteBuffer block = ByteBuffer.allocate(20_000_000);
            JoinHandle<Void> writing = runtime.spawn(() -> pair.stream().writeAll(block));
            pair.peer().getInputStream().readNBytes(100_000);
            untilWaiting(writing);
            pair.peer().setSoLinger(true, 0);
            pair.peer().close();
            assertThatThrownBy(() -> writing.join())
                    .cause()
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining(pair.stream().toString());
            assertThat(block.position()).isBetween(100_000, 19_999_999);
        }
    }

    @Test
    void closeWithReset_isAResetToThePeer() throws Exception {
        try (TaskRuntime runtime = runtime(1)) {
            OpenSockets before = OpenSockets.now();
            Pair pair = runtime.blockOn(() -> Pair.open());
            pair.send("never read");
            runtime.blockOn(() -> pair.stream().writeAll(ByteBuffer.wrap(bytes("abc"))));
            assertThat(pair.receive(3)).isEqualTo("abc");
            JoinHandle<String> reading = runtime.spawn(() -> {
                ByteBuffer buffer = ByteBuffer.allocate(100);
                while (pair.stream().read(buffer) >= 0) {
                    buffer.clear();
                }
                return "ended";
            });
            untilWaiting(reading);
            pair.stream().closeWithReset();
            assertThat(pair.stream().isOpen()).isFalse();
            assertThatThrownBy(() -> pair.peer().getInputStream().read())
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("reset");
            assertThatThrownBy(() -> reading.join()).hasCauseInstanceOf(IOException.class);
            pair.stream().closeWithReset();
            pair.close();
            await().until(() -> before.opened() == 0);
        }
    }

    @Test
    void close_isNoReset_andDeliversWhatWasWritten() throws Exception {
        try (TaskRuntime runtime = runtime(1)) {
            Pair pair = runtime.blockOn(() -> Pair.open());
            runtime.blockOn(() -> {
                pair.stream().writeAll(ByteBuffer.wrap(new byte[300_000]));
                pair.stream().close();
            });
            assertThat(pair.peer().getInputStream().readAllBytes()).hasSize(300_000);
            pair.close();
        }
    }

    @Test
    void resetOnClose_dropsWhatWasNotSent() throws Exception {
        try (TaskRuntime runtime = runtime(1)) {
            Pair pair = runtime.blockOn(() -> Pair.open());
            pair.stream().resetOnClose(true);
            long written = fill(pair.stream());
            pair.stream().close();
            assertThatThrownBy(() -> {
                        long received = 0;
                        InputStream in = pair.peer().getInputStream();
                        for (int count; (count = in.read(new byte[8_192])) >= 0; ) {
                            received += count;
                        }
                        assertThat(received).isLessThan(written); // not reached: a reset, and no end
                    })
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("reset");
            pair.close();
        }
    }

    /* ---------------- Half-closed -------------- */

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void halfClose_byThePeer_leavesTheOutputOpen(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = Pair.open()) {
            pair.send("question");
            pair.peer().shutdownOutput();
            JoinHandle<Void> answering = runtime.spawn(() -> {
                assertThat(pair.stream().inputStream().readAllBytes()).isEqualTo(bytes("question"));
                for (int i = 0; i < 100; i++) {
                    pair.stream().writeAll(ByteBuffer.wrap(new byte[50_000]));
                }
                pair.stream().shutdownOutput();
                assertThat(read(pair.stream(), 1)).isNull();
            });
            assertThat(pair.peer().getInputStream().readAllBytes()).hasSize(5_000_000);
            answering.join();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void halfClose_byUs_leavesTheInputOpen(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = Pair.open()) {
            JoinHandle<byte[]> asking = runtime.spawn(() -> {
                pair.stream().writeAll(ByteBuffer.wrap(bytes("question")));
                pair.stream().shutdownOutput();
                return pair.stream().inputStream().readAllBytes();
            });
            assertThat(pair.peer().getInputStream().readAllBytes()).isEqualTo(bytes("question"));
            untilWaiting(asking); // the end that it has sent is none that it reads
            for (int i = 0; i < 100; i++) {
                pair.peer().getOutputStream().write(new byte[50_000]);
            }
            pair.peer().shutdownOutput();
            assertThat(asking.join()).hasSize(5_000_000);
        }
    }

    /* ---------------- A silent peer -------------- */

    @Test
    void read_endsWithItsDeadline_whenThePeerIsSilent() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            TcpStream stream = pair.stream();
            runtime.blockOn(() -> {
                assertThatThrownBy(() -> stream.read(ByteBuffer.allocate(1), Duration.ofMillis(50)))
                        .isInstanceOf(SocketTimeoutException.class)
                        .hasMessageContaining(stream.toString());
                assertThatThrownBy(() -> dev.kumihimo.time.Timeout.call(
                                Duration.ofMillis(50), () -> stream.read(ByteBuffer.allocate(1))))
                        .isInstanceOf(TimeoutException.class);
                assertThatThrownBy(() -> dev.kumihimo.time.Timeout.call(
                                Duration.ofMillis(50), () -> stream.writeAll(ByteBuffer.allocate(20_000_000))))
                        .isInstanceOf(TimeoutException.class);
                assertThat(stream.isOpen()).isTrue();
            });
            pair.send("x"); // and nothing is lost
            assertThat(read(stream, 10)).isEqualTo("x");
        }
    }

    /* ---------------- A slow reader -------------- */

    /** How much lies between writer and reader is bounded by the system's buffers: there are none of ours. */
    @Test
    void write_isHeldUpByASlowReader() throws Exception {
        int window = 64 * 1024;
        long total = 40_000_000;
        try (TaskRuntime runtime = runtime(1);
                TcpListener listener = TcpListener.bind(HOST, 0);
                Socket peer = new Socket()) {
            peer.setReceiveBufferSize(window);
            InetSocketAddress address = listener.localAddress();
            peer.connect(address, 5_000);
            TcpStream stream = listener.accept(Duration.ofSeconds(20));
            stream.sendBufferSize(window);
            AtomicLong written = new AtomicLong();
            JoinHandle<Void> writing = runtime.spawn(() -> {
                ByteBuffer block = ByteBuffer.allocate(10_000);
                while (written.get() < total) {
                    stream.writeAll(block.clear());
                    written.addAndGet(block.capacity());
                }
                stream.close();
            });
            long received = 0;
            InputStream in = peer.getInputStream();
            for (int round = 0; round < 20; round++) {
                untilWaiting(writing);
                assertThat(written.get() - received).isLessThan(1_500_000L); // without back-pressure it were all
                received += in.readNBytes(1_000_000).length;
            }
            for (int count; (count = in.read(new byte[100_000])) >= 0; ) {
                received += count;
                assertThat(written.get() - received).isLessThan(1_500_000L);
            }
            writing.join();
            assertThat(received).isEqualTo(total);
        }
    }
}
