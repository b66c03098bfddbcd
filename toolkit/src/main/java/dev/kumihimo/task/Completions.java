package dev.kumihimo.task;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.Waiter;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where the tasks of a {@link JoinSet} report their end, and its owner waits: for the next one, or for a slot. At most one
 * wait at a time, the owner's; it is granted by the next end, whatever it waits for, and looks again.
 */
final class Completions extends WaitPoint {
    private final WaitQueue owner = new WaitQueue();
    private @Nullable Member first; // all guarded by the lock
    private @Nullable Member last;
    private int running;

    void started() {
        lock();
        running++;
        unlock();
    }

    void add(Member member) {
        WaitNode waiting = null;
        lock();
        running--;
        member.ended = true;
        if (!member.discarded) {
            if (last == null) {
                first = member;
            } else {
                last.nextCompleted = member;
            }
            last = member;
        }
        WaitNode node = owner.poll();
        if (node != null && node.grant()) {
            waiting = node;
        }
        unlock();
        if (waiting != null) {
            waiting.owner().wake();
        }
    }

    boolean hasEnded(Member member) {
        lock();
        boolean ended = member.ended;
        unlock();
        return ended;
    }

    /** Takes out a member that was refused: it is the newest, or not here yet. */
    void discard(Member member) {
        lock();
        member.discarded = true;
        Member before = null;
        for (Member each = first; each != null; before = each, each = each.nextCompleted) {
            if (each == member) {
                if (before == null) {
                    first = each.nextCompleted;
                } else {
                    before.nextCompleted = each.nextCompleted;
                }
                if (last == each) {
                    last = before;
                }
                break;
            }
        }
        unlock();
    }

    @Nullable
    Member poll() {
        lock();
        Member member = take();
        unlock();
        return member;
    }

    private @Nullable Member take() {
        Member member = first;
        if (member != null) {
            first = member.nextCompleted;
            member.nextCompleted = null;
            if (first == null) {
                last = null;
            }
        }
        return member;
    }

    /** Takes a completed member, or registers a wait for one. */
    private Object takeOrRegister() {
        lock();
        try {
            Member member = take();
            return member == null ? register() : member;
        } finally {
            unlock();
        }
    }

    private Wait register() {
        Wait wait = Wait.at(this);
        owner.add(wait);
        return wait;
    }

    Member await() throws InterruptedException {
        while (true) {
            Object found = takeOrRegister();
            if (found instanceof Member member) {
                return member;
            }
            ((Wait) found).await();
        }
    }

    @Nullable
    Member await(Duration timeout) throws InterruptedException {
        if (timeout.isNegative() || timeout.isZero()) {
            return poll();
        }
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        while (true) {
            Object found = takeOrRegister();
            if (found instanceof Member member) {
                return member;
            }
            if (!((Wait) found).await(deadline)) {
                return null;
            }
        }
    }

    Member awaitUninterruptibly() {
        while (true) {
            Object found = takeOrRegister();
            if (found instanceof Member member) {
                return member;
            }
            ((Wait) found).awaitUninterruptibly();
        }
    }

    /** Waits until fewer than {@code max} tasks run. */
    void awaitSlot(int max) throws InterruptedException {
        while (max != Integer.MAX_VALUE) {
            Wait wait;
            lock();
            try {
                if (running < max) {
                    return;
                }
                wait = register();
            } finally {
                unlock();
            }
            wait.await();
        }
    }

    @Override
    public String toString() {
        return "JoinSet with " + running + " running";
    }
}
