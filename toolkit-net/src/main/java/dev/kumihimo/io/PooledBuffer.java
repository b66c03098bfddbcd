package dev.kumihimo.io;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A piece of memory from a {@link BufferPool}, or of such a piece, that has to be closed once.
 *
 * <pre>{@code
 * try (PooledBuffer piece = BufferPool.shared().take(64 * 1024)) {
 *     while (source.read(piece.buffer().clear()) >= 0) {
 *         sink.writeAll(piece.buffer().flip());
 *     }
 * }
 * }</pre>
 *
 * <p><b>Sharing.</b> {@link #slice}, {@link #retain} and {@link #readOnly} copy no bytes: each returns one more
 * {@code PooledBuffer} on the same memory, with a position and a limit of its own, which lives on when this one is closed
 * and has to be closed itself. The memory goes back to the pool with the last of them. So whoever hands a buffer on and
 * keeps using it hands on a {@code retain()}, and each closes what is theirs:
 *
 * <pre>{@code
 * try (PooledBuffer packet = receive()) {
 *     subscribers.trySend(packet.readOnly()); // to be closed by whoever receives it
 * }
 * }</pre>
 *
 * <p><b>Mistakes.</b> Closing it twice, and using it when it is closed, is an {@link IllegalStateException}, and hurts nobody
 * else's use of the memory. What cannot be seen is that somebody goes on using a {@link ByteBuffer} that they got from
 * {@link #buffer()}, or a view of it, after the memory has gone back: then they see, or spoil, the bytes of the next user.
 * A tracking pool, see {@link BufferPool.Builder#tracking}, overwrites what goes back, so that tests notice.
 *
 * <p>Several threads may use buffers on the same memory; a single one is for one thread at a time, save that any may close it
 * when nobody uses it. What one of them did with the memory before it closed its buffer happens-before what the next one to
 * take that memory does.
 *
 * @since 0.1
 */
public final class PooledBuffer implements AutoCloseable {
    private static final VarHandle CLOSED;

    static {
        try {
            CLOSED = MethodHandles.lookup().findVarHandle(PooledBuffer.class, "closed", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Lease lease;
    private final ByteBuffer view;
    private final BufferTracker.@Nullable Track track;

    /** Set by compare-and-set, by the one call of close that counts. */
    private volatile boolean closed;

    /** Where that was, if the pool is tracking; may be unset for a moment. */
    private volatile @Nullable Throwable closing;

    /** For one who has counted on the lease. */
    PooledBuffer(Lease lease, ByteBuffer view) {
        this.lease = lease;
        this.view = view;
        BufferTracker tracker = lease.pool.tracker();
        this.track = tracker == null ? null : tracker.track(this, lease, view.capacity());
    }

    /**
     * {@return the bytes} Always the same object, whose position, limit and byte order are the user's to set; at first it is
     * clear, and big-endian. It must not be used after this buffer is closed.
     *
     * @throws IllegalStateException if closed
     */
    public ByteBuffer buffer() {
        ensureOpen();
        return view;
    }

    /** {@return how many bytes it has, 0 or more; known also when closed} */
    public int capacity() {
        return view.capacity();
    }

    /**
     * {@return a buffer on some of these bytes, to be closed by itself} It is clear: its index 0 is {@code from} here. Writable
     * if this one is, and then each sees what is written to the other.
     *
     * @param from the first byte, an index from 0 to the capacity; position and limit of {@link #buffer} do not matter
     * @param length how many bytes, 0 or more
     * @throws IllegalArgumentException if they are not all within this buffer
     * @throws IllegalStateException if closed
     */
    public PooledBuffer slice(int from, int length) {
        if (from < 0 || length < 0 || from > view.capacity() - length) {
            throw new IllegalArgumentException(
                    "from=" + from + ", length=" + length + " must lie within the " + view.capacity() + " bytes");
        }
        return shared(view.slice(from, length));
    }

    /**
     * {@return a buffer on the same bytes, to be closed by itself} It has this one's position and limit as they are now.
     *
     * @throws IllegalStateException if closed
     */
    public PooledBuffer retain() {
        return shared(view.duplicate());
    }

    /**
     * {@return a buffer on the same bytes that cannot be written to, to be closed by itself} It has this one's position and limit
     * as they are now. What is written to this one is seen by it.
     *
     * @throws IllegalStateException if closed
     */
    public PooledBuffer readOnly() {
        return shared(view.asReadOnlyBuffer());
    }

    private PooledBuffer shared(ByteBuffer bytes) {
        ensureOpen();
        if (!lease.retain()) {
            throw closedBefore(); // just now, by another thread
        }
        try {
            return new PooledBuffer(lease, bytes);
        } catch (Throwable e) { // no memory left
            lease.release();
            throw e;
        }
    }

    private void ensureOpen() {
        if (closed) {
            throw closedBefore();
        }
    }

    private IllegalStateException closedBefore() {
        return new IllegalStateException(this + " was closed before", closing);
    }

    /** {@return whether it has not been closed} */
    public boolean isOpen() {
        return !closed;
    }

    /**
     * Ends this use of the memory, which goes back to the pool if it was the last one. Never waits.
     *
     * @throws IllegalStateException if it was closed before; in a tracking pool its cause tells where
     */
    @Override
    public void close() {
        if (!CLOSED.compareAndSet(this, false, true)) {
            throw closedBefore();
        }
        BufferTracker.Track tracked = track;
        BufferTracker tracker = lease.pool.tracker();
        if (tracked != null && tracker != null) {
            closing = new Throwable(
                    "where it was closed, in thread " + Thread.currentThread().getName());
            tracker.released(tracked);
            Reference.reachabilityFence(this); // else the tracker may find it collected before
        }
        lease.release();
    }

    @Override
    public String toString() {
        return "PooledBuffer[" + view.capacity() + (closed ? " bytes, closed]" : " bytes]");
    }
}
