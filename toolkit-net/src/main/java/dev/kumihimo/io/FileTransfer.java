package dev.kumihimo.io;

import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/*
 * An interrupt in the middle of a read closes a FileChannel. So the job that reads is shielded; it reads one piece, and the
 * caller waits until it has ended, interrupted or not, since its buffer goes back to the pool.
 */

/**
 * Sends files to streams.
 *
 * <pre>{@code
 * stream.writeAll(header);
 * FileTransfer.transfer(Path.of("index.html"), 0, Long.MAX_VALUE, stream);
 * }</pre>
 *
 * <p>A sink that can take bytes from a file without their coming into this process, as a TCP connection can, is a
 * {@link Target} and does so; for any other the file is read in pieces on the blocking pool.
 *
 * @since 0.1
 */
public final class FileTransfer {
    /** Large, since each piece is handed to another thread and back. */
    private static final int PIECE = 256 * 1024;

    private FileTransfer() {}

    /**
     * A sink that takes bytes from a file by itself.
     *
     * <pre>{@code
     * long sent = target.writeFrom(file, 0, file.size());
     * }</pre>
     *
     * @since 0.1
     */
    public interface Target {
        /**
         * Writes bytes of a file, waiting for room as often as it takes; nobody else's bytes come between them. The file's own
         * position stays where it is, and the file open, also if this is interrupted.
         *
         * @param file open for reading
         * @param position from where, 0 or more
         * @param count how many bytes, 0 or more
         * @return how many were written: fewer than asked for only if the file ends before
         * @throws InterruptedIOException if interrupted or cancelled while it would wait; {@code bytesTransferred} have been
         *     written, or more if that is {@link Integer#MAX_VALUE}
         * @throws java.nio.channels.AsynchronousCloseException if the sink was closed while it waited
         * @throws java.nio.channels.ClosedChannelException if the sink, its output or the file was closed before
         * @throws IOException if the sink or the file fails
         * @throws IllegalArgumentException if the position or the count is negative
         */
        long writeFrom(FileChannel file, long position, long count) throws IOException;
    }

    /**
     * Writes bytes of an open file to a sink, waiting for the file and for room as often as it takes. The file's own position
     * stays where it is, and the file open. In a sink that is no {@link Target}, bytes that others write may come between.
     *
     * @param file open for reading
     * @param position from where, 0 or more; behind the end of the file there is nothing
     * @param count how many bytes, 0 or more; {@link Long#MAX_VALUE} for all up to the end
     * @param sink where to
     * @return how many were written: fewer than asked for only if the file ends before
     * @throws InterruptedIOException if interrupted or cancelled, which it looks for between pieces, too; {@code bytesTransferred}
     *     have been written, or more if that is {@link Integer#MAX_VALUE}
     * @throws java.nio.channels.AsynchronousCloseException if the sink was closed while it waited
     * @throws java.nio.channels.ClosedChannelException if the sink, its output or the file was closed before
     * @throws IOException if the sink or the file fails
     * @throws IllegalArgumentException if the position or the count is negative
     */
    public static long transfer(FileChannel file, long position, long count, ByteSink sink) throws IOException {
        checkNotNegative("position", position);
        checkNotNegative("count", count);
        return sink instanceof Target target
                ? target.writeFrom(file, position, count)
                : copy(file, position, count, sink);
    }

    /**
     * Writes bytes of a file to a sink, as {@link #transfer(FileChannel, long, long, ByteSink)}. It is opened on the blocking
     * pool, and closed however this ends.
     *
     * @param file where it is
     * @param position from where, 0 or more; behind the end of the file there is nothing
     * @param count how many bytes, 0 or more; {@link Long#MAX_VALUE} for all up to the end
     * @param sink where to
     * @return how many were written: fewer than asked for only if the file ends before
     * @throws java.nio.file.NoSuchFileException if there is no such file
     * @throws InterruptedIOException if interrupted or cancelled, which it looks for between pieces, too; {@code bytesTransferred}
     *     have been written, or more if that is {@link Integer#MAX_VALUE}
     * @throws java.nio.channels.AsynchronousCloseException if the sink was closed while it waited
     * @throws java.nio.channels.ClosedChannelException if the sink or its output was closed before
     * @throws IOException if the sink or the file fails
     * @throws IllegalArgumentException if the position or the count is negative
     */
    public static long transfer(Path file, long position, long count, ByteSink sink) throws IOException {
        checkNotNegative("position", position);
        checkNotNegative("count", count);
        try (FileChannel opened = open(file)) { // has nothing to write back, so closing it holds nobody up
            return transfer(opened, position, count, sink);
        }
    }

    private static void checkNotNegative(String name, long value) {
        if (value < 0) {
            throw new IllegalArgumentException(name + "=" + value + " must be at least 0");
        }
    }

    /* ---------------- In pieces -------------- */

    private static long copy(FileChannel file, long position, long count, ByteSink sink) throws IOException {
        if (count == 0) {
            return 0;
        }
        long done = 0;
        try (PooledBuffer piece = BufferPool.shared().take((int) Math.min(count, PIECE))) {
            ByteBuffer buffer = piece.buffer();
            while (done < count) {
                buffer.clear().limit((int) Math.min(count - done, buffer.capacity()));
                if (read(file, buffer, position + done) < 0) {
                    break;
                }
                sink.writeAll(buffer.flip());
                done += buffer.limit();
            }
            return done;
        } catch (InterruptedIOException e) {
            e.bytesTransferred = (int) Math.min(Integer.MAX_VALUE, done + e.bytesTransferred); // now of all pieces
            throw e;
        }
    }

    private interface FileWork {
        void run() throws IOException;
    }

    private static int read(FileChannel file, ByteBuffer buffer, long position) throws IOException {
        AtomicReference<@Nullable Integer> count = new AtomicReference<>();
        onBlockingPool(() -> count.set(file.read(buffer, position)));
        return Objects.requireNonNull(count.get());
    }

    private static FileChannel open(Path path) throws IOException {
        AtomicReference<@Nullable FileChannel> opened = new AtomicReference<>();
        try {
            onBlockingPool(() -> opened.set(FileChannel.open(path, StandardOpenOption.READ)));
        } catch (InterruptedIOException e) {
            FileChannel late = opened.get();
            if (late != null) {
                late.close();
            }
            throw e;
        }
        return Objects.requireNonNull(opened.get());
    }

    /** Returns, or throws, when the work has ended; interrupts do not reach it. A blocking job does it itself. */
    private static void onBlockingPool(FileWork work) throws IOException {
        try {
            Task.checkCancelled(); // else a file and a sink that are always quick would never notice
            if (Task.currentOrNull() != null && !Thread.currentThread().isVirtual()) {
                Task.<IOException>shield(work::run);
                return;
            }
            Task.<IOException>blocking(() -> Task.<IOException>shield(work::run));
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        }
    }
}
