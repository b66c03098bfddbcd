package dev.kumihimo.benchmarks;

import dev.kumihimo.benchmarks.compare.Comparison;
import dev.kumihimo.benchmarks.compare.Experiment;
import dev.kumihimo.benchmarks.compare.Options;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

/** Compares Kumihimo with other runtimes; {@code benchmarks/compare} starts it. */
public final class Compare {
    private static final int WRONG_USE = 64;

    private Compare() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        if (Arrays.asList(arguments).contains("--help")) {
            System.out.print(Options.HELP);
            return;
        }
        if (Arrays.asList(arguments).contains("--list")) {
            list();
            return;
        }
        var home = Path.of(System.getProperty("kumihimo.benchmarks", "benchmarks"));
        Options options;
        try {
            options = Options.parse(home, arguments);
        } catch (IllegalArgumentException e) {
            System.err.println("compare: " + e.getMessage());
            System.exit(WRONG_USE);
            return;
        }
        boolean succeeded = new Comparison(home, options, System.err).run(System.out);
        System.exit(succeeded ? 0 : 1);
    }

    private static void list() {
        for (var experiment : Experiment.ALL) {
            for (var measure : experiment.measures()) {
                System.out.printf("%-22s %s%n", measure.name(), measure.unit());
                for (var target : measure.targets()) {
                    System.out.printf(
                            "%-22s   %s%s%n", "", target, target.against() == null ? "" : " of " + target.against());
                }
            }
        }
    }
}
