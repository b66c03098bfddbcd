package dev.kumihimo.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.select.Select;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class SemaphoreTest extends SyncTestBase {
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
        JoinHandle<?> large = waiting(() -> semaphore.acquire(3).forget());
        JoinHandle<?> small = waiting(() -> semaphore.acquire(1).forget());
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
            tasks.add(waiting(() -> {
                semaphore.acquire().forget();
                synchronized (order) {
                    order.add(number);
                }
            }));
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
        JoinHandle<?> waiter = waiting(() -> semaphore.acquire().forget());
        semaphore.close();
        assertThat(((JoinResult.Failure<?>) waiter.result()).exception())
                .isInstanceOf(SemaphoreClosedException.class)
                .hasMessageContaining("closed");
        assertThatThrownBy(semaphore::acquire).isInstanceOf(SemaphoreClosedException.class);
        assertThatThrownBy(semaphore::tryAcquire).isInstanceOf(SemaphoreClosedException.class);
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

    @Test
    void aClosedSemaphore_countsOn_butGivesNothing() { // tokio add_permits_closed
        Semaphore semaphore = Semaphore.of(1);
        semaphore.close();
        semaphore.close();
        semaphore.release(2);
        assertThat(semaphore.availablePermits()).isEqualTo(3);
        assertThatThrownBy(() -> semaphore.acquire(Duration.ZERO)).isInstanceOf(SemaphoreClosedException.class);
        assertThatThrownBy(() -> Select.of().on(semaphore, permit -> "permit").await())
                .isInstanceOf(SemaphoreClosedException.class);
    }

    @Test
    void split_andMerge_keepTheSum_forAllSmallSizes() { // tokio split
        for (int held = 1; held <= 6; held++) {
            for (int moved = 1; moved <= held; moved++) {
                Semaphore semaphore = Semaphore.of(6);
                var permit = semaphore.tryAcquire(held);
                var part = permit.split(moved);
                assertThat(part.count()).isEqualTo(moved);
                assertThat(permit.count()).isEqualTo(held - moved);
                assertThat(semaphore.availablePermits()).isEqualTo(6 - held);
                part.close();
                assertThat(semaphore.availablePermits()).isEqualTo(6 - held + moved);
                permit.close();
                assertThat(semaphore.availablePermits()).isEqualTo(6);
                var one = semaphore.tryAcquire(moved);
                var other = semaphore.tryAcquire(6 - moved == 0 ? 1 : 6 - moved);
                if (other != null) {
                    one.merge(other);
                    other.close();
                    assertThat(semaphore.availablePermits()).isZero();
                }
                one.close();
                assertThat(semaphore.availablePermits()).isEqualTo(6);
            }
        }
    }

    @Test
    void misuseOfPermits_isNamed_andChangesNothing() {
        Semaphore semaphore = Semaphore.of(5);
        var permit = semaphore.tryAcquire(3);
        var foreign = Semaphore.of(7).tryAcquire(2);
        assertThatThrownBy(() -> permit.merge(foreign))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("5 free")
                .hasMessageContaining("2 free");
        assertThatThrownBy(() -> permit.merge(permit)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> permit.split(0)).hasMessageContaining("moved=0 must be 1 to 3");
        assertThatThrownBy(() -> permit.split(4)).hasMessageContaining("moved=4 must be 1 to 3");
        var ended = semaphore.tryAcquire(1);
        ended.close();
        assertThatThrownBy(() -> permit.merge(ended)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> ended.split(1)).isInstanceOf(IllegalStateException.class);
        assertThat(permit.count()).isEqualTo(3);
        permit.close();
        assertThat(semaphore.availablePermits()).isEqualTo(5);
        Semaphore large = Semaphore.of(Semaphore.MAX_PERMITS);
        var all = large.tryAcquire(Semaphore.MAX_PERMITS);
        large.release(1);
        var more = large.tryAcquire();
        assertThatThrownBy(() -> all.merge(more)).hasMessageContaining("maximum");
    }

    @Test
    void forgetPermits_removesWhatIsFree_andTellsHowMany() throws Exception { // tokio forget_open
        Semaphore semaphore = Semaphore.of(4);
        var permit = semaphore.acquire(3);
        assertThat(semaphore.forgetPermits(5)).isEqualTo(1);
        assertThat(semaphore.forgetPermits(1)).isZero();
        permit.close();
        assertThat(semaphore.availablePermits()).isEqualTo(3);
        assertThat(semaphore.forgetPermits(2)).isEqualTo(2);
        assertThat(semaphore.availablePermits()).isEqualTo(1);
        assertThatThrownBy(() -> semaphore.forgetPermits(0)).hasMessageContaining("count=0");
    }

    @Test
    void select_waitsItsTurn_andLosersHaveTakenNothing() throws Exception {
        Semaphore semaphore = Semaphore.of(2);
        Notify other = new Notify();
        JoinHandle<String> three = waiting(() -> Select.<String>of()
                .on(semaphore.acquiring(3), permit -> "three of " + permit.count())
                .on(other, () -> "other")
                .await());
        JoinHandle<String> one = waiting(() -> Select.<String>of()
                .onPermit(semaphore, permit -> {
                    permit.close();
                    return "one";
                })
                .await());
        other.notifyOne();
        assertThat(three.join(LONG)).isEqualTo("other");
        assertThat(one.join(LONG)).as("served when the large one gave up").isEqualTo("one");
        assertThat(semaphore.availablePermits()).isEqualTo(2);
        JoinHandle<String> again = waiting(() -> Select.<String>of()
                .on(semaphore.acquiring(3), permit -> "three of " + permit.count())
                .await());
        semaphore.release(1);
        assertThat(again.join(LONG)).isEqualTo("three of 3");
        assertThat(semaphore.availablePermits()).isZero();
        assertThatThrownBy(() -> semaphore.acquiring(0)).hasMessageContaining("count=0");
    }

    @Test
    void close_endsASelectThatWaits() throws Exception {
        Semaphore semaphore = Semaphore.of(0);
        JoinHandle<String> selecting = waiting(
                () -> Select.<String>of().on(semaphore, permit -> "permit").await());
        semaphore.close();
        assertThat(failure(selecting)).isInstanceOf(SemaphoreClosedException.class);
    }
}
