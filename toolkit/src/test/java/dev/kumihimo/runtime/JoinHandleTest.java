package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.select.Select;
import dev.kumihimo.support.Observe;
import dev.kumihimo.support.TaskProbe;
import dev.kumihimo.sync.Semaphore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Joining, and the handle as a {@link Future}. */
@Timeout(value = 30, threadMode = ThreadMode.SEPARATE_THREAD)
class JoinHandleTest {
    private static final Duration LONG = Duration.ofSeconds(10);

    private final TaskRuntime runtime = TaskRuntime.builder().workerThreads(2).build();
    private final Channel<String> gate = Channel.bounded(1);

    @AfterEach
    void close() {
        runtime.close();
    }

    @Test
    void join_returnsTheValue_alsoNull_alsoRepeatedly() throws Exception {
        JoinHandle<String> handle = runtime.spawn(() -> "value");
        assertThat(handle.join()).isEqualTo("value");
        assertThat(handle.join()).isEqualTo("value");
        assertThat(handle.result()).isEqualTo(new JoinResult.Success<>("value"));
        JoinHandle<String> none = runtime.spawn(() -> (String) null);
        assertThat(none.join()).isNull();
        assertThat(none.result()).isEqualTo(new JoinResult.Success<>(null));
    }

    @Test
    void join_ofAFailure_throwsItAsTheCause() {
        IllegalArgumentException thrown = new IllegalArgumentException("bad");
        JoinHandle<Object> handle = runtime.spawn(() -> fail(thrown));
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(handle::join)
                .withCause(thrown);
    }

    private static Object fail(RuntimeException e) {
        throw e;
    }

    @Test
    void join_ofAnError_throwsItAsTheCause() {
        JoinHandle<Object> handle = runtime.spawn(() -> {
            if (gate != null) {
                throw new AssertionError("broken");
            }
            return null;
        });
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(handle::join)
                .havingCause()
                .isInstanceOf(AssertionError.class)
                .withMessage("broken");
    }

    @Test
    void join_ofACancelledTask_tellsThatItWasNotTheCallerWhoWasCancelled() {
        JoinHandle<String> handle =
                TaskProbe.spawn(runtime, gate::receive).untilParked().handle();
        handle.abort();
        assertThatExceptionOfType(TaskCancelledException.class)
                .isThrownBy(handle::join)
                .satisfies(e -> {
                    assertThat(e.isOwn()).isFalse();
                    assertThat(e.reason().kind()).isEqualTo(CancelReason.Kind.ABORT);
                });
    }

