package dev.kumihimo.net;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Waiter;
import java.net.SocketTimeoutException;
import java.time.Duration;

/** Deadlines on the clock of the calling thread's waits. */
final class Deadlines {
    /** Waits for as long as it takes. */
    static final long NEVER = Long.MAX_VALUE;

    /** Does not wait at all. The clock has passed it before it started. */
    static final long NOW = -1;

    private Deadlines() {}

    /** {@return the deadline that a timeout means now} */
    static long of(Duration timeout) {
        return timeout.isNegative() || timeout.isZero()
                ? NOW
                : TimerService.deadline(Waiter.current().nanoTime(), timeout);
    }

    /** {@return what is left until a deadline that is not {@link #NEVER}} Zero or negative if it has passed. */
    static Duration remaining(long deadline) {
        return deadline == NOW
                ? Duration.ZERO
                : Duration.ofNanos(deadline - Waiter.current().nanoTime());
    }

    static SocketTimeoutException passed(String what) {
        return new SocketTimeoutException(what + " was not done in time");
    }
}
