package dev.kumihimo.channel;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
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
import org.jspecify.annotations.Nullable;

/**
 * Hands items from senders to receivers, any number of each, in the order in which they were sent, through a buffer of fixed
 * capacity.
 *
 * <pre>{@code
 * Channel<Order> orders = Channel.bounded(64);
 * Task.spawn(() -> {
 *     for (Order order; (order = orders.receiveOrNull()) != null; ) {
 *         handle(order);
 *     }
 * });
 * orders.send(order);
 * orders.close();
 * }</pre>
 *
 * <p>Any thread may call any method: tasks, other virtual threads and platform threads.
 *
 * <p><b>Waiting and fairness.</b> A send waits while the buffer is full, a receive while it is empty. Both are served strictly
 * in the order of arrival, and what becomes free is handed to who has waited longest, so nobody barges in.
 *
 * <p><b>Interruption and cancellation.</b> An operation that can complete at once does, also in a cancelled or interrupted
 * thread, except that every 128 of them a task yields and looks. One that would wait throws {@link InterruptedException}
 * (a {@code TaskCancelledException} if cancelled). If it throws, nothing was sent or received; if it returns, it was, and a
 * cancellation that came too late strikes at the next wait. The same holds for {@link TimeoutException}. No item is lost.
 *
 * <p><b>Closing.</b> After {@link #close()} sends throw {@link ChannelClosedException}, those that wait included; receives get
 * what is buffered, and then the exception.
 *
 * <p><b>Memory.</b> What a thread did before it sent an item happens-before what another does after it received it.
 *
 * @param <T> the items, never null
 * @since 0.1
 */
public final class Channel<T> implements Selectable<T>, Sink<T>, AutoCloseable {
    private final ChannelCore core;

    /** Made by the first select, and again by another thread that does not see it: they are all alike. */
    private @Nullable Clause<T> receiving;

    private Channel(int capacity) {
        core = new ChannelCore(capacity);
    }

