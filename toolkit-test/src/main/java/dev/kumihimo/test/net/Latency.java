package dev.kumihimo.test.net;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.test.Rng;
import java.time.Duration;

/**
 * How long a segment is under way.
 *
 * @param least the part that is the same for all, in nanoseconds
 * @param spread how much more there may be
 * @param exponential whether {@code spread} is the mean of what comes on top, and not the most
 */
record Latency(long least, long spread, boolean exponential) {
    static final Latency NONE = new Latency(0, 0, false);

    static Latency fixed(Duration latency) {
        return new Latency(nanos("latency", latency), 0, false);
    }

    static Latency uniform(Duration least, Duration most) {
        long from = nanos("least", least);
        long to = nanos("most", most);
        if (to < from) {
            throw new IllegalArgumentException("most=" + most + " must be at least least=" + least);
        }
        return new Latency(from, to - from, false);
    }

    static Latency exponential(Duration mean) {
        return new Latency(0, nanos("mean", mean), true);
    }

    private static long nanos(String name, Duration value) {
        if (value.isNegative() || value.compareTo(SimNet.LONGEST) > 0) {
            throw new IllegalArgumentException(name + "=" + value + " must be from 0 to " + SimNet.LONGEST);
        }
        return TimerService.toNanos(value);
    }

    /** {@return the latency of one segment} Draws nothing if there is nothing to draw. */
    long draw(Rng rng) {
        if (spread == 0) {
            return least;
        }
        double part = fraction(rng);
        // StrictMath: the same on every machine
        return least + (long) (spread * (exponential ? -StrictMath.log(1 - part) : part));
    }

    /** {@return a number from 0 to 1, which it never is} */
    static double fraction(Rng rng) {
        return (rng.nextLong() >>> 11) * 0x1p-53;
    }
}
