package dev.kumihimo.test;

import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.VoidBody;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Tasks that an {@link AsyncTest} waits for, as a parameter of it.
 *
 * <pre>{@code
 * @AsyncTest(schedules = 1_000)
 * void transferKeepsTheSum(TestScope tasks) {
 *     Bank bank = new Bank();
 *     tasks.spawn(() -> bank.transfer("a", "b", 10));
 *     tasks.spawn(() -> bank.transfer("b", "a", 20));
 *     ...                                           // here ends the body, and the test waits for both
 * }
 * }</pre>
 *
 * <p>When the body has returned, the test waits for all tasks, those included that they spawn here; the first failure then
 * aborts the others. It fails with the first failure of a task that nobody has joined, the others suppressed in it, also if the
 * body has come to a deadlock by it. If the body throws, the tasks are aborted and waited for. Joining a task means to have seen
 * its failure.
 *
 * @since 0.1
 */
public final class TestScope {
    final ScopeTasks tasks;

    TestScope(TestRuntime test) {
        tasks = new ScopeTasks(test, "TestScope", false);
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
        return tasks.spawn(null, body);
    }

    /**
     * Starts a task without a result, see {@link #spawn(Body)}.
     *
     * @param body what it runs
     * @return its handle
     * @throws IllegalStateException as in {@link #spawn(Body)}
     */
    public JoinHandle<@Nullable Void> spawn(VoidBody<?> body) {
        return tasks.spawn(null, withoutResult(body));
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
        return tasks.spawn(Objects.requireNonNull(name, "name"), body);
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
        return tasks.spawn(Objects.requireNonNull(name, "name"), withoutResult(body));
    }

    private static Body<@Nullable Void, Exception> withoutResult(VoidBody<?> body) {
        Objects.requireNonNull(body, "body");
        return () -> {
            body.run();
            return null;
        };
    }
}
