package dev.kumihimo.process;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/*
 * A read of a pipe blocks in native code, and no select knows pipes of the JDK. So a platform thread of its own, the pump,
 * reads the pipe and sends what it gets through a bounded channel, in which tasks wait. It begins with the first read, and
 * waits while the channel is full: then the pipe fills up, and the child waits.
 *
 * Fields: bytes, start, end: guarded by the turn; what has left the channel and is not read yet. A wait that ends otherwise
 * leaves all of it there, so nothing is lost. opened: set by who begins to use the source, be it the pump or a close: what
 * is closed before it was read has no pump. closed: set before the channel is closed, so that who sees the end sees it.
 */

/**
 * What a child writes to its standard output or standard error, to be read.
 *
 * <pre>{@code
 * try (Child child = Command.of("journalctl", "-f").stdout(Stdio.PIPED).start()) {
 *     for (String line; (line = child.stdout().readLine()) != null; ) {
 *         handle(line);
 *     }
 * }
 * }</pre>
 *
 * <p>Any thread may call any method; several that read take turns in the order of their calls. A read waits for the child to
 * write something, to close the stream or to end, without holding a carrier. Behind it one platform thread, from the first read
 * to the end of the stream, reads ahead at most 64 KiB; a child that is not read waits once that and the system's pipe are full.
 *
 * <p>The stream ends when every process that has it open has closed it or ended. That may be one that the child has left
 * behind; the JDK does not wait for those longer than a read that is under way when the child ends, and their output after that
 * may be cut off.
 *
 * <p><b>Interruption and cancellation.</b> A wait that is interrupted or cancelled throws
 * {@link java.io.InterruptedIOException}, with the thread's interrupt flag set, and with a
 * {@link dev.kumihimo.runtime.TaskCancelledException} as its cause if it was cancelled. Nothing was read then, and nothing is
 * lost. A read with a time is {@code Timeout.call(time, () -> reader.read(buffer))}.
 *
 * <p><b>Closing</b> ends the waits of others with {@link AsynchronousCloseException}; what is called later throws
 * {@link ClosedChannelException}. A child that goes on writing gets a signal or an error.
 *
 * @since 0.1
 */
public final class PipeReader implements ReadableByteChannel {
    /** The most bytes of a chunk in the channel. */
    static final int CHUNK = 8 * 1024;

    /** How many chunks are read ahead, or written behind. */
    static final int CHUNKS = 8;

    /** The longest line that {@link #readLine()} takes. */
    private static final int MOST_OF_A_LINE = 1024 * 1024;

    private static final byte[] NONE = {};

    private final InputStream source;
    private final String name;
    private final Thread pump;
    private final Channel<byte[]> chunks = Channel.bounded(CHUNKS);
    private final Semaphore turn = Semaphore.of(1);
    private final AtomicBoolean opened = new AtomicBoolean();
    private volatile boolean closed;
    private byte[] bytes = NONE;
    private int start;
    private int end;

    /**
     * Creates the end of a pipe.
     *
     * @param source the JDK's stream of it
     * @param name what errors call it
     * @param threadName of the pump
     */
    PipeReader(InputStream source, String name, String threadName) {
        this.source = source;
        this.name = name;
        this.pump = Launch.thread(this::pump, threadName);
    }

    private void pump() {
        byte[] buffer = new byte[CHUNK];
        try (source) {
            for (int count; (count = source.read(buffer)) >= 0; ) {
                chunks.send(Arrays.copyOf(buffer, count));
            }
            chunks.close();
        } catch (ChannelClosedException e) {
            // nobody reads it any more
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            chunks.close(e);
        }
    }

    /* ---------------- Reading -------------- */

    /**
     * Reads what is there, waiting until at least one byte is, or the end of the stream.
     *
     * @param target where to; without room nothing is read
     * @return how many bytes, or -1 at the end of the stream; 0 only if there is no room
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing was read
     * @throws AsynchronousCloseException if closed while it waited
     * @throws ClosedChannelException if closed before
     * @throws IOException if the stream fails
     */
    @Override
    public int read(ByteBuffer target) throws IOException {
        try (Permit mine = enter()) {
            if (!target.hasRemaining()) {
                return 0;
            }
            return start == end && !fill() ? -1 : take(target);
        }
    }

