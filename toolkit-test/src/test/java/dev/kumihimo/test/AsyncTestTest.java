package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;

/** What JUnit makes of tests of ours, each way they can end. */
@Timeout(60)
@ResourceLock(Resources.SYSTEM_ERR)
class AsyncTestTest {
    private static final Pattern SEED = Pattern.compile("-Dkumihimo.test.seed=(0x[0-9a-f]+)");
    private static final Pattern TRACE = Pattern.compile(Traces.PREFIX + "[A-Za-z0-9_-]+");

    /** What a run of JUnit's came to. */
    private record Outcome(EngineExecutionResults results, String printed) {
        Throwable failureOf(String method) {
            return results.testEvents().failed().stream()
                    .filter(event -> event.getTestDescriptor().getDisplayName().startsWith(method + "("))
                    .map(event -> event.getRequiredPayload(TestExecutionResult.class)
                            .getThrowable()
                            .orElseThrow())
                    .findFirst()
                    .orElseThrow(() -> new AssertionError(method + " has not failed"));
        }

        void allSucceeded(int tests) {
            assertThat(results.testEvents().failed().stream().map(Event::toString))
                    .isEmpty();
            results.testEvents().assertStatistics(counts -> counts.succeeded(tests));
        }

        Map<String, String> reportOf(String method) {
            return results.testEvents().reportingEntryPublished().stream()
                    .filter(event -> event.getTestDescriptor().getDisplayName().startsWith(method + "("))
                    .map(event -> event.getRequiredPayload(ReportEntry.class).getKeyValuePairs())
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static Outcome run(Map<String, String> settings, DiscoverySelector... what) {
        PrintStream before = System.err;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            EngineExecutionResults results = EngineTestKit.engine("junit-jupiter")
                    .configurationParameters(settings)
                    .selectors(what)
                    .execute();
            return new Outcome(results, printed.toString(StandardCharsets.UTF_8));
        } finally {
            System.setErr(before);
        }
    }

    private static Outcome run(Class<?> samples) {
        return run(Map.of(), selectClass(samples));
    }

    private static Outcome run(Class<?> samples, String method, Class<?>... parameters) {
        return run(Map.of(), selectMethod(samples, method, parameters));
    }

    private static List<String> suppressedIn(Throwable thrown) {
        return Arrays.stream(thrown.getSuppressed()).map(String::valueOf).toList();
    }

    /* ---------------- Success -------------- */

    @Test
    void tests_pass_andSayNothing() {
        AsyncSamples.Passing.INSTANCES.clear();
        AsyncSamples.Passing.DATA.clear();
        AsyncSamples.Passing.ORDER.clear();

        Outcome outcome = run(AsyncSamples.Passing.class);

        outcome.allSucceeded(10);
        assertThat(outcome.printed()).isEmpty();
        assertThat(outcome.reportOf("eachScheduleHasAnInstanceOfItsOwn")).containsEntry("schedules", "20");
        assertThat(outcome.reportOf("allWithinABound")).containsEntry("exhausted", "true");
        assertThat(AsyncSamples.Passing.INSTANCES)
                .hasSizeGreaterThanOrEqualTo(20)
                .doesNotHaveDuplicates();
        assertThat(AsyncSamples.Passing.ORDER)
                .contains("waited until 00:02:00.000", "body", "after", "before on JUnit's thread")
                .doesNotContain("before on a task");
        assertThat(AsyncSamples.Passing.ORDER.stream().filter("after"::equals)).hasSize(10);

        List<Long> data = new ArrayList<>(AsyncSamples.Passing.DATA);
        assertThat(new HashSet<>(data)).hasSizeGreaterThanOrEqualTo(20);
        AsyncSamples.Passing.DATA.clear();
        run(AsyncSamples.Passing.class).allSucceeded(10);
        assertThat(AsyncSamples.Passing.DATA).containsExactlyInAnyOrderElementsOf(data);
    }

    /** The schedule in which the time runs out is the last, and can be the first: then it has taken all of that. */
    @Test
    void aBudget_isUsedForSeveralSchedules() {
        int schedules = 1;
        for (int i = 0; schedules == 1 && i < 20; i++) {
            long begin = System.nanoTime();
            Outcome outcome = run(AsyncSamples.Passing.class, "asManyAsTimeAllows");
            schedules = Integer.parseInt(outcome.reportOf("asManyAsTimeAllows").get("schedules"));
            assertThat(System.nanoTime() - begin).isGreaterThanOrEqualTo(50_000_000);
        }
        assertThat(schedules).isGreaterThan(1);
    }

