package dev.kumihimo.internal.wait;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A thread as the wait room sees it: its open wait, its innermost cancelled region and its budget. A task is one, and is
 * found through the uncaught-exception handler of its thread, which costs less than a thread-local; every other thread gets
 * one lazily, in a thread-local. It is also the outermost {@link CancelScope} of the thread.
 */
public abstract class Waiter extends CancelScope implements Thread.UncaughtExceptionHandler {
    /** Operations that a task may complete without waiting before it yields. Tokio's figure. */
    private static final int BUDGET = 128;

    private static final ThreadLocal<@Nullable Waiter> FOREIGN = new ThreadLocal<>();
    private static volatile @Nullable Function<Thread, Waiter> foreignFactory;

    /** The wait this thread is in, or null. Written by the owner, read by cancellers and dumps. */
    volatile @Nullable Wait open;

    /** The innermost region; never null. See {@link CancelScope} for who may read it. */
    CancelScope scope;

    private int budget = BUDGET; // owner only

    /** Creates the waiter of a thread that is in no region. */
    protected Waiter() {
        scope = this;
    }

    /** {@return the waiter of the calling thread} */
    public static Waiter current() {
        Thread thread = Thread.currentThread();
        if (thread.getUncaughtExceptionHandler() instanceof Waiter waiter && waiter.thread() == thread) {
            return waiter;
        }
        return foreign(thread);
    }

    /** {@return the waiter of the calling thread if it is a task or a blocking job, else null} */
    public static @Nullable Waiter currentTask() {
        Thread thread = Thread.currentThread();
        return thread.getUncaughtExceptionHandler() instanceof Waiter waiter && waiter.thread() == thread
                ? waiter
                : null;
    }

    private static Waiter foreign(Thread thread) {
        Waiter waiter = FOREIGN.get();
        if (waiter == null) {
            waiter = foreignFactory().apply(thread);
            FOREIGN.set(waiter);
        }
        return waiter;
    }

    private static Function<Thread, Waiter> foreignFactory() {
        Function<Thread, Waiter> factory = foreignFactory;
        if (factory == null) {
            // The wait room lies below the runtime, which installs the factory when its class is initialised.
            try {
                Class.forName("dev.kumihimo.runtime.TaskRuntime");
            } catch (ClassNotFoundException e) {
                throw new NoClassDefFoundError(e.getMessage());
            }
            factory = foreignFactory;
            if (factory == null) {
                throw new IllegalStateException("the runtime has installed no waiter for foreign threads");
            }
        }
        return factory;
    }

    /** Sets what makes the waiters of threads that are no tasks. */
    public static void installForeignFactory(Function<Thread, Waiter> factory) {
        foreignFactory = factory;
    }

    /**
     * Spends one unit of the calling task's budget, for an operation that may complete without waiting; called before it
     * takes effect. At the end of the budget the task yields, and obeys a cancellation or an interrupt.
     *
     * @throws InterruptedException if the budget is spent and the task is cancelled or interrupted; nothing was applied
     */
    public static void spend() throws InterruptedException {
        Waiter waiter = currentTask();
        if (waiter == null) {
            foreignFactory(); // initialises the runtime's classes here, rather than later under a lock
        } else if (--waiter.budget <= 0) {
            waiter.yieldAndCheck();
        }
    }

    /** As {@link #spend()}, for an operation that never throws: yields at the end of the budget, no more. */
    public static void spendQuietly() {
        Waiter waiter = currentTask();
        if (waiter != null && --waiter.budget <= 0) {
            waiter.refill();
            Thread.yield();
        }
    }

    private void yieldAndCheck() throws InterruptedException {
        refill();
        Thread.yield();
        checkCancelled();
    }

    /** Called by the owner when it has left its carrier: others had their turn. */
    final void refill() {
        budget = BUDGET;
    }

    /**
     * Throws if the calling thread's region is cancelled or the thread interrupted.
     *
     * @throws InterruptedException if so; a plain interrupt is cleared by it, a cancellation stays
     */
    public final void checkCancelled() throws InterruptedException {
        CancelScope cancelled = scope.cancelled();
        if (cancelled != null) {
            cancelled.report();
            throw cancelledException(cancelled);
        }
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
    }

    /**
     * Sets the interrupt flag of the calling thread again, whose wait has just thrown: for operations that have to tell of it
     * by an exception that is no {@link InterruptedException}. A flag set for a cancelled region goes when that is left, or
     * when the next toolkit wait throws.
     *
     * @param cancelled whether the wait was ended by a cancellation, not by a plain interrupt
     */
    public final void interruptAgain(boolean cancelled) {
        CancelScope region = cancelled ? scope.cancelled() : null;
        if (region != null) {
            region.noteSent();
        }
        Thread.currentThread().interrupt();
    }

    /** {@return the innermost region of the calling thread, which must be this waiter's} */
    public final CancelScope scope() {
        return scope;
    }

    /** {@return the wait that this thread is in, or null; racy, for dumps} */
    public final @Nullable Wait openWait() {
        return open;
    }

    /** {@return whether the thread waits, or could wait, with a timed park: true only for foreign platform threads} */
    protected boolean parksTimed() {
        return false;
    }

    /** {@return the time on the clock of this thread's waits, see {@link TimerService#nanoTime()}} */
    public long nanoTime() {
        return parksTimed() ? TimerService.realNanoTime() : timers().nanoTime();
    }

    /** {@return the thread} */
    public abstract Thread thread();

    /** {@return the clock and timers for this thread's waits} */
    public abstract TimerService timers();

    /**
     * Has a system task call {@link CancelScope#deliverInterrupt()}. May be called on the carrier side.
     *
     * @param scope a cancelled region of this thread
     */
    protected abstract void interruptLater(CancelScope scope);

    /** {@return the deadline for what the calling thread, which must be this waiter's, does now; or {@link Long#MAX_VALUE}} */
    public final long currentDeadline() {
        CancelScope holder = scope.deadlineHolder();
        return holder == null ? Long.MAX_VALUE : holder.deadline();
    }

    /** {@return as {@link #currentDeadline}, of a thread that need not be the caller; racy, for reports} */
    public final long regionDeadline() {
        return currentDeadline();
    }

    /** What an exception tells of cancellation. */
    protected enum Cancellation {
        /** Nothing. */
        NOT,
        /** That a wait in a cancelled region of the calling thread has ended. */
        OWN,
        /** That somebody else was cancelled: a joined task, or a region that has been left. */
        ANOTHERS
    }

    /** {@return what an exception tells} */
    protected abstract Cancellation tellsOfCancellation(Throwable e);

    /** {@return whether an exception tells that a wait in a cancelled region of the calling thread has ended, and of that region} */
    protected abstract boolean tellsOf(Throwable e, CancelScope scope);

    /** {@return the exception that tells of a cancelled region of this thread} */
    protected abstract InterruptedException cancelledException(CancelScope scope);
}
