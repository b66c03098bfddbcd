package dev.kumihimo.internal.stream;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.select.Select;
import dev.kumihimo.select.Selectable;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.TimeoutException;

/** Deadlines on the clock of the calling thread's waits, which is one for all runtimes but those under test; and waits until them. */
public final class Deadlines {
    /** Waits for as long as it takes. */
    public static final long NEVER = Long.MAX_VALUE;

    /** Does not wait at all, and throws if it would have to. The clock has passed it before it started. */
    public static final long NOW = -1;

    /** Does not wait at all, and returns with nothing done if it would have to. */
    public static final long TRY = -2;

    private Deadlines() {}

    /** {@return the deadline that a timeout means now} */
    public static long of(Duration timeout) {
        return timeout.isNegative() || timeout.isZero()
                ? NOW
                : TimerService.deadline(Waiter.current().nanoTime(), timeout);
    }

    /** {@return what is left until a deadline that is not {@link #NEVER}} Zero or negative if it has passed. */
    public static Duration remaining(long deadline) {
        return deadline < 0
                ? Duration.ZERO
                : Duration.ofNanos(deadline - Waiter.current().nanoTime());
    }

    /** {@return the exception of a wait that has ended for nothing} */
    public static SocketTimeoutException passed(String what) {
        return new SocketTimeoutException(what + " was not done in time");
    }

    /** Waits for a turn, {@link #TRY} excepted. Throws if interrupted, or if the deadline has passed. */
    public static Permit turn(Semaphore turn, long deadline) throws IOException {
        try {
            return deadline == NEVER ? turn.acquire() : turn.acquire(remaining(deadline));
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        } catch (TimeoutException e) {
            throw passed("the turn of those who wait before");
        }
    }

    /** Waits until granted. Returns false if the deadline, which may be {@link #NEVER}, has passed first. */
    public static boolean await(Wait wait, long deadline) throws InterruptedIOException {
        try {
            if (deadline == NEVER) {
                wait.await();
                return true;
            }
            return wait.await(deadline);
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        }
    }

    /** Waits for something else. Returns false if the deadline, which has to be a time, has passed first. */
    public static boolean awaitReady(Selectable<?> what, long deadline) throws InterruptedIOException {
        try {
            return Select.<Boolean>of()
                    .on(what, () -> true)
                    .after(remaining(deadline), () -> false)
                    .await();
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        }
    }

    /** Spends a unit of the calling task's budget, for an operation that never waits. */
    public static void spend() throws InterruptedIOException {
        try {
            Waiter.spend();
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        }
    }
}