    @Test
    void instances_areNewOnEachLevel_unlessMadePerClass() {
        AsyncSamples.Outer.OUTER.clear();

        run(AsyncSamples.Outer.class).allSucceeded(2);

        List<Object> outer = AsyncSamples.Outer.OUTER;
        assertThat(outer.stream().filter(AsyncSamples.Outer.class::isInstance))
                .hasSizeGreaterThanOrEqualTo(5)
                .doesNotHaveDuplicates();
        assertThat(outer.stream().filter(Integer.class::isInstance)).startsWith(1, 2, 3, 4, 5);
    }

    @Test
    void tests_areInherited() {
        run(AsyncSamples.Inheriting.class).allSucceeded(2);
    }

    @Test
    void tests_areIndependent_inParallel() {
        AsyncSamples.Parallel.both = new CountDownLatch(2);
        run(
                        Map.of(
                                "junit.jupiter.execution.parallel.enabled", "true",
                                "junit.jupiter.execution.parallel.config.strategy", "fixed",
                                "junit.jupiter.execution.parallel.config.fixed.parallelism", "2"),
                        selectClass(AsyncSamples.Parallel.class))
                .allSucceeded(2);
    }

    /* ---------------- Failure -------------- */

    @Test
    void bodysException_isTold_withTheSeed() {
        Outcome outcome = run(AsyncSamples.Failing.class, "withItsOwnException");
        Throwable thrown = outcome.failureOf("withItsOwnException");
        assertThat(thrown).isExactlyInstanceOf(IOException.class).hasMessage("own");
        assertThat(suppressedIn(thrown)).anyMatch(text -> text.contains("-Dkumihimo.test.seed=0x"));
        assertThat(outcome.printed())
                .startsWith("@AsyncTest Failing.withItsOwnException: java.io.IOException: own")
                .contains("-Dkumihimo.test.seed=0x");
    }

    @Test
    void deadlock_isTold_withWhoWaits() {
        Throwable thrown = run(AsyncSamples.Failing.class, "inADeadlock").failureOf("inADeadlock");
        assertThat(thrown)
                .isInstanceOf(ScheduleError.class)
                .hasMessageContaining("deadlock")
                .hasMessageContaining("\"main\"")
                .hasMessageContaining("AsyncSamples.java");
    }

    @Test
    void limitOfRealTime_endsIt() {
        Throwable thrown = run(AsyncSamples.Failing.class, "outOfTime").failureOf("outOfTime");
        assertThat(thrown).isInstanceOf(ScheduleError.class).hasMessageContaining("out of time");
    }

    @Test
    void failureOfSomeSchedule_isTold_andReplays() throws Exception {
        seedReplays("inSomeSchedule");
    }

    /** A seed alone does not say of which kind its schedule is. */
    @Test
    void failureOfAScheduleByPriorities_replaysByItsSeed() throws Exception {
        assertThat(seedReplays("inSomeScheduleByPriorities")).contains("pct(3)");
    }

    private static String seedReplays(String method) throws Exception {
        Outcome outcome = run(AsyncSamples.Failing.class, method, TestScope.class);
        Throwable thrown = outcome.failureOf(method);
        assertThat(thrown).isInstanceOf(AssertionError.class).isNotInstanceOf(ScheduleError.class);
        Matcher seed = Pattern.compile("-Dkumihimo.test.seed=(0x[0-9a-f]+)").matcher(outcome.printed());
        assertThat(seed.find()).as(outcome.printed()).isTrue();

        System.setProperty("kumihimo.test.seed", seed.group(1));
        try {
            Outcome again = run(AsyncSamples.Failing.class, method, TestScope.class);
            assertThat(again.failureOf(method)).hasMessage(thrown.getMessage());
            assertThat(again.printed()).contains("seed " + seed.group(1) + ":");
            return again.printed();
        } finally {
            System.clearProperty("kumihimo.test.seed");
        }
    }

    /** The same data, order and length, by each way that the text names. */
    @ParameterizedTest
    @ValueSource(strings = {"atRandom", "byPriorities", "byPrioritiesAndOnce", "byASearch", "byAMixture", "inOrder"})
    void failure_replays_byEachWayThatItsTextNames(String method) {
        Outcome outcome = run(AsyncSamples.OfItsData.class, method, Rng.class, TestScope.class);
        String failure = outcome.failureOf(method).getMessage();
        Matcher seed = SEED.matcher(outcome.printed());
        if (seed.find()) {
            assertReplays(Seeds.PROPERTY, seed.group(1), method, failure);
        } else {
            assertThat(method).isIn("byASearch", "inOrder"); // which have none
        }
        Matcher trace = TRACE.matcher(outcome.printed());
        assertThat(trace.find()).as(outcome.printed()).isTrue();
        assertReplays(Replays.PROPERTY, trace.group(), method, failure);
    }

