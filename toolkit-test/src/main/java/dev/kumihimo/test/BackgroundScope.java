package dev.kumihimo.test;

import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.VoidBody;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Tasks that an {@link AsyncTest} aborts when its body has returned, as a parameter of it: for what runs for ever, as a server
 * or a refresher.
 *
 * <pre>{@code
 * @AsyncTest
 * void answers(BackgroundScope background) throws Exception {
 *     Server server = new Server();
 *     background.spawn(server::run);
 *     assertThat(server.ask()).isEqualTo(42);
 * }
 * }</pre>
 *
 * <p>A failure of one before that, unless somebody has joined it, fails the test; what one throws because it was aborted does
 * not, unless it is an {@link AssertionError}. They are aborted after the tasks of the {@link TestScope} have ended, and have 5 s
 * of virtual time to end. What tasks they have spawned are aborted after them.
 *
 * @since 0.1
 */
public final class BackgroundScope {
    final ScopeTasks tasks;

    BackgroundScope(TestRuntime test) {
        tasks = new ScopeTasks(test, "BackgroundScope", true);
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
