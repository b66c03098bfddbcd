package dev.kumihimo.test;

import dev.kumihimo.internal.carrier.BlockingPool;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/*
 * Waiting: who brings something (a task, the end of a job, an interrupt of the driving) stores `stirred` and then wakes the
 * carrier, parked or selecting. The carrier clears it before it looks at what there is, and looks at it once more when the
 * driver is seen as blocked. A wakeup lost all the same costs NAP_NANOS.
 *
 * Jobs: a job counts until all it has woken is in the queue; the carrier reads the count before it takes from the queue. So a
 * zero means that nothing more comes of jobs.
 *
 * Fields: queue, jobs, stirred, carrier: any thread. All others are the carrier's.
 */

/** What a runtime under test has to do with the world outside of it, and with real time: jobs, JDK waits, sockets. */
final class Outside {
    private static final long SETTLE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    static final long NAP_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final int MAX_JOBS = 512;
    private static final int JOB_KEEP_ALIVE_NANOS = 100_000_000;
    private static final int MOST_TOLD = 8;

    private final Sockets sockets;
    private final JdkTimers jdkTimers;
    private final TimedWaits timedWaits = new TimedWaits();
    private final Pool pool;

    private final ConcurrentLinkedQueue<Handed> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger jobs = new AtomicInteger();
    private volatile boolean stirred;
    private volatile @Nullable TestCarrier carrier;

    private final Set<Entry> elsewhere = new LinkedHashSet<>(); // parked, and not in a toolkit wait we know of
    private @Nullable Leaks leaks;
    private final Map<String, Integer> wakers = new LinkedHashMap<>();
    private long wakes;
    private String lastWake = "";
    private long timed;
    private long disturbed;
    private @Nullable String firstTimedWait;
    private final Patience settling = new Patience(SETTLE_NANOS, NAP_NANOS);
    private boolean ending;

    Outside(TestScheduler scheduler, TestRuntimeBuilder setting, String name) {
        this.sockets = new Sockets(scheduler, this, setting);
        this.jdkTimers = setting.jdkTimers;
        this.pool = new Pool(name);
    }

    /** A task that a thread outside has made ready. */
    record Handed(Entry entry, Runnable continuation, Thread waker) {}

    /* ---------------- Who drives -------------- */

    void begin(TestCarrier mine) {
        carrier = mine;
    }

    /** After this what comes is kept until the next drive. */
    void end() {
        carrier = null;
        sockets.turn(); // for who has just closed a channel, and saw a carrier that would attend to it
    }

    /** Has account kept of jobs; before there is any. */
    void watch(Leaks account) {
        leaks = account;
    }

    /** {@return whether nothing has come} */
    boolean isEmpty() {
        return queue.isEmpty();
    }

    Sockets sockets() {
        return sockets;
    }

    /** {@return who drives, or null} */
    @Nullable
    TestCarrier carrier() {
        return carrier;
    }

    /** Ends a nap; on any thread. */
    void wake() {
        stirred = true;
        LockSupport.unpark(carrier);
        sockets.wake();
    }

    /** Called before the looks after which the carrier may nap. */
    void look() {
        stirred = false;
    }

    /** Sleeps until something comes, or for a while; what comes of sockets is handed over meanwhile. */
    void nap(long nanos) {
        sockets.nap(nanos, () -> stirred);
    }

    void nap() {
        nap(NAP_NANOS);
    }

    /* ---------------- Blocking jobs -------------- */

    BlockingPool pool() {
        return pool;
    }

    int jobs() {
        return jobs.get();
    }

    /** Counts the jobs that have not ended. */
    private final class Pool extends BlockingPool {
        Pool(String name) {
            super(MAX_JOBS, JOB_KEEP_ALIVE_NANOS, name + "-blocking");
        }

        @Override
        public void execute(Runnable job) {
            jobs.incrementAndGet();
            if (leaks != null) {
                leaks.submitted(job);
            }
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
            wake();
        }
    }

    /* ---------------- What threads outside make ready -------------- */

    /** Never throws. */
    void hand(Entry entry, Runnable continuation) {
        queue.add(new Handed(entry, continuation, Thread.currentThread()));
        wake();
    }

    /** {@return the next that was made ready from outside, or null} */
    @Nullable
    Handed poll(boolean count) {
        Handed handed = queue.poll();
        if (handed != null && count) {
            count(handed);
        }
        return handed;
    }

    private void count(Handed handed) {
        if (handed.waker() == Thread.currentThread()) {
            return; // the carrier itself, with what sockets brought while nobody drove
        }
        wakes++;
        String waker = handed.waker().getName();
        String told = handed.entry() + " by " + (waker.isEmpty() ? handed.waker() : "\"" + waker + '"');
        lastWake = told;
        if (wakers.size() < MOST_TOLD || wakers.containsKey(told)) {
            wakers.merge(told, 1, Integer::sum);
        }
    }

