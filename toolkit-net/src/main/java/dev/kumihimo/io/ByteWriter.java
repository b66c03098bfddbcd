package dev.kumihimo.io;

import dev.kumihimo.select.Selectable;
import java.io.Flushable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Writes through a buffer, so that small pieces become few writes: what is written stays there until the buffer is full, or
 * {@link #flush()}.
 *
 * <pre>{@code
 * ByteWriter writer = ByteWriter.of(stream);
 * writer.writeInt(frame.remaining());
 * writer.writeAll(frame);
 * writer.flush();
 * }</pre>
 *
 * <p>Belongs to one thread at a time; the sink underneath may be closed by any, which ends a wait here. What is at least as large
 * as the buffer goes straight to the sink, after what is buffered.
 *
 * <p><b>Closing</b> writes what is buffered first, as streams of {@code java.io} do, and so may wait: for as long as a peer does
 * not read, unless it is bounded by a {@link dev.kumihimo.time.Timeout}. The sink is closed in any case. To close without that,
 * close the {@link #sink()}. Nothing is written by a writer that is merely dropped.
 *
 * <p><b>Interruption and cancellation.</b> A wait that ends with {@link InterruptedIOException}, see {@link ByteStream}, loses and
 * repeats nothing: what the sink has not taken is still buffered, and the next call goes on with it. {@code bytesTransferred} and
 * the position of the caller's buffer tell what was accepted, be it by the buffer or by the sink. The same holds when the sink
 * fails.
 *
 * @since 0.1
 */
public final class ByteWriter implements ByteSink, Flushable {
    /** How many bytes are buffered unless another capacity is given. */
    public static final int DEFAULT_CAPACITY = 8192;

    private static final byte[] NONE = {};

    /** How large a buffer is at first, and what is always kept. */
    private static final int SMALL = 256;

    /** A larger one is given back when it is empty, and was filled to less than a part of so many. */
    private static final int SPARSE = 4;

    private final ByteSink sink;
    private final int capacity;
    private byte[] bytes = NONE; // grows to the capacity
    private int start; // from here on it is to be written to the sink
    private int end;
    private boolean shutDown;

    private ByteWriter(ByteSink sink, int capacity) {
        if (capacity < Long.BYTES) {
            throw new IllegalArgumentException("capacity=" + capacity + " must be at least " + Long.BYTES);
        }
        this.sink = Objects.requireNonNull(sink, "sink");
        this.capacity = capacity;
    }

    /**
     * {@return a writer with a buffer of {@value #DEFAULT_CAPACITY} bytes} It is made as large as what is written needs.
     *
     * @param sink where to write to; closed together with the writer
     */
    public static ByteWriter of(ByteSink sink) {
        return new ByteWriter(sink, DEFAULT_CAPACITY);
    }

    /**
     * {@return a writer} Its buffer is made as large as what is written needs.
     *
     * @param sink where to write to; closed together with the writer
     * @param capacity how many bytes are buffered, 8 or more
     * @throws IllegalArgumentException if the capacity is less
     */
    public static ByteWriter of(ByteSink sink, int capacity) {
        return new ByteWriter(sink, capacity);
    }

    /** {@return where it writes to} What is buffered has not come there. */
    public ByteSink sink() {
        return sink;
    }

    /** {@return how many bytes have been written here, and not to the sink} */
    public int buffered() {
        return end - start;
    }

    /** {@return how many bytes of memory it has, for tests} */
    int held() {
        return bytes.length;
    }

    /* ---------------- Bytes -------------- */

    /**
     * Writes what there is room for in the buffer, after writing what is buffered to the sink if it does not all fit, and waiting
     * for that.
     *
     * @param source what to write; without bytes nothing is written
     * @return how many bytes were accepted
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing was accepted
     * @throws ClosedChannelException if closed, or the output shut down
     * @throws IOException if the sink fails; nothing was accepted
     */
    @Override
    public int write(ByteBuffer source) throws IOException {
        ensureOpen();
        try {
            if (source.remaining() > capacity - buffered()) {
                drain();
                if (source.remaining() >= capacity) {
                    return sink.write(source);
                }
            }
            return put(source);
        } catch (InterruptedIOException e) {
            e.bytesTransferred = 0; // those that were sent had been accepted before
            throw e;
        }
    }

    /**
     * Writes all bytes, to the buffer or the sink.
     *
     * @param source what to write; its position tells how far it came, however it ends
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; {@code bytesTransferred} were accepted
     * @throws ClosedChannelException if closed, or the output shut down
     * @throws IOException if the sink fails
     */
    @Override
    public void writeAll(ByteBuffer source) throws IOException {
        int first = source.position();
        try {
            do {
                write(source);
            } while (source.hasRemaining());
        } catch (InterruptedIOException e) {
            e.bytesTransferred = source.position() - first;
            throw e;
        }
    }

    /** Writes what there is room for in the buffer, and in the sink if that takes bytes now. Never waits. */
    @Override
    public int tryWrite(ByteBuffer source) throws IOException {
        ensureOpen();
        if (source.remaining() > capacity - buffered()) {
            tryDrain();
            if (buffered() == 0 && source.remaining() >= capacity) {
                return sink.tryWrite(source);
            }
        }
        return put(source);
    }

    /** {@return that there may be room to write, to be selected on} In the buffer, or in the sink. */
    @Override
    public Selectable<@Nullable Void> writable() {
        return Ready.either(() -> buffered() < capacity, sink::writable);
    }

    private int put(ByteBuffer source) {
        int length = Math.min(source.remaining(), capacity - buffered());
        source.get(roomFor(length), end, length);
        end += length;
        return length;
    }

    /** Makes sure that there is room for so many bytes behind the others, with which they are no more than the capacity. */
    private byte[] roomFor(int length) {
        int there = buffered();
        if (bytes.length - end < length) {
            byte[] target = bytes;
            if (bytes.length - there < length) {
                target = new byte[Math.min(capacity, Math.max(there + length, Math.max(SMALL, 2 * bytes.length)))];
            }
            System.arraycopy(bytes, start, target, 0, there);
            bytes = target;
            start = 0;
            end = there;
        }
        return bytes;
    }

    /* ---------------- Numbers, text -------------- */

    /**
     * Writes a byte.
     *
     * @param value its low eight bits
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; it was not accepted
     * @throws IOException if the sink fails or is closed; it was not accepted
     */
    public void writeByte(int value) throws IOException {
        number(Byte.BYTES).put((byte) value);
    }

    /**
     * Writes a number of two bytes in big-endian order.
     *
     * @param value its low sixteen bits
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing of it was accepted
     * @throws IOException if the sink fails or is closed; nothing of it was accepted
     */
    public void writeShort(int value) throws IOException {
        number(Short.BYTES).putShort((short) value);
    }

    /**
     * Writes a number of four bytes in big-endian order.
     *
     * @param value the number
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing of it was accepted
     * @throws IOException if the sink fails or is closed; nothing of it was accepted
     */
    public void writeInt(int value) throws IOException {
        number(Integer.BYTES).putInt(value);
    }

    /**
     * Writes a number of eight bytes in big-endian order.
     *
     * @param value the number
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing of it was accepted
     * @throws IOException if the sink fails or is closed; nothing of it was accepted
     */
    public void writeLong(long value) throws IOException {
        number(Long.BYTES).putLong(value);
    }

    /** {@return a buffer for so many bytes, which count as accepted} */
    private ByteBuffer number(int length) throws IOException {
        ensureOpen();
        if (capacity - buffered() < length) {
            try {
                drain();
            } catch (InterruptedIOException e) {
                e.bytesTransferred = 0;
                throw e;
            }
        }
        ByteBuffer number = ByteBuffer.wrap(roomFor(length), end, length);
        end += length;
        return number;
    }

    /**
     * Writes text in UTF-8, as {@link #writeAll} does. What is no character, half of a surrogate pair, becomes {@code ?}.
     *
     * @param text the text
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; {@code bytesTransferred} of its bytes were
     *     accepted
     * @throws IOException if the sink fails or is closed
     */
    public void writeString(String text) throws IOException {
        writeAll(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    /* ---------------- To the sink -------------- */

    /**
     * Writes what is buffered to the sink, waiting until it has taken all; and flushes the sink, if that has a buffer too.
     *
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; what was not written is still buffered
     * @throws ClosedChannelException if closed, or the output shut down
     * @throws IOException if the sink fails; what was not written is still buffered
     */
    @Override
    public void flush() throws IOException {
        ensureOpen();
        drain();
        if (sink instanceof Flushable buffering) {
            buffering.flush();
        }
    }

    /**
     * Writes to the sink what that takes now. Never waits.
     *
     * @return whether nothing is buffered any more, here and in writers underneath
     * @throws ClosedChannelException if closed, or the output shut down
     * @throws IOException if the sink fails; what was not written is still buffered
     */
    public boolean tryFlush() throws IOException {
        ensureOpen();
        tryDrain();
        return buffered() == 0 && (!(sink instanceof ByteWriter buffering) || buffering.tryFlush());
    }

    private void drain() throws IOException {
        if (start == end) {
            return;
        }
        ByteBuffer view = ByteBuffer.wrap(bytes, start, end - start);
        try {
            sink.writeAll(view);
        } finally {
            sent(view);
        }
    }

    private void tryDrain() throws IOException {
        if (start == end) {
            return;
        }
        ByteBuffer view = ByteBuffer.wrap(bytes, start, end - start);
        try {
            sink.tryWrite(view);
        } finally {
            sent(view);
        }
    }

    private void sent(ByteBuffer view) {
        start = view.position();
        if (start == end) {
            if (bytes.length > SMALL && end < bytes.length / SPARSE) {
                bytes = NONE;
            }
            start = 0;
            end = 0;
        }
    }

    /* ---------------- The end -------------- */

    /**
     * Writes what is buffered to the sink, and ends its output: unlike that of other sinks this may wait. Idempotent.
     *
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; the output was not ended, and what was not
     *     written is still buffered
     * @throws ClosedChannelException if closed
     * @throws IOException if the sink fails
     */
    @Override
    public void shutdownOutput() throws IOException {
        if (!shutDown) {
            flush();
        }
        sink.shutdownOutput();
        shutDown = true;
    }

    private void ensureOpen() throws ClosedChannelException {
        if (shutDown || !sink.isOpen()) {
            throw new ClosedChannelException();
        }
    }

    @Override
    public boolean isOpen() {
        return sink.isOpen();
    }

    /**
     * Writes what is buffered to the sink, waiting until it has taken all, and closes the sink, also if that fails. Idempotent.
     *
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; the sink is closed, and what it had not
     *     taken is lost
     * @throws IOException if the sink fails, or had been closed and something was buffered, which is lost
     */
    @Override
    public void close() throws IOException {
        try {
            if (buffered() > 0 || isOpen() && !shutDown && sink instanceof Flushable) {
                flush();
            }
        } catch (Throwable e) {
            try {
                sink.close();
            } catch (IOException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        } finally {
            start = 0;
            end = 0;
        }
        sink.close();
    }

    @Override
    public String toString() {
        return "writer to " + sink;
    }
}
