package dev.kumihimo.test.guide;

import static dev.kumihimo.test.TestTasks.assertCompletesWithin;
import static dev.kumihimo.test.TestTasks.assertParked;
import static dev.kumihimo.test.assertj.KumihimoAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.test.TestRuntime;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class AssertionsGuideTest {
    @Test
    void tasks() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                Channel<Integer> queue = Channel.bounded(1);
                queue.send(1);
                var sender = Task.spawn(() -> {
                    queue.send(2);
                    return "sent";
                });
                assertParked(sender); // there is no room
                assertThat(queue.receive()).isEqualTo(1);
                assertThat(assertCompletesWithin(Duration.ofSeconds(1), sender)).isEqualTo("sent");
            });
        }
    }

    @Test
    void assertJ() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                Channel<Integer> queue = Channel.bounded(8);
                JoinHandle<Integer> consumer = Task.spawn(() -> queue.receive() + queue.receive());
                JoinHandle<Void> failing = Task.spawn(() -> {
                    throw new IOException("no disk");
                });
                assertThat(consumer).isParked();
                assertThat(failing.result()).isFailure().hasCauseInstanceOf(IOException.class);
                queue.send(1);
                assertThat(consumer).isParked();
                assertThat(queue).isEmpty().isOpen();
                consumer.abort();
                assertThat(consumer.result()).isCancelledBy(CancelReason.Kind.ABORT);
            });
        }
    }

    @Test
    void awaitility_onRealCarriers() {
        try (TaskRuntime runtime = TaskRuntime.builder().build()) {
            Channel<Integer> jobs = Channel.bounded(16);
            AtomicInteger done = new AtomicInteger();
            runtime.spawn(() -> jobs.forEach(job -> done.incrementAndGet()));
            for (int i = 0; i < 10; i++) {
                jobs.trySend(i);
            }
            await().atMost(Duration.ofSeconds(30)).until(() -> done.get() == 10);
            await().atMost(Duration.ofSeconds(30))
                    .untilAsserted(() -> assertThat(jobs).isEmpty());
        }
    }
}
