package dev.kumihimo.support;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** A main class of the tests in a JVM of its own, which is sent signals; closing this ends it. */
public final class ChildJvm implements AutoCloseable {
    private static final long SECONDS = 60; // a net for a machine that is busy; nothing takes as long
    private static final List<String> WITH_SIGNALS = withSignals();

    private final Process process;
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final Thread reader;

    private ChildJvm(Process process) {
        this.process = process;
        this.reader = Thread.ofPlatform().name("output of " + process.pid()).start(this::read);
    }

    /** Starts one with the flag of the toolkit, on the class path of this JVM. */
    public static ChildJvm start(List<String> options, Class<?> main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(WITH_SIGNALS);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        command.addAll(ForkedJvm.WITH_FLAG);
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(arguments));
        return new ChildJvm(
                new ProcessBuilder(command).redirectErrorStream(true).start());
    }

    /** Starts one that ignores a signal, as a shell has programs in the background do. */
    public static ChildJvm startIgnoring(String signal, Class<?> main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(WITH_SIGNALS); // it ignores none but this one
        command.addAll(List.of("sh", "-c", "trap '' " + signal + "; exec \"$@\"", "sh"));
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ForkedJvm.WITH_FLAG);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(arguments));
        return new ChildJvm(
                new ProcessBuilder(command).redirectErrorStream(true).start());
    }

    /** What gives a child the default of SIGINT, if this JVM was started in the background and so ignores it: GNU env. */
    private static List<String> withSignals() {
        List<String> env = List.of("env", "--default-signal=INT,TERM,HUP");
        try {
            List<String> trial = new ArrayList<>(env);
            trial.add("true");
            return new ProcessBuilder(trial).start().waitFor() == 0 ? env : List.of();
        } catch (IOException e) {
            return List.of();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void read() {
        try (BufferedReader output = process.inputReader()) {
            for (String line; (line = output.readLine()) != null; ) {
                lines.add(line);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns once it has printed a line that contains a text. */
    public void untilPrinted(String part) {
        while (true) {
            boolean ended = !reader.isAlive();
            if (lines.stream().anyMatch(line -> line.contains(part))) {
                return;
            }
            if (ended) {
                throw new AssertionError("it has ended without printing \"" + part + "\": " + lines);
            }
            Observe.until("a line", Duration.ofSeconds(SECONDS), news(lines.size()));
        }
    }

    private BooleanSupplier news(int known) {
        return () -> lines.size() > known || !reader.isAlive();
    }

    /** Sends it a signal. */
    public void signal(String name) throws IOException, InterruptedException {
        kill(process.pid(), name);
    }

    /** Sends a process a signal. */
    public static void kill(long pid, String signal) throws IOException, InterruptedException {
        int status = new ProcessBuilder("kill", "-" + signal, Long.toString(pid))
                .inheritIO()
                .start()
                .waitFor();
        if (status != 0) {
            throw new AssertionError("kill -" + signal + " " + pid + " has failed with " + status);
        }
    }

    /** {@return its exit code, once it has ended: 128 and the number of a signal if that has ended it} */
    public int exitCode() throws InterruptedException {
        if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("it has not ended: " + lines);
        }
        reader.join();
        return process.exitValue();
    }

    /** {@return the lines it has printed until now} */
    public List<String> lines() {
        return List.copyOf(lines);
    }

    /** {@return those that contain a text} */
    public List<String> lines(String part) {
        return lines.stream().filter(line -> line.contains(part)).toList();
    }

    @Override
    public void close() throws InterruptedException {
        process.destroyForcibly().waitFor();
        reader.join();
    }
}
