package dev.kumihimo.internal.wait;

import org.jspecify.annotations.Nullable;

/**
 * Waiters granted under a lock, to be unparked after it is released, in the order of their grants. Linked through
 * {@link WaitNode#next}, which is free once a node has left its queue. And what else must not be done under the lock.
 */
public final class WakeList {
    private @Nullable WaitNode first;
    private @Nullable WaitNode last;
    private @Nullable Errand errands;

    /** Something to be done once the lock is released, before anybody is unparked: to arm a timer. */
    public abstract static class Errand {
        private @Nullable Errand next;

        /** Creates an errand that is in no list. */
        protected Errand() {}

        /**
         * Does it. No lock is held. Must not throw.
         *
         * @param woken where to add whom it serves
         */
        protected abstract void run(WakeList woken);
    }

    /** Creates an empty list. */
    public WakeList() {}

    /**
     * Adds a granted node.
     *
     * @param node a node whose {@link WaitNode#grant()} returned true
     */
    public void add(WaitNode node) {
        node.next = null;
        WaitNode tail = last;
        last = node;
        if (tail == null) {
            first = node;
        } else {
            tail.next = node;
        }
    }

    /**
     * Adds what is to be done.
     *
     * @param errand one that is in no list
     */
    public void add(Errand errand) {
        errand.next = errands;
        errands = errand;
    }

    /** {@return whether there is nobody to wake, and nothing to do} */
    public boolean isEmpty() {
        return first == null && errands == null;
    }

    /** Does all errands, unparks all waiters and empties the list. No lock may be held. */
    public void wakeAll() {
        for (Errand errand; (errand = errands) != null; ) {
            errands = errand.next;
            errand.next = null;
            errand.run(this);
        }
        WaitNode node = first;
        if (node == null) {
            return;
        }
        first = null;
        last = null;
        RuntimeException failure = null;
        while (node != null) {
            WaitNode following = node.next;
            node.next = null;
            try {
                node.owner().wake();
            } catch (RuntimeException e) {
                // A foreign scheduler refused the thread: the others must not stay parked for that.
                failure = e;
            }
            node = following;
        }
        if (failure != null) {
            throw failure;
        }
    }
}
