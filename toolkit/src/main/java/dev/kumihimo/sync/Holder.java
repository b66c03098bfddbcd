package dev.kumihimo.sync;

import dev.kumihimo.internal.wait.Waiter;
import org.jspecify.annotations.Nullable;

/** What the locks, and whoever initializes a cell, have in common: a thing is held by a thread, which alone may end it. */
final class Holder {
    private Holder() {}

    /** Refuses a lock to who holds it: it would wait for itself. */
    static void refuseRelock(@Nullable Thread holder, String what) {
        if (holder == Thread.currentThread()) {
            throw relocked(what);
        }
    }

    /** The exception of a lock that its holder asks for again. */
    static IllegalStateException relocked(String what) {
        return new IllegalStateException(
                name(Thread.currentThread()) + " holds the " + what + " already, and would wait for itself");
    }

    /** Refuses the end of a lock to all but who holds it. */
    static void refuseOthers(Thread holder, String what) {
        Thread caller = Thread.currentThread();
        if (holder != caller) {
            throw new IllegalStateException("the " + what + " is held by " + name(holder) + ", and " + name(caller)
                    + " cannot unlock it: a guard is closed by who took it");
        }
    }

    /** The exception of a guard that is used after its end. */
    static IllegalStateException closed(String what) {
        return new IllegalStateException("the guard is closed, the " + what + " unlocked");
    }

    /** {@return what to say of a lock once all tasks have ended, if it is held} A thread that is no task may still unlock it. */
    static @Nullable String left(@Nullable Thread holder, String held) {
        if (holder == null) {
            return held + " by a task that has ended";
        }
        return holder.isAlive() ? null : held + " by " + name(holder) + ", which has ended";
    }

    /** A task by its name, every other thread by its own. */
    static String name(Thread thread) {
        return thread.getUncaughtExceptionHandler() instanceof Waiter task && thread.isAlive()
                ? task.toString()
                : "thread \"" + thread.getName() + '"';
    }
}
