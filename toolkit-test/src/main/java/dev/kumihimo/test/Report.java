package dev.kumihimo.test;

import dev.kumihimo.internal.carrier.LiveTask;
import dev.kumihimo.internal.carrier.Table;
import dev.kumihimo.internal.carrier.UserFrames;
import dev.kumihimo.internal.carrier.WaitGraph;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitPoint;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Delayed;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Says how a run came to where it is, and who waits for what. For use while nothing runs. */
final class Report {
    static final int LONGEST_TRACE = 2_000;

    private final TestScheduler scheduler;
    private final String order;

    /**
     * Prepares a report.
     *
     * @param order how the order of the run is called, and replayed
     */
    Report(TestScheduler scheduler, String order) {
        this.scheduler = scheduler;
        this.order = order;
    }

    /** {@return how the order of the run is called; on any thread} */
    String order() {
        return order;
    }

    /** {@return how the run is replayed} */
    String replay() {
        String trace = scheduler.record().trace();
        return order
                + "; JDK " + Runtime.version()
                + "; " + scheduler.steps() + " runs, schedule hash 0x"
                + Long.toHexString(scheduler.record().hash())
                + scheduler.outsideSummary()
                + (scheduler.pinnedPoints() == 0
                        ? ""
                        : ", " + scheduler.pinnedPoints() + " switches were not possible where a task was pinned")
                + (trace.length() > LONGEST_TRACE ? "" : "; or Strategy.replay(\"" + trace + "\")");
    }

    /** {@return everything} */
    String all() {
        StringBuilder text = new StringBuilder("at ")
                .append(TestClock.format(scheduler.timers().nanoTime()))
                .append(", ")
                .append(scheduler.timers().describe())
                .append("; ")
                .append(replay());
        for (String line : tasks()) {
            text.append(System.lineSeparator()).append("  ").append(line);
        }
        return text.toString();
    }

    private List<String> tasks() {
        List<Entry> ready = scheduler.readyNow(); // first: what has come at rest is taken in by it
        List<LiveTask> live = new ArrayList<>(scheduler.core().registry().snapshot());
        live.sort(Comparator.comparingInt(this::order));
        Set<Entry> others = new LinkedHashSet<>(scheduler.elsewhere());
        others.addAll(ready);
        others.addAll(scheduler.waitingHeirs());
        Lines lines = new Lines(live, others);
        Set<Entry> told = new HashSet<>();
        Table table = new Table();
        for (LiveTask task : live) {
            Entry entry = scheduler.entryOf(task);
            String number = entry == null ? "" : "#" + entry.id + " ";
            lines.add(table, number + task, task.openWait(), entry, task.threadOrNull(), lines.origin(task));
            if (entry != null) {
                told.add(entry);
            }
        }
        for (Entry entry : others) {
            if (told.add(entry)) {
                lines.add(table, entry.toString(), entry.openWait(), entry, entry.thread, "");
            }
        }
        List<String> all = new ArrayList<>(table.lines());
        for (List<LiveTask> cycle : WaitGraph.cycles(live, scheduler.deadlocks()::goesOn)) {
            all.add(lines.drawn(cycle));
        }
        return all;
    }

    private int order(LiveTask task) {
        Entry entry = scheduler.entryOf(task);
        return entry == null || entry.id < 0 ? Integer.MAX_VALUE : entry.id;
    }

    /** What the lines of one report have in common: who has which number, and which points look alike. */
    private final class Lines {
        private final Map<Integer, LiveTask> byKey = new HashMap<>();
        private final Map<String, List<WaitPoint>> alike = new HashMap<>();

        Lines(List<LiveTask> live, Set<Entry> others) {
            for (LiveTask task : live) {
                byKey.put(task.key(), task);
                note(task.openWait());
            }
            others.forEach(entry -> note(entry.openWait()));
        }

        private void note(@Nullable Wait wait) {
            for (WaitPoint point : wait == null ? List.<WaitPoint>of() : wait.points()) {
                List<WaitPoint> same = alike.computeIfAbsent(point.toString(), text -> new ArrayList<>());
                if (!same.contains(point)) {
                    same.add(point);
                }
            }
        }

