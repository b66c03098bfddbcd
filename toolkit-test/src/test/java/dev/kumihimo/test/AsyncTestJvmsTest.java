package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.test.modular.ModularSample;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests of ours under what a JVM decides: versions of JUnit, the flag, the class path and the module path. */
@Timeout(120)
class AsyncTestJvmsTest {
    private static final List<String> CLASS_PATH =
            Arrays.asList(System.getProperty("java.class.path").split(File.pathSeparator));
    private static final List<String> WITH_FLAG = List.of("--add-opens", "java.base/java.lang=ALL-UNNAMED");

    private static final String REPLAYED = "the schedule of replay failed";

    private static boolean isJUnit(String entry) {
        return entry.matches(".*[/\\\\](junit-(jupiter|platform)|opentest4j|apiguardian)[^/\\\\]*\\.jar");
    }

    private static String path(Predicate<String> entries) {
        return CLASS_PATH.stream().filter(entries).collect(Collectors.joining(File.pathSeparator));
    }

    private static String java(List<String> options, String classPath, Class<?> main, Class<?>... arguments)
            throws IOException, InterruptedException {
        return java(Map.of(), options, classPath, main, arguments);
    }

    private static String java(
            Map<String, String> variables, List<String> options, String classPath, Class<?> main, Class<?>... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-XX:TieredStopAtLevel=1"); // it runs for a second
        command.addAll(options);
        command.addAll(List.of("-cp", classPath, main.getName()));
        Stream.of(arguments).map(Class::getName).forEach(command::add);
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(variables);
        Process process = builder.start();
        try {
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(output).isZero();
            return output;
        } finally {
            process.destroyForcibly();
        }
    }

    private static List<String> lines(String output, String ending) {
        return output.lines().filter(line -> line.endsWith(ending)).toList();
    }

    private static int tests(Class<?> samples) {
        return (int) Stream.of(samples.getDeclaredMethods())
                .filter(method -> method.isAnnotationPresent(AsyncTest.class))
                .count();
    }

    /** The versions are copied by the build; this JVM has the oldest. */
    @ParameterizedTest
    @ValueSource(strings = {"5.14.4", "6.1.3"})
    void samples_endAsTheyShould_onOtherVersionsOfJUnit(String version) throws Exception {
        String copies = System.getProperty("kumihimo.test.junits");
        assertThat(copies).as("where the Maven build copies them").isNotNull();
        List<String> jars;
        try (Stream<Path> files = Files.list(Path.of(copies, "junit-" + version))) {
            jars = files.map(Path::toString).toList();
        }
        String output = java(
                WITH_FLAG,
                path(entry -> !isJUnit(entry)) + File.pathSeparator + String.join(File.pathSeparator, jars),
                SampleRunner.class,
                AsyncSamples.Passing.class,
                AsyncSamples.Outer.class,
                AsyncSamples.Inheriting.class,
                AsyncSamples.Seeded.class,
                AsyncSamples.Failing.class,
                AsyncSamples.WrongPlace.class);

        assertThat(output).contains("JUnit " + version + ", points true", "done");
        assertThat(lines(output, " SUCCESSFUL")).as(output).hasSize(tests(AsyncSamples.Passing.class) + 2 + 2 + 5);
        assertThat(lines(output, " FAILED")).as(output).hasSize(tests(AsyncSamples.Failing.class) + 1);
        assertThat(output)
                .contains("withItsOwnException threw java.io.IOException: own")
                .contains("inSomeSchedule threw org.opentest4j.AssertionFailedError")
                .contains("becauseATaskFailed threw java.io.IOException: first")
                .contains("atJUnitsTimeout threw java.util.concurrent.TimeoutException")
                .contains("JUnit is about to interrupt", "\"waiter\"")
                .contains("body threw org.junit.jupiter.api.extension.ParameterResolutionException")
                .contains("-Dkumihimo.test.seed=0x");
    }

