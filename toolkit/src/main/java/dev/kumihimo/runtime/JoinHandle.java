package dev.kumihimo.runtime;

import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A spawned task or blocking job, to be joined, aborted or left alone; losing the handle lets the task run on. Any thread
 * may join, also several, also repeatedly.
 *
 * <pre>{@code
 * JoinHandle<Report> report = Task.spawn(() -> build(order));
 * ...
 * publish(report.join());
 * }</pre>
 *
 * <p>As a {@link Future} it keeps that contract: {@link #get()} throws {@link java.util.concurrent.CancellationException} for
 * a cancelled task, {@link #cancel} is {@link #abort}, whatever its argument.
 *
 * <p>Joining waits until the body has returned or thrown, its cleanup included; what the task did happens-before the join
 * returns. Interrupting or timing out a join leaves the task as it is.
 *
 * <p>A {@code Select} joins it with {@code onJoin(handle, result -> ...)}; a select that chooses another branch leaves the
 * task, and its result, as they are.
 *
 * <p>A failure that nobody joins is logged once at WARN, when the handle is collected or the runtime closes.
 *
 * @param <T> the task's result
 * @since 0.1
 */
public sealed interface JoinHandle<T extends @Nullable Object> extends AbortHandle, Future<T>, Selectable<JoinResult<T>>
        permits RuntimeTask {
    /**
     * Waits for the task and returns its value.
     *
     * @return what the body returned
     * @throws ExecutionException if the body threw; its cause is that exception
     * @throws TaskCancelledException if the task ended as cancelled, or the caller itself is: see
     *     {@link TaskCancelledException#isOwn()}
     * @throws InterruptedException if the caller is interrupted before the task has ended
     */
    T join() throws InterruptedException, ExecutionException;

    /**
     * As {@link #join()}, waiting at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return what the body returned
     * @throws ExecutionException if the body threw; its cause is that exception
     * @throws InterruptedException as in {@link #join()}
     * @throws TimeoutException if the time passes first; the task runs on
     */
    T join(Duration timeout) throws InterruptedException, ExecutionException, TimeoutException;

    /**
     * Waits for the task and tells how it ended.
     *
     * @return never null
     * @throws InterruptedException if the caller is interrupted or cancelled before the task has ended
     */
    JoinResult<T> result() throws InterruptedException;

    /**
     * As {@link #result()}, waiting at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return never null
     * @throws InterruptedException if the caller is interrupted or cancelled before the task has ended
     * @throws TimeoutException if the time passes first; the task runs on
     */
    JoinResult<T> result(Duration timeout) throws InterruptedException, TimeoutException;

    /** {@return the joining of the task, to be selected on: gives what {@link #result()} does} */
    @Override
    Clause<JoinResult<T>> clause();

    /** {@return this handle for a try-with-resources statement, which does not end before the task has} */
    AbortOnClose<T> abortOnClose();

    /** {@return how the task ended, or null if it has not; never waits} */
    @Nullable
    JoinResult<T> tryResult();
}
