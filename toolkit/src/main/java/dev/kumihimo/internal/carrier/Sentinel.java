package dev.kumihimo.internal.carrier;

import dev.kumihimo.internal.wait.CancelScope;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jctools.queues.atomic.MpscLinkedAtomicQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/*
 * Algorithm: a watchdog over the carriers' run counters, asleep while they are idle. Go's sysmon is the model.
 *
 * Waiting: it publishes `asleep` and then looks whether all is quiet; a carrier that becomes busy is active in the pool, or
 * has left the driver's BLOCKED state, before it looks at `asleep`. One sees the other (H1). An interrupt to deliver is
 * queued before the unpark, whose permit stays.
 */

/**
 * The one platform thread of a runtime that watches: it finds a carrier for work that stands still, adds a spare one when
 * all are stuck, and has interrupts delivered, which carrier code may not do. It sleeps while the carriers are idle.
 */
final class Sentinel implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger("dev.kumihimo.runtime");

    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(4);
    private static final long SUSPICIOUS_TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long STUCK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long RETIRE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final String runtime;
    private final Executor systemTasks;
    private final TaskRegistry registry;
    private final Thread thread;
    private final MpscLinkedAtomicQueue<CancelScope> interrupts = new MpscLinkedAtomicQueue<>();

    private @Nullable CarrierPool pool;
    private volatile boolean asleep;
    private volatile boolean stopped;
    private long lastLook;
    private long lastStuck;
    private boolean outsideWaited;

    Sentinel(String runtime, Executor systemTasks, TaskRegistry registry) {
        this.runtime = runtime;
        this.systemTasks = systemTasks;
        this.registry = registry;
        this.thread = new Thread(null, this, runtime + "-sentinel", 0, false);
        thread.setDaemon(true);
    }

    /** Starts to watch carriers, or, if null, only to deliver interrupts. */
    void start(@Nullable CarrierPool carriers) {
        this.pool = carriers;
        thread.start();
    }

    void stop() {
        stopped = true;
        LockSupport.unpark(thread);
    }

    /** Told that the carriers have something to do. Carrier side. */
    void activate() {
        if (asleep) {
            asleep = false;
            LockSupport.unpark(thread);
        }
    }

    /** Has the thread of a cancelled scope interrupted, by a system task. Carrier side. */
    void interruptLater(CancelScope scope) {
        interrupts.offer(scope);
        LockSupport.unpark(thread);
        if (stopped) { // a thread that outlives its runtime; if the last look met it, it is interrupted once all the
            // same
            systemTasks.execute(scope::deliverInterrupt);
        }
    }

    /** Told of an exception that left a continuation or a worker, which only a broken JDK or a lack of memory brings about. */
    void carrierFailed(Thread carrier, Throwable e) {
        report(() -> LOG.error("carrier {} of runtime {} met an error", carrier.getName(), runtime, e));
    }

    /** Has something logged, by a system task. Carrier side. */
    void report(Runnable logging) {
        systemTasks.execute(logging);
    }

    @Override
    public void run() {
        boolean suspicious = false;
        while (!stopped) {
            try {
                sleep(suspicious);
                deliverInterrupts();
                CarrierPool carriers = pool;
                if (carriers != null) {
                    suspicious = look(carriers);
                }
            } catch (Throwable e) { // a sentinel that dies is missed later, and by others
                LOG.error("the sentinel of runtime {} met an error", runtime, e);
            }
        }
        deliverInterrupts();
    }

    private void sleep(boolean suspicious) {
        CarrierPool carriers = pool;
        if (carriers == null || carriers.isQuiet()) {
            asleep = true; // volatile, before we look again
            if (carriers == null || carriers.isQuiet()) {
                while (asleep && !stopped && interrupts.isEmpty()) {
                    LockSupport.park(this);
                }
                asleep = false;
                return;
            }
            asleep = false;
        }
        LockSupport.parkNanos(this, suspicious ? SUSPICIOUS_TICK_NANOS : TICK_NANOS);
    }

    private void deliverInterrupts() {
        for (CancelScope scope; (scope = interrupts.poll()) != null; ) {
            try {
                systemTasks.execute(scope::deliverInterrupt);
            } catch (Throwable e) { // no memory for a thread
                interrupts.offer(scope);
                throw e;
            }
        }
    }

    /** One look at the carriers. Returns whether something stands still, so that the next look comes soon. */
    private boolean look(CarrierPool carriers) {
        long now = System.nanoTime();
        if (now - lastLook > STUCK_NANOS / 2) {
            // We were not run either: asleep, or the JVM or the machine stood still. That is nobody's fault.
            carriers.carriers().forEach(carrier -> carrier.stillSince = now);
        }
        lastLook = now;
        boolean anyMoved = false;
        boolean workStands = false;
        boolean anyStealing = false;
        CarrierThread stuck = null;
        boolean crowded = false;
        for (CarrierThread carrier : carriers.carriers()) {
            long runs = carrier.runs();
            boolean hasQueue = carrier.getQueuedTaskCount() > 1;
            crowded |= hasQueue && carrier.hadQueue;
            carrier.hadQueue = hasQueue;
            if (runs != carrier.seenRuns) {
                carrier.seenRuns = runs;
                carrier.stillSince = now;
                carrier.covered = false;
                anyMoved = true;
                anyStealing |= carrier.getQueuedTaskCount() == 0; // it lives on what others have queued
            } else if (carrier.getQueuedTaskCount() > 0) {
                workStands = true;
            }
            if (!carrier.covered && now - carrier.stillSince >= STUCK_NANOS && isRunning(carrier)) {
                stuck = carrier;
            }
        }
        boolean outside = carriers.outsideWaits();
        boolean outsideStands = outside && (outsideWaited || !anyMoved);
        outsideWaited = outside;
        if (carriers.driver().hasNewTimers()) {
            carriers.driver().wake(); // a deferred timer to sleep for, or cancelled ones to let go of
        }
        if (workStands || outsideStands) {
            if (outsideStands) {
                carriers.carriers().forEach(carrier -> carrier.sinceTick = Integer.MAX_VALUE - 1);
            }
            if (!carriers.findCarrier() && stuck != null && !anyStealing) {
                replace(carriers, stuck);
                lastStuck = now;
            }
        } else if (crowded) {
            carriers.findCarrier(); // the carrier keeps up with nothing but its own queue: let others share it
        } else if (carriers.spares() > 0 && stuck == null && now - lastStuck > RETIRE_NANOS) {
            carriers.retireSpares();
        }
        logFailure(carriers);
        return workStands || outside;
    }

    /** An even count is between runs: parked in the pool, looking for work, or in the driver. */
    private static boolean isRunning(CarrierThread carrier) {
        return (carrier.seenRuns & 1) != 0;
    }

    private void replace(CarrierPool carriers, CarrierThread stuck) {
        stuck.covered = true;
        boolean added = carriers.addSpare();
        LiveTask task = registry.mountedOn(stuck);
        StringBuilder stack = new StringBuilder();
        Thread holder = task == null ? stuck : task.thread();
        for (StackTraceElement frame : holder.getStackTrace()) {
            stack.append(System.lineSeparator()).append("    at ").append(frame);
        }
        LOG.warn(
                "{} has held carrier {} of runtime {} for over {} ms while others wait: it is pinned, in native code or"
                        + " computing. {}. It is at:{}",
                task == null ? "a thread that is no task" : task.toString(),
                stuck.getName(),
                runtime,
                TimeUnit.NANOSECONDS.toMillis(STUCK_NANOS),
                added ? "A spare carrier runs the others" : "No more spare carriers are allowed",
                stack);
    }

    private void logFailure(CarrierPool carriers) {
        Throwable failure = carriers.driver().takeFailure();
        if (failure != null) {
            LOG.error("the selector of runtime {} failed", runtime, failure);
        }
    }
}
