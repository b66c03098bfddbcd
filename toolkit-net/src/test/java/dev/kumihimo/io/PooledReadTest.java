package dev.kumihimo.io;

import static dev.kumihimo.io.Transport.bytes;
import static dev.kumihimo.io.Transport.isWaiting;
import static dev.kumihimo.io.Transport.runtime;
import static dev.kumihimo.io.Transport.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Reading into memory of a pool: what is given, when the memory is taken, and that it comes back however the read ends. */
@Timeout(60)
class PooledReadTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private final BufferPool pool = BufferPool.tracking();

    @AfterEach
    void everythingIsGivenBack() {
        assertThat(pool.outstanding()).isZero();
        pool.close();
    }

    private @Nullable String read(ByteSource source, int most) throws IOException {
        return text(source.read(pool, most));
    }

    private static @Nullable String text(@Nullable PooledBuffer read) {
        try (read) {
            return read == null
                    ? null
                    : StandardCharsets.US_ASCII.decode(read.buffer()).toString();
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void read_givesWhatIsThere_andNullAtTheEnd(Transport transport) throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair pair = runtime.blockOn(transport::open)) {
            pair.first().writeAll(bytes("abcde"));
            assertThat(read(pair.second(), 3)).isEqualTo("abc");
            assertThat(text(pair.second().read(pool, 100, LONG))).isEqualTo("de");
            JoinHandle<@Nullable String> waiting = runtime.spawn(() -> read(pair.second(), 100));
            untilWaiting(waiting);
            pair.first().writeAll(bytes("later"));
            assertThat(waiting.join()).isEqualTo("later");
            pair.first().shutdownOutput();
            assertThat(read(pair.second(), 100)).isNull();
            assertThat(text(pair.second().read(pool, 100, LONG))).isNull();
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void read_thatEndsForNothing_losesNothing(Transport transport) throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair pair = runtime.blockOn(transport::open)) {
            for (Duration timeout : new Duration[] {Duration.ofSeconds(-1), Duration.ZERO, Duration.ofMillis(20)}) {
                assertThatThrownBy(() -> pair.second().read(pool, 100, timeout))
                        .isInstanceOf(SocketTimeoutException.class);
            }
            JoinHandle<@Nullable String> aborted = runtime.spawn(() -> read(pair.second(), 100));
            untilWaiting(aborted);
            aborted.abort();
            assertThat(aborted.result()).isInstanceOf(JoinResult.Cancelled.class);
            pair.first().writeAll(bytes("abc"));
            Select.<Boolean>of()
                    .onReadable(pair.second().readable(), () -> true)
                    .await();
            BufferPool closed = BufferPool.create();
            closed.close();
            assertThatThrownBy(() -> pair.second().read(closed, 100)).isInstanceOf(IllegalStateException.class);
            for (int most : new int[] {0, -1}) {
                assertThatThrownBy(() -> pair.second().read(pool, most))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("most=" + most + " must be at least 1");
            }
            assertThat(text(pair.second().read(pool, 100, Duration.ZERO))).isEqualTo("abc");
            JoinHandle<@Nullable String> closing = runtime.spawn(() -> read(pair.second(), 100));
            untilWaiting(closing);
            pair.second().close();
            assertThatThrownBy(closing::join).hasCauseInstanceOf(AsynchronousCloseException.class);
            assertThatThrownBy(() -> pair.second().read(pool, 100)).isInstanceOf(ClosedChannelException.class);
        }
    }

    /** Also when it has waited before, and when the last piece was just as long as the memory. */
    @Test
    void aSocket_takesNoMemory_whileItWaits() throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair pair = runtime.blockOn(Transport.TCP::open)) {
            Halves halves = pair.second().split();
            for (ByteSource source : new ByteSource[] {pair.second(), halves.input()}) {
                for (String piece : new String[] {"first", "just", "last"}) {
                    JoinHandle<@Nullable String> reading = runtime.spawn(() -> read(source, 4));
                    await().until(() -> isWaiting(reading) && pool.outstanding() == 0); // an old event may wake it once
                    pair.first().writeAll(bytes(piece));
                    assertThat(reading.join()).isEqualTo(piece.substring(0, 4));
                    if (piece.length() > 4) {
                        assertThat(read(source, 4)).isEqualTo(piece.substring(4));
                    }
                }
            }
        }
    }

    @Test
    void aHalf_endsItsReads_whenItIsClosed() throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair pair = runtime.blockOn(Transport.TCP::open)) {
            Halves halves = pair.second().split();
            JoinHandle<@Nullable String> reading = runtime.spawn(() -> read(halves.input(), 4));
            untilWaiting(reading);
            halves.input().close();
            assertThatThrownBy(reading::join).hasCauseInstanceOf(AsynchronousCloseException.class);
            assertThat(pair.second().isOpen()).isTrue(); // it is the other half's, too
        }
    }

    @Test
    void readersAndWriters_haveNoMemory_whileThereIsNothingInThem() throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair pair = runtime.blockOn(Transport.TCP::open)) {
            ByteWriter writer = ByteWriter.of(pair.first());
            ByteReader reader = ByteReader.of(pair.second());
            for (int length : new int[] {5, 20_000, 2_000, 30}) {
                JoinHandle<Void> sending = runtime.spawn(() -> {
                    writer.writeString("x".repeat(length) + "\n");
                    writer.flush();
                });
                assertThat(reader.readLine(length)).hasSize(length);
                sending.join();
            }
            assertThat(writer.held()).isLessThanOrEqualTo(256);
            assertThat(reader.held()).isZero();
            JoinHandle<String> reading = runtime.spawn(() -> reader.readLine(10));
            untilWaiting(reading);
            assertThat(reader.held()).isZero();
            pair.first().writeAll(bytes("half"));
            pair.first().writeAll(bytes(" and\n"));
            assertThat(reading.join()).isEqualTo("half and");
        }
    }
}
