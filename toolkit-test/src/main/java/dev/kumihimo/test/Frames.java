package dev.kumihimo.test;

import org.jspecify.annotations.Nullable;

/** Finds in a stack what a reader wants to know: the line of the program under test, and what it called there. */
final class Frames {
    private static final String SOCKETS = "sun.nio.ch.";

    private Frames() {}

    /** {@return " in Semaphore.tryAcquire at Foo.bar(Foo.java:12)", without what is not known, for the end of a sentence} */
    static String place(@Nullable Thread thread) {
        StackTraceElement callee = null;
        if (thread != null) {
            for (StackTraceElement frame : thread.getStackTrace()) {
                if (Site.isUsers(frame.getClassName())) {
                    return (callee == null ? "" : " in " + name(callee)) + " at " + frame;
                }
                callee = frame;
            }
        }
        return "";
    }

    /** {@return all of a stack, each frame on a line of its own} */
    static String all(Thread thread) {
        StringBuilder stack = new StringBuilder();
        for (StackTraceElement frame : thread.getStackTrace()) {
            stack.append(System.lineSeparator()).append("    at ").append(frame);
        }
        return stack.toString();
    }

    /** {@return whether a parked thread waits for a socket of the JDK's} */
    static boolean waitsForSocket(Thread thread) {
        for (StackTraceElement frame : thread.getStackTrace()) {
            String name = frame.getClassName();
            if (name.startsWith(SOCKETS)) {
                return true;
            }
            if (Site.isUsers(name)) {
                return false;
            }
        }
        return false;
    }

    private static String name(StackTraceElement frame) {
        String type = frame.getClassName();
        return type.substring(type.lastIndexOf('.') + 1) + "." + frame.getMethodName();
    }
}