    @Test
    void failure_ofOneOrder_writesItsTrace_whereThePropertySays(@TempDir Path directory) throws IOException {
        System.setProperty(Replays.DIRECTORY, directory.toString());
        try {
            Outcome outcome = run(AsyncSamples.Failing.class, "withItsOwnException");
            Path written;
            try (Stream<Path> files = Files.list(directory)) {
                written = files.findFirst().orElseThrow();
            }
            assertThat(written.getFileName().toString()).startsWith("Failing.withItsOwnException-");
            assertThat(outcome.printed()).contains("written to " + written);
            assertThat(Files.readString(written)).startsWith("k3:").contains("# java.io.IOException: own");
        } finally {
            System.clearProperty(Replays.DIRECTORY);
        }
    }

    private static void assertReplays(String property, String value, String method, String failure) {
        System.setProperty(property, value);
        try {
            Outcome again = run(AsyncSamples.OfItsData.class, method, Rng.class, TestScope.class);
            assertThat(again.failureOf(method)).as(property + "=" + value).hasMessage(failure);
        } finally {
            System.clearProperty(property);
        }
    }

    @Test
    void failure_thatComesOfTheInstance_replays() {
        Outcome outcome = run(AsyncSamples.OfItsData.class, "ofWhatItsInstanceHas");
        String failure = outcome.failureOf("ofWhatItsInstanceHas").getMessage();
        assertThat(failure).contains("permit");
        Matcher trace = TRACE.matcher(outcome.printed());
        assertThat(trace.find()).as(outcome.printed()).isTrue();
        System.setProperty(Replays.PROPERTY, trace.group());
        try {
            assertThat(run(AsyncSamples.OfItsData.class, "ofWhatItsInstanceHas").failureOf("ofWhatItsInstanceHas"))
                    .hasMessageContaining("permit");
        } finally {
            System.clearProperty(Replays.PROPERTY);
        }
    }

    @Test
    void replay_thatTheRunDoesNotUseUp_isTold() {
        String trace = TRACE.matcher(run(AsyncSamples.OfItsData.class, "byASearch", Rng.class, TestScope.class)
                        .printed())
                .results()
                .findFirst()
                .orElseThrow()
                .group();
        System.setProperty(Replays.PROPERTY, trace);
        try {
            assertThat(run(AsyncSamples.Passing.class, "bodyIsATask").failureOf("bodyIsATask"))
                    .hasMessageContaining("diverged from the trace: the run has ended, without a failure, after 0 of");
        } finally {
            System.clearProperty(Replays.PROPERTY);
        }
    }

    @Test
    void anArgumentThatNobodyHas_leavesNoRuntimeOpen() {
        assertThat(run(AsyncSamples.Failing.class, "becauseNobodyHasAnArgument", TestRuntime.class, String.class)
                        .failureOf("becauseNobodyHasAnArgument"))
                .isInstanceOf(ParameterResolutionException.class);
        assertThat(Leaks.ofCaller()).isNull();
    }

    @Test
    void firstFailureOfATask_isTold() {
        assertThat(run(AsyncSamples.Failing.class, "becauseATaskFailed", TestScope.class)
                        .failureOf("becauseATaskFailed"))
                .isExactlyInstanceOf(IOException.class)
                .hasMessage("first");
        Throwable why = run(AsyncSamples.Failing.class, "becauseATaskFailedAndTheBodyWaitsForIt", TestScope.class)
                .failureOf("becauseATaskFailedAndTheBodyWaitsForIt");
        assertThat(why).isExactlyInstanceOf(IOException.class).hasMessage("why");
        assertThat(suppressedIn(why)).anyMatch(text -> text.contains("deadlock"));
        assertThat(run(AsyncSamples.Failing.class, "becauseABackgroundTaskFailed", BackgroundScope.class)
                        .failureOf("becauseABackgroundTaskFailed"))
                .hasMessage("in the background");
        assertThat(run(AsyncSamples.Failing.class, "becauseABackgroundTaskTakesTooLongToEnd", BackgroundScope.class)
                        .failureOf("becauseABackgroundTaskTakesTooLongToEnd"))
                .isExactlyInstanceOf(ScheduleError.class)
                .hasMessageContaining("task \"slow\" in the background has not ended within 5 s of its abort");
    }

