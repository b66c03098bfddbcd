package dev.kumihimo.test;

import dev.kumihimo.internal.carrier.LiveTask;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.VoidBody;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** What a test may spawn in: who the tasks are, and who of them failed, in order. */
abstract sealed class SpawnScope permits TestScope, BackgroundScope {
    private final TestRuntime test;
    private final boolean background;
    private final List<Member> members = new CopyOnWriteArrayList<>();
    private final List<Member> failed = new CopyOnWriteArrayList<>();
    private volatile boolean ending;
    private volatile boolean ended;

    /**
     * Makes one without tasks.
     *
     * @param background whether its tasks are expected to live when the test ends
     */
    SpawnScope(TestRuntime test, boolean background) {
        this.test = test;
        this.background = background;
    }

    /** A task; its handle is there once it is spawned, which may be after it has ended. */
    private static final class Member {
        volatile @Nullable JoinHandle<?> handle;

        void abort() {
            JoinHandle<?> known = handle;
            if (known != null) {
                known.abort();
            }
        }

        @Nullable
        Throwable unjoinedFailure() {
            return handle instanceof LiveTask task ? task.unjoinedFailure() : null;
        }
    }

    /**
     * Starts a task.
     *
     * @param body what it runs
     * @param <T> its result
     * @return its handle
     * @throws IllegalStateException if the caller is no task of the test, or the body of the test has ended
     */
    public <T extends @Nullable Object> JoinHandle<T> spawn(Body<T, ?> body) {
        return start(null, body);
    }

    /**
     * Starts a task without a result, see {@link #spawn(Body)}.
     *
     * @param body what it runs
     * @return its handle
     * @throws IllegalStateException as in {@link #spawn(Body)}
     */
    public JoinHandle<@Nullable Void> spawn(VoidBody<?> body) {
        return start(null, withoutResult(body));
    }

    /**
     * As {@link #spawn(Body)}, with a name for dumps and logs.
     *
     * @param name the task's and its thread's name
     * @param body what it runs
     * @param <T> its result
     * @return its handle
     * @throws IllegalStateException as in {@link #spawn(Body)}
     */
    public <T extends @Nullable Object> JoinHandle<T> spawnNamed(String name, Body<T, ?> body) {
        return start(Objects.requireNonNull(name, "name"), body);
    }

    /**
     * As {@link #spawn(VoidBody)}, with a name for dumps and logs.
     *
     * @param name the task's and its thread's name
     * @param body what it runs
     * @return its handle
     * @throws IllegalStateException as in {@link #spawn(Body)}
     */
    public JoinHandle<@Nullable Void> spawnNamed(String name, VoidBody<?> body) {
        return start(Objects.requireNonNull(name, "name"), withoutResult(body));
    }

    private static Body<@Nullable Void, Exception> withoutResult(VoidBody<?> body) {
        Objects.requireNonNull(body, "body");
        return () -> {
            body.run();
            return null;
        };
    }

    private <T extends @Nullable Object> JoinHandle<T> start(@Nullable String taskName, Body<T, ?> body) {
        Objects.requireNonNull(body, "body");
        Task caller = Task.currentOrNull();
        if (caller == null || caller.runtime() != test.runtime()) {
            throw new IllegalStateException(
                    "a " + getClass().getSimpleName() + " is for the tasks of its test, and not for "
                            + (caller == null ? Thread.currentThread() : caller));
        }
        if (ended) {
            throw new IllegalStateException(
                    "the " + getClass().getSimpleName() + " has ended, with the body of its test");
        }
        Member member = new Member();
        Body<T, ?> watched = () -> {
            if (background) {
                test.background((JoinHandle<?>) Task.current()); // here: it may begin before its spawner goes on
            }
            try {
                return body.call();
            } catch (Throwable e) {
                if (!Task.current().isAborted()) {
                    failed(member);
                } else if (background && !(e instanceof AssertionError)) {
                    test.endedByAbort(e);
                }
                throw e;
            }
        };
        JoinHandle<T> handle = taskName == null
                ? test.runtime().spawn(watched)
                : test.runtime().spawnNamed(taskName, watched);
        member.handle = handle;
        members.add(member);
        if (ended) {
            member.abort(); // we were aborted meanwhile
        }
        return handle;
    }

    private void failed(Member member) {
        failed.add(member);
        if (ending) {
            abortAll();
        }
    }

    private void abortAll() {
        members.forEach(Member::abort);
    }

    /** Aborts all tasks and takes no more; {@link TestRuntime#finish} sees to it that they end. */
    void abort() {
        ended = true;
        abortAll();
    }

    /** Waits for all tasks, those included that they spawn; called by the task that ran the body. */
    void end(boolean abort) {
        ending = true;
        if (abort || !failures().isEmpty()) {
            abortAll();
        }
        for (int i = 0; i < members.size(); i++) {
            Member member = members.get(i);
            if (abort) {
                member.abort();
            }
            if (member.handle instanceof LiveTask task) {
                task.awaitEnd(Long.MAX_VALUE);
            }
        }
        ended = true;
    }

    /** {@return what tasks threw before they were aborted and nobody has joined, in the order in which they threw it} */
    List<Throwable> failures() {
        return failed.stream()
                .map(Member::unjoinedFailure)
                .filter(Objects::nonNull)
                .map(Throwable.class::cast)
                .toList();
    }

    /** Counts all failures as told. */
    void told() {
        for (Member member : members) {
            JoinHandle<?> handle = member.handle;
            if (handle != null) {
                handle.tryResult();
            }
        }
    }
}
