package dev.kumihimo.task;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.Waiter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the tasks of a {@link JoinSet} or {@link JoinMap} report their end, and its owner waits: for the next one, or for a
 * slot. At most one wait at a time, the owner's; it is granted by the next end, whatever it waits for, and looks again.
 */
final class Completions extends WaitPoint {
    /** Of a wait that looks also for members that were discarded: what its count says; of one for a slot, how many there are. */
    private static final int EITHER_SORT = -1;

    /** With more members than this, reports do not ask who the owner waits for. */
    private static final int FEW = 64;

    private final OwnedTasks tasks;
    private final WaitQueue owner = new WaitQueue();
    private @Nullable Member first; // all guarded by the lock
    private @Nullable Member last;
    private @Nullable Member discarded; // those that ended after they were discarded, through nextCompleted
    private int running;

    Completions(OwnedTasks tasks) {
        this.tasks = tasks;
    }

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
        if (member.discarded) {
            member.nextCompleted = discarded;
            discarded = member;
        } else {
            append(member);
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

    /**
     * Has a member that was not taken never be polled.
     *
     * @return whether it has ended; else it can be {@linkplain #pollDiscarded polled as discarded} once it has
     */
    boolean discard(Member member) {
        lock();
        boolean ended = member.ended;
        if (ended) {
            remove(member);
        } else {
            member.discarded = true;
        }
        unlock();
        return ended;
    }

    /** {@return a discarded member that has ended since, or null} */
    @Nullable
    Member pollDiscarded() {
        lock();
        Member member = takeDiscarded();
        unlock();
        return member;
    }

    private @Nullable Member takeDiscarded() {
        Member member = discarded;
        if (member != null) {
            discarded = member.nextCompleted;
            member.nextCompleted = null;
        }
        return member;
    }

    private void append(Member member) {
        member.previousCompleted = last;
        if (last == null) {
            first = member;
        } else {
            last.nextCompleted = member;
        }
        last = member;
    }

    private void remove(Member member) {
        Member before = member.previousCompleted;
        Member after = member.nextCompleted;
        if (before == null) {
            first = after;
        } else {
            before.nextCompleted = after;
        }
        if (after == null) {
            last = before;
        } else {
            after.previousCompleted = before;
        }
        member.previousCompleted = null;
        member.nextCompleted = null;
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
            remove(member);
        }
        return member;
    }

    /** Takes a completed member, or registers a wait for one. */
    private Object takeOrRegister() {
        lock();
        try {
            Member member = take();
            return member == null ? register(0) : member;
        } finally {
            unlock();
        }
    }

    /** As {@link #takeOrRegister()}, for a member of either sort: it looks for both before it lets go of the lock. */
    private Object takeAnyOrRegister() {
        lock();
        try {
            Member member = takeDiscarded();
            if (member == null) {
                member = take();
            }
            return member == null ? register(EITHER_SORT) : member;
        } finally {
            unlock();
        }
    }

    private Wait register(int lookingFor) {
        Wait wait = Wait.at(this);
        wait.count = lookingFor;
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

    /** Waits for a member of either sort. */
    Member awaitAnyUninterruptibly() {
        while (true) {
            Object found = takeAnyOrRegister();
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
                wait = register(max);
            } finally {
                unlock();
            }
            wait.await();
        }
    }

    /** Members that run: the end of any one may do. */
    @Override
    public List<Thread> holders() {
        List<Thread> threads = new ArrayList<>();
        for (Member member = tasks.anyMember(); member != null; member = member.next) {
            Thread thread = member.ended ? null : member.task.threadOrNull();
            if (!member.ended && (thread == null || threads.size() == FEW)) {
                return List.of(); // a job that has not begun, or too many to ask
            }
            if (thread != null) {
                threads.add(thread);
            }
        }
        return threads;
    }

    @Override
    public @Nullable String lostWakeup() {
        WaitNode waiting = undecided(owner);
        if (waiting == null) {
            return null;
        }
        int lookingFor = waiting.count;
        if (lookingFor > 0) {
            return running < lookingFor ? lost("there is a slot", waiting) : null;
        }
        boolean any = first != null || (lookingFor == EITHER_SORT && discarded != null);
        return any ? lost("one has ended", waiting) : null;
    }

    @Override
    public String toString() {
        return tasks.kind() + " with " + running + " running";
    }
}
