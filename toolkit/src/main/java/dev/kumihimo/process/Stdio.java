package dev.kumihimo.process;

import java.io.File;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where a child's standard input comes from, or its standard output or standard error goes to.
 *
 * <pre>{@code
 * Command.of("sort").stdin(Stdio.from(unsorted)).stdout(Stdio.to(sorted)).status();
 * }</pre>
 *
 * @since 0.1
 */
public final class Stdio {
    /** A pipe to the caller: {@link Child#stdin()}, {@link Child#stdout()}, {@link Child#stderr()}. */
    public static final Stdio PIPED = new Stdio("PIPED", Redirect.PIPE, Redirect.PIPE);

    /** The same as that of this JVM. */
    public static final Stdio INHERIT = new Stdio("INHERIT", Redirect.INHERIT, Redirect.INHERIT);

    /** Nothing: input that is at its end, output that is thrown away. */
    public static final Stdio NULL = new Stdio("NULL", Redirect.PIPE, Redirect.DISCARD); // a pipe closed at once

    private final String name;
    private final @Nullable Redirect input;
    private final @Nullable Redirect output;

    private Stdio(String name, @Nullable Redirect input, @Nullable Redirect output) {
        this.name = name;
        this.input = input;
        this.output = output;
    }

    /**
     * {@return input from a file} It is opened when the command is started; that fails if it cannot be read. A named pipe
     * holds up the start until somebody opens it to write.
     *
     * @param file relative to this JVM's working directory, not the child's
     * @throws IllegalArgumentException if it is not in the file system of the system
     */
    public static Stdio from(Path file) {
        return new Stdio("from " + file, Redirect.from(local(file, "file")), null);
    }

    /**
     * {@return output to a file, which is made or emptied when the command is started} A named pipe holds up the start until
     * somebody opens it to read.
     *
     * @param file relative to this JVM's working directory, not the child's
     * @throws IllegalArgumentException if it is not in the file system of the system
     */
    public static Stdio to(Path file) {
        return new Stdio("to " + file, null, Redirect.to(local(file, "file")));
    }

    /**
     * {@return output to the end of a file, which is made when the command is started if it is not there}
     *
     * @param file relative to this JVM's working directory, not the child's
     * @throws IllegalArgumentException if it is not in the file system of the system
     */
    public static Stdio appendTo(Path file) {
        return new Stdio("at the end of " + file, null, Redirect.appendTo(local(file, "file")));
    }

    static File local(Path path, String what) {
        try {
            return path.toFile();
        } catch (UnsupportedOperationException e) {
            throw new IllegalArgumentException(
                    what + "=" + path + " must be in the default file system, which the child sees", e);
        }
    }

    Redirect input() {
        return suitable(input, "stdin", "input");
    }

    Redirect output(String which) {
        return suitable(output, which, "output");
    }

    private Redirect suitable(@Nullable Redirect redirect, String which, String kind) {
        if (redirect == null) {
            throw new IllegalArgumentException(which + "=" + name + " must be one for " + kind);
        }
        return redirect;
    }

    @Override
    public String toString() {
        return name;
    }
}
