package dev.kumihimo.io;

import dev.kumihimo.select.Selectable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import org.jspecify.annotations.Nullable;

/**
 * Where bytes go: the output of a {@link ByteStream}, or what stands for one.
 *
 * <pre>{@code
 * sink.writeAll(ByteBuffer.wrap(answer));
 * sink.shutdownOutput();
 * }</pre>
 *
 * <p>Threads, turns, interruption, cancellation, closing and memory are as in {@link ByteStream}.
 *
 * @since 0.1
 */
public interface ByteSink extends WritableByteChannel {
    /**
     * Writes what there is room for, waiting until that is at least one byte.
     *
     * @param source what to write; without bytes nothing is written
     * @return how many bytes
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing was written
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed, or the output shut down, before
     * @throws IOException if the sink fails
     */
    @Override
    int write(ByteBuffer source) throws IOException;

    /**
     * Writes all bytes, waiting for room as often as it takes; nobody else's bytes come between them.
     *
     * @param source what to write; its position tells how far it came, however it ends
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; {@code bytesTransferred} of the
     *     bytes have been written
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed, or the output shut down, before
     * @throws IOException if the sink fails
     */
    void writeAll(ByteBuffer source) throws IOException;

    /**
     * Writes what there is room for now, if nobody else is writing or waits to. Never waits.
     *
     * @param source what to write; without bytes nothing is written
     * @return how many bytes; 0 if there is no room now, or somebody else writes
     * @throws java.nio.channels.ClosedChannelException if closed, or the output shut down
     * @throws IOException if the sink fails
     */
    int tryWrite(ByteBuffer source) throws IOException;

    /**
     * {@return that there may be room to write, to be selected on} Nothing is written by it: use {@link #tryWrite} then, which
     * writes nothing if there is no room after all. All who wait are woken. Ready also once the sink has failed or is closed;
     * writing then tells.
     */
    Selectable<@Nullable Void> writable();

    /**
     * Ends the output: the other side reads the end after what was written. Reading goes on. Never waits for the other side; a
     * write that waits meanwhile fails. Idempotent.
     *
     * @throws java.nio.channels.ClosedChannelException if closed
     * @throws IOException if the sink fails
     */
    void shutdownOutput() throws IOException;

    /**
     * {@return a view as a {@code java.io} stream} It has no buffer of its own: wrap it to write small pieces. Closing it closes
     * this. Its waits hold no monitor.
     */
    default OutputStream outputStream() {
        return new StreamOutput(this);
    }
}
