package dev.kumihimo.test;

import dev.kumihimo.internal.carrier.LiveTask;
import dev.kumihimo.internal.driver.VirtualTimers;
import dev.kumihimo.internal.jdk.VirtualThreads;
import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.Task;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/*
 * Who tells: the scheduler of each thread and job, where it is spawned; Points of what is made and of tasks that fail; the
 * runtime, when it ends, of failures that nobody joined; a handler of their own of what raw threads throw. Everything is told on
 * the thread that does it, so a site is the stack there.
 * Whose it is: what a controlled thread makes is its scheduler's; what a blocking job makes is that of the runtime whose timers
 * it has; what any other thread makes is that of the runtime which it has made last and which is still open.
 * When: tasks are looked at before any is aborted, everything else after all have ended: what an aborted task gives back in its
 * cleanup was not left.
 * Fields: made, failed, unjoined, uncaught: filled by any thread, read once nothing runs. ending: written by who finishes while
 * nothing runs. OPEN, DRIVERS: those that have not ended.
 */

/** What a runtime under {@link LeakPolicy#FAIL} keeps account of, and looks at when its test ends. */
final class Leaks {
    private static final Logger LOG = LoggerFactory.getLogger(TestRuntime.class);
    private static final Set<Leaks> OPEN = ConcurrentHashMap.newKeySet();
    private static final Map<Thread, Leaks> DRIVERS = new ConcurrentHashMap<>();

    /** How many failures that may have been seen are remembered with their sites. */
    private static final int MOST_FAILURES = 10_000;

    /** How many are open: read at each making, which costs little while there are none. */
    private static final AtomicInteger WATCHING = new AtomicInteger();

    private final TestScheduler scheduler;
    private final Thread owner = Thread.currentThread();
    private volatile @Nullable Leaks outer; // of the same thread; written by that, or when this ends
    private final Queue<Made> made = new ConcurrentLinkedQueue<>();
    private final Queue<Failed> failed = new ConcurrentLinkedQueue<>();
    private final Queue<Unjoined> unjoined = new ConcurrentLinkedQueue<>();
    private final Queue<Failed> uncaught = new ConcurrentLinkedQueue<>();
    private final Map<Runnable, Site> jobs = Collections.synchronizedMap(new WeakHashMap<>());
    private final Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    private final AtomicInteger failures = new AtomicInteger();
    private volatile boolean ending;

    private record Made(Object thing, Points.Left left, Site site) {}

    private record Failed(
            String who, Throwable failure, @Nullable Site site, boolean aborted) {}

    private record Unjoined(String task, Throwable failure) {}

    /** Something that was left, in words, and what it threw. */
    record Leak(String text, @Nullable Throwable failure) {}

    Leaks(TestScheduler scheduler) {
        this.scheduler = scheduler;
        scheduler.timers().noteSites(Site::new);
        outer = open(DRIVERS.put(owner, this));
        OPEN.add(this);
        WATCHING.incrementAndGet();
    }

    boolean isOpen() {
        return OPEN.contains(this);
    }

    /** Takes no more note of anything. */
    void end() {
        if (OPEN.remove(this)) {
            WATCHING.decrementAndGet();
            outer = open(outer); // they may end in any order, and those that have are not to be kept
            DRIVERS.computeIfPresent(owner, (thread, last) -> open(last));
        }
    }

    /** {@return the innermost of these that has not ended} */
    private static @Nullable Leaks open(@Nullable Leaks last) {
        Leaks leaks = last;
        while (leaks != null && !leaks.isOpen()) {
            leaks = leaks.outer;
        }
        return leaks;
    }

    /* ---------------- Whose something is -------------- */

    /** {@return those of the runtime that the calling thread makes things for, or null} */
    static @Nullable Leaks ofCaller() {
        if (WATCHING.get() == 0) {
            return null;
        }
        Thread thread = Thread.currentThread();
        if (thread.isVirtual()) {
            TestScheduler running =
                    VirtualThreads.currentCarrier() instanceof TestCarrier carrier ? carrier.driven() : null;
            return running == null ? null : running.leaks();
        }
        return Waiter.currentTask() instanceof LiveTask job ? of(job) : DRIVERS.get(thread);
    }

