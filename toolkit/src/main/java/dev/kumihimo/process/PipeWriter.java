package dev.kumihimo.process;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;

/*
 * The counterpart of PipeReader, whose comment says why: a pump takes chunks from a bounded channel and writes them to the
 * pipe. What was sent counts as written. The end of the channel is the end of the stream, after what was sent; if the pipe
 * is broken, the pump closes the channel with the error, and the next write has it.
 */

/**
 * A child's standard input, to be written to.
 *
 * <pre>{@code
 * try (Child child = Command.of("mail", "-s", subject, address).stdin(Stdio.PIPED).start()) {
 *     child.stdin().writeAll(text);
 *     child.stdin().close(); // the end of its input
 *     child.await();
 * }
 * }</pre>
 *
 * <p>Any thread may call any method; several that write take turns in the order of their calls. A write waits until its bytes are
 * accepted, without holding a carrier: at most 64 KiB are, beyond what is in the system's pipe, while the child does not read.
 * One platform thread, from the first write until the stream is closed or the child has ended, hands them on at once; there is
 * nothing to flush. That bytes were accepted does not mean that the child has read them.
 *
 * <p><b>Errors.</b> A child that has closed its input, or has ended, is told by an {@link IOException} of the next write.
 *
 * <p><b>Interruption and cancellation.</b> A wait that is interrupted or cancelled throws {@link InterruptedIOException}, with
 * the thread's interrupt flag set, and with a {@link dev.kumihimo.runtime.TaskCancelledException} as its cause if it was
 * cancelled. The stream stays open; the buffer's position and {@link InterruptedIOException#bytesTransferred} tell how many bytes
 * were accepted, and those reach the child.
 *
 * <p><b>Closing</b> ends the child's input after what was accepted. It ends the waits of others with
 * {@link AsynchronousCloseException}; what is called later throws {@link ClosedChannelException}.
 *
 * @since 0.1
 */
public final class PipeWriter implements WritableByteChannel {
    private final OutputStream target;
    private final String name;
    private final Thread pump;
    private final Channel<byte[]> chunks = Channel.bounded(PipeReader.CHUNKS);
    private final Semaphore turn = Semaphore.of(1);
    private final AtomicBoolean opened = new AtomicBoolean();
    private volatile boolean closed;

    /**
     * Creates the end of a pipe.
     *
     * @param target the JDK's stream of it
     * @param name what errors call it
     * @param threadName of the pump
     */
    PipeWriter(OutputStream target, String name, String threadName) {
        this.target = target;
        this.name = name;
        this.pump = Launch.thread(this::pump, threadName);
    }

    private void pump() {
        try (target) {
            for (byte[] chunk; (chunk = chunks.receiveOrNull()) != null; ) {
                target.write(chunk);
                target.flush();
            }
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            chunks.close(e); // without effect if that is what has ended it
        }
    }

    /* ---------------- Writing -------------- */

    /**
     * Writes what is accepted at once, up to 8 KiB, waiting until at least one byte is.
     *
     * @param source what to write; without bytes nothing is written
     * @return how many bytes
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing was written
     * @throws AsynchronousCloseException if closed while it waited
     * @throws ClosedChannelException if closed before
     * @throws IOException if the child has closed its standard input or has ended
     */
    @Override
    public int write(ByteBuffer source) throws IOException {
        try (Permit mine = enter()) {
            return source.hasRemaining() ? send(source) : 0;
        }
    }

    /**
     * Writes all bytes, waiting for room as often as it takes; nobody else's bytes come between them.
     *
     * @param source what to write; its position tells how far it came, however it ends
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; {@code bytesTransferred} of the bytes have
     *     been written
     * @throws AsynchronousCloseException if closed while it waited
     * @throws ClosedChannelException if closed before
     * @throws IOException if the child has closed its standard input or has ended
     */
    public void writeAll(ByteBuffer source) throws IOException {
        int start = source.position();
        try (Permit mine = enter()) {
            while (source.hasRemaining()) {
                send(source);
            }
        } catch (InterruptedIOException e) {
            e.bytesTransferred = source.position() - start;
            throw e;
        }
    }

    /**
     * Writes a text as UTF-8, see {@link #writeAll(ByteBuffer)}.
     *
     * @param text what to write
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; {@code bytesTransferred} bytes of its UTF-8
     *     form have been written
     * @throws AsynchronousCloseException if closed while it waited
     * @throws ClosedChannelException if closed before
     * @throws IOException if the child has closed its standard input or has ended
     */
    public void writeAll(String text) throws IOException {
        writeAll(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    /**
     * {@return a view as a {@code java.io} stream} It has no buffer of its own: wrap it to write small pieces. Closing it closes
     * this stream. Its waits hold no monitor.
     */
    public OutputStream outputStream() {
        return new View(this);
    }

    private Permit enter() throws IOException {
        ensureOpen();
        Permit permit;
        try {
            permit = turn.acquire();
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        }
        if (closed) { // while we waited
            permit.close();
            throw new AsynchronousCloseException();
        }
        return permit;
    }

    private int send(ByteBuffer source) throws IOException {
        byte[] chunk = new byte[Math.min(source.remaining(), PipeReader.CHUNK)];
        source.get(source.position(), chunk);
        open();
        try {
            chunks.send(chunk);
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        } catch (ChannelClosedException e) {
            throw closed ? new AsynchronousCloseException() : refused(e);
        }
        source.position(source.position() + chunk.length);
        return chunk.length;
    }

    private void open() {
        if (opened.compareAndSet(false, true)) { // else somebody has, or closes it, which the channel tells
            try {
                pump.start();
            } catch (Throwable noMemory) {
                chunks.close(noMemory);
                throw noMemory;
            }
        }
    }

    private IOException refused(ChannelClosedException e) {
        Throwable cause = e.getCause();
        return cause instanceof Ended ended
                ? new IOException(ended.getMessage())
                : new IOException(name + " cannot be written: the child has closed it", cause == null ? e : cause);
    }

    private void ensureOpen() throws ClosedChannelException {
        if (closed) {
            throw new ClosedChannelException();
        }
    }

    /* ---------------- Closing -------------- */

    @Override
    public boolean isOpen() {
        return !closed;
    }

    /** Ends the child's input, after what was accepted. Idempotent; never waits. */
    @Override
    public void close() {
        closed = true;
        chunks.close();
        if (opened.compareAndSet(false, true)) { // else the pump closes it
            Launch.closeQuietly(target);
        }
    }

    /** Told that there is nobody left to read it: a writer that waits is to know, and the pump to end. */
    void childEnded(ExitStatus status) {
        chunks.close(new Ended(name + " cannot be written: the child has ended with " + status));
    }

    @Override
    public String toString() {
        return name;
    }

    /** That the child has ended. */
    private static final class Ended extends Exception {
        private static final long serialVersionUID = 1;

        Ended(String message) {
            super(message, null, false, false);
        }
    }

    /** The stream for {@code java.io}. */
    private static final class View extends OutputStream {
        private final PipeWriter pipe;

        View(PipeWriter pipe) {
            this.pipe = pipe;
        }

        @Override
        public void write(int single) throws IOException {
            pipe.writeAll(ByteBuffer.wrap(new byte[] {(byte) single}));
        }

        @Override
        public void write(byte[] source, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, source.length);
            pipe.writeAll(ByteBuffer.wrap(source, offset, length));
        }

        @Override
        public void close() {
            pipe.close();
        }

        @Override
        public String toString() {
            return pipe.toString();
        }
    }
}
