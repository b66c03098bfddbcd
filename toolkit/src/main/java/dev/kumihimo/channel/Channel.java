package dev.kumihimo.channel;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import dev.kumihimo.select.Sink;
import java.time.Duration;
import java.util.Collection;
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
 * what is buffered and what permits still send, and then the exception. It carries the cause that the channel was
 * {@linkplain #close(Throwable) closed with}; and loops, which a plain close just ends, throw it too if there is one.
 *
 * <p><b>Handles.</b> Who wants the channel to close by itself hands out a {@link #sender()} to each that sends and a
 * {@link #receiver()} to each that receives: the channel is closed with the last of either kind. A channel that never had
 * handles is closed by {@link #close()} only, and one that has may be used directly, too.
 *
 * <p><b>Reserving.</b> {@link #reserve()} waits for room before there is an item; the {@link Permit} then sends without
 * waiting. Reservations wait in one queue with sends: a large one at the head holds up all behind it. A place that is
 * reserved counts as used, also if a receiver waits.
 *
 * <p><b>Memory.</b> What a thread did before it sent an item happens-before what another does after it received it.
 *
 * @param <T> the items, never null
 * @since 0.1
 */
public final class Channel<T> implements Selectable<T>, Sink<T>, AutoCloseable {
    static final String CLOSED = "the channel is closed";
    static final String DRAINED = "the channel is closed and drained";

    private final ChannelCore core;

    /** Made by the first select, and again by another thread that does not see it: they are all alike. */
    private @Nullable Clause<T> receiving;

    private Channel(int capacity) {
        core = new ChannelCore(capacity);
    }

    /**
     * {@return a channel with a buffer}
     *
     * @param capacity how many items it buffers, at least 1; the buffer grows as it is used. One that is full with 2,147,483,639
     *     items cannot grow, whatever the capacity: a send throws {@link IllegalStateException}, and nothing was sent
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
     * {@return a channel on which a send never waits} Its buffer grows as long as there is memory, up to 2,147,483,639 items;
     * beyond that a send throws {@link IllegalStateException}, and nothing was sent.
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
                throw new TimeoutException("no room in " + describe());
            }
            return;
        }
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        Wait wait = sendOrRegister(item);
        if (wait != null) {
            if (!wait.await(deadline)) {
                throw new TimeoutException("no room in " + describe() + " within " + timeout);
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

    private void checkSent(Wait wait) {
        if (wait.item == ChannelCore.CLOSED) {
            throw core.closedException("the channel was closed while the send waited for room");
        }
    }

    private void ensureOpen() {
        if (core.isClosed()) {
            throw core.closedException(CLOSED);
        }
    }

    /* ---------------- Reserving -------------- */

    /**
     * Reserves a place, waiting for it: {@link #reserveMany(int)} for one.
     *
     * @return the permit to send one item; closing it gives the place back
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was reserved
     * @throws ChannelClosedException if the channel is closed, before or while it waits
     * @throws IllegalStateException if this is a rendezvous, which has no places
     */
    public Permit<T> reserve() throws InterruptedException {
        return reserveMany(1);
    }

    /**
     * Reserves a place, waiting at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return the permit to send one item; closing it gives the place back
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was reserved
     * @throws TimeoutException if it was not to be had in time; nothing was reserved
     * @throws ChannelClosedException if the channel is closed, before or while it waits
     * @throws IllegalStateException if this is a rendezvous, which has no places
     */
    public Permit<T> reserve(Duration timeout) throws InterruptedException, TimeoutException {
        return reserveMany(1, timeout);
    }

    /**
     * Reserves a place if one is free and nobody waits for it.
     *
     * @return the permit to send one item, or null
     * @throws ChannelClosedException if the channel is closed
     * @throws IllegalStateException if this is a rendezvous, which has no places
     */
    public @Nullable Permit<T> tryReserve() {
        return tryReserveMany(1);
    }

    /**
     * Reserves several places at once, waiting for them; those who send or reserve later wait behind.
     *
     * @param places 0, which never waits, to the capacity
     * @return the permit to send as many items; closing it gives back what was not used
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was reserved
     * @throws ChannelClosedException if the channel is closed, before or while it waits
     * @throws IllegalArgumentException if that many places are never free, or negative
     * @throws IllegalStateException if this is a rendezvous, which has no places
     */
    public Permit<T> reserveMany(int places) throws InterruptedException {
        checkPlaces(places);
        Waiter.spend();
        Permit<T> permit = new Permit<>(core, places);
        Wait wait = waitOf(core.reserveOrRegister(permit, places));
        if (wait != null) {
            wait.await();
            checkReserved(wait);
        }
        return permit;
    }

    /**
     * Reserves several places at once, waiting at most a given time.
     *
     * @param places 0, which never waits, to the capacity
     * @param timeout the longest wait; zero or negative does not wait
     * @return the permit to send as many items; closing it gives back what was not used
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was reserved
     * @throws TimeoutException if they were not to be had in time; nothing was reserved
     * @throws ChannelClosedException if the channel is closed, before or while it waits
     * @throws IllegalArgumentException if that many places are never free, or negative
     * @throws IllegalStateException if this is a rendezvous, which has no places
     */
    public Permit<T> reserveMany(int places, Duration timeout) throws InterruptedException, TimeoutException {
        checkPlaces(places);
        Waiter.spend();
        if (timeout.isNegative() || timeout.isZero()) {
            Permit<T> permit = tryReserveMany(places);
            if (permit == null) {
                throw new TimeoutException(places + " places were not free in " + describe());
            }
            return permit;
        }
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        Permit<T> permit = new Permit<>(core, places);
        Wait wait = waitOf(core.reserveOrRegister(permit, places));
        if (wait != null) {
            if (!wait.await(deadline)) {
                throw new TimeoutException(places + " places were not free in " + describe() + " within " + timeout);
            }
            checkReserved(wait);
        }
        return permit;
    }

    /**
     * Reserves several places at once if they are free and nobody waits for one.
     *
     * @param places 0, which succeeds unless closed, to the capacity
     * @return the permit to send as many items, or null
     * @throws ChannelClosedException if the channel is closed
     * @throws IllegalArgumentException if that many places are never free, or negative
     * @throws IllegalStateException if this is a rendezvous, which has no places
     */
    public @Nullable Permit<T> tryReserveMany(int places) {
        checkPlaces(places);
        Waiter.spendQuietly();
        Permit<T> permit = new Permit<>(core, places);
        core.lock();
        try {
            ensureOpen();
            if (!core.canReserve(places)) {
                return null;
            }
            core.reserve(places);
        } finally {
            core.unlock();
        }
        return permit;
    }

    private void checkPlaces(int places) {
        if (core.capacity == 0) {
            throw new IllegalStateException(
                    "a rendezvous channel has no places to reserve; its send waits for a receiver");
        }
        if (places < 0 || places > core.capacity) {
            throw new IllegalArgumentException("places=" + places + " must be 0 to the capacity of " + core.capacity);
        }
    }

    private @Nullable Wait waitOf(@Nullable Object reservation) {
        if (reservation == ChannelCore.CLOSED) {
            throw core.closedException(CLOSED);
        }
        return (Wait) reservation;
    }

    private void checkReserved(Wait wait) {
        if (wait.item == ChannelCore.CLOSED) {
            throw core.closedException("the channel was closed while the reservation waited");
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
     * @throws ChannelClosedException if the channel is drained and was closed with a cause
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
                throw new TimeoutException("nothing in " + describe());
            }
            return item;
        }
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        Object item = receiveOrRegister();
        if (item instanceof Wait wait) {
            if (!wait.await(deadline)) {
                throw new TimeoutException("nothing in " + describe() + " within " + timeout);
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
            if (item == null && core.isEnded()) {
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
                if (core.isEnded()) {
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

    @SuppressWarnings("unchecked") // only sends put items in
    private @Nullable T itemOrNull(@Nullable Object item) {
        return item == ChannelCore.CLOSED ? end() : (T) item;
    }

    private @Nullable T end() {
        if (core.cause() != null) {
            throw drained();
        }
        return null;
    }

    private ChannelClosedException drained() {
        return core.closedException(DRAINED);
    }

    private static void wake(@Nullable WaitNode node) {
        if (node != null) {
            node.owner().wake();
        }
    }

    /**
     * Receives several items, waiting for the first: as many as there are then, but does not wait for more.
     *
     * @param into where to add them, in their order. If that throws, items not added are put back, before all others; until
     *     then other receivers do not get the end of a closed channel, but wait
     * @param max how many at most; 0 does nothing
     * @return how many; 0 only if the channel is closed and drained, or max is 0
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was received
     * @throws ChannelClosedException if the channel is drained and was closed with a cause
     * @throws IllegalArgumentException if max is negative
     */
    public int receiveMany(Collection<? super T> into, int max) throws InterruptedException {
        checkMax(into, max);
        if (max == 0) {
            return 0;
        }
        Waiter.spend();
        Batch<T> batch = new Batch<>(core, into, max);
        Wait wait = batch.receiveOrRegister();
        if (wait != null) {
            wait.await();
            batch.receive(wait);
        }
        return countOrEnd(batch);
    }

    /**
     * Receives several items, waiting for the first at most a given time: as many as there are then.
     *
     * @param into where to add them, in their order. If that throws, items not added are put back, before all others; until
     *     then other receivers do not get the end of a closed channel, but wait
     * @param max how many at most; 0 does nothing
     * @param timeout the longest wait; zero or negative does not wait
     * @return how many; 0 only if the channel is closed and drained, or max is 0
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was received
     * @throws TimeoutException if there was none in time; nothing was received
     * @throws ChannelClosedException if the channel is drained and was closed with a cause
     * @throws IllegalArgumentException if max is negative
     */
    public int receiveMany(Collection<? super T> into, int max, Duration timeout)
            throws InterruptedException, TimeoutException {
        checkMax(into, max);
        if (max == 0) {
            return 0;
        }
        Waiter.spend();
        Batch<T> batch = new Batch<>(core, into, max);
        boolean inTime = true;
        if (timeout.isNegative() || timeout.isZero()) {
            batch.receive();
            inTime = batch.received() > 0 || isDrained();
        } else {
            long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
            Wait wait = batch.receiveOrRegister();
            if (wait != null) {
                inTime = wait.await(deadline);
                if (inTime) {
                    batch.receive(wait);
                }
            }
        }
        if (!inTime) {
            throw new TimeoutException("nothing in " + describe() + " within " + timeout);
        }
        return countOrEnd(batch);
    }

    /**
     * Receives the items that there are now.
     *
     * @param into where to add them, in their order. If that throws, items not added are put back, before all others; until
     *     then other receivers do not get the end of a closed channel, but wait
     * @param max how many at most; 0 does nothing
     * @return how many; 0 if there are none now
     * @throws ChannelClosedException if the channel is closed and drained, so that there will never be one
     * @throws IllegalArgumentException if max is negative
     */
    public int tryReceiveMany(Collection<? super T> into, int max) {
        checkMax(into, max);
        Waiter.spendQuietly();
        Batch<T> batch = new Batch<>(core, into, max);
        batch.receive();
        if (batch.received() == 0 && max > 0 && isDrained()) {
            throw drained();
        }
        return batch.received();
    }

    private static void checkMax(Collection<?> into, int max) {
        Objects.requireNonNull(into, "into");
        if (max < 0) {
            throw new IllegalArgumentException("max=" + max + " must be at least 0");
        }
    }

    private int countOrEnd(Batch<T> batch) {
        if (batch.received() == 0) {
            end();
        }
        return batch.received();
    }

    /**
     * Receives and handles items until the channel is closed and drained. An exception of the handler ends the loop, not the
     * channel. (There is no iterator: it could not tell of an interrupt.)
     *
     * @param handler what to do with each
     * @param <X> what the handler throws
     * @throws InterruptedException if interrupted or cancelled while it would wait for the next item; or by the handler
     * @throws X by the handler
     * @throws ChannelClosedException if the channel is drained and was closed with a cause
     */
    public <X extends Exception> void forEach(ItemHandler<? super T, X> handler) throws InterruptedException, X {
        Objects.requireNonNull(handler, "handler");
        for (T item; (item = receiveOrNull()) != null; ) {
            handler.handle(item);
        }
    }

    /* ---------------- Handles -------------- */

    /** {@return a new counted handle for sending} The channel is closed when the last of them is closed. */
    public Sender<T> sender() {
        Sender<T> sender = new Sender<>(this, core);
        core.addSender();
        return sender;
    }

    /** {@return a new counted handle for receiving} With the last of them, the channel is closed and its items dropped. */
    public Receiver<T> receiver() {
        Receiver<T> receiver = new Receiver<>(this, core);
        core.addReceiver();
        return receiver;
    }

    /** {@return how many {@link Sender}s are open} */
    public int senderCount() {
        return core.senderCount();
    }

    /** {@return how many {@link Receiver}s are open} */
    public int receiverCount() {
        return core.receiverCount();
    }

    /* ---------------- Closing, and facts -------------- */

    /**
     * Closes the channel: no more sends, and an end for receivers once it is drained and no permit is outstanding.
     * Idempotent; never waits.
     */
    @Override
    public void close() {
        core.close(null);
    }

    /**
     * Closes the channel for a reason: as {@link #close()}, but every {@link ChannelClosedException} has it as its cause, and
     * loops of receivers end with that exception, so that nobody takes the failure for the end of the items. The first close
     * counts.
     *
     * @param cause why
     */
    public void close(Throwable cause) {
        core.close(Objects.requireNonNull(cause, "cause"));
    }

    /** {@return whether it was closed, so that sends are refused; items may still be buffered} */
    public boolean isClosed() {
        core.lock();
        try {
            return core.isClosed();
        } finally {
            core.unlock();
        }
    }

    /**
     * {@return whether it is closed, nothing is buffered, no permit is outstanding, and no {@code receiveMany} is adding what it
     * may put back: there will never be another item}
     */
    public boolean isDrained() {
        core.lock();
        try {
            return core.size() == 0 && core.isEnded();
        } finally {
            core.unlock();
        }
    }

    /**
     * Waits until the channel is closed: by {@link #close()}, or with its last {@link Sender} or {@link Receiver}. So a producer
     * learns that nobody wants what it is about to make. All who wait are woken at once.
     *
     * @throws InterruptedException if interrupted or cancelled while it would wait
     */
    public void awaitClosed() throws InterruptedException {
        Waiter.spend();
        Wait wait = core.registerForClose();
        if (wait != null) {
            wait.await();
        }
    }

    /**
     * Waits until the channel is closed, at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @throws InterruptedException if interrupted or cancelled while it would wait
     * @throws TimeoutException if it was not closed in time
     */
    public void awaitClosed(Duration timeout) throws InterruptedException, TimeoutException {
        Waiter.spend();
        boolean waits = !timeout.isNegative() && !timeout.isZero();
        long deadline = waits ? TimerService.deadline(Waiter.current().nanoTime(), timeout) : 0;
        Wait wait = waits ? core.registerForClose() : null;
        if (waits ? wait != null && !wait.await(deadline) : !isClosed()) {
            throw new TimeoutException("not closed within " + timeout + ": " + describe());
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

    /** {@return how much of the capacity is neither buffered items nor reserved now} */
    public int availableCapacity() {
        core.lock();
        try {
            return core.availableCapacity();
        } finally {
            core.unlock();
        }
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
            clause = new ChannelClauses.Receiving<>(core);
            receiving = clause;
        }
        return clause;
    }

    @Override
    public Selectable<@Nullable Void> sending(T item) {
        return new ChannelClauses.Sending(core, Objects.requireNonNull(item, "item"));
    }

    /** {@return the reserving of a place, to be selected on} Ready also once the channel is closed. */
    public Selectable<Permit<T>> reserving() {
        return reservingMany(1);
    }

    /**
     * {@return the reserving of several places at once, to be selected on} Ready also once the channel is closed.
     *
     * @param places 0 to the capacity
     * @throws IllegalArgumentException if that many places are never free, or negative
     * @throws IllegalStateException if this is a rendezvous, which has no places
     */
    public Selectable<Permit<T>> reservingMany(int places) {
        checkPlaces(places);
        return new ChannelClauses.Reserving<>(core, places);
    }

    /** {@return the closing of the channel, to be selected on}, as {@link #awaitClosed()} */
    public Selectable<@Nullable Void> closed() {
        return new ChannelClauses.Closing(core);
    }

    @Override
    public String toString() {
        return "Channel[" + describe() + "]";
    }

    /** {@return its state, for messages} */
    String describe() {
        core.lock();
        try {
            return core.toString();
        } finally {
            core.unlock();
        }
    }
}