    /** {@return those of a task's runtime, or null} */
    static @Nullable Leaks of(Waiter task) {
        if (WATCHING.get() > 0) {
            for (Leaks leaks : OPEN) {
                if (leaks.scheduler.timers() == task.timers()) {
                    return leaks;
                }
            }
        }
        return null;
    }

    /* ---------------- What is told -------------- */

    void made(Object thing, Points.Left left) {
        made.add(new Made(thing, left, new Site()));
    }

    void failed(Waiter task, Throwable failure) {
        if (failures.getAndIncrement() < MOST_FAILURES || failure instanceof AssertionError) {
            boolean told = ending || task instanceof Task its && its.isAborted();
            Site site = task instanceof LiveTask live ? siteOf(live) : null;
            failed.add(new Failed(task.toString(), failure, site, told));
        }
    }

    /** A failure that nobody has joined, and never will. */
    void unjoined(String task, Throwable failure) {
        unjoined.add(new Unjoined(task, failure));
    }

    /** A failure that has come out at the thread which drives, or that is of no interest. */
    void seen(Throwable failure) {
        for (Throwable e = failure; e != null && seen.add(e); ) {
            e = e.getCause();
        }
    }

    /** A thread that the caller is about to start. */
    void spawned(Entry entry) {
        entry.site = new Site();
        Entry spawner = scheduler.runningHere();
        if (spawner != null) {
            entry.spawner = spawner.toString(); // and not itself: each would keep the one before it
            entry.background = spawner.background;
        }
    }

    /** A raw thread that the caller starts: nobody joins it for its exception. */
    void started(Entry heir) {
        spawned(heir);
        Thread thread = heir.thread;
        if (thread != null && thread.getUncaughtExceptionHandler() instanceof ThreadGroup group) {
            thread.setUncaughtExceptionHandler((dying, e) -> {
                uncaught.add(new Failed(heir.toString(), e, heir.site, ending));
                group.uncaughtException(dying, e);
            });
        }
    }

    void submitted(Runnable job) {
        jobs.put(job, new Site());
    }

    private @Nullable Site siteOf(LiveTask task) {
        Entry entry = scheduler.entryOf(task);
        return entry != null ? entry.site : task instanceof Runnable job ? jobs.get(job) : null;
    }

    /* ---------------- What is looked at -------------- */

    /** From now on tasks are aborted: those that tell of it have not failed. */
    void abortsBegin() {
        ending = true;
    }

    /**
     * {@return the tasks and raw threads that have not ended, in the order in which they first ran}
     *
     * @param background tasks that are not told, as are those that they have spawned
     */
    List<Leak> alive(Collection<?> background) {
        record Alive(int id, String text) {}
        List<Alive> alive = new ArrayList<>();
        for (LiveTask task : scheduler.core().registry().snapshot()) {
            Entry entry = scheduler.entryOf(task);
            if (!background.contains(task) && (entry == null || !entry.background)) {
                String number = entry == null || entry.id < 0 ? "" : "#" + entry.id + " ";
                alive.add(new Alive(
                        entry == null || entry.id < 0 ? Integer.MAX_VALUE : entry.id,
                        number + task + " has not ended: " + doing(task.openWait(), task.threadOrNull())
                                + spawnedAt(siteOf(task), entry)));
            }
        }
        for (Entry heir : scheduler.heirs()) {
            Thread thread = heir.thread;
            if (thread != null && thread.isAlive() && !heir.background) {
                alive.add(new Alive(
                        heir.id,
                        heir + " has not ended: " + doing(heir.openWait(), thread) + spawnedAt(heir.site, heir)));
            }
        }
        alive.sort(Comparator.comparingInt(Alive::id).thenComparing(Alive::text));
        return alive.stream().map(each -> new Leak(each.text, null)).toList();
    }

    private static String doing(@Nullable Wait wait, @Nullable Thread thread) {
        if (wait != null) {
            return "waits for " + wait;
        }
        if (thread == null) {
            return "has not begun";
        }
        Object blocker = LockSupport.getBlocker(thread);
        return thread.getState() + (blocker == null ? "" : " at " + blocker);
    }

