package dev.kumihimo.internal.carrier;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.support.Observe;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.RejectedExecutionException;
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
    void whoComesForRoomAfterTheRefusal_isRefusedToo() throws Exception {
        BlockingPool pool = new BlockingPool(1, 0, KEEP_ALIVE_NANOS, "refusing", ThreadHooks.NONE);
        CountDownLatch release = new CountDownLatch(1);
        AtomicInteger runs = new AtomicInteger();
        pool.execute(() -> awaitQuietly(release));
        pool.refuseWaiting();
        Wait late = pool.executeOrWait(runs::incrementAndGet);
        assertThat(late).isNotNull();
        late.await();
        assertThat(late.item).isNull();
        release.countDown();
        assertThat(runs).hasValue(0);
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

    /**
     * Jobs that are refused, that wait for room, whose wait is given up and that are taken back, all at once: what was taken runs
     * once, what was not never does, and nobody is left waiting.
     */
    @Test
    void aBoundedPool_runsWhatItTook_andNothingElse() throws Exception {
        for (int round = 0; round < 100; round++) {
            BlockingPool pool = new BlockingPool(2, round % 3, SHORT_KEEP_ALIVE_NANOS, "bounded", ThreadHooks.NONE);
            int submitters = 8;
            int each = 60;
            AtomicInteger taken = new AtomicInteger();
            AtomicInteger runs = new AtomicInteger();
            AtomicInteger wrong = new AtomicInteger();
            AtomicReference<Throwable> failure = new AtomicReference<>();
            CyclicBarrier start = new CyclicBarrier(submitters);
            List<Thread> threads = new ArrayList<>();
            for (int s = 0; s < submitters; s++) {
                int submitter = s;
                threads.add(Thread.ofPlatform().start(() -> {
                    try {
                        start.await();
                        for (int i = 0; i < each; i++) {
                            submit(pool, submitter + i, taken, runs, wrong);
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
            Observe.until("all that were taken have run", () -> runs.get() == taken.get());
            assertThat(pool.hasWaiters()).isFalse();
            Observe.until("the threads end", () -> pool.threads() == 0);
            assertThat(runs).as("round %s", round).hasValue(taken.get());
            assertThat(wrong).hasValue(0);
            assertThat(pool.queued()).isZero();
            for (int i = 0; i < 2 + round % 3; i++) { // no place was lost
                pool.execute(runs::incrementAndGet);
                Observe.until("the threads end", () -> pool.threads() == 0);
            }
        }
    }

    /** Submits a job in one of four ways. */
    private static void submit(BlockingPool pool, int way, AtomicInteger taken, AtomicInteger runs, AtomicInteger wrong)
            throws Exception {
        AtomicInteger ran = new AtomicInteger();
        Runnable job = () -> {
            if (ran.incrementAndGet() > 1) {
                wrong.incrementAndGet();
            }
            runs.incrementAndGet();
        };
        taken.incrementAndGet();
        try {
            if (way % 4 == 0) {
                pool.execute(job);
                return;
            }
            Wait wait = pool.executeOrWait(job);
            if (wait != null && way % 4 == 1) {
                wait.await();
            } else if (wait != null && !wait.await(TimerService.realNanoTime() + way % 7 * 1_000)) {
                taken.decrementAndGet();
                return;
            }
            if (way % 4 == 3 && pool.remove(job)) {
                taken.decrementAndGet();
            }
        } catch (RejectedExecutionException e) {
            taken.decrementAndGet();
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
