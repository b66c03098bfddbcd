package dev.kumihimo.io;

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
public interface ByteStream extends ByteSource, ByteSink, ByteChannel {
    /**
     * Splits this into its input and its output, for two tasks that end independently of each other. The stream is theirs from
     * then on: it is closed when both have been, and given back by {@link Halves#reunite}.
     *
     * @return the halves
     */
    default Halves split() {
        Split split = new Split(this);
        return new Halves(new ReadHalf(split), new WriteHalf(split));
    }
}
