package dev.kumihimo.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.AbortHandle;
import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.support.Observe;
import dev.kumihimo.support.TaskProbe;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Tasks with keys. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class JoinMapTest {
    private static final Duration LONG = Duration.ofSeconds(10);
    private static final Duration FOREVER = Duration.ofDays(1);

    private final TaskRuntime runtime = TaskRuntime.builder().workerThreads(2).build();

    @AfterEach
    void close() {
        runtime.close();
    }

    private static void untilFinished(AbortHandle task) {
        while (!task.isFinished()) {
            Task.yieldNow();
        }
    }

    private static <T> T never() throws InterruptedException {
        Task.sleep(FOREVER);
        return null;
    }

    @Test
    void joinNext_givesKeyAndResult_inTheOrderOfCompletion() throws Exception {
        runtime.blockOn(() -> {
            Channel<Integer> gate = Channel.bounded(1);
            try (var map = JoinMap.<String, Integer>open()) {
                map.spawn("late", () -> gate.receive());
                map.spawnBlocking("early", () -> 1);
                assertThat(map.keys()).containsExactlyInAnyOrder("late", "early");
                assertThat(map.joinNext()).isEqualTo(new JoinMap.Entry<>("early", new JoinResult.Success<>(1)));
                assertThat(map.containsKey("early")).isFalse();
                assertThat(map.containsKey("late")).isTrue();
                assertThat(map.tryJoinNext()).isNull();
                assertThatExceptionOfType(TimeoutException.class).isThrownBy(() -> map.joinNext(Duration.ofMillis(2)));
                gate.send(2);
                assertThat(map.joinNext(LONG)).isEqualTo(new JoinMap.Entry<>("late", new JoinResult.Success<>(2)));
                assertThat(map.joinNext()).isNull();
                assertThat(map.joinNext(LONG)).isNull();
                assertThat(map.isEmpty()).isTrue();
            }
        });
    }

    /** Tokio's duplicate_keys and try_join_next_skips_replaced_task. */
    @Test
    void spawn_underATakenKey_abortsTheOldTask_whichIsNeverYielded() throws Exception {
        runtime.blockOn(() -> {
            try (var map = JoinMap.<Integer, String>open()) {
                AbortHandle waiting = map.spawn(1, () -> never());
                AbortHandle ended = map.spawn(2, () -> "old");
                untilFinished(ended);
                map.spawn(1, () -> "new 1");
                map.spawn(2, () -> "new 2");
                assertThat(map.size()).isEqualTo(2);
                Map<Integer, JoinResult<String>> seen = new HashMap<>();
                for (JoinMap.Entry<Integer, String> entry; (entry = map.joinNext()) != null; ) {
                    seen.put(entry.key(), entry.result());
                }
                assertThat(seen)
                        .isEqualTo(Map.of(1, new JoinResult.Success<>("new 1"), 2, new JoinResult.Success<>("new 2")));
                untilFinished(waiting);
                assertThat(map.tryJoinNext()).isNull();
            }
        });
    }

    @Test
    void theReplacedTask_isToldWhy_andClosingWaitsForIt() throws Exception {
        AtomicInteger cleaned = new AtomicInteger();
        CancelReason[] told = new CancelReason[1];
        runtime.blockOn(() -> {
            try (var map = JoinMap.<String, Integer>open()) {
                CountDownLatch begun = new CountDownLatch(1);
                JoinHandle<?> old = (JoinHandle<?>) map.spawn("key", () -> {
                    begun.countDown();
                    try {
                        Task.sleep(FOREVER);
                    } finally {
                        Task.shield(() -> Task.sleep(Duration.ofMillis(20)));
                        cleaned.incrementAndGet();
                    }
                });
                begun.await();
                map.spawn("key", () -> 1);
                assertThat(map.joinNext().result().get()).isEqualTo(1);
                assertThat(map.size()).isZero();
                assertThat(map.joinNext()).as("the replaced one still runs").isNull();
                told[0] = ((JoinResult.Cancelled<?>) old.result()).reason();
            }
        });
        assertThat(cleaned).hasValue(1);
        assertThat(told[0].kind()).isEqualTo(CancelReason.Kind.SCOPE);
        assertThat(told[0].message()).contains("took its key");
    }

    @Test
    void closing_whileAReplacedTaskCleansUp_waitsForIt() throws Exception {
        AtomicInteger cleaned = new AtomicInteger();
        runtime.blockOn(() -> {
            try (var map = JoinMap.<String, Integer>open()) {
                CountDownLatch begun = new CountDownLatch(1);
                map.spawnBlocking("key", () -> {
                    begun.countDown();
                    try {
                        Thread.sleep(FOREVER);
                    } finally {
                        Task.shield(() -> Task.sleep(Duration.ofMillis(20)));
                        cleaned.incrementAndGet();
                    }
                    return 0;
                });
                begun.await();
                map.spawn("key", () -> 1);
            }
            assertThat(cleaned).hasValue(1);
        });
    }

    @Test
    void abort_isByKey_byCondition_orForAll_andKeepsTheEntries() throws Exception {
        runtime.blockOn(() -> {
            try (var map = JoinMap.<Integer, Integer>open()) {
                for (int i = 0; i < 16; i++) {
                    map.spawn(i, () -> never());
                }
                assertThat(map.abort(3)).isTrue();
                assertThat(map.abort(99)).isFalse();
                assertThat(map.joinNext().key()).isEqualTo(3);
                assertThat(map.abort(3)).isFalse();
                map.abortIf(key -> key % 2 == 1);
                assertThat(map.size()).isEqualTo(15);
                for (int i = 0; i < 7; i++) {
                    JoinMap.Entry<Integer, Integer> entry = map.joinNext();
                    assertThat(entry.key() % 2).isEqualTo(1);
                    assertThat(entry.result()).isInstanceOf(JoinResult.Cancelled.class);
                }
                assertThat(map.tryJoinNext()).isNull();
                map.abortAll();
                assertThat(map.size()).isEqualTo(8);
                for (int i = 0; i < 8; i++) {
                    assertThat(map.joinNext().result()).isInstanceOf(JoinResult.Cancelled.class);
                }
                map.spawn(1, () -> never());
                map.shutdown();
                assertThat(map.isEmpty()).isTrue();
                map.spawn(1, () -> 7);
                assertThat(map.joinNext().result().get()).isEqualTo(7);
            }
        });
    }

    @Test
    void joinNext_interruptedOrAborted_removesNothing() throws Exception {
        Channel<Integer> gate = Channel.bounded(1);
        TaskProbe<Integer> owner = TaskProbe.spawn(runtime, () -> {
                    try (var map = JoinMap.<String, Integer>open()) {
                        map.spawn("key", () -> gate.receive());
                        try {
                            map.joinNext();
                            return -1;
                        } catch (InterruptedException e) {
                            gate.send(5);
                            return map.joinNext().result().get();
                        }
                    }
                })
                .untilParked();
        owner.thread().interrupt();
        assertThat(owner.handle().join(LONG)).isEqualTo(5);
    }

    @Test
    void misuse_isToldClearly() throws Exception {
        runtime.blockOn(() -> {
            var map = JoinMap.<String, Integer>open();
            assertThatExceptionOfType(NullPointerException.class)
                    .isThrownBy(() -> map.spawn(null, () -> 1))
                    .withMessage("key");
            JoinHandle<?> stranger = runtime.spawnNamed("stranger", () -> map.containsKey("a"));
            assertThat(((JoinResult.Failure<?>) stranger.result()).exception())
                    .isInstanceOf(WrongThreadException.class)
                    .hasMessageContaining("a JoinMap of")
                    .hasMessageContaining("stranger");
            map.close();
            map.close();
            assertThatExceptionOfType(IllegalStateException.class)
                    .isThrownBy(() -> map.spawn("a", () -> 1))
                    .withMessageContaining("JoinMap")
                    .withMessageContaining("closed");
        });
    }

    @Test
    void replacingOneKeyForEver_leavesAFlatHeap() throws Exception {
        runtime.blockOn(() -> {
            try (var map = JoinMap.<Integer, Integer>open()) {
                map.spawn(0, () -> 0); // ends, is not joined, and stays in front of all
                long before = 0;
                for (int i = 0; i < 300_000; i++) {
                    if (i == 50_000) {
                        before = settledHeap();
                    }
                    AbortHandle task = map.spawn(1, () -> 1);
                    if (i % 2 == 0) {
                        untilFinished(task);
                    }
                }
                // The last of the aborted ones are still to end, and the interrupts for them to be sent.
                long limit = before + (4 << 20);
                Observe.until("the heap is flat", () -> settledHeap() < limit);
                System.out.println(
                        "JoinMap: heap grown by " + (settledHeap() - before) + " B over 250,000 replaced tasks");
                assertThat(map.size()).isEqualTo(2);
            }
        });
    }

    private static long settledHeap() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
