package dev.kumihimo.task;

import dev.kumihimo.internal.wait.SpinLock;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.runtime.CancelReason;
import org.jspecify.annotations.Nullable;

/** A {@link CancellationToken} without its face: the state, and where those wait who wait for its cancellation. */
final class TokenNode extends WaitPoint {

    /* Algorithm: a node always knows its parent, and is cancelled if it or a node above it has a reason. It is known to its
     * parent only while somebody is to be told of its cancellation: a waiter, a subscriber, or a child of which the same
     * holds. So a token that is dropped leaves nothing behind, wherever in the tree it stood, and without being closed; and
     * whoever waits at a grandchild is reached, whatever became of the node between.
     *
     * Fields: reason: written once, under the links' lock, and only while no node above has one; read by all (volatile). So the
     * nearest reason from a node upwards never changes once there is one. waiters: guarded by
     * this point's lock. subscribers, interest, and the links of a subscriber: guarded by the lock of `links`, one
     * for the whole tree, since links go upwards from wherever somebody begins to wait.
     * Order of locks: points (in the order of a select, if several), then `links`, and nothing within that.
     *
     * State of a subscriber:  in a list --remove()--> out            (its own thread: not interested any more)
     *                         in a list --cancel()--> the canceller's, who alone uses its links from then on
     *
     * Linearization: cancel() where it writes the reason. A registration, of a waiter or a subscriber, looks for a reason
     * under the links' lock; so it is refused, or the canceller finds it. A waiter that joins others needs no look: the node
     * is linked then, and the canceller will come to its queue, or it has come, and left it empty.
     * Progress: a canceller holds the lock for one subscriber, or 64 waiters, at a time.
     * Garbage: the one who gives up last unlinks the node, and each above that is left without interest.
     * Checked by: CancellationTokenTest, and its memory test for what dropped children leave. */

    /** How many waiters are granted under one holding of the lock. */
    private static final int BATCH = 64;

    /** Somebody who is told of the cancellation of one node, unless removed before. */
    abstract static sealed class Subscriber permits ChildLink, TokenRegion.Entry, TokenCallback {
        @Nullable
        Subscriber prev;

        @Nullable
        Subscriber next;

        /** Where it is listed, or null. */
        @Nullable
        TokenNode listedAt;
    }

    /** The link from a parent to a child. */
    static final class ChildLink extends Subscriber {
        final TokenNode child;

        ChildLink(TokenNode child) {
            this.child = child;
        }
    }

    /** The lock of the links of one tree. */
    private static final class Links extends SpinLock {}

    private final Links links;
    final @Nullable TokenNode parent;
    private final @Nullable String name;
    private volatile @Nullable CancelReason reason;
    private @Nullable WaitQueue waiters;
    private @Nullable ChildLink link; // made when first needed; listed at the parent while interest is above 0
    private @Nullable Subscriber first;
    private @Nullable Subscriber last;
    private int interest; // subscribers, and 1 if there are waiters

    TokenNode(@Nullable TokenNode parent, @Nullable String name) {
        this.parent = parent;
        this.name = name;
        this.links = parent == null ? new Links() : parent.links;
    }

    /* ---------------- State -------------- */

    boolean isCancelled() {
        return nearestReason() != null;
    }

    /** {@return why it is cancelled, or null; always the same once it is there} */
    @Nullable
    CancelReason reason() {
        // The second walk: what the first has found above may be younger than what a node below got after we had passed
        // it.
        return nearestReason() == null ? null : nearestReason();
    }

    private @Nullable CancelReason nearestReason() {
        for (TokenNode node = this; node != null; node = node.parent) {
            CancelReason found = node.reason;
            if (found != null) {
                return found;
            }
        }
        return null;
    }

    /* ---------------- Interest -------------- */

    /** Lists somebody to be told; false if the node is cancelled. */
    boolean subscribe(Subscriber subscriber) {
        prepareLinks();
        links.lockWithin();
        try {
            if (isCancelled()) {
                return false;
            }
            list(subscriber);
            return true;
        } finally {
            links.unlock();
        }
    }

    /** Takes somebody out again; does nothing if the canceller has done so. */
    void unsubscribe(Subscriber subscriber) {
        links.lockWithin();
        unlist(subscriber);
        links.unlock();
    }

    /** Under this point's lock: enqueues a waiter; false if the node is cancelled. */
    boolean enqueue(WaitNode waiter) {
        WaitQueue queue = waiters;
        if (queue == null) {
            queue = new WaitQueue();
            waiters = queue;
        }
        if (queue.isEmpty() && !gainInterest()) {
            return false;
        }
        queue.add(waiter);
        return true;
    }

    private boolean gainInterest() {
        prepareLinks();
        links.lockWithin();
        try {
            if (isCancelled()) {
                return false;
            }
            interested();
            return true;
        } finally {
            links.unlock();
        }
    }

    @Override
    protected void afterAbandon(WakeList woken) {
        if (waiters != null && waiters.isEmpty()) {
            links.lockWithin();
            uninterested();
            links.unlock();
        }
    }

    /** Makes what links this node and those above it, before the lock is taken. A race makes one in vain. */
    private void prepareLinks() {
        for (TokenNode node = this; node.parent != null; node = node.parent) {
            if (node.link == null) {
                ChildLink made = new ChildLink(node);
                links.lockWithin();
                if (node.link == null) {
                    node.link = made;
                }
                links.unlock();
            }
        }
    }

