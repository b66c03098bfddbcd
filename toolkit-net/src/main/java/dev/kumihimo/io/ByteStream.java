package dev.kumihimo.io;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;

/**
 * A stream of bytes in each direction, over which tasks read and write as over blocking files.
 *
 * <pre>{@code
 * ByteBuffer buffer = ByteBuffer.allocate(2048);
 * while (stream.read(buffer) >= 0) {
 *     stream.writeAll(buffer.flip());
 *     buffer.clear();
 * }
 * }</pre>
 *
 * <p>Any thread may call any method. One thread may read while another writes; several that read, or several that write,
 * take turns in the order of their calls. A buffer belongs to the call until that returns.
 *
 * <p><b>Interruption and cancellation.</b> A wait that is interrupted or cancelled throws
 * {@link java.io.InterruptedIOException}, with the thread's interrupt flag set, and with a
 * {@link dev.kumihimo.runtime.TaskCancelledException} as its cause if it was cancelled. The stream stays open and no byte is
 * lost: a read has taken nothing, a write tells what it has written by the buffer's position and by
 * {@link java.io.InterruptedIOException#bytesTransferred}. A flag that stands for a cancelled region, such as the body of a
 * {@link dev.kumihimo.time.Timeout}, is cleared when that region is left.
 *
 * <p><b>Closing</b> ends the waits of other threads with {@link java.nio.channels.AsynchronousCloseException}; what is called
 * later throws {@link java.nio.channels.ClosedChannelException}.
 *
 * <p><b>Memory.</b> What a thread did before it wrote bytes happens-before what another does after it has read them only if
 * the implementation says so; a network does not.
 *
 * @since 0.1
 */
public interface ByteStream extends ByteChannel {
    /**
     * Reads what is there, waiting until at least one byte is, or the end of the stream.
     *
     * @param target where to; without room nothing is read
     * @return how many bytes, or -1 at the end of the stream; 0 only if there is no room
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing was read
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed before
     * @throws IOException if the stream fails
     */
    @Override
    int read(ByteBuffer target) throws IOException;

    /**
     * Writes what there is room for, waiting until that is at least one byte.
     *
     * @param source what to write; without bytes nothing is written
     * @return how many bytes
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing was written
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed, or the output shut down, before
     * @throws IOException if the stream fails
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
     * @throws IOException if the stream fails
     */
    void writeAll(ByteBuffer source) throws IOException;

    /**
     * Ends the output: the other side reads the end of the stream after what was written. Reading goes on. Never waits; a
     * write that waits meanwhile fails. Idempotent.
     *
     * @throws java.nio.channels.ClosedChannelException if closed
     * @throws IOException if the stream fails
     */
    void shutdownOutput() throws IOException;

    /**
     * {@return a view of the input as a {@code java.io} stream} It has no buffer of its own, so views and direct reads mix;
     * closing it closes this stream. Its waits hold no monitor.
     */
    default InputStream inputStream() {
        return new StreamInput(this);
    }

    /**
     * {@return a view of the output as a {@code java.io} stream} It has no buffer of its own: wrap it to write small pieces.
     * Closing it closes this stream. Its waits hold no monitor.
     */
    default OutputStream outputStream() {
        return new StreamOutput(this);
    }
}
