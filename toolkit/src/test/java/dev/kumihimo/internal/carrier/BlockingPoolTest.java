package dev.kumihimo.internal.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.support.Observe;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** The pool by itself, without a runtime: that no job is lost, run twice, or run in another order than queued. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class BlockingPoolTest {
    private static final long KEEP_ALIVE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long SHORT_KEEP_ALIVE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    /** Threads are being created while others find the pool full: the moment at which its counts are hardest to read. */
    @Test
    void submittersThatMeetAPoolWhileItGrows_getEachJobRunOnce() throws Exception {
        for (int round = 0; round < 300; round++) {
            BlockingPool pool = new BlockingPool(4, SHORT_KEEP_ALIVE_NANOS, "growing");
            int submitters = 8;
            int each = 20;
            CountDownLatch ran = new CountDownLatch(submitters * each);
            AtomicInteger runs = new AtomicInteger();
            AtomicReference<Throwable> failure = new AtomicReference<>();
            CyclicBarrier start = new CyclicBarrier(submitters);
            List<Thread> threads = new ArrayList<>();
            for (int s = 0; s < submitters; s++) {
                threads.add(Thread.ofVirtual().start(() -> {
                    try {
                        start.await();
                        for (int i = 0; i < each; i++) {
                            pool.execute(() -> {
                                runs.incrementAndGet();
                                ran.countDown();
                            });
                        }
                    } catch (Throwable e) {
                        failure.set(e);
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(failure.get()).isNull();
            assertThat(ran.await(10, TimeUnit.SECONDS))
                    .as("jobs left in round %s", round)
                    .isTrue();
            assertThat(runs).hasValue(submitters * each);
        }
    }

    @Test
    void aFullPool_runsTheQueuedInTheirOrder() throws Exception {
        BlockingPool pool = new BlockingPool(1, KEEP_ALIVE_NANOS, "single");
        CountDownLatch release = new CountDownLatch(1);
        pool.execute(() -> awaitQuietly(release));
        List<Integer> order = new ArrayList<>(); // by the one thread
        CountDownLatch all = new CountDownLatch(100);
        for (int i = 0; i < 100; i++) {
            int number = i;
            pool.execute(() -> {
                order.add(number);
                all.countDown();
            });
        }
        assertThat(pool.queued()).isEqualTo(100);
        release.countDown();
        assertThat(all.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(order).isSorted().hasSize(100);
        assertThat(pool.threads()).isOne();
    }

    @Test
    void anIdleThread_isGivenTheJob_andNoOtherIsStarted() throws Exception {
        BlockingPool pool = new BlockingPool(2, KEEP_ALIVE_NANOS, "reused");
        AtomicReference<Thread> worker = new AtomicReference<>();
        for (int i = 0; i < 1_000; i++) {
            CountDownLatch ran = new CountDownLatch(1);
            pool.execute(() -> {
                worker.set(Thread.currentThread());
                ran.countDown();
            });
            ran.await();
            Observe.untilParked(worker.get());
            assertThat(pool.threads()).isOne();
        }
    }

    @Test
    void aJobThatThrows_isTold_andItsThreadRunsTheNext() throws Exception {
        BlockingPool pool = new BlockingPool(1, KEEP_ALIVE_NANOS, "failing");
        AtomicReference<Throwable> told = new AtomicReference<>();
        AtomicReference<Thread> next = new AtomicReference<>();
        CountDownLatch ran = new CountDownLatch(1);
        RuntimeException failure = new RuntimeException("expected");
        pool.execute(() -> {
            Thread.currentThread().setUncaughtExceptionHandler((thread, e) -> told.set(e));
            Thread.currentThread().interrupt(); // must not keep the thread from resting either
            throw failure;
        });
        pool.execute(() -> {
            next.set(Thread.currentThread());
            ran.countDown();
        });
        assertThat(ran.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(told).hasValue(failure);
        assertThat(next.get().getName()).isEqualTo("failing-1");
        Observe.untilParked(next.get());
    }

    @Test
    void aJobTakenBack_doesNotRun_andOneThatRuns_cannotBeTakenBack() throws Exception {
        BlockingPool pool = new BlockingPool(1, KEEP_ALIVE_NANOS, "taken-back");
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        Runnable occupier = () -> {
            begun.countDown();
            awaitQuietly(release);
        };
        pool.execute(occupier);
        begun.await();
        AtomicInteger runs = new AtomicInteger();
        Runnable job = runs::incrementAndGet;
        pool.execute(job);
        pool.execute(job);
        assertThat(pool.remove(job)).as("one of two").isTrue();
        assertThat(pool.remove(occupier)).as("it runs").isFalse();
        CountDownLatch last = new CountDownLatch(1);
        pool.execute(last::countDown);
        release.countDown();
        assertThat(last.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(runs).hasValue(1);
        assertThat(pool.remove(job)).isFalse();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
