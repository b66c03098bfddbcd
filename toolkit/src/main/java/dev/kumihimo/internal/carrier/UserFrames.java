package dev.kumihimo.internal.carrier;

import java.security.CodeSource;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Where in the user's code a thread is: what reports say of a stack. */
public final class UserFrames {
    private static final String HOME = "dev.kumihimo.";
    private static final String KITS_HOME = HOME + "test.";
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

    private UserFrames() {}

    /**
     * {@return the innermost frame that is neither ours nor the JDK's, or null} A virtual thread that is ready is handed to its
     * scheduler again by the look; it does no harm, but costs.
     */
    public static @Nullable StackTraceElement of(Thread thread) {
        return of(thread.getStackTrace());
    }

    /** {@return as {@link #of(Thread)}, of a stack that was taken} */
    public static @Nullable StackTraceElement of(StackTraceElement[] stack) {
        for (StackTraceElement frame : stack) {
            if (isUsers(frame.getClassName())) {
                return frame;
            }
        }
        return null;
    }

    /** {@return a frame as a line of a report has it: {@code Repo.java:88}} */
    public static String place(StackTraceElement frame) {
        String file = frame.getFileName();
        return file == null ? frame.getClassName() : file + ':' + frame.getLineNumber();
    }

    /** {@return whether a class is neither the JDK's nor of one of our rooms, the test kit's among them} */
    public static boolean isUsers(String className) {
        if (className.startsWith("java.")
                || className.startsWith("javax.")
                || className.startsWith("jdk.")
                || className.startsWith("sun.")) {
            return false;
        }
        if (className.startsWith(KITS_HOME)) {
            return !isOfTheKit(className);
        }
        int dot = className.startsWith(HOME) ? className.indexOf('.', HOME.length()) : -1;
        return dot < 0 || !ROOMS.contains(className.substring(HOME.length(), dot));
    }

    /** The kit's own tests lie in its rooms: what tells its classes from theirs is where they were loaded from. */
    private static boolean isOfTheKit(String className) {
        CodeSource kit = sourceOf(KITS_HOME + "TestRuntime");
        return kit != null && kit.equals(sourceOf(className));
    }

    private static @Nullable CodeSource sourceOf(String className) {
        try {
            return Class.forName(className, false, UserFrames.class.getClassLoader())
                    .getProtectionDomain()
                    .getCodeSource();
        } catch (ClassNotFoundException | LinkageError e) {
            return null; // of another loader
        }
    }
}
