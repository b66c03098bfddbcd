package dev.kumihimo.test;

import org.jspecify.annotations.Nullable;

/**
 * What came of one run under a schedule.
 *
 * @param failure what it failed with, or null
 * @param hash the hash of all it did, its end included
 * @param choices how many choices it had, its end included
 * @param trace the trace up to its failure; empty if it did not fail
 * @param record the choices up to its failure or end
 * @param replay how a report calls the run, and how it is replayed
 * @param outside how often it was woken from outside
 */
record Outcome(
        @Nullable Throwable failure, long hash, int choices, String trace, Record record, String replay, long outside) {
    private static final int LONGEST_KIND = 40;

    /** {@return what a failure has in common with those like it; empty if there is none} */
    String kind() {
        if (failure == null) {
            return "";
        }
        String name = failure.getClass().getName();
        String message = failure.getMessage();
        if (!(failure instanceof ScheduleError) || message == null) {
            return name;
        }
        int end = message.indexOf(':');
        return name + " " + message.substring(0, end < 0 ? Math.min(message.length(), LONGEST_KIND) : end);
    }

    boolean isDivergence() {
        return failure != null && failure.getCause() instanceof Divergence;
    }

    /** Whether to run it again would be of use: not if it is a matter of real time, or no failure of the body's. */
    boolean canRepeat() {
        if (!(failure instanceof ScheduleError error)) {
            return failure != null && !(failure instanceof InterruptedException);
        }
        String message = String.valueOf(error.getMessage());
        return !isDivergence()
                && !message.startsWith("stuck")
                && !message.startsWith("out of time")
                && !message.startsWith("interrupted");
    }
}
