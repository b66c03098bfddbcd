package dev.kumihimo.task;

import dev.kumihimo.internal.carrier.LiveTask;
import dev.kumihimo.internal.carrier.TaskDoor;
import dev.kumihimo.internal.carrier.TaskKeeper;
import org.jspecify.annotations.Nullable;

/** A task of {@link OwnedTasks}: an element of the owner's list, and of the list of those that have completed. */
class Member implements Runnable, TaskKeeper {
    final LiveTask task;
    private final OwnedTasks tasks;
    private final long deadline;

    @Nullable
    Member previous; // the owner's

    @Nullable
    Member next; // the owner's

    @Nullable
    Member previousCompleted; // guarded by the lock of completions

    @Nullable
    Member nextCompleted; // guarded by the lock of completions

    boolean ended; // guarded by the lock of completions
    boolean discarded; // guarded by the lock of completions

    Member(OwnedTasks tasks, @Nullable String name, Object body, boolean blocking) {
        this.tasks = tasks;
        this.deadline = tasks.deadline();
        this.task = TaskDoor.get().prepare(body, name, blocking, this);
    }

    /** In the task's thread: the scope's part of it leads here. */
    @Override
    public void run() {
        TaskDoor.get().run(task);
    }

    @Override
    public void ended(LiveTask endedTask) {
        tasks.completions.add(this);
    }

    @Override
    public Object group() {
        return tasks;
    }

    @Override
    public long deadline() {
        return deadline;
    }
}
