package dev.kumihimo.test;

import dev.kumihimo.internal.carrier.UserFrames;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A place in a program, as the stack of who was there: cheap to take, since what the frames are called is looked up only when
 * it is told.
 */
final class Site extends Throwable {
    private static final long serialVersionUID = 1;

    private static final String KITS_ROOM = "dev.kumihimo.test.";

    /** Those of the kit that lie between a user and what is made, or waited for. Named, since the kit's own tests are users. */
    private static final Set<String> KIT = Set.of(
            "Entry",
            "Leaks",
            "Outside",
            "PointControl",
            "Site",
            "TestRuntime",
            "TestRuntimeBuilder",
            "TestScheduler",
            "TestTasks",
            "net.Connection",
            "net.End",
            "net.Handshake",
            "net.Playing",
            "net.Ready",
            "net.ScriptedStream",
            "net.SimListener",
            "net.SimNet",
            "net.SimStream");

    Site() {
        super(null, null, false, true);
    }

    /** {@return the innermost frame that is neither ours nor the JDK's; if there is none, the innermost of all} */
    String told() {
        StackTraceElement[] frames = getStackTrace();
        StackTraceElement users = usersOf(frames);
        if (users != null) {
            return users.toString();
        }
        return frames.length == 0 ? "an unknown place" : frames[0].toString();
    }

    /** {@return the innermost frame of a stack that is neither ours nor the JDK's, or null} */
    static @Nullable StackTraceElement usersOf(StackTraceElement[] frames) {
        for (StackTraceElement frame : frames) {
            if (isUsers(frame.getClassName())) {
                return frame;
            }
        }
        return null;
    }

    /** {@return whether a class is neither the JDK's nor of our rooms or the kit} */
    static boolean isUsers(String className) {
        if (!className.startsWith(KITS_ROOM)) {
            return UserFrames.isUsers(className);
        }
        int nested = className.indexOf('$');
        return !KIT.contains(className.substring(KITS_ROOM.length(), nested < 0 ? className.length() : nested));
    }
}
