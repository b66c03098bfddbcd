package dev.kumihimo.io;

import static dev.kumihimo.io.Transport.bytes;
import static dev.kumihimo.io.Transport.read;
import static dev.kumihimo.io.Transport.readAll;
import static dev.kumihimo.io.Transport.runtime;
import static dev.kumihimo.io.Transport.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Connections in memory: what they hold, what ends them, and who is told. */
@Timeout(60)
class DuplexTest {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final DuplexPair pair = ByteStreams.duplex(8);
    private final ByteStream a = pair.first();
    private final ByteStream b = pair.second();

    private boolean isQuiet() {
        Pipe there = ((PipeEnds.Duplex) b).in;
        Pipe back = ((PipeEnds.Duplex) a).in;
        return there.isQuiet() && back.isQuiet();
    }

    private static void assertBroken(JoinHandle<?> writer) {
        assertThatThrownBy(writer::join)
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isExactlyInstanceOf(IOException.class)
                .hasMessageContaining("broken pipe");
    }

    private static void assertClosedMeanwhile(JoinHandle<?> waiter) {
        assertThatThrownBy(waiter::join)
                .isInstanceOf(ExecutionException.class)
                .hasCauseExactlyInstanceOf(AsynchronousCloseException.class);
    }

    /* ---------------- Bytes -------------- */

    @Test
    void write_isPartial_ifThereIsLessRoom() throws Exception {
        DuplexPair wide = ByteStreams.duplex(32);
        ByteBuffer source = ByteBuffer.allocate(64);
        assertThat(wide.first().write(source)).isEqualTo(32);
        assertThat(source.position()).isEqualTo(32);
        assertThat(wide.first().tryWrite(source)).isZero();
        assertThat(read(wide.second(), 20)).hasSize(20);
        assertThat(wide.first().tryWrite(source)).isEqualTo(20);
    }

