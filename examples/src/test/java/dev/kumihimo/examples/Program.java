package dev.kumihimo.examples;

import static org.awaitility.Awaitility.await;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** An example that runs as users run it, in a process of its own. */
final class Program implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Process process;
    private final Path out;
    private final Path err;

    private Program(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    /** Starts an example by its simple name; its input is a pipe, its output goes to files of the folder. */
    static Program start(Path folder, String name, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                "--add-opens",
                "java.base/java.lang=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.kumihimo.examples." + name));
        command.addAll(List.of(arguments));
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        return new Program(
                new ProcessBuilder(command)
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile())
                        .start(),
                out,
                err);
    }

    Process process() {
        return process;
    }

    String out() throws IOException {
        return Files.readString(out);
    }

    String err() throws IOException {
        return Files.readString(err);
    }

    /** {@return what it has said on stderr, without what its runtime logs if the machine is busy} */
    String complaints() throws IOException {
        return err().lines()
                .filter(line -> !line.matches(".* WARN .* has held carrier .* while others wait: .*")
                        && !line.startsWith("    at ")) // where that was
                .collect(Collectors.joining("\n"));
    }

    /** Waits until it says that it listens, with nothing after the port, and returns that. */
    int awaitPort() throws IOException {
        Pattern told = Pattern.compile("listening on 127\\.0\\.0\\.1:(\\d+)\n");
        await().atMost(PATIENCE).until(() -> told.matcher(out()).find() || !process.isAlive());
        Matcher port = told.matcher(out());
        if (!port.find()) {
            throw new AssertionError("it does not listen: " + out() + err());
        }
        return Integer.parseInt(port.group(1));
    }

    void awaitOut(String text) {
        await().atMost(PATIENCE).until(() -> out().contains(text) || !process.isAlive());
    }

    void awaitErr(String text) {
        await().atMost(PATIENCE).until(() -> err().contains(text) || !process.isAlive());
    }

    void signal(String name) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                .start()
                .waitFor();
    }

    /** Waits for the end, and returns the exit code. */
    int ended() throws InterruptedException {
        if (!process.waitFor(30, TimeUnit.SECONDS)) {
            throw new AssertionError("still running after 30 s");
        }
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
