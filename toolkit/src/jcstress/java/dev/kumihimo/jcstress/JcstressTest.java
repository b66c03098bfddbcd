package dev.kumihimo.jcstress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Runs the races of this source set, each in a JVM of its own, on platform threads. All are run at once, the planted ones
 * among them. The report is in {@code target/jcstress}.
 */
class JcstressTest {
    private static final String ITERATIONS = System.getProperty("kumihimo.jcstress.iterations", "3");
    private static final int MILLIS = Integer.getInteger("kumihimo.jcstress.millis", 100);
    private static final String FORKS = System.getProperty("kumihimo.jcstress.forks", "1");

    /** How a test of several configurations is summed up: one line per result, samples, share, judgement. */
    private static final Pattern RESULT =
            Pattern.compile("(?m)^ +\\S.*? +([\\d,]+) +<?[\\d.]+% +(Acceptable|Forbidden|Interesting) ");

    private static final Pattern FAILED =
            Pattern.compile("(?m)^dev\\.kumihimo\\.(\\S+) \\[.*?]: Observed forbidden state");
    private static final Pattern TALLY = Pattern.compile(
            "\\(Results: (\\d+) planned; (\\d+) passed, (\\d+) failed, (\\d+) soft errs, (\\d+) hard errs\\)");

    private static final Set<String> PLANTED = Set.of(
            "jcstress.PlantedRaces.ClaimWithoutCas",
            "jcstress.PlantedRaces.CloseCheckedOutsideTheLock",
            "jcstress.PlantedRaces.LockWithoutCas",
            "jcstress.PlantedRaces.PublishWithoutVolatile");

    /** How often planted races that have not shown are run again, each time for longer. They show in the end, or are none. */
    private static final int SEARCHES = 12;

    private static String output;

    @BeforeAll
    static void runAll() throws IOException, InterruptedException {
        long begun = System.nanoTime();
        output = run(".*", MILLIS);
        String summary = output.substring(Math.max(0, output.indexOf("RUN RESULTS")));
        long samples = RESULT.matcher(summary)
                .results()
                .mapToLong(result -> Long.parseLong(result.group(1).replace(",", "")))
                .sum();
        System.out.printf("jcstress: %s, %,d samples, %.1f s%n", tally(0), samples, (System.nanoTime() - begun) / 1e9);
    }

    private static String run(String tests, int millis) throws IOException, InterruptedException {
        Path reports = Files.createDirectories(Path.of("target", "jcstress").toAbsolutePath());
        Path printed = reports.resolve("output.txt");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "org.openjdk.jcstress.Main", "-t", tests));
        command.addAll(List.of("-v", "-r", reports.toString(), "-c", "2", "-sc", "false", "-af", "NONE"));
        command.addAll(List.of("-iters", ITERATIONS, "-time", Integer.toString(millis), "-f", FORKS, "-fsm", "1"));
        command.addAll(List.of("-jvmArgs", "-Xmx256m -XX:+UseSerialGC --add-opens=java.base/java.lang=ALL-UNNAMED"));
        Process process = new ProcessBuilder(command)
                .directory(reports.toFile())
                .redirectErrorStream(true)
                .redirectOutput(printed.toFile())
                .start();
        try {
            assertThat(process.waitFor(30, TimeUnit.MINUTES)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        return Files.readString(printed, StandardCharsets.UTF_8);
    }

    /** {@return the last count of the tests, or one number of it} */
    private static String tally(int number) {
        List<MatchResult> counts = TALLY.matcher(output).results().toList();
        assertThat(counts).as(output).isNotEmpty();
        return counts.get(counts.size() - 1).group(number);
    }

    private static Set<String> failed(String printed) {
        return FAILED.matcher(printed)
                .results()
                .map(failure -> failure.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void races_haveNoForbiddenOutcome() {
        Set<String> failed = failed(output);
        failed.removeAll(PLANTED);
        assertThat(failed).as(output).isEmpty();
        assertThat(tally(4) + tally(5)).as("could not be run: " + output).isEqualTo("00");
        assertThat(Integer.parseInt(tally(2))).as("passed").isGreaterThanOrEqualTo(15);
    }

    /** How soon a race shows depends on what else the machine does; so the search goes on for those that have not. */
    @Test
    void plantedRaces_areFound() throws Exception {
        Set<String> hidden = new TreeSet<>(PLANTED);
        hidden.removeAll(failed(output));
        for (int search = 1; search <= SEARCHES && !hidden.isEmpty(); search++) {
            hidden.removeAll(failed(run(String.join("|", hidden), MILLIS * (search + 1))));
        }
        assertThat(hidden).as("planted races that did not show").isEmpty();
    }
}
