package dev.kumihimo.tls;

import static dev.kumihimo.tls.TlsPair.bytes;
import static dev.kumihimo.tls.TlsPair.isWaiting;
import static dev.kumihimo.tls.TlsPair.read;
import static dev.kumihimo.tls.TlsPair.runtime;
import static dev.kumihimo.tls.TlsPair.trusting;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.io.BufferPool;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.io.PooledBuffer;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Random;
import java.util.zip.CRC32;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a stream does when all goes well. */
@Timeout(120)
class TlsStreamTest {
    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void bytes_goBothWays_andTheEndsSayWhatWasAgreed(String protocol) throws Exception {
        try (TlsPair pair = TlsPair.open(protocol)) {
            assertThat(pair.client().isHandshakeDone()).isFalse();
            assertThatThrownBy(() -> pair.client().session()).isInstanceOf(IllegalStateException.class);
            pair.shaken();
            pair.client().writeAll(bytes("hello"));
            assertThat(read(pair.server(), 100)).isEqualTo("hello");
            pair.server().writeAll(bytes("world"));
            assertThat(read(pair.client(), 2)).isEqualTo("wo");
            assertThat(read(pair.client(), 100)).isEqualTo("rld");
            assertThat(pair.client().session().getProtocol()).isEqualTo(protocol);
            assertThat(pair.server().session().getCipherSuite())
                    .isEqualTo(pair.client().session().getCipherSuite());
            assertThat(pair.client().serverName()).isEqualTo("localhost");
            assertThat(pair.server().serverName()).isEqualTo("localhost");
            assertThat(pair.client().alpn()).isNull();
            assertThat(pair.server().peerCertificates()).isEmpty();
            assertThat(((X509Certificate) pair.client().peerCertificates().get(0)).getSubjectX500Principal())
                    .hasToString("CN=localhost");
        }
    }

