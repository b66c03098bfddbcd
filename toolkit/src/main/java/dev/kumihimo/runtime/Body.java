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
 * <p>Being a {@link VoidBody} as well, it is the more specific of the two: a method that takes either, as {@code spawn} does,
 * takes a method reference to a method with a result, {@code Task.spawn(channel::receive)}, for one with a result. A reference
 * to an overloaded method without a result needs a lambda: {@code Task.spawn(() -> log.flush())}.
 *
 * @param <T> the result
 * @param <X> what it throws; inferred as {@link RuntimeException} if nothing checked
 * @since 0.1
 */
@FunctionalInterface
public interface Body<T extends @Nullable Object, X extends Exception> extends VoidBody<X> {
    /**
     * Runs it.
     *
     * @return its result
     * @throws X if it fails
     */
    T call() throws X;

    /** Runs it and drops its result. */
    @Override
    default void run() throws X {
        call();
    }
}
