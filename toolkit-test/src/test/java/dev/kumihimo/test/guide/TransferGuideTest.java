package dev.kumihimo.test.guide;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.test.Explore;
import dev.kumihimo.test.ScheduleError;
import dev.kumihimo.test.Strategy;
import dev.kumihimo.test.TestRuntime;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** A race found and replayed; what is right passes. */
class TransferGuideTest {
    /** How one transfers. */
    interface Transfer {
        boolean transfer(Account from, Account to, long amount) throws InterruptedException;
    }

    private static VoidBody<Exception> twoFromOne(Transfer by) {
        return () -> {
            Account a = new Account(1, 100);
            Account b = new Account(2, 0);
            TaskRuntime tasks = TaskRuntime.current();
            var first = tasks.spawnNamed("first", () -> by.transfer(a, b, 80));
            var second = tasks.spawnNamed("second", () -> by.transfer(a, b, 80));
            assertThat(first.join() ^ second.join()).isTrue(); // there is money for one of them
            assertThat(a.look()).isEqualTo(20);
            assertThat(b.look()).isEqualTo(80);
        };
    }

    private static VoidBody<Exception> opposite(Transfer by) {
        return () -> {
            Account a = new Account(1, 100);
            Account b = new Account(2, 100);
            var there = Task.spawn(() -> by.transfer(a, b, 10));
            var back = Task.spawn(() -> by.transfer(b, a, 20));
            assertThat(there.join() && back.join()).isTrue();
            assertThat(a.look()).isEqualTo(110);
            assertThat(b.look()).isEqualTo(90);
        };
    }

    @Test
    void aTestInOneOrder_seesNoRace() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(twoFromOne(Transfers::lookThenTake));
        }
    }

    private static ScheduleError race() {
        return catchThrowableOfType(
                ScheduleError.class,
                () -> Explore.seeds(1_000)
                        .shrink(Duration.ofSeconds(30)) // it needs far less, and a slow machine gets what it needs
                        .run(twoFromOne(Transfers::lookThenTake)));
    }

    /** If it differs: what the test found is what belongs into docs/testing.md. */
    @Test
    void failure_isWhatTheGuideQuotes() throws Exception {
        GuideTest.assertQuotes("<!-- What TransferGuideTest finds -->", String.valueOf(race().getMessage()));
    }

    @Test
    void exploring_findsTheRace_andItsSeedReplaysIt() {
        ScheduleError found = race();
        assertThat(found).hasMessageContaining(" of 1001 (random) failed").hasCauseInstanceOf(AssertionError.class);
        Matcher seed = Pattern.compile("TestRuntime.seeded\\(0x([0-9a-f]+)L\\)").matcher(found.getMessage());
        assertThat(seed.find()).isTrue();
        try (TestRuntime test = TestRuntime.seeded(Long.parseUnsignedLong(seed.group(1), 16))) {
            assertThatThrownBy(() -> test.run(twoFromOne(Transfers::lookThenTake)))
                    .hasMessage(found.getCause().getMessage());
        }
    }

    @Test
    void itsTraceReplaysIt() {
        ScheduleError found = race();
        Matcher trace = Pattern.compile("Explore.replay\\(\"([^\"]+)\"\\)").matcher(String.valueOf(found.getMessage()));
        assertThat(trace.find()).isTrue();
        assertThatThrownBy(() -> Explore.replay(trace.group(1)).run(twoFromOne(Transfers::lookThenTake)))
                .hasCauseInstanceOf(AssertionError.class);
        try (TestRuntime test = TestRuntime.with(Strategy.replay(trace.group(1)))) {
            assertThatThrownBy(() -> test.run(twoFromOne(Transfers::lookThenTake)))
                    .isInstanceOf(AssertionError.class);
        }
    }

    @Test
    void inOrder_isRight_inAMixture() {
        Explore.Result result = Explore.portfolio(1_000) // of all kinds
                .regressions(0x1f3aL) // seeds that have failed once
                .budget(Duration.ofSeconds(3)) // of real time; what comes first ends it
                .run(twoFromOne(Transfers::lockInOrder));
        assertThat(result.schedules()).isPositive();
    }

    @Test
    void inOrder_isRight_underAllSchedulesWithTwoPreemptions() {
        assertThat(Explore.preemptions(2)
                        .run(twoFromOne(Transfers::lockInOrder))
                        .exhausted())
                .isTrue();
        assertThat(Explore.preemptions(2).run(opposite(Transfers::lockInOrder)).exhausted())
                .isTrue();
    }
}
