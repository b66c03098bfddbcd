package dev.kumihimo.internal.carrier;

import org.jspecify.annotations.Nullable;

/** Who keeps account of a task: the set or tracker that it belongs to. A plain task has none, and pays for none. */
@FunctionalInterface
public interface TaskKeeper {
    /**
     * Told of the task's end, on the ending thread, after the result is there. Must not throw or wait.
     *
     * @param task which has ended
     */
    void ended(LiveTask task);

    /** {@return the set that the task belongs to, for reports, which print it; null if none} */
    default @Nullable Object group() {
        return null;
    }

    /** {@return the deadline that the task inherits, on the clock of its timers; {@link Long#MAX_VALUE} if none} */
    default long deadline() {
        return Long.MAX_VALUE;
    }
}
