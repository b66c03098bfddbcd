package dev.kumihimo.test.guide;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.test.LeakPolicy;
import dev.kumihimo.test.TestRuntime;
import dev.kumihimo.time.Interval;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FirstGuideTest {
    @Test
    void anHour_passesAtOnce() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                Channel<String> letters = Channel.rendezvous();
                var sender = Task.spawn(() -> {
                    Task.sleep(Duration.ofHours(1));
                    letters.send("hello");
                });
                assertThat(letters.receive()).isEqualTo("hello");
                sender.join();
            });
            assertThat(test.clock().elapsed()).isEqualTo(Duration.ofHours(1));
        }
    }

    @Test
    void time_isMovedFromOutside() {
        try (TestRuntime test = TestRuntime.fifo()) {
            List<Long> ticks = new ArrayList<>();
            test.runtime().spawn(() -> {
                Interval every = Interval.of(Duration.ofSeconds(10));
                while (true) {
                    every.tick();
                    ticks.add(test.clock().elapsed().toSeconds());
                }
            });
            test.advance(Duration.ofSeconds(35));
            assertThat(ticks).containsExactly(0L, 10L, 20L, 30L);
        }
    }

    @Test
    void whatIsLeft_isLookedAt() throws Exception {
        try (TestRuntime test = TestRuntime.builder().leaks(LeakPolicy.FAIL).build()) {
            test.run(() -> {
                var reader = Task.spawn(() -> "read");
                reader.join();
            });
            test.finish(); // fails if a task lives, a permit is held, a failure was not looked at
        }
    }
}
