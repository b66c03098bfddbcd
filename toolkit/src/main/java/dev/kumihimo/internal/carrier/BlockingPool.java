package dev.kumihimo.internal.carrier;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Platform threads for code that blocks or computes: an idle one is reused, else one is started up to a maximum, else the
 * job queues, without bound. Never shut down: idle threads end by themselves.
 *
 * <p>A {@link ThreadPoolExecutor} starts threads only when its queue refuses a job; so the queue takes a job only if a thread
 * waits for it, and the job it refuses when all threads are running is queued by the rejection handler. A thread that was
 * about to time out then leaves that job behind; so each one, when it has ended, looks whether to send somebody for it.
 */
public class BlockingPool implements Executor {
    private final ThreadPoolExecutor pool;
    private final Handoff queue = new Handoff();

    /**
     * Creates a pool without threads.
     *
     * @param maxThreads at least 1
     * @param keepAliveNanos how long an idle thread stays, positive
     * @param threadName the prefix of its threads' names
     */
    public BlockingPool(int maxThreads, long keepAliveNanos, String threadName) {
        AtomicInteger numbers = new AtomicInteger();
        pool =
                new ThreadPoolExecutor(
                        0,
                        maxThreads,
                        keepAliveNanos,
                        TimeUnit.NANOSECONDS,
                        queue,
                        worker -> {
                            Thread thread = new Thread(
                                    null,
                                    () -> runWorker(worker),
                                    threadName + "-" + numbers.incrementAndGet(),
                                    0,
                                    false);
                            thread.setDaemon(true);
                            return thread;
                        },
                        (job, executor) -> enqueue(job)) {
                    @Override
                    protected void afterExecute(Runnable job, @Nullable Throwable failure) {
                        ended();
                    }
                };
    }

    private void runWorker(Runnable worker) {
        try {
            worker.run();
        } finally {
            sendForWhoIsLeft();
        }
    }

    private void sendForWhoIsLeft() {
        Runnable left = queue.poll();
        if (left != null) {
            try {
                pool.execute(left);
            } catch (Throwable e) { // no thread to be had: the next one that comes finds it, or its abort does
                queue.put(left);
                throw e;
            }
        }
    }

    private void enqueue(Runnable job) {
        queue.put(job);
        // Threads may have timed out since the pool was found full; then nobody would come for the job.
        if (pool.getPoolSize() < pool.getMaximumPoolSize() && queue.remove(job)) {
            pool.execute(job);
        }
    }

    @Override
    public void execute(Runnable job) {
        pool.execute(job);
    }

    /** Told on the thread of a job that it has run; for those who count. */
    protected void ended() {}

    /** Takes back a job that no thread has begun. */
    public boolean remove(Runnable job) {
        return queue.remove(job);
    }

    /** {@return the number of threads, idle ones included} */
    public int threads() {
        return pool.getPoolSize();
    }

    /** {@return the number of jobs that wait for a thread} */
    public int queued() {
        return queue.size();
    }

    private static final class Handoff extends LinkedTransferQueue<Runnable> {
        private static final long serialVersionUID = 1;

        @Override
        public boolean offer(Runnable job) {
            return tryTransfer(job);
        }
    }
}
