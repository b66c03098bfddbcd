package dev.kumihimo.examples;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.kumihimo.codec.FrameBuffer;
import java.io.EOFException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class RespCodecTest {
    private final RespCodec codec = new RespCodec();

    /** What a framed stream does: gives the decoder what has come, and keeps what it leaves. */
    private final class Feeder {
        private byte[] left = {};
        private int most;

        List<List<String>> feed(byte[] bytes) throws IOException {
            byte[] all = Arrays.copyOf(left, left.length + bytes.length);
            System.arraycopy(bytes, 0, all, left.length, bytes.length);
            ByteBuffer input = ByteBuffer.wrap(all);
            List<List<String>> requests = new ArrayList<>();
            while (input.hasRemaining()) {
                byte[][] request = codec.decode(input);
                if (request == null) {
                    break;
                }
                requests.add(words(request));
            }
            left = new byte[input.remaining()];
            input.get(left);
            most = Math.max(most, left.length);
            return requests;
        }
    }

    private static List<String> words(byte[][] request) {
        return Arrays.stream(request).map(word -> new String(word, ISO_8859_1)).toList();
    }

    private List<List<String>> decode(String text) throws IOException {
        return new Feeder().feed(text.getBytes(ISO_8859_1));
    }

    private static String bulk(String text) {
        return "$" + text.length() + "\r\n" + text + "\r\n";
    }

    @Test
    void decode_findsRequests_inAPipeline() throws IOException {
        assertThat(
                        decode(
                                "*2\r\n$3\r\nGET\r\n$0\r\n\r\n*0\r\n*-1\r\n\r\n  \r\nPING\r\n*1\r\n$4\r\n\0\r\n\377\r\nset  a\t'b c'\n"))
                .containsExactly(
                        List.of("GET", ""), List.of("PING"), List.of("\0\r\n\377"), List.of("set", "a", "b c"));
    }

    @Test
    void decode_findsTheSame_byteByByte_andInRandomCuts() throws IOException {
        Random random = new Random(7);
        StringBuilder text = new StringBuilder();
        List<List<String>> expected = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            List<String> request = new ArrayList<>();
            int count = random.nextInt(20);
            StringBuilder one = new StringBuilder("*" + count + "\r\n");
            for (int n = 0; n < count; n++) {
                byte[] bytes = new byte[random.nextInt(random.nextInt(10) == 0 ? 3000 : 10)];
                random.nextBytes(bytes);
                request.add(new String(bytes, ISO_8859_1));
                one.append(bulk(request.get(n)));
            }
            if (random.nextInt(4) == 0) {
                request = List.of("inline", "x" + i);
                one = new StringBuilder("inline \"x" + i + "\"\r\n");
            }
            if (!request.isEmpty()) {
                expected.add(request);
            }
            text.append(one);
        }
        byte[] bytes = text.toString().getBytes(ISO_8859_1);
        for (int longest : new int[] {1, 2, 5, 50, 5000}) {
            Feeder feeder = new Feeder();
            List<List<String>> found = new ArrayList<>();
            for (int at = 0; at < bytes.length; ) {
                int length = Math.min(bytes.length - at, 1 + random.nextInt(longest));
                found.addAll(feeder.feed(Arrays.copyOfRange(bytes, at, at + length)));
                at += length;
            }
            assertThat(found).as("pieces of at most " + longest).isEqualTo(expected);
        }
    }

    @Test
    void decode_takesALargeArgument_asItComes() throws IOException {
        byte[] piece = new byte[100_000];
        Arrays.fill(piece, (byte) 'x');
        Feeder feeder = new Feeder();
        assertThat(feeder.feed("*2\r\n$3\r\nSET\r\n$10000000\r\n".getBytes(ISO_8859_1)))
                .isEmpty();
        for (int i = 0; i < 100; i++) {
            assertThat(feeder.feed(piece)).isEmpty();
        }
        assertThat(feeder.feed("\r\n".getBytes(ISO_8859_1)).get(0).get(1)).hasSize(10_000_000);
        assertThat(feeder.most).isLessThan(100);
    }

    /** A peer that announces much and sends little costs little: each of these would be 64 MiB. */
    @Test
    void decode_allocatesWhatHasCome_notWhatIsAnnounced() throws IOException {
        List<RespCodec> codecs = new ArrayList<>();
        long most = Runtime.getRuntime().maxMemory() / (64 << 20) + 10;
        for (int i = 0; i < most; i++) {
            RespCodec one = new RespCodec();
            assertThat(one.decode(ByteBuffer.wrap("*1048576\r\n$67108864\r\nx".getBytes(ISO_8859_1))))
                    .isNull();
            codecs.add(one);
        }
        assertThat(codecs).hasSize((int) most);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "*x             | invalid multibulk length",
                "*              | invalid multibulk length",
                "*1048577       | invalid multibulk length",
                "*99999999999999999999999999999999 | invalid multibulk length",
                "*1#!4          | expected '$', got '!'",
                "*1#$           | invalid bulk length",
                "*1#$-1         | invalid bulk length",
                "*1#$67108865   | invalid bulk length",
                "*1#$1x         | invalid bulk length",
                "*1#$4294967297 | invalid bulk length",
                "*3#$67108864   | -",
                "*1#$2#abc      | expected the end of a line after 2 bytes",
                "get \"a        | unbalanced quotes in request",
                "get 'a'b       | unbalanced quotes in request",
            })
    void decode_refuses_whatIsNoRequest(String text, String error) throws IOException {
        String lines = text.replace("#", "\r\n") + "\r\n";
        if (error.equals("-")) {
            assertThat(decode(lines)).isEmpty();
            return;
        }
        assertThatThrownBy(() -> decode(lines))
                .isInstanceOf(RespCodec.ProtocolException.class)
                .hasMessage("Protocol error: " + error);
    }

    /** Else a peer could take gigabytes by a few bytes on each of its connections. */
    @Test
    void decode_allocates_forWhatHasCome_notForWhatIsAnnounced() throws IOException {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        ByteBuffer request = ByteBuffer.wrap("*1048576\r\n$67108864\r\nabc".getBytes(ISO_8859_1));
        long before = threads.getCurrentThreadAllocatedBytes();
        assertThat(codec.decode(request)).isNull();
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(2 << 20);
    }

    @ParameterizedTest
    @ValueSource(strings = {"*", "*1\r\n$", "x"})
    void decode_refusesALine_thatDoesNotEnd(String begin) throws IOException {
        Feeder feeder = new Feeder();
        feeder.feed(begin.getBytes(ISO_8859_1));
        byte[] more = new byte[1000];
        Arrays.fill(more, (byte) '0');
        assertThatThrownBy(() -> {
                    for (int i = 0; i < 100; i++) {
                        feeder.feed(more);
                    }
                })
                .isInstanceOf(RespCodec.ProtocolException.class);
        assertThat(feeder.most).isLessThanOrEqualTo(RespCodec.MAX_LINE);
    }

    @Test
    void decode_refusesARequest_thatIsTooLargeInSum() throws IOException {
        RespCodec small = new RespCodec(100);
        assertThat(small.decode(
                        ByteBuffer.wrap(("*2\r\n" + bulk("x".repeat(60)) + bulk("x".repeat(40))).getBytes(ISO_8859_1))))
                .hasNumberOfRows(2);
        ByteBuffer larger = ByteBuffer.wrap(("*9\r\n" + bulk("x".repeat(60)) + "$41\r\n").getBytes(ISO_8859_1));
        assertThatThrownBy(() -> small.decode(larger)).hasMessage("Protocol error: too big request");
    }

    @Test
    void decodeEnd_tellsOfPartsOfARequest() throws IOException {
        ByteBuffer none = ByteBuffer.allocate(0);
        assertThat(codec.decodeEnd(none)).isNull();
        assertThat(words(codec.decodeEnd(ByteBuffer.wrap("PING\r\n".getBytes(ISO_8859_1)))))
                .containsExactly("PING");
        assertThatThrownBy(() -> codec.decodeEnd(ByteBuffer.wrap("PI".getBytes(ISO_8859_1))))
                .isInstanceOf(EOFException.class);
        RespCodec other = new RespCodec();
        assertThat(other.decode(ByteBuffer.wrap("*2\r\n$1\r\na\r\n".getBytes(ISO_8859_1))))
                .isNull();
        assertThatThrownBy(() -> other.decodeEnd(none)).isInstanceOf(EOFException.class);
    }

    @Test
    void inlineWords_mayHaveEscapes() throws IOException {
        assertThat(decode("a \"\\x41\\n\\\"\\q\\xzz\" '\\'\\n' \"\" ''\r\n"))
                .containsExactly(List.of("a", "A\n\"qxzz", "'\\n", "", ""));
    }

    @Test
    void encode_writesEachKindOfReply() throws IOException {
        assertThat(encoded(Reply.OK)).isEqualTo("+OK\r\n");
        assertThat(encoded(Reply.of(new byte[] {0, '\r', (byte) 255}))).isEqualTo("$3\r\n\0\r\377\r\n");
        assertThat(encoded(Reply.of((byte[]) null))).isEqualTo("$-1\r\n");
        assertThat(encoded(Reply.of("x".repeat(1023)))).isEqualTo(bulk("x".repeat(1023)));
        assertThat(encoded(Reply.of("x".repeat(1024)))).isEqualTo(bulk("x".repeat(1024)));
        assertThat(encoded(Reply.of(0))).isEqualTo(":0\r\n");
        assertThat(encoded(Reply.of(1))).isEqualTo(":1\r\n");
        assertThat(encoded(Reply.of(Long.MIN_VALUE))).isEqualTo(":-9223372036854775808\r\n");
        assertThat(encoded(new Reply.Failure("ERR a\r\nb"))).isEqualTo("-ERR a  b\r\n");
        assertThat(encoded(new Reply.Array(List.of(Reply.of(7), new Reply.Array(List.of()), Reply.NO_ARRAY))))
                .isEqualTo("*3\r\n:7\r\n*0\r\n*-1\r\n");
    }

    private String encoded(Reply reply) throws IOException {
        FrameBuffer target = new FrameBuffer(1);
        codec.encode(reply, target);
        return new String(target.toByteArray(), ISO_8859_1);
    }
}
