package dev.kumihimo.codec;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.io.BufferPool;
import dev.kumihimo.io.ByteSource;
import dev.kumihimo.io.PooledBuffer;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What has been read of a stream and not been decoded, and how far decoding has come. While that is nothing it has no memory,
 * unless the last read left no room: the first read goes through memory of the pool, and what came is kept in a buffer of just its
 * size. Used in turns: not thread-safe.
 *
 * @param <I> the frames
 */
final class FrameInput<I> {
    /** What is larger is given back once there is little in it, see {@link FrameBuffer#RETAINED}. */
    private static final int RETAINED = FrameBuffer.RETAINED;

    private static final int MAX_CAPACITY = Integer.MAX_VALUE - 8;

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final Decoder<I> decoder;
    private final int initialCapacity;
    private ByteBuffer bytes; // to be decoded, from position to limit
    private boolean brimmed; // the last read left no room: there is probably more, to be read into the same buffer
    private boolean starved; // the decoder has seen all there is, and wants more
    private boolean ended; // there is nothing more to read
    private @Nullable Throwable failure; // what decoding has come to, for good

    FrameInput(Decoder<I> decoder, int capacity) {
        this(decoder, capacity, NOTHING);
        starved = true;
    }

    private FrameInput(Decoder<I> decoder, int initialCapacity, ByteBuffer bytes) {
        this.decoder = decoder;
        this.initialCapacity = initialCapacity;
        this.bytes = bytes;
    }

    /** {@return the same, with a decoder that has not seen what is there} This one is of no more use. */
    <T> FrameInput<T> handOver(Decoder<T> next) {
        FrameInput<T> heir = new FrameInput<>(next, initialCapacity, bytes);
        heir.ended = ended;
        heir.starved = !ended && !bytes.hasRemaining(); // nobody is asked without a byte, but at the end
        heir.brimmed = brimmed;
        bytes = NOTHING;
        failure = new IllegalStateException("this reader has been replaced by another, with another decoder");
        return heir;
    }

    /** {@return the next frame, or null if there is none without reading} */
    @Nullable
    I next() throws IOException {
        throwFailure();
        if (starved) {
            return null;
        }
        try {
            I frame = ended ? decoder.decodeEnd(bytes) : decoder.decode(bytes);
            starved = frame == null;
            if (!bytes.hasRemaining()) {
                shrink();
            }
            return frame;
        } catch (FrameException e) {
            if (!e.recoverable()) {
                failure = e;
            }
            throw e;
        } catch (Throwable e) {
            failure = e;
            throw e;
        }
    }

    /** {@return whether there will never be another frame} Only after {@link #next} gave none. */
    boolean isOver() {
        return ended && starved;
    }

    /** {@return whether another who asks now may get something without reading: a frame, the end, the failure} */
    boolean hasMore() {
        return ended || !starved || failure != null;
    }

    int size() {
        return bytes.remaining();
    }

    /** {@return how many bytes it holds before it grows, for tests} */
    int capacity() {
        return bytes.capacity();
    }

    /** {@return a copy of what was read and not decoded, which is gone then} This one is of no more use. */
    byte[] takeRest() {
        byte[] rest = new byte[bytes.remaining()];
        bytes.get(rest);
        if (failure == null) {
            failure = new IllegalStateException(
                    "what this reader had read was taken out, of which its decoder may have seen some");
        }
        return rest;
    }

    /** Reads once, after a wait if nothing is there. */
    void read(ByteSource source, long deadline) throws IOException {
        if (bytes == NOTHING) {
            BufferPool pool = BufferPool.shared();
            try (PooledBuffer piece = deadline == Deadlines.NEVER
                    ? source.read(pool, initialCapacity)
                    : source.read(pool, initialCapacity, left(deadline))) {
                keep(piece == null ? null : piece.buffer());
            }
            return;
        }
        int begin = beginReading();
        int count = 0;
        try {
            count = deadline == Deadlines.NEVER ? source.read(bytes) : source.read(bytes, left(deadline));
        } catch (IOException e) {
            throw told(e, bytes.position() - begin);
        } finally {
            endReading(begin, count);
        }
    }

