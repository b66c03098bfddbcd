package dev.kumihimo.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.task.CancellationToken;
import dev.kumihimo.task.JoinMap;
import dev.kumihimo.task.JoinSet;
import dev.kumihimo.task.TaskTracker;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** The deadline of the innermost region: what it is where, and whom it reaches. */
@org.junit.jupiter.api.Timeout(value = 30, threadMode = ThreadMode.SEPARATE_THREAD)
class DeadlineTest {
    private static final Duration LONG = Duration.ofSeconds(10);
    private static final Duration FOREVER = Duration.ofDays(1);
    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final TaskRuntime runtime = TaskRuntime.builder().workerThreads(2).build();

    @AfterEach
    void close() {
        runtime.close();
    }

    private static Duration left() {
        return Deadline.current().remaining();
    }

    @Test
    void current_isNone_outsideOfAnyTimeout() throws Exception {
        assertThat(Deadline.current().isNone()).isTrue();
        assertThat(Deadline.current().isExpired()).isFalse();
        assertThat(left()).isEqualTo(ChronoUnit.FOREVER.getDuration());
        assertThat(Deadline.current()).hasToString("no deadline");
        runtime.blockOn(() -> assertThat(Deadline.current().isNone()).isTrue());
        Timeout.call(
                ChronoUnit.FOREVER.getDuration(),
                () -> assertThat(Deadline.current().isNone()).isTrue());
    }

    @Test
    void current_isThatOfTheTimeoutAround_onTasksAndPlatformThreads() throws Exception {
        Timeout.call(HOUR, () -> assertThat(left()).isBetween(HOUR.minus(MINUTE), HOUR));
        runtime.blockOn(() -> {
            Timeout.call(HOUR, () -> {
                assertThat(left()).isBetween(HOUR.minus(MINUTE), HOUR);
                assertThat(Deadline.current().isNone()).isFalse();
                assertThat(Deadline.current().isExpired()).isFalse();
                CancellationToken.create()
                        .run(() -> assertThat(left()).isLessThanOrEqualTo(HOUR)); // has none of its own
            });
            assertThat(Deadline.current().isNone()).isTrue();
        });
    }

    @Test
    void anInnerDeadline_isNeverLaterThanTheOuterOne() throws Exception {
        runtime.blockOn(() -> Timeout.call(MINUTE, () -> {
            Timeout.call(HOUR, () -> assertThat(left()).isLessThanOrEqualTo(MINUTE));
            Timeout.call(Duration.ofSeconds(9), () -> assertThat(left()).isLessThanOrEqualTo(Duration.ofSeconds(9)));
            assertThat(left()).isGreaterThan(Duration.ofSeconds(9));
        }));
    }

    @Test
    void onceItHasPassed_nothingIsLeft() throws Exception {
        runtime.blockOn(() -> {
            Deadline[] seen = new Deadline[1];
            assertThatExceptionOfType(TimeoutException.class)
                    .isThrownBy(() -> Timeout.call(Duration.ofMillis(2), () -> {
                        seen[0] = Deadline.current();
                        Task.sleep(FOREVER);
                    }));
            assertThat(seen[0].isExpired()).isTrue();
            assertThat(seen[0].remaining()).isZero();
            assertThat(seen[0]).hasToString("deadline passed");
        });
    }

    @Test
    void aShield_cutsIt_andATimeoutInsideSetsOneOfItsOwn() throws Exception {
        runtime.blockOn(() -> Timeout.call(MINUTE, () -> {
            Task.shield(() -> {
                assertThat(Deadline.current().isNone()).isTrue();
                Timeout.call(HOUR, () -> assertThat(left()).isGreaterThan(MINUTE));
            });
            assertThat(left()).isLessThanOrEqualTo(MINUTE);
        }));
    }

    @Test
    void theTasksOfASetOrMap_inheritIt_asItIsWhenTheyAreSpawned() throws Exception {
        runtime.blockOn(() -> {
            try (JoinSet<Duration> set = JoinSet.open();
                    JoinMap<String, Duration> map = JoinMap.open()) {
                Timeout.call(MINUTE, () -> {
                    set.spawn(() -> left());
                    assertThat(set.joinNext().get()).isLessThanOrEqualTo(MINUTE);
                    set.spawnBlocking(() -> left());
                    assertThat(set.joinNext().get()).isLessThanOrEqualTo(MINUTE);
                    map.spawn("key", () -> left());
                    assertThat(map.joinNext().result().get()).isLessThanOrEqualTo(MINUTE);
                    set.spawn(() -> Timeout.call(HOUR, () -> left()));
                    assertThat(set.joinNext().get()).isLessThanOrEqualTo(MINUTE);
                    set.spawn(() -> {
                        try (JoinSet<Duration> inner = JoinSet.open()) {
                            inner.spawn(() -> left());
                            return inner.joinNext().get();
                        }
                    });
                    assertThat(set.joinNext().get()).isLessThanOrEqualTo(MINUTE);
                });
                set.spawn(() -> left());
                assertThat(set.joinNext().get()).isEqualTo(ChronoUnit.FOREVER.getDuration());
            }
        });
    }

