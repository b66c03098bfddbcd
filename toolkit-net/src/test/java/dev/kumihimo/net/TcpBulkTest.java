package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.bytes;
import static dev.kumihimo.net.Loopback.fill;
import static dev.kumihimo.net.Loopback.read;
import static dev.kumihimo.net.Loopback.runtime;
import static dev.kumihimo.net.Loopback.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.net.Loopback.Pair;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.NonReadableChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several buffers at once, and whole files. */
@Timeout(60)
class TcpBulkTest {
    private static byte[] random(int length) {
        byte[] content = new byte[length];
        new Random(length).nextBytes(content);
        return content;
    }

    /* ---------------- Several buffers -------------- */

    @Test
    void read_fillsTheBuffersOneAfterTheOther() throws Exception {
        try (Pair pair = Pair.open()) {
            ByteBuffer[] targets = {
                ByteBuffer.allocate(2), ByteBuffer.allocate(0), ByteBuffer.allocateDirect(3), ByteBuffer.allocate(10)
            };
            pair.send("abcdef");
            assertThat(pair.stream().read(targets)).isEqualTo(6);
            assertThat(targets[0].flip()).isEqualTo(ByteBuffer.wrap(bytes("ab")));
            assertThat(targets[2].flip()).isEqualTo(ByteBuffer.wrap(bytes("cde")));
            assertThat(targets[3].flip()).isEqualTo(ByteBuffer.wrap(bytes("f")));
            assertThat(pair.stream().tryRead(targets)).isZero();
            pair.send("xyz");
            ByteBuffer[] others = {ByteBuffer.allocate(1), ByteBuffer.allocate(1), ByteBuffer.allocate(1)};
            assertThat(pair.stream().read(others, 1, 1)).isEqualTo(1);
            assertThat(others[0].position()).isZero();
            assertThat(others[1].array()).isEqualTo(bytes("x"));
            assertThat(others[2].position()).isZero();
            assertThat(pair.stream().read(others, 1, 1)).isZero(); // no room
            assertThat(pair.stream().read(others, 3, 0)).isZero();
            assertThatThrownBy(() -> pair.stream().read(others, 2, 2)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> pair.stream().write(others, -1, 2)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThat(pair.stream().read(others, 0, 3)).isEqualTo(2);
            pair.peer().shutdownOutput();
            assertThat(pair.stream().read(new ByteBuffer[] {ByteBuffer.allocate(1)}))
                    .isEqualTo(-1);
        }
    }

    @Test
    void read_servesWhatWasPeekedAt_toSeveralBuffers() throws Exception {
        try (Pair pair = Pair.open()) {
            pair.send("abcd");
            assertThat(pair.stream().peek(ByteBuffer.allocate(10))).isEqualTo(4);
            ByteBuffer[] targets = {ByteBuffer.allocate(1), ByteBuffer.allocate(2)};
            assertThat(pair.stream().read(targets)).isEqualTo(3);
            assertThat(targets[1].array()).isEqualTo(bytes("bc"));
            assertThat(read(pair.stream(), 10)).isEqualTo("d");
        }
    }

    @Test
    void read_leavesTheLimits_whenTheBuffersAreLargerThanOneCall() throws Exception {
        try (Pair pair = Pair.open()) {
            ByteBuffer[] targets = {
                ByteBuffer.allocate(10), ByteBuffer.allocate(1_000_000).limit(900_000), ByteBuffer.allocate(5)
            };
            pair.send("hello, world");
            assertThat(pair.stream().read(targets)).isEqualTo(12);
            assertThat(targets[0].hasRemaining()).isFalse();
            assertThat(targets[1].position()).isEqualTo(2);
            assertThat(targets[1].limit()).isEqualTo(900_000);
            assertThat(targets[2].limit()).isEqualTo(5);
        }
    }

    @Test
    void writeAll_deliversAllBuffersInOrder_whileTheReaderIsSlow() throws Exception {
        byte[] sent = random(20_000_000);
        try (TaskRuntime runtime = runtime(2);
                Pair pair = Pair.open()) {
            ByteBuffer[] sources = new ByteBuffer[3_001]; // more than a system call takes
            int each = sent.length / 3_000;
            for (int i = 0; i < 3_000; i++) {
                ByteBuffer source = i % 3 == 0 ? ByteBuffer.allocateDirect(each) : ByteBuffer.allocate(each);
                sources[i] = i % 100 == 99 ? ByteBuffer.allocate(0) : source;
                if (sources[i].hasRemaining()) {
                    source.put(sent, i * each, each).flip();
                }
            }
            sources[3_000] = ByteBuffer.wrap(sent, 3_000 * each, sent.length - 3_000 * each);
            JoinHandle<Void> writing = runtime.spawn(() -> {
                pair.stream().writeAll(sources);
                pair.stream().shutdownOutput();
            });
            untilWaiting(writing);
            byte[] received = pair.peer().getInputStream().readAllBytes();
            writing.join();
            ByteBuffer expected = ByteBuffer.allocate(sent.length);
            for (int i = 0; i < 3_000; i++) {
                if (i % 100 != 99) {
                    expected.put(sent, i * each, each);
                }
            }
            expected.put(sent, 3_000 * each, sent.length - 3_000 * each);
            assertThat(Arrays.equals(received, Arrays.copyOf(expected.array(), expected.position())))
                    .isTrue();
            assertThat(sources).allMatch(source -> !source.hasRemaining());
        }
    }

    @Test
    void writeAll_tellsHowManyBytesOfAllBuffers_whenItIsInterrupted() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            ByteBuffer[] sources = {
                ByteBuffer.allocate(1_000), ByteBuffer.allocateDirect(10_000_000), ByteBuffer.allocate(10_000_000)
            };
            JoinHandle<Integer> writing = runtime.spawn(() -> {
                try {
                    pair.stream().writeAll(sources);
                    return -1;
                } catch (InterruptedIOException e) {
                    return e.bytesTransferred;
                }
            });
            untilWaiting(writing);
            writing.abort();
            int written = writing.join();
            assertThat(written)
                    .isEqualTo(Arrays.stream(sources)
                            .mapToInt(ByteBuffer::position)
                            .sum());
            pair.stream().shutdownOutput();
            assertThat(pair.peer().getInputStream().readAllBytes()).hasSize(written);
        }
    }

    @Test
    void write_returnsWhatTheSystemTook() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            TcpStream stream = pair.stream();
            assertThat(stream.write(new ByteBuffer[] {ByteBuffer.wrap(bytes("ab")), ByteBuffer.wrap(bytes("c"))}))
                    .isEqualTo(3);
            assertThat(pair.receive(3)).isEqualTo("abc");
            assertThat(stream.write(new ByteBuffer[0])).isZero();
            assertThat(stream.write(new ByteBuffer[] {ByteBuffer.allocate(0)})).isZero();
            stream.writeAll(new ByteBuffer[0]);
            ByteBuffer[] blocks = {ByteBuffer.allocate(100_000), ByteBuffer.allocateDirect(100_000)};
            assertThat(stream.tryWrite(blocks)).isPositive();
            long written = fill(stream) + blocks[0].position() + blocks[1].position();
            blocks[0].clear();
            blocks[1].clear();
            JoinHandle<Long> writing = runtime.spawn(() -> stream.write(blocks));
            untilWaiting(writing);
            pair.peer().getInputStream().readNBytes((int) written);
            assertThat(writing.join()).isPositive();
        }
    }

    /* ---------------- Files -------------- */

    @TempDir
    Path directory;

    private FileChannel file(byte[] content) throws IOException {
        Path path = directory.resolve("file");
        Files.write(path, content);
        return FileChannel.open(path);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void writeFrom_deliversAPartOfAFile_whileTheReaderIsSlow(int carriers) throws Exception {
        byte[] content = random(15_000_000);
        try (TaskRuntime runtime = runtime(carriers);
                FileChannel file = file(content);
                Pair pair = Pair.open()) {
            JoinHandle<Long> writing = runtime.spawn(() -> {
                long count = pair.stream().writeFrom(file, 1_234, 14_000_000);
                pair.stream().shutdownOutput();
                return count;
            });
            byte[] received = pair.peer().getInputStream().readNBytes(100_000);
            untilWaiting(writing); // for room: the peer reads no more for now
            byte[] rest = pair.peer().getInputStream().readAllBytes();
            assertThat(writing.join()).isEqualTo(14_000_000);
            assertThat(Arrays.equals(received, Arrays.copyOfRange(content, 1_234, 101_234)))
                    .isTrue();
            assertThat(Arrays.equals(rest, Arrays.copyOfRange(content, 101_234, 14_001_234)))
                    .isTrue();
            assertThat(file.position()).isZero();
        }
    }

    @Test
    void writeFrom_endsWithTheFile() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                FileChannel file = file(bytes("0123456789"));
                Pair pair = Pair.open()) {
            TcpStream stream = pair.stream();
            runtime.blockOn(() -> {
                assertThat(stream.writeFrom(file, 7, 100)).isEqualTo(3);
                assertThat(stream.writeFrom(file, 10, 100)).isZero();
                assertThat(stream.writeFrom(file, 11, Long.MAX_VALUE)).isZero();
                assertThat(stream.writeFrom(file, 2, 0)).isZero();
                assertThat(Task.blocking(() -> stream.writeFrom(file, 0, 2))).isEqualTo(2); // in a blocking job itself
            });
            assertThat(stream.writeFrom(file, 2, 1)).isEqualTo(1); // from a platform thread
            assertThat(pair.receive(6)).isEqualTo("789012");
            assertThatThrownBy(() -> stream.writeFrom(file, -1, 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("position=-1");
            assertThatThrownBy(() -> stream.writeFrom(file, 0, -2))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("count=-2");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void writeFrom_tellsHowFarItCame_andClosesNothing_whenItIsCancelled(boolean abort) throws Exception {
        byte[] content = random(30_000_000);
        try (TaskRuntime runtime = runtime(2);
                FileChannel file = file(content);
                Pair pair = Pair.open()) {
            Thread[] thread = new Thread[1];
            JoinHandle<Integer> writing = runtime.spawn(() -> {
                thread[0] = Thread.currentThread();
                try {
                    return (int) pair.stream().writeFrom(file, 0, content.length);
                } catch (InterruptedIOException e) {
                    return e.bytesTransferred;
                }
            });
            byte[] begun = pair.peer().getInputStream().readNBytes(1);
            if (abort) {
                writing.abort(); // in the middle of a step, or while it waits for room
            } else {
                thread[0].interrupt();
            }
            int written = writing.join();
            assertThat(written).isBetween(1, content.length - 1);
            assertThat(file.isOpen()).isTrue();
            JoinHandle<Void> rest = runtime.spawn(() -> {
                pair.stream().writeFrom(file, written, content.length - written);
                pair.stream().shutdownOutput();
            });
            byte[] received = pair.peer().getInputStream().readAllBytes();
            rest.join();
            assertThat(begun[0]).isEqualTo(content[0]);
            assertThat(Arrays.equals(received, Arrays.copyOfRange(content, 1, content.length)))
                    .isTrue();
        }
    }

    @Test
    void writeFrom_tellsWhatIsWrong() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                FileChannel file = file(random(30_000_000));
                FileChannel unreadable = FileChannel.open(
                        directory.resolve("other"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                Pair pair = Pair.open()) {
            TcpStream stream = pair.stream();
            assertThatThrownBy(() -> runtime.blockOn(() -> stream.writeFrom(unreadable, 0, 1)))
                    .isInstanceOf(NonReadableChannelException.class);
            JoinHandle<Long> writing = runtime.spawn(() -> stream.writeFrom(file, 0, 30_000_000));
            pair.peer().getInputStream().readNBytes(1);
            pair.peer().setSoLinger(true, 0);
            pair.peer().close();
            assertThatThrownBy(() -> writing.join())
                    .cause()
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining(stream.toString());
            file.close();
            try (Pair other = Pair.open()) {
                assertThatThrownBy(() -> runtime.blockOn(() -> other.stream().writeFrom(file, 0, 1)))
                        .isInstanceOf(ClosedChannelException.class);
                assertThat(other.stream().isOpen()).isTrue();
                other.stream().close();
                assertThatThrownBy(() -> other.stream().writeFrom(file, 0, 1))
                        .isInstanceOf(ClosedChannelException.class);
            }
        }
    }

    @Test
    void writeFrom_takesTurnsWithOtherWriters() throws Exception {
        byte[] content = random(5_000_000);
        try (TaskRuntime runtime = runtime(2);
                FileChannel file = file(content);
                Pair pair = Pair.open()) {
            JoinHandle<Long> writing = runtime.spawn(() -> pair.stream().writeFrom(file, 0, content.length));
            byte[] first = pair.peer().getInputStream().readNBytes(1);
            JoinHandle<Void> next = runtime.spawn(() -> {
                pair.stream().writeAll(ByteBuffer.wrap(bytes("next")));
                pair.stream().shutdownOutput();
            });
            byte[] received = pair.peer().getInputStream().readAllBytes();
            writing.join();
            next.join();
            assertThat(first[0]).isEqualTo(content[0]);
            assertThat(received).hasSize(content.length + 3);
            assertThat(new String(received, content.length - 1, 4, StandardCharsets.US_ASCII))
                    .isEqualTo("next");
            assertThat(pair.stream().isOpen()).isTrue();
        }
    }
}
