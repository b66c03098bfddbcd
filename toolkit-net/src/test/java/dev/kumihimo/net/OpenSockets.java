package dev.kumihimo.net;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * The sockets that this process had open at one moment. Each is known by its descriptor and its number in the system, so that
 * one of an earlier test, which is given back late, neither hides a new one nor is missed.
 */
public record OpenSockets(Set<String> known) {
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

    static { // the JDK keeps a socket of its own from the first on
        try (Loopback.Pair pair = Loopback.Pair.open()) {
            pair.send("x");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static OpenSockets now() throws IOException {
        Set<String> sockets = new HashSet<>();
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(DESCRIPTORS)) {
            for (Path descriptor : descriptors) {
                try {
                    String target = Files.readSymbolicLink(descriptor).toString();
                    if (target.startsWith("socket:")) {
                        sockets.add(descriptor.getFileName() + " " + target);
                    }
                } catch (NoSuchFileException e) {
                    // closed meanwhile
                }
            }
        }
        return new OpenSockets(sockets);
    }

    /** How many are open now that were not open then. */
    public int opened() throws IOException {
        Set<String> sockets = now().known;
        sockets.removeAll(known);
        return sockets.size();
    }
}
