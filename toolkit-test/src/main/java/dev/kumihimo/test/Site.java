package dev.kumihimo.test;

import dev.kumihimo.internal.carrier.UserFrames;

/**
 * A place in a program, as the stack of who was there: cheap to take, since what the frames are called is looked up only when
 * it is told.
 */
final class Site extends Throwable {
    private static final long serialVersionUID = 1;

    Site() {
        super(null, null, false, true);
    }

    /** {@return the innermost frame that is neither ours nor the JDK's; if there is none, the innermost of all} */
    String told() {
        StackTraceElement[] frames = getStackTrace();
        for (StackTraceElement frame : frames) {
            if (UserFrames.isUsers(frame.getClassName())) {
                return frame.toString();
            }
        }
        return frames.length == 0 ? "an unknown place" : frames[0].toString();
    }
}
