package dev.kumihimo.channel;

import dev.kumihimo.select.Selectable;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Passes one value, once, or tells that there will be none: the reply to a request.
 *
 * <pre>{@code
 * try (Oneshot<Reply> reply = Oneshot.create()) {
 *     requests.send(new Request(id, reply));
 *     return reply.receive(Duration.ofSeconds(2));
 * } // closed: a server that is late sees send() return false, and one that waits at awaitClosed() can stop working
 * }</pre>
 *
 * <p>Either side may close it: the sender to say that no value will come, with a cause if it failed; the receiver to say that
 * it wants none. A value that was sent before stays to be received. Any thread may call any method. Receivers are served in
 * the order of arrival: the first gets the value, the others the end. A receive that throws {@link InterruptedException} or
 * {@link TimeoutException} has received nothing.
 *
 * <p><b>Memory.</b> What a thread did before it sent the value happens-before what another does after it received it.
 *
 * @param <T> the value, never null
 * @since 0.1
 */
public sealed interface Oneshot<T> extends Selectable<T>, AutoCloseable permits OneshotCore {
    /**
     * {@return a oneshot}
     *
     * @param <T> the value
     */
    static <T> Oneshot<T> create() {
        return new OneshotCore<>();
    }

    /**
     * Sends the value. Never waits.
     *
     * @param value not null
     * @return false if it was not taken, because it is closed, or another value was sent before
     */
    boolean send(T value);

    /**
     * Receives the value, waiting for it.
     *
     * @return the value
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was received
     * @throws ChannelClosedException if it is closed without a value, before or while it waits, with the cause it was closed
     *     with; or if the value has been received already
     */
    T receive() throws InterruptedException;

    /**
     * Receives the value, waiting for it at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return the value
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was received
     * @throws TimeoutException if there was none in time; nothing was received
     * @throws ChannelClosedException if it is closed without a value, before or while it waits, with the cause it was closed
     *     with; or if the value has been received already
     */
    T receive(Duration timeout) throws InterruptedException, TimeoutException;

    /**
     * Receives the value if it is there.
     *
     * @return the value, or null if it may still come
     * @throws ChannelClosedException if it is closed without a value, or the value has been received already
     */
    @Nullable
    T tryReceive();

    /** Refuses a value from now on, and ends those who wait for one. Idempotent; never waits. */
    @Override
    void close();

    /**
     * As {@link #close()}, with a cause for the exceptions of receivers. Without effect if it is closed or a value was sent.
     *
     * @param cause why there will be no value
     */
    void close(Throwable cause);

    /** {@return whether it was closed, or its value received} */
    boolean isClosed();

    /**
     * Waits until it is closed, or its value received: so that who works on the value learns that it is no longer wanted, and
     * who sent it that it has arrived. All who wait are woken at once.
     *
     * @throws InterruptedException if interrupted or cancelled while it would wait
     */
    void awaitClosed() throws InterruptedException;

    /**
     * Waits until it is closed, or its value received, at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @throws InterruptedException if interrupted or cancelled while it would wait
     * @throws TimeoutException if neither happened in time
     */
    void awaitClosed(Duration timeout) throws InterruptedException, TimeoutException;

    /** {@return its being closed or received, to be selected on}, as {@link #awaitClosed()} */
    Selectable<@Nullable Void> closed();
}
