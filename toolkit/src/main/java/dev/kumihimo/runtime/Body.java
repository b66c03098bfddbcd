package dev.kumihimo.runtime;

import org.jspecify.annotations.Nullable;

/**
 * What a task or a region runs, with a result and its own exception type, so that methods which run a body in place declare
 * exactly what it throws.
 *
 * <pre>{@code
 * String text = Timeout.call(Duration.ofSeconds(1), () -> Files.readString(path)); // IOException, TimeoutException
 * }</pre>
 *
 * @param <T> the result
 * @param <X> what it throws; inferred as {@link RuntimeException} if nothing checked
 * @since 0.1
 */
@FunctionalInterface
public interface Body<T extends @Nullable Object, X extends Exception> {
    /**
     * Runs it.
     *
     * @return its result
     * @throws X if it fails
     */
    T call() throws X;
}
