package dev.kumihimo.test;

import dev.kumihimo.internal.carrier.UserFrames;
import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.internal.wait.Wait;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What one run did, as it is repeated in part and as it is shown: one column for each task. */
final class Interleaving {
    private static final int SHOWN = 60;
    private static final int MOST_COLUMNS = 6;
    private static final int LINE = 120;
    private static final StackWalker WALKER = StackWalker.getInstance();
    private static final String DOOR = PointControl.class.getName(); // by which points come here

    private final boolean withTexts;
    private final List<Guided.Stretch> stretches = new ArrayList<>();
    private final List<Event> events = new ArrayList<>();

    /**
     * Prepares to watch a run.
     *
     * @param withTexts whether it is to be shown
     */
    Interleaving(boolean withTexts) {
        this.withTexts = withTexts;
    }

    private record Event(int task, String name, String text) {}

    /** A task is at a point, and on its thread. */
    void reached(Entry entry, Points.Kind kind, Object at) {
        if (withTexts) {
            String frame = WALKER.walk(frames -> frames.dropWhile(
                            each -> !each.getClassName().equals(DOOR))
                    .filter(each -> !each.getClassName().equals(DOOR) && UserFrames.isUsers(each.getClassName()))
                    .findFirst()
                    .map(found -> UserFrames.place(found.toStackTraceElement()))
                    .orElse(""));
            add(entry, kind + " " + frame + "  " + at);
        }
    }

    /** A task has run. */
    void ran(Entry entry, boolean switched) {
        stretches.add(new Guided.Stretch(entry.key, entry.points + entry.stops, switched));
        if (withTexts) {
            add(entry, switched ? "> switched" : stop(entry));
        }
    }

    private static String stop(Entry entry) {
        if (entry.queued) {
            return "yields";
        }
        if (!entry.isAlive()) {
            return "ends";
        }
        Wait wait = entry.openWait();
        return wait == null ? "parks" : "waits for " + wait;
    }

    private void add(Entry entry, String text) {
        events.add(new Event(entry.id, entry.toString(), text));
    }

    List<Guided.Stretch> stretches() {
        return stretches;
    }

    /** {@return the last of it in columns, each line indented by two} */
    String columns() {
        List<Event> last = events.subList(Math.max(0, events.size() - SHOWN), events.size());
        Map<Integer, String> names = new TreeMap<>();
        last.forEach(event -> names.putIfAbsent(event.task, event.name));
        List<Integer> tasks = new ArrayList<>(names.keySet());
        int count = Math.max(1, Math.min(tasks.size(), MOST_COLUMNS));
        int width = LINE / count - 2;
        StringBuilder text = new StringBuilder("  the last ")
                .append(last.size())
                .append(" of ")
                .append(events.size())
                .append(" events, one below the other, and each in the column of its task:");
        if (tasks.size() <= MOST_COLUMNS) {
            line(text, tasks.stream().map(names::get).toList(), width);
        }
        for (Event event : last) {
            List<String> cells = new ArrayList<>();
            if (tasks.size() > MOST_COLUMNS) { // too many to stand side by side
                cells.add(event.name + ": " + event.text);
                line(text, cells, LINE);
                continue;
            }
            for (int i = 0; i <= tasks.indexOf(event.task); i++) {
                cells.add(tasks.get(i) == event.task ? event.text : "");
            }
            line(text, cells, width);
        }
        return text.toString();
    }

    private static void line(StringBuilder text, List<String> cells, int width) {
        text.append(System.lineSeparator()).append("  ");
        for (int i = 0; i < cells.size(); i++) {
            String cell = cells.get(i).replace('\n', ' ');
            String cut = cell.length() <= width ? cell : cell.substring(0, width - 2) + "..";
            text.append(i == 0 ? "" : "| ").append(cut);
            if (i < cells.size() - 1) {
                text.append(" ".repeat(width - cut.length()));
            }
        }
    }
}
