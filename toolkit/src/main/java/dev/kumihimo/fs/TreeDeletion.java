package dev.kumihimo.fs;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/**
 * Deletes a directory and what is in it. Where the file system has secure directory streams, an entry is looked at and deleted
 * relative to the open directory it was found in: nobody who puts a symbolic link in the place of a directory meanwhile can lead
 * the deletion elsewhere. Else the time between the look and the step into a directory is theirs.
 */
final class TreeDeletion implements FileWork.Steps {
    private final Path root;
    private final boolean securely;
    private final ArrayDeque<Level> levels = new ArrayDeque<>();
    private boolean begun;

    /** An open directory; its name relative to the one below it in the stack. */
    private record Level(
            Path path,
            DirectoryStream<Path> directory,
            @Nullable SecureDirectoryStream<Path> secure,
            Iterator<Path> entries) {}

    /**
     * Prepares to delete.
     *
     * @param root what
     * @param securely whether to use secure directory streams if there are any
     */
    TreeDeletion(Path root, boolean securely) {
        this.root = root;
        this.securely = securely;
    }

    @Override
    public boolean step() throws IOException {
        if (!begun) {
            begun = true;
            delete(null, root);
        }
        for (int i = 0; i < FileWork.STEP_ENTRIES && !levels.isEmpty(); i++) {
            Level level = levels.element();
            if (FileWork.hasNext(level.entries)) {
                Path entry = level.entries.next();
                try {
                    delete(level, entry);
                } catch (NoSuchFileException e) {
                    // somebody else was faster
                }
            } else {
                levels.pop().directory.close();
                deleteEmpty(level.path);
            }
        }
        return levels.isEmpty();
    }

    /** Deletes an entry of an open directory, or the root; steps into it if it is a directory. */
    private void delete(@Nullable Level parent, Path path) throws IOException {
        try {
            deleteIn(parent == null ? null : parent.secure, path);
        } catch (FileSystemException e) {
            throw named(e, path);
        }
    }

    private void deleteIn(@Nullable SecureDirectoryStream<Path> secure, Path path) throws IOException {
        BasicFileAttributes attributes = secure == null
                ? Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                : secure.getFileAttributeView(
                                path.getFileName(), BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                        .readAttributes();
        if (attributes.isDirectory()) {
            enter(secure, path);
        } else if (secure == null) {
            Files.delete(path);
        } else {
            secure.deleteFile(path.getFileName());
        }
    }

    /** Steps into what was a directory when it was looked at, and may be a link by now. */
    void enter(@Nullable SecureDirectoryStream<Path> parent, Path path) throws IOException {
        DirectoryStream<Path> directory = parent == null
                ? FileWork.openDirectory(path)
                : parent.newDirectoryStream(path.getFileName(), LinkOption.NOFOLLOW_LINKS);
        SecureDirectoryStream<Path> secure =
                securely && directory instanceof SecureDirectoryStream<Path> found ? found : null;
        levels.push(new Level(path, directory, secure, directory.iterator()));
    }

    private void deleteEmpty(Path path) throws IOException {
        Level parent = levels.peek();
        try {
            if (parent == null || parent.secure == null) {
                Files.delete(path);
            } else {
                parent.secure.deleteDirectory(path.getFileName());
            }
        } catch (NoSuchFileException e) {
            // somebody else was faster
        } catch (FileSystemException e) {
            throw named(e, path);
        }
    }

    /** {@return an exception of the same kind with the whole path} Secure streams know the last name only. */
    static FileSystemException named(FileSystemException e, Path path) {
        String file = path.toString();
        if (file.equals(e.getFile())) {
            return e;
        }
        FileSystemException named = switch (e) {
            case AccessDeniedException denied ->
                new AccessDeniedException(file, denied.getOtherFile(), denied.getReason());
            case NoSuchFileException none -> new NoSuchFileException(file, none.getOtherFile(), none.getReason());
            case DirectoryNotEmptyException notEmpty -> new DirectoryNotEmptyException(file);
            case NotDirectoryException other -> new NotDirectoryException(file);
            default -> new FileSystemException(file, e.getOtherFile(), e.getReason());
        };
        named.initCause(e);
        return named;
    }

    @Override
    public void abandon() throws IOException {
        for (Level level; (level = levels.poll()) != null; ) {
            level.directory.close();
        }
    }
}
