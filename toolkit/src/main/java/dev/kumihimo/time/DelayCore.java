package dev.kumihimo.time;

import dev.kumihimo.internal.wait.Expirable;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.time.DelayQueue.Key;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: a heap of items and a FIFO queue of takers behind a spin lock, and one timer, for a pair: the item that is due
 * first, and the taker that has waited longest. When the time has come, the timer grants the item to the taker, and takes no
 * lock for it; that taker takes the lock, takes both out, serves the others with what else is due, and has a timer armed for
 * the next pair. Why so: docs/adr/0008.
 *
 * State of a pair:  ARMED --expire(): CAS----> FIRED      (driver; it then tries to grant)
 *                   ARMED --dissolve(): CAS--> DISSOLVED  (under the lock: the item goes, another comes first, the taker gave up)
 * Whoever finds a pair FIRED under the lock tries to grant, too, and then knows for good whether the taker has the item.
 *
 * Fields: heap, takers, aim, inserted, and the fields of keys but where they say otherwise: guarded by the lock. A node's item:
 * the key that its taker gets; or, what kept a timer from being armed. Written under the lock while the taker is in no ARMED
 * pair, read by the taker after the grant. Pair.timer: written by who arms, read by who dissolves; each of the two writes,
 * then reads what the other wrote, so one of them cancels.
 *
 * Linearization: an insertion, removal or reset: at the lock. A take: where the key leaves the heap, or the timer's grant; all
 * that look at the heap serve first, so that nobody sees an item that a timer has granted.
 *
 * Invariants: I1 whenever the lock is free, no item that was due when somebody last held it is left while a taker waits, and if
 * some item becomes due at all there is a pair of the first item and the first taker. I2 the item of a pair is in the heap, its
 * taker's node.item is that key. I3 a pair is armed at most once, by who made it, after it has released the lock.
 *
 * Progress: a timer that fires for a taker that gave up, and has not yet withdrawn, serves nobody; that taker does, or whoever
 * comes before it. So a thread that is not scheduled can hold up the others, as with a spin lock.
 * Waiting: a taker is enqueued under the lock before the pair is made, and the timer is armed before it parks.
 * Garbage: a key that is gone is in no heap and has no value. A pair that is dissolved is let go by the driver at its next turn.
 * Cancellation: a taker that gives up withdraws, and the item is for the next: O(1), or O(log n) if the item is due.
 * Checked by: DelayCoreTest, DelayHeapTest, DelayQueueRacesTest, DelayQueueLincheckTest; DelayQueueTest and the cancel matrix.
 */

/** What a delay queue consists of, and where its takers wait. */
final class DelayCore extends WaitPoint {
    /** What a key's index says once its item has been handed out. */
    static final int TAKEN = -1;

    /** What a key's index says once its item has been removed. */
    static final int REMOVED = -2;

    static {
        prepare(MethodHandles.lookup(), Pair.class, Key.class, DelayHeap.class, MissedTickBehavior.class);
    }

    final TimerService clock;
    private final DelayHeap heap = new DelayHeap();
    private final WaitQueue takers = new WaitQueue();
    private @Nullable Pair aim;
    private long inserted;

    DelayCore(TimerService clock) {
        this.clock = clock;
    }

    /* ---------------- Whole operations: these take the lock themselves -------------- */

    /**
     * Adds a new key.
     *
     * @param nanos from now on, or else on the clock
     */
    void insert(Key key, boolean fromNow, long nanos) {
        WakeList woken = new WakeList();
        lock();
        try {
            schedule(key, fromNow, nanos);
            heap.add(key);
            serve(woken);
        } finally {
            release(woken);
        }
    }

    /** Gives a key another time; false if its item is gone. */
    boolean reset(Key key, boolean fromNow, long nanos) {
        WakeList woken = new WakeList();
        lock();
        try {
            boolean there = isHeld(key, woken);
            if (there) {
                schedule(key, fromNow, nanos);
                heap.moved(key);
            }
            serve(woken);
            return there;
        } finally {
            release(woken);
        }
    }