    @Test
    void handshake_isDone_byWhatReadsOrWritesFirst() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TlsPair pair = TlsPair.open("TLSv1.3")) {
            JoinHandle<String> reader = runtime.spawn(() -> read(pair.server(), 10));
            runtime.blockOn(() -> pair.client().writeAll(bytes("first")));
            assertThat(reader.join()).isEqualTo("first");
        }
    }

    @ParameterizedTest
    @CsvSource({"TLSv1.3,1", "TLSv1.3,2", "TLSv1.2,2"})
    void bigTransfers_goBothWaysAtOnce(String protocol, int carriers) throws Exception {
        transferBothWays(TlsPair.open(protocol), carriers, 50_000_000);
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void transport_mayGiveOneByteAtATime(String protocol) throws Exception {
        transferBothWays(
                TlsPair.open(
                        trusting().protocols(protocol).build(),
                        TlsPair.server("localhost"),
                        stream -> new Below(stream, 1)),
                2,
                20_000);
    }

    private static void transferBothWays(TlsPair pair, int carriers, int size) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                pair) {
            JoinHandle<Long> up = runtime.spawn(() -> send(pair.client(), 1, size));
            JoinHandle<Long> down = runtime.spawn(() -> send(pair.server(), 2, size));
            JoinHandle<Long> upEnd = runtime.spawn(() -> receive(pair.server(), 3, size));
            JoinHandle<Long> downEnd = runtime.spawn(() -> receive(pair.client(), 4, size));
            assertThat(upEnd.join()).isEqualTo(up.join());
            assertThat(downEnd.join()).isEqualTo(down.join());
        }
    }

    /** Sends in pieces of all sizes; the checksum of all. */
    private static long send(ByteStream stream, int seed, int size) throws IOException {
        Random random = new Random(seed);
        byte[] content = new byte[60_000];
        random.nextBytes(content);
        CRC32 sum = new CRC32();
        for (int left = size; left > 0; ) {
            int from = random.nextInt(content.length);
            int count = Math.min(left, random.nextInt(content.length - from) + 1);
            sum.update(content, from, count);
            ByteBuffer source = random.nextBoolean()
                    ? ByteBuffer.wrap(content, from, count)
                    : ByteBuffer.allocateDirect(count).put(content, from, count).flip();
            stream.writeAll(source);
            assertThat(source.hasRemaining()).isFalse();
            left -= count;
        }
        return sum.getValue();
    }

    private static long receive(ByteStream stream, int seed, int size) throws IOException {
        Random random = new Random(seed);
        ByteBuffer buffer = ByteBuffer.allocate(70_000);
        CRC32 sum = new CRC32();
        for (int left = size; left > 0; ) {
            int most = random.nextInt(buffer.capacity()) + 1;
            if (random.nextBoolean()) {
                try (PooledBuffer piece = stream.read(BufferPool.shared(), most)) {
                    assertThat(piece.buffer().remaining()).isBetween(1, most);
                    left -= piece.buffer().remaining();
                    sum.update(piece.buffer());
                }
                continue;
            }
            int count = stream.read(buffer.clear().limit(most));
            assertThat(count).isPositive().isEqualTo(buffer.position());
            sum.update(buffer.flip());
            left -= count;
        }
        return sum.getValue();
    }

    /* ---------------- The end -------------- */

    @Test
    void shutdownOutput_endsOneDirection_in13() throws Exception {
        try (TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
            pair.client().writeAll(bytes("request"));
            pair.client().shutdownOutput();
            pair.client().shutdownOutput(); // again
            assertThat(read(pair.server(), 100)).isEqualTo("request");
            assertThat(read(pair.server(), 100)).isNull();
            assertThat(read(pair.server(), 100)).isNull(); // and stays so
            assertThat(pair.server().tryRead(ByteBuffer.allocate(1))).isEqualTo(-1);
            assertThatThrownBy(() -> pair.client().writeAll(bytes("more"))).isInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(() -> pair.client().tryWrite(bytes("more"))).isInstanceOf(ClosedChannelException.class);
            for (int i = 0; i < 3; i++) {
                pair.server().writeAll(bytes("answer"));
                assertThat(read(pair.client(), 100)).isEqualTo("answer");
            }
            pair.server().close();
            assertThat(read(pair.client(), 100)).isNull();
        }
    }

    @Test
    void end_endsBothDirections_in12() throws Exception {
        try (TlsPair pair = TlsPair.open("TLSv1.2").shaken()) {
            pair.client().shutdownOutput();
            assertThat(read(pair.server(), 100)).isNull();
            assertThatThrownBy(() -> pair.server().writeAll(bytes("answer")))
                    .isInstanceOf(SSLException.class)
                    .hasMessageContaining("ends both directions");
            assertThat(read(pair.client(), 100)).isNull(); // the answer to it
        }
    }

    @Test
    void close_tellsThePeer_andEndsTheWaitsOfOthers() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
            JoinHandle<String> reader = runtime.spawn(() -> read(pair.client(), 10));
            JoinHandle<String> second = runtime.spawn(() -> read(pair.client(), 10));
            TlsPair.untilWaiting(reader);
            TlsPair.untilWaiting(second);
            pair.client().close();
            pair.client().close();
            for (JoinHandle<String> each : java.util.List.of(reader, second)) {
                assertThatThrownBy(each::join).hasCauseInstanceOf(AsynchronousCloseException.class);
            }
            assertThat(read(pair.server(), 10)).isNull(); // no truncation
            assertThat(pair.client().isOpen()).isFalse();
            assertThatThrownBy(() -> pair.client().read(ByteBuffer.allocate(1)))
                    .isExactlyInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(() -> pair.client().write(bytes("x"))).isExactlyInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(() -> pair.client().handshake()).isExactlyInstanceOf(ClosedChannelException.class);
        }
    }

    @Test
    void close_sendsWhatWasWritten_andTheEnd_whileUnreadBytesAreThere() throws Exception {
        for (int i = 0; i < 50; i++) { // the bytes that nobody reads must not make a reset of it
            try (TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
                pair.client().writeAll(bytes("nobody reads this"));
                pair.server().writeAll(bytes("answer"));
                pair.server().close();
                assertThat(read(pair.client(), 100)).isEqualTo("answer");
                assertThat(read(pair.client(), 100)).isNull();
                pair.client().transport().writeAll(bytes("x")); // which throws after a reset
            }
        }
    }

    /* ---------------- Small things -------------- */

    @Test
    void buffersWithoutRoomOrBytes_areNoWait() throws Exception {
        try (TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
            assertThat(pair.client().read(ByteBuffer.allocate(0))).isZero();
            assertThat(pair.client().tryRead(ByteBuffer.allocate(0))).isZero();
            assertThat(pair.client().write(ByteBuffer.allocate(0))).isZero();
            assertThatThrownBy(() -> pair.client().read(ByteBuffer.allocate(1).asReadOnlyBuffer()))
                    .isInstanceOf(IllegalArgumentException.class);
            pair.client().writeAll(bytes("x").asReadOnlyBuffer());
            assertThat(read(pair.server(), 1)).isEqualTo("x");
        }
    }

    @Test
    void tryReadAndTryWrite_doTheHandshakeToo_andNeverWait() throws Exception {
        try (TlsPair pair = TlsPair.open("TLSv1.3")) {
            ByteBuffer source = bytes("tried");
            ByteBuffer target = ByteBuffer.allocate(100);
            long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
            while (target.position() < 5 && System.nanoTime() < end) {
                pair.client().tryWrite(source);
                pair.server().tryRead(target);
            }
            assertThat(target.position()).isEqualTo(5);
            assertThat(pair.server().tryRead(target)).isZero();
        }
    }

    @Test
    void views_ofJavaIo_work() throws Exception {
        try (TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
            pair.client().outputStream().write("text".getBytes(UTF_8));
            pair.client().shutdownOutput();
            assertThat(new String(pair.server().inputStream().readAllBytes(), UTF_8))
                    .isEqualTo("text");
        }
    }

    @Test
    void idle_hasNoBuffers() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
            pair.client().writeAll(bytes("something"));
            assertThat(read(pair.server(), 100)).isEqualTo("something");
            JoinHandle<String> reader = runtime.spawn(() -> read(pair.server(), 10));
            TlsPair.untilWaiting(reader);
            assertThat(pair.server().bufferBytes()).isZero();
            pair.client().writeAll(bytes("end"));
            assertThat(reader.join()).isEqualTo("end");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void pooledReads_takeMemoryForWhatIsThere_andGiveItBack(String protocol) throws Exception {
        BufferPool pool = BufferPool.tracking();
        try (TaskRuntime runtime = runtime(2);
                TlsPair pair = TlsPair.open(protocol).shaken()) {
            JoinHandle<Integer> reader = runtime.spawn(() -> {
                try (PooledBuffer piece = pair.server().read(pool, 5)) {
                    return piece.buffer().remaining();
                }
            });
            await().until(() -> isWaiting(reader) && pool.outstanding() == 0);
            pair.client().writeAll(bytes("longer"));
            assertThat(reader.join()).isEqualTo(5);
            pair.server().read(pool, 5, Duration.ZERO).close(); // the last byte, which is here already
            for (Duration timeout : new Duration[] {Duration.ZERO, Duration.ofMillis(20)}) {
                assertThatThrownBy(() -> pair.server().read(pool, 5, timeout))
                        .isInstanceOf(SocketTimeoutException.class)
                        .hasMessageContaining(pair.server().toString());
            }
            assertThatThrownBy(() -> pair.server().read(pool, 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("most=0 must be at least 1");
            pair.client().close();
            assertThat(pair.server().read(pool, 5)).isNull();
            pair.server().close();
            assertThatThrownBy(() -> pair.server().read(pool, 5)).isInstanceOf(ClosedChannelException.class);
        }
        assertThat(pool.outstanding()).isZero();
    }
}
