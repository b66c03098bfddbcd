package dev.kumihimo.test;

import java.util.Set;

/**
 * A place in a program, as the stack of who was there: cheap to take, since what the frames are called is looked up only when
 * it is told.
 */
final class Site extends Throwable {
    private static final long serialVersionUID = 1;

    private static final String ROOM = "dev.kumihimo.";
    private static final Set<String> ROOMS = Set.of(
            "channel",
            "codec",
            "fs",
            "internal",
            "io",
            "net",
            "process",
            "runtime",
            "select",
            "signal",
            "sync",
            "task",
            "time",
            "tls");

    /** Those of the kit that lie between a user and what is made. */
    private static final Set<String> KIT =
            Set.of("Entry", "Leaks", "Outside", "PointControl", "Site", "TestRuntime", "TestRuntimeBuilder", "TestScheduler");

    Site() {
        super(null, null, false, true);
    }

    /** {@return the innermost frame that is neither ours nor the JDK's; if there is none, the innermost of all} */
    String told() {
        StackTraceElement[] frames = getStackTrace();
        for (StackTraceElement frame : frames) {
            if (isUsers(frame.getClassName())) {
                return frame.toString();
            }
        }
        return frames.length == 0 ? "an unknown place" : frames[0].toString();
    }

    private static boolean isUsers(String className) {
        if (className.startsWith("java.") || className.startsWith("jdk.") || className.startsWith("sun.")) {
            return false;
        }
        if (!className.startsWith(ROOM)) {
            return true;
        }
        int dot = className.indexOf('.', ROOM.length());
        String room = dot < 0 ? "" : className.substring(ROOM.length(), dot);
        if (ROOMS.contains(room)) {
            return false;
        }
        String simple = className.substring(className.lastIndexOf('.') + 1);
        int nested = simple.indexOf('$');
        return !room.equals("test") || !KIT.contains(nested < 0 ? simple : simple.substring(0, nested));
    }
}
