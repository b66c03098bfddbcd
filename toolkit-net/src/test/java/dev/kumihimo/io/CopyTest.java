package dev.kumihimo.io;

import static dev.kumihimo.io.Transport.bytes;
import static dev.kumihimo.io.Transport.isWaiting;
import static dev.kumihimo.io.Transport.read;
import static dev.kumihimo.io.Transport.readAll;
import static dev.kumihimo.io.Transport.runtime;
import static dev.kumihimo.io.Transport.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.io.ByteStreams.Copied;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.time.Timeout;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Copying: what arrives, what is flushed when, and what ends it. */
@org.junit.jupiter.api.Timeout(60)
class CopyTest {
    /* ---------------- One direction -------------- */

    @ParameterizedTest
    @EnumSource(Transport.class)
    void copy_copiesToTheEnd_andClosesNothing(Transport transport) throws Exception {
        byte[] all = new byte[300_000];
        new Random(1).nextBytes(all);
        try (TaskRuntime runtime = runtime();
                DuplexPair in = runtime.blockOn(transport::open);
                DuplexPair out = runtime.blockOn(transport::open)) {
            runtime.spawn(() -> {
                in.first().writeAll(ByteBuffer.wrap(all));
                in.first().shutdownOutput();
            });
            JoinHandle<Long> copy = runtime.spawn(() -> ByteStreams.copy(in.second(), out.first(), 1_000));
            ByteBuffer copied = ByteBuffer.allocate(all.length);
            ByteReader.of(out.second()).readFully(copied);
            assertThat(copied.array()).isEqualTo(all);
            assertThat(copy.join()).isEqualTo(all.length);
            assertThat(in.second().isOpen()).isTrue();
            out.first().writeAll(bytes("still open"));
            assertThat(read(out.second(), 20)).isEqualTo("still open");
        }
    }

