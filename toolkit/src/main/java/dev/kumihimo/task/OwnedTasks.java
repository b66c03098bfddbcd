package dev.kumihimo.task;

import dev.kumihimo.internal.carrier.TaskDoor;
import dev.kumihimo.internal.jdk.StructuredScope;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.AbortHandle;
import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The tasks of one {@link JoinSet} or {@link JoinMap}: confined to the thread that opened it, over a scope of the JDK, joined in
 * the order in which they complete.
 */
final class OwnedTasks {
    final Completions completions;

    private final String kind;
    private final Thread owner = Thread.currentThread();
    private final Waiter ownerWaiter = Waiter.current();
    private final String ownerName = describe(Task.currentOrNull());
    private final TaskRuntime runtime = TaskRuntime.current();
    private final int maxConcurrency;
    private final StructuredScope scope;

    /** The tasks that have not been taken, in a list through Member.next; the owner's. */
    private @Nullable Member members;

    private int size;
    private @Nullable Member forking;
    private boolean closed;

    /**
     * Opens a scope of the calling thread.
     *
     * @param kind what messages call it
     * @param maxConcurrency how many tasks may be running at a time
     */
    OwnedTasks(String kind, int maxConcurrency) {
        this.kind = kind;
        this.maxConcurrency = maxConcurrency;
        this.completions = new Completions(this);
        this.scope = StructuredScope.open(kind + " of " + ownerName, this::newThread);
    }

    /* ---------------- Spawning -------------- */

    /** Waits for a slot. Before this returns nothing has happened; after it, a member is made and started. */
    void awaitSlot() throws InterruptedException {
        ensureOwner();
        if (closed) {
            throw new IllegalStateException("the " + kind + " of " + ownerName + " is closed");
        }
        Waiter.spend();
        dropDiscarded();
        completions.awaitSlot(maxConcurrency);
    }

    /** {@return the deadline that a task started now inherits} */
    long deadline() {
        return ownerWaiter.currentDeadline();
    }

    /** Starts a task. If it throws, the task has not begun, and is not here. */
    AbortHandle start(Member member, boolean blocking) {
        completions.started();
        link(member);
        if (blocking) {
            try {
                TaskDoor.get().startBlocking(member.task);
            } catch (Throwable e) { // no thread for it
                completions.discard(member);
                unlink(member);
                throw e;
            }
        } else {
            fork(member);
        }
        return (AbortHandle) member.task;
    }

    private void fork(Member member) {
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
    }

    /** Takes back a member whose fork the JDK has refused. */
    private void refuse(Member member) {
        TaskDoor.get().refuse(member.task);
        completions.discard(member);
        unlink(member);
    }

    private @Nullable Thread newThread(Runnable outer) {
        Member member = forking;
        return member == null ? null : TaskDoor.get().bind(member.task, outer);
    }

    /* ---------------- Joining -------------- */

    /** Waits for the next completed task and takes it out. There must be one that is not discarded. */
    Member takeNext() throws InterruptedException {
        ensureOwner();
        Waiter.spend();
        return taken(completions.await());
    }

    /** As {@link #takeNext()}, within a time. */
    Member takeNext(Duration timeout, int of) throws InterruptedException, TimeoutException {
        ensureOwner();
        Waiter.spend();
        Member done = completions.await(timeout);
        if (done == null) {
            throw new TimeoutException("none of " + of + " tasks has ended within " + timeout);
        }
        return taken(done);
    }

    /** Takes out a completed task, or returns null; never waits. */
    @Nullable
    Member tryTakeNext() {
        ensureOwner();
        Waiter.spendQuietly();
        Member done = completions.poll();
        return done == null ? null : taken(done);
    }

    /** Waits uninterruptibly for any task to end, also a discarded one, and takes it out. There must be one. */
    Member takeUninterruptibly() {
        return taken(completions.awaitAnyUninterruptibly());
    }

    /** {@return how a task ended that was taken} A failure has then been seen, and is not logged. */
    @SuppressWarnings("unchecked") // the sets spawn bodies of their own type only
    static <T extends @Nullable Object> JoinResult<T> resultOf(Member taken) {
        return Objects.requireNonNull(((JoinHandle<T>) taken.task).tryResult());
    }

    /** Aborts a task, which will never be taken. */
    void discard(Member member, CancelReason reason) {
        member.task.abort(reason);
        if (completions.discard(member)) {
            drop(member);
        }
    }

    /** Lets go of discarded tasks that have ended since. */
    private void dropDiscarded() {
        for (Member member; (member = completions.pollDiscarded()) != null; ) {
            drop(member);
        }
    }

    private void drop(Member ended) {
        resultOf(taken(ended));
    }

    private Member taken(Member member) {
        unlink(member);
        return member;
    }

    private void link(Member member) {
        member.next = members;
        if (members != null) {
            members.previous = member;
        }
        members = member;
        size++;
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

    String kind() {
        return kind;
    }

    /** {@return the first of those that have not been taken, or null; for reports, racy: a list through Member.next} */
    @Nullable
    Member anyMember() {
        return members;
    }

    /** {@return how many have not been taken, discarded ones included} */
    int size() {
        ensureOwner();
        return size;
    }

    /* ---------------- Ending -------------- */

    /** Asks all tasks to end. */
    void abortAll() {
        ensureOwner();
        abortAll(new CancelReason(CancelReason.Kind.SCOPE, "its " + kind + " aborted its tasks"));
    }

    private void abortAll(CancelReason reason) {
        for (Member member = members; member != null; member = member.next) {
            member.task.abort(reason);
        }
    }

    /** Asks all tasks to end, waits uninterruptibly until they have, and drops them. */
    void shutdown() {
        abortAll();
        drain();
    }

    private void drain() {
        while (size > 0) {
            resultOf(takeUninterruptibly());
        }
    }

    /** As {@link #shutdown()}, and ends the scope. */
    void close() {
        ensureOwner();
        if (closed) {
            return;
        }
        closed = true;
        abortAll(new CancelReason(CancelReason.Kind.SCOPE, "its " + kind + " was closed"));
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

    void ensureOwner() {
        if (Thread.currentThread() != owner) {
            throw new WrongThreadException("a " + kind + " of " + ownerName + " was used by "
                    + describe(Task.currentOrNull()) + ": it is its owner's alone");
        }
    }

    private static String describe(@Nullable Task task) {
        return task == null ? "thread \"" + Thread.currentThread().getName() + '"' : task.toString();
    }

    @Override
    public String toString() {
        return kind + "[" + ownerName + " in runtime " + runtime.name() + "]";
    }
}
