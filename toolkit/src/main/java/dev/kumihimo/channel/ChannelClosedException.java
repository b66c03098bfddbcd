package dev.kumihimo.channel;

import org.jspecify.annotations.Nullable;

/**
 * Thrown by a send on a closed channel, whose item was not taken, and by a receive from one that is closed and drained. Its
 * cause is the one that the channel was closed with, if any.
 *
 * <pre>{@code
 * try {
 *     orders.send(order);
 * } catch (ChannelClosedException e) {
 *     reject(order);
 * }
 * }</pre>
 *
 * @since 0.1
 */
public final class ChannelClosedException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    /**
     * Creates the exception.
     *
     * @param message which operation met which end
     */
    public ChannelClosedException(String message) {
        super(message);
    }

    /**
     * Creates the exception with a cause.
     *
     * @param message which operation met which end
     * @param cause what the channel was closed with, or null
     */
    public ChannelClosedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
