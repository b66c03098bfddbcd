package dev.kumihimo.internal.wait;

import org.jspecify.annotations.Nullable;

/**
 * Waiters granted under a lock, to be unparked after it is released, in the order of their grants. Linked through
 * {@link WaitNode#next}, which is free once a node has left its queue.
 */
public final class WakeList {
    private @Nullable WaitNode first;
    private @Nullable WaitNode last;

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

    /** {@return whether there is nobody to wake} */
    public boolean isEmpty() {
        return first == null;
    }

    /** Unparks all and empties the list. No lock may be held. */
    public void wakeAll() {
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
