package dev.kumihimo.signal;

import java.util.Locale;
import java.util.Objects;

/**
 * Which signal: one of the usual ones, or one by its name. What it means is the operating system's business; whether this one
 * has it, and lets a program have it, shows when one {@linkplain Signal#listen listens}.
 *
 * <pre>{@code
 * Signal.listen(SignalKind.HANGUP);
 * Signal.listen(SignalKind.of("CONT"));
 * }</pre>
 *
 * <p>Two kinds of the same name are equal.
 *
 * @since 0.1
 */
public final class SignalKind {
    /** SIGINT: Ctrl-C in a terminal. Its default ends the process with exit code 130. */
    public static final SignalKind INTERRUPT = new SignalKind("INT");

    /** SIGTERM: the usual request to end. Its default ends the process with exit code 143. */
    public static final SignalKind TERMINATE = new SignalKind("TERM");

    /** SIGHUP: the terminal is gone, or, to a service, "read your configuration again". Its default ends the process. */
    public static final SignalKind HANGUP = new SignalKind("HUP");

    /** SIGUSR1: whatever the program makes of it. Its default ends the process. */
    public static final SignalKind USER1 = new SignalKind("USR1");

    /**
     * SIGUSR2: whatever the program makes of it. The HotSpot JVM on Linux stops threads with it, for Flight Recorder: while one
     * listens, a recording disturbs the listener and the listener the recording. Prefer {@link #USER1}.
     */
    public static final SignalKind USER2 = new SignalKind("USR2");

    /** SIGCHLD: a child process has ended or stopped. Ignored by default. */
    public static final SignalKind CHILD = new SignalKind("CHLD");

    /** SIGALRM: a timer of the system. Its default ends the process. */
    public static final SignalKind ALARM = new SignalKind("ALRM");

    /** SIGPIPE: something was written to a pipe or socket that nobody reads. A JVM ignores it, and the write fails. */
    public static final SignalKind PIPE = new SignalKind("PIPE");

    /** SIGWINCH: the terminal has another size. Ignored by default. */
    public static final SignalKind WINDOW_CHANGE = new SignalKind("WINCH");

    /** SIGIO: a descriptor is ready. Its default ends the process. */
    public static final SignalKind IO = new SignalKind("IO");

    private final String name;

    private SignalKind(String name) {
        this.name = name;
    }

    /**
     * {@return the kind of a name}
     *
     * @param name as in {@code kill -l}, with or without SIG, in upper or lower case
     * @throws IllegalArgumentException if nothing is left of it without SIG
     */
    public static SignalKind of(String name) {
        String upper = Objects.requireNonNull(name, "name").strip().toUpperCase(Locale.ROOT);
        String bare = upper.startsWith("SIG") ? upper.substring("SIG".length()) : upper;
        if (bare.isEmpty()) {
            throw new IllegalArgumentException("name=\"" + name + "\" must be that of a signal, as HUP or SIGHUP");
        }
        return new SignalKind(bare);
    }

    /** {@return its name in upper case, without SIG} */
    public String name() {
        return name;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SignalKind kind && kind.name.equals(name);
    }

    @Override
    public int hashCode() {
        return name.hashCode();
    }

    /** {@return its name in upper case, with SIG} */
    @Override
    public String toString() {
        return "SIG" + name;
    }
}
