package dev.kumihimo.test.planted;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.WakeList;
import java.util.concurrent.Callable;

/** A lock with a condition, of which the planted primitives are made. A waiter is woken once, in the order of arrival. */
class Monitor extends WaitPoint {
    private final WaitQueue waiters = new WaitQueue();

    /** Does something under the lock; the points lie before and after it. */
    final <T> T locked(Callable<T> body) throws Exception {
        lock();
        try {
            return body.call();
        } finally {
            unlock();
        }
    }

    /** Waits to be woken. Called under the lock, which is given back meanwhile. */
    final void await() throws InterruptedException {
        await(Wait.at(this));
    }

    private void await(Wait wait) throws InterruptedException {
        waiters.add(wait);
        unlock();
        try {
            wait.await();
        } finally {
            lock();
        }
    }

    /** As {@link #await()}, and nothing but a wake ends it. */
    final void awaitUninterruptibly() {
        Wait wait = Wait.at(this);
        waiters.add(wait);
        unlock();
        wait.awaitUninterruptibly();
        lock();
    }

    /** Gives back the lock and wakes the first so many of those who wait. */
    final void unlockAndWake(int most) {
        WakeList woken = new WakeList();
        for (int i = 0; i < most && !waiters.isEmpty(); ) {
            WaitNode node = waiters.poll();
            if (node.grant()) {
                woken.add(node);
                i++;
            }
        }
        unlock();
        woken.wakeAll();
    }

    final void unlockAndWakeAll() {
        unlockAndWake(Integer.MAX_VALUE);
    }

    @Override
    public String toString() {
        return getClass().getSimpleName();
    }
}