    /** Removes a key and returns its value, or null if its item is gone. */
    @Nullable
    Object remove(Key key) {
        WakeList woken = new WakeList();
        lock();
        try {
            Object value = null;
            if (isHeld(key, woken)) {
                heap.remove(key, REMOVED);
                value = key.value;
                key.value = null;
            }
            serve(woken);
            return value;
        } finally {
            release(woken);
        }
    }

    void clear() {
        WakeList woken = new WakeList();
        lock();
        try {
            if (aim != null) {
                unaim(aim, woken);
            }
            heap.clear(REMOVED);
        } finally {
            release(woken);
        }
    }

    /** Takes what is due, if it is for nobody else. */
    @Nullable
    Key tryTake() {
        WakeList woken = new WakeList();
        lock();
        try {
            return takeNow(woken);
        } finally {
            release(woken);
        }
    }

    /** Takes what is due and returns its key, or registers the caller and returns its wait. */
    Object takeOrRegister() {
        WakeList woken = new WakeList();
        lock();
        try {
            Key due = takeNow(woken);
            if (due != null) {
                return due;
            }
            Wait wait = Wait.at(this);
            takers.add(wait);
            serve(woken);
            return wait;
        } finally {
            release(woken);
        }
    }

    /** Does what the timer has left to do, if it has granted an item: called by the taker, and by those who want to know. */
    void settle() {
        WakeList woken = new WakeList();
        lock();
        try {
            serve(woken);
        } finally {
            release(woken);
        }
    }

    int size() {
        WakeList woken = new WakeList();
        lock();
        try {
            serve(woken);
            return heap.size();
        } finally {
            release(woken);
        }
    }

    /** {@return when a key is due, or -1 if its item is gone} */
    long timeOf(Key key) {
        WakeList woken = new WakeList();
        lock();
        try {
            serve(woken);
            return key.index < 0 ? -1 : key.time;
        } finally {
            release(woken);
        }
    }

    /** {@return when the next item is due; {@link Long#MAX_VALUE} if none ever is} */
    long next() {
        WakeList woken = new WakeList();
        lock();
        try {
            serve(woken);
            Key head = heap.peek();
            return head == null ? Long.MAX_VALUE : head.time;
        } finally {
            release(woken);
        }
    }

    private void release(WakeList woken) {
        unlock();
        woken.wakeAll();
    }

    /* ---------------- Parts of them: under the lock -------------- */

    /** The time from now on is counted under the lock, so that what is inserted later with the same delay is due later. */
    private void schedule(Key key, boolean fromNow, long nanos) {
        key.time = fromNow ? MissedTickBehavior.later(clock.nanoTime(), nanos) : nanos;
        key.order = inserted++;
    }

    /** Takes what is due, if it is for nobody else. */
    @Nullable
    Key takeNow(WakeList woken) {
        serve(woken);
        Key head = heap.peek();
        if (head == null || !takers.isEmpty() || head.time > clock.nanoTime()) {
            return null;
        }
        heap.remove(head, TAKEN);
        return head;
    }

    /** Enqueues a branch of a select, which must not be granted yet; false if an item has become due for it. */
    boolean enqueue(WaitNode node, WakeList woken) {
        Key head = heap.peek();
        boolean first = takers.isEmpty();
        if (first && head != null && head.time <= clock.nanoTime()) {
            return false;
        }
        takers.add(node);
        if (first && head != null) {
            aimAt(head, node, woken);
        }
        return true;
    }

    @Override
    protected void afterAbandon(WakeList woken) {
        serve(woken);
    }

    /** Hands out what is due, and makes the next pair; see I1. */
    private void serve(WakeList woken) {
        while (true) {
            Key head = heap.peek();
            WaitNode taker = takers.peek();
            Pair current = aim;
            if (current == null && (head == null || taker == null)) {
                return;
            }
            long now = clock.nanoTime();
            if (current != null) {
                if (current.key == head && current.taker == taker && current.time > now) {
                    return;
                }
                unaim(current, woken);
            } else if (head != null && taker != null) {
                if (head.time > now) {
                    if (aimAt(head, taker, woken)) {
                        return;
                    }
                    continue;
                }
                takers.remove(taker);
                taker.item = head;
                if (taker.grant()) {
                    heap.remove(head, TAKEN);
                    woken.add(taker);
                } // else it has given up: the next one
            }
        }
    }

