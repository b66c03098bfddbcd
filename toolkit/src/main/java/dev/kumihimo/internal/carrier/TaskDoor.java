package dev.kumihimo.internal.carrier;

import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * How sets of tasks make tasks of a runtime: the runtime's own package installs it, since this one lies below. What it makes
 * is also the {@code JoinHandle} of the task.
 */
public abstract class TaskDoor {
    private static volatile @Nullable TaskDoor installed;

    /** Creates the door; the runtime's package does. */
    protected TaskDoor() {}

    /** Installs the one implementation. */
    public static void install(TaskDoor door) {
        installed = door;
    }

    /** {@return the door} */
    public static TaskDoor get() {
        TaskDoor door = installed;
        if (door == null) {
            throw new IllegalStateException("no runtime class has been initialised");
        }
        return door;
    }

    /**
     * Makes a task of the caller's runtime, or a blocking job, not yet bound to a thread.
     *
     * @param body a {@code Body} or {@code VoidBody}
     * @param name its name, or null
     * @param blocking whether it is for the blocking pool
     * @param keeper who keeps account of it
     */
    public abstract LiveTask prepare(Object body, @Nullable String name, boolean blocking, TaskKeeper keeper);

    /**
     * As {@link #prepare}, in a runtime that need not be the caller's.
     *
     * @param runtime a {@code TaskRuntime}
     */
    public abstract LiveTask prepareIn(
            Object runtime, Object body, @Nullable String name, boolean blocking, TaskKeeper keeper);

    /** Starts a prepared task on a virtual thread of its own, or ends it as cancelled if the runtime is shut down. */
    public abstract void start(LiveTask task);

    /**
     * Binds a prepared task to a new, unstarted virtual thread of its runtime.
     *
     * @param outer what the thread runs; it runs the task
     * @return the thread, or null if the runtime is shut down: then the task has ended as cancelled
     */
    public abstract @Nullable Thread bind(LiveTask task, Runnable outer);

    /** Runs a prepared and bound task on the calling thread, which is its own. */
    public abstract void run(LiveTask task);

    /** Hands a prepared task to the blocking pool, or ends it as cancelled if the runtime is shut down. */
    public abstract void startBlocking(LiveTask task);

    /**
     * {@return a new {@code TaskRuntime} that a scheduler of the caller's drives}
     *
     * @param name the runtime's name
     * @param scheduler a scheduler that has no runtime yet
     */
    public abstract Object newRuntime(String name, ControlledScheduler scheduler);

    /**
     * Has the failures that nobody has joined told to a test, and not logged. They are all told when the runtime ends.
     *
     * @param runtime a {@code TaskRuntime}
     * @param listener is given a task's description and its failure; on any thread
     */
    public abstract void listenToUnjoined(Object runtime, BiConsumer<String, Throwable> listener);

    /** Ends a prepared task that will not run. */
    public abstract void refuse(LiveTask task);

    /**
     * {@return the exception of a region that a cancellation has ended, for the caller around it, who is not cancelled}
     *
     * @param reason a {@code CancelReason}
     */
    public abstract InterruptedException endedRegion(Object reason);
}
