package dev.kumihimo.fs;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.CopyOption;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Copies a file: what takes no more than a step as {@link Files#copy} does, and a long one step by step. */
final class FileCopy implements FileWork.Steps {
    private final Path source;
    private final Path target;
    private final CopyOption[] options;
    private @Nullable FileChannel in;
    private @Nullable FileChannel out;
    private long copied;

    FileCopy(Path source, Path target, CopyOption... options) {
        this.source = source;
        this.target = target;
        this.options = options;
    }

    @Override
    public boolean step() throws IOException {
        if (in == null && begin()) {
            return true;
        }
        FileChannel from = in;
        FileChannel to = out;
        if (from == null || to == null) {
            throw new IllegalStateException("not begun");
        }
        long count = from.transferTo(copied, FileWork.STEP_BYTES, to);
        copied += count;
        if (count > 0) {
            return false;
        }
        from.close();
        to.close(); // before the copy counts as made: it may tell of a full disk
        return true;
    }

    /** Copies it at once and returns true, or opens what the steps need. */
    private boolean begin() throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(source, BasicFileAttributes.class, linkOptions());
        boolean replace = Arrays.asList(options).contains(StandardCopyOption.REPLACE_EXISTING);
        boolean plain = Arrays.stream(options)
                .allMatch(
                        option -> option == StandardCopyOption.REPLACE_EXISTING || option == LinkOption.NOFOLLOW_LINKS);
        if (!plain || !attributes.isRegularFile() || attributes.size() <= FileWork.STEP_BYTES) {
            Files.copy(source, target, options);
            return true;
        }
        in = FileChannel.open(source, StandardOpenOption.READ);
        if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            if (!Files.isSymbolicLink(target) && Files.isSameFile(source, target)) { // a link to it is another file
                in.close();
                return true;
            }
            if (!replace) {
                throw new FileAlreadyExistsException(target.toString());
            }
            Files.delete(target);
        }
        out = FileChannel.open(target, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), permissions());
        return false;
    }

    private LinkOption[] linkOptions() {
        return Arrays.stream(options)
                .filter(LinkOption.class::isInstance)
                .map(LinkOption.class::cast)
                .toArray(LinkOption[]::new);
    }

    private FileAttribute<?>[] permissions() throws IOException {
        PosixFileAttributeView view = Files.getFileAttributeView(source, PosixFileAttributeView.class);
        if (view == null
                || !target.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            return new FileAttribute<?>[0];
        }
        return new FileAttribute<?>[] {
            PosixFilePermissions.asFileAttribute(view.readAttributes().permissions())
        };
    }

    @Override
    public void abandon() throws IOException {
        if (in != null) {
            in.close();
        }
        FileChannel made = out;
        out = null;
        if (made != null) {
            try {
                made.close();
            } finally {
                Files.deleteIfExists(target);
            }
        }
    }
}
