package dev.kumihimo.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class LinesCodecTest {
    private static final String LONG = "! a line is longer than the maximum of 6 bytes";

    private static Arguments row(int max, String input, String... expected) {
        return Arguments.of(max, input, List.of(expected));
    }

    static Stream<Arguments> table() {
        int none = Integer.MAX_VALUE;
        return Stream.of(
                row(none, ""),
                row(none, "\n", ""),
                row(none, "a\nb\n", "a", "b"),
                row(none, "a\r\nb\r\n", "a", "b"),
                row(none, "\n\r\n", "", ""),
                row(none, "a\r\r\n", "a\r"),
                row(none, "a\rb\n", "a\rb"),
                row(none, "last", "last"),
                row(none, "last\r", "last"),
                row(none, "\r"),
                row(none, "a\n\r", "a"),
                row(none, "line 1\nline 2\r\nline 3\n\r\n\r", "line 1", "line 2", "line 3", ""),
                row(6, "line 1\nline 2\n", "line 1", "line 2"),
                row(6, "line 1\r\n", LONG), // the carriage return counts
                row(6, "lin\r\n", "lin"),
                row(6, "line 1.\nok\n", LONG, "ok"),
                row(6, "line number one\nline 2\r\nline 3\n\n\r\n", LONG, LONG, "line 3", "", ""),
                row(6, "line 1.", LONG),
                row(6, "line 1.........", LONG),
                row(6, "line 1......\n\n", LONG, ""),
                row(6, "line 1..\nline 2..\nok", LONG, LONG, "ok"),
                row(6, "line 1..\nline 2..", LONG, LONG),
                row(1, "\n\n", "", ""),
                row(1, "a\naa\na", "a", "! a line is longer than the maximum of 1 bytes", "a"));
    }

    @ParameterizedTest
    @MethodSource("table")
    void lines_areCutTheSame_howeverTheyCome(int max, String input, List<String> expected) {
        for (Script cut : Script.cuts(Script.bytes(input), new Random(1))) {
            assertThat(Script.decoded(cut, LinesCodec.of(max))).isEqualTo(expected);
        }
    }

    /** Long lines, at every place of the eight bytes that are looked at together, with bytes that look like a line feed. */
    @Test
    void lines_areFound_atEveryPlace() {
        Random random = new Random(2);
        for (int i = 0; i < 2000; i++) {
            StringBuilder input = new StringBuilder();
            List<String> expected = new java.util.ArrayList<>();
            for (int k = 0; k < 5; k++) {
                StringBuilder line = new StringBuilder();
                for (int length = random.nextInt(40); length > 0; length--) {
                    line.append("\u000b\t\u0000\u0001\u007fab".charAt(random.nextInt(7)));
                }
                expected.add(line.toString());
                input.append(line).append('\n');
            }
            assertThat(Script.decoded(Script.of(input.toString()), LinesCodec.unbounded()))
                    .isEqualTo(expected);
        }
    }

    @Test
    void text_isUtf8_inEveryCut() {
        byte[] input = "é日😀\n\uFFFD\r\n".getBytes(StandardCharsets.UTF_8);
        for (Script cut : Script.cuts(input, new Random(1))) {
            assertThat(Script.decoded(cut, LinesCodec.of(100))).containsExactly("é日😀", "\uFFFD");
        }
    }

    @Test
    void aLineThatIsNoUtf8_isAnError_andTheNextIsReceived() {
        for (Script cut : Script.cuts(Script.bytes("a\nb\u00ffc\r\nd\n\u00c3"), new Random(1))) {
            assertThat(Script.decoded(cut, LinesCodec.of(100)))
                    .containsExactly("a", "! a line of 3 bytes is no UTF-8", "d", "! a line of 1 bytes is no UTF-8");
        }
    }

    @Test
    void aDirectBuffer_isDecodedToo() throws Exception {
        ByteBuffer input = ByteBuffer.allocateDirect(16)
                .put(Script.bytes("..ab\r\nc\n"))
                .flip()
                .position(2);
        LinesCodec codec = LinesCodec.of(10);
        assertThat(codec.decode(input)).isEqualTo("ab");
        assertThat(codec.decode(input)).isEqualTo("c");
        assertThat(codec.decode(input)).isNull();
    }

    @Test
    void aLineIsTooLong_asSoonAsItCannotEndInTime() throws Exception {
        LinesCodec codec = LinesCodec.of(6);
        assertThat(codec.decode(ByteBuffer.wrap(Script.bytes("line 1")))).isNull();
        assertThatThrownBy(() -> codec.decode(ByteBuffer.wrap(Script.bytes("line 1."))))
                .isInstanceOfSatisfying(
                        FrameException.class, e -> assertThat(e.recoverable()).isTrue());
    }

    @Test
    void encode_addsALineFeed() {
        FrameBuffer target = new FrameBuffer(1);
        LinesCodec codec = LinesCodec.of(1);
        codec.encode("line é", target);
        codec.encode("", target);
        assertThat(target.toByteArray()).isEqualTo("line é\n\n".getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void aMaximumBelowOne_isRefused() {
        assertThatThrownBy(() -> LinesCodec.of(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("maxLength=0 must be at least 1");
    }
}
