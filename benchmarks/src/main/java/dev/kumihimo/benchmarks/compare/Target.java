package dev.kumihimo.benchmarks.compare;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What Kumihimo's figure shall be.
 *
 * @param against the column its figure is divided by; null if the bound is for the figure itself
 * @param atLeast whether the bound is the least, not the most
 * @param bound the bound
 */
public record Target(@Nullable String against, boolean atLeast, double bound) {
    /** How far from its bound a figure may be and still be reported as at par. */
    private static final double PAR = 0.10;

    static Target atMost(double bound, String against) {
        return new Target(against, false, bound);
    }

    static Target atLeast(double bound, String against) {
        return new Target(against, true, bound);
    }

    static Target absolutelyAtMost(double bound) {
        return new Target(null, false, bound);
    }

    /** How a median compares with the bound. */
    public Verdict verdict(double median) {
        if (Double.isNaN(median)) {
            return Verdict.NO_DATA;
        }
        if (atLeast ? median >= bound : median <= bound) {
            return Verdict.MET;
        }
        boolean close = atLeast ? median >= bound * (1 - PAR) : median <= bound * (1 + PAR);
        return close ? Verdict.AT_PAR : Verdict.MISSED;
    }

    @Override
    public String toString() {
        var format = against == null ? "%s %,.0f" : "%s %.2f";
        return String.format(Locale.ROOT, format, atLeast ? ">=" : "<=", bound);
    }
}
