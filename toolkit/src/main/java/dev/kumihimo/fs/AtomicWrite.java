package dev.kumihimo.fs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Replaces a file whole: a new file beside it, forced to the disk, is moved to its place. */
final class AtomicWrite {
    private AtomicWrite() {}

    static @Nullable Void write(Path path, byte[] bytes) throws IOException {
        if (path.getFileName() == null) {
            throw new FileSystemException(path.toString(), null, "has no name, and cannot be replaced");
        }
        Path beside = path.resolveSibling("." + UUID.randomUUID() + ".tmp"); // the name may be as long as names can be
        Set<PosixFilePermission> permissions = permissionsOf(path);
        FileAttribute<?>[] attributes = permissions == null
                ? new FileAttribute<?>[0]
                : new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(permissions)};
        try {
            try (FileChannel channel = FileChannel.open(
                    beside, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), attributes)) {
                if (permissions != null) {
                    Files.setPosixFilePermissions(beside, permissions); // the process's mask may have taken some
                }
                Fs.writeFully(channel, ByteBuffer.wrap(bytes));
                channel.force(true);
            }
            Files.move(beside, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (Throwable e) {
            try {
                Files.deleteIfExists(beside);
            } catch (IOException failed) {
                e.addSuppressed(failed);
            }
            throw e;
        }
        forceDirectory(path.toAbsolutePath().getParent());
        return null;
    }

    /** {@return the permissions of what is to be replaced; null if there is nothing, or no such permissions here} */
    private static @Nullable Set<PosixFilePermission> permissionsOf(Path path) throws IOException {
        PosixFileAttributeView view = Files.getFileAttributeView(path, PosixFileAttributeView.class);
        try {
            return view == null ? null : view.readAttributes().permissions();
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    /** Has the move reach the disk too, where directories can be opened. */
    private static void forceDirectory(@Nullable Path directory) throws IOException {
        if (directory == null) {
            return;
        }
        FileChannel channel;
        try {
            channel = FileChannel.open(directory, StandardOpenOption.READ);
        } catch (IOException | UnsupportedOperationException e) {
            return; // not here, or not by this process
        }
        try (channel) {
            channel.force(true);
        }
    }
}
