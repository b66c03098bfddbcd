package dev.kumihimo.internal.carrier;

import dev.kumihimo.internal.wait.Waiter;
import org.jspecify.annotations.Nullable;

/** A task or blocking job that has not ended, as the {@link TaskRegistry} keeps it: an element of a list. */
public abstract class LiveTask extends Waiter {
    @Nullable
    LiveTask registryPrev; // guarded by its shard

    @Nullable
    LiveTask registryNext;

    byte registryShard = -1;

    /** Creates a task that is not registered. */
    protected LiveTask() {}

    /**
     * Asks the task to end.
     *
     * @param reason what it is told
     */
    public abstract void abort(Object reason);

    /**
     * Waits uninterruptibly until the task has ended, or up to a deadline.
     *
     * @param deadline on the caller's clock
     * @return whether it has ended
     */
    public abstract boolean awaitEnd(long deadline);

    /** {@return its thread, or null if it is a blocking job that has not begun} */
    public abstract @Nullable Thread threadOrNull();

    /** {@return what its body threw if nobody has joined it since, for tests; null also while it runs} */
    public abstract @Nullable Throwable unjoinedFailure();

    /** {@return how the task is called in reports: its name and id} */
    @Override
    public abstract String toString();
}
