package dev.kumihimo.sync;

import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Selectable;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: a PermitQueue with a permit for each possible reader; a writer takes all. So readers that come while a writer
 * waits stand behind it, and a writer that gives up as the head lets them pass: both are the queue's. A downgrade gives back
 * all permits but one, which serves readers up to the next writer.
 *
 * Fields: value: read while a permit is held, written while all are; handed on through the queue's lock. writer: written by
 * who has just taken all, cleared by it before it gives any back. Plain: who finds itself there has written it; all others use
 * it for a text only, which may be late.
 */

/**
 * A value that many tasks may read at a time, or one may change.
 *
 * <pre>{@code
 * RwLock<Routes> routes = RwLock.of(load());
 * try (var reading = routes.read()) {
 *     return reading.get().match(path);
 * }
 * }</pre>
 *
 * <p>Any thread may lock. A guard belongs to the task (or thread) that took it: only it can close the guard. Who holds the
 * write lock and asks for either lock again would wait for itself; that is told at once. To write while holding a read guard
 * of one's own, or to read a second time while a writer waits, is to wait for ever, and is not found: there is no upgrade.
 * {@link WriteGuard#downgrade()} goes the other way.
 *
 * <p><b>Waiting and fairness.</b> All are served strictly in the order of arrival: a read waits while somebody writes or a
 * writer waits before it, so that writers are never starved; a write waits for all who came before. {@link #tryRead()} and
 * {@link #tryWrite()} do not barge.
 *
 * <p><b>Interruption and cancellation.</b> A lock that is to be had at once is taken also by a cancelled or interrupted task,
 * except that every 128 operations it yields and looks. If an operation throws, nothing was taken, and those behind are
 * served: readers behind a writer that has given up read at once.
 *
 * <p><b>No poisoning.</b> An exception while the lock is held leaves the value as it is then.
 *
 * <p><b>Memory.</b> What a task did before it gave up the write lock happens-before what another does after it took either;
 * what readers did happens-before what the next writer does.
 *
 * @param <T> the value
 * @since 0.1
 */
public final class RwLock<T extends @Nullable Object> {
    /** The most that can read at a time, and how many can unless fewer are asked for. */
    public static final int MAX_READERS = Integer.MAX_VALUE;

    private final Core core;
    private final int maxReaders;
    private T value;
    private @Nullable Thread writer;

    /** Who reads, for reports of the test kit; elsewhere null, since to keep it would cost each reader. */
    private final @Nullable Queue<Thread> readers = Points.ON ? new ConcurrentLinkedQueue<>() : null;

    private RwLock(T value, int maxReaders) {
        this.value = value;
        this.maxReaders = maxReaders;
        core = new Core(this);
    }

    /**
     * {@return a lock that nobody holds}
     *
     * @param value at first
     * @param <T> the value
     */
    public static <T extends @Nullable Object> RwLock<T> of(T value) {
        return new RwLock<>(value, MAX_READERS);
    }

    /**
     * {@return a lock that nobody holds}
     *
     * @param value at first
     * @param maxReaders how many may read at a time, 1 to {@link #MAX_READERS}; more wait
     * @param <T> the value
     * @throws IllegalArgumentException if that is below 1
     */
    public static <T extends @Nullable Object> RwLock<T> of(T value, int maxReaders) {
        if (maxReaders < 1) {
            throw new IllegalArgumentException("maxReaders=" + maxReaders + " must be 1 to " + MAX_READERS);
        }
        return new RwLock<>(value, maxReaders);
    }

    /* ---------------- Reading -------------- */

    /**
     * Takes the lock for reading, waiting for it.
     *
     * @return the guard; closing it unlocks
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was taken
     * @throws IllegalStateException if the caller holds the write lock
     */
    public ReadGuard<T> read() throws InterruptedException {
        Thread caller = begin();
        ReadGuard<T> guard = new ReadGuard<>(this, caller); // before anything is taken: without memory, nothing is lost
        take(1);
        noteReader(caller);
        return guard;
    }

    /**
     * Takes the lock for reading, waiting at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return the guard; closing it unlocks
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was taken
     * @throws TimeoutException if it was not to be had in time; nothing was taken
     * @throws IllegalStateException if the caller holds the write lock
     */
    public ReadGuard<T> read(Duration timeout) throws InterruptedException, TimeoutException {
        Thread caller = begin();
        ReadGuard<T> guard = new ReadGuard<>(this, caller);
        take(1, timeout);
        noteReader(caller);
        return guard;
    }

    /**
     * Takes the lock for reading if nobody writes or waits.
     *
     * @return the guard, or null
     */
    public @Nullable ReadGuard<T> tryRead() {
        Waiter.spendQuietly();
        Thread caller = Thread.currentThread();
        ReadGuard<T> guard = new ReadGuard<>(this, caller);
        if (!core.tryTake(1)) {
            return null;
        }
        noteReader(caller);
        return guard;
    }

