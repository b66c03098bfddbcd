package dev.kumihimo.fs;

import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Iterator;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/*
 * An interrupt in the middle of file I/O closes the channel, and an effect that is half done can be told neither as done nor as
 * not done. So a job of this room is shielded: it runs to its end once it has begun, and a caller that is interrupted meanwhile
 * gets its outcome, and its interrupt back. Only a job that has not begun is given up. What takes long is cut into several.
 *
 * Fields:    begun is set once, by whoever does the work: the job's thread, or the caller if the job could not be handed over.
 *            The others are written by the job's thread before the job ends, read by the caller after it; Task.blocking orders
 *            the two.
 */

/**
 * A step of file work: a blocking job that is either not done or done to its end.
 *
 * @param <T> its result
 */
final class FileWork<T extends @Nullable Object> implements Body<@Nullable Void, RuntimeException> {
    /** How many bytes a step moves at most. A pool thread keeps a native buffer of this size for copies from the heap. */
    static final int STEP_BYTES = 1 << 20;

    /** How many directory entries a step handles at most. */
    static final int STEP_ENTRIES = 256;

    private final Path path;
    private final Body<T, IOException> work;
    private final AtomicBoolean begun = new AtomicBoolean();
    private @Nullable T value;
    private @Nullable Throwable failure;
    private boolean ended;

    private FileWork(Path path, Body<T, IOException> work) {
        this.path = path;
        this.work = work;
    }

    @Override
    public @Nullable Void call() {
        if (!begun.compareAndSet(false, true)) {
            return null; // the caller has done it
        }
        try {
            value = run(path, work);
        } catch (Throwable e) {
            failure = e;
        }
        ended = true;
        return null;
    }

    private static <T extends @Nullable Object> T run(Path path, Body<T, IOException> work) throws IOException {
        try {
            return Task.shield(work);
        } catch (IOException e) {
            if (e.getClass() != IOException.class) {
                throw e;
            }
            FileSystemException named = new FileSystemException(path.toString(), null, e.getMessage());
            named.initCause(e); // open files tell of a full disk, or that they are directories, without their names
            throw named;
        }
    }

    @SuppressWarnings("NullAway") // if it has not failed, the value is what the work returned, null or not
    private T outcome() throws IOException {
        return switch (failure) {
            case null -> value;
            case IOException e -> throw e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new AssertionError("undeclared", e);
        };
    }

    /**
     * Does a step with a file, whose path stands in every exception. A blocking job does it itself, since a pool whose threads
     * all wait for another one would stand still.
     *
     * @throws InterruptedException if interrupted or cancelled before the step began; it has not been done
     */
    static <T extends @Nullable Object> T call(Path path, Body<T, IOException> work)
            throws IOException, InterruptedException {
        return call(path, work, false);
    }

    private static <T extends @Nullable Object> T call(Path path, Body<T, IOException> work, boolean whateverHappens)
            throws IOException, InterruptedException {
        Task.checkCancelled();
        if (Task.currentOrNull() != null && !Thread.currentThread().isVirtual()) {
            return run(path, work);
        }
        FileWork<T> job = new FileWork<>(path, work);
        try {
            Task.blocking(job);
        } catch (InterruptedException e) {
            if (!job.ended) {
                throw e;
            }
            Waiter.current().interruptAgain(e instanceof TaskCancelledException);
        } catch (RuntimeException | Error e) { // as if no thread can be started; the job itself keeps what it throws
            if (whateverHappens && job.begun.compareAndSet(false, true)) {
                return run(path, work);
            }
            throw e;
        }
        return job.outcome();
    }

    /**
     * Does a step of cleanup, which neither an interrupt nor a cancellation nor the end of the runtime prevents, nor a pool that
     * cannot start a thread: then the caller does it.
     */
    static <T extends @Nullable Object> T finish(Path path, Body<T, IOException> work) throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return Task.<T, Exception>shield(() -> call(path, work, true));
                } catch (TaskCancelledException e) {
                    return run(path, work); // the runtime takes no more jobs
                } catch (InterruptedException e) {
                    interrupted = true; // before it began: once more
                } catch (IOException | RuntimeException e) {
                    throw e;
                } catch (Exception e) {
                    throw new AssertionError("undeclared", e);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Work in several steps, between which it may be given up. */
    interface Steps {
        /** {@return whether this was the last step} */
        boolean step() throws IOException;

        /** Releases and undoes what is to be, after a step that failed or instead of the next one; may be called twice. */
        void abandon() throws IOException;
    }

    /**
     * Does all steps of some work.
     *
     * @throws InterruptedException if interrupted or cancelled before the first or between two; the work has been abandoned
     */
    static void callAll(Path path, Steps work) throws IOException, InterruptedException {
        boolean begun = false;
        try {
            while (!FileWork.<Boolean>call(path, () -> stepOrAbandon(work))) {
                begun = true;
            }
        } catch (Throwable e) { // from between two steps, or by a step that has abandoned the work itself
            if (begun) {
                try {
                    FileWork.<@Nullable Void>finish(path, () -> abandon(work));
                } catch (IOException | RuntimeException failed) {
                    e.addSuppressed(failed);
                }
            }
            throw e;
        }
    }

    private static @Nullable Void abandon(Steps work) throws IOException {
        work.abandon();
        return null;
    }

    /** Does all steps of some cleanup, see {@link #finish}. */
    static void finishAll(Path path, Steps work) throws IOException {
        while (!FileWork.<Boolean>finish(path, () -> stepOrAbandon(work))) {
            // the next
        }
    }

    private static boolean stepOrAbandon(Steps work) throws IOException {
        try {
            return work.step();
        } catch (Throwable e) {
            try {
                work.abandon();
            } catch (IOException | RuntimeException failed) {
                e.addSuppressed(failed);
            }
            throw e;
        }
    }

    /**
     * Opens a directory, and not what a symbolic link leads to that was put in its place: where the file system can tell, what
     * was opened has to be what is there without following a link. Looked at afterwards, as the opening may mount it.
     */
    static DirectoryStream<Path> openDirectory(Path path) throws IOException {
        DirectoryStream<Path> directory = Files.newDirectoryStream(path);
        try {
            if (directory instanceof SecureDirectoryStream<Path> opened) {
                BasicFileAttributes there =
                        Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
                BasicFileAttributes open = opened.getFileAttributeView(BasicFileAttributeView.class)
                        .readAttributes();
                if (!Objects.equals(there.fileKey(), open.fileKey())) {
                    throw new FileSystemException(
                            path.toString(), null, "was replaced while it was opened, and is not entered");
                }
            }
            return directory;
        } catch (Throwable e) {
            try {
                directory.close();
            } catch (IOException failed) {
                e.addSuppressed(failed);
            }
            throw e;
        }
    }

    /** {@return whether a directory has a next entry} */
    static boolean hasNext(Iterator<Path> entries) throws IOException {
        try {
            return entries.hasNext();
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
    }
}
