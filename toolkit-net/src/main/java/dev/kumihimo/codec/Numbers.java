package dev.kumihimo.codec;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Unsigned numbers of any width in a buffer, whose own order does not matter. */
final class Numbers {
    private Numbers() {}

    static void checkWidth(int width, String name) {
        if (width < 1 || width > Long.BYTES) {
            throw new IllegalArgumentException(name + "=" + width + " must be from 1 to " + Long.BYTES);
        }
    }

    /** {@return the number at an index} Of eight bytes it may be negative: then it is 2^64 more. */
    static long get(ByteBuffer bytes, int index, int width, ByteOrder order) {
        long value = 0;
        for (int i = 0; i < width; i++) {
            value = value << Byte.SIZE | bytes.get(index + at(i, width, order)) & 0xff;
        }
        return value;
    }

    static void set(ByteBuffer bytes, int index, long value, int width, ByteOrder order) {
        for (int i = 0; i < width; i++) {
            bytes.put(index + at(i, width, order), (byte) (value >>> (width - 1 - i) * Byte.SIZE));
        }
    }

    /** {@return the greatest number of a width, or {@link Long#MAX_VALUE} if that is less} */
    static long max(int width) {
        return width == Long.BYTES ? Long.MAX_VALUE : (1L << width * Byte.SIZE) - 1;
    }

    private static int at(int fromTop, int width, ByteOrder order) {
        return order == ByteOrder.BIG_ENDIAN ? fromTop : width - 1 - fromTop;
    }
}
