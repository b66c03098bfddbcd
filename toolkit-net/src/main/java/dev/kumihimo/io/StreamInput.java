package dev.kumihimo.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Objects;

/** The input of a {@link ByteSource} for {@code java.io}. Unlike that of {@code Channels} it waits in no monitor. */
final class StreamInput extends InputStream {
    private final ByteSource stream;

    StreamInput(ByteSource stream) {
        this.stream = stream;
    }

    @Override
    public int read() throws IOException {
        byte[] single = new byte[1];
        return stream.read(ByteBuffer.wrap(single)) < 0 ? -1 : single[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, target.length);
        return length == 0 ? 0 : stream.read(ByteBuffer.wrap(target, offset, length));
    }

    @Override
    public void close() throws IOException {
        stream.close();
    }

    @Override
    public String toString() {
        return "input of " + stream;
    }
}
