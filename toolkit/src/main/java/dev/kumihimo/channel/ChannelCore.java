package dev.kumihimo.channel;

import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.WakeList;
import java.lang.invoke.MethodHandles;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: a ring buffer and two FIFO queues of waiters behind a spin lock; Go's hchan is the model. Who frees a place
 * hands it to the oldest sender by moving that sender's item in; who brings an item hands it to the oldest receiver. So a
 * waiter that is resumed has what it came for, and nobody can get in between. Who reserves places waits among the senders.
 *
 * Differences: a reservation takes places that no item is in yet, so an item always has a place to pass through, and a
 * receiver that waits does not help a sender for whom there is none.
 *
 * Invariants: I1 receivers wait only while the ring is empty. I2 senders wait only while size >= limit, which with capacity 0
 * is always; no newcomer gets past them. I3 once closed, no sender waits, and receivers wait only while a permit may still
 * send, or a batch be put back. I4 size + reserved <= capacity, unless an item was put back. I5 size + lent <= ring.length: what
 * was taken for a batch finds its place again without memory. A sender that gives up holds nobody up, since all behind it want
 * no less; but a reservation may have wanted more than they do, so whoever withdraws one serves those behind it, also if a
 * granter has dropped its node: the granter need not.
 *
 * Fields: all guarded by the lock. A sender's node.count: how many places are to be reserved; 0 is a send. A receiver's: 1 if
 * it may put back what it gets. Its item: before it is granted, what a sender sends; after, what a receiver gets, the permit, or
 * CLOSED for each.
 */

/** The state of a channel, with operations that never wait; call them under the lock, unless they say that they take it. */
final class ChannelCore extends WaitPoint {
    /** In place of an item: the channel was closed. */
    static final Object CLOSED = new Object();

    /** The limit while a sender would have to wait even if the ring were empty. */
    private static final int NO_PLACE = -1;

    private static final int INITIAL_RING = 16;

    /** How many items can be buffered: the largest array that every JVM has, if there is the memory. */
    static final int MAX_RING = Integer.MAX_VALUE - 8;

    static {
        prepare(MethodHandles.lookup(), ChannelClosedException.class, Permit.class);
    }

    final int capacity;
    private final WaitQueue receivers = new WaitQueue();
    private final WaitQueue senders = new WaitQueue();
    private @Nullable Object[] ring;
    private int head;
    private int size;

    /** The size from which on a sender waits: what is not reserved of the capacity, or NO_PLACE. */
    private int limit;

    private int reserved;
    private int lent; // items of batches that are under way to their collections, and may be put back
    private boolean closed;
    private boolean abandoned; // there were receivers' handles, and the last was closed
    private @Nullable Throwable cause; // written before it is closed, and never again
    private @Nullable WaitQueue closeWaiters; // made by the first
    private int senderHandles;
    private int receiverHandles;

    ChannelCore(int capacity) {
        this.capacity = capacity;
        limit = capacity;
        ring = newRing(capacity);
        if (Points.ON) { // who was aborted might have received them
            Points.made(this, aborted -> aborted ? null : lockedLeftover());
        }
    }

    private static @Nullable Object[] newRing(int capacity) {
        return new Object[Math.max(1, Math.min(capacity, INITIAL_RING))];
    }

    boolean isClosed() {
        return closed;
    }

    /** {@return whether nothing will come any more, if nothing is buffered now} */
    boolean isEnded() {
        return closed && (reserved + lent == 0 || abandoned);
    }

    int size() {
        return size;
    }

    int availableCapacity() {
        return Math.max(0, capacity - reserved - size);
    }

    boolean isFull() {
        return size >= limit;
    }

    /* ---------------- Items -------------- */

    /**
     * Hands an item to the oldest receiver, if one waits and no sender comes before.
     *
     * @return the receiver to wake, or null
     */
    @Nullable
    WaitNode handOver(Object item) {
        return limit == NO_PLACE ? null : grantReceiver(item);
    }

    private @Nullable WaitNode grantReceiver(Object item) {
        for (WaitNode node; (node = receivers.peek()) != null; ) {
            int lending = node.count;
            if (lending > 0) {
                makeRoom(); // before the grant
            }
            receivers.poll();
            node.item = item;
            if (node.grant()) {
                lent += lending;
                return node;
            } // else it has given up: the next one
        }
        return null;
    }