        void add(
                Table table,
                String name,
                @Nullable Wait wait,
                @Nullable Entry entry,
                @Nullable Thread thread,
                String origin) {
            boolean ready =
                    entry != null && entry.queued; // its stack cannot be looked at without handing it over again
            String since = entry == null || ready ? "" : "since " + TestClock.format(entry.since);
            table.row(name, doing(wait, entry, thread), since, ready ? "" : where(thread), origin);
        }

        private String doing(@Nullable Wait wait, @Nullable Entry entry, @Nullable Thread thread) {
            boolean ready = entry != null && entry.queued;
            if (wait != null && wait.isDecided()) {
                return "has been waiting for " + what(wait) + ", and is about to resume";
            }
            if (wait != null) {
                long deadline = scheduler.deadlineOf(wait);
                return (ready ? "is about to wait for " : "waits for ")
                        + what(wait)
                        + holders(wait)
                        + (deadline == Long.MAX_VALUE ? "" : " until " + TestClock.format(deadline));
            }
            if (ready) {
                return "is ready";
            }
            if (thread == null) {
                return "has not begun";
            }
            if (entry == null) {
                return "is a blocking job, " + thread.getState();
            }
            Object blocker = LockSupport.getBlocker(thread);
            Delayed timed = entry.timedWait;
            return "waits outside the toolkit, " + thread.getState()
                    + (blocker == null ? "" : " at " + told(blocker))
                    + (timed == null
                            ? ""
                            : ", for another " + Math.max(0, timed.getDelay(TimeUnit.MILLISECONDS))
                                    + " ms of real time");
        }

        /** What the JDK parks at tells of its state; the toString() of a user's object might wait for it. */
        private static String told(Object blocker) {
            String name = blocker.getClass().getName();
            return name.startsWith("java.") ? blocker.toString() : name;
        }

        /** As the wait tells itself, with a number for each of those points that look the same and are not. */
        private String what(Wait wait) {
            List<WaitPoint> points = wait.points();
            if (points.isEmpty()) {
                return wait.toString();
            }
            String told = points.stream().map(this::what).collect(Collectors.joining(", "));
            return points.size() == 1 ? told : "the first of " + told;
        }

        private String what(WaitPoint point) {
            String text = point.toString();
            List<WaitPoint> same = alike.getOrDefault(text, List.of());
            return same.size() < 2 ? text : text + " @" + (same.indexOf(point) + 1);
        }

        private String holders(Wait wait) {
            List<Thread> threads = wait.isDecided() ? List.of() : wait.holders();
            return threads.isEmpty()
                    ? ""
                    : threads.stream()
                            .sorted(Comparator.comparingInt(this::order))
                            .map(this::number)
                            .distinct()
                            .collect(Collectors.joining(", ", " (", ")"));
        }

        private int order(Thread thread) {
            Entry entry = scheduler.entryOf(thread);
            return entry == null ? Integer.MAX_VALUE : entry.id;
        }

        private String number(Thread thread) {
            Entry entry = scheduler.entryOf(thread);
            return entry == null ? "thread \"" + thread.getName() + '"' : "#" + entry.id;
        }

        private String number(LiveTask task) {
            Thread thread = task.threadOrNull();
            return thread == null ? task.toString() : number(thread);
        }

        /** Who spawned it, and in which set it is. */
        String origin(LiveTask task) {
            LiveTask parent = byKey.get(task.spawner());
            String by = parent != null ? number(parent) : "one that has ended";
            Object group = task.group();
            if (group != null) {
                String set = group.toString();
                return "in " + (set.indexOf('[') > 0 ? set.substring(0, set.indexOf('[')) : set) + " of " + by;
            }
            return task.spawner() == 0 ? "" : "by " + by;
        }

        String drawn(List<LiveTask> cycle) {
            StringBuilder text = new StringBuilder("cycle: ");
            for (LiveTask task : cycle) {
                Wait wait = task.openWait();
                text.append(number(task)).append(" -> ");
                if (wait != null) {
                    text.append(what(wait)).append(" -> ");
                }
            }
            return text.append(number(cycle.get(0))).toString();
        }
    }

    private static String where(@Nullable Thread thread) {
        StackTraceElement frame = thread == null ? null : UserFrames.of(thread);
        return frame == null ? "" : "at " + UserFrames.place(frame);
    }
}
