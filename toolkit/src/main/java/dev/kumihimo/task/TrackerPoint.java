package dev.kumihimo.task;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.WakeList;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/*
 * State: twice the number of what is tracked, plus 1 if closed. Anybody changes it by compare-and-set; but only under the lock
 * does it become CLOSED with nothing tracked, and then those who wait are taken out under the same holding of the lock. So a
 * waiter is enqueued before that moment and is granted by it, whatever comes after; or it is enqueued after it, and looks at
 * the state as it has become. Linearization: the compare-and-set.
 */

/** The count of a {@link TaskTracker}, and where those wait who wait for its end. */
final class TrackerPoint extends WaitPoint {
    private static final long CLOSED = 1;
    private static final long ONE = 2;

    private final AtomicLong state = new AtomicLong();
    private final WaitQueue waiters = new WaitQueue();

    void begin() {
        state.addAndGet(ONE);
    }

    void end() {
        while (true) {
            long now = state.get();
            if (now == (ONE | CLOSED)) {
                if (becomeOver(now)) {
                    return;
                }
            } else if (state.compareAndSet(now, now - ONE)) {
                return;
            } // else lost: somebody else began, ended, closed or reopened; look again
        }
    }

    boolean close() {
        while (true) {
            long now = state.get();
            if ((now & CLOSED) != 0) {
                return false;
            }
            if (now == 0 ? becomeOver(now) : state.compareAndSet(now, now | CLOSED)) {
                return true;
            } // else lost: look again
        }
    }

    /** Makes the state closed and empty, and serves who waits for that; false if the state is not as it was. */
    private boolean becomeOver(long from) {
        WakeList woken = new WakeList();
        lock();
        try {
            if (!state.compareAndSet(from, CLOSED)) {
                return false;
            }
            for (WaitNode waiter; (waiter = waiters.poll()) != null; ) {
                if (waiter.grant()) {
                    woken.add(waiter);
                }
            }
        } finally {
            unlock();
        }
        woken.wakeAll();
        return true;
    }

    boolean reopen() {
        return (state.getAndUpdate(now -> now & ~CLOSED) & CLOSED) != 0;
    }

    boolean isOver() {
        return state.get() == CLOSED;
    }

    boolean isClosed() {
        return (state.get() & CLOSED) != 0;
    }

    int size() {
        return (int) Math.min(Integer.MAX_VALUE, state.get() / ONE);
    }

    /** Registers a wait of the caller; null if there is nothing to wait for. */
    @Nullable
    Wait register() {
        if (isOver()) {
            return null;
        }
        Wait wait = Wait.at(this);
        lock();
        try {
            return enqueue(wait) ? wait : null;
        } finally {
            unlock();
        }
    }

    /** Under the lock: enqueues a waiter, unless it is over. */
    boolean enqueue(WaitNode waiter) {
        if (isOver()) {
            return false;
        }
        waiters.add(waiter);
        return true;
    }

    /** {@return whether somebody waits, for tests} */
    boolean hasWaiters() {
        lock();
        try {
            return !waiters.isEmpty();
        } finally {
            unlock();
        }
    }

    @Override
    public @Nullable String lostWakeup() {
        WaitNode head = undecided(waiters);
        return head != null && isOver() ? lost("it is closed and empty", head) : null;
    }

    @Override
    public String toString() {
        return "TaskTracker with " + size() + " tracked, " + (isClosed() ? "closed" : "not closed");
    }
}
