package dev.kumihimo.io;

import dev.kumihimo.internal.stream.Deadlines;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What the sources made from other sources have in common: one method for the three ways to wait. */
abstract class SourceView implements ByteSource {
    @Override
    public final int read(ByteBuffer target) throws IOException {
        return readOpen(target, Deadlines.NEVER);
    }

    @Override
    public final int read(ByteBuffer target, Duration timeout) throws IOException {
        return readOpen(target, Deadlines.of(timeout));
    }

    @Override
    public final int tryRead(ByteBuffer target) throws IOException {
        return readOpen(target, Deadlines.TRY);
    }

    private int readOpen(ByteBuffer target, long deadline) throws IOException {
        ensureOpen();
        return target.hasRemaining() ? readBefore(target, deadline) : 0;
    }

    /** Reads, as the deadline says, into a buffer that has room. */
    abstract int readBefore(ByteBuffer target, long deadline) throws IOException;

    final void ensureOpen() throws ClosedChannelException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
    }

    /** Reads from another source, as the deadline says. */
    static int read(ByteSource source, ByteBuffer target, long deadline) throws IOException {
        return deadline == Deadlines.NEVER
                ? source.read(target)
                : deadline == Deadlines.TRY
                        ? source.tryRead(target)
                        : source.read(target, Deadlines.remaining(deadline));
    }

    /** Reads from another source into memory from a pool, as the deadline says; null at the end. */
    static @Nullable PooledBuffer read(ByteSource source, BufferPool pool, int most, long deadline) throws IOException {
        return deadline == Deadlines.NEVER
                ? source.read(pool, most)
                : deadline == Deadlines.TRY
                        ? Copying.filled(pool, most, source::tryRead)
                        : source.read(pool, most, Deadlines.remaining(deadline));
    }

    /** As {@link #read(ByteSource, ByteBuffer, long)}, at most so many bytes. */
    static int readAtMost(ByteSource source, ByteBuffer target, long most, long deadline) throws IOException {
        int limit = target.limit();
        target.limit(target.position() + (int) Math.min(most, target.remaining()));
        try {
            return read(source, target, deadline);
        } finally {
            target.limit(limit);
        }
    }
}
