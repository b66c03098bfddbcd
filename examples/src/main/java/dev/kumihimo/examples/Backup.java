package dev.kumihimo.examples;

import dev.kumihimo.fs.FileHandle;
import dev.kumihimo.fs.FileWalk;
import dev.kumihimo.fs.Fs;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.signal.Service;
import dev.kumihimo.task.JoinSet;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributeView;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * Copies a directory to another, several files at a time, and verifies each by its SHA-256; run again, it copies what is
 * missing.
 *
 * <p>A file is written under another name, read back, compared, and then renamed: whatever bears the right name is whole, also
 * after a kill. A file that has the size and the modification time of its source is not copied again. Symbolic links are copied
 * as links; what is neither file, directory nor link is an error. What the target has beyond the source stays.
 */
public final class Backup {
    private static final String USAGE = """
            usage: Backup [options] SOURCE TARGET    copies what is in the directory SOURCE to the directory TARGET
              --jobs N         copies N files at a time, 4 by default
              --verify         compares the checksums of files that are there already, too
              --progress HOW   bar, lines or none; by default a bar on a terminal, and lines elsewhere
            exit code: 0 all is there; 1 some is not, see the list of errors; 130 or 143 ended by a signal: run it again""";

    /** Unfinished files, of this run or of one that was killed. */
    private static final String PART_PREFIX = ".backup-";

    private static final String PART_SUFFIX = ".part";
    private static final int BUFFER_BYTES = 1 << 20;

    private final Path source;
    private final Path target;
    private final int jobs;
    private final boolean verify;
    private final BackupProgress progress;
    private final Map<Path, String> errors = new ConcurrentSkipListMap<>();

    private Backup(Path source, Path target, int jobs, boolean verify, BackupProgress progress) {
        this.source = source;
        this.target = target;
        this.jobs = jobs;
        this.verify = verify;
        this.progress = progress;
    }

    /** Copies, and tells what was not copied. */
    public static void main(String[] arguments) throws InterruptedException {
        Backup backup = parse(arguments);
        Service.Report report =
                Service.builder().drainTimeout(Duration.ofSeconds(5)).run(backup::run);
        System.exit(backup.conclude(report));
    }

    /* ---------------- Walking -------------- */

    private void run(Service service) throws IOException, InterruptedException {
        Path from = Fs.realPath(source);
        Path to = real(target.toAbsolutePath().normalize());
        if (from.startsWith(to) || to.startsWith(from)) {
            throw new FileSystemException(source.toString(), target.toString(), "one must not be in the other");
        }
        Fs.createDirectories(to);
        var shown = Task.spawn(progress::show);
        try (FileWalk walk = Fs.walk(from);
                var copies = JoinSet.<@Nullable Void>open(jobs)) {
            FileWalk.Entry entry;
            do {
                entry = next(walk);
                if (entry != null) {
                    Path copy = to.resolve(from.relativize(entry.path()));
                    if (entry.attributes().isDirectory()) {
                        enter(entry, copy);
                    } else {
                        progress.found(
                                entry.attributes().isRegularFile()
                                        ? entry.attributes().size()
                                        : 0);
                        FileWalk.Entry file = entry;
                        copies.spawn(() -> bringOver(file, copy)); // waits while as many as allowed are under way
                    }
                }
                while (copies.tryJoinNext() != null) {
                    // forgets those that have ended; what went wrong stands in errors
                }
            } while (entry != null);
            while (copies.joinNext() != null) {
                // waits for the rest
            }
        } finally {
            shown.abort();
        }
        shown.result();
    }

    private FileWalk.@Nullable Entry next(FileWalk walk) throws InterruptedException {
        while (true) {
            try {
                return walk.nextOrNull();
            } catch (IOException e) {
                String file = e instanceof FileSystemException told ? told.getFile() : null;
                failed(file == null ? source : Path.of(file), e); // and the walk goes on behind it
            }
        }
    }

    /** Where a path will lead that need not exist yet. */
    private static Path real(Path path) throws IOException, InterruptedException {
        Path parent = path.getParent();
        if (parent == null || Fs.exists(path)) {
            return Fs.realPath(path);
        }
        return real(parent).resolve(path.getFileName());
    }

