package dev.kumihimo.test.assertj;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.test.TestTasks;
import java.time.Duration;
import org.assertj.core.api.AbstractAssert;
import org.assertj.core.api.Assertions;
import org.assertj.core.api.ObjectAssert;
import org.jspecify.annotations.Nullable;

/**
 * Assertions on a task.
 *
 * <pre>{@code
 * assertThat(worker).isParked();
 * queue.send(job);
 * assertThat(worker).completesWithin(Duration.ofSeconds(1)).isEqualTo(1);
 * }</pre>
 *
 * @param <T> the task's result
 * @since 0.1
 */
public final class JoinHandleAssert<T extends @Nullable Object>
        extends AbstractAssert<JoinHandleAssert<T>, JoinHandle<T>> {
    @SuppressWarnings("NullAway") // what is asserted may be null, and then fails as such
    JoinHandleAssert(@Nullable JoinHandle<T> actual) {
        super(actual, JoinHandleAssert.class);
    }

    /**
     * Checks that the task is parked, as {@link TestTasks#assertParked} does, with all that is said there.
     *
     * @return this
     */
    public JoinHandleAssert<T> isParked() {
        isNotNull();
        TestTasks.assertParked(actual);
        return this;
    }

    /**
     * Checks that the task has ended now.
     *
     * @return this
     */
    public JoinHandleAssert<T> isFinished() {
        isNotNull();
        if (!actual.isFinished()) {
            throw failure("Expected %s to have ended, but it has not.", actual);
        }
        return this;
    }

    /**
     * Checks that the task has not ended now.
     *
     * @return this
     */
    public JoinHandleAssert<T> isNotFinished() {
        isNotNull();
        JoinResult<T> result = actual.tryResult();
        if (result != null) {
            throw failure("Expected %s not to have ended, but it has: %s.", actual, result);
        }
        return this;
    }

    /** {@return assertions on how the task ended, which it has to have} */
    public JoinResultAssert<T> result() {
        isFinished();
        return new JoinResultAssert<>(actual.tryResult()).as("result of %s", actual);
    }

    /**
     * {@return assertions on the value of the task, which has to end within a time} As {@link TestTasks#assertCompletesWithin}:
     * in a test runtime it is to be called by a task.
     *
     * @param time the longest wait
     * @throws InterruptedException if the caller is interrupted or cancelled meanwhile
     */
    public ObjectAssert<T> completesWithin(Duration time) throws InterruptedException {
        isNotNull();
        return Assertions.assertThatObject(TestTasks.assertCompletesWithin(time, actual))
                .as("value of %s", actual);
    }
}
