package dev.kumihimo.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.AbortHandle;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.sync.Semaphore;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class JoinSetTest {
    private TaskRuntime runtime;

    @BeforeEach
    void open() {
        runtime = TaskRuntime.builder().workerThreads(2).build();
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    @Test
    void results_comeInTheOrderOfCompletion() throws Exception {
        List<Integer> order = runtime.blockOn(() -> {
            Channel<Integer> gate = Channel.rendezvous();
            List<Integer> seen = new ArrayList<>();
            try (var set = JoinSet.<Integer>open()) {
                List<Semaphore> gates =
                        IntStream.range(0, 5).mapToObj(i -> Semaphore.of(0)).toList();
                for (int i = 0; i < 5; i++) {
                    int number = i;
                    set.spawn(() -> {
                        gates.get(number).acquire().forget();
                        return number;
                    });
                }
                for (int i : new int[] {3, 0, 4, 1, 2}) {
                    gates.get(i).release(1);
                    seen.add(set.joinNext().get());
                }
                assertThat(set.joinNext()).isNull();
                assertThat(set.isEmpty()).isTrue();
            }
            gate.close();
            return seen;
        });
        assertThat(order).containsExactly(3, 0, 4, 1, 2);
    }

    @Test
    void spawning_goesOnWhileJoining_andBlockingJobsBelongToIt() throws Exception {
        int sum = runtime.blockOn(() -> {
            int total = 0;
            int spawned = 1;
            try (var set = JoinSet.<Integer>open()) {
                set.spawn(() -> 1);
                for (JoinResult<Integer> r; (r = set.joinNext()) != null; ) {
                    total += r.get();
                    if (spawned < 100) {
                        int next = ++spawned;
                        if (next % 2 == 0) {
                            set.spawnBlocking(() -> next);
                        } else {
                            set.spawnNamed("n" + next, () -> next);
                        }
                    }
                }
            }
            return total;
        });
        assertThat(sum).isEqualTo(5050);
    }

    @Test
    void closing_abortsWhatIsLeft_andWaitsForItsCleanup() throws Exception {
        AtomicInteger cleaned = new AtomicInteger();
        runtime.blockOn(() -> {
            try (var set = JoinSet.<Object>open()) {
                Semaphore started = Semaphore.of(0);
                for (int i = 0; i < 16; i++) {
                    set.spawn(() -> {
                        try {
                            started.release(1);
                            Task.sleep(Duration.ofHours(1));
                        } finally {
                            Task.shield(() -> Task.sleep(Duration.ofMillis(1)));
                            cleaned.incrementAndGet();
                        }
                    });
                }
                started.acquire(16).forget();
            }
            assertThat(cleaned.get()).isEqualTo(16);
        });
        await().until(() -> runtime.liveTasks() == 0);
    }

    @Test
    void closing_isNotEndedByAnInterrupt_whichIsKept() throws Exception {
        AtomicBoolean kept = new AtomicBoolean();
        AtomicBoolean ended = new AtomicBoolean();
        runtime.blockOn(() -> {
            try (var set = JoinSet.<Object>open()) {
                set.spawn(() -> {
                    try {
                        Task.sleep(Duration.ofHours(1));
                    } finally {
                        ended.set(true);
                    }
                });
                Task.yieldNow();
                Thread.currentThread().interrupt();
            }
            kept.set(Thread.interrupted());
        });
        assertThat(kept).isTrue();
    }

    @Test
    void abortAll_keepsTheEntries_andWhatHadEndedKeepsItsResult() throws Exception {
        runtime.blockOn(() -> {
            try (var set = JoinSet.<Integer>open()) {
                AbortHandle first = set.spawn(() -> 1);
                while (!first.isFinished()) {
                    Task.yieldNow();
                }
                for (int i = 0; i < 4; i++) {
                    set.spawn(() -> {
                        Task.sleep(Duration.ofHours(1));
                        return 2;
                    });
                }
                set.abortAll();
                assertThat(set.size()).isEqualTo(5);
                int cancelled = 0;
                int succeeded = 0;
                for (JoinResult<Integer> r; (r = set.joinNext()) != null; ) {
                    if (r.isSuccess()) {
                        succeeded++;
                    } else if (r instanceof JoinResult.Cancelled) {
                        cancelled++;
                    }
                }
                assertThat(succeeded).isEqualTo(1);
                assertThat(cancelled).isEqualTo(4);
            }
        });
    }

    /** Tokio's abort_tasks: each handle aborts its own task, and no other. */
    @Test
    void aborting_everyOtherTask_cancelsExactlyThose() throws Exception {
        runtime.blockOn(() -> {
            Channel<Integer> gate = Channel.bounded(16);
            try (var set = JoinSet.<Integer>open()) {
                for (int i = 0; i < 16; i++) {
                    AbortHandle task = set.spawn(() -> gate.receive());
                    if (i % 2 == 1) {
                        task.abort();
                    }
                }
                for (int i = 0; i < 8; i++) {
                    assertThat(set.joinNext()).isInstanceOf(JoinResult.Cancelled.class);
                }
                assertThat(set.tryJoinNext()).isNull();
                assertThat(set.size()).isEqualTo(8);
                for (int i = 0; i < 8; i++) {
                    gate.send(i);
                    assertThat(set.joinNext().isSuccess()).isTrue();
                }
            }
        });
    }

    @Test
    void joinAll_returnsAllValues_orRethrowsTheFirstFailureAfterAbortingTheRest() throws Exception {
        runtime.blockOn(() -> {
            try (var set = JoinSet.<Integer>open()) {
                for (int i = 0; i < 10; i++) {
                    int number = i;
                    set.spawn(() -> number);
                }
                assertThat(set.joinAll()).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
            }
            AtomicBoolean siblingEnded = new AtomicBoolean();
            try (var set = JoinSet.<Integer>open()) {
                Semaphore started = Semaphore.of(0);
                set.spawn(() -> {
                    try {
                        started.release(1);
                        Task.sleep(Duration.ofHours(1));
                        return 1;
                    } finally {
                        siblingEnded.set(true);
                    }
                });
                started.acquire().forget();
                set.spawn(() -> {
                    throw new IllegalStateException("broken");
                });
                assertThatThrownBy(set::joinAll)
                        .isInstanceOf(ExecutionException.class)
                        .hasRootCauseMessage("broken");
                assertThat(siblingEnded).isTrue();
                assertThat(set.size()).isZero();
            }
        });
    }

    @Test
    void aBoundedSet_neverRunsMoreThanItsBound() throws Exception {
        AtomicInteger running = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        runtime.blockOn(() -> {
            try (var set = JoinSet.<Object>open(3)) {
                for (int i = 0; i < 50; i++) {
                    set.spawn(() -> {
                        most.accumulateAndGet(running.incrementAndGet(), Math::max);
                        Task.sleep(Duration.ofMillis(1));
                        running.decrementAndGet();
                    });
                }
                set.joinAll();
            }
        });
        assertThat(most.get()).isBetween(1, 3);
    }

    @Test
    void waits_canBeBounded_orNotWaitAtAll() throws Exception {
        runtime.blockOn(() -> {
            try (var set = JoinSet.<Integer>open()) {
                assertThat(set.joinNext(Duration.ofMillis(1))).isNull();
                assertThat(set.tryJoinNext()).isNull();
                Semaphore gate = Semaphore.of(0);
                set.spawn(() -> {
                    gate.acquire().forget();
                    return 1;
                });
                assertThatThrownBy(() -> set.joinNext(Duration.ofMillis(5))).isInstanceOf(TimeoutException.class);
                assertThat(set.tryJoinNext()).isNull();
                gate.release(1);
                assertThat(set.joinNext(Duration.ofSeconds(10)).get()).isEqualTo(1);
            }
        });
    }

    @Test
    void anotherThread_isTurnedAway_withBothNames() throws Exception {
        runtime.blockOn(() -> {
            try (var set = JoinSet.<Object>open()) {
                JoinHandle<?> stranger = runtime.spawnNamed("stranger", () -> set.spawn(() -> {}));
                JoinResult<?> result = stranger.result();
                assertThat(((JoinResult.Failure<?>) result).exception())
                        .isInstanceOf(WrongThreadException.class)
                        .hasMessageContaining("stranger")
                        .hasMessageContaining(Task.current().name());
            }
        });
    }

    @Test
    void afterClose_itRefuses_andClosingAgainDoesNothing() throws Exception {
        JoinSet<Object> set = JoinSet.open();
        set.close();
        set.close();
        assertThatThrownBy(() -> set.spawn(() -> {})).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> JoinSet.open(0)).hasMessageContaining("maxConcurrency=0");
    }

    @Test
    void inARuntimeThatIsShutDown_spawnsAreCancelledAtOnce() throws Exception {
        JoinHandle<JoinResult<Integer>> late = runtime.spawn(() -> {
            try {
                Task.sleep(Duration.ofHours(1));
            } catch (InterruptedException e) {
                return Task.shield(() -> {
                    try (var set = JoinSet.<Integer>open()) {
                        set.spawn(() -> 1);
                        return set.joinNext();
                    }
                });
            }
            return null;
        });
        await().until(() -> ((dev.kumihimo.internal.wait.Waiter) late).openWait() != null);
        assertThat(runtime.shutdown(Duration.ofSeconds(10))).isEmpty();
        assertThat(late.join()).isInstanceOf(JoinResult.Cancelled.class);
    }

    @Test
    void aMillionTasksThroughOneSet_leaveAFlatHeap() throws Exception {
        MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
        runtime.blockOn(() -> {
            try (var set = JoinSet.<Integer>open()) {
                long before = 0;
                for (int i = 0; i < 1_000_000; i++) {
                    if (i == 100_000) {
                        before = settled(memory);
                    }
                    set.spawn(() -> 1);
                    set.joinNext();
                }
                long grown = settled(memory) - before;
                System.out.println("JoinSet: heap grown by " + grown + " B over 900,000 tasks");
                assertThat(grown).isLessThan(4 << 20);
            }
        });
    }

    private static long settled(MemoryMXBean memory) {
        System.gc();
        return memory.getHeapMemoryUsage().getUsed();
    }

    /** By reflection, since it is a preview API on 21. */
    @Test
    void scopedValues_reachTheTasks() throws Exception {
        Class<?> type = Class.forName("java.lang.ScopedValue");
        Object key = type.getMethod("newInstance").invoke(null);
        Method get = type.getMethod("get");
        Object carrier = type.getMethod("where", type, Object.class).invoke(null, key, "bound");
        Method run = carrier.getClass().getMethod("run", Runnable.class);
        List<Object> seen = new ArrayList<>();
        runtime.blockOn(() -> {
            Runnable body = () -> {
                try (var set = JoinSet.<Object>open()) {
                    set.spawn(() -> get.invoke(key));
                    seen.addAll(set.joinAll());
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            };
            run.invoke(carrier, body);
        });
        assertThat(seen).containsExactly("bound");
    }

    @Test
    void aThreadDump_showsTheTasksUnderTheirSet(@TempDir Path dir) throws Exception {
        Path dump = dir.resolve("dump.json");
        runtime.blockOn(() -> {
            try (var set = JoinSet.<Object>open()) {
                Semaphore started = Semaphore.of(0);
                set.spawnNamed("shown-in-the-dump", () -> {
                    started.release(1);
                    Task.sleep(Duration.ofHours(1));
                    return 0;
                });
                started.acquire().forget();
                Callable<Void> write = () -> {
                    ManagementFactory.getPlatformMXBean(com.sun.management.HotSpotDiagnosticMXBean.class)
                            .dumpThreads(
                                    dump.toString(), com.sun.management.HotSpotDiagnosticMXBean.ThreadDumpFormat.JSON);
                    return null;
                };
                Task.blocking(write::call);
            }
        });
        String json = Files.readString(dump);
        int set = json.indexOf("JoinSet of task");
        assertThat(set).isPositive();
        assertThat(json.indexOf("shown-in-the-dump")).isGreaterThan(set);
    }
}
