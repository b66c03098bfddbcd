package dev.kumihimo.benchmarks.jmh;

import dev.kumihimo.codec.Codec;
import dev.kumihimo.codec.FrameBuffer;
import dev.kumihimo.codec.FramedReader;
import dev.kumihimo.codec.FramedWriter;
import dev.kumihimo.codec.LengthDelimitedCodec;
import dev.kumihimo.codec.LinesCodec;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.select.Selectable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Frames in and out of memory that stands for a socket: what framing costs, with the copy out of and into the stream. One
 * operation is one frame; {@code bytes} are those of its contents. With {@code -prof gc} it tells the allocation per frame.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class FramingBenchmark {
    @Param({"lengths", "lines"})
    public String codec = "lengths";

    @Param({"64", "1024", "65536"})
    public int size;

    private Framing framing = new Framing();

    /** Of the contents of frames, per second. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Contents {
        public long bytes;
    }

    /** Either codec, behind one face. */
    private static class Framing {
        long receive() throws IOException {
            throw new IllegalStateException("not set up");
        }

        void feed() throws IOException {
            throw new IllegalStateException("not set up");
        }
    }

    private static final class Of<T> extends Framing {
        private final FramedReader<T> reader;
        private final FramedWriter<T> writer;
        private final T frame;

        Of(Codec<T, T> reading, Codec<T, T> writing, T frame) throws IOException {
            this.frame = frame;
            FrameBuffer contents = new FrameBuffer(1024);
            while (contents.size() < 1 << 20) {
                writing.encode(frame, contents);
            }
            reader = FramedReader.of(new Endless(contents.toByteArray()), reading);
            writer = FramedWriter.of(new Endless(new byte[1 << 20]), writing);
        }

        @Override
        long receive() throws IOException {
            return Objects.hashCode(reader.receive());
        }

        @Override
        void feed() throws IOException {
            writer.feed(frame);
        }
    }

    @Setup
    public void open() throws IOException {
        byte[] contents = new byte[size];
        Arrays.fill(contents, (byte) 'x');
        framing = codec.equals("lines")
                ? new Of<>(LinesCodec.of(1 << 20), LinesCodec.of(1 << 20), "x".repeat(size))
                : new Of<>(LengthDelimitedCodec.create(), LengthDelimitedCodec.create(), contents);
    }

    @Benchmark
    public long receive(Contents counter) throws IOException {
        counter.bytes += size;
        return framing.receive();
    }

    @Benchmark
    public void feed(Contents counter) throws IOException {
        counter.bytes += size;
        framing.feed();
    }

    /** A stream that gives the same bytes again and again, and takes all. */
    private static final class Endless implements ByteStream {
        private final ByteBuffer bytes;

        Endless(byte[] bytes) {
            this.bytes = ByteBuffer.wrap(bytes);
        }

        @Override
        public int read(ByteBuffer target) {
            if (!bytes.hasRemaining()) {
                bytes.clear();
            }
            int count = Math.min(target.remaining(), bytes.remaining());
            target.put(target.position(), bytes, bytes.position(), count);
            target.position(target.position() + count);
            bytes.position(bytes.position() + count);
            return count;
        }

        @Override
        public int read(ByteBuffer target, Duration timeout) {
            return read(target);
        }

        @Override
        public int tryRead(ByteBuffer target) {
            return read(target);
        }

        @Override
        public int write(ByteBuffer source) {
            int count = Math.min(source.remaining(), bytes.capacity());
            bytes.put(0, source, source.position(), count);
            source.position(source.position() + count);
            return count;
        }

        @Override
        public void writeAll(ByteBuffer source) {
            while (source.hasRemaining()) {
                write(source);
            }
        }

        @Override
        public int tryWrite(ByteBuffer source) {
            return write(source);
        }

        @Override
        public Selectable<@Nullable Void> readable() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Selectable<@Nullable Void> writable() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void shutdownOutput() {
            // takes all
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {
            // holds nothing
        }
    }
}
