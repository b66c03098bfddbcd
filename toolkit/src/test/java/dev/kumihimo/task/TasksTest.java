package dev.kumihimo.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.support.TaskProbe;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** All results, or the first. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class TasksTest {
    private static final Duration LONG = Duration.ofSeconds(10);
    private static final Duration FOREVER = Duration.ofDays(1);

    private final TaskRuntime runtime = TaskRuntime.builder().workerThreads(2).build();
    private final AtomicInteger cleaned = new AtomicInteger();

    @AfterEach
    void close() {
        runtime.close();
    }

    private <T> T untilAborted() throws InterruptedException {
        try {
            Task.sleep(FOREVER);
            return null;
        } finally {
            Task.shield(() -> Task.sleep(Duration.ofMillis(2)));
            cleaned.incrementAndGet();
        }
    }

    @Test
    void all_givesTheResultsInTheOrderOfTheBodies() throws Exception {
        runtime.blockOn(() -> {
            Channel<String> handOver = Channel.rendezvous();
            assertThat(Tasks.<String>all(
                            () -> handOver.receive(), // ends last, and only if the other runs beside it
                            () -> {
                                handOver.send("first");
                                return "second";
                            },
                            () -> null))
                    .containsExactly("first", "second", null);
            List<Body<Integer, RuntimeException>> squares = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                int n = i;
                squares.add(() -> n * n);
            }
            assertThat(Tasks.all(squares)).hasSize(100).endsWith(9801);
            assertThat(Tasks.all(List.of())).isEmpty();
        });
    }

    @Test
    void all_atTheFirstFailure_abortsTheRest_waitsForIt_andKeepsWhatTheOthersThrew() throws Exception {
        runtime.blockOn(() -> {
            CountDownLatch begun = new CountDownLatch(2);
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(() -> Tasks.all(
                            () -> {
                                begun.countDown();
                                return untilAborted();
                            },
                            () -> {
                                try {
                                    begun.countDown();
                                    return untilAborted();
                                } finally {
                                    cleanupFails();
                                }
                            },
                            () -> {
                                begun.await();
                                throw new IOException("first");
                            }))
                    .withCauseInstanceOf(IOException.class)
                    .satisfies(e ->
                            assertThat(e.getSuppressed()).singleElement().isInstanceOf(IllegalStateException.class));
            assertThat(cleaned).hasValue(2);
        });
    }

    private static void cleanupFails() {
        throw new IllegalStateException("cleanup");
    }

    @Test
    void all_ifATaskWasCancelled_tellsThatItWasNotTheCaller() throws Exception {
        runtime.blockOn(() -> {
            CancellationToken token = CancellationToken.create();
            token.cancel("by the token");
            assertThatExceptionOfType(TaskCancelledException.class)
                    .isThrownBy(() -> Tasks.<Object>all(() -> untilAborted(), () -> token.run(() -> 1)))
                    .satisfies(e -> {
                        assertThat(e.isOwn()).isFalse();
                        assertThat(e.reason().message()).isEqualTo("by the token");
                    });
        });
    }

    @Test
    void callerAbortedOrInterruptedOrLate_endsTheTasksFirst() throws Exception {
        TaskProbe<List<Object>> aborted = TaskProbe.spawn(
                        runtime, () -> Tasks.<Object>all(() -> untilAborted(), () -> untilAborted()))
                .untilParked();
        dev.kumihimo.support.Observe.until("the tasks run", () -> runtime.liveTasks() == 3);
        aborted.handle().abort();
        assertThat(aborted.handle().result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(runtime.liveTasks()).isLessThanOrEqualTo(1);
        TaskProbe<Object> interrupted = TaskProbe.spawn(
                        runtime, () -> Tasks.<Object>race(() -> untilAborted(), () -> untilAborted()))
                .untilParked();
        interrupted.thread().interrupt();
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(() -> interrupted.handle().join(LONG))
                .withCauseExactlyInstanceOf(InterruptedException.class);
        runtime.blockOn(() -> {
            CountDownLatch begun = new CountDownLatch(1);
            int before = cleaned.get();
            assertThatExceptionOfType(TimeoutException.class)
                    .isThrownBy(() -> dev.kumihimo.time.Timeout.call(
                            Duration.ofMillis(20),
                            () -> Tasks.<Object>all(() -> {
                                begun.countDown();
                                return untilAborted();
                            })));
            // It may not have begun within its time; then there is nothing to clean.
            assertThat(cleaned.get() - before).isEqualTo(1 - (int) begun.getCount());
        });
    }

    @Test
    void both_combinesTwoResultsOfTheirOwnTypes() throws Exception {
        String both = runtime.blockOn(
                () -> Tasks.<Integer, String, String>both(() -> 7, () -> "seven", (n, s) -> s + "=" + n));
        assertThat(both).isEqualTo("seven=7");
        runtime.blockOn(() -> {
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(() -> Tasks.both(
                            () -> {
                                throw new IOException("left");
                            },
                            () -> untilAborted(),
                            (a, b) -> a))
                    .withCauseInstanceOf(IOException.class);
        });
    }

    @Test
    void race_givesTheFirstResult_andEndsTheLosers() throws Exception {
        runtime.blockOn(() -> {
            CountDownLatch begun = new CountDownLatch(2);
            assertThat(Tasks.<String>race(
                            () -> {
                                begun.countDown();
                                return untilAborted();
                            },
                            () -> {
                                throw new IOException("out of the race");
                            },
                            () -> {
                                begun.await();
                                return "won";
                            },
                            () -> {
                                begun.countDown();
                                return untilAborted();
                            }))
                    .isEqualTo("won");
            assertThat(cleaned).hasValue(2);
        });
    }

    @Test
    void race_thatNobodyWins_tellsOfAllFailures() throws Exception {
        runtime.blockOn(() -> {
            Channel<Integer> order = Channel.bounded(1);
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(() -> Tasks.race(
                            () -> {
                                order.receive();
                                throw new IOException("second");
                            },
                            () -> {
                                order.send(1);
                                throw new IOException("first or second");
                            }))
                    .withCauseInstanceOf(IOException.class)
                    .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Tasks.race(List.of()))
                    .withMessageContaining("at least one");
            CancellationToken token = CancellationToken.create();
            token.cancel("all");
            assertThatExceptionOfType(TaskCancelledException.class)
                    .isThrownBy(() -> Tasks.<Object>race(() -> token.run(() -> 1)))
                    .satisfies(e -> assertThat(e.isOwn()).isFalse());
        });
    }
}
