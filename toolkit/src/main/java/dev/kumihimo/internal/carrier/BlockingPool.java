package dev.kumihimo.internal.carrier;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.WakeList;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/*
 * State:   a thread is idle (in the stack that begins with `idle`), called (taken out, with a job in `next`), or busy.
 * Fields:  all guarded by the lock, but for the queue, whose jobs are put and taken under it and taken back without.
 *          threads counts those that were promised, begun or not. queued counts the jobs in the queue, and those that were
 *          just taken back: whoever takes one back subtracts it a moment later.
 * Holds:   a job is queued only while no thread is idle and there are as many as can be had, but at least one; each busy one
 *          looks into the queue, under the lock, before it is idle. So no job is left in the queue (H1), and order is kept.
 *          Somebody waits for room only while, besides, the queue is full: who makes room gives it away under the same holding
 *          of the lock, and a thread that finds the queue empty looks for those who wait before it is idle.
 * Waiting: registered in `waiters`, with the job as the node's item. It is in the queue, or a thread has it, when the grant
 *          tells the waiter. A grant without an item is a refusal: the pool's runtime is shut down. One with a Throwable is
 *          a failure: the only thread could not be started, and so nobody will make room.
 * Cancellation: a waiter that gave up holds up nobody, as each wants one place; one that is met is dropped.
 * Carrier-side code may call it: whoever holds the lock stays on its carrier meanwhile.
 * A ThreadPoolExecutor cannot be told to start threads before it queues but by a queue that refuses, and whoever is refused
 * has to queue, and then to find out from its counts whether somebody will look: counts that differ while it grows.
 */

/**
 * Platform threads for code that blocks or computes: the one that became idle last is reused, else one is started up to a
 * maximum, else the job queues, up to a bound if there is one. Never shut down: idle threads end by themselves. Tokio's
 * blocking pool is the model.
 */
public class BlockingPool implements Executor {
    /** The bound of a queue that has none. */
    public static final int UNBOUNDED = Integer.MAX_VALUE;

    private static final int PLACED = 0;
    private static final int FULL = -1;
    private static final int NOBODY = -2;

    private final int maxThreads;
    private final int maxQueued;
    private final long keepAliveNanos;
    private final String threadName;
    private final ThreadHooks hooks;
    private final Lock lock = new Lock();
    private final ConcurrentLinkedDeque<Runnable> queue = new ConcurrentLinkedDeque<>();
    private @Nullable Worker idle; // the one that became idle last; then `below` of each
    private final WaitQueue waiters = new WaitQueue();
    private int threads;
    private int queued;
    private int numbers;
    private boolean refusing;

    /** The lock, as that at which those wait who have a job for which there is no room. */
    private final class Lock extends WaitPoint {
        @Override
        public String toString() {
            return "room for a blocking job in " + threadName;
        }
    }

    /**
     * Creates a pool without threads, and without a bound.
     *
     * @param maxThreads at least 1
     * @param keepAliveNanos how long an idle thread stays, positive
     * @param threadName the prefix of its threads' names
     */
    public BlockingPool(int maxThreads, long keepAliveNanos, String threadName) {
        this(maxThreads, UNBOUNDED, keepAliveNanos, threadName, ThreadHooks.NONE);
    }

    /**
     * Creates a pool without threads.
     *
     * @param maxThreads at least 1
     * @param maxQueued how many jobs may wait for a thread, 0 or more, or {@link #UNBOUNDED}
     * @param keepAliveNanos how long an idle thread stays, positive
     * @param threadName the prefix of its threads' names
     * @param hooks what its threads run at their begin and end
     */
    public BlockingPool(int maxThreads, int maxQueued, long keepAliveNanos, String threadName, ThreadHooks hooks) {
        this.maxThreads = maxThreads;
        this.maxQueued = maxQueued;
        this.keepAliveNanos = keepAliveNanos;
        this.threadName = threadName;
        this.hooks = hooks;
    }

