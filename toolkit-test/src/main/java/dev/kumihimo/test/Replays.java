package dev.kumihimo.test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Traces that come from outside the test: by the system property, else the environment; and where they are written. */
final class Replays {
    static final String PROPERTY = "kumihimo.test.replay";
    static final String VARIABLE = "KUMIHIMO_TEST_REPLAY";
    static final String DIRECTORY = "kumihimo.test.trace";
    private static final String COMMENT = "#";

    private Replays() {}

    /** {@return the trace that the environment asks for, or null if it leaves it open} */
    static @Nullable String given() {
        String property = System.getProperty(PROPERTY);
        return property == null || property.isBlank()
                ? read(VARIABLE, System.getenv(VARIABLE))
                : read(PROPERTY, property);
    }

    static @Nullable String read(String source, @Nullable String traceOrFile) {
        if (traceOrFile == null || traceOrFile.isBlank()) {
            return null;
        }
        String text = traceOrFile.strip();
        if (text.startsWith(Traces.PREFIX)) {
            return text;
        }
        try {
            for (String line : Files.readAllLines(Path.of(text))) {
                if (!line.isBlank() && !line.startsWith(COMMENT)) {
                    return line.strip();
                }
            }
        } catch (IOException | InvalidPathException e) {
            throw new IllegalArgumentException(
                    source + "=" + text + " must be a trace, which begins with " + Traces.PREFIX
                            + ", or the name of a file with one: " + e,
                    e);
        }
        throw new IllegalArgumentException(source + "=" + text + " is a file without a trace");
    }

    /**
     * {@return a line that tells where a trace was written, or why it was not; empty if nobody asked}
     *
     * @param name what the file is called, before its hash
     * @param about what stands in it beside the trace
     */
    static String write(String name, String trace, String about) {
        String directory = System.getProperty(DIRECTORY);
        if (directory == null || directory.isBlank()) {
            return "";
        }
        try {
            Path into = Files.createDirectories(Path.of(directory.strip()));
            String safe = name.replaceAll("[^A-Za-z0-9._-]+", "-");
            Path file = into.resolve(safe + "-" + Integer.toHexString(trace.hashCode()) + ".trace");
            List<String> comments =
                    about.lines().map(line -> COMMENT + " " + line).toList();
            Files.writeString(file, trace + System.lineSeparator() + String.join(System.lineSeparator(), comments));
            return System.lineSeparator() + "  written to " + file;
        } catch (IOException | InvalidPathException e) {
            return System.lineSeparator() + "  could not be written to " + directory + ": " + e;
        }
    }
}
