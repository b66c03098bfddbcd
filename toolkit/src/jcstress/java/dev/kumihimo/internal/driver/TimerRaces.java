package dev.kumihimo.internal.driver;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

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

    static {
        DRIVER.close(); // so that it does not keep the cancelled timers; nothing has its timers after it
    }

    private TimerRaces() {}

    /** Results: how often it expired, whether it is in the wheel at the end. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "cancelled before it was taken in, or before it fired")
    @Outcome(id = "1, 0", expect = ACCEPTABLE, desc = "fired before it was cancelled")
    @Outcome(expect = FORBIDDEN, desc = "fired twice, or left in the wheel")
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
            wheel.advance(2);
            timer.cancel();
            r.r1 = expired;
            r.r2 = timer.list == TimerWheel.NO_LIST ? 0 : 1;
        }
    }
}
