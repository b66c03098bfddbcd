package dev.kumihimo.runtime;

/**
 * The twin of {@link Body} without a result.
 *
 * <pre>{@code
 * Task.shield(() -> connection.sendGoodbye());
 * }</pre>
 *
 * @param <X> what it throws; inferred as {@link RuntimeException} if nothing checked
 * @since 0.1
 */
@FunctionalInterface
public interface VoidBody<X extends Exception> {
    /**
     * Runs it.
     *
     * @throws X if it fails
     */
    void run() throws X;
}
