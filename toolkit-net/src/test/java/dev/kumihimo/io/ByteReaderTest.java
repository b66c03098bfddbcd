package dev.kumihimo.io;

import static dev.kumihimo.io.Transport.bytes;
import static dev.kumihimo.io.Transport.read;
import static dev.kumihimo.io.Transport.runtime;
import static dev.kumihimo.io.Transport.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.kumihimo.codec.FramedReader;
import dev.kumihimo.codec.LinesCodec;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.time.Timeout;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Reading through a buffer: what is taken, what is left, and what it costs. */
@org.junit.jupiter.api.Timeout(60)
class ByteReaderTest {
    private final Script source = new Script();
    private final ByteReader reader = ByteReader.of(source);

    private static InterruptedIOException interrupted() {
        return new InterruptedIOException("as told");
    }

    /* ---------------- The buffer -------------- */

    @Test
    void read_takesFromTheBuffer_andLargeOnesGoToTheSource() throws Exception {
        ByteReader small = ByteReader.of(source, 4);
        source.then("abcdefghijkl");
        assertThat(read(small, 2)).isEqualTo("ab");
        assertThat(source.largestRoom).isEqualTo(4);
        assertThat(small.buffered()).isEqualTo(2);
        assertThat(read(small, 10)).as("what is buffered").isEqualTo("cd");
        assertThat(read(small, 6)).as("past the buffer").isEqualTo("efghij");
        assertThat(source.largestRoom).isEqualTo(6);
        assertThat(source.reads).isEqualTo(2);
        assertThat(read(small, 3)).isEqualTo("kl");
        assertThat(read(small, 3)).isNull();
        assertThat(read(small, 9)).isNull();
    }

    @Test
    void read_withoutRoom_readsNothing() throws Exception {
        assertThat(reader.read(ByteBuffer.allocate(0))).isZero();
        assertThat(source.reads).isZero();
    }

    @Test
    void peek_showsWithoutTaking_andLessAtTheEnd() throws Exception {
        source.then("ab").then("cd");
        assertThat(StandardCharsets.UTF_8.decode(reader.peek(3)).toString()).isEqualTo("abc");
        assertThat(reader.peek(3).isReadOnly()).isTrue();
        assertThat(reader.buffered()).isEqualTo(4);
        assertThat(StandardCharsets.UTF_8.decode(reader.peek(9)).toString()).isEqualTo("abcd");
        assertThat(reader.peek(0).remaining()).isZero();
        assertThat(read(reader, 9)).isEqualTo("abcd");
        assertThat(reader.peek(1).remaining()).isZero();
    }

    @Test
    void skip_skips_andTellsHowMuchAtTheEnd() throws Exception {
        source.then("abc").then("defg");
        assertThat(reader.skip(4)).isEqualTo(4);
        assertThat(read(reader, 1)).isEqualTo("e");
        assertThat(reader.skip(0)).isZero();
        assertThat(reader.skip(Long.MAX_VALUE)).isEqualTo(2);
        assertThat(reader.skip(1)).isZero();
    }

    @Test
    void skip_tellsHowMuch_whenInterrupted_andGoesOn() throws Exception {
        source.then("abc").then(interrupted()).then("def");
        InterruptedIOException thrown = catchThrowableOfType(InterruptedIOException.class, () -> reader.skip(5));
        assertThat(thrown.bytesTransferred).isEqualTo(3);
        assertThat(reader.skip(2)).isEqualTo(2);
        assertThat(read(reader, 9)).isEqualTo("f");
    }

    @Test
    void aSourceThatReadsNothing_isFound_insteadOfAskedForEver() {
        ByteSource lying = new SourceView() {
            @Override
            int readBefore(ByteBuffer target, long deadline) {
                return 5;
            }

            @Override
            public dev.kumihimo.select.Selectable<Void> readable() {
                return Ready.NOW;
            }

            @Override
            public boolean isOpen() {
                return true;
            }

            @Override
            public void close() {}

            @Override
            public String toString() {
                return "liar";
            }
        };
        assertThatThrownBy(() -> ByteReader.of(lying).readInt())
                .isInstanceOf(IOException.class)
                .hasMessage("liar has read nothing, though there was room");
    }

