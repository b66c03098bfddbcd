package dev.kumihimo.sync;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import java.lang.invoke.MethodHandles;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Where a fixed number of tasks wait for each other, again and again.
 *
 * <pre>{@code
 * Barrier step = Barrier.of(workers);
 * while (computeMyPart()) {
 *     if (step.await().isLeader()) {
 *         log("step done");
 *     }
 * }
 * }</pre>
 *
 * <p><b>Waiting.</b> A wait ends when as many as the barrier has parties wait at it, or rather when the last of them arrives:
 * all pass, the last one as their leader, and the next generation begins. Any thread may come; who comes too early for the
 * next generation waits for it.
 *
 * <p><b>Interruption and cancellation.</b> The last to arrive passes also if it is cancelled or interrupted, except that every
 * 128 operations a task yields and looks. A wait that throws has not arrived: its arrival is taken back, the others wait for
 * another one, and the barrier is not broken by it.
 *
 * <p><b>Memory.</b> What each did before it arrived happens-before what all do after they have passed.
 *
 * @since 0.1
 */
public final class Barrier {
    private final Core core;

    private Barrier(int parties) {
        core = new Core(parties);
    }

    /**
     * How a wait at a {@link Barrier} ended.
     *
     * <pre>{@code
     * Barrier.Passage passage = step.await();
     * if (passage.isLeader()) {
     *     report(passage.generation());
     * }
     * }</pre>
     *
     * @param isLeader whether the caller is the one of its generation that arrived last
     * @param generation how many generations have passed before this one
     * @since 0.1
     */
    public record Passage(boolean isLeader, long generation) {}

    /**
     * {@return a barrier at which nobody waits}
     *
     * @param parties how many pass together, at least 1
     * @throws IllegalArgumentException if that is below 1
     */
    public static Barrier of(int parties) {
        if (parties < 1) {
            throw new IllegalArgumentException("parties=" + parties + " must be at least 1");
        }
        return new Barrier(parties);
    }

    /**
     * Arrives, and waits for the others.
     *
     * @return how it passed
     * @throws InterruptedException if interrupted or cancelled while it would wait; it has not arrived
     */
    public Passage await() throws InterruptedException {
        Waiter.spend();
        Object arrival = core.arrive();
        while (arrival instanceof Wait wait) {
            wait.await();
            arrival = core.resume(wait);
        }
        return (Passage) arrival;
    }

    /**
     * Arrives, and waits for the others, at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return how it passed
     * @throws InterruptedException if interrupted or cancelled while it would wait; it has not arrived
     * @throws TimeoutException if not all others came in time; it has not arrived
     */
    public Passage await(Duration timeout) throws InterruptedException, TimeoutException {
        Waiter.spend();
        if (timeout.isNegative() || timeout.isZero()) {
            Passage passed = core.tryPass();
            if (passed == null) {
                throw new TimeoutException("not all others are at the " + core);
            }
            return passed;
        }
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        Object arrival = core.arrive();
        while (arrival instanceof Wait wait) {
            if (!wait.await(deadline)) {
                throw new TimeoutException("not all others came within " + timeout + " to the " + core);
            }
            arrival = core.resume(wait);
        }
        return (Passage) arrival;
    }

    /**
     * Arrives if all others wait already, and passes as their leader.
     *
     * @return how it passed, or null if others are missing; then it has not arrived
     */
    public @Nullable Passage tryAwait() {
        Waiter.spendQuietly();
        return core.tryPass();
    }

    /** {@return how many pass together} */
    public int parties() {
        return core.parties;
    }

    /** {@return how many have arrived and wait for the others now} */
    public int waiting() {
        return core.waiting();
    }

    @Override
    public String toString() {
        return "Barrier[" + waiting() + " of " + core.parties + " waiting]";
    }

    /** {@return where its waits are registered, for tests} */
    WaitPoint waitPoint() {
        return core;
    }

