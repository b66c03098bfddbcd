package dev.kumihimo.test.matrix;

import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.TaskCancelledException;

/** What a waiter saw. Written by its task, read at rest. */
final class Outcome {
    final int who;
    boolean begun;
    boolean ended;

    /** What the operation returned; null if it did not. */
    Object value;

    Throwable thrown;

    /** The interrupt flag after it. */
    boolean interrupted;

    Outcome(int who) {
        this.who = who;
    }

    /** Whether the operation had its effect, as its caller sees it. */
    boolean applied() {
        return ended && thrown == null;
    }

    /** Whether the end of the runtime ended it. */
    boolean isShutDown() {
        return thrown instanceof TaskCancelledException e && e.reason().kind() == CancelReason.Kind.SHUTDOWN;
    }

    @Override
    public String toString() {
        return "w" + who + " "
                + (!begun
                        ? "did not begin"
                        : !ended ? "is under way" : thrown == null ? "got " + value : "threw " + thrown);
    }
}
