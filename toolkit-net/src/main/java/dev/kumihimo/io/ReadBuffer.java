package dev.kumihimo.io;

import dev.kumihimo.internal.stream.Deadlines;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * What a {@link ByteReader} has read from its source, and nobody has taken. Grows for what is awaited, and shrinks after it. The
 * first read into an empty one goes through memory of the pool: so one that waits has no memory, and one that gets little has little.
 */
final class ReadBuffer {
    /** The longest array that every JVM can make. */
    static final int MOST = Integer.MAX_VALUE - 8;

    private static final byte[] NONE = {};

    /** The most bytes that are read through the pool: more is not pooled. */
    private static final int FIRST = 1 << 20;

    final int capacity;
    private byte[] bytes = NONE;
    private boolean brimmed; // the last read left no room: there is probably more, to be read into the same array
    private int start; // bytes[start] to bytes[end - 1] are what is there
    private int end;

    ReadBuffer(int capacity) {
        this.capacity = capacity;
    }

    /** {@return how many bytes of memory it has, for tests} */
    int held() {
        return bytes.length;
    }

    int size() {
        return end - start;
    }

    byte get(int index) {
        return bytes[start + index];
    }

    /** {@return the first index of a byte, from one index on and before another; -1 if it is not there} */
    int indexOf(byte wanted, int from, int to) {
        for (int i = start + from; i < start + to; i++) {
            if (bytes[i] == wanted) {
                return i - start;
            }
        }
        return -1;
    }

    /**
     * Reads more behind what is there, which is less than {@code most}.
     *
     * @param deadline as in {@link Deadlines}
     * @param most to how many bytes it may grow, if that is more than its capacity
     * @return how many, or -1 at the end
     */
    int fill(ByteSource source, long deadline, long most) throws IOException {
        int count = bytes == NONE ? readFirst(source, deadline) : readMore(source, deadline, most);
        if (count == 0 && deadline != Deadlines.TRY) {
            throw new IOException(source + " has read nothing, though there was room");
        }
        return count;
    }

    private int readFirst(ByteSource source, long deadline) throws IOException {
        int room = Math.min(capacity, FIRST);
        try (PooledBuffer piece = SourceView.read(source, BufferPool.shared(), room, deadline)) {
            if (piece == null) {
                return -1;
            }
            ByteBuffer read = piece.buffer();
            int count = read.remaining();
            if (count > 0) {
                brimmed = count == room;
                bytes = new byte[brimmed ? capacity : count];
                read.get(bytes, 0, count);
                end = count;
            }
            return count;
        }
    }

    private int readMore(ByteSource source, long deadline, long most) throws IOException {
        makeRoom(most);
        ByteBuffer free = ByteBuffer.wrap(bytes, end, bytes.length - end);
        int count = SourceView.read(source, free, deadline);
        int added = free.position() - end; // which is so, whatever the source says
        end += added;
        brimmed = end == bytes.length;
        if (start == end) {
            drop(0); // nothing was there, though there was before
        }
        return count < 0 ? -1 : added;
    }

    private void makeRoom(long most) {
        int there = size();
        if (end == bytes.length || start > there) {
            byte[] target = bytes;
            if (bytes.length < capacity) {
                target = new byte[capacity];
            } else if (there == bytes.length) {
                target = new byte[(int) Math.min(Math.min(2L * there, Math.max(most, there + 1L)), MOST)];
            } else if (bytes.length > capacity && there < capacity && most <= capacity) {
                target = new byte[capacity];
            }
            System.arraycopy(bytes, start, target, 0, there);
            bytes = target;
            start = 0;
            end = there;
        }
    }

    /** {@return a view of the first bytes} Valid until more are read. */
    ByteBuffer view(int length) {
        return ByteBuffer.wrap(bytes, start, length);
    }

    void drop(int length) {
        start += length;
        if (start == end) {
            start = 0;
            end = 0;
            if (!brimmed || bytes.length > capacity) {
                bytes = NONE;
            }
        }
    }

    byte[] take(int length) {
        byte[] taken = Arrays.copyOfRange(bytes, start, start + length);
        drop(length);
        return taken;
    }

    /** {@return the first bytes as text in UTF-8} */
    String text(int length) throws CharacterCodingException {
        String text = new String(bytes, start, length, StandardCharsets.UTF_8);
        if (text.indexOf('\uFFFD') >= 0) { // which stands for what is not UTF-8, or for itself
            try {
                StandardCharsets.UTF_8.newDecoder().decode(view(length));
            } catch (CharacterCodingException e) {
                throw new NotUtf8Exception(length, e);
            }
        }
        return text;
    }

    private static final class NotUtf8Exception extends CharacterCodingException {
        private static final long serialVersionUID = 1;

        /** Of how many bytes. */
        private final int length;

        NotUtf8Exception(int length, CharacterCodingException cause) {
            this.length = length;
            initCause(cause);
        }

        @Override
        public String getMessage() {
            return "the text of " + length + " bytes is not UTF-8";
        }
    }
}
