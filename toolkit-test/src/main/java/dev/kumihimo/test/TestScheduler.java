package dev.kumihimo.test;

import dev.kumihimo.internal.carrier.BlockingPool;
import dev.kumihimo.internal.carrier.ControlledScheduler;
import dev.kumihimo.internal.carrier.LiveTask;
import dev.kumihimo.internal.carrier.RuntimeCore;
import dev.kumihimo.internal.driver.Driver;
import dev.kumihimo.internal.driver.VirtualTimers;
import dev.kumihimo.internal.jdk.VirtualThreads;
import dev.kumihimo.internal.wait.CancelScope;
import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.WeakHashMap;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: one carrier, one list of ready threads, one strategy that says which of them is next. What is ready is exact,
 * since nothing else runs: a thread that makes another ready does it on this very carrier, in the call. So "nothing is ready"
 * is a fact, and then, and only then, time may pass.
 *
 * Points: a thread that reaches one asks the strategy first, and yields only if another was chosen; so a point costs a call,
 * not a switch. Never while it holds a spin lock, or who wants that lock would spin for ever.
 *
 * Outside: platform threads (blocking jobs, the JDK's unparker, threads of the test) hand over through `outside`.
 *
 * Fields: all but outside, current, interrupted, asked are the carrier's, handed from drive to drive by whoever drives. current,
 * steps: also read by who watches whether the carrier is held. asked: written by any thread, taken by the carrier between two
 * runs.
 */

/** Runs the virtual threads of one runtime one at a time, in the order that a {@link Strategy} says, and keeps its time. */
final class TestScheduler implements ControlledScheduler {
    /** As long as no thread makes any progress but by yielding, this many runs count as idle: time may pass. */
    private static final int YIELDS = 10_000;

    /** How many more runs they then have after each nap, while a blocking job is under way. */
    private static final int TURNS = 100;

    /** How many runs what is aborted may take to end. */
    private static final long CLOSING_STEPS = 100_000;

    private static final int MOST_TOLD = 10;
    private static final ScheduleError TOO_MANY = new ScheduleError("too many runs and points"); // never thrown itself

    private Strategy strategy;
    private final VirtualTimers timers = new VirtualTimers();
    private final TestClock clock = new TestClock(timers);
    private final Outside outside;
    private final Sockets sockets;
    private final long maxSteps;
    private final long virtualLimit;
    private final ThreadFactory threads;

    private final ArrayList<Entry> ready = new ArrayList<>();
    private final Ready question = new Ready(ready);
    private final Map<Thread, Entry> entries = Collections.synchronizedMap(new WeakHashMap<>());
    private final AtomicBoolean driving = new AtomicBoolean();

    private @Nullable Leaks leaks;
    private @Nullable RuntimeCore core;
    private volatile boolean interrupted;
    private final AtomicReference<@Nullable Runnable> asked = new AtomicReference<>();
    private long realStart; // where the clock's 0 lies in real time, if it follows that
    private boolean realTime;

    private final Deadlocks deadlocks = new Deadlocks(this);
    private final Record record = new Record();
    private volatile @Nullable Entry current;
    private @Nullable Entry chosen; // at a point: who is next
    private @Nullable Entry only; // who alone may run
    private @Nullable Entry stopped; // at a point, by stopAt
    private @Nullable Entry switching; // about to yield at a point
    private @Nullable Entry watched;
    private long watchedPoint;
    private @Nullable Consumer<Point> listener;
    private @Nullable Interleaving watcher;
    private @Nullable Entry yielder; // ran last, and yielded
    private int lastRun = -1;
    private int foreigners; // threads that were not started by one of these
    private final boolean countsPoints;
    private long moves; // runs and points of this drive
    private int nextId;
    private long handedOver;
    private long fruitless;
    private long steps;
    private long stepsBefore; // this drive
    private boolean closing;
    private long pinnedPoints;
    private int fired;
    private @Nullable Throwable failure;

    TestScheduler(TestRuntimeBuilder setting, Strategy strategy, String name) {
        this.strategy = strategy;
        this.outside = new Outside(this, setting, name);
        this.sockets = outside.sockets();
        this.maxSteps = setting.maxSteps;
        this.countsPoints = setting.countsPoints;
        this.virtualLimit = TimerService.toNanos(setting.virtualLimit);
        timers.sockets(sockets::driver);
        OpenedJdk.require();
        this.threads = body -> {
            Entry entry = new Entry(this, false);
            if (leaks != null) {
                leaks.spawned(entry);
            }
            return newThread(entry, body);
        };
    }

    private Thread newThread(Entry entry, Runnable body) {
        entry.key = key();
        Thread thread = VirtualThreads.factory(entry).newThread(body);
        entry.thread = thread;
        entries.put(thread, entry);
        return thread;
    }

    /** Has account kept of what is made; before there is anything. */
    void watch(Leaks account) {
        leaks = account;
        outside.watch(account);
    }

    @Nullable
    Leaks leaks() {
        return leaks;
    }

    /** {@return what a thread that is being made is known by: by whom it is started, and which of that one's it is} */
    long key() {
        TestCarrier mine = outside.carrier();
        Entry parent = mine != null && VirtualThreads.currentCarrier() == mine ? current : null;
        return Rng.of(parent == null ? ++foreigners : parent.key * 31 + ++parent.children)
                .nextLong();
    }

    /* ---------------- What the runtime asks of it -------------- */

    @Override
    public void attach(RuntimeCore runtime) {
        core = runtime;
    }

    RuntimeCore core() {
        return Objects.requireNonNull(core);
    }

    @Override
    public ThreadFactory threads() {
        return threads;
    }

    @Override
    public VirtualTimers timers() {
        return timers;
    }

    @Override
    public TestClock instantSource() {
        return clock;
    }

    @Override
    public BlockingPool blocking() {
        return outside.pool();
    }

    @Override
    public Driver driver() {
        return sockets.driver();
    }

    @Override
    public void interruptLater(CancelScope scope) {
        Thread messenger = newThread(new Entry(this, false), scope::deliverInterrupt);
        messenger.setName("interrupter");
        messenger.start();
    }

    @Override
    public void close() {
        // whoever drives drives on: what still lives runs, with its timers
    }

    /* ---------------- What is ready -------------- */

    void know(Entry heir) {
        Thread thread = heir.thread;
        if (thread != null) {
            entries.put(thread, heir);
            if (leaks != null) {
                leaks.started(heir);
            }
        }
    }

    /** {@return the raw threads that tasks have started, and that have not been seen to end} */
    List<Entry> heirs() {
        synchronized (entries) {
            return entries.values().stream().filter(Entry::isHeir).toList();
        }
    }

    @Nullable
    Entry entryOf(Thread thread) {
        return entries.get(thread);
    }

    /** Takes a continuation from the JDK: on any thread, also with the caller pinned; never throws. */
    void handed(Entry entry, Runnable continuation) {
        TestCarrier mine = outside.carrier();
        if (mine != null && VirtualThreads.currentCarrier() == mine) {
            add(entry, continuation);
        } else {
            outside.hand(entry, continuation);
        }
    }

    private void add(Entry entry, Runnable continuation) {
        if (entry.queued) {
            return; // handed over twice, by a look at its stack: to run it once is enough
        }
        entry.queued = true;
        entry.continuation = continuation;
        if (entry.id < 0) {
            entry.id = nextId++;
        }
        ready.add(entry);
        outside.unparked(entry);
        handedOver++;
        if (current == null) {
            fruitless = 0; // it came between two runs, and may do more than yield
        }
    }

    private boolean takeOutside(boolean count) {
        boolean any = false;
        for (Outside.Handed handed; (handed = outside.poll(count)) != null; any = true) {
            add(handed.entry(), handed.continuation());
        }
        return any;
    }

    private @Nullable Entry next() {
        takeOutside(true);
        Entry next = chosen;
        if (next != null) {
            chosen = null;
            return next;
        }
        if (only != null) {
            return only.queued ? only : null;
        }
        if (ready.size() < 2) {
            return ready.isEmpty() ? null : ready.get(0);
        }
        if (fruitless > YIELDS) {
            return ready.get(0); // each has a turn, whatever the strategy has against it, before they all count as idle
        }
        int index = choose(question.after(lastRun, yielder));
        return failure == null ? ready.get(index) : null;
    }

    /** {@return what the strategy chooses, and 0 if it fails: the drive ends then before anything else is run} */
    private int choose(Ready choice) {
        try {
            int index = strategy.choose(choice);
            if (index < 0 || index >= choice.size()) {
                throw new IllegalStateException("it chose " + index + " of " + choice.size());
            }
            record.choice(choice, index);
            return index;
        } catch (RuntimeException | Error e) {
            strategyFailed(e);
            return 0;
        }
    }

    private void strategyFailed(Throwable e) {
        String outsider = outside.wakes() == 0 ? "" : "; the last wake from outside was " + outside.lastWake();
        strategy = Strategy.fifo(); // for the end
        failure = e instanceof Divergence
                ? new ScheduleError(e.getMessage() + outsider, e)
                : new ScheduleError("the strategy failed: " + e, e);
    }

    /* ---------------- Running -------------- */

    /**
     * Runs what is ready, and moves the clock when nothing is, until something is reached.
     *
     * @param reached looked at between any two runs
     * @param limit up to when the clock may move
     * @param realNanos how long this may take
     * @return false if there is nothing more to run, and no timer up to the limit
     */
    boolean drive(BooleanSupplier reached, long limit, long realNanos) {
        TestCarrier mine = TestCarrier.current();
        if (mine == null) {
            throw new IllegalStateException("not on a test carrier");
        }
        if (!driving.compareAndSet(false, true)) {
            throw new IllegalStateException("somebody else is driving this runtime");
        }
        TestScheduler before = mine.drive(this);
        takeOutside(false); // what came while all was at rest
        outside.begin(mine);
        stopped = null;
        stepsBefore = steps;
        moves = 0;
        try {
            return driveOn(reached, limit, System.nanoTime() + realNanos);
        } finally {
            outside.end();
            only = null;
            watched = null;
            mine.drive(before);
            driving.set(false);
        }
    }

    private boolean driveOn(BooleanSupplier reached, long limit, long realEnd) {
        fruitless = 0;
        int busy = 0;
        for (long turn = 0; ; turn++) {
            if (interrupted) {
                interrupted = false;
                throw new ScheduleError("the driving thread was interrupted");
            }
            if ((turn & 63) == 0 && System.nanoTime() - realEnd > 0) {
                throw new ScheduleError("out of time: this takes too long in real time");
            }
            if (realTime) {
                timedWaits().expireOverdue();
            } else if (busy >= YIELDS) {
                busy = 0;
                outside.disturb(timedWaits().expireOverdue()); // who is never idle must not have others sleep for ever
            }
            answer();
            if (realTime) {
                fired += timers.moveTo(Math.min(limit, sinceStart()));
            }
            if (reached.getAsBoolean()) {
                return true;
            }
            if (fruitless > 0) {
                sockets.turn(); // who yields may wait for a channel to be let go
            } else {
                sockets.turnSometimes();
            }
            Entry next = next();
            rethrow(); // of the strategy
            if (next != null && fruitless <= YIELDS + ready.size()) {
                ensureFewSteps();
                run(next);
                busy++;
                outside.ran();
                if (stopped != null) {
                    return false;
                }
                rethrow();
                deadlocks.left(next);
            } else if (letTimePass(limit, next != null)) {
                busy = 0;
            } else {
                return false;
            }
        }
    }

    private void ensureFewSteps() {
        long most = closing ? CLOSING_STEPS : maxSteps;
        if (steps - stepsBefore >= most) {
            throw new ScheduleError((closing ? "what was aborted has not ended within " : "livelock: not done after ")
                    + most + " runs (maxSteps); ready:" + readyPlaces());
        }
    }

    /** {@return where those are that are ready, a line for each} Drivers only: it may hand them over again. */
    private String readyPlaces() {
        StringBuilder places = new StringBuilder();
        for (Entry entry : ready.subList(0, Math.min(ready.size(), MOST_TOLD))) {
            places.append(System.lineSeparator()).append("    ").append(entry).append(Frames.place(entry.thread));
        }
        return places.toString();
    }

    private void run(Entry entry) {
        ready.remove(entry);
        entry.queued = false;
        Runnable continuation = Objects.requireNonNull(entry.continuation);
        entry.continuation = null;
        switching = null;
        current = entry;
        steps++;
        moved();
        record.ran(entry.id);
        long before = handedOver;
        try {
            continuation.run();
        } catch (Throwable e) {
            failure = e; // the JDK lets nothing out, unless it is broken or out of memory
        }
        current = null;
        entry.left(timers.nanoTime());
        lastRun = entry.id;
        yielder = entry.queued && switching == null ? entry : null;
        if (switching == null) {
            entry.stops++;
            entry.yields = entry.queued ? entry.yields + 1 : 0;
        }
        if (watcher != null) {
            watcher.ran(entry, switching != null);
        }
        boolean yieldedOnly = entry.queued && handedOver == before + 1 && switching == null;
        fruitless = yieldedOnly ? fruitless + 1 : 0;
        if (!entry.queued) {
            if (!entry.isAlive()) {
                entry.ended();
            } else if (entry.openWait() == null) {
                outside.parked(entry);
            }
        }
    }

    private void rethrow() {
        Throwable e = failure;
        if (e != null) {
            failure = null;
            if (e == TOO_MANY) {
                throw new ScheduleError(
                        "livelock: not done after " + maxSteps + " runs and points (maxSteps); ready:" + readyPlaces());
            }
            if (e instanceof ScheduleError error) {
                throw error;
            }
            throw new ScheduleError("the carrier met an error: " + e, e);
        }
        sockets.rethrowRefused();
    }

    /**
     * With nothing to run: waits for what comes from outside, in real time and with the clock standing, else lets the clock
     * jump.
     *
     * @return false if neither would bring anything
     */
    private boolean letTimePass(long limit, boolean circling) {
        outside.look();
        long before = handedOver;
        boolean expectsMore = outside.jobs() > 0; // before we take in what has come: see Outside
        sockets.turn();
        takeOutside(true);
        if (handedOver != before) {
            return true;
        }
        if (expectsMore || outside.waitsForRealTime()) {
            outside.passRealTime();
            if (expectsMore && circling) {
                fruitless = YIELDS - TURNS; // the job may wait for one of those who yield
            }
            return true;
        }
        if (only != null) {
            return false;
        }
        if (!circling && deadlocks.idle()) {
            return true;
        }
        long next = timers.next();
        boolean armed = next <= limit && next != Long.MAX_VALUE;
        if (realTime && armed) { // the clock is nobody's to hold
            outside.nap(Math.min(Outside.NAP_NANOS, next - sinceStart()));
            return true;
        }
        if (sockets.holdClock(armed) || handedOver != before) { // to look where a thread is may hand it over
            return true;
        }
        if (!armed) {
            if (circling) {
                throw new ScheduleError("livelock: the last " + fruitless
                        + " runs did nothing but yield, and no deadline is left; of:" + readyPlaces());
            }
            return false;
        }
        if (next > virtualLimit && !closing) {
            throw new ScheduleError("out of virtual time: nothing can run, and the next deadline, "
                    + TestClock.format(next) + ", is beyond the virtualLimit of " + TestClock.format(virtualLimit)
                    + "; " + timers.armed() + " timers are armed");
        }
        fired += timers.moveTo(next);
        fruitless = 0;
        return true;
    }

    /** Has the clock follow real time from now on, before the first drive. */
    void followRealTime() {
        realTime = true;
        realStart = System.nanoTime();
    }

    private long sinceStart() {
        return System.nanoTime() - realStart;
    }

    /** Tells it that what runs from now on is to end. */
    void closing(boolean value) {
        closing = value;
        outside.ending(value);
    }

    /** Lets go of what it had of the system. */
    void release() {
        sockets.close();
    }

    /** {@return whether what is idle may still be woken by a thread that we do not know of} */
    boolean mayBeWokenFromOutside() {
        return outside.mayWake();
    }

    /** Sleeps until something comes from outside, or for a while. On the carrier, with nothing to run. */
    void nap() {
        outside.nap();
    }

    /** {@return whether anything came from outside within a time, or an interrupt of who drives} */
    boolean awaitOutside(TestCarrier mine, long nanos) {
        outside.begin(mine); // who brings something wakes us, and leaves to us what is ours
        try {
            return outside.await(nanos, () -> {
                answer();
                return interrupted || !ready.isEmpty(); // what sockets bring is ready at once
            });
        } finally {
            outside.end();
        }
    }

    /** Counts a run or a point; one too many ends the drive. */
    private void moved() {
        if (++moves > maxSteps && countsPoints && !closing && failure == null) {
            failure = TOO_MANY;
        }
    }

    /** Has all that is run noted. */
    void watch(@Nullable Interleaving by) {
        watcher = by;
    }

    /* ---------------- Points -------------- */

    /** Lets one thread alone run in the next drive. */
    void runOnly(Entry entry) {
        only = entry;
    }

    /** Has the next drive stop where a thread reaches its point of a number. */
    void stopAt(Entry entry, long point) {
        watched = entry;
        watchedPoint = point;
    }

    boolean hasStopped() {
        return stopped != null;
    }

    void listen(@Nullable Consumer<Point> to) {
        listener = to;
    }

    void reached(Points.Kind kind, Object at) {
        Entry here = current;
        if (here == null || here.locks > 0) {
            return;
        }
        here.points++;
        if (kind == Points.Kind.PARK || kind == Points.Kind.RESUME) {
            here.parked = kind == Points.Kind.PARK ? (Wait) at : null;
        }
        moved();
        if (watcher != null) {
            here.locks++; // as below
            try {
                watcher.reached(here, kind, at);
            } finally {
                here.locks--;
            }
        }
        Consumer<Point> hearing = listener;
        if (hearing != null) {
            here.locks++; // should it take one, that is no point
            try {
                hearing.accept(new Point(here.toString(), here.points, kind.name(), String.valueOf(at)));
            } finally {
                here.locks--;
            }
        }
        if (here == watched && here.points >= watchedPoint) {
            stopped = here;
        } else if (failure == null) {
            if (only != null) {
                return;
            }
            takeOutside(true);
            if (ready.isEmpty()) {
                return;
            }
            int index = choose(question.at(Record.kindOf(kind), here));
            if (index > 0) {
                chosen = ready.get(index - 1);
            } else if (failure == null) {
                return;
            }
        } // else the drive ends as soon as this has left
        switching = here;
        Thread.yield();
        if (switching == here) { // pinned: it did not leave
            switching = null;
            chosen = null;
            stopped = null;
            pinnedPoints++;
        }
    }

    void locking() {
        Entry here = current;
        if (here != null) {
            here.locks++;
        }
    }

    boolean unlocked() {
        Entry here = current;
        return here != null && --here.locks == 0;
    }

    int draw(int bound) {
        if (bound < 2 || failure != null) {
            return 0;
        }
        try {
            int drawn = strategy.draw(bound);
            if (drawn < 0 || drawn >= bound) {
                throw new IllegalStateException("it drew " + drawn + " of " + bound);
            }
            record.draw(bound, drawn);
            return drawn;
        } catch (RuntimeException | Error e) {
            strategyFailed(e);
            return 0;
        }
    }

    /* ---------------- What others see -------------- */

    TimedWaits timedWaits() {
        return outside.timedWaits();
    }

    /** {@return who runs now; racy, for who watches} */
    @Nullable
    Entry runningEntry() {
        return current;
    }

    Deadlocks deadlocks() {
        return deadlocks;
    }

    /** {@return who runs now; racy, for reports} */
    @Nullable
    Thread running() {
        Entry here = current;
        return here == null ? null : here.thread;
    }

    /** {@return the thread of ours that is the caller, or null} */
    @Nullable
    Entry runningHere() {
        return Thread.currentThread().isVirtual() && VirtualThreads.currentCarrier() == outside.carrier()
                ? current
                : null;
    }

    /** {@return whether nothing is ready} By who drives. */
    boolean isAtRest() {
        return ready.isEmpty() && outside.isEmpty();
    }

    /** {@return who is next} Something must be ready. */
    Entry pick() {
        return ready.size() == 1 ? ready.get(0) : ready.get(choose(question.after(lastRun, yielder)));
    }

    /** Does something on the carrier that hands over tasks, as the end of a runtime does, and runs none. */
    void shutDown(Runnable ending) {
        drive(
                () -> {
                    ending.run();
                    return true;
                },
                timers.nanoTime(),
                Long.MAX_VALUE / 2);
    }

    /** {@return whether somebody drives} */
    boolean isDriven() {
        return outside.carrier() != null;
    }

    /** Has the carrier do something between two runs, as soon as it comes to it. */
    void ask(Runnable question) {
        asked.accumulateAndGet(
                question,
                (before, next) -> before == null
                        ? next
                        : () -> {
                            before.run();
                            Objects.requireNonNull(next).run();
                        });
        outside.wake();
    }

    private void answer() {
        if (asked.get() != null) { // one read where nobody asks
            Runnable question = asked.getAndSet(null);
            if (question != null) {
                question.run();
            }
        }
    }

    /** {@return where the carrier is, if somebody drives} */
    String stack() {
        TestCarrier mine = outside.carrier();
        return mine == null ? "" : mine.stack();
    }

    /** Told that the thread that drives was interrupted: the drive under way ends, or the next. */
    void interrupt() {
        interrupted = true;
        outside.wake();
    }

    /** Told that what begins now is not what an interrupt so far was meant for. */
    void forgetInterrupt() {
        interrupted = false;
    }

    int takeFired() {
        int count = fired;
        fired = 0;
        return count;
    }

    /** {@return what is ready while nobody drives, also by the end of a wait in the JDK whose time has come} */
    List<Entry> readyAtRest() {
        if (!isDriven()) {
            timedWaits().expireOverdue();
        }
        return readyNow();
    }

    List<Entry> readyNow() {
        if (outside.carrier() == null) {
            takeOutside(false);
        }
        return List.copyOf(ready);
    }

    List<Entry> elsewhere() {
        return List.copyOf(outside.elsewhere());
    }

    /** {@return the threads in toolkit waits that are no tasks} */
    List<Entry> waitingHeirs() {
        synchronized (entries) {
            return entries.values().stream()
                    .filter(entry -> entry.parked != null && entry.isAlive())
                    .sorted(Comparator.comparingInt(entry -> entry.id))
                    .toList();
        }
    }

    @Nullable
    Entry entryOf(LiveTask task) {
        Thread thread = task.threadOrNull();
        return thread == null ? null : entries.get(thread);
    }

    Record record() {
        return record;
    }

    long steps() {
        return steps;
    }

    long outsideWakes() {
        return outside.wakes();
    }

    /** {@return what came from outside and makes the run hard to repeat, in words} */
    String outsideSummary() {
        return outside.summary();
    }

    long pinnedPoints() {
        return pinnedPoints;
    }

    int jobs() {
        return outside.jobs();
    }

    long deadlineOf(Wait wait) {
        return timers.deadlineOf(wait);
    }
}