    private static String spawnedAt(@Nullable Site site, @Nullable Entry entry) {
        String spawner = entry == null ? null : entry.spawner;
        return (site == null ? "" : "; spawned at " + site.told()) + (spawner == null ? "" : " by " + spawner);
    }

    /**
     * {@return what is left once all tasks have ended: failures, things, timers}
     *
     * @param aborted whether any were aborted
     */
    List<Leak> left(boolean aborted) {
        List<Leak> left = new ArrayList<>();
        addFailures(left);
        for (Made each : made) {
            String text = each.left.left(aborted);
            if (text != null) {
                left.add(new Leak(each.thing + ": " + text + "; made at " + each.site.told(), null));
            }
        }
        for (VirtualTimers.Armed timer : scheduler.timers().allArmed()) {
            if (!(timer.target() instanceof Wait wait && wait.waiter().thread().isAlive())) {
                left.add(new Leak(
                        "a timer for " + timer.target() + " is armed for " + TestClock.format(timer.deadline())
                                + (timer.site() instanceof Site site ? "; armed at " + site.told() : ""),
                        null));
            }
        }
        return left;
    }

    /** In the order in which they came about. */
    private void addFailures(List<Leak> left) {
        Map<Throwable, String> untold = new IdentityHashMap<>();
        unjoined.forEach(each -> untold.put(each.failure, each.task));
        for (Failed each : failed) {
            boolean nobodyJoined = untold.remove(each.failure) != null;
            if ((each.aborted && tellsOfAbort(each.failure)) || seen.contains(each.failure)) {
                continue;
            }
            if (nobodyJoined) {
                left.add(leak(each, "failed and nobody joined it"));
            } else if (each.failure instanceof AssertionError) {
                left.add(leak(each, "failed"));
            }
        }
        for (Unjoined each : unjoined) { // whose failing has told nobody: a JVM without points, or too many
            if (untold.remove(each.failure) != null && !seen.contains(each.failure)) {
                left.add(leak(new Failed(each.task, each.failure, null, false), "failed and nobody joined it"));
            }
        }
        unjoined.clear(); // told
        for (Failed each : uncaught) {
            if (!(each.aborted && tellsOfAbort(each.failure))) {
                left.add(leak(each, "ended by an exception that nobody caught"));
            }
        }
    }

    private static Leak leak(Failed failed, String how) {
        return new Leak(failed.who + " " + how + ": " + failed.failure + spawnedAt(failed.site, null), failed.failure);
    }

    /** Whether an exception of a task that was aborted may be how it says so. */
    private static boolean tellsOfAbort(Throwable failure) {
        int depth = 0;
        for (Throwable e = failure; e != null && depth < 20; e = e.getCause(), depth++) {
            if (e instanceof InterruptedException
                    || e instanceof InterruptedIOException
                    || e instanceof ClosedByInterruptException) {
                return true;
            }
        }
        return false;
    }

    /** Says to the log what the runtime would have said, had it not told us: of failures, if the test did not finish. */
    void logUnjoined() {
        for (Unjoined each; (each = unjoined.poll()) != null; ) {
            if (!seen.contains(each.failure)) {
                LOG.warn("{} failed and nobody joined it", each.task, each.failure);
            }
        }
    }

    /** {@return one error that tells all, with what was thrown as its cause and suppressed} */
    static ScheduleError error(List<Leak> leaks, String replay) {
        StringBuilder text = new StringBuilder(
                leaks.size() == 1
                        ? "the test leaves something behind:"
                        : "the test leaves " + leaks.size() + " things behind:");
        Throwable cause = null;
        for (Leak leak : leaks) {
            text.append(System.lineSeparator()).append("  ").append(leak.text);
            cause = cause == null ? leak.failure : cause;
        }
        ScheduleError error = new ScheduleError(text + System.lineSeparator() + "  " + replay, cause);
        for (Leak leak : leaks) {
            if (leak.failure != null && leak.failure != cause) {
                error.addSuppressed(leak.failure);
            }
        }
        return error;
    }
}
