package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each strategy does what it is defined to do. */
@Timeout(30)
class StrategiesTest {
    @Test
    void fifo_runsEachToItsEnd_theOneReadyLongestFirst() {
        assertThat(Steps.run(Strategy.fifo(), 3, 3).order()).isEqualTo("aaabbbccc");
    }

    @Test
    void lifo_runsEachToItsEnd_theOneReadyLastFirst() {
        assertThat(Steps.run(Strategy.lifo(), 3, 3).order()).isEqualTo("cccbbbaaa");
    }

    @Test
    void lifo_afterAYield_takesTheNewestOfTheOthers() {
        Strategy lifo = Strategy.lifo();
        assertThat(lifo.choose(new Steps.Asked(List.of(4, 7, 5), false, 5, 2))).isEqualTo(1);
        assertThat(lifo.choose(new Steps.Asked(List.of(4, 7, 5), false, 9, -1))).isEqualTo(2);
    }

    @Test
    void roundRobin_givesEachATurn_inTheOrderOfTheirNumbers() {
        assertThat(Steps.run(Strategy.roundRobin(), 3, 3).order()).isEqualTo("abcabcabc");
        assertThat(Strategy.roundRobin().choose(new Steps.Asked(List.of(9, 2, 5), false, 5, -1)))
                .isEqualTo(0); // 9 is the next above 5
        assertThat(Strategy.roundRobin().choose(new Steps.Asked(List.of(9, 2, 5), true, 9, -1)))
                .isEqualTo(1); // none above 9: the lowest
    }

    @Test
    void random_reachesAllOrders_aboutEquallyOften() {
        Map<String, Integer> seen = new HashMap<>();
        for (int seed = 0; seed < 3_000; seed++) {
            seen.merge(Steps.run(Strategy.random(seed), 3, 1).order(), 1, Integer::sum);
        }
        assertThat(seen).hasSize(6);
        assertThat(seen.values()).allMatch(count -> count > 400 && count < 600);
    }

    @Test
    void pct_ofDepth1_neverSwitchesOneThatCanGoOn() {
        Set<String> orders = new HashSet<>();
        for (int seed = 0; seed < 200; seed++) {
            Steps.Run run = Steps.run(Strategy.pct(seed, 1, 12), 3, 4);
            assertThat(run.switches()).isZero();
            orders.add(run.order());
        }
        assertThat(orders).hasSize(6);
    }

    @ParameterizedTest
    @CsvSource({"2", "3", "5"})
    void pct_switchesAtNoMorePlacesThanItsDepthSays(int depth) {
        int most = 0;
        for (int seed = 0; seed < 1_000; seed++) {
            int switches = Steps.run(Strategy.pct(seed, depth, 30), 3, 10).switches();
            assertThat(switches).isLessThan(depth);
            most = Math.max(most, switches);
        }
        assertThat(most).isEqualTo(depth - 1);
    }

    /** The published bound: the one switch that matters, at the fourth of ten steps of one of two tasks. */
    @Test
    void pct_ofDepth2_findsOneWayInAsManyRunsAsItsBoundSays() {
        int found = 0;
        int runs = 20_000;
        for (int seed = 0; seed < runs; seed++) {
            if (Steps.run(Strategy.pct(seed, 2, 20), 2, 10).order().equals("aaaabbbbbbbbbbaaaaaa")) {
                found++;
            }
        }
        assertThat(found).isGreaterThan(runs / (2 * 20) * 9 / 10).isLessThan(runs / (2 * 20) * 3 / 2);
    }

    @Test
    void pct_isDeterminedByItsSeed() {
        assertThat(Steps.run(Strategy.pct(7, 3, 30), 4, 8)).isEqualTo(Steps.run(Strategy.pct(7, 3, 30), 4, 8));
        assertThat(Strategy.pct(7, 3, 30)).hasToString("Strategy.pct(0x7L, 3, 30)");
    }

