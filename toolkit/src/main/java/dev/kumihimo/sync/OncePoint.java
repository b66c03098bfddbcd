package dev.kumihimo.sync;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.WakeList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: a write-once value, the thread that makes it, and a queue, behind a spin lock. Who makes the value and
 * fails hands the making to the waiter at the head: granted, but not with a value.
 *
 * Fields: value: written once under the lock, read by anybody (volatile). maker: written under the lock, never null
 * while the making changes hands. Read by anybody: who finds itself there has been put there, by itself or before it was woken;
 * all others use it for reports. A node's item, once granted: the value, or MAKE.
 * Invariants: I1 once there is a value, nobody waits and nobody makes one. I2 in a OnceCell somebody waits only while there is a maker.
 * Cancellation: a waiter that gives up cannot be handed the making, so it holds nobody up.
 */

/** A place for one value, and those who wait for it. */
final class OncePoint extends WaitPoint {
    /** In place of the value: there is none, and making it is now the caller's. */
    static final Object MAKE = new Object();

    private final String kind;
    private final WaitQueue waiters = new WaitQueue();
    private volatile @Nullable Object value;
    private @Nullable Thread maker;

    OncePoint(String kind) {
        this.kind = kind;
    }

    /** {@return the value, or null} */
    @Nullable
    Object value() {
        return value;
    }

    /** {@return the value, or the wait that was registered for it} */
    Object valueOrRegister() {
        lock();
        try {
            Object present = value;
            return present != null ? present : register();
        } finally {
            unlock();
        }
    }

    /** {@return the value; or MAKE; or, while another makes it, the wait that was registered for either} */
    Object valueOrMakeOrRegister() {
        lock();
        try {
            Object present = valueOrMake();
            return present != null ? present : register();
        } finally {
            unlock();
        }
    }

    /** {@return the value; or MAKE; or null while another makes it} */
    @Nullable
    Object tryValueOrMake() {
        lock();
        try {
            return valueOrMake();
        } finally {
            unlock();
        }
    }

    private @Nullable Object valueOrMake() {
        Object present = value;
        if (present == null && maker == null) {
            maker = Thread.currentThread();
            return MAKE;
        }
        return present;
    }

    private Wait register() {
        Wait wait = Wait.at(this);
        waiters.add(wait);
        return wait;
    }

    /** Registers a branch of a select, after it was not ready. */
    void register(WaitNode node) {
        waiters.add(node);
    }

    /**
     * Sets the value unless there is one or it is being made.
     *
     * @return null if it was set; else what hinders: the value, or MAKE
     */
    @Nullable
    Object set(Object made) {
        WakeList woken = new WakeList();
        lock();
        try {
            Object hindrance = value;
            if (hindrance == null && maker != null) {
                hindrance = MAKE;
            }
            if (hindrance != null) {
                return hindrance;
            }
            put(made, woken);
        } finally {
            unlock();
        }
        woken.wakeAll();
        return null;
    }

    /** Sets the value; called by the one that makes it. */
    void made(Object made) {
        WakeList woken = new WakeList();
        lock();
        try {
            maker = null;
            put(made, woken);
        } finally {
            unlock();
        }
        woken.wakeAll();
    }

    private void put(Object made, WakeList woken) {
        value = made;
        for (WaitNode node; (node = waiters.poll()) != null; ) {
            node.item = made;
            if (node.grant()) {
                woken.add(node);
            }
        }
    }

    /** Hands the making to who has waited longest, or leaves it to who comes; called by the one whose it was. */
    void failed() {
        WaitNode next;
        lock();
        try {
            while ((next = waiters.poll()) != null) {
                next.item = MAKE;
                if (next.grant()) {
                    break;
                } // else it has given up: the next one
            }
            maker = next == null ? null : next.owner().waiter().thread();
        } finally {
            unlock();
        }
        if (next != null) {
            next.owner().wake();
        }
    }

    /** {@return whether the calling thread makes the value} */
    boolean isMadeByCaller() {
        return maker == Thread.currentThread();
    }

    @Override
    public List<Thread> holders() {
        Thread now = maker;
        return now == null ? List.of() : List.of(now);
    }

    @Override
    public @Nullable String lostWakeup() {
        WaitNode head = undecided(waiters);
        return head != null && value != null ? lost("the value is there", head) : null;
    }

    @Override
    public String toString() {
        return kind + (value != null ? " with its value" : maker != null ? " being initialized" : " without a value");
    }
}
