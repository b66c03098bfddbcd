package dev.kumihimo.process;

import java.nio.charset.StandardCharsets;

/**
 * What a child has put out, and how it ended.
 *
 * <pre>{@code
 * Output log = Command.of("git", "log", "-1").output();
 * if (!log.status().isSuccess()) {
 *     throw new IOException(log.stderrText());
 * }
 * }</pre>
 *
 * @since 0.1
 */
public final class Output {
    private final ExitStatus status;
    private final byte[] stdout;
    private final byte[] stderr;

    Output(ExitStatus status, byte[] stdout, byte[] stderr) {
        this.status = status;
        this.stdout = stdout;
        this.stderr = stderr;
    }

    /** {@return how it ended} */
    public ExitStatus status() {
        return status;
    }

    /** {@return what it wrote to its standard output, empty if that was no pipe} The array is not copied. */
    public byte[] stdout() {
        return stdout;
    }

    /** {@return what it wrote to its standard error, empty if that was no pipe} The array is not copied. */
    public byte[] stderr() {
        return stderr;
    }

    /** {@return the standard output as UTF-8, with U+FFFD for what is none} */
    public String stdoutText() {
        return new String(stdout, StandardCharsets.UTF_8);
    }

    /** {@return the standard error as UTF-8, with U+FFFD for what is none} */
    public String stderrText() {
        return new String(stderr, StandardCharsets.UTF_8);
    }

    @Override
    public String toString() {
        return "Output[" + status + ", stdout " + stdout.length + " bytes, stderr " + stderr.length + " bytes]";
    }
}
