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

    /** {@return the number by which the task is known} */
    public abstract long id();

    /** {@return its name: the one it was given, else one made of its number} */
    public abstract String name();

    /** {@return whether it is a blocking job, on a platform thread} */
    public abstract boolean isBlocking();

    /** {@return a number that no other live task has, save after 2^31 tasks, and that is never 0} */
    public abstract int key();

    /** {@return the {@link #key} of the task that spawned it, which may have ended; 0 if none did} */
    public abstract int spawner();

    /** {@return the set that it belongs to, see {@link TaskKeeper#group}; null if none} */
    public abstract @Nullable Object group();

    /** {@return how the task is called in reports: its name and id} */
    @Override
    public abstract String toString();
}
