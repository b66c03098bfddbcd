package dev.kumihimo.codec;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Whose turn it is with one direction of a framed stream: first come, first served. */
final class Turn {
    /** Waits for as long as it takes. */
    static final long NEVER = Long.MAX_VALUE;

    private final Semaphore turn = Semaphore.of(1);

    /** {@return the turn, to be closed, after a wait for it} */
    Permit enter() throws IOException {
        try {
            return turn.acquire();
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        }
    }

    Permit enter(long deadline) throws IOException {
        if (deadline == NEVER) {
            return enter();
        }
        try {
            return turn.acquire(remaining(deadline));
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        } catch (TimeoutException e) {
            SocketTimeoutException told =
                    new SocketTimeoutException("the turn of those who receive before was not over in time");
            told.initCause(e);
            throw told;
        }
    }

    /** {@return the turn if nobody has it or waits for it, or null} */
    @Nullable
    Permit tryEnter() {
        return turn.tryAcquire();
    }

    /** {@return the turn, which nobody may have now} */
    Permit enterAlone(String what) {
        Permit permit = tryEnter();
        if (permit == null) {
            throw new IllegalStateException(what + " is in use by another thread");
        }
        return permit;
    }

    static long deadline(Duration timeout) {
        return TimerService.deadline(Waiter.current().nanoTime(), timeout);
    }

    /** {@return what is left until a deadline} Zero or negative if it has passed. */
    static Duration remaining(long deadline) {
        return Duration.ofNanos(deadline - Waiter.current().nanoTime());
    }
}
