package dev.kumihimo.internal.carrier;

import dev.kumihimo.internal.driver.Driver;
import dev.kumihimo.internal.wait.TimerService;
import java.util.concurrent.ThreadFactory;

/** What runs the virtual threads of a runtime, and its driver. */
public interface Scheduler extends AutoCloseable {
    /** {@return a factory of unstarted, unnamed virtual threads that run here} */
    ThreadFactory threads();

    /** {@return the driver that this scheduler turns} */
    Driver driver();

    /** {@return the clock and timers of its tasks} */
    default TimerService timers() {
        return driver();
    }

    /** {@return whether the carriers belong to this runtime alone} */
    boolean isIsolated();

    /** {@return how many tasks run at a time when none is pinned} */
    int parallelism();

    /** Ends the driver. Threads already started are run for ever, new ones too, but without timers and sockets of ours. */
    @Override
    void close();
}
