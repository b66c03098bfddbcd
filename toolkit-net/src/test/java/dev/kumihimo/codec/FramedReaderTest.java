package dev.kumihimo.codec;

import static dev.kumihimo.codec.Script.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.kumihimo.select.Select;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How a reader asks its source and its decoder. */
@Timeout(60)
class FramedReaderTest {
    private static final Decoder<Integer> INTS = input -> input.remaining() < 4 ? null : input.getInt();

    private static FramedReader<Integer> ints(Script script) {
        return FramedReader.of(script, INTS);
    }

    @Test
    void frames_thatComeTogether_areReadTogether() throws Exception {
        Script script = Script.of("\0\0\0\1\0\0\0\2\0\0\0\3");
        FramedReader<Integer> reader = ints(script);
        assertThat(reader.receive()).isEqualTo(1);
        assertThat(reader.tryReceive()).isEqualTo(2);
        assertThat(reader.receive(Duration.ZERO)).isEqualTo(3);
        assertThat(script.reads).isEqualTo(1);
        assertThat(reader.receiveOrNull()).isNull();
    }

    @Test
    void frames_thatComeInPieces_arePutTogether() throws Exception {
        FramedReader<Integer> reader = ints(Script.of("\0\0\0\0", "\0\0\0", "\1\0\0\0", "\2"));
        assertThat(reader.receive()).isEqualTo(0);
        assertThat(reader.receive()).isEqualTo(1);
        assertThat(reader.receive()).isEqualTo(2);
        assertThatThrownBy(reader::receive)
                .isInstanceOf(EOFException.class)
                .hasMessage("the stream has ended, after whole frames");
    }

    @Test
    void tryReceive_isNull_untilTheFrameIsComplete() throws Exception {
        FramedReader<Integer> reader = ints(
                new Script().pause().data("\0\0").pause().data("\0").pause().data("\1"));
        assertThat(reader.tryReceive()).isNull();
        assertThat(reader.tryReceive()).isNull();
        assertThat(reader.tryReceive()).isNull();
        assertThat(reader.tryReceive()).isEqualTo(1);
        assertThatThrownBy(reader::tryReceive).isInstanceOf(EOFException.class);
    }

    @Test
    void tryReceiveBuffered_givesWhatHasBeenRead_andAsksNoSource() throws Exception {
        Script script = Script.of("\0\0\0\1\0\0\0\2\0\0", "\0\3");
        FramedReader<Integer> reader = ints(script);
        assertThat(reader.tryReceiveBuffered()).isNull();
        assertThat(script.reads).isZero();
        assertThat(reader.receive()).isEqualTo(1);
        assertThat(reader.tryReceiveBuffered()).isEqualTo(2);
        assertThat(reader.tryReceiveBuffered()).as("the third is not complete").isNull();
        assertThat(script.reads).isEqualTo(1);
        assertThat(reader.receive()).isEqualTo(3);
        assertThat(reader.receiveOrNull()).isNull();
        int reads = script.reads;
        assertThat(reader.tryReceiveBuffered()).as("at the end").isNull();
        assertThat(script.reads).isEqualTo(reads);
    }

    @Test
    void tryReceiveBuffered_tellsOfTheEnd_withinAFrame() throws Exception {
        FramedReader<Integer> reader = ints(Script.of("\0\0\0\1\0\0\0"));
        assertThat(reader.receive()).isEqualTo(1);
        assertThat(reader.tryReceiveBuffered()).isNull();
        assertThatThrownBy(reader::receive).isInstanceOf(EOFException.class);
        assertThatThrownBy(reader::tryReceiveBuffered)
                .isInstanceOf(EOFException.class)
                .hasMessageContaining("3 bytes");
    }

    @Test
    void aTimeout_leavesWhatHasCome() throws Exception {
        FramedReader<Integer> reader = ints(new Script().data("\0\0").pause().data("\0\1"));
        assertThatThrownBy(() -> reader.receive(Duration.ofSeconds(1))).isInstanceOf(SocketTimeoutException.class);
        assertThat(reader.buffered()).isEqualTo(2);
        assertThat(reader.receive(Duration.ofSeconds(1))).isEqualTo(1);
    }