    /**
     * Has a job run. Never waits but for the lock.
     *
     * @throws OutOfMemoryError if no thread can be started and there is none that would come to the job later; jobs that
     *     others have queued meanwhile wait for the next thread that can be
     * @throws RejectedExecutionException if all threads are busy and the queue is full
     */
    @Override
    public void execute(Runnable job) {
        if (run(job, null) == FULL) {
            throw new RejectedExecutionException(
                    "all " + maxThreads + " blocking threads are busy, and as many jobs as may be"
                            + " wait for one (maxBlockingQueue=" + maxQueued + ")");
        }
    }

    /**
     * Has a job run; if there is no room for it, registers a wait of the caller for room.
     *
     * @return that wait, or null if the job had room. Once it is granted the job has room, or, if its item is null, will not
     *     run since {@link #refuseWaiting()} was called; or its item is why no thread could be started. If it ends otherwise
     *     the job will not run.
     * @throws OutOfMemoryError as in {@link #execute}
     */
    public @Nullable Wait executeOrWait(Runnable job) {
        if (maxQueued == UNBOUNDED) {
            execute(job);
            return null;
        }
        Wait wait = Wait.at(lock);
        return run(job, wait) == FULL ? wait : null;
    }

    private int run(Runnable job, @Nullable Wait wait) {
        int number = place(job, true, wait);
        if (number <= 0) {
            return number;
        }
        try {
            new Worker(job, threadName + "-" + number).start();
        } catch (Throwable e) { // no memory: one of the others runs it, if there is one
            int placed = place(job, false, null);
            if (placed == NOBODY) {
                endWaiting(e); // nobody is left who would make room
            }
            if (placed < 0) {
                throw e;
            }
        }
        return PLACED;
    }

    /**
     * Gives a job to an idle thread or to the queue and returns {@link #PLACED}; or promises it a new thread and returns that
     * one's number. If that promise could not be kept, another call without growth takes it back; {@link #NOBODY} if nobody is
     * left to run the job. {@link #FULL} if there is no room for it; then the wait, if given, is registered.
     */
    private int place(Runnable job, boolean grow, @Nullable Wait wait) {
        Worker called;
        lock.lock();
        try {
            if (!grow) {
                threads--;
            }
            called = idle;
            if (called != null) {
                idle = called.below;
                called.below = null;
                called.next = job;
            } else if (grow && threads < maxThreads) {
                threads++;
                return ++numbers;
            } else if (threads == 0) {
                return NOBODY;
            } else if (queued < maxQueued) {
                queue.addLast(job);
                queued++;
            } else {
                if (wait != null) {
                    register(wait, job);
                }
                return FULL;
            }
        } finally {
            lock.unlock();
        }
        LockSupport.unpark(called);
        return PLACED;
    }

    /** Under the lock. */
    private void register(Wait wait, Runnable job) {
        if (refusing) {
            wait.grant();
        } else {
            wait.item = job;
            waiters.add(wait);
        }
    }

    /** Under the lock, after a job has left the queue: gives its place to the first who waits; the node, to be woken. */
    private @Nullable WaitNode giveRoom() {
        queued--;
        for (WaitNode head; (head = waiters.peek()) != null; ) {
            Runnable job = jobOf(head);
            try {
                queue.addLast(job); // before the grant, which cannot be undone
            } catch (OutOfMemoryError e) {
                return null; // it waits on, for the next who looks
            }
            waiters.remove(head);
            if (head.grant()) {
                queued++;
                return head;
            }
            if (!queue.removeLastOccurrence(job)) { // it has given up, and the job's abort was quicker
                queued++; // the aborter subtracts it
                return null;
            }
        }
        return null;
    }

    /** Under the lock: grants the first who waits and has not given up. */
    private @Nullable WaitNode grantNext() {
        for (WaitNode head; (head = waiters.poll()) != null; ) {
            if (head.grant()) {
                return head;
            }
        }
        return null;
    }

    private static Runnable jobOf(WaitNode waiting) {
        return (Runnable) Objects.requireNonNull(waiting.item);
    }

