package dev.kumihimo.channel;

import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.WakeList;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: a ring of the last items, numbered from 0 on, behind a spin lock; each receiver has the number of the next item
 * it reads. Tokio's broadcast is the model.
 *
 * Differences: Tokio counts for each item the receivers that have yet to read it. Here each place counts the receivers that
 * are to read it next (`at`, and `caughtUp` for those that have read all). So an item goes when nobody is at it or before it,
 * the slowest receiver is known without asking all, and one that is closed while far behind is one number less, not a walk
 * over what it has not read. A receiver whose next item is overwritten is moved on to the one after it, in `at` alone: by the
 * difference to its own position it learns later how many it has missed. A receiver that waits is handed the item.
 *
 * State: positions oldest <= tail; the items oldest to tail-1 are in the ring. `floor` = tail - capacity: the lowest position
 * at which a receiver can go on.
 * Invariants: I1 oldest is the lowest position of an open receiver (not below the floor), and tail if there is none. I2 the sum
 * of at and caughtUp is the number of receivers. I3 senders wait only while the ring is full. I4 a receiver waits only at tail.
 * Cancellation: a sender that gives up holds nobody up, since all behind it wait for the same.
 * Garbage: an item goes as soon as no receiver can read it any more; the ring does not shrink.
 *
 * Fields: all guarded by the lock. A sender's node.item: what it sends, or END; its node.count: how many receivers it reached.
 */

/** The state of a broadcast, with operations that never wait; call them under the lock. */
final class BroadcastCore extends SubscriptionPoint {
    static final int MAX_CAPACITY = 1 << 30;

    /** What {@link #offer} returns if it would have to wait. */
    static final int FULL = -1;

    private static final int INITIAL_RING = 16;

    final int capacity;

    /** Whether a sender waits for the slowest receiver, instead of overwriting what that has not read. */
    final boolean backpressured;

    private final WaitQueue senders = new WaitQueue();
    private @Nullable Object[] ring; // a power of two
    private int[] at;
    private int caughtUp;
    private long oldest;
    private long tail;

    /** What a receive gets that missed items; the item after those too, if the receiver does not want to be stopped. */
    record Lag(long missed, @Nullable Object item) {}

    BroadcastCore(int capacity, boolean backpressured) {
        this.capacity = capacity;
        this.backpressured = backpressured;
        int initial = Math.min(powerOfTwo(capacity), INITIAL_RING);
        ring = new Object[initial];
        at = new int[initial];
    }

    static int powerOfTwo(int capacity) {
        return capacity == 1 ? 1 : Integer.highestOneBit(capacity - 1) << 1;
    }

    int size() {
        return (int) (tail - oldest);
    }

    /** {@return how many items a receiver has not read, those included that it has missed} */
    long size(Subscription receiver) {
        return tail - receiver.position;
    }

    /* ---------------- Sending -------------- */

    /** Sends an item to all receivers; returns how many these are, or FULL. */
    int offer(Object item, WakeList woken) {
        int reached = receivers;
        if (reached == 0) {
            return 0;
        }
        if (backpressured && size() == capacity) {
            return FULL;
        }
        append(item, woken);
        return reached;
    }

    void awaitRoom(WaitNode sender) {
        senders.add(sender);
    }

    private void append(@Nullable Object item, WakeList woken) {
        if (size() == capacity) {
            overwriteOldest();
        } else if (size() == ring.length) {
            grow();
        }
        int index = index(tail);
        ring[index] = item;
        at[index] = caughtUp;
        caughtUp = 0;
        tail++;
        handOver(item, woken);
        sweep();
    }

    private void overwriteOldest() {
        int index = index(oldest);
        int behind = at[index];
        at[index] = 0;
        ring[index] = null;
        oldest++;
        arrive(oldest, behind);
    }