    @Test
    void withoutTheFlag_theFirstTestSaysWhatToDo_andTheOthersPointToIt() throws Exception {
        String output = java(List.of(), path(entry -> true), SampleRunner.class, AsyncSamples.Passing.class);

        int tests = tests(AsyncSamples.Passing.class);
        assertThat(lines(output, " FAILED")).hasSize(tests);
        assertThat(output)
                .containsOnlyOnce("<argLine>@{argLine} --add-opens java.base/java.lang=ALL-UNNAMED</argLine>")
                .containsOnlyOnce("jvmArgs '--add-opens', 'java.base/java.lang=ALL-UNNAMED'")
                .containsOnlyOnce("jvmArgs(\"--add-opens\", \"java.base/java.lang=ALL-UNNAMED\")");
        assertThat(
                        lines(
                                output,
                                "this JVM was started without --add-opens java.base/java.lang=ALL-UNNAMED: see the first failure"))
                .hasSize(tests - 1);
    }

    /** What it prints in one JVM is given to others. */
    @Test
    void variables_giveTheTraceAndTheSeed() throws Exception {
        Class<?> sample = AsyncSamples.FromVariables.class;
        String all = path(entry -> true);
        String explored = java(WITH_FLAG, all, SampleRunner.class, sample);
        Matcher trace = Pattern.compile("k3:[A-Za-z0-9_-]+").matcher(explored);
        assertThat(trace.find()).as(explored).isTrue();
        assertThat(explored).doesNotContain(REPLAYED);

        Map<String, String> replay = Map.of(Replays.VARIABLE, trace.group());
        String replayed = java(replay, WITH_FLAG, all, SampleRunner.class, sample);
        assertThat(replayed).contains(REPLAYED, trace.group());

        Map<String, String> seed = Map.of(Seeds.VARIABLE, "0x1f3a");
        String seeded = java(seed, WITH_FLAG, all, SampleRunner.class, sample);
        assertThat(seeded).contains("-Dkumihimo.test.seed=0x1f3a").doesNotContain(REPLAYED);
    }

    @Test
    void points_areOn_whereTheKitIs_unlessThePropertySaysOtherwise() throws Exception {
        String all = path(entry -> true);
        String without =
                path(entry -> !entry.matches(".*[/\\\\]toolkit-test([/\\\\]target[/\\\\]classes|[^/\\\\]*\\.jar)"));

        assertThat(java(List.of(), all, PointsOn.class)).contains("points true");
        assertThat(java(List.of("-Dkumihimo.test.points=false"), all, PointsOn.class))
                .contains("points false");
        assertThat(without)
                .as("the Maven build has the kit in a place of its own")
                .isNotEqualTo(all);
        assertThat(java(List.of(), without, PointsOn.class)).contains("points false");
        assertThat(java(List.of("-Dkumihimo.test.points=true"), without, PointsOn.class))
                .contains("points true");
    }

    @Test
    void samples_endAsTheyShould_onTheModulePath() throws Exception {
        Predicate<String> isModule = entry -> entry.matches(
                        ".*[/\\\\](toolkit(-net|-test)?[/\\\\]target[/\\\\]classes|kumihimo-toolkit[^/]*\\.jar|slf4j-api-[^/]*|jctools-core-[^/]*)")
                || isJUnit(entry) && !entry.contains("testkit");
        assertThat(CLASS_PATH)
                .as("the Maven build has modules")
                .anyMatch(entry -> Files.exists(Path.of(entry, "module-info.class")));

        String output = java(
                List.of(
                        "--module-path",
                        path(isModule),
                        "--add-modules",
                        "dev.kumihimo.test,org.junit.platform.launcher,org.junit.jupiter.engine",
                        "--add-exports",
                        "dev.kumihimo/dev.kumihimo.internal.wait=ALL-UNNAMED",
                        "--add-opens",
                        "java.base/java.lang=dev.kumihimo"),
                path(isModule.negate()),
                ModularSample.class);

        assertThat(output).contains("points true, kit in module dev.kumihimo.test");
        assertThat(output).containsPattern("sleeps\\(.*status = SUCCESSFUL");
    }
}
