package dev.kumihimo.internal.wait;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.concurrent.ThreadLocalRandom;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** Cancellation of a region against what its thread does, and the spin lock below it all. */
public final class ScopeRaces {
    private ScopeRaces() {}

    /** The canceller sets the reason and looks for an open wait, the owner opens one and looks for a reason. */
    @JCStressTest
    @Outcome(id = "1", expect = ACCEPTABLE, desc = "the wait was cancelled")
    @Outcome(expect = FORBIDDEN, desc = "both looked too early: the wait would never end")
    @State
    public static class CancelAgainstOpen {
        private final Room.Owner owner = new Room.Owner();
        private final Wait wait = owner.waitFor(null);
        private final long deadline = TimerService.realNanoTime() + 5_000_000_000L;
        private final int delay = ThreadLocalRandom.current().nextInt(60);

        @Actor
        public void owner(I_Result r) {
            owner.here();
            try {
                wait.await(deadline);
            } catch (Room.Cancelled e) {
                r.r1 = 1;
            } catch (InterruptedException e) {
                r.r1 = 2;
            }
        }

        @Actor
        public void canceller() {
            for (int i = 0; i < delay; i++) {
                Thread.onSpinWait(); // else it would be first nearly always
            }
            owner.cancel("test");
        }
    }

    /** Results: whether the flag was set after leaving; whether the canceller was the first to end the region. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "left before")
    @Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "cancelled inside, no interrupt is left over")
    @Outcome(expect = FORBIDDEN, desc = "an interrupt sent for a region arrived after it was left")
    @State
    public static class InterruptAgainstLeave {
        private final Room.Owner owner = new Room.Owner();
        private final Room.Region region = new Room.Region(owner);
        private volatile Thread left;

        @Actor
        public void owner() {
            owner.here();
            region.enter();
            region.leave();
            left = Thread.currentThread();
        }

        @Actor
        public void canceller(II_Result r) {
            r.r2 = region.cancel("test") ? 1 : 0;
            if (owner.thread() != null) {
                region.deliverInterrupt();
            }
        }

        @Arbiter
        public void flag(II_Result r) {
            if (left.isInterrupted()) {
                r.r1 = 1;
            }
        }
    }

    /** Two threads add to a plain field under the lock. */
    @JCStressTest
    @Outcome(id = "2", expect = ACCEPTABLE, desc = "one after the other")
    @Outcome(expect = FORBIDDEN, desc = "both at once")
    @State
    public static class MutualExclusion extends SpinLock {
        private int sum;

        private void add() {
            lock();
            sum++;
            unlock();
        }

        @Actor
        public void one() {
            add();
        }

        @Actor
        public void other() {
            add();
        }

        @Arbiter
        public void sum(I_Result r) {
            r.r1 = sum;
        }
    }
}
