package dev.kumihimo.test.matrix;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.WakeList;
import java.util.List;

/** Permits with a bug, of which the victim wants several, to show that the matrix finds it. */
final class PlantedPermits extends Subject {
    enum Bug {
        NONE,
        /** Whoever gives up serves nobody whom it held up. */
        SERVES_NOBODY,
        /** Whoever gives up serves those it held up, and wakes none. */
        WAKES_NOBODY,
        /** Permits go to a waiter that has given up. */
        PERMITS_LOST_ON_CANCEL,
        /** Permits are given, and stay. */
        PERMITS_DOUBLED
    }

    private static final class Permits extends WaitPoint {
        private final Bug bug;
        private final WaitQueue waiters = new WaitQueue();
        private int free;

        Permits(Bug bug) {
            this.bug = bug;
        }

        void take(int count) throws InterruptedException {
            Wait wait;
            lock();
            try {
                if (waiters.isEmpty() && free >= count) {
                    free -= count;
                    return;
                }
                wait = Wait.at(this);
                wait.count = count;
                waiters.add(wait);
            } finally {
                unlock();
            }
            wait.await();
        }

        void give() {
            WakeList woken = new WakeList();
            lock();
            free++;
            serve(woken);
            unlock();
            woken.wakeAll();
        }

        private void serve(WakeList woken) {
            for (WaitNode head; (head = waiters.peek()) != null && head.count <= free; ) {
                waiters.remove(head);
                boolean granted = head.grant();
                if (granted) {
                    woken.add(head);
                }
                if (granted && bug != Bug.PERMITS_DOUBLED || bug == Bug.PERMITS_LOST_ON_CANCEL) {
                    free -= head.count;
                }
            }
        }

        @Override
        protected void afterAbandon(WakeList woken) {
            if (bug != Bug.SERVES_NOBODY) {
                serve(bug == Bug.WAKES_NOBODY ? new WakeList() : woken);
            }
        }

        @Override
        public String toString() {
            return "permits with a bug: " + bug;
        }
    }

    private static final int WANTED = 3;

    private final Permits permits;
    private final int victim;
    private int given;
    private int held;

    PlantedPermits(Bug bug, int victim) {
        this.permits = new Permits(bug);
        this.victim = victim;
    }

    private int wanted(int who) {
        return who == victim ? WANTED : 1;
    }

    @Override
    Object op(int who) throws Exception {
        permits.take(wanted(who));
        held += wanted(who);
        return "taken";
    }

    @Override
    void tryGrant() {
        given++;
        permits.give();
    }

    @Override
    boolean timed() {
        return false;
    }

    @Override
    int rounds(int before) {
        return before + WANTED;
    }

    @Override
    boolean couldGo(int first) {
        return permits.free >= wanted(first);
    }

    @Override
    void check(List<Outcome> outcomes) {
        ensureEqual(permits.free + held, given, "permits free and held");
    }

    @Override
    void use() throws Exception {
        tryGrant();
        permits.take(1);
    }
}
