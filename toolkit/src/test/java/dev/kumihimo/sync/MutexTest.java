package dev.kumihimo.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.select.Select;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

class MutexTest extends SyncTestBase {
    @Test
    void lock_isHeldByOneAtATime_alsoAcrossWaits() throws Exception {
        Mutex<Integer> counter = Mutex.of(0);
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            tasks.add(runtime.spawn(() -> {
                for (int n = 0; n < 500; n++) {
                    try (var guard = counter.lock()) {
                        int seen = guard.get();
                        if (n % 50 == 0) {
                            Task.yieldNow();
                        }
                        guard.set(seen + 1);
                    }
                }
            }));
        }
        for (JoinHandle<?> task : tasks) {
            task.join();
        }
        try (var guard = counter.lock()) {
            assertThat(guard.get()).isEqualTo(20 * 500);
        }
    }

    @Test
    void unlock_handsOver_inTheOrderOfArrival_andNobodyBarges() throws Exception {
        Mutex<List<Integer>> order = Mutex.of(new ArrayList<>());
        List<JoinHandle<?>> tasks = new ArrayList<>();
        var first = order.lock();
        for (int i = 0; i < 5; i++) {
            int number = i;
            tasks.add(waiting(() -> {
                try (var guard = order.lock()) {
                    guard.get().add(number);
                }
            }));
        }
        first.close();
        for (JoinHandle<?> task : tasks) {
            task.join();
        }
        try (var guard = order.lock()) {
            assertThat(guard.get()).containsExactly(0, 1, 2, 3, 4);
        }
    }

    @Test
    void unlock_givesTheLockToTheWaiter_notToTheNextTry() throws Exception {
        Mutex<String> mutex = Mutex.of("v");
        CountDownLatch end = new CountDownLatch(1);
        var guard = mutex.lock();
        JoinHandle<?> next = waiting(() -> {
            try (var held = mutex.lock()) {
                end.await();
            }
        });
        guard.close();
        assertThat(mutex.tryLock()).as("already handed over").isNull();
        end.countDown();
        next.join();
        assertThat(mutex.isLocked()).isFalse();
    }

    @Test
    void abortedLock_leavesTheMutexFree() throws Exception { // tokio aborted_future_1 and 2
        Mutex<String> mutex = Mutex.of("v");
        var guard = mutex.lock();
        JoinHandle<?> aborted = waiting(() -> mutex.lock());
        JoinHandle<?> behind = waiting(() -> mutex.lock().close());
        aborted.abort();
        assertCancelled(aborted);
        guard.close();
        behind.join(LONG);
        var again = mutex.tryLock();
        assertThat(again).isNotNull();
        again.close();
    }

    @Test
    void lock_throwsTimeout_whenItIsHeldForLonger_andHasTakenNothing() throws Exception {
        Mutex<String> mutex = Mutex.of("v");
        CountDownLatch end = new CountDownLatch(1);
        CountDownLatch held = new CountDownLatch(1);
        JoinHandle<?> holder = runtime.spawn(() -> {
            try (var guard = mutex.lock()) {
                held.countDown();
                end.await();
            }
        });
        held.await();
        assertThatThrownBy(() -> mutex.lock(SHORT))
                .isInstanceOf(TimeoutException.class)
                .hasMessageContaining("PT0.005S")
                .hasMessageContaining(holder.name());
        assertThatThrownBy(() -> mutex.lock(Duration.ZERO)).isInstanceOf(TimeoutException.class);
        end.countDown();
        holder.join();
        mutex.lock(SHORT).close();
        mutex.lock(Duration.ZERO).close();
        assertThat(mutex.isLocked()).isFalse();
    }

    @Test
    void relock_byTheHolder_isToldAtOnce_withItsName() throws Exception {
        Mutex<String> mutex = Mutex.of("v");
        JoinHandle<?> task = runtime.spawn(() -> {
            try (var guard = mutex.lock()) {
                assertThat(mutex.tryLock()).isNull();
                assertThatThrownBy(() -> mutex.lock(FOREVER)).isInstanceOf(IllegalStateException.class);
                assertThatThrownBy(() ->
                                Select.of().on(mutex, again -> "locked twice").await())
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("would wait for itself");
                mutex.lock();
            }
        });
        assertThat(failure(task))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(task.name())
                .hasMessageContaining("would wait for itself");
        assertThat(mutex.isLocked()).as("the outer guard was closed").isFalse();
    }

    @Test
    void relock_afterUnlock_isNoRelock() throws Exception {
        Mutex<String> mutex = Mutex.of("v");
        for (int i = 0; i < 3; i++) {
            mutex.lock().close();
            Select.<String>of()
                    .on(mutex, guard -> {
                        guard.close();
                        return "";
                    })
                    .await();
            mutex.tryLock().close();
        }
    }

    @Test
    void unlockingFromElsewhere_isRefused_andTheLockStays() throws Exception {
        Mutex<String> mutex = Mutex.of("v");
        var guard = mutex.lock();
        JoinHandle<?> thief = runtime.spawn(guard::close);
        assertThat(failure(thief))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(thief.name())
                .hasMessageContaining(Thread.currentThread().getName());
        assertThat(mutex.isLocked()).isTrue();
        guard.close();
        assertThat(mutex.isLocked()).isFalse();
    }

    @Test
    void closedGuard_isOfNoUse_andClosingItAgainUnlocksNobodyElse() throws Exception {
        Mutex<String> mutex = Mutex.of("v");
        var guard = mutex.lock();
        guard.close();
        var other = mutex.lock();
        guard.close();
        assertThat(mutex.isLocked()).isTrue();
        assertThatThrownBy(guard::get).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
        assertThatThrownBy(() -> guard.set("w")).isInstanceOf(IllegalStateException.class);
        assertThat(other.get()).isEqualTo("v");
        other.close();
    }

    @Test
    void exceptionOfTheHolder_doesNotPoison() throws Exception {
        Mutex<String> mutex = Mutex.of("before");
        JoinHandle<?> failing = runtime.spawn(() -> {
            try (var guard = mutex.lock()) {
                guard.set("during");
                throw new IllegalArgumentException("failed");
            }
        });
        assertThat(failure(failing)).hasMessage("failed");
        try (var guard = mutex.lock()) {
            assertThat(guard.get()).isEqualTo("during");
        }
    }

    @Test
    void select_takesTheLock_whenItBecomesFree_andLosersHaveNotTakenIt() throws Exception {
        Mutex<String> mutex = Mutex.of("v");
        Channel<String> channel = Channel.bounded(1);
        var guard = mutex.lock();
        JoinHandle<String> loser = waiting(() -> Select.<String>of()
                .on(mutex, held -> "locked")
                .onReceive(channel, item -> item)
                .await());
        channel.send("item");
        assertThat(loser.join(LONG)).isEqualTo("item");
        JoinHandle<String> winner = waiting(() -> Select.<String>of()
                .on(mutex, held -> {
                    try (held) {
                        return held.get();
                    }
                })
                .onReceive(channel, item -> item)
                .await());
        guard.close();
        assertThat(winner.join(LONG)).isEqualTo("v");
        assertThat(mutex.isLocked()).isFalse();
    }

    @Test
    void toString_namesTheHolder() throws Exception {
        Mutex<String> mutex = Mutex.of("v");
        assertThat(mutex).hasToString("Mutex[free]");
        var guard = mutex.lock();
        assertThat(mutex.toString()).contains(Thread.currentThread().getName());
        assertThat(mutex.waitPoint().toString())
                .startsWith("mutex held by")
                .contains(Thread.currentThread().getName());
        guard.close();
        assertThat(guard).hasToString("Guard[closed]");
    }
}
