package dev.kumihimo.test;

import dev.kumihimo.internal.carrier.LiveTask;
import dev.kumihimo.internal.wait.Wait;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Says how a run came to where it is, and who waits for what. For use while nothing runs. */
final class Report {
    static final int LONGEST_TRACE = 2_000;
    private static final String ROOM = "dev.kumihimo.";
    private static final Set<String> ROOMS =
            Set.of("channel", "internal", "io", "net", "runtime", "select", "sync", "task", "time");

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
                + (scheduler.outsideWakes() == 0
                        ? ""
                        : ", " + scheduler.outsideWakes() + " wakes from outside, which a replay need not repeat")
                + (trace.length() > LONGEST_TRACE ? "" : "; or Strategy.replay(\"" + trace + "\")");
    }

    /** {@return everything} */
    String all() {
        StringBuilder text = new StringBuilder("at ")
                .append(TestClock.format(scheduler.timers().nanoTime()))
                .append("; ")
                .append(replay());
        for (String line : tasks()) {
            text.append(System.lineSeparator()).append("  ").append(line);
        }
        return text.toString();
    }

    private List<String> tasks() {
        List<Entry> ready = scheduler.readyNow(); // first: what has come at rest is taken in by it
        List<String> lines = new ArrayList<>();
        Set<Entry> told = new HashSet<>();
        List<LiveTask> live = new ArrayList<>(scheduler.core().registry().snapshot());
        live.sort(Comparator.comparingInt(this::number));
        for (LiveTask task : live) {
            Entry entry = scheduler.entryOf(task);
            String number = entry == null ? "" : "#" + entry.id + " ";
            lines.add(number + task + "  " + doing(task.openWait(), entry, task.threadOrNull()));
            if (entry != null) {
                told.add(entry);
            }
        }
        List<Entry> others = new ArrayList<>(scheduler.elsewhere());
        others.addAll(ready);
        for (Entry entry : others) {
            if (told.add(entry)) {
                lines.add(entry + "  " + doing(entry.openWait(), entry, entry.thread));
            }
        }
        return lines;
    }

    private int number(LiveTask task) {
        Entry entry = scheduler.entryOf(task);
        return entry == null || entry.id < 0 ? Integer.MAX_VALUE : entry.id;
    }

    private String doing(@Nullable Wait wait, @Nullable Entry entry, @Nullable Thread thread) {
        boolean ready = entry != null && entry.queued;
        String what;
        if (wait != null && wait.isDecided()) {
            what = "has been waiting for " + wait + ", and is about to resume";
        } else if (wait != null) {
            long deadline = scheduler.deadlineOf(wait);
            what = (ready ? "is about to wait for " : "waits for ")
                    + wait
                    + (deadline == Long.MAX_VALUE ? "" : " until " + TestClock.format(deadline));
        } else if (ready) {
            return "is ready"; // its stack cannot be looked at without handing it over again
        } else if (thread == null) {
            return "has not begun";
        } else if (entry == null) {
            what = "is a blocking job, " + thread.getState();
        } else {
            Object blocker = LockSupport.getBlocker(thread);
            what = "waits outside the toolkit, " + thread.getState() + (blocker == null ? "" : " at " + blocker);
        }
        return ready ? what : what + where(thread);
    }

    /** {@return the first frame that is neither ours nor the JDK's} */
    private static String where(@Nullable Thread thread) {
        if (thread != null) {
            for (StackTraceElement frame : thread.getStackTrace()) {
                if (!isOfOthers(frame.getClassName())) {
                    return "  at " + frame;
                }
            }
        }
        return "";
    }

    /** {@return whether a class is the JDK's or ours} */
    static boolean isOfOthers(String name) {
        return name.startsWith("java.") || name.startsWith("jdk.") || name.startsWith("sun.") || isOurs(name);
    }

    private static boolean isOurs(String className) {
        if (!className.startsWith(ROOM)) {
            return false;
        }
        int dot = className.indexOf('.', ROOM.length());
        return dot > 0 && ROOMS.contains(className.substring(ROOM.length(), dot));
    }
}
