package dev.kumihimo.sync;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A number of permits, handed out strictly in the order of the requests.
 *
 * <pre>{@code
 * Semaphore connections = Semaphore.of(10);
 * try (var permit = connections.acquire()) {
 *     query();
 * }
 * }</pre>
 *
 * <p>Any thread may call any method, and a permit may be given back by another thread than took it.
 *
 * <p><b>Waiting and fairness.</b> An acquire waits while too few permits are free or anybody waits before it: a large request
 * at the head holds up small ones behind it, and {@link #tryAcquire()} does not barge either.
 *
 * <p><b>Interruption and cancellation.</b> An acquire that can complete at once does, except that every 128 of them a task
 * yields and looks whether it is cancelled. If it throws, nothing was taken, its place in the queue is gone, and those
 * behind it are served.
 *
 * <p><b>Memory.</b> What a thread did before it gave a permit back happens-before what another does after it took it.
 *
 * @since 0.1
 */
public final class Semaphore implements AutoCloseable {
    /** The most permits a semaphore can have. */
    public static final int MAX_PERMITS = Integer.MAX_VALUE;

    private final Core core;

    private Semaphore(int permits) {
        core = new Core(permits);
    }

    /**
     * {@return a semaphore}
     *
     * @param permits how many are free at first, 0 to {@link #MAX_PERMITS}
     * @throws IllegalArgumentException if negative
     */
    public static Semaphore of(int permits) {
        if (permits < 0) {
            throw new IllegalArgumentException("permits=" + permits + " must be 0 to " + MAX_PERMITS);
        }
        return new Semaphore(permits);
    }

    /**
     * Takes one permit, waiting for it.
     *
     * @return the permit; closing it gives it back
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was taken
     * @throws IllegalStateException if the semaphore is closed, before or while it waits
     */
    public Permit acquire() throws InterruptedException {
        return acquire(1);
    }

    /**
     * Takes several permits at once, waiting for them.
     *
     * @param count at least 1; a count that the semaphore never has free waits for ever
     * @return the permits; closing them gives them back
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was taken
     * @throws IllegalArgumentException if the count is below 1
     * @throws IllegalStateException if the semaphore is closed, before or while it waits
     */
    public Permit acquire(int count) throws InterruptedException {
        checkCount(count);
        Waiter.spend();
        Permit permit =
                new Permit(this, count); // before anything is taken: if there is no memory for it, nothing is lost
        Wait wait = core.takeOrRegister(count);
        if (wait != null) {
            wait.await();
            checkTaken(wait);
        }
        return permit;
    }

    /**
     * Takes one permit, waiting at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return the permit; closing it gives it back
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was taken
     * @throws TimeoutException if it was not to be had in time; nothing was taken
     * @throws IllegalStateException if the semaphore is closed, before or while it waits
     */
    public Permit acquire(Duration timeout) throws InterruptedException, TimeoutException {
        return acquire(1, timeout);
    }

    /**
     * Takes several permits at once, waiting at most a given time.
     *
     * @param count at least 1
     * @param timeout the longest wait; zero or negative does not wait
     * @return the permits; closing them gives them back
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was taken
     * @throws TimeoutException if they were not to be had in time; nothing was taken
     * @throws IllegalArgumentException if the count is below 1
     * @throws IllegalStateException if the semaphore is closed, before or while it waits
     */
    public Permit acquire(int count, Duration timeout) throws InterruptedException, TimeoutException {
        if (timeout.isNegative() || timeout.isZero()) {
            Permit permit = tryAcquire(count);
            if (permit == null) {
                throw new TimeoutException(count + " permits were not free: " + this);
            }
            return permit;
        }
        checkCount(count);
        Waiter.spend();
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        Permit permit = new Permit(this, count);
        Wait wait = core.takeOrRegister(count);
        if (wait != null) {
            if (!wait.await(deadline)) {
                throw new TimeoutException(count + " permits were not free within " + timeout + ": " + this);
            }
            checkTaken(wait);
        }
        return permit;
    }

    /**
     * Takes one permit if it is free and nobody waits.
     *
     * @return the permit, or null
     * @throws IllegalStateException if the semaphore is closed
     */
    public @Nullable Permit tryAcquire() {
        return tryAcquire(1);
    }

    /**
     * Takes several permits if they are free and nobody waits.
     *
     * @param count at least 1
     * @return the permits, or null
     * @throws IllegalArgumentException if the count is below 1
     * @throws IllegalStateException if the semaphore is closed
     */
    public @Nullable Permit tryAcquire(int count) {
        checkCount(count);
        Waiter.spendQuietly();
        return core.tryTake(count) ? new Permit(this, count) : null;
    }

    /**
     * Adds permits: those of a {@linkplain Permit#forget() forgotten} permit, or new ones. Never waits.
     *
     * @param count at least 1
     * @throws IllegalArgumentException if the count is below 1, or would bring the free permits above {@link #MAX_PERMITS}
     */
    public void release(int count) {
        checkCount(count);
        core.give(count);
    }

    /** {@return how many permits are free now} */
    public int availablePermits() {
        core.lock();
        try {
            return core.permits;
        } finally {
            core.unlock();
        }
    }

    /** Ends the semaphore: acquires throw {@link IllegalStateException}, those that wait included. Permits can be given back. */
    @Override
    public void close() {
        core.end();
    }

    /** {@return whether it was closed} */
    public boolean isClosed() {
        core.lock();
        try {
            return core.closed;
        } finally {
            core.unlock();
        }
    }

    @Override
    public String toString() {
        return "Semaphore[" + availablePermits() + " free]";
    }

    private static void checkCount(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("count=" + count + " must be 1 to " + MAX_PERMITS);
        }
    }

    private static void checkTaken(Wait wait) {
        if (wait.item != null) {
            throw new IllegalStateException("the semaphore was closed while the acquire waited");
        }
    }

    /**
     * Permits that were taken. Closing gives them back; so does nothing else, not even being collected. Not thread-safe:
     * hand it over, do not share it.
     *
     * <pre>{@code
     * Permit permit = semaphore.acquire(3);
     * ...
     * permit.close();
     * }</pre>
     *
     * @since 0.1
     */
    public static final class Permit implements AutoCloseable {
        private final Semaphore semaphore;
        private int count;

        Permit(Semaphore semaphore, int count) {
            this.semaphore = semaphore;
            this.count = count;
        }

        /** {@return how many permits this holds; 0 once given back or forgotten} */
        public int count() {
            return count;
        }

        /** Gives the permits back. Idempotent; never waits. */
        @Override
        public void close() {
            int held = count;
            if (held > 0) {
                count = 0;
                semaphore.core.give(held);
            }
        }

        /** Lets go of the permits without giving them back: the semaphore has that many fewer. */
        public void forget() {
            count = 0;
        }
    }

    /*
     * Algorithm: a count and a FIFO queue behind a spin lock. Who gives permits serves the head as long as it can be served.
     * Invariants: I1 the head, unless it has given up, wants more than is free. I2 so nobody waits while it could be served.
     * Cancellation: a waiter that gives up may have been a head that wanted much: afterAbandon serves those behind.
     * A node's count: what it wants. Its item: CLOSED if it was granted nothing but the end.
     */
    private static final class Core extends WaitPoint {
        private static final Object CLOSED = new Object();

        private final WaitQueue waiters = new WaitQueue();
        private int permits;
        private boolean closed;

        Core(int permits) {
            this.permits = permits;
        }

        boolean tryTake(int count) {
            lock();
            try {
                return take(count);
            } finally {
                unlock();
            }
        }

        private boolean take(int count) {
            if (closed) {
                throw new IllegalStateException("the semaphore is closed");
            }
            if (permits < count || !waiters.isEmpty()) {
                return false;
            }
            permits -= count;
            return true;
        }

        @Nullable
        Wait takeOrRegister(int count) {
            lock();
            try {
                if (take(count)) {
                    return null;
                }
                Wait wait = Wait.at(this);
                wait.count = count;
                waiters.add(wait);
                return wait;
            } finally {
                unlock();
            }
        }

        void give(int count) {
            WakeList served = new WakeList();
            lock();
            try {
                if (count > MAX_PERMITS - permits) {
                    throw new IllegalArgumentException("count=" + count + " would bring " + permits
                            + " free permits above the maximum of " + MAX_PERMITS);
                }
                permits += count;
                serve(served);
            } finally {
                unlock();
            }
            served.wakeAll();
        }

        private void serve(WakeList served) {
            for (WaitNode head; (head = waiters.peek()) != null && head.count <= permits; ) {
                waiters.remove(head);
                if (head.grant()) {
                    permits -= head.count;
                    served.add(head);
                } // else it has given up: the next one
            }
        }

        @Override
        protected void afterAbandon(WakeList woken) {
            serve(woken);
        }

        void end() {
            WakeList ended = new WakeList();
            lock();
            try {
                closed = true;
                for (WaitNode node; (node = waiters.poll()) != null; ) {
                    node.item = CLOSED;
                    if (node.grant()) {
                        ended.add(node);
                    }
                }
            } finally {
                unlock();
            }
            ended.wakeAll();
        }

        @Override
        public String toString() {
            return "semaphore with " + permits + " free";
        }
    }
}
