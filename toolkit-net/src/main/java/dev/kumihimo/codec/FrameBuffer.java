package dev.kumihimo.codec;

import dev.kumihimo.io.ByteSink;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;

/**
 * A buffer that grows, into which an {@link Encoder} puts its frames, and out of which they are written. Numbers are put in
 * big-endian order unless it says otherwise.
 *
 * <pre>{@code
 * int start = target.size();
 * target.putInt(0);                                               // the length is not known yet
 * target.putUtf8(text);
 * target.setInt(start, target.size() - start - Integer.BYTES);    // now it is
 * }</pre>
 *
 * <p>Before the frame there may be others that were not written yet: an encoder counts from the {@link #size()} that it finds.
 *
 * <p>What is not written yet is at most 2 GiB, less a few bytes: a put that would make it more throws
 * {@link IllegalStateException}, and puts nothing.
 *
 * <p>Confined to one thread.
 *
 * @since 0.1
 */
public final class FrameBuffer {
    /** What is larger is given back once it is empty: an idle connection is not to hold what its largest frame needed. */
    static final int RETAINED = 256 * 1024;

    /** What was filled to less than a part of so many is given back too: the frames have become smaller. */
    private static final int SPARSE = 4;

    private static final int MAX_CAPACITY = Integer.MAX_VALUE - 8;

    private final int initialCapacity;
    private ByteBuffer bytes; // its position is the end of what was put
    private int start; // of what was put and not written

    /**
     * Creates an empty buffer.
     *
     * @param capacity how many bytes it holds before it grows, 1 or more
     * @throws IllegalArgumentException if it is less
     */
    public FrameBuffer(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity=" + capacity + " must be at least 1");
        }
        initialCapacity = capacity;
        bytes = ByteBuffer.allocate(capacity);
    }

    /* ---------------- Putting -------------- */

    /**
     * Appends a byte.
     *
     * @param value its low eight bits
     */
    public void put(int value) {
        room(Byte.BYTES).put((byte) value);
    }

    /**
     * Appends bytes.
     *
     * @param source all of them
     */
    public void put(byte[] source) {
        room(source.length).put(source);
    }

    /**
     * Appends bytes.
     *
     * @param source where they are
     * @param offset where they begin
     * @param length how many
     * @throws IndexOutOfBoundsException if they are not all there
     */
    public void put(byte[] source, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, source.length);
        room(length).put(source, offset, length);
    }

    /**
     * Appends what remains of a buffer.
     *
     * @param source its position is moved to its limit
     */
    public void put(ByteBuffer source) {
        room(source.remaining()).put(source);
    }

    /**
     * Appends a text in UTF-8. What no Unicode text contains, a surrogate alone, becomes a question mark.
     *
     * @param text all of it
     */
    public void putUtf8(String text) {
        put(text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Appends a number of two bytes.
     *
     * @param value its low sixteen bits
     */
    public void putShort(int value) {
        room(Short.BYTES).putShort((short) value);
    }

    /**
     * Appends a number of four bytes.
     *
     * @param value the number
     */
    public void putInt(int value) {
        room(Integer.BYTES).putInt(value);
    }

    /**
     * Appends a number of eight bytes.
     *
     * @param value the number
     */
    public void putLong(long value) {
        room(Long.BYTES).putLong(value);
    }

    /**
     * Appends a number of some bytes.
     *
     * @param value whose low bytes they are
     * @param width how many bytes, 1 to 8
     * @param order their order
     * @throws IllegalArgumentException if the width is out of range
     */
    public void putNumber(long value, int width, ByteOrder order) {
        Numbers.checkWidth(width, "width");
        ByteBuffer target = room(width);
        Numbers.set(target, target.position(), value, width, order);
        target.position(target.position() + width);
    }

    /* ---------------- Changing what was put -------------- */

    /**
     * Replaces four bytes.
     *
     * @param index of the first, counted as {@link #size()} does
     * @param value the number that they become
     * @throws IndexOutOfBoundsException if they were not put yet
     */
    public void setInt(int index, int value) {
        setNumber(index, value, Integer.BYTES, ByteOrder.BIG_ENDIAN);
    }

    /**
     * Replaces some bytes by a number.
     *
     * @param index of the first, counted as {@link #size()} does
     * @param value whose low bytes they become
     * @param width how many bytes, 1 to 8
     * @param order their order
     * @throws IndexOutOfBoundsException if they were not put yet
     * @throws IllegalArgumentException if the width is out of range
     */
    public void setNumber(int index, long value, int width, ByteOrder order) {
        Numbers.checkWidth(width, "width");
        Objects.checkFromIndexSize(index, width, size());
        Numbers.set(bytes, start + index, value, width, order);
    }

    /**
     * Takes back what was put last.
     *
     * @param size how much is left, at most {@link #size()}
     * @throws IndexOutOfBoundsException if it is more, or negative
     */
    public void truncate(int size) {
        Objects.checkFromToIndex(0, size, size());
        bytes.position(start + size);
    }

    /* ---------------- Taking out -------------- */

    /** {@return how many bytes have been put, and not been written} */
    public int size() {
        return bytes.position() - start;
    }

    /** {@return a copy of what has been put, and not been written} */
    public byte[] toByteArray() {
        return Arrays.copyOfRange(bytes.array(), start, bytes.position());
    }

    /** Writes all, waiting for room; if it throws, what was not written stays. */
    void writeTo(ByteSink sink) throws IOException {
        int end = beginWriting();
        try {
            if (start < end) {
                sink.writeAll(bytes);
            }
        } finally {
            endWriting(end);
        }
    }

    /** Writes what there is room for now; false if something is left. */
    boolean tryWriteTo(ByteSink sink) throws IOException {
        int end = beginWriting();
        try {
            while (bytes.hasRemaining()) {
                if (sink.tryWrite(bytes) == 0) {
                    return false;
                }
            }
            return true;
        } finally {
            endWriting(end);
        }
    }

    private int beginWriting() {
        int end = bytes.position();
        bytes.limit(end).position(start);
        return end;
    }

    private void endWriting(int end) {
        start = bytes.position();
        if (start < end) {
            bytes.limit(bytes.capacity()).position(end);
            return;
        }
        start = 0;
        int capacity = bytes.capacity();
        if (capacity > initialCapacity && (capacity > RETAINED || end < capacity / SPARSE)) {
            bytes = ByteBuffer.allocate(initialCapacity);
        } else {
            bytes.clear();
        }
    }

    /** {@return how many bytes it holds before it grows, for tests} */
    int capacity() {
        return bytes.capacity();
    }

    private ByteBuffer room(int length) {
        if (bytes.remaining() < length) {
            makeRoom(length);
        }
        return bytes;
    }

    private void makeRoom(int length) {
        long least = (long) size() + length;
        if (least > MAX_CAPACITY) {
            throw new IllegalStateException(
                    least + " bytes of frames that are not written are more than " + MAX_CAPACITY);
        }
        int end = bytes.position();
        bytes.limit(end).position(start);
        if (least <= bytes.capacity() / 2) { // else it would soon be moved again
            bytes.compact();
        } else {
            long capacity = Math.max(least, Math.min(MAX_CAPACITY, 2L * bytes.capacity()));
            bytes = ByteBuffer.allocate((int) capacity).put(bytes);
        }
        start = 0;
    }

    @Override
    public String toString() {
        return "FrameBuffer[" + size() + " bytes]";
    }
}
