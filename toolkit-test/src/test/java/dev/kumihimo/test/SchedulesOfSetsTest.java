package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.task.JoinMap;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Sets of tasks in schedules that real carriers seldom take. */
class SchedulesOfSetsTest {
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
}
