package dev.kumihimo.runtime;

import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a program has done around every task of a runtime: hooks, and context that travels. A runtime without any has no such
 * object, and its tasks look for nothing else.
 */
record Surroundings(
        @Nullable Consumer<Task> onStart,
        @Nullable BiConsumer<Task, JoinResult<?>> onEnd,
        @Nullable ContextPropagation context) {

    private static final Logger LOG = LoggerFactory.getLogger(TaskRuntime.class);

    /** The body of a task with the context in which it was spawned, so that a task needs no field for that. */
    private record Captured(ContextPropagation.Snapshot snapshot, Object body) {}

    static @Nullable Surroundings of(
            @Nullable Consumer<Task> onStart,
            @Nullable BiConsumer<Task, JoinResult<?>> onEnd,
            @Nullable ContextPropagation context) {
        return onStart == null && onEnd == null && context == null ? null : new Surroundings(onStart, onEnd, context);
    }

    /** On the spawning thread: {@return what stands for a body that is to run in the caller's context} */
    Object capture(Object body) {
        if (context == null) {
            return body;
        }
        return new Captured(Objects.requireNonNull(context.capture(), "capture() returned null"), body);
    }

    /** {@return the body itself} */
    static Object bodyOf(Object captured) {
        return captured instanceof Captured with ? with.body() : captured;
    }

    /** On the task's thread: opens the context that came with a body, if any did. */
    static ContextPropagation.@Nullable Scope open(Object captured) {
        return captured instanceof Captured with
                ? Objects.requireNonNull(with.snapshot().open(), "open() returned null")
                : null;
    }

    static void close(ContextPropagation.@Nullable Scope scope, Task task) {
        if (scope != null) {
            try {
                scope.close();
            } catch (Throwable e) {
                tell("the context", task, e);
            }
        }
    }

    void started(Task task) {
        if (onStart != null) {
            try {
                onStart.accept(task);
            } catch (Throwable e) {
                tell("the hook onTaskStart", task, e);
            }
        }
    }

    void ended(Task task, JoinResult<?> result) {
        if (onEnd != null) {
            try {
                onEnd.accept(task, result);
            } catch (Throwable e) {
                tell("the hook onTaskEnd", task, e);
            }
        }
    }

    private static void tell(String what, Task task, Throwable e) {
        try {
            LOG.warn("{} failed around {}", what, task, e);
        } catch (Throwable ignored) {
            // no memory to tell it, or a broken log: the task goes on, and whoever joins it must not wait for ever
        }
    }
}
