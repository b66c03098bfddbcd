package dev.kumihimo.io;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;

/*
 * State:     count > 0: that many PooledBuffers use the memory. 0: given back, for good; a lease is not used again when its
 *            memory is, so a late retain cannot revive it.
 * Fields:    the count (inherited) by volatile read-modify-write, so that whoever brings it to 0 sees what the others did with
 *            the memory. lost is written before the count goes down, read by whoever brings it to 0.
 */

/** The use of a piece of memory, by one or more {@link PooledBuffer}s. */
final class Lease extends AtomicInteger {
    private static final long serialVersionUID = 1;

    final transient BufferPool pool;
    final transient ByteBuffer memory;
    private volatile boolean lost;

    Lease(BufferPool pool, ByteBuffer memory) {
        super(1);
        this.pool = pool;
        this.memory = memory;
    }

    /** Counts one more user; only for a user. */
    boolean retain() {
        int count = get();
        while (count > 0) {
            if (compareAndSet(count, count + 1)) {
                return true;
            }
            count = get(); // lost: another came or went
        }
        return false;
    }

    /** Counts one user less; the last one gives the memory back. */
    void release() {
        if (decrementAndGet() == 0) {
            pool.ended(memory, !lost);
        }
    }

    /** As {@link #release}, for one who was collected: perhaps somebody still has its {@code ByteBuffer}. */
    void lose() {
        lost = true;
        release();
    }
}
