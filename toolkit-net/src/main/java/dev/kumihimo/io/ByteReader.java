package dev.kumihimo.io;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.select.Selectable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/*
 * Everything that is read in more than one step (a number, a line, the rest) is gathered in the buffer, and taken out of it when
 * it is complete. So there is no step between which anything could get lost, and nothing to remember but the buffer.
 */

/**
 * Reads through a buffer: exact numbers of bytes, lines, what comes before a delimiter, numbers.
 *
 * <pre>{@code
 * ByteReader reader = ByteReader.of(stream);
 * for (String line; (line = reader.readLineOrNull(8192)) != null; ) {
 *     answer(line);
 * }
 * }</pre>
 *
 * <p>Belongs to one thread at a time; the source underneath may be closed by any, which ends a wait here. It takes more from the
 * source than it was asked for, so read from the one or the other. A read into a buffer at least as large as its own goes
 * straight to the source, if nothing is buffered.
 *
 * <p><b>Interruption, cancellation and time.</b> A wait that ends with {@link InterruptedIOException}, see {@link ByteStream},
 * loses nothing: what has come stays here, and the same call can be made again. So any of these methods may be bounded by a
 * {@link dev.kumihimo.time.Timeout}. Only {@link #readFully} and {@link #skip} take what they can before they wait; they tell how
 * much. The same holds when the source fails.
 *
 * <p><b>Memory.</b> A reader that waits for a socket or a TLS stream, and in which nothing is buffered, has none: what comes is read
 * through memory of {@link BufferPool#shared()}, and kept in an array of its size. The buffer itself is made for bytes that come
 * after others, or faster than they are read. It grows beyond its capacity only for what was asked for and allowed, by a {@code maxLength} or a
 * count, as it comes, and shrinks when that has been taken.
 *
 * @since 0.1
 */
public final class ByteReader extends SourceView {
    /** How many bytes are buffered unless another capacity is given. */
    public static final int DEFAULT_CAPACITY = 8192;

    /** What {@link #find} returns if the delimiter is not where it is looked for, or if the end comes before. */
    private static final int ABSENT = 0;

    private static final int ENDED = -1;

    private final ByteSource source;
    private final ReadBuffer buffer;

