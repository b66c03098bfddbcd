package dev.kumihimo.io;

import static dev.kumihimo.io.Transport.bytes;
import static dev.kumihimo.io.Transport.read;
import static dev.kumihimo.io.Transport.readAll;
import static dev.kumihimo.io.Transport.runtime;
import static dev.kumihimo.io.Transport.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.time.Timeout;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Writing through a buffer: what is kept back, and that nothing is lost or sent twice. */
@org.junit.jupiter.api.Timeout(60)
class ByteWriterTest {
    private final DuplexPair pair = ByteStreams.duplex(20);
    private final ByteStream peer = pair.second();
    private final ByteWriter writer = ByteWriter.of(pair.first(), 8);

    private String arrived() throws IOException {
        ByteBuffer all = ByteBuffer.allocate(1_000);
        peer.tryRead(all);
        return Transport.text(all);
    }

    /** Runs with the thread interrupted: what needs no waiting is done, a wait throws. */
    private static InterruptedIOException interruptedIn(org.assertj.core.api.ThrowableAssert.ThrowingCallable wait) {
        Thread.currentThread().interrupt();
        try {
            return catchThrowableOfType(InterruptedIOException.class, wait);
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void write_keepsBack_untilFlushOrFull() throws Exception {
        writer.writeAll(bytes("abc"));
        assertThat(arrived()).isEmpty();
        assertThat(writer.buffered()).isEqualTo(3);
        writer.flush();
        assertThat(arrived()).isEqualTo("abc");
        writer.writeAll(bytes("12345"));
        writer.writeAll(bytes("678"));
        assertThat(arrived()).as("just full").isEmpty();
        writer.writeAll(bytes("9"));
        assertThat(arrived()).isEqualTo("12345678");
        writer.writeAll(bytes("0123456789ab"));
        assertThat(arrived()).as("large ones go straight on, in order").isEqualTo("90123456789ab");
        assertThat(writer.buffered()).isZero();
        writer.flush();
        assertThat(arrived()).isEmpty();
    }

    @Test
    void numbersAndText_areWritten() throws Exception {
        ByteWriter numbers = ByteWriter.of(pair.first(), 8);
        ByteReader reader = ByteReader.of(peer);
        numbers.writeByte(0x1fe);
        numbers.writeShort(0x1fedc);
        numbers.writeInt(0x12345678);
        numbers.writeLong(Long.MIN_VALUE + 7);
        numbers.writeString("ä\n");
        numbers.flush();
        assertThat(reader.readByte()).isEqualTo((byte) -2);
        assertThat(reader.readShort()).isEqualTo((short) 0xfedc);
        assertThat(reader.readInt()).isEqualTo(0x12345678);
        assertThat(reader.readLong()).isEqualTo(Long.MIN_VALUE + 7);
        assertThat(reader.readLine(2)).isEqualTo("ä");
    }

    @Test
    void interruption_losesNothing_andRepeatsNothing() throws Exception {
        pair.first().writeAll(bytes("-".repeat(17))); // room for three
        writer.writeAll(bytes("abcdef"));
        InterruptedIOException thrown = interruptedIn(() -> writer.write(bytes("ghijkl")));
        assertThat(thrown.bytesTransferred).as("those that went were others").isZero();
        assertThat(writer.buffered()).as("three have gone").isEqualTo(3);
        assertThat(interruptedIn(writer::flush)).isNotNull();
        thrown = interruptedIn(() -> writer.writeAll(bytes("ghijk-too-much")));
        assertThat(thrown.bytesTransferred).isZero();
        thrown = interruptedIn(() -> writer.write(bytes("ghijkl")));
        assertThat(thrown.bytesTransferred).isZero();
        assertThat(interruptedIn(() -> writer.writeLong(1)).bytesTransferred).isZero();
        assertThat(writer.write(bytes("ghijk"))).as("fits").isEqualTo(5);
        assertThat(arrived()).isEqualTo("-".repeat(17) + "abc");
        writer.flush();
        assertThat(arrived()).isEqualTo("defghijk");
    }

    @Test
    void writeAll_tellsWhatWasAccepted_ofWhatWentPastTheBuffer() throws Exception {
        ByteBuffer source = bytes("x".repeat(30));
        InterruptedIOException thrown = interruptedIn(() -> writer.writeAll(source));
        assertThat(thrown.bytesTransferred).isEqualTo(20);
        assertThat(source.position()).isEqualTo(20);
        assertThat(writer.buffered()).isZero();
    }

    @Test
    void tryWrite_andTryFlush_neverWait() throws Exception {
        assertThat(writer.tryWrite(bytes("x".repeat(30)))).isEqualTo(20);
        assertThat(writer.tryWrite(bytes("y".repeat(30)))).as("into the buffer").isZero();
        assertThat(writer.tryWrite(bytes("abcdef"))).isEqualTo(6);
        assertThat(writer.tryWrite(bytes("ghi"))).isEqualTo(2);
        assertThat(writer.tryWrite(bytes("i"))).isZero();
        assertThat(writer.tryFlush()).isFalse();
        assertThat(read(peer, 3)).isEqualTo("xxx");
        assertThat(writer.tryFlush()).isFalse();
        assertThat(writer.buffered()).isEqualTo(5);
        assertThat(writer.tryWrite(bytes("ijk"))).isEqualTo(3);
        assertThat(arrived()).isEqualTo("x".repeat(17) + "abc");
        assertThat(writer.tryFlush()).isTrue();
        assertThat(arrived()).isEqualTo("defghijk");
    }

    @Test
    void aSelect_looksWhetherThereIsRoom_eachTimeItIsAwaited() throws Exception {
        writer.writeAll(bytes("x".repeat(20)));
        writer.tryWrite(bytes("12345678"));
        Select<String> select =
                Select.<String>of().on(writer.writable(), () -> "room").otherwise(() -> "none");
        assertThat(select.await()).isEqualTo("none");
        read(peer, 1);
        assertThat(writer.tryFlush()).isFalse(); // the sink is full again, and the buffer is not
        assertThat(select.await()).isEqualTo("room");
        writer.tryWrite(bytes("9"));
        assertThat(select.await()).isEqualTo("none");
    }

    @Test
    void writable_isReady_ifTheBufferHasRoomOrTheSink() throws Exception {
        try (TaskRuntime runtime = runtime()) {
            writer.writeAll(bytes("x".repeat(20)));
            writer.tryWrite(bytes("1234567"));
            assertThat(Select.<String>of()
                            .on(writer.writable(), () -> "room")
                            .otherwise(() -> "none")
                            .await())
                    .isEqualTo("room");
            writer.tryWrite(bytes("8"));
            JoinHandle<String> selecting = runtime.spawn(() ->
                    Select.<String>of().on(writer.writable(), () -> "room").await());
            untilWaiting(selecting);
            read(peer, 1);
            assertThat(selecting.join()).isEqualTo("room");
        }
    }

    @Test
    void flush_flushesTheSinkToo() throws Exception {
        ByteWriter outer = ByteWriter.of(writer, 8);
        outer.writeAll(bytes("abc"));
        assertThat(outer.tryFlush()).isTrue();
        outer.writeAll(bytes("def"));
        outer.flush();
        assertThat(arrived()).isEqualTo("abcdef");
    }

    /* ---------------- The end -------------- */

    @Test
    void shutdownOutput_sendsWhatIsBuffered_thenTheEnd() throws Exception {
        writer.writeAll(bytes("abc"));
        writer.shutdownOutput();
        writer.shutdownOutput();
        assertThat(readAll(peer)).isEqualTo("abc");
        assertThatThrownBy(() -> writer.write(bytes("x"))).isInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> writer.writeInt(1)).isInstanceOf(ClosedChannelException.class);
        assertThat(writer.isOpen()).isTrue();
        writer.close();
        assertThat(writer.isOpen()).isFalse();
        assertThatThrownBy(writer::shutdownOutput).isInstanceOf(ClosedChannelException.class);
    }

    @Test
    void shutdownOutput_endsNothing_ifItIsInterrupted() throws Exception {
        pair.first().writeAll(bytes("-".repeat(20)));
        writer.writeAll(bytes("abc"));
        assertThat(interruptedIn(writer::shutdownOutput)).isNotNull();
        assertThat(arrived()).hasSize(20);
        writer.writeAll(bytes("d"));
        writer.shutdownOutput();
        assertThat(readAll(peer)).isEqualTo("abcd");
    }

    @Test
    void close_sendsWhatIsBuffered() throws Exception {
        writer.writeAll(bytes("abc"));
        writer.close();
        writer.close();
        assertThat(readAll(peer)).isEqualTo("abc");
        assertThatThrownBy(() -> writer.write(bytes("x"))).isInstanceOf(ClosedChannelException.class);
    }

    @Test
    void close_closesTheSink_alsoIfItIsInterruptedOrTheSinkFails() throws Exception {
        pair.first().writeAll(bytes("-".repeat(20)));
        writer.writeAll(bytes("abc"));
        assertThat(interruptedIn(writer::close)).isNotNull();
        assertThat(pair.first().isOpen()).isFalse();
        assertThat(readAll(peer)).isEqualTo("-".repeat(20));
        writer.close();

        DuplexPair broken = ByteStreams.duplex(8);
        ByteWriter failing = ByteWriter.of(broken.first());
        failing.writeAll(bytes("abc"));
        broken.second().close();
        assertThatThrownBy(failing::close).hasMessageContaining("broken pipe");
        assertThat(broken.first().isOpen()).isFalse();
        failing.close();
    }

    @Test
    void close_tellsOfWhatWasLost_ifTheSinkWasClosedBefore() throws Exception {
        writer.writeAll(bytes("abc"));
        pair.first().close();
        assertThatThrownBy(writer::close).isInstanceOf(ClosedChannelException.class);
        writer.close();
    }

    @Test
    void aWriterThatIsDropped_sendsNothing_andAFailureKeepsWhatWasNotSent() throws Exception {
        writer.writeAll(bytes("abc"));
        peer.close();
        assertThatThrownBy(writer::flush).hasMessageContaining("broken pipe");
        assertThat(writer.buffered()).isEqualTo(3);
        assertThatThrownBy(() -> ByteWriter.of(peer, 7)).hasMessage("capacity=7 must be at least 8");
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void bytes_arriveOnceAndInOrder_whateverIsCutShort(Transport transport) throws Exception {
        int total = 40_000;
        try (TaskRuntime runtime = runtime();
                DuplexPair ends = runtime.blockOn(transport::open)) {
            JoinHandle<Void> sender = runtime.spawn(() -> send(ByteWriter.of(ends.first(), 16), total));
            ByteReader reader = ByteReader.of(ends.second());
            for (int i = 0; i < total; i += 4) {
                assertThat(reader.readInt()).isEqualTo(i);
            }
            assertThatThrownBy(reader::readByte).isInstanceOf(java.io.EOFException.class);
            sender.join();
        }
    }

    private static void send(ByteWriter writer, int total) throws Exception {
        Random random = new Random(3);
        for (int i = 0; i < total; ) {
            Duration time = Duration.ofNanos(random.nextInt(50_000));
            int first = i;
            ByteBuffer several = ByteBuffer.allocate(Math.min(40, total - i));
            for (int n = i; several.hasRemaining(); n += 4) {
                several.putInt(n);
            }
            several.flip();
            while (several.hasRemaining()) {
                int before = several.position();
                int how = random.nextInt(4);
                try {
                    switch (how) {
                        case 0 -> Timeout.call(time, () -> writer.writeAll(several));
                        case 1 -> Timeout.call(time, () -> writer.write(several));
                        case 2 -> writer.tryWrite(several);
                        default -> Timeout.call(time, writer::flush);
                    }
                } catch (TimeoutException e) {
                    if (how < 2) {
                        int told = ((InterruptedIOException) e.getCause()).bytesTransferred;
                        assertThat(several.position() - before).isEqualTo(told);
                    }
                }
            }
            i = first + several.limit();
        }
        writer.close();
    }
}
