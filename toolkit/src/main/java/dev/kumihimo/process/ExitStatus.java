package dev.kumihimo.process;

import java.util.OptionalInt;

/**
 * How a child ended.
 *
 * <pre>{@code
 * ExitStatus status = Command.of("cmp", "-s", "a", "b").status();
 * boolean same = status.isSuccess();
 * }</pre>
 *
 * @param code what it exited with, as {@link Process#exitValue()} gives it: on Unix 0 to 255, and 128 more than the number of
 *     the signal that ended it
 * @since 0.1
 */
public record ExitStatus(int code) {
    private static final int SIGNALLED = 128;
    private static final int MOST_SIGNALS = 64;

    /** {@return whether the code is 0} */
    public boolean isSuccess() {
        return code == 0;
    }

    /**
     * {@return the signal that ended it, as far as the code tells: on Unix for a code from 129 to 192} A program that exits with
     * such a code by itself looks the same, and a shell does if a signal has ended what it ran.
     */
    public OptionalInt signal() {
        return !Command.WINDOWS && code > SIGNALLED && code <= SIGNALLED + MOST_SIGNALS
                ? OptionalInt.of(code - SIGNALLED)
                : OptionalInt.empty();
    }

    @Override
    public String toString() {
        OptionalInt signal = signal();
        return "exit code " + code + (signal.isPresent() ? ", which is signal " + signal.getAsInt() : "");
    }
}
