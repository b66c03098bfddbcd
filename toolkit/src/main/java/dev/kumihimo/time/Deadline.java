package dev.kumihimo.time;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Waiter;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/**
 * A point in time by which something has to be done: that of the innermost {@link Timeout#call} around the caller.
 *
 * <pre>{@code
 * request.setTimeout(Deadline.current().remaining());   // what is left of the caller's time, to be sent on
 * }</pre>
 *
 * <p>It is no later than any around it. The tasks of a {@code JoinSet} or {@code JoinMap} inherit the deadline that their owner
 * has when it spawns them; tasks spawned otherwise inherit none, and inside a {@code Task.shield} there is none, until a
 * {@code Timeout.call} sets one. A deadline inherited cuts each {@code Timeout.call} of the task short; that the task itself
 * ends is its owner's doing, who is cancelled at the deadline, and closes the set.
 *
 * <p>Immutable, and the same for every thread that is given it.
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
     * {@return how much time is left: zero once the deadline has passed, and {@link ChronoUnit#FOREVER} if there is none} Each
     * wait of the toolkit takes it as its longest time, whatever it is.
     */
    public Duration remaining() {
        return clock == null
                ? ChronoUnit.FOREVER.getDuration()
                : Duration.ofNanos(Math.max(0, time - clock.nanoTime()));
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