    @Test
    void bothDirections_areIndependent() throws Exception {
        a.writeAll(bytes("there"));
        b.writeAll(bytes("back"));
        assertThat(read(a, 10)).isEqualTo("back");
        assertThat(read(b, 3)).isEqualTo("the");
        assertThat(read(b, 10)).isEqualTo("re");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 64, 5_000})
    void bytes_comeInOrder_whateverTheSizes(int capacity) throws Exception {
        Random random = new Random(capacity);
        byte[] all = new byte[20_000];
        random.nextBytes(all);
        DuplexPair ends = ByteStreams.duplex(capacity);
        try (TaskRuntime runtime = runtime()) {
            runtime.spawn(() -> {
                for (int at = 0; at < all.length; ) {
                    int length = Math.min(1 + random.nextInt(100), all.length - at);
                    ByteBuffer piece = random.nextBoolean()
                            ? ByteBuffer.allocateDirect(length)
                                    .put(all, at, length)
                                    .flip()
                            : ByteBuffer.wrap(all, at, length);
                    ends.first().writeAll(piece);
                    at += length;
                }
                ends.first().close();
            });
            ByteBuffer read = ByteBuffer.allocate(all.length + 1);
            Random sizes = new Random(1);
            int count;
            do {
                read.limit(Math.min(read.position() + 1 + sizes.nextInt(100), all.length + 1));
                count = ends.second().read(read);
            } while (count >= 0);
            assertThat(read.position()).isEqualTo(all.length);
            assertThat(read.flip()).isEqualTo(ByteBuffer.wrap(all));
        }
    }

    @Test
    void read_withoutRoom_readsNothing_alsoWithBytesAndAtTheEnd() throws Exception {
        assertThat(a.read(NOTHING)).isZero();
        b.writeAll(bytes("x"));
        assertThat(a.read(NOTHING)).isZero();
        assertThat(read(a, 1)).isEqualTo("x");
        b.shutdownOutput();
        assertThat(a.read(NOTHING)).isZero();
        assertThat(read(a, 1)).isNull();
    }

    @Test
    void read_throwsInTime_andTryRead_atOnce() throws Exception {
        assertThatThrownBy(() -> a.read(ByteBuffer.allocate(1), Duration.ofMillis(5)))
                .isInstanceOf(SocketTimeoutException.class);
        assertThatThrownBy(() -> a.read(ByteBuffer.allocate(1), Duration.ZERO))
                .isInstanceOf(SocketTimeoutException.class);
        assertThat(a.tryRead(ByteBuffer.allocate(1))).isZero();
        b.writeAll(bytes("xyz"));
        assertThat(a.read(ByteBuffer.allocate(1), Duration.ZERO)).isOne();
        assertThat(a.read(ByteBuffer.allocate(1), Duration.ofDays(1))).isOne();
        assertThat(a.tryRead(ByteBuffer.allocate(1))).isOne();
        b.close();
        assertThat(a.tryRead(ByteBuffer.allocate(1))).isEqualTo(-1);
        assertThat(a.read(ByteBuffer.allocate(1), Duration.ZERO)).isEqualTo(-1);
        assertThat(isQuiet()).isTrue();
    }

    @Test
    void duplex_refusesACapacityOfNothing() {
        for (int capacity : new int[] {0, -1}) {
            assertThatThrownBy(() -> ByteStreams.duplex(capacity))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("capacity=" + capacity + " must be at least 1");
            assertThatThrownBy(() -> ByteStreams.pipe(capacity)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    /* ---------------- Turns -------------- */

    @Test
    void readers_takeTurns_inTheOrderOfTheirCalls() throws Exception {
        try (TaskRuntime runtime = runtime()) {
            List<JoinHandle<String>> readers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                JoinHandle<String> reader = runtime.spawn(() -> read(a, 2));
                untilWaiting(reader);
                readers.add(reader);
            }
            assertThat(a.tryRead(ByteBuffer.allocate(1))).as("others wait").isZero();
            b.writeAll(bytes("00112233"));
            for (int i = 0; i < 4; i++) {
                assertThat(readers.get(i).join()).isEqualTo("" + i + i);
            }
        }
    }

    @Test
    void writers_takeTurns_andNobodyWritesInBetween() throws Exception {
        try (TaskRuntime runtime = runtime()) {
            List<JoinHandle<Void>> writers = new ArrayList<>();
            for (String text : new String[] {"a", "b", "c"}) {
                JoinHandle<Void> writer = runtime.spawn(() -> a.writeAll(bytes(text.repeat(10))));
                untilWaiting(writer);
                writers.add(writer);
            }
            ByteBuffer all = ByteBuffer.allocate(30);
            while (all.hasRemaining()) {
                b.read(all);
            }
            assertThat(Transport.text(all)).isEqualTo("a".repeat(10) + "b".repeat(10) + "c".repeat(10));
            for (JoinHandle<Void> writer : writers) {
                writer.join();
            }
        }
    }

    /* ---------------- The end of one side -------------- */

    @Test
    void close_letsThePeerReadWhatWasWritten_andBreaksItsWrites() throws Exception {
        a.writeAll(bytes("last"));
        a.close();
        assertThatThrownBy(() -> b.write(bytes("x")))
                .isExactlyInstanceOf(IOException.class)
                .hasMessageContaining("broken pipe");
        assertThatThrownBy(() -> b.write(NOTHING)).hasMessageContaining("broken pipe");
        assertThatThrownBy(() -> b.writeAll(NOTHING)).hasMessageContaining("broken pipe");
        assertThatThrownBy(() -> b.tryWrite(bytes("x"))).hasMessageContaining("broken pipe");
        b.shutdownOutput();
        assertThat(readAll(b)).isEqualTo("last");
        assertThat(b.isOpen()).isTrue();
        assertThat(a.isOpen()).isFalse();
    }

    @Test
    void close_breaksPendingWritesOfThePeer_alsoThoseThatWaitForTheirTurn() throws Exception {
        try (TaskRuntime runtime = runtime()) {
            ByteBuffer source = bytes("0123456789");
            JoinHandle<Void> writing = runtime.spawn(() -> b.writeAll(source));
            untilWaiting(writing);
            JoinHandle<Integer> next = runtime.spawn(() -> b.write(bytes("x")));
            untilWaiting(next);
            JoinHandle<Integer> empty = runtime.spawn(() -> b.write(ByteBuffer.allocate(0)));
            untilWaiting(empty);
            a.close();
            assertBroken(writing);
            assertThat(source.position()).isEqualTo(8);
            assertBroken(next);
            assertBroken(empty);
            assertThat(isQuiet()).isTrue();
        }
    }

    @Test
    void close_endsTheWaitsOfOthersOnTheSameEnd() throws Exception {
        try (TaskRuntime runtime = runtime()) {
            List<JoinHandle<?>> waiters = new ArrayList<>();
            waiters.add(runtime.spawn(() -> a.read(ByteBuffer.allocate(1))));
            untilWaiting(waiters.get(0));
            waiters.add(runtime.spawn(() -> a.read(ByteBuffer.allocate(1), Duration.ofDays(1))));
            waiters.add(runtime.spawn(() -> a.read(ByteBuffer.allocate(0))));
            waiters.add(runtime.spawn(() -> a.writeAll(bytes("0123456789"))));
            untilWaiting(waiters.get(3));
            waiters.add(runtime.spawn(() -> a.write(bytes("x"))));
            waiters.forEach(Transport::untilWaiting);
            a.close();
            waiters.forEach(DuplexTest::assertClosedMeanwhile);
            assertThat(isQuiet()).isTrue();
        }
    }

    @Test
    void closedEnd_refusesEverything() throws Exception {
        b.writeAll(bytes("dropped"));
        a.close();
        a.close();
        assertThatThrownBy(() -> a.read(ByteBuffer.allocate(1))).isExactlyInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> a.read(NOTHING)).isExactlyInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> a.read(ByteBuffer.allocate(1), Duration.ZERO))
                .isExactlyInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> a.tryRead(ByteBuffer.allocate(1))).isExactlyInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> a.write(bytes("x"))).isExactlyInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> a.write(NOTHING)).isExactlyInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> a.writeAll(bytes("x"))).isExactlyInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> a.tryWrite(bytes("x"))).isExactlyInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(a::shutdownOutput).isExactlyInstanceOf(ClosedChannelException.class);
    }

    @Test
    void shutdownOutput_endsThePeersInput_andNotItsOutput() throws Exception {
        a.writeAll(bytes("all"));
        a.shutdownOutput();
        a.shutdownOutput();
        assertThat(readAll(b)).isEqualTo("all");
        b.writeAll(bytes("answer"));
        assertThat(read(a, 10)).isEqualTo("answer");
        assertThatThrownBy(() -> a.write(bytes("x"))).isExactlyInstanceOf(ClosedChannelException.class);
        assertThat(a.isOpen()).isTrue();
    }

    @Test
    void shutdownOutput_endsWaits_theWritersAndThePeersReaders() throws Exception {
        try (TaskRuntime runtime = runtime()) {
            JoinHandle<Void> writer = runtime.spawn(() -> a.writeAll(bytes("0123456789")));
            untilWaiting(writer);
            a.shutdownOutput();
            assertClosedMeanwhile(writer);
            assertThat(readAll(b)).isEqualTo("01234567");
            JoinHandle<Integer> reader = runtime.spawn(() -> a.read(ByteBuffer.allocate(1)));
            untilWaiting(reader);
            b.shutdownOutput();
            assertThat(reader.join()).isEqualTo(-1);
        }
    }

    @Test
    void pipe_isOneDirection() throws Exception {
        BytePipe pipe = ByteStreams.pipe(4);
        assertThat(pipe.sink().write(bytes("12345"))).isEqualTo(4);
        pipe.sink().close();
        pipe.sink().close();
        assertThat(pipe.sink().isOpen()).isFalse();
        assertThatThrownBy(() -> pipe.sink().shutdownOutput()).isInstanceOf(ClosedChannelException.class);
        assertThat(readAll(pipe.source())).isEqualTo("1234");

        BytePipe broken = ByteStreams.pipe(4);
        broken.source().close();
        assertThatThrownBy(() -> broken.sink().write(bytes("x"))).hasMessageContaining("broken pipe");
        assertThat(broken.sink().isOpen()).isTrue();
    }

    /* ---------------- Selecting -------------- */

    private static String readyWithin(Duration time, ByteStream stream) throws InterruptedException {
        return Select.<String>of()
                .biased()
                .onReadable(stream.readable(), () -> "bytes")
                .on(stream.writable(), () -> "room")
                .after(time, () -> "timeout")
                .await();
    }

    @Test
    void select_tellsOfBytesRoomAndEnds_andTakesNothing() throws Exception {
        try (TaskRuntime runtime = runtime()) {
            Duration day = Duration.ofDays(1);
            assertThat(readyWithin(day, a)).isEqualTo("room");
            a.writeAll(bytes("12345678"));
            assertThat(readyWithin(Duration.ofMillis(2), a)).isEqualTo("timeout");
            assertThat(isQuiet()).isTrue();
            JoinHandle<String> waiting = runtime.spawn(() -> readyWithin(day, a));
            untilWaiting(waiting);
            JoinHandle<Void> writing = runtime.spawn(() -> a.writeAll(bytes("9")));
            untilWaiting(writing);
            assertThat(read(b, 1)).isEqualTo("1"); // wakes the writer and the select
            assertThat(waiting.join()).isEqualTo("room");
            writing.join();
            JoinHandle<String> again = runtime.spawn(() -> readyWithin(day, a));
            untilWaiting(again);
            b.writeAll(bytes("x"));
            assertThat(again.join()).isEqualTo("bytes");
            assertThat(readyWithin(day, a)).as("nothing was taken").isEqualTo("bytes");
            assertThat(read(a, 1)).isEqualTo("x");
            JoinHandle<String> last = runtime.spawn(() -> readyWithin(day, a));
            untilWaiting(last);
            b.close();
            assertThat(last.join()).isEqualTo("bytes");
            a.close();
            assertThat(readyWithin(day, a)).isEqualTo("bytes");
            assertThat(isQuiet()).isTrue();
        }
    }

    /** Whoever comes first: a select takes nothing, so those behind it must not be held up. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void select_andReader_areBothWoken(boolean selectFirst) throws Exception {
        try (TaskRuntime runtime = runtime()) {
            JoinHandle<String> selecting = null;
            JoinHandle<String> reader = null;
            for (boolean select : new boolean[] {selectFirst, !selectFirst}) {
                if (select) {
                    selecting = runtime.spawn(() -> Select.<String>of()
                            .onReadable(a.readable(), () -> "bytes")
                            .await());
                    untilWaiting(selecting);
                } else {
                    reader = runtime.spawn(() -> read(a, 1));
                    untilWaiting(reader);
                }
            }
            b.writeAll(bytes("xy"));
            assertThat(reader.join()).isEqualTo("x");
            assertThat(selecting.join()).isEqualTo("bytes");
        }
    }

    @Test
    void whatWasDoneBeforeAWrite_isSeenAfterTheRead() throws Exception {
        int[] shared = new int[1];
        Semaphore done = new Semaphore(0);
        try (TaskRuntime runtime = runtime()) {
            runtime.spawn(() -> {
                for (int i = 1; i <= 2_000; i++) {
                    shared[0] = i;
                    a.writeAll(bytes("x"));
                    read(a, 1);
                }
                done.release();
            });
            for (int i = 1; i <= 2_000; i++) {
                read(b, 1);
                assertThat(shared[0]).isEqualTo(i);
                b.writeAll(bytes("y"));
            }
            done.acquire();
        }
    }
}
