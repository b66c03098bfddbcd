package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The wall time of a runtime under test is its clock's. */
class WallTimeTest {
    private static final ZoneId PARIS = ZoneId.of("Europe/Paris");

    private final TestRuntime test = TestRuntime.fifo();

    @AfterEach
    void close() {
        test.close();
    }

    @Test
    void instantSource_beginsAtAFixedTime_andMovesExactlyWithTheClock() throws Exception {
        test.run(() -> {
            TaskRuntime runtime = Task.current().runtime();
            assertThat(runtime.instantSource().instant()).isEqualTo(Instant.parse("2000-01-01T00:00:00Z"));
            Task.sleep(Duration.ofDays(366).plusMillis(5));
            assertThat(runtime.instantSource().instant()).isEqualTo(Instant.parse("2001-01-01T00:00:00.005Z"));
            assertThat(runtime.instantSource().millis())
                    .isEqualTo(Instant.parse("2001-01-01T00:00:00.005Z").toEpochMilli());
        });
        test.elapse(Duration.ofNanos(7));
        assertThat(test.runtime().instantSource().instant()).isEqualTo(Instant.parse("2001-01-01T00:00:00.005000007Z"));
        assertThat(test.runtime().instantSource()).isSameAs(test.clock());
    }

    @Test
    void aJobOfEachNight_runsAtThree_alsoWhereTheClocksAreChanged() throws Exception {
        List<String> runs = new ArrayList<>();
        test.run(() -> {
            Task.spawn(() -> everyNightAtThree(runs));
            Task.sleep(Duration.ofDays(366));
        });
        assertThat(runs)
                .hasSize(366)
                .startsWith("2000-01-01T03:00+01:00[Europe/Paris]", "2000-01-02T03:00+01:00[Europe/Paris]")
                .contains("2000-03-25T03:00+01:00[Europe/Paris]", "2000-03-26T03:00+02:00[Europe/Paris]")
                .contains("2000-10-28T03:00+02:00[Europe/Paris]", "2000-10-29T03:00+01:00[Europe/Paris]")
                .doesNotHaveDuplicates();
    }

    private void everyNightAtThree(List<String> runs) throws InterruptedException {
        while (true) {
            ZonedDateTime now = TaskRuntime.current().instantSource().instant().atZone(PARIS);
            ZonedDateTime next = now.with(LocalTime.of(3, 0));
            if (!next.isAfter(now)) {
                next = now.plusDays(1).with(LocalTime.of(3, 0));
            }
            Task.sleep(Duration.between(now, next));
            runs.add(TaskRuntime.current()
                    .instantSource()
                    .instant()
                    .atZone(PARIS)
                    .toString());
        }
    }
}
