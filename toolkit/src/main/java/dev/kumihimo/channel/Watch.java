package dev.kumihimo.channel;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Holds one value, and tells receivers when it changes. A receiver sees the latest value, not each one: those that were
 * replaced before it looked are skipped.
 *
 * <pre>{@code
 * Watch<Config> config = Watch.of(initial);
 * Task.spawn(() -> {
 *     try (Watch.Receiver<Config> receiver = config.subscribe()) {
 *         for (Config changed; (changed = receiver.changedOrNull()) != null; ) {
 *             apply(changed);
 *         }
 *     }
 * });
 * config.update(old -> old.withTimeout(timeout));
 * }</pre>
 *
 * <p>Any thread may call any method. Values should be immutable: readers get the object that was sent, without a lock.
 *
 * <p><b>Seen and unseen.</b> Each receiver knows whether it has seen the present value. For a new one it counts as seen.
 * Values are not compared: one that equals its predecessor is a change too.
 *
 * <p><b>Closing.</b> After {@link #close()} sends throw {@link ChannelClosedException}. A receiver still gets the last value if
 * it has not seen it, and then the exception; {@link #value()} goes on to work.
 *
 * <p><b>Memory.</b> What a thread did before it sent a value happens-before what another does after it got it.
 *
 * @param <T> the values, never null
 * @since 0.1
 */
public final class Watch<T> implements AutoCloseable {
    private final WatchCore core;

    private Watch(T initial) {
        core = new WatchCore(initial);
    }

    /**
     * {@return a watch without receivers}
     *
     * @param initial its value at first, not null
     * @param <T> the values
     */
    public static <T> Watch<T> of(T initial) {
        return new Watch<>(Objects.requireNonNull(initial, "initial"));
    }

    /* ---------------- Sending -------------- */

    /**
     * Sends a value, if anybody receives: with no receivers the value stays what it was. Never waits. Where the value is to be
     * kept for receivers to come, use {@link #sendReplace}.
     *
     * @param value not null
     * @return whether there were receivers, and it is the value now
     * @throws ChannelClosedException if the watch is closed
     */
    public boolean send(T value) {
        Objects.requireNonNull(value, "value");
        Waiter.spendQuietly();
        return core.send(value, true) != null;
    }

    /**
     * Sends a value, also if there are no receivers yet. Never waits.
     *
     * @param value not null
     * @return the value it replaces
     * @throws ChannelClosedException if the watch is closed
     */
    public T sendReplace(T value) {
        Objects.requireNonNull(value, "value");
        Waiter.spendQuietly();
        return valueOf(Objects.requireNonNull(core.send(value, false)));
    }

    /**
     * Sends what a function makes of the present value, atomically, also if there are no receivers yet. If another value is sent
     * while the function runs, it is applied again, to that one; so it should have no side effects. It runs under no lock.
     *
     * @param function gets the present value, and gives the one to send, not null; what it throws is passed on, and then nothing
     *     was sent
     * @return the value that was sent
     * @throws ChannelClosedException if the watch is closed, before or while the function runs
     */
    public T update(UnaryOperator<T> function) {
        return Objects.requireNonNull(apply(function, false)); // null only if it may be left
    }

    /**
     * Sends what a function makes of the present value, as {@link #update} does, unless it returns the very object that it was
     * given: then nothing changes, and nobody is told.
     *
     * @param function gets the present value, and gives the one to send, not null; what it throws is passed on, and then nothing
     *     was sent
     * @return whether a value was sent
     * @throws ChannelClosedException if the watch is closed, before or while the function runs
     */
    public boolean sendIfModified(UnaryOperator<T> function) {
        return apply(function, true) != null;
    }

    private @Nullable T apply(UnaryOperator<T> function, boolean onlyIfModified) {
        Objects.requireNonNull(function, "function");
        Waiter.spendQuietly();
        while (true) {
            WatchCore.Snapshot before = core.snapshot;
            if (core.isClosed()) {
                throw new ChannelClosedException("the watch is closed");
            }
            T current = valueOf(before);
            T next = Objects.requireNonNull(function.apply(current), "the function returned null");
            if (onlyIfModified && next == current) {
                return null;
            }
            if (core.replace(before, next)) {
                return next;
            } // lost: another value was sent; apply the function to that
        }
    }

    /** {@return the present value} Never waits; no receiver has seen it thereby. */
    public T value() {
        return valueOf(core.snapshot);
    }

    @SuppressWarnings("unchecked") // only sends put values in
    private static <T> T valueOf(WatchCore.Snapshot snapshot) {
        return (T) snapshot.value();
    }

    /* ---------------- Receivers -------------- */

    /** {@return a new receiver, which has seen the present value} It should be closed, so that senders know who is left. */
    public Receiver<T> subscribe() {
        return new Receiver<>(core, core.subscribe());
    }

    /** {@return how many receivers are open} */
    public int receiverCount() {
        return core.receiverCount();
    }

    /**
     * Waits until there is no open receiver, whether or not the watch is closed. Returns at once if there is none; there may be
     * a new one when it returns, and then it can be waited for again.
     *
     * @throws InterruptedException if interrupted or cancelled while it would wait
     */
    public void awaitNoReceivers() throws InterruptedException {
        core.awaitNoReceivers();
    }

    /**
     * Waits at most a given time until there is no open receiver.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @throws InterruptedException if interrupted or cancelled while it would wait
     * @throws TimeoutException if there were receivers all that time
     */
    public void awaitNoReceivers(Duration timeout) throws InterruptedException, TimeoutException {
        core.awaitNoReceivers(timeout);
    }

    /** {@return the waiting for no open receiver, to be selected on} */
    public Selectable<@Nullable Void> noReceivers() {
        return new SubscriptionPoint.NoReceivers(core);
    }

    /** Closes the watch: no more sends, and an end for receivers once they have seen the last value. Idempotent; never waits. */
    @Override
    public void close() {
        core.close();
    }

    /** {@return whether it was closed} */
    public boolean isClosed() {
        return core.isClosed();
    }

    /** {@return where its waits are registered, for tests} */
    WaitPoint waitPoint() {
        return core;
    }

    @Override
    public String toString() {
        return "Watch[" + core + "]";
    }

    /**
     * A receiver of a watch. Selecting on it waits as {@link #changed()} does.
     *
     * <pre>{@code
     * try (Watch.Receiver<State> receiver = state.subscribe()) {
     *     State ready = receiver.waitFor(s -> s.isReady(), Duration.ofSeconds(5));
     * }
     * }</pre>
     *
     * <p>It may be shared by threads, which then share what it has seen: a change is told to all that wait for one, and to one of
     * those that ask later. To have each thread told of each change, subscribe for each.
     *
     * <p><b>Interruption and cancellation.</b> What can complete at once does, also in a cancelled or interrupted thread, except
     * that every 128 times a task yields and looks. What would wait throws {@link InterruptedException} (a
     * {@code TaskCancelledException} if cancelled). If it throws that, or {@link TimeoutException}, it has not marked a value as
     * seen that it has not looked at.
     *
     * @param <T> the values
     * @since 0.1
     */
    public static final class Receiver<T> implements Selectable<T>, AutoCloseable {
        private final WatchCore core;
        private final Subscription subscription;

        private Receiver(WatchCore core, Subscription subscription) {
            this.core = core;
            this.subscription = subscription;
        }

        /**
         * Waits until there is a value that was not seen, and marks it as seen. Returns at once if there is one.
         *
         * @return that value; there may be a newer one already, which then is not seen
         * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was marked
         * @throws ChannelClosedException if the watch is closed and its last value was seen, before or while it waits
         * @throws IllegalStateException if this receiver is closed, before or while it waits
         */
        public T changed() throws InterruptedException {
            return orThrow(changedOrNull());
        }

        /**
         * As {@link #changed()}, for loops that end with the watch.
         *
         * @return that value, or null if the watch is closed and its last value was seen
         * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was marked
         * @throws IllegalStateException if this receiver is closed, before or while it waits
         */
        public @Nullable T changedOrNull() throws InterruptedException {
            Waiter.spend();
            Object outcome = core.takeOrRegister(subscription, true);
            if (outcome instanceof Wait wait) {
                wait.await();
                outcome = wait.item;
            }
            return valueOrNull(outcome);
        }

        /**
         * Waits at most a given time until there is a value that was not seen, and marks it as seen.
         *
         * @param timeout the longest wait; zero or negative does not wait
         * @return that value
         * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was marked
         * @throws TimeoutException if there was none in time; nothing was marked
         * @throws ChannelClosedException if the watch is closed and its last value was seen, before or while it waits
         * @throws IllegalStateException if this receiver is closed, before or while it waits
         */
        public T changed(Duration timeout) throws InterruptedException, TimeoutException {
            Waiter.spend();
            boolean mayWait = !timeout.isNegative() && !timeout.isZero();
            long deadline = mayWait ? TimerService.deadline(Waiter.current().nanoTime(), timeout) : 0;
            Object outcome = core.takeOrRegister(subscription, mayWait);
            if (outcome instanceof Wait wait) {
                if (!wait.await(deadline)) {
                    throw new TimeoutException("no change of " + core + " within " + timeout);
                }
                outcome = wait.item;
            } else if (outcome == null) {
                throw new TimeoutException("no change of " + core);
            }
            return orThrow(valueOrNull(outcome));
        }

        /**
         * Gets the present value if it was not seen, and marks it as seen.
         *
         * @return that value, or null if it was seen
         * @throws ChannelClosedException if the watch is closed and its last value was seen, so that there will never be one
         * @throws IllegalStateException if this receiver is closed
         */
        public @Nullable T tryChanged() {
            Waiter.spendQuietly();
            Object outcome = core.takeOrRegister(subscription, false);
            return outcome == null ? null : orThrow(valueOrNull(outcome));
        }

        /**
         * {@return whether there is a value that was not seen} It stays so; values are not compared.
         *
         * @throws ChannelClosedException if the watch is closed, also if its last value was not seen: this asks whether to go on
         *     watching, where {@link #changed()} and {@link #tryChanged()} still give that value
         * @throws IllegalStateException if this receiver is closed
         */
        public boolean hasChanged() {
            Object unseen = ensureOpen(core.peek(subscription));
            if (unseen == SubscriptionPoint.END) {
                throw new ChannelClosedException("the watch is closed");
            }
            return (Boolean) unseen;
        }

        /** {@return the present value} Never waits, works after any closing, and does not mark it as seen. */
        public T value() {
            return Watch.valueOf(core.snapshot);
        }

        /**
         * {@return the present value} Never waits, and marks it as seen.
         *
         * @throws IllegalStateException if this receiver is closed
         */
        public T valueAndMarkSeen() {
            return Watch.valueOf((WatchCore.Snapshot) ensureOpen(core.markSeen(subscription)));
        }

        /**
         * Waits for a value that fulfils a condition. The present value is tested first, whether it was seen or not; values that
         * are replaced while the condition is tested may be skipped.
         *
         * @param condition is tested in this thread and under no lock; what it throws is passed on. A value it was given is marked
         *     as seen
         * @return the value that fulfils it
         * @throws InterruptedException if interrupted or cancelled while it would wait; no present value that it knew fulfils it
         * @throws ChannelClosedException if the watch is closed, before or while it waits, and its last value does not fulfil it
         * @throws IllegalStateException if this receiver is closed, before or while it waits
         */
        public T waitFor(Predicate<? super T> condition) throws InterruptedException {
            Objects.requireNonNull(condition, "condition");
            Waiter.spend();
            return Objects.requireNonNull(find(condition, Long.MAX_VALUE)); // null only at a deadline
        }

        /**
         * Waits at most a given time for a value that fulfils a condition, as {@link #waitFor(Predicate)} does.
         *
         * @param condition is tested in this thread and under no lock; what it throws is passed on. A value it was given is marked
         *     as seen
         * @param timeout the longest wait; zero or negative does not wait, but tests the present value
         * @return the value that fulfils it
         * @throws InterruptedException if interrupted or cancelled while it would wait
         * @throws TimeoutException if there was no such value in time
         * @throws ChannelClosedException if the watch is closed, before or while it waits, and its last value does not fulfil it
         * @throws IllegalStateException if this receiver is closed, before or while it waits
         */
        public T waitFor(Predicate<? super T> condition, Duration timeout)
                throws InterruptedException, TimeoutException {
            Objects.requireNonNull(condition, "condition");
            Waiter.spend();
            T found = find(condition, TimerService.deadline(Waiter.current().nanoTime(), timeout));
            if (found == null) {
                throw new TimeoutException("no value of " + core + " fulfilled the condition within " + timeout);
            }
            return found;
        }

        private @Nullable T find(Predicate<? super T> condition, long deadline) throws InterruptedException {
            Object outcome = core.markSeen(subscription);
            while (true) {
                WatchCore.Snapshot tested = snapshotOrThrow(outcome);
                T value = Watch.valueOf(tested);
                if (condition.test(value)) {
                    return value;
                }
                boolean timed = deadline != Long.MAX_VALUE;
                if (timed && Waiter.current().nanoTime() >= deadline) {
                    return null;
                }
                Waiter.spend(); // before anything is marked as seen
                outcome = core.takeAfter(subscription, tested.version());
                if (outcome instanceof Wait wait) {
                    if (!timed) {
                        wait.await();
                    } else if (!wait.await(deadline)) {
                        return null;
                    }
                    outcome = wait.item;
                }
            }
        }

        /**
         * Has the present value count as not seen, so that the next {@link #changed()} returns it.
         *
         * @throws IllegalStateException if this receiver is closed
         */
        public void markChanged() {
            if (!core.markUnseen(subscription)) {
                throw closedReceiver();
            }
        }

        /**
         * Has the present value count as seen.
         *
         * @throws IllegalStateException if this receiver is closed
         */
        public void markUnchanged() {
            ensureOpen(core.markSeen(subscription));
        }

        /** {@return another receiver of the same watch, which has seen what this one has} */
        public Receiver<T> copy() {
            return new Receiver<>(core, core.copyOf(subscription));
        }

        /** Ends this receiver. A wait of it in another thread throws {@link IllegalStateException}. Idempotent; never waits. */
        @Override
        public void close() {
            core.unsubscribe(subscription);
        }

        /**
         * {@return the waiting for a value that was not seen, to be selected on} It marks that value as seen. Ready also once the
         * end has come; the select then throws what {@link #changed()} does.
         */
        @Override
        public Clause<T> clause() {
            return new Changing<>(core, subscription);
        }

        private static Object ensureOpen(Object outcome) {
            if (outcome == SubscriptionPoint.GONE) {
                throw closedReceiver();
            }
            return outcome;
        }

        private static IllegalStateException closedReceiver() {
            return new IllegalStateException("this receiver of the watch is closed");
        }

        private static <T> @Nullable T valueOrNull(@Nullable Object outcome) {
            ensureOpen(Objects.requireNonNull(outcome));
            return outcome == SubscriptionPoint.END ? null : Watch.valueOf((WatchCore.Snapshot) outcome);
        }

        private static <T> T orThrow(@Nullable T value) {
            if (value == null) {
                throw new ChannelClosedException("the watch is closed, and its last value was seen");
            }
            return value;
        }

        private static WatchCore.Snapshot snapshotOrThrow(@Nullable Object outcome) {
            ensureOpen(Objects.requireNonNull(outcome));
            if (outcome == SubscriptionPoint.END) {
                throw new ChannelClosedException(
                        "the watch is closed, and its last value does not fulfil the condition");
            }
            return (WatchCore.Snapshot) outcome;
        }
    }

    private static final class Changing<T> extends Clause<T> {
        private final WatchCore core;
        private final Subscription subscription;

        Changing(WatchCore core, Subscription subscription) {
            super(core);
            this.core = core;
            this.subscription = subscription;
        }

        @Override
        protected Object tryNow(WakeList woken) {
            Object outcome = core.take(subscription);
            return outcome == null ? NOT_READY : outcome;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            core.enqueue(subscription, node);
            return true;
        }

        @Override
        protected T result(@Nullable Object outcome) {
            return Receiver.orThrow(Receiver.<T>valueOrNull(outcome));
        }
    }
}
