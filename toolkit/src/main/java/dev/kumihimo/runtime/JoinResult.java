package dev.kumihimo.runtime;

import java.util.Objects;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * How a task ended: exactly one of three ways.
 *
 * <pre>{@code
 * switch (handle.result()) {
 *     case JoinResult.Success<Report>(var report) -> publish(report);
 *     case JoinResult.Failure<Report>(var exception) -> log.warn("no report", exception);
 *     case JoinResult.Cancelled<Report>(var reason) -> log.info("report cancelled: {}", reason);
 * }
 * }</pre>
 *
 * @param <T> the task's result
 * @since 0.1
 */
public sealed interface JoinResult<T extends @Nullable Object> {
    /**
     * The body returned, even if an abort was under way.
     *
     * @param value what it returned
     * @param <T> the task's result
     */
    record Success<T extends @Nullable Object>(T value) implements JoinResult<T> {}

    /**
     * The body threw something that was not the consequence of its cancellation.
     *
     * @param exception what it threw; errors included
     * @param <T> the task's result
     */
    record Failure<T extends @Nullable Object>(Throwable exception) implements JoinResult<T> {
        /** Checks that there is one. */
        public Failure {
            Objects.requireNonNull(exception, "exception");
        }
    }

    /**
     * The task was cancelled before it began, or its body ended with an interrupt-type exception while it was cancelled.
     *
     * @param reason why
     * @param <T> the task's result
     */
    record Cancelled<T extends @Nullable Object>(CancelReason reason) implements JoinResult<T> {
        /** Checks that there is one. */
        public Cancelled {
            Objects.requireNonNull(reason, "reason");
        }
    }

    /** {@return whether the body returned} */
    default boolean isSuccess() {
        return this instanceof Success;
    }

    /**
     * {@return the value of a success}
     *
     * @throws ExecutionException if the task failed; its cause is what the body threw
     * @throws TaskCancelledException if the task was cancelled
     */
    default T get() throws ExecutionException, TaskCancelledException {
        return switch (this) {
            case Success<T>(T value) -> value;
            case Failure<T>(Throwable exception) -> throw new ExecutionException(exception);
            case Cancelled<T>(CancelReason reason) ->
                throw new TaskCancelledException(
                        reason, TaskCancelledException.Origin.JOINED_TASK, "the joined task was cancelled: " + reason);
        };
    }
}
