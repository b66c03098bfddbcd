package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.task.JoinMap;
import dev.kumihimo.task.JoinSet;
import dev.kumihimo.time.Timeout;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sets of tasks in schedules that real carriers seldom take. */
class SchedulesOfSetsTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    /** The owner looks for a replaced task that has ended, and waits: the end in between must wake it. */
    @Test
    void closingAMap_waitsForAReplacedTask_wheneverThatEnds() {
        Explore.Result explored = Explore.preemptions(1).run(() -> {
            Channel<String> begun = Channel.bounded(1);
            try (JoinMap<String, Integer> map = JoinMap.open()) {
                map.spawn("key", () -> {
                    begun.send("begun");
                    Task.sleep(Duration.ofDays(1));
                    return 0;
                });
                begun.receive();
                map.spawn("key", () -> 1);
                assertThat(map.joinNext().result()).isEqualTo(new JoinResult.Success<>(1));
            }
        });
        assertThat(explored.schedules()).isGreaterThan(10);
    }

    /** The owner has left its own timeout, whose deadline the task goes on with: nobody but the task's own timeout keeps it. */
    @ParameterizedTest
    @ValueSource(longs = {-1, 0, 1})
    void aTimeoutInATask_strikes_whetherTheInheritedDeadlineComesBeforeOrAfterOrJustThen(long longer) throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                Channel<Integer> never = Channel.bounded(1);
                try (JoinSet<Integer> set = JoinSet.open()) {
                    Timeout.call(
                            SECOND,
                            () -> set.spawn(() -> Timeout.call(SECOND.plusMillis(longer), () -> never.receive())));
                    JoinResult<Integer> result = set.joinNext();
                    assertThat(result).isInstanceOf(JoinResult.Failure.class);
                    assertThat(((JoinResult.Failure<Integer>) result).exception())
                            .isInstanceOf(TimeoutException.class);
                    assertThat(test.clock().elapsed()).isEqualTo(SECOND.plusMillis(Math.min(0, longer)));
                }
            });
        }
    }
}
