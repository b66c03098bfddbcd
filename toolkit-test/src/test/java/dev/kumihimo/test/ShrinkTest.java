package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.VoidBody;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A failure is told with as few switches as it takes, in a form that can be read and run again. */
@Timeout(60)
class ShrinkTest {
    private static final Pattern SWITCHES =
            Pattern.compile("(\\d+) switch(?:es)? at points, (\\d+) after shrinking \\(it takes no fewer\\)");
    private static final Pattern REPLAY = Pattern.compile("Explore\\.replay\\(\"([^\"]+)\"\\)");
    private static final Duration LONG = Duration.ofSeconds(20); // for the machine's sake: it ends when it is done

    private static String failure(Explore explore, VoidBody<?> body) {
        ScheduleError error = catchThrowableOfType(
                ScheduleError.class, () -> explore.shrink(LONG).run(body));
        assertThat(error).isNotNull();
        return error.getMessage();
    }

    private static String group(Pattern pattern, int group, String text) {
        Matcher matcher = pattern.matcher(text);
        assertThat(matcher.find()).as(text).isTrue();
        return matcher.group(group);
    }

    private static int switchesOf(String message) {
        List<Record.Choice> choices = Traces.decode(group(REPLAY, 1, message)).choices();
        return (int) choices.stream().filter(Record.Choice::isPreemption).count();
    }

    @Test
    void aLostUpdate_isShrunkToOneSwitch() {
        String message = failure(Explore.seeds(200), Races::lostUpdate);
        assertThat(group(SWITCHES, 2, message)).isEqualTo("1");
        assertThat(switchesOf(message)).isEqualTo(1);
    }

    @Test
    void aLostUpdateAmongMany_isShrunkToOneSwitch() {
        String message = failure(Explore.seeds(200).from(40), () -> Races.lostUpdates(3, 5));
        assertThat(Integer.parseInt(group(SWITCHES, 1, message))).isGreaterThan(10);
        assertThat(group(SWITCHES, 2, message)).isEqualTo("1");
        assertThat(switchesOf(message)).isEqualTo(1);
    }

    @Test
    void aLostWakeup_isShrunkToTwoSwitches_andStaysADeadlock() {
        String message = failure(Explore.seeds(500), Races::lostWakeup);
        assertThat(group(SWITCHES, 2, message)).isEqualTo("2");
        assertThat(switchesOf(message)).isEqualTo(2);
        assertThatThrownBy(() -> Explore.replay(group(REPLAY, 1, message)).run(Races::lostWakeup))
                .isInstanceOf(ScheduleError.class)
                .hasMessageContaining("deadlock");
    }

    @Test
    void anOrderThatIsAssumed_isShrunkToNoSwitch() {
        String message = failure(Explore.seeds(200).from(3), Races::orderAssumed);
        assertThat(group(SWITCHES, 2, message)).isEqualTo("0");
        assertThat(switchesOf(message)).isZero();
    }

    /** What is left out is left out of a run that is otherwise the same. */
    @Test
    void guided_withAllSwitches_isTheSameRun_andWithNone_hasNone() throws Exception {
        for (int seed = 0; seed < 50; seed++) {
            Interleaving watch = new Interleaving(false);
            try (TestRuntime first = TestRuntime.seeded(seed)) {
                first.watch(watch);
                first.run(ShrinkTest::busy);
                List<Integer> all = Guided.switches(watch.stretches());
                assertThat(all).hasSize(first.record().preemptions());
                List<Integer> drawn = first.record().drawn();
                Strategy same = new Guided(watch.stretches(), Set.copyOf(all), drawn, false);
                try (TestRuntime second =
                        new TestRuntimeBuilder().data(seed).strategy(same).build()) {
                    second.run(ShrinkTest::busy);
                    assertThat(second.trace()).isEqualTo(first.trace());
                }
                try (TestRuntime none = TestRuntime.with(new Guided(watch.stretches(), Set.of(), drawn, false))) {
                    none.run(ShrinkTest::busy);
                    assertThat(none.record().preemptions()).isZero();
                }
            }
        }
    }

