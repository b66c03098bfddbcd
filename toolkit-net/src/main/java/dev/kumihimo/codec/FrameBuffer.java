package dev.kumihimo.codec;

import java.nio.ByteBuffer;

/**
 * A buffer that grows, into which an {@link Encoder} puts its frames. Numbers are put in big-endian order.
 *
 * <p>Confined to one thread.
 *
 * @since 0.1
 */
public final class FrameBuffer {
    private ByteBuffer bytes;

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
        bytes = ByteBuffer.allocate(capacity);
    }

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
     * Appends what remains of a buffer.
     *
     * @param source its position is moved to its limit
     */
    public void put(ByteBuffer source) {
        room(source.remaining()).put(source);
    }

    /**
     * Appends a number of four bytes.
     *
     * @param value the number
     */
    public void putInt(int value) {
        room(Integer.BYTES).putInt(value);
    }

    /** {@return how many bytes have been put} */
    public int size() {
        return bytes.position();
    }

    private ByteBuffer room(int length) {
        if (bytes.remaining() < length) {
            int least = Math.addExact(bytes.position(), length);
            ByteBuffer larger =
                    ByteBuffer.allocate(Math.max(least, (int) Math.min(Integer.MAX_VALUE - 8, 2L * bytes.capacity())));
            bytes = larger.put(bytes.flip());
        }
        return bytes;
    }
}
