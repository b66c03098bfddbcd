package dev.kumihimo.benchmarks.compare;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Runs every selected experiment on every column that can be run, column by column, round by round, and reports. */
public final class Comparison {
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
        var iperf = new Iperf(toolchains.setting());
        var noBulk = iperf.absence();
        noBulk.ifPresent(reason -> notes.add("proxy_bulk: " + reason));

        var results = new Results(options.rounds());
        for (int round = 0; round < options.rounds(); round++) {
            try (var runs = new Runs(options, toolchains.setting(), wrk, iperf)) {
                for (var experiment : experiments) {
                    boolean loadIsAbsent = switch (experiment) {
                        case Experiment.Served served -> noLoad.isPresent();
                        case Experiment.Proxied proxied ->
                            (proxied.load() == Experiment.Proxied.Load.BULK ? noBulk : noLoad).isPresent();
                        case Experiment.Run run -> false;
                    };
                    if (loadIsAbsent) {
                        continue;
                    }
                    for (var column : columns) {
                        if (column instanceof Column.Present present
                                && present.offers().contains(experiment.requires())
                                && options.wants(experiment, column.name())) {
                            run(experiment, present, runs, round, results);
                        }
                    }
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

    private void run(Experiment experiment, Column.Present column, Runs runs, int round, Results results)
            throws InterruptedException {
        progress.printf("round %d/%d %s %s", round + 1, options.rounds(), experiment.name(), column.name());
        try {
            var figures = runs.figures(experiment, column);
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
