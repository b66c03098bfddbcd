package dev.kumihimo.io;

import dev.kumihimo.internal.wait.Points;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: a Shelf for each power of two. No caches for threads: tasks are many and move between carriers.
 * Fields:    retained is raised before memory is shelved and lowered after it was taken from there, so it never tells less than
 *            there is, and its bound holds also while many give back at once. outstanding is a sum, exact when nobody is at it.
 *            closed is set once.
 * Invariants: what is given back while the pool is being closed is not left behind: it is shelved before closed is read, and
 *            close empties the shelves after it has set closed. One of the two sees the other.
 * Progress:  lock-free, apart from the JDK's allocation and, in a tracking pool, the tracker.
 * Checked by: BufferPoolTest.
 */

/**
 * Direct buffers that are used again and again, since making one takes the JDK much longer than using it.
 *
 * <pre>{@code
 * try (PooledBuffer piece = BufferPool.shared().take(16 * 1024)) {
 *     stream.read(piece.buffer());
 *     handle(piece.buffer().flip());
 * }
 * }</pre>
 *
 * <p>Memory comes in powers of two, from 512 bytes to the {@link Builder#largest} that is pooled, and is handed out last in,
 * first out. What is taken holds what its last user left there; only new memory is zero. A pool keeps what comes back, up to a
 * bound, and leaves the rest to the garbage collector. What is taken and never closed is lost to the pool, and its memory is freed when it is
 * collected; a {@linkplain Builder#tracking tracking} pool tells of it.
 *
 * <p>Any thread may call any method, and none of them waits.
 *
 * @since 0.1
 */
public final class BufferPool implements AutoCloseable {
    private static final int LEAST_SHIFT = 9;
    private static final int LARGEST_SHIFT = 30;

    private static final byte OVERWRITTEN = (byte) 0xDB;

    private final int largest;
    private final long maxRetained;
    private final @Nullable BufferTracker tracker;
    private final Shelf[] shelves;
    private final AtomicLong retained = new AtomicLong();
    private final LongAdder outstanding = new LongAdder();
    private volatile boolean closed;

    /** The one of the process, made at its first use. */
    private static volatile @Nullable BufferPool shared;

    private BufferPool(int largest, long maxRetained, boolean tracking) {
        this.largest = largest;
        this.maxRetained = maxRetained;
        this.tracker = tracking ? new BufferTracker() : null;
        this.shelves = new Shelf[shelf(largest) + 1];
        for (int i = 0; i < shelves.length; i++) {
            shelves[i] = new Shelf();
        }
        if (Points.ON) {
            Points.made(this, aborted -> left());
        }
    }

    private @Nullable String left() {
        long taken = this == shared ? 0 : outstanding.sum(); // the shared one is everybody's
        return taken <= 0 ? null : taken + (taken == 1 ? " buffer was" : " buffers were") + " not closed";
    }

    /**
     * {@return the pool of the process, with the defaults of a {@link Builder}} It cannot be closed.
     *
     * @throws IllegalArgumentException if it is not made yet and cannot be, as in {@link Builder#build}
     */
    public static BufferPool shared() {
        BufferPool made = shared;
        return made != null ? made : makeShared();
    }

    private static synchronized BufferPool makeShared() {
        BufferPool made = shared;
        if (made == null) {
            made = builder().build(); // may throw, and then does so whenever it is asked for
            shared = made;
        }
        return made;
    }

    /** {@return a pool with the defaults of a {@link Builder}} */
    public static BufferPool create() {
        return builder().build();
    }

    /** {@return a pool that tells of buffers that were not closed, with the defaults of a {@link Builder} otherwise} */
    public static BufferPool tracking() {
        return builder().tracking(true).build();
    }

    /** {@return the options of a pool, with their defaults} */
    public static Builder builder() {
        return new Builder();
    }

    /* ---------------- Taking and giving back -------------- */

