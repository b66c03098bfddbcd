package dev.kumihimo.channel;

import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A counted right to receive from a {@link Channel}: when the last one is closed, the channel is closed and what is buffered
 * is dropped, so that senders fail instead of sending to nobody. Nothing else closes it, not even being collected.
 *
 * <pre>{@code
 * try (Receiver<Order> receiver = orders.receiver()) {
 *     receiver.forEach(this::handle);
 * } // if handling fails, senders are told
 * }</pre>
 *
 * <p>Its operations are those of the channel, which say what they wait for. Any thread may call any method; a wait through a
 * receiver that another thread closes goes on, unless it was the last. A closed receiver throws
 * {@link IllegalStateException}.
 *
 * @param <T> the items
 * @since 0.1
 */
public final class Receiver<T> extends Handle implements Selectable<T>, AutoCloseable {
    private final Channel<T> channel;
    private final ChannelCore core;

    /** Creates a handle; its creator counts it. */
    Receiver(Channel<T> channel, ChannelCore core) {
        this.channel = channel;
        this.core = core;
    }

    /**
     * Receives the next item, waiting for one: {@link Channel#receive()}.
     *
     * @return the item
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was received
     * @throws ChannelClosedException if the channel is closed and drained, before or while it waits
     * @throws IllegalStateException if this receiver is closed
     */
    public T receive() throws InterruptedException {
        ensureOpen();
        return channel.receive();
    }

    /**
     * Receives the next item, waiting at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return the item
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was received
     * @throws TimeoutException if there was none in time; nothing was received
     * @throws ChannelClosedException if the channel is closed and drained, before or while it waits
     * @throws IllegalStateException if this receiver is closed
     */
    public T receive(Duration timeout) throws InterruptedException, TimeoutException {
        ensureOpen();
        return channel.receive(timeout);
    }

    /**
     * Receives the next item, waiting for one: for loops that end with the channel.
     *
     * @return the item, or null if the channel is closed and drained
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was received
     * @throws ChannelClosedException if the channel is drained and was closed with a cause
     * @throws IllegalStateException if this receiver is closed
     */
    public @Nullable T receiveOrNull() throws InterruptedException {
        ensureOpen();
        return channel.receiveOrNull();
    }

    /**
     * Receives the next item if there is one now.
     *
     * @return the item, or null if there is none now
     * @throws ChannelClosedException if the channel is closed and drained, so that there will never be one
     * @throws IllegalStateException if this receiver is closed
     */
    public @Nullable T tryReceive() {
        ensureOpen();
        return channel.tryReceive();
    }

    /**
     * Receives several items, waiting for the first: {@link Channel#receiveMany(Collection, int)}.
     *
     * @param into where to add them, in their order. If that throws, items not added are put back, before all others
     * @param max how many at most; 0 does nothing
     * @return how many; 0 only if the channel is closed and drained, or max is 0
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was received
     * @throws ChannelClosedException if the channel is drained and was closed with a cause
     * @throws IllegalArgumentException if max is negative
     * @throws IllegalStateException if this receiver is closed
     */
    public int receiveMany(Collection<? super T> into, int max) throws InterruptedException {
        ensureOpen();
        return channel.receiveMany(into, max);
    }

    /**
     * Receives several items, waiting for the first at most a given time.
     *
     * @param into where to add them, in their order. If that throws, items not added are put back, before all others
     * @param max how many at most; 0 does nothing
     * @param timeout the longest wait; zero or negative does not wait
     * @return how many; 0 only if the channel is closed and drained, or max is 0
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was received
     * @throws TimeoutException if there was none in time; nothing was received
     * @throws ChannelClosedException if the channel is drained and was closed with a cause
     * @throws IllegalArgumentException if max is negative
     * @throws IllegalStateException if this receiver is closed
     */
    public int receiveMany(Collection<? super T> into, int max, Duration timeout)
            throws InterruptedException, TimeoutException {
        ensureOpen();
        return channel.receiveMany(into, max, timeout);
    }

    /**
     * Receives the items that there are now.
     *
     * @param into where to add them, in their order. If that throws, items not added are put back, before all others
     * @param max how many at most; 0 does nothing
     * @return how many; 0 if there are none now
     * @throws ChannelClosedException if the channel is closed and drained, so that there will never be one
     * @throws IllegalArgumentException if max is negative
     * @throws IllegalStateException if this receiver is closed
     */
    public int tryReceiveMany(Collection<? super T> into, int max) {
        ensureOpen();
        return channel.tryReceiveMany(into, max);
    }

    /**
     * Receives and handles items until the channel is closed and drained: {@link Channel#forEach}.
     *
     * @param handler what to do with each
     * @param <X> what the handler throws
     * @throws InterruptedException if interrupted or cancelled while it would wait for the next item; or by the handler
     * @throws X by the handler
     * @throws ChannelClosedException if the channel is drained and was closed with a cause
     * @throws IllegalStateException if this receiver is closed
     */
    public <X extends Exception> void forEach(ItemHandler<? super T, X> handler) throws InterruptedException, X {
        ensureOpen();
        channel.forEach(handler);
    }

    /**
     * {@return the receiving of the next item, to be selected on} It is the channel's: closing this receiver later does not
     * end it.
     *
     * @throws IllegalStateException if this receiver is closed
     */
    @Override
    public Clause<T> clause() {
        ensureOpen();
        return channel.clause();
    }

    /** Refuses further sends, so that receivers come to the end: {@link Channel#close()}. This receiver stays open. */
    public void closeChannel() {
        channel.close();
    }

    /** {@return whether the channel is closed, so that sends are refused; items may still be buffered} */
    public boolean isClosed() {
        return channel.isClosed();
    }

    /** {@return whether there will never be another item: {@link Channel#isDrained()}} */
    public boolean isDrained() {
        return channel.isDrained();
    }

    /** {@return how many items are buffered now} */
    public int size() {
        return channel.size();
    }

    /**
     * {@return whether a handle is for the same channel}
     *
     * @param other another receiver
     */
    public boolean isSameChannel(Receiver<?> other) {
        return core == other.core;
    }

    /**
     * {@return another receiver for the same channel, counted and closed by itself} Each item goes to one of them.
     *
     * @throws IllegalStateException if this receiver is closed
     */
    public Receiver<T> copy() {
        ensureOpen();
        return channel.receiver();
    }

    /** {@return a handle that does not count, and gives a receiver as long as another one is open} */
    public WeakReceiver<T> downgrade() {
        return new WeakReceiver<>(channel, core);
    }

    /** Closes this receiver; if it was the last, the channel too, and drops what is buffered. Idempotent; never waits. */
    @Override
    public void close() {
        if (closeOnce()) {
            core.removeReceiver();
        }
    }

    @Override
    public String toString() {
        return describe(channel);
    }
}
