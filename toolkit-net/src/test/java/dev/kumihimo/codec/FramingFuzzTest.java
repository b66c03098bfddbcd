package dev.kumihimo.codec;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Frames by chance, cut by chance; and what was never a frame. All seeded: a failure names its seed. */
@Timeout(120)
class FramingFuzzTest {
    private static final int SEEDS = 2_000;

    private interface Kind {
        Codec<byte[], byte[]> make(Random random);
    }

    private static Codec<byte[], byte[]> lengthDelimited(Random random) {
        return LengthDelimitedCodec.builder()
                .lengthFieldWidth(random.nextInt(2, 9))
                .order(random.nextBoolean() ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN)
                .lengthAdjustment(random.nextInt(-10, 1))
                .maxFrameLength(20_000)
                .build();
    }

    private static final byte[] SEQUENCE = Script.bytes("\r\n\r\n");

    @Test
    void lengthDelimited_roundTrips() throws Exception {
        roundTrips(FramingFuzzTest::lengthDelimited, 256, false);
    }

    @Test
    void delimited_roundTrips() throws Exception {
        roundTrips(random -> DelimiterCodec.of(SEQUENCE, 20_000), 'z', true);
        roundTrips(random -> DelimiterCodec.anyOf(Script.bytes("{|}"), Script.bytes("|"), 20_000), 'z', true);
    }

    /** The bytes of frames are below `values`; the last one is not empty if what is left at the end is a frame. */
    private static void roundTrips(Kind kind, int values, boolean restIsFrame) throws Exception {
        for (int seed = 0; seed < SEEDS; seed++) {
            Random random = new Random(seed);
            long settings = random.nextLong();
            Codec<byte[], byte[]> sender = kind.make(new Random(settings));
            List<byte[]> frames = new ArrayList<>();
            Script written = new Script();
            FramedWriter<byte[]> writer = FramedWriter.of(written, sender, 1 + random.nextInt(10_000));
            for (int i = random.nextInt(20); i > 0; i--) {
                byte[] frame = new byte[1 + random.nextInt(random.nextInt(10) == 0 ? 19_000 : 100)];
                for (int k = 0; k < frame.length; k++) {
                    frame[k] = (byte) (restIsFrame ? random.nextInt('\r', values) : random.nextInt(values));
                    if (restIsFrame && frame[k] == '\r' && k == frame.length - 1) {
                        frame[k] = 'a'; // else it may be the beginning of the delimiter
                    }
                }
                frames.add(frame);
                if (random.nextBoolean()) {
                    writer.feed(frame);
                } else {
                    written.take(random.nextInt(1 + frame.length));
                    writer.send(frame);
                }
            }
            writer.flush();
            Script cut = Script.cutAtRandom(Script.bytes(written.written()), random);
            FramedReader<byte[]> reader = FramedReader.of(cut, kind.make(new Random(settings)));
            for (byte[] frame : frames) {
                assertThat(reader.receive()).as("seed %d", seed).isEqualTo(frame);
            }
            assertThat(reader.receiveOrNull()).as("seed %d", seed).isNull();
        }
    }

    @Test
    void lines_roundTrip() throws Exception {
        for (int seed = 0; seed < SEEDS; seed++) {
            Random random = new Random(seed);
            List<String> lines = new ArrayList<>();
            FrameBuffer target = new FrameBuffer(16);
            LinesCodec codec = LinesCodec.of(4096);
            for (int i = random.nextInt(30); i > 0; i--) {
                StringBuilder line = new StringBuilder();
                for (int k = random.nextInt(100); k > 0; k--) {
                    line.appendCodePoint(
                            random.nextInt(4) == 0 ? random.nextInt(0xe000, 0x110000) : random.nextInt(' ', 0x80));
                }
                lines.add(line.toString());
                codec.encode(line.toString(), target);
            }
            assertThat(Script.decoded(Script.cutAtRandom(target.toByteArray(), random), LinesCodec.of(4096)))
                    .as("seed %d", seed)
                    .isEqualTo(lines);
        }
    }

    /** Garbage ends in an error, in frames below the maximum or in nothing; it neither loops nor takes more than it brings. */
    @Test
    void garbage_costsNoMoreThanItIs() {
        List<Kind> kinds = List.of(
                FramingFuzzTest::lengthDelimited,
                random -> DelimiterCodec.of(SEQUENCE, 100),
                random -> DelimiterCodec.anyOf(Script.bytes(",;"), Script.bytes(","), 100));
        com.sun.management.ThreadMXBean threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (int seed = 0; seed < SEEDS; seed++) {
            Random random = new Random(seed);
            byte[] garbage = new byte[random.nextInt(5_000)];
            random.nextBytes(garbage);
            Counting decoder =
                    new Counting(kinds.get(random.nextInt(kinds.size())).make(random));
            Script cut = Script.cutAtRandom(garbage, random);
            long before = threads.getCurrentThreadAllocatedBytes();
            List<String> events = Script.decoded(cut, decoder);
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertThat(decoder.asked).as("seed %d", seed).isLessThanOrEqualTo(4 * garbage.length + 10);
            assertThat(decoder.longest).as("seed %d", seed).isLessThanOrEqualTo(20_000);
            if (seed > SEEDS / 10) { // classes are loaded
                assertThat(allocated)
                        .as("seed %d, %d events", seed, events.size())
                        .isLessThan(2_000_000);
            }
        }
    }

    private static final class Counting implements Decoder<byte[]> {
        private final Decoder<byte[]> decoder;
        int asked;
        int longest;

        Counting(Decoder<byte[]> decoder) {
            this.decoder = decoder;
        }

        private byte[] count(byte[] frame) {
            asked++;
            longest = Math.max(longest, frame == null ? 0 : frame.length);
            return frame;
        }

        @Override
        public byte[] decode(ByteBuffer input) throws java.io.IOException {
            return count(decoder.decode(input));
        }

        @Override
        public byte[] decodeEnd(ByteBuffer input) throws java.io.IOException {
            return count(decoder.decodeEnd(input));
        }
    }
}