    /** Buffers an item; there must be a place for it. */
    void put(Object item) {
        makeRoom();
        ring[place(head, size, ring.length)] = item;
        size++;
    }

    /** Has the ring hold one item more. To be called before anything changes: it may fail, for want of memory. */
    private void makeRoom() {
        if (size + lent == ring.length) {
            grow();
        }
    }

    private void grow() {
        @Nullable Object[] larger = new Object[grown(ring.length)];
        int first = Math.min(size, ring.length - head);
        System.arraycopy(ring, head, larger, 0, first);
        System.arraycopy(ring, 0, larger, first, size - first);
        ring = larger;
        head = 0;
    }

    /** {@return the length of the ring that comes after one that is full} */
    static int grown(int length) {
        if (length == MAX_RING) {
            throw new IllegalStateException("size=" + length + ": a channel buffers 0 to " + MAX_RING + " items");
        }
        return length > MAX_RING / 2 ? MAX_RING : 2 * length;
    }

    /** {@return where in a ring the place is that comes a number of places, 0 to its length - 1, after another} */
    static int place(int from, int steps, int length) {
        int place = from - length + steps; // in this order, since the sum may be more than an int holds
        return place < 0 ? place + length : place;
    }

    /** Takes the oldest buffered item, or null. A place becomes free: call {@link #refill} next. */
    @Nullable
    Object take() {
        if (size == 0) {
            return null;
        }
        Object item = ring[head];
        ring[head] = null;
        head = place(head, 1, ring.length);
        size--;
        return item;
    }

    /**
     * Gives the place just freed to the oldest sender, whose item moves in, or whose reservation is complete.
     *
     * @return the sender to wake, or null
     */
    @Nullable
    WaitNode refill() {
        return senders.isEmpty() ? null : refillFromSenders();
    }

    private @Nullable WaitNode refillFromSenders() {
        WaitNode sender = serveOldest(); // one place for one sender: with it, there is none for the next
        if (sender != null && sender.count == 0 && sender.item != null) {
            put(sender.item); // no receiver waits: the ring was not empty
        }
        updateLimit();
        return sender;
    }

    /** Completes the oldest send of a rendezvous that has not been given up; its item is the caller's. Else null. */
    @Nullable
    WaitNode grantSender() {
        if (capacity > 0) {
            return null; // if senders wait although nothing is buffered, then for places that are reserved
        }
        for (WaitNode node; (node = senders.poll()) != null; ) {
            if (node.grant()) {
                return node;
            }
        }
        return null;
    }

    void awaitItem(WaitNode receiver) {
        receivers.add(receiver);
    }

    void awaitRoom(WaitNode sender) {
        senders.add(sender);
    }

    /** Takes an item, from the buffer or a sender; null if there is none. */
    @Nullable
    Object poll(WakeList woken) {
        Object item = take();
        WaitNode sender = item != null ? refill() : grantSender();
        if (sender != null) {
            woken.add(sender);
            item = item != null ? item : sender.item;
        }
        return item;
    }

    /** Hands an item to a receiver or buffers it; false if there is no room. */
    boolean offer(Object item, WakeList woken) {
        WaitNode receiver = handOver(item);
        if (receiver != null) {
            woken.add(receiver);
            return true;
        }
        if (isFull()) {
            return false;
        }
        put(item);
        return true;
    }

    /**
     * Takes as many items as there are and fit, from the buffer or, in a rendezvous, from senders; returns how many. They are
     * lent until {@link #settle}. If some were taken, {@link #serve} is to be called next.
     */
    int lend(@Nullable Object[] items, WakeList woken) {
        while (capacity == 0 && size + lent + items.length > ring.length) {
            grow(); // before anything is taken
        }
        int taken = 0;
        for (Object item; taken < items.length && (item = take()) != null; ) {
            items[taken++] = item;
        }
        for (WaitNode sender; taken < items.length && (sender = grantSender()) != null; ) {
            items[taken++] = sender.item;
            woken.add(sender);
        }
        lent += taken;
        return taken;
    }

    /** Registers a wait of the caller for an item that will be lent; null if there will never be one. */
    @Nullable
    Wait registerForLoan() {
        if (isEnded()) {
            return null;
        }
        Wait wait = Wait.at(this);
        wait.count = 1;
        receivers.add(wait);
        return wait;
    }

