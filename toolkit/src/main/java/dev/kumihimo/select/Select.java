package dev.kumihimo.select;

import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: Go's selectgo. First each branch is tried by itself, from a random one on. If none is ready, all locks are
 * taken in the one global order of WaitPoint.rank, all branches are tried again, and only if still none is ready a node for
 * each is enqueued. So whoever is enqueued is enqueued everywhere, and who is trying is enqueued nowhere: when two selects
 * meet, one compare-and-set on the passive one's wait decides (hazard: both grant each other).
 *
 * Differences: a branch may become ready by what takes no lock (a socket's event). Its enqueue then refuses, the nodes before
 * it are withdrawn, and all begins anew, with a new wait: the old one may have been granted by such an event meanwhile, which
 * means nothing, since what it told is still to be seen. A branch that waits for a time has no lock and no node: the earliest
 * of these is the deadline of the wait. An Attempt is enqueued for its signal alone; once that is chosen, and no lock is held,
 * the attempt is made, and if it comes to nothing all begins anew too. The branches are then asked one by one first, lest a
 * signal that stays keeps the others from being chosen.
 *
 * Linearization: the branch that completes at once, at its point's lock; else the claim of the wait by its granter, or by its
 * deadline. If it does not wait, because of otherwise() or a deadline that has passed: while it holds all locks.
 * Cancellation: the losing nodes are unlinked by Wait; each point then serves whom they held up.
 */

/**
 * Waits for the first of several things, and does exactly one of them: the others have not happened.
 *
 * <pre>{@code
 * String winner = Select.<String>of()
 *         .onReceive(orders, order -> "order " + order)
 *         .onSend(results, value, () -> "sent")
 *         .after(Duration.ofSeconds(1), () -> "timeout")
 *         .await();
 * }</pre>
 *
 * <p>If several branches are ready, one is chosen at random, or with {@link #biased()} the first. Branches that wait are in
 * their queues with everybody else, in FIFO order. But if one of them is an {@link Attempt}, such as the receiving of a frame,
 * that comes to nothing when it is made, as when half a frame has come, then the select leaves all its queues and begins anew, at
 * their ends. No thread and no task is started for it.
 *
 * <p>A branch whose end has come is ready: a receive from a channel that is closed and drained, a send to a closed one, an
 * acquire from a closed semaphore. {@link #await()} then throws what that operation throws by itself.
 *
 * <p>Handlers run in the calling thread, after the choice, with no lock held, and may wait. A select may be awaited
 * repeatedly; it belongs to one thread at a time.
 *
 * <p>{@link #onReceive}, {@link #onJoin}, {@link #onPermit}, {@link #onCancelled} and {@link #onReadable} are {@link #on} by a
 * name that tells a reader what happens.
 *
 * @param <R> the result of each handler
 * @since 0.1
 */
public final class Select<R extends @Nullable Object> {
    private static final int INITIAL_BRANCHES = 4;

    /** In place of a branch: none is ready, and all are enqueued, if they were to be; or one has refused that, and none is. */
    private static final int NONE_READY = -1;

    private static final int REFUSED = -2;

    /**
     * What to do with the result of a branch.
     *
     * <pre>{@code
     * Select.Handler<Order, String> confirm = order -> {
     *     confirmations.send(order.id());
     *     return "confirmed";
     * };
     * }</pre>
     *
     * @param <T> what the branch gives
     * @param <R> what the handler gives
     * @since 0.1
     */
    @FunctionalInterface
    public interface Handler<T extends @Nullable Object, R extends @Nullable Object> {
        /**
         * Runs after the branch has happened.
         *
         * @param value what the branch gives
         * @return what {@link Select#await()} returns
         * @throws InterruptedException if it waits, and is interrupted or cancelled
         */
        R handle(T value) throws InterruptedException;
    }

    /**
     * What to do for a branch that gives nothing.
     *
     * <pre>{@code
     * Select.Action<String> stop = () -> "stop";
     * }</pre>
     *
     * @param <R> what the action gives
     * @since 0.1
     */
    @FunctionalInterface
    public interface Action<R extends @Nullable Object> {
        /**
         * Runs after the branch has happened.
         *
         * @return what {@link Select#await()} returns
         * @throws InterruptedException if it waits, and is interrupted or cancelled
         */
        R run() throws InterruptedException;
    }

    private Clause<?>[] clauses = new Clause<?>[INITIAL_BRANCHES]; // null from `count` on
    private Object[] handlers = new Object[INITIAL_BRANCHES]; // a Handler or an Action each
    private @Nullable BooleanSupplier @Nullable [] guards; // null while no branch has one
    private int count;
    private boolean @Nullable [] disabled; // by its guard, for the await() under way
    private boolean biased;
    private @Nullable Action<? extends R> otherwise;
    private @Nullable Object outcome; // of the chosen branch, on its way from the lock to its handler

    private Select() {}

    /**
     * {@return a select without branches}
     *
     * @param <R> the result of each handler
     */
    public static <R extends @Nullable Object> Select<R> of() {
        return new Select<>();
    }

    /* ---------------- Branches -------------- */

    /**
     * Adds a branch.
     *
     * @param source what to wait for
     * @param handler what to do with what it gives
     * @param <T> what it gives
     * @return this
     */
    public <T extends @Nullable Object> Select<R> on(Selectable<T> source, Handler<? super T, ? extends R> handler) {
        return add(source.clause(), Objects.requireNonNull(handler, "handler"));
    }

    /**
     * Adds a branch of which only matters that it happens.
     *
     * @param source what to wait for
     * @param action what to do then
     * @return this
     */
    public Select<R> on(Selectable<?> source, Action<? extends R> action) {
        return add(source.clause(), Objects.requireNonNull(action, "action"));
    }

    /**
     * Adds a branch that receives an item: from a channel, a oneshot, a broadcast, a watch.
     *
     * @param source from where
     * @param handler what to do with it
     * @param <T> the items
     * @return this
     */
    public <T extends @Nullable Object> Select<R> onReceive(
            Selectable<T> source, Handler<? super T, ? extends R> handler) {
        return on(source, handler);
    }

    /**
     * Adds a branch that sends an item.
     *
     * @param sink to where
     * @param item what, not null; the same one for each {@link #await()}
     * @param action what to do once it is sent
     * @param <T> the items
     * @return this
     */
    public <T> Select<R> onSend(Sink<T> sink, T item, Action<? extends R> action) {
        return on(sink.sending(item), action);
    }

    /**
     * Adds a branch that joins a task.
     *
     * @param handle the task's handle
     * @param handler what to do with its result
     * @param <T> its result
     * @return this
     */
    public <T extends @Nullable Object> Select<R> onJoin(
            Selectable<T> handle, Handler<? super T, ? extends R> handler) {
        return on(handle, handler);
    }

    /**
     * Adds a branch that acquires a permit or a lock.
     *
     * @param source of what
     * @param handler what to do with it; closing it is the handler's, or whoever's it hands it to
     * @param <T> the permit or guard
     * @return this
     */
    public <T extends @Nullable Object> Select<R> onPermit(
            Selectable<T> source, Handler<? super T, ? extends R> handler) {
        return on(source, handler);
    }

    /**
     * Adds a branch that waits for a cancellation.
     *
     * @param token of what
     * @param action what to do then
     * @return this
     */
    public Select<R> onCancelled(Selectable<?> token, Action<? extends R> action) {
        return on(token, action);
    }

    /**
     * Adds a branch that waits until a socket has something to read or to accept; reading is the handler's.
     *
     * @param socket which
     * @param action what to do then
     * @return this
     */
    public Select<R> onReadable(Selectable<?> socket, Action<? extends R> action) {
        return on(socket, action);
    }

    /**
     * Adds a branch that is taken when a time has passed since {@link #await()} began and no other was ready.
     *
     * @param timeout how long; zero or negative is ready at once, after all others
     * @param action what to do then
     * @return this
     */
    public Select<R> after(Duration timeout, Action<? extends R> action) {
        return add(new After(Objects.requireNonNull(timeout, "timeout")), Objects.requireNonNull(action, "action"));
    }

    /**
     * Gives the branch that was added last a condition: each {@link #await()} asks for it once, before it tries anything, and
     * goes on without the branch if it does not hold.
     *
     * @param condition whether the branch counts
     * @return this
     * @throws IllegalStateException if there is no branch yet, or it has a condition
     */
    public Select<R> when(BooleanSupplier condition) {
        Objects.requireNonNull(condition, "condition");
        if (count == 0) {
            throw new IllegalStateException("when() is for the branch before it, and there is none");
        }
        if (guards == null) {
            guards = new @Nullable BooleanSupplier[clauses.length];
        }
        if (guards[count - 1] != null) {
            throw new IllegalStateException("branch " + count + " has a condition already");
        }
        guards[count - 1] = condition;
        return this;
    }

    private Select<R> add(Clause<?> clause, Object handler) {
        if (count == clauses.length) {
            clauses = Arrays.copyOf(clauses, count * 2);
            handlers = Arrays.copyOf(handlers, count * 2);
            guards = guards == null ? null : Arrays.copyOf(guards, count * 2);
        }
        clauses[count] = clause;
        handlers[count] = handler;
        count++;
        return this;
    }

    /**
     * Adds the branch that is taken when there was a moment at which no other was ready: the select never waits then.
     *
     * @param action what to do then
     * @return this
     */
    public Select<R> otherwise(Action<? extends R> action) {
        otherwise = Objects.requireNonNull(action, "action");
        return this;
    }

    /**
     * Has ready branches chosen in the order in which they were added, not at random.
     *
     * <p>{@link #await()} asks the branches one after the other in that order, and each only once it has found those before it
     * unready. So a branch may be chosen although one before it has become ready meanwhile, and even before this one did: the
     * order decides for sure among branches that were ready when the call began and stay so. That earlier branch is not lost; it
     * is asked first by the next call. Once the call waits, the first branch that becomes ready ends it, wherever it stands; of
     * deadlines that have come, the earliest.
     *
     * @return this
     */
    public Select<R> biased() {
        biased = true;
        return this;
    }

    /* ---------------- Waiting -------------- */

    /**
     * Waits for a branch, and runs its handler. Ends with the first branch that becomes ready; if several are, or some were at
     * once, the others are left as they are. A ready branch is taken also if the caller is cancelled.
     *
     * @return what the handler returned
     * @throws InterruptedException if interrupted or cancelled while it would wait, and then no branch has happened; or if the
     *     handler throws it
     * @throws IllegalStateException if there is no branch, or the conditions of all exclude them and there is no
     *     {@code otherwise}; also what a branch throws whose end has come, such as {@code ChannelClosedException}
     */
    public R await() throws InterruptedException {
        Waiter.spend();
        askGuards();
        renew();
        int chosen = choose();
        if (chosen < 0 && otherwise != null) {
            return otherwise.run();
        }
        Object result = outcome;
        outcome = null;
        return finish(clauses[chosen], handlers[chosen], result);
    }

    private int choose() throws InterruptedException {
        WakeList woken = new WakeList();
        try {
            int chosen = tryEach(woken);
            if (chosen < 0) {
                chosen = otherwise == null ? waitForAny(woken) : tryTogether(woken);
            }
            return chosen;
        } finally {
            woken.wakeAll(); // also those whom a branch had served before another one threw
        }
    }

    @SuppressWarnings("unchecked") // the handler was added together with the clause
    private <T extends @Nullable Object> R finish(Clause<T> clause, Object handler, @Nullable Object result)
            throws InterruptedException {
        T value = clause.result(result);
        return handler instanceof Handler<?, ?> taking
                ? ((Handler<T, R>) taking).handle(value)
                : ((Action<R>) handler).run();
    }

    private boolean isEnabled(int branch) {
        return disabled == null || !disabled[branch];
    }

    private void askGuards() {
        disabled = null;
        int enabled = count;
        if (guards != null) {
            boolean[] excluded = new boolean[count];
            for (int i = 0; i < count; i++) {
                BooleanSupplier guard = guards[i];
                if (guard != null && !guard.getAsBoolean()) {
                    excluded[i] = true;
                    enabled--;
                }
            }
            disabled = excluded;
        }
        if (enabled == 0 && otherwise == null) {
            throw new IllegalStateException("a select with none of its " + count
                    + " branches enabled, and without otherwise(), would wait for ever");
        }
    }

    private int firstToTry() {
        return biased || count < 2 ? 0 : Points.random(count);
    }

    /** Tries the branches one by one, under one lock at a time. */
    private int tryEach(WakeList woken) {
        int index = firstToTry();
        for (int i = 0; i < count; i++) {
            if (isEnabled(index) && tryOne(clauses[index], woken)) {
                return index;
            }
            index = index + 1 == count ? 0 : index + 1;
        }
        return -1;
    }

    private boolean tryOne(Clause<?> clause, WakeList woken) {
        if (clause instanceof Attempt<?> attempt) {
            outcome = attempt.attemptEarly();
            if (outcome != Clause.NOT_READY) {
                return true;
            }
        }
        WaitPoint point = clause.point();
        if (point == null) {
            outcome = clause.tryNow(woken);
        } else {
            point.lock();
            try {
                outcome = clause.tryNow(woken);
            } finally {
                point.unlock();
            }
            woken.wakeAll();
        }
        return outcome != Clause.NOT_READY && confirm(clause);
    }

    /** Makes the attempt of a branch whose signal was chosen, with no lock held. Any other branch is what it was said to be. */
    private boolean confirm(Clause<?> clause) {
        if (clause instanceof Attempt<?> attempt) {
            outcome = attempt.attempt(true);
        }
        return outcome != Clause.NOT_READY;
    }

    private int waitForAny(WakeList woken) throws InterruptedException {
        Waiter waiter = Waiter.current();
        startTimers(waiter);
        while (true) {
            int earliest = earliest();
            int chosen;
            if (earliest >= 0 && clauses[earliest].deadline() <= waiter.nanoTime()) {
                int ready = tryTogether(woken);
                if (ready >= 0) {
                    return ready;
                }
                chosen = expired(earliest);
            } else {
                chosen = waitOnce(woken, earliest);
            }
            if (confirm(clauses[chosen])) {
                return chosen;
            }
            Waiter.spend(); // who is at it in our stead may need this carrier
            renew();
            chosen = tryEach(woken);
            if (chosen >= 0) {
                return chosen;
            }
        }
    }

    private int waitOnce(WakeList woken, int earliest) throws InterruptedException {
        while (true) {
            Wait wait = Wait.forAny();
            @Nullable WaitNode[] nodes = new @Nullable WaitNode[count];
            for (int i = 0; i < count; i++) {
                WaitPoint point = clauses[i].point();
                nodes[i] = point != null && isEnabled(i) ? new WaitNode(point, wait) : null;
            }
            wait.register(nodes);
            try {
                int ready = tryAllOrEnqueue(nodes, woken);
                woken.wakeAll();
                if (ready != REFUSED) {
                    return ready != NONE_READY ? ready : awaitAny(wait, nodes, earliest);
                }
            } finally {
                forgetAll(nodes);
            }
        }
    }

    private int awaitAny(Wait wait, @Nullable WaitNode[] nodes, int earliest) throws InterruptedException {
        if (earliest < 0) {
            return chosen(nodes, wait.awaitAny());
        }
        WaitNode granted = wait.awaitAny(clauses[earliest].deadline());
        return granted != null ? chosen(nodes, granted) : expired(earliest);
    }

    private void forgetAll(@Nullable WaitNode[] nodes) {
        for (int i = 0; i < count; i++) {
            WaitNode node = nodes[i];
            if (node != null && clauses[i] instanceof Attempt<?> attempt) {
                attempt.forget(node);
            }
        }
    }

    private int expired(int branch) {
        outcome = null;
        return branch;
    }

    private int chosen(@Nullable WaitNode[] nodes, WaitNode granted) {
        outcome = granted.item;
        for (int i = 0; i < nodes.length; i++) {
            if (nodes[i] == granted) {
                return i;
            }
        }
        throw new IllegalStateException("granted through a node that is not of this select");
    }

    /** Starts the time of {@link #after}. */
    private void startTimers(Waiter waiter) {
        for (int i = 0; i < count; i++) {
            if (isEnabled(i) && clauses[i] instanceof After after) {
                after.start(waiter.nanoTime());
            }
        }
    }

    /** Returns the branch whose deadline comes first, or -1 if none has one. */
    private int earliest() {
        int earliest = -1;
        for (int i = 0; i < count; i++) {
            if (isEnabled(i)
                    && clauses[i].deadline() != Long.MAX_VALUE
                    && (earliest < 0 || clauses[i].deadline() < clauses[earliest].deadline())) {
                earliest = i;
            }
        }
        return earliest;
    }

    /** What an attempt waits for may be another than it was. */
    private void renew() {
        for (int i = 0; i < count; i++) {
            if (isEnabled(i) && clauses[i] instanceof Attempt<?> attempt) {
                clauses[i] = attempt.renewed();
            }
        }
    }

    /**
     * After each branch was not ready when it was tried: completes one and returns its index, if they are not all unready at one
     * moment. What comes in by one while another goes would pass by a select that asks them in turn.
     */
    private int tryTogether(WakeList woken) {
        if (count < 2) {
            return NONE_READY;
        }
        int ready = tryAllOrEnqueue(null, woken);
        woken.wakeAll();
        return ready < 0 || confirm(clauses[ready]) ? ready : tryEach(woken);
    }

    /** Under all locks: completes a branch and returns its index, or enqueues a node for each, if there are any. */
    private int tryAllOrEnqueue(@Nullable WaitNode @Nullable [] nodes, WakeList woken) {
        @Nullable WaitPoint[] points = new @Nullable WaitPoint[count];
        int distinct = inLockOrder(points);
        int locked = 0;
        try {
            for (; locked < distinct; locked++) {
                WaitPoint point = Objects.requireNonNull(points[locked]);
                if (locked == 0) {
                    point.lock();
                } else {
                    point.lockWithin();
                }
            }
            int ready = tryAll(woken);
            if (ready >= 0) {
                return ready;
            }
            return nodes == null || enqueueAll(nodes, woken) ? NONE_READY : REFUSED;
        } finally {
            while (locked > 0) {
                Objects.requireNonNull(points[--locked]).unlock();
            }
        }
    }

    private int tryAll(WakeList woken) {
        int index = firstToTry();
        for (int i = 0; i < count; i++) {
            if (isEnabled(index)) {
                outcome = clauses[index].tryNow(woken);
                if (outcome != Clause.NOT_READY) {
                    return index;
                }
            }
            index = index + 1 == count ? 0 : index + 1;
        }
        return -1;
    }

    /** Enqueues all or none. */
    private boolean enqueueAll(@Nullable WaitNode[] nodes, WakeList woken) {
        int done = 0;
        try {
            for (; done < count; done++) {
                WaitNode node = nodes[done];
                if (node != null && !clauses[done].enqueue(node, woken)) {
                    return false;
                }
            }
            return true;
        } finally {
            if (done < count) {
                withdraw(nodes, done, woken);
            }
        }
    }

    private static void withdraw(@Nullable WaitNode[] nodes, int enqueued, WakeList woken) {
        for (int i = 0; i < enqueued; i++) {
            WaitNode node = nodes[i];
            if (node != null && node.point != null) {
                node.point.withdraw(node, woken);
            }
        }
    }

    /** Puts the distinct points of the branches into the global order, and returns how many they are. */
    private int inLockOrder(@Nullable WaitPoint[] points) {
        int distinct = 0;
        for (int i = 0; i < count; i++) {
            WaitPoint point = clauses[i].point();
            if (point == null || !isEnabled(i)) {
                continue;
            }
            int at = distinct;
            while (at > 0 && Objects.requireNonNull(points[at - 1]).rank() > point.rank()) {
                at--;
            }
            if (at > 0 && points[at - 1] == point) {
                continue;
            }
            System.arraycopy(points, at, points, at + 1, distinct - at);
            points[at] = point;
            distinct++;
        }
        return distinct;
    }

    /** The passing of a time since {@link #await()} began. Never ready when it is tried, since all others go before it. */
    private static final class After extends Clause<@Nullable Void> {
        private final Duration timeout;
        private long deadline;

        After(Duration timeout) {
            super(null);
            this.timeout = timeout;
        }

        void start(long now) {
            deadline = TimerService.deadline(now, timeout);
        }

        @Override
        protected Object tryNow(WakeList woken) {
            return NOT_READY;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            return null;
        }

        @Override
        protected long deadline() {
            return deadline;
        }
    }
}
