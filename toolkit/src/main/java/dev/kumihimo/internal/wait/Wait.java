package dev.kumihimo.internal.wait;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: one wait, one write-once outcome. Whoever sets it by compare-and-set has decided the wait; all others have
 * done nothing. Go's sudog and selectDone, and the per-waiter state of j.u.c.'s AQS nodes, are the models.
 *
 * State of `outcome`:  null --grant()--------> the WaitNode it was granted through   (under its point's lock, or by a timer)
 *                      null --cancelBy(s)----> the CancelScope                       (any thread)
 *                      null --expire()-------> EXPIRED                               (driver, or the owner's timed park)
 *                      null --park()---------> INTERRUPTED                           (owner, on a plain interrupt)
 *
 * Fields: outcome: CAS by all, read by all (volatile). waiter: final. registrations: owner only. timed: written by the owner
 * before it publishes `open`.
 * Linearization point of a wait: the CAS. A grant writes node.item before it, the owner reads item after it.
 *
 * Invariants: I1 a parked wait has been registered everywhere before park(). I2 a granted node is in no queue, but for one
 * that a timer granted: its owner takes it out. I3 an outcome never changes, so a canceller or timer that is late finds a
 * decided wait and leaves no trace.
 *
 * Waiting: register under the lock(s), unlock, publish `open`, look for a cancelled region, park until the outcome is set.
 * The granter sets the outcome before it unparks, and LockSupport keeps the permit, so no wakeup is lost (H1).
 * Cancellation: the owner unlinks its own nodes under each point's lock and has the point serve those it held up. A node
 * that a granter meets first is dropped by the granter. Either way nothing of it stays: O(1) per node.
 * GC: a Wait is garbage once its thread has resumed; a cancelled timer lets go of it at the driver's next turn.
 */

/**
 * One wait of one thread: for one thing, or (a select) for the first of several. Decided exactly once: by a grant, by a
 * cancellation, by an interrupt, or by its deadline.
 *
 * <p>Use: create it, register it or its nodes under the lock of each point, unlock, then {@link #await}.
 */
public final class Wait extends WaitNode implements Expirable {
    private static final Object EXPIRED = new Object();
    private static final Object INTERRUPTED = new Object();
    private static final WaitNode[] NO_NODES = {};

    private static final VarHandle OUTCOME;

    static {
        try {
            OUTCOME = MethodHandles.lookup().findVarHandle(Wait.class, "outcome", Object.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Waiter waiter;
    private volatile @Nullable Object outcome;
    private @Nullable WaitNode[] registrations = NO_NODES;
    private @Nullable WakeList heldUp; // of a select: made before it waits, since one that was granted must not fail
    private boolean uncancellable;
    private boolean timed; // for reports: costs nothing, since there is room beside the field before it

    private Wait(Waiter waiter, @Nullable WaitPoint point) {
        super(point, true);
        this.waiter = waiter;
    }

    /** {@return a wait of the calling thread at one point, to be registered there by the caller} */
    public static Wait at(WaitPoint point) {
        return new Wait(Waiter.current(), point);
    }

    /** {@return a wait of the calling thread for nothing but its deadline or its end} */
    public static Wait forDeadline() {
        return new Wait(Waiter.current(), null);
    }

    /** {@return a wait of the calling thread for the first of several registrations, see {@link #register}} */
    public static Wait forAny() {
        return new Wait(Waiter.current(), null);
    }

    /**
     * Notes the registrations of a select, so that those which lose are unlinked. They are enqueued by the caller, under all
     * locks. A branch without a registration has null.
     */
    public void register(@Nullable WaitNode[] nodes) {
        heldUp = new WakeList();
        registrations = nodes;
    }

    /** {@return the thread that waits} */
    public Waiter waiter() {
        return waiter;
    }

    /** {@return whether the wait is decided} */
    public boolean isDecided() {
        return outcome != null;
    }

    boolean isDecidedBy(WaitNode node) {
        return outcome == node;
    }

    boolean claim(Object result) {
        return outcome == null && OUTCOME.compareAndSet(this, null, result);
    }

    /** Ends the wait in favor of a cancelled region; false if it is decided or may not be cancelled. */
    boolean cancelBy(CancelScope scope) {
        if (uncancellable || !claim(scope)) {
            return false;
        }
        wake();
        return true;
    }

    @Override
    public void expire() {
        if (claim(EXPIRED)) {
            wake();
        }
    }

    /** Unparks the thread; called after a claim, with no lock held. */
    public void wake() {
        if (Points.ON) {
            Points.reached(Points.Kind.WAKE, this);
        }
        LockSupport.unpark(waiter.thread());
    }

    /**
     * Waits until granted.
     *
     * @throws InterruptedException if cancelled or interrupted before it was granted; then nothing was applied
     */
    public void await() throws InterruptedException {
        park();
        if (outcome != this) {
            throw abandon();
        }
    }

    /**
     * Waits until granted or until the deadline.
     *
     * @param deadline on the clock of the waiter's timers
     * @return false if the deadline passed first; then nothing was applied
     * @throws InterruptedException if cancelled or interrupted first; then nothing was applied
     */
    public boolean await(long deadline) throws InterruptedException {
        return awaitAny(deadline) != null;
    }

    /**
     * Waits until granted through one of the registrations.
     *
     * @return the node it was granted through
     * @throws InterruptedException if cancelled or interrupted first; then nothing was applied
     */
    public WaitNode awaitAny() throws InterruptedException {
        park();
        WaitNode granted = granted();
        if (granted == null) {
            throw abandon();
        }
        return granted;
    }

    /**
     * Waits until granted through one of the registrations, or until the deadline.
     *
     * @param deadline on the clock of the waiter's timers
     * @return the node it was granted through, or null if the deadline passed first
     * @throws InterruptedException if cancelled or interrupted first; then nothing was applied
     */
    public @Nullable WaitNode awaitAny(long deadline) throws InterruptedException {
        timed = deadline != Long.MAX_VALUE;
        if (waiter.parksTimed()) {
            parkUntil(deadline);
        } else {
            TimerService.Timer timer = armOrGiveUp(deadline);
            park();
            if (timer != null) {
                timer.cancel();
            }
        }
        WaitNode granted = granted();
        if (granted == null && outcome != EXPIRED) {
            throw abandon();
        }
        if (granted == null) {
            unlinkAll(null);
        }
        return granted;
    }

    /**
     * Arms the timer of a registered wait. If that fails, for want of memory or of a runtime to have it, the wait is taken
     * back; unless it was granted meanwhile, which counts, and needs no timer.
     */
    private TimerService.@Nullable Timer armOrGiveUp(long deadline) {
        try {
            return waiter.timers().arm(deadline, this);
        } catch (Throwable e) {
            if (claim(INTERRUPTED)) {
                unlinkAll(null);
                throw e;
            }
            return null;
        }
    }

    /** Waits until granted; no interrupt and no cancellation ends it, both are kept for later. */
    public void awaitUninterruptibly() {
        awaitUninterruptibly(Long.MAX_VALUE);
    }

    /**
     * As {@link #awaitUninterruptibly()}, until a deadline.
     *
     * @param deadline on the clock of the waiter's timers
     * @return false if it passed first
     */
    public boolean awaitUninterruptibly(long deadline) {
        timed = deadline != Long.MAX_VALUE;
        TimerService.Timer timer =
                timed && !waiter.parksTimed() ? waiter.timers().arm(deadline, this) : null;
        uncancellable = true;
        boolean interrupted = Thread.interrupted();
        opened();
        while (outcome == null) {
            parkOnce(timed && timer == null ? deadline : Long.MAX_VALUE);
            interrupted |= Thread.interrupted();
        }
        closed();
        if (timer != null) {
            timer.cancel();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (granted() == null) {
            unlinkAll(null);
            return false;
        }
        return true;
    }

    private @Nullable WaitNode granted() {
        if (outcome instanceof WaitNode node) {
            unlinkAll(node);
            return node;
        }
        return null;
    }

    private void park() {
        opened();
        obeyCancellation();
        while (outcome == null) {
            LockSupport.park(point);
            obeyInterrupt();
        }
        closed();
    }

    private void parkUntil(long deadline) {
        opened();
        obeyCancellation();
        while (outcome == null) {
            parkOnce(deadline);
            obeyInterrupt();
        }
        closed();
    }

    /** Parks the thread, timed only if it is a platform thread with a deadline of its own to keep. */
    private void parkOnce(long deadline) {
        if (deadline == Long.MAX_VALUE) {
            LockSupport.park(point);
            return;
        }
        long remaining = deadline - TimerService.realNanoTime();
        if (remaining <= 0) {
            claim(EXPIRED);
        } else {
            LockSupport.parkNanos(point, remaining);
        }
    }

    private void opened() {
        waiter.open = this; // volatile; pairs with the read of `open` in CancelScope.cancel
        if (Points.ON) {
            Points.reached(Points.Kind.PARK, this);
        }
    }

    private void closed() {
        if (Points.ON) {
            Points.reached(Points.Kind.RESUME, this);
        }
        waiter.open = null;
        waiter.refill();
    }

    private void obeyCancellation() {
        CancelScope cancelled = waiter.scope.cancelled();
        if (cancelled != null) {
            claim(cancelled);
        }
    }

    private void obeyInterrupt() {
        if (outcome == null && Thread.interrupted() && !claim(INTERRUPTED)) {
            Thread.currentThread().interrupt(); // decided meanwhile: the interrupt is for the next wait
        }
    }

    /** Unlinks the undecided wait everywhere; the exception to throw. */
    private InterruptedException abandon() {
        unlinkAll(null);
        if (outcome instanceof CancelScope scope) {
            scope.report();
            return waiter.cancelledException(scope);
        }
        return new InterruptedException();
    }

    /** Removes all registrations but the granted one, and has each point serve whom they held up. */
    private void unlinkAll(@Nullable WaitNode granted) {
        if (registrations == NO_NODES) {
            if (granted == null) {
                unlink(this, new WakeList());
            }
            return;
        }
        WakeList woken = heldUp == null ? new WakeList() : heldUp;
        for (WaitNode node : registrations) {
            if (node != null && node != granted) {
                unlink(node, woken);
            }
        }
    }

    /* ---------------- What reports ask; racy -------------- */

    /**
     * {@return the threads that alone can end this wait, save by cancelling it; empty if anybody can} A select waits for all of
     * them together if each of its branches does for some: one that goes on may be enough.
     */
    public List<Thread> holders() {
        if (point != null) {
            return point.holders(this);
        }
        List<Thread> all = new ArrayList<>();
        for (WaitNode node : registrations) {
            if (node != null && node.point != null) {
                List<Thread> ofBranch = node.point.holders(node);
                if (ofBranch.isEmpty()) {
                    return ofBranch;
                }
                all.addAll(ofBranch);
            }
        }
        return all;
    }

    /** {@return whether a time limit of its own will end it, whatever becomes of the region that the waiter is in} */
    public boolean isTimed() {
        return timed;
    }

    /** {@return the points it waits at: none for a pure delay, several for a select} */
    public List<WaitPoint> points() {
        if (point != null) {
            return List.of(point);
        }
        List<WaitPoint> all = new ArrayList<>();
        for (WaitNode node : registrations) {
            if (node != null && node.point != null) {
                all.add(node.point);
            }
        }
        return all;
    }

    /** {@return what it waits for, for dumps} */
    @Override
    public String toString() {
        if (point != null) {
            return point.toString();
        }
        StringBuilder points = new StringBuilder();
        for (WaitNode node : registrations) {
            if (node != null) {
                points.append(points.isEmpty() ? "the first of " : ", ").append(node.point);
            }
        }
        return points.isEmpty() ? "its deadline" : points.toString();
    }

    private static void unlink(WaitNode node, WakeList woken) {
        WaitPoint at = node.point;
        if (at == null) {
            return;
        }
        at.lock();
        try {
            at.withdraw(node, woken);
        } finally {
            at.unlock();
        }
        woken.wakeAll();
    }
}
