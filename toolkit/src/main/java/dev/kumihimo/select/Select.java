package dev.kumihimo.select;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.internal.wait.SelectPoint;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: Go's selectgo. First each branch is tried by itself, from a random one on. If none is ready, all locks are
 * taken in the one global order of WaitPoint.rank, all branches are tried again, and only if still none is ready a node for
 * each is enqueued. So whoever is enqueued is enqueued everywhere, and who is trying is enqueued nowhere: when two selects
 * meet, one compare-and-set on the passive one's wait decides (hazard: both grant each other).
 *
 * Linearization: the branch that completes at once, at its point's lock; else the claim of the wait by its granter.
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
 * their queues with everybody else, in FIFO order. No thread and no task is started for it.
 *
 * <p>A receive from a channel that is closed and drained, and a send to a closed one, are ready: {@link #await()} throws
 * {@link ChannelClosedException}.
 *
 * <p>Handlers run in the calling thread, after the choice, with no lock held. A select may be awaited repeatedly; it belongs
 * to one thread at a time.
 *
 * @param <R> the result of each handler
 * @since 0.1
 */
public final class Select<R extends @Nullable Object> {
    private static final int RECEIVE = 0;
    private static final int SEND = 1;

    private final List<Branch<R>> branches = new ArrayList<>(4);
    private SelectPoint @Nullable [] lockOrder;
    private boolean biased;
    private @Nullable Duration delay;
    private @Nullable Supplier<? extends R> afterDelay;
    private @Nullable Supplier<? extends R> otherwise;

    private Select() {}

    /**
     * {@return a select without branches}
     *
     * @param <R> the result of each handler
     */
    public static <R extends @Nullable Object> Select<R> of() {
        return new Select<>();
    }

    /**
     * Adds a branch that receives an item.
     *
     * @param channel from where
     * @param handler what to do with it
     * @param <T> the items
     * @return this
     */
    @SuppressWarnings("unchecked") // the item comes from that channel
    public <T> Select<R> onReceive(Channel<T> channel, Function<? super T, ? extends R> handler) {
        Objects.requireNonNull(handler, "handler");
        return add(new Branch<>(channel.selectPoint(), RECEIVE, null, item -> handler.apply((T) item)));
    }

    /**
     * Adds a branch that sends an item.
     *
     * @param channel to where
     * @param item what; the same one for each {@link #await()}
     * @param handler what to do once it is sent
     * @param <T> the items
     * @return this
     */
    public <T> Select<R> onSend(Channel<T> channel, T item, Supplier<? extends R> handler) {
        Objects.requireNonNull(item, "item");
        Objects.requireNonNull(handler, "handler");
        return add(new Branch<>(channel.selectPoint(), SEND, item, sent -> handler.get()));
    }

    private Select<R> add(Branch<R> branch) {
        branches.add(branch);
        lockOrder = null;
        return this;
    }

    /**
     * Adds the branch that is taken when a time has passed since {@link #await()} began and no other was ready. Of several, the
     * last one counts.
     *
     * @param timeout how long; zero or negative is ready at once, after all others
     * @param handler what to do then
     * @return this
     */
    public Select<R> after(Duration timeout, Supplier<? extends R> handler) {
        delay = Objects.requireNonNull(timeout, "timeout");
        afterDelay = Objects.requireNonNull(handler, "handler");
        return this;
    }

    /**
     * Adds the branch that is taken when no other is ready: the select never waits then.
     *
     * @param handler what to do then
     * @return this
     */
    public Select<R> otherwise(Supplier<? extends R> handler) {
        otherwise = Objects.requireNonNull(handler, "handler");
        return this;
    }

    /**
     * Has ready branches chosen in the order in which they were added, not at random.
     *
     * @return this
     */
    public Select<R> biased() {
        biased = true;
        return this;
    }

    /**
     * Waits for a branch, and runs its handler.
     *
     * @return what the handler returned
     * @throws InterruptedException if interrupted or cancelled while it would wait; no branch has happened
     * @throws ChannelClosedException if the chosen branch's channel is closed; no branch has happened
     * @throws IllegalStateException if there is no branch
     */
    public R await() throws InterruptedException {
        if (branches.isEmpty() && afterDelay == null && otherwise == null) {
            throw new IllegalStateException("a select without branches would wait for ever");
        }
        Waiter.spend();
        Branch<R> ready = tryEach();
        if (ready != null) {
            return ready.finish(ready.takeResult());
        }
        if (otherwise != null) {
            return otherwise.get();
        }
        if (afterDelay != null && delay != null && (delay.isZero() || delay.isNegative())) {
            return afterDelay.get();
        }
        return waitForAny();
    }

    /** Tries the branches one by one, under one lock at a time. */
    private @Nullable Branch<R> tryEach() {
        int count = branches.size();
        int first = biased || count < 2 ? 0 : ThreadLocalRandom.current().nextInt(count);
        for (int i = 0; i < count; i++) {
            int index = first + i < count ? first + i : first + i - count;
            Branch<R> branch = branches.get(index);
            if (branch.tryNow()) {
                return branch;
            }
        }
        return null;
    }

    private R waitForAny() throws InterruptedException {
        Wait wait = Wait.forAny();
        long deadline = delay == null
                ? Long.MAX_VALUE
                : TimerService.deadline(wait.waiter().nanoTime(), delay);
        int count = branches.size();
        WaitNode[] nodes = new WaitNode[count];
        for (int i = 0; i < count; i++) {
            nodes[i] = branches.get(i).node(wait);
        }
        wait.register(nodes);
        WakeList woken = new WakeList();
        int chosen = tryAllOrEnqueue(nodes, woken);
        woken.wakeAll();
        if (chosen >= 0) {
            return branches.get(chosen).finish(nodes[chosen].item);
        }
        WaitNode granted;
        if (afterDelay != null && delay != null) {
            granted = wait.awaitAny(deadline);
            if (granted == null) {
                return afterDelay.get();
            }
        } else {
            granted = wait.awaitAny();
        }
        for (int i = 0; i < count; i++) {
            if (nodes[i] == granted) {
                return branches.get(i).finish(granted.item);
            }
        }
        throw new IllegalStateException("granted through a node that is not of this select");
    }

    /** Under all locks: completes a branch and returns its index, or enqueues all and returns -1. */
    private int tryAllOrEnqueue(WaitNode[] nodes, WakeList woken) {
        SelectPoint[] points = lockOrder();
        int locked = 0;
        try {
            for (; locked < points.length; locked++) {
                points[locked].lock();
            }
            int first =
                    biased || nodes.length < 2 ? 0 : ThreadLocalRandom.current().nextInt(nodes.length);
            for (int i = 0; i < nodes.length; i++) {
                int index = (first + i) % nodes.length;
                if (branches.get(index).point.tryNow(nodes[index], woken)) {
                    return index;
                }
            }
            for (int i = 0; i < nodes.length; i++) {
                branches.get(i).point.enqueue(nodes[i]);
            }
            return -1;
        } finally {
            while (locked > 0) {
                points[--locked].unlock();
            }
        }
    }

    /** {@return the distinct points in the global order} */
    private SelectPoint[] lockOrder() {
        SelectPoint[] order = lockOrder;
        if (order == null) {
            order = branches.stream()
                    .map(branch -> branch.point)
                    .distinct()
                    .sorted(Comparator.comparingLong(SelectPoint::rank))
                    .toArray(SelectPoint[]::new);
            lockOrder = order;
        }
        return order;
    }

    /** One branch, and the node with which it is tried alone. */
    private static final class Branch<R extends @Nullable Object> {
        private final SelectPoint point;
        private final int side;
        private final @Nullable Object sent;
        private final Function<Object, ? extends R> handler;
        private final WaitNode trial;

        Branch(SelectPoint point, int side, @Nullable Object sent, Function<Object, ? extends R> handler) {
            this.point = point;
            this.side = side;
            this.sent = sent;
            this.handler = handler;
            this.trial = WaitNode.unowned(point);
            trial.count = side;
        }

        WaitNode node(Wait wait) {
            WaitNode node = new WaitNode(point, wait);
            node.count = side;
            node.item = sent;
            return node;
        }

        boolean tryNow() {
            trial.item = sent;
            WakeList woken = new WakeList();
            point.lock();
            boolean done;
            try {
                done = point.tryNow(trial, woken);
            } finally {
                point.unlock();
            }
            woken.wakeAll();
            return done;
        }

        @Nullable
        Object takeResult() {
            Object result = trial.item;
            trial.item = null;
            return result;
        }

        R finish(@Nullable Object item) {
            if (item == null || point.isEnd(item)) {
                throw new ChannelClosedException("the channel of the chosen branch is closed");
            }
            return handler.apply(item);
        }
    }
}
