package dev.kumihimo.process;

import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Select;
import dev.kumihimo.select.Selectable;
import dev.kumihimo.sync.Semaphore.Permit;
import dev.kumihimo.sync.SetOnce;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * A running command, or one that has ended.
 *
 * <pre>{@code
 * try (Child child = Command.of("sort").stdin(Stdio.PIPED).stdout(Stdio.PIPED).start()) {
 *     child.stdin().writeAll("b\na\n");
 *     child.stdin().close();
 *     String first = child.stdout().readLine();
 *     ExitStatus status = child.await();
 * } // killed if it still runs
 * }</pre>
 *
 * <p>It has to be closed. Closing kills it together with what it started, and waits until it has ended, unless it was started
 * with {@link Command#keepOnClose()}. A child belongs to no runtime: tasks of several may use it, and the end of a runtime does not
 * end it. Any thread may call any method.
 *
 * <p><b>Waiting</b> for its end holds no carrier. It may be done any number of times and by any number of tasks, and the end
 * stays known; if a wait is interrupted, cancelled or out of time, the child lives on, as far as the wait is concerned. Behind
 * each child there is a platform thread that waits in the JDK, and for each pipe that is used another one, see
 * {@link PipeReader}. The JDK reaps the child as soon as it ends, waited for or not: there are no zombies.
 *
 * <p><b>Select.</b> A child is selectable: it is ready once it has ended.
 *
 * @since 0.1
 */
public final class Child implements Selectable<ExitStatus>, AutoCloseable {
    /** The most bytes to be taken at once. */
    static final int MOST_BYTES = 1 << 30;

    /** How long a killed child may take to end. Those that take longer hang in the kernel. */
    static final Duration LONGEST_DEATH = Duration.ofSeconds(10);

    /** How often to look for processes that were started while their parents were being killed. */
    private static final int MOST_ROUNDS = 16;

    /** Whether the kernel tells the children of a thread, which takes microseconds: Linux, as it is mostly built. */
    private static final boolean CHILDREN_FILES = Files.exists(Path.of("/proc/thread-self/children"));

    private final Process process;
    private final String name;
    private final boolean keepOnClose;
    private final SetOnce<ExitStatus> exit = new SetOnce<>();
    private final @Nullable PipeWriter stdin;
    private final @Nullable PipeReader stdout;
    private final @Nullable PipeReader stderr;

    /** Whether somebody has asked for the input, and so closes it. */
    private volatile boolean stdinTaken;

    Child(Process process, String program, Launch.Pipes pipes, boolean keepOnClose) {
        this.process = process;
        this.name = "child \"" + program + "\" (pid " + process.pid() + ")";
        this.keepOnClose = keepOnClose;
        String thread = Long.toString(process.pid());
        stdin = pipes.stdin()
                ? new PipeWriter(process.getOutputStream(), "standard input of " + name, thread + "-stdin")
                : null;
        stdout = pipes.stdout()
                ? new PipeReader(process.getInputStream(), "standard output of " + name, thread + "-stdout")
                : null;
        stderr = pipes.stderr()
                ? new PipeReader(process.getErrorStream(), "standard error of " + name, thread + "-stderr")
                : null;
    }

    static int checkLimit(int limit) {
        if (limit < 0 || limit > MOST_BYTES) {
            throw new IllegalArgumentException("limit=" + limit + " must be 0 to " + MOST_BYTES);
        }
        return limit;
    }

    /* ---------------- Its pipes -------------- */

    /**
     * {@return its standard input} Who has asked for it closes it: {@link #await()} then does not.
     *
     * @throws IllegalStateException if it is not {@link Stdio#PIPED}
     */
    public PipeWriter stdin() {
        stdinTaken = true;
        return piped(stdin, "input");
    }

    /**
     * {@return its standard output}
     *
     * @throws IllegalStateException if it is not {@link Stdio#PIPED}
     */
    public PipeReader stdout() {
        return piped(stdout, "output");
    }

    /**
     * {@return its standard error}
     *
     * @throws IllegalStateException if it is not {@link Stdio#PIPED}, or goes where the standard output goes
     */
    public PipeReader stderr() {
        return piped(stderr, "error");
    }

    private <P> P piped(@Nullable P pipe, String which) {
        if (pipe == null) {
            throw new IllegalStateException("the standard " + which + " of " + name + " is not Stdio.PIPED");
        }
        return pipe;
    }

    /* ---------------- Waiting -------------- */

    /**
     * Waits until it has ended. A piped input that nobody has asked for is closed first: the child would wait for it for ever. Output
     * that nobody reads holds the child up once the pipes are full; {@link #output()} reads it.
     *
     * @return how it ended
     * @throws InterruptedException if interrupted or cancelled while it would wait; the child lives on
     */
    public ExitStatus await() throws InterruptedException {
        closeUnusedStdin();
        return exit.await();
    }

    /**
     * Waits until it has ended, at most a given time, see {@link #await()}.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return how it ended
     * @throws InterruptedException if interrupted or cancelled while it would wait; the child lives on
     * @throws TimeoutException if it has not ended in time; it lives on
     */
    public ExitStatus await(Duration timeout) throws InterruptedException, TimeoutException {
        closeUnusedStdin();
        try {
            return exit.await(timeout);
        } catch (TimeoutException e) {
            throw new TimeoutException(name + " has not ended within " + timeout);
        }
    }

    /** {@return how it ended, or null if it has not} Never waits, and leaves its input alone. */
    public @Nullable ExitStatus tryAwait() {
        return exit.get();
    }

    /** {@return the wait for its end, to be selected on} Leaves its input alone. */
    @Override
    public Clause<ExitStatus> clause() {
        return exit.clause();
    }

    /**
     * Reads its piped outputs to their ends, both at once, and waits until it has ended. A piped input that nobody has asked for is
     * closed first.
     *
     * @return what it wrote and had not been read before, and how it ended
     * @throws InterruptedException if interrupted or cancelled while it would wait; the child lives on, and nothing was read
     * @throws IOException if it writes more than 1 GiB, and then it lives on and nothing was read; if a pipe fails or is closed
     */
    public Output output() throws IOException, InterruptedException {
        return output(MOST_BYTES);
    }

    /**
     * As {@link #output()}, with a bound.
     *
     * @param limit the most bytes of both outputs together, 0 to 1 GiB
     * @return what it wrote and had not been read before, and how it ended
     * @throws InterruptedException if interrupted or cancelled while it would wait; the child lives on, and nothing was read
     * @throws IOException if it writes more than that, and then it lives on and nothing was read; if a pipe fails or is closed
     * @throws IllegalArgumentException if the limit is out of range
     */
    public Output output(int limit) throws IOException, InterruptedException {
        checkLimit(limit);
        closeUnusedStdin();
        List<PipeReader> outputs = new ArrayList<>(2);
        if (stdout != null) {
            outputs.add(stdout);
        }
        if (stderr != null) {
            outputs.add(stderr);
        }
        List<Permit> turns = new ArrayList<>(2);
        try {
            for (PipeReader output : outputs) {
                turns.add(output.await());
            }
            collect(outputs, limit);
            ExitStatus status = exit.await();
            return new Output(status, taken(stdout), taken(stderr));
        } finally {
            turns.forEach(Permit::close);
        }
    }

    /** Reads all in the order in which it comes, into the readers' own buffers: so that nothing is lost if the wait ends. */
    private void collect(List<PipeReader> outputs, int limit) throws IOException, InterruptedException {
        Set<PipeReader> live = new HashSet<>(outputs);
        Select<@Nullable Void> next = Select.of();
        for (PipeReader output : outputs) {
            output.open();
            next.<byte[]>onReceive(output.chunks(), chunk -> {
                        output.append(chunk);
                        return null;
                    })
                    .when(() -> live.contains(output));
        }
        while (true) {
            if (outputs.stream().mapToLong(PipeReader::buffered).sum() > limit) {
                throw new IOException(name + " has written more than the limit of " + limit + " bytes");
            }
            live.removeIf(output -> output.chunks().isDrained());
            if (live.isEmpty()) {
                break;
            }
            try {
                next.await();
            } catch (ChannelClosedException e) {
                // one of them has ended just now
            }
        }
        for (PipeReader output : outputs) {
            output.ensureEndedWell();
        }
    }

    private static byte[] taken(@Nullable PipeReader output) {
        return output == null ? new byte[0] : output.takeAll();
    }

    private void closeUnusedStdin() {
        if (stdin != null && !stdinTaken) {
            stdin.close();
        }
    }

    /* ---------------- Ending it -------------- */

    /**
     * Asks it to end: SIGTERM on Unix; where there is no such thing it is killed. What it has started is not asked. Never waits;
     * without effect if it has ended.
     */
    public void terminate() {
        if (!exit.isSet()) {
            process.toHandle().destroy(); // not Process.destroy(), which closes the pipes, and may wait for that
        }
    }

    /**
     * Kills it and all that it has started, directly or not: SIGKILL on Unix. Waits for nobody's end; it looks through the
     * processes of the system, which takes milliseconds in which it holds its carrier, as {@link #close()} does not. Without effect if the child has ended.
     *
     * <p>Found is who descends from the child by a line of processes that live. One whose parent has ended before belongs to the
     * system, and so does one that is started in the moment in which its parent is killed: they are not found. That moment is that
     * between a look at the children of a process and the end of it: microseconds on Linux, longer elsewhere.
     */
    public void kill() {
        if (!exit.isSet()) {
            killTree(process.toHandle());
        }
    }

    /** A look at the descendants reads of all processes in the system whose child they are: some start others meanwhile. */
    private static void killTree(ProcessHandle root) {
        List<ProcessHandle> found = new ArrayList<>();
        found.add(root);
        root.descendants().forEach(found::add); // before their parents are gone
        Set<ProcessHandle> known = new HashSet<>(found);
        for (int round = 0; !found.isEmpty() && round < MOST_ROUNDS; round++) {
            List<ProcessHandle> next = new ArrayList<>();
            for (ProcessHandle each : found) { // parents first: the dead start nobody
                childrenNow(each).filter(known::add).forEach(next::add); // afterwards they are the system's
                each.destroyForcibly();
            }
            if (next.isEmpty()) {
                root.descendants().filter(known::add).forEach(next::add);
            }
            found = next;
        }
    }

    /** {@return who is the child of a process, as freshly as the system tells} */
    private static Stream<ProcessHandle> childrenNow(ProcessHandle parent) {
        if (!CHILDREN_FILES) {
            return parent.children();
        }
        if (!parent.isAlive()) {
            return Stream.empty(); // the number may be another's
        }
        String[] threads = new File("/proc/" + parent.pid() + "/task").list();
        return Stream.of(threads == null ? new String[0] : threads)
                .flatMap(thread -> childrenIn(Path.of("/proc/" + parent.pid() + "/task/" + thread + "/children")))
                .flatMap(pid -> ProcessHandle.of(Long.parseLong(pid)).stream());
    }

    private static Stream<String> childrenIn(Path file) {
        try {
            return Stream.of(Files.readString(file).split(" ")).filter(pid -> !pid.isBlank());
        } catch (IOException e) {
            return Stream.empty(); // it has just ended
        }
    }

    /**
     * Closes its pipes, {@linkplain #kill() kills} it and what it has started, and waits until it has ended; or, if it was started
     * with {@link Command#keepOnClose()}, only closes its pipes. Idempotent. Interrupts and cancellations do not end the wait, and
     * are kept for later; after 10 seconds, for a child that hangs in the kernel, it gives up with a warning in the log.
     *
     * <p>A process that {@link #kill()} does not find may have inherited the child's outputs. As long as it lives and holds one of
     * them, reads of it that are under way in the JDK do not end: it costs, also after the closing, a thread and a descriptor for each
     * such pipe that was read, and the JDK's own thread for the child.
     */
    @Override
    public void close() {
        if (keepOnClose) {
            closePipes();
        } else {
            end();
        }
    }

    void end() {
        if (!exit.isSet()) {
            killAside();
        }
        if (Quiet.await(exit, LONGEST_DEATH) == null) {
            LoggerFactory.getLogger(Child.class)
                    .warn("{} was killed, and has not ended within {}", name, LONGEST_DEATH);
        }
        closePipes();
    }

    /** Kills on a thread of its own, so that no carrier is held, and waits until the signals are sent. */
    private void killAside() {
        SetOnce<Boolean> sent = new SetOnce<>();
        Runnable killer = () -> {
            kill();
            sent.set(true);
        };
        try {
            Launch.thread(killer, process.pid() + "-kill").start();
        } catch (OutOfMemoryError noThread) {
            kill();
            return;
        }
        Quiet.await(sent, LONGEST_DEATH);
    }

    void closePipes() {
        if (stdin != null) {
            stdin.close();
        }
        if (stdout != null) {
            stdout.close();
        }
        if (stderr != null) {
            stderr.close();
        }
    }

    /** Told once by the thread that waits for the process. */
    void ended(ExitStatus status) {
        exit.set(status);
        if (stdin != null) {
            stdin.childEnded(status);
        }
    }

    /* ---------------- What it is -------------- */

    /** {@return its process id} Once it has ended, that may become another's. */
    public long pid() {
        return process.pid();
    }

    /** {@return the JDK's view of the process, for what is known of it and of its descendants} */
    public ProcessHandle handle() {
        return process.toHandle();
    }

    @Override
    public String toString() {
        ExitStatus status = exit.get();
        return status == null ? name : name + ", ended with " + status;
    }
}