    /**
     * {@return the taking of the lock for reading, to be selected on} Throws, like {@link #read()}, if the one that selects holds
     * the write lock.
     */
    public Selectable<ReadGuard<T>> reading() {
        return new Reading<>(this);
    }

    /* ---------------- Writing -------------- */

    /**
     * Takes the lock for writing, waiting for it.
     *
     * @return the guard; closing it unlocks
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was taken
     * @throws IllegalStateException if the caller holds the write lock
     */
    public WriteGuard<T> write() throws InterruptedException {
        Thread caller = begin();
        WriteGuard<T> guard = new WriteGuard<>(this, caller);
        take(maxReaders);
        writer = caller;
        return guard;
    }

    /**
     * Takes the lock for writing, waiting at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return the guard; closing it unlocks
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was taken
     * @throws TimeoutException if it was not to be had in time; nothing was taken
     * @throws IllegalStateException if the caller holds the write lock
     */
    public WriteGuard<T> write(Duration timeout) throws InterruptedException, TimeoutException {
        Thread caller = begin();
        WriteGuard<T> guard = new WriteGuard<>(this, caller);
        take(maxReaders, timeout);
        writer = caller;
        return guard;
    }

    /**
     * Takes the lock for writing if nobody holds it or waits.
     *
     * @return the guard, or null
     */
    public @Nullable WriteGuard<T> tryWrite() {
        Waiter.spendQuietly();
        Thread caller = Thread.currentThread();
        WriteGuard<T> guard = new WriteGuard<>(this, caller);
        if (!core.tryTake(maxReaders)) {
            return null;
        }
        writer = caller;
        return guard;
    }

    /**
     * {@return the taking of the lock for writing, to be selected on} Throws, like {@link #write()}, if the one that selects holds
     * it.
     */
    public Selectable<WriteGuard<T>> writing() {
        return new Writing<>(this);
    }

    /* ---------------- Shared -------------- */

    private Thread begin() throws InterruptedException {
        Waiter.spend();
        Thread caller = Thread.currentThread();
        Holder.refuseRelock(writer, "write lock");
        return caller;
    }

    private void take(int count) throws InterruptedException {
        Wait wait = core.takeOrRegister(count);
        if (wait != null) {
            wait.await();
        }
    }

    private void take(int count, Duration timeout) throws InterruptedException, TimeoutException {
        if (timeout.isNegative() || timeout.isZero()) {
            if (!core.tryTake(count)) {
                throw new TimeoutException("not free: " + this);
            }
            return;
        }
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        Wait wait = core.takeOrRegister(count);
        if (wait != null && !wait.await(deadline)) {
            throw new TimeoutException("not free within " + timeout + ": " + this);
        }
    }

    private void noteReader(Thread reader) {
        if (readers != null) {
            readers.add(reader);
        }
    }

    /** {@return how many may read at a time} */
    public int maxReaders() {
        return maxReaders;
    }

    private String state() {
        Thread now = writer;
        if (now != null) {
            return "written by " + Holder.name(now);
        }
        int taken = maxReaders - core.freeRoughly();
        return taken == 0 ? "free" : taken == 1 ? "read by one" : taken == maxReaders ? "held" : "read by " + taken;
    }

    @Override
    public String toString() {
        return "RwLock[" + state() + "]";
    }

    /** {@return where its waits are registered, for tests} */
    WaitPoint waitPoint() {
        return core;
    }

    /**
     * The lock, held for reading. Closing unlocks; nothing else does, not even being collected. Not thread-safe.
     *
     * <pre>{@code
     * try (var reading = prices.read()) {
     *     total = reading.get().of(order);
     * }
     * }</pre>
     *
     * @param <T> the value
     * @since 0.1
     */
    public static final class ReadGuard<T extends @Nullable Object> implements AutoCloseable {
        private final RwLock<T> lock;
        private final Thread holder;
        private boolean closed;

        ReadGuard(RwLock<T> lock, Thread holder) {
            this.lock = lock;
            this.holder = holder;
        }

        /**
         * {@return the value, to be looked at only}
         *
         * @throws IllegalStateException if the guard is closed
         */
        public T get() {
            if (closed) {
                throw Holder.closed("read lock");
            }
            return lock.value;
        }

        /**
         * Unlocks. Idempotent; never waits.
         *
         * @throws IllegalStateException if called by another than took the lock; it stays locked then
         */
        @Override
        public void close() {
            if (!closed) {
                Holder.refuseOthers(holder, "read lock");
                WakeList served = new WakeList(); // first: if there is no memory for it, the lock is still held
                closed = true;
                if (lock.readers != null) {
                    lock.readers.remove(holder);
                }
                lock.core.give(1, served);
            }
        }

        @Override
        public String toString() {
            return closed ? "ReadGuard[closed]" : "ReadGuard[" + lock + "]";
        }
    }

