package dev.kumihimo.support;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs a main class of the tests in a JVM of its own. */
public final class ForkedJvm {
    private ForkedJvm() {}

    /** The flag of the toolkit, for {@link #run}. */
    public static final List<String> WITH_FLAG = List.of("--add-opens", "java.base/java.lang=ALL-UNNAMED");

    /** What it printed, on either stream. Fails if it ends badly or takes over a minute. */
    public static String run(List<String> options, Class<?> main) throws IOException, InterruptedException {
        return run(options, System.getProperty("java.class.path"), main);
    }

    /** As {@link #run(List, Class)}, with a class path of its own. */
    public static String run(List<String> options, String classPath, Class<?> main)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(List.of("-cp", classPath, main.getName()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output;
        try {
            output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                throw new AssertionError("still running after a minute: " + output);
            }
        } finally {
            process.destroyForcibly();
        }
        if (process.exitValue() != 0) {
            throw new AssertionError("exit code " + process.exitValue() + ": " + output);
        }
        return output;
    }
}
