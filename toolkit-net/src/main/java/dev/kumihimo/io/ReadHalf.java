package dev.kumihimo.io;

import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.select.Selectable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The input of a stream that was {@linkplain ByteStream#split() split}.
 *
 * <pre>{@code
 * Task.spawn(() -> {
 *     try (ReadHalf input = halves.input()) {
 *         receiveFrom(input);
 *     }
 * });
 * }</pre>
 *
 * <p>Reads as the stream does, whose threads, turns and interruption it has. Closing it ends the reads that wait through it, and
 * closes the stream if the other half is closed.
 *
 * @since 0.1
 */
public final class ReadHalf implements ByteSource {
    private interface Read<T extends @Nullable Object> {
        T from(ByteStream stream) throws IOException;
    }

    final Split split;

    ReadHalf(Split split) {
        this.split = split;
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        return unlessClosed(stream -> stream.read(target));
    }

    @Override
    public int read(ByteBuffer target, Duration timeout) throws IOException {
        return unlessClosed(stream -> stream.read(target, timeout));
    }

    @Override
    public @Nullable PooledBuffer read(BufferPool pool, int most) throws IOException {
        return this.<@Nullable PooledBuffer>unlessClosed(stream -> stream.read(pool, most));
    }

    @Override
    public @Nullable PooledBuffer read(BufferPool pool, int most, Duration timeout) throws IOException {
        return this.<@Nullable PooledBuffer>unlessClosed(stream -> stream.read(pool, most, timeout));
    }

    private <T extends @Nullable Object> T unlessClosed(Read<T> read) throws IOException {
        ensureOpen();
        try {
            return split.readEnd.<T, IOException>run(() -> read.from(split.stream));
        } catch (TaskCancelledException e) { // of the token: a cancellation of the caller comes as an IOException
            AsynchronousCloseException closed = new AsynchronousCloseException();
            closed.initCause(e);
            throw closed;
        }
    }

    @Override
    public int tryRead(ByteBuffer target) throws IOException {
        ensureOpen();
        return split.stream.tryRead(target);
    }

    /**
     * {@return that there may be something to read, to be selected on} As of the stream; a select that waits already is not told
     * that this half alone is closed.
     */
    @Override
    public Selectable<@Nullable Void> readable() {
        return Ready.either(() -> !isOpen(), split.stream::readable);
    }

    /**
     * {@return whether both are halves of one stream, of the same split}
     *
     * @param other the other half
     */
    public boolean isPairOf(WriteHalf other) {
        return split == other.split;
    }

    private void ensureOpen() throws ClosedChannelException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
    }

    @Override
    public boolean isOpen() {
        return split.isOpen(Split.READ);
    }

    /**
     * Ends this half, and closes the stream if the other half is closed. Ends the waits of other threads in this half. Idempotent;
     * does nothing once the halves have been reunited.
     *
     * @throws IOException if closing the stream fails; it is closed nevertheless
     */
    @Override
    public void close() throws IOException {
        if (split.close(Split.READ)) {
            split.readEnd.cancel();
            split.closeIfLast();
        }
    }

    @Override
    public String toString() {
        return "input of " + split.stream;
    }
}
