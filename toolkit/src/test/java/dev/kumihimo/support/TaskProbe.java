package dev.kumihimo.support;

import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import java.util.concurrent.CompletableFuture;

/** A spawned task whose thread the test can watch. */
public final class TaskProbe<T> {
    private final CompletableFuture<Thread> thread = new CompletableFuture<>();
    private final JoinHandle<T> handle;

    private TaskProbe(TaskRuntime runtime, Body<T, ?> body, boolean blocking) {
        Body<T, Exception> watched = () -> {
            thread.complete(Thread.currentThread());
            return body.call();
        };
        handle = blocking ? runtime.spawnBlocking(watched) : runtime.spawn(watched);
    }

    /** Starts a task. */
    public static <T> TaskProbe<T> spawn(TaskRuntime runtime, Body<T, ?> body) {
        return new TaskProbe<>(runtime, body, false);
    }

    /** Starts a blocking job. */
    public static <T> TaskProbe<T> spawnBlocking(TaskRuntime runtime, Body<T, ?> body) {
        return new TaskProbe<>(runtime, body, true);
    }

    /** {@return its thread, once it runs} */
    public Thread thread() {
        return thread.join();
    }

    /** {@return its handle} */
    public JoinHandle<T> handle() {
        return handle;
    }

    /** Returns once the task waits for something. */
    public TaskProbe<T> untilParked() {
        Observe.untilParked(thread());
        return this;
    }
}
