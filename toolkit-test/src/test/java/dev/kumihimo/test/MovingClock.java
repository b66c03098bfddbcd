package dev.kumihimo.test;

import dev.kumihimo.internal.driver.VirtualTimers;
import dev.kumihimo.internal.wait.SpinLock;
import dev.kumihimo.internal.wait.Waiter;
import java.time.Duration;

/** Time that passes where a task says so, and not only when nothing runs: what is due fires while others are at any point. */
public final class MovingClock {
    private MovingClock() {}

    /** Moves the clock of the calling task's runtime; all that is due fires, with no point in between. */
    public static void advance(Duration duration) {
        VirtualTimers timers = (VirtualTimers) Waiter.current().timers();
        SpinLock still = new SpinLock() {}; // who holds a lock is not switched
        still.lock();
        timers.moveTo(timers.nanoTime() + duration.toNanos());
        still.unlock();
    }
}
