package dev.kumihimo.benchmarks.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Figures, ratios and verdicts as text and as CSV. */
final class Report {
    private final Options options;
    private final List<Experiment> experiments;
    private final List<Column> columns;
    private final Results results;
    private final List<String> notes;
    private final List<String> failures;

    Report(
            Options options,
            List<Experiment> experiments,
            List<Column> columns,
            Results results,
            List<String> notes,
            List<String> failures) {
        this.options = options;
        this.experiments = experiments;
        this.columns = columns;
        this.results = results;
        this.notes = List.copyOf(notes);
        this.failures = List.copyOf(failures);
    }

    /** The setting, one table in Markdown, and a line that counts verdicts. */
    String text() {
        var text = new StringBuilder();
        setting(text);
        var counts = new EnumMap<Verdict, Integer>(Verdict.class);
        text.append('\n').append(table(counts)).append('\n');
        text.append("Targets: ")
                .append(counts.entrySet().stream()
                        .map(entry -> entry.getValue() + " " + entry.getKey())
                        .collect(Collectors.joining(", ")))
                .append(
                        ". A ratio is Kumihimo's figure divided by the column's in the same round: median [min to max] of ")
                .append(rounds())
                .append("; at par means within 10 % of the target.\n");
        failures.forEach(failure -> text.append("FAILED: ").append(failure).append('\n'));
        return text.toString();
    }

    private String rounds() {
        return options.rounds() == 1 ? "1 round" : options.rounds() + " rounds";
    }

    private void setting(StringBuilder text) {
        if (options.quick()) {
            text.append("QUICK RUN: shows that the programs work; the figures mean nothing.\n");
        }
        text.append(String.format(
                "%s, %d processors, %s %s; %d workers per runtime; all Java columns with %s.%n",
                processor(),
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("os.name"),
                System.getProperty("os.arch"),
                options.workers(),
                String.join(" ", Toolchains.JAVA_OPTIONS)));
        for (var column : columns) {
            text.append(column.name()).append(": ");
            switch (column) {
                case Column.Present present -> text.append(present.title());
                case Column.Absent absent ->
                    text.append("absent (").append(absent.reason()).append(')');
            }
            text.append('\n');
        }
        notes.forEach(note -> text.append(note).append('\n'));
    }

    private static String processor() {
        try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse("unnamed processor");
        } catch (IOException e) {
            return "unnamed processor";
        }
    }

    private String table(EnumMap<Verdict, Integer> counts) {
        var rows = new ArrayList<List<String>>();
        var head = new ArrayList<>(List.of("workload", "unit"));
        columns.forEach(column -> head.add(column.name()));
        head.addAll(List.of("ratio to", "ratio", "target", "verdict"));
        rows.add(head);
        for (var experiment : experiments) {
            for (var measure : experiment.measures()) {
                var row = new ArrayList<>(List.of(measure.name(), measure.unit().toString()));
                for (var column : columns) {
                    row.add(figure(results.spread(measure, column.name()).median()));
                }
                if (measure.targets().isEmpty()) {
                    row.addAll(List.of("", "", "", ""));
                    rows.add(row);
                }
                for (var target : measure.targets()) {
                    var spread = results.spread(measure, target);
                    var verdict = target.verdict(spread);
                    counts.merge(verdict, 1, Integer::sum);
                    row.addAll(List.of(
                            target.against() == null ? "(absolute)" : target.against(),
                            ratio(spread),
                            target.toString(),
                            verdict.toString()));
                    rows.add(List.copyOf(row));
                    row.clear();
                    for (int i = 0; i < columns.size() + 2; i++) {
                        row.add("");
                    }
                }
            }
        }
        return align(rows);
    }

    private static String align(List<List<String>> rows) {
        int cells = rows.getFirst().size();
        var widths = new int[cells];
        for (var row : rows) {
            for (int i = 0; i < cells; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        int lastLeft = 1; // names and units to the left, figures to the right, ratios and verdicts to the left again
        int lastRight = cells - 5;
        var text = new StringBuilder();
        for (int r = 0; r < rows.size(); r++) {
            for (int i = 0; i < cells; i++) {
                boolean left = i <= lastLeft || i > lastRight;
                var pad = " ".repeat(widths[i] - rows.get(r).get(i).length());
                text.append("| ")
                        .append(left ? "" : pad)
                        .append(rows.get(r).get(i))
                        .append(left ? pad : "")
                        .append(' ');
            }
            text.append("|\n");
            if (r == 0) {
                for (int i = 0; i < cells; i++) {
                    boolean left = i <= lastLeft || i > lastRight;
                    text.append('|')
                            .append(left ? ":" : "-")
                            .append("-".repeat(widths[i]))
                            .append(left ? "-" : ":");
                }
                text.append("|\n");
            }
        }
        return text.toString();
    }

    /** A figure with as many digits as it deserves; a dash for none. */
    static String figure(double value) {
        if (Double.isNaN(value)) {
            return "-";
        }
        return String.format(Locale.ROOT, value < 100 ? "%.1f" : "%,.0f", value);
    }

    private static String ratio(Spread spread) {
        if (spread.isEmpty()) {
            return "-";
        }
        var format = spread.median() >= 100 ? "%,.0f [%,.0f to %,.0f]" : "%.2f [%.2f to %.2f]";
        return String.format(Locale.ROOT, format, spread.median(), spread.min(), spread.max());
    }

    /** Every single figure. */
    String roundsCsv() {
        var csv = new StringBuilder("workload,unit,column,round,value\n");
        for (var experiment : experiments) {
            for (var measure : experiment.measures()) {
                for (var column : columns) {
                    var figures = results.of(measure, column.name());
                    for (int round = 0; round < figures.length; round++) {
                        if (!Double.isNaN(figures[round])) {
                            csv.append(String.format(
                                    Locale.ROOT,
                                    "%s,%s,%s,%d,%.2f%n",
                                    measure.name(),
                                    measure.unit(),
                                    column.name(),
                                    round + 1,
                                    figures[round]));
                        }
                    }
                }
            }
        }
        return csv.toString();
    }

    /** Every target with its verdict. */
    String targetsCsv() {
        var csv = new StringBuilder("workload,unit,against,median,min,max,target,verdict\n");
        for (var experiment : experiments) {
            for (var measure : experiment.measures()) {
                for (var target : measure.targets()) {
                    var spread = results.spread(measure, target);
                    csv.append(String.format(
                            Locale.ROOT,
                            "%s,%s,%s,%s,%s,%s,%s,%s%n",
                            measure.name(),
                            measure.unit(),
                            target.against() == null ? "" : target.against(),
                            csv(spread.median()),
                            csv(spread.min()),
                            csv(spread.max()),
                            target.toString().replace(",", ""),
                            target.verdict(spread)));
                }
            }
        }
        return csv.toString();
    }

    private static String csv(double value) {
        return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.3f", value);
    }
}
