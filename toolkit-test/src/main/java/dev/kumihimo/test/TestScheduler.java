package dev.kumihimo.test;

import dev.kumihimo.internal.carrier.BlockingPool;
import dev.kumihimo.internal.carrier.ControlledScheduler;
import dev.kumihimo.internal.carrier.LiveTask;
import dev.kumihimo.internal.carrier.RuntimeCore;
import dev.kumihimo.internal.driver.VirtualTimers;
import dev.kumihimo.internal.jdk.VirtualThreads;
import dev.kumihimo.internal.wait.CancelScope;
import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.internal.wait.Wait;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
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
 * Outside: platform threads (blocking jobs, the JDK's unparker, threads of the test) hand over through `outside`. The carrier
 * reads the number of jobs under way before it looks at `outside`: a job counts until all it has woken is in there, so a zero
 * means that nothing more comes of jobs.
 *
 * Fields: all but outside, carrier, jobs, interrupted are the carrier's, handed from drive to drive by whoever drives.
 * carrier: set while somebody drives.
 */

/** Runs the virtual threads of one runtime one at a time, in the order that a {@link Strategy} says, and keeps its time. */
final class TestScheduler implements ControlledScheduler {
    /** As long as no thread makes any progress but by yielding, this many runs count as idle: time may pass. */
    private static final int YIELDS = 10_000;

    private static final long SETTLE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long NAP_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final int MAX_JOBS = 512;
    private static final int JOB_KEEP_ALIVE_NANOS = 100_000_000;

    private Strategy strategy;
    private final VirtualTimers timers = new VirtualTimers();
    private final TestClock clock = new TestClock(timers);
    private final CountingPool blocking;
    private final ThreadFactory threads;

    private final ArrayList<Entry> ready = new ArrayList<>();
    private final Ready question = new Ready(ready);
    private final ConcurrentLinkedQueue<Handed> outside = new ConcurrentLinkedQueue<>();
    private final Map<Thread, Entry> entries = Collections.synchronizedMap(new WeakHashMap<>());
    private final Set<Entry> elsewhere = new LinkedHashSet<>(); // parked, and not in a toolkit wait we know of
    private final AtomicInteger jobs = new AtomicInteger();
    private final AtomicBoolean driving = new AtomicBoolean();

    private @Nullable RuntimeCore core;
    private volatile @Nullable TestCarrier carrier;
    private volatile boolean interrupted;

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
    private String lastOutside = "";
    private long maxMoves = Long.MAX_VALUE;
    private long moves; // runs and points
    private int nextId;
    private long handedOver;
    private long fruitless;
    private long steps;
    private long outsideWakes;
    private long pinnedPoints;
    private int fired;
    private long settlingSince;
    private @Nullable Throwable failure;

    TestScheduler(Strategy strategy, String name) {
        this.strategy = strategy;
        this.blocking = new CountingPool(name);
        if (!VirtualThreads.customSchedulers()) {
            throw new IllegalStateException(
                    "a test runtime needs the JVM flag " + VirtualThreads.FLAG + " (for Maven in surefire's argLine)");
        }
        this.threads = body -> {
            Entry entry = new Entry(this, false);
            entry.key = key();
            Thread thread = VirtualThreads.factory(entry).newThread(body);
            entry.thread = thread;
            entries.put(thread, entry);
            return thread;
        };
    }

    private record Handed(Entry entry, Runnable continuation, String by) {}

    /** {@return what a thread that is being made is known by: by whom it is started, and which of that one's it is} */
    long key() {
        TestCarrier mine = carrier;
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
        return blocking;
    }

    @Override
    public void interruptLater(CancelScope scope) {
        Thread messenger = threads.newThread(scope::deliverInterrupt);
        messenger.setName("interrupter");
        messenger.start();
    }

    @Override
    public void close() {
        // whoever drives drives on: what still lives runs, with its timers
    }

    /** Counts the jobs that have not ended. */
    private final class CountingPool extends BlockingPool {
        CountingPool(String name) {
            super(MAX_JOBS, JOB_KEEP_ALIVE_NANOS, name + "-blocking");
        }

        @Override
        public void execute(Runnable job) {
            jobs.incrementAndGet();
            try {
                super.execute(job);
            } catch (Throwable e) {
                ended();
                throw e;
            }
        }

        @Override
        public boolean remove(Runnable job) {
            boolean removed = super.remove(job);
            if (removed) {
                ended();
            }
            return removed;
        }

        @Override
        protected void ended() {
            jobs.decrementAndGet();
            LockSupport.unpark(carrier);
        }
    }

    /* ---------------- What is ready -------------- */

    void know(Entry heir) {
        Thread thread = heir.thread;
        if (thread != null) {
            entries.put(thread, heir);
        }
    }

    @Nullable
    Entry entryOf(Thread thread) {
        return entries.get(thread);
    }

    /** Takes a continuation from the JDK: on any thread, also with the caller pinned; never throws. */
    void handed(Entry entry, Runnable continuation) {
        TestCarrier mine = carrier;
        if (mine != null && VirtualThreads.currentCarrier() == mine) {
            add(entry, continuation);
        } else {
            outside.add(new Handed(entry, continuation, Thread.currentThread().getName()));
            LockSupport.unpark(mine);
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
        elsewhere.remove(entry);
        handedOver++;
    }

    private boolean takeOutside(boolean count) {
        boolean any = false;
        for (Handed handed; (handed = outside.poll()) != null; any = true) {
            add(handed.entry(), handed.continuation());
            if (count) {
                outsideWakes++;
                lastOutside = handed.entry() + " by " + handed.by() + " at run " + (steps + 1);
            }
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
        } catch (RuntimeException e) {
            strategyFailed(e);
            return 0;
        }
    }

    private void strategyFailed(RuntimeException e) {
        String outsider = outsideWakes == 0 ? "" : "; the last wake from outside was " + lastOutside;
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
        carrier = mine;
        stopped = null;
        interrupted = false;
        try {
            return driveOn(reached, limit, System.nanoTime() + realNanos);
        } finally {
            carrier = null;
            only = null;
            watched = null;
            mine.drive(before);
            driving.set(false);
        }
    }

    private boolean driveOn(BooleanSupplier reached, long limit, long realEnd) {
        fruitless = 0;
        for (long turn = 0; ; turn++) {
            if (interrupted) {
                interrupted = false;
                throw new ScheduleError("the driving thread was interrupted");
            }
            if ((turn & 63) == 0 && System.nanoTime() - realEnd > 0) {
                throw new ScheduleError("out of time: this takes too long in real time");
            }
            if (reached.getAsBoolean()) {
                return true;
            }
            Entry next = next();
            rethrow(); // of the strategy
            if (next != null && fruitless <= YIELDS + ready.size()) {
                run(next);
                settlingSince = 0;
                if (stopped != null) {
                    return false;
                }
                rethrow();
            } else if (!letTimePass(limit, next != null)) {
                return false;
            }
        }
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
        lastRun = entry.id;
        yielder = entry.queued && switching == null ? entry : null;
        if (switching == null) {
            entry.stops++;
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
                elsewhere.add(entry);
            }
        }
    }

    private void rethrow() {
        Throwable e = failure;
        if (e != null) {
            failure = null;
            if (e instanceof ScheduleError error) {
                throw error;
            }
            throw new ScheduleError("the carrier met an error: " + e, e);
        }
    }

    /**
     * With nothing to run: waits for what comes from outside, in real time and with the clock standing, else lets the clock
     * jump.
     *
     * @return false if neither would bring anything
     */
    private boolean letTimePass(long limit, boolean circling) {
        boolean expectsMore = jobs.get() > 0; // before we look: see above
        if (takeOutside(true)) {
            return true;
        }
        if (expectsMore || waitsForRealTime()) {
            LockSupport.parkNanos(this, NAP_NANOS);
            return true;
        }
        if (only != null) {
            return false;
        }
        long next = timers.next();
        if (next > limit || next == Long.MAX_VALUE) {
            if (circling) {
                throw new ScheduleError("livelock: the last " + fruitless + " runs did nothing but yield");
            }
            return false;
        }
        fired += timers.moveTo(next);
        fruitless = 0;
        return true;
    }

    /** Whether a thread sleeps in the JDK, or is about to get a monitor: that ends by itself. */
    private boolean waitsForRealTime() {
        boolean blocked = false;
        for (Entry entry : elsewhere) {
            Thread thread = entry.thread;
            Thread.State state = thread == null ? Thread.State.WAITING : thread.getState();
            if (state == Thread.State.TIMED_WAITING) {
                return true;
            }
            blocked |= state == Thread.State.BLOCKED;
        }
        if (!blocked) {
            return false;
        }
        long now = System.nanoTime();
        if (settlingSince == 0) {
            settlingSince = now;
        }
        return now - settlingSince < SETTLE_NANOS; // after that its owner waits too
    }

    /** {@return whether what is idle may still be woken by a thread that we do not know of} */
    boolean mayBeWokenFromOutside() {
        return outsideWakes > 0 || !elsewhere.isEmpty();
    }

    /** {@return whether anything came from outside within a time} */
    boolean awaitOutside(long nanos) {
        long end = System.nanoTime() + nanos;
        while (outside.isEmpty()) {
            long left = end - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            LockSupport.parkNanos(this, Math.min(left, NAP_NANOS));
        }
        outsideWakes++;
        return true;
    }

    /** Counts a step; one too many ends the drive. */
    private void moved() {
        if (++moves > maxMoves && failure == null) {
            failure = new ScheduleError("livelock: more than " + maxMoves + " steps, of " + steps + " runs");
            maxMoves = Long.MAX_VALUE; // there is the end to come
        }
    }

    /** Sets how many runs and points there may be. */
    void limitMoves(long most) {
        maxMoves = most;
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
        } catch (RuntimeException e) {
            strategyFailed(e);
            return 0;
        }
    }

    /* ---------------- What others see -------------- */

    /** {@return who runs now; racy, for reports} */
    @Nullable
    Thread running() {
        Entry here = current;
        return here == null ? null : here.thread;
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

    /** Told that the thread that drives was interrupted. */
    void interrupt() {
        interrupted = true;
        LockSupport.unpark(carrier);
    }

    int takeFired() {
        int count = fired;
        fired = 0;
        return count;
    }

    List<Entry> readyNow() {
        if (carrier == null) {
            takeOutside(false);
        }
        return List.copyOf(ready);
    }

    List<Entry> elsewhere() {
        return List.copyOf(elsewhere);
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
        return outsideWakes;
    }

    long pinnedPoints() {
        return pinnedPoints;
    }

    int jobs() {
        return jobs.get();
    }

    long deadlineOf(Wait wait) {
        return timers.deadlineOf(wait);
    }
}
