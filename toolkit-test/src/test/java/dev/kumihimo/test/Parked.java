package dev.kumihimo.test;

/** For who wakes a task from outside: it need not be woken before it waits, however long it takes to come to that. */
public final class Parked {
    private Parked() {}

    /** Returns when a thread waits, without a time limit of its own. */
    public static void await(Thread thread) {
        while (thread.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
    }
}
