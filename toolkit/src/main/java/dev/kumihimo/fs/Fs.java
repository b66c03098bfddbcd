package dev.kumihimo.fs;

import dev.kumihimo.internal.wait.Points;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Operations on files and directories that a task may do without holding its carrier, as {@link Files} would: they are done on the
 * blocking pool, and the task waits.
 *
 * <pre>{@code
 * byte[] key = Fs.read(keys.resolve("current"));
 * Fs.writeAtomically(state, json.getBytes(UTF_8));
 * try (Lines lines = Fs.lines(log)) {
 *     lines.forEach(line -> index(line));
 * }
 * }</pre>
 *
 * <p>Each passes the blocking pool once, or once for every megabyte or 256 entries; so does what {@link FileHandle}, {@link Lines}
 * and {@link FileWalk} do. Any thread may call them: a blocking job does the work itself, and a thread that is no task has it done
 * by {@link dev.kumihimo.runtime.TaskRuntime#global()}. Paths, options, attributes and exceptions are those of
 * {@code java.nio.file}; the name of the file stands in the exception.
 *
 * <p><b>Interruption and cancellation.</b> An operation that has begun is done to its end, and its result is given, also to a task
 * that is cancelled meanwhile: the next wait tells it. A call that throws {@link InterruptedException}, also because of a
 * timeout, has not begun, waited for a thread of the pool, and has had no effect. Those that consist of several operations say
 * so, and what is left if they are ended between two. Nothing stays open, and no interrupt closes a file, but for one: a blocking
 * job does the work on its own thread, and {@link Thread#interrupt()} on that thread in the middle of it closes the file and has
 * the operation fail with a {@link java.nio.channels.ClosedByInterruptException}.
 *
 * <p>So a cancellation waits for the disk: not long, but for named pipes, terminals and network file systems that do not answer,
 * which hold it as long as the call.
 *
 * @since 0.1
 */
public final class Fs {
    private Fs() {}

    /* ---------------- Whole files -------------- */

    /**
     * Reads a file, a megabyte at a time.
     *
     * @param path which
     * @return what is in it
     * @throws java.nio.file.NoSuchFileException if there is none
     * @throws IOException if it fails, as for a directory
     * @throws OutOfMemoryError if it is longer than an array can be
     * @throws InterruptedException if interrupted or cancelled before it began or after some megabyte; nothing is left open
     */
    public static byte[] read(Path path) throws IOException, InterruptedException {
        FileRead read = new FileRead(path, null);
        FileWork.callAll(path, read);
        return read.bytes();
    }

    /**
     * Reads a file as UTF-8 text, see {@link #readString(Path, Charset)}.
     *
     * @param path which
     * @return what is in it
     * @throws java.nio.file.FileSystemException if it is not valid UTF-8
     * @throws IOException if it fails, as {@link #read}
     * @throws InterruptedException as {@link #read}
     */
    public static String readString(Path path) throws IOException, InterruptedException {
        return readString(path, StandardCharsets.UTF_8);
    }

    /**
     * Reads a file as text, as {@link #read} does. The ends of its lines stay as they are.
     *
     * @param path which
     * @param charset how it is encoded
     * @return what is in it
     * @throws java.nio.file.FileSystemException if it is not valid in that charset
     * @throws IOException if it fails, as {@link #read}
     * @throws InterruptedException as {@link #read}
     */
    public static String readString(Path path, Charset charset) throws IOException, InterruptedException {
        FileRead read = new FileRead(path, Objects.requireNonNull(charset, "charset"));
        FileWork.callAll(path, read);
        return read.text();
    }

    /**
     * Opens a file of UTF-8 text to read its lines, and reads its beginning.
     *
     * @param path which
     * @return its lines; whoever opened them closes them
     * @throws java.nio.file.NoSuchFileException if there is none
     * @throws IOException if it cannot be opened or read
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was opened
     */
    public static Lines lines(Path path) throws IOException, InterruptedException {
        return lines(path, StandardCharsets.UTF_8);
    }

    /**
     * Opens a file of text to read its lines, and reads its beginning.
     *
     * @param path which
     * @param charset how it is encoded
     * @return its lines; whoever opened them closes them
     * @throws java.nio.file.NoSuchFileException if there is none
     * @throws IOException if it cannot be opened or read
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was opened
     */
    public static Lines lines(Path path, Charset charset) throws IOException, InterruptedException {
        Lines lines = FileWork.call(path, () -> Lines.open(path, charset));
        if (Points.ON) {
            lines.tell();
        }
        return lines;
    }

    /**
     * Writes a file, in one operation, however long. If that fails, some of it may have been written.
     *
     * @param path where
     * @param bytes what
     * @param options how, as for {@link Files#write(Path, byte[], OpenOption...)}; none means that the file is created, or cut off
     *     first
     * @throws IOException if it fails
     * @throws IllegalArgumentException if the options contradict each other or the writing
     * @throws InterruptedException if interrupted or cancelled before it began; the file is as it was
     */
    public static void write(Path path, byte[] bytes, OpenOption... options) throws IOException, InterruptedException {
        FileWork.<@Nullable Void>call(path, () -> writeNow(path, ByteBuffer.wrap(bytes), options));
    }

    /**
     * Writes a file of UTF-8 text, as {@link #write}. Lone surrogates are not written but refused.
     *
     * @param path where
     * @param text what
     * @param options how, as for {@link #write}
     * @throws java.nio.charset.CharacterCodingException if the text cannot be encoded; the file is as it was
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began; the file is as it was
     */
    public static void writeString(Path path, CharSequence text, OpenOption... options)
            throws IOException, InterruptedException {
        writeString(path, text, StandardCharsets.UTF_8, options);
    }

    /**
     * Writes a file of text, as {@link #write}.
     *
     * @param path where
     * @param text what
     * @param charset how to encode it
     * @param options how, as for {@link #write}
     * @throws java.nio.charset.CharacterCodingException if the text cannot be encoded; the file is as it was
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began; the file is as it was
     */
    public static void writeString(Path path, CharSequence text, Charset charset, OpenOption... options)
            throws IOException, InterruptedException {
        FileWork.<@Nullable Void>call(
                path, () -> writeNow(path, charset.newEncoder().encode(CharBuffer.wrap(text)), options));
    }

    /**
     * Writes at the end of a file, which is created if there is none.
     *
     * @param path where
     * @param bytes what
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began; the file is as it was
     */
    public static void append(Path path, byte[] bytes) throws IOException, InterruptedException {
        write(path, bytes, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    /**
     * Writes UTF-8 text at the end of a file, which is created if there is none.
     *
     * @param path where
     * @param text what
     * @throws java.nio.charset.CharacterCodingException if the text cannot be encoded; the file is as it was
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began; the file is as it was
     */
    public static void appendString(Path path, CharSequence text) throws IOException, InterruptedException {
        writeString(path, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    /**
     * Replaces a file whole, or creates it: whoever reads it sees what was there before or all of this, also after a crash. The bytes
     * are written to a new file beside it and forced to the disk, and that is moved to its place. It keeps the permissions of the
     * file it replaces, not its owner. A symbolic link is itself replaced.
     *
     * @param path where
     * @param bytes what
     * @throws java.nio.file.AtomicMoveNotSupportedException if the file system cannot
     * @throws IOException if it fails; the file is as it was, unless the directory could not be forced
     * @throws InterruptedException if interrupted or cancelled before it began; the file is as it was
     */
    public static void writeAtomically(Path path, byte[] bytes) throws IOException, InterruptedException {
        FileWork.<@Nullable Void>call(path, () -> AtomicWrite.write(path, bytes));
    }

    /* ---------------- Copying, moving, deleting -------------- */

    /**
     * Copies a file with its permissions, a megabyte at a time. A directory is copied without what is in it. If it fails, is
     * interrupted or cancelled, there is no target; with {@link java.nio.file.StandardCopyOption#REPLACE_EXISTING} the one there was is
     * gone as well, once the copy has begun.
     *
     * @param source which; a symbolic link is followed unless {@link LinkOption#NOFOLLOW_LINKS} is among the options
     * @param target where to
     * @param options as for {@link Files#copy(Path, Path, CopyOption...)}; with others than those named here the copy is one operation
     * @throws java.nio.file.FileAlreadyExistsException if there is a target, and it is not to be replaced
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began or after some megabyte
     */
    public static void copy(Path source, Path target, CopyOption... options) throws IOException, InterruptedException {
        FileWork.callAll(target, new FileCopy(source, target, options));
    }

    /**
     * Moves or renames a file or directory, in one operation. To another file store it copies a file, which takes as long as it is.
     *
     * @param source which; a symbolic link is moved itself
     * @param target its new path
     * @param options as for {@link Files#move}
     * @throws java.nio.file.FileAlreadyExistsException if there is a target, and it is not to be replaced
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was moved
     */
    public static void move(Path source, Path target, CopyOption... options) throws IOException, InterruptedException {
        FileWork.call(target, () -> Files.move(source, target, options));
    }

    /**
     * Deletes a file, a symbolic link or an empty directory.
     *
     * @param path which
     * @throws java.nio.file.NoSuchFileException if there is none
     * @throws java.nio.file.DirectoryNotEmptyException if it is a directory with something in it
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was deleted
     */
    public static void delete(Path path) throws IOException, InterruptedException {
        FileWork.<@Nullable Void>call(path, () -> {
            Files.delete(path);
            return null;
        });
    }

    /**
     * Deletes a file, a symbolic link or an empty directory if there is one.
     *
     * @param path which
     * @return whether there was
     * @throws java.nio.file.DirectoryNotEmptyException if it is a directory with something in it
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was deleted
     */
    public static boolean deleteIfExists(Path path) throws IOException, InterruptedException {
        return FileWork.<Boolean>call(path, () -> Files.deleteIfExists(path));
    }

    /**
     * Deletes a directory and what is in it, at any depth, 256 entries at a time; or a file. Symbolic links are deleted and not
     * followed. On systems with secure directory streams, as Linux, nobody can lead it elsewhere by a link put in the place of a
     * directory meanwhile; on others do not delete a tree so that an enemy can write to. It ends at the first entry that cannot be
     * deleted.
     *
     * @param path which
     * @throws java.nio.file.NoSuchFileException if there is none
     * @throws IOException if something cannot be deleted; what was deleted before is gone
     * @throws InterruptedException if interrupted or cancelled before it began or after some entries, which are gone
     */
    public static void deleteTree(Path path) throws IOException, InterruptedException {
        FileWork.callAll(path, new TreeDeletion(path, true));
    }

    /* ---------------- Directories -------------- */

    /**
     * Creates a directory in one that exists.
     *
     * @param path where
     * @throws java.nio.file.FileAlreadyExistsException if there is something
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was created
     */
    public static void createDirectory(Path path) throws IOException, InterruptedException {
        FileWork.call(path, () -> Files.createDirectory(path));
    }

    /**
     * Creates a directory and those above it, as far as they do not exist.
     *
     * @param path where
     * @throws java.nio.file.FileAlreadyExistsException if there is something that is no directory
     * @throws IOException if it fails; some of those above may have been created
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was created
     */
    public static void createDirectories(Path path) throws IOException, InterruptedException {
        FileWork.call(path, () -> Files.createDirectories(path));
    }

    /**
     * {@return the paths of what is in a directory, in no order} All are read in one operation and held in memory;
     * {@link #walk} has neither.
     *
     * @param path which
     * @throws java.nio.file.NotDirectoryException if it is something else
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began
     */
    public static List<Path> list(Path path) throws IOException, InterruptedException {
        return FileWork.call(path, () -> {
            List<Path> entries = new ArrayList<>();
            try (DirectoryStream<Path> directory = Files.newDirectoryStream(path)) {
                for (Iterator<Path> it = directory.iterator(); FileWork.hasNext(it); ) {
                    entries.add(it.next());
                }
            }
            return entries;
        });
    }

    /**
     * Begins to walk through a directory and what is in it, at any depth, and reads the first entries.
     *
     * @param root where to begin; if it is no directory, it is the only entry
     * @return the walk; whoever opened it closes it
     * @throws java.nio.file.NoSuchFileException if there is none
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was opened
     */
    public static FileWalk walk(Path root) throws IOException, InterruptedException {
        return FileWork.call(root, () -> FileWalk.open(root));
    }

    /**
     * Creates an empty file that only its owner may read and write, with a new name. It is not deleted by itself, unlike a
     * {@link TempDirectory}.
     *
     * @param directory in which
     * @param prefix how its name begins; may be empty
     * @param suffix how it ends
     * @return its path
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was created
     */
    public static Path createTempFile(Path directory, String prefix, String suffix)
            throws IOException, InterruptedException {
        return FileWork.call(directory, () -> Files.createTempFile(directory, prefix, suffix));
    }

    /* ---------------- Attributes and links -------------- */

    /**
     * {@return whether there is a file, directory or whatever} Unlike {@link Files#exists}, does not take an error for absence.
     *
     * @param path where
     * @param options {@link LinkOption#NOFOLLOW_LINKS} to ask for a symbolic link itself
     * @throws IOException if it cannot be told, as without access to the directory
     * @throws InterruptedException if interrupted or cancelled before it began
     */
    public static boolean exists(Path path, LinkOption... options) throws IOException, InterruptedException {
        return FileWork.<Boolean>call(path, () -> {
            try {
                Files.readAttributes(path, BasicFileAttributes.class, options);
                return true;
            } catch (NoSuchFileException e) {
                return false;
            } catch (FileSystemException e) {
                if (isBelowAFile(path)) { // which some versions of Java tell as the case above
                    return false;
                }
                throw e;
            }
        });
    }

    private static boolean isBelowAFile(Path path) {
        Path above = path.getParent();
        while (above != null && !Files.exists(above)) {
            above = above.getParent();
        }
        return above != null && !Files.isDirectory(above);
    }

    /**
     * {@return kind, size and times}
     *
     * @param path of which
     * @param options {@link LinkOption#NOFOLLOW_LINKS} for those of a symbolic link itself
     * @throws NoSuchFileException if there is none
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began
     */
    public static BasicFileAttributes attributes(Path path, LinkOption... options)
            throws IOException, InterruptedException {
        return FileWork.call(path, () -> Files.readAttributes(path, BasicFileAttributes.class, options));
    }

    /**
     * {@return how many bytes a file has}
     *
     * @param path which
     * @throws NoSuchFileException if there is none
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began
     */
    public static long size(Path path) throws IOException, InterruptedException {
        return FileWork.<Long>call(path, () -> Files.size(path));
    }

    /**
     * Sets who may do what.
     *
     * @param path with which file
     * @param permissions all that are to be allowed
     * @throws NoSuchFileException if there is none
     * @throws UnsupportedOperationException if the file system has no such permissions
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began; they are as they were
     */
    public static void setPermissions(Path path, Set<PosixFilePermission> permissions)
            throws IOException, InterruptedException {
        FileWork.call(path, () -> Files.setPosixFilePermissions(path, permissions));
    }

    /**
     * Creates a symbolic link.
     *
     * @param link where
     * @param target what it says; need not exist
     * @throws java.nio.file.FileAlreadyExistsException if there is something
     * @throws UnsupportedOperationException if the file system has none
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was created
     */
    public static void createSymbolicLink(Path link, Path target) throws IOException, InterruptedException {
        FileWork.call(link, () -> Files.createSymbolicLink(link, target));
    }

    /**
     * Creates a hard link: another name of a file.
     *
     * @param link where
     * @param existing the file
     * @throws java.nio.file.FileAlreadyExistsException if there is something
     * @throws UnsupportedOperationException if the file system has none
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began; nothing was created
     */
    public static void createLink(Path link, Path existing) throws IOException, InterruptedException {
        FileWork.call(link, () -> Files.createLink(link, existing));
    }

    /**
     * {@return what a symbolic link says}
     *
     * @param link which
     * @throws java.nio.file.NotLinkException if it is none
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began
     */
    public static Path readSymbolicLink(Path link) throws IOException, InterruptedException {
        return FileWork.call(link, () -> Files.readSymbolicLink(link));
    }

    /**
     * {@return the absolute path of a file that exists, without links and dots}
     *
     * @param path which
     * @throws NoSuchFileException if there is none
     * @throws IOException if it fails
     * @throws InterruptedException if interrupted or cancelled before it began
     */
    public static Path realPath(Path path) throws IOException, InterruptedException {
        return FileWork.call(path, () -> path.toRealPath());
    }

    /* ---------------- On the blocking pool -------------- */

    private static @Nullable Void writeNow(Path path, ByteBuffer bytes, OpenOption... options) throws IOException {
        Set<OpenOption> all = new HashSet<>(Arrays.asList(options));
        if (all.isEmpty()) {
            all.add(StandardOpenOption.CREATE);
            all.add(StandardOpenOption.TRUNCATE_EXISTING);
        }
        if (all.contains(StandardOpenOption.READ)) {
            throw new IllegalArgumentException("options=" + all + " must not contain READ");
        }
        all.add(StandardOpenOption.WRITE);
        try (SeekableByteChannel channel = Files.newByteChannel(path, all)) {
            writeFully(channel, bytes);
        }
        return null;
    }

    /** Writes in pieces: each is copied to a native buffer that stays with the thread. */
    static void writeFully(WritableByteChannel channel, ByteBuffer bytes) throws IOException {
        int end = bytes.limit();
        while (bytes.position() < end) {
            bytes.limit(bytes.position() + Math.min(end - bytes.position(), FileWork.STEP_BYTES));
            channel.write(bytes);
        }
    }
}
