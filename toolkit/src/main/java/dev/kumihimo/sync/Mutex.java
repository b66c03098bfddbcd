package dev.kumihimo.sync;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: a PermitQueue with one permit.
 *
 * Fields: value: by the holder of the lock only; handed on through the queue's lock. holder: written by who has just taken the
 * lock, and cleared by it before it gives the lock back. Plain: who finds itself there has written it; all others use it for
 * a text only, which may be late.
 */

/**
 * A value that one task at a time may use, also while it waits for other things.
 *
 * <pre>{@code
 * Mutex<Map<String, Integer>> counts = Mutex.of(new HashMap<>());
 * try (var guard = counts.lock()) {
 *     guard.get().merge(word, 1, Integer::sum);
 * }
 * }</pre>
 *
 * <p>Any thread may lock. The lock belongs to the task (or thread) that took it: only it can close the guard, and to ask for
 * the lock again would be to wait for itself, which is told at once. What is to be taken by one task and given back by
 * another is a {@link Semaphore} with one permit.
 *
 * <p><b>Waiting and fairness.</b> Lock waits while another holds the lock or waits before it. Unlocking hands the lock to who
 * has waited longest, so nobody barges in, {@link #tryLock()} included.
 *
 * <p><b>Interruption and cancellation.</b> A lock that is free is taken also by a cancelled or interrupted task, except that
 * every 128 operations it yields and looks. If lock throws, the lock was not taken, and those behind are served.
 *
 * <p><b>No poisoning.</b> An exception between lock and unlock leaves the value as it is then; the next holder finds it so.
 *
 * <p><b>Memory.</b> What a task did before it unlocked happens-before what another does after it locked.
 *
 * @param <T> the value
 * @since 0.1
 */
public final class Mutex<T extends @Nullable Object> implements Selectable<Mutex.Guard<T>> {
    private final Core core = new Core(this);
    private T value;
    private @Nullable Thread holder;

    private Mutex(T value) {
        this.value = value;
    }

    /**
     * {@return a mutex that nobody holds}
     *
     * @param value at first
     * @param <T> the value
     */
    public static <T extends @Nullable Object> Mutex<T> of(T value) {
        return new Mutex<>(value);
    }

    /**
     * Takes the lock, waiting for it.
     *
     * @return the guard; closing it unlocks
     * @throws InterruptedException if interrupted or cancelled while it would wait; the lock was not taken
     * @throws IllegalStateException if the caller holds the lock
     */
    public Guard<T> lock() throws InterruptedException {
        Waiter.spend();
        Thread caller = Thread.currentThread();
        Holder.refuseRelock(holder, "mutex");
        Guard<T> guard =
                new Guard<>(this, caller); // before the lock is taken: if there is no memory for it, nothing is lost
        Wait wait = core.takeOrRegister(1);
        if (wait != null) {
            wait.await();
        }
        holder = caller;
        return guard;
    }

    /**
     * Takes the lock, waiting at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return the guard; closing it unlocks
     * @throws InterruptedException if interrupted or cancelled while it would wait; the lock was not taken
     * @throws TimeoutException if it was not to be had in time; it was not taken
     * @throws IllegalStateException if the caller holds the lock
     */
    public Guard<T> lock(Duration timeout) throws InterruptedException, TimeoutException {
        Waiter.spend();
        Thread caller = Thread.currentThread();
        Holder.refuseRelock(holder, "mutex");
        Guard<T> guard = new Guard<>(this, caller);
        if (timeout.isNegative() || timeout.isZero()) {
            if (!core.tryTake(1)) {
                throw new TimeoutException("not free: " + this);
            }
        } else {
            long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
            Wait wait = core.takeOrRegister(1);
            if (wait != null && !wait.await(deadline)) {
                throw new TimeoutException("not free within " + timeout + ": " + this);
            }
        }
        holder = caller;
        return guard;
    }