    /* ---------------- Exact -------------- */

    @Test
    void readFully_tellsHowFarItCame() throws Exception {
        source.then("abc").then("def");
        ByteBuffer target = ByteBuffer.allocate(8);
        assertThatThrownBy(() -> reader.readFully(target))
                .isInstanceOf(EOFException.class)
                .hasMessage("the end came after 6 of 8 bytes");
        assertThat(Transport.text(target)).isEqualTo("abcdef");
        reader.readFully(ByteBuffer.allocate(0));
    }

    @Test
    void readFully_goesOn_whereItWasInterrupted() throws Exception {
        source.then("abc").then(interrupted()).then("def");
        ByteBuffer target = ByteBuffer.allocate(5);
        InterruptedIOException thrown =
                catchThrowableOfType(InterruptedIOException.class, () -> reader.readFully(target));
        assertThat(thrown.bytesTransferred).isEqualTo(3);
        assertThat(target.position()).isEqualTo(3);
        reader.readFully(target);
        assertThat(Transport.text(target)).isEqualTo("abcde");
        assertThat(reader.buffered()).isOne();
    }

    @Test
    void numbers_areBigEndian_andAreTakenWholeOrNotAtAll() throws Exception {
        ByteBuffer all = ByteBuffer.allocate(15)
                .put((byte) -2)
                .putShort((short) 0xfedc)
                .putInt(0x12345678)
                .putLong(Long.MIN_VALUE + 7)
                .flip();
        try (DuplexPair pair = ByteStreams.duplex(100)) {
            ByteReader numbers = ByteReader.of(pair.second(), 3);
            pair.first().writeAll(all);
            pair.first().writeAll(ByteBuffer.wrap(new byte[] {1, 2, 3}));
            pair.first().close();
            assertThat(numbers.readByte()).isEqualTo((byte) -2);
            assertThat(numbers.readShort()).isEqualTo((short) 0xfedc);
            assertThat(numbers.readInt()).isEqualTo(0x12345678);
            assertThat(numbers.readLong()).isEqualTo(Long.MIN_VALUE + 7);
            assertThatThrownBy(numbers::readInt)
                    .isInstanceOf(EOFException.class)
                    .hasMessage("the end came after 3 of 4 bytes");
            assertThat(numbers.readShort()).isEqualTo((short) 0x0102);
            assertThat(numbers.readByte()).isEqualTo((byte) 3);
            assertThatThrownBy(numbers::readByte).isInstanceOf(EOFException.class);
        }
    }

    @Test
    void aNumberCutShort_isStillThere() throws Exception {
        source.then("\0\0").then(interrupted()).then("\1\2\3");
        assertThatThrownBy(reader::readInt).isInstanceOf(InterruptedIOException.class);
        assertThat(reader.buffered()).isEqualTo(2);
        assertThat(reader.readInt()).isEqualTo(0x0102);
        assertThat(reader.buffered()).isOne();
    }

    /* ---------------- Delimiters -------------- */

    @Test
    void readUntil_includesTheDelimiter_butForTheLast() throws Exception {
        source.then("a;").then(";b").then("c");
        assertThat(reader.readUntil((byte) ';', 1)).isEqualTo(new byte[] {'a', ';'});
        assertThat(reader.readUntil((byte) ';', 0)).isEqualTo(new byte[] {';'});
        assertThat(reader.readUntil((byte) ';', 5)).isEqualTo(new byte[] {'b', 'c'});
        assertThatThrownBy(() -> reader.readUntil((byte) ';', 5)).isInstanceOf(EOFException.class);
    }

    @Test
    void readUntil_takesNothing_ifItIsTooLong() throws Exception {
        source.then("abc;def");
        assertThatThrownBy(() -> reader.readUntil((byte) ';', 2))
                .isInstanceOf(TooLongException.class)
                .hasMessage("what comes before the delimiter 59 is longer than maxLength=2 bytes");
        assertThat(reader.readUntil((byte) ';', 3)).hasSize(4);
        assertThatThrownBy(() -> reader.readUntil((byte) ';', 2)).isInstanceOf(TooLongException.class);
        assertThat(reader.readUntil((byte) ';', 3)).hasSize(3);
    }

