package dev.kumihimo.internal.driver;

import dev.kumihimo.internal.wait.Expirable;
import dev.kumihimo.internal.wait.TimerService;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/*
 * State:  NEW (in the inbox) --owner takes it in: CAS--> IN_WHEEL --owner fires it: CAS--> DONE
 *         NEW --cancel(): CAS--> DONE            (the owner skips it: no insertion)
 *         IN_WHEEL --cancel(): CAS--> DONE       (then pushed again, so that the owner unlinks it)
 * If the driver was closed, IN_WHEEL means: armed with its heir, whose timer finds DONE if this one was cancelled.
 * Fields: inboxNext, inboxDepth: written by whoever pushes, before the CAS that publishes; the owner reads inboxNext before
 * it makes the timer IN_WHEEL, since from then on a canceller may push it again.
 */

/** A timer of a {@link Driver}: on its way to the wheel, in it, or done. */
final class ArmedTimer extends TimerEntry implements TimerService.Timer {
    private static final int NEW = 0;
    private static final int IN_WHEEL = 1;
    private static final int DONE = 2;

    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(ArmedTimer.class, "state", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Driver driver;
    private final long at;
    private @Nullable Expirable target;
    private volatile int state;
    private volatile TimerService.@Nullable Timer heirTimer; // once the driver was closed

    @Nullable
    ArmedTimer inboxNext;

    int inboxDepth;

    ArmedTimer(Driver driver, long tick, Expirable target) {
        this.driver = driver;
        this.at = tick;
        this.target = target;
    }

    /** Puts a new timer into the wheel, or takes a cancelled one out. Owner only. */
    void takeIn(TimerWheel wheel) {
        if (STATE.compareAndSet(this, NEW, IN_WHEEL)) {
            wheel.insert(this, at);
        } else {
            wheel.remove(this);
        }
    }

    /** Goes from a closed driver to its heir, unless it was cancelled. */
    void takeOver() {
        if (STATE.compareAndSet(this, NEW, IN_WHEEL)) {
            expire();
        }
    }

    @Override
    protected void expire() {
        if (state == DONE) {
            return; // cancelled, and not yet taken out: not for the heir either
        }
        TimerService heir = driver.heir();
        if (heir == null) {
            fire();
            return;
        }
        TimerService.Timer successor =
                heir.arm(at > Long.MAX_VALUE / Driver.TICK_NANOS ? Long.MAX_VALUE : at * Driver.TICK_NANOS, this::fire);
        heirTimer = successor;
        if (state == DONE) { // cancelled meanwhile, by one who may not have seen the successor
            successor.cancel();
        }
    }

    private void fire() {
        Expirable expiring = target;
        if (STATE.compareAndSet(this, IN_WHEEL, DONE) && expiring != null) { // lost: cancelled
            target = null;
            expiring.expire();
        }
    }

    @Override
    public void cancel() {
        int now = state;
        if (now == NEW && STATE.compareAndSet(this, NEW, DONE)) {
            target = null;
        } else if (now != DONE && STATE.compareAndSet(this, IN_WHEEL, DONE)) {
            target = null;
            driver.release(this);
            TimerService.Timer successor = heirTimer;
            if (successor != null) {
                successor.cancel();
            }
        }
    }
}