    /** A peer that answers only when it has the whole question: what the sink keeps back would never come. */
    @ParameterizedTest
    @EnumSource(Transport.class)
    void copy_flushes_whenTheSourceWouldWait(Transport transport) throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair in = runtime.blockOn(transport::open);
                DuplexPair out = runtime.blockOn(transport::open)) {
            ByteSource[] sources = {in.second(), ByteReader.of(in.second())};
            for (ByteSource source : sources) {
                JoinHandle<Long> copy = runtime.spawn(() -> ByteStreams.copy(source, ByteWriter.of(out.first())));
                for (String question : new String[] {"first", "second"}) {
                    in.first().writeAll(bytes(question));
                    ByteBuffer arrived = ByteBuffer.allocate(question.length());
                    ByteReader.of(out.second(), 1).readFully(arrived);
                    assertThat(Transport.text(arrived)).isEqualTo(question);
                }
                untilWaiting(copy);
                copy.abort();
                assertThat(copy.result()).isInstanceOf(JoinResult.Cancelled.class);
            }
        }
    }

    @Test
    void copy_gathersSmallPieces_andFlushesAtTheEnd() throws Exception {
        Script source = new Script();
        for (int i = 0; i < 10; i++) {
            source.then("x");
        }
        BytePipe pipe = ByteStreams.pipe(100);
        ByteWriter writer = ByteWriter.of(pipe.sink());
        assertThat(ByteStreams.copy(source, writer)).isEqualTo(10);
        assertThat(writer.buffered()).isZero();
        assertThat(read(pipe.source(), 100)).isEqualTo("xxxxxxxxxx");
    }

    @Test
    void copy_goesOn_fromAReader_whereItWasCutShort() throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair in = ByteStreams.duplex(100);
                DuplexPair out = ByteStreams.duplex(13)) {
            int total = 20_000;
            runtime.spawn(() -> {
                ByteWriter writer = ByteWriter.of(in.first());
                for (int i = 0; i < total; i += 4) {
                    writer.writeInt(i);
                }
                writer.close();
            });
            JoinHandle<Long> copying = runtime.spawn(() -> {
                Random random = new Random(2);
                ByteReader source = ByteReader.of(in.second(), 16);
                for (long count = 0; ; ) {
                    try {
                        Duration time = Duration.ofNanos(random.nextInt(100_000));
                        count += Timeout.call(time, () -> ByteStreams.copy(source, out.first()));
                        out.first().close();
                        return count;
                    } catch (TimeoutException e) {
                        count += ((InterruptedIOException) e.getCause()).bytesTransferred;
                    }
                }
            });
            ByteReader copied = ByteReader.of(out.second());
            for (int i = 0; i < total; i += 4) {
                assertThat(copied.readInt()).isEqualTo(i);
            }
            assertThat(copied.peek(1).remaining()).isZero();
            assertThat(copying.join()).isEqualTo(total);
        }
    }

    @Test
    void copy_tellsHowMuchWasWritten_whenItIsInterrupted() throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair out = ByteStreams.duplex(13)) {
            JoinHandle<Integer> copy = runtime.spawn(() -> {
                InterruptedIOException thrown = catchThrowableOfType(
                        InterruptedIOException.class,
                        () -> ByteStreams.copy(new Script().then("12345").then("1234567890"), out.first()));
                return thrown.bytesTransferred;
            });
            untilWaiting(copy);
            copy.abort();
            assertThat(copy.join()).isEqualTo(13);
        }
    }

    /** What never waits yields nevertheless, and obeys. */
    @Test
    void copy_ofAnEndlessSource_letsOthersRun_andCanBeAborted() throws Exception {
        try (TaskRuntime runtime = TaskRuntime.builder().workerThreads(1).build()) {
            JoinHandle<Long> copy =
                    runtime.spawn(() -> ByteStreams.copy(ByteStreams.repeat((byte) 7), ByteStreams.nullSink()));
            runtime.spawn(() -> copy.abort()).join();
            assertThat(copy.result()).isInstanceOf(JoinResult.Cancelled.class);
        }
    }

    @Test
    void copies_takeTheirBuffersFromThePool_andGiveThemBack_howeverTheyEnd() throws Exception {
        long before = BufferPool.shared().outstanding();
        ByteStreams.copy(new Script().then("abc"), ByteStreams.nullSink());
        assertThat(BufferPool.shared().outstanding()).as("ended").isEqualTo(before);
        assertThatThrownBy(
                        () -> ByteStreams.copy(new Script().then(new IOException("no disk")), ByteStreams.nullSink()))
                .hasMessage("no disk");
        assertThat(BufferPool.shared().outstanding()).as("failed").isEqualTo(before);
        try (TaskRuntime runtime = runtime();
                DuplexPair in = runtime.blockOn(Transport.TCP::open);
                DuplexPair out = runtime.blockOn(Transport.TCP::open)) {
            JoinHandle<Copied> both =
                    runtime.spawn(() -> ByteStreams.copyBidirectional(in.second(), out.first(), 1_000_000));
            ByteBuffer much = ByteBuffer.allocate(100_000_000); // more than the system holds
            List<JoinHandle<Void>> writers = List.of(
                    runtime.spawn(() -> in.first().writeAll(much.duplicate())),
                    runtime.spawn(() -> out.second().writeAll(much.duplicate())));
            await().until(() -> BufferPool.shared().outstanding() == before + 2); // nobody reads: they wait for room
            writers.forEach(JoinHandle::abort);
            both.abort();
            assertThat(both.result()).isInstanceOf(JoinResult.Cancelled.class);
            assertThat(BufferPool.shared().outstanding()).as("aborted").isEqualTo(before);
        }
    }

    /** Neither before the first byte, nor after some, nor after a buffer that was just full. */
    @Test
    void copy_ofASocket_holdsNoBuffer_whileThereIsNothingToRead() throws Exception {
        long before = BufferPool.shared().outstanding();
        try (TaskRuntime runtime = runtime();
                DuplexPair in = runtime.blockOn(Transport.TCP::open);
                DuplexPair out = runtime.blockOn(Transport.TCP::open)) {
            JoinHandle<Long> copy = runtime.spawn(() -> ByteStreams.copy(in.second(), out.first(), 10));
            for (String piece : new String[] {"", "some", "just full."}) {
                in.first().writeAll(bytes(piece));
                ByteBuffer arrived = ByteBuffer.allocate(piece.length());
                ByteReader.of(out.second(), 1).readFully(arrived);
                assertThat(Transport.text(arrived)).isEqualTo(piece);
                await().until(() -> BufferPool.shared().outstanding() == before && isWaiting(copy));
            }
            in.first().shutdownOutput();
            assertThat(copy.join()).isEqualTo(14);
        }
    }

    @Test
    void copy_refusesABufferOfNothing() {
        assertThatThrownBy(() -> ByteStreams.copy(ByteStreams.empty(), ByteStreams.nullSink(), 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("bufferSize=0 must be at least 1");
    }

    /* ---------------- Both directions -------------- */

    /** a talks to b through two connections that are copied to each other. */
    private record Proxy(DuplexPair left, DuplexPair right, JoinHandle<Copied> copy) {
        static Proxy open(TaskRuntime runtime, Transport transport) throws Exception {
            DuplexPair left = runtime.blockOn(transport::open);
            DuplexPair right = runtime.blockOn(transport::open);
            return new Proxy(
                    left, right, runtime.spawn(() -> ByteStreams.copyBidirectional(left.second(), right.first(), 100)));
        }

        ByteStream a() {
            return left.first();
        }

        ByteStream b() {
            return right.second();
        }

        void assertLeftOpen() {
            assertThat(left.second().isOpen()).isTrue();
            assertThat(right.first().isOpen()).isTrue();
        }

        void close() throws IOException {
            left.close();
            right.close();
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void copyBidirectional_goesOn_whenOneSideHasEnded(Transport transport) throws Exception {
        try (TaskRuntime runtime = runtime()) {
            for (boolean fromA : new boolean[] {true, false}) {
                Proxy proxy = Proxy.open(runtime, transport);
                ByteStream one = fromA ? proxy.a() : proxy.b();
                ByteStream other = fromA ? proxy.b() : proxy.a();
                one.writeAll(bytes("question"));
                one.shutdownOutput();
                assertThat(readAll(other)).isEqualTo("question");
                assertThat(proxy.copy().isDone()).isFalse();
                other.writeAll(bytes("a long "));
                assertThat(read(one, 100)).isEqualTo("a long ");
                other.writeAll(bytes("answer"));
                other.shutdownOutput();
                assertThat(readAll(one)).isEqualTo("answer");
                assertThat(proxy.copy().join()).isEqualTo(fromA ? new Copied(8, 13) : new Copied(13, 8));
                proxy.assertLeftOpen();
                proxy.close();
            }
            assertThat(runtime.liveTasks()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void copyBidirectional_isNotHeldUp_byTheDirectionThatIsBlocked(Transport transport) throws Exception {
        try (TaskRuntime runtime = runtime()) {
            Proxy proxy = Proxy.open(runtime, transport);
            JoinHandle<Void> flood = runtime.spawn(() -> {
                ByteBuffer block = ByteBuffer.allocate(1 << 20);
                while (true) {
                    proxy.a().writeAll(block.clear());
                }
            });
            untilWaiting(flood); // b reads none of it
            for (int i = 0; i < 50; i++) {
                proxy.b().writeAll(bytes("ping"));
                ByteBuffer arrived = ByteBuffer.allocate(4);
                ByteReader.of(proxy.a(), 1).readFully(arrived);
            }
            flood.abort();
            flood.result();
            proxy.copy().abort();
            assertThat(proxy.copy().result()).isInstanceOf(JoinResult.Cancelled.class);
            proxy.assertLeftOpen();
            proxy.close();
            assertThat(runtime.liveTasks()).isZero();
        }
    }

    /** The one direction fails, be it that of the caller or of the child, while the other waits for bytes. */
    @ParameterizedTest
    @EnumSource(Transport.class)
    void copyBidirectional_endsBoth_whenOneFails(Transport transport) throws Exception {
        try (TaskRuntime runtime = runtime()) {
            for (boolean first : new boolean[] {true, false}) {
                Proxy proxy = Proxy.open(runtime, transport);
                untilWaiting(proxy.copy());
                (first ? proxy.left().second() : proxy.right().first()).close();
                assertThatThrownBy(() -> proxy.copy().join())
                        .isInstanceOf(ExecutionException.class)
                        .hasCauseInstanceOf(ClosedChannelException.class);
                assertThat(
                                first
                                        ? proxy.right().first().isOpen()
                                        : proxy.left().second().isOpen())
                        .isTrue();
                proxy.close();
            }
            assertThat(runtime.liveTasks()).isZero();
        }
    }

    @Test
    void copyBidirectional_endsBoth_whenAPeerIsGone() throws Exception {
        try (TaskRuntime runtime = runtime()) {
            for (boolean a : new boolean[] {true, false}) {
                Proxy proxy = Proxy.open(runtime, Transport.DUPLEX);
                untilWaiting(proxy.copy());
                ByteStream gone = a ? proxy.a() : proxy.b();
                ByteStream other = a ? proxy.b() : proxy.a();
                gone.close(); // its input ends, which is no failure
                assertThat(readAll(other)).isEmpty();
                other.writeAll(bytes("x")); // which cannot be delivered
                assertThatThrownBy(() -> proxy.copy().join())
                        .isInstanceOf(ExecutionException.class)
                        .cause()
                        .isExactlyInstanceOf(IOException.class)
                        .hasMessageContaining("broken pipe");
                proxy.assertLeftOpen();
                proxy.close();
            }
            assertThat(runtime.liveTasks()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void copyBidirectional_isEndedByATimeout_andOfAPlatformThreadByAnInterrupt(Transport transport) throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair left = runtime.blockOn(transport::open);
                DuplexPair right = runtime.blockOn(transport::open)) {
            runtime.blockOn(() -> assertThatThrownBy(() -> Timeout.call(
                            Duration.ofMillis(5), () -> ByteStreams.copyBidirectional(left.second(), right.first())))
                    .isInstanceOf(TimeoutException.class));
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> ByteStreams.copyBidirectional(left.second(), right.first()))
                    .isExactlyInstanceOf(InterruptedIOException.class);
            assertThat(Thread.interrupted()).isTrue();
            runtime.blockOn(() -> {
                left.first().writeAll(bytes("still"));
                assertThat(read(left.second(), 10)).isEqualTo("still");
            });
            assertThat(runtime.liveTasks()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void copyBidirectional_carriesMuch_bothWaysAtOnce(Transport transport) throws Exception {
        try (TaskRuntime runtime = runtime()) {
            Proxy proxy = Proxy.open(runtime, transport);
            int ints = 50_000;
            JoinHandle<Void> sendingA = runtime.spawn(() -> send(proxy.a(), ints));
            JoinHandle<Void> sendingB = runtime.spawn(() -> send(proxy.b(), ints));
            JoinHandle<Void> receivingA = runtime.spawn(() -> receive(proxy.a(), ints));
            receive(proxy.b(), ints);
            receivingA.join();
            sendingA.join();
            sendingB.join();
            assertThat(proxy.copy().join()).isEqualTo(new Copied(4L * ints, 4L * ints));
            proxy.close();
        }
    }

    private static void send(ByteStream stream, int ints) throws IOException {
        ByteWriter writer = ByteWriter.of(stream, 1_000);
        for (int i = 0; i < ints; i++) {
            writer.writeInt(i);
        }
        writer.shutdownOutput();
    }

    private static void receive(ByteStream stream, int ints) throws IOException {
        ByteReader reader = ByteReader.of(stream);
        for (int i = 0; i < ints; i++) {
            assertThat(reader.readInt()).isEqualTo(i);
        }
        assertThat(reader.peek(1).remaining()).isZero();
    }
}
