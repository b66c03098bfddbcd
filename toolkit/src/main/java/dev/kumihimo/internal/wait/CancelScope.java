package dev.kumihimo.internal.wait;

import java.io.InterruptedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.channels.ClosedByInterruptException;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: a chain of regions per thread, innermost first, each with one write-once reason. Trio's cancel scopes are
 * the model; here a scope is claimed by compare-and-set from any thread and observed by its own thread only.
 *
 * State of `reason`:   null --cancel()--> a reason          (sticky until the region is left)
 *                      null --leave()---> LEFT              (a later cancel() finds nothing to do)
 *
 * Fields: reason: CAS by anybody, read by anybody (volatile). parent, waiter, shield: final. delivery, left: guarded by the
 * waiter's lock. Waiter.scope: written by the owner, under the waiter's lock where a shield is entered or left; read by
 * cancellers, for whom a value stale by some unshielded regions makes no difference.
 *
 * Waiting: a canceller sets `reason`, then reads `waiter.open`; the owner sets `open`, then walks the chain for a reason
 * (Wait.park). Both pairs are volatile, so one of them sees the other: a cancellation is never missed by a wait.
 *
 * A late interrupt: an interrupt is sent by a system task (deliverInterrupt). leave() first marks the region as left under
 * the lock, waits out an interrupt that is being sent, and clears the flag only if this scope has set it; if an enclosing
 * one has too, it sets the flag again. A plain interrupt that comes between ours and the end of the region is lost with it.
 */

/**
 * A region of one thread's execution that can be cancelled from outside: a whole task, the body of a {@code Timeout.call},
 * of a {@code token.run}; or, as a shield, one that cancellation of what encloses it does not enter.
 */
public abstract class CancelScope extends SpinLock implements Expirable {
    private static final Object LEFT = new Object();

    private static final int UNDELIVERED = 0;
    private static final int SENDING = 1; // a system task is interrupting the thread
    private static final int SENT = 2; // the thread's interrupt flag was set by us
    private static final int REPORTED = 3; // a toolkit wait has thrown it, no interrupt needed

    private static final VarHandle REASON;

