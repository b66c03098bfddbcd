package dev.kumihimo.internal.carrier;

import java.util.ArrayList;
import java.util.List;

/** Lines of a report with their columns aligned, as far as these are not very wide. */
public final class Table {
    private static final int WIDEST = 64;
    private static final String GAP = "  ";

    private final List<List<String>> rows = new ArrayList<>();

    /** Creates one without lines. */
    public Table() {}

    /** Adds a line; one with a single column, as a heading, widens no column. */
    public void row(String... columns) {
        rows.add(List.of(columns));
    }

    /** {@return the lines, without blanks at their ends} */
    public List<String> lines() {
        int[] widths = new int[rows.stream().mapToInt(List::size).max().orElse(0)];
        for (List<String> row : rows) {
            for (int i = 0; i < row.size() && row.size() > 1; i++) {
                int width = row.get(i).length();
                widths[i] = Math.max(widths[i], width > WIDEST ? 1 : width);
            }
        }
        List<String> lines = new ArrayList<>(rows.size());
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.size(); i++) {
                if (widths[i] == 0 && row.size() > 1) {
                    continue; // nobody has anything here
                }
                line.append(row.get(i))
                        .append(" ".repeat(Math.max(0, widths[i] - row.get(i).length())))
                        .append(GAP);
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }
}
