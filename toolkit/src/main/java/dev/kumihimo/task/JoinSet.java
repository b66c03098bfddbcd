package dev.kumihimo.task;

import dev.kumihimo.runtime.AbortHandle;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.VoidBody;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A set of tasks that end before it does: joined in the order in which they complete, aborted and waited for when it is
 * closed. Over a {@code StructuredTaskScope}, so the {@code ScopedValue}s of the owner reach its tasks, and thread dumps show
 * them under it.
 *
 * <pre>{@code
 * try (var set = JoinSet.<String>open()) {
 *     for (Path path : paths) {
 *         set.spawnBlocking(() -> Files.readString(path));
 *     }
 *     for (JoinResult<String> result; (result = set.joinNext()) != null; ) {
 *         ... // one of the spawned tasks; more may be spawned meanwhile
 *     }
 * }
 * }</pre>
 *
 * <p>It belongs to the thread that opened it, which alone may use it; another one gets a {@link WrongThreadException}. Sets and
 * scopes opened inside it are closed before it.
 *
 * <p>Its tasks inherit the {@code Deadline} that the owner has when it spawns them.
 *
 * <p>Waits end by an interrupt or cancellation of the owner with {@link InterruptedException}; then nothing was removed from
 * the set. What a task did happens-before its result is returned.
 *
 * @param <T> the result of its tasks
 * @since 0.1
 */
public final class JoinSet<T extends @Nullable Object> implements AutoCloseable {
    private final OwnedTasks tasks;

    private JoinSet(OwnedTasks tasks) {
        this.tasks = tasks;
    }

    /**
     * {@return a set owned by the calling thread, which must close it}
     *
     * @param <T> the result of its tasks
     */
    public static <T extends @Nullable Object> JoinSet<T> open() {
        return new JoinSet<>(new OwnedTasks("JoinSet", Integer.MAX_VALUE));
    }

    /**
     * {@return a set owned by the calling thread, which must close it, and in which a spawn waits while too many tasks run}
     *
     * @param maxConcurrency how many tasks may be running at a time, at least 1
     * @param <T> the result of its tasks
     * @throws IllegalArgumentException if it is below 1
     */
    public static <T extends @Nullable Object> JoinSet<T> open(int maxConcurrency) {
        if (maxConcurrency < 1) {
            throw new IllegalArgumentException("maxConcurrency=" + maxConcurrency + " must be at least 1");
        }
        return new JoinSet<>(new OwnedTasks("JoinSet", maxConcurrency));
    }

    /* ---------------- Spawning -------------- */

    /**
     * Starts a task in the set, in the ambient runtime.
     *
     * @param body what it runs
     * @return the right to abort it; its result comes from joining
     * @throws InterruptedException if interrupted or cancelled while waiting for a slot of a bounded set; nothing was started
     * @throws WrongThreadException if the caller is not the owner
     * @throws IllegalStateException if the set is closed
     */
    public AbortHandle spawn(Body<T, ?> body) throws InterruptedException {
        return start(null, body, false);
    }

    /**
     * Starts a task without a result in the set, see {@link #spawn(Body)}.
     *
     * @param body what it runs
     * @return the right to abort it
     * @throws InterruptedException as in {@link #spawn(Body)}
     */
    public AbortHandle spawn(VoidBody<?> body) throws InterruptedException {
        return start(null, body, false);
    }

    /**
     * As {@link #spawn(Body)}, with a name for dumps and logs.
     *
     * @param name the task's and its thread's name
     * @param body what it runs
     * @return the right to abort it
     * @throws InterruptedException as in {@link #spawn(Body)}
     */
    public AbortHandle spawnNamed(String name, Body<T, ?> body) throws InterruptedException {
        return start(Objects.requireNonNull(name, "name"), body, false);
    }

