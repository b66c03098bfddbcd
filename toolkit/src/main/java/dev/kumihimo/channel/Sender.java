package dev.kumihimo.channel;

import dev.kumihimo.select.Selectable;
import dev.kumihimo.select.Sink;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A counted right to send to a {@link Channel}: when the last one is closed, so is the channel, and receivers get the end
 * after what is buffered. Nothing else closes it, not even being collected.
 *
 * <pre>{@code
 * Channel<Line> lines = Channel.bounded(64);
 * try (Sender<Line> sender = lines.sender()) {
 *     for (Path file : files) {
 *         Sender<Line> own = sender.copy();
 *         Task.spawn(() -> {
 *             try (own) {
 *                 read(file, own);
 *             }
 *         });
 *     }
 * }
 * lines.forEach(this::index); // ends when all files are read
 * }</pre>
 *
 * <p>Its operations are those of the channel, which say what they wait for. Any thread may call any method; a wait through a
 * sender that another thread closes goes on, unless that closes the channel. A closed sender throws
 * {@link IllegalStateException}.
 *
 * @param <T> the items
 * @since 0.1
 */
public final class Sender<T> extends Handle implements Sink<T>, AutoCloseable {
    private final Channel<T> channel;
    private final ChannelCore core;

    /** Creates a handle; its creator counts it. */
    Sender(Channel<T> channel, ChannelCore core) {
        this.channel = channel;
        this.core = core;
    }

    /**
     * Sends an item, waiting for room in the buffer: {@link Channel#send(Object)}.
     *
     * @param item not null
     * @throws InterruptedException if interrupted or cancelled while it would wait; the item was not sent
     * @throws ChannelClosedException if the channel is closed, before or while it waits; the item was not sent
     * @throws IllegalStateException if this sender is closed
     */
    public void send(T item) throws InterruptedException {
        ensureOpen();
        channel.send(item);
    }

    /**
     * Sends an item, waiting for room at most a given time.
     *
     * @param item not null
     * @param timeout the longest wait; zero or negative does not wait
     * @throws InterruptedException if interrupted or cancelled while it would wait; the item was not sent
     * @throws TimeoutException if there was no room in time; the item was not sent
     * @throws ChannelClosedException if the channel is closed, before or while it waits; the item was not sent
     * @throws IllegalStateException if this sender is closed
     */
    public void send(T item, Duration timeout) throws InterruptedException, TimeoutException {
        ensureOpen();
        channel.send(item, timeout);
    }

    /**
     * Sends an item if that needs no waiting.
     *
     * @param item not null
     * @return false if the buffer is full, or with no buffer nobody is receiving
     * @throws ChannelClosedException if the channel is closed
     * @throws IllegalStateException if this sender is closed
     */
    public boolean trySend(T item) {
        ensureOpen();
        return channel.trySend(item);
    }

    /**
     * Reserves a place, waiting for it: {@link Channel#reserve()}. The permit outlives this sender.
     *
     * @return the permit to send one item; closing it gives the place back
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was reserved
     * @throws ChannelClosedException if the channel is closed, before or while it waits
     * @throws IllegalStateException if this sender is closed, or the channel a rendezvous
     */
    public Permit<T> reserve() throws InterruptedException {
        ensureOpen();
        return channel.reserve();
    }

    /**
     * Reserves a place, waiting at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return the permit to send one item; closing it gives the place back
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was reserved
     * @throws TimeoutException if it was not to be had in time; nothing was reserved
     * @throws ChannelClosedException if the channel is closed, before or while it waits
     * @throws IllegalStateException if this sender is closed, or the channel a rendezvous
     */
    public Permit<T> reserve(Duration timeout) throws InterruptedException, TimeoutException {
        ensureOpen();
        return channel.reserve(timeout);
    }

    /**
     * Reserves a place if one is free and nobody waits for it.
     *
     * @return the permit to send one item, or null
     * @throws ChannelClosedException if the channel is closed
     * @throws IllegalStateException if this sender is closed, or the channel a rendezvous
     */
    public @Nullable Permit<T> tryReserve() {
        ensureOpen();
        return channel.tryReserve();
    }

