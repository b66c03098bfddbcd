package dev.kumihimo.io;

import dev.kumihimo.select.Selectable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;

/**
 * The output of a stream that was {@linkplain ByteStream#split() split}.
 *
 * <pre>{@code
 * try (WriteHalf output = halves.output()) {
 *     sendTo(output);
 * } // the other side reads the end
 * }</pre>
 *
 * <p>Writes as the stream does, whose threads, turns and interruption it has. Closing it shuts the output down, unless it is
 * {@linkplain #forget() forgotten} instead; and closes the stream if the other half is closed.
 *
 * @since 0.1
 */
public final class WriteHalf implements ByteSink {
    final Split split;

    WriteHalf(Split split) {
        this.split = split;
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        ensureOpen();
        return split.stream.write(source);
    }

    @Override
    public void writeAll(ByteBuffer source) throws IOException {
        ensureOpen();
        split.stream.writeAll(source);
    }

    @Override
    public int tryWrite(ByteBuffer source) throws IOException {
        ensureOpen();
        return split.stream.tryWrite(source);
    }

    @Override
    public Selectable<@Nullable Void> writable() {
        return Ready.either(() -> !isOpen(), split.stream::writable);
    }

    @Override
    public void shutdownOutput() throws IOException {
        ensureOpen();
        split.stream.shutdownOutput();
    }

    /**
     * {@return whether both are halves of one stream, of the same split}
     *
     * @param other the other half
     */
    public boolean isPairOf(ReadHalf other) {
        return split == other.split;
    }

    private void ensureOpen() throws ClosedChannelException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
    }

    @Override
    public boolean isOpen() {
        return split.isOpen(Split.WRITE);
    }

    /**
     * Ends this half as {@link #close()} does, but leaves the output as it is: the other side does not read the end before the
     * stream is closed, which it is at once if the other half is closed. A write that waits goes on. Idempotent; does nothing
     * once the halves have been reunited.
     *
     * @throws IOException if closing the stream fails; it is closed nevertheless
     */
    public void forget() throws IOException {
        if (split.close(Split.WRITE)) {
            split.closeIfLast();
        }
    }

    /**
     * Shuts the output down, and ends this half; closes the stream if the other half is closed. Ends the waits of other threads
     * in this half. Idempotent; does nothing once the halves have been reunited.
     *
     * @throws IOException if the stream fails; this half is closed nevertheless
     */
    @Override
    public void close() throws IOException {
        if (!split.close(Split.WRITE)) {
            return;
        }
        try {
            if (split.stream.isOpen()) {
                split.stream.shutdownOutput();
            }
        } catch (ClosedChannelException e) {
            // somebody has closed the stream meanwhile: there is no output to shut down
        } finally {
            split.closeIfLast();
        }
    }

    @Override
    public String toString() {
        return "output of " + split.stream;
    }
}
