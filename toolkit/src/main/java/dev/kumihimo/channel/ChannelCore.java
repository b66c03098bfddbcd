package dev.kumihimo.channel;

import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.WakeList;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: a ring buffer and two FIFO queues of waiters behind a spin lock; Go's hchan is the model. Who frees a place
 * hands it to the oldest sender by moving that sender's item in; who brings an item hands it to the oldest receiver. So a
 * waiter that is resumed has what it came for, and nobody can get in between.
 *
 * Invariants: I1 receivers wait only while the ring is empty. I2 senders wait only while the ring is full, which with
 * capacity 0 is always. I3 once closed, no sender waits, and receivers wait no more. A waiter that gives up holds nobody up,
 * since all behind it wait for the same.
 *
 * Fields: all guarded by the lock. A node's item: before it is granted, what a sender sends; after, what a receiver gets,
 * or CLOSED for either.
 */

/** The state of a channel, with operations that never wait; call them under the lock. */
final class ChannelCore extends WaitPoint {
    /** In place of an item: the channel was closed. */
    static final Object CLOSED = new Object();

    private static final int INITIAL_RING = 16;

    final int capacity;
    private final WaitQueue receivers = new WaitQueue();
    private final WaitQueue senders = new WaitQueue();
    private @Nullable Object[] ring;
    private int head;
    private int size;
    private boolean closed;

    ChannelCore(int capacity) {
        this.capacity = capacity;
        int initial = 1;
        while (initial < Math.min(capacity, INITIAL_RING)) {
            initial <<= 1;
        }
        ring = new Object[initial];
    }

    boolean isClosed() {
        return closed;
    }

    int size() {
        return size;
    }

    boolean isFull() {
        return size >= capacity;
    }

    /**
     * Hands an item to the oldest receiver, if one waits.
     *
     * @return the receiver to wake, or null
     */
    @Nullable
    WaitNode handOver(Object item) {
        for (WaitNode node; (node = receivers.poll()) != null; ) {
            node.item = item;
            if (node.grant()) {
                return node;
            } // else it has given up: the next one
        }
        return null;
    }

    /** Buffers an item; the ring must not be full. */
    void put(Object item) {
        if (size == ring.length) {
            grow();
        }
        ring[(head + size) & (ring.length - 1)] = item;
        size++;
    }

    private void grow() {
        @Nullable Object[] larger = new Object[ring.length << 1];
        for (int i = 0; i < size; i++) {
            larger[i] = ring[(head + i) & (ring.length - 1)];
        }
        ring = larger;
        head = 0;
    }

    /** Takes the oldest buffered item, or null. A place becomes free: call {@link #refill} next. */
    @Nullable
    Object take() {
        if (size == 0) {
            return null;
        }
        Object item = ring[head];
        ring[head] = null;
        head = (head + 1) & (ring.length - 1);
        size--;
        return item;
    }

    /** Moves the oldest sender's item into the place just freed; returns the sender to wake, or null. */
    @Nullable
    WaitNode refill() {
        WaitNode sender = grantSender();
        if (sender != null && sender.item != null) {
            put(sender.item);
        }
        return sender;
    }

    /** Completes the oldest send that has not been given up; its item is the caller's to place. */
    @Nullable
    WaitNode grantSender() {
        for (WaitNode node; (node = senders.poll()) != null; ) {
            if (node.grant()) {
                return node;
            }
        }
        return null;
    }

    void awaitItem(WaitNode receiver) {
        receivers.add(receiver);
    }

    void awaitRoom(WaitNode sender) {
        senders.add(sender);
    }

    void close(WakeList woken) {
        closed = true;
        endAll(receivers, woken);
        endAll(senders, woken);
    }

    private static void endAll(WaitQueue queue, WakeList woken) {
        for (WaitNode node; (node = queue.poll()) != null; ) {
            Object sent = node.item;
            node.item = CLOSED;
            if (node.grant()) {
                woken.add(node);
            } else {
                node.item = sent;
            }
        }
    }

    /** Takes an item, from the buffer or a sender; null if there is none. */
    @Nullable
    Object poll(WakeList woken) {
        Object item = take();
        WaitNode sender = item != null ? refill() : grantSender();
        if (sender != null) {
            woken.add(sender);
            item = item != null ? item : sender.item;
        }
        return item;
    }

    /** Hands an item to a receiver or buffers it; false if there is no room. */
    boolean offer(Object item, WakeList woken) {
        WaitNode receiver = handOver(item);
        if (receiver != null) {
            woken.add(receiver);
            return true;
        }
        if (isFull()) {
            return false;
        }
        put(item);
        return true;
    }

    @Override
    public String toString() {
        String kind = capacity == 0 ? "rendezvous channel" : "channel " + size + "/" + capacity;
        return closed ? kind + ", closed" : kind;
    }
}
