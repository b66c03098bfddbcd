package dev.kumihimo.test;

import org.jspecify.annotations.Nullable;

/**
 * Tells that a run under a {@link TestRuntime} has come to nothing: its tasks wait for each other, run in circles, or hold the
 * carrier. The message says how it was reached (the seed), how to replay it, and what each live task waits for.
 *
 * <p>As the suppressed exception of one that a body threw, it adds the seed to it.
 *
 * <pre>{@code
 * assertThatThrownBy(() -> test.run(() -> semaphore.acquire()))
 *         .isInstanceOf(ScheduleError.class)
 *         .hasMessageContaining("deadlock");
 * }</pre>
 *
 * @since 0.1
 */
public final class ScheduleError extends AssertionError {
    private static final long serialVersionUID = 1;

    ScheduleError(String message) {
        super(message);
    }

    ScheduleError(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