    @Test
    void aTaskSpawnedOtherwise_inheritsNone() throws Exception {
        runtime.blockOn(() -> Timeout.call(MINUTE, () -> {
            assertThat(Task.spawn(() -> Deadline.current().isNone()).join()).isTrue();
            assertThat(TaskTracker.create()
                            .spawn(() -> Deadline.current().isNone())
                            .join())
                    .isTrue();
        }));
    }

    /** The owner cannot end its task, since it is shielded; the task's own timeout does not outlive the inherited deadline. */
    @Test
    void aTimeoutInATaskOfASet_isCutShortByTheInheritedDeadline() throws Exception {
        Channel<String> told = Channel.bounded(1);
        String[] message = new String[1];
        runtime.blockOn(() -> {
            try (JoinSet<String> set = JoinSet.open()) {
                assertThatExceptionOfType(TimeoutException.class)
                        .isThrownBy(() -> Timeout.call(Duration.ofMillis(20), () -> {
                            set.spawn(() -> {
                                try {
                                    Timeout.call(HOUR, () -> Timeout.call(FOREVER, () -> Task.sleep(FOREVER)));
                                } catch (TimeoutException e) {
                                    told.send(e.getMessage());
                                }
                            });
                            Task.shield(() -> message[0] = told.receive(LONG));
                            Task.sleep(FOREVER);
                        }));
            }
        });
        assertThat(message[0]).contains("PT1H").contains("inherited");
    }

    @Test
    void theOwnersDeadline_endsItsTasks_throughTheScope() throws Exception {
        JoinHandle<?>[] child = new JoinHandle<?>[1];
        runtime.blockOn(() -> {
            assertThatExceptionOfType(TimeoutException.class)
                    .isThrownBy(() -> Timeout.call(Duration.ofMillis(10), () -> {
                        try (JoinSet<Object> set = JoinSet.open()) {
                            child[0] = (JoinHandle<?>) set.spawn(() -> Task.sleep(FOREVER));
                            set.joinNext();
                        }
                    }));
        });
        assertThat(child[0].result())
                .isInstanceOfSatisfying(
                        JoinResult.Cancelled.class,
                        cancelled -> assertThat(cancelled.reason().kind()).isEqualTo(CancelReason.Kind.SCOPE));
    }

    /** Of two with the same deadline the outer call tells of it: the inner one was not given less. */
    @Test
    void anInnerTimeoutOfMoreTime_letsTheOuterOneTell() throws Exception {
        runtime.blockOn(() -> {
            for (int i = 0; i < 50; i++) {
                String teller = "nobody";
                try {
                    Timeout.call(Duration.ofMillis(1), () -> {
                        try {
                            Timeout.call(HOUR, () -> Task.sleep(FOREVER));
                        } catch (TimeoutException e) {
                            throw new AssertionError("the inner one had an hour", e);
                        }
                    });
                } catch (TimeoutException e) {
                    teller = e.getMessage();
                }
                assertThat(teller).isEqualTo("not done within PT0.001S");
            }
        });
    }

    /** On its way from one runtime to another it must not move: an item of a delay queue would be early, and out of order. */
    @Test
    void aDeadline_isTheSameTime_inAnotherRuntime() throws Exception {
        try (TaskRuntime one = TaskRuntime.builder().build();
                TaskRuntime other = TaskRuntime.builder().build()) {
            TimerService here = one.blockOn(() -> Waiter.current().timers());
            TimerService there = other.blockOn(() -> Waiter.current().timers());
            assertThat(here).isNotSameAs(there);
            for (int i = 0; i < 1_000; i++) {
                Deadline deadline = one.blockOn(() -> Deadline.in(Duration.ofSeconds(1)));
                assertThat(deadline.on(there)).isEqualTo(deadline.on(here));
            }
        }
    }
}
