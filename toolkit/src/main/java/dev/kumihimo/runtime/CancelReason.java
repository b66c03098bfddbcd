package dev.kumihimo.runtime;

import java.util.Objects;

/**
 * Why a task, or a part of one, was cancelled.
 *
 * <pre>{@code
 * catch (TaskCancelledException e) {
 *     if (e.reason().kind() == CancelReason.Kind.SHUTDOWN) { ... }
 * }
 * }</pre>
 *
 * @param kind what did it
 * @param message in words, for people
 * @since 0.1
 */
public record CancelReason(Kind kind, String message) {
    /** What cancelled it. */
    public enum Kind {
        /** Somebody called {@code abort()} on its handle. */
        ABORT,
        /** The deadline of an enclosing {@code Timeout.call} passed. */
        TIMEOUT,
        /** A cancellation token was cancelled. */
        TOKEN,
        /** The scope or set it belongs to was closed or aborted. */
        SCOPE,
        /** Its runtime is being shut down, or was when it was spawned. */
        SHUTDOWN
    }

    /** Checks that both parts are there. */
    public CancelReason {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(message, "message");
    }

    @Override
    public String toString() {
        return message;
    }
}
