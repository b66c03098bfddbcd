package dev.kumihimo.fs;

import dev.kumihimo.internal.wait.Points;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A new directory, for its owner only, that is deleted with everything in it when it is closed.
 *
 * <pre>{@code
 * try (TempDirectory temp = TempDirectory.create("export-")) {
 *     Fs.write(temp.path().resolve("part-1"), bytes);
 * }
 * }</pre>
 *
 * <p>If it is never closed, it stays.
 *
 * @since 0.1
 */
public final class TempDirectory implements AutoCloseable {
    private final Path path;
    private final AtomicBoolean closed = new AtomicBoolean();

    private TempDirectory(Path path) {
        this.path = path;
    }

    /**
     * {@return a new directory in the system's directory for temporary files}
     *
     * @param prefix how its name begins; may be empty
     * @throws IOException if it cannot be created
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was created
     */
    public static TempDirectory create(String prefix) throws IOException, InterruptedException {
        return told(FileWork.call(Path.of(prefix), () -> new TempDirectory(Files.createTempDirectory(prefix))));
    }

    /**
     * {@return a new directory in another one}
     *
     * @param parent in which
     * @param prefix how its name begins; may be empty
     * @throws IOException if it cannot be created
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was created
     */
    public static TempDirectory create(Path parent, String prefix) throws IOException, InterruptedException {
        return told(FileWork.call(parent, () -> new TempDirectory(Files.createTempDirectory(parent, prefix))));
    }

    private static TempDirectory told(TempDirectory made) {
        if (Points.ON) {
            Points.made(made, aborted -> made.closed.get() ? null : "not closed");
        }
        return made;
    }

    /** {@return where it is} */
    public Path path() {
        return path;
    }

    /**
     * Deletes the directory and what is in it, as {@link Fs#deleteTree} does; nothing if it is gone, or was closed before.
     * Cannot be interrupted or cancelled.
     *
     * @throws IOException if something cannot be deleted
     */
    @Override
    public void close() throws IOException {
        if (closed.compareAndSet(false, true)) {
            try {
                FileWork.finishAll(path, new TreeDeletion(path, true));
            } catch (NoSuchFileException e) {
                // there is nothing to delete
            }
        }
    }

    @Override
    public String toString() {
        return "TempDirectory[" + path + (closed.get() ? ", closed]" : "]");
    }
}
