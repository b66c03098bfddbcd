package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an exploration runs, and when it stops. */
@Timeout(30)
class ExplorationTest {
    private final String scale = System.getProperty(Scale.SCHEDULES, "1");

    @BeforeEach
    void countAsTold() {
        System.setProperty(Scale.SCHEDULES, "1");
    }

    @AfterEach
    void restore() {
        System.setProperty(Scale.SCHEDULES, scale);
        System.clearProperty(Scale.BUDGET);
    }

    private static void twoTasks() throws Exception {
        Races.Account account = new Races.Account();
        JoinHandle<?> other = Task.spawn(account::read);
        account.read();
        other.join();
    }

    @Test
    void everyKind_findsALostUpdate() {
        for (Explore explore :
                List.of(Explore.seeds(100), Explore.pct(100, 2), Explore.preemptions(1), Explore.portfolio(100))) {
            assertThatThrownBy(() -> explore.shrink(Duration.ZERO).run(Races::lostUpdate))
                    .isInstanceOf(ScheduleError.class)
                    .hasCauseInstanceOf(AssertionError.class);
        }
        assertThatThrownBy(() -> Explore.pct(500, 3).shrink(Duration.ZERO).run(Races::lostWakeup))
                .hasMessageContaining("deadlock");
        assertThatThrownBy(() -> Explore.portfolio(500).shrink(Duration.ZERO).run(Races::lostWakeup))
                .hasMessageContaining("deadlock");
    }

    @Test
    void portfolio_runsTheExtremesFirst_thenTheOthers() {
        Explore.Result result = Explore.portfolio(400).run(ExplorationTest::twoTasks);
        assertThat(result.schedules()).isEqualTo(400);
        assertThat(result.exhausted()).isFalse();
        assertThat(result.exhaustedBound()).isEqualTo(1);
        assertThat(result.strategies().keySet())
                .containsExactly("fifo", "lifo", "pct(2)", "pct(3)", "pct(5)", "preemptions", "random", "round robin");
        assertThat(result.strategies())
                .containsEntry("fifo", 1)
                .containsEntry("lifo", 1)
                .containsEntry("round robin", 1);
        int search = result.strategies().get("preemptions");
        int mixed = 400 - 3 - search;
        assertThat(search).isBetween(5, 100);
        assertThat(result.strategies().get("random")).isBetween(mixed * 3 / 10 - 3, mixed * 3 / 10 + 3);
        assertThat(result.strategies().values().stream().mapToInt(i -> i).sum()).isEqualTo(400);
        assertThat(result).asString().startsWith("400 schedules, ").contains("EXHAUSTED at bound 1 {fifo=1, ");
    }

    /** Or a budget would end before there was any but the search, which goes on and on. */
    @Test
    void portfolio_takesTurnsBetweenTheSearchAndTheMix() {
        List<String> orders = new ArrayList<>();
        Explore.portfolio(400).checkDeterminism(false).runTrials(test -> {
            test.run(ExplorationTest::twoTasks);
            orders.add(test.order());
        });
        assertThat(orders.subList(3, 11).stream().map(order -> order.contains("preemptions") ? "search" : "mix"))
                .containsExactly("search", "mix", "mix", "mix", "search", "mix", "mix", "mix");
    }

    /** A seed that has failed once is not of the order that FIFO is. */
    @Test
    void fifo_isOneSchedule_besideRegressions() {
        assertThat(Explore.fifo().regressions(77).run(ExplorationTest::twoTasks).strategies())
                .containsExactly(Map.entry("fifo", 1), Map.entry("random", 1));
    }

    @Test
    void numberOfAFailedSchedule_isOneOfThoseThereAre() {
        for (Explore explore : List.of(Explore.seeds(1), Explore.pct(1, 1))) {
            AtomicInteger runs = new AtomicInteger();
            assertThatThrownBy(() -> explore.checkDeterminism(false).run(() -> {
                        if (runs.incrementAndGet() == 2) {
                            throw new IllegalStateException();
                        }
                    }))
                    .hasMessageStartingWith("schedule 2 of 2 (");
        }
    }

