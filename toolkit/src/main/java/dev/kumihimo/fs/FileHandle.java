package dev.kumihimo.fs;

import dev.kumihimo.internal.wait.Points;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * An open file.
 *
 * <pre>{@code
 * try (FileHandle file = FileHandle.open(path, READ, WRITE, CREATE)) {
 *     file.writeAll(header, 0);
 *     file.force(false);
 *     file.readFully(record, 4096);
 * }
 * }</pre>
 *
 * <p>Each call returns when its work is done, by the operating system and not necessarily by the disk, see {@link #force}, and
 * throws its own error: nothing is buffered here, nothing is left to a later call, nothing has to be flushed.
 *
 * <p>Any number of threads may use one handle. Those without a position in their arguments share the handle's own, and go one
 * after the other; the others go side by side. A buffer belongs to the operation until that has ended, which is when it returns
 * or throws.
 *
 * <p><b>Interruption and cancellation.</b> As in {@link Fs}: an operation that has begun ends with its own result, and a call that
 * throws {@link InterruptedException} has not begun; {@link #readFully(ByteBuffer) readFully}, {@link #writeAll(ByteBuffer)
 * writeAll} and {@link #transferTo} consist of several operations. An interrupted or cancelled call leaves the file open, as
 * {@link FileChannel} would not; but {@link Thread#interrupt()} on the thread of a blocking job, in the middle of an operation that
 * it does itself, closes the file, and the operation fails with a {@link java.nio.channels.ClosedByInterruptException}.
 *
 * @since 0.1
 */
public final class FileHandle implements AutoCloseable {
    private static final int TRANSFER_BYTES = 64 * 1024;

    private final Path path;
    private final FileChannel channel;

    FileHandle(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /**
     * Opens or creates a file.
     *
     * @param path where
     * @param options as for {@link FileChannel#open(Path, OpenOption...)}; none means for reading
     * @return the open file; whoever opened it closes it
     * @throws java.nio.file.NoSuchFileException if there is none, and it is not to be created
     * @throws IOException if it cannot be opened
     * @throws IllegalArgumentException if the options contradict each other
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was opened or created
     */
    public static FileHandle open(Path path, OpenOption... options) throws IOException, InterruptedException {
        FileHandle file = FileWork.call(path, () -> new FileHandle(path, FileChannel.open(path, options)));
        if (Points.ON) {
            Points.made(file, aborted -> file.isOpen() ? "not closed" : null);
        }
        return file;
    }

    /** {@return the path that it was opened with} */
    public Path path() {
        return path;
    }

    /** {@return whether it has not been closed} */
    public boolean isOpen() {
        return channel.isOpen();
    }

    /* ---------------- Reading -------------- */

    /**
     * Reads some bytes at the handle's position, which moves on.
     *
     * @param buffer where to put them
     * @return how many, at least 1 unless the buffer is full; at most 1 MiB in one call; -1 at the end of the file
     * @throws IOException if it fails; {@link java.nio.channels.ClosedChannelException} if the handle is closed
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was read
     */
    public int read(ByteBuffer buffer) throws IOException, InterruptedException {
        return FileWork.<Integer>call(path, () -> step(buffer, channel::read));
    }

    /**
     * Reads some bytes at a position. That of the handle stays.
     *
     * @param buffer where to put them
     * @param position from where, 0 or more; behind the end of the file there is nothing
     * @return how many, at least 1 unless the buffer is full; at most 1 MiB in one call; -1 at the end of the file
     * @throws IOException if it fails; {@link java.nio.channels.ClosedChannelException} if the handle is closed
     * @throws IllegalArgumentException if the position is negative
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was read
     */
    public int read(ByteBuffer buffer, long position) throws IOException, InterruptedException {
        checkNotNegative("position", position);
        return FileWork.<Integer>call(path, () -> step(buffer, part -> channel.read(part, position)));
    }

    /**
     * Fills a buffer with the bytes at the handle's position, which moves on.
     *
     * @param buffer what to fill; if this throws, its position tells how much was read
     * @throws EOFException if the file ends first
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began or between two operations of a megabyte
     */
    public void readFully(ByteBuffer buffer) throws IOException, InterruptedException {
        while (buffer.hasRemaining()) {
            checkNotEnded(read(buffer), buffer);
        }
    }

    /**
     * Fills a buffer with the bytes at a position. That of the handle stays.
     *
     * @param buffer what to fill; if this throws, its position tells how much was read
     * @param position from where, 0 or more
     * @throws EOFException if the file ends first
     * @throws IOException if it fails
     * @throws IllegalArgumentException if the position is negative
     * @throws InterruptedException if interrupted or cancelled before it began or between two operations of a megabyte
     */
    public void readFully(ByteBuffer buffer, long position) throws IOException, InterruptedException {
        checkNotNegative("position", position);
        for (long at = position; buffer.hasRemaining(); ) {
            at += checkNotEnded(read(buffer, at), buffer);
        }
    }

    private int checkNotEnded(int count, ByteBuffer buffer) throws EOFException {
        if (count < 0) {
            throw new EOFException(path + ": the file ends " + buffer.remaining() + " bytes too early");
        }
        return count;
    }

    /**
     * Hands bytes of the file to a channel, such as a socket. That is written to by the calling thread and may wait; to another
     * file, {@link Fs#copy} leads without holding a carrier. The handle's position stays.
     *
     * @param position from where, 0 or more
     * @param count how many at most, 0 or more
     * @param target what to write to; blocking
     * @return how many: fewer than asked for if the file ends before
     * @throws IOException if it fails, or the target does
     * @throws IllegalArgumentException if the position or the count is negative
     * @throws InterruptedException if interrupted or cancelled before an operation on the file; what was handed over so far is not
     *     told
     */
    public long transferTo(long position, long count, WritableByteChannel target)
            throws IOException, InterruptedException {
        checkNotNegative("position", position);
        checkNotNegative("count", count);
        ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(count, TRANSFER_BYTES));
        long done = 0;
        while (done < count) {
            buffer.clear().limit((int) Math.min(count - done, buffer.capacity()));
            int read = read(buffer, position + done);
            if (read < 0) {
                break;
            }
            buffer.flip();
            while (buffer.hasRemaining()) {
                target.write(buffer);
            }
            done += read;
        }
        return done;
    }

    /* ---------------- Writing -------------- */

    /**
     * Writes some bytes at the handle's position, which moves on; at the end of the file if it was opened to append.
     *
     * @param buffer where they are; its position tells how many were written
     * @return how many, at most 1 MiB in one call
     * @throws IOException if it fails; {@link java.nio.channels.ClosedChannelException} if the handle is closed
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was written
     */
    public int write(ByteBuffer buffer) throws IOException, InterruptedException {
        return FileWork.<Integer>call(path, () -> step(buffer, channel::write));
    }

    /**
     * Writes some bytes at a position. That of the handle stays. A file that ends before it grows, with unspecified bytes between.
     *
     * @param buffer where they are; its position tells how many were written
     * @param position where to, 0 or more; what a file does with it that was opened to append depends on the system
     * @return how many, at most 1 MiB in one call
     * @throws IOException if it fails; {@link java.nio.channels.ClosedChannelException} if the handle is closed
     * @throws IllegalArgumentException if the position is negative
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was written
     */
    public int write(ByteBuffer buffer, long position) throws IOException, InterruptedException {
        checkNotNegative("position", position);
        return FileWork.<Integer>call(path, () -> step(buffer, part -> channel.write(part, position)));
    }

    /**
     * Writes all bytes of a buffer at the handle's position, which moves on. Up to a megabyte is written whole or, if interrupted
     * or cancelled, not at all. Of several threads that write more, the megabytes may alternate.
     *
     * @param buffer where they are; if this throws, its position tells how much was written
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began or between two operations of a megabyte
     */
    public void writeAll(ByteBuffer buffer) throws IOException, InterruptedException {
        while (buffer.hasRemaining()) {
            write(buffer);
        }
    }

    /**
     * Writes all bytes of a buffer at a position, as {@link #writeAll(ByteBuffer)}. That of the handle stays.
     *
     * @param buffer where they are; if this throws, its position tells how much was written
     * @param position where to, 0 or more
     * @throws IOException if it fails
     * @throws IllegalArgumentException if the position is negative
     * @throws InterruptedException if interrupted or cancelled before it began or between two operations of a megabyte
     */
    public void writeAll(ByteBuffer buffer, long position) throws IOException, InterruptedException {
        checkNotNegative("position", position);
        for (long at = position; buffer.hasRemaining(); ) {
            at += write(buffer, at);
        }
    }

    /**
     * Waits until what was written has reached the disk, as far as the system tells.
     *
     * @param metadata whether times and the like are to be as well; the size always is
     * @throws IOException if it fails: what was written before may be lost
     * @throws InterruptedException if interrupted or cancelled before it began
     */
    public void force(boolean metadata) throws IOException, InterruptedException {
        FileWork.<@Nullable Void>call(path, () -> {
            channel.force(metadata);
            return null;
        });
    }

    /**
     * Cuts the file off. If it is shorter, it stays; a position of the handle behind its end moves there.
     *
     * @param size how many bytes stay, 0 or more
     * @throws IOException if it fails
     * @throws IllegalArgumentException if the size is negative
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was cut off
     */
    public void truncate(long size) throws IOException, InterruptedException {
        checkNotNegative("size", size);
        FileWork.call(path, () -> channel.truncate(size));
    }

    /* ---------------- Size and position -------------- */

    /**
     * {@return how many bytes the file has}
     *
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began
     */
    public long size() throws IOException, InterruptedException {
        return FileWork.<Long>call(path, channel::size);
    }

    /**
     * {@return where the next read or write without a position begins}
     *
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began
     */
    public long position() throws IOException, InterruptedException {
        return FileWork.<Long>call(path, channel::position);
    }

    /**
     * Sets where the next read or write without a position begins.
     *
     * @param position 0 or more, also behind the end of the file
     * @throws IOException if it fails
     * @throws IllegalArgumentException if the position is negative
     * @throws InterruptedException if interrupted or cancelled before it began; it has not moved
     */
    public void position(long position) throws IOException, InterruptedException {
        checkNotNegative("position", position);
        FileWork.call(path, () -> channel.position(position));
    }

    /**
     * Closes the file; does nothing if it is closed. Operations of other threads end with an
     * {@link java.nio.channels.AsynchronousCloseException}. Cannot be interrupted or cancelled, and does not force.
     *
     * @throws IOException if the system reports an error; the file is closed nevertheless
     */
    @Override
    public void close() throws IOException {
        if (channel.isOpen()) {
            FileWork.<@Nullable Void>finish(path, () -> {
                channel.close();
                return null;
            });
        }
    }

    @Override
    public String toString() {
        return "FileHandle[" + path + (isOpen() ? "]" : ", closed]");
    }

    /* ---------------- One operation -------------- */

    @FunctionalInterface
    private interface Operation {
        int apply(ByteBuffer part) throws IOException;
    }

    private static int step(ByteBuffer buffer, Operation operation) throws IOException {
        int limit = buffer.limit();
        buffer.limit(buffer.position() + Math.min(buffer.remaining(), FileWork.STEP_BYTES));
        try {
            return operation.apply(buffer);
        } finally {
            buffer.limit(limit);
        }
    }

    private static void checkNotNegative(String name, long value) {
        if (value < 0) {
            throw new IllegalArgumentException(name + "=" + value + " must not be negative");
        }
    }
}
