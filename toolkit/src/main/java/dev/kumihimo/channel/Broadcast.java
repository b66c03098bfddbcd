package dev.kumihimo.channel;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Sends each item to every receiver, and never waits for a slow one: it keeps the last items, and a receiver that falls
 * further behind misses some and is told how many.
 *
 * <pre>{@code
 * Broadcast<Event> events = Broadcast.create(256);
 * Task.spawn(() -> {
 *     try (Broadcast.Receiver<Event> receiver = events.subscribe(missed -> log("missed " + missed))) {
 *         for (Event event; (event = receiver.receiveOrNull()) != null; ) {
 *             handle(event);
 *         }
 *     }
 * });
 * events.send(event);
 * events.close();
 * }</pre>
 *
 * <p>Any thread may call any method; all receivers get the items in the one order in which they were sent. Where nothing may
 * be missed, a {@linkplain #backpressured back-pressured} broadcast has its senders wait instead.
 *
 * <p><b>Missed items.</b> When a receiver's next items have been overwritten, its next receive throws a
 * {@link LaggedException} with their number, and the receive after that returns the oldest item that is still there. One that
 * was {@linkplain #subscribe(LongConsumer) subscribed with a listener} tells the listener instead and goes on, so that a plain
 * loop need not catch anything.
 *
 * <p><b>Closing.</b> After {@link #close()} sends throw {@link ChannelClosedException}; a receiver still gets what it has not
 * read, and then its end.
 *
 * <p><b>Memory.</b> What a thread did before it sent an item happens-before what another does after it received it. An item is
 * let go when all receivers that could read it have, were closed, or have missed it. A receiver that is neither read nor closed
 * keeps as many items as the capacity.
 *
 * @param <T> the items, never null
 * @since 0.1
 */
public final class Broadcast<T> extends Broadcasting<T> {
    private Broadcast(BroadcastCore core) {
        super(core);
    }

    /**
     * {@return a broadcast without receivers}
     *
     * @param capacity how many items it keeps at least, 1 to 1,073,741,824 (2 to the 30th); the next power of two is what it
     *     does keep, see {@link #capacity()}
     * @param <T> the items
     * @throws IllegalArgumentException if the capacity is out of that range
     */
    public static <T> Broadcast<T> create(int capacity) {
        return new Broadcast<>(new BroadcastCore(BroadcastCore.powerOfTwo(checkedCapacity(capacity)), false));
    }

    /**
     * {@return a broadcast of which nobody misses anything: a send waits while the slowest receiver is a full buffer behind}
     *
     * @param capacity how many items it keeps, exactly: 1 to 1,073,741,824 (2 to the 30th)
     * @param <T> the items
     * @throws IllegalArgumentException if the capacity is out of that range
     */
    public static <T> BackpressuredBroadcast<T> backpressured(int capacity) {
        return new BackpressuredBroadcast<>(new BroadcastCore(checkedCapacity(capacity), true));
    }

    /**
     * Sends an item to all receivers there are. Never waits, though a task that has sent 128 lets others run.
     *
     * @param item not null
     * @return how many receivers can read it; 0 is no error, and then nothing was kept of it
     * @throws ChannelClosedException if the broadcast is closed
     */
    public int send(T item) {
        return offer(item);
    }

    /**
     * {@return a new receiver of what is sent from now on, which does not throw when it has missed items} It must be closed.
     *
     * @param onLag is told, in the thread that receives, how many items were missed, before the receive returns the next one. It
     *     should not throw; if it does, the receive does, and that next item is missed too
     */
    public Receiver<T> subscribe(LongConsumer onLag) {
        return subscribe(core, Objects.requireNonNull(onLag, "onLag"));
    }

    /**
     * A receiver of a broadcast, of either kind. Selecting on it receives the next item.
     *
     * <pre>{@code
     * try (Broadcast.Receiver<Event> receiver = events.subscribe()) {
     *     Event next = receiver.receive(Duration.ofSeconds(1));
     * }
     * }</pre>
     *
     * <p>It may be shared by threads, and then each item goes to one of them: to the one that has waited longest, if several
     * wait. To have each thread get each item, subscribe for each.
     *
     * <p><b>Interruption and cancellation.</b> A receive that can complete at once does, also in a cancelled or interrupted
     * thread, except that every 128 of them a task yields and looks. One that would wait throws {@link InterruptedException} (a
     * {@code TaskCancelledException} if cancelled). If it throws that, or {@link TimeoutException}, nothing was received and the
     * receiver is where it was.
     *
     * @param <T> the items
     * @since 0.1
     */
    public static final class Receiver<T> implements Selectable<T>, AutoCloseable {
        private final BroadcastCore core;
        private final Subscription subscription;
        private final @Nullable LongConsumer onLag;

        Receiver(BroadcastCore core, Subscription subscription, @Nullable LongConsumer onLag) {
            this.core = core;
            this.subscription = subscription;
            this.onLag = onLag;
        }

        /**
         * Receives the next item, waiting for one.
         *
         * @return the item
         * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was received
         * @throws LaggedException if items were missed, and no listener was given to tell; the next receive goes on after them
         * @throws ChannelClosedException if the broadcast is closed and all was read, before or while it waits
         * @throws IllegalStateException if this receiver is closed, before or while it waits
         */
        public T receive() throws InterruptedException {
            return orThrow(receiveOrNull());
        }

        /**
         * Receives the next item, waiting for one: for loops that end with the broadcast.
         *
         * @return the item, or null if the broadcast is closed and all was read
         * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was received
         * @throws LaggedException if items were missed, and no listener was given to tell; the next receive goes on after them
         * @throws IllegalStateException if this receiver is closed, before or while it waits
         */
        public @Nullable T receiveOrNull() throws InterruptedException {
            Waiter.spend();
            Object item = take(true);
            if (item instanceof Wait wait) {
                wait.await();
                item = wait.item;
            }
            return itemOrNull(item, onLag);
        }

        /**
         * Receives the next item, waiting at most a given time.
         *
         * @param timeout the longest wait; zero or negative does not wait
         * @return the item
         * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was received
         * @throws TimeoutException if there was none in time; nothing was received
         * @throws LaggedException if items were missed, and no listener was given to tell; the next receive goes on after them
         * @throws ChannelClosedException if the broadcast is closed and all was read, before or while it waits
         * @throws IllegalStateException if this receiver is closed, before or while it waits
         */
        public T receive(Duration timeout) throws InterruptedException, TimeoutException {
            Waiter.spend();
            boolean mayWait = !timeout.isNegative() && !timeout.isZero();
            long deadline = mayWait ? TimerService.deadline(Waiter.current().nanoTime(), timeout) : 0;
            Object item = take(mayWait);
            if (item instanceof Wait wait) {
                if (!wait.await(deadline)) {
                    throw new TimeoutException("nothing in " + core + " within " + timeout);
                }
                item = wait.item;
            } else if (item == null) {
                throw new TimeoutException("nothing in " + core);
            }
            return orThrow(itemOrNull(item, onLag));
        }

        /**
         * Receives the next item if there is one now.
         *
         * @return the item, or null if there is none now
         * @throws LaggedException if items were missed, and no listener was given to tell; the next receive goes on after them
         * @throws ChannelClosedException if the broadcast is closed and all was read, so that there will never be one
         * @throws IllegalStateException if this receiver is closed
         */
        public @Nullable T tryReceive() {
            Waiter.spendQuietly();
            Object item = take(false);
            return item == null ? null : orThrow(itemOrNull(item, onLag));
        }

        /** Returns an item, a Lag, END or GONE; if there is none, null or the wait that was registered for one. */
        private @Nullable Object take(boolean orRegister) {
            WakeList woken = new WakeList();
            Object item;
            core.lock();
            try {
                item = core.take(subscription, onLag != null, woken);
                if (item == null && orRegister) {
                    Wait wait = Wait.at(core);
                    core.enqueue(subscription, wait);
                    item = wait;
                }
            } finally {
                core.unlock();
            }
            woken.wakeAll();
            return item;
        }

        @SuppressWarnings("unchecked") // only sends put items in
        private static <T> @Nullable T itemOrNull(@Nullable Object item, @Nullable LongConsumer onLag) {
            if (item == SubscriptionPoint.END) {
                return null;
            }
            if (item == SubscriptionPoint.GONE) {
                throw new IllegalStateException("this receiver of the broadcast is closed");
            }
            if (item instanceof BroadcastCore.Lag lag) {
                if (onLag == null) {
                    throw new LaggedException(lag.missed());
                }
                onLag.accept(lag.missed());
                return (T) lag.item();
            }
            return (T) item;
        }

        private static <T> T orThrow(@Nullable T item) {
            if (item == null) {
                throw new ChannelClosedException("the broadcast is closed, and this receiver has read all of it");
            }
            return item;
        }

        /**
         * {@return how many items this receiver has not read} Those it has missed count as well until a receive tells of them, so
         * more than the capacity means that the next one does.
         */
        public long size() {
            core.lock();
            try {
                return subscription.closed ? 0 : core.size(subscription);
            } finally {
                core.unlock();
            }
        }

        /** {@return another receiver of the same broadcast, of what is sent from now on; it has the same listener} */
        public Receiver<T> resubscribe() {
            return Broadcasting.subscribe(core, onLag);
        }

        /**
         * Ends this receiver: what was kept for it is let go, and senders that waited for it go on. A receive under way in another
         * thread throws {@link IllegalStateException}. Idempotent; never waits.
         */
        @Override
        public void close() {
            WakeList woken = new WakeList();
            core.lock();
            try {
                core.close(subscription, woken);
            } finally {
                core.unlock();
            }
            woken.wakeAll();
        }

        /**
         * {@return the receiving of the next item, to be selected on} Ready also when items were missed or the end has come; the
         * select then throws what {@link #receive()} does.
         */
        @Override
        public Clause<T> clause() {
            return new Receiving<>(core, subscription, onLag);
        }

        @Override
        public String toString() {
            return "Receiver[" + size() + " to read of " + core + "]";
        }
    }

    private static final class Receiving<T> extends Clause<T> {
        private final BroadcastCore core;
        private final Subscription subscription;
        private final @Nullable LongConsumer onLag;

        Receiving(BroadcastCore core, Subscription subscription, @Nullable LongConsumer onLag) {
            super(core);
            this.core = core;
            this.subscription = subscription;
            this.onLag = onLag;
        }

        @Override
        protected Object tryNow(WakeList woken) {
            Object item = core.take(subscription, onLag != null, woken);
            return item == null ? NOT_READY : item;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            core.enqueue(subscription, node);
            return true;
        }

        @Override
        protected T result(@Nullable Object outcome) {
            return Receiver.orThrow(Receiver.<T>itemOrNull(outcome, onLag));
        }
    }
}
