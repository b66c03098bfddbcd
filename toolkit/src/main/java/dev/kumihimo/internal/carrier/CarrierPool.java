package dev.kumihimo.internal.carrier;

import dev.kumihimo.internal.driver.Driver;
import dev.kumihimo.internal.jdk.VirtualThreads;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jctools.queues.atomic.MpscUnboundedAtomicArrayQueue;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: a ForkJoinPool in FIFO mode under an Executor of ours, with three additions.
 * 1 Inbox. A worker runs its own queue until that is empty, so what comes from outside could starve. It goes to an MPSC
 *   inbox instead, which every carrier drains at each tick of 61 runs, and one submitted job drains when some carrier is
 *   free. Draining is behind a try-lock (`draining`); who fails to get it knows that somebody drains.
 * 2 Event loop. After each run with an empty queue a carrier drains the inbox, and if no work is queued anywhere, takes the
 *   driver and blocks in it. So an idle pool has one carrier in the selector and the others parked in the pool.
 * 3 Lazy push. What a carrier pushes to its own empty queue is not signalled: the pusher is likely to park and run it
 *   itself. What it pushes on top of that recruits another carrier. The sentinel bounds what laziness costs when the
 *   pusher does not park.
 *
 * Why the driver is never forgotten: every queued job, when it ends, looks whether anything is queued; the last one to end
 * finds nothing and takes the driver, unless somebody is in it.
 *
 * Waiting: the driver's owner publishes BLOCKED and then looks at the inbox and the queues (workQueued); who pushes from
 * outside pushes, fences and then looks for BLOCKED. One sees the other (H1 lost wakeup).
 *
 * Fields: drainRequested: 1 while a drain job is queued; set by CAS of whoever submits it, cleared by the job before it
 * drains. recruiting: likewise for the job that only wakes a carrier.
 *
 * Progress: execute() is wait-free but for the pool's own queue locks; it never throws, never blocks, and runs no user code.
 * The pool is never shut down: a continuation that is refused is a thread that never runs again, with the locks it holds.
 */

/** The carriers of a runtime, as the scheduler of its virtual threads. */
final class CarrierPool implements Executor, Scheduler, Driver.Host {
    /** How many inbox entries a carrier takes at a tick. Empirical: one tick's worth of runs. */
    private static final int DRAIN_BATCH = 64;

    /** How many carriers the sentinel may add to the pool in place of pinned ones. */
    private static final int MAX_SPARES = 64;

    /**
     * How many tasks woken by events a carrier keeps for itself: fewer are run sooner than another carrier comes, or the
     * sentinel sends one. Empirical: on HTTP with 64 connections, recruiting from the second on costs a fifth of the requests;
     * with 6, 16 and 64 they are as many. A proxy, beside which processors are idle now and then, passes on some 8 % more
     * requests with 6 to 16 than with 64 (ADR 7).
     */
    private static final int EVENT_BATCH = 8;

    /**
     * Whether a pool takes what a virtual thread on its worker submits for that worker's own. On 21 it does not: what a task
     * spawns would go to a queue for submissions, and lazily, without a signal. Once such a queue holds something, later
     * submissions to it do not signal either, and it was seen to be forgotten for good. There it goes to the inbox.
     */
    private static final boolean POOL_KNOWS_CARRIERS = Runtime.version().feature() >= 22;

    private static final long KEEP_ALIVE_MILLIS = 1_000;

