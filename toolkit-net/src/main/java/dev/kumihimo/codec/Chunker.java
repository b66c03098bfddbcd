package dev.kumihimo.codec;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Finds the ends of chunks that a delimiter follows, looks at no byte twice, and passes over what is too long. It has state:
 * the position must not be moved between two calls but by what the first has found.
 */
final class Chunker {
    private static final long ONES = 0x0101010101010101L;
    private static final long TOPS = 0x8080808080808080L;

    /** The sequence that ends a chunk; or one byte of each delimiter, if there are several. */
    private final byte[] delimiter;

    /** For each byte whether it is a delimiter; null if there is one sequence. */
    private final boolean[] any;

    private final int width; // of a delimiter
    private final int maxLength;
    private final String kind; // for messages
    private int scanned; // bytes after the position that hold no beginning of a delimiter
    private boolean discarding; // up to the next delimiter, all belongs to a chunk that was too long

    private Chunker(byte[] delimiter, boolean[] any, int maxLength, String kind) {
        if (maxLength < 1) {
            throw new IllegalArgumentException("maxLength=" + maxLength + " must be at least 1");
        }
        this.delimiter = delimiter;
        this.any = any;
        this.width = any.length > 0 ? 1 : delimiter.length;
        this.maxLength = maxLength;
        this.kind = kind;
    }

    /** {@return a chunker for chunks that end with a sequence} */
    static Chunker sequence(byte[] delimiter, int maxLength, String kind) {
        return new Chunker(checked(delimiter, "delimiter"), new boolean[0], maxLength, kind);
    }

    /** {@return a chunker for chunks that end with any of some bytes} */
    static Chunker anyOf(byte[] delimiters, int maxLength, String kind) {
        boolean[] any = new boolean[1 << Byte.SIZE];
        for (byte each : checked(delimiters, "delimiters")) {
            any[each & 0xff] = true;
        }
        return new Chunker(delimiters.clone(), any, maxLength, kind);
    }

    static byte[] checked(byte[] bytes, String name) {
        if (bytes.length == 0) {
            throw new IllegalArgumentException(name + " must have at least 1 byte");
        }
        return bytes.clone();
    }

    /** {@return how many bytes a delimiter has} */
    int width() {
        return width;
    }

    /** {@return the length of the chunk at the position, or -1 if its end is not there} The position is left before it. */
    int find(ByteBuffer input) throws FrameException {
        if (discarding && !discard(input)) {
            return -1;
        }
        int size = input.remaining();
        int end = (int) Math.min(size, (long) maxLength + width); // a delimiter that ends later is too late
        int at = indexOf(input, scanned, end);
        if (at >= 0) {
            scanned = 0;
            return at;
        }
        if (size - width >= maxLength) {
            discarding = true;
            scanned = 0;
            throw tooLong();
        }
        scanned = Math.max(scanned, end - width + 1);
        return -1;
    }

    /** {@return the length of what is left at the end, which no delimiter follows} */
    int rest(ByteBuffer input) throws FrameException {
        scanned = 0;
        boolean tooLong = !discarding && input.remaining() > maxLength; // only with a part of a delimiter
        if (discarding || tooLong) {
            discarding = false;
            input.position(input.limit());
        }
        if (tooLong) {
            throw tooLong();
        }
        return input.remaining();
    }

    private FrameException tooLong() {
        return new FrameException(kind + " is longer than the maximum of " + maxLength + " bytes", true);
    }

    /** Passes over what is too long; false if its end is not there. */
    private boolean discard(ByteBuffer input) {
        int at = indexOf(input, 0, input.remaining());
        discarding = at < 0;
        int passed = discarding ? Math.max(0, input.remaining() - width + 1) : at + width;
        input.position(input.position() + passed);
        return !discarding;
    }

    /** Returns where the first delimiter begins that lies in a part of what remains, counted from the position; or -1. */
    private int indexOf(ByteBuffer input, int from, int to) {
        int base = input.position();
        int at = base + from;
        int last = base + to - width;
        if (any.length > 0) {
            for (; at <= last; at++) {
                if (any[input.get(at) & 0xff]) {
                    return at - base;
                }
            }
            return -1;
        }
        while (at <= last) {
            at = indexOf(input, at, last + 1, delimiter[0]);
            if (at < 0) {
                return -1;
            }
            if (isDelimiter(input, at)) {
                return at - base;
            }
            at++;
        }
        return -1;
    }

    private boolean isDelimiter(ByteBuffer input, int at) {
        for (int i = 1; i < width; i++) {
            if (input.get(at + i) != delimiter[i]) {
                return false;
            }
        }
        return true;
    }

    /** Looks at eight bytes at a time: subtracting 1 borrows into the top bit of the lowest byte that is 0. */
    private static int indexOf(ByteBuffer input, int from, int to, byte wanted) {
        long pattern = ONES * (wanted & 0xff);
        boolean reversed = input.order() == ByteOrder.BIG_ENDIAN;
        int at = from;
        for (; at <= to - Long.BYTES; at += Long.BYTES) {
            long word = (reversed ? Long.reverseBytes(input.getLong(at)) : input.getLong(at)) ^ pattern;
            long zeros = word - ONES & ~word & TOPS;
            if (zeros != 0) {
                return at + Long.numberOfTrailingZeros(zeros) / Byte.SIZE;
            }
        }
        for (; at < to; at++) {
            if (input.get(at) == wanted) {
                return at;
            }
        }
        return -1;
    }
}
