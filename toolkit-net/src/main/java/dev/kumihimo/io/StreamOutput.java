package dev.kumihimo.io;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/** The output of a {@link ByteSink} for {@code java.io}. Unlike that of {@code Channels} it waits in no monitor. */
final class StreamOutput extends OutputStream {
    private final ByteSink stream;

    StreamOutput(ByteSink stream) {
        this.stream = stream;
    }

    @Override
    public void write(int single) throws IOException {
        stream.writeAll(ByteBuffer.wrap(new byte[] {(byte) single}));
    }

    @Override
    public void write(byte[] source, int offset, int length) throws IOException {
        stream.writeAll(ByteBuffer.wrap(source, offset, length));
    }

    @Override
    public void close() throws IOException {
        stream.close();
    }

    @Override
    public String toString() {
        return "output of " + stream;
    }
}