    /** Ends the loan of items: those from an index on come back, and before all others. */
    void settle(@Nullable Object[] items, int from, int to, WakeList woken) {
        lent -= to;
        int next = from;
        while (next < to && items[next] instanceof Object item) {
            WaitNode receiver = grantReceiver(item);
            if (receiver == null) {
                break;
            }
            woken.add(receiver);
            next++;
        }
        for (int i = to - 1; i >= next && !abandoned; i--) { // I5: there is a place for each
            head = (head == 0 ? ring.length : head) - 1;
            ring[head] = items[i];
            size++;
        }
        endIfEnded(woken);
    }

    /* ---------------- Senders that wait, and reservations -------------- */

    /** {@return whether as many places are free, and nobody waits for one} */
    boolean canReserve(int places) {
        return places == 0 || (places <= capacity - reserved - size && senders.isEmpty());
    }

    /** Reserves places; they must be free. */
    void reserve(int places) {
        reserved += places;
        updateLimit();
    }

    /** Enqueues the node of a reservation; its count and item are set. */
    void awaitReservation(WaitNode node) {
        senders.add(node);
        updateLimit();
    }

    /** Takes the lock: reserves the places of a permit, or returns the wait that was registered for them, or CLOSED. */
    @Nullable
    Object reserveOrRegister(Permit<?> permit, int places) {
        lock();
        try {
            if (closed) {
                return CLOSED;
            }
            if (canReserve(places)) {
                reserve(places);
                return null;
            }
            Wait wait = Wait.at(this);
            wait.count = places;
            wait.item = permit;
            awaitReservation(wait);
            return wait;
        } finally {
            unlock();
        }
    }

    /** Sends an item through a reserved place. */
    void sendReserved(Object item, WakeList woken) {
        if (!abandoned) {
            makeRoom(); // before anything changes: if there is no memory for it, the place is still reserved
        }
        reserved--;
        if (!abandoned) {
            deliver(item, woken);
        }
        afterReserved(woken);
    }

    /** Gives reserved places back. */
    void giveBack(int places, WakeList woken) {
        reserved -= places;
        afterReserved(woken);
    }

    private void afterReserved(WakeList woken) {
        serve(woken);
        endIfEnded(woken);
    }

    private void endIfEnded(WakeList woken) {
        if (isEnded()) {
            endAll(receivers, woken); // if any wait, nothing is buffered
        }
    }

    private void deliver(Object item, WakeList woken) {
        WaitNode receiver = grantReceiver(item);
        if (receiver != null) {
            woken.add(receiver);
        } else {
            put(item);
        }
    }

    /** Serves the senders that wait, as long as there is room for the oldest. */
    void serve(WakeList woken) {
        for (WaitNode sender; (sender = serveOldest()) != null; ) {
            woken.add(sender);
            if (sender.count == 0 && sender.item != null) {
                deliver(sender.item, woken);
            }
        }
        updateLimit();
    }

    /** Completes the oldest of those who wait for places, if there is room for it; the item of a send is the caller's. */
    private @Nullable WaitNode serveOldest() {
        for (WaitNode oldest; (oldest = senders.peek()) != null; ) {
            int places = oldest.count;
            if (Math.max(1, places) > capacity - reserved - size) {
                return null;
            }
            if (places == 0) {
                if (size + lent == MAX_RING) {
                    return null;
                }
                makeRoom(); // before the grant
            }
            senders.poll();
            if (oldest.grant()) {
                reserved += places;
                return oldest;
            } // else it has given up: the next one
        }
        return null;
    }

    private void updateLimit() {
        int places = capacity - reserved;
        boolean oldestWantsMore = places > size && !senders.isEmpty();
        limit = oldestWantsMore || (places == 0 && capacity > 0) ? NO_PLACE : places;
    }

    @Override
    public void withdraw(WaitNode node, WakeList woken) {
        super.withdraw(node, woken);
        if (node.count > 0) { // I4: also if a granter has dropped it
            serve(woken);
        }
    }

    /* ---------------- The end -------------- */

    /** Takes the lock. */
    void close(@Nullable Throwable why) {
        WakeList woken = new WakeList();
        lock();
        try {
            close(why, woken);
        } finally {
            unlock();
        }
        woken.wakeAll();
    }

    private void close(@Nullable Throwable why, WakeList woken) {
        if (closed) {
            return;
        }
        cause = why;
        closed = true;
        endAll(senders, woken);
        updateLimit();
        endIfEnded(woken);
        if (closeWaiters != null) {
            endAll(closeWaiters, woken);
        }
    }

