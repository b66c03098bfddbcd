package dev.kumihimo.internal.wait;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A lock for a few instructions: taken by one compare-and-set, spun for when taken, and yielded for when the holder seems
 * to have lost its processor.
 *
 * <p>Tasks and platform threads may take it; carrier-side code (the scheduler, the driver, timers) never does. Nobody
 * parks, calls user code or blocks while holding it. Not reentrant.
 */
public abstract class SpinLock {
    /** Spins before the first yield. Empirical: longer than any critical section here, shorter than a time slice. */
    private static final int SPINS = 200;

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
        if (!LOCKED.compareAndSet(this, 0, 1)) {
            lockContended();
        }
    }

    private void lockContended() {
        for (int spins = 0; ; ) {
            if (locked == 0 && LOCKED.compareAndSet(this, 0, 1)) {
                return;
            }
            if (++spins < SPINS) {
                Thread.onSpinWait();
            } else {
                spins = 0;
                Thread.yield();
            }
        }
    }

    /** Gives the lock back; the caller must hold it. */
    public final void unlock() {
        LOCKED.setRelease(this, 0); // release; pairs with the CAS in lock()
    }
}
