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

    /** Both deadlines are the same instant, and the owner is shielded from its own. */
    @Test
    void aTimeoutAsLongAsTheInheritedDeadline_strikesInTheTask() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                Channel<Integer> never = Channel.bounded(1);
                try (JoinSet<Integer> set = JoinSet.open()) {
                    Timeout.call(SECOND, () -> {
                        set.spawn(() -> Timeout.call(SECOND, () -> never.receive()));
                        JoinResult<Integer> result = Task.shield(() -> set.joinNext());
                        assertThat(result).isInstanceOf(JoinResult.Failure.class);
                        assertThat(((JoinResult.Failure<Integer>) result).exception())
                                .isInstanceOf(TimeoutException.class);
                    });
                }
            });
        }
    }
}
