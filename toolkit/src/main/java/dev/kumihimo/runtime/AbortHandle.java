package dev.kumihimo.runtime;

/**
 * The right to end a task, without the right to its result. Losing it does not end the task.
 *
 * <pre>{@code
 * AbortHandle refresher = Task.spawn(this::refreshForEver);
 * ...
 * refresher.abort();
 * }</pre>
 *
 * @since 0.1
 */
public interface AbortHandle {
    /** {@return the task's id, unique in this JVM} */
    long id();

    /** {@return the task's name, {@code task-<id>} if it was given none} */
    String name();

    /**
     * Asks the task to end and returns at once. Its open wait ends with {@link TaskCancelledException}, later waits throw at
     * once, a thread in a foreign wait is interrupted; a task that has not begun will not. Idempotent; without effect on a
     * task that has ended. Join the task to know that it has ended, its cleanup included.
     */
    void abort();

    /** {@return whether the task has ended, its cleanup included} */
    boolean isFinished();
}