    @Test
    void pct_refusesWhatItCannotDo() {
        assertThatThrownBy(() -> Strategy.pct(0, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("depth=0 must be at least 1");
        assertThatThrownBy(() -> Strategy.pct(0, 1, 0)).hasMessage("steps=0 must be at least 1");
    }

    /** A loop that yields until another has run, whoever is favoured. */
    @Test
    void loopsThatYield_end_underEachStrategy() throws Exception {
        List<Strategy> all = new ArrayList<>(List.of(Strategy.fifo(), Strategy.lifo(), Strategy.roundRobin()));
        for (int seed = 0; seed < 20; seed++) {
            all.add(Strategy.random(seed));
            all.add(Strategy.pct(seed, 3));
        }
        for (Strategy strategy : all) {
            try (TestRuntime test = TestRuntime.with(strategy)) {
                test.run(() -> {
                    AtomicBoolean flag = new AtomicBoolean();
                    List<JoinHandle<?>> waiting = new ArrayList<>();
                    for (int i = 0; i < 3; i++) {
                        waiting.add(Task.spawn(() -> {
                            while (!flag.get()) {
                                Task.yieldNow();
                            }
                        }));
                    }
                    waiting.add(Task.spawn(() -> flag.set(true)));
                    for (JoinHandle<?> each : waiting) {
                        each.join();
                    }
                });
            }
        }
    }

    /** Loops that wait for what another does, and for each other, are unrolled a few times and not without an end. */
    @Test
    void preemptions_ofLoopsThatYield_comeToAnEnd() {
        for (int loops = 1; loops <= 2; loops++) {
            int tasks = loops;
            Explore.Result result = Explore.preemptions(1).run(() -> {
                AtomicBoolean flag = new AtomicBoolean();
                List<JoinHandle<?>> waiting = new ArrayList<>();
                for (int i = 0; i < tasks; i++) {
                    waiting.add(Task.spawn(() -> {
                        while (!flag.get()) {
                            Task.yieldNow();
                        }
                    }));
                }
                waiting.add(Task.spawn(() -> flag.set(true)));
                for (JoinHandle<?> each : waiting) {
                    each.join();
                }
            });
            assertThat(result.exhausted()).isTrue();
            assertThat(result.schedules()).isGreaterThan(1).isLessThan(10_000);
        }
    }

    @Test
    void preemptions_takeOneThatYieldsAgainAndAgain_afterTheOthers_orForASwitch() {
        Strategy.Choice loopsFirst = new Strategy.Choice() {
            @Override
            public int size() {
                return 3;
            }

            @Override
            public int task(int index) {
                return index;
            }

            @Override
            public boolean canGoOn() {
                return false;
            }

            @Override
            public int yields(int index) {
                return index == 0 ? 2 : index == 1 ? 1 : 0;
            }
        };
        Preemptions search = new Preemptions(1, 100);
        List<Integer> chosen = new ArrayList<>();
        List<Integer> levels = new ArrayList<>();
        for (Preemptions.Path path; (path = search.next()) != null; search.extend(path)) {
            chosen.add(path.choose(loopsFirst));
            levels.add(search.level());
        }
        assertThat(chosen).containsExactly(1, 2, 0);
        assertThat(levels).containsExactly(0, 0, 1);
    }

    /** Two that yield until a third has run do not keep each other running. */
    @Test
    void lifo_runsThoseThatHaveNotYielded_first() throws Exception {
        try (TestRuntime test = TestRuntime.with(Strategy.lifo())) {
            test.run(() -> {
                JoinHandle<?> parks = Task.spawn(() -> Task.sleep(Duration.ofDays(1)));
                JoinHandle<?> other = Task.spawn(() -> TestTasks.assertParked(parks));
                TestTasks.assertParked(parks);
                other.join();
                parks.abort();
            });
        }
    }

    @ParameterizedTest
    @CsvSource({
        "2, 12, 2 24 266 1476",
        "3, 8, 6 132 2022 21132",
        "3, 12, 6 204 4890",
        "4, 8, 24 1032 27744",
    })
    void preemptions_makeExactlyTheSchedulesThereAre(int tasks, int steps, String counts) {
        String[] expected = counts.split(" ");
        for (int bound = 0; bound < expected.length; bound++) {
            Preemptions search = new Preemptions(bound, 1_000_000);
            Set<String> orders = new HashSet<>();
            int runs = 0;
            int before = 0;
            for (Preemptions.Path path; (path = search.next()) != null; runs++) {
                Steps.Run run = Steps.run(path, tasks, steps);
                orders.add(run.order());
                assertThat(run.switches()).isEqualTo(search.level()).isGreaterThanOrEqualTo(before);
                before = run.switches();
                search.extend(path);
            }
            assertThat(runs).as("bound %d", bound).isEqualTo(Integer.parseInt(expected[bound]));
            assertThat(orders).hasSize(runs);
            assertThat(search.exhausted()).isEqualTo(bound);
        }
    }

    @Test
    void preemptions_sayWhichBoundTheyHaveExhausted_whereTheyAreCut() {
        for (int most : new int[] {1, 2, 3, 23, 24, 25, 100, 265, 266, 300}) {
            Preemptions search = new Preemptions(2, most);
            for (int i = 0; i < most; i++) {
                Preemptions.Path path = search.next();
                if (path == null) {
                    break;
                }
                Steps.run(path, 2, 12);
                search.extend(path);
            }
            int expected = most < 2 ? -1 : most < 24 ? 0 : most < 266 ? 1 : 2;
            assertThat(search.exhausted()).as("%d of 266", most).isEqualTo(expected);
        }
    }

    @Test
    void preemptions_claimNoBoundThatTheyHaveNotExhausted_wherePlacesAreDropped() {
        int[] within = {6, 6 + 54, 0}; // of three tasks of four steps
        for (int most = 1; most < 80; most++) {
            Preemptions search = new Preemptions(2, most);
            int[] made = new int[3];
            int runs = 0;
            for (Preemptions.Path path; runs < most && (path = search.next()) != null; runs++) {
                made[Steps.run(path, 3, 4).switches()]++;
                search.extend(path);
            }
            assertThat(runs).isEqualTo(most);
            assertThat(search.exhausted())
                    .as("%d schedules, made %s", most, List.of(made[0], made[1], made[2]))
                    .isEqualTo(made[0] < within[0] ? -1 : made[0] + made[1] < within[1] ? 0 : 1);
        }
    }

    /** A strategy that would run the one that yields for ever is overruled before all count as idle. */
    @Test
    void aTaskThatTheStrategyNeverChooses_hasATurnInTheEnd() throws Exception {
        try (TestRuntime test = TestRuntime.with(choice -> choice.canGoOn() ? 0 : choice.size() - 1)) {
            test.run(() -> {
                AtomicBoolean flag = new AtomicBoolean();
                Task.spawn(() -> flag.set(true));
                while (!flag.get()) {
                    Task.yieldNow();
                }
            });
        }
    }

    @Test
    void preemptions_leaveNoMoreThanThereAre_countAsExhausted() {
        Preemptions search = new Preemptions(1_000, 1_000);
        int runs = 0;
        for (Preemptions.Path path; (path = search.next()) != null; runs++) {
            Steps.run(path, 2, 3);
            search.extend(path);
        }
        assertThat(runs).isEqualTo(20); // 6 over 3
        assertThat(search.exhausted()).isEqualTo(1_000);
    }

    @Test
    void preemptions_notice_thatARunHasLeftItsPath() {
        Preemptions search = new Preemptions(1, 100);
        Preemptions.Path path = search.next();
        Steps.run(path, 3, 2);
        search.extend(path);
        assertThatThrownBy(() -> {
                    for (Preemptions.Path next; (next = search.next()) != null; ) {
                        Steps.run(next, 4, 2);
                    }
                })
                .isInstanceOf(Divergence.class)
                .hasMessageContaining("there were 3 to choose from, and are now 4");
    }
}
