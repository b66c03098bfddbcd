package dev.kumihimo.time;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import java.time.Duration;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Items that are handed out when their time has come: timers by the thousand, whose times are changed and which are taken back
 * before they are due, with one task or a few that take them.
 *
 * <pre>{@code
 * DelayQueue<Session> idle = DelayQueue.create();
 * session.key = idle.insert(session, Duration.ofMinutes(5));
 * idle.tryReset(session.key, Duration.ofMinutes(5));   // on each request
 * idle.tryRemove(session.key);                         // on logout
 *
 * while (true) {                                       // in a task of its own
 *     idle.take().value().close();
 * }
 * }</pre>
 *
 * <p>Items come out in the order of their deadlines; those with one deadline in the order in which they were inserted or last
 * reset. With equal delays, what was inserted first is due first. Any thread may call any method. An insertion, a removal or a
 * reset takes time that grows with the logarithm of the number of items, and no timer is armed for an item but the first, and
 * for that only while somebody waits.
 *
 * <p>An item is never handed out early, and at most 0.25 ms late, and another millisecond while the runtime has sockets, plus
 * the scheduling delay. Deadlines are kept in nanoseconds. The clock is that of the runtime in which the queue was made, and outside of any that of the global one; all
 * runtimes share it, but for those under test.
 *
 * <p><b>Waiting and fairness.</b> A taker waits until an item is due that is for it; if the queue is empty, for one to be
 * inserted. Takers are served strictly in the order of arrival, {@link #tryTake()} takes nothing that a waiting one could have,
 * and each item wakes one of them. An item is gone from the queue at the moment at which a taker that waits has been chosen for
 * it, also if that has yet to run.
 *
 * <p><b>Interruption and cancellation.</b> An item that is due is taken, also in a cancelled task, except that every 128 of them
 * a task yields and looks. A wait that throws has taken none: the item goes to the next taker, or stays.
 *
 * <p><b>Memory.</b> What a thread did before it inserted an item happens-before what another does after it has taken it. The queue
 * keeps no item that was taken or removed, and its room for as many as it once had until {@link #clear()}. It needs no
 * closing.
 *
 * @param <T> the items
 * @since 0.1
 */
public final class DelayQueue<T> implements Selectable<DelayQueue.Expired<T>> {
    private final DelayCore core;
    private final Clause<Expired<T>> clause;

    DelayQueue(TimerService clock) {
        core = new DelayCore(clock);
        clause = new Taking<>(core);
    }

    /**
     * {@return an empty queue, on the clock of the caller's runtime}
     *
     * @param <T> the items
     */
    public static <T> DelayQueue<T> create() {
        return new DelayQueue<>(Waiter.current().timers());
    }

    /**
     * What an item is known by in its queue, from its insertion until it is taken or removed. Compared by identity; never used
     * again for another item. One that is kept longer keeps the queue from being collected, but not the item.
     *
     * <pre>{@code
     * DelayQueue.Key key = queue.insert(order, Duration.ofSeconds(30));
     * queue.tryRemove(key);
     * }</pre>
     *
     * @since 0.1
     */
    public static final class Key {
        final DelayCore core;

        /** The item; null once it is gone. Guarded by the lock until it is taken, then the taker's. */
        @Nullable
        Object value;

        /** When it is due, and which of those that are due then. Guarded by the lock; constant once it is gone. */
        long time;

        long order;

        /** Where it is in the heap, or what has become of it. Guarded by the lock. */
        int index;

        Key(DelayCore core, Object value) {
            this.core = core;
            this.value = value;
        }

        boolean isBefore(Key other) {
            return time != other.time ? time < other.time : order < other.order;
        }
    }

    /**
     * An item whose time had come.
     *
     * <pre>{@code
     * DelayQueue.Expired<Order> expired = queue.take();
     * log(expired.value() + " is " + expired.deadline().elapsed() + " late");
     * }</pre>
     *
     * @param value the item
     * @param deadline when it was due, which is not later than now
     * @param key by which it was known; it is gone
     * @param <T> the item
     * @since 0.1
     */
    public record Expired<T>(T value, Deadline deadline, Key key) {}

    /* ---------------- Putting in -------------- */

    /**
     * Inserts an item that is due after a delay. Never waits. If it is due before all others, a taker that waits is to have it.
     *
     * @param value the item, not null
     * @param delay from now; zero or negative is due at once, one too long for the clock (over 292 years) never
     * @return its key
     */
    public Key insert(T value, Duration delay) {
        return insert(value, true, TimerService.toNanos(delay));
    }

    /**
     * Inserts an item that is due at a point in time. Never waits. If that is before all others, a taker that waits is to have it.
     *
     * @param value the item, not null
     * @param when when; if that has passed, at once; if it is {@linkplain Deadline#isNone() none}, never
     * @return its key
     */
    public Key insertAt(T value, Deadline when) {
        return insert(value, false, when.on(core.clock));
    }

    private Key insert(T value, boolean fromNow, long nanos) {
        Key key = new Key(core, Objects.requireNonNull(value, "value"));
        Waiter.spendQuietly();
        core.insert(key, fromNow, nanos);
        return key;
    }

    /* ---------------- Taking out -------------- */

    /**
     * Waits for the first item that is due, and takes it. An insertion, a reset, a removal or {@link #clear()} changes which that
     * is, and does not end the wait; only an item does, an interrupt, or a cancellation.
     *
     * @return the item, its deadline and its key
     * @throws InterruptedException if interrupted or cancelled while it would wait; no item was taken
     */
    public Expired<T> take() throws InterruptedException {
        Waiter.spend();
        Object due = core.takeOrRegister();
        if (due instanceof Wait wait) {
            wait.await();
            return granted(core, wait.item);
        }
        return expired(core, (Key) due);
    }

    /**
     * Waits for the first item that is due, at most a given time, and takes it.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return the item, its deadline and its key
     * @throws InterruptedException if interrupted or cancelled while it would wait; no item was taken
     * @throws TimeoutException if none was due in time; none was taken
     */
    public Expired<T> take(Duration timeout) throws InterruptedException, TimeoutException {
        Waiter.spend();
        if (timeout.isNegative() || timeout.isZero()) {
            Key due = core.tryTake();
            if (due == null) {
                throw new TimeoutException("no item is due");
            }
            return expired(core, due);
        }
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        Object due = core.takeOrRegister();
        if (due instanceof Wait wait) {
            if (!wait.await(deadline)) {
                throw new TimeoutException("no item was due within " + timeout);
            }
            return granted(core, wait.item);
        }
        return expired(core, (Key) due);
    }

    /**
     * Takes the first item if it is due and nobody waits for it.
     *
     * @return the item, its deadline and its key; or null
     */
    public @Nullable Expired<T> tryTake() {
        Waiter.spendQuietly();
        Key due = core.tryTake();
        return due == null ? null : expired(core, due);
    }

    /** Makes a result of what the node of a taker was granted with. */
    private static <T> Expired<T> granted(DelayCore core, @Nullable Object outcome) {
        if (!(outcome instanceof Key key)) {
            throw DelayQueue.<RuntimeException>sneak((Throwable) Objects.requireNonNull(outcome));
        }
        core.settle(); // a timer takes no lock, and has left it in the queue
        return expired(core, key);
    }

    @SuppressWarnings("unchecked") // what was put in is what comes out
    private static <T> Expired<T> expired(DelayCore core, Key key) {
        T value = (T) Objects.requireNonNull(key.value);
        key.value = null;
        return new Expired<>(value, Deadline.at(core.clock, key.time), key);
    }

    /** Throws what kept a timer from being armed. */
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <X extends Throwable> RuntimeException sneak(Throwable thrown) throws X {
        throw (X) thrown;
    }

    /** {@return the taking of the first item that is due, to be selected on} A select that takes another branch takes none. */
    @Override
    public Clause<Expired<T>> clause() {
        return clause;
    }

    /* ---------------- By key -------------- */

    /**
     * Has an item be due after a delay, instead of when it was to be.
     *
     * @param key its key
     * @param delay from now; zero or negative is due at once, one too long for the clock never
     * @throws NoSuchElementException if the item was taken or removed before
     * @throws IllegalArgumentException if the key is of another queue
     */
    public void reset(Key key, Duration delay) {
        if (!tryReset(key, delay)) {
            throw gone(key);
        }
    }

    /**
     * Has an item be due at a point in time, instead of when it was to be.
     *
     * @param key its key
     * @param when when; if that has passed, at once; if it is {@linkplain Deadline#isNone() none}, never
     * @throws NoSuchElementException if the item was taken or removed before
     * @throws IllegalArgumentException if the key is of another queue
     */
    public void resetAt(Key key, Deadline when) {
        if (!tryResetAt(key, when)) {
            throw gone(key);
        }
    }

    /**
     * As {@link #reset}, if the item is still there: for when a taker may be faster.
     *
     * @param key its key
     * @param delay from now; zero or negative is due at once, one too long for the clock never
     * @return false if the item was taken or removed before
     * @throws IllegalArgumentException if the key is of another queue
     */
    public boolean tryReset(Key key, Duration delay) {
        long nanos = TimerService.toNanos(delay);
        ensureOwn(key);
        Waiter.spendQuietly();
        return core.reset(key, true, nanos);
    }

    /**
     * As {@link #resetAt}, if the item is still there: for when a taker may be faster.
     *
     * @param key its key
     * @param when when; if that has passed, at once; if it is {@linkplain Deadline#isNone() none}, never
     * @return false if the item was taken or removed before
     * @throws IllegalArgumentException if the key is of another queue
     */
    public boolean tryResetAt(Key key, Deadline when) {
        long time = when.on(core.clock);
        ensureOwn(key);
        Waiter.spendQuietly();
        return core.reset(key, false, time);
    }

    /**
     * Removes an item, due or not.
     *
     * @param key its key
     * @return the item
     * @throws NoSuchElementException if it was taken or removed before
     * @throws IllegalArgumentException if the key is of another queue
     */
    public T remove(Key key) {
        T value = tryRemove(key);
        if (value == null) {
            throw gone(key);
        }
        return value;
    }

    /**
     * Removes an item, due or not, if it is still there.
     *
     * @param key its key
     * @return the item, or null if it was taken or removed before
     * @throws IllegalArgumentException if the key is of another queue
     */
    @SuppressWarnings("unchecked") // what was put in is what comes out
    public @Nullable T tryRemove(Key key) {
        ensureOwn(key);
        Waiter.spendQuietly();
        return (T) core.remove(key);
    }

    /**
     * {@return when an item is due}
     *
     * @param key its key
     * @throws NoSuchElementException if it was taken or removed before
     * @throws IllegalArgumentException if the key is of another queue
     */
    public Deadline deadline(Key key) {
        ensureOwn(key);
        long time = core.timeOf(key);
        if (time < 0) {
            throw gone(key);
        }
        return Deadline.at(core.clock, time);
    }

    private void ensureOwn(Key key) {
        if (key.core != core) {
            throw new IllegalArgumentException("the key is of another queue");
        }
    }

    private static NoSuchElementException gone(Key key) {
        return new NoSuchElementException(
                key.index == DelayCore.REMOVED
                        ? "the item of this key was removed before"
                        : "the item of this key was taken before");
    }

    /* ---------------- All of them -------------- */

    /** {@return when the first item is due; {@linkplain Deadline#isNone() none} if there is none, or none is ever due} */
    public Deadline nextDeadline() {
        return Deadline.at(core.clock, core.next());
    }

    /** {@return how many items there are, due or not} Exact at the moment of the call. */
    public int size() {
        return core.size();
    }

    /** {@return whether there is no item} */
    public boolean isEmpty() {
        return core.size() == 0;
    }

    /** Removes all items. Takers that wait go on waiting. Takes time that grows with their number. */
    public void clear() {
        core.clear();
    }

    @Override
    public String toString() {
        return "DelayQueue[" + core.size() + "]";
    }

    private static final class Taking<T> extends Clause<Expired<T>> {
        private final DelayCore core;

        Taking(DelayCore core) {
            super(core);
            this.core = core;
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            Key due = core.takeNow(woken);
            return due == null ? NOT_READY : due;
        }

        @Override
        protected boolean enqueue(WaitNode node, WakeList woken) {
            return core.enqueue(node, woken);
        }

        @Override
        protected Expired<T> result(@Nullable Object outcome) {
            return granted(core, outcome);
        }
    }
}