    @ParameterizedTest
    @CsvSource({"1", "2", "3", "4", "7"})
    void portfolio_ofFew_runsThatMany(int count) {
        assertThat(Explore.portfolio(count).run(ExplorationTest::twoTasks).schedules())
                .isEqualTo(count);
    }

    @Test
    void preemptions_sayWhichBoundTheyHaveExhausted() {
        Explore.Result all = Explore.preemptions(2).run(ExplorationTest::twoTasks);
        assertThat(all.exhausted()).isTrue();
        assertThat(all.exhaustedBound()).isEqualTo(2);
        Explore.Result cut = Explore.preemptions(2).atMost(all.schedules() - 1).run(ExplorationTest::twoTasks);
        assertThat(cut.schedules()).isEqualTo(all.schedules() - 1);
        assertThat(cut.exhausted()).isFalse();
        assertThat(cut.exhaustedBound()).isEqualTo(1);
    }

    @Test
    void regressions_runBeforeTheOthers() {
        List<String> orders = Collections.synchronizedList(new ArrayList<>());
        Explore.seeds(2).regressions(77, 78).checkDeterminism(false).runTrials(test -> {
            test.run(ExplorationTest::twoTasks);
            orders.add(test.order());
        });
        assertThat(orders).hasSize(5);
        assertThat(orders.get(0)).contains("fifo");
        assertThat(orders.get(1)).startsWith("seed 0x4d:");
        assertThat(orders.get(2)).startsWith("seed 0x4e:");
        assertThat(orders.get(3)).startsWith("seed 0x0:");
    }

