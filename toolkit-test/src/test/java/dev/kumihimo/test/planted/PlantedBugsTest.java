package dev.kumihimo.test.planted;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.test.Explore;
import dev.kumihimo.test.OnCarrier;
import dev.kumihimo.test.ScheduleError;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** The kit finds every planted bug, finds it again by its seed, and accuses no sound twin. */
class PlantedBugsTest {
    private static final long SECONDS = 120; // a guard against hanging
    private static final int MOST = 50_000; // for figures

    static final List<PlantedBug> ALL = PlantedBugs.ALL;

    /** How bugs are looked for: the one place to change the strategy. */
    static Explore explore(int schedules) {
        return Explore.seeds(schedules);
    }

    @Test
    void thereAreEnough() {
        assertThat(ALL).hasSizeGreaterThanOrEqualTo(24);
        assertThat(ALL.stream().map(PlantedBug::name)).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @FieldSource("ALL")
    void bug_isFound_withinItsSchedules(PlantedBug bug) throws Exception {
        Throwable found = OnCarrier.call(
                () -> catchThrowable(() -> explore(bug.schedules()).run(bug.body(true))), SECONDS);
        assertThat(found).as(bug.name()).isInstanceOf(ScheduleError.class);
    }

    @ParameterizedTest
    @FieldSource("ALL")
    void twin_isNotAccused_inAsManySchedules(PlantedBug bug) throws Exception {
        assertThat(OnCarrier.call(() -> explore(bug.schedules()).run(bug.body(false)), SECONDS)
                        .schedules())
                .isGreaterThanOrEqualTo(bug.schedules());
    }

    /** A regression: that seed, and one run. */
    @ParameterizedTest
    @FieldSource("ALL")
    void bug_isFoundAgain_byItsSeed(PlantedBug bug) throws Exception {
        Throwable found = OnCarrier.call(
                () -> {
                    bug.warmUp();
                    return catchThrowable(() -> bug.runWith(bug.seed(), true));
                },
                SECONDS);
        Throwable why = found instanceof ExecutionException ? found.getCause() : found; // it may come of a joined task
        assertThat(why).as(bug.name()).isInstanceOf(AssertionError.class);
        assertThat(OnCarrier.call(() -> catchThrowable(() -> bug.runWith(bug.seed(), false)), SECONDS))
                .isNull();
    }

    /** What the bounded search promises: with so many preemptions it is found, with fewer it is not there. */
    @ParameterizedTest
    @FieldSource("ALL")
    void bug_isFound_withItsBoundOfPreemptions_andNotWithFewer(PlantedBug bug) throws Exception {
        Throwable found = OnCarrier.call(
                () -> {
                    bug.warmUp();
                    for (int bound = 0; bound < bug.bound(); bound++) {
                        assertThat(Explore.preemptions(bound)
                                        .run(bug.body(true))
                                        .exhausted())
                                .isTrue();
                    }
                    return catchThrowable(() -> Explore.preemptions(bug.bound()).run(bug.body(true)));
                },
                SECONDS);
        assertThat(found).as(bug.name()).isInstanceOf(ScheduleError.class);
    }

    /* ---------------- Figures, and the table of seeds ---------------- */

    /** How many schedules are run until it is found, and nothing else: all of no preemption, then all of one, and so on. */
    private static int runsOfBoundedSearch(PlantedBug bug) {
        int[] runs = {0};
        VoidBody<Exception> counted = () -> {
            runs[0]++;
            bug.scenario().run(true);
        };
        for (int bound = 0; bound < 3; bound++) {
            Explore explore = Explore.preemptions(bound)
                    .atMost(MOST)
                    .checkDeterminism(false)
                    .shrink(Duration.ZERO);
            if (catchThrowable(() -> explore.run(counted)) != null) {
                return runs[0];
            }
        }
        return -1;
    }

    private static int runsUntilSeedFinds(PlantedBug bug, long from) {
        for (int i = 0; i < MOST; i++) {
            long seed = from + i;
            if (catchThrowable(() -> bug.runWith(seed, true)) != null) {
                return i + 1;
            }
        }
        return -1;
    }

    private static int bound(PlantedBug bug) {
        for (int bound = 0; bound < 3; bound++) {
            Explore explore = Explore.preemptions(bound).atMost(MOST);
            if (catchThrowable(() -> explore.run(bug.body(true))) != null) {
                return bound;
            }
        }
        return -1;
    }

    private static int percentile(List<Integer> counts, double share) {
        List<Integer> sorted = counts.stream().sorted().toList();
        return sorted.get(Math.max(0, (int) Math.ceil(sorted.size() * share) - 1));
    }

    private static String summary(String name, List<Integer> counts) {
        List<Integer> found = counts.stream().filter(n -> n > 0).toList();
        return name + ": found " + found.size() + " of " + counts.size() + ", median " + percentile(found, 0.5)
                + ", p95 " + percentile(found, 0.95) + ", most " + percentile(found, 1);
    }

    /** Prints how many schedules it takes, and what stands in {@link PlantedBugs}: in a JVM with the flag, and with points. */
    public static void main(String[] args) throws Exception {
        Callable<String> figures = () -> {
            StringBuilder table = new StringBuilder(
                    "| bug | first seed | random, median and p95 of 20 starts | bounded search | bound |\n");
            List<Integer> random = new ArrayList<>();
            List<Integer> bounded = new ArrayList<>();
            for (PlantedBug bug : ALL) {
                bug.warmUp();
                List<Integer> starts = new ArrayList<>();
                for (int i = 0; i < 20; i++) {
                    starts.add(runsUntilSeedFinds(bug, 1_000_003L * i));
                }
                random.addAll(starts);
                bounded.add(runsOfBoundedSearch(bug));
                table.append("| ").append(bug.name());
                table.append(" | ").append(starts.get(0) - 1);
                table.append(" | ").append(percentile(starts, 0.5)).append(", ").append(percentile(starts, 0.95));
                table.append(" | ").append(bounded.get(bounded.size() - 1));
                table.append(" | ").append(bound(bug)).append(" |\n");
            }
            return table + summary("random", random) + "\n" + summary("bounded", bounded);
        };
        System.out.println(OnCarrier.call(figures, 1_800));
    }
}
