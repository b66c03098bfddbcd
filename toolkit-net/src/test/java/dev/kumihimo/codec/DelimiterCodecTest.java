package dev.kumihimo.codec;

import static dev.kumihimo.codec.Script.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class DelimiterCodecTest {
    private static final String LONG = "! a chunk is longer than the maximum of 3 bytes";

    private static Arguments row(String input, String... expected) {
        return Arguments.of(input, List.of(expected));
    }

    static Stream<Arguments> anyTable() {
        return Stream.of(
                row(""),
                row(","),
                row(",;\n\r", "", "", "", ""),
                row("a,bb;ccc\nd", "a", "bb", "ccc", "d"),
                row("a b,c", "a b", "c"),
                row("aaaa,b", LONG, "b"),
                row("aaaa", LONG),
                row("aaaaaaaaaa;aaaaa;bb", LONG, LONG, "bb"),
                row("aaa;aaaa,,a", "aaa", LONG, "", "a"));
    }

    @ParameterizedTest
    @MethodSource("anyTable")
    void chunks_endWithAnyOfTheDelimiters_howeverTheyCome(String input, List<String> expected) {
        List<String> all = input.equals(",") ? List.of("") : expected;
        for (Script cut : Script.cuts(bytes(input), new Random(1))) {
            assertThat(Script.decoded(cut, DelimiterCodec.anyOf(bytes(",;\n\r"), bytes(","), 3)))
                    .isEqualTo(all);
        }
    }

    static Stream<Arguments> sequenceTable() {
        return Stream.of(
                row(""),
                row("=-", ""),
                row("a=-b=-", "a", "b"),
                row("a=-b", "a", "b"),
                row("==-", "="),
                row("-==-", "-="),
                row("a=", "a="),
                row("aaa=-", "aaa"),
                row("aaa=", LONG), // what is left is no shorter for being half a delimiter
                row("aaaa=-b", LONG, "b"),
                row("aaaa=", LONG),
                row("aaaaaa=-=-bb=", LONG, "", "bb="),
                row("aaaaa==-bb=-", LONG, "bb"),
                row("aaaaa-=aa-bbbb", LONG));
    }

    @ParameterizedTest
    @MethodSource("sequenceTable")
    void chunks_endWithTheSequence_howeverTheyCome(String input, List<String> expected) {
        for (Script cut : Script.cuts(bytes(input), new Random(1))) {
            assertThat(Script.decoded(cut, DelimiterCodec.of(bytes("=-"), 3))).isEqualTo(expected);
        }
    }

    @Test
    void encode_addsTheDelimiter() {
        FrameBuffer target = new FrameBuffer(1);
        DelimiterCodec.anyOf(bytes(",;"), bytes("--"), 3).encode(bytes("chunk 1"), target);
        DelimiterCodec.of(bytes("=-"), 3).encode(bytes("chunk 2"), target);
        assertThat(Script.text(target.toByteArray())).isEqualTo("chunk 1--chunk 2=-");
    }

    @Test
    void badSettings_areRefused() {
        assertThatThrownBy(() -> DelimiterCodec.of(bytes(""), 3)).hasMessage("delimiter must have at least 1 byte");
        assertThatThrownBy(() -> DelimiterCodec.of(bytes(","), 0)).hasMessage("maxLength=0 must be at least 1");
        assertThatThrownBy(() -> DelimiterCodec.anyOf(bytes(""), bytes(","), 3))
                .hasMessage("delimiters must have at least 1 byte");
        assertThatThrownBy(() -> DelimiterCodec.anyOf(bytes(","), bytes(""), 3))
                .hasMessage("sent must have at least 1 byte");
    }

    @Test
    void bytesCodec_passesOnWhatHasCome() {
        BytesCodec codec = BytesCodec.create();
        assertThat(Script.decoded(Script.of("abc", "d"), codec)).containsExactly("abc", "d");
        FrameBuffer target = new FrameBuffer(1);
        codec.encode(bytes("one"), target);
        codec.encode(bytes(""), target);
        codec.encode(bytes("two"), target);
        assertThat(Script.text(target.toByteArray())).isEqualTo("onetwo");
    }
}
