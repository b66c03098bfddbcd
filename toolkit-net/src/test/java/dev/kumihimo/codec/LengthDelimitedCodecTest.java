package dev.kumihimo.codec;

import static dev.kumihimo.codec.Script.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class LengthDelimitedCodecTest {
    private static LengthDelimitedCodec codec(UnaryOperator<LengthDelimitedCodec.Builder> settings) {
        return settings.apply(LengthDelimitedCodec.builder()).build();
    }

    private static Arguments row(
            String what, UnaryOperator<LengthDelimitedCodec.Builder> settings, String input, String... expected) {
        return Arguments.of(what, settings, input, List.of(expected));
    }

    static Stream<Arguments> table() {
        ByteOrder little = ByteOrder.LITTLE_ENDIAN;
        String nativeFour = ByteOrder.nativeOrder() == little ? "\4\0\0\0" : "\0\0\0\4";
        return Stream.of(
                row("nothing", b -> b, ""),
                row("one", b -> b, "\0\0\0\4abcd", "abcd"),
                row("empty", b -> b, "\0\0\0\0\0\0\0\1x\0\0\0\0", "", "x", ""),
                row(
                        "several",
                        b -> b,
                        "\0\0\0\11abcdefghi\0\0\0\003123\0\0\0\13hello world",
                        "abcdefghi",
                        "123",
                        "hello world"),
                row("little", b -> b.order(little), "\4\0\0\0abcd", "abcd"),
                row(
                        "little of 3",
                        b -> b.order(little).lengthFieldWidth(3),
                        "\1\1\0" + "x".repeat(257),
                        "x".repeat(257)),
                row("native", b -> b.order(ByteOrder.nativeOrder()), nativeFour + "abcd", "abcd"),
                row("width 1", b -> b.lengthFieldWidth(1), "\4abcd\1x", "abcd", "x"),
                row("width 2", b -> b.lengthFieldWidth(2), "\0\4abcd", "abcd"),
                row("width 8", b -> b.lengthFieldWidth(8), "\0\0\0\0\0\0\0\4abcd", "abcd"),
                row("offset", b -> b.lengthFieldWidth(2).lengthFieldOffset(4), "zzzz\0\4abcd", "abcd"),
                row(
                        "head kept",
                        b -> b.lengthFieldWidth(2).lengthFieldOffset(2).skip(0).lengthAdjustment(4),
                        "xx\0\4abcdyy\0\1z",
                        "xx\0\4abcd",
                        "yy\0\1z"),
                row("more skipped", b -> b.lengthFieldWidth(3).skip(4), "\0\0\4!abcd\0\0\0!", "abcd", ""),
                row("less skipped", b -> b.lengthFieldWidth(2).skip(1).lengthAdjustment(1), "\0\4abcd", "\4abcd"),
                row("head counted", b -> b.lengthFieldWidth(2).lengthAdjustment(-2), "\0\6abcd\0\2", "abcd", ""),
                row(
                        "length in the middle",
                        b -> b.lengthFieldOffset(1)
                                .lengthFieldWidth(2)
                                .lengthAdjustment(1)
                                .skip(3),
                        "x\0\4yabcd",
                        "yabcd"),
                row(
                        "length in the middle, all counted",
                        b -> b.lengthFieldOffset(1)
                                .lengthFieldWidth(2)
                                .lengthAdjustment(-3)
                                .skip(4),
                        "x\0\10!abcdef",
                        "abcde",
                        "! the input ended within a frame, after 1 bytes of its head of 4"),
                row("half a head", b -> b, "\0\0", "! the input ended within a frame, after 2 bytes of its head of 4"),
                row(
                        "half a frame",
                        b -> b,
                        "\0\0\0\11abcd",
                        "! the input ended within a frame, after 8 of its 13 bytes"),
                row(
                        "only a head",
                        b -> b.lengthFieldWidth(1),
                        "\1a\1",
                        "a",
                        "! the input ended within a frame, after 1 of its 2 bytes"),
                row(
                        "maximum",
                        b -> b.maxFrameLength(4),
                        "\0\0\0\4abcd\0\0\0\5abcde",
                        "abcd",
                        "! length=5 in the head of a frame is more than the maximum of 4"),
                row(
                        "maximum before adjustment",
                        b -> b.maxFrameLength(4).lengthAdjustment(-2),
                        "\0\0\0\4ab\0\0\0\5",
                        "ab",
                        "! length=5 in the head of a frame is more than the maximum of 4"),
                row(
                        "maximum before adjustment upwards",
                        b -> b.maxFrameLength(4).lengthAdjustment(2),
                        "\0\0\0\4abcdef",
                        "abcdef"),
                row(
                        "below zero",
                        b -> b.lengthAdjustment(-5),
                        "\0\0\0\4abcd",
                        "! length=4 in the head of a frame, adjusted by -5, is -1 bytes, which no frame can have"),
                row(
                        "above all",
                        b -> b.lengthAdjustment(Integer.MAX_VALUE),
                        "\0\0\0\4abcd",
                        "! length=4 in the head of a frame, adjusted by 2147483647, is 2147483651 bytes, which no frame"
                                + " can have"),
                row(
                        "2 GiB",
                        b -> b,
                        "\u0080\0\0\0abcd",
                        "! length=2147483648 in the head of a frame is more than the maximum of 8388608"),
                row(
                        "2^64 - 1",
                        b -> b.lengthFieldWidth(8),
                        "\u00ff".repeat(8),
                        "! length=18446744073709551615 in the head of a frame is more than the maximum of 8388608"),
                row(
                        "2^63",
                        b -> b.lengthFieldWidth(8).maxFrameLength(Integer.MAX_VALUE),
                        "\u0080" + "\0".repeat(7),
                        "! length=9223372036854775808 in the head of a frame is more than the maximum of 2147483647"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("table")
    void frames_areCutTheSame_howeverTheyCome(
            String what, UnaryOperator<LengthDelimitedCodec.Builder> settings, String input, List<String> expected) {
        for (Script cut : Script.cuts(bytes(input), new Random(1))) {
            assertThat(Script.decoded(cut, codec(settings))).isEqualTo(expected);
        }
    }

    @Test
    void aNewMaximum_appliesFromTheNextFrameOn() throws Exception {
        LengthDelimitedCodec codec = LengthDelimitedCodec.create();
        FramedReader<byte[]> reader =
                FramedReader.of(new Script().data("\0\0\0\11abcd").pause().data("efghi\0\0\0\11abcdefghi"), codec);
        assertThat(reader.tryReceive()).isNull();
        codec.maxFrameLength(5);
        assertThat(reader.receive()).asString().isEqualTo("abcdefghi");
        assertThatThrownBy(reader::receive).isInstanceOf(FrameException.class).hasMessageContaining("length=9");
    }

    static Stream<Arguments> sent() {
        return Stream.of(
                row("plain", b -> b, "abcd", "\0\0\0\4abcd"),
                row("empty", b -> b, "", "\0\0\0\0"),
                row("little", b -> b.order(ByteOrder.LITTLE_ENDIAN), "abcd", "\4\0\0\0abcd"),
                row("width 1", b -> b.lengthFieldWidth(1), "abcd", "\4abcd"),
                row("width 8", b -> b.lengthFieldWidth(8), "abcd", "\0\0\0\0\0\0\0\4abcd"),
                row("head counted", b -> b.lengthAdjustment(-2), "abcd", "\0\0\0\6abcd"),
                row("less counted", b -> b.lengthAdjustment(2), "abcd", "\0\0\0\2abcd"),
                row("longest", b -> b.maxFrameLength(4), "abcd", "\0\0\0\4abcd"),
                row(
                        "too long",
                        b -> b.maxFrameLength(3),
                        "abcd",
                        "! a frame of 4 bytes is longer than the maximum of 3"),
                row(
                        "too long in its head",
                        b -> b.maxFrameLength(5).lengthAdjustment(-2),
                        "abcd",
                        "! a frame of 4 bytes has 6 as its length in the head, which is more than the maximum of 5"),
                row(
                        "too short",
                        b -> b.lengthAdjustment(5),
                        "abcd",
                        "! a frame of 4 bytes, adjusted by 5, has no length that fits into its field of 4 bytes"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("sent")
    void encode_putsTheLengthAndTheFrame(
            String what, UnaryOperator<LengthDelimitedCodec.Builder> settings, String frame, List<String> expected)
            throws Exception {
        Script script = new Script();
        FramedWriter<byte[]> writer = FramedWriter.of(script, codec(settings));
        writer.feed(bytes("12345".substring(0, 3 + (what.equals("too short") ? 2 : 0))));
        writer.flush();
        int before = script.written().length();
        try {
            writer.send(bytes(frame));
        } catch (FrameException e) {
            assertThat(e.recoverable()).isTrue();
            assertThat("! " + e.getMessage()).isEqualTo(expected.get(0));
            writer.flush();
            assertThat(script.written()).as("nothing of it").hasSize(before);
            return;
        }
        assertThat(script.written().substring(before)).isEqualTo(expected.get(0));
    }

    @ParameterizedTest
    @CsvSource({"-10, 255, 245", "-1, 255, 254", "0, 255, 255", "1, 256, 256"})
    void theMaximum_isCutDownToWhatTheFieldHolds(int adjustment, int most, int greatest) throws Exception {
        LengthDelimitedCodec codec = codec(b -> b.lengthFieldWidth(1).lengthAdjustment(adjustment));
        assertThat(codec.maxFrameLength()).isEqualTo(most);
        codec.maxFrameLength(1_000);
        assertThat(codec.maxFrameLength()).isEqualTo(most);
        FrameBuffer target = new FrameBuffer(8);
        codec.encode(new byte[greatest], target);
        assertThat(target.toByteArray()[0]).isEqualTo((byte) 0xff);
        assertThatThrownBy(() -> codec.encode(new byte[greatest + 1], target)).isInstanceOf(FrameException.class);
        assertThat(target.size()).isEqualTo(1 + greatest);
    }

    /** Whatever a codec sends, one with the same settings receives. */
    @ParameterizedTest
    @CsvSource({"1, -300", "1, -10", "1, -1", "1, 0", "1, 1", "1, 10", "2, -10", "2, 10"})
    void whatIsSent_isReceivedWithTheSameSettings(int width, int adjustment) throws Exception {
        for (int max : new int[] {0, 1, 9, 10, 11, 100, 245, 255, 300}) {
            LengthDelimitedCodec codec = codec(
                    b -> b.lengthFieldWidth(width).lengthAdjustment(adjustment).maxFrameLength(max));
            for (int size = 0; size < 320; size++) {
                FrameBuffer sent = new FrameBuffer(400);
                try {
                    codec.encode(new byte[size], sent);
                } catch (FrameException e) {
                    continue;
                }
                assertThat(codec.decode(ByteBuffer.wrap(sent.toByteArray())))
                        .as("%s of at most %s", size, max)
                        .hasSize(size);
            }
        }
    }

    @Test
    void theMaximum_isKept_whereTheFieldHoldsMore() {
        assertThat(codec(b -> b.lengthFieldWidth(1).maxFrameLength(10)).maxFrameLength())
                .isEqualTo(10);
        assertThat(codec(b -> b.lengthFieldWidth(8)
                                .maxFrameLength(Integer.MAX_VALUE)
                                .lengthAdjustment(Integer.MIN_VALUE))
                        .maxFrameLength())
                .isEqualTo(Integer.MAX_VALUE);
        assertThat(codec(b -> b.maxFrameLength(Integer.MAX_VALUE).lengthAdjustment(Integer.MAX_VALUE))
                        .maxFrameLength())
                .isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void badSettings_areRefused() {
        assertThatThrownBy(() -> LengthDelimitedCodec.builder().lengthFieldWidth(0))
                .hasMessage("lengthFieldWidth=0 must be from 1 to 8");
        assertThatThrownBy(() -> LengthDelimitedCodec.builder().lengthFieldWidth(9))
                .hasMessage("lengthFieldWidth=9 must be from 1 to 8");
        assertThatThrownBy(() -> LengthDelimitedCodec.builder().lengthFieldOffset(-1))
                .hasMessage("lengthFieldOffset=-1 must be from 0 to 65535");
        assertThatThrownBy(() -> LengthDelimitedCodec.builder().skip(65536))
                .hasMessage("skip=65536 must be from 0 to 65535");
        assertThatThrownBy(() -> LengthDelimitedCodec.builder().maxFrameLength(-1))
                .hasMessage("maxFrameLength=-1 must not be negative");
        assertThatThrownBy(() -> LengthDelimitedCodec.create().maxFrameLength(-1))
                .hasMessage("maxFrameLength=-1 must not be negative");
    }

    /** A head that claims much costs nothing: neither one that is refused, nor one that is allowed and never comes. */
    @ParameterizedTest
    @CsvSource({"8388608", "2147483647"})
    void aHeadThatClaimsGigabytes_allocatesNothing(int max) {
        com.sun.management.ThreadMXBean threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        LengthDelimitedCodec codec = codec(b -> b.maxFrameLength(max));
        Script script = Script.of("\177\377\377\000abcd");
        Script.decoded(Script.of("\177\377\377\000abcd"), codec(b -> b.maxFrameLength(max))); // loads classes
        long before = threads.getCurrentThreadAllocatedBytes();
        List<String> events = Script.decoded(script, codec);
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertThat(events)
                .hasSize(1)
                .first()
                .asString()
                .startsWith(max == Integer.MAX_VALUE ? "! the input ended" : "! length=");
        assertThat(allocated).isLessThan(1 << 20);
    }
}
