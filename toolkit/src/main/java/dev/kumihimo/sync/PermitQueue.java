package dev.kumihimo.sync;

import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Clause;
import java.lang.invoke.MethodHandles;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: a count and a FIFO queue behind a spin lock. Who gives permits serves the head as long as it can be served. A
 * mutex is such a queue with one permit; a read-write lock is one with a permit for each reader, and a writer takes all.
 *
 * Fields: all guarded by the lock. A node's count: what it wants. Its item: CLOSED if it was granted nothing but the end; in a
 * select, until then, what the branch gives, made in advance.
 * Invariants: I1 the head, unless it has given up, wants more than is free. I2 so nobody waits while it could be served.
 * Linearization: take(), where it subtracts; the grant in serve().
 * Cancellation: a waiter that gives up may have been a head that wanted much: afterAbandon serves those behind.
 */

/** Permits and who waits for them, in the order of arrival: what a semaphore and the locks are made of. */
abstract class PermitQueue extends WaitPoint {
    /** In place of what a select made in advance, or of nothing: the semaphore was closed. */
    static final Object CLOSED = new Object();

    static final int MAX_PERMITS = Integer.MAX_VALUE;

    static {
        prepare(MethodHandles.lookup(), SemaphoreClosedException.class);
    }

    private static final int ENDED = -1;

    private final WaitQueue waiters = new WaitQueue();
    private int permits;

    /**
     * How many are free at least once all that are held were given back, for reports of the test kit, and exact only where
     * {@link Points#ON}; or {@link #ENDED}, since nothing is missed then. One field for both: another would make each mutex and
     * each read-write lock 8 bytes larger.
     */
    private int whole;

    PermitQueue(int permits) {
        this.permits = permits;
        this.whole = permits;
        if (Points.ON) {
            Points.made(this);
        }
    }

    /** Takes permits if they are free and nobody waits. */
    final boolean tryTake(int count) {
        lock();
        try {
            return take(count);
        } finally {
            unlock();
        }
    }

    private boolean take(int count) {
        if (isClosed()) {
            throw new SemaphoreClosedException("the semaphore is closed");
        }
        if (!hasFree(count)) {
            return false;
        }
        permits -= count;
        return true;
    }

    /** Takes permits and returns null, or registers the caller and returns its wait. */
    final @Nullable Wait takeOrRegister(int count) {
        lock();
        try {
            if (take(count)) {
                return null;
            }
            Wait wait = Wait.at(this);
            register(wait, count);
            return wait;
        } finally {
            unlock();
        }
    }

    /** Adds permits, and serves those who wait. */
    final void give(int count) {
        give(count, new WakeList());
    }

    /** As {@link #give(int)}, with a list that the caller made before it let go of anything. */
    final void give(int count, WakeList served) {
        lock();
        try {
            if (count > MAX_PERMITS - permits) {
                throw new IllegalArgumentException("count=" + count + " would bring " + permits
                        + " free permits above the maximum of " + MAX_PERMITS);
            }
            permits += count;
            serve(served);
        } finally {
            unlock();
        }
        served.wakeAll();
    }

    /** Removes free permits, as many as there are up to {@code count}; returns how many. */
    final int remove(int count) {
        lock();
        int removed = Math.min(count, permits);
        permits -= removed;
        lessen(removed);
        unlock();
        return removed;
    }

    /** Takes note that permits which are held will not be given back. */
    final void forget(int count) {
        if (Points.ON) {
            lock();
            lessen(count);
            unlock();
        }
    }

    private void lessen(int count) {
        if (!isClosed()) {
            whole = Math.max(0, whole - count);
        }
    }

    private boolean isClosed() {
        return whole == ENDED;
    }

    private void serve(WakeList served) {
        for (WaitNode head; (head = waiters.peek()) != null && head.count <= permits; ) {
            waiters.remove(head);
            if (head.grant()) {
                permits -= head.count;
                served.add(head);
            } // else it has given up: the next one
        }
    }

    @Override
    protected final void afterAbandon(WakeList woken) {
        serve(woken);
    }

    /** Ends the queue for those who wait, and those who come. */
    final void end() {
        WakeList ended = new WakeList();
        lock();
        try {
            whole = ENDED;
            for (WaitNode node; (node = waiters.poll()) != null; ) {
                node.item = CLOSED;
                if (node.grant()) {
                    ended.add(node);
                }
            }
        } finally {
            unlock();
        }
        ended.wakeAll();
    }

    final int free() {
        lock();
        int free = permits;
        unlock();
        return free;
    }

    final boolean isEnded() {
        lock();
        boolean ended = isClosed();
        unlock();
        return ended;
    }

    /** New permits may stand in for those that were not given back, as where a semaphore is a signal. */
    @Override
    public final @Nullable String leftover() {
        int missing = whole - permits;
        return isClosed() || missing <= 0 ? null : missing(missing);
    }

    /** {@return what to say of permits that were not given back; null if they still may be} */
    @Nullable
    String missing(int count) {
        return count + (count == 1 ? " permit was" : " permits were") + " not given back";
    }

    /** For dumps: how many are free, as far as is known without the lock. */
    final int freeRoughly() {
        return permits;
    }

    @Override
    public final @Nullable String lostWakeup() {
        WaitNode head = undecided(waiters);
        if (head == null) {
            return null;
        }
        if (isClosed()) {
            return lost("it is closed", head);
        }
        return head.count > permits ? null : lost(permits + " free, " + head.count + " wanted", head);
    }

    private boolean hasFree(int count) {
        return permits >= count && waiters.isEmpty();
    }

    private void register(WaitNode node, int count) {
        node.count = count;
        waiters.add(node);
    }

    /**
     * The taking of permits, to be selected on.
     *
     * @param <T> a permit, or a guard
     */
    abstract static class Taking<T> extends Clause<T> {
        private final PermitQueue queue;
        private final int count;

        Taking(PermitQueue queue, int count) {
            super(queue);
            this.queue = queue;
            this.count = count;
        }

        /** Makes what the branch gives, before anything is taken: if there is no memory for it, nothing is lost. */
        abstract T prepare();

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            if (queue.isClosed()) {
                return CLOSED;
            }
            if (!queue.hasFree(count)) {
                return NOT_READY;
            }
            T taken = prepare();
            queue.permits -= count;
            return taken;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            node.item = prepare();
            queue.register(node, count);
            return true;
        }

        @Override
        @SuppressWarnings("unchecked") // only prepare() makes outcomes, but for CLOSED
        protected T result(@Nullable Object outcome) {
            if (outcome == null || outcome == CLOSED) {
                throw new SemaphoreClosedException("the semaphore is closed");
            }
            return (T) outcome;
        }
    }
}
