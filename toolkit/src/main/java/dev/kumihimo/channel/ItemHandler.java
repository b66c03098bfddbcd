package dev.kumihimo.channel;

/**
 * What to do with each item of a channel, see {@link Channel#forEach}.
 *
 * <pre>{@code
 * ItemHandler<Order, IOException> write = order -> file.write(order.toBytes());
 * }</pre>
 *
 * @param <T> the items
 * @param <X> what it throws besides; inferred as {@link RuntimeException} if nothing checked
 * @since 0.1
 */
@FunctionalInterface
public interface ItemHandler<T, X extends Exception> {
    /**
     * Handles an item that was received.
     *
     * @param item the item
     * @throws InterruptedException if it waits, and is interrupted or cancelled
     * @throws X if it fails
     */
    void handle(T item) throws InterruptedException, X;
}