    @Test
    void anErrorOfTheSource_tellsHowMuchOfAFrameWasThere() throws Exception {
        FramedReader<Integer> reader = ints(new Script()
                .fail(new IOException("first"))
                .data("\0\0\0\1\0\0")
                .pause()
                .fail(new SocketException("second"))
                .fail(new SocketTimeoutException("third"))
                .data("\0\2"));
        assertThatThrownBy(reader::receive).isInstanceOf(IOException.class).hasMessage("first");
        assertThat(reader.receive()).isEqualTo(1);
        assertThat(reader.tryReceive()).isNull();
        assertThatThrownBy(reader::receive)
                .isInstanceOf(SocketException.class)
                .hasMessage("within a frame, after 2 bytes of it: second")
                .hasRootCauseMessage("second");
        assertThatThrownBy(reader::receive)
                .isInstanceOf(SocketTimeoutException.class)
                .hasMessage("third");
        assertThat(reader.receive()).as("nothing was lost").isEqualTo(2);
    }

    @Test
    void theEnd_withinAFrame_isAnError_everyTime() throws Exception {
        Script script = Script.of("\0\0\0\1\0\0\0");
        FramedReader<Integer> reader = ints(script);
        assertThat(reader.receive()).isEqualTo(1);
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(reader::receiveOrNull)
                    .isInstanceOf(EOFException.class)
                    .hasMessage("the input ended within a frame, after 3 bytes of it");
            assertThatThrownBy(reader::tryReceive)
                    .isInstanceOf(EOFException.class)
                    .hasMessageContaining("3 bytes");
        }
        assertThat(script.ends).as("asked again").isEqualTo(1);
    }

    @Test
    void theEnd_afterWholeFrames_isToldEveryTime() throws Exception {
        Script script = Script.of("\0\0\0\1");
        FramedReader<Integer> reader = ints(script);
        assertThat(reader.receive()).isEqualTo(1);
        for (int i = 0; i < 3; i++) {
            assertThat(reader.receiveOrNull()).isNull();
            assertThatThrownBy(reader::receive).isInstanceOf(EOFException.class);
            assertThatThrownBy(() -> reader.receive(Duration.ofSeconds(1))).isInstanceOf(EOFException.class);
            assertThatThrownBy(reader::tryReceive).isInstanceOf(EOFException.class);
        }
        assertThat(script.ends).isEqualTo(1);
    }

    /** A decoder that, at the end, makes several frames of nothing. */
    @Test
    void decodeEnd_isAsked_untilItHasNoMore() throws Exception {
        List<String> asked = new ArrayList<>();
        Decoder<String> decoder = new Decoder<>() {
            private int left = 3;

            @Override
            public String decode(ByteBuffer input) {
                asked.add("decode " + input.remaining());
                return null;
            }

            @Override
            public String decodeEnd(ByteBuffer input) {
                asked.add("end " + input.remaining());
                input.position(input.limit());
                return left-- > 0 ? "frame" + left : null;
            }
        };
        assertThat(Script.decoded(Script.of("a", "b"), decoder)).containsExactly("frame2", "frame1", "frame0");
        assertThat(asked).containsExactly("decode 1", "decode 2", "end 2", "end 0", "end 0", "end 0");
    }

    @Test
    void aDecoder_mayTakeBytes_andMakeSeveralFramesOfThem() throws Exception {
        Decoder<String> decoder = new Decoder<>() {
            private int left;

            @Override
            public String decode(ByteBuffer input) {
                if (left == 0 && input.hasRemaining()) {
                    left = input.get();
                }
                return left == 0 ? null : "" + left--;
            }
        };
        assertThat(Script.decoded(Script.of("\2", "\1\3"), decoder)).containsExactly("2", "1", "1", "3", "2", "1");
    }

    @Test
    void anErrorOfTheDecoder_isForGood_andTheSame() throws Exception {
        Decoder<Integer> decoder = input -> {
            if (input.remaining() < 4) {
                return null;
            }
            if (input.getInt() < 0) {
                throw new IOException("negative");
            }
            return 1;
        };
        Script script = Script.of("\0\0\0\1\u00ff\0\0\0\0\0\0\1");
        FramedReader<Integer> reader = FramedReader.of(script, decoder);
        assertThat(reader.receive()).isEqualTo(1);
        IOException first = null;
        for (int i = 0; i < 3; i++) {
            try {
                reader.receive();
            } catch (IOException e) {
                assertThat(e).hasMessage("negative");
                assertThat(first == null || e == first).isTrue();
                first = e;
            }
            assertThatThrownBy(reader::tryReceive).isSameAs(first);
        }
        assertThat(script.reads).isEqualTo(1);
    }

    @Test
    void aFrameExceptionThatIsNotRecoverable_isForGood() {
        LengthDelimitedCodec codec =
                LengthDelimitedCodec.builder().maxFrameLength(3).build();
        FramedReader<byte[]> reader = FramedReader.of(Script.of("\0\0\0\4abcd\0\0\0\1a"), codec);
        Throwable first = catchThrowable(reader::receive);
        assertThat(first).isInstanceOf(FrameException.class);
        codec.maxFrameLength(10);
        assertThatThrownBy(reader::receive).isSameAs(first);
    }

    /** Without a signal a select does not even ask the source: that would be a system call each time. */
    @Test
    void aSelect_asksTheSource_onlyOnceItIsReadable() throws Exception {
        Script script = Script.of("\0\0\0\1\0\0\0\2\0");
        FramedReader<Integer> reader = ints(script);
        Select<String> select =
                Select.<String>of().onReceive(reader, frame -> "" + frame).otherwise(() -> "nothing");
        assertThat(select.await()).isEqualTo("nothing");
        assertThat(script.reads).isZero();
        assertThat(reader.receive()).isEqualTo(1);
        assertThat(select.await()).as("buffered").isEqualTo("2");
        assertThat(select.await()).isEqualTo("nothing");
        assertThat(script.reads).isEqualTo(1);
    }

    @Test
    void aDecoderThatIsBroken_isNotAskedAgain() {
        FramedReader<Integer> reader = FramedReader.of(Script.of("a"), input -> {
            throw new ArithmeticException("broken at " + input.get());
        });
        assertThatThrownBy(reader::receive)
                .isInstanceOf(ArithmeticException.class)
                .hasMessage("broken at 97");
        assertThatThrownBy(reader::receive)
                .isInstanceOf(ArithmeticException.class)
                .hasMessage("broken at 97");
    }

    @Test
    void anErrorThatIsRecoverable_isNot() throws Exception {
        FramedReader<String> reader = FramedReader.of(Script.of("too long\nok\n"), LinesCodec.of(3));
        assertThatThrownBy(reader::receive).isInstanceOf(FrameException.class);
        assertThat(reader.receive()).isEqualTo("ok");
    }

    @Test
    void with_goesOnWithAnotherDecoder_withoutLoss() throws Exception {
        Script script = new Script().data("\0\0\0\1line\nli").data("ne 2\n").data("\0\0\0\2\0");
        FramedReader<Integer> first = ints(script);
        assertThat(first.receive()).isEqualTo(1);
        FramedReader<String> lines = first.with(LinesCodec.of(10));
        assertThatThrownBy(first::receive).isInstanceOf(IllegalStateException.class);
        assertThat(lines.receive()).isEqualTo("line");
        assertThat(lines.receive()).isEqualTo("line 2");
        FramedReader<Integer> last = lines.with(INTS);
        assertThat(last.receive()).isEqualTo(2);
        assertThatThrownBy(last::receive).hasMessageContaining("after 1 bytes");
    }

    @Test
    void with_doesNotAskTheDecoder_beforeAByteIsThere() throws Exception {
        FramedReader<String> reader = FramedReader.of(new Script().pause().data("a"), LinesCodec.of(10))
                .with(input -> input.hasRemaining() ? "frame of " + input.get() : "spurious");
        assertThat(reader.tryReceive()).isNull();
        assertThat(reader.receive()).isEqualTo("frame of 97");
    }

    @Test
    void takeRest_givesWhatIsInNoFrame() throws Exception {
        FramedReader<Integer> reader =
                ints(new Script().data("\0\0\0\1rest").pause().data("\0\0\0\2"));
        assertThat(reader.receive()).isEqualTo(1);
        assertThat(reader.takeRest()).isEqualTo(ByteBuffer.wrap(bytes("rest")));
        assertThat(reader.takeRest().remaining()).isZero();
        for (int i = 0; i < 2; i++) { // its decoder may have seen some of it
            assertThatThrownBy(reader::tryReceive)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("taken out");
        }
        assertThat(reader.with(INTS).receive()).isEqualTo(2);
    }

    @Test
    void takeRest_leavesNothingOfTheDecodersState_toWhatComes() throws Exception {
        FramedReader<String> reader =
                FramedReader.of(new Script().data("hello").pause().data("a\nb\n12345678\n"), LinesCodec.of(10));
        assertThat(reader.tryReceive()).isNull();
        assertThat(reader.takeRest()).isEqualTo(ByteBuffer.wrap(bytes("hello")));
        FramedReader<String> next = reader.with(LinesCodec.of(10));
        assertThat(next.receive()).isEqualTo("a");
        assertThat(next.receive()).isEqualTo("b");
    }

    /** What the largest frame needed is given back though some of the next one is there already. */
    @Test
    void theBuffer_isGivenBack_thoughItIsNeverEmpty() throws Exception {
        FrameBuffer frames = new FrameBuffer(1);
        LengthDelimitedCodec codec = LengthDelimitedCodec.create();
        codec.encode(new byte[1 << 20], frames);
        frames.put(0);
        Script script = new Script().data(frames.toByteArray());
        for (int i = 0; i < 100; i++) {
            script.data("\0\0\1x\0");
        }
        FramedReader<byte[]> reader = FramedReader.of(script, codec);
        assertThat(reader.receive()).hasSize(1 << 20);
        for (int i = 0; i < 100; i++) {
            assertThat(reader.receive()).isEqualTo(bytes("x"));
            assertThat(reader.buffered()).isEqualTo(1);
            assertThat(reader.capacity()).isEqualTo(FramedReader.INITIAL_CAPACITY);
        }
    }

    @Test
    void theBuffer_growsWithTheFrame_andIsGivenBack() throws Exception {
        byte[] large = new byte[1 << 20];
        FrameBuffer frames = new FrameBuffer(1);
        LengthDelimitedCodec codec = LengthDelimitedCodec.create();
        codec.encode(large, frames);
        codec.encode(bytes("small"), frames);
        FramedReader<byte[]> reader =
                FramedReader.of(new Script().data(frames.toByteArray()).data("\0\0\0\0"), codec);
        assertThat(reader.capacity()).isZero();
        assertThat(reader.receive()).hasSize(1 << 20);
        assertThat(reader.capacity()).isBetween(1 << 20, 4 << 20);
        assertThat(reader.receive()).hasSize(5);
        assertThat(reader.receive()).isEmpty();
        assertThat(reader.capacity()).isZero();
    }

    /** Also of one that has nothing left, and no memory. */
    @Test
    void theDecoder_isAskedAtTheEnd() throws Exception {
        FramedReader<String> reader = FramedReader.of(Script.of("x"), new Decoder<String>() {
            private boolean said;

            @Override
            public @Nullable String decode(ByteBuffer input) {
                return input.hasRemaining() ? String.valueOf((char) input.get()) : null;
            }

            @Override
            public @Nullable String decodeEnd(ByteBuffer input) {
                if (said) {
                    return null;
                }
                said = true;
                return "bye";
            }
        });
        assertThat(reader.receive()).isEqualTo("x");
        assertThat(reader.capacity()).isZero();
        assertThat(reader.receive()).isEqualTo("bye");
        assertThat(reader.receiveOrNull()).isNull();
    }

    /** What has just filled it is read on into the same; once nothing more is there it is given back. */
    @Test
    void theBuffer_isGivenBack_onceNothingIsThere() throws Exception {
        int size = FramedReader.INITIAL_CAPACITY - Integer.BYTES;
        FrameBuffer frames = new FrameBuffer(1);
        LengthDelimitedCodec codec = LengthDelimitedCodec.create();
        codec.encode(new byte[size], frames);
        byte[] full = frames.toByteArray();
        FramedReader<byte[]> reader =
                FramedReader.of(new Script().data(full).data(full).pause(), codec);
        for (int i = 0; i < 2; i++) {
            assertThat(reader.receive()).hasSize(size);
            assertThat(reader.capacity()).isEqualTo(FramedReader.INITIAL_CAPACITY);
        }
        assertThat(reader.tryReceive()).isNull();
        assertThat(reader.capacity()).isZero();
    }

    /** What a slow stream of small frames needs is moved to the front of the buffer; it does not grow. */
    @Test
    void theBuffer_staysSmall_forSmallFrames() throws Exception {
        FrameBuffer frames = new FrameBuffer(1);
        LengthDelimitedCodec codec = LengthDelimitedCodec.create();
        for (int i = 0; i < 1000; i++) {
            codec.encode(new byte[i], frames);
        }
        Script script = new Script();
        byte[] all = frames.toByteArray();
        for (int at = 0; at < all.length; at += 777) {
            script.data(Arrays.copyOfRange(all, at, Math.min(all.length, at + 777)));
        }
        FramedReader<byte[]> reader = FramedReader.of(script, codec);
        for (int i = 0; i < 1000; i++) {
            assertThat(reader.receive()).hasSize(i);
            assertThat(reader.capacity()).isLessThanOrEqualTo(FramedReader.INITIAL_CAPACITY);
        }
        assertThat(script.longestRead).isLessThanOrEqualTo(FramedReader.INITIAL_CAPACITY);
    }

    @Test
    void afterClose_whatWasReadMayStillBeReceived() throws Exception {
        FramedReader<Integer> reader = ints(Script.of("\0\0\0\1\0\0\0\2\0"));
        assertThat(reader.receive()).isEqualTo(1);
        reader.close();
        assertThat(reader.receive()).isEqualTo(2);
        assertThatThrownBy(reader::receive).isInstanceOf(ClosedChannelException.class);
    }
}
