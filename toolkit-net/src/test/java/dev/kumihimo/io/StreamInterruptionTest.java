package dev.kumihimo.io;

import static dev.kumihimo.io.Transport.bytes;
import static dev.kumihimo.io.Transport.read;
import static dev.kumihimo.io.Transport.runtime;
import static dev.kumihimo.io.Transport.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.time.Timeout;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A wait that is interrupted, cancelled or out of time leaves the stream open, and each byte where it belongs. */
@org.junit.jupiter.api.Timeout(120)
class StreamInterruptionTest {
    private interface Wait {
        void run(ByteStream stream) throws IOException;
    }

    /** Aborts a task in a wait, and looks at what it gets; then what the stream is good for. */
    private static InterruptedIOException abortIn(TaskRuntime runtime, ByteStream stream, Wait wait) throws Exception {
        JoinHandle<InterruptedIOException> task = runtime.spawn(() -> {
            InterruptedIOException thrown = catchThrowableOfType(InterruptedIOException.class, () -> wait.run(stream));
            assertThat(thrown).isExactlyInstanceOf(InterruptedIOException.class);
            assertThat(thrown).hasCauseExactlyInstanceOf(TaskCancelledException.class);
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
            return thrown;
        });
        untilWaiting(task);
        task.abort();
        InterruptedIOException thrown = task.join();
        assertThat(stream.isOpen()).isTrue();
        return thrown;
    }

    @Test
    void duplexRead_hasReadNothing_andTheNextReaderIsServed() throws Exception {
        DuplexPair pair = ByteStreams.duplex(4);
        try (TaskRuntime runtime = runtime()) {
            abortIn(runtime, pair.first(), stream -> stream.read(ByteBuffer.allocate(3)));
            abortIn(runtime, pair.first(), stream -> stream.read(ByteBuffer.allocate(3), Duration.ofDays(1)));
            JoinHandle<String> first = runtime.spawn(() -> read(pair.first(), 3));
            untilWaiting(first);
            abortIn(runtime, pair.first(), stream -> stream.read(ByteBuffer.allocate(3))); // waits for its turn
            pair.second().writeAll(bytes("abc"));
            assertThat(first.join()).isEqualTo("abc");
            assertThat(((PipeEnds.Duplex) pair.first()).in.isQuiet()).isTrue();
        }
    }

    @Test
    void duplexWrite_tellsWhatItHasWritten() throws Exception {
        DuplexPair pair = ByteStreams.duplex(4);
        try (TaskRuntime runtime = runtime()) {
            ByteBuffer source = bytes("abcdef");
            assertThat(abortIn(runtime, pair.first(), stream -> stream.writeAll(source)).bytesTransferred)
                    .isEqualTo(4);
            assertThat(source.position()).isEqualTo(4);
            assertThat(abortIn(runtime, pair.first(), stream -> stream.write(source)).bytesTransferred)
                    .isZero();
            assertThat(read(pair.second(), 10)).isEqualTo("abcd");
            pair.first().writeAll(source);
            assertThat(read(pair.second(), 10)).isEqualTo("ef");
            assertThat(((PipeEnds.Duplex) pair.second()).in.isQuiet()).isTrue();
        }
    }

    @Test
    void timeoutCall_throwsTimeout_andLeavesTheFlagClean() throws Exception {
        DuplexPair pair = ByteStreams.duplex(4);
        try (TaskRuntime runtime = runtime()) {
            runtime.blockOn(() -> {
                assertThatThrownBy(() -> Timeout.call(Duration.ofMillis(5), () -> read(pair.first(), 1)))
                        .isInstanceOf(TimeoutException.class);
                assertThat(Thread.currentThread().isInterrupted()).isFalse();
                Task.sleep(Duration.ofMillis(1));
            });
        }
    }

    @Test
    void aPlainInterrupt_endsAWait_ofAPlatformThreadToo() throws Exception {
        DuplexPair pair = ByteStreams.duplex(4);
        Thread.currentThread().interrupt();
        InterruptedIOException thrown = catchThrowableOfType(InterruptedIOException.class, () -> read(pair.first(), 1));
        assertThat(thrown).hasCauseExactlyInstanceOf(InterruptedException.class);
        assertThat(Thread.interrupted()).isTrue();
    }

    /** Numbered bytes, with both sides cut short again and again; over a small pipe, so that each waits for the other. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void bytes_arriveOnceAndInOrder_whateverIsCutShort(long seed) throws Exception {
        move(ByteStreams.duplex(7), seed, 30_000);
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void bytes_arriveOnceAndInOrder_overEachTransport(Transport transport) throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair pair = runtime.blockOn(transport::open)) {
            move(pair, 11, 300_000);
        }
    }

    private static void move(DuplexPair pair, long seed, int total) throws Exception {
        try (TaskRuntime runtime = runtime()) {
            JoinHandle<Void> writer = runtime.spawn(() -> write(pair.first(), new Random(seed), total));
            JoinHandle<Integer> reader = runtime.spawn(() -> check(pair.second(), new Random(seed + 1)));
            writer.join();
            assertThat(reader.join()).isEqualTo(total);
        }
    }

    private static byte numbered(int index) {
        return (byte) (index * 31 >> 3);
    }

    private static void write(ByteStream stream, Random random, int total) throws Exception {
        for (int sent = 0; sent < total; ) {
            int length = Math.min(1 + random.nextInt(40), total - sent);
            ByteBuffer source = ByteBuffer.allocate(length);
            for (int i = 0; i < length; i++) {
                source.put(numbered(sent + i));
            }
            source.flip();
            try {
                Duration time = Duration.ofNanos(random.nextInt(200_000));
                if (random.nextBoolean()) {
                    Timeout.call(time, () -> stream.writeAll(source));
                } else {
                    Timeout.call(time, () -> stream.write(source));
                }
            } catch (TimeoutException e) {
                int told = ((InterruptedIOException) e.getCause()).bytesTransferred;
                assertThat(told).isEqualTo(source.position());
            }
            sent += source.position();
            if (random.nextInt(20) == 0) {
                Task.sleep(Duration.ofNanos(random.nextInt(100_000)));
            }
        }
        stream.shutdownOutput();
    }

    private static int check(ByteStream stream, Random random) throws Exception {
        int got = 0;
        while (true) {
            ByteBuffer target = ByteBuffer.allocate(1 + random.nextInt(30));
            Duration time = Duration.ofNanos(random.nextInt(200_000));
            int count = 0;
            try {
                count = switch (random.nextInt(3)) {
                    case 0 -> Timeout.call(time, () -> stream.read(target));
                    case 1 -> stream.read(target, time);
                    default -> stream.tryRead(target);
                };
            } catch (TimeoutException | SocketTimeoutException e) {
                assertThat(target.position()).isZero();
            }
            if (count < 0) {
                return got;
            }
            assertThat(target.position()).isEqualTo(count);
            for (int i = 0; i < count; i++) {
                assertThat(target.get(i)).isEqualTo(numbered(got + i));
            }
            got += count;
        }
    }
}
