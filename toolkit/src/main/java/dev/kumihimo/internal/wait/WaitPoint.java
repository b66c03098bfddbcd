package dev.kumihimo.internal.wait;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What threads wait at: a channel, a semaphore, a task to be joined. Its lock guards its state and its
 * {@link WaitQueue}s; its {@code toString()} is what a task dump prints as the reason of a wait.
 */
public abstract class WaitPoint extends SpinLock {
    private static final AtomicLong RANKS = new AtomicLong();
    private static final VarHandle RANK;

    static {
        try {
            RANK = MethodHandles.lookup().findVarHandle(WaitPoint.class, "rank", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** 0 until the first select over this point; then its place in the global lock order. */
    private volatile long rank;

    /** Creates a point at which nobody waits. */
    protected WaitPoint() {}

    /** {@return this point's place in the one global order in which a select takes the locks of its branches} */
    public final long rank() {
        long r = rank;
        if (r == 0) {
            RANK.compareAndSet(this, 0L, RANKS.incrementAndGet()); // lost: another select has ranked it
            r = rank;
        }
        return r;
    }

    /**
     * Called under the lock after a waiter that gave up (cancelled, timed out, interrupted, or served by another branch of
     * its select) has left its queue: serves whoever it held up, and returns those served, to be woken after unlocking.
     *
     * @return the served waiters, or null
     */
    protected WakeList afterAbandon() {
        return WakeList.NONE;
    }
}
