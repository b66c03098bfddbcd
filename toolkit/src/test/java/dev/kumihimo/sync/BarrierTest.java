package dev.kumihimo.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.runtime.JoinHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class BarrierTest extends SyncTestBase {
    @Test
    void theLast_letsAllPass_asTheirLeader_againAndAgain() throws Exception {
        Barrier barrier = Barrier.of(3);
        for (int generation = 0; generation < 4; generation++) {
            JoinHandle<Barrier.Passage> one = waiting(() -> barrier.await());
            JoinHandle<Barrier.Passage> two = waiting(() -> barrier.await(FOREVER));
            assertThat(barrier.waiting()).isEqualTo(2);
            assertThat(barrier.await()).isEqualTo(new Barrier.Passage(true, generation));
            assertThat(one.join(LONG)).isEqualTo(new Barrier.Passage(false, generation));
            assertThat(two.join(LONG)).isEqualTo(new Barrier.Passage(false, generation));
            assertThat(barrier.waiting()).isZero();
        }
    }

    @Test
    void aSingleParty_neverWaits() throws Exception {
        Barrier barrier = Barrier.of(1);
        assertThat(barrier.await().isLeader()).isTrue();
        assertThat(barrier.await(Duration.ZERO).generation()).isEqualTo(1);
        assertThat(barrier.tryAwait().generation()).isEqualTo(2);
    }

    @Test
    void aCancelledArrival_isTakenBack() throws Exception {
        Barrier barrier = Barrier.of(2);
        JoinHandle<?> aborted = waiting(() -> barrier.await());
        aborted.abort();
        assertCancelled(aborted);
        assertThat(barrier.waiting()).isZero();
        assertThat(barrier.tryAwait()).as("the other is still missing").isNull();
        JoinHandle<Barrier.Passage> other = waiting(() -> barrier.await());
        assertThat(barrier.await().isLeader()).isTrue();
        assertThat(other.join(LONG).isLeader()).isFalse();
    }

    @Test
    void aTimedOutArrival_isTakenBack() throws Exception {
        Barrier barrier = Barrier.of(2);
        assertThatThrownBy(() -> barrier.await(SHORT))
                .isInstanceOf(TimeoutException.class)
                .hasMessageContaining("barrier with");
        assertThatThrownBy(() -> barrier.await(Duration.ZERO)).isInstanceOf(TimeoutException.class);
        assertThat(barrier.waiting()).isZero();
    }

    /** The hard case: among those who are let pass is one that has given up a moment ago, and whose thread has not resumed. */
    @Test
    void anArrivalGivenUpWhileTheLastComes_doesNotCount_andTheOthersWaitOn() throws Exception {
        Barrier barrier = Barrier.of(4);
        JoinHandle<Barrier.Passage> before = waiting(() -> barrier.await());
        runtime.spawn(() -> {
                    Wait gaveUp = Wait.at(barrier.waitPoint());
                    barrier.enqueue(gaveUp);
                    gaveUp.expire();
                })
                .join(LONG);
        JoinHandle<Barrier.Passage> after = waiting(() -> barrier.await());
        assertThat(barrier.waiting()).isEqualTo(3);
        JoinHandle<Barrier.Passage> fourth = waiting(() -> barrier.await()); // would pass, if there were no one missing
        assertThat(barrier.waiting()).isEqualTo(3);
        assertThat(before.isDone() || after.isDone() || fourth.isDone()).isFalse();
        assertThat(barrier.await()).isEqualTo(new Barrier.Passage(true, 0));
        for (JoinHandle<Barrier.Passage> task : List.of(before, after, fourth)) {
            assertThat(task.join(LONG)).isEqualTo(new Barrier.Passage(false, 0));
        }
        assertThat(barrier.waiting()).isZero();
    }

    @Test
    void aWaiterThatWaitsOn_canStillBeCancelled() throws Exception {
        Barrier barrier = Barrier.of(3);
        JoinHandle<Barrier.Passage> waiter = waiting(() -> barrier.await());
        runtime.spawn(() -> {
                    Wait gaveUp = Wait.at(barrier.waitPoint());
                    barrier.enqueue(gaveUp);
                    gaveUp.expire();
                })
                .join(LONG);
        assertThat(barrier.tryAwait()).isNull(); // grants the waiter in vain
        assertThat(barrier.waiting()).isEqualTo(1);
        waiter.abort();
        assertCancelled(waiter);
        assertThat(barrier.waiting()).isZero();
    }

    /** Whatever is cancelled: each generation has exactly as many that passed as the barrier has parties, and one leader. */
    @Test
    void everyGeneration_isComplete_whileArrivalsTimeOut() throws Exception {
        int parties = 3;
        Barrier barrier = Barrier.of(parties);
        Map<Long, AtomicInteger> passed = new ConcurrentHashMap<>();
        Map<Long, AtomicInteger> leaders = new ConcurrentHashMap<>();
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            int number = i;
            tasks.add(runtime.spawn(() -> {
                for (int n = 0; n < 1_000; n++) {
                    try {
                        var passage =
                                barrier.await(Duration.ofNanos(1_000 + (n * 7_001L + number * 50_021L) % 100_000));
                        passed.computeIfAbsent(passage.generation(), g -> new AtomicInteger())
                                .incrementAndGet();
                        if (passage.isLeader()) {
                            leaders.computeIfAbsent(passage.generation(), g -> new AtomicInteger())
                                    .incrementAndGet();
                        }
                    } catch (TimeoutException e) {
                        // not arrived
                    }
                }
            }));
        }
        for (JoinHandle<?> task : tasks) {
            task.join();
        }
        assertThat(passed).isNotEmpty();
        assertThat(passed.values()).allMatch(count -> count.get() == parties);
        assertThat(leaders).hasSameSizeAs(passed);
        assertThat(leaders.values()).allMatch(count -> count.get() == 1);
        assertThat(barrier.waiting()).isZero();
    }

    @Test
    void whatWasDoneBefore_isSeenByAllAfter() throws Exception {
        int parties = 4;
        Barrier barrier = Barrier.of(parties);
        int[] parts = new int[parties];
        List<JoinHandle<Integer>> tasks = new ArrayList<>();
        for (int i = 0; i < parties; i++) {
            int number = i;
            tasks.add(runtime.spawn(() -> {
                int sum = 0;
                for (int round = 1; round <= 200; round++) {
                    parts[number] = round;
                    barrier.await();
                    for (int part : parts) {
                        sum += part == round ? 0 : 1;
                    }
                    barrier.await();
                }
                return sum;
            }));
        }
        for (JoinHandle<Integer> task : tasks) {
            assertThat(task.join(LONG)).isZero();
        }
    }

    @Test
    void badParties_areNamed() {
        assertThatThrownBy(() -> Barrier.of(0)).hasMessageContaining("parties=0 must be at least 1");
        assertThat(Barrier.of(2).parties()).isEqualTo(2);
        assertThat(Barrier.of(2)).hasToString("Barrier[0 of 2 waiting]");
    }
}
