package dev.kumihimo.select;

import org.jspecify.annotations.Nullable;

/**
 * Where a {@link Select} can send to; a channel is one.
 *
 * <pre>{@code
 * Select.<Boolean>of().onSend(results, result, () -> true).after(limit, () -> false).await();
 * }</pre>
 *
 * @param <T> the items
 * @since 0.1
 */
public interface Sink<T> {
    /**
     * {@return the sending of an item, to be selected on} Nothing is sent unless a select chooses it, and then once for each
     * choice.
     *
     * @param item what to send, not null
     */
    Selectable<@Nullable Void> sending(T item);
}
