package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.select.Select;
import dev.kumihimo.support.Observe;
import dev.kumihimo.support.TaskProbe;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.task.JoinSet;
import dev.kumihimo.time.Timeout;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What abort, deadline and interrupt do to a task, wherever they meet it. */
@org.junit.jupiter.api.Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class CancelledWaitsTest {
    private static final Duration LONG = Duration.ofSeconds(10);
    private static final Duration FOREVER = Duration.ofDays(1);

    private final TaskRuntime runtime = TaskRuntime.builder().workerThreads(2).build();

    @AfterEach
    void close() {
        runtime.close();
    }

    /* ---------------- Where the abort meets the task -------------- */

    static Stream<Arguments> waits() {
        return Stream.concat(toolkitWaits(), foreignWaits());
    }

    static Stream<Arguments> toolkitWaits() {
        Channel<String> channel = Channel.bounded(1);
        Channel<String> rendezvous = Channel.rendezvous();
        Semaphore semaphore = Semaphore.of(0);
        return Stream.of(
                wait("receive", () -> channel.receive()),
                wait("receive with a timeout", () -> channel.receive(FOREVER)),
                wait("rendezvous send", () -> {
                    rendezvous.send("x");
                    return null;
                }),
                wait(
                        "select",
                        () -> Select.<String>of()
                                .onReceive(channel, item -> item)
                                .onSend(rendezvous, "x", () -> "sent")
                                .after(FOREVER, () -> "late")
                                .await()),
                wait("acquire", () -> semaphore.acquire()),
                wait("acquire with a timeout", () -> semaphore.acquire(3, FOREVER)),
                wait("sleep", () -> {
                    Task.sleep(FOREVER);
                    return null;
                }),
                wait("sleep for ever", () -> {
                    Task.sleep(Duration.ofSeconds(Long.MAX_VALUE));
                    return null;
                }),
                wait("join", () -> Task.spawn(() -> channel.receive()).join()),
                wait(
                        "join with a timeout",
                        () -> Task.spawn(() -> channel.receive()).join(FOREVER)),
                wait("joinNext", () -> {
                    try (JoinSet<String> set = JoinSet.open()) {
                        set.spawn(() -> channel.receive());
                        return set.joinNext();
                    }
                }),
                wait("Task.blocking", () -> Task.blocking(() -> new ArrayBlockingQueue<String>(1).take())));
    }

    static Stream<Arguments> foreignWaits() {
        return Stream.of(
                wait("Thread.sleep", () -> {
                    Thread.sleep(FOREVER);
                    return null;
                }),
                wait("BlockingQueue.take", () -> new ArrayBlockingQueue<String>(1).take()),
                wait("CountDownLatch.await", () -> {
                    new CountDownLatch(1).await();
                    return null;
                }),
                wait("CompletableFuture.get", () -> new CompletableFuture<String>().get()),
                wait("Object.wait", () -> {
                    Object monitor = new Object();
                    synchronized (monitor) {
                        while (monitor != null) {
                            monitor.wait();
                        }
                    }
                    return null;
                }),
                wait("LockSupport.park", () -> {
                    while (!Thread.interrupted()) {
                        LockSupport.park();
                    }
                    throw new InterruptedException("parked");
                }));
    }

    private static Arguments wait(String name, Body<Object, Exception> body) {
        return Arguments.of(name, body);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("waits")
    void abort_endsATaskThatWaits(String name, Body<Object, Exception> body) throws Exception {
        TaskProbe<Object> task = TaskProbe.spawn(runtime, body).untilParked();
        task.handle().abort();
        JoinResult<Object> result = task.handle().result(LONG);
        assertThat(result).isInstanceOfSatisfying(JoinResult.Cancelled.class, cancelled -> {
            assertThat(cancelled.reason().kind()).isEqualTo(CancelReason.Kind.ABORT);
            assertThat(cancelled.reason().message()).contains(task.handle().name());
        });
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("toolkitWaits")
    void abort_ofAToolkitWait_sendsNoInterrupt_andEndsTheNextOnesToo(String name, Body<Object, Exception> body)
            throws Exception {
        List<String> seen = new ArrayList<>();
        TaskProbe<Object> task = TaskProbe.spawn(runtime, () -> {
                    for (int i = 0; i < 3; i++) {
                        try {
                            body.call();
                            seen.add("returned");
                        } catch (TaskCancelledException e) {
                            seen.add("own " + e.isOwn() + ", flag "
                                    + Thread.currentThread().isInterrupted());
                        }
                    }
                    Task.sleep(FOREVER);
                    return null;
                })
                .untilParked();
        task.handle().abort();
        assertThat(task.handle().result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(seen).hasSize(3).containsOnly("own true, flag false");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("waits")
    void deadline_endsABodyThatWaits(String name, Body<Object, Exception> body) throws Exception {
        JoinHandle<Boolean> task = runtime.spawn(() -> {
            assertThatExceptionOfType(TimeoutException.class)
                    .isThrownBy(() -> Timeout.call(Duration.ofMillis(15), body))
                    .withMessageContaining("PT0.015S");
            Task.sleep(Duration.ofMillis(1)); // a plain wait afterwards is not disturbed
            return Thread.currentThread().isInterrupted();
        });
        assertThat(task.join(LONG)).as("an interrupt is left over").isFalse();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("waits")
    void plainInterrupt_endsTheWaitAndNothingElse(String name, Body<Object, Exception> body) throws Exception {
        TaskProbe<String> task = TaskProbe.spawn(runtime, () -> {
                    try {
                        body.call();
                        return "returned";
                    } catch (InterruptedException e) {
                        Task.sleep(Duration.ofMillis(1)); // the next wait is not hit again
                        return e.getClass().getSimpleName();
                    }
                })
                .untilParked();
        task.thread().interrupt();
        assertThat(task.handle().join(LONG)).isEqualTo("InterruptedException");
    }

    @Test
    void abort_beforeTheTaskBegan_runsNothingOfIt() throws Exception {
        AtomicInteger ran = new AtomicInteger();
        try (TaskRuntime single = TaskRuntime.builder().workerThreads(1).build()) {
            JoinHandle<JoinHandle<?>> spawner = single.spawn(() -> {
                JoinHandle<?> child = Task.spawn(ran::incrementAndGet); // cannot begin: we have the carrier
                child.abort();
                return child;
            });
            assertThat(spawner.join(LONG).result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
            assertThat(ran).hasValue(0);
        }
    }

    @Test
    void abort_ofATaskThatComputes_interruptsIt_andStrikesAtItsNextWait() throws Exception {
        CompletableFuture<Thread> began = new CompletableFuture<>();
        JoinHandle<String> handle = runtime.spawn(() -> {
            began.complete(Thread.currentThread());
            while (!Thread.currentThread().isInterrupted()) {
                Thread.onSpinWait();
            }
            try {
                Task.sleep(FOREVER);
            } catch (TaskCancelledException e) {
                return "told at the wait, flag " + Thread.currentThread().isInterrupted();
            }
            return "slept";
        });
        began.join();
        handle.abort();
        assertThat(handle.join(LONG)).isEqualTo("told at the wait, flag false");
    }

    @Test
    void abort_ofATaskThatComputesAndAsks_isSeenByCheckCancelled() throws Exception {
        CountDownLatch began = new CountDownLatch(1);
        JoinHandle<Object> handle = runtime.spawn(() -> {
            began.countDown();
            while (true) {
                Task.checkCancelled();
            }
        });
        began.await();
        handle.abort();
        assertThat(handle.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
    }

    @Test
    void abort_ofAnAlwaysReadyLoop_isSeenWhenItsBudgetIsSpent() throws Exception {
        Channel<Integer> channel = Channel.bounded(4);
        CountDownLatch began = new CountDownLatch(1);
        JoinHandle<Object> handle = runtime.spawn(() -> {
            while (true) {
                channel.send(1);
                channel.receive();
                began.countDown();
            }
        });
        began.await();
        handle.abort();
        assertThat(handle.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
    }

    @Test
    void abort_isStickyUntilTheTaskEnds() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        Semaphore semaphore = Semaphore.of(0);
        TaskProbe<List<String>> task = TaskProbe.spawn(runtime, () -> {
                    List<String> seen = new ArrayList<>();
                    List<Body<Object, Exception>> waits = List.of(
                            () -> channel.receive(),
                            () -> semaphore.acquire(),
                            () -> Task.spawn(() -> channel.receive()).join(),
                            () -> channel.receive(LONG),
                            () -> Select.of().onReceive(channel, item -> item).await());
                    for (Body<Object, Exception> wait : waits) {
                        try {
                            wait.call();
                            seen.add("done");
                        } catch (TaskCancelledException e) {
                            seen.add(e.reason().kind() + ", own " + e.isOwn());
                        }
                    }
                    return seen;
                })
                .untilParked();
        task.handle().abort();
        assertThat(task.handle().join(LONG)).hasSize(5).containsOnly("ABORT, own true");
    }

    @Test
    void abort_leavesWhatNeedsNoWaitPossible() throws Exception {
        Channel<String> channel = Channel.bounded(1);
        TaskProbe<String> task = TaskProbe.spawn(runtime, () -> {
                    try {
                        Task.sleep(FOREVER);
                        return "slept";
                    } catch (TaskCancelledException e) {
                        channel.send("farewell");
                        return "aborted, but " + channel.receive();
                    }
                })
                .untilParked();
        task.handle().abort();
        assertThat(task.handle().join(LONG)).isEqualTo("aborted, but farewell");
    }

    @Test
    void abort_isSeenByTheTask() throws Exception {
        TaskProbe<String> task = TaskProbe.spawn(runtime, () -> {
                    boolean before = Task.current().isAborted();
                    try {
                        Task.sleep(FOREVER);
                    } catch (TaskCancelledException e) {
                        return before + " " + Task.current().isAborted();
                    }
                    return "slept";
                })
                .untilParked();
        task.handle().abort();
        assertThat(task.handle().join(LONG)).isEqualTo("false true");
    }

    @Test
    void abort_ofAnEndedTask_changesNothing() throws Exception {
        JoinHandle<Integer> handle = runtime.spawn(() -> 1);
        handle.join();
        handle.abort();
        assertThat(handle.join()).isOne();
    }

    @Test
    void abort_byManyAtOnce_isOne() throws Exception {
        for (int round = 0; round < 200; round++) {
            AtomicInteger cancellations = new AtomicInteger();
            JoinHandle<?> victim = runtime.spawn(() -> {
                try {
                    Task.sleep(FOREVER);
                } catch (TaskCancelledException e) {
                    cancellations.incrementAndGet();
                    throw e;
                }
            });
            List<JoinHandle<?>> aborters = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                aborters.add(runtime.spawn(victim::abort));
            }
            assertThat(victim.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
            assertThat(cancellations.get()).isLessThanOrEqualTo(1);
            for (JoinHandle<?> aborter : aborters) {
                aborter.join(LONG);
            }
        }
    }

    @Test
    void join_ofAnAbortedTask_returnsAfterItsCleanup() throws Exception {
        AtomicBoolean cleaned = new AtomicBoolean();
        TaskProbe<Object> task = TaskProbe.spawn(runtime, () -> {
                    try {
                        Task.sleep(FOREVER);
                        return null;
                    } finally {
                        Task.shield(() -> Task.sleep(Duration.ofMillis(30)));
                        cleaned.set(true);
                    }
                })
                .untilParked();
        task.handle().abort();
        assertThat(task.handle().result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(cleaned).isTrue();
    }

    @Test
    void abort_ofAWaiter_servesThoseBehindIt() throws Exception {
        Semaphore semaphore = Semaphore.of(1);
        TaskProbe<Object> greedy =
                TaskProbe.spawn(runtime, () -> (Object) semaphore.acquire(2)).untilParked();
        TaskProbe<Object> modest =
                TaskProbe.spawn(runtime, () -> (Object) semaphore.acquire(1)).untilParked();
        greedy.handle().abort();
        modest.handle().join(LONG);
        assertThat(semaphore.availablePermits()).isZero();
    }

    /* ---------------- Outcomes -------------- */

    @Nested
    class Outcome {
        private JoinResult<Object> abortedWith(Body<Object, Exception> afterwards) throws Exception {
            TaskProbe<Object> task = TaskProbe.spawn(runtime, () -> {
                        try {
                            Task.sleep(FOREVER);
                        } catch (TaskCancelledException e) {
                            return afterwards.call();
                        }
                        return "slept";
                    })
                    .untilParked();
            task.handle().abort();
            return task.handle().result(LONG);
        }

        @Test
        void aBodyThatReturnsNevertheless_isASuccess() throws Exception {
            assertThat(abortedWith(() -> "result")).isEqualTo(new JoinResult.Success<>("result"));
        }

        @Test
        void anotherExceptionOfTheCleanup_isAFailure() throws Exception {
            IllegalStateException thrown = new IllegalStateException("cleanup");
            assertThat(abortedWith(() -> {
                        throw thrown;
                    }))
                    .isEqualTo(new JoinResult.Failure<>(thrown));
        }

        @Test
        void everyInterruptTypeException_isACancellation() throws Exception {
            for (Exception thrown : List.of(
                    new InterruptedException(), new ClosedByInterruptException(), new InterruptedIOException())) {
                assertThat(abortedWith(() -> {
                            throw thrown;
                        }))
                        .as(thrown.toString())
                        .isInstanceOf(JoinResult.Cancelled.class);
            }
        }

        @Test
        void aSocketTimeout_isAFailure() throws Exception {
            assertThat(abortedWith(() -> {
                        throw new SocketTimeoutException("slow");
                    }))
                    .isInstanceOf(JoinResult.Failure.class);
        }

        @Test
        void anInterruptTypeExceptionOfATaskThatWasNotAborted_isAFailure() throws Exception {
            TaskProbe<Object> task = TaskProbe.spawn(runtime, () -> {
                        Thread.sleep(FOREVER);
                        return null;
                    })
                    .untilParked();
            task.thread().interrupt();
            assertThat(task.handle().result(LONG)).isInstanceOf(JoinResult.Failure.class);
        }

        @Test
        void joiningAnAbortedTask_doesNotMakeTheJoinerCancelled() throws Exception {
            JoinHandle<Object> sleeper = runtime.spawn(() -> {
                Task.sleep(FOREVER);
                return null;
            });
            TaskProbe<Object> joiner =
                    TaskProbe.spawn(runtime, () -> sleeper.join()).untilParked();
            sleeper.abort();
            assertThat(joiner.handle().result(LONG)).isInstanceOfSatisfying(JoinResult.Failure.class, failure -> {
                assertThat(failure.exception()).isInstanceOf(TaskCancelledException.class);
            });
        }
    }

    /* ---------------- Shield -------------- */

    @Nested
    class Shielded {
        @Test
        void waits_goOnAsIfTheTaskWereNotAborted() throws Exception {
            Channel<String> channel = Channel.bounded(1);
            TaskProbe<String> task = TaskProbe.spawn(runtime, () -> {
                        String inside = Task.shield(() -> channel.receive());
                        try {
                            Task.sleep(FOREVER);
                            return inside + ", slept";
                        } catch (TaskCancelledException e) {
                            return inside + ", cancelled after it";
                        }
                    })
                    .untilParked();
            task.handle().abort();
            runtime.spawn(() -> {
                        for (int i = 0; i < 100; i++) {
                            Task.yieldNow();
                        }
                    })
                    .join();
            assertThat(task.handle().isFinished()).isFalse();
            channel.send("cleaned up");
            assertThat(task.handle().join(LONG)).isEqualTo("cleaned up, cancelled after it");
        }

        @Test
        void foreignWaits_areNotInterruptedInside_butAfter() throws Exception {
            ArrayBlockingQueue<String> queue = new ArrayBlockingQueue<>(1);
            TaskProbe<String> task = TaskProbe.spawn(runtime, () -> {
                        String inside = Task.shield(() -> queue.take());
                        try {
                            Thread.sleep(FOREVER);
                            return inside + ", slept";
                        } catch (InterruptedException e) {
                            return inside + ", interrupted after it";
                        }
                    })
                    .untilParked();
            task.handle().abort();
            TaskRuntime.global().spawn(() -> Task.sleep(Duration.ofMillis(30))).join();
            queue.put("cleaned up");
            assertThat(task.handle().join(LONG)).isEqualTo("cleaned up, interrupted after it");
        }

        @Test
        void anInterruptThatCameBefore_isGivenBackAfter() throws Exception {
            assertThat(runtime.spawn(() -> {
                                Thread.currentThread().interrupt();
                                boolean inside = Task.shield(() -> {
                                    Task.sleep(Duration.ofMillis(1));
                                    return Thread.currentThread().isInterrupted();
                                });
                                return inside + " " + Thread.interrupted();
                            })
                            .join(LONG))
                    .isEqualTo("false true");
        }

        @Test
        void aTimeoutInside_stillWorks() throws Exception {
            TaskProbe<String> task = TaskProbe.spawn(runtime, () -> {
                        try {
                            Task.sleep(FOREVER);
                            return "slept";
                        } catch (TaskCancelledException e) {
                            return Task.shield(() -> {
                                try {
                                    Timeout.call(Duration.ofMillis(10), () -> Task.sleep(FOREVER));
                                    return "slept";
                                } catch (TimeoutException timeout) {
                                    Task.sleep(Duration.ofMillis(1));
                                    return "timed out inside, and slept";
                                }
                            });
                        }
                    })
                    .untilParked();
            task.handle().abort();
            assertThat(task.handle().join(LONG)).isEqualTo("timed out inside, and slept");
        }

        @Test
        void aDeadlineOutside_strikesAfterTheShield() throws Exception {
            assertThat(runtime.spawn(() -> {
                                AtomicBoolean passed = new AtomicBoolean();
                                try {
                                    Timeout.call(Duration.ofMillis(10), () -> {
                                        Task.shield(() -> Task.sleep(Duration.ofMillis(40)));
                                        passed.set(true);
                                        Task.sleep(FOREVER);
                                    });
                                    return "returned";
                                } catch (TimeoutException e) {
                                    return "timed out, shield passed " + passed;
                                }
                            })
                            .join(LONG))
                    .isEqualTo("timed out, shield passed true");
        }

        @Test
        void shields_nest() throws Exception {
            Channel<String> channel = Channel.bounded(1);
            TaskProbe<String> task = TaskProbe.spawn(
                            runtime,
                            () -> Task.shield(() -> {
                                Task.shield(() -> Task.sleep(Duration.ofMillis(1)));
                                return channel.receive();
                            }))
                    .untilParked();
            task.handle().abort();
            channel.send("still shielded");
            assertThat(task.handle().join(LONG)).isEqualTo("still shielded");
        }

        @Test
        void anAbortInsideAShieldInsideATimeoutInsideAShield_reachesNothingUntilTheOutermostEnds() throws Exception {
            CountDownLatch inside = new CountDownLatch(1);
            Channel<Integer> go = Channel.bounded(1);
            JoinHandle<List<String>> task = runtime.spawn(() -> {
                List<String> log = new ArrayList<>();
                Task.shield(() -> {
                    Timeout.call(Duration.ofSeconds(60), () -> {
                        Task.shield(() -> {
                            inside.countDown();
                            go.receive();
                            log.add("inner");
                        });
                        Task.sleep(Duration.ofMillis(1));
                        log.add("timeout");
                    });
                    Task.sleep(Duration.ofMillis(1));
                    log.add("outer");
                });
                try {
                    Task.sleep(Duration.ofMillis(1));
                } catch (TaskCancelledException e) {
                    log.add("cancelled");
                }
                return log;
            });
            inside.await();
            task.abort();
            go.send(1);
            assertThat(task.join(LONG)).containsExactly("inner", "timeout", "outer", "cancelled");
        }

        @Test
        void outsideOfAnyTask_itRunsTheBody() throws Exception {
            assertThat(Task.<Integer, RuntimeException>shield(() -> 3)).isEqualTo(3);
        }
    }

    /* ---------------- Deadlines -------------- */

    @Nested
    class Deadline {
        @Test
        void aBodyInTime_hasItsWay() throws Exception {
            assertThat(runtime.spawn(() -> Timeout.call(LONG, () -> "done")).join())
                    .isEqualTo("done");
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(() -> runtime.spawn(() -> Timeout.call(LONG, () -> {
                                throw new IllegalArgumentException("mine");
                            }))
                            .join())
                    .havingCause()
                    .isInstanceOf(IllegalArgumentException.class);
        }

        @Test
        void whatIsReady_beatsADeadlineThatHasPassed() throws Exception {
            runtime.spawn(() -> {
                        Channel<String> channel = Channel.bounded(1);
                        channel.send("ready");
                        assertThat(Timeout.call(Duration.ZERO, () -> channel.receive()))
                                .isEqualTo("ready");
                        channel.send("again");
                        assertThat(Timeout.call(Duration.ofSeconds(-1), () -> channel.receive()))
                                .isEqualTo("again");
                        assertThatExceptionOfType(TimeoutException.class)
                                .isThrownBy(() -> Timeout.call(Duration.ZERO, () -> channel.receive()));
                        channel.send("late");
                        assertThat(Timeout.call(Duration.ofNanos(1), () -> {
                                    spinFor(Duration.ofMillis(20));
                                    return channel.receive();
                                }))
                                .isEqualTo("late");
                    })
                    .join(LONG);
        }

        private void spinFor(Duration duration) {
            long end = System.nanoTime() + duration.toNanos();
            while (System.nanoTime() < end) {
                Thread.onSpinWait();
            }
        }

        @Test
        void aDurationBeyondTheClock_neverPasses() throws Exception {
            Channel<Integer> channel = Channel.bounded(1);
            TaskProbe<Integer> task = TaskProbe.spawn(
                            runtime,
                            () -> Timeout.call(
                                    Duration.ofSeconds(Long.MAX_VALUE, 999_999_999), () -> channel.receive()))
                    .untilParked();
            channel.send(1);
            assertThat(task.handle().join(LONG)).isOne();
        }

        @ParameterizedTest
        @ValueSource(ints = {0, 1})
        void nested_onlyTheCallWhoseDeadlinePassedConverts(int expiring) throws Exception {
            Duration[] durations = {FOREVER, FOREVER, FOREVER};
            durations[expiring] = Duration.ofMillis(10);
            assertThat(runtime.spawn(() -> {
                                try {
                                    return Timeout.call(durations[0], () -> {
                                        try {
                                            return Timeout.call(durations[1], () -> {
                                                Task.sleep(FOREVER);
                                                return "slept";
                                            });
                                        } catch (TimeoutException e) {
                                            return "inner 1";
                                        }
                                    });
                                } catch (TimeoutException e) {
                                    return "outer 0";
                                }
                            })
                            .join(LONG))
                    .endsWith(" " + expiring);
        }

        @Test
        void nested_bothPassed_theOuterConverts() throws Exception {
            assertThat(runtime.spawn(() -> {
                                try {
                                    return Timeout.call(Duration.ofMillis(5), () -> {
                                        try {
                                            return Timeout.call(Duration.ofMillis(5), () -> {
                                                spinFor(Duration.ofMillis(50));
                                                Task.sleep(FOREVER);
                                                return "slept";
                                            });
                                        } catch (TimeoutException e) {
                                            return "inner";
                                        }
                                    });
                                } catch (TimeoutException e) {
                                    return "outer";
                                }
                            })
                            .join(LONG))
                    .isEqualTo("outer");
        }

        @Test
        void afterTheInnerDeadline_theOuterBodyGoesOn() throws Exception {
            assertThat(runtime.spawn(() -> Timeout.call(LONG, () -> {
                                int expired = 0;
                                for (int i = 0; i < 10; i++) {
                                    try {
                                        Timeout.call(Duration.ofMillis(1), () -> Task.sleep(FOREVER));
                                    } catch (TimeoutException e) {
                                        expired++;
                                    }
                                    Task.sleep(Duration.ofMillis(1));
                                }
                                return expired;
                            }))
                            .join(LONG))
                    .isEqualTo(10);
        }

        @Test
        void anAbort_isNotTakenForTheDeadline() throws Exception {
            TaskProbe<Object> task = TaskProbe.spawn(
                            runtime,
                            () -> Timeout.call(FOREVER, () -> {
                                Task.sleep(FOREVER);
                                return null;
                            }))
                    .untilParked();
            task.handle().abort();
            assertThat(task.handle().result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        }

        @Test
        void anAbortAndADeadline_theAbortGoesOn() throws Exception {
            CompletableFuture<JoinHandle<Object>> self = new CompletableFuture<>();
            JoinHandle<Object> task = runtime.spawn(() -> {
                JoinHandle<Object> me = self.get(); // outside, where no deadline ends the wait for it
                return Timeout.call(Duration.ofMillis(5), () -> {
                    me.abort();
                    spinFor(Duration.ofMillis(30));
                    Task.sleep(FOREVER);
                    return null;
                });
            });
            self.complete(task);
            assertThat(task.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        }

        @Test
        void aPlainInterruptInside_isNotTakenForTheDeadline() throws Exception {
            TaskProbe<String> task = TaskProbe.spawn(runtime, () -> {
                        try {
                            Timeout.call(FOREVER, () -> Task.sleep(FOREVER));
                            return "slept";
                        } catch (InterruptedException e) {
                            return e.getClass().getSimpleName();
                        }
                    })
                    .untilParked();
            task.thread().interrupt();
            assertThat(task.handle().join(LONG)).isEqualTo("InterruptedException");
        }

        @Test
        void aPlainInterruptPending_outlivesACallThatEndsInTime() throws Exception {
            assertThat(runtime.spawn(() -> {
                                Thread.currentThread().interrupt();
                                Timeout.call(FOREVER, () -> "done");
                                return Thread.interrupted();
                            })
                            .join(LONG))
                    .isTrue();
        }

        @Test
        void aHotLoop_timesOut() throws Exception {
            Channel<Integer> channel = Channel.bounded(4);
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(() -> runtime.spawn(() -> Timeout.call(Duration.ofMillis(20), () -> {
                                while (true) {
                                    channel.send(1);
                                    channel.receive();
                                }
                            }))
                            .join(LONG))
                    .withCauseInstanceOf(TimeoutException.class);
        }

        @Test
        void aHotLoopOnASemaphore_timesOut_andLeaksNoPermit() throws Exception {
            Semaphore semaphore = Semaphore.of(1);
            runtime.blockOn(() -> {
                assertThatExceptionOfType(TimeoutException.class)
                        .isThrownBy(() -> Timeout.call(Duration.ofMillis(10), () -> {
                            while (true) {
                                semaphore.acquire().close();
                            }
                        }));
            });
            assertThat(semaphore.availablePermits()).isOne();
        }

        /** One interrupt flag serves all regions: leaving the inner one must not take the outer one's interrupt along. */
        @Test
        void anInnerDeadlineThatWasOverrun_leavesTheInterruptOfTheOuterOne() throws Exception {
            runtime.blockOn(() -> {
                assertThatExceptionOfType(TimeoutException.class)
                        .isThrownBy(() -> Timeout.call(Duration.ofMillis(60), () -> {
                            Timeout.call(Duration.ofMillis(10), () -> spinFor(Duration.ofMillis(200)));
                            Thread.sleep(FOREVER);
                        }));
                assertThat(Thread.interrupted()).isFalse();
            });
        }

        /** The race the delivery protocol is for: the body ends just as the deadline sends its interrupt. */
        @Test
        void noInterrupt_arrivesAfterTheCall() throws Exception {
            List<JoinHandle<Integer>> tasks = new ArrayList<>();
            for (int t = 0; t < 8; t++) {
                int seed = t;
                tasks.add(runtime.spawn(() -> {
                    int late = 0;
                    for (int i = 0; i < 400; i++) {
                        // A spin around the deadline's delivery; the tick it falls on is at most 1 ms away.
                        Duration spin = Duration.ofNanos((i * 7_919L + seed * 104_729L) % 1_500_000);
                        try {
                            Timeout.call(Duration.ofNanos(1), () -> spinFor(spin));
                        } catch (TimeoutException e) {
                            throw new AssertionError("a body without waits cannot time out", e);
                        }
                        if (Thread.interrupted()) {
                            late++;
                        }
                        LockSupport.parkNanos(1);
                        if (Thread.interrupted()) {
                            late++;
                        }
                    }
                    return late;
                }));
            }
            for (JoinHandle<Integer> task : tasks) {
                assertThat(task.join(Duration.ofSeconds(40))).isZero();
            }
        }

        /** On a platform thread too, where the deadline comes from another runtime's driver. */
        @Test
        void aDeadlineThatHasPassedAtTheStart_interruptsAForeignWait() throws Exception {
            for (int i = 0; i < 300; i++) {
                assertThatExceptionOfType(TimeoutException.class)
                        .isThrownBy(
                                () -> Timeout.call(Duration.ofNanos(1), () -> Thread.sleep(Duration.ofSeconds(20))));
            }
        }

        @Test
        void onAPlatformThread_everyWaitEndsAndNothingIsLeft() {
            Channel<Integer> channel = Channel.bounded(1);
            for (int i = 0; i < 20; i++) {
                assertThatExceptionOfType(TimeoutException.class)
                        .isThrownBy(() -> Timeout.call(Duration.ofMillis(2), () -> channel.receive()));
                assertThat(Thread.currentThread().isInterrupted()).isFalse();
            }
        }

        @Test
        void onAVirtualThreadOfTheJdk_aBoundedWaitEnds() throws Exception {
            CompletableFuture<String> seen = new CompletableFuture<>();
            Thread.ofVirtual()
                    .start(() -> {
                        try {
                            seen.complete("received " + Channel.bounded(1).receive(Duration.ofMillis(2)));
                        } catch (TimeoutException | InterruptedException e) {
                            seen.complete(e.getClass().getSimpleName());
                        }
                    })
                    .join();
            assertThat(seen.join()).isEqualTo("TimeoutException");
        }
    }

    @Test
    void aTaskThatWaitsUninterruptibly_keepsTheAbortForAfter() throws Exception {
        Channel<Integer> gate = Channel.bounded(1);
        AtomicBoolean closing = new AtomicBoolean();
        TaskProbe<String> task = TaskProbe.spawn(runtime, () -> {
            JoinSet<Integer> set = JoinSet.open();
            Channel<Integer> began = Channel.bounded(1);
            set.spawn(() -> Task.shield(() -> {
                began.send(1);
                return gate.receive();
            }));
            began.receive();
            closing.set(true);
            set.close(); // aborts the child, and waits for it
            try {
                Task.sleep(FOREVER);
            } catch (TaskCancelledException e) {
                return "cancelled after closing";
            }
            return "slept";
        });
        Observe.until("the set is being closed", closing::get);
        task.untilParked();
        task.handle().abort();
        gate.send(1);
        assertThat(task.handle().result(LONG)).isEqualTo(new JoinResult.Success<>("cancelled after closing"));
    }

    @Test
    void abortsOfForeignWaits_areDeliveredWhileTheBlockingPoolIsFull() throws Exception {
        try (TaskRuntime small = TaskRuntime.builder()
                .workerThreads(1)
                .maxBlockingThreads(1)
                .shutdownTimeout(Duration.ofSeconds(2))
                .build()) {
            CountDownLatch release = new CountDownLatch(1);
            TaskProbe<Object> job = TaskProbe.spawnBlocking(small, () -> {
                        release.await();
                        return null;
                    })
                    .untilParked();
            TaskProbe<Object> sleeper = TaskProbe.spawn(small, () -> {
                        Thread.sleep(FOREVER);
                        return null;
                    })
                    .untilParked();
            sleeper.handle().abort();
            assertThat(sleeper.handle().result(Duration.ofSeconds(5))).isInstanceOf(JoinResult.Cancelled.class);
            release.countDown();
            job.handle().join(LONG);
        }
    }
}
