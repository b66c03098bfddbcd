package dev.kumihimo.codec;

import static dev.kumihimo.codec.Script.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InterruptedIOException;
import java.net.SocketException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When a writer writes, and what it takes back. */
@Timeout(60)
class FramedWriterTest {
    private static final Encoder<String> TEXT = (frame, target) -> target.putUtf8("<" + frame + ">");

    private static InterruptedIOException interrupted() {
        InterruptedIOException e = new InterruptedIOException("scripted");
        e.bytesTransferred = 12345;
        return e;
    }

    private static FramedWriter<String> writer(Script script) {
        return FramedWriter.of(script, TEXT);
    }

    @Test
    void send_writesAtOnce_andFeedDoesNot() throws Exception {
        Script script = new Script();
        FramedWriter<String> writer = writer(script);
        writer.feed("a");
        writer.feed("b");
        assertThat(script.written()).isEmpty();
        writer.send("c");
        assertThat(script.written()).isEqualTo("<a><b><c>");
        writer.feed("d");
        writer.flush();
        writer.flush();
        assertThat(script.written()).isEqualTo("<a><b><c><d>");
        writer.sendAll(List.of("e", "f"));
        assertThat(script.written()).isEqualTo("<a><b><c><d><e><f>");
    }

    @Test
    void aWriteInPieces_goesOn() throws Exception {
        Script script = new Script().take(1).take(0).take(2);
        writer(script).send("abc");
        assertThat(script.written()).isEqualTo("<abc>");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 10, 1000})
    void feed_writesAll_onceTheBoundaryIsReached(int boundary) throws Exception {
        Script script = new Script();
        FramedWriter<String> writer = FramedWriter.of(script, TEXT, boundary);
        int fed = 0;
        for (int i = 0; i < 3000; i++) {
            boolean full = writer.buffered() >= boundary;
            writer.feed("x");
            fed += 3;
            assertThat(writer.buffered())
                    .isEqualTo(full ? 3 : fed - script.written().length());
            assertThat(writer.buffered()).isLessThan(boundary + 3);
        }
        assertThat(script.written()).isEqualTo("<x>".repeat(script.written().length() / 3));
    }

    @Test
    void aFeedThatCannotWrite_takesNothing() throws Exception {
        Script script = new Script();
        FramedWriter<String> writer = FramedWriter.of(script, TEXT, 3);
        writer.feed("a");
        for (int i = 0; i < 3; i++) {
            script.refuse(interrupted());
            assertThatThrownBy(() -> writer.feed("b"))
                    .isInstanceOfSatisfying(
                            InterruptedIOException.class,
                            e -> assertThat(e.bytesTransferred).isZero());
            assertThat(writer.buffered()).isEqualTo(3);
        }
        writer.feed("c");
        writer.flush();
        assertThat(script.written()).isEqualTo("<a><c>");
    }

    /** Struck before each byte of two frames, of which the first was fed: the stream is never torn, and the sender knows. */
    @Test
    void anInterruptedSend_isTakenBackOrBegun() throws Exception {
        for (int written = 0; written <= 7; written++) {
            Script script = new Script().take(written).refuse(interrupted());
            FramedWriter<String> writer = writer(script);
            writer.feed("a");
            int begun = Math.max(0, written - 3);
            assertThatThrownBy(() -> writer.send("bcd"))
                    .isInstanceOfSatisfying(
                            InterruptedIOException.class,
                            e -> assertThat(e.bytesTransferred).isEqualTo(begun));
            writer.send("e");
            assertThat(script.written()).isEqualTo(begun == 0 ? "<a><e>" : "<a><bcd><e>");
        }
    }

    @Test
    void aSinkThatFails_makesNoBufferGrow() throws Exception {
        Script script = new Script();
        FramedWriter<String> writer = writer(script);
        for (int i = 0; i < 100; i++) {
            script.refuse(new SocketException("scripted"));
            assertThatThrownBy(() -> writer.send("a")).isInstanceOf(SocketException.class);
            assertThat(writer.buffered()).isZero();
        }
        script.take(1).refuse(new SocketException("scripted"));
        assertThatThrownBy(() -> writer.send("bc")).isInstanceOf(SocketException.class);
        writer.flush();
        assertThat(script.written()).isEqualTo("<bc>");
    }

    @Test
    void aFrameThatTheEncoderRefuses_leavesNothing() throws Exception {
        Script script = new Script();
        FramedWriter<String> writer = FramedWriter.of(script, (frame, target) -> {
            target.putUtf8(frame);
            if (frame.equals("bad")) {
                throw new FrameException("bad", true);
            } else if (frame.equals("worse")) {
                throw new IllegalArgumentException("worse");
            }
        });
        writer.feed("a");
        assertThatThrownBy(() -> writer.feed("bad")).isInstanceOf(FrameException.class);
        assertThatThrownBy(() -> writer.send("worse")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> writer.sendAll(List.of("b", "bad", "c"))).isInstanceOf(FrameException.class);
        assertThat(script.written()).isEmpty();
        writer.send("d");
        assertThat(script.written()).isEqualTo("abd");
    }

    @Test
    void tryFeed_isFalse_whileTheBufferIsAtItsBoundary() throws Exception {
        Script script = new Script();
        FramedWriter<String> writer = FramedWriter.of(script, TEXT, 4);
        assertThat(writer.tryFeed("a")).isTrue();
        assertThat(writer.tryFeed("b")).as("below the boundary").isTrue();
        script.take(1).take(0);
        assertThat(writer.tryFeed("c")).as("one byte was written").isFalse();
        assertThat(writer.buffered()).isEqualTo(5);
        script.take(2).take(0);
        assertThat(writer.tryFeed("d")).as("room enough").isTrue();
        assertThat(writer.buffered()).isEqualTo(6);
        script.take(1).take(0);
        assertThat(writer.tryFlush()).isFalse();
        assertThat(writer.tryFlush()).isTrue();
        assertThat(script.written()).isEqualTo("<a><b><d>");
    }

    @Test
    void with_keepsWhatWasFed() throws Exception {
        Script script = new Script();
        FramedWriter<String> writer = writer(script);
        writer.feed("a");
        FramedWriter<byte[]> next = writer.with(BytesCodec.create());
        next.send(bytes("raw"));
        writer.flush();
        assertThat(script.written()).isEqualTo("<a>raw");
    }

    @Test
    void shutdownOutput_flushes_andCloseDoesNot() throws Exception {
        Script script = new Script();
        FramedWriter<String> writer = writer(script);
        writer.feed("a");
        writer.shutdownOutput();
        assertThat(script.written()).isEqualTo("<a><end>");
        writer.feed("b");
        writer.close();
        assertThat(script.written()).isEqualTo("<a><end>");
        assertThat(script.isOpen()).isFalse();
    }

    @Test
    void framed_isBothHalves_andChangesBoth() throws Exception {
        Script script = Script.of("one\n\0\0\0\003two");
        Framed<String, String> lines = Framed.of(script, LinesCodec.of(10));
        assertThat(lines.receive()).isEqualTo("one");
        lines.feed("ok");
        Framed<byte[], byte[]> blocks = lines.with(LengthDelimitedCodec.create());
        assertThat(blocks.receive()).isEqualTo(bytes("two"));
        blocks.send(bytes("done"));
        assertThat(script.written()).isEqualTo("ok\n\0\0\0\4done");
        assertThat(blocks.receiveOrNull()).isNull();
        blocks.close();
        assertThat(script.isOpen()).isFalse();
        assertThat(blocks).hasToString("frames of script, frames to script");
    }

    @Test
    void aBoundaryBelowOne_isRefused() {
        assertThatThrownBy(() -> FramedWriter.of(new Script(), TEXT, 0)).hasMessage("boundary=0 must be at least 1");
    }
}
