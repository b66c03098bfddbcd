package dev.kumihimo.internal.driver;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** A timer is cancelled while the driver takes it in or fires it. */
public final class TimerRaces {
    private static final Driver DRIVER = new Driver(new Driver.Host() {
        @Override
        public boolean callerAttends() {
            return true;
        }

        @Override
        public void attend() {
            // nobody turns this driver
        }
    });

    private static final VarHandle INBOX;

    static {
        try {
            INBOX = MethodHandles.privateLookupIn(Driver.class, MethodHandles.lookup())
                    .findVarHandle(Driver.class, "newTimers", ArmedTimer.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private TimerRaces() {}

    /** Results: how often it expired, whether its cancellation was pushed for the driver to unlink it. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "cancelled before it was taken in")
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "cancelled in the wheel")
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "fired before it was cancelled")
    @Outcome(expect = FORBIDDEN, desc = "fired twice, both fired and cancelled, or left in the wheel")
    @State
    public static class CancelAgainstFire {
        private final TimerWheel wheel = new TimerWheel(0);
        private int expired;
        private final ArmedTimer timer = new ArmedTimer(DRIVER, 1, () -> expired++);

        @Actor
        public void driver() {
            timer.takeIn(wheel);
            wheel.advance(1);
        }

        @Actor
        public void canceller() {
            timer.cancel();
        }

        @Arbiter
        public void sum(II_Result r) {
            r.r2 = timer.inboxDepth > 0 ? 1 : 0;
            INBOX.setVolatile(DRIVER, null); // it must not keep the timers of all samples
            wheel.advance(2);
            timer.cancel();
            r.r1 = timer.list == TimerWheel.NO_LIST ? expired : -1;
        }
    }
}
