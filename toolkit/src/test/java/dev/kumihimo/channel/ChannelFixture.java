package dev.kumihimo.channel;

import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.support.Observe;
import java.time.Duration;
import java.util.stream.Stream;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.provider.Arguments;

/** A runtime, and tasks that are known to wait at a point. */
abstract class ChannelFixture {
    static final Duration LONG = Duration.ofSeconds(20);

    final TaskRuntime runtime = TaskRuntime.builder().workerThreads(2).build();

    @AfterEach
    void closeRuntime() {
        runtime.close();
    }

    /** Starts a task and returns once it waits at the channel. */
    <T> JoinHandle<T> waitingAt(Channel<?> channel, Body<T, ?> body) {
        return waitingAt(channel.waitPoint(), body);
    }

    <T> JoinHandle<T> waitingAt(Oneshot<?> oneshot, Body<T, ?> body) {
        return waitingAt((WaitPoint) oneshot, body);
    }

    private <T> JoinHandle<T> waitingAt(WaitPoint point, Body<T, ?> body) {
        JoinHandle<T> task = runtime.spawn(body);
        Observe.until("a task waits at " + point, () -> {
            var open = ((Waiter) task).openWait();
            return open != null && open.point == point;
        });
        return task;
    }

    /** Starts a task and returns once it waits in a select, or anywhere. */
    <T> JoinHandle<T> waiting(Body<T, ?> body) {
        JoinHandle<T> task = runtime.spawn(body);
        Observe.until("a task waits", () -> ((Waiter) task).openWait() != null);
        return task;
    }

    static void abort(JoinHandle<?> task) throws Exception {
        task.abort();
        Assertions.assertThat(task.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
    }

    static Throwable failure(JoinHandle<?> task) throws Exception {
        JoinResult<?> result = task.result(LONG);
        Assertions.assertThat(result).isInstanceOf(JoinResult.Failure.class);
        return ((JoinResult.Failure<?>) result).exception();
    }

    /** How a wait is ended from outside without effect. */
    static Stream<Arguments> ends() {
        return Stream.of(Arguments.of("abort", (Ender) ChannelFixture::abort), Arguments.of("interrupt", (Ender)
                task -> {
                    ((Waiter) task).thread().interrupt();
                    Assertions.assertThat(failure(task)).isInstanceOf(InterruptedException.class);
                }));
    }

    interface Ender {
        void end(JoinHandle<?> task) throws Exception;
    }
}
