package dev.kumihimo.select;

import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WakeList;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link Select} waits for one thing. The toolkit's own types make them; others pass them on. A clause is its own clause.
 *
 * <pre>{@code
 * record Inbox(Channel<Letter> letters) implements Selectable<Letter> {
 *     public Clause<Letter> clause() {
 *         return letters.clause();
 *     }
 * }
 * }</pre>
 *
 * @param <T> what waiting for it gives
 * @since 0.1
 */
public abstract class Clause<T extends @Nullable Object> implements Selectable<T> {
    /* For implementers. A clause is tried, or enqueued, under the lock of its point. It is completed by tryNow(), or by a
     * granter that sets node.item and grants the node; either way the outcome, whatever it is, goes through result() in the
     * thread that selects, with no lock held. A clause without a point is tried without a lock and never enqueued: it is
     * ready for good, or becomes so at its deadline. A granter that takes no lock (a socket's driver) may grant a node while
     * others are still being enqueued, or after it was withdrawn: what it tells must be there to be seen by tryNow() too, and
     * must not be lost with the node. */

    /** What {@link #tryNow} returns if it would have to wait. */
    protected static final Object NOT_READY = new Object();

    private final @Nullable WaitPoint point;

    /**
     * Creates a clause.
     *
     * @param point where it waits, or null if its deadline is all it waits for
     */
    protected Clause(@Nullable WaitPoint point) {
        this.point = point;
    }

    @Override
    public final Clause<T> clause() {
        return this;
    }

    final @Nullable WaitPoint point() {
        return point;
    }

    /**
     * Completes what the clause stands for, if that needs no waiting.
     *
     * @param woken where to add whom it serves
     * @return what {@link #result} makes a result of, or {@link #NOT_READY}
     */
    protected abstract @Nullable Object tryNow(WakeList woken);

    /**
     * Enqueues a node after {@link #tryNow} was not ready, under the same holding of the lock.
     *
     * @param node whose grant completes the clause
     * @return false if it has become ready since, by what takes no lock, and is not enqueued
     */
    protected boolean enqueue(WaitNode node) {
        throw new IllegalStateException("a clause without a point is never enqueued");
    }

    /**
     * As {@link #enqueue(WaitNode)}, for a clause that then has something to do when the lock is released.
     *
     * @param node whose grant completes the clause; not before the lock is released
     * @param woken where to add what is to be done
     * @return false if it has become ready since, and is not enqueued
     */
    protected boolean enqueue(WaitNode node, WakeList woken) {
        return enqueue(node);
    }

    /**
     * Makes the result of an outcome, in the selecting thread.
     *
     * @param outcome what {@link #tryNow} returned, or the item of the granted node
     * @return the result
     */
    protected abstract T result(@Nullable Object outcome);

    /** {@return when it becomes ready by itself, on the clock of the caller's waits; {@link Long#MAX_VALUE} if never} */
    protected long deadline() {
        return Long.MAX_VALUE;
    }
}
