package dev.kumihimo.runtime;

/**
 * Thrown by a wait of a cancelled task, again and again until the cancelled region is left; also by
 * {@link JoinHandle#join()} of a task that ended as cancelled.
 *
 * <pre>{@code
 * try {
 *     channel.receive();
 * } catch (TaskCancelledException e) {
 *     log.info("stopping: {}", e.reason());
 *     throw e; // a cancelled task ends as Cancelled if it lets the exception pass
 * }
 * }</pre>
 *
 * <p>It is an {@link InterruptedException}, since code that handles the one should handle the other alike; a plain
 * {@link Thread#interrupt()} arrives as a plain {@code InterruptedException}.
 *
 * @since 0.1
 */
public final class TaskCancelledException extends InterruptedException {
    private static final long serialVersionUID = 1;

    private final transient CancelReason reason;
    private final boolean own;

    TaskCancelledException(CancelReason reason, boolean own, String message) {
        super(message);
        this.reason = reason;
        this.own = own;
    }

    /** {@return why} */
    public CancelReason reason() {
        return reason;
    }

    /** {@return whether the thread that got this is the cancelled one; false if it joined a task that was} */
    public boolean isOwn() {
        return own;
    }
}
