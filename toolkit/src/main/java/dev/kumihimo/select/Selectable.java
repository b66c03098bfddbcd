package dev.kumihimo.select;

import org.jspecify.annotations.Nullable;

/**
 * What a {@link Select} can wait for: a channel for its next item, a handle for its task's end, a semaphore for a permit, a
 * token for its cancellation. Where a thing can be waited for in more than one way, a method of it gives the others, as
 * {@code semaphore.acquiring(3)} does.
 *
 * <pre>{@code
 * String next = Select.<String>of()
 *         .on(orders, order -> "order " + order)
 *         .on(semaphore.acquiring(3), permit -> "three permits")
 *         .await();
 * }</pre>
 *
 * <p>A type that wraps one of the toolkit's becomes selectable by returning the clause of what it wraps.
 *
 * @param <T> what waiting for it gives
 * @since 0.1
 */
public interface Selectable<T extends @Nullable Object> {
    /** {@return how a select waits for this} Valid for as long as this object is; may be used by many selects. */
    Clause<T> clause();
}