    /**
     * The lock, held for writing. Closing unlocks; nothing else does, not even being collected. Not thread-safe.
     *
     * <pre>{@code
     * try (var writing = prices.write()) {
     *     writing.set(writing.get().with(offer));
     * }
     * }</pre>
     *
     * @param <T> the value
     * @since 0.1
     */
    public static final class WriteGuard<T extends @Nullable Object> implements AutoCloseable {
        private final RwLock<T> lock;
        private final Thread holder;
        private boolean closed;

        WriteGuard(RwLock<T> lock, Thread holder) {
            this.lock = lock;
            this.holder = holder;
        }

        /**
         * {@return the value}
         *
         * @throws IllegalStateException if the guard is closed
         */
        public T get() {
            checkOpen();
            return lock.value;
        }

        /**
         * Replaces the value.
         *
         * @param value from now on
         * @throws IllegalStateException if the guard is closed
         */
        public void set(T value) {
            checkOpen();
            lock.value = value;
        }

        /**
         * Goes on as a reader: no other writer comes between, and readers that were next may join. Never waits. This guard is
         * closed by it.
         *
         * @return the guard of the read lock
         * @throws IllegalStateException if the guard is closed, or is another's; nothing has changed then
         */
        public ReadGuard<T> downgrade() {
            checkOpen();
            Holder.refuseOthers(holder, "write lock");
            ReadGuard<T> reading = new ReadGuard<>(lock, holder);
            lock.noteReader(holder);
            release(1);
            return reading;
        }

        /**
         * Unlocks. Idempotent; never waits.
         *
         * @throws IllegalStateException if called by another than took the lock; it stays locked then
         */
        @Override
        public void close() {
            if (!closed) {
                Holder.refuseOthers(holder, "write lock");
                release(0);
            }
        }

        private void release(int kept) {
            WakeList served = new WakeList(); // first: if there is no memory for it, the lock is still held
            closed = true;
            lock.writer = null;
            if (lock.maxReaders > kept) {
                lock.core.give(lock.maxReaders - kept, served);
            }
        }

        private void checkOpen() {
            if (closed) {
                throw Holder.closed("write lock");
            }
        }

        @Override
        public String toString() {
            return closed ? "WriteGuard[closed]" : "WriteGuard[" + lock + "]";
        }
    }

    /** The taking of either lock, which the writer is told it would wait for itself. */
    private abstract static class Locking<T extends @Nullable Object, G> extends PermitQueue.Taking<G> {
        private static final Object RELOCKED = new Object();

        final RwLock<T> lock;

        Locking(RwLock<T> lock, int count) {
            super(lock.core, count);
            this.lock = lock;
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            return lock.writer == Thread.currentThread() ? RELOCKED : super.tryNow(woken);
        }

        @Override
        protected G result(@Nullable Object outcome) {
            if (outcome == RELOCKED) {
                throw Holder.relocked("write lock");
            }
            return super.result(outcome);
        }
    }

    private static final class Reading<T extends @Nullable Object> extends Locking<T, ReadGuard<T>> {
        Reading(RwLock<T> lock) {
            super(lock, 1);
        }

        @Override
        ReadGuard<T> prepare() {
            return new ReadGuard<>(lock, Thread.currentThread());
        }

        @Override
        protected ReadGuard<T> result(@Nullable Object outcome) {
            ReadGuard<T> guard = super.result(outcome);
            lock.noteReader(guard.holder);
            return guard;
        }
    }

    private static final class Writing<T extends @Nullable Object> extends Locking<T, WriteGuard<T>> {
        Writing(RwLock<T> lock) {
            super(lock, lock.maxReaders);
        }

        @Override
        WriteGuard<T> prepare() {
            return new WriteGuard<>(lock, Thread.currentThread());
        }

        @Override
        protected WriteGuard<T> result(@Nullable Object outcome) {
            WriteGuard<T> guard = super.result(outcome);
            lock.writer = guard.holder;
            return guard;
        }
    }

    private static final class Core extends PermitQueue {
        private final RwLock<?> lock;

        Core(RwLock<?> lock) {
            super(lock.maxReaders);
            this.lock = lock;
        }

        /** The writer; or for one that wants to write, and waits for all of them, those who read, where they are known. */
        @Override
        public List<Thread> holders(WaitNode asking) {
            Thread now = lock.writer;
            if (now != null) {
                return List.of(now);
            }
            if (lock.readers == null || asking.count != lock.maxReaders) {
                return List.of(); // a reader that waits for a writer before it, which may give up
            }
            List<Thread> known = List.copyOf(lock.readers);
            return known.size() == lock.maxReaders - freeRoughly() ? known : List.of(); // else one has yet to resume
        }

        @Override
        @Nullable
        String missing(int count) {
            return lock.writer != null || count == lock.maxReaders
                    ? Holder.left(lock.writer, "still held for writing")
                    : count + (count == 1 ? " read guard was" : " read guards were") + " not closed";
        }

        @Override
        public String toString() {
            return "read-write lock " + lock.state();
        }
    }
}
