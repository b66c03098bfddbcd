package dev.kumihimo.channel;

import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import dev.kumihimo.select.Sink;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** What the two kinds of broadcast have in common: all but how a send is done. */
abstract sealed class Broadcasting<T> implements Sink<T>, AutoCloseable permits Broadcast, BackpressuredBroadcast {
    final BroadcastCore core;

    Broadcasting(BroadcastCore core) {
        this.core = core;
    }

    static int checkedCapacity(int capacity) {
        if (capacity < 1 || capacity > BroadcastCore.MAX_CAPACITY) {
            throw new IllegalArgumentException("capacity=" + capacity + " must be 1 to " + BroadcastCore.MAX_CAPACITY);
        }
        return capacity;
    }

    /**
     * {@return a new receiver of what is sent from now on} If the broadcast is closed, the receiver is at its end at once. It
     * must be closed: what it has not read is kept for it until then.
     */
    public Broadcast.Receiver<T> subscribe() {
        return subscribe(core, null);
    }

    static <T> Broadcast.Receiver<T> subscribe(BroadcastCore core, @Nullable LongConsumer onLag) {
        core.lock();
        try {
            return new Broadcast.Receiver<>(core, core.subscribe(), onLag);
        } finally {
            core.unlock();
        }
    }

    /** Closes the broadcast: no more sends, and an end for each receiver once it has read what it can. Idempotent; never waits. */
    @Override
    public void close() {
        core.close();
    }

    /** {@return whether it was closed; there may still be items to read} */
    public boolean isClosed() {
        return core.isClosed();
    }

    /** {@return how many receivers are open} */
    public int receiverCount() {
        return core.receiverCount();
    }

    /**
     * Waits until there is no open receiver, whether or not the broadcast is closed. Returns at once if there is none; there may
     * be a new one when it returns, and then it can be waited for again.
     *
     * @throws InterruptedException if interrupted or cancelled while it would wait
     */
    public void awaitNoReceivers() throws InterruptedException {
        core.awaitNoReceivers();
    }

    /**
     * Waits at most a given time until there is no open receiver.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @throws InterruptedException if interrupted or cancelled while it would wait
     * @throws TimeoutException if there were receivers all that time
     */
    public void awaitNoReceivers(Duration timeout) throws InterruptedException, TimeoutException {
        core.awaitNoReceivers(timeout);
    }

    /** {@return the waiting for no open receiver, to be selected on} */
    public Selectable<@Nullable Void> noReceivers() {
        return new SubscriptionPoint.NoReceivers(core);
    }

    /** {@return how many items are kept, because a receiver has not read them} */
    public int size() {
        core.lock();
        try {
            return core.size();
        } finally {
            core.unlock();
        }
    }

    /** {@return how many items it keeps at most} */
    public int capacity() {
        return core.capacity;
    }

    @Override
    public Selectable<@Nullable Void> sending(T item) {
        return new Sending(core, Objects.requireNonNull(item, "item"));
    }

    /** {@return where its waits are registered, for tests} */
    final WaitPoint waitPoint() {
        return core;
    }

    /** Sends an item if that needs no waiting; the number of receivers, or FULL. */
    final int offer(T item) {
        Objects.requireNonNull(item, "item");
        Waiter.spendQuietly();
        WakeList woken = new WakeList();
        int reached;
        core.lock();
        try {
            ensureOpen(core.closed);
            reached = core.offer(item, woken);
        } finally {
            core.unlock();
        }
        woken.wakeAll();
        return reached;
    }

    static void ensureOpen(boolean closed) {
        if (closed) {
            throw new ChannelClosedException("the broadcast is closed");
        }
    }

    private static final class Sending extends Clause<@Nullable Void> {
        private final BroadcastCore core;
        private final Object item;

        Sending(BroadcastCore core, Object item) {
            super(core);
            this.core = core;
            this.item = item;
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            if (core.closed) {
                return SubscriptionPoint.END;
            }
            return core.offer(item, woken) == BroadcastCore.FULL ? NOT_READY : null;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            node.item = item;
            core.awaitRoom(node);
            return true;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            ensureOpen(outcome == SubscriptionPoint.END);
            return null;
        }
    }

    @Override
    public String toString() {
        core.lock();
        try {
            return "Broadcast[" + core + "]";
        } finally {
            core.unlock();
        }
    }
}
