package dev.kumihimo.test.guide;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.test.TestRuntime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RetryGuideTest {
    @Test
    void waitsLongerAfterEachFailure() throws Exception {
        List<Long> calledAt = new ArrayList<>(); // milliseconds of virtual time
        try (TestRuntime test = TestRuntime.fifo()) {
            String answer = test.run(() -> {
                Retry retry = new Retry(5, Duration.ofMillis(100), Duration.ofMillis(500));
                return retry.call(() -> {
                    calledAt.add(test.clock().elapsed().toMillis());
                    if (calledAt.size() < 5) {
                        throw new IOException("busy");
                    }
                    return "done";
                });
            });
            assertThat(answer).isEqualTo("done");
        }
        assertThat(calledAt).containsExactly(0L, 100L, 300L, 700L, 1_200L);
    }

    @Test
    void tellsTheLastFailure() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            Retry retry = new Retry(3, Duration.ofHours(1), Duration.ofDays(1));
            IOException failure = new IOException("gone");
            test.run(() -> org.assertj.core.api.Assertions.assertThatThrownBy(() -> retry.call(() -> {
                        throw failure;
                    }))
                    .isSameAs(failure));
            assertThat(test.clock().elapsed()).isEqualTo(Duration.ofHours(3));
        }
    }
}