    private void list(Subscriber subscriber) {
        subscriber.listedAt = this;
        subscriber.prev = last;
        subscriber.next = null;
        if (last == null) {
            first = subscriber;
        } else {
            last.next = subscriber;
        }
        last = subscriber;
        interested();
    }

    private static void unlist(Subscriber subscriber) {
        TokenNode at = subscriber.listedAt;
        if (at != null) {
            at.takeOut(subscriber);
            at.uninterested();
        }
    }

    private void takeOut(Subscriber subscriber) {
        Subscriber before = subscriber.prev;
        Subscriber after = subscriber.next;
        if (before == null) {
            first = after;
        } else {
            before.next = after;
        }
        if (after == null) {
            last = before;
        } else {
            after.prev = before;
        }
        subscriber.prev = null;
        subscriber.next = null;
        subscriber.listedAt = null;
    }

    /** Counts one more to be told; the first has this node listed above. */
    private void interested() {
        TokenNode node = this;
        while (node.interest++ == 0) {
            ChildLink upwards = node.link;
            TokenNode above = node.parent;
            if (upwards == null || above == null) {
                return;
            }
            upwards.listedAt = above;
            upwards.prev = above.last;
            if (above.last == null) {
                above.first = upwards;
            } else {
                above.last.next = upwards;
            }
            above.last = upwards;
            node = above;
        }
    }

    /** Counts one less; the last has this node taken out above. */
    private void uninterested() {
        TokenNode node = this;
        while (--node.interest == 0) {
            ChildLink upwards = node.link;
            if (upwards == null || upwards.listedAt == null) {
                return;
            }
            TokenNode above = upwards.listedAt;
            above.takeOut(upwards);
            node = above;
        }
    }

    /* ---------------- Cancelling -------------- */

    /**
     * Cancels this node and all below it: wakes who waits, cancels regions, then runs the callbacks.
     *
     * @return false if it was cancelled already
     */
    boolean cancel(CancelReason why) {
        links.lockWithin();
        if (isCancelled()) {
            links.unlock();
            return false;
        }
        reason = why;
        if (link != null) {
            unlist(link);
        }
        links.unlock();
        TokenCallback callbacks = tellAll(why);
        while (callbacks != null) {
            TokenCallback following = (TokenCallback) callbacks.next;
            callbacks.next = null;
            callbacks.call();
            callbacks = following;
        }
        return true;
    }

    /** Tells all but the callbacks, which it returns, linked by `next`, in the order in which they were met. */
    private @Nullable TokenCallback tellAll(CancelReason why) {
        TokenCallback firstCallback = null;
        TokenCallback lastCallback = null;
        TokenNode node = this;
        Subscriber children = null; // nodes still to be told, linked by `next`
        while (node != null) {
            node.wakeWaiters();
            for (Subscriber told; (told = node.pop()) != null; ) {
                switch (told) {
                    case TokenRegion.Entry entry -> entry.cancel(why);
                    case ChildLink below -> {
                        below.next = children;
                        children = below;
                    }
                    case TokenCallback callback -> {
                        if (lastCallback == null) {
                            firstCallback = callback;
                        } else {
                            lastCallback.next = callback;
                        }
                        lastCallback = callback;
                    }
                }
            }
            Subscriber nextChild = children;
            if (nextChild instanceof ChildLink below) {
                children = nextChild.next;
                nextChild.next = null;
                node = below.child;
            } else {
                node = null;
            }
        }
        return firstCallback;
    }

    /** Takes out the oldest subscriber of this cancelled node. */
    private @Nullable Subscriber pop() {
        links.lockWithin();
        Subscriber subscriber = first;
        if (subscriber != null) {
            takeOut(subscriber);
            interest--; // a cancelled node is listed nowhere, so that there is nothing to take out above
        }
        links.unlock();
        return subscriber;
    }

    private void wakeWaiters() {
        WakeList woken = new WakeList();
        boolean more = true;
        while (more) {
            lock();
            WaitQueue queue = waiters;
            for (int i = 0; i < BATCH && queue != null; i++) {
                WaitNode waiter = queue.poll();
                if (waiter == null) {
                    break;
                }
                if (waiter.grant()) {
                    woken.add(waiter);
                }
            }
            more = queue != null && !queue.isEmpty();
            unlock();
            woken.wakeAll();
        }
    }

    /* ---------------- What others see -------------- */

    /** {@return whether it knows of nobody to be told, for tests} */
    boolean isForgotten() {
        lock();
        links.lockWithin();
        try {
            boolean alone = first == null && (waiters == null || waiters.isEmpty());
            boolean counted = interest == 0 || isCancelled();
            return alone && counted && (interest > 0 || link == null || link.listedAt == null);
        } finally {
            links.unlock();
            unlock();
        }
    }

    @Override
    public @Nullable String lostWakeup() {
        WaitNode head = undecided(waiters);
        return head != null && isCancelled() ? lost("it is cancelled", head) : null;
    }

    @Override
    public String toString() {
        StringBuilder path = new StringBuilder();
        for (TokenNode node = this; node != null; node = node.parent) {
            if (node.name != null) {
                path.insert(0, path.isEmpty() ? node.name : node.name + " > ");
            }
        }
        CancelReason why = nearestReason();
        return "token" + (path.isEmpty() ? "" : " \"" + path + '"') + (why == null ? "" : ", cancelled: " + why);
    }
}
