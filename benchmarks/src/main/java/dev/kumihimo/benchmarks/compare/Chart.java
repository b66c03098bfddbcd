package dev.kumihimo.benchmarks.compare;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Medians as horizontal bars, a group per workload; within a group the longest bar is the greatest figure. */
final class Chart {
    private static final int WIDTH = 760;
    private static final int LABELS = 110;
    private static final int FIGURES = 110;
    private static final int BAR = 14;
    private static final int STEP = 18;
    private static final int TITLE = 24;
    private static final int GAP = 14;
    private static final int MARGIN = 16;

    /** Mid-tones that stand out on a light page as well as on a dark one. */
    private static final Map<String, String> COLOURS = Map.ofEntries(
            Map.entry("kumihimo", "#c8452f"),
            Map.entry("jdk", "#6d8fb3"),
            Map.entry("jox", "#7a6fb0"),
            Map.entry("tokio", "#a9805b"),
            Map.entry("go", "#3fa7b5"),
            Map.entry("abq_kumihimo", "#b5654f"),
            Map.entry("ltq_jdk", "#8fa9c4"),
            Map.entry("ltq_kumihimo", "#d08a78"),
            Map.entry("stpe", "#587ba3"),
            Map.entry("netty_wheel", "#5f8440"),
            Map.entry("netty_epoll", "#7f9a4f"),
            Map.entry("netty_nio", "#9db578"),
            Map.entry("socat", "#b08a3e"),
            Map.entry("floor", "#8b949e"));

    private static final String INK = "#768390";

    private final List<Experiment> experiments;
    private final List<Column> columns;
    private final Results results;

    Chart(List<Experiment> experiments, List<Column> columns, Results results) {
        this.experiments = experiments;
        this.columns = columns;
        this.results = results;
    }

    String svg() {
        var body = new StringBuilder();
        int y = MARGIN;
        for (var experiment : experiments) {
            for (var measure : experiment.measures()) {
                y = group(body, measure, y);
            }
        }
        return """
                <svg xmlns="http://www.w3.org/2000/svg" width="%1$d" height="%2$d" viewBox="0 0 %1$d %2$d" role="img" \
                font-family="system-ui, sans-serif" font-size="12" fill="%3$s">
                <title>Kumihimo compared with other runtimes: medians of %4$d rounds</title>
                %5$s</svg>
                """.formatted(WIDTH, y, INK, results.rounds(), body);
    }

    private int group(StringBuilder body, Measure measure, int top) {
        double greatest = columns.stream()
                .mapToDouble(column -> results.spread(measure, column.name()).median())
                .filter(median -> !Double.isNaN(median))
                .max()
                .orElse(0);
        if (greatest <= 0) {
            return top;
        }
        body.append(String.format(
                "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">%s, %s (%s is better)</text>%n",
                MARGIN,
                top + BAR,
                measure.name(),
                measure.unit(),
                measure.unit().moreIsBetter() ? "more" : "less"));
        int y = top + TITLE;
        for (var column : columns) {
            double median = results.spread(measure, column.name()).median();
            if (Double.isNaN(median)) {
                continue;
            }
            double length = median / greatest * (WIDTH - LABELS - FIGURES - 2 * MARGIN);
            int left = MARGIN + LABELS;
            body.append(String.format(
                    Locale.ROOT,
                    "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>"
                            + "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\" fill=\"%s\"/>"
                            + "<text x=\"%.1f\" y=\"%d\">%s</text>%n",
                    left - 8,
                    y + BAR - 3,
                    column.name(),
                    left,
                    y,
                    Math.max(1, length),
                    BAR,
                    COLOURS.getOrDefault(column.name(), INK),
                    left + length + 6,
                    y + BAR - 3,
                    Report.figure(median)));
            y += STEP;
        }
        return y + GAP;
    }
}
