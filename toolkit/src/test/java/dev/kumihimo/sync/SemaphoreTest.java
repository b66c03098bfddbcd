package dev.kumihimo.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SemaphoreTest {
    private TaskRuntime runtime;

    @BeforeEach
    void open() {
        runtime = TaskRuntime.builder().workerThreads(2).build();
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    private static <T> JoinHandle<T> waiting(JoinHandle<T> task) {
        await().until(() -> ((Waiter) task).openWait() != null);
        return task;
    }

    @Test
    void neverMoreHoldersThanPermits_andAllComeBack() throws Exception {
        Semaphore semaphore = Semaphore.of(5);
        AtomicInteger holders = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            int count = 1 + i % 3;
            tasks.add(runtime.spawn(() -> {
                try (var permit = semaphore.acquire(count)) {
                    most.accumulateAndGet(holders.addAndGet(count), Math::max);
                    Task.yieldNow();
                    holders.addAndGet(-count);
                }
            }));
        }
        for (JoinHandle<?> task : tasks) {
            task.join();
        }
        assertThat(most.get()).isBetween(1, 5);
        assertThat(semaphore.availablePermits()).isEqualTo(5);
    }

    @Test
    void aLargeHead_holdsUpSmallOnes_andWhenItIsCancelledTheyAreServed() throws Exception {
        Semaphore semaphore = Semaphore.of(2);
        JoinHandle<?> large = waiting(runtime.spawn(() -> semaphore.acquire(3).forget()));
        JoinHandle<?> small = waiting(runtime.spawn(() -> semaphore.acquire(1).forget()));
        assertThat(semaphore.tryAcquire())
                .as("nobody barges past those who wait")
                .isNull();
        large.abort();
        assertThat(small.result(Duration.ofSeconds(10))).isInstanceOf(JoinResult.Success.class);
        assertThat(semaphore.availablePermits()).isEqualTo(1);
    }

    @Test
    void waiters_areServedInTheOrderOfArrival() throws Exception {
        Semaphore semaphore = Semaphore.of(0);
        List<Integer> order = new ArrayList<>();
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            int number = i;
            tasks.add(waiting(runtime.spawn(() -> {
                semaphore.acquire().forget();
                synchronized (order) {
                    order.add(number);
                }
            })));
        }
        for (JoinHandle<?> task : tasks) {
            semaphore.release(1);
            task.join();
        }
        assertThat(order).containsExactly(0, 1, 2, 3, 4);
    }

    @Test
    void aTimedOutAcquire_hasTakenNothing() throws Exception {
        Semaphore semaphore = Semaphore.of(1);
        assertThatThrownBy(() -> semaphore.acquire(2, Duration.ofMillis(5))).isInstanceOf(TimeoutException.class);
        assertThat(semaphore.availablePermits()).isEqualTo(1);
        semaphore.acquire(Duration.ofMillis(5)).close();
        assertThat(semaphore.availablePermits()).isEqualTo(1);
    }

    @Test
    void anInterruptedPlatformThread_hasTakenNothing() throws Exception {
        Semaphore semaphore = Semaphore.of(0);
        CountDownLatch interrupted = new CountDownLatch(1);
        Thread thread = new Thread(() -> {
            try {
                semaphore.acquire();
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
        });
        thread.start();
        await().until(() -> thread.getState() == Thread.State.WAITING);
        thread.interrupt();
        interrupted.await();
        thread.join();
        semaphore.release(1);
        assertThat(semaphore.availablePermits()).isEqualTo(1);
    }

    @Test
    void close_endsThoseWhoWait_andThoseWhoCome() throws Exception {
        Semaphore semaphore = Semaphore.of(0);
        JoinHandle<?> waiter = waiting(runtime.spawn(() -> semaphore.acquire().forget()));
        semaphore.close();
        assertThat(((JoinResult.Failure<?>) waiter.result()).exception())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThatThrownBy(semaphore::acquire).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(semaphore::tryAcquire).isInstanceOf(IllegalStateException.class);
        semaphore.release(1);
        assertThat(semaphore.isClosed()).isTrue();
    }

    @Test
    void aPermit_isGivenBackOnce_andForgottenNever() {
        Semaphore semaphore = Semaphore.of(3);
        var permit = semaphore.tryAcquire(2);
        permit.close();
        permit.close();
        assertThat(semaphore.availablePermits()).isEqualTo(3);
        semaphore.tryAcquire().forget();
        assertThat(semaphore.availablePermits()).isEqualTo(2);
    }

    @Test
    void badCounts_areNamed() {
        Semaphore semaphore = Semaphore.of(1);
        assertThatThrownBy(() -> Semaphore.of(-1)).hasMessageContaining("permits=-1");
        assertThatThrownBy(() -> semaphore.acquire(0)).hasMessageContaining("count=0");
        assertThatThrownBy(() -> semaphore.release(Integer.MAX_VALUE)).hasMessageContaining("maximum");
        assertThat(semaphore.availablePermits()).isEqualTo(1);
    }
}
