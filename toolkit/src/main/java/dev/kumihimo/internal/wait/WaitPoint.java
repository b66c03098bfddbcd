package dev.kumihimo.internal.wait;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

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
        prepare(MethodHandles.lookup(), Wait.class, WakeList.class);
    }

    /**
     * Initialises classes that are used under a lock: a virtual thread that had to load one there could be held up by that, and
     * leave its carrier with the lock held.
     *
     * @param lookup of a class that sees them
     */
    protected static void prepare(MethodHandles.Lookup lookup, Class<?>... classes) {
        try {
            for (Class<?> type : classes) {
                lookup.ensureInitialized(type);
            }
        } catch (IllegalAccessException e) {
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
     * Takes out the node of a wait that gave up: was cancelled, interrupted, out of time, or served by another branch of its
     * select. Called under the lock, by the thread that waited. Does nothing if a granter has dropped the node already.
     *
     * @param woken where to add whom it held up
     */
    public void withdraw(WaitNode node, WakeList woken) {
        WaitQueue queue = node.queue;
        if (queue != null) { // else a granter has dropped it, and gone on to serve the next
            queue.remove(node);
            afterAbandon(woken);
        }
    }

    /**
     * Called under the lock after a waiter that gave up has left its queue: serves whoever it held up.
     *
     * @param woken where to add those served
     */
    protected void afterAbandon(WakeList woken) {
        // nobody is held up where all wait for the same
    }

    /* ---------------- What reports ask; no operation does -------------- */

    /**
     * {@return the threads that hold what is waited for here, which alone can end a wait; empty where that may be anybody, or is
     * not known} Called without the lock, and racy: true only while none of them runs. If there are several, one that goes on
     * may be enough to end a wait.
     */
    public List<Thread> holders() {
        return List.of();
    }

    /**
     * As {@link #holders()}, of what one of those who wait here is for, where they wait for different things.
     *
     * @param asking the registration of who waits
     */
    public List<Thread> holders(WaitNode asking) {
        return holders();
    }

    /**
     * {@return what the first of those who wait could have, in words: a wakeup that was lost; null if all is as it should be}
     * Called under the lock.
     */
    public @Nullable String lostWakeup() {
        return null;
    }

    /**
     * {@return the oldest registration in a queue of this point's, if its wait is not decided; under the lock, for
     * {@link #lostWakeup}}
     *
     * @param queue may be null, for one that was not made yet
     */
    protected static @Nullable WaitNode undecided(@Nullable WaitQueue queue) {
        WaitNode head = queue == null ? null : queue.peek();
        return head == null || head.owner().isDecided() ? null : head;
    }

    /** {@return what {@link #lostWakeup} says: what is there, and who waits nevertheless} */
    protected static String lost(String there, WaitNode waiting) {
        return there + ", and " + waiting.owner().waiter() + " waits";
    }

    /**
     * {@return what is left here that would be missed for ever once all tasks have ended, as "2 permits not given back"; null if
     * nothing} Called under the lock. Asked only of those that tell of themselves when they are made, see
     * {@link Points#made(WaitPoint)}.
     */
    public @Nullable String leftover() {
        return null;
    }

    /** As {@link #leftover()}, and takes the lock. */
    public final @Nullable String lockedLeftover() {
        lock();
        try {
            return leftover();
        } finally {
            unlock();
        }
    }
}