    /**
     * Reads what is there now, if nobody else is reading or waits to. Never waits. The first read of a stream finds nothing: it
     * only has the stream read ahead from then on.
     *
     * @param target where to; without room nothing is read
     * @return how many bytes; 0 if nothing is there now, or somebody else reads; -1 at the end of the stream
     * @throws ClosedChannelException if closed
     * @throws IOException if the stream fails
     */
    public int tryRead(ByteBuffer target) throws IOException {
        ensureOpen();
        try (Permit mine = turn.tryAcquire()) {
            if (mine == null || !target.hasRemaining()) {
                return 0;
            }
            if (start == end) {
                open();
                byte[] chunk = chunks.tryReceive();
                if (chunk == null) {
                    return 0;
                }
                append(chunk);
            }
            return take(target);
        } catch (ChannelClosedException e) {
            if (atEnd(e)) {
                return -1;
            }
            throw failure(e);
        }
    }

    /**
     * Reads the rest of the stream, waiting for its end.
     *
     * @param limit the most bytes to take, 0 to 1 GiB
     * @return the bytes
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing was read
     * @throws AsynchronousCloseException if closed while it waited
     * @throws ClosedChannelException if closed before
     * @throws IOException if there are more bytes than that, and nothing was read; or if the stream fails
     * @throws IllegalArgumentException if the limit is out of range
     */
    public byte[] readAll(int limit) throws IOException {
        Child.checkLimit(limit);
        try (Permit mine = enter()) {
            do {
                if (end - start > limit) {
                    throw new IOException("there is more in the " + this + " than the limit of " + limit + " bytes");
                }
            } while (fill());
            return takeAll();
        }
    }

    /**
     * Reads a line of at most a mebibyte, see {@link #readLine(int)}.
     *
     * @return the line without its end, or null at the end of the stream
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing was read
     * @throws AsynchronousCloseException if closed while it waited
     * @throws ClosedChannelException if closed before
     * @throws IOException if the line is longer, and nothing was read; or if the stream fails
     */
    public @Nullable String readLine() throws IOException {
        return readLine(MOST_OF_A_LINE);
    }

    /**
     * Reads a line, waiting for its end or that of the stream. A line ends with LF or CR LF, and the last one also with the
     * stream. It is UTF-8; what is none becomes U+FFFD.
     *
     * @param limit the most bytes of a line, its end not among them, 0 to 1 GiB
     * @return the line without its end, or null at the end of the stream
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing was read
     * @throws AsynchronousCloseException if closed while it waited
     * @throws ClosedChannelException if closed before
     * @throws IOException if the line is longer than that, and nothing was read; or if the stream fails
     * @throws IllegalArgumentException if the limit is out of range
     */
    public @Nullable String readLine(int limit) throws IOException {
        Child.checkLimit(limit);
        try (Permit mine = enter()) {
            int length = 0; // known to be no end of a line
            while (true) {
                while (start + length < end && bytes[start + length] != '\n') {
                    length++;
                }
                boolean ended = start + length < end;
                boolean returned = length > 0 && bytes[start + length - 1] == '\r';
                if (length - (returned ? 1 : 0) > limit) {
                    throw new IOException("a line in the " + this + " is longer than the limit of " + limit + " bytes");
                }
                if (ended) {
                    return takeLine(returned ? length - 1 : length, length + 1);
                }
                if (!fill()) {
                    return length == 0 ? null : takeLine(length, length);
                }
            }
        }
    }

    private String takeLine(int length, int withEnd) {
        String line = new String(bytes, start, length, StandardCharsets.UTF_8);
        took(withEnd);
        return line;
    }