    /**
     * Starts a job on the blocking pool that belongs to the set. {@code ScopedValue}s do not reach it. Closing the set waits
     * until the job has really ended.
     *
     * @param body what it runs
     * @return the right to abort it; its result comes from joining
     * @throws InterruptedException if interrupted or cancelled while waiting for a slot of a bounded set; nothing was started
     * @throws java.util.concurrent.RejectedExecutionException if all blocking threads are busy and their queue is full; the set
     *     is as it was
     * @throws WrongThreadException if the caller is not the owner
     * @throws IllegalStateException if the set is closed
     */
    public AbortHandle spawnBlocking(Body<T, ?> body) throws InterruptedException {
        return start(null, body, true);
    }

    private AbortHandle start(@Nullable String name, Object body, boolean blocking) throws InterruptedException {
        Objects.requireNonNull(body, "body");
        tasks.awaitSlot();
        return tasks.start(new Member(tasks, name, body, blocking), blocking);
    }

    /* ---------------- Joining -------------- */

    /**
     * Waits for the next task to complete, and removes it from the set.
     *
     * @return how it ended, or null if the set is empty
     * @throws InterruptedException if interrupted or cancelled while it waits; no task was removed
     * @throws WrongThreadException if the caller is not the owner
     */
    public @Nullable JoinResult<T> joinNext() throws InterruptedException {
        return tasks.size() == 0 ? null : OwnedTasks.resultOf(tasks.takeNext());
    }

    /**
     * As {@link #joinNext()}, waiting at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return how it ended, or null if the set is empty
     * @throws InterruptedException if interrupted or cancelled while it waits; no task was removed
     * @throws TimeoutException if none completed in time; no task was removed
     */
    public @Nullable JoinResult<T> joinNext(Duration timeout) throws InterruptedException, TimeoutException {
        int size = tasks.size();
        return size == 0 ? null : OwnedTasks.resultOf(tasks.takeNext(timeout, size));
    }

    /**
     * Removes a task that has completed, if there is one. Never waits.
     *
     * @return how it ended, or null if none has, or the set is empty
     */
    public @Nullable JoinResult<T> tryJoinNext() {
        Member done = tasks.tryTakeNext();
        return done == null ? null : OwnedTasks.resultOf(done);
    }

    /**
     * Waits for all tasks.
     *
     * @return their values, in the order of completion
     * @throws ExecutionException if one failed, the first to do so; the others were aborted, and have ended
     * @throws InterruptedException if interrupted or cancelled while it waits, the tasks run on; or a
     *     {@code TaskCancelledException} if one of the tasks was cancelled, and the others were aborted and have ended
     */
    public List<T> joinAll() throws InterruptedException, ExecutionException {
        List<T> values = new ArrayList<>(tasks.size());
        for (JoinResult<T> result; (result = joinNext()) != null; ) {
            if (result instanceof JoinResult.Success<T>(T value)) {
                values.add(value);
            } else {
                shutdown();
                result.get(); // throws
            }
        }
        return values;
    }

    /* ---------------- Ending -------------- */

    /** Aborts all tasks of the set. They stay in it, to be joined; one that has already ended keeps its result. */
    public void abortAll() {
        tasks.abortAll();
    }

    /** Aborts all tasks, waits uninterruptibly until they have ended, and drops their results. The set can be used further. */
    public void shutdown() {
        tasks.shutdown();
    }

    /**
     * Aborts all tasks that are left, waits uninterruptibly until they have ended, and drops their results. An interrupt or
     * cancellation meanwhile is kept for later. Idempotent.
     *
     * @throws WrongThreadException if the caller is not the owner
     */
    @Override
    public void close() {
        tasks.close();
    }

    /** {@return how many tasks have not been joined, ended ones included} */
    public int size() {
        return tasks.size();
    }

    /** {@return whether all tasks have been joined} */
    public boolean isEmpty() {
        return size() == 0;
    }

    @Override
    public String toString() {
        return tasks.toString();
    }
}
