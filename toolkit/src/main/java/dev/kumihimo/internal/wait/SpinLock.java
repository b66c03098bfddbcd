package dev.kumihimo.internal.wait;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A lock for a few instructions: taken by one compare-and-set, waited for at a distance when taken, and yielded for when the
 * holder seems to have lost its processor.
 *
 * <p>Who finds it taken looks away for a microsecond or more, and not at once again: the holder, whose cache has the lock and
 * what it guards, then gets on with many short operations undisturbed, where two who alternate would pay a transfer of both
 * for each. Measured on two carriers: 18 instead of 160 ns for a semaphore's acquire and release, 20 instead of 40 ns for an
 * item through a channel of capacity 128.
 *
 * <p>Tasks and platform threads may take it; carrier-side code (the scheduler, the driver, timers) never does, but to hand a
 * failure of its own, or a late interrupt, to the pool of system threads. Nobody
 * parks, calls user code or blocks while holding it. Not reentrant.
 */
public abstract class SpinLock {
    /** Pauses before the second look, about a microsecond. Empirical, between 2 and 1,024. */
    private static final int FIRST_PAUSES = 32;

    private static final int MOST_PAUSES = 64;

    /**
     * Pauses before a yield, over 100 microseconds: far more than anybody holds the lock unless its thread was descheduled. To
     * yield sooner does harm: the task may hold a permit that others then queue for.
     */
    private static final int PAUSES_TO_YIELD = 4_096;

    private static final VarHandle LOCKED;

    static {
        try {
            LOCKED = MethodHandles.lookup().findVarHandle(SpinLock.class, "locked", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** 1 while held. Set by CAS (acquire side), cleared by a release store. */
    @SuppressWarnings("unused") // written through LOCKED
    private volatile int locked;

    /** Creates an unlocked lock. */
    protected SpinLock() {}

    /** Takes the lock. */
    public final void lock() {
        if (Points.ON) {
            Points.locking(this);
        }
        if (!LOCKED.compareAndSet(this, 0, 1)) {
            lockContended(true);
        }
    }

    /**
     * Takes the lock while the caller holds another one: as {@link #lock()}, but never yields, so that the first is not held by
     * a thread that has no carrier.
     */
    public final void lockWithin() {
        if (Points.ON) {
            Points.locking(this);
        }
        if (!LOCKED.compareAndSet(this, 0, 1)) {
            lockContended(false);
        }
    }

    private void lockContended(boolean mayYield) {
        int pauses = FIRST_PAUSES;
        int sinceYield = 0;
        do {
            for (int i = 0; i < pauses; i++) {
                Thread.onSpinWait();
            }
            sinceYield += pauses;
            pauses = MOST_PAUSES;
            if (mayYield && sinceYield >= PAUSES_TO_YIELD) {
                sinceYield = 0;
                Thread.yield();
            }
        } while (locked != 0 || !LOCKED.compareAndSet(this, 0, 1));
    }

    /** Gives the lock back; the caller must hold it. */
    public final void unlock() {
        LOCKED.setRelease(this, 0); // release; pairs with the CAS in lock()
        if (Points.ON) {
            Points.unlocked(this);
        }
    }
}
