package dev.kumihimo.test;

import dev.kumihimo.internal.carrier.LiveTask;
import dev.kumihimo.internal.carrier.WaitGraph;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitPoint;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds what will never go on: tasks that wait for each other, as soon as the last of them has begun to; and those who wait for
 * what is there, as soon as nothing runs. On the carrier, between two runs, so that all it sees stands still.
 */
final class Deadlocks {
    /** So many tasks are asked at each idleness; if there are more, then only after as many runs as there are tasks. */
    private static final int FEW = 64;

    /** How long, in real time, what looks like a lost wakeup may be one that a thread from outside is about. */
    private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final TestScheduler scheduler;
    private boolean failOnCycles = true;
    private boolean ignored;
    private long asked; // runs until then

    Deadlocks(TestScheduler scheduler) {
        this.scheduler = scheduler;
    }

    void failOnCycles(boolean fail) {
        failOnCycles = fail;
    }

    /** Looks for nothing any more: all is about to be aborted. */
    void ignore() {
        ignored = true;
    }

    /** A thread has left the carrier: has it closed a cycle? */
    void left(Entry entry) {
        Thread thread = entry.thread;
        if (entry.rested == null || entry.queued || thread == null || !failOnCycles || ignored) {
            return;
        }
        LiveTask task = WaitGraph.taskOf(thread);
        List<LiveTask> cycle = task == null ? List.of() : WaitGraph.cycleFrom(task, this::goesOn);
        if (!cycle.isEmpty()) {
            throw new ScheduleError("deadlock: "
                    + cycle.stream().map(LiveTask::toString).collect(Collectors.joining(" and "))
                    + (cycle.size() == 1
                            ? " waits for itself, and has no deadline"
                            : " wait for each other, and have no deadline"));
        }
    }

    /** {@return whether a task will go on whatever those do that it waits for, or may} */
    boolean goesOn(LiveTask task) {
        Entry entry = scheduler.entryOf(task);
        if (entry == null || entry.queued) {
            return true; // a thread that is not under control, or one that is ready
        }
        Wait wait = task.openWait();
        return wait == null || scheduler.deadlineOf(wait) != Long.MAX_VALUE || task.regionDeadline() != Long.MAX_VALUE;
    }

    /**
     * Nothing is ready: is somebody there who should be?
     *
     * @return whether there is now, who was not at first: then it is to be looked again what is ready
     */
    boolean idle() {
        List<LiveTask> live = ignored ? List.of() : scheduler.core().registry().snapshot();
        if (live.size() > FEW
                && scheduler.steps() - asked < live.size()
                && scheduler.timers().armed() > 0) {
            return false; // else to let a thousand sleepers wake one by one would take a million questions
        }
        asked = scheduler.steps();
        String lost = lostWakeup(live);
        if (lost == null) {
            return false;
        }
        String still = scheduler.mayBeWokenFromOutside() ? lostStill(live) : lost;
        if (still != null) {
            throw new ScheduleError("lost wakeup: " + still);
        }
        return true;
    }

    /** A thread that is not under control may have done the first half of what it does, and wake who waits by the second. */
    private @Nullable String lostStill(List<LiveTask> live) {
        Patience patience = new Patience(GRACE_NANOS, Outside.NAP_NANOS);
        patience.left();
        String lost;
        do {
            scheduler.nap();
            lost = lostWakeup(live);
        } while (lost != null && patience.left() > 0);
        return lost;
    }

    private static @Nullable String lostWakeup(List<LiveTask> live) {
        Set<WaitPoint> seen = new HashSet<>();
        for (LiveTask task : live) {
            Wait wait = task.openWait();
            if (wait == null || wait.isDecided()) {
                continue;
            }
            for (WaitPoint point : wait.points()) {
                String lost = seen.add(point) ? ask(point) : null;
                if (lost != null) {
                    return point + ": " + lost;
                }
            }
        }
        return null;
    }

    private static @Nullable String ask(WaitPoint point) {
        point.lock(); // held, if at all, by a platform thread that is about to give it back
        try {
            return point.lostWakeup();
        } finally {
            point.unlock();
        }
    }
}