    /** Reads once; false if nothing is there. */
    boolean tryRead(ByteSource source) throws IOException {
        if (bytes == NOTHING) {
            try (PooledBuffer piece = BufferPool.shared().take(initialCapacity)) {
                int count = source.tryRead(piece.buffer());
                keep(count < 0 ? null : piece.buffer().flip());
                return count != 0;
            }
        }
        int begin = beginReading();
        int count = 0;
        try {
            count = source.tryRead(bytes);
        } catch (IOException e) {
            throw told(e, bytes.position() - begin);
        } finally {
            endReading(begin, count);
        }
        return count != 0;
    }

    private static Duration left(long deadline) {
        return Deadlines.remaining(deadline);
    }

    /** Keeps what came; null for the end. */
    private void keep(@Nullable ByteBuffer read) {
        if (read == null) {
            ended = true;
            starved = false;
        } else if (read.hasRemaining()) {
            brimmed = read.remaining() == initialCapacity;
            try {
                bytes = ByteBuffer.allocate(read.remaining()).put(read).flip();
            } catch (OutOfMemoryError e) {
                failure = e; // what came is lost
                throw e;
            }
            starved = false;
        }
    }

    private int beginReading() throws FrameException {
        makeRoom();
        int begin = bytes.position();
        bytes.position(bytes.limit()).limit(bytes.capacity());
        return begin;
    }

    private void endReading(int begin, int count) {
        brimmed = !bytes.hasRemaining();
        bytes.limit(bytes.position()).position(begin);
        dropIfEmpty();
        if (count < 0) {
            ended = true;
        }
        if (count != 0) {
            starved = false;
        }
    }

    private void makeRoom() throws FrameException {
        if (bytes.remaining() <= initialCapacity / 2) { // else it would soon have to grow again
            shrink();
        }
        int capacity = bytes.capacity();
        int size = bytes.remaining();
        if (capacity < initialCapacity) {
            bytes = ByteBuffer.allocate(initialCapacity).put(bytes).flip();
        } else if (size == 0) {
            bytes.clear().limit(0);
        } else if (capacity - bytes.limit() < capacity / 4 && size <= capacity / 2) {
            bytes.compact().flip();
        } else if (bytes.limit() == capacity) {
            if (capacity == MAX_CAPACITY) {
                throw new FrameException(
                        "a frame is not complete after " + size + " bytes, more than any buffer holds");
            }
            ByteBuffer larger = ByteBuffer.allocate((int) Math.min(MAX_CAPACITY, Math.max(16L, 2L * capacity)));
            bytes = larger.put(bytes).flip();
        }
    }

    private void dropIfEmpty() {
        if (!bytes.hasRemaining() && !brimmed) {
            bytes = NOTHING;
        }
    }

    private void shrink() {
        dropIfEmpty();
        if (bytes.capacity() > RETAINED && bytes.capacity() > initialCapacity) {
            bytes = ByteBuffer.allocate(initialCapacity).put(bytes).flip();
        }
    }

    private void throwFailure() throws IOException {
        Throwable failed = failure;
        if (failed instanceof IOException e) {
            throw e;
        } else if (failed instanceof RuntimeException e) {
            throw e;
        } else if (failed instanceof Error e) {
            throw e;
        }
    }

    /** Tells how much of a frame was there when the stream failed. */
    private static IOException told(IOException e, int size) {
        if (size == 0 || e instanceof InterruptedIOException || e instanceof ClosedChannelException) {
            return e;
        }
        String message = "within a frame, after " + size + " bytes of it: " + e.getMessage();
        IOException told = e instanceof SocketException ? new SocketException(message) : new IOException(message);
        told.initCause(e);
        return told;
    }

    static EOFException end() {
        return new EOFException("the stream has ended, after whole frames");
    }
}
