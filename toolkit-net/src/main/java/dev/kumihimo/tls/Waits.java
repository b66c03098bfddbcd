package dev.kumihimo.tls;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.select.Select;
import dev.kumihimo.select.Selectable;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** The waits of a stream, for as long as it takes or until a time on the clock of the caller's waits. */
final class Waits {
    /** Waits for as long as it takes. */
    static final long NEVER = Long.MAX_VALUE;

    /** Does not wait at all. */
    static final long NOW = -1;

    /* What a wait for one of two has ended with. */
    static final int PASSED = 0;
    static final int FIRST = 1;
    static final int SECOND = 2;

    private Waits() {}

    static long deadline(Duration timeout) {
        return timeout.isNegative() || timeout.isZero()
                ? NOW
                : TimerService.deadline(Waiter.current().nanoTime(), timeout);
    }

    /** {@return what is left until a deadline that is not {@link #NEVER}; zero or negative if it has passed} */
    static Duration remaining(long deadline) {
        return deadline == NOW
                ? Duration.ZERO
                : Duration.ofNanos(deadline - Waiter.current().nanoTime());
    }

    static SocketTimeoutException passed(String what) {
        return new SocketTimeoutException(what + " was not done in time");
    }

    /** Waits for a turn. Throws what {@code java.io} expects if interrupted, or {@link SocketTimeoutException}. */
    static Permit turn(Semaphore turn, long deadline) throws IOException {
        try {
            return deadline == NEVER ? turn.acquire() : turn.acquire(remaining(deadline));
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        } catch (TimeoutException e) {
            throw passed("the turn of those who wait before");
        }
    }

    /** Waits until one of them is ready, and returns which, or {@link #PASSED} if the deadline has. */
    static int forAny(Selectable<@Nullable Void> first, @Nullable Selectable<@Nullable Void> second, long deadline)
            throws IOException {
        if (deadline == NOW) {
            return PASSED;
        }
        Select<Integer> select = Select.<Integer>of().onReadable(first, () -> FIRST);
        if (second != null) {
            select.onReadable(second, () -> SECOND);
        }
        if (deadline != NEVER) {
            select.after(remaining(deadline), () -> PASSED);
        }
        try {
            return select.await();
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        }
    }
}
