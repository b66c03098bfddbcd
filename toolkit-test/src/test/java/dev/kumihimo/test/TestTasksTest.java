package dev.kumihimo.test;

import static dev.kumihimo.test.TestTasks.assertCompletesWithin;
import static dev.kumihimo.test.TestTasks.assertParked;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TestTasksTest {
    @Test
    void assertParked_byATask_letsTheOtherRun_andTakesNoTime() {
        Explore.seeds(100).run(() -> {
            Channel<String> channel = Channel.rendezvous();
            CountDownLatch latch = new CountDownLatch(1);
            var sender = Task.spawn(() -> channel.send("a"));
            var inTheJdk = Task.spawn(() -> latch.await());
            var sleeper = Task.spawn(() -> Task.sleep(Duration.ofDays(1)));
            long now = Task.current().runtime().instantSource().millis();
            assertParked(sender);
            assertParked(inTheJdk);
            assertParked(sleeper);
            assertThat(Task.current().runtime().instantSource().millis()).isEqualTo(now);
            latch.countDown();
            channel.receive();
            sleeper.abort();
        });
    }

    @Test
    void assertParked_ofAnother_fails_andSaysWhatItDoes() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                AtomicBoolean stop = new AtomicBoolean();
                var circling = Task.spawn(() -> {
                    while (!stop.get()) {
                        Task.yieldNow();
                    }
                });
                assertThatThrownBy(() -> assertParked(circling))
                        .isInstanceOf(AssertionError.class)
                        .hasMessageContaining("is not parked: it runs, or is ready to");
                stop.set(true);
                var ended = Task.spawn(() -> "done");
                assertThatThrownBy(() -> assertParked(ended)).hasMessageContaining("it has ended, with the value done");
            });
        }
    }

    @Test
    void assertParked_byTheDriver_looksOnly() {
        try (TestRuntime test = TestRuntime.fifo()) {
            Channel<String> channel = Channel.rendezvous();
            var receiver = test.runtime().spawn(() -> channel.receive());
            assertThatThrownBy(() -> assertParked(receiver))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("runUntilIdle()");
            test.runUntilIdle();
            assertParked(receiver);
            assertThat(channel.trySend("granted")).isTrue();
            assertThatThrownBy(() -> assertParked(receiver)).hasMessageContaining("about to resume");
            test.runUntilIdle();
            assertThatThrownBy(() -> assertParked(receiver)).hasMessageContaining("with the value granted");
        }
    }

    @Test
    void assertParked_atAPoint_isExact() {
        try (TestRuntime test = TestRuntime.fifo()) {
            Channel<String> channel = Channel.rendezvous();
            var receiver = test.runtime().spawn(() -> channel.receive());
            while (test.stepTo(receiver, test.points(receiver) + 1)) {
                assertThat(TestTasks.isParked(receiver)).isFalse(); // stopped, and not even where its wait is published
            }
            assertParked(receiver);
        }
    }

    @Test
    void isParked_isFalse_asSoonAsItsWaitIsDecided() {
        try (TestRuntime test = TestRuntime.fifo()) {
            Channel<String> channel = Channel.rendezvous();
            var receiver = test.runtime().spawn(() -> channel.receive());
            test.runUntilIdle();
            var sender = test.runtime().spawn(() -> channel.send("a"));
            boolean grantedNotWoken = false;
            while (test.stepTo(sender, test.points(sender) + 1)) {
                assertThat(TestTasks.isParked(receiver)).isEqualTo(test.isWaiting(receiver));
                grantedNotWoken |= test.isDecided(receiver) && !test.isReady(receiver);
            }
            assertThat(grantedNotWoken).isTrue();
        }
    }

    @Test
    void assertParked_onRealCarriers_waitsForIt() {
        try (TaskRuntime runtime = TaskRuntime.builder().build()) {
            Channel<String> channel = Channel.rendezvous();
            var receiver = runtime.spawn(() -> channel.receive());
            assertParked(receiver);
            var inTheJdk = runtime.spawn(() -> {
                while (true) {
                    LockSupport.park();
                    Task.checkCancelled();
                }
            });
            assertParked(inTheJdk);
            var blocking = runtime.spawnBlocking(() -> new CountDownLatch(1).await());
            assertParked(blocking);
            var ended = runtime.spawn(() -> "done");
            assertThatThrownBy(() -> assertParked(ended)).hasMessageContaining("it has ended");
            receiver.abort();
            inTheJdk.abort();
            blocking.abort();
        }
    }

    @Test
    void assertCompletesWithin_byATask_isVirtualTime() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                var slow = Task.spawn(() -> {
                    Task.sleep(Duration.ofHours(5));
                    return 42;
                });
                assertThatThrownBy(() -> assertCompletesWithin(Duration.ofHours(4), slow))
                        .isInstanceOf(AssertionError.class)
                        .hasMessageContaining("has not ended within PT4H: it waits for its deadline");
                assertThat(assertCompletesWithin(Duration.ofHours(2), slow)).isEqualTo(42);
            });
            assertThat(test.clock().elapsed()).isEqualTo(Duration.ofHours(5));
        }
    }

    @Test
    void assertCompletesWithin_fails_ifTheTaskDid() throws Exception {
        IOException failure = new IOException("mine");
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                var failing = Task.spawn(() -> {
                    throw failure;
                });
                assertThatThrownBy(() -> assertCompletesWithin(Duration.ofSeconds(1), failing))
                        .isInstanceOf(AssertionError.class)
                        .hasMessageContaining("mine")
                        .hasCause(failure);
                var aborted = Task.spawn(() -> Task.sleep(Duration.ofDays(1)));
                assertParked(aborted);
                aborted.abort();
                assertThatThrownBy(() -> assertCompletesWithin(Duration.ofSeconds(1), aborted))
                        .isInstanceOf(AssertionError.class)
                        .hasMessageContaining("was cancelled");
            });
        }
    }

    @Test
    void assertCompletesWithin_byTheDriver_drives() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            JoinHandle<Integer> slow = test.runtime().spawn(() -> {
                Task.sleep(Duration.ofHours(5));
                return 42;
            });
            assertThatThrownBy(() -> assertCompletesWithin(Duration.ofHours(9), slow))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("assertCompletesWithin(test, time, task)");
            assertThatThrownBy(() -> assertCompletesWithin(test, Duration.ofHours(4), slow))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("has not ended within PT4H");
            assertThat(assertCompletesWithin(test, Duration.ofHours(2), slow)).isEqualTo(42);
            assertThat(assertCompletesWithin(Duration.ZERO, slow)).isEqualTo(42);
        }
    }

    @Test
    void assertCompletesWithin_onRealCarriers_waits() throws Exception {
        try (TaskRuntime runtime = TaskRuntime.builder().build()) {
            assertThat(assertCompletesWithin(Duration.ofSeconds(30), runtime.spawn(() -> 42)))
                    .isEqualTo(42);
            Channel<String> channel = Channel.rendezvous();
            var receiver = runtime.spawn(() -> channel.receive());
            assertParked(receiver);
            assertThatThrownBy(() -> assertCompletesWithin(Duration.ofMillis(1), receiver))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("it waits for");
            receiver.abort();
        }
    }
}