    @Test
    void timeoutOfJUnit_endsIt_andTellsWhoWaits() {
        Outcome outcome = run(AsyncSamples.Failing.class, "atJUnitsTimeout", TestScope.class);
        Throwable thrown = outcome.failureOf("atJUnitsTimeout");
        assertThat(thrown).isInstanceOf(TimeoutException.class);
        assertThat(suppressedIn(thrown)).anyMatch(text -> text.contains("interrupted") && text.contains("\"waiter\""));
        assertThat(outcome.printed()).contains("JUnit is about to interrupt", "\"waiter\"", "waits for");
    }

    @Test
    void timeoutOfJUnit_tellsWhere_ifATaskHoldsTheCarrier() {
        Outcome outcome;
        AsyncSamples.Stuck.over = false;
        try {
            outcome = run(AsyncSamples.Stuck.class);
        } finally {
            AsyncSamples.Stuck.over = true; // else it takes a processor from all tests after this
        }
        assertThat(outcome.failureOf("atJUnitsTimeoutInACircle")).isInstanceOf(TimeoutException.class);
        assertThat(outcome.printed())
                .contains("a task holds the carrier", "AsyncSamples$Stuck.atJUnitsTimeoutInACircle");
    }

    @Test
    void timeoutOfAnotherTest_tellsVirtualThreads() {
        Outcome outcome = run(AsyncSamples.Plain.class);
        assertThat(outcome.failureOf("waitsForAThread")).isInstanceOf(TimeoutException.class);
        assertThat(outcome.printed()).contains("\"the stuck one\"", "AsyncSamples$Plain");
        assertThat(outcome.printed()).containsPattern("(?s)\"a stuck task\".*semaphore.*virtual threads:");
    }

    /* ---------------- What is asked for -------------- */

    @Test
    void wrongValues_areNamed() {
        Outcome outcome = run(AsyncSamples.Wrong.class);
        assertThat(outcome.failureOf("noSchedules"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("schedules=0 must be at least 1");
        assertThat(outcome.failureOf("noUnit"))
                .hasMessage("timeout=\"10\" must be a whole number above 0 and ms, s, m or h, as \"500ms\" or \"3s\"");
        assertThat(outcome.failureOf("noTime")).hasMessageStartingWith("budget=\"0s\" must be");
        assertThat(outcome.failureOf("negativePreemptions")).hasMessage("preemptions=-1 must be at least 0");
        assertThat(outcome.failureOf("noTrace"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("what");
        assertThat(outcome.failureOf("unknownParameter"))
                .isInstanceOf(ParameterResolutionException.class)
                .hasMessageContaining("StringBuilder");
        assertThat(outcome.failureOf("alsoATemplate")).hasMessageContaining("is a test by itself");
        assertThat(run(AsyncSamples.WrongPlace.class).failureOf("body"))
                .isInstanceOf(ParameterResolutionException.class)
                .hasMessageContaining("TestClock is a parameter of @AsyncTest methods only");
    }

    @Test
    void stateOfBeforeEach_isNotThere_andTheFailureSaysWhy() {
        Throwable thrown = run(AsyncSamples.LostState.class).failureOf("usesWhatIsNotThere");
        assertThat(thrown).isInstanceOf(NullPointerException.class);
        assertThat(suppressedIn(thrown)).anyMatch(text -> text.contains("@BeforeEach setUp ran on another"));
    }

    @Test
    void seeds_comeFromTheSource_orAreTheTestsOwn() {
        Map<String, List<Long>> first = AsyncSamples.Seeded.FIRST;
        first.clear();

        run(AsyncSamples.Seeded.class).allSucceeded(5);

        assertThat(first.get("one")).hasSize(1);
        assertThat(first.get("regressions")).hasSizeGreaterThan(5); // two, one in order, three
        assertThat(first.get("regressions").subList(0, 3))
                .contains(first.get("one").get(0));
        assertThat(first.get("own")).isNotEqualTo(first.get("own too"));
        assertThat(first.get("replayed")).hasSize(1);
        List<Long> own = first.get("own");
        first.clear();
        run(AsyncSamples.Seeded.class).allSucceeded(5);
        assertThat(first.get("own")).isEqualTo(own);
        first.clear();
        System.setProperty("kumihimo.test.seed", "random");
        try {
            run(AsyncSamples.Seeded.class).allSucceeded(5);
        } finally {
            System.clearProperty("kumihimo.test.seed");
        }
        assertThat(first.get("own")).isNotEqualTo(own);
        assertThat(first.get("one")).hasSize(1);
    }
}