    /**
     * {@return a channel with a buffer}
     *
     * @param capacity how many items it buffers, at least 1; the buffer grows as it is used
     * @param <T> the items
     * @throws IllegalArgumentException if the capacity is below 1
     */
    public static <T> Channel<T> bounded(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException(
                    "capacity=" + capacity + " must be at least 1; a channel without a buffer is Channel.rendezvous()");
        }
        return new Channel<>(capacity);
    }

    /**
     * {@return a channel without a buffer: a send waits until its item is received}
     *
     * @param <T> the items
     */
    public static <T> Channel<T> rendezvous() {
        return new Channel<>(0);
    }

    /**
     * {@return a channel on which a send never waits} Its buffer grows as long as there is memory.
     *
     * @param <T> the items
     */
    public static <T> Channel<T> unbounded() {
        return new Channel<>(Integer.MAX_VALUE);
    }

    /* ---------------- Sending -------------- */

    /**
     * Sends an item, waiting for room in the buffer.
     *
     * @param item not null
     * @throws InterruptedException if interrupted or cancelled while it would wait; the item was not sent
     * @throws ChannelClosedException if the channel is closed, before or while it waits; the item was not sent
     */
    public void send(T item) throws InterruptedException {
        Waiter.spend();
        Wait wait = sendOrRegister(item);
        if (wait != null) {
            wait.await();
            checkSent(wait);
        }
    }

    /**
     * Sends an item, waiting for room at most a given time.
     *
     * @param item not null
     * @param timeout the longest wait; zero or negative does not wait
     * @throws InterruptedException if interrupted or cancelled while it would wait; the item was not sent
     * @throws TimeoutException if there was no room in time; the item was not sent
     * @throws ChannelClosedException if the channel is closed, before or while it waits; the item was not sent
     */
    public void send(T item, Duration timeout) throws InterruptedException, TimeoutException {
        Waiter.spend();
        if (timeout.isNegative() || timeout.isZero()) {
            if (!trySend(item)) {
                throw new TimeoutException("no room in " + core);
            }
            return;
        }
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        Wait wait = sendOrRegister(item);
        if (wait != null) {
            if (!wait.await(deadline)) {
                throw new TimeoutException("no room in " + core + " within " + timeout);
            }
            checkSent(wait);
        }
    }

    /**
     * Sends an item if that needs no waiting.
     *
     * @param item not null
     * @return false if the buffer is full, or with no buffer nobody is receiving
     * @throws ChannelClosedException if the channel is closed
     */
    public boolean trySend(T item) {
        Objects.requireNonNull(item, "item");
        Waiter.spendQuietly();
        WaitNode receiver;
        core.lock();
        try {
            ensureOpen();
            receiver = core.handOver(item);
            if (receiver == null) {
                if (core.isFull()) {
                    return false;
                }
                core.put(item);
            }
        } finally {
            core.unlock();
        }
        wake(receiver);
        return true;
    }

    private @Nullable Wait sendOrRegister(T item) {
        Objects.requireNonNull(item, "item");
        WaitNode receiver;
        core.lock();
        try {
            ensureOpen();
            receiver = core.handOver(item);
            if (receiver == null) {
                if (core.isFull()) {
                    Wait wait = Wait.at(core);
                    wait.item = item;
                    core.awaitRoom(wait);
                    return wait;
                }
                core.put(item);
            }
        } finally {
            core.unlock();
        }
        wake(receiver);
        return null;
    }

    private static void checkSent(Wait wait) {
        if (wait.item == ChannelCore.CLOSED) {
            throw new ChannelClosedException("the channel was closed while the send waited for room");
        }
    }

    private void ensureOpen() {
        if (core.isClosed()) {
            throw new ChannelClosedException("the channel is closed");
        }
    }

    /* ---------------- Receiving -------------- */

    /**
     * Receives the next item, waiting for one.
     *
     * @return the item
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was received
     * @throws ChannelClosedException if the channel is closed and drained, before or while it waits
     */
    public T receive() throws InterruptedException {
        T item = receiveOrNull();
        if (item == null) {
            throw drained();
        }
        return item;
    }

    /**
     * Receives the next item, waiting for one: for loops that end with the channel.
     *
     * @return the item, or null if the channel is closed and drained
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was received
     */
    public @Nullable T receiveOrNull() throws InterruptedException {
        Waiter.spend();
        Object item = receiveOrRegister();
        if (item instanceof Wait wait) {
            wait.await();
            item = wait.item;
        }
        return itemOrNull(item);
    }

    /**
     * Receives the next item, waiting at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return the item
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was received
     * @throws TimeoutException if there was none in time; nothing was received
     * @throws ChannelClosedException if the channel is closed and drained, before or while it waits
     */
    public T receive(Duration timeout) throws InterruptedException, TimeoutException {
        Waiter.spend();
        if (timeout.isNegative() || timeout.isZero()) {
            T item = tryReceive();
            if (item == null) {
                throw new TimeoutException("nothing in " + core);
            }
            return item;
        }
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        Object item = receiveOrRegister();
        if (item instanceof Wait wait) {
            if (!wait.await(deadline)) {
                throw new TimeoutException("nothing in " + core + " within " + timeout);
            }
            item = wait.item;
        }
        T received = itemOrNull(item);
        if (received == null) {
            throw drained();
        }
        return received;
    }

    /**
     * Receives the next item if there is one now.
     *
     * @return the item, or null if there is none now
     * @throws ChannelClosedException if the channel is closed and drained, so that there will never be one
     */
    public @Nullable T tryReceive() {
        Waiter.spendQuietly();
        Object item;
        WaitNode sender;
        core.lock();
        try {
            item = core.take();
            sender = item != null ? core.refill() : core.grantSender();
            if (item == null && sender != null) {
                item = sender.item;
            }
            if (item == null && core.isClosed()) {
                throw drained();
            }
        } finally {
            core.unlock();
        }
        wake(sender);
        return itemOrNull(item);
    }

    /** Returns an item, CLOSED, or the wait that was registered for one. */
    private Object receiveOrRegister() {
        Object item;
        WaitNode sender;
        core.lock();
        try {
            item = core.take();
            sender = item != null ? core.refill() : core.grantSender();
            if (item == null && sender != null) {
                item = sender.item;
            }
            if (item == null) {
                if (core.isClosed()) {
                    return ChannelCore.CLOSED;
                }
                Wait wait = Wait.at(core);
                core.awaitItem(wait);
                return wait;
            }
        } finally {
            core.unlock();
        }
        wake(sender);
        return item;
    }

    @SuppressWarnings("unchecked") // only send() puts items in
    private @Nullable T itemOrNull(@Nullable Object item) {
        return item == ChannelCore.CLOSED ? null : (T) item;
    }

    private static ChannelClosedException drained() {
        return new ChannelClosedException("the channel is closed and drained");
    }

    private static void wake(@Nullable WaitNode node) {
        if (node != null) {
            node.owner().wake();
        }
    }

    /* ---------------- Closing, and facts -------------- */

    /** Closes the channel: no more sends, and an end for receivers once it is drained. Idempotent; never waits. */
    @Override
    public void close() {
        WakeList woken = new WakeList();
        core.lock();
        try {
            core.close(woken);
        } finally {
            core.unlock();
        }
        woken.wakeAll();
    }

    /** {@return whether it was closed; items may still be buffered} */
    public boolean isClosed() {
        core.lock();
        try {
            return core.isClosed();
        } finally {
            core.unlock();
        }
    }

    /** {@return how many items are buffered now} */
    public int size() {
        core.lock();
        try {
            return core.size();
        } finally {
            core.unlock();
        }
    }

    /** {@return how many items it can buffer: 0 for a rendezvous, {@link Integer#MAX_VALUE} if unbounded} */
    public int capacity() {
        return core.capacity;
    }

    /** {@return where its waits are registered, for tests} */
    WaitPoint waitPoint() {
        return core;
    }

    /* ---------------- Selecting -------------- */

    /** {@return the receiving of the next item, to be selected on} Ready also once the channel is closed and drained. */
    @Override
    public Clause<T> clause() {
        Clause<T> clause = receiving;
        if (clause == null) {
            clause = new Receiving<>(core);
            receiving = clause;
        }
        return clause;
    }

    @Override
    public Selectable<@Nullable Void> sending(T item) {
        return new Sending(core, Objects.requireNonNull(item, "item"));
    }

    private static final class Receiving<T> extends Clause<T> {
        private final ChannelCore core;

        Receiving(ChannelCore core) {
            super(core);
            this.core = core;
        }

        @Override
        protected Object tryNow(WakeList woken) {
            Object item = core.poll(woken);
            if (item != null) {
                return item;
            }
            return core.isClosed() ? ChannelCore.CLOSED : NOT_READY;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            core.awaitItem(node);
            return true;
        }

        @Override
        @SuppressWarnings("unchecked") // only send() puts items in
        protected T result(@Nullable Object outcome) {
            if (outcome == null || outcome == ChannelCore.CLOSED) {
                throw drained();
            }
            return (T) outcome;
        }
    }

    private static final class Sending extends Clause<@Nullable Void> {
        private final ChannelCore core;
        private final Object item;

        Sending(ChannelCore core, Object item) {
            super(core);
            this.core = core;
            this.item = item;
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            if (core.isClosed()) {
                return ChannelCore.CLOSED;
            }
            return core.offer(item, woken) ? null : NOT_READY;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            node.item = item;
            core.awaitRoom(node);
            return true;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            if (outcome == ChannelCore.CLOSED) {
                throw new ChannelClosedException("the channel is closed");
            }
            return null;
        }
    }

    @Override
    public String toString() {
        core.lock();
        try {
            return "Channel[" + core + "]";
        } finally {
            core.unlock();
        }
    }
}