    /** Makes the pair; false if there is no memory for it, and the taker was told. */
    private boolean aimAt(Key head, WaitNode taker, WakeList woken) {
        if (head.time == Long.MAX_VALUE) {
            return true; // the end of time is never reached
        }
        try {
            Pair pair = new Pair(this, head, taker);
            taker.item = head;
            aim = pair;
            woken.add(pair);
            return true;
        } catch (OutOfMemoryError e) {
            tell(taker, e, woken);
            return false;
        }
    }

    /** Ends the pair; if its timer was faster, the taker has the item, unless it gave up. */
    private void unaim(Pair pair, WakeList woken) {
        aim = null;
        if (pair.dissolve()) {
            pair.taker.item = null;
            return;
        }
        takers.remove(pair.taker);
        if (pair.taker.grant()) {
            woken.add(pair.taker); // the timer has yet to do it
        }
        if (pair.taker.isGranted()) {
            heap.remove(pair.key, TAKEN);
        }
    }

    /** {@return whether an item is still there, and for nobody} */
    private boolean isHeld(Key key, WakeList woken) {
        Pair current = aim;
        if (current != null && current.key == key) {
            unaim(current, woken);
        }
        return key.index >= 0;
    }

    /** A timer could not be armed, for want of memory or of a runtime to have it: the taker is told, and the next one tried. */
    private void failed(Pair pair, Throwable why, WakeList woken) {
        lock();
        try {
            if (aim == pair) {
                unaim(pair, woken);
                tell(pair.taker, why, woken);
            }
            serve(woken);
        } finally {
            unlock();
        }
    }

    /** Ends the wait of a taker, unless it has left the queue, with an exception. */
    private void tell(WaitNode taker, Throwable why, WakeList woken) {
        if (takers.remove(taker)) {
            taker.item = why;
            if (taker.grant()) {
                woken.add(taker);
            }
        }
    }

    @Override
    public @Nullable String lostWakeup() {
        WaitNode taker = undecided(takers);
        Key head = heap.peek();
        if (taker == null || head == null || head.time == Long.MAX_VALUE) {
            return null;
        }
        Pair current = aim;
        boolean aimed = current != null && current.key == head && current.taker == taker;
        return aimed ? null : lost("no timer is armed for its first item", taker);
    }

    /** {@return what it is, for dumps} */
    @Override
    public String toString() {
        return "delay queue";
    }

    /** An item and the taker that gets it when its time comes. */
    private static final class Pair extends WakeList.Errand implements Expirable {
        private static final int ARMED = 0;
        private static final int FIRED = 1;
        private static final int DISSOLVED = 2;

        private static final VarHandle STATE;

        static {
            try {
                STATE = MethodHandles.lookup().findVarHandle(Pair.class, "state", int.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        final Key key;
        final WaitNode taker;
        final long time;
        private final DelayCore core;
        private volatile int state;
        private volatile TimerService.@Nullable Timer timer;

        Pair(DelayCore core, Key key, WaitNode taker) {
            this.core = core;
            this.key = key;
            this.taker = taker;
            this.time = key.time;
        }

        /** Arms the timer: here and not under the lock, since it may have to wake a driver, or to make a runtime. */
        @Override
        protected void run(WakeList woken) {
            if (state != ARMED) {
                return;
            }
            try {
                TimerService.Timer armed = core.clock.arm(time, this);
                timer = armed; // volatile, as state: see Fields
                if (state == DISSOLVED) {
                    armed.cancel();
                }
            } catch (Throwable e) {
                core.failed(this, e, woken);
            }
        }

        @Override
        public void expire() {
            if (STATE.compareAndSet(this, ARMED, FIRED)
                    && taker.grant()) { // lost: dissolved, or granted by who found it FIRED
                taker.owner().wake();
            }
        }

        boolean dissolve() {
            if (!STATE.compareAndSet(this, ARMED, DISSOLVED)) {
                return false; // lost: the timer has fired
            }
            TimerService.Timer armed = timer;
            if (armed != null) {
                armed.cancel();
            }
            return true;
        }
    }
}
