package dev.kumihimo.benchmarks.compare;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What Kumihimo's figure shall be.
 *
 * @param against the column its figure is divided by; null if the bound is for the figure itself
 * @param atLeast whether the bound is the least, not the most
 * @param bound the bound
 * @param always whether every round has to keep the bound, not the median of the rounds
 */
public record Target(@Nullable String against, boolean atLeast, double bound, boolean always) {
    /** How far from its bound a figure may be and still be reported as at par. */
    private static final double PAR = 0.10;

    static Target atMost(double bound, String against) {
        return new Target(against, false, bound, false);
    }

    static Target atLeast(double bound, String against) {
        return new Target(against, true, bound, false);
    }

    static Target absolutelyAtMost(double bound) {
        return new Target(null, false, bound, false);
    }

    static Target alwaysAtMost(double bound) {
        return new Target(null, false, bound, true);
    }

    /** The figure that decides: the median of the rounds, or the worst of them. */
    double decisive(Spread spread) {
        if (!always) {
            return spread.median();
        }
        return atLeast ? spread.min() : spread.max();
    }

    /** How the rounds compare with the bound. */
    public Verdict verdict(Spread spread) {
        return verdict(decisive(spread));
    }

    Verdict verdict(double figure) {
        if (Double.isNaN(figure)) {
            return Verdict.NO_DATA;
        }
        if (atLeast ? figure >= bound : figure <= bound) {
            return Verdict.MET;
        }
        boolean close = atLeast ? figure >= bound * (1 - PAR) : figure <= bound * (1 + PAR);
        return close ? Verdict.AT_PAR : Verdict.MISSED;
    }

    @Override
    public String toString() {
        var format = (against == null ? "%s %,.0f" : "%s %.2f") + (always ? " always" : "");
        return String.format(Locale.ROOT, format, atLeast ? ">=" : "<=", bound);
    }
}
