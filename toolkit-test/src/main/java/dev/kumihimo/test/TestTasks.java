package dev.kumihimo.test;

import dev.kumihimo.internal.carrier.LiveTask;
import dev.kumihimo.internal.driver.VirtualTimers;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * What a test wants to know of a task.
 *
 * <pre>{@code
 * Channel<String> channel = Channel.rendezvous();
 * JoinHandle<Void> sender = Task.spawn(() -> channel.send("hello"));
 * assertParked(sender);                                             // there is no receiver
 * assertThat(channel.receive()).isEqualTo("hello");
 * assertCompletesWithin(Duration.ofSeconds(1), sender);
 * }</pre>
 *
 * <p>Both may be called from tasks and from platform threads, in a {@link TestRuntime} and elsewhere.
 *
 * @since 0.1
 */
public final class TestTasks {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** How often a task of a test runtime is let run; less than what its scheduler takes for a circle. */
    private static final int TURNS = 1_000;

    private TestTasks() {}

    /**
     * {@return whether a task is parked: waiting in the toolkit for what has not happened, or in the JDK} In a {@link TestRuntime}
     * that is a fact, elsewhere how it was a moment ago.
     *
     * @param task the task
     */
    public static boolean isParked(JoinHandle<?> task) {
        LiveTask live = (LiveTask) task;
        Thread thread = live.threadOrNull();
        if (thread == null || task.isFinished()) {
            return false;
        }
        Wait wait = live.openWait();
        if (wait != null && wait.isDecided()) {
            return false; // about to resume
        }
        return switch (thread.getState()) {
            case WAITING, TIMED_WAITING, BLOCKED -> true;
            default -> false;
        };
    }

    /**
     * Checks that a task is parked: waiting in the toolkit for what has not happened, or in the JDK.
     *
     * <p>Called by a task, it lets the other run until it is. Called by a thread that drives a {@link TestRuntime}, it looks at
     * the task as it is, at rest; run what is ready first. Called by any other platform thread, it looks again and again, for up
     * to 10 s of real time. It takes no virtual time. A task that is parked can be woken by a third, at once outside of a test
     * runtime.
     *
     * @param task the task
     * @throws AssertionError if it has ended, or does not park; the message says what it does instead
     */
    public static void assertParked(JoinHandle<?> task) {
        boolean controlled = isControlled(task);
        boolean inTask = Thread.currentThread().isVirtual();
        long end = System.nanoTime() + PATIENCE_NANOS;
        for (int turn = 0; !isParked(task); turn++) {
            if (task.isFinished()) {
                throw new AssertionError(task + " is not parked: " + ended(task));
            }
            if (controlled && !inTask) {
                throw new AssertionError(task + " is not parked: it " + doing(task)
                        + "; let it run first, as by runUntilIdle() of its TestRuntime");
            }
            if (controlled ? turn == TURNS : System.nanoTime() - end >= 0) {
                throw new AssertionError(task + " is not parked: it " + doing(task) + ", after "
                        + (controlled ? TURNS + " yields in its favour" : "10 s of looking at it"));
            }
            if (inTask) {
                Thread.yield();
            } else {
                Thread.onSpinWait();
            }
        }
    }

    /**
     * Checks that a task ends within a time, and with a value. Called by a task, it waits for it: in virtual time in a
     * {@link TestRuntime}. A thread that drives one calls {@link #assertCompletesWithin(TestRuntime, Duration, JoinHandle)}.
     *
     * @param time the longest wait; with zero or a negative one it must have ended
     * @param task the task
     * @param <T> its result
     * @return its value
     * @throws AssertionError if it has not ended then, and the message says what it does; or if it failed, with what it threw as
     *     the cause, or was cancelled
     * @throws InterruptedException if the caller is interrupted or cancelled meanwhile
     * @throws IllegalStateException if the task is one of a test runtime and the caller is none
     */
    public static <T extends @Nullable Object> T assertCompletesWithin(Duration time, JoinHandle<T> task)
            throws InterruptedException {
        if (isControlled(task) && !Thread.currentThread().isVirtual() && !task.isFinished()) {
            throw new IllegalStateException(task + " runs only while its TestRuntime is driven:"
                    + " call assertCompletesWithin(test, time, task)");
        }
        JoinResult<T> result;
        try {
            result = task.result(time);
        } catch (TimeoutException e) {
            throw new AssertionError(task + " has not ended within " + time + ": it " + doing(task), e);
        }
        return switch (result) {
            case JoinResult.Success<T>(T value) -> value;
            case JoinResult.Failure<T>(Throwable exception) ->
                throw new AssertionError(task + " has not completed: it failed with " + exception, exception);
            case JoinResult.Cancelled<T> cancelled ->
                throw new AssertionError(task + " has not completed: it was cancelled: " + cancelled.reason());
        };
    }

    /**
     * As {@link #assertCompletesWithin(Duration, JoinHandle)}, for a thread that drives a runtime: runs all its tasks meanwhile,
     * and lets virtual time pass.
     *
     * @param test the runtime
     * @param time the longest wait, in virtual time
     * @param task a task of the runtime
     * @param <T> its result
     * @return its value
     * @throws AssertionError as there
     * @throws InterruptedException as there
     */
    public static <T extends @Nullable Object> T assertCompletesWithin(
            TestRuntime test, Duration time, JoinHandle<T> task) throws InterruptedException {
        return test.run(() -> assertCompletesWithin(time, task));
    }

    /** {@return whether a task runs only while somebody drives its runtime} Blocking jobs do not. */
    private static boolean isControlled(JoinHandle<?> task) {
        LiveTask live = (LiveTask) task;
        Thread thread = live.threadOrNull();
        return live.timers() instanceof VirtualTimers && (thread == null || thread.isVirtual());
    }

    /** {@return what a task that lives does, racy outside of a test runtime} */
    private static String doing(JoinHandle<?> task) {
        if (task.isFinished()) {
            return "has ended just then";
        }
        LiveTask live = (LiveTask) task;
        Wait wait = live.openWait();
        Thread thread = live.threadOrNull();
        if (wait != null) {
            return wait.isDecided() ? "has been waiting for " + wait + ", and is about to resume" : "waits for " + wait;
        }
        if (thread == null || thread.getState() == Thread.State.NEW) {
            return "has not begun";
        }
        Thread.State state = thread.getState();
        return state == Thread.State.RUNNABLE ? "runs, or is ready to" : "is in the JDK, " + state;
    }

    private static String ended(JoinHandle<?> task) {
        return switch (Objects.requireNonNull(task.tryResult())) {
            case JoinResult.Success<?>(Object value) -> "it has ended, with the value " + value;
            case JoinResult.Failure<?>(Throwable exception) -> "it has failed with " + exception;
            case JoinResult.Cancelled<?> cancelled -> "it was cancelled: " + cancelled.reason();
        };
    }
}
