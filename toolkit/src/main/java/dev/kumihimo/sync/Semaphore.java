package dev.kumihimo.sync;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
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
public final class Semaphore implements Selectable<Semaphore.Permit>, AutoCloseable {
    /** The most permits a semaphore can have. */
    public static final int MAX_PERMITS = PermitQueue.MAX_PERMITS;

    private final Core core;

    /** Made by the first select, and again by another thread that does not see it: they are all alike. */
    private @Nullable Clause<Permit> acquiring;

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
     * @throws SemaphoreClosedException if the semaphore is closed, before or while it waits
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
     * @throws SemaphoreClosedException if the semaphore is closed, before or while it waits
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
     * @throws SemaphoreClosedException if the semaphore is closed, before or while it waits
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
     * @throws SemaphoreClosedException if the semaphore is closed, before or while it waits
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
     * @throws SemaphoreClosedException if the semaphore is closed
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
     * @throws SemaphoreClosedException if the semaphore is closed
     */
    public @Nullable Permit tryAcquire(int count) {
        checkCount(count);
        Waiter.spendQuietly();
        Permit permit = new Permit(this, count); // first, as in acquire
        return core.tryTake(count) ? permit : null;
    }

    /**
     * Adds permits: those of a {@linkplain Permit#forget() forgotten} permit, or new ones. Never waits, and works on a closed
     * semaphore too, which stays closed.
     *
     * @param count at least 1
     * @throws IllegalArgumentException if the count is below 1, or would bring the free permits above {@link #MAX_PERMITS}
     */
    public void release(int count) {
        checkCount(count);
        core.give(count);
    }

    /**
     * Removes free permits for good, as many as there are up to a number: the semaphore has that many fewer. Never waits, and
     * takes nothing from those who hold permits. A waiting acquire that needs more than is left waits on.
     *
     * @param count at least 1
     * @return how many were removed, 0 to {@code count}
     * @throws IllegalArgumentException if the count is below 1
     */
    public int forgetPermits(int count) {
        checkCount(count);
        return core.remove(count);
    }

    /** {@return how many permits are free now} */
    public int availablePermits() {
        return core.free();
    }

    /** Ends the semaphore: acquires throw {@link SemaphoreClosedException}, those that wait included. Permits can be given back. */
    @Override
    public void close() {
        core.end();
    }

    /** {@return whether it was closed} */
    public boolean isClosed() {
        return core.isEnded();
    }

    /** {@return the taking of one permit, to be selected on} Ready also once the semaphore is closed. */
    @Override
    public Clause<Permit> clause() {
        Clause<Permit> clause = acquiring;
        if (clause == null) {
            clause = new Acquiring(this, 1);
            acquiring = clause;
        }
        return clause;
    }

    /**
     * {@return the taking of several permits at once, to be selected on} Ready also once the semaphore is closed. A branch that
     * waits has its place in the queue like any other acquire.
     *
     * @param count at least 1
     * @throws IllegalArgumentException if the count is below 1
     */
    public Selectable<Permit> acquiring(int count) {
        checkCount(count);
        return new Acquiring(this, count);
    }

    @Override
    public String toString() {
        return "Semaphore[" + availablePermits() + " free]";
    }

    /** {@return where its waits are registered, for tests} */
    WaitPoint waitPoint() {
        return core;
    }

    private static void checkCount(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("count=" + count + " must be 1 to " + MAX_PERMITS);
        }
    }

    private static void checkTaken(Wait wait) {
        if (wait.item != null) {
            throw new SemaphoreClosedException("the semaphore was closed while the acquire waited");
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
                WakeList served = new WakeList(); // first: if there is no memory for it, the permits are still held
                count = 0;
                semaphore.core.give(held, served);
            }
        }

        /** Lets go of the permits without giving them back: the semaphore has that many fewer. */
        public void forget() {
            int held = count;
            count = 0;
            semaphore.core.forget(held);
        }

        /**
         * Moves another's permits into this one, which then holds them all; the other holds none.
         *
         * @param other a permit of the same semaphore
         * @throws IllegalArgumentException if the other is of another semaphore, or is this one, or if one permit cannot hold so
         *     many
         * @throws IllegalStateException if one of them was given back or forgotten
         */
        public void merge(Permit other) {
            if (other.semaphore != semaphore) {
                throw new IllegalArgumentException(
                        "other is of " + other.semaphore + ", but must be of the same semaphore, " + semaphore);
            }
            if (other == this) {
                throw new IllegalArgumentException("other is this permit itself");
            }
            if (count == 0 || other.count == 0) {
                throw new IllegalStateException(
                        (count == 0 ? "this" : "the other") + " permit was given back or forgotten");
            }
            if (other.count > MAX_PERMITS - count) {
                throw new IllegalArgumentException("other holds " + other.count + " permits, which would bring " + count
                        + " above the maximum of " + MAX_PERMITS);
            }
            count += other.count;
            other.count = 0;
        }

        /**
         * Moves some of the permits into a new one.
         *
         * @param moved how many, at least 1 and at most what this holds; if it is all, this holds none any more
         * @return what holds them now; closing it gives them back
         * @throws IllegalArgumentException if there are not so many, or it is below 1
         * @throws IllegalStateException if this was given back or forgotten
         */
        public Permit split(int moved) {
            if (count == 0) {
                throw new IllegalStateException("this permit was given back or forgotten");
            }
            if (moved < 1 || moved > count) {
                throw new IllegalArgumentException("moved=" + moved + " must be 1 to " + count);
            }
            Permit other = new Permit(semaphore, moved);
            count -= moved;
            return other;
        }

        @Override
        public String toString() {
            return "Permit[" + count + " of " + semaphore + "]";
        }
    }

    private static final class Acquiring extends PermitQueue.Taking<Permit> {
        private final Semaphore semaphore;
        private final int count;

        Acquiring(Semaphore semaphore, int count) {
            super(semaphore.core, count);
            this.semaphore = semaphore;
            this.count = count;
        }

        @Override
        Permit prepare() {
            return new Permit(semaphore, count);
        }
    }

    private static final class Core extends PermitQueue {
        Core(int permits) {
            super(permits);
        }

        @Override
        public String toString() {
            return "semaphore with " + freeRoughly() + " free";
        }
    }
}