    /**
     * Reserves several places at once, waiting for them: {@link Channel#reserveMany(int)}.
     *
     * @param places 0, which never waits, to the capacity
     * @return the permit to send as many items; closing it gives back what was not used
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was reserved
     * @throws ChannelClosedException if the channel is closed, before or while it waits
     * @throws IllegalArgumentException if that many places are never free, or negative
     * @throws IllegalStateException if this sender is closed, or the channel a rendezvous
     */
    public Permit<T> reserveMany(int places) throws InterruptedException {
        ensureOpen();
        return channel.reserveMany(places);
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
     * @throws IllegalStateException if this sender is closed, or the channel a rendezvous
     */
    public Permit<T> reserveMany(int places, Duration timeout) throws InterruptedException, TimeoutException {
        ensureOpen();
        return channel.reserveMany(places, timeout);
    }

    /**
     * Reserves several places at once if they are free and nobody waits for one.
     *
     * @param places 0, which succeeds unless closed, to the capacity
     * @return the permit to send as many items, or null
     * @throws ChannelClosedException if the channel is closed
     * @throws IllegalArgumentException if that many places are never free, or negative
     * @throws IllegalStateException if this sender is closed, or the channel a rendezvous
     */
    public @Nullable Permit<T> tryReserveMany(int places) {
        ensureOpen();
        return channel.tryReserveMany(places);
    }

    /**
     * {@return the sending of an item, to be selected on} It is the channel's: closing this sender later does not end it.
     *
     * @param item what to send, not null
     * @throws IllegalStateException if this sender is closed
     */
    @Override
    public Selectable<@Nullable Void> sending(T item) {
        ensureOpen();
        return channel.sending(item);
    }

    /**
     * {@return the reserving of a place, to be selected on} Ready also once the channel is closed.
     *
     * @throws IllegalStateException if this sender is closed, or the channel a rendezvous
     */
    public Selectable<Permit<T>> reserving() {
        ensureOpen();
        return channel.reserving();
    }

    /**
     * {@return the reserving of several places at once, to be selected on} Ready also once the channel is closed.
     *
     * @param places 0 to the capacity
     * @throws IllegalArgumentException if that many places are never free, or negative
     * @throws IllegalStateException if this sender is closed, or the channel a rendezvous
     */
    public Selectable<Permit<T>> reservingMany(int places) {
        ensureOpen();
        return channel.reservingMany(places);
    }

    /** {@return the closing of the channel, to be selected on}, as {@link #awaitClosed()} */
    public Selectable<@Nullable Void> closed() {
        return channel.closed();
    }

    /**
     * Waits until the channel is closed, as it is when the last receiver is closed: {@link Channel#awaitClosed()}.
     *
     * @throws InterruptedException if interrupted or cancelled while it would wait
     */
    public void awaitClosed() throws InterruptedException {
        channel.awaitClosed();
    }

    /**
     * Waits until the channel is closed, at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @throws InterruptedException if interrupted or cancelled while it would wait
     * @throws TimeoutException if it was not closed in time
     */
    public void awaitClosed(Duration timeout) throws InterruptedException, TimeoutException {
        channel.awaitClosed(timeout);
    }

    /** {@return whether the channel is closed, so that sends are refused} */
    public boolean isClosed() {
        return channel.isClosed();
    }

    /**
     * {@return whether a handle is for the same channel}
     *
     * @param other another sender
     */
    public boolean isSameChannel(Sender<?> other) {
        return core == other.core;
    }

    /**
     * {@return another sender for the same channel, counted and closed by itself}
     *
     * @throws IllegalStateException if this sender is closed
     */
    public Sender<T> copy() {
        ensureOpen();
        return channel.sender();
    }

    /** {@return a handle that does not keep the channel open, and gives a sender as long as another one is open} */
    public WeakSender<T> downgrade() {
        return new WeakSender<>(channel, core);
    }

    /**
     * Closes the channel for a reason, and this sender: {@link Channel#close(Throwable)}. For a producer that fails, so that
     * receivers do not take its silence for the end of the items.
     *
     * @param cause why
     */
    public void fail(Throwable cause) {
        Objects.requireNonNull(cause, "cause");
        ensureOpen();
        channel.close(cause);
        close();
    }

    /** Closes this sender, and the channel if it was the last. Idempotent; never waits. */
    @Override
    public void close() {
        if (closeOnce()) {
            core.removeSender();
        }
    }

    @Override
    public String toString() {
        return describe(channel);
    }
}
