package dev.kumihimo.tls;

import dev.kumihimo.io.ByteStream;
import dev.kumihimo.select.Selectable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;

/** A stream that passes on to another, for tests that change something in between. */
class Below implements ByteStream {
    final ByteStream stream;
    private final int piece;

    /** @param piece the most bytes that one call reads or writes */
    Below(ByteStream stream, int piece) {
        this.stream = stream;
        this.piece = piece;
    }

    private interface Operation {
        int on(ByteBuffer buffer) throws IOException;
    }

    private int inPieces(ByteBuffer buffer, Operation operation) throws IOException {
        int limit = buffer.limit();
        buffer.limit(buffer.position() + Math.min(piece, buffer.remaining()));
        try {
            return operation.on(buffer);
        } finally {
            buffer.limit(limit);
        }
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        return inPieces(target, stream::read);
    }

    @Override
    public int read(ByteBuffer target, Duration timeout) throws IOException {
        return inPieces(target, part -> stream.read(part, timeout));
    }

    @Override
    public int tryRead(ByteBuffer target) throws IOException {
        return inPieces(target, stream::tryRead);
    }

    @Override
    public Selectable<Void> readable() {
        return stream.readable();
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        return inPieces(source, stream::write);
    }

    @Override
    public void writeAll(ByteBuffer source) throws IOException {
        stream.writeAll(source);
    }

    @Override
    public int tryWrite(ByteBuffer source) throws IOException {
        return inPieces(source, stream::tryWrite);
    }

    @Override
    public Selectable<Void> writable() {
        return stream.writable();
    }

    @Override
    public void shutdownOutput() throws IOException {
        stream.shutdownOutput();
    }

    @Override
    public boolean isOpen() {
        return stream.isOpen();
    }

    @Override
    public void close() throws IOException {
        stream.close();
    }
}
