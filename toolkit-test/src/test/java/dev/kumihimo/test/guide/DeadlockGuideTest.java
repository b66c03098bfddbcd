package dev.kumihimo.test.guide;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.test.Explore;
import dev.kumihimo.test.ScheduleError;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A deadlock, and its report, which docs/testing.md reads line by line. */
class DeadlockGuideTest {
    private static void opposite() throws Exception {
        Account a = new Account(1, 100);
        Account b = new Account(2, 100);
        TaskRuntime tasks = TaskRuntime.current();
        var there = tasks.spawnNamed("there", () -> Transfers.lockBoth(a, b, 10));
        var back = tasks.spawnNamed("back", () -> Transfers.lockBoth(b, a, 20));
        there.join();
        back.join();
    }

    private static ScheduleError deadlock() {
        return catchThrowableOfType(
                ScheduleError.class,
                () -> Explore.preemptions(1)
                        .shrink(Duration.ofSeconds(30)) // it needs far less, and a slow machine gets what it needs
                        .run(DeadlockGuideTest::opposite));
    }

    @Test
    void report_tellsWhoWaitsForWhat() {
        assertThat(deadlock())
                .hasMessageContaining("deadlock")
                .hasMessageContaining("wait for each other")
                .hasMessageContaining("\"there\"")
                .hasMessageContaining("\"back\"")
                .hasMessageContaining("at Transfers.java:");
    }

    /** If it differs: what the test found is what belongs into docs/testing.md. */
    @Test
    void report_isWhatTheGuideQuotes() throws Exception {
        GuideTest.assertQuotes(
                "<!-- What DeadlockGuideTest finds -->",
                String.valueOf(deadlock().getMessage()));
    }

    @Test
    void cycle_isToldAtOnce_alsoWhileOthersGoOn() {
        assertThatThrownBy(() -> Explore.preemptions(1).run(() -> {
                    Task.spawn(() -> {
                        while (true) {
                            Task.sleep(Duration.ofSeconds(1));
                        }
                    });
                    opposite();
                }))
                .hasMessageContaining("wait for each other")
                .hasMessageContaining("at 00:00:00.000");
    }
}
