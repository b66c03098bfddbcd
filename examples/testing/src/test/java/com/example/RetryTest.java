package com.example;

import static dev.kumihimo.test.TestTasks.assertParked;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.test.AsyncTest;
import dev.kumihimo.test.TestClock;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Hours of waiting, in no time: the clock jumps where nothing else can be done. */
class RetryTest {
    private final Retry retry = new Retry(5, Duration.ofMinutes(30), Duration.ofHours(3));

    @AsyncTest
    void waitsLongerAfterEachFailure(TestClock clock) throws Exception {
        List<Long> calledAt = new ArrayList<>(); // minutes of virtual time
        String answer = retry.call(() -> {
            calledAt.add(clock.elapsed().toMinutes());
            if (calledAt.size() < 5) {
                throw new IOException("busy");
            }
            return "done";
        });
        assertEquals("done", answer);
        assertEquals(List.of(0L, 30L, 90L, 210L, 390L), calledAt);
    }

    @AsyncTest
    void endsAtOnce_whenCancelled(TestClock clock) throws Exception {
        JoinHandle<String> task = Task.spawn(() -> retry.call(() -> {
            throw new IOException("busy");
        }));
        assertParked(task); // it waits for its second attempt
        task.abort();
        assertFalse(task.result().isSuccess());
        assertEquals(Duration.ZERO, clock.elapsed());
    }
}