    /** {@return whether what is idle may still be woken by a thread that we do not know of} */
    boolean mayWake() {
        return !ForkJoinPool.commonPool().isQuiescent() // before the queue, to which it brings what it wakes
                || wakes > 0
                || !elsewhere.isEmpty()
                || sockets.firstWait() != null
                || !queue.isEmpty();
    }

    /**
     * Waits, with nothing running, until something comes from outside; {@return false if nothing has within a time}
     *
     * @param come asked after each nap: whether something has come that is not in the queue
     */
    boolean await(long nanos, BooleanSupplier come) {
        Patience patience = new Patience(nanos, NAP_NANOS);
        while (true) {
            look();
            Handed first = queue.peek();
            if (first != null) {
                count(first);
                return true;
            }
            long left = patience.left();
            if (left <= 0) {
                return false;
            }
            nap(Math.min(left, NAP_NANOS));
            if (come.getAsBoolean()) {
                return true;
            }
        }
    }

    long wakes() {
        return wakes;
    }

    /** {@return what the last wake from outside was of, and by whom} */
    String lastWake() {
        return lastWake;
    }

    /* ---------------- Waits in the JDK -------------- */

    /** Takes note of a thread that has parked, and not in a wait of the toolkit's. */
    void parked(Entry entry) {
        elsewhere.add(entry);
        entry.socketWait = null;
        Thread thread = entry.thread;
        if (thread == null || thread.getState() != Thread.State.TIMED_WAITING) {
            return;
        }
        timed++;
        if (firstTimedWait == null) {
            firstTimedWait = entry + Frames.place(thread);
        }
        if (jdkTimers == JdkTimers.FORBID && !ending) {
            throw new ScheduleError("a task waits in the JDK for a time, which would be real time, and JdkTimers.FORBID"
                    + " forbids that: " + entry + Frames.place(thread)
                    + "; use Task.sleep, Timeout.call or a toolkit wait with a timeout");
        }
    }

    void unparked(Entry entry) {
        if (!elsewhere.isEmpty()) {
            elsewhere.remove(entry);
        }
    }

    Set<Entry> elsewhere() {
        return elsewhere;
    }

    /** Told that something has run: who waits begins to wait anew. */
    void ran() {
        settling.renew();
        sockets.ran();
    }

    /** Told whether what runs is to end, whatever the policies. */
    void ending(boolean value) {
        ending = value;
        sockets.ending(value);
    }

    /** Told that so many waits in the JDK have ended while others ran. */
    void disturb(int waits) {
        disturbed += waits;
    }

    TimedWaits timedWaits() {
        return timedWaits;
    }

    /** With nothing to run but what real time brings: has it bring something, or sleeps for a while. */
    void passRealTime() {
        long left = timedWaits.expire();
        if (left > 0) {
            long begin = System.nanoTime();
            nap(Math.min(left, NAP_NANOS));
            timedWaits.slept(System.nanoTime() - begin);
        }
    }

    /** {@return whether a thread sleeps in the JDK, is about to get a monitor, or has it: that ends by itself} */
    boolean waitsForRealTime() {
        boolean blocked = false;
        for (Entry entry : elsewhere) {
            Thread thread = entry.thread;
            Thread.State state = thread == null ? Thread.State.WAITING : thread.getState();
            if (state == Thread.State.TIMED_WAITING) {
                return true;
            }
            blocked |= state == Thread.State.BLOCKED || state == Thread.State.RUNNABLE; // or on its way to us
        }
        if (!blocked) {
            return false;
        }
        return settling.left() > 0; // after that its owner waits too
    }

    /* ---------------- What is told -------------- */

    /** {@return what of this makes a run hard to repeat, or nothing} */
    String summary() {
        StringBuilder text = new StringBuilder();
        if (wakes > 0) {
            text.append(", ").append(wakes).append(" wakes from outside, which a replay need not repeat: ");
            String separator = "";
            for (Map.Entry<String, Integer> told : wakers.entrySet()) {
                int times = told.getValue();
                text.append(separator).append(told.getKey()).append(times == 1 ? "" : " (" + times + " times)");
                separator = ", ";
            }
        }
        if (sockets.used()) {
            text.append(", real sockets, which no replay repeats");
        }
        if (timed > 0) {
            text.append(", ")
                    .append(timed)
                    .append(" waits in the JDK for a time, which is real time; the first: ")
                    .append(firstTimedWait);
        }
        if (disturbed > 0) {
            text.append("; ")
                    .append(disturbed)
                    .append(" of them ended while others ran on and on, which no replay repeats");
        }
        return text.toString();
    }
}