    @Test
    void budget_endsIt_afterAScheduleAtLeast() {
        assertThat(Explore.seeds(Integer.MAX_VALUE)
                        .budget(Duration.ofMillis(50))
                        .run(() -> {})
                        .schedules())
                .isLessThan(Integer.MAX_VALUE);
        assertThat(Explore.seeds(1_000)
                        .budget(Duration.ofNanos(1))
                        .run(() -> {})
                        .schedules())
                .isEqualTo(1);
        assertThatThrownBy(() -> Explore.seeds(1).budget(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("realTime=PT0S must be more than zero");
    }

    @Test
    void budget_doesNotCutOffKnownSeeds() {
        List<String> orders = new ArrayList<>();
        for (Explore explore : List.of(
                Explore.seeds(1_000), Explore.portfolio(1_000), Explore.pct(1_000, 3), Explore.preemptions(1))) {
            orders.clear();
            explore.regressions(0x4d, 0x4e)
                    .checkDeterminism(false)
                    .budget(Duration.ofNanos(1))
                    .runTrials(test -> {
                        orders.add(test.order());
                        test.run(() -> {});
                    });
            assertThat(orders).hasSize(3);
            assertThat(orders.get(1)).contains("0x4d");
            assertThat(orders.get(2)).contains("0x4e");
        }
    }

    @Test
    void properties_multiplyCountsAndBudgets() {
        System.setProperty(Scale.SCHEDULES, "3x");
        assertThat(Explore.seeds(10).run(() -> {}).schedules()).isEqualTo(31);
        System.setProperty(Scale.SCHEDULES, "0.5");
        assertThat(Explore.portfolio(10).run(() -> {}).schedules()).isEqualTo(5);
        System.setProperty(Scale.BUDGET, "1000000x"); // of a nanosecond
        assertThat(Explore.seeds(4).budget(Duration.ofHours(1)).run(() -> {}).schedules())
                .isEqualTo(3);
        assertThat(Scale.times(1_000, Scale.BUDGET)).isEqualTo(1_000_000_000);
        assertThat(Scale.times(Long.MAX_VALUE / 2, Scale.BUDGET)).isPositive();
        for (String bad : List.of("x", "0", "-1x", "NaN", "1e9")) {
            assertThatThrownBy(() -> Scale.factor(Scale.BUDGET, bad))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(Scale.BUDGET + "=" + bad);
        }
    }

    @Test
    void aRunWithTooManySteps_isALivelock_andNamesTheTasks() {
        assertThatThrownBy(() -> Explore.seeds(1)
                        .shrink(Duration.ZERO)
                        .configure(builder -> builder.maxSteps(500))
                        .run(() -> {
                            JoinHandle<?> other = Task.spawn(() -> {
                                Races.Account account = new Races.Account();
                                while (true) { // never parks, never yields, and is at points for ever
                                    account.read();
                                    Task.checkCancelled();
                                }
                            });
                            other.join();
                        }))
                .isInstanceOf(ScheduleError.class)
                .hasMessageContaining("livelock: not done after 500 runs and points")
                .hasMessageContaining("\"main\"");
    }

    /* ---------------- Determinism -------------- */

    private static int counter;
    private static boolean once;

    @Test
    void aBodyThatCounts_isFoundNotDeterministic() {
        assertThatThrownBy(() -> Explore.seeds(100).run(() -> {
                    if (++counter % 2 == 0) {
                        Task.spawn(() -> {}).join();
                    }
                    Task.spawn(() -> {}).join();
                }))
                .isInstanceOf(ScheduleError.class)
                .hasMessageContaining("not deterministic")
                .hasMessageContaining("static state")
                .hasMessageContaining("identityHashCode")
                .hasMessageContaining("checkDeterminism(false)");
        assertThat(Explore.seeds(100)
                        .checkDeterminism(false)
                        .run(() -> {
                            if (++counter % 2 == 0) {
                                Task.spawn(() -> {}).join();
                            }
                        })
                        .schedules())
                .isEqualTo(101);
    }

    @Test
    void whatIsDoneOnce_isForgiven() {
        AtomicInteger runs = new AtomicInteger();
        Explore.seeds(20).run(() -> {
            runs.incrementAndGet();
            if (!once) {
                once = true;
                Task.spawn(() -> {}).join();
            }
        });
        assertThat(runs).hasValue(21 + 10 + 1); // ten of them twice, and the first a third time
    }

    /* ---------------- The caller -------------- */

    @Test
    void interrupt_endsIt() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        AtomicReference<Throwable> ended = new AtomicReference<>();
        AtomicReference<Boolean> interrupted = new AtomicReference<>();
        Thread caller = new Thread(() -> {
            try {
                Explore.seeds(Integer.MAX_VALUE).run(() -> begun.countDown());
            } catch (Throwable e) {
                ended.set(e);
                interrupted.set(Thread.currentThread().isInterrupted());
            }
        });
        caller.start();
        begun.await();
        caller.interrupt();
        caller.join();
        assertThat(ended.get()).isInstanceOf(ScheduleError.class).hasMessageContaining("interrupted");
        assertThat(interrupted.get()).isTrue();
    }

    @Test
    void aTaskThatHoldsTheCarrier_isTold_withWhereItIs() {
        CountDownLatch never = new CountDownLatch(1);
        try {
            assertThatThrownBy(() -> Explore.seeds(1)
                            .limit(Duration.ofMillis(50))
                            .run(() -> {
                                synchronized (never) { // and so it cannot leave on any JDK: it spins
                                    while (never.getCount() > 0) {
                                        Thread.onSpinWait();
                                    }
                                }
                            }))
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("stuck: a task holds the carrier")
                    .hasMessageContaining("ExplorationTest");
        } finally {
            never.countDown();
        }
    }

    @Test
    void explorations_areNotRunFromTasks() {
        assertThatThrownBy(() -> Explore.seeds(1).run(() -> Explore.seeds(1).run(() -> {})))
                .isInstanceOf(ScheduleError.class)
                .hasCauseInstanceOf(IllegalStateException.class);
    }
}
