package com.example;

import static dev.kumihimo.test.TestTasks.assertParked;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.test.TestRuntime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Hours of waiting, in no time: the clock jumps where nothing else can be done. */
class RetryTest {
    private final Retry retry = new Retry(5, Duration.ofMinutes(30), Duration.ofHours(3));

    @Test
    void waitsLongerAfterEachFailure() throws Exception {
        List<Long> calledAt = new ArrayList<>(); // minutes of virtual time
        try (TestRuntime test = TestRuntime.fifo()) {
            String answer = test.run(() -> retry.call(() -> {
                calledAt.add(test.clock().elapsed().toMinutes());
                if (calledAt.size() < 5) {
                    throw new IOException("busy");
                }
                return "done";
            }));
            assertEquals("done", answer);
        }
        assertEquals(List.of(0L, 30L, 90L, 210L, 390L), calledAt);
    }

    @Test
    void endsAtOnce_whenCancelled() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                JoinHandle<String> task = Task.spawn(() -> retry.call(() -> {
                    throw new IOException("busy");
                }));
                assertParked(task); // it waits for its second attempt
                task.abort();
                assertFalse(task.result().isSuccess());
            });
            assertEquals(Duration.ZERO, test.clock().elapsed());
        }
    }
}
