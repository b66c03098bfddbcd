package dev.kumihimo.benchmarks.compare;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * What to run.
 *
 * @param rounds how often every column is measured
 * @param workloads regular expression that a selected experiment's name contains
 * @param columns names of the columns to run, in order
 * @param targetsOnly whether only what a target is about is run
 * @param shared whether a column's process lives for a round and runs all its workloads
 * @param quick whether one short iteration is all that is wanted
 * @param warmUpMillis how long a program warms up
 * @param measureMillis how long a program measures
 * @param iterations how many iterations a program measures at least
 * @param workers threads each runtime may use for its tasks
 * @param output the folder for the results
 */
public record Options(
        int rounds,
        Pattern workloads,
        List<String> columns,
        boolean targetsOnly,
        boolean shared,
        boolean quick,
        int warmUpMillis,
        int measureMillis,
        int iterations,
        int workers,
        Path output) {

    public static final String HELP = """
            Usage: benchmarks/compare [OPTION ...]
            Runs the same workloads on Kumihimo and on other runtimes in turn, and prints medians and ratios.

              --rounds N          rounds, in each of which every column runs once (default 9)
              --workloads REGEX   only workloads whose name contains a match
              --columns A,B,...   only these columns: kumihimo, jdk, jox, tokio, go, abq_kumihimo, ltq_jdk,
                                  ltq_kumihimo, stpe, netty_wheel, netty_epoll, netty_nio, socat, floor
              --targets-only      for each workload only the columns that a target names, and none without a target
              --shared            one JVM per Java column and round, which runs the column's workloads one by one
              --quick             one round of one short iteration: shows that everything works, measures nothing
              --warm-up MILLIS    warm-up before each workload (default 2000, shared 1000; Rust and Go: a quarter;
                                  servers: 6000, TLS: 40000)
              --time MILLIS       measured time of each workload (default 1000, shared 700)
              --workers N         threads each runtime may use (default: the processors)
              --output FOLDER     where rounds.csv, targets.csv and chart.svg go (default benchmarks/target/compare)
              --list              print the workloads and their targets
              --help              print this

            Each column's median in a round is one figure; a ratio is the median over the rounds of the ratio within a
            round, so that what disturbs a whole round disturbs no ratio. Columns whose toolchain is absent say so.

            Environment: commands, as a shell takes them.
              KUMIHIMO_BENCH_CARGO         cargo, with its options (default: cargo)
              KUMIHIMO_BENCH_GO            go (default: go)
              KUMIHIMO_BENCH_PEER          what to put before the Rust and Go programs to run them (default: nothing)
              KUMIHIMO_BENCH_WRK           wrk, the HTTP load generator (default: wrk)
              KUMIHIMO_BENCH_IPERF         iperf3, the load generator for proxies (default: iperf3)
              KUMIHIMO_BENCH_JAVA_OPTIONS  further options for the JVM of all Java columns
            """;

    private static final int DEFAULT_ROUNDS = 9;

    /** Reads the command line; an {@link IllegalArgumentException} says what is wrong with it. */
    public static Options parse(Path home, String... arguments) {
        var given = new HashMap<String, String>();
        var flags = new HashSet<String>();
        for (int i = 0; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "--quick", "--shared", "--targets-only" -> flags.add(arguments[i]);
                case "--rounds", "--workloads", "--columns", "--warm-up", "--time", "--workers", "--output" -> {
                    if (i + 1 == arguments.length) {
                        throw new IllegalArgumentException(arguments[i] + " needs a value");
                    }
                    given.put(arguments[i], arguments[++i]);
                }
                default -> throw new IllegalArgumentException("unknown option " + arguments[i] + "; see --help");
            }
        }
        boolean quick = flags.contains("--quick");
        boolean shared = quick || flags.contains("--shared");
        var columns = List.of(
                given.getOrDefault("--columns", String.join(",", Column.NAMES)).split(","));
        for (var column : columns) {
            if (!Column.NAMES.contains(column)) {
                throw new IllegalArgumentException(
                        "unknown column " + column + "; there are " + String.join(", ", Column.NAMES));
            }
        }
        var workloads = pattern(given.getOrDefault("--workloads", ""));
        if (Experiment.ALL.stream()
                .noneMatch(experiment -> workloads.matcher(experiment.name()).find())) {
            throw new IllegalArgumentException("no workload matches " + workloads + "; see --list");
        }
        var output = given.get("--output");
        return new Options(
                number(given, "--rounds", 1, quick ? 1 : DEFAULT_ROUNDS),
                workloads,
                columns,
                flags.contains("--targets-only"),
                shared,
                quick,
                number(given, "--warm-up", 0, quick ? 0 : shared ? 1_000 : 2_000),
                number(given, "--time", 0, quick ? 0 : shared ? 700 : 1_000),
                quick ? 1 : 3,
                number(given, "--workers", 1, Runtime.getRuntime().availableProcessors()),
                output == null ? home.resolve("target").resolve("compare") : Path.of(output));
    }

    private static Pattern pattern(String text) {
        try {
            return Pattern.compile(text);
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException("--workloads takes a regular expression: " + e.getDescription(), e);
        }
    }

    private static int number(Map<String, String> given, String name, int least, int otherwise) {
        var text = given.get(name);
        if (text == null) {
            return otherwise;
        }
        try {
            int number = Integer.parseInt(text);
            if (number >= least) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Told below, as for a number that is too small.
        }
        throw new IllegalArgumentException(name + " takes a number of at least " + least + ", not " + text);
    }

    /** The experiments that are selected. */
    public List<Experiment> experiments() {
        return Experiment.ALL.stream()
                .filter(experiment -> workloads.matcher(experiment.name()).find())
                .filter(experiment -> !targetsOnly || experiment.hasTarget())
                .toList();
    }

    /** Whether an experiment is run on a column that offers it. */
    boolean wants(Experiment experiment, String column) {
        return !targetsOnly || experiment.isTargetOf(column);
    }
}
