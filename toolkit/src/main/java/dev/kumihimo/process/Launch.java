package dev.kumihimo.process;

import dev.kumihimo.runtime.Task;
import dev.kumihimo.sync.SetOnce;
import java.io.Closeable;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/*
 * One platform thread for each child, which starts it and then waits for its exit: both block in the JDK. Not a job of the
 * blocking pool, since it lasts as long as the child, and must be had when the pool is full; not Process.onExit(), which
 * completes on the common pool, and so not at all while that is full of jobs that wait for children.
 * The JDK itself reaps each child, by a thread of its own: no zombie stays, whatever becomes of ours.
 */

/** The starting of a command: a child comes of it, or a failure. */
final class Launch implements Runnable {
    /** Starts a process. */
    @FunctionalInterface
    interface Starter {
        Process start(ProcessBuilder builder) throws IOException;
    }

    /** Which streams are pipes to the caller, and whether the input is one that is closed at once. */
    record Pipes(boolean stdin, boolean nullStdin, boolean stdout, boolean stderr) {}

    /** The outcome of a start that nobody waits for any more: what comes of it is killed. */
    private static final Object ABANDONED = new Object();

    private static final String THREAD_NAME = "kumihimo-process-";

    /** So little is on it. */
    private static final long STACK_BYTES = 128 * 1024;

    private final ProcessBuilder builder;
    private final Pipes pipes;
    private final boolean keepOnClose;
    private final Starter starter;
    private final Duration patience;

    /** The child, or the failure, or that nobody wants to know. */
    private final SetOnce<Object> started = new SetOnce<>();

    Launch(ProcessBuilder builder, Pipes pipes, boolean keepOnClose, Starter starter, Duration patience) {
        this.builder = builder;
        this.pipes = pipes;
        this.keepOnClose = keepOnClose;
        this.starter = starter;
        this.patience = patience;
    }

    /** {@return a thread for what blocks in the JDK on behalf of a child} */
    static Thread thread(Runnable body, String name) {
        Thread thread = new Thread(null, body, THREAD_NAME + name, STACK_BYTES, false);
        thread.setDaemon(true);
        return thread;
    }

    static void closeQuietly(Closeable stream) {
        try {
            stream.close();
        } catch (IOException e) {
            // nobody is left to be told, nor anything to be done
        }
    }

    /**
     * Starts the command and waits until it is started. A caller that does not take its child leaves none; if the start hangs, as
     * in the opening of a named pipe that nobody writes to, none is left once it gets through.
     */
    Child await() throws IOException, InterruptedException {
        Task.checkCancelled();
        thread(this, "start").start();
        try {
            return child(started.await());
        } catch (InterruptedException e) {
            Quiet.await(started, patience);
            if (started.trySet(ABANDONED)) {
                LoggerFactory.getLogger(Launch.class)
                        .warn("the cancelled start of \"{}\" hangs; what comes of it will be killed", program());
            } else if (started.get() instanceof Child child) {
                child.end();
            }
            throw e;
        }
    }

    private static Child child(Object outcome) throws IOException {
        if (outcome instanceof Child child) {
            return child;
        }
        if (outcome instanceof Refusal refusal) {
            throw new IOException(refusal.message(), refusal.cause()); // with the caller's stack
        }
        if (outcome instanceof Error error) {
            throw error;
        }
        throw (RuntimeException) outcome;
    }

    @Override
    public void run() {
        Process process = null;
        try {
            String fault = directoryFault(); // the JDK would put it down to the program
            if (fault != null) {
                started.trySet(refusal(fault, null));
                return;
            }
            process = starter.start(builder);
            Thread.currentThread().setName(THREAD_NAME + process.pid());
            Child child = new Child(process, program(), pipes, keepOnClose);
            if (pipes.nullStdin()) {
                closeQuietly(process.getOutputStream());
            }
            if (!started.trySet(child)) {
                child.kill();
                child.closePipes();
            }
            child.ended(new ExitStatus(exitCode(process)));
        } catch (Throwable e) {
            if (process != null) {
                process.toHandle().destroyForcibly();
            }
            started.trySet(e instanceof IOException refused ? explained(refused) : e);
        }
    }

    private static int exitCode(Process process) {
        while (true) {
            try {
                return process.waitFor();
            } catch (InterruptedException e) {
                // by somebody who interrupts whatever thread there is: the process has not ended
            }
        }
    }

    /* ---------------- Why it was not started -------------- */

    /** Why no process came of it. */
    private record Refusal(String message, @Nullable IOException cause) {}

    private Refusal refusal(String why, @Nullable IOException cause) {
        return new Refusal("cannot run \"" + program() + "\": " + why, cause);
    }

    private String program() {
        return builder.command().get(0);
    }

    private Refusal explained(IOException e) {
        String fault = directoryFault(); // it may have gone just now
        if (fault == null && e.getCause() instanceof FileNotFoundException file) {
            fault = "a file for one of its standard streams cannot be opened: " + file.getMessage();
        }
        if (fault == null && !Command.WINDOWS) {
            fault = programFault();
        }
        Throwable root = e.getCause() == null ? e : e.getCause();
        return refusal(fault == null ? String.valueOf(root.getMessage()) : fault, e);
    }

    private @Nullable String directoryFault() {
        File directory = builder.directory();
        if (directory == null || directory.isDirectory()) {
            return null;
        }
        return "its working directory " + directory + (directory.exists() ? " is no directory" : " does not exist");
    }

    private @Nullable String programFault() {
        String program = program();
        if (program.indexOf('/') < 0) {
            String path = Objects.requireNonNullElse(System.getenv("PATH"), "");
            for (String folder : path.split(File.pathSeparator, -1)) {
                if (new File(folder, program).exists()) {
                    return null;
                }
            }
            return "there is no such program in PATH=" + path;
        }
        File file = new File(program);
        if (!file.isAbsolute() && builder.directory() != null) {
            file = new File(builder.directory(), program);
        }
        if (!file.exists()) {
            return "there is no such file";
        }
        return file.isDirectory() ? "it is a directory" : file.canExecute() ? null : "it must not be executed";
    }
}
