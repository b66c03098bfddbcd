package dev.kumihimo.channel;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WakeList;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: the latest value and its version in one immutable snapshot; each receiver has the version it has seen. Tokio's
 * watch is the model.
 *
 * Differences: Tokio lends the value under a lock; here a reader takes the snapshot, and no reader holds up a sender. A value
 * that is computed from the one before is stored by compare-and-set, as AtomicReference does it, so that no function of the
 * user's runs under a lock.
 *
 * Fields: snapshot: written under the lock, read by anybody (volatile). All else is guarded by the lock.
 * Linearization: of a send, the write of snapshot; it and the waking of those who wait are one under the lock.
 * Invariants: I1 the version grows by 1 with each value. I2 a receiver waits only while it has seen the snapshot.
 */

/** The state of a watch. */
final class WatchCore extends SubscriptionPoint {
    /** A value, and the how-manieth it is. */
    record Snapshot(Object value, long version) {}

    volatile Snapshot snapshot;

    WatchCore(Object initial) {
        snapshot = new Snapshot(initial, 0);
    }

    /* ---------------- These take the lock themselves -------------- */

    /**
     * Stores a value, and tells the receivers.
     *
     * @param onlyIfReceived whether to leave it if there are no receivers
     * @return the snapshot before, or null if it was left
     */
    @Nullable
    Snapshot send(Object value, boolean onlyIfReceived) {
        WakeList woken = new WakeList();
        Snapshot before;
        lock();
        try {
            ensureOpen();
            if (onlyIfReceived && receivers == 0) {
                return null;
            }
            before = snapshot;
            store(value, before, woken);
        } finally {
            unlock();
        }
        woken.wakeAll();
        return before;
    }

    /** Stores a value unless there is another than expected; false if so. */
    boolean replace(Snapshot expected, Object value) {
        WakeList woken = new WakeList();
        lock();
        try {
            ensureOpen();
            if (snapshot != expected) {
                return false;
            }
            store(value, expected, woken);
        } finally {
            unlock();
        }
        woken.wakeAll();
        return true;
    }

    Subscription subscribe() {
        lock();
        try {
            return subscribe(snapshot.version());
        } finally {
            unlock();
        }
    }

    Subscription copyOf(Subscription receiver) {
        lock();
        try {
            return subscribe(receiver.position);
        } finally {
            unlock();
        }
    }

    void unsubscribe(Subscription receiver) {
        WakeList woken = new WakeList();
        lock();
        try {
            unsubscribe(receiver, woken);
        } finally {
            unlock();
        }
        woken.wakeAll();
    }

    /** Marks the present value as seen; returns it, or GONE. */
    Object markSeen(Subscription receiver) {
        lock();
        try {
            if (receiver.closed) {
                return GONE;
            }
            Snapshot current = snapshot;
            receiver.position = current.version();
            return current;
        } finally {
            unlock();
        }
    }

    /** Marks the present value as not seen, which a thread that waits through this receiver then sees; false if it is closed. */
    boolean markUnseen(Subscription receiver) {
        WakeList woken = new WakeList();
        lock();
        try {
            if (receiver.closed) {
                return false;
            }
            Snapshot current = snapshot;
            receiver.position = current.version() - 1;
            handOver(receiver, current, woken);
        } finally {
            unlock();
        }
        woken.wakeAll();
        return true;
    }

    /** {@return {@link #GONE}, {@link #END} also if there is an unseen value, else whether there is one} */
    Object peek(Subscription receiver) {
        lock();
        try {
            if (receiver.closed) {
                return GONE;
            }
            return closed ? END : receiver.position != snapshot.version();
        } finally {
            unlock();
        }
    }

    /** Takes what is unseen, as {@link #take}; if there is nothing, null or the wait that was registered for it. */
    @Nullable
    Object takeOrRegister(Subscription receiver, boolean register) {
        lock();
        try {
            Object taken = take(receiver);
            return taken == null && register ? register(receiver) : taken;
        } finally {
            unlock();
        }
    }

    /** Takes what is newer than a version, also if another thread has seen it through this receiver; else registers. */
    Object takeAfter(Subscription receiver, long version) {
        lock();
        try {
            Object taken = take(receiver);
            if (taken != null && taken != END) {
                return taken;
            }
            if (snapshot.version() != version) {
                return snapshot;
            }
            return taken != null ? taken : register(receiver);
        } finally {
            unlock();
        }
    }

    private Wait register(Subscription receiver) {
        Wait wait = Wait.at(this);
        enqueue(receiver, wait);
        return wait;
    }

    /* ---------------- These are called under the lock -------------- */

    /** {@return the snapshot if the receiver has not seen it, from now on it has; or {@link #END}, {@link #GONE}, null} */
    @Nullable
    Object take(Subscription receiver) {
        if (receiver.closed) {
            return GONE;
        }
        Snapshot current = snapshot;
        if (receiver.position != current.version()) {
            receiver.position = current.version();
            return current;
        }
        return closed ? END : null;
    }

    private Subscription subscribe(long seen) {
        Subscription receiver = new Subscription(seen);
        receivers++;
        return receiver;
    }

    private void store(Object value, Snapshot before, WakeList woken) {
        Snapshot stored = new Snapshot(value, before.version() + 1);
        snapshot = stored;
        for (Subscription receiver; (receiver = firstListed()) != null; ) {
            handOver(receiver, stored, woken);
        }
    }

    /** Gives a snapshot to all who wait through one receiver, which then has seen it. */
    private void handOver(Subscription receiver, Snapshot current, WakeList woken) {
        for (WaitNode node; (node = receiver.waiters.poll()) != null; ) {
            node.item = current;
            if (node.grant()) {
                receiver.position = current.version();
                woken.add(node);
            } // else it has given up, and has not seen it
        }
        unlist(receiver);
    }

    private void ensureOpen() {
        if (closed) {
            throw new ChannelClosedException("the watch is closed");
        }
    }

    @Override
    boolean hasNews(Subscription receiver) {
        return receiver.position != snapshot.version();
    }

    @Override
    public String toString() {
        String text = "watch, version " + snapshot.version() + ", " + receivers + " receivers";
        return closed ? text + ", closed" : text;
    }
}