    @Test
    void readUntil_losesNothing_whenInterrupted() throws Exception {
        source.then("ab").then(interrupted()).then("c").then(interrupted()).then(";d");
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> reader.readUntil((byte) ';', 10)).isInstanceOf(InterruptedIOException.class);
        }
        assertThat(reader.readUntil((byte) ';', 10)).isEqualTo("abc;".getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void skipUntil_skipsTheRestOfWhatWasTooLong_inLittleMemory() throws Exception {
        ByteReader small = ByteReader.of(source, 16);
        source.then("x".repeat(1_000)).then(interrupted()).then("y".repeat(100) + "\nnext");
        assertThatThrownBy(() -> small.readLine(20)).isInstanceOf(TooLongException.class);
        assertThatThrownBy(() -> small.skipUntil((byte) '\n')).isInstanceOf(InterruptedIOException.class);
        assertThat(small.skipUntil((byte) '\n')).isTrue();
        assertThat(source.largestRoom).isLessThanOrEqualTo(22);
        assertThat(small.readLine(20)).isEqualTo("next");
        assertThat(small.skipUntil((byte) '\n')).isFalse();
    }

    /* ---------------- Lines -------------- */

    private List<String> lines(int maxLength) throws IOException {
        List<String> lines = new ArrayList<>();
        for (String line; (line = reader.readLineOrNull(maxLength)) != null; ) {
            lines.add(line);
        }
        return lines;
    }

    @Test
    void readLine_stripsLineFeeds_andCarriageReturnsBeforeThem() throws Exception {
        source.then("one\ntwo\r\n\n\r\nf\riv\re\r\r\nlast\r");
        assertThat(lines(100)).containsExactly("one", "two", "", "", "f\riv\re\r", "last\r");
        assertThatThrownBy(() -> reader.readLine(100)).isInstanceOf(EOFException.class);
    }

    @Test
    void readLine_findsLines_howeverTheyAreCut() throws Exception {
        String text = "erste Zeile\r\nzwölf ä€𝄞\n\r\n\nEnde";
        byte[] all = text.getBytes(StandardCharsets.UTF_8);
        for (int size = 1; size < 8; size++) {
            try (Sending pipe = new Sending(100)) {
                pipe.sink.writeAll(ByteBuffer.wrap(all));
                pipe.sink.close();
                ByteReader cut = ByteReader.of(pipe.end, size);
                List<String> lines = new ArrayList<>();
                for (String line; (line = cut.readLineOrNull(20)) != null; ) {
                    lines.add(line);
                }
                assertThat(lines).containsExactly("erste Zeile", "zwölf ä€𝄞", "", "", "Ende");
            }
        }
    }

    private record Sending(ByteSink sink, ByteSource end) implements AutoCloseable {
        Sending(int capacity) {
            this(ByteStreams.pipe(capacity));
        }

        private Sending(BytePipe pipe) {
            this(pipe.sink(), pipe.source());
        }

        @Override
        public void close() throws IOException {
            end.close();
        }
    }

    @Test
    void readLine_measuresTheLineWithoutItsEnd() throws Exception {
        source.then("12345\n12345\r\n123456\n12345\r");
        assertThat(reader.readLine(5)).isEqualTo("12345");
        assertThat(reader.readLine(5)).isEqualTo("12345");
        assertThatThrownBy(() -> reader.readLine(5))
                .isInstanceOf(TooLongException.class)
                .hasMessage("a line is longer than maxLength=5 bytes");
        assertThat(reader.readLine(6)).isEqualTo("123456");
        assertThatThrownBy(() -> reader.readLine(5))
                .as("a carriage return at the end")
                .isInstanceOf(TooLongException.class);
        assertThat(reader.readLine(Integer.MAX_VALUE)).isEqualTo("12345\r");
    }

    @Test
    void readLine_ofNoLength_takesEmptyLines() throws Exception {
        source.then("\n\r\n\rx\n");
        assertThat(reader.readLine(0)).isEmpty();
        assertThat(reader.readLine(0)).isEmpty();
        assertThatThrownBy(() -> reader.readLine(0)).isInstanceOf(TooLongException.class);
    }

    /** Whoever sends a line without an end is told of as soon as it is too long, at the cost of that length. */
    @Test
    void readLine_buffersNoMoreThanTheLineMayHave_andNeedsNoByteMoreToKnow() throws Exception {
        ByteReader small = ByteReader.of(source, 16);
        source.then("x".repeat(41)).then(new IOException("asked for more"));
        TooLongException thrown = catchThrowableOfType(TooLongException.class, () -> small.readLine(40));
        assertThat(thrown.maxLength()).isEqualTo(40);
        assertThat(small.buffered()).isEqualTo(41);
        assertThat(source.largestRoom).as("grown from 16 to 32, to 41").isEqualTo(16);
    }

    @Test
    void buffer_shrinks_whenALongLineWasTaken() throws Exception {
        ByteReader small = ByteReader.of(source, 16);
        source.then("x".repeat(5_000) + "\n");
        assertThat(small.readLine(6_000)).hasSize(5_000);
        source.then("short");
        source.largestRoom = 0;
        assertThat(small.readLine(10)).isEqualTo("short");
        assertThat(source.largestRoom).isEqualTo(16);
    }

    /** The same for a peer that has always sent a part of the next line. */
    @Test
    void buffer_shrinks_alsoIfItIsNeverEmpty() throws Exception {
        ByteReader small = ByteReader.of(source, 16);
        source.then("x".repeat(5_000) + "\nab");
        assertThat(small.readLine(6_000)).hasSize(5_000);
        assertThat(small.buffered()).isEqualTo(2);
        source.then("c\n");
        source.largestRoom = 0;
        assertThat(small.readLine(10)).isEqualTo("abc");
        assertThat(source.largestRoom).isLessThanOrEqualTo(16);
    }

    @Test
    void readLine_tellsOfBytesThatAreNotUtf8_andReadsTheNextLine() throws Exception {
        try (Sending pipe = new Sending(100)) {
            ByteReader lines = ByteReader.of(pipe.end);
            pipe.sink.writeAll(ByteBuffer.wrap(new byte[] {'a', (byte) 0xc3, '\n', 'b', '\n', (byte) 0xff}));
            pipe.sink.writeAll(bytes("\n\uFFFD is a character\n"));
            assertThatThrownBy(() -> lines.readLine(10))
                    .isInstanceOf(CharacterCodingException.class)
                    .hasMessage("the text of 2 bytes is not UTF-8");
            assertThat(lines.readLine(10)).isEqualTo("b");
            assertThatThrownBy(() -> lines.readLine(10)).isInstanceOf(CharacterCodingException.class);
            assertThat(lines.readLine(100)).isEqualTo("\uFFFD is a character");
        }
    }

    /* ---------------- To the end -------------- */

    @Test
    void readToEnd_readsAll_andTakesNothingIfThatIsTooMuchOrCutShort() throws Exception {
        ByteReader small = ByteReader.of(source, 4);
        source.then("abc").then(interrupted()).then("defghij");
        assertThatThrownBy(() -> small.readToEnd(20)).isInstanceOf(InterruptedIOException.class);
        assertThatThrownBy(() -> small.readToEnd(9))
                .isInstanceOf(TooLongException.class)
                .hasMessage("what is left to read is longer than maxLength=9 bytes");
        assertThat(small.readToEnd(10)).isEqualTo("abcdefghij".getBytes(StandardCharsets.US_ASCII));
        assertThat(small.readToEnd(0)).isEmpty();
        assertThat(small.readString(0)).isEmpty();
    }

    @Test
    void readString_takesNothing_ifItIsNotUtf8() throws Exception {
        try (Sending pipe = new Sending(100)) {
            ByteReader text = ByteReader.of(pipe.end);
            pipe.sink.writeAll(ByteBuffer.wrap(new byte[] {'a', (byte) 0x80}));
            pipe.sink.close();
            assertThatThrownBy(() -> text.readString(10)).isInstanceOf(CharacterCodingException.class);
            assertThat(text.readByte()).isEqualTo((byte) 'a');
            assertThat(text.readToEnd(1)).containsExactly(0x80);
        }
        source.then("äö");
        assertThat(reader.readString(4)).isEqualTo("äö");
    }

    /* ---------------- Over streams -------------- */

    @ParameterizedTest
    @EnumSource(Transport.class)
    void lines_comeWhole_whateverIsCutShort(Transport transport) throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair pair = runtime.blockOn(transport::open)) {
            JoinHandle<Void> writer = runtime.spawn(() -> {
                Random random = new Random(5);
                for (int i = 0; i < 2_000; i++) {
                    pair.first().writeAll(bytes(i + "x".repeat(random.nextInt(30)) + "\r\n"));
                }
                pair.first().close();
            });
            ByteReader lines = ByteReader.of(pair.second(), 10);
            Random random = new Random(5);
            Random times = new Random(6);
            for (int i = 0; i < 2_000; ) {
                try {
                    Duration time = Duration.ofNanos(times.nextInt(100_000));
                    String line = Timeout.call(time, () -> lines.readLineOrNull(40));
                    assertThat(line).isEqualTo(i + "x".repeat(random.nextInt(30)));
                    i++;
                } catch (TimeoutException e) {
                    // again
                }
            }
            assertThat(lines.readLineOrNull(1)).isNull();
            writer.join();
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void reader_isSelected_forWhatIsBufferedToo_andEndsWithItsSource(Transport transport) throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair pair = runtime.blockOn(transport::open)) {
            ByteReader buffered = ByteReader.of(pair.second());
            pair.first().writeAll(bytes("ab"));
            assertThat(buffered.readByte()).isEqualTo((byte) 'a');
            Duration day = Duration.ofDays(1);
            assertThat(Select.<String>of()
                            .onReadable(buffered.readable(), () -> "bytes")
                            .after(day, () -> "timeout")
                            .await())
                    .isEqualTo("bytes");
            assertThat(buffered.readByte()).isEqualTo((byte) 'b');
            assertThat(buffered.tryRead(ByteBuffer.allocate(1))).isZero();
            JoinHandle<String> selecting = runtime.spawn(() -> Select.<String>of()
                    .onReadable(buffered.readable(), () -> "bytes")
                    .await());
            untilWaiting(selecting);
            pair.first().writeAll(bytes("c"));
            assertThat(selecting.join()).isEqualTo("bytes");
            assertThat(buffered.tryRead(ByteBuffer.allocate(1))).isOne();
            buffered.close();
            assertThat(pair.second().isOpen()).isFalse();
            assertThatThrownBy(buffered::readByte).isInstanceOf(java.nio.channels.ClosedChannelException.class);
            assertThatThrownBy(() -> buffered.readLine(1)).isInstanceOf(java.nio.channels.ClosedChannelException.class);
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aSelect_looksWhetherSomethingIsBuffered_eachTimeItIsAwaited(Transport transport) throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair pair = runtime.blockOn(transport::open)) {
            ByteReader buffered = ByteReader.of(pair.second());
            Select<String> select = Select.<String>of()
                    .onReadable(buffered.readable(), () -> "bytes")
                    .otherwise(() -> "none");
            assertThat(select.await()).isEqualTo("none");
            pair.first().writeAll(bytes("ab"));
            assertThat(buffered.readByte()).isEqualTo((byte) 'a');
            assertThat(select.await()).isEqualTo("bytes");
            assertThat(buffered.readByte()).isEqualTo((byte) 'b');
            assertThat(buffered.tryRead(ByteBuffer.allocate(1))).isZero();
            assertThat(select.await()).isEqualTo("none");
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void aSelect_waitsAgain_onceWhatWasBufferedIsTaken(Transport transport) throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair pair = runtime.blockOn(transport::open)) {
            ByteReader buffered = ByteReader.of(pair.second());
            pair.first().writeAll(bytes("ab"));
            assertThat(buffered.readByte()).isEqualTo((byte) 'a');
            Select<String> select = Select.<String>of().onReadable(buffered.readable(), () -> taken(buffered));
            assertThat(select.await()).isEqualTo("b");
            assertThat(buffered.tryRead(ByteBuffer.allocate(1))).isZero(); // the socket knows that it has nothing
            JoinHandle<String> selecting = runtime.spawn(select::await);
            untilWaiting(selecting);
            pair.first().writeAll(bytes("c"));
            assertThat(selecting.join()).isEqualTo("c");
        }
    }

    /** What is there; empty if nothing is. */
    private static String taken(ByteReader ready) {
        try {
            ByteBuffer buffer = ByteBuffer.allocate(9);
            return ready.tryRead(buffer) < 0 ? "end" : Transport.text(buffer);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @EnumSource(Transport.class)
    void framesOfAReader_areSelected_whetherTheyAreBufferedOrCome(Transport transport) throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair pair = runtime.blockOn(transport::open)) {
            ByteReader head = ByteReader.of(pair.second());
            FramedReader<String> lines = FramedReader.of(head, LinesCodec.of(100));
            Select<String> select = Select.<String>of().onReceive(lines, line -> "line " + line);
            JoinHandle<String> selecting =
                    runtime.spawn(select::await); // which makes the clause while nothing is buffered
            untilWaiting(selecting);
            pair.first().writeAll(bytes("a\n"));
            assertThat(selecting.join()).isEqualTo("line a");
            pair.first().writeAll(bytes("bc\n"));
            assertThat(head.peek(3).remaining()).isEqualTo(3); // taken from the stream, which tells of nothing any more
            Duration limit = Duration.ofSeconds(30);
            assertThat(select.after(limit, () -> "none").await()).isEqualTo("line bc");
            pair.first().writeAll(bytes("d"));
            assertThat(head.peek(1).remaining()).isOne();
            JoinHandle<String> half = runtime.spawn(select::await);
            untilWaiting(half);
            pair.first().writeAll(bytes("e\n"));
            assertThat(half.join()).isEqualTo("line de");
        }
    }

    @Test
    void aSelectOnAClauseMadeWhileSomethingWasBuffered_doesNotSpinAfterwards() throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair pair = runtime.blockOn(Transport.TCP::open)) {
            ByteReader head = ByteReader.of(pair.second());
            pair.first().writeAll(bytes("a"));
            assertThat(head.peek(1).remaining()).isOne();
            FramedReader<String> lines = FramedReader.of(head, LinesCodec.of(100));
            JoinHandle<String> selecting = runtime.spawn(() ->
                    Select.<String>of().onReceive(lines, line -> "line " + line).await());
            untilWaiting(selecting);
            pair.first().writeAll(bytes("b\n"));
            assertThat(selecting.join()).isEqualTo("line ab");
        }
    }

    @Test
    void copy_refusesAReaderThatIsClosed_whateverIsBuffered() throws Exception {
        ByteReader closed = ByteReader.of(new Script().then("abc"));
        assertThat(closed.readByte()).isEqualTo((byte) 'a');
        closed.close();
        BytePipe copy = ByteStreams.pipe(10);
        assertThatThrownBy(() -> ByteStreams.copy(closed, copy.sink()))
                .isInstanceOf(java.nio.channels.ClosedChannelException.class);
        assertThat(copy.source().tryRead(ByteBuffer.allocate(1))).isZero();
    }

    @Test
    void badInput_isRefused_withItsValue() {
        assertThatThrownBy(() -> ByteReader.of(source, 0)).hasMessage("capacity=0 must be at least 1");
        assertThatThrownBy(() -> reader.readLine(-1)).hasMessage("maxLength=-1 must not be negative");
        assertThatThrownBy(() -> reader.readUntil((byte) 0, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> reader.readToEnd(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> reader.skip(-1)).hasMessage("count=-1 must not be negative");
        assertThatThrownBy(() -> reader.peek(-1)).hasMessage("length=-1 must not be negative");
        assertThat(source.reads).isZero();
    }
}