    private ByteReader(ByteSource source, int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity=" + capacity + " must be at least 1");
        }
        this.source = Objects.requireNonNull(source, "source");
        this.buffer = new ReadBuffer(capacity);
    }

    /**
     * {@return a reader with a buffer of {@value #DEFAULT_CAPACITY} bytes, made when it is first needed}
     *
     * @param source where to read from; closed together with the reader
     */
    public static ByteReader of(ByteSource source) {
        return new ByteReader(source, DEFAULT_CAPACITY);
    }

    /**
     * {@return a reader, whose buffer is made when it is first needed}
     *
     * @param source where to read from; closed together with the reader
     * @param capacity how many bytes are buffered, 1 or more
     * @throws IllegalArgumentException if the capacity is less
     */
    public static ByteReader of(ByteSource source, int capacity) {
        return new ByteReader(source, capacity);
    }

    /* ---------------- The buffer -------------- */

    /** {@return where it reads from} What is buffered has been taken from there already. */
    public ByteSource source() {
        return source;
    }

    /** {@return how many bytes can be taken without reading from the source} */
    public int buffered() {
        return buffer.size();
    }

    /** {@return how many bytes of memory it has, for tests} */
    int held() {
        return buffer.held();
    }

    /**
     * Waits until so many bytes are buffered, or the end has come, and shows them without taking them.
     *
     * @param length how many, 0 or more
     * @return a read-only view of the bytes, fewer only at the end; valid until the next call of any method
     * @throws InterruptedIOException if interrupted or cancelled while it would wait
     * @throws IOException if the source fails or is closed
     * @throws IllegalArgumentException if the length is negative
     */
    public ByteBuffer peek(int length) throws IOException {
        checkNotNegative("length", length);
        ensureOpen();
        while (buffered() < length && fill(Deadlines.NEVER, length) >= 0) {
            // one more
        }
        return buffer.view(Math.min(length, buffered())).slice().asReadOnlyBuffer();
    }

    private int fill(long deadline, long most) throws IOException {
        return buffer.fill(source, deadline, most);
    }

    /* ---------------- Bytes -------------- */

    @Override
    int readBefore(ByteBuffer target, long deadline) throws IOException {
        if (buffered() == 0) {
            if (target.remaining() >= buffer.capacity) {
                return read(source, target, deadline);
            }
            int count = fill(deadline, buffer.capacity);
            if (count <= 0) {
                return count;
            }
        }
        int length = Math.min(target.remaining(), buffered());
        target.put(buffer.view(length));
        buffer.drop(length);
        return length;
    }

    /** {@return that there may be something to read, to be selected on} Also if it is buffered. */
    @Override
    public Selectable<@Nullable Void> readable() {
        return Ready.either(() -> buffered() > 0, source::readable);
    }

    /**
     * Reads until a buffer is full.
     *
     * @param target what to fill; its position tells how far it came, however it ends
     * @throws EOFException if the end comes before; it tells how many bytes came, which are in the buffer
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; {@code bytesTransferred} bytes are in the
     *     buffer, and the same call reads the rest
     * @throws IOException if the source fails or is closed
     */
    public void readFully(ByteBuffer target) throws IOException {
        int first = target.position();
        int length = target.remaining();
        try {
            while (target.hasRemaining()) {
                if (read(target) < 0) {
                    throw ended(target.position() - first, length);
                }
            }
        } catch (InterruptedIOException e) {
            e.bytesTransferred = target.position() - first;
            throw e;
        }
    }

    /**
     * Skips bytes.
     *
     * @param count how many, 0 or more
     * @return how many were skipped; fewer only at the end
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; {@code bytesTransferred} were skipped, if
     *     that is fewer than 2 GiB
     * @throws IOException if the source fails or is closed
     * @throws IllegalArgumentException if the count is negative
     */
    public long skip(long count) throws IOException {
        checkNotNegative("count", count);
        ensureOpen();
        long left = count;
        try {
            while (left > 0 && (buffered() > 0 || fill(Deadlines.NEVER, buffer.capacity) >= 0)) {
                int length = (int) Math.min(left, buffered());
                buffer.drop(length);
                left -= length;
            }
        } catch (InterruptedIOException e) {
            e.bytesTransferred = (int) Math.min(count - left, Integer.MAX_VALUE);
            throw e;
        }
        return count - left;
    }

    /**
     * Reads to the end.
     *
     * @param maxLength the most bytes, 0 or more
     * @return the bytes; none if the end has come
     * @throws TooLongException if there are more; they can be read nevertheless
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing was taken
     * @throws IOException if the source fails or is closed; nothing was taken
     * @throws IllegalArgumentException if the length is negative
     */
    public byte[] readToEnd(int maxLength) throws IOException {
        return buffer.take(awaitEnd(maxLength));
    }

    /**
     * Reads text in UTF-8 to the end.
     *
     * @param maxLength the most bytes, 0 or more
     * @return the text; empty if the end has come
     * @throws TooLongException if there are more; they can be read nevertheless
     * @throws CharacterCodingException if it is not UTF-8; nothing was taken
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing was taken
     * @throws IOException if the source fails or is closed; nothing was taken
     * @throws IllegalArgumentException if the length is negative
     */
    public String readString(int maxLength) throws IOException {
        int length = awaitEnd(maxLength);
        String text = buffer.text(length);
        buffer.drop(length);
        return text;
    }

    private int awaitEnd(int maxLength) throws IOException {
        checkNotNegative("maxLength", maxLength);
        ensureOpen();
        int most = (int) Math.min(maxLength + 1L, ReadBuffer.MOST);
        while (buffered() < most) {
            if (fill(Deadlines.NEVER, most) < 0) {
                return buffered();
            }
        }
        throw new TooLongException("what is left to read", maxLength);
    }

    /* ---------------- Delimiters, lines -------------- */

    /**
     * Reads until a delimiter has come, or the end.
     *
     * @param delimiter what it ends with
     * @param maxLength the most bytes before the delimiter, 0 or more
     * @return the bytes with the delimiter; without it only if the end came before
     * @throws EOFException if the end had come already
     * @throws TooLongException if there are more; nothing was taken, see {@link #skipUntil}
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing was taken
     * @throws IOException if the source fails or is closed; nothing was taken
     * @throws IllegalArgumentException if the length is negative
     */
    public byte[] readUntil(byte delimiter, int maxLength) throws IOException {
        checkNotNegative("maxLength", maxLength);
        int found = find(delimiter, maxLength + 1L);
        if (found == ABSENT) {
            throw new TooLongException("what comes before the delimiter " + delimiter, maxLength);
        }
        if (found == ENDED && buffered() == 0) {
            throw new EOFException("the end has come, and no delimiter " + delimiter);
        }
        return buffer.take(found == ENDED ? buffered() : found);
    }

    /**
     * Skips until a delimiter has come, or the end: the rest of what was too long. Takes no memory.
     *
     * @param delimiter the last byte to skip
     * @return whether it came; false at the end
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; what came was skipped, and the same call
     *     goes on
     * @throws IOException if the source fails or is closed
     */
    public boolean skipUntil(byte delimiter) throws IOException {
        ensureOpen();
        while (true) {
            int index = buffer.indexOf(delimiter, 0, buffered());
            if (index >= 0) {
                buffer.drop(index + 1);
                return true;
            }
            buffer.drop(buffered());
            if (fill(Deadlines.NEVER, buffer.capacity) < 0) {
                return false;
            }
        }
    }

    /**
     * Reads a line in UTF-8, which ends with a line feed, or carriage return and line feed, or the end.
     *
     * @param maxLength the most bytes of the line, what it ends with not counted; 0 or more
     * @return the line, without what it ends with
     * @throws EOFException if the end had come already
     * @throws TooLongException if it is longer; nothing was taken, see {@link #skipUntil}
     * @throws CharacterCodingException if it is not UTF-8; it was taken, and the next call reads the next line
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing was taken
     * @throws IOException if the source fails or is closed; nothing was taken
     * @throws IllegalArgumentException if the length is negative
     */
    public String readLine(int maxLength) throws IOException {
        String line = readLineOrNull(maxLength);
        if (line == null) {
            throw new EOFException("the end has come, and no line");
        }
        return line;
    }

    /**
     * As {@link #readLine}, for loops that end with the source.
     *
     * @param maxLength the most bytes of the line, what it ends with not counted; 0 or more
     * @return the line, without what it ends with; null at the end
     * @throws TooLongException if it is longer; nothing was taken, see {@link #skipUntil}
     * @throws CharacterCodingException if it is not UTF-8; it was taken, and the next call reads the next line
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing was taken
     * @throws IOException if the source fails or is closed; nothing was taken
     * @throws IllegalArgumentException if the length is negative
     */
    public @Nullable String readLineOrNull(int maxLength) throws IOException {
        checkNotNegative("maxLength", maxLength);
        long most = maxLength + 1L;
        int found = find((byte) '\n', most);
        if (found == ABSENT && buffered() >= most && buffer.get(maxLength) == '\r') {
            found = find((byte) '\n', most + 1); // it may be a line of just that length
        }
        if (found == ENDED && buffered() == 0) {
            return null;
        }
        int whole = found == ENDED ? buffered() : found;
        int length = found == ENDED ? whole : found - 1;
        if (found > 1 && buffer.get(length - 1) == '\r') {
            length--;
        }
        if (found == ABSENT || length > maxLength) {
            throw new TooLongException("a line", maxLength);
        }
        try {
            return buffer.text(length);
        } finally {
            buffer.drop(whole);
        }
    }

    /**
     * Waits until a byte is buffered.
     *
     * @param most among how many bytes to look for it
     * @return how many there are up to it, itself included; {@link #ABSENT} or {@link #ENDED}
     */
    private int find(byte wanted, long most) throws IOException {
        ensureOpen();
        int bound = (int) Math.min(most, ReadBuffer.MOST);
        for (int looked = 0; ; ) {
            int there = Math.min(buffered(), bound);
            int index = buffer.indexOf(wanted, looked, there);
            if (index >= 0) {
                return index + 1;
            }
            if (there == bound) {
                return ABSENT;
            }
            looked = there;
            if (fill(Deadlines.NEVER, bound) < 0) {
                return ENDED;
            }
        }
    }

    /* ---------------- Numbers -------------- */

    /**
     * Reads a byte.
     *
     * @return the byte
     * @throws EOFException if the end has come
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing was taken
     * @throws IOException if the source fails or is closed
     */
    public byte readByte() throws IOException {
        return number(Byte.BYTES).get();
    }

    /**
     * Reads a number of two bytes in big-endian order.
     *
     * @return the number
     * @throws EOFException if the end comes before; nothing was taken
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing was taken
     * @throws IOException if the source fails or is closed; nothing was taken
     */
    public short readShort() throws IOException {
        return number(Short.BYTES).getShort();
    }

    /**
     * Reads a number of four bytes in big-endian order.
     *
     * @return the number
     * @throws EOFException if the end comes before; nothing was taken
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing was taken
     * @throws IOException if the source fails or is closed; nothing was taken
     */
    public int readInt() throws IOException {
        return number(Integer.BYTES).getInt();
    }

    /**
     * Reads a number of eight bytes in big-endian order.
     *
     * @return the number
     * @throws EOFException if the end comes before; nothing was taken
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing was taken
     * @throws IOException if the source fails or is closed; nothing was taken
     */
    public long readLong() throws IOException {
        return number(Long.BYTES).getLong();
    }

    /** Takes so many bytes, all or none. */
    private ByteBuffer number(int length) throws IOException {
        ensureOpen();
        while (buffered() < length) {
            if (fill(Deadlines.NEVER, length) < 0) {
                throw ended(buffered(), length);
            }
        }
        ByteBuffer number = buffer.view(length);
        buffer.drop(length);
        return number;
    }

    /* ---------------- Copying, the end -------------- */

    /** Writes what comes to a sink until the end; what the sink did not take stays here. */
    long copyTo(ByteSink sink) throws IOException {
        long count = 0;
        try {
            do {
                ensureOpen();
                while (buffered() > 0) {
                    ByteBuffer view = buffer.view(buffered());
                    int first = view.position();
                    try {
                        sink.writeAll(view);
                    } finally {
                        count += view.position() - first;
                        buffer.drop(view.position() - first);
                    }
                }
            } while (Copying.next(deadline -> fill(deadline, buffer.capacity), sink) >= 0);
            return count;
        } catch (InterruptedIOException e) {
            e.bytesTransferred = (int) Math.min(count, Integer.MAX_VALUE);
            throw e;
        }
    }

    @Override
    public boolean isOpen() {
        return source.isOpen();
    }

    /** Closes the source. What is buffered cannot be read any more. Idempotent. */
    @Override
    public void close() throws IOException {
        source.close();
    }

    @Override
    public String toString() {
        return "reader of " + source;
    }

    private static EOFException ended(int count, int length) {
        return new EOFException("the end came after " + count + " of " + length + " bytes");
    }

    private static void checkNotNegative(String name, long value) {
        if (value < 0) {
            throw new IllegalArgumentException(name + "=" + value + " must not be negative");
        }
    }
}
