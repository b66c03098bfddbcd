package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.bytes;
import static dev.kumihimo.net.Loopback.fill;
import static dev.kumihimo.net.Loopback.read;
import static dev.kumihimo.net.Loopback.runtime;
import static dev.kumihimo.net.Loopback.text;
import static dev.kumihimo.net.Loopback.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.net.Loopback.Pair;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Peeking, and what it means to reads and selects. */
@Timeout(60)
class TcpPeekTest {
    private static String peek(TcpStream stream, int room) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(room);
        return stream.peek(buffer) < 0 ? null : text(buffer);
    }

    private static boolean isReadable(TcpStream stream) throws InterruptedException {
        return Select.<Boolean>of()
                .onReadable(stream.readable(), () -> true)
                .otherwise(() -> false)
                .await();
    }

    @Test
    void peek_leavesTheBytesToTheReads() throws Exception {
        try (Pair pair = Pair.open()) {
            TcpStream stream = pair.stream();
            pair.send("hello");
            assertThat(peek(stream, 3)).isEqualTo("hel");
            assertThat(peek(stream, 2)).isEqualTo("he");
            assertThat(peek(stream, 100)).isEqualTo("hello");
            assertThat(read(stream, 2)).isEqualTo("he");
            assertThat(peek(stream, 100)).isEqualTo("llo");
            ByteBuffer direct = ByteBuffer.allocateDirect(2);
            assertThat(stream.tryRead(direct)).isEqualTo(2);
            assertThat(direct.flip().get()).isEqualTo((byte) 'l');
            assertThat(stream.peek(ByteBuffer.allocate(0))).isZero();
            pair.send(" world");
            assertThat(read(stream, 100)).isEqualTo("o");
            assertThat(stream.inputStream().readNBytes(6)).isEqualTo(bytes(" world"));
            assertThat(stream.tryRead(ByteBuffer.allocate(10))).isZero();
        }
    }

    @Test
    void peek_addsWhatHasComeSince() throws Exception {
        try (Pair pair = Pair.open()) {
            TcpStream stream = pair.stream();
            pair.send("ab");
            assertThat(peek(stream, 100)).isEqualTo("ab");
            pair.send("cd");
            await().until(() -> stream.tryPeek(ByteBuffer.allocate(100)) == 4);
            assertThat(peek(stream, 3)).isEqualTo("abc");
            assertThat(read(stream, 100)).isEqualTo("abcd");
        }
    }

    @Test
    void peek_looksAheadAsFarAsItSays_andReadsGoOnBehindIt() throws Exception {
        byte[] sent = new byte[400_000];
        new Random(3).nextBytes(sent);
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            TcpStream stream = pair.stream();
            FutureTask<Void> sending = new FutureTask<>(() -> {
                pair.peer().getOutputStream().write(sent);
                return null;
            });
            Thread thread = Thread.ofPlatform().start(sending);
            ByteBuffer seen = ByteBuffer.allocate(sent.length);
            runtime.blockOn(() -> {
                while (stream.peek(seen.clear()) < SocketInput.LOOK_AHEAD) {
                    // until the system has them
                }
            });
            await().during(Duration.ofMillis(50)).until(() -> stream.tryPeek(seen.clear()) == SocketInput.LOOK_AHEAD);
            byte[] received = runtime.blockOn(() -> stream.inputStream().readNBytes(sent.length));
            assertThat(received).isEqualTo(sent);
            assertThat(seen.flip()).isEqualTo(ByteBuffer.wrap(sent, 0, SocketInput.LOOK_AHEAD));
            thread.join();
            sending.get();
        }
    }

    @Test
    void peek_seesTheEnd_afterTheBytes() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            TcpStream stream = pair.stream();
            pair.send("ab");
            pair.peer().shutdownOutput();
            runtime.blockOn(() -> {
                assertThat(peek(stream, 100)).isEqualTo("ab");
                assertThat(peek(stream, 100)).isEqualTo("ab");
                assertThat(read(stream, 100)).isEqualTo("ab");
                assertThat(peek(stream, 100)).isNull();
                assertThat(stream.tryPeek(ByteBuffer.allocate(1))).isEqualTo(-1);
                assertThat(read(stream, 100)).isNull();
            });
        }
    }

    @Test
    void peek_keepsTheBytes_whenThePeerResets() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            TcpStream stream = pair.stream();
            pair.send("ab");
            assertThat(peek(stream, 100)).isEqualTo("ab");
            pair.peer().setSoLinger(true, 0);
            pair.peer().close();
            runtime.blockOn(() -> {
                assertThat(peek(stream, 100)).isEqualTo("ab");
                assertThat(read(stream, 100)).isEqualTo("ab");
                assertThatThrownBy(() -> peek(stream, 100))
                        .isInstanceOf(SocketException.class)
                        .hasMessageContaining(stream.toString());
            });
        }
    }

    @Test
    void peek_waits_andEndsAsReadsDo() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            TcpStream stream = pair.stream();
            assertThat(stream.tryPeek(ByteBuffer.allocate(10))).isZero();
            assertThatThrownBy(() -> runtime.blockOn(() -> stream.peek(ByteBuffer.allocate(1), Duration.ofMillis(20))))
                    .isInstanceOf(SocketTimeoutException.class)
                    .hasMessageContaining("a peek at " + stream);
            assertThatThrownBy(() -> stream.peek(ByteBuffer.allocate(1), Duration.ZERO))
                    .isInstanceOf(SocketTimeoutException.class);
            JoinHandle<String> cancelled = runtime.spawn(() -> {
                try {
                    return peek(stream, 10);
                } catch (InterruptedIOException e) {
                    return "interrupted " + e.bytesTransferred;
                }
            });
            untilWaiting(cancelled);
            JoinHandle<String> next = runtime.spawn(() -> peek(stream, 10)); // waits for its turn
            untilWaiting(next);
            assertThat(stream.tryRead(ByteBuffer.allocate(1))).isZero(); // others have the turn
            cancelled.abort();
            assertThat(cancelled.join()).isEqualTo("interrupted 0");
            pair.send("xy");
            assertThat(next.join()).isEqualTo("xy");
            assertThat(read(stream, 10)).isEqualTo("xy");
            JoinHandle<String> closed = runtime.spawn(() -> peek(stream, 10));
            untilWaiting(closed);
            stream.close();
            assertThatThrownBy(() -> closed.join()).hasCauseInstanceOf(AsynchronousCloseException.class);
            assertThatThrownBy(() -> peek(stream, 1)).isExactlyInstanceOf(ClosedChannelException.class);
        }
    }

    @Test
    void peek_endsWithTheStream_alsoIfSomethingIsAhead() throws Exception {
        try (Pair pair = Pair.open()) {
            pair.send("ab");
            assertThat(peek(pair.stream(), 1)).isEqualTo("a");
            pair.stream().close();
            assertThatThrownBy(() -> peek(pair.stream(), 1)).isExactlyInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(() -> read(pair.stream(), 1)).isExactlyInstanceOf(ClosedChannelException.class);
        }
    }

    /* ---------------- Readiness -------------- */

    @Test
    void readable_isReadyAtOnce_asLongAsThereAreBytesThatWerePeekedAt() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            TcpStream stream = pair.stream();
            pair.send("xabc");
            runtime.blockOn(() -> {
                assertThat(peek(stream, 100)).isEqualTo("xabc"); // the system has nothing left
                assertThat(read(stream, 1)).isEqualTo("x");
                assertThat(isReadable(stream)).isTrue();
                assertThat(peek(stream, 2)).isEqualTo("ab");
                for (int left = 3; left > 0; left--) {
                    assertThat(isReadable(stream)).isTrue();
                    stream.awaitReadable(Duration.ZERO);
                    assertThat(stream.tryPeek(ByteBuffer.allocate(100))).isEqualTo(left);
                    assertThat(isReadable(stream)).isTrue();
                    assertThat(stream.tryRead(ByteBuffer.allocate(1))).isEqualTo(1);
                }
                assertThat(isReadable(stream)).isFalse();
                assertThatThrownBy(() -> stream.awaitReadable(Duration.ZERO))
                        .isInstanceOf(SocketTimeoutException.class);
            });
        }
    }

    /** Whoever peeks may take the bytes from the system before the driver has seen them. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void select_thatWaits_isToldOfBytesThatAnotherPeeksAt(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = Pair.open()) {
            TcpStream stream = pair.stream();
            for (int i = 0; i < 2_000; i++) {
                JoinHandle<String> selecting = runtime.spawn(() -> {
                    Select.<Boolean>of().onReadable(stream, () -> true).await();
                    return "readable";
                });
                if (i % 2 == 0) { // an old event may have woken it already
                    Waiter waiter = (Waiter) (Object) selecting;
                    while (waiter.openWait() == null && selecting.tryResult() == null) {
                        Thread.onSpinWait();
                    }
                }
                pair.send("x");
                while (stream.tryPeek(ByteBuffer.allocate(8)) == 0) {
                    Thread.onSpinWait();
                }
                assertThat(selecting.join(Duration.ofSeconds(20))).isEqualTo("readable");
                assertThat(read(stream, 8)).isEqualTo("x");
            }
        }
    }

    @Test
    void awaitReadable_waitsForBytes_andTakesNoTurn() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open();
                Pair silent = Pair.open()) {
            TcpStream stream = pair.stream();
            JoinHandle<String> first = runtime.spawn(() -> {
                stream.awaitReadable();
                return "woken";
            });
            JoinHandle<String> reader = runtime.spawn(() -> read(stream, 10));
            untilWaiting(first);
            untilWaiting(reader);
            stream.awaitWritable();
            stream.awaitWritable(Duration.ZERO);
            pair.send("abc");
            assertThat(first.join()).isEqualTo("woken");
            assertThat(reader.join()).isEqualTo("abc");
            TcpStream other = silent.stream(); // an event from just before the read may be told just after
            JoinHandle<String> cancelled = runtime.spawn(() -> {
                other.awaitReadable();
                return "woken";
            });
            untilWaiting(cancelled);
            cancelled.abort();
            assertThat(cancelled.result()).isInstanceOf(dev.kumihimo.runtime.JoinResult.Cancelled.class);
            JoinHandle<Void> closed = runtime.spawn(() -> other.awaitReadable(Duration.ofMinutes(1)));
            untilWaiting(closed);
            other.close();
            assertThatThrownBy(() -> closed.join()).hasCauseInstanceOf(AsynchronousCloseException.class);
            assertThatThrownBy(other::awaitReadable).isExactlyInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(other::awaitWritable).isExactlyInstanceOf(ClosedChannelException.class);
        }
    }

    @Test
    void awaitWritable_waitsForRoom() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            TcpStream stream = pair.stream();
            long written = fill(stream);
            assertThatThrownBy(() -> runtime.blockOn(() -> stream.awaitWritable(Duration.ofMillis(50))))
                    .isInstanceOf(SocketTimeoutException.class);
            JoinHandle<Void> waiting = runtime.spawn(() -> stream.awaitWritable());
            untilWaiting(waiting);
            pair.peer().getInputStream().readNBytes((int) written);
            waiting.join();
            assertThat(stream.tryWrite(ByteBuffer.allocate(1))).isEqualTo(1);
        }
    }
}
