package dev.kumihimo.time;

/**
 * What an {@link Interval} does after a tick that was taken more than 5 ms late.
 *
 * <pre>{@code
 * Interval everySecond = Interval.of(Duration.ofSeconds(1)).missedTicks(MissedTickBehavior.SKIP);
 * }</pre>
 *
 * <p>With a period of 100 ms, and the tick of 100 taken at 330, ticks are scheduled for:
 *
 * <pre>
 * BURST   0   100   200   300   400   500     those of 200 and 300 are due at once
 * DELAY   0   100   430   530   630   730
 * SKIP    0   100   400   500   600   700
 * </pre>
 *
 * @since 0.1
 */
public enum MissedTickBehavior {
    /** Each missed tick is given, without waiting, until the interval has caught up: their number is right. */
    BURST,

    /** The next tick comes one period after the late one was taken: there is never less than a period between two. */
    DELAY,

    /** Missed ticks are left out: the next one is the first of the original schedule that is still to come. */
    SKIP;

    /**
     * {@return when the tick after a late one is scheduled}
     *
     * @param scheduled when the late one was
     * @param now when it was taken, later than that
     * @param period more than 0
     */
    long next(long scheduled, long now, long period) {
        return switch (this) {
            case BURST -> later(scheduled, period);
            case DELAY -> later(now, period);
            case SKIP -> later(now, period - (now - scheduled) % period);
        };
    }

    /** {@return a later time; one that does not fit is the end of time} */
    static long later(long time, long nanos) {
        long sum = time + nanos;
        return sum < 0 ? Long.MAX_VALUE : sum;
    }
}
