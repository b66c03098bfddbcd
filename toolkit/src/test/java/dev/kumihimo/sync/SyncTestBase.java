package dev.kumihimo.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.runtime.VoidBody;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;

/** A runtime for each test, and tasks that are seen to wait. */
@Timeout(60)
abstract class SyncTestBase {
    static final Duration LONG = Duration.ofSeconds(10);
    static final Duration FOREVER = Duration.ofDays(1);
    static final Duration SHORT = Duration.ofMillis(5);

    TaskRuntime runtime;

    @BeforeEach
    void open() {
        runtime = TaskRuntime.builder().workerThreads(2).build();
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    /** Starts a task and returns once it waits. */
    <T> JoinHandle<T> waiting(Body<T, ?> body) {
        JoinHandle<T> task = runtime.spawn(body);
        untilWaits(task);
        return task;
    }

    /** Starts a task without a result and returns once it waits. */
    JoinHandle<?> waiting(VoidBody<?> body) {
        JoinHandle<?> task = runtime.spawn(body);
        untilWaits(task);
        return task;
    }

    static void untilWaits(JoinHandle<?> task) {
        await().until(() -> ((Waiter) task).openWait() != null);
    }

    static void assertCancelled(JoinHandle<?> task) throws Exception {
        assertThat(task.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
    }

    static Throwable failure(JoinHandle<?> task) throws Exception {
        return ((JoinResult.Failure<?>) task.result(LONG)).exception();
    }
}
