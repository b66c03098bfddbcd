package dev.kumihimo.process;

import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.sync.SetOnce;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Interrupts: waits that they do not end, and how a stream tells of one. */
final class Quiet {
    private Quiet() {}

    /** {@return the value, once it is there; or null if it was not within a time} Interrupts and cancellations are kept for later. */
    static <T> @Nullable T await(SetOnce<T> once, Duration bound) {
        return Task.<@Nullable T, RuntimeException>shield(() -> {
            boolean interrupted = false;
            try {
                while (true) {
                    try {
                        return once.await(bound);
                    } catch (InterruptedException e) {
                        interrupted = true;
                    } catch (TimeoutException e) {
                        return null;
                    }
                }
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        });
    }

    /** {@return the exception by which what must fit {@code java.io} tells of an interrupt} Sets the flag again. */
    static InterruptedIOException interrupted(InterruptedException e) {
        Waiter.current().interruptAgain(e instanceof TaskCancelledException);
        String message = e.getMessage();
        InterruptedIOException told = new InterruptedIOException(message == null ? "interrupted" : message);
        told.initCause(e);
        return told;
    }
}
