package dev.kumihimo.runtime;

import dev.kumihimo.internal.carrier.LiveTask;
import dev.kumihimo.internal.carrier.UserFrames;
import dev.kumihimo.internal.carrier.WaitGraph;
import dev.kumihimo.internal.jdk.VirtualThreads;
import dev.kumihimo.internal.wait.Wait;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One task as it was seen for a {@link TaskDump}: facts only, nothing that keeps it alive.
 *
 * @param holders who holds what it waits for
 * @param nanosLeft until the deadline of the region it is in; {@link Long#MAX_VALUE} if there is none
 * @param at the user's frame
 * @param group the set it belongs to, in words
 */
record DumpedTask(
        long id,
        String name,
        String title,
        int key,
        int spawner,
        Doing doing,
        @Nullable String what,
        List<Holder> holders,
        long nanosLeft,
        @Nullable StackTraceElement at,
        @Nullable String group) {

    /** What a task does. */
    enum Doing {
        NOT_BEGUN,
        READY,
        RUNNING,
        WAITING,
        RESUMING,
        OUTSIDE,
        BLOCKING,
        ENDING;

        String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }

    /** A thread that holds something: a task, or (with id 0) another thread. */
    record Holder(long id, String name) {}

    /** A state without its task, by which those are counted that are not told one by one. */
    record State(Doing doing, @Nullable String what) {}

    private static final long FIRST_JOB = RuntimeTask.JOBS;

    static boolean isJob(long id) {
        return id > FIRST_JOB;
    }

    /** How an id is written in a text. */
    static String number(long id) {
        return isJob(id) ? "#job-" + (id - FIRST_JOB) : "#" + id;
    }

    String number() {
        return number(id);
    }

    /** {@return what a task does now; takes no stack} */
    static State stateOf(LiveTask task) {
        Thread thread = task.threadOrNull();
        Wait wait = task.openWait();
        if (thread == null) {
            return new State(Doing.NOT_BEGUN, null);
        }
        if (wait != null) {
            return new State(wait.isDecided() ? Doing.RESUMING : Doing.WAITING, wait.toString());
        }
        Thread.State state = thread.getState();
        Doing inJdk = task.isBlocking() ? Doing.BLOCKING : Doing.OUTSIDE;
        return switch (state) {
            case NEW -> new State(Doing.NOT_BEGUN, null);
            case TERMINATED -> new State(Doing.ENDING, null);
            case RUNNABLE -> {
                if (task.isBlocking()) {
                    yield new State(Doing.BLOCKING, state.name());
                }
                boolean mounted = !VirtualThreads.customSchedulers() || VirtualThreads.carrierOf(thread) != null;
                yield new State(mounted ? Doing.RUNNING : Doing.READY, null);
            }
            case BLOCKED, WAITING, TIMED_WAITING -> new State(inJdk, inJdk(thread, state));
        };
    }

    private static String inJdk(Thread thread, Thread.State state) {
        Object blocker = LockSupport.getBlocker(thread);
        // Not its toString(), which is the user's: it could wait for the very lock that we are asked about.
        String at = blocker == null ? "" : " at " + blocker.getClass().getName();
        return state + at + (VirtualThreads.carrierOf(thread) == null ? "" : ", and holds its carrier");
    }

    /** {@return a task as it is now, with the frame that its stack shows} */
    static DumpedTask of(LiveTask task) {
        State state = stateOf(task);
        Thread thread = task.threadOrNull();
        Wait wait = state.doing == Doing.WAITING ? task.openWait() : null;
        // A ready task would have to be handed to its scheduler again by the look at its stack.
        boolean hasStack = state.doing != Doing.READY && state.doing != Doing.NOT_BEGUN;
        long deadline = task.regionDeadline();
        Object group = task.group();
        return new DumpedTask(
                task.id(),
                task.name(),
                task.toString(),
                task.key(),
                task.spawner(),
                state.doing,
                state.what,
                wait == null ? List.of() : holders(wait),
                deadline == Long.MAX_VALUE ? Long.MAX_VALUE : deadline - task.nanoTime(),
                thread != null && hasStack ? UserFrames.of(thread) : null,
                group == null ? null : group.toString());
    }

    private static List<Holder> holders(Wait wait) {
        List<Holder> holders = new ArrayList<>();
        for (Thread thread : wait.holders()) {
            LiveTask task = WaitGraph.taskOf(thread);
            holders.add(task == null ? new Holder(0, thread.getName()) : new Holder(task.id(), task.name()));
        }
        return holders;
    }

    /** {@return what it does, in words} */
    String told() {
        StringBuilder text = new StringBuilder(doing.word());
        if (what != null) {
            text.append(doing == Doing.WAITING || doing == Doing.RESUMING ? " for " : ", ")
                    .append(what);
        }
        for (int i = 0; i < holders.size(); i++) {
            Holder holder = holders.get(i);
            text.append(i == 0 ? " (" : ", ")
                    .append(holder.id == 0 ? "thread \"" + holder.name + '"' : number(holder.id));
        }
        return text.append(holders.isEmpty() ? "" : ")").toString();
    }
}
