package dev.kumihimo.internal.carrier;

import dev.kumihimo.internal.driver.Driver;
import dev.kumihimo.internal.wait.CancelScope;
import dev.kumihimo.internal.wait.TimerService;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/** A scheduler that is given to its runtime, and decides itself what runs next and when time passes: for tests. */
public interface ControlledScheduler extends Scheduler {
    /** Tells it whose tasks it runs; called once, before there are any. */
    void attach(RuntimeCore core);

    @Override
    TimerService timers();

    /** {@return the wall time, which goes with its timers} */
    InstantSource instantSource();

    /** {@return where its runtime's blocking jobs run} */
    BlockingPool blocking();

    /** Has the thread of a cancelled scope interrupted, as one of the things it schedules. Called on any thread. */
    void interruptLater(CancelScope scope);

    @Override
    default Driver driver() {
        throw new IllegalStateException("a runtime under a controlled scheduler has no sockets");
    }

    @Override
    default boolean isIsolated() {
        return true;
    }

    @Override
    default int parallelism() {
        return 1;
    }

    /** A platform thread on which such a scheduler runs its tasks. */
    interface Carrier {
        /** {@return the core of the runtime whose tasks it runs now, or null} */
        @Nullable
        RuntimeCore core();
    }
}
