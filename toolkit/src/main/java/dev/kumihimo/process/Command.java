package dev.kumihimo.process;

import dev.kumihimo.process.Launch.Starter;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A command to run: a program, its arguments, and what it finds around it. No shell reads it, so nothing needs quotes.
 *
 * <pre>{@code
 * Output status = Command.of("git", "status").directory(repository).environment("LANG", "C").output();
 * }</pre>
 *
 * <p>{@link #start()} gives a {@link Child} to talk to; {@link #status()} and {@link #output()} wait for the end of the command,
 * and if they end otherwise, be it by a cancellation, {@linkplain Child#kill() kill} it and what it has started. That does not find
 * a process whose parent has ended before.
 *
 * <p>What is not set is that of this JVM: working directory, environment, and for {@link #start()} and {@link #status()} all
 * three standard streams. No other open file of this JVM reaches the child.
 *
 * <p>A command may be run any number of times. It belongs to one thread at a time; a child does not see later changes.
 *
 * @since 0.1
 */
public final class Command {
    static final boolean WINDOWS = File.separatorChar == '\\';

    private final List<String> words = new ArrayList<>();
    private final Map<String, @Nullable String> environment = new LinkedHashMap<>(); // null: removed
    private boolean emptyEnvironment;
    private @Nullable File directory;
    private @Nullable Stdio stdin;
    private Stdio stdout = Stdio.INHERIT;
    private Stdio stderr = Stdio.INHERIT;
    private boolean mergeStderr;
    private boolean keepOnClose;
    private int outputLimit = Child.MOST_BYTES;
    private Starter starter = ProcessBuilder::start;
    private Duration patience = Child.LONGEST_DEATH;

    private Command(String program) {
        if (program.isEmpty()) {
            throw new IllegalArgumentException("program=\"\" must not be empty");
        }
        words.add(checked(program, "program"));
    }

    private static String checked(String value, String what) {
        int zero = value.indexOf('\0');
        if (zero >= 0) {
            throw new IllegalArgumentException(what + "=\"" + value.replace("\0", "\\0") + "\" must not contain NUL");
        }
        return value;
    }

    /* ---------------- What to run -------------- */

    /**
     * {@return a command}
     *
     * @param program a name that is looked up in the search path of this JVM, or a path; a relative path counts from the child's
     *     working directory on Unix
     * @param arguments its arguments
     * @throws IllegalArgumentException if the program is empty, or one of them contains NUL
     */
    public static Command of(String program, String... arguments) {
        return new Command(program).arguments(List.of(arguments));
    }

    /**
     * Adds an argument.
     *
     * @param argument passed on as it is
     * @return this
     * @throws IllegalArgumentException if it contains NUL
     */
    public Command argument(String argument) {
        words.add(checked(argument, "argument"));
        return this;
    }

    /**
     * Adds arguments.
     *
     * @param arguments passed on as they are
     * @return this
     * @throws IllegalArgumentException if one contains NUL; then none was added
     */
    public Command arguments(List<String> arguments) {
        arguments.forEach(argument -> checked(argument, "argument"));
        words.addAll(arguments);
        return this;
    }

    /**
     * Sets the working directory.
     *
     * @param path of a directory; whether there is one is looked at when the command is started
     * @return this
     * @throws IllegalArgumentException if it is not in the file system of the system
     */
    public Command directory(Path path) {
        directory = Stdio.local(path, "directory");
        return this;
    }

    /**
     * Sets a variable of the environment.
     *
     * @param name of the variable
     * @param value of the variable
     * @return this
     * @throws IllegalArgumentException if the name is empty or contains {@code =}, or either contains NUL
     */
    public Command environment(String name, String value) {
        environment.put(checkedName(name), checked(value, "value"));
        return this;
    }

    /**
     * Removes a variable of the environment.
     *
     * @param name of the variable; it need not be there
     * @return this
     * @throws IllegalArgumentException if the name is empty or contains {@code =} or NUL
     */
    public Command removeEnvironment(String name) {
        environment.put(checkedName(name), null);
        return this;
    }

    /**
     * Removes all variables from the environment, those that were set here too. A program that needs some gets them afterwards.
     *
     * @return this
     */
    public Command clearEnvironment() {
        environment.clear();
        emptyEnvironment = true;
        return this;
    }

    private static String checkedName(String name) {
        if (name.isEmpty() || name.indexOf('=') >= 0) {
            throw new IllegalArgumentException("name=\"" + name + "\" must not be empty or contain =");
        }
        return checked(name, "name");
    }

    /**
     * Sets where its standard input comes from. Without, {@link #output()} gives it {@link Stdio#NULL}, and the others that of
     * this JVM.
     *
     * @param from for input
     * @return this
     * @throws IllegalArgumentException if it is for output
     */
    public Command stdin(Stdio from) {
        from.input();
        stdin = from;
        return this;
    }

    /**
     * Sets where its standard output goes to. Without, and unless {@link #output()} is called, it is that of this JVM.
     *
     * @param to for output
     * @return this
     * @throws IllegalArgumentException if it is for input
     */
    public Command stdout(Stdio to) {
        to.output("stdout");
        stdout = to;
        return this;
    }

    /**
     * Sets where its standard error goes to. Without, and unless {@link #output()} is called, it is that of this JVM.
     *
     * @param to for output
     * @return this
     * @throws IllegalArgumentException if it is for input
     */
    public Command stderr(Stdio to) {
        to.output("stderr");
        stderr = to;
        mergeStderr = false;
        return this;
    }

    /**
     * Has its standard error go where its standard output goes, in the order in which it writes.
     *
     * @return this
     */
    public Command mergeStderr() {
        mergeStderr = true;
        return this;
    }

    /**
     * Has a started child live on when it is {@linkplain Child#close() closed}. {@link #status()} and {@link #output()} do not
     * look at this.
     *
     * @return this
     */
    public Command keepOnClose() {
        keepOnClose = true;
        return this;
    }

    /**
     * Bounds what {@link #output()} takes.
     *
     * @param bytes the most bytes of standard output and standard error together, 0 to 1 GiB, which it is
     *     without this
     * @return this
     * @throws IllegalArgumentException if it is out of range
     */
    public Command outputLimit(int bytes) {
        outputLimit = Child.checkLimit(bytes);
        return this;
    }

    /** For tests: how a process is started, which may take a time of their choice. */
    Command startedBy(Starter how) {
        starter = how;
        return this;
    }

    /** For tests: how long a caller that is cancelled waits for a start that hangs. */
    Command patience(Duration longest) {
        patience = longest;
        return this;
    }

    /* ---------------- Running it -------------- */

    /**
     * Starts the command. Waits until the system has started it, on a thread of its own: neither a carrier nor a thread of the
     * blocking pool is held.
     *
     * <p>The system may take long, as for a {@linkplain Stdio#from named pipe} without a writer. If the caller is interrupted or
     * cancelled meanwhile, it waits for 10 seconds more at most, and then gives up with a warning in the log; the thread stays
     * until the system has started the command, and then kills it at once.
     *
     * @return the child, to be closed
     * @throws InterruptedException if interrupted or cancelled; the command was not started, or is {@linkplain Child#kill() killed}
     *     and has ended, or will be killed as soon as it is started
     * @throws IOException if it cannot be started: it says whether the program, the working directory or a file for a standard
     *     stream is missing or not to be used, or what else the system says
     */
    public Child start() throws IOException, InterruptedException {
        return start(keepOnClose, stdin == null ? Stdio.INHERIT : stdin, stdout, stderr);
    }

    /**
     * Runs the command and waits for its end. Its pipes, if it was given any, are closed when it begins.
     *
     * @return how it ended
     * @throws InterruptedException if interrupted or cancelled; the command has been ended as by {@link Child#close()}, or, as with
     *     {@link #start()}, was not started or will be killed as soon as it is
     * @throws IOException if it cannot be started
     */
    public ExitStatus status() throws IOException, InterruptedException {
        try (Child child = start(false, stdin == null ? Stdio.INHERIT : stdin, stdout, stderr)) {
            child.closePipes();
            return child.await();
        }
    }

    /**
     * Runs the command, takes what it writes to standard output and standard error, whatever was set for these, and waits for
     * its end. Its input is {@link Stdio#NULL} unless another was set; a {@linkplain Stdio#PIPED pipe} is closed at once. It ends
     * when both outputs do: a process that the command leaves behind holds it up if it has inherited one.
     *
     * @return what it wrote, and how it ended
     * @throws InterruptedException if interrupted or cancelled; the command has been ended as by {@link Child#close()}, or, as with
     *     {@link #start()}, was not started or will be killed as soon as it is
     * @throws IOException if it cannot be started; or if it writes more than the {@linkplain #outputLimit limit}, and then it has
     *     been ended in the same way
     */
    public Output output() throws IOException, InterruptedException {
        try (Child child = start(false, stdin == null ? Stdio.NULL : stdin, Stdio.PIPED, Stdio.PIPED)) {
            return child.output(outputLimit);
        }
    }

    private Child start(boolean keep, Stdio in, Stdio out, Stdio err) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(List.copyOf(words))
                .directory(directory)
                .redirectInput(in.input())
                .redirectOutput(out.output("stdout"))
                .redirectErrorStream(mergeStderr);
        if (!mergeStderr) {
            builder.redirectError(err.output("stderr"));
        }
        applyTo(builder.environment());
        Launch.Pipes pipes = new Launch.Pipes(
                in == Stdio.PIPED, in == Stdio.NULL, out == Stdio.PIPED, err == Stdio.PIPED && !mergeStderr);
        return new Launch(builder, pipes, keep, starter, patience).await();
    }

    private void applyTo(Map<String, String> variables) {
        if (emptyEnvironment) {
            variables.clear();
        }
        environment.forEach((name, value) -> {
            if (value == null) {
                variables.remove(name);
            } else {
                variables.put(name, Objects.requireNonNull(value));
            }
        });
    }

    /** {@return the command in brackets, for logs} The environment is left out. */
    @Override
    public String toString() {
        return "Command" + words;
    }
}
