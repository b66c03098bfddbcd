package dev.kumihimo.test.assertj;

import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.JoinResult;
import java.util.Objects;
import org.assertj.core.api.AbstractAssert;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.Assertions;
import org.assertj.core.api.ObjectAssert;
import org.jspecify.annotations.Nullable;

/**
 * Assertions on how a task ended. If it ended otherwise by an exception, that is the suppressed one of the error.
 *
 * <pre>{@code
 * assertThat(handle.result()).hasValue(42);
 * assertThat(handle.result()).isFailure().hasCauseInstanceOf(IOException.class);
 * assertThat(handle.result()).isCancelledBy(CancelReason.Kind.TIMEOUT);
 * }</pre>
 *
 * @param <T> the task's result
 * @since 0.1
 */
public final class JoinResultAssert<T extends @Nullable Object>
        extends AbstractAssert<JoinResultAssert<T>, JoinResult<T>> {
    @SuppressWarnings("NullAway") // what is asserted may be null, and then fails as such
    JoinResultAssert(@Nullable JoinResult<T> actual) {
        super(actual, JoinResultAssert.class);
    }

    /**
     * Checks that the body returned.
     *
     * @return this
     */
    public JoinResultAssert<T> isSuccess() {
        success();
        return this;
    }

    /**
     * Checks that the body returned a value.
     *
     * @param expected the value, compared with {@code equals}
     * @return this
     */
    public JoinResultAssert<T> hasValue(@Nullable T expected) {
        T value = success();
        if (!Objects.equals(value, expected)) {
            throw failureWithActualExpected(
                    value, expected, "Expected the task to have returned <%s>, but it returned <%s>.", expected, value);
        }
        return this;
    }

    /** {@return assertions on the value of a success} */
    public ObjectAssert<T> value() {
        return Assertions.assertThatObject(success()).as("value of the task");
    }

    private T success() {
        isNotNull();
        if (actual instanceof JoinResult.Success<T>(T value)) {
            return value;
        }
        throw otherwise("a success");
    }

    /**
     * Checks that the body threw.
     *
     * @return this
     */
    public JoinResultAssert<T> isFailure() {
        exception();
        return this;
    }

    /**
     * Checks that the body threw an exception of a type.
     *
     * @param type the type, or a supertype
     * @return this
     */
    public JoinResultAssert<T> hasCauseInstanceOf(Class<? extends Throwable> type) {
        Throwable exception = exception();
        if (!type.isInstance(exception)) {
            AssertionError error = failure(
                    "Expected the task to have failed with an instance of %s, but it failed with %s.",
                    type.getName(), exception);
            error.addSuppressed(exception);
            throw error;
        }
        return this;
    }

    /** {@return assertions on what the body threw} */
    public AbstractThrowableAssert<?, ? extends Throwable> cause() {
        return Assertions.assertThat(exception()).as("exception of the task");
    }

    private Throwable exception() {
        isNotNull();
        if (actual instanceof JoinResult.Failure<T>(Throwable exception)) {
            return exception;
        }
        throw otherwise("a failure");
    }

    /**
     * Checks that the task was cancelled.
     *
     * @return this
     */
    public JoinResultAssert<T> isCancelled() {
        reason();
        return this;
    }

    /**
     * Checks that the task was cancelled, and by what.
     *
     * @param kind what cancelled it
     * @return this
     */
    public JoinResultAssert<T> isCancelledBy(CancelReason.Kind kind) {
        CancelReason reason = reason();
        if (reason.kind() != kind) {
            throw failureWithActualExpected(
                    reason.kind(),
                    kind,
                    "Expected the task to have been cancelled by %s, but it was by %s: %s.",
                    kind,
                    reason.kind(),
                    reason);
        }
        return this;
    }

    private CancelReason reason() {
        isNotNull();
        if (actual instanceof JoinResult.Cancelled<T>(CancelReason reason)) {
            return reason;
        }
        throw otherwise("a cancellation");
    }

    private AssertionError otherwise(String expected) {
        String found = switch (actual) {
            case JoinResult.Success<T>(T value) -> "the task returned <" + value + ">";
            case JoinResult.Failure<T>(Throwable exception) -> "the task failed with " + exception;
            case JoinResult.Cancelled<T>(CancelReason reason) ->
                "the task was cancelled (" + reason.kind() + "): " + reason;
        };
        AssertionError error = failure("Expected %s, but %s.", expected, found);
        if (actual instanceof JoinResult.Failure<T>(Throwable exception)) {
            error.addSuppressed(exception);
        }
        return error;
    }
}
