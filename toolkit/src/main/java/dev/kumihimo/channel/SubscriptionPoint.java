package dev.kumihimo.channel;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Clause;
import java.lang.invoke.MethodHandles;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/*
 * Each receiver has a queue of its own, so that closing one ends its waits without a look at the others'. The list of
 * subscriptions that may have a waiter spares a sender the look at those that have none.
 *
 * Invariants: I1 a subscription with a waiter is listed. I2 a listed one is open, and has read all there is. I3 while somebody
 * waits for no receivers, there are some.
 * Garbage: a waiter that gave up leaves its subscription listed, until the next item, or until it is closed.
 * Fields: all guarded by the lock.
 */

/** What receivers subscribe to: the part that a broadcast and a watch have in common. Call it under the lock. */
abstract class SubscriptionPoint extends WaitPoint {
    /** In place of an item: the point was closed, and there is no more. */
    static final Object END = new Object();

    static {
        prepare(MethodHandles.lookup(), ChannelClosedException.class, BroadcastCore.Lag.class);
    }

    /** In place of an item: this receiver was closed. */
    static final Object GONE = new Object();

    /** How many receivers are open. */
    int receivers;

    boolean closed;

    private final WaitQueue deserted = new WaitQueue(); // they wait for no receivers
    private @Nullable Subscription listed;

    /** {@return the first subscription that may have a waiter, or null} */
    final @Nullable Subscription firstListed() {
        return listed;
    }

    final void enqueue(Subscription subscription, WaitNode node) {
        subscription.waiters.add(node);
        if (!subscription.listed) {
            subscription.listed = true;
            Subscription first = listed;
            subscription.after = first;
            if (first != null) {
                first.before = subscription;
            }
            listed = subscription;
        }
    }

    final void unlist(Subscription subscription) {
        if (!subscription.listed) {
            return;
        }
        subscription.listed = false;
        Subscription before = subscription.before;
        Subscription after = subscription.after;
        if (before == null) {
            listed = after;
        } else {
            before.after = after;
        }
        if (after != null) {
            after.before = before;
        }
        subscription.before = null;
        subscription.after = null;
    }

    /** Takes a receiver off, and ends its waits; false if that was done before. */
    final boolean unsubscribe(Subscription subscription, WakeList woken) {
        if (subscription.closed) {
            return false;
        }
        subscription.closed = true;
        endAll(subscription.waiters, GONE, woken);
        unlist(subscription);
        receivers--;
        if (receivers == 0) {
            endAll(deserted, null, woken);
        }
        return true;
    }

    /** Ends the waits of all receivers, for good. */
    void close(WakeList woken) {
        closed = true;
        for (Subscription subscription; (subscription = listed) != null; ) {
            endAll(subscription.waiters, END, woken);
            unlist(subscription);
        }
    }

    static void endAll(WaitQueue queue, @Nullable Object outcome, WakeList woken) {
        for (WaitNode node; (node = queue.poll()) != null; ) {
            node.item = outcome;
            if (node.grant()) {
                woken.add(node);
            } // else it has given up
        }
    }

    @Override
    public @Nullable String lostWakeup() {
        WaitNode forNobody = undecided(deserted);
        if (forNobody != null && receivers == 0) {
            return lost("there are no receivers", forNobody);
        }
        for (Subscription subscription = listed; subscription != null; subscription = subscription.after) {
            WaitNode head = undecided(subscription.waiters);
            if (head != null && (closed || hasNews(subscription))) {
                return lost(closed ? "it is closed" : "there is something unread", head);
            }
        }
        return null;
    }

    /** {@return whether a receiver that does not wait would get something} */
    abstract boolean hasNews(Subscription subscription);

    /* ---------------- Whole operations: these take the lock themselves -------------- */

    final void close() {
        WakeList woken = new WakeList();
        lock();
        try {
            close(woken);
        } finally {
            unlock();
        }
        woken.wakeAll();
    }

    final boolean isClosed() {
        lock();
        try {
            return closed;
        } finally {
            unlock();
        }
    }

    final int receiverCount() {
        lock();
        try {
            return receivers;
        } finally {
            unlock();
        }
    }

    final void awaitNoReceivers() throws InterruptedException {
        Waiter.spend();
        Wait wait = registerForNoReceivers();
        if (wait != null) {
            wait.await();
        }
    }

    final void awaitNoReceivers(Duration timeout) throws InterruptedException, TimeoutException {
        Waiter.spend();
        if (timeout.isNegative() || timeout.isZero()) {
            if (receiverCount() > 0) {
                throw new TimeoutException("there are receivers of " + this);
            }
            return;
        }
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        Wait wait = registerForNoReceivers();
        if (wait != null && !wait.await(deadline)) {
            throw new TimeoutException("there still are receivers of " + this + " after " + timeout);
        }
    }

    private @Nullable Wait registerForNoReceivers() {
        lock();
        try {
            if (receivers == 0) {
                return null;
            }
            Wait wait = Wait.at(this);
            deserted.add(wait);
            return wait;
        } finally {
            unlock();
        }
    }

    /** The waiting for no receivers, to be selected on. */
    static final class NoReceivers extends Clause<@Nullable Void> {
        private final SubscriptionPoint point;

        NoReceivers(SubscriptionPoint point) {
            super(point);
            this.point = point;
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            return point.receivers == 0 ? null : NOT_READY;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            point.deserted.add(node);
            return true;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            return null;
        }
    }
}
