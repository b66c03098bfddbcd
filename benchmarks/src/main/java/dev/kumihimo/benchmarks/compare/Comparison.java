package dev.kumihimo.benchmarks.compare;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Runs every selected experiment on every column that can be run, column by column, round by round, and reports. */
public final class Comparison {
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(30);

    /** For what a program does beside warming up and measuring; reached only by one that hangs. */
    private static final Duration RUN_LIMIT = Duration.ofMinutes(3);

    private final Path home;
    private final Options options;
    private final PrintStream progress;
    private final List<String> failures = new ArrayList<>();

    /**
     * A comparison.
     *
     * @param home the folder of the benchmarks
     * @param progress where to tell what is being done
     */
    public Comparison(Path home, Options options, PrintStream progress) {
        this.home = home.toAbsolutePath().normalize();
        this.options = options;
        this.progress = progress;
    }

    /** Runs everything, prints the report and writes the files; returns whether every run succeeded. */
    public boolean run(PrintStream out) throws IOException, InterruptedException {
        var toolchains = new Toolchains(home, options);
        var columns = new ArrayList<Column>();
        for (var name : options.columns()) {
            progress.println("preparing " + name);
            var column = toolchains.find(name);
            columns.add(column);
            if (column instanceof Column.Absent absent && Column.OWN.contains(name)) {
                failures.add(name + ": " + absent.reason());
            }
        }
        var experiments = options.experiments();
        var notes = new ArrayList<String>();
        var wrk = new Wrk(toolchains.setting());
        var noLoad = wrk.absence();
        noLoad.ifPresent(reason -> notes.add("http: " + reason));

        var results = new Results(options.rounds());
        for (int round = 0; round < options.rounds(); round++) {
            for (var experiment : experiments) {
                for (var column : columns) {
                    if (!(column instanceof Column.Present present)
                            || !present.offers().contains(experiment.requires())
                            || experiment instanceof Experiment.Served && noLoad.isPresent()) {
                        continue;
                    }
                    progress.printf("round %d/%d %s %s", round + 1, options.rounds(), experiment.name(), column.name());
                    try {
                        var figures = switch (experiment) {
                            case Experiment.Timed timed -> time(timed, present, toolchains);
                            case Experiment.Served served -> serve(served, present, toolchains, wrk);
                        };
                        for (var measure : experiment.measures()) {
                            double figure = figures.getOrDefault(measure.name(), Double.NaN);
                            results.put(measure, column.name(), round, figure);
                            progress.printf(Locale.ROOT, "  %,.1f %s", figure, measure.unit());
                        }
                    } catch (IOException e) {
                        failures.add(experiment.name() + " on " + column.name() + ": " + e.getMessage());
                        progress.print("  FAILED: " + e.getMessage());
                    }
                    progress.println();
                }
            }
        }

        var report = new Report(options, experiments, columns, results, notes, failures);
        Files.createDirectories(options.output());
        Files.writeString(options.output().resolve("rounds.csv"), report.roundsCsv());
        Files.writeString(options.output().resolve("targets.csv"), report.targetsCsv());
        Files.writeString(options.output().resolve("chart.svg"), new Chart(experiments, columns, results).svg());
        Files.writeString(options.output().resolve("table.md"), report.text());
        out.print(report.text());
        progress.println("written: " + options.output());
        return failures.isEmpty();
    }

    /** The median of what the program prints, by measure. */
    private Map<String, Double> time(Experiment.Timed experiment, Column.Present column, Toolchains toolchains)
            throws IOException, InterruptedException {
        var command = new ArrayList<>(column.command());
        int operations = options.quick() ? experiment.fewOperations() : experiment.operations();
        long warmUp = Math.round(options.warmUpMillis() * column.warmUpShare());
        command.addAll(List.of("run", experiment.name()));
        for (long number : new long[] {operations, warmUp, options.measureMillis(), options.iterations()}) {
            command.add(Long.toString(number));
        }
        var limit = RUN_LIMIT.plusMillis(warmUp + options.measureMillis());
        var figures = new HashMap<String, List<Double>>();
        for (var line : Child.linesOf(toolchains.setting(), limit, command)) {
            var fields = line.split(",", -1);
            if (fields.length == 3) {
                figures.computeIfAbsent(fields[0], name -> new ArrayList<>()).add(Double.valueOf(fields[2]));
            }
        }
        var medians = new LinkedHashMap<String, Double>();
        figures.forEach((name, values) -> medians.put(
                name,
                Spread.of(values.stream().mapToDouble(Double::doubleValue).toArray())
                        .median()));
        if (medians.isEmpty()) {
            throw new IOException("no figure");
        }
        return medians;
    }

    /** Starts the server, warms it up, loads it, and asks it before and after for the processor time it has used. */
    private Map<String, Double> serve(Experiment.Served experiment, Column.Present column, Toolchains tools, Wrk wrk)
            throws IOException, InterruptedException {
        var command = new ArrayList<>(column.command());
        command.add("http");
        try (var server = Child.start(tools.setting(), command)) {
            int port = Integer.parseInt(server.next("listening", ANSWER_LIMIT));
            if (!options.quick()) {
                wrk.load(experiment.connections(), Math.max(1, options.warmUpMillis() / 1000), port);
            }
            long before = cpuNanos(server);
            var load = wrk.load(experiment.connections(), options.quick() ? 1 : 5, port);
            long used = cpuNanos(server) - before;
            if (load.requests() == 0) {
                throw new IOException("no request was answered");
            }
            return Map.of(
                    "http_hello_" + experiment.connections(),
                    load.perSecond(),
                    "http_cpu_" + experiment.connections(),
                    used / 1_000.0 / load.requests());
        }
    }

    private static long cpuNanos(Child server) throws IOException, InterruptedException {
        server.say("cpu?");
        return Long.parseLong(server.next("cpu", ANSWER_LIMIT));
    }
}
