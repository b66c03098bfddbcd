package dev.kumihimo.internal.wait;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/** What ends a wait, two at a time: one of them wins, and the other has had no effect. */
public final class WaitRaces {
    private static final int ITEM = 42;

    private WaitRaces() {}

    /** What the owner of a decided wait is told: the item, 0 if its time was up, -1 cancelled, -2 interrupted. */
    private static int told(Wait wait, long deadline) {
        try {
            return wait.await(deadline) ? ((int[]) wait.item)[0] : 0;
        } catch (Room.Cancelled e) {
            return -1;
        } catch (InterruptedException e) {
            return -2;
        }
    }

    private static long soon() {
        return TimerService.realNanoTime() + 10_000_000_000L;
    }

    private static int[] item() {
        return new int[] {ITEM};
    }

    /** Results: granted, cancelled, what the owner is told. */
    @JCStressTest
    @Outcome(id = "1, 0, 42", expect = ACCEPTABLE, desc = "granted; the cancellation is for the next wait")
    @Outcome(id = "0, 1, -1", expect = ACCEPTABLE, desc = "cancelled, nothing granted")
    @Outcome(expect = FORBIDDEN, desc = "both or neither, or the owner is told otherwise")
    @State
    public static class GrantAgainstCancel {
        private final Room.Point point = new Room.Point();
        private final Room.Owner owner = new Room.Owner();
        private final Wait wait = owner.waitAt(point);

        @Actor
        public void granter(III_Result r) {
            r.r1 = point.grant(item()) ? 1 : 0;
        }

        @Actor
        public void canceller(III_Result r) {
            r.r2 = wait.cancelBy(owner) ? 1 : 0;
        }

        @Arbiter
        public void owner(III_Result r) {
            owner.here();
            r.r3 = told(wait, soon());
            if (!point.isEmpty()) {
                r.r3 = -8;
            }
        }
    }

    /** Results: granted, what the owner is told. */
    @JCStressTest
    @Outcome(id = "1, 42", expect = ACCEPTABLE, desc = "granted in time")
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "out of time, nothing granted")
    @Outcome(expect = FORBIDDEN, desc = "both or neither, or the owner is told otherwise")
    @State
    public static class GrantAgainstExpiry {
        private final Room.Point point = new Room.Point();
        private final Wait wait = new Room.Owner().waitAt(point);

        @Actor
        public void granter(II_Result r) {
            r.r1 = point.grant(item()) ? 1 : 0;
        }

        @Actor
        public void timer() {
            wait.expire();
        }

        @Arbiter
        public void owner(II_Result r) {
            r.r2 = told(wait, soon());
            if (!point.isEmpty()) {
                r.r2 = -8;
            }
        }
    }

    /** Results: cancelled, what the owner is told. */
    @JCStressTest
    @Outcome(id = "1, -1", expect = ACCEPTABLE, desc = "cancelled")
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "out of time")
    @Outcome(expect = FORBIDDEN, desc = "both or neither, or the owner is told otherwise")
    @State
    public static class CancelAgainstExpiry {
        private final Room.Point point = new Room.Point();
        private final Room.Owner owner = new Room.Owner().here();
        private final Wait wait = owner.waitAt(point);

        @Actor
        public void canceller(II_Result r) {
            r.r1 = wait.cancelBy(owner) ? 1 : 0;
        }

        @Actor
        public void timer() {
            wait.expire();
        }

        @Arbiter
        public void owner(II_Result r) {
            r.r2 = told(wait, soon());
            if (!point.isEmpty()) {
                r.r2 = -8;
            }
        }
    }

    /** A real park: the wakeup is not lost, and what the granter wrote is visible. */
    @JCStressTest
    @Outcome(id = "1, 42", expect = ACCEPTABLE, desc = "resumed with the item")
    @Outcome(expect = FORBIDDEN, desc = "no item, or not resumed in time")
    @State
    public static class ParkAgainstGrant {
        private final Room.Point point = new Room.Point();
        private final Room.Owner owner = new Room.Owner();
        private final Wait wait = owner.waitAt(point);

        @Actor
        public void owner(II_Result r) {
            owner.here();
            r.r2 = told(wait, soon());
        }

        @Actor
        public void granter(II_Result r) {
            r.r1 = point.grant(item()) ? 1 : 0;
        }
    }

    /** An interrupt ends the wait, or it stays for the next. Results: granted, what the owner is told, the flag after it. */
    @JCStressTest
    @Outcome(id = "1, 42, 1", expect = ACCEPTABLE, desc = "granted; the interrupt is for the next wait")
    @Outcome(id = "0, -2, 0", expect = ACCEPTABLE, desc = "interrupted, nothing granted")
    @Outcome(expect = FORBIDDEN, desc = "both or neither, or the interrupt is lost or told twice")
    @State
    public static class InterruptAgainstGrant {
        private final Room.Point point = new Room.Point();
        private final Room.Owner owner = new Room.Owner();
        private final Wait wait = owner.waitAt(point);

        @Actor
        public void owner(III_Result r) {
            owner.here();
            Thread.currentThread().interrupt();
            r.r2 = told(wait, soon());
            r.r3 = Thread.interrupted() ? 1 : 0;
        }

        @Actor
        public void granter(III_Result r) {
            r.r1 = point.grant(item()) ? 1 : 0;
        }
    }

    /** The older of two waits gives up while one item comes. Results: what the older is told, what the younger has. */
    @JCStressTest
    @Outcome(id = "42, 0", expect = ACCEPTABLE, desc = "the older has it, the younger waits on")
    @Outcome(id = "0, 42", expect = ACCEPTABLE, desc = "the older is out of time, the younger has it")
    @Outcome(expect = FORBIDDEN, desc = "lost or doubled, or the queue is broken")
    @State
    public static class UnlinkAgainstGrant {
        private final Room.Point point = new Room.Point();
        private final Room.Owner owner = new Room.Owner();
        private final Wait older = owner.waitAt(point);
        private final Wait younger = new Room.Owner().waitAt(point);

        @Actor
        public void givesUp(II_Result r) {
            owner.here();
            older.expire();
            r.r1 = told(older, soon());
        }

        @Actor
        public void granter() {
            point.grant(item());
        }

        @Arbiter
        public void sum(II_Result r) {
            r.r2 = younger.isDecided() ? told(younger, soon()) : 0;
            point.lock();
            WaitNode left = point.queue.poll();
            if (left != (r.r2 == 0 ? younger : null) || !point.queue.isEmpty()) {
                r.r2 = -8;
            }
            point.unlock();
        }
    }
}
