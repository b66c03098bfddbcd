package dev.kumihimo.benchmarks.compare;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** The figures of all rounds: one per measure, column and round, NaN where there is none. */
final class Results {
    private record Key(String measure, String column) {}

    private final int rounds;
    private final Map<Key, double[]> figures = new HashMap<>();

    Results(int rounds) {
        this.rounds = rounds;
    }

    int rounds() {
        return rounds;
    }

    void put(Measure measure, String column, int round, double figure) {
        figures.computeIfAbsent(new Key(measure.name(), column), key -> missing())[round] = figure;
    }

    /** The figures of all rounds, NaN where there is none. */
    double[] of(Measure measure, String column) {
        var found = figures.get(new Key(measure.name(), column));
        return found == null ? missing() : found.clone();
    }

    Spread spread(Measure measure, String column) {
        return Spread.of(of(measure, column));
    }

    /** What a target is about: Kumihimo's figures, divided by those of the same round in the column it names. */
    Spread spread(Measure measure, Target target) {
        var ours = of(measure, "kumihimo");
        var against = target.against();
        if (against != null) {
            var theirs = of(measure, against);
            for (int round = 0; round < rounds; round++) {
                ours[round] /= theirs[round];
            }
        }
        return Spread.of(ours);
    }

    private double[] missing() {
        var missing = new double[rounds];
        Arrays.fill(missing, Double.NaN);
        return missing;
    }
}
