package dev.kumihimo.fs;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/**
 * What is below a directory, at any depth: see {@link Fs#walk(Path)}.
 *
 * <pre>{@code
 * try (FileWalk walk = Fs.walk(spool)) {
 *     for (FileWalk.Entry entry; (entry = walk.nextOrNull()) != null; ) {
 *         if (entry.attributes().isRegularFile()) {
 *             bytes += entry.attributes().size();
 *         }
 *     }
 * }
 * }</pre>
 *
 * <p>The root comes first, each directory before what is in it, and the entries of one in no order. Symbolic links are entries
 * and are not followed, not even the root; but paths are, so who puts a link in the place of a directory that the walk is in can
 * lead it elsewhere. What is deleted while the walk is under way may be left out. Up to 256 entries are
 * read at a time. Memory and open directories are bounded by the depth.
 *
 * <p>Belongs to one thread at a time.
 *
 * <p><b>Interruption and cancellation.</b> An entry that has been read is given. A call that throws {@link InterruptedException}
 * has taken none: the next one gives it.
 *
 * @since 0.1
 */
public final class FileWalk implements AutoCloseable {
    private final Path root;
    private final ArrayDeque<Entry> read = new ArrayDeque<>();
    private final ArrayDeque<Level> levels = new ArrayDeque<>();
    private @Nullable IOException failure; // to be told after what was read before it
    private boolean closed;

    /**
     * A file, directory or link that was found.
     *
     * <pre>{@code
     * if (entry.attributes().isDirectory()) { ... }
     * }</pre>
     *
     * @param path where, beginning with the root
     * @param attributes what it was when it was found; of a link, those of the link itself
     * @since 0.1
     */
    public record Entry(Path path, BasicFileAttributes attributes) {}

    private record Level(DirectoryStream<Path> directory, Iterator<Path> iterator) {}

    FileWalk(Path root) {
        this.root = root;
    }

    /** Reads the first entries. */
    static FileWalk open(Path root) throws IOException {
        FileWalk walk = new FileWalk(root);
        walk.enter(root);
        walk.fill();
        return walk;
    }

    /**
     * Takes the next entry, and waits for the disk if none is in memory.
     *
     * @return the entry; null if there is none left
     * @throws IOException if an entry or a directory cannot be read; the walk goes on behind it
     * @throws InterruptedException if interrupted or cancelled while it would wait; no entry was taken
     */
    public @Nullable Entry nextOrNull() throws IOException, InterruptedException {
        if (closed) {
            throw new ClosedChannelException();
        }
        if (read.isEmpty() && failure == null && !levels.isEmpty()) {
            FileWork.<@Nullable Void>call(root, this::fill);
        }
        Entry next = read.poll();
        IOException failed = failure;
        if (next == null && failed != null) {
            failure = null;
            throw failed;
        }
        return next;
    }

    /** On the blocking pool: reads until there is something to tell, and on until there is enough. */
    private @Nullable Void fill() {
        while (!levels.isEmpty() && read.size() < FileWork.STEP_ENTRIES && failure == null) {
            Level level = levels.element();
            boolean more;
            try {
                more = FileWork.hasNext(level.iterator);
            } catch (IOException e) {
                failure = leaveAfter(e);
                break;
            }
            try {
                if (more) {
                    enter(level.iterator.next());
                } else {
                    levels.pop().directory.close();
                }
            } catch (NoSuchFileException e) {
                // deleted since it was listed
            } catch (IOException e) {
                failure = e;
            }
        }
        return null;
    }

    private void enter(Path path) throws IOException {
        BasicFileAttributes attributes =
                Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        read.add(new Entry(path, attributes));
        if (attributes.isDirectory()) {
            push(FileWork.openDirectory(path));
        }
    }

    /** Goes on with what is in a directory. */
    void push(DirectoryStream<Path> directory) {
        levels.push(new Level(directory, directory.iterator()));
    }

    /** A directory that cannot be read on is done with. */
    private IOException leaveAfter(IOException e) {
        try {
            levels.pop().directory.close();
        } catch (IOException failed) {
            e.addSuppressed(failed);
        }
        return e;
    }

    /**
     * Closes the directories that are still open. Cannot be interrupted or cancelled.
     *
     * @throws IOException if the system reports an error; they are closed nevertheless
     */
    @Override
    public void close() throws IOException {
        closed = true;
        if (!levels.isEmpty()) {
            FileWork.<@Nullable Void>finish(root, () -> {
                closeAll(levels);
                return null;
            });
        }
    }

    private static void closeAll(ArrayDeque<Level> levels) throws IOException {
        IOException failure = null;
        for (Level level; (level = levels.poll()) != null; ) {
            try {
                level.directory.close();
            } catch (IOException e) {
                failure = e;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public String toString() {
        return "FileWalk[" + root + (closed ? ", closed]" : "]");
    }
}
