package dev.kumihimo.io;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.task.CancellationToken;
import dev.kumihimo.task.JoinSet;
import java.io.Flushable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Copying in one direction, and in both. */
final class Copying {
    /** The most that is read at once: larger memory is not pooled, and would be made anew for each read. */
    private static final int MOST = 1 << 20;

    private Copying() {}

    /** A read of what is to be copied, as a deadline of {@link Deadlines} says. */
    interface Reading {
        int read(long deadline) throws IOException;
    }

    /** A read into a buffer. */
    interface Filling {
        int read(ByteBuffer target) throws IOException;
    }

    static int checkSize(int bufferSize) {
        if (bufferSize < 1) {
            throw new IllegalArgumentException("bufferSize=" + bufferSize + " must be at least 1");
        }
        return bufferSize;
    }

    /** Copies until the end, and flushes. */
    static long copy(ByteSource source, ByteSink sink, int bufferSize) throws IOException {
        long count = source instanceof ByteReader reader ? reader.copyTo(sink) : copyThrough(source, sink, bufferSize);
        if (sink instanceof Flushable buffering) {
            try {
                buffering.flush();
            } catch (InterruptedIOException e) {
                e.bytesTransferred = (int) Math.min(count, Integer.MAX_VALUE); // the sink has taken all of them
                throw e;
            }
        }
        return count;
    }

    private static long copyThrough(ByteSource source, ByteSink sink, int bufferSize) throws IOException {
        long count = 0;
        try {
            while (true) {
                try (PooledBuffer piece = next(source, sink, Math.min(bufferSize, MOST))) {
                    if (piece == null) {
                        return count;
                    }
                    ByteBuffer bytes = piece.buffer();
                    sink.writeAll(bytes);
                    count += bytes.position();
                }
            }
        } catch (InterruptedIOException e) {
            e.bytesTransferred = (int) Math.min(count + e.bytesTransferred, Integer.MAX_VALUE);
            throw e;
        }
    }

    /** The next bytes, or null at the end. Until they come no memory is held, if the source can do that. */
    private static @Nullable PooledBuffer next(ByteSource source, ByteSink sink, int bufferSize) throws IOException {
        BufferPool pool = BufferPool.shared();
        if (sink instanceof Flushable buffering) {
            PooledBuffer there = SourceView.read(source, pool, bufferSize, Deadlines.TRY);
            if (there == null || there.buffer().hasRemaining()) {
                return there;
            }
            there.close();
            flush(buffering);
        }
        return source.read(pool, bufferSize);
    }

    /** Reads the next bytes. If it has to wait for them, it sends on first what the sink keeps back: they may be the answer. */
    static int next(Reading source, ByteSink sink) throws IOException {
        if (sink instanceof Flushable buffering) {
            int count = source.read(Deadlines.TRY);
            if (count != 0) {
                return count;
            }
            flush(buffering);
        }
        return source.read(Deadlines.NEVER);
    }

    private static void flush(Flushable sink) throws IOException {
        try {
            sink.flush();
        } catch (InterruptedIOException e) {
            e.bytesTransferred = 0; // those have been counted
            throw e;
        }
    }

    /** What is read into memory from a pool, perhaps nothing; null at the end. */
    static @Nullable PooledBuffer filled(BufferPool pool, int most, Filling filling) throws IOException {
        if (most < 1) {
            throw new IllegalArgumentException("most=" + most + " must be at least 1");
        }
        PooledBuffer piece = pool.take(most);
        int count = -1;
        try {
            count = filling.read(piece.buffer());
        } finally {
            if (count < 0) {
                piece.close();
            }
        }
        if (count < 0) {
            return null;
        }
        piece.buffer().flip();
        return piece;
    }

    /**
     * Copies in both directions: one in a child, one in the calling thread. A child that fails cancels a region around the other
     * copy; what the caller's copy throws closes the set, which aborts the child and waits for it.
     */
    static ByteStreams.Copied copyBoth(ByteStream first, ByteStream second, int bufferSize) throws IOException {
        CancellationToken failed = CancellationToken.create("copyBidirectional");
        try (JoinSet<Long> child = JoinSet.open()) {
            child.spawn(() -> {
                try {
                    return copyOneWay(second, first, bufferSize);
                } catch (Throwable e) {
                    failed.cancel("the other direction has failed");
                    throw e;
                }
            });
            long toSecond = -1;
            try {
                toSecond = failed.<Long, IOException>run(() -> copyOneWay(first, second, bufferSize));
            } catch (TaskCancelledException e) {
                // the child's result tells why
            }
            JoinResult<Long> other = Objects.requireNonNull(child.joinNext(), "the child was joined twice");
            return switch (other) {
                case JoinResult.Success<Long>(Long toFirst) -> new ByteStreams.Copied(toSecond, toFirst);
                case JoinResult.Failure<Long>(Throwable exception) -> throw rethrown(exception);
                case JoinResult.Cancelled<Long>(var reason) ->
                    throw new IOException("copying from " + second + " to " + first + " was cancelled: " + reason);
            };
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        }
    }

    private static long copyOneWay(ByteStream source, ByteStream sink, int bufferSize) throws IOException {
        long count = copy(source, sink, bufferSize);
        sink.shutdownOutput();
        return count;
    }

    /** {@return the exception, if it may be thrown as it is; else throws it} */
    private static IOException rethrown(Throwable exception) {
        if (exception instanceof IOException e) {
            return e;
        }
        if (exception instanceof RuntimeException e) {
            throw e;
        }
        if (exception instanceof Error e) {
            throw e;
        }
        return new IOException(exception);
    }
}