    /** Makes a directory, not by way of a link, and removes what a killed run has left in it. */
    private void enter(FileWalk.Entry directory, Path copy) throws InterruptedException {
        try {
            if (isLink(copy)) {
                Fs.delete(copy);
            }
            Fs.createDirectories(copy);
            for (Path there : Fs.list(copy)) {
                if (isPart(there)
                        && Fs.attributes(there, LinkOption.NOFOLLOW_LINKS).isRegularFile()) {
                    Fs.delete(there);
                }
            }
        } catch (IOException e) {
            failed(directory.path(), e);
        }
    }

    private static boolean isLink(Path path) throws IOException, InterruptedException {
        return Fs.exists(path, LinkOption.NOFOLLOW_LINKS)
                && Fs.attributes(path, LinkOption.NOFOLLOW_LINKS).isSymbolicLink();
    }

    private static boolean isPart(Path path) {
        String name = path.getFileName().toString();
        return name.startsWith(PART_PREFIX) && name.endsWith(PART_SUFFIX);
    }

    /* ---------------- Copying -------------- */

    private void bringOver(FileWalk.Entry entry, Path copy) throws InterruptedException {
        BasicFileAttributes attributes = entry.attributes();
        boolean copied = false;
        try {
            if (isPart(entry.path())) {
                throw new FileSystemException(
                        entry.path().toString(), null, "such names are those of unfinished files");
            } else if (attributes.isSymbolicLink()) {
                copied = link(entry.path(), copy);
            } else if (!attributes.isRegularFile()) {
                throw new FileSystemException(entry.path().toString(), null, "is no file, directory or link");
            } else if (!isThere(entry, copy)) {
                copy(entry, copy);
                copied = true;
            }
            progress.done(copied);
        } catch (IOException | RuntimeException | Error e) { // as for want of memory
            failed(entry.path(), e);
        }
    }

    private static boolean link(Path from, Path copy) throws IOException, InterruptedException {
        Path to = Fs.readSymbolicLink(from);
        if (isLink(copy)) {
            if (Fs.readSymbolicLink(copy).equals(to)) {
                return false;
            }
            Fs.delete(copy);
        }
        Fs.createSymbolicLink(copy, to);
        return true;
    }