    private static void wake(@Nullable WaitNode granted) {
        if (granted != null) {
            granted.owner().wake();
        }
    }

    /** Refuses those who wait for room, and those who would. */
    public void refuseWaiting() {
        endWaiting(null);
    }

    /** Ends the waits for room: with a failure, or, and from now on, with a refusal. */
    private void endWaiting(@Nullable Throwable why) {
        WakeList ended = new WakeList();
        lock.lock();
        try {
            refusing |= why == null;
            for (WaitNode node; (node = waiters.poll()) != null; ) {
                node.item = why;
                if (node.grant()) {
                    ended.add(node);
                }
            }
        } finally {
            lock.unlock();
        }
        ended.wakeAll();
    }

    /** Told on the thread of a job that it has run; for those who count. */
    protected void ended() {}

    /** Takes back a job that no thread has begun. */
    public boolean remove(Runnable job) {
        if (!queue.removeLastOccurrence(job)) {
            return false;
        }
        WaitNode served;
        lock.lock();
        try {
            served = giveRoom();
        } finally {
            lock.unlock();
        }
        wake(served);
        return true;
    }

    /** {@return the number of threads, idle ones included} */
    public int threads() {
        lock.lock();
        try {
            return threads;
        } finally {
            lock.unlock();
        }
    }

    /** {@return the number of jobs that wait for a thread} */
    public int queued() {
        return queue.size();
    }

    /** {@return whether somebody waits for room, for tests} */
    public boolean hasWaiters() {
        lock.lock();
        try {
            return !waiters.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    private final class Worker extends Thread {
        private @Nullable Runnable next;
        private @Nullable Worker below;

        Worker(Runnable first, String name) {
            super(null, null, name, 0, false);
            this.next = first;
            setDaemon(true);
        }

        @Override
        public void run() {
            hooks.started(Runnable::run);
            for (Runnable job; (job = nextJob()) != null; ) {
                try {
                    job.run();
                } catch (Throwable e) {
                    tell(e);
                }
                ended();
            }
            hooks.stopping(Runnable::run);
        }

        private void tell(Throwable e) {
            try {
                getUncaughtExceptionHandler().uncaughtException(this, e);
            } catch (Throwable ignored) {
                // as the JVM does with what a handler throws: the thread is needed
            }
        }

        /** Waits for a job; null if none came for as long as an idle thread stays. */
        private @Nullable Runnable nextJob() {
            Runnable job = takeOrRest();
            if (job != null) {
                return job;
            }
            long end = System.nanoTime() + keepAliveNanos;
            while (true) {
                Thread.interrupted(); // whoever interrupts an idle thread means the job before
                long left = end - System.nanoTime();
                if (left > 0) {
                    LockSupport.parkNanos(BlockingPool.this, left);
                }
                job = takeOrLeave(left <= 0);
                if (job != null || left <= 0) {
                    return job;
                }
            }
        }

        private @Nullable Runnable takeOrRest() {
            WaitNode served = null;
            Runnable job;
            lock.lock();
            try {
                job = next;
                next = null;
                if (job == null) {
                    job = queue.pollFirst();
                    served = job != null ? giveRoom() : grantNext();
                    if (job == null && served != null) {
                        job = jobOf(served);
                    }
                }
                if (job == null) {
                    below = idle;
                    idle = this;
                }
            } finally {
                lock.unlock();
            }
            wake(served);
            return job;
        }

        private @Nullable Runnable takeOrLeave(boolean leave) {
            lock.lock();
            try {
                Runnable job = next;
                next = null;
                if (job == null && leave) {
                    forget();
                    threads--;
                }
                return job;
            } finally {
                lock.unlock();
            }
        }

        /** Takes this thread out of the idle ones, under the lock. */
        private void forget() {
            if (idle == this) {
                idle = below;
                return;
            }
            for (Worker above = idle; above != null; above = above.below) {
                if (above.below == this) {
                    above.below = below;
                    return;
                }
            }
        }
    }
}
