package dev.kumihimo.time;

import dev.kumihimo.internal.driver.Driver;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Waiter;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A point in time by which something has to be done, or at which something is to happen: that of the innermost
 * {@link Timeout#call} around the caller, one that is chosen, or the time of a tick of an {@link Interval}.
 *
 * <pre>{@code
 * request.setTimeout(Deadline.current().remaining());   // what is left of the caller's time, to be sent on
 *
 * Deadline deadline = Deadline.in(Duration.ofSeconds(2));
 * Header header = Timeout.at(deadline, () -> readHeader());
 * Body body = Timeout.at(deadline, () -> readBody());   // both within the two seconds
 * }</pre>
 *
 * <p>The current one is no later than any around it. The tasks of a {@code JoinSet} or {@code JoinMap} inherit the deadline that their owner
 * has when it spawns them; tasks spawned otherwise inherit none, and inside a {@code Task.shield} there is none, until a
 * {@code Timeout.call} sets one. A deadline inherited cuts each {@code Timeout.call} of the task short; that the task itself
 * ends is its owner's doing, who is cancelled at the deadline, and closes the set.
 *
 * <p>Times are kept in nanoseconds, of the monotonic clock that all runtimes share; only that of a runtime under test is its
 * own. Immutable, and the same for every thread that is given it.
 *
 * @since 0.1
 */
public final class Deadline {
    private static final Deadline NONE = new Deadline(null, Long.MAX_VALUE);

    private final @Nullable TimerService clock; // null if there is no deadline
    private final long time;

    private Deadline(@Nullable TimerService clock, long time) {
        this.clock = clock;
        this.time = time;
    }

    /** {@return the deadline for what the calling thread does now; {@link #isNone() none} if there is none} Never waits. */
    public static Deadline current() {
        Waiter waiter = Waiter.current();
        long time = waiter.currentDeadline();
        return time == Long.MAX_VALUE ? NONE : new Deadline(waiter.timers(), time);
    }

    /**
     * {@return the point in time that lies a duration ahead, on the clock of the caller's runtime} Never waits.
     *
     * @param duration from now; zero or negative is now, one too long for the clock (over 292 years) gives
     *     {@link #isNone() none}
     */
    public static Deadline in(Duration duration) {
        Objects.requireNonNull(duration, "duration");
        TimerService clock = Waiter.current().timers();
        return at(clock, TimerService.deadline(clock.nanoTime(), duration));
    }

    /** {@return the deadline at a time of a clock; none at the end of time} */
    static Deadline at(TimerService clock, long time) {
        return time == Long.MAX_VALUE ? NONE : new Deadline(clock, time);
    }

    /** {@return this point in time on a clock; {@link Long#MAX_VALUE} if there is none} */
    long on(TimerService other) {
        if (clock == null || clock == other || clock instanceof Driver && other instanceof Driver) {
            return time; // the drivers of all runtimes have one clock
        }
        return TimerService.deadline(other.nanoTime(), remaining());
    }

    /**
     * {@return the point in time that lies a duration after this one} None stays {@link #isNone() none}.
     *
     * @param duration zero or more; if the sum is too late for the clock, there is none
     * @throws IllegalArgumentException if the duration is negative
     */
    public Deadline plus(Duration duration) {
        if (duration.isNegative()) {
            throw new IllegalArgumentException("duration=" + duration + " must not be negative");
        }
        return clock == null ? this : at(clock, TimerService.deadline(time, duration));
    }

    /**
     * {@return how much time is left: zero once the deadline has passed, and {@link ChronoUnit#FOREVER} if there is none} Each
     * wait of the toolkit takes it as its longest time, whatever it is.
     */
    public Duration remaining() {
        return clock == null
                ? ChronoUnit.FOREVER.getDuration()
                : Duration.ofNanos(Math.max(0, time - clock.nanoTime()));
    }

    /** {@return how much time has passed since: zero until it has passed, or if there is none} Of a tick: how late it is. */
    public Duration elapsed() {
        return clock == null ? Duration.ZERO : Duration.ofNanos(Math.max(0, clock.nanoTime() - time));
    }

    /** {@return whether it has passed; false if there is none} */
    public boolean isExpired() {
        return clock != null && time <= clock.nanoTime();
    }

    /** {@return whether there is none} */
    public boolean isNone() {
        return clock == null;
    }

    @Override
    public String toString() {
        return clock == null ? "no deadline" : isExpired() ? "deadline passed" : "deadline in " + remaining();
    }
}
