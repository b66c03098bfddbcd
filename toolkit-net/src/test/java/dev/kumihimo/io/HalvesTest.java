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
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The halves of a stream: what closing each of them does, and how the stream comes back. */
@Timeout(60)
class HalvesTest {
    private final TaskRuntime runtime = runtime();
    private DuplexPair pair;
    private ByteStream stream;
    private ByteStream peer;
    private ReadHalf input;
    private WriteHalf output;

    private void open(Transport transport) throws Exception {
        pair = runtime.blockOn(transport::open);
        stream = pair.first();
        peer = pair.second();
        Halves halves = stream.split();
        input = halves.input();
        output = halves.output();
    }

    @AfterEach
    void close() throws Exception {
        pair.close();
        runtime.close();
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void halves_readAndWrite_asTheStreamDoes(Transport transport) throws Exception {
        open(transport);
        output.writeAll(bytes("there"));
        assertThat(output.write(bytes("!"))).isOne();
        assertThat(output.tryWrite(bytes("?"))).isOne();
        ByteBuffer arrived = ByteBuffer.allocate(7);
        ByteReader.of(peer).readFully(arrived);
        assertThat(Transport.text(arrived)).isEqualTo("there!?");
        assertThat(input.tryRead(ByteBuffer.allocate(1))).isZero();
        assertThatThrownBy(() -> input.read(ByteBuffer.allocate(1), Duration.ofMillis(1)))
                .isInstanceOf(SocketTimeoutException.class);
        assertThat(Select.<String>of()
                        .biased()
                        .onReadable(input.readable(), () -> "bytes")
                        .on(output.writable(), () -> "room")
                        .await())
                .isEqualTo("room");
        peer.writeAll(bytes("back"));
        assertThat(read(input, 10)).isEqualTo("back");
        output.shutdownOutput();
        assertThat(readAll(peer)).isEmpty();
        assertThat(output.isOpen()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aSelectThatIsAwaitedAgain_findsTheHalfClosed(Transport transport) throws Exception {
        open(transport);
        Select<String> select =
                Select.<String>of().onReadable(input.readable(), () -> "ready").otherwise(() -> "open");
        assertThat(select.await()).isEqualTo("open");
        input.close();
        assertThat(select.await()).isEqualTo("ready");
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void closingTheOutput_shutsItDown_andClosingBothClosesTheStream(Transport transport) throws Exception {
        open(transport);
        output.writeAll(bytes("last"));
        output.close();
        output.close();
        assertThat(readAll(peer)).isEqualTo("last");
        assertThat(output.isOpen()).isFalse();
        assertThatThrownBy(() -> output.write(bytes("x"))).isInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(output::shutdownOutput).isInstanceOf(ClosedChannelException.class);
        peer.writeAll(bytes("answer"));
        assertThat(read(input, 10)).isEqualTo("answer");
        assertThat(stream.isOpen()).isTrue();
        input.close();
        assertThat(stream.isOpen()).isFalse();
        input.close();
        assertThatThrownBy(() -> read(input, 1)).isInstanceOf(ClosedChannelException.class);
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void closingTheInput_leavesTheOutput(Transport transport) throws Exception {
        open(transport);
        input.close();
        assertThatThrownBy(() -> read(input, 1)).isExactlyInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> input.tryRead(ByteBuffer.allocate(1))).isInstanceOf(ClosedChannelException.class);
        output.writeAll(bytes("on"));
        assertThat(read(peer, 10)).isEqualTo("on");
        output.close();
        assertThat(stream.isOpen()).isFalse();
        assertThat(readAll(peer)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void forget_leavesTheOutputUp_untilTheStreamIsClosed(Transport transport) throws Exception {
        open(transport);
        output.forget();
        assertThat(output.isOpen()).isFalse();
        assertThatThrownBy(() -> output.write(bytes("x"))).isInstanceOf(ClosedChannelException.class);
        output.close();
        stream.writeAll(bytes("not ended"));
        assertThat(read(peer, 20)).isEqualTo("not ended");
        assertThat(peer.tryRead(ByteBuffer.allocate(1))).isZero();
        input.close();
        assertThat(stream.isOpen()).isFalse();
        assertThat(readAll(peer)).isEmpty();
    }

    /** Though the stream stays open. */
    @ParameterizedTest
    @EnumSource(Transport.class)
    void closingTheInput_endsAReadThatWaits_andLosesNothing(Transport transport) throws Exception {
        open(transport);
        JoinHandle<String> reader = runtime.spawn(() -> read(input, 10));
        untilWaiting(reader);
        JoinHandle<Integer> timed = runtime.spawn(() -> input.read(ByteBuffer.allocate(1), Duration.ofDays(1)));
        untilWaiting(timed);
        input.close();
        for (JoinHandle<?> waiting : new JoinHandle<?>[] {reader, timed}) {
            assertThatThrownBy(waiting::join)
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseExactlyInstanceOf(AsynchronousCloseException.class);
        }
        peer.writeAll(bytes("kept"));
        assertThat(read(stream, 10)).isEqualTo("kept");
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void closingTheOutput_endsAWriteThatWaits(Transport transport) throws Exception {
        open(transport);
        JoinHandle<Void> writer = runtime.spawn(() -> {
            ByteBuffer block = ByteBuffer.allocate(1 << 20);
            while (true) {
                output.writeAll(block.clear());
            }
        });
        untilWaiting(writer);
        output.close();
        assertThatThrownBy(writer::join).isInstanceOf(ExecutionException.class).hasCauseInstanceOf(IOException.class);
        assertThat(stream.isOpen()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aCancelledRead_isTold_andTheHalfStaysOpen(Transport transport) throws Exception {
        open(transport);
        JoinHandle<String> reader = runtime.spawn(() -> read(input, 10));
        untilWaiting(reader);
        reader.abort();
        assertThat(reader.result()).isInstanceOf(JoinResult.Cancelled.class);
        peer.writeAll(bytes("kept"));
        assertThat(read(input, 10)).isEqualTo("kept");
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void reunite_givesTheStreamBack_andEndsTheHalves(Transport transport) throws Exception {
        open(transport);
        assertThat(input.isPairOf(output)).isTrue();
        assertThat(output.isPairOf(input)).isTrue();
        assertThat(Halves.reunite(input, output)).isSameAs(stream);
        assertThat(input.isOpen() || output.isOpen()).isFalse();
        input.close();
        output.close();
        output.forget();
        assertThat(stream.isOpen()).isTrue();
        stream.writeAll(bytes("on"));
        assertThat(read(peer, 10)).isEqualTo("on");
        assertThatThrownBy(() -> output.write(bytes("x"))).isInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> Halves.reunite(input, output))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("reunited already");
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void reunite_refusesHalvesOfDifferentStreams_andClosedOnes(Transport transport) throws Exception {
        open(transport);
        Halves others = peer.split();
        assertThat(input.isPairOf(others.output())).isFalse();
        assertThatThrownBy(() -> Halves.reunite(input, others.output()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("must be halves of the same split")
                .hasMessageContaining(input.toString());
        assertThatThrownBy(() -> Halves.reunite(others.input(), output)).isInstanceOf(IllegalArgumentException.class);
        assertThat(input.isOpen() && output.isOpen()).as("as they were").isTrue();
        output.forget();
        assertThatThrownBy(() -> Halves.reunite(input, output))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("a half was closed");
        assertThat(input.isOpen()).isTrue();
    }
}