    private static void endAll(WaitQueue queue, WakeList woken) {
        for (WaitNode node; (node = queue.poll()) != null; ) {
            Object sent = node.item;
            node.item = CLOSED;
            if (node.grant()) {
                woken.add(node);
            } else {
                node.item = sent;
            }
        }
    }

    /** Enqueues a node that is granted, with CLOSED, when the channel is closed; it is not closed yet. */
    void awaitClose(WaitNode node) {
        if (closeWaiters == null) {
            closeWaiters = new WaitQueue();
        }
        closeWaiters.add(node);
    }

    /** Takes the lock: returns the wait that was registered for the close, or null if it is closed. */
    @Nullable
    Wait registerForClose() {
        lock();
        try {
            if (closed) {
                return null;
            }
            Wait wait = Wait.at(this);
            awaitClose(wait);
            return wait;
        } finally {
            unlock();
        }
    }

    /** {@return what tells of the close, once that was seen} */
    ChannelClosedException closedException(String message) {
        return new ChannelClosedException(message, cause);
    }

    /** {@return the end of receiving, once that was seen: null for a plain end} */
    @Nullable
    Throwable cause() {
        return cause;
    }

    /* ---------------- Counted handles; all of these take the lock -------------- */

    void addSender() {
        lock();
        senderHandles++;
        unlock();
    }

    /** Adds a handle unless there is none. */
    boolean addSenderIfAny() {
        lock();
        try {
            if (senderHandles == 0) {
                return false;
            }
            senderHandles++;
            return true;
        } finally {
            unlock();
        }
    }

    void removeSender() {
        WakeList woken = new WakeList();
        lock();
        try {
            if (--senderHandles == 0) {
                close(null, woken);
            }
        } finally {
            unlock();
        }
        woken.wakeAll();
    }

    int senderCount() {
        lock();
        int count = senderHandles;
        unlock();
        return count;
    }

    void addReceiver() {
        lock();
        receiverHandles++;
        unlock();
    }

    /** Adds a handle unless there is none. */
    boolean addReceiverIfAny() {
        lock();
        try {
            if (receiverHandles == 0) {
                return false;
            }
            receiverHandles++;
            return true;
        } finally {
            unlock();
        }
    }

    /** With the last receiver go the items. */
    void removeReceiver() {
        WakeList woken = new WakeList();
        lock();
        try {
            if (--receiverHandles == 0) {
                abandoned = true;
                ring = newRing(1);
                head = 0;
                size = 0;
                close(null, woken);
                endAll(receivers, woken); // those who receive without a handle, if it was closed before
            }
        } finally {
            unlock();
        }
        woken.wakeAll();
    }

    int receiverCount() {
        lock();
        int count = receiverHandles;
        unlock();
        return count;
    }

    /** What was sent before a plain close is meant to be received; who closed the last receiver wants no more. */
    @Override
    public @Nullable String leftover() {
        return closed && cause == null && size > 0
                ? size + (size == 1 ? " item was" : " items were") + " never received"
                : null;
    }

    @Override
    public @Nullable String lostWakeup() {
        WaitNode receiver = undecided(receivers);
        WaitNode sender = undecided(senders);
        WaitNode closing = undecided(closeWaiters);
        if (receiver != null && size > 0) {
            return lost(size + " items are there", receiver);
        }
        if (receiver != null && isEnded()) {
            return lost("it has ended", receiver);
        }
        if (receiver != null && sender != null && capacity == 0 && sender.count == 0 && meet(receiver, sender)) {
            return lost(receiver.owner().waiter() + " receives", sender);
        }
        if (sender != null && closed) {
            return lost("it is closed", sender);
        }
        if (sender != null && Math.max(1, sender.count) <= capacity - reserved - size && size + lent < MAX_RING) {
            return lost("there is room", sender);
        }
        return closing != null && closed ? lost("it is closed", closing) : null;
    }

    /** A select that would do either does not meet itself. */
    private static boolean meet(WaitNode receiver, WaitNode sender) {
        return receiver.owner() != sender.owner();
    }

    @Override
    public String toString() {
        String kind = capacity == 0 ? "rendezvous channel" : "channel " + size + "/" + capacity;
        String held = reserved == 0 ? kind : kind + ", " + reserved + " reserved";
        return closed ? held + ", closed" : held;
    }
}
