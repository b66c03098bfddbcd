package dev.kumihimo.internal.wait;

import java.time.Duration;

/** The monotonic clock and the timers of a runtime, as the wait room uses them. */
public interface TimerService {
    /** {@return the current time in nanoseconds since this JVM's toolkit started (or a virtual clock did); never negative} */
    long nanoTime();

    /**
     * Arranges for {@code target.expire()} to be called at or soon after the deadline, never before.
     *
     * @param deadline on the clock of {@link #nanoTime()}; one in the past expires at once, though on the driver
     * @param target what to expire
     * @return the armed timer; whoever armed it cancels it when it is no longer needed
     */
    Timer arm(long deadline, Expirable target);

    /** An armed timer. */
    interface Timer {
        /** Ends the timer. An expiry under way may still arrive; one that has not begun does not happen. Idempotent. */
        void cancel();
    }

    /** {@return the real monotonic clock that all runtimes share} */
    static long realNanoTime() {
        // Before the time is read: the first call sets the origin, and a time must not be earlier than that.
        long origin = Origin.NANOS;
        return System.nanoTime() - origin;
    }

    /**
     * {@return the point in time that is {@code duration} after {@code now}} A sum that does not fit is the end of time, which
     * is never reached; a negative duration counts as zero.
     *
     * @param now on the clock of {@link #nanoTime()}
     * @param duration from then on
     */
    static long deadline(long now, Duration duration) {
        long nanos = toNanos(duration);
        long sum = now + nanos;
        return sum < 0 ? Long.MAX_VALUE : sum;
    }

    /** {@return the nanoseconds of a duration, saturated to what a long holds; 0 if it is negative} */
    static long toNanos(Duration duration) {
        if (duration.isNegative()) {
            return 0;
        }
        return duration.getSeconds() >= Long.MAX_VALUE / 1_000_000_000L ? Long.MAX_VALUE : duration.toNanos();
    }

    /** Holds the origin of the clock, so that times are small and never wrap. */
    final class Origin {
        private static final long NANOS = System.nanoTime();

        private Origin() {}
    }
}
