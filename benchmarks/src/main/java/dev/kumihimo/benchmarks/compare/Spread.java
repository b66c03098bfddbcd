package dev.kumihimo.benchmarks.compare;

import java.util.Arrays;

/**
 * Median, minimum and maximum of some figures; all of them NaN if there are no figures.
 *
 * @param median the middle one, or the mean of the two in the middle
 * @param min the smallest
 * @param max the greatest
 */
public record Spread(double median, double min, double max) {
    /** The spread of the figures that are not NaN. */
    public static Spread of(double... figures) {
        var sorted = Arrays.stream(figures)
                .filter(figure -> !Double.isNaN(figure))
                .sorted()
                .toArray();
        if (sorted.length == 0) {
            return new Spread(Double.NaN, Double.NaN, Double.NaN);
        }
        double median = (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
        return new Spread(median, sorted[0], sorted[sorted.length - 1]);
    }

    public boolean isEmpty() {
        return Double.isNaN(median);
    }
}
