package dev.kumihimo.sync;

/**
 * Thrown by an acquire from a closed {@link Semaphore}, before or while it waited; nothing was taken.
 *
 * <pre>{@code
 * try (var permit = connections.acquire()) {
 *     query();
 * } catch (SemaphoreClosedException e) {
 *     refuse();
 * }
 * }</pre>
 *
 * @since 0.1
 */
public final class SemaphoreClosedException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    /**
     * Creates the exception.
     *
     * @param message what met the end
     */
    public SemaphoreClosedException(String message) {
        super(message);
    }
}
