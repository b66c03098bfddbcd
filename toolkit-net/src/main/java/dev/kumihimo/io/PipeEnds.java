package dev.kumihimo.io;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.select.Selectable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What reads from pipes and writes to them: one direction, or one of each. */
final class PipeEnds {
    private PipeEnds() {}

    /** The reading end of a pipe. */
    static class Output implements ByteSource {
        final Pipe in;

        Output(Pipe in) {
            this.in = in;
        }

        @Override
        public final int read(ByteBuffer target) throws IOException {
            return in.read(target, Deadlines.NEVER);
        }

        @Override
        public final int read(ByteBuffer target, Duration timeout) throws IOException {
            return in.read(target, Deadlines.of(timeout));
        }

        @Override
        public final int tryRead(ByteBuffer target) throws IOException {
            return in.read(target, Deadlines.TRY);
        }

        @Override
        public final Selectable<@Nullable Void> readable() {
            return in.readable();
        }

        @Override
        public final boolean isOpen() {
            return !in.isDropped();
        }

        @Override
        public void close() {
            in.drop();
        }

        @Override
        public String toString() {
            return "reading end of a " + in;
        }
    }

    /** One end of two pipes. */
    static final class Duplex extends Output implements ByteStream {
        private final Pipe out;

        Duplex(Pipe in, Pipe out) {
            super(in);
            this.out = out;
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            return out.write(source, Deadlines.NEVER);
        }

        @Override
        public void writeAll(ByteBuffer source) throws IOException {
            PipeEnds.writeAll(out, source);
        }

        @Override
        public int tryWrite(ByteBuffer source) throws IOException {
            return out.write(source, Deadlines.TRY);
        }

        @Override
        public Selectable<@Nullable Void> writable() {
            return out.writable();
        }

        @Override
        public void shutdownOutput() throws IOException {
            if (!isOpen()) {
                throw new ClosedChannelException();
            }
            out.end();
        }

        @Override
        public void close() {
            out.end();
            super.close();
        }

        @Override
        public String toString() {
            return "duplex end (in: " + in + ", out: " + out + ")";
        }
    }

    /** The writing end of a pipe. */
    static final class Input implements ByteSink {
        private final Pipe out;
        private volatile boolean closed;

        Input(Pipe out) {
            this.out = out;
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            return out.write(source, Deadlines.NEVER);
        }

        @Override
        public void writeAll(ByteBuffer source) throws IOException {
            PipeEnds.writeAll(out, source);
        }

        @Override
        public int tryWrite(ByteBuffer source) throws IOException {
            return out.write(source, Deadlines.TRY);
        }

        @Override
        public Selectable<@Nullable Void> writable() {
            return out.writable();
        }

        @Override
        public void shutdownOutput() throws IOException {
            if (closed) {
                throw new ClosedChannelException();
            }
            out.end();
        }

        @Override
        public boolean isOpen() {
            return !closed;
        }

        @Override
        public void close() {
            closed = true;
            out.end();
        }

        @Override
        public String toString() {
            return "writing end of a " + out;
        }
    }

    private static void writeAll(Pipe out, ByteBuffer source) throws IOException {
        int start = source.position();
        try {
            out.writeAll(source);
        } catch (InterruptedIOException e) {
            e.bytesTransferred = source.position() - start;
            throw e;
        }
    }
}
