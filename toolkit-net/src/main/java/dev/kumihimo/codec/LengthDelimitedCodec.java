package dev.kumihimo.codec;

import java.io.EOFException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Frames that begin with a head in which their length stands. With the settings it has at first, that is a number of four
 * bytes in big-endian order, which counts the bytes after it.
 *
 * <pre>{@code
 * var codec = LengthDelimitedCodec.builder()
 *         .lengthFieldOffset(1)         // a byte for the kind of message comes first,
 *         .lengthFieldWidth(2)
 *         .skip(0)                      // is wanted in the frame,
 *         .lengthAdjustment(3)          // and is not counted by the length, as the head in whole is not
 *         .maxFrameLength(64 * 1024)
 *         .build();
 * byte[] message = Framed.of(stream, codec).receive();
 * }</pre>
 *
 * <p><b>The maximum</b> is compared with the number as it stands in the head, before anything is allocated: whoever claims
 * gigabytes gets a {@link FrameException}, which is not recoverable. Below the maximum too, memory is taken only for what has
 * come.
 *
 * <p>A frame is received in an array of its own: one copy. What is sent is the length, in the field's width and order, and then
 * the frame; offset and skip are for receiving only. To send bytes before the length, or other than arrays, write an
 * {@link Encoder} with {@link FrameBuffer#setNumber}.
 *
 * <p>Belongs to one stream.
 *
 * @since 0.1
 */
public final class LengthDelimitedCodec implements Codec<byte[], byte[]> {
    private static final int NOTHING_READ = -1;

    private final int offset;
    private final int width;
    private final ByteOrder order;
    private final int adjustment;
    private final int skip;
    private final int head; // how many bytes must be there before the length is looked at

    private volatile int maxFrameLength; // set by any thread, read at each frame's head
    private int length = NOTHING_READ; // of the frame at the position, once its head was looked at

    private LengthDelimitedCodec(Builder builder) {
        offset = builder.offset;
        width = builder.width;
        order = builder.order;
        adjustment = builder.adjustment;
        skip = builder.skip == Builder.HEAD ? offset + width : builder.skip;
        head = Math.max(offset + width, skip);
        maxFrameLength(builder.maxFrameLength);
    }

    /** {@return a codec with the settings of {@link #builder()}} */
    public static LengthDelimitedCodec create() {
        return builder().build();
    }

    /** {@return a builder: a length of four bytes in big-endian order at the beginning, and at most 8 MiB after it} */
    public static Builder builder() {
        return new Builder();
    }

    /** {@return what the length of a frame may be at most} */
    public int maxFrameLength() {
        return maxFrameLength;
    }

    /**
     * Sets what the length of a frame may be at most: as it stands in the head, and in bytes of one that is sent. A frame whose head has been seen is received still. Any thread may set it.
     *
     * @param max 0 or more; what the length field cannot express is cut down to what it can
     * @throws IllegalArgumentException if it is negative
     */
    public void maxFrameLength(int max) {
        checkNotNegative(max, "maxFrameLength");
        long greatest = Math.min(Numbers.max(width), 1L << Integer.SIZE + 1) + Math.max(0, adjustment); // must fit
        maxFrameLength = (int) Math.min(max, greatest);
    }

    private static void checkNotNegative(int value, String name) {
        if (value < 0) {
            throw new IllegalArgumentException(name + "=" + value + " must not be negative");
        }
    }

    /* ---------------- Receiving -------------- */

    @Override
    public byte @Nullable [] decode(ByteBuffer input) throws FrameException {
        if (length == NOTHING_READ) {
            if (input.remaining() < head) {
                return null;
            }
            length = lengthAt(input);
        }
        if (input.remaining() - skip < length) {
            return null;
        }
        input.position(input.position() + skip);
        byte[] frame = new byte[length];
        input.get(frame);
        length = NOTHING_READ;
        return frame;
    }

    private int lengthAt(ByteBuffer input) throws FrameException {
        long told = Numbers.get(input, input.position() + offset, width, order);
        int max = maxFrameLength;
        if (told < 0 || told > max) {
            throw new FrameException("length=" + Long.toUnsignedString(told)
                    + " in the head of a frame is more than the maximum of " + max);
        }
        long adjusted = told + adjustment;
        if (adjusted < 0 || adjusted > Integer.MAX_VALUE - Long.BYTES - skip) {
            throw new FrameException("length=" + told + " in the head of a frame, adjusted by " + adjustment + ", is "
                    + adjusted + " bytes, which no frame can have");
        }
        return (int) adjusted;
    }

    @Override
    public byte @Nullable [] decodeEnd(ByteBuffer input) throws FrameException, EOFException {
        byte[] frame = decode(input);
        if (frame == null && input.hasRemaining()) {
            throw new EOFException("the input ended within a frame, after " + input.remaining()
                    + (length == NOTHING_READ
                            ? " bytes of its head of " + head
                            : " of its " + ((long) skip + length) + " bytes"));
        }
        return frame;
    }

    /* ---------------- Sending -------------- */

    @Override
    public void encode(byte[] frame, FrameBuffer target) throws FrameException {
        int max = maxFrameLength;
        if (frame.length > max) {
            throw new FrameException(
                    "a frame of " + frame.length + " bytes is longer than the maximum of " + max, true);
        }
        long told = (long) frame.length - adjustment;
        if (told > max && told <= Numbers.max(width)) {
            throw new FrameException(
                    "a frame of " + frame.length + " bytes has " + told
                            + " as its length in the head, which is more than the maximum of " + max,
                    true);
        }
        if (told < 0 || told > Numbers.max(width)) {
            throw new FrameException(
                    "a frame of " + frame.length + " bytes, adjusted by " + adjustment
                            + ", has no length that fits into its field of " + width + " bytes",
                    true);
        }
        target.putNumber(told, width, order);
        target.put(frame);
    }

    /**
     * What the heads of frames look like.
     *
     * <pre>{@code
     * LengthDelimitedCodec.builder().lengthFieldWidth(2).order(ByteOrder.LITTLE_ENDIAN).build();
     * }</pre>
     *
     * @since 0.1
     */
    public static final class Builder {
        private static final int HEAD = -1;

        private int offset;
        private int width = Integer.BYTES;
        private ByteOrder order = ByteOrder.BIG_ENDIAN;
        private int adjustment;
        private int skip = HEAD;
        private int maxFrameLength = 8 * 1024 * 1024;

        private Builder() {}

        /**
         * Sets how many bytes come before the length. 0 unless set.
         *
         * @param bytes 0 to 65535
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder lengthFieldOffset(int bytes) {
            offset = inHead(bytes, "lengthFieldOffset");
            return this;
        }

        /**
         * Sets how many bytes the length has. 4 unless set.
         *
         * @param bytes 1 to 8
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder lengthFieldWidth(int bytes) {
            Numbers.checkWidth(bytes, "lengthFieldWidth");
            width = bytes;
            return this;
        }

        /**
         * Sets the order of the bytes of the length. Big-endian unless set.
         *
         * @param byteOrder the order
         * @return this
         */
        public Builder order(ByteOrder byteOrder) {
            order = byteOrder;
            return this;
        }

        /**
         * Sets what is to be added to the length as it stands in the head to get the bytes of the frame, which begins where
         * {@link #skip} ends. 0 unless set.
         *
         * @param bytes negative if the length counts more than the frame, positive if it counts less
         * @return this
         */
        public Builder lengthAdjustment(int bytes) {
            adjustment = bytes;
            return this;
        }

        /**
         * Sets how many bytes, from the first of the head on, are no part of the frame. The head unless set: all up to the end
         * of the length.
         *
         * @param bytes 0 to 65535
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder skip(int bytes) {
            skip = inHead(bytes, "skip");
            return this;
        }

        /**
         * Sets what the length may be at most, see {@link LengthDelimitedCodec#maxFrameLength(int)}. 8 MiB unless set.
         *
         * @param max 0 or more; what the length field cannot express is cut down to what it can
         * @return this
         * @throws IllegalArgumentException if it is negative
         */
        public Builder maxFrameLength(int max) {
            checkNotNegative(max, "maxFrameLength");
            maxFrameLength = max;
            return this;
        }

        /** {@return a codec; each stream needs one of its own} */
        public LengthDelimitedCodec build() {
            return new LengthDelimitedCodec(this);
        }

        private static int inHead(int bytes, String name) {
            if (bytes < 0 || bytes > 0xffff) {
                throw new IllegalArgumentException(name + "=" + bytes + " must be from 0 to 65535");
            }
            return bytes;
        }
    }
}
