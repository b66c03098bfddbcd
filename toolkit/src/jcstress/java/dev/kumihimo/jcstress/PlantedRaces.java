package dev.kumihimo.jcstress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.ArrayDeque;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** What the checks of the wait room look for, with the mistake in it. Each of them has to fail, see {@link JcstressTest}. */
public final class PlantedRaces {
    private PlantedRaces() {}

    /** A wait whose outcome is looked at and then written, without a compare-and-set. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1"},
            expect = ACCEPTABLE,
            desc = "one of them")
    @Outcome(expect = FORBIDDEN, desc = "planted: both win")
    @State
    public static class ClaimWithoutCas {
        private volatile Object outcome;

        private int claim(Object by) {
            if (outcome != null) {
                return 0;
            }
            outcome = by;
            return 1;
        }

        @Actor
        public void granter(II_Result r) {
            r.r1 = claim("grant");
        }

        @Actor
        public void canceller(II_Result r) {
            r.r2 = claim("cancel");
        }
    }

    /** The reason and the open wait, each written and then the other read, with nothing to keep the order. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1", "1, 1"},
            expect = ACCEPTABLE,
            desc = "one sees the other")
    @Outcome(expect = FORBIDDEN, desc = "planted: neither sees the other")
    @State
    public static class PublishWithoutVolatile {
        private int open;
        private int reason;

        @Actor
        public void owner(II_Result r) {
            open = 1;
            r.r1 = reason;
        }

        @Actor
        public void canceller(II_Result r) {
            reason = 1;
            r.r2 = open;
        }
    }

    /** A lock that is looked at and then taken. */
    @JCStressTest
    @Outcome(id = "2", expect = ACCEPTABLE, desc = "one after the other")
    @Outcome(expect = FORBIDDEN, desc = "planted: both at once")
    @State
    public static class LockWithoutCas {
        private volatile boolean locked;
        private int sum;

        private void add() {
            while (locked) {
                Thread.onSpinWait();
            }
            locked = true;
            sum++;
            locked = false;
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

    /** A send that looks whether the channel is closed before it takes the lock. */
    @JCStressTest
    @Outcome(
            id = {"1, 1", "0, 0"},
            expect = ACCEPTABLE,
            desc = "taken by the drain, or refused")
    @Outcome(expect = FORBIDDEN, desc = "planted: sent after the drain")
    @State
    public static class CloseCheckedOutsideTheLock {
        private final ArrayDeque<Integer> items = new ArrayDeque<>(2);
        private volatile boolean closed;

        @Actor
        public void sender(II_Result r) {
            if (!closed) {
                synchronized (items) {
                    items.add(1);
                }
                r.r1 = 1;
            }
        }

        @Actor
        public void closer(II_Result r) {
            closed = true;
            synchronized (items) {
                r.r2 = items.size();
            }
        }
    }
}