    private static final VarHandle DRAIN_REQUESTED;
    private static final VarHandle DRAINING;
    private static final VarHandle RECRUITING;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            DRAIN_REQUESTED = lookup.findVarHandle(CarrierPool.class, "drainRequested", int.class);
            DRAINING = lookup.findVarHandle(CarrierPool.class, "draining", int.class);
            RECRUITING = lookup.findVarHandle(CarrierPool.class, "recruiting", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final RuntimeCore core;
    private final int parallelism;
    private final int tickInterval;
    private final ForkJoinPool pool;
    private final Driver driver;
    private final Sentinel sentinel;
    private final ThreadHooks hooks;
    private final ThreadFactory threads;
    private final Set<CarrierThread> carriers = ConcurrentHashMap.newKeySet();
    private final MpscUnboundedAtomicArrayQueue<Runnable> inbox = new MpscUnboundedAtomicArrayQueue<>(1024);

    private volatile int drainRequested;
    private volatile int draining;
    private volatile int recruiting;
    private volatile boolean lazy = true;
    private volatile int target;
    private volatile boolean closed;

    CarrierPool(
            RuntimeCore core,
            int parallelism,
            int tickInterval,
            String threadName,
            ThreadHooks hooks,
            Sentinel sentinel) {
        this.core = core;
        this.parallelism = parallelism;
        this.target = parallelism;
        this.tickInterval = tickInterval;
        this.hooks = hooks;
        this.sentinel = sentinel;
        AtomicInteger numbers = new AtomicInteger();
        this.driver = new Driver(this);
        this.pool = new ForkJoinPool(
                parallelism,
                p -> CarrierThread.apart(
                        new CarrierThread(p, this, threadName + "-carrier-" + numbers.incrementAndGet())),
                (thread, e) -> sentinel.carrierFailed(thread, e),
                true,
                0,
                parallelism + MAX_SPARES,
                0,
                p -> true,
                KEEP_ALIVE_MILLIS,
                TimeUnit.MILLISECONDS);
        this.threads = VirtualThreads.factory(this);
    }

    RuntimeCore core() {
        return core;
    }

    ThreadHooks hooks() {
        return hooks;
    }

    /** Has something logged by a system thread: a log has locks that a task may hold. */
    void report(Runnable logging) {
        sentinel.report(logging);
    }

    void started(CarrierThread carrier) {
        carriers.add(carrier);
    }

    void removed(CarrierThread carrier) {
        carriers.remove(carrier);
    }

    @Override
    public ThreadFactory threads() {
        return threads;
    }

    @Override
    public Driver driver() {
        return driver;
    }

    @Override
    public boolean isIsolated() {
        return true;
    }

    @Override
    public int parallelism() {
        return parallelism;
    }

    /* ---------------- Pushing -------------- */

    /** Takes a continuation. Called by the JDK from any thread, also with the caller pinned. */
    @Override
    public void execute(Runnable continuation) {
        if (VirtualThreads.currentCarrier() instanceof CarrierThread carrier
                && carrier.carriers == this
                && (POOL_KNOWS_CARRIERS || Thread.currentThread() == carrier)) {
            push(carrier, new Run(continuation));
        } else {
            inbox.offer(continuation);
            attend();
        }
    }

    private void push(CarrierThread carrier, Job job) {
        int before = carrier.getQueuedTaskCount();
        pool.lazySubmit(job);
        if (before >= (carrier.inDriver ? EVENT_BATCH : 1) || !lazy) {
            recruit();
        }
    }

    /** Finds somebody for work that is queued: an idle carrier, or the one in the driver. */
    private void recruit() {
        if (pool.getActiveThreadCount() < target) {
            signalIdleCarrier();
        } else {
            driver.wake();
        }
    }

    private void signalIdleCarrier() {
        if (recruiting == 0 && RECRUITING.compareAndSet(this, 0, 1)) {
            try {
                pool.externalSubmit(new Recruit());
            } catch (Throwable e) { // no memory for the job or a thread: execute() must not throw
                recruiting = 0;
                sentinel.activate();
            }
        }
    }

    /** Has the inbox drained and the driver looked after, after something was pushed from outside. */
    @Override
    public void attend() {
        VarHandle.fullFence(); // the push before, the reads after; pairs with the volatile BLOCKED in Driver.block
        if (driver.isBlocked() && pool.getActiveThreadCount() >= target) {
            driver.wake(); // its owner drains
        } else if (drainRequested == 0 && DRAIN_REQUESTED.compareAndSet(this, 0, 1)) {
            try {
                pool.externalSubmit(new Drain());
            } catch (Throwable e) { // no memory for the job or a thread: the sentinel tries again
                drainRequested = 0;
                sentinel.activate();
            }
        }
    }

    @Override
    public boolean callerAttends() {
        return VirtualThreads.currentCarrier() instanceof CarrierThread carrier && carrier.carriers == this;
    }

    /* ---------------- Running -------------- */

    /** What carriers run. Every kind ends in afterRun, which keeps inbox and driver going. */
    private abstract class Job extends ForkJoinTask<@Nullable Void> {
        private static final long serialVersionUID = 1;

        abstract void run(CarrierThread carrier);

        @Override
        protected final boolean exec() {
            CarrierThread carrier = (CarrierThread) Thread.currentThread();
            carrier.countRun();
            try {
                run(carrier);
            } catch (Throwable e) {
                sentinel.carrierFailed(carrier, e);
            }
            carrier.countRun();
            try {
                afterRun(carrier);
            } catch (Throwable e) { // no memory, most likely: somebody has to look after inbox and driver nevertheless
                attend();
                sentinel.carrierFailed(carrier, e);
            }
            return false; // never "completes": nobody joins it, and so its status needs no CAS
        }

        @Override
        public final @Nullable Void getRawResult() {
            return null;
        }

        @Override
        protected final void setRawResult(@Nullable Void value) {}
    }

    /** One stretch of a virtual thread. */
    private final class Run extends Job {
        private static final long serialVersionUID = 1;
        private transient @Nullable Runnable continuation;

        Run(Runnable continuation) {
            this.continuation = continuation;
        }

        @Override
        void run(CarrierThread carrier) {
            Runnable running = continuation;
            continuation = null; // this job's frame stays on the carrier's stack while that waits in the driver
            if (running != null) {
                running.run();
            }
        }
    }

    private final class Drain extends Job {
        private static final long serialVersionUID = 1;

        @Override
        void run(CarrierThread carrier) {
            sentinel.activate();
            drainRequested = 0;
            drainInbox(carrier);
        }
    }

    /** Wakes a carrier, which then finds work in the queues of others. */
    private final class Recruit extends Job {
        private static final long serialVersionUID = 1;

        @Override
        void run(CarrierThread carrier) {
            sentinel.activate();
            recruiting = 0;
        }
    }

    private void afterRun(CarrierThread carrier) {
        if (++carrier.sinceTick >= tickInterval) {
            carrier.sinceTick = 0;
            drainInbox(carrier);
            carrier.inDriver = true;
            try {
                driver.poll();
            } finally {
                carrier.inDriver = false;
            }
        }
        if (carrier.getQueuedTaskCount() == 0) {
            idle(carrier);
        }
    }

    /** Moves a batch from the inbox to the carrier's own queue; what remains is for the next tick, or the next idle carrier. */
    private boolean drainInbox(CarrierThread carrier) {
        if (inbox.isEmpty() || draining != 0 || !DRAINING.compareAndSet(this, 0, 1)) {
            return false;
        }
        int taken = 0;
        try {
            for (Runnable continuation; taken < DRAIN_BATCH && (continuation = inbox.relaxedPoll()) != null; taken++) {
                push(carrier, new Run(continuation));
            }
        } finally {
            draining = 0;
        }
        if (taken > 0) {
            sentinel.activate();
        }
        if (!inbox.isEmpty()) {
            attend(); // more than a batch, or a push that we met half-way
        }
        return taken > 0;
    }

    /** With the carrier's own queue empty: find something to do, or wait in the driver. */
    private void idle(CarrierThread carrier) {
        while (!drainInbox(carrier) && !queued()) {
            if (driver.hasDeferredTimers()) {
                driver.wake();
            }
            carrier.countTurn();
            carrier.inDriver = true;
            boolean turned;
            try {
                turned = driver.block(this::workWaits);
            } finally {
                carrier.inDriver = false;
                carrier.countTurn();
            }
            if (!turned) {
                return; // the pool parks us
            }
            if (closed) {
                drainInbox(carrier); // who pushed while we were blocked has left it to us
                return;
            }
            if (carrier.getQueuedTaskCount() > 0) {
                sentinel.activate();
                return;
            }
        }
    }

    /** {@return whether jobs are queued anywhere in the pool} */
    private boolean queued() {
        return pool.getQueuedTaskCount() > 0 || pool.hasQueuedSubmissions();
    }

    private boolean workWaits() {
        return closed || !inbox.isEmpty() || queued();
    }

    /* ---------------- What the sentinel does -------------- */

    Set<CarrierThread> carriers() {
        return carriers;
    }

    /** {@return whether no carrier runs or waits for anything but the driver} */
    boolean isQuiet() {
        int active = pool.getActiveThreadCount();
        return (active == 0 || active == 1 && driver.isBlocked())
                && !workWaits()
                && !driver.hasNewTimers()
                && !(active == 0 && driver.isUnattended());
    }

    /** {@return whether work from outside, or an event, waits for a carrier to look} */
    boolean outsideWaits() {
        return !inbox.isEmpty() || pool.hasQueuedSubmissions() || driver.isUnattended();
    }

    /**
     * Finds a carrier for work that waits.
     *
     * @return false if none is free
     */
    boolean findCarrier() {
        if (driver.isBlocked()) {
            driver.wake();
            return true;
        }
        if (pool.getActiveThreadCount() < target) {
            recruiting = 0;
            signalIdleCarrier();
            return true;
        }
        return false;
    }

    int spares() {
        return target - parallelism;
    }

    /** Adds a carrier in place of one that is stuck; false at the bound. */
    boolean addSpare() {
        if (spares() >= MAX_SPARES) {
            return false;
        }
        int larger = target + 1; // written by the sentinel alone
        target = larger;
        pool.setParallelism(larger);
        recruiting = 0;
        signalIdleCarrier();
        return true;
    }

    /** Lets the pool shrink to its size; a spare that runs ends when it runs out of work. */
    void retireSpares() {
        target = parallelism;
        pool.setParallelism(parallelism);
    }

    @Override
    public void close() {
        closed = true;
        lazy = false; // no sentinel from now on
        driver.close();
    }
}
