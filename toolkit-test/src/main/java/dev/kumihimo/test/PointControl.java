package dev.kumihimo.test;

import dev.kumihimo.internal.jdk.VirtualThreads;
import dev.kumihimo.internal.wait.CancelScope;
import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.internal.wait.SpinLock;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.Waiter;
import org.jspecify.annotations.Nullable;

/** Leads the points of each virtual thread on a test carrier to the scheduler that runs it. */
final class PointControl implements Points.Control {
    /** {@return the scheduler that runs the calling thread, or null if that is no virtual thread under control} */
    private static @Nullable TestScheduler here() {
        return Thread.currentThread().isVirtual() && VirtualThreads.currentCarrier() instanceof TestCarrier carrier
                ? carrier.driven()
                : null;
    }

    @Override
    public void reached(Points.Kind kind, Object at) {
        TestScheduler scheduler = here();
        if (scheduler != null) {
            scheduler.reached(kind, at);
        }
    }

    @Override
    public void locking(SpinLock lock) {
        TestScheduler scheduler = here();
        if (scheduler != null) {
            if (isPoint(lock)) {
                scheduler.reached(Points.Kind.LOCK, lock);
            }
            scheduler.locking();
        }
    }

    @Override
    public void unlocked(SpinLock lock) {
        TestScheduler scheduler = here();
        if (scheduler != null && scheduler.unlocked() && isPoint(lock)) {
            scheduler.reached(Points.Kind.UNLOCK, lock);
        }
    }

    @Override
    public void made(Object thing, Points.Left left) {
        Leaks leaks = Leaks.ofCaller();
        if (leaks != null) {
            leaks.made(thing, left);
        }
    }

    @Override
    public void failed(Waiter task, Throwable failure) {
        Leaks leaks = Leaks.of(task);
        if (leaks != null) {
            leaks.failed(task, failure);
        }
    }

    @Override
    public int draw(int bound) {
        TestScheduler scheduler = here();
        return scheduler == null ? -1 : scheduler.draw(bound);
    }

    /** The registry's locks and the like order nothing that a test could see. */
    private static boolean isPoint(SpinLock lock) {
        return lock instanceof WaitPoint || lock instanceof CancelScope;
    }
}
