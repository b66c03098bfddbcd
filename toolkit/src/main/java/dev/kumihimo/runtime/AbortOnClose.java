package dev.kumihimo.runtime;

import dev.kumihimo.internal.wait.Waiter;
import org.jspecify.annotations.Nullable;

/**
 * A task that does not outlive a block: closing this aborts the task and waits until it has ended, its cleanup included.
 *
 * <pre>{@code
 * try (var heartbeat = Task.spawn(() -> beatForEver(peer)).abortOnClose()) {
 *     return talkTo(peer);
 * }   // the heartbeat has ended
 * }</pre>
 *
 * <p>Where the abort alone is wanted, and not the wait, there is {@link JoinHandle#abort()}. For more than one task there is
 * {@code JoinSet}. Any thread may close it.
 *
 * @param <T> the task's result
 * @since 0.1
 */
public final class AbortOnClose<T extends @Nullable Object> implements AutoCloseable {
    private final RuntimeTask<T> task;
    private volatile boolean detached;

    AbortOnClose(RuntimeTask<T> task) {
        this.task = task;
    }

    /** {@return the task's handle, to be joined before the close} */
    public JoinHandle<T> handle() {
        return task;
    }

    /** {@return the task's handle, which closing this no longer affects} */
    public JoinHandle<T> detach() {
        detached = true;
        return task;
    }

    /**
     * Aborts the task unless it has ended or was {@linkplain #detach detached}, and waits uninterruptibly until it has ended;
     * what it did happens-before this returns. An interrupt or cancellation of the caller meanwhile is kept for later.
     * A failure of the task that nobody has joined is logged, as any. Idempotent. A task that closes this on itself is aborted,
     * and not waited for.
     */
    @Override
    public void close() {
        if (detached) {
            return;
        }
        task.abort();
        if (Waiter.currentTask() != task) {
            task.awaitEnd(Long.MAX_VALUE);
        }
    }

    @Override
    public String toString() {
        return "AbortOnClose[" + task + (detached ? ", detached]" : "]");
    }
}
