package dev.kumihimo.task;

import dev.kumihimo.internal.carrier.LiveTask;
import dev.kumihimo.internal.carrier.TaskDoor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A task of a {@link JoinSet}: an element of the owner's list, and of the list of those that have completed. */
final class Member implements Runnable, Consumer<LiveTask> {
    final LiveTask task;
    private final Completions completions;
    private final TaskDoor door;

    @Nullable
    Member previous; // the owner's

    @Nullable
    Member next; // the owner's

    @Nullable
    Member nextCompleted; // guarded by the lock of completions

    boolean ended; // guarded by the lock of completions
    boolean discarded; // guarded by the lock of completions

    Member(Completions completions, TaskDoor door, @Nullable String name, Object body, boolean blocking) {
        this.completions = completions;
        this.door = door;
        this.task = door.prepare(body, name, blocking, this);
    }

    /** In the task's thread: the scope's part of it leads here. */
    @Override
    public void run() {
        door.run(task);
    }

    /** The task has ended. */
    @Override
    public void accept(LiveTask endedTask) {
        completions.add(this);
    }
}