    /**
     * Takes the lock if it is free and nobody waits.
     *
     * @return the guard, or null; null also if the caller holds the lock
     */
    public @Nullable Guard<T> tryLock() {
        Waiter.spendQuietly();
        Thread caller = Thread.currentThread();
        Guard<T> guard = new Guard<>(this, caller);
        if (!core.tryTake(1)) {
            return null;
        }
        holder = caller;
        return guard;
    }

    /** {@return whether somebody holds the lock now} */
    public boolean isLocked() {
        return core.free() == 0;
    }

    /** {@return the taking of the lock, to be selected on} Throws, like {@link #lock()}, if the one that selects holds it. */
    @Override
    public Clause<Guard<T>> clause() {
        return new Locking<>(this);
    }

    private void unlock(WakeList served) {
        holder = null;
        core.give(1, served);
    }

    private String state() {
        Thread now = holder;
        return now == null ? (core.freeRoughly() > 0 ? "free" : "held") : "held by " + Holder.name(now);
    }

    @Override
    public String toString() {
        return "Mutex[" + state() + "]";
    }

    /** {@return where its waits are registered, for tests} */
    WaitPoint waitPoint() {
        return core;
    }

    /**
     * The lock, held. Closing unlocks; nothing else does, not even being collected. Not thread-safe.
     *
     * <pre>{@code
     * try (var guard = config.lock()) {
     *     guard.set(reload(guard.get()));
     * }
     * }</pre>
     *
     * @param <T> the value
     * @since 0.1
     */
    public static final class Guard<T extends @Nullable Object> implements AutoCloseable {
        private final Mutex<T> mutex;
        private final Thread holder;
        private boolean closed;

        Guard(Mutex<T> mutex, Thread holder) {
            this.mutex = mutex;
            this.holder = holder;
        }

        /**
         * {@return the value}
         *
         * @throws IllegalStateException if the guard is closed
         */
        public T get() {
            checkOpen();
            return mutex.value;
        }

        /**
         * Replaces the value.
         *
         * @param value from now on
         * @throws IllegalStateException if the guard is closed
         */
        public void set(T value) {
            checkOpen();
            mutex.value = value;
        }

        /**
         * Unlocks. Idempotent; never waits.
         *
         * @throws IllegalStateException if called by another than took the lock; it stays locked then
         */
        @Override
        public void close() {
            if (!closed) {
                Holder.refuseOthers(holder, "mutex");
                WakeList served = new WakeList(); // first: if there is no memory for it, the lock is still held
                closed = true;
                mutex.unlock(served);
            }
        }

        private void checkOpen() {
            if (closed) {
                throw Holder.closed("mutex");
            }
        }

        @Override
        public String toString() {
            return closed ? "Guard[closed]" : "Guard[" + mutex + "]";
        }
    }

    private static final class Locking<T extends @Nullable Object> extends PermitQueue.Taking<Guard<T>> {
        private static final Object RELOCKED = new Object();

        private final Mutex<T> mutex;

        Locking(Mutex<T> mutex) {
            super(mutex.core, 1);
            this.mutex = mutex;
        }

        @Override
        Guard<T> prepare() {
            return new Guard<>(mutex, Thread.currentThread());
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            return mutex.holder == Thread.currentThread() ? RELOCKED : super.tryNow(woken);
        }

        @Override
        protected Guard<T> result(@Nullable Object outcome) {
            if (outcome == RELOCKED) {
                throw Holder.relocked("mutex");
            }
            Guard<T> guard = super.result(outcome);
            mutex.holder = guard.holder;
            return guard;
        }
    }

    private static final class Core extends PermitQueue {
        private final Mutex<?> mutex;

        Core(Mutex<?> mutex) {
            super(1);
            this.mutex = mutex;
        }

        @Override
        @Nullable
        String missing(int count) {
            return Holder.left(mutex.holder, "still held");
        }

        @Override
        public List<Thread> holders() {
            Thread now = mutex.holder;
            return now == null ? List.of() : List.of(now);
        }

        @Override
        public String toString() {
            return "mutex " + mutex.state();
        }
    }
}
