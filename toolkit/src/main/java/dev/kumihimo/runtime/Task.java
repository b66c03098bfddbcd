package dev.kumihimo.runtime;

import dev.kumihimo.internal.wait.CancelScope;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.Waiter;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A running task as it sees itself, and what a task does to itself: spawn others, yield, sleep, shield its cleanup.
 *
 * <pre>{@code
 * JoinHandle<User> user = Task.spawn(() -> users.load(id));
 * Task.sleep(Duration.ofMillis(10));
 * String text = Task.blocking(() -> Files.readString(path));
 * }</pre>
 *
 * <p>The static methods use the runtime of the calling task, blocking job or carrier, and outside of any
 * {@link TaskRuntime#global()}.
 *
 * @since 0.1
 */
public sealed interface Task permits RuntimeTask {
    /** {@return the task's id, unique in this JVM} */
    long id();

    /** {@return the task's name, {@code task-<id>} if it was given none} */
    String name();

    /** {@return the runtime that runs it} */
    TaskRuntime runtime();

    /** {@return whether it was asked to end} Regions inside it, such as a timeout, do not count. */
    boolean isAborted();

    /**
     * {@return the calling task or blocking job}
     *
     * @throws IllegalStateException outside of any, also in threads that a task started by other means
     */
    static Task current() {
        Task task = currentOrNull();
        if (task == null) {
            throw new IllegalStateException(
                    "thread \"" + Thread.currentThread().getName() + "\" is not a task of a TaskRuntime");
        }
        return task;
    }

    /** {@return the calling task or blocking job, or null outside of any} */
    static @Nullable Task currentOrNull() {
        return Waiter.currentTask() instanceof RuntimeTask<?> task ? task : null;
    }

    /**
     * Starts a task in the ambient runtime, see {@link TaskRuntime#spawn(Body)}.
     *
     * @param body what it runs
     * @param <T> its result
     * @return its handle; already cancelled if the runtime is shut down
     */
    static <T extends @Nullable Object> JoinHandle<T> spawn(Body<T, ?> body) {
        return TaskRuntime.current().spawn(body);
    }

    /**
     * Starts a task without a result in the ambient runtime, see {@link TaskRuntime#spawn(Body)}.
     *
     * @param body what it runs
     * @return its handle; already cancelled if the runtime is shut down
     */
    static JoinHandle<@Nullable Void> spawn(VoidBody<?> body) {
        return TaskRuntime.current().spawn(body);
    }

    /**
     * Starts a blocking job in the ambient runtime, see {@link TaskRuntime#spawnBlocking(Body)}.
     *
     * @param body what it runs
     * @param <T> its result
     * @return its handle; already cancelled if the runtime is shut down
     * @throws java.util.concurrent.RejectedExecutionException if there is no room for it
     */
    static <T extends @Nullable Object> JoinHandle<T> spawnBlocking(Body<T, ?> body) {
        return TaskRuntime.current().spawnBlocking(body);
    }

    /**
     * Starts a blocking job without a result in the ambient runtime, see {@link TaskRuntime#spawnBlocking(Body)}.
     *
     * @param body what it runs
     * @return its handle; already cancelled if the runtime is shut down
     * @throws java.util.concurrent.RejectedExecutionException if there is no room for it
     */
    static JoinHandle<@Nullable Void> spawnBlocking(VoidBody<?> body) {
        return TaskRuntime.current().spawnBlocking(body);
    }

    /**
     * Starts a blocking job in the ambient runtime once there is room for it, see
     * {@link TaskRuntime#spawnBlockingWhenRoom(Body)}.
     *
     * @param body what it runs
     * @param <T> its result
     * @return its handle; already cancelled if the runtime is shut down
     * @throws InterruptedException if the caller was interrupted or cancelled while it waited; nothing was started
     */
    static <T extends @Nullable Object> JoinHandle<T> spawnBlockingWhenRoom(Body<T, ?> body)
            throws InterruptedException {
        return TaskRuntime.current().spawnBlockingWhenRoom(body);
    }

    /**
     * Starts a blocking job without a result in the ambient runtime once there is room for it, see
     * {@link TaskRuntime#spawnBlockingWhenRoom(Body)}.
     *
     * @param body what it runs
     * @return its handle; already cancelled if the runtime is shut down
     * @throws InterruptedException if the caller was interrupted or cancelled while it waited; nothing was started
     */
    static JoinHandle<@Nullable Void> spawnBlockingWhenRoom(VoidBody<?> body) throws InterruptedException {
        return TaskRuntime.current().spawnBlockingWhenRoom(body);
    }

    /**
     * Runs a body on the blocking pool and waits for it: for files, JDBC, native calls and long computations, which would
     * hold a carrier. If the caller is cancelled or interrupted meanwhile, the job is aborted, which interrupts it, and the
     * call ends when the job has ended. Where the pool's queue is bounded and full it waits first for room, in the order in
     * which the callers came. {@code ScopedValue}s of the caller do not reach the body, and thread-locals only by
     * {@link TaskRuntime.Builder#contextPropagation}.
     *
     * @param body what to run
     * @param <T> its result
     * @param <X> what it throws
     * @return its result
     * @throws X if the body throws it; unchecked exceptions and errors likewise come as they are
     * @throws InterruptedException if the caller was interrupted or cancelled; the job has ended, or never begun
     */
    static <T extends @Nullable Object, X extends Exception> T blocking(Body<T, X> body)
            throws X, InterruptedException {
        return RuntimeTask.<T, X>joinInPlace(TaskRuntime.current().spawnBlockingWhenRoom(body));
    }

    /**
     * As {@link #blocking(Body)}, without a result.
     *
     * @param body what to run
     * @param <X> what it throws
     * @throws X if the body throws it
     * @throws InterruptedException if the caller was interrupted or cancelled; the job has ended, or never begun
     */
    static <X extends Exception> void blocking(VoidBody<X> body) throws X, InterruptedException {
        RuntimeTask.<@Nullable Void, X>joinInPlace(TaskRuntime.current().spawnBlockingWhenRoom(body));
    }

    /** Lets others run: the caller goes to the end of its carrier's queue. Does not look at interrupts or cancellation. */
    static void yieldNow() {
        Thread.yield();
    }

    /**
     * Waits for a time, in the runtime's timers: never shorter, and longer by up to 0.25 ms of rounding, and another
     * millisecond while the runtime has sockets, plus the scheduling delay. Zero or less yields once. A time that overflows the clock never ends.
     *
     * @param duration how long
     * @throws InterruptedException if interrupted or cancelled first
     */
    static void sleep(Duration duration) throws InterruptedException {
        Waiter waiter = Waiter.current();
        if (duration.isNegative() || duration.isZero()) {
            Thread.yield();
            waiter.checkCancelled();
            return;
        }
        Wait.forDeadline().await(TimerService.deadline(waiter.nanoTime(), duration));
    }

    /**
     * Throws if the calling task, or an enclosing region of it, is cancelled, or the thread is interrupted: for loops that
     * compute and never wait.
     *
     * @throws InterruptedException if so; {@link TaskCancelledException} if cancelled
     */
    static void checkCancelled() throws InterruptedException {
        Waiter.current().checkCancelled();
    }

    /**
     * Runs a body that cancellation from outside does not reach: for cleanup that must wait. Waits in it go on as if the task
     * were not cancelled; regions begun inside it are cancelled as usual. Interrupts that came before it are given back
     * after it.
     *
     * @param body what to run
     * @param <T> its result
     * @param <X> what it throws
     * @return its result
     * @throws X if the body throws it
     */
    static <T extends @Nullable Object, X extends Exception> T shield(Body<T, X> body) throws X {
        CancelScope shield = new Shield(Waiter.current());
        shield.enter();
        try {
            return body.call();
        } finally {
            shield.leave();
        }
    }

    /**
     * As {@link #shield(Body)}, without a result.
     *
     * @param body what to run
     * @param <X> what it throws
     * @throws X if the body throws it
     */
    static <X extends Exception> void shield(VoidBody<X> body) throws X {
        Task.<@Nullable Void, X>shield(() -> {
            body.run();
            return null;
        });
    }
}