    /**
     * Takes a buffer.
     *
     * @param capacity how many bytes it has, 1 or more; if more than {@link Builder#largest}, it is made for this call, and not
     *     kept afterwards
     * @return the buffer, to be closed
     * @throws IllegalArgumentException if the capacity is less than 1
     * @throws IllegalStateException if the pool is closed
     * @throws OutOfMemoryError if there is no direct memory left, see {@code -XX:MaxDirectMemorySize}
     */
    public PooledBuffer take(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity=" + capacity + " must be at least 1");
        }
        if (closed) {
            throw new IllegalStateException(this + " is closed");
        }
        ByteBuffer memory = memory(capacity);
        outstanding.increment();
        return new PooledBuffer(new Lease(this, memory), memory.slice(0, capacity));
    }

    private ByteBuffer memory(int capacity) {
        if (capacity > largest) {
            return ByteBuffer.allocateDirect(capacity);
        }
        int shelf = shelf(capacity);
        ByteBuffer kept = shelves[shelf].pop();
        if (kept == null) {
            return ByteBuffer.allocateDirect(1 << (LEAST_SHIFT + shelf));
        }
        retained.addAndGet(-kept.capacity());
        return kept;
    }

    /** Nobody uses a piece of memory of this pool any more. */
    void ended(ByteBuffer memory, boolean usable) {
        outstanding.decrement();
        int size = memory.capacity();
        if (!usable || size > largest) {
            return;
        }
        if (tracker != null) {
            for (int i = 0; i < size; i++) {
                memory.put(i, OVERWRITTEN);
            }
        }
        if (retained.addAndGet(size) > maxRetained) {
            retained.addAndGet(-size);
            return;
        }
        shelves[shelf(size)].push(memory);
        if (closed) {
            trim();
        }
    }

    /** {@return the shelf with the smallest memory that has such a capacity, 1 to 2^30} */
    private static int shelf(int capacity) {
        return Math.max(0, Integer.SIZE - Integer.numberOfLeadingZeros(capacity - 1) - LEAST_SHIFT);
    }

    /** Leaves to the garbage collector what is {@linkplain #retained retained} now. */
    public void trim() {
        for (Shelf shelf : shelves) {
            for (ByteBuffer dropped; (dropped = shelf.pop()) != null; ) {
                retained.addAndGet(-dropped.capacity());
            }
        }
    }

    /* ---------------- What there is -------------- */

    /** {@return how many bytes lie ready} A moment's figure; too high by what is on its way while others take and give back. */
    public long retained() {
        return retained.get();
    }

    /**
     * {@return how many buffers have been taken whose memory has not come back} However many share the memory of one, it counts
     * once. A moment's figure; exact while nobody takes or gives back. One that was collected without being closed is counted
     * for ever, or in a tracking pool until that has found it.
     */
    public long outstanding() {
        if (tracker != null) {
            tracker.findCollected();
        }
        return outstanding.sum();
    }

    /**
     * A buffer that was not closed.
     *
     * <pre>{@code
     * for (BufferPool.Unreleased one : pool.unreleased()) {
     *     log.warn("{} bytes", one.capacity(), one.taken());
     * }
     * }</pre>
     *
     * @param capacity how many bytes it has
     * @param collected whether it was collected, so that nobody can close it any more
     * @param taken its stack trace tells where it was taken, or made from another
     * @since 0.1
     */
    public record Unreleased(int capacity, boolean collected, Throwable taken) {}

    /**
     * {@return the buffers of a tracking pool that have not been closed: those that were collected, of which 1,000 are remembered,
     * and those that somebody may still have} Buffers that share memory are listed each. Also of a pool that is closed.
     *
     * @throws IllegalStateException if the pool is not tracking
     */
    public List<Unreleased> unreleased() {
        if (tracker == null) {
            throw new IllegalStateException(this + " is not tracking, so it does not know");
        }
        return tracker.unreleased();
    }

    /** What tracks the buffers, or null. */
    @Nullable
    BufferTracker tracker() {
        return tracker;
    }

    /**
     * Drops what is retained, and hands out no more. Buffers that were taken stay good, and are dropped when they are closed; a
     * tracking pool logs each at WARN that has not been. Idempotent.
     *
     * @throws IllegalStateException if it is the {@link #shared} one
     */
    @Override
    public void close() {
        if (this == shared) {
            throw new IllegalStateException("the shared pool cannot be closed: it is everybody's");
        }
        boolean before = closed;
        closed = true;
        trim();
        if (tracker != null && !before) {
            tracker.poolClosed();
        }
    }

    @Override
    public String toString() {
        return "BufferPool[" + outstanding.sum() + " taken, " + retained.get() + " bytes retained"
                + (closed ? ", closed]" : "]");
    }

    /* ---------------- Building -------------- */

    /**
     * Options of a pool.
     *
     * <pre>{@code
     * BufferPool pool = BufferPool.builder().maxRetained(16 << 20).tracking(true).build();
     * }</pre>
     *
     * @since 0.1
     */
    public static final class Builder {
        private static final String TRACKING = "kumihimo.buffers.tracking";
        private static final String MAX_RETAINED = "kumihimo.buffers.max.retained";
        private static final long MOST_RETAINED_BY_DEFAULT = 64 << 20;

        private int largest = 1 << 20;
        private @Nullable Long maxRetained;
        private @Nullable Boolean tracking;

        private Builder() {}

        /**
         * Sets the capacity up to which buffers are pooled. Default 1 MiB.
         *
         * @param bytes a power of two, from 512 to 1 GiB
         * @return this
         * @throws IllegalArgumentException if it is none
         */
        public Builder largest(int bytes) {
            if (Integer.bitCount(bytes) != 1 || bytes < 1 << LEAST_SHIFT) { // the negative one is too small
                throw new IllegalArgumentException(
                        "largest=" + bytes + " must be a power of two from 512 to " + (1 << LARGEST_SHIFT));
            }
            largest = bytes;
            return this;
        }

        /**
         * Sets how many bytes are kept for those to come. Default: the system property {@code kumihimo.buffers.max.retained}, else
         * the environment variable {@code KUMIHIMO_BUFFERS_MAX_RETAINED}, else 64 MiB, or an eighth of the greatest heap if that
         * is less.
         *
         * @param bytes 0 or more; with 0 nothing is pooled
         * @return this
         * @throws IllegalArgumentException if it is negative
         */
        public Builder maxRetained(long bytes) {
            maxRetained = checkMaxRetained("maxRetained", bytes);
            return this;
        }

        /**
         * Sets whether buffers that are not closed are told of: at WARN, with the stack where they were taken, when the pool learns
         * that they were collected, which it looks for at each taking, and when it is closed; and by {@link #unreleased}. Such a
         * pool also overwrites memory that comes back, and a second closing tells of the first. All that is for tests: it takes a
         * stack trace for each buffer. Default: the system property {@code kumihimo.buffers.tracking}, else the environment variable {@code
         * KUMIHIMO_BUFFERS_TRACKING}, else false.
         *
         * @param on whether
         * @return this
         */
        public Builder tracking(boolean on) {
            tracking = on;
            return this;
        }

        /**
         * {@return the pool}
         *
         * @throws IllegalArgumentException if a property or variable that counts has a value that it cannot have
         */
        public BufferPool build() {
            return new BufferPool(
                    largest,
                    maxRetained == null ? defaultMaxRetained() : maxRetained,
                    tracking == null ? defaultTracking() : tracking);
        }

        private static long defaultMaxRetained() {
            String set = setting(MAX_RETAINED);
            if (set == null) {
                return Math.min(MOST_RETAINED_BY_DEFAULT, Runtime.getRuntime().maxMemory() / 8);
            }
            try {
                return checkMaxRetained(MAX_RETAINED, Long.parseLong(set.strip()));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException(MAX_RETAINED + "=" + set + " must be a number of bytes", e);
            }
        }

        private static boolean defaultTracking() {
            String set = setting(TRACKING);
            return switch (set == null ? "false" : set.strip()) {
                case "true" -> true;
                case "false" -> false;
                default -> throw new IllegalArgumentException(TRACKING + "=" + set + " must be true or false");
            };
        }

        private static @Nullable String setting(String property) {
            String set = System.getProperty(property);
            return set != null ? set : System.getenv(property.replace('.', '_').toUpperCase(Locale.ROOT));
        }

        private static long checkMaxRetained(String name, long bytes) {
            if (bytes < 0) {
                throw new IllegalArgumentException(name + "=" + bytes + " must be at least 0");
            }
            return bytes;
        }
    }
}
