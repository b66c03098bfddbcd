package dev.kumihimo.benchmarks.workload;

import io.netty.util.HashedWheelTimer;
import io.netty.util.Timeout;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Something that calls back later, on a thread of its own.
 *
 * @param <T> one armed callback
 */
interface Timers<T> extends AutoCloseable {
    T arm(Runnable callback, long nanos);

    /** Returns false if the callback has run; true does not say that it is not running. */
    boolean cancel(T timer);

    @Override
    void close();

    /** A {@link ScheduledThreadPoolExecutor} of one thread, which lets go of what is cancelled at once. */
    static Timers<ScheduledFuture<?>> executor() {
        var executor = new ScheduledThreadPoolExecutor(1);
        executor.setRemoveOnCancelPolicy(true);
        return new Timers<>() {
            @Override
            public ScheduledFuture<?> arm(Runnable callback, long nanos) {
                return executor.schedule(callback, nanos, TimeUnit.NANOSECONDS);
            }

            @Override
            public boolean cancel(ScheduledFuture<?> timer) {
                return timer.cancel(false);
            }

            @Override
            public void close() {
                executor.close();
            }
        };
    }

    /** Netty's {@link HashedWheelTimer} with ticks of a millisecond, as Kumihimo's and Tokio's timers have, not the usual 100. */
    static Timers<Timeout> wheel() {
        var wheel = new HashedWheelTimer(Thread.ofPlatform().daemon().factory(), 1, TimeUnit.MILLISECONDS, 512, false);
        return new Timers<>() {
            @Override
            public Timeout arm(Runnable callback, long nanos) {
                return wheel.newTimeout(timeout -> callback.run(), nanos, TimeUnit.NANOSECONDS);
            }

            @Override
            public boolean cancel(Timeout timer) {
                return timer.cancel();
            }

            @Override
            public void close() {
                wheel.stop();
            }
        };
    }

    /** Arms an interrupt of the calling virtual thread, yields once, and cancels it: what one writes without a toolkit. */
    static <T> void timeouts(Timers<T> timers, int n) {
        var self = Thread.currentThread();
        for (int i = 0; i < n; i++) {
            var expiry = timers.arm(self::interrupt, Workloads.TIMEOUT_NANOS);
            Thread.yield();
            if (!timers.cancel(expiry)) {
                throw new IllegalStateException("a timeout has struck early");
            }
        }
    }
}