    private static void busy() throws Exception {
        Races.Account account = new Races.Account();
        List<JoinHandle<?>> others = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            others.add(Task.spawn(() -> {
                account.write(account.read() + 1);
                Task.yieldNow();
                account.read();
            }));
        }
        for (JoinHandle<?> other : others) {
            other.join();
        }
    }

    @Test
    void theShrunkenTrace_failsWithTheSame() {
        String message = failure(Explore.seeds(200), Races::lostUpdate);
        assertThatThrownBy(() -> Explore.replay(group(REPLAY, 1, message)).run(Races::lostUpdate))
                .isInstanceOf(ScheduleError.class)
                .hasCauseInstanceOf(AssertionError.class);
    }

    /** Fails in one way with a switch or more, and in another already without. */
    private static void twoWays() throws Exception {
        Races.Account account = new Races.Account();
        JoinHandle<?> other = Task.spawn(() -> account.write(account.read() + 1));
        account.write(account.read() + 1);
        other.join();
        if (account.read() != 2) {
            throw new IllegalStateException("the one looked for");
        }
        throw new UnsupportedOperationException("the one there always is");
    }

    @Test
    void shrinking_keepsTheKindOfFailure() {
        // Search for the first by a trace that has it: the other one comes first in every exploration.
        String trace = null;
        for (int seed = 0; trace == null; seed++) {
            try (TestRuntime test = TestRuntime.seeded(seed)) {
                try {
                    test.run(ShrinkTest::twoWays);
                } catch (IllegalStateException e) {
                    trace = test.trace();
                } catch (Exception e) {
                    // the other
                }
            }
        }
        String given = trace;
        ScheduleError error = catchThrowableOfType(
                ScheduleError.class, () -> Explore.replay(given).shrink(LONG).run(ShrinkTest::twoWays));
        assertThat(error).hasCauseInstanceOf(IllegalStateException.class);
        assertThat(group(SWITCHES, 2, error.getMessage())).isEqualTo("1");
    }

    @Test
    void columns_showOneTaskEach_withItsPoints() {
        String message = failure(Explore.seeds(200), Races::lostUpdate);
        List<String> lines = message.lines()
                .dropWhile(line -> !line.contains("each in the column of its task"))
                .toList();
        assertThat(lines.get(1)).containsSubsequence("#0 ", "main", "| #1 ");
        int column = lines.get(1).indexOf('|');
        assertThat(lines.subList(2, lines.size()))
                .anySatisfy(line ->
                        assertThat(line).startsWith("  LOCK Races.java:").contains("account"))
                .anySatisfy(line -> assertThat(line).isEqualTo("  > switched"))
                .anySatisfy(line -> assertThat(line).matches(" {" + column + "}[|] .+"))
                .anySatisfy(line -> assertThat(line).endsWith("| ends"));
        assertThat(lines).hasSizeLessThanOrEqualTo(62);
    }

    @Test
    void shrinking_canBeTurnedOff() {
        ScheduleError error = catchThrowableOfType(
                ScheduleError.class,
                () -> Explore.seeds(200).shrink(Duration.ZERO).run(Races::lostUpdate));
        assertThat(error.getMessage()).contains("Explore.replay(\"").doesNotContain("shrinking");
        assertThatThrownBy(() -> Explore.seeds(1).shrink(Duration.ofSeconds(-1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("realTime=PT-1S");
    }

    @Test
    void aFailureThatDoesNotComeAgain_isToldAsSuch() {
        int[] runs = {0};
        ScheduleError error = catchThrowableOfType(
                ScheduleError.class,
                () -> Explore.seeds(1).checkDeterminism(false).run(() -> {
                    if (++runs[0] == 2) {
                        throw new IllegalStateException("once");
                    }
                }));
        assertThat(error.getMessage()).contains("not shrunk: run again, the same schedule did not fail");
    }
}
