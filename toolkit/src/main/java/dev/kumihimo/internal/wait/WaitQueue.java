package dev.kumihimo.internal.wait;

import org.jspecify.annotations.Nullable;

/** A FIFO queue of registrations, guarded by the lock of the {@link WaitPoint} that owns it. */
public final class WaitQueue {
    private @Nullable WaitNode head;
    private @Nullable WaitNode tail;

    /** Creates an empty queue. */
    public WaitQueue() {}

    /** {@return whether nobody is registered} */
    public boolean isEmpty() {
        return head == null;
    }

    /** {@return the oldest registration, or null} */
    public @Nullable WaitNode peek() {
        return head;
    }

    /** Appends a registration. */
    public void add(WaitNode node) {
        node.queue = this;
        node.next = null;
        WaitNode last = tail;
        node.prev = last;
        tail = node;
        if (last == null) {
            head = node;
        } else {
            last.next = node;
        }
    }

    /** Removes and returns the oldest registration, or null. Its wait may have been claimed elsewhere already. */
    public @Nullable WaitNode poll() {
        WaitNode node = head;
        if (node != null) {
            unlink(node);
        }
        return node;
    }

    /** Removes and returns the newest registration, or null. Its wait may have been claimed elsewhere already. */
    public @Nullable WaitNode pollLast() {
        WaitNode node = tail;
        if (node != null) {
            unlink(node);
        }
        return node;
    }

    /**
     * Removes a registration.
     *
     * @return false if it is not in this queue
     */
    public boolean remove(WaitNode node) {
        if (node.queue != this) {
            return false;
        }
        unlink(node);
        return true;
    }

    private void unlink(WaitNode node) {
        WaitNode before = node.prev;
        WaitNode after = node.next;
        if (before == null) {
            head = after;
        } else {
            before.next = after;
        }
        if (after == null) {
            tail = before;
        } else {
            after.prev = before;
        }
        node.prev = null;
        node.next = null;
        node.queue = null;
    }
}
