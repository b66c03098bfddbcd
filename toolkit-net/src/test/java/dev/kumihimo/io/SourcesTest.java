package dev.kumihimo.io;

import static dev.kumihimo.io.Transport.bytes;
import static dev.kumihimo.io.Transport.read;
import static dev.kumihimo.io.Transport.readAll;
import static dev.kumihimo.io.Transport.runtime;
import static dev.kumihimo.io.Transport.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sources made of others, and of nothing. */
@Timeout(60)
class SourcesTest {
    private final Script source = new Script();

    private static String tryRead(ByteSource source, int room) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(room);
        return source.tryRead(buffer) < 0 ? null : Transport.text(buffer);
    }

    private static boolean isReadable(ByteSource source) throws InterruptedException {
        return Select.<Boolean>of()
                .onReadable(source.readable(), () -> true)
                .otherwise(() -> false)
                .await();
    }

    /* ---------------- take -------------- */

    @ParameterizedTest
    @EnumSource(Transport.class)
    void take_endsAtItsLimit_andTakesNoMore(Transport transport) throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair pair = runtime.blockOn(transport::open)) {
            pair.first().writeAll(bytes("body, and more"));
            Limited body = ByteStreams.take(pair.second(), 4);
            ByteBuffer wide = ByteBuffer.allocate(100);
            assertThat(body.read(wide)).isEqualTo(4);
            assertThat(wide.limit()).isEqualTo(100);
            assertThat(body.limit()).isZero();
            assertThat(read(body, 1)).isNull();
            assertThat(tryRead(body, 1)).isNull();
            assertThat(body.read(ByteBuffer.allocate(1), Duration.ZERO)).isEqualTo(-1);
            assertThat(body.read(ByteBuffer.allocate(0))).isZero();
            assertThat(isReadable(body)).isTrue();
            body.limit(6);
            assertThat(readAll(body)).isEqualTo(", and ");
            assertThat(body.source()).isSameAs(pair.second());
            assertThat(read(pair.second(), 9)).isEqualTo("more");
            body.limit(1);
            assertThat(isReadable(body)).isFalse();
            assertThat(tryRead(body, 1)).isEmpty();
            assertThatThrownBy(() -> body.read(ByteBuffer.allocate(1), Duration.ofMillis(1)))
                    .isInstanceOf(SocketTimeoutException.class);
            assertThat(body.limit()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void take_isSelected_asItsLimitIs_eachTimeTheSelectIsAwaited(Transport transport) throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair pair = runtime.blockOn(transport::open)) {
            Limited body = ByteStreams.take(pair.second(), 1);
            Select<Boolean> select =
                    Select.<Boolean>of().onReadable(body.readable(), () -> true).otherwise(() -> false);
            assertThat(select.await()).isFalse();
            body.limit(0);
            assertThat(select.await()).isTrue();
            body.limit(1);
            assertThat(select.await()).isFalse();
        }
    }

    @Test
    void take_endsWithItsSource_andAtNothing() throws Exception {
        Limited body = ByteStreams.take(source.then("abc"), Long.MAX_VALUE);
        assertThat(readAll(body)).isEqualTo("abc");
        assertThat(body.limit()).isEqualTo(Long.MAX_VALUE - 3);
        int reads = source.reads;
        assertThat(read(ByteStreams.take(source, 0), 1)).isNull();
        assertThat(source.reads).isEqualTo(reads);
        assertThatThrownBy(() -> ByteStreams.take(source, -1)).hasMessage("limit=-1 must not be negative");
        body.close();
        assertThat(source.closed).isTrue();
        assertThatThrownBy(() -> read(body, 1)).isInstanceOf(ClosedChannelException.class);
    }

    /* ---------------- chain -------------- */

    @Test
    void chain_isOneAfterTheOther_andNoRoomDoesNotAdvanceIt() throws Exception {
        Script second = new Script().then("def");
        ByteSource chain = ByteStreams.chain(source.then("abc"), second);
        assertThat(chain.read(ByteBuffer.allocate(0))).isZero();
        assertThat(chain.tryRead(ByteBuffer.allocate(0))).isZero();
        assertThat(read(chain, 2)).isEqualTo("ab");
        assertThat(chain.read(ByteBuffer.allocate(0))).isZero();
        assertThat(second.reads).isZero();
        assertThat(readAll(chain)).isEqualTo("cdef");
        assertThat(read(chain, 1)).isNull();
        chain.close();
        assertThat(source.closed && second.closed).isTrue();
        assertThat(chain.isOpen()).isFalse();
        assertThatThrownBy(() -> read(chain, 1)).isInstanceOf(ClosedChannelException.class);
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void chain_waitsForTheFirst_thenForTheSecond(Transport transport) throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair first = runtime.blockOn(transport::open);
                DuplexPair second = runtime.blockOn(transport::open)) {
            ByteSource chain = ByteStreams.chain(first.second(), second.second());
            second.first().writeAll(bytes("second"));
            assertThat(tryRead(chain, 1)).isEmpty();
            assertThat(isReadable(chain)).isFalse();
            assertThatThrownBy(() -> chain.read(ByteBuffer.allocate(1), Duration.ofMillis(1)))
                    .isInstanceOf(SocketTimeoutException.class);
            JoinHandle<String> reader = runtime.spawn(() -> read(chain, 100));
            untilWaiting(reader);
            first.first().writeAll(bytes("first"));
            assertThat(reader.join()).isEqualTo("first");
            first.first().shutdownOutput();
            assertThat(chain.read(ByteBuffer.allocate(2), Duration.ofSeconds(30)))
                    .isEqualTo(2);
            assertThat(read(chain, 100)).isEqualTo("cond");
            second.first().close();
            assertThat(read(chain, 100)).isNull();
        }
    }

    /* ---------------- tee -------------- */

    @Test
    void tee_writesWhatIsRead_andNothingElse() throws Exception {
        BytePipe copy = ByteStreams.pipe(100);
        ByteSource tee = ByteStreams.tee(source.then("abc").then("def"), copy.sink());
        ByteBuffer target = ByteBuffer.allocate(10).put((byte) '<');
        assertThat(tee.read(target)).isEqualTo(3);
        assertThat(Transport.text(target)).isEqualTo("<abc");
        assertThat(target.limit()).isEqualTo(10);
        assertThat(read(copy.source(), 10)).isEqualTo("abc");
        assertThat(readAll(tee)).isEqualTo("def");
        assertThat(copy.sink().isOpen()).isTrue();
        tee.close();
        assertThat(source.closed).isTrue();
        assertThat(copy.sink().isOpen()).isTrue();
        assertThat(read(copy.source(), 10)).isEqualTo("def");
    }

    @Test
    void tee_waitsForTheSink_beforeItReadsMore_andLosesNothingWhenThatIsCutShort() throws Exception {
        BytePipe copy = ByteStreams.pipe(2);
        ByteSource tee = ByteStreams.tee(source.then("abcd").then("ef"), copy.sink());
        assertThat(read(tee, 10)).isEqualTo("abcd"); // two bytes are owed
        int reads = source.reads;
        assertThat(tryRead(tee, 10)).isEmpty();
        assertThat(isReadable(tee)).isFalse();
        assertThatThrownBy(() -> tee.read(ByteBuffer.allocate(1), Duration.ZERO))
                .isInstanceOf(SocketTimeoutException.class);
        assertThatThrownBy(() -> tee.read(ByteBuffer.allocate(1), Duration.ofMillis(2)))
                .isInstanceOf(SocketTimeoutException.class);
        try (TaskRuntime runtime = runtime()) {
            for (boolean timed : new boolean[] {false, true}) {
                JoinHandle<Integer> cut = runtime.spawn(() -> timed
                        ? tee.read(ByteBuffer.allocate(1), Duration.ofDays(1))
                        : tee.read(ByteBuffer.allocate(1)));
                untilWaiting(cut);
                cut.abort();
                assertThat(cut.result()).isInstanceOf(JoinResult.Cancelled.class);
            }
            assertThat(source.reads).as("nothing was read").isEqualTo(reads);
            JoinHandle<Integer> reader = runtime.spawn(() -> tee.read(ByteBuffer.allocate(10), Duration.ofDays(1)));
            untilWaiting(reader);
            assertThat(read(copy.source(), 2)).isEqualTo("ab");
            assertThat(reader.join()).isEqualTo(2);
            JoinHandle<String> end = runtime.spawn(() -> read(tee, 1));
            untilWaiting(end); // the end is told once everything is written
            assertThat(read(copy.source(), 10)).isEqualTo("cd");
            assertThat(end.join()).isNull();
            assertThat(read(copy.source(), 10)).isEqualTo("ef");
        }
    }

    @Test
    void tee_failsTheNextRead_whenTheSinkFails() throws Exception {
        BytePipe copy = ByteStreams.pipe(2);
        ByteSource tee = ByteStreams.tee(source.then("abcd").then("ef"), copy.sink());
        copy.source().close();
        assertThat(read(tee, 10)).isEqualTo("abcd");
        assertThatThrownBy(() -> read(tee, 10)).hasMessageContaining("broken pipe");
        assertThatThrownBy(() -> tryRead(tee, 10)).hasMessageContaining("broken pipe");
        assertThatThrownBy(tee::close).hasMessageContaining("broken pipe");
        assertThat(source.closed).isTrue();
        tee.close();
    }

    @Test
    void tee_writesWhatIsOwed_whenItIsClosed() throws Exception {
        BytePipe copy = ByteStreams.pipe(2);
        ByteSource tee = ByteStreams.tee(source.then("abc"), copy.sink());
        read(tee, 10);
        try (TaskRuntime runtime = runtime()) {
            JoinHandle<Void> closing = runtime.spawn(tee::close);
            untilWaiting(closing);
            assertThat(source.closed).isTrue();
            assertThat(read(copy.source(), 2)).isEqualTo("ab");
            closing.join();
        }
        assertThat(read(copy.source(), 2)).isEqualTo("c");
    }

    /* ---------------- Constant ones -------------- */

    @Test
    void empty_hasEnded_andCanBeClosed() throws Exception {
        ByteSource empty = ByteStreams.empty();
        assertThat(read(empty, 1)).isNull();
        assertThat(tryRead(empty, 1)).isNull();
        assertThat(empty.read(ByteBuffer.allocate(0))).isZero();
        assertThat(empty.read(ByteBuffer.allocate(1), Duration.ZERO)).isEqualTo(-1);
        assertThat(isReadable(empty)).isTrue();
        empty.close();
        assertThat(empty.isOpen()).isFalse();
        assertThatThrownBy(() -> read(empty, 1)).isInstanceOf(ClosedChannelException.class);
        assertThat(ByteStreams.empty().isOpen()).isTrue();
    }

    @Test
    void repeat_fillsEveryBuffer() throws Exception {
        ByteSource repeat = ByteStreams.repeat((byte) -1);
        ByteBuffer buffer = ByteBuffer.allocateDirect(3);
        assertThat(repeat.read(buffer)).isEqualTo(3);
        assertThat(buffer.flip()).isEqualTo(ByteBuffer.wrap(new byte[] {-1, -1, -1}));
        assertThat(tryRead(ByteStreams.repeat((byte) 'a'), 5)).isEqualTo("aaaaa");
        assertThat(read(ByteStreams.take(ByteStreams.repeat((byte) 'b'), 3), 9)).isEqualTo("bbb");
    }

    @Test
    void nullSink_takesAll_untilItIsShutDownOrClosed() throws Exception {
        ByteSink sink = ByteStreams.nullSink();
        assertThat(sink.write(ByteBuffer.allocate(5))).isEqualTo(5);
        assertThat(sink.tryWrite(ByteBuffer.allocate(6))).isEqualTo(6);
        ByteBuffer source = ByteBuffer.allocate(7);
        sink.writeAll(source);
        assertThat(source.hasRemaining()).isFalse();
        sink.shutdownOutput();
        assertThat(sink.isOpen()).isTrue();
        assertThatThrownBy(() -> sink.write(ByteBuffer.allocate(1))).isInstanceOf(ClosedChannelException.class);
        sink.close();
        assertThat(sink.isOpen()).isFalse();
        assertThatThrownBy(sink::shutdownOutput).isInstanceOf(ClosedChannelException.class);
    }

    @Test
    void throttled_refusesToStandStill() {
        assertThatThrownBy(() -> ByteStreams.throttled(source, 0)).hasMessage("bytesPerSecond=0 must be at least 1");
    }
}
