package dev.kumihimo.benchmarks.compare;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A process started for the comparison. It never outlives {@link #close}, nor the comparison itself. */
final class Child implements AutoCloseable {
    /** Where and with what environment children run. */
    record Setting(Path folder, Map<String, String> environment) {}

    private static final ExecutorService READERS = Executors.newVirtualThreadPerTaskExecutor();

    private final Process process;
    private final Path errors;
    private final Thread hook;
    private final BufferedReader output;
    private final Writer input;

    private Child(Process process, Path errors) {
        this.process = process;
        this.errors = errors;
        this.hook = new Thread(process::destroyForcibly);
        this.output = process.inputReader(StandardCharsets.UTF_8);
        this.input = process.outputWriter(StandardCharsets.UTF_8);
        Runtime.getRuntime().addShutdownHook(hook);
    }

    static Child start(Setting setting, List<String> command) throws IOException {
        var errors = Files.createTempFile("compare", ".err");
        var builder =
                new ProcessBuilder(command).directory(setting.folder().toFile()).redirectError(errors.toFile());
        builder.environment().putAll(setting.environment());
        return new Child(builder.start(), errors);
    }

    /** What the command prints, line by line. Fails with one line that says why, if the command does. */
    static List<String> linesOf(Setting setting, Duration limit, List<String> command)
            throws IOException, InterruptedException {
        try (var child = start(setting, command)) {
            child.input.close();
            var lines = child.within(limit, () -> child.output.lines().toList());
            if (!child.process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IOException("no end within " + limit.toSeconds() + " s");
            }
            if (child.process.exitValue() != 0) {
                throw new IOException(child.complaint());
            }
            return lines;
        }
    }

    /** The rest of the next line that begins with the given word, skipping others. */
    String next(String word, Duration limit) throws IOException, InterruptedException {
        return within(limit, () -> {
            for (String line; (line = output.readLine()) != null; ) {
                if (line.startsWith(word + " ")) {
                    return line.substring(word.length() + 1).strip();
                }
            }
            throw new IOException(complaint());
        });
    }

    /** The lines up to the one that says that all is done; fails with the reason if it says that it failed. */
    List<String> untilDone(Duration limit) throws IOException, InterruptedException {
        return within(limit, () -> {
            var lines = new ArrayList<String>();
            for (String line; (line = output.readLine()) != null; lines.add(line)) {
                if (line.equals("done")) {
                    return lines;
                }
                if (line.startsWith("failed ")) {
                    throw new IOException(line.substring("failed ".length()));
                }
            }
            throw new IOException(complaint());
        });
    }

    void say(String line) throws IOException {
        input.write(line + "\n");
        input.flush();
    }

    private interface Reading<T> {
        T read() throws IOException;
    }

    private <T> T within(Duration limit, Reading<T> reading) throws IOException, InterruptedException {
        var result = new CompletableFuture<T>();
        READERS.execute(() -> {
            try {
                result.complete(reading.read());
            } catch (IOException | RuntimeException e) {
                result.completeExceptionally(e);
            }
        });
        try {
            return result.get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new IOException("no answer within " + limit.toSeconds() + " s", e);
        } catch (ExecutionException e) {
            var cause = e.getCause() == null ? e : e.getCause();
            throw new IOException(String.valueOf(cause.getMessage()), cause);
        }
    }

    /** The line of the error output that most likely says what is wrong. */
    private String complaint() throws IOException {
        var lines = Files.readString(errors, StandardCharsets.ISO_8859_1)
                .lines()
                .map(line -> line.strip().replaceFirst("^sh: \\d+: ", ""))
                .filter(line -> !line.isEmpty() && !line.startsWith("WARNING:"))
                .toList();
        return lines.stream()
                .filter(line -> line.startsWith("error") || line.startsWith("Exception") || line.contains("not found"))
                .findFirst()
                .orElse(lines.isEmpty() ? "ended without a word" : lines.getLast());
    }

    @Override
    public void close() throws IOException {
        process.descendants().forEach(ProcessHandle::destroyForcibly); // of a build that was cut short
        process.destroyForcibly();
        Runtime.getRuntime().removeShutdownHook(hook);
        Files.deleteIfExists(errors);
    }
}
