package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.sync.Semaphore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class CancellationTest {
    private static final Duration LONG = Duration.ofHours(1);
    private static final Duration SOON = Duration.ofMillis(10);

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

    private static <T> CancelReason.Kind cancelledBy(JoinHandle<T> task) throws Exception {
        return ((JoinResult.Cancelled<T>) task.result(Duration.ofSeconds(20)))
                .reason()
                .kind();
    }

    static Stream<Arguments> toolkitWaits() {
        return Stream.of(
                Arguments.of("receive", (VoidBody<Exception>)
                        () -> Channel.bounded(1).receive()),
                Arguments.of(
                        "send", (VoidBody<Exception>) () -> Channel.rendezvous().send(1)),
                Arguments.of(
                        "acquire", (VoidBody<Exception>) () -> Semaphore.of(0).acquire()),
                Arguments.of("sleep", (VoidBody<Exception>) () -> Task.sleep(LONG)),
                Arguments.of("join", (VoidBody<Exception>)
                        () -> Task.spawn(() -> Task.sleep(LONG)).join()),
                Arguments.of("timed receive", (VoidBody<Exception>)
                        () -> Channel.bounded(1).receive(LONG)),
                Arguments.of("select", (VoidBody<Exception>) () -> dev.kumihimo.select.Select.of()
                        .onReceive(Channel.bounded(1), i -> i)
                        .onReceive(Channel.bounded(1), i -> i)
                        .await()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("toolkitWaits")
    void abort_endsAToolkitWait_withoutAnInterrupt_andStaysInForce(String name, VoidBody<Exception> wait)
            throws Exception {
        List<Throwable> seen = new ArrayList<>();
        AtomicBoolean flag = new AtomicBoolean(true);
        JoinHandle<?> task = waiting(runtime.spawn(() -> {
            for (int i = 0; i < 3; i++) {
                try {
                    wait.run();
                } catch (InterruptedException e) {
                    seen.add(e);
                    flag.set(Thread.currentThread().isInterrupted());
                }
            }
            Task.sleep(LONG);
        }));
        task.abort();
        assertThat(cancelledBy(task)).isEqualTo(CancelReason.Kind.ABORT);
        assertThat(seen).hasSize(3).allMatch(e -> e instanceof TaskCancelledException own && own.isOwn());
        assertThat(flag).isFalse();
    }

    static Stream<Arguments> foreignWaits() {
        return Stream.of(
                Arguments.of("Thread.sleep", (VoidBody<Exception>) () -> Thread.sleep(LONG)),
                Arguments.of("BlockingQueue.take", (VoidBody<Exception>) () -> new LinkedBlockingQueue<>().take()),
                Arguments.of("park", (VoidBody<Exception>) () -> {
                    while (!Thread.interrupted()) {
                        LockSupport.park();
                    }
                    throw new InterruptedException();
                }));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("foreignWaits")
    void abort_interruptsAForeignWait(String name, VoidBody<Exception> wait) throws Exception {
        Semaphore started = Semaphore.of(0);
        JoinHandle<?> task = runtime.spawn(() -> {
            started.release(1);
            wait.run();
        });
        started.acquire().forget();
        task.abort();
        assertThat(cancelledBy(task)).isEqualTo(CancelReason.Kind.ABORT);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("foreignWaits")
    void aDeadline_interruptsAForeignWait_andNoInterruptIsLeft(String name, VoidBody<Exception> wait) throws Exception {
        boolean flag = runtime.<Boolean, Exception>blockOn(() -> {
            assertThatThrownBy(() -> dev.kumihimo.time.Timeout.call(SOON, wait)).isInstanceOf(TimeoutException.class);
            Task.sleep(SOON); // a plain wait afterwards is not disturbed
            return Thread.interrupted();
        });
        assertThat(flag).isFalse();
    }

    @Test
    void aTaskAbortedBeforeItBegins_neverRuns() throws Exception {
        try (var single = TaskRuntime.builder().workerThreads(1).build()) {
            AtomicBoolean ran = new AtomicBoolean();
            JoinHandle<?> outer = single.spawn(() -> {
                JoinHandle<?> inner = Task.spawn(() -> ran.set(true));
                inner.abort();
                return inner.result();
            });
            assertThat(outer.join()).isInstanceOf(JoinResult.Cancelled.class);
            assertThat(ran).isFalse();
        }
    }

    @Test
    void aBodyThatReturns_succeeds_evenIfItWasAborted_andOneThatFailsFails() throws Exception {
        JoinHandle<String> stubborn = waiting(runtime.spawn(() -> {
            try {
                Task.sleep(LONG);
            } catch (TaskCancelledException e) {
                return "finished anyway";
            }
            return "?";
        }));
        stubborn.abort();
        assertThat(stubborn.join()).isEqualTo("finished anyway");
        JoinHandle<?> failing = waiting(runtime.spawn(() -> {
            try {
                Task.sleep(LONG);
            } finally {
                throwing();
            }
        }));
        failing.abort();
        assertThat(((JoinResult.Failure<?>) failing.result()).exception()).hasMessage("cleanup broke");
    }

    private static void throwing() {
        throw new IllegalStateException("cleanup broke");
    }

    @Test
    void join_returnsAfterTheCleanup_whichAShieldLetsWait() throws Exception {
        AtomicBoolean cleaned = new AtomicBoolean();
        JoinHandle<?> task = waiting(runtime.spawn(() -> {
            try {
                Task.sleep(LONG);
            } finally {
                Task.shield(() -> {
                    Task.sleep(SOON);
                    Thread.sleep(1);
                    cleaned.set(true);
                });
            }
        }));
        task.abort();
        assertThat(cancelledBy(task)).isEqualTo(CancelReason.Kind.ABORT);
        assertThat(cleaned).isTrue();
    }

    @Test
    void insideAShield_anAbortWaits_andStrikesAfterIt() throws Exception {
        Channel<Integer> channel = Channel.bounded(1);
        AtomicInteger got = new AtomicInteger();
        JoinHandle<?> task = waiting(runtime.spawn(() -> {
            Task.shield(() -> got.set(channel.receive()));
            Task.sleep(LONG);
        }));
        task.abort();
        channel.send(7);
        assertThat(cancelledBy(task)).isEqualTo(CancelReason.Kind.ABORT);
        assertThat(got.get()).isEqualTo(7);
    }

    @Test
    void insideAShield_aTimeoutOfItsOwnWorks() throws Exception {
        JoinHandle<?> task = waiting(runtime.spawn(() -> {
            try {
                Task.sleep(LONG);
            } catch (InterruptedException e) {
                Task.shield(() -> {
                    assertThatThrownBy(() -> dev.kumihimo.time.Timeout.call(SOON, () -> Task.sleep(LONG)))
                            .isInstanceOf(TimeoutException.class);
                });
                throw e;
            }
        }));
        task.abort();
        assertThat(cancelledBy(task)).isEqualTo(CancelReason.Kind.ABORT);
    }

    @Test
    void aPlainInterrupt_isOneShot_andNoCancellation() throws Exception {
        AtomicBoolean plain = new AtomicBoolean();
        JoinHandle<String> task = waiting(runtime.spawn(() -> {
            try {
                Task.sleep(LONG);
            } catch (InterruptedException e) {
                plain.set(!(e instanceof TaskCancelledException));
            }
            Task.sleep(Duration.ofMillis(1));
            return "went on";
        }));
        ((Waiter) task).thread().interrupt();
        assertThat(task.join()).isEqualTo("went on");
        assertThat(plain).isTrue();
        JoinHandle<?> uncaught = waiting(runtime.spawn(() -> Task.sleep(LONG)));
        ((Waiter) uncaught).thread().interrupt();
        assertThat(uncaught.result()).isInstanceOf(JoinResult.Failure.class);
    }

    @Test
    void onlyTheTimeoutThatExpired_throwsTimeoutException() throws Exception {
        runtime.blockOn(() -> {
            assertThatThrownBy(() -> dev.kumihimo.time.Timeout.call(SOON, () -> {
                        try {
                            dev.kumihimo.time.Timeout.call(LONG, () -> Task.sleep(LONG));
                        } catch (TimeoutException e) {
                            throw new AssertionError("the inner one has not expired", e);
                        }
                    }))
                    .isInstanceOf(TimeoutException.class);
            String inner = dev.kumihimo.time.Timeout.call(LONG, () -> {
                try {
                    dev.kumihimo.time.Timeout.call(SOON, () -> Task.sleep(LONG));
                } catch (TimeoutException e) {
                    Task.sleep(Duration.ofMillis(1)); // the outer region is alive and well
                    return "inner";
                }
                return "none";
            });
            assertThat(inner).isEqualTo("inner");
        });
    }

    @Test
    void whatIsReady_beatsADeadlineThatHasPassed_andAnEndlessOneNeverPasses() throws Exception {
        runtime.blockOn(() -> {
            Channel<Integer> channel = Channel.bounded(1);
            channel.send(1);
            assertThat(dev.kumihimo.time.Timeout.<Integer, Exception>call(Duration.ZERO, () -> channel.receive()))
                    .isEqualTo(1);
            assertThatThrownBy(() -> dev.kumihimo.time.Timeout.call(Duration.ZERO, () -> channel.receive()))
                    .isInstanceOf(TimeoutException.class);
            assertThat(dev.kumihimo.time.Timeout.<Integer, Exception>call(Duration.ofSeconds(Long.MAX_VALUE), () -> 5))
                    .isEqualTo(5);
        });
    }

    @Test
    void aHotLoop_isEndedByItsDeadline() throws Exception {
        runtime.blockOn(() -> {
            Semaphore semaphore = Semaphore.of(1);
            assertThatThrownBy(() -> dev.kumihimo.time.Timeout.call(SOON, () -> {
                        while (true) {
                            semaphore.acquire().close();
                        }
                    }))
                    .isInstanceOf(TimeoutException.class);
            assertThat(semaphore.availablePermits()).isEqualTo(1);
        });
    }

    @Test
    void platformThreads_haveTimeoutsAndBoundedWaitsToo() throws Exception {
        assertThatThrownBy(() -> dev.kumihimo.time.Timeout.call(
                        SOON, () -> Channel.bounded(1).receive()))
                .isInstanceOf(TimeoutException.class);
        assertThatThrownBy(() -> dev.kumihimo.time.Timeout.call(SOON, () -> Thread.sleep(LONG)))
                .isInstanceOf(TimeoutException.class);
        assertThat(Thread.interrupted()).isFalse();
        Task.sleep(Duration.ofMillis(1));
        AtomicBoolean timedOut = new AtomicBoolean();
        Thread foreign = Thread.ofVirtual().start(() -> {
            try {
                Channel.bounded(1).receive(SOON);
            } catch (TimeoutException e) {
                timedOut.set(true);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        foreign.join();
        assertThat(timedOut).isTrue();
    }

    /** One interrupt flag serves all regions: leaving the inner one must not take the outer one's interrupt along. */
    @Test
    void anInnerDeadlineThatWasOverrun_leavesTheInterruptOfTheOuterOne() throws Exception {
        runtime.blockOn(() -> {
            assertThatThrownBy(() -> dev.kumihimo.time.Timeout.call(Duration.ofMillis(60), () -> {
                        dev.kumihimo.time.Timeout.call(Duration.ofMillis(10), () -> computeFor(Duration.ofMillis(200)));
                        Thread.sleep(LONG);
                    }))
                    .isInstanceOf(TimeoutException.class);
            assertThat(Thread.interrupted()).isFalse();
        });
    }

    private static void computeFor(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < end) {
            Thread.onSpinWait();
        }
    }
}
