package dev.kumihimo.task;

import dev.kumihimo.internal.carrier.TaskDoor;
import dev.kumihimo.internal.jdk.StructuredScope;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.AbortHandle;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.runtime.VoidBody;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
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
 * <p>Waits end by an interrupt or cancellation of the owner with {@link InterruptedException}; then nothing was removed from
 * the set. What a task did happens-before its result is returned.
 *
 * @param <T> the result of its tasks
 * @since 0.1
 */
public final class JoinSet<T extends @Nullable Object> implements AutoCloseable {
    private static final CancelReason ABORTED =
            new CancelReason(CancelReason.Kind.SCOPE, "its JoinSet aborted its tasks");
    private static final CancelReason CLOSED = new CancelReason(CancelReason.Kind.SCOPE, "its JoinSet was closed");

    private final Thread owner = Thread.currentThread();
    private final String ownerName = describe(Task.currentOrNull());
    private final TaskRuntime runtime;
    private final TaskDoor door;
    private final int maxConcurrency;
    private final Completions completions = new Completions();
    private final StructuredScope scope;

    /** The tasks not yet joined, in a list through Member.next; the owner's. */
    private @Nullable Member members;

    private int size;
    private @Nullable Member forking;
    private boolean closed;

    private JoinSet(int maxConcurrency) {
        this.maxConcurrency = maxConcurrency;
        this.runtime = TaskRuntime.current();
        this.door = TaskDoor.get();
        this.scope = StructuredScope.open("JoinSet of " + ownerName, this::newThread);
    }

    /**
     * {@return a set owned by the calling thread, which must close it}
     *
     * @param <T> the result of its tasks
     */
    public static <T extends @Nullable Object> JoinSet<T> open() {
        return new JoinSet<>(Integer.MAX_VALUE);
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
        return new JoinSet<>(maxConcurrency);
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
        return fork(null, body);
    }

    /**
     * Starts a task without a result in the set, see {@link #spawn(Body)}.
     *
     * @param body what it runs
     * @return the right to abort it
     * @throws InterruptedException as in {@link #spawn(Body)}
     */
    public AbortHandle spawn(VoidBody<?> body) throws InterruptedException {
        return fork(null, body);
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
        return fork(Objects.requireNonNull(name, "name"), body);
    }

    /**
     * Starts a job on the blocking pool that belongs to the set. {@code ScopedValue}s do not reach it. Closing the set waits
     * until the job has really ended.
     *
     * @param body what it runs
     * @return the right to abort it; its result comes from joining
     * @throws InterruptedException if interrupted or cancelled while waiting for a slot of a bounded set; nothing was started
     * @throws WrongThreadException if the caller is not the owner
     * @throws IllegalStateException if the set is closed
     */
    public AbortHandle spawnBlocking(Body<T, ?> body) throws InterruptedException {
        Member member = prepare(null, body, true);
        door.startBlocking(member.task);
        return (AbortHandle) member.task;
    }

    private AbortHandle fork(@Nullable String name, Object body) throws InterruptedException {
        Member member = prepare(name, body, false);
        forking = member;
        try {
            scope.fork(member);
        } catch (RejectedExecutionException e) {
            if (!completions.hasEnded(member)) { // else the runtime is shut down, and the task has ended as cancelled
                refuse(member);
                throw e;
            }
        } catch (Throwable e) {
            refuse(member);
            throw e;
        } finally {
            forking = null;
        }
        return (AbortHandle) member.task;
    }

    private Member prepare(@Nullable String name, Object body, boolean blocking) throws InterruptedException {
        ensureOwner();
        ensureOpen();
        Objects.requireNonNull(body, "body");
        Waiter.spend();
        completions.awaitSlot(maxConcurrency);
        Member member = new Member(completions, door, name, body, blocking);
        completions.started();
        member.next = members;
        if (members != null) {
            members.previous = member;
        }
        members = member;
        size++;
        return member;
    }

    /** Takes back a member whose fork the JDK has refused. */
    private void refuse(Member member) {
        door.refuse(member.task);
        completions.discard(member);
        unlink(member);
    }

    private @Nullable Thread newThread(Runnable outer) {
        Member member = forking;
        return member == null ? null : door.bind(member.task, outer);
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
        ensureOwner();
        if (size == 0) {
            return null;
        }
        Waiter.spend();
        return joined(completions.await());
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
        ensureOwner();
        if (size == 0) {
            return null;
        }
        Waiter.spend();
        Member done = completions.await(timeout);
        if (done == null) {
            throw new TimeoutException("none of " + size + " tasks has ended within " + timeout);
        }
        return joined(done);
    }

    /**
     * Removes a task that has completed, if there is one. Never waits.
     *
     * @return how it ended, or null if none has, or the set is empty
     */
    public @Nullable JoinResult<T> tryJoinNext() {
        ensureOwner();
        Waiter.spendQuietly();
        Member done = completions.poll();
        return done == null ? null : joined(done);
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
        List<T> values = new ArrayList<>(size);
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

    @SuppressWarnings("unchecked")
    private JoinResult<T> joined(Member member) {
        unlink(member);
        return Objects.requireNonNull(((JoinHandle<T>) member.task).tryResult());
    }

    private void unlink(Member member) {
        Member before = member.previous;
        Member after = member.next;
        if (before == null) {
            members = after;
        } else {
            before.next = after;
        }
        if (after != null) {
            after.previous = before;
        }
        member.previous = null;
        member.next = null;
        size--;
    }

    /* ---------------- Ending -------------- */

    /** Aborts all tasks of the set. They stay in it, to be joined; one that has already ended keeps its result. */
    public void abortAll() {
        ensureOwner();
        abortAll(ABORTED);
    }

    private void abortAll(CancelReason reason) {
        for (Member member = members; member != null; member = member.next) {
            member.task.abort(reason);
        }
    }

    /** Aborts all tasks, waits uninterruptibly until they have ended, and drops their results. The set can be used further. */
    public void shutdown() {
        ensureOwner();
        abortAll(ABORTED);
        drain();
    }

    private void drain() {
        while (size > 0) {
            joined(completions.awaitUninterruptibly());
        }
    }

    /**
     * Aborts all tasks that are left, waits uninterruptibly until they have ended, and drops their results. An interrupt or
     * cancellation meanwhile is kept for later. Idempotent.
     *
     * @throws WrongThreadException if the caller is not the owner
     */
    @Override
    public void close() {
        ensureOwner();
        if (closed) {
            return;
        }
        closed = true;
        abortAll(CLOSED);
        try {
            drain();
        } finally {
            try {
                scope.joinUninterruptibly();
            } finally {
                scope.close();
            }
        }
    }

    /** {@return how many tasks have not been joined, ended ones included} */
    public int size() {
        ensureOwner();
        return size;
    }

    /** {@return whether all tasks have been joined} */
    public boolean isEmpty() {
        return size() == 0;
    }

    private void ensureOwner() {
        if (Thread.currentThread() != owner) {
            throw new WrongThreadException("a JoinSet of " + ownerName + " was used by "
                    + describe(Task.currentOrNull()) + ": it is its owner's alone");
        }
    }

    private void ensureOpen() {
        if (closed) {
            throw new IllegalStateException("the JoinSet of " + ownerName + " is closed");
        }
    }

    private static String describe(@Nullable Task task) {
        return task == null ? "thread \"" + Thread.currentThread().getName() + '"' : task.toString();
    }

    @Override
    public String toString() {
        return "JoinSet[" + ownerName + " in runtime " + runtime.name() + "]";
    }
}