    /**
     * {@return a view as a {@code java.io} stream} It has no buffer of its own, so views and direct reads mix; closing it closes
     * this stream. Its waits hold no monitor.
     */
    public InputStream inputStream() {
        return new View(this);
    }

    /* ---------------- In one's turn -------------- */

    private Permit enter() throws IOException {
        try {
            return await();
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        }
    }

    /** Waits for the caller's turn. */
    Permit await() throws IOException, InterruptedException {
        ensureOpen();
        Permit permit = turn.acquire();
        if (closed) { // while we waited
            permit.close();
            throw new AsynchronousCloseException();
        }
        return permit;
    }

    /** Has the pump begin, if it has not. */
    void open() {
        if (opened.compareAndSet(false, true)) { // else somebody has, or closes it, which the channel tells
            try {
                pump.start();
            } catch (Throwable noMemory) {
                chunks.close(noMemory);
                throw noMemory;
            }
        }
    }

    /** Waits for the next chunk. Returns false at the end of the stream. */
    private boolean fill() throws IOException {
        open();
        try {
            byte[] chunk = chunks.receiveOrNull();
            if (closed) {
                throw new AsynchronousCloseException();
            }
            if (chunk != null) {
                append(chunk);
            }
            return chunk != null;
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        } catch (ChannelClosedException e) {
            throw failure(e);
        }
    }

    /** {@return the chunks that are to come, to be selected on; what is received from it is to be appended} */
    Channel<byte[]> chunks() {
        return chunks;
    }

    void append(byte[] chunk) {
        int size = end - start;
        if (bytes.length - end < chunk.length) {
            int needed = Math.addExact(size, chunk.length);
            byte[] larger = bytes.length >= needed
                    ? bytes
                    : new byte[Math.max(needed, (int) Math.min(2L * bytes.length, Child.MOST_BYTES))];
            System.arraycopy(bytes, start, larger, 0, size);
            bytes = larger;
            start = 0;
            end = size;
        }
        System.arraycopy(chunk, 0, bytes, end, chunk.length);
        end += chunk.length;
    }

    int buffered() {
        return end - start;
    }

    private int take(ByteBuffer target) {
        int count = Math.min(target.remaining(), end - start);
        target.put(bytes, start, count);
        took(count);
        return count;
    }

    byte[] takeAll() {
        byte[] all = Arrays.copyOfRange(bytes, start, end);
        took(all.length);
        return all;
    }

    private void took(int count) {
        start += count;
        if (start == end) {
            start = 0;
            end = 0;
            if (bytes.length > CHUNK * CHUNKS) {
                bytes = NONE;
            }
        }
    }

    /** Throws what the stream has failed with, once its channel is drained. */
    void ensureEndedWell() throws IOException {
        try {
            chunks.tryReceive();
        } catch (ChannelClosedException e) {
            if (!atEnd(e)) {
                throw failure(e);
            }
        }
    }

    private boolean atEnd(ChannelClosedException e) {
        return e.getCause() == null && !closed;
    }

    private IOException failure(ChannelClosedException e) {
        Throwable cause = e.getCause();
        return closed || cause == null
                ? new AsynchronousCloseException()
                : new IOException(this + " cannot be read: " + cause.getMessage(), cause);
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

    /** Closes the stream; what was not read is dropped. Idempotent; never waits. */
    @Override
    public void close() {
        closed = true;
        chunks.close();
        if (opened.compareAndSet(false, true)) { // else the pump closes it
            Launch.closeQuietly(source);
        }
    }

    @Override
    public String toString() {
        return name;
    }

    /** The stream for {@code java.io}. */
    private static final class View extends InputStream {
        private final PipeReader pipe;

        View(PipeReader pipe) {
            this.pipe = pipe;
        }

        @Override
        public int read() throws IOException {
            byte[] single = new byte[1];
            return pipe.read(ByteBuffer.wrap(single)) < 0 ? -1 : single[0] & 0xff;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, target.length);
            return length == 0 ? 0 : pipe.read(ByteBuffer.wrap(target, offset, length));
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