    static {
        try {
            REASON = MethodHandles.lookup().findVarHandle(CancelScope.class, "reason", Object.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Waiter waiter;
    private final @Nullable CancelScope parent;
    private final boolean shield;

    private volatile @Nullable Object reason;
    private byte delivery;
    private boolean left;

    /** Creates the outermost region of a thread, which is the waiter itself. */
    CancelScope() {
        this.waiter = (Waiter) this;
        this.parent = null;
        this.shield = false;
    }

    /**
     * Creates a region inside the current one of the calling thread, not yet entered.
     *
     * @param waiter the calling thread's
     * @param shield whether cancellation from outside stops here
     */
    protected CancelScope(Waiter waiter, boolean shield) {
        this.waiter = waiter;
        this.parent = waiter.scope;
        this.shield = shield;
    }

    /** {@return the thread whose region this is} */
    protected final Waiter waiter() {
        return waiter;
    }

    /** {@return why this region was cancelled, or null} */
    public final @Nullable Object reason() {
        Object r = reason;
        return r == LEFT ? null : r;
    }

    /**
     * Cancels the region: a toolkit wait that is open in it ends, later ones throw at once, and a thread that is elsewhere is
     * interrupted. Callable by anybody, the carrier side included; only the first call has an effect.
     *
     * @param why the reason, for the exception
     * @return false if the region was cancelled before or has been left
     */
    public final boolean cancel(Object why) {
        if (Points.ON) {
            Points.reached(Points.Kind.CANCEL, this);
        }
        if (!REASON.compareAndSet(this, null, why)) {
            return false;
        }
        if (Points.ON) {
            Points.reached(Points.Kind.CANCEL, this);
        }
        Wait open = waiter.open;
        if (open == null || !(covers(waiter.scope) && open.cancelBy(this))) {
            waiter.interruptLater(this);
        }
        return true;
    }

    /** Whether a thread in {@code scope} is inside this region, with no shield between. */
    private boolean covers(@Nullable CancelScope scope) {
        for (CancelScope s = scope; s != null; s = s.parent) {
            if (s == this) {
                return true;
            }
            if (s.shield) {
                return false;
            }
        }
        return false;
    }

    /** {@return the outermost cancelled region that a wait in this one must obey, or null} */
    final @Nullable CancelScope cancelled() {
        CancelScope found = null;
        for (CancelScope s = this; s != null && !s.shield; s = s.parent) {
            if (s.reason != null) {
                found = s;
            }
        }
        return found;
    }

    /** {@return the outermost cancelled region around this one that what leaves it must obey, or null} */
    private @Nullable CancelScope enclosingCancelled() {
        return shield || parent == null ? null : parent.cancelled();
    }

    /**
     * Whether an exception that left this region is the work of its cancellation, and of nothing around it: then whoever
     * opened the region tells of it in its own way, and else lets the exception pass.
     */
    public final boolean endedBy(Throwable e) {
        if (reason() == null || enclosingCancelled() != null) {
            return false;
        }
        return switch (waiter.tellsOfCancellation(toldIn(e))) {
            case OWN -> true;
            case ANOTHERS -> false;
            case NOT ->
                (e instanceof InterruptedException
                                || e instanceof InterruptedIOException
                                || e instanceof ClosedByInterruptException)
                        && interruptedOwner();
        };
    }

    /** {@return the exception of the wait that ended, which may be the cause of one that says so to users of streams} */
    private static Throwable toldIn(Throwable e) {
        return e instanceof InterruptedIOException && e.getCause() instanceof InterruptedException cause ? cause : e;
    }

    /**
     * What is to leave this region, which is the current one, in place of an exception that {@link #endedBy} has let pass: if
     * that tells of this region, since the one around it was cancelled only later, then one that tells of the one around it, to
     * those who are to obey that.
     *
     * @return an exception of the same kind, with the other one suppressed; null if that is to pass as it is
     */
    public final @Nullable Exception inPlaceOf(Throwable e) {
        CancelScope outer = enclosingCancelled();
        if (outer == null || !waiter.tellsOf(toldIn(e), this)) {
            return null;
        }
        InterruptedException ofOuter = waiter.cancelledException(outer);
        if (toldIn(e) == e) {
            outer.report();
            ofOuter.addSuppressed(e);
            return ofOuter;
        }
        outer.noteSent(); // who throws this kind leaves the flag set
        waiter.thread().interrupt();
        InterruptedIOException told = new InterruptedIOException(ofOuter.getMessage());
        told.initCause(ofOuter);
        told.addSuppressed(e);
        return told;
    }

    /** {@return when this region is cancelled by itself, on the clock of the thread's timers; {@link Long#MAX_VALUE} if never} */
    public long deadline() {
        return Long.MAX_VALUE;
    }

    /** {@return the nearest region around this one that has a deadline, or null if none has or a shield is between} */
    protected final @Nullable CancelScope enclosingDeadlineHolder() {
        return shield || parent == null ? null : parent.deadlineHolder();
    }

    /** {@return the region whose deadline is the earliest for what runs in this one: the nearest that has one} */
    final @Nullable CancelScope deadlineHolder() {
        for (CancelScope s = this; s != null && !s.shield; s = s.parent) {
            if (s.deadline() != Long.MAX_VALUE) {
                return s;
            }
        }
        return null;
    }

    /** Makes this the current region of the calling thread, which must be its own. */
    public final void enter() {
        if (shield) {
            enterShield();
        } else {
            waiter.scope = this;
        }
    }

    /** Makes the enclosing region current again. No interrupt sent for this one arrives later. */
    public final void leave() {
        if (shield) {
            leaveShield();
            return;
        }
        waiter.scope = parentOrRoot();
        if (!REASON.compareAndSet(this, null, LEFT)) {
            disarm();
        }
    }

    /** Ends the delivery of a cancelled region: waits out an interrupt under way and clears one that was sent. */
    final void disarm() {
        waiter.lock();
        left = true;
        awaitSent();
        boolean clear = delivery == SENT;
        delivery = REPORTED;
        waiter.unlock();
        if (clear) {
            clearFlag();
        }
    }

    /**
     * Clears the flag that was set for this region, and sets it again if it was set for one around it too, be it just now: there
     * is one flag for all.
     */
    private void clearFlag() {
        if (Thread.interrupted()) {
            waiter.lock(); // after the flag was cleared: who sets it from now on need not be looked for
            awaitSent();
            boolean sentForAnother = enclosingSent();
            waiter.unlock();
            if (sentForAnother) {
                waiter.thread().interrupt();
            }
        }
    }

    /** Whether an interrupt was sent for a cancelled region around this one, and not yet seen by a toolkit wait. */
    private boolean enclosingSent() {
        for (CancelScope s = parent; s != null && !s.shield; s = s.parent) {
            if (s.delivery == SENT) {
                return true;
            }
        }
        return false;
    }

    /** Marks the cancellation as seen by a toolkit wait, which is about to throw it. Called by the owner. */
    final void report() {
        waiter.lock();
        awaitSent();
        boolean clear = delivery == SENT;
        delivery = REPORTED;
        waiter.unlock();
        if (clear) {
            clearFlag();
        }
    }

    /** Has the interrupt flag, which the owner is about to set, count as sent for this region. */
    final void noteSent() {
        waiter.lock();
        awaitSent();
        delivery = SENT;
        waiter.unlock();
    }

    /** Whether the interrupt that the caller has just caught was sent for this region. */
    private boolean interruptedOwner() {
        waiter.lock();
        awaitSent();
        boolean sent = delivery == SENT;
        waiter.unlock();
        return sent;
    }

    /**
     * Interrupts the thread if it is still in this region, unshielded, and no toolkit wait has reported the cancellation.
     * Called by a system task, never by the carrier side.
     */
    public final void deliverInterrupt() {
        waiter.lock();
        boolean send = !left && delivery == UNDELIVERED && covers(waiter.scope);
        if (send) {
            delivery = SENDING;
        }
        waiter.unlock();
        if (send) {
            try {
                waiter.thread().interrupt(); // may run a foreign channel's close: no lock held
            } finally {
                waiter.lock();
                delivery = SENT;
                waiter.unlock();
            }
        }
    }

    /** With the waiter's lock held: lets interrupts that are being sent, for this region or one around it, arrive. */
    private void awaitSent() {
        CancelScope s = this;
        while (s != null) {
            if (s.delivery == SENDING) {
                waiter.unlock();
                Thread.yield();
                waiter.lock();
                s = this; // another may have begun meanwhile
            } else {
                s = s.parent;
            }
        }
    }

    private void enterShield() {
        waiter.lock();
        awaitSent();
        waiter.scope = this;
        waiter.unlock();
        left = Thread.interrupted(); // a shield is never cancelled; `left` remembers the flag to restore
    }

    private void leaveShield() {
        CancelScope enclosing = parentOrRoot();
        waiter.lock();
        waiter.scope = enclosing;
        boolean interrupt = left;
        for (CancelScope s = enclosing; s != null && !s.shield; s = s.parent) {
            if (s.reason() != null && s.delivery == UNDELIVERED) {
                s.delivery = SENT; // it came while we were shielded
                interrupt = true;
            }
        }
        waiter.unlock();
        if (interrupt) {
            Thread.currentThread().interrupt();
        }
    }

    private CancelScope parentOrRoot() {
        return parent == null ? waiter : parent;
    }
}