    /** Hands the item just sent to one waiter of each receiver. Those without one find it where they are. */
    private void handOver(@Nullable Object item, WakeList woken) {
        for (Subscription receiver = firstListed(); receiver != null; ) {
            Subscription following = receiver.after;
            for (WaitNode node; (node = receiver.waiters.poll()) != null; ) {
                node.item = item;
                if (node.grant()) {
                    woken.add(node);
                    advance(receiver);
                    break;
                } // else it has given up: the next one
            }
            if (receiver.waiters.isEmpty()) {
                unlist(receiver);
            }
            receiver = following;
        }
    }

    private void grow() {
        @Nullable Object[] larger = new Object[ring.length << 1];
        int[] counts = new int[larger.length];
        for (long position = oldest; position < tail; position++) {
            int to = (int) position & (larger.length - 1);
            larger[to] = ring[index(position)];
            counts[to] = at[index(position)];
        }
        ring = larger;
        at = counts;
    }

    /** Sends what the oldest senders wait to send, as long as there is room. */
    private void admit(WakeList woken) {
        while (!senders.isEmpty() && size() < capacity) {
            WaitNode sender = senders.poll();
            if (sender == null) {
                return;
            }
            sender.count = receivers;
            if (sender.grant()) { // the ring has grown to its full size, so nothing can fail from here on
                woken.add(sender);
                if (receivers > 0) {
                    append(sender.item, woken);
                }
            } // else it has given up: the next one
        }
    }

    /* ---------------- Receiving -------------- */

    /** Adds a receiver, of what is sent from now on. */
    Subscription subscribe() {
        Subscription receiver = new Subscription(tail);
        receivers++;
        caughtUp++;
        return receiver;
    }

    /**
     * Reads the next item of a receiver.
     *
     * @param skip whether a receiver that missed items is to get the next one together with their number
     * @return the item, a {@link Lag}, {@link #END}, {@link #GONE}; or null if there is none now
     */
    @Nullable
    Object take(Subscription receiver, boolean skip, WakeList woken) {
        if (receiver.closed) {
            return GONE;
        }
        long floor = tail - capacity;
        long missed = floor - receiver.position;
        if (missed > 0) {
            Lag lag = new Lag(missed, skip ? ring[index(floor)] : null);
            receiver.position = floor;
            if (skip) {
                advance(receiver);
                sweep();
            }
            return lag;
        }
        if (receiver.position == tail) {
            return closed ? END : null;
        }
        Object item = ring[index(receiver.position)];
        advance(receiver);
        sweep();
        admit(woken);
        return item;
    }

    void close(Subscription receiver, WakeList woken) {
        if (unsubscribe(receiver, woken)) {
            leave(Math.max(receiver.position, tail - capacity));
            sweep();
            admit(woken);
        }
    }

    @Override
    void close(WakeList woken) {
        super.close(woken);
        endAll(senders, END, woken);
    }

    private void advance(Subscription receiver) {
        leave(receiver.position);
        receiver.position++;
        arrive(receiver.position, 1);
    }

    private void leave(long position) {
        if (position == tail) {
            caughtUp--;
        } else {
            at[index(position)]--;
        }
    }

    private void arrive(long position, int count) {
        if (position == tail) {
            caughtUp += count;
        } else {
            at[index(position)] += count;
        }
    }

    /** Lets go of the items that all have read. */
    private void sweep() {
        while (oldest < tail && at[index(oldest)] == 0) {
            ring[index(oldest)] = null;
            oldest++;
        }
    }

    private int index(long position) {
        return (int) position & (ring.length - 1);
    }

    @Override
    boolean hasNews(Subscription receiver) {
        return receiver.position != tail;
    }

    @Override
    public @Nullable String lostWakeup() {
        WaitNode sender = undecided(senders);
        if (sender != null && (closed || size() < capacity)) {
            return lost(closed ? "it is closed" : "there is room", sender);
        }
        return super.lostWakeup();
    }

    @Override
    public String toString() {
        String kind = (backpressured ? "back-pressured broadcast " : "broadcast ") + size() + "/" + capacity + " to "
                + receivers + " receivers";
        return closed ? kind + ", closed" : kind;
    }
}
