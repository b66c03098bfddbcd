package dev.kumihimo.channel;

/**
 * Thrown by a send on a closed channel, whose item was not taken, and by a receive from one that is closed and drained.
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
}