    /** Enqueues a wait that counts as arrived, for tests. */
    void enqueue(WaitNode node) {
        core.lock();
        core.waiters.add(node);
        core.arrived++;
        core.unlock();
    }

    /*
     * Algorithm: a count and a queue behind a spin lock. The last to arrive grants all who wait, and counts the next generation.
     *
     * The difficulty: any of them may give up at any time, by a compare-and-set that takes no lock, and the grants before it
     * cannot be taken back. So a grant says only: look at the generation. If it has gone on, the waiter has passed. If not, one
     * who gave up was among those granted, and the waiter registers again, with its arrival counted throughout; from its grant
     * to there it cannot be cancelled. The one that came as the last waits too, then, for another one.
     *
     * Fields: guarded by the lock; generation is also read without it. arrived: nodes in the queue, and waiters on their way
     * from a grant in vain to a new registration. A node's item: its Passage, made in advance.
     * Invariant: arrived < parties, outside the lock.
     * Linearization: all of a generation pass where pass() counts it.
     * Cancellation: who withdraws its node counts itself out; if it was dropped as one who gave up, that was done then.
     */
    private static final class Core extends WaitPoint {
        static {
            prepare(MethodHandles.lookup(), Passage.class);
        }

        private final int parties;
        private final WaitQueue waiters = new WaitQueue();
        private int arrived;
        private volatile long generation;

        Core(int parties) {
            this.parties = parties;
        }

        /** Arrives: returns the passage of the last to come, or else the registered wait. */
        Object arrive() {
            WakeList woken = new WakeList();
            Passage leading;
            Wait wait;
            lock();
            try {
                wait = newWait(
                        new Passage(false, generation)); // first: if there is no memory for it, nobody has been granted
                leading = pass(woken);
                if (leading == null) {
                    register(wait);
                }
            } finally {
                unlock();
            }
            woken.wakeAll();
            return leading == null ? wait : leading;
        }

        @Nullable
        Passage tryPass() {
            WakeList woken = new WakeList();
            Passage passage;
            lock();
            try {
                passage = pass(woken);
            } finally {
                unlock();
            }
            woken.wakeAll();
            return passage;
        }

        /** Returns the passage of a wait that was granted, or registers it again. */
        Object resume(Wait granted) {
            Passage passage = (Passage) Objects.requireNonNull(granted.item);
            if (generation != passage.generation) {
                return passage;
            }
            lock(); // waits also for whoever is still granting
            try {
                if (generation != passage.generation) {
                    return passage;
                }
                arrived--; // first: if there is no memory for the wait, the caller has not arrived
                Wait wait = newWait(passage);
                register(wait);
                return wait;
            } finally {
                unlock();
            }
        }

        private Wait newWait(Passage passage) {
            Wait wait = Wait.at(this);
            wait.item = passage;
            return wait;
        }

        private void register(Wait wait) {
            waiters.add(wait);
            arrived++;
        }

        /** Lets all pass if the caller is the last; else, or if one of the others turns out to have given up, returns null. */
        @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock
        private @Nullable Passage pass(WakeList woken) {
            if (arrived + 1 < parties) {
                return null;
            }
            Passage passage = new Passage(true, generation);
            for (WaitNode node; (node = waiters.poll()) != null; ) {
                if (node.grant()) {
                    woken.add(node);
                } else {
                    arrived--;
                }
            }
            if (arrived + 1 < parties) {
                return null;
            }
            arrived = 0;
            generation++;
            return passage;
        }

        @Override
        protected void afterAbandon(WakeList woken) {
            arrived--;
        }

        int waiting() {
            lock();
            try {
                return arrived;
            } finally {
                unlock();
            }
        }

        @Override
        public @Nullable String lostWakeup() {
            WaitNode head = undecided(waiters);
            return head != null && arrived >= parties ? lost("all " + parties + " have arrived", head) : null;
        }

        @Override
        public String toString() {
            return "barrier with " + arrived + " of " + parties;
        }
    }
}
