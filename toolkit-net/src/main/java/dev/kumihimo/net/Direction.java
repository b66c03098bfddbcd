package dev.kumihimo.net;

import dev.kumihimo.internal.driver.Readiness;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectableChannel;
import java.util.concurrent.TimeoutException;

/**
 * The input or the output of a non-blocking channel: whose turn it is, and how to wait until the system has more.
 *
 * <p>Use: {@link #enter}; then try the system call unless {@link #exhausted}, and {@link #await} in between; then close the
 * permit.
 */
final class Direction {
    private final SelectableChannel channel;
    private final Readiness readiness;
    private final int operation;
    private final Semaphore turn = Semaphore.of(1);

    /**
     * Whether the last system call has shown that the next one would find nothing: then only an event can change that, and
     * one comes, since an armed key reports a state and not its change. Guarded by the turn.
     */
    boolean exhausted;

    Direction(SelectableChannel channel, Readiness readiness, int operation) {
        this.channel = channel;
        this.readiness = readiness;
        this.operation = operation;
    }

    /**
     * Waits for the caller's turn.
     *
     * @return the turn, to be closed
     * @throws IOException if closed or interrupted, or if the deadline has passed
     */
    Permit enter(long deadline) throws IOException {
        ensureOpen();
        Permit permit;
        try {
            permit = deadline == Deadlines.NEVER ? turn.acquire() : turn.acquire(Deadlines.remaining(deadline));
        } catch (InterruptedException e) {
            throw interrupted(e);
        } catch (TimeoutException e) {
            throw Deadlines.passed("the turn of those who wait before");
        }
        if (!channel.isOpen()) { // while we waited
            permit.close();
            throw new AsynchronousCloseException();
        }
        return permit;
    }

    /** Waits until the system may have more. Only in one's turn. Returns false if the deadline has passed. */
    boolean await(long deadline) throws IOException {
        try {
            if (deadline == Deadlines.NEVER) {
                readiness.await(operation);
            } else if (deadline == Deadlines.NOW || !readiness.await(operation, deadline)) {
                return false;
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        exhausted = false;
        return true;
    }

    void ensureOpen() throws IOException {
        if (!channel.isOpen()) {
            throw new ClosedChannelException();
        }
        if (readiness.isShutDown()) {
            throw Readiness.shutDownException();
        }
    }

    /** {@return the exception by which an operation that must fit {@code java.io} tells of an interrupt} Sets the flag again. */
    static InterruptedIOException interrupted(InterruptedException e) {
        Waiter.current().interruptAgain(e instanceof TaskCancelledException);
        String message = e.getMessage();
        InterruptedIOException told = new InterruptedIOException(message == null ? "interrupted" : message);
        told.initCause(e);
        return told;
    }
}
