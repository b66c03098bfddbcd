package dev.kumihimo.io;

import dev.kumihimo.select.Selectable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where bytes come from: the input of a {@link ByteStream}, or what stands for one.
 *
 * <pre>{@code
 * ByteBuffer buffer = ByteBuffer.allocate(2048);
 * while (source.read(buffer) >= 0) {
 *     digest.update(buffer.flip());
 *     buffer.clear();
 * }
 * }</pre>
 *
 * <p>Threads, turns, interruption, cancellation, closing and memory are as in {@link ByteStream}.
 *
 * @since 0.1
 */
public interface ByteSource extends ReadableByteChannel {
    /**
     * Reads what is there, waiting until at least one byte is, or the end.
     *
     * @param target where to; without room nothing is read
     * @return how many bytes, or -1 at the end; 0 only if there is no room
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing was read
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed before
     * @throws IOException if the source fails
     */
    @Override
    int read(ByteBuffer target) throws IOException;

    /**
     * Reads what is there, waiting at most a given time for at least one byte or the end.
     *
     * @param target where to; without room nothing is read
     * @param timeout the longest wait; zero or negative does not wait
     * @return how many bytes, or -1 at the end; 0 only if there is no room
     * @throws java.net.SocketTimeoutException if none came in time; the interrupt flag is left alone
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing was read
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed before
     * @throws IOException if the source fails
     */
    int read(ByteBuffer target, Duration timeout) throws IOException;

    /**
     * Reads what is there now, if nobody else is reading or waits to. Never waits.
     *
     * @param target where to; without room nothing is read
     * @return how many bytes; 0 if nothing is there now, or somebody else reads; -1 at the end
     * @throws java.nio.channels.ClosedChannelException if closed
     * @throws IOException if the source fails
     */
    int tryRead(ByteBuffer target) throws IOException;

    /**
     * Reads what is there into memory from a pool, waiting until at least one byte is there, or the end. A socket or a TLS stream
     * takes that memory only once there may be something to read: ten thousand connections that are waited for need none.
     *
     * <pre>{@code
     * for (boolean ended = false; !ended; ) {
     *     try (PooledBuffer piece = stream.read(BufferPool.shared(), 16 * 1024)) {
     *         ended = piece == null || handle(piece.buffer());
     *     }
     * }
     * }</pre>
     *
     * <p>Where a source does not say otherwise, the memory is taken before the wait.
     *
     * @param pool what lends the memory
     * @param most the most bytes, 1 or more: the capacity that is taken
     * @return the bytes, ready to be got and to be closed; null at the end
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing was read
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed before
     * @throws IOException if the source fails
     * @throws IllegalArgumentException if {@code most} is less than 1
     * @throws IllegalStateException if the pool is closed
     */
    default @Nullable PooledBuffer read(BufferPool pool, int most) throws IOException {
        return Copying.filled(pool, most, this::read);
    }

    /**
     * As {@link #read(BufferPool, int)}, waiting at most a given time.
     *
     * @param pool what lends the memory
     * @param most the most bytes, 1 or more: the capacity that is taken
     * @param timeout the longest wait; zero or negative does not wait
     * @return the bytes, ready to be got and to be closed; null at the end
     * @throws java.net.SocketTimeoutException if none came in time; the interrupt flag is left alone
     * @throws IOException as {@link #read(BufferPool, int)} does
     */
    default @Nullable PooledBuffer read(BufferPool pool, int most, Duration timeout) throws IOException {
        return Copying.filled(pool, most, buffer -> read(buffer, timeout));
    }

    /**
     * {@return that there may be something to read, to be selected on} Nothing is read by it: use {@link #tryRead} then, since
     * another reader may have been quicker, or what came is no byte of this source after all. All who wait are woken. Ready
     * also at the end, and once the source has failed or is closed; reading then tells.
     */
    Selectable<@Nullable Void> readable();

    /**
     * {@return a view as a {@code java.io} stream} It has no buffer of its own, so views and direct reads mix; closing it closes
     * this. Its waits hold no monitor.
     */
    default InputStream inputStream() {
        return new StreamInput(this);
    }
}