    private boolean isThere(FileWalk.Entry entry, Path copy) throws IOException, InterruptedException {
        try {
            BasicFileAttributes there = Fs.attributes(copy, LinkOption.NOFOLLOW_LINKS);
            BasicFileAttributes wanted = entry.attributes();
            boolean same = there.isRegularFile()
                    && there.size() == wanted.size()
                    && there.lastModifiedTime().equals(wanted.lastModifiedTime());
            if (same && verify) {
                same = Arrays.equals(digest(entry.path()), digest(copy));
            }
            if (same) {
                progress.moved(wanted.size());
            }
            return same;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private void copy(FileWalk.Entry entry, Path copy) throws IOException, InterruptedException {
        if (Fs.exists(copy, LinkOption.NOFOLLOW_LINKS)
                && Fs.attributes(copy, LinkOption.NOFOLLOW_LINKS).isDirectory()) {
            throw new FileAlreadyExistsException(copy.toString(), null, "is a directory");
        }
        Path part = Fs.createTempFile(copy.getParent(), PART_PREFIX, PART_SUFFIX);
        boolean whole = false;
        try {
            byte[] read = write(entry.path(), part);
            BasicFileAttributes now = Fs.attributes(entry.path(), LinkOption.NOFOLLOW_LINKS);
            BasicFileAttributes then = entry.attributes();
            if (now.size() != then.size() || !now.lastModifiedTime().equals(then.lastModifiedTime())) {
                throw new FileSystemException(entry.path().toString(), null, "has changed since it was found");
            }
            if (!Arrays.equals(read, digest(part))) {
                throw new FileSystemException(
                        entry.path().toString(), copy.toString(), "the checksum of what was written is another");
            }
            Task.<IOException>blocking(() -> dress(entry, part));
            Fs.move(part, copy, StandardCopyOption.ATOMIC_MOVE);
            whole = true;
        } finally {
            if (!whole) {
                discard(part);
            }
        }
    }

    private static void discard(Path part) {
        try {
            Task.<Boolean, Exception>shield(() -> Fs.deleteIfExists(part)); // also by a task that is cancelled
        } catch (Exception e) {
            // the next run removes it
        }
    }

    /** Copies the bytes to the disk, and returns the checksum of those that were read. */
    private byte[] write(Path from, Path part) throws IOException, InterruptedException {
        MessageDigest digest = sha256();
        try (FileHandle in = FileHandle.open(from);
                FileHandle out = FileHandle.open(part, StandardOpenOption.WRITE)) {
            ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
            for (int count; (count = in.read(buffer.clear())) >= 0; ) {
                digest.update(buffer.array(), 0, count);
                out.writeAll(buffer.flip());
                progress.moved(count);
            }
            out.force(true);
        }
        return digest.digest();
    }

    private static byte[] digest(Path path) throws IOException, InterruptedException {
        MessageDigest digest = sha256();
        try (FileHandle in = FileHandle.open(path)) {
            ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
            for (int count; (count = in.read(buffer.clear())) >= 0; ) {
                digest.update(buffer.array(), 0, count);
            }
        }
        return digest.digest();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has it", e);
        }
    }

    /** Gives a copy its source's permissions and time. */
    private static void dress(FileWalk.Entry entry, Path part) throws IOException {
        var view = Files.getFileAttributeView(entry.path(), PosixFileAttributeView.class);
        if (view != null) {
            Files.setPosixFilePermissions(part, view.readAttributes().permissions());
        }
        Files.setLastModifiedTime(part, entry.attributes().lastModifiedTime());
    }

    /* ---------------- Telling -------------- */

    private void failed(Path path, Throwable e) {
        progress.failed();
        String what = e instanceof FileSystemException told ? told.getReason() : e.getMessage();
        String kind = e.getClass() == FileSystemException.class || e.getClass() == IOException.class
                ? ""
                : e.getClass().getSimpleName().replace("Exception", "");
        errors.merge(
                path,
                what == null || what.isEmpty() ? kind : kind.isEmpty() ? what : kind + ": " + what,
                (one, other) -> one.contains(other) ? one : one + "; " + other);
    }

    private int conclude(Service.Report report) {
        progress.end();
        errors.forEach((path, what) -> System.err.println("Backup: " + path + ": " + what));
        if (report.failure() != null) {
            System.err.println("Backup: " + report.failure() + ".");
        }
        if (report.signal() != null) {
            System.err.println("Backup: ended by " + report.signal() + ". Run it again to go on.");
            return report.signal().name().equals("INT") ? 130 : 143;
        }
        return errors.isEmpty() ? report.exitCode() : 1;
    }

    /* ---------------- Arguments -------------- */

    private static Backup parse(String[] arguments) {
        int jobs = 4;
        boolean verify = false;
        String progress = "auto";
        Path source = null;
        Path target = null;
        try {
            for (int i = 0; i < arguments.length; i++) {
                String argument = arguments[i];
                String value = i + 1 < arguments.length ? arguments[i + 1] : "nothing";
                switch (argument) {
                    case "--help", "-h" -> {
                        System.out.println(USAGE);
                        System.exit(0);
                    }
                    case "--jobs" -> {
                        if (!value.matches("[1-9][0-9]{0,3}")) {
                            throw new IllegalArgumentException(
                                    "--jobs takes a number from 1 to 9999, not \"" + value + "\"");
                        }
                        jobs = Integer.parseInt(value);
                        i++;
                    }
                    case "--progress" -> {
                        if (!value.matches("bar|lines|none")) {
                            throw new IllegalArgumentException(
                                    "--progress takes bar, lines or none, not \"" + value + "\"");
                        }
                        progress = value;
                        i++;
                    }
                    case "--verify" -> verify = true;
                    default -> {
                        if (argument.startsWith("-")) {
                            throw new IllegalArgumentException("there is no option \"" + argument + "\"");
                        } else if (source == null) {
                            source = Path.of(argument);
                        } else if (target == null) {
                            target = Path.of(argument);
                        } else {
                            throw new IllegalArgumentException(
                                    "\"" + argument + "\" is more than a source and a target");
                        }
                    }
                }
            }
            if (source == null || target == null) {
                throw new IllegalArgumentException("a source and a target are needed");
            }
        } catch (IllegalArgumentException e) {
            System.err.println("Backup: " + e.getMessage() + ". See Backup --help.");
            System.exit(2);
        }
        if (!Files.isDirectory(source)) {
            System.err.println("Backup: \"" + source + "\" is no directory.");
            System.exit(1);
        }
        return new Backup(source, target, jobs, verify, BackupProgress.of(progress));
    }
}
