package dev.kumihimo.runtime;

import dev.kumihimo.internal.wait.Waiter;
import java.io.InterruptedIOException;

/**
 * Thrown by a wait of a cancelled task, again and again until the cancelled region is left; also by
 * {@link JoinHandle#join()} of a task that ended as cancelled, and by a {@code token.run} whose token has ended its body.
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
    /** Where it comes from. */
    private final Origin origin;

    enum Origin {
        OWN_WAIT,
        JOINED_TASK,
        ENDED_REGION
    }

    TaskCancelledException(CancelReason reason, Origin origin, String message) {
        super(message);
        this.reason = reason;
        this.origin = origin;
    }

    /** {@return why} */
    public CancelReason reason() {
        return reason;
    }

    /**
     * {@return whether the thread that got this is in the cancelled region, so that its next wait throws again} False if it
     * joined a task that was cancelled, or if the region is over, as after a {@code token.run} that the token has ended.
     */
    public boolean isOwn() {
        return origin == Origin.OWN_WAIT;
    }

    /**
     * Turns what a wait has thrown into what a method that must fit {@code java.io} throws, and sets the interrupt flag of the
     * calling thread again. A flag that stands for a cancelled region is cleared when that region is left.
     *
     * @param e what the wait has thrown, just now and in this thread
     * @return an exception with the same message, caused by {@code e}; its {@code bytesTransferred} is 0
     */
    public static InterruptedIOException forIo(InterruptedException e) {
        Waiter.current().interruptAgain(e instanceof TaskCancelledException);
        String message = e.getMessage();
        InterruptedIOException told = new InterruptedIOException(message == null ? "interrupted" : message);
        told.initCause(e);
        return told;
    }

    /** Whether a region has been ended that lies inside the thread which got this. */
    boolean isEndedRegion() {
        return origin == Origin.ENDED_REGION;
    }
}
