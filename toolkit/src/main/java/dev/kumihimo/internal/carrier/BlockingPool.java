package dev.kumihimo.internal.carrier;

import dev.kumihimo.internal.wait.SpinLock;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/*
 * State:   a thread is idle (in the stack that begins with `idle`), called (taken out, with a job in `next`), or busy.
 * Fields:  all guarded by the lock, but for the queue, whose jobs are put and taken under it and taken back without.
 *          threads counts those that were promised, begun or not.
 * Holds:   a job is queued only while no thread is idle and there are as many as can be had, but at least one; each busy one
 *          looks into the queue, under the lock, before it is idle. So no job is left in the queue (H1), and order is kept.
 * Carrier-side code may call it: whoever holds the lock stays on its carrier meanwhile.
 * A ThreadPoolExecutor cannot be told to start threads before it queues but by a queue that refuses, and whoever is refused
 * has to queue, and then to find out from its counts whether somebody will look: counts that differ while it grows.
 */

/**
 * Platform threads for code that blocks or computes: the one that became idle last is reused, else one is started up to a
 * maximum, else the job queues, without bound. Never shut down: idle threads end by themselves. Tokio's blocking pool is the
 * model.
 */
public class BlockingPool implements Executor {
    private final int maxThreads;
    private final long keepAliveNanos;
    private final String threadName;
    private final Lock lock = new Lock();
    private final ConcurrentLinkedDeque<Runnable> queue = new ConcurrentLinkedDeque<>();
    private @Nullable Worker idle; // the one that became idle last; then `below` of each
    private int threads;
    private int numbers;

    private static final class Lock extends SpinLock {}

    /**
     * Creates a pool without threads.
     *
     * @param maxThreads at least 1
     * @param keepAliveNanos how long an idle thread stays, positive
     * @param threadName the prefix of its threads' names
     */
    public BlockingPool(int maxThreads, long keepAliveNanos, String threadName) {
        this.maxThreads = maxThreads;
        this.keepAliveNanos = keepAliveNanos;
        this.threadName = threadName;
    }

    /**
     * Has a job run. Never waits but for the lock.
     *
     * @throws OutOfMemoryError if no thread can be started and there is none that would come to the job later; jobs that
     *     others have queued meanwhile wait for the next thread that can be
     */
    @Override
    public void execute(Runnable job) {
        int number = place(job, true);
        if (number > 0) {
            try {
                new Worker(job, threadName + "-" + number).start();
            } catch (Throwable e) { // no memory: one of the others runs it, if there is one
                if (place(job, false) < 0) {
                    throw e;
                }
            }
        }
    }

    /**
     * Gives a job to an idle thread or to the queue and returns 0; or promises it a new thread and returns that one's number.
     * If that promise could not be kept, another call without growth takes it back; -1 if nobody is left to run the job.
     */
    private int place(Runnable job, boolean grow) {
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
            } else if (threads > 0) {
                queue.addLast(job);
            } else {
                return -1;
            }
        } finally {
            lock.unlock();
        }
        LockSupport.unpark(called);
        return 0;
    }

    /** Told on the thread of a job that it has run; for those who count. */
    protected void ended() {}

    /** Takes back a job that no thread has begun. */
    public boolean remove(Runnable job) {
        return queue.removeLastOccurrence(job);
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
            for (Runnable job; (job = nextJob()) != null; ) {
                try {
                    job.run();
                } catch (Throwable e) {
                    tell(e);
                }
                ended();
            }
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
            lock.lock();
            try {
                Runnable job = next;
                next = null;
                if (job == null) {
                    job = queue.pollFirst();
                }
                if (job == null) {
                    below = idle;
                    idle = this;
                }
                return job;
            } finally {
                lock.unlock();
            }
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