    @Test
    void join_byManyTasksAndThreads_servesAll() throws Exception {
        JoinHandle<String> handle = runtime.spawn(() -> gate.receive());
        List<JoinHandle<String>> joiners = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            joiners.add(TaskProbe.spawn(runtime, handle::join).untilParked().handle());
        }
        CompletableFuture<String> outside = new CompletableFuture<>();
        Thread platform = Thread.ofPlatform().start(() -> {
            try {
                outside.complete(handle.join());
            } catch (Exception e) {
                outside.completeExceptionally(e);
            }
        });
        Observe.untilParked(platform);
        gate.send("done");
        for (JoinHandle<String> joiner : joiners) {
            assertThat(joiner.join(LONG)).isEqualTo("done");
        }
        assertThat(outside.get(10, TimeUnit.SECONDS)).isEqualTo("done");
    }

    @Test
    void join_interruptedOrTimedOut_leavesTheTaskAlone() throws Exception {
        JoinHandle<String> handle = runtime.spawn(() -> gate.receive());
        assertThatExceptionOfType(TimeoutException.class)
                .isThrownBy(() -> handle.join(Duration.ofMillis(5)))
                .withMessageContaining(handle.name());
        assertThatExceptionOfType(TimeoutException.class).isThrownBy(() -> handle.join(Duration.ZERO));
        Thread.currentThread().interrupt();
        assertThatExceptionOfType(InterruptedException.class).isThrownBy(handle::join);
        assertThat(Thread.interrupted()).isFalse();
        gate.send("unharmed");
        assertThat(handle.join(LONG)).isEqualTo("unharmed");
    }

    @Test
    void join_ofAnEndedTask_doesNotNeedTimeAndIgnoresAPendingInterrupt() throws Exception {
        JoinHandle<Integer> handle = runtime.spawn(() -> 1);
        handle.join();
        assertThat(handle.join(Duration.ZERO)).isOne();
        Thread.currentThread().interrupt();
        assertThat(handle.join()).isOne();
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void join_ofOneself_isRefused() throws Exception {
        CompletableFuture<JoinHandle<Object>> self = new CompletableFuture<>();
        JoinHandle<Object> handle = runtime.spawn(() -> self.get().join());
        self.complete(handle);
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(() -> handle.join(LONG))
                .havingCause()
                .isInstanceOf(IllegalStateException.class)
                .withMessageContaining("its own end");
    }

    @Test
    void tryResult_isNullUntilTheTaskHasEnded() throws Exception {
        JoinHandle<String> handle = runtime.spawn(() -> gate.receive());
        assertThat(handle.tryResult()).isNull();
        assertThat(handle.isFinished()).isFalse();
        gate.send("now");
        handle.join(LONG);
        assertThat(handle.isFinished()).isTrue();
        assertThat(handle.tryResult()).isEqualTo(new JoinResult.Success<>("now"));
    }

    @Test
    void resultGet_throwsAccordingToTheOutcome() throws Exception {
        assertThat(new JoinResult.Success<>(3).get()).isEqualTo(3);
        Exception cause = new Exception("x");
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(() -> new JoinResult.Failure<>(cause).get())
                .withCause(cause);
        CancelReason reason = new CancelReason(CancelReason.Kind.TOKEN, "stop");
        assertThatExceptionOfType(TaskCancelledException.class)
                .isThrownBy(() -> new JoinResult.Cancelled<>(reason).get())
                .withMessageContaining("stop");
    }

    /* ---------------- As a Future -------------- */

    @Test
    void asFuture_ofASuccess() throws Exception {
        Future<String> future = runtime.spawn(() -> gate.receive());
        assertThat(future.state()).isEqualTo(Future.State.RUNNING);
        assertThat(future.isDone()).isFalse();
        assertThatIllegalStateException().isThrownBy(future::resultNow);
        assertThatIllegalStateException().isThrownBy(future::exceptionNow);
        assertThatExceptionOfType(TimeoutException.class).isThrownBy(() -> future.get(1, TimeUnit.MILLISECONDS));
        gate.send("x");
        assertThat(future.get(10, TimeUnit.SECONDS)).isEqualTo("x");
        assertThat(future.get()).isEqualTo("x");
        assertThat(future.state()).isEqualTo(Future.State.SUCCESS);
        assertThat(future.resultNow()).isEqualTo("x");
        assertThat(future.isDone()).isTrue();
        assertThat(future.isCancelled()).isFalse();
        assertThat(future.cancel(true)).isFalse();
        assertThatIllegalStateException().isThrownBy(future::exceptionNow);
    }

    @Test
    void asFuture_ofAFailure() {
        IllegalArgumentException thrown = new IllegalArgumentException("bad");
        Future<Object> future = runtime.spawn(() -> fail(thrown));
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(future::get)
                .withCause(thrown);
        assertThat(future.state()).isEqualTo(Future.State.FAILED);
        assertThat(future.exceptionNow()).isSameAs(thrown);
        assertThatIllegalStateException().isThrownBy(future::resultNow);
        assertThat(future.isCancelled()).isFalse();
    }

    @Test
    void asFuture_cancelled() throws Exception {
        Future<String> future =
                TaskProbe.spawn(runtime, gate::receive).untilParked().handle();
        assertThat(future.cancel(false)).isTrue();
        assertThatExceptionOfType(CancellationException.class).isThrownBy(future::get);
        assertThat(future.state()).isEqualTo(Future.State.CANCELLED);
        assertThat(future.isCancelled()).isTrue();
        assertThat(future.isDone()).isTrue();
        assertThatIllegalStateException().isThrownBy(future::exceptionNow);
    }

    @Test
    void asFuture_getWithTheLongestTimeout_waits() throws Exception {
        Future<String> future = runtime.spawn(() -> gate.receive());
        gate.send("x");
        assertThat(future.get(Long.MAX_VALUE, TimeUnit.SECONDS)).isEqualTo("x");
        assertThat(runtime.spawn(() -> 1).get(Long.MAX_VALUE, TimeUnit.DAYS)).isOne();
    }

    /* ---------------- Selecting -------------- */

    @Test
    void select_joinsWhicheverEndsFirst_andLeavesNoWaiterAtTheOther() throws Exception {
        JoinHandle<String> slow = runtime.spawn(() -> gate.receive());
        Channel<String> quickGate = Channel.bounded(1);
        JoinHandle<String> quick = runtime.spawn(() -> quickGate.receive());
        TaskProbe<String> selecting = TaskProbe.spawn(
                        runtime,
                        () -> Select.<String>of()
                                .onJoin(slow, result -> "slow " + result)
                                .onJoin(quick, result -> "quick " + result)
                                .await())
                .untilParked();
        assertThat(((RuntimeTask<?>) slow).hasJoiners()).isTrue();
        quickGate.send("value");
        assertThat(selecting.handle().join(LONG)).isEqualTo("quick Success[value=value]");
        assertThat(((RuntimeTask<?>) slow).hasJoiners()).isFalse();
        gate.send("later");
        assertThat(slow.join(LONG)).isEqualTo("later");
    }

    @Test
    void select_ofAHandle_timedOutInterruptedOrAborted_leavesNoWaiter() throws Exception {
        JoinHandle<String> handle = runtime.spawn(() -> gate.receive());
        assertThat(Select.<String>of()
                        .onJoin(handle, result -> "joined")
                        .after(Duration.ofMillis(2), () -> "late")
                        .await())
                .isEqualTo("late");
        assertThat(Select.<String>of()
                        .onJoin(handle, result -> "joined")
                        .otherwise(() -> "not yet")
                        .await())
                .isEqualTo("not yet");
        for (boolean abort : new boolean[] {true, false}) {
            TaskProbe<String> selecting = TaskProbe.spawn(
                            runtime,
                            () -> Select.<String>of()
                                    .onJoin(handle, result -> "joined")
                                    .await())
                    .untilParked();
            if (abort) {
                selecting.handle().abort();
            } else {
                selecting.thread().interrupt();
            }
            assertThat(selecting.handle().result(LONG).isSuccess()).isFalse();
        }
        assertThat(((RuntimeTask<?>) handle).hasJoiners()).isFalse();
        gate.send("done");
        assertThat(handle.join(LONG)).isEqualTo("done");
    }

    @Test
    void select_ofAHandleThatHasEnded_isReady_howeverItEnded() throws Exception {
        JoinHandle<Integer> success = runtime.spawn(() -> 1);
        JoinHandle<Object> failure = runtime.spawn(() -> fail(new IllegalStateException("bad")));
        success.result();
        failure.result();
        assertThat(Select.<JoinResult<Integer>>of()
                        .onJoin(success, result -> result)
                        .await())
                .isEqualTo(new JoinResult.Success<>(1));
        assertThat(Select.<JoinResult<Object>>of()
                        .onJoin(failure, result -> result)
                        .await())
                .isInstanceOf(JoinResult.Failure.class);
    }

    @Test
    void select_racingTheEnd_missesNothing() throws Exception {
        for (int round = 0; round < 2_000; round++) {
            JoinHandle<Integer> one = runtime.spawn(() -> 1);
            JoinHandle<Integer> two = runtime.spawn(() -> 2);
            JoinHandle<Integer> selecting = runtime.spawn(() -> Select.<Integer>of()
                    .onJoin(one, result -> 1)
                    .onJoin(two, result -> 2)
                    .await());
            assertThat(selecting.join(LONG)).isBetween(1, 2);
        }
    }

    @Test
    void spawn_takesAMethodReferenceWithAResult_alsoOfAnOverloadedMethod() throws Exception {
        gate.send("by reference");
        JoinHandle<String> handle = runtime.spawn(gate::receive);
        assertThat(handle.join(LONG)).isEqualTo("by reference");
        Semaphore semaphore = Semaphore.of(1);
        JoinHandle<Void> nothing = runtime.spawn(semaphore::close);
        assertThat(nothing.join(LONG)).isNull();
    }
}
