package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.support.TaskProbe;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** A task that does not outlive a block. */
@Timeout(value = 30, threadMode = ThreadMode.SEPARATE_THREAD)
class AbortOnCloseTest {
    private static final Duration LONG = Duration.ofSeconds(10);

    private final TaskRuntime runtime = TaskRuntime.builder().workerThreads(2).build();
    private final AtomicBoolean cleaned = new AtomicBoolean();

    @AfterEach
    void close() {
        runtime.close();
    }

    private TaskProbe<Object> sleeper() {
        return TaskProbe.spawn(runtime, () -> {
                    try {
                        Task.sleep(Duration.ofDays(1));
                        return null;
                    } finally {
                        Task.shield(() -> Task.sleep(Duration.ofMillis(10)));
                        cleaned.set(true);
                    }
                })
                .untilParked();
    }

    @Test
    void close_abortsTheTask_andReturnsAfterItsCleanup() throws Exception {
        JoinHandle<Object> handle = sleeper().handle();
        try (AbortOnClose<Object> closing = handle.abortOnClose()) {
            assertThat(closing.handle()).isSameAs(handle);
            assertThat(handle.isFinished()).isFalse();
        }
        assertThat(cleaned).isTrue();
        assertThat(handle.tryResult()).isInstanceOf(JoinResult.Cancelled.class);
        handle.abortOnClose().close();
    }

    @Test
    void close_detached_leavesTheTaskAlone() throws Exception {
        Channel<String> gate = Channel.bounded(1);
        JoinHandle<String> handle = runtime.spawn(() -> gate.receive());
        try (AbortOnClose<String> closing = handle.abortOnClose()) {
            assertThat(closing.detach()).isSameAs(handle);
        }
        gate.send("lives");
        assertThat(handle.join(LONG)).isEqualTo("lives");
    }

    @Test
    void close_ofATaskThatHasEnded_keepsItsResult() throws Exception {
        JoinHandle<Integer> handle = runtime.spawn(() -> 3);
        try (AbortOnClose<Integer> closing = handle.abortOnClose()) {
            closing.handle().join();
        }
        assertThat(handle.join()).isEqualTo(3);
    }

    @Test
    void close_isNotEndedByAnInterrupt_whichIsKept() {
        AbortOnClose<Object> closing = sleeper().handle().abortOnClose();
        Thread.currentThread().interrupt();
        closing.close();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(cleaned).isTrue();
    }

    @Test
    void close_ofABlockingJob_waitsUntilItHasReallyEnded() {
        TaskProbe<Object> job = TaskProbe.spawnBlocking(runtime, () -> {
                    try {
                        Thread.sleep(Duration.ofDays(1));
                        return null;
                    } finally {
                        cleaned.set(true);
                    }
                })
                .untilParked();
        job.handle().abortOnClose().close();
        assertThat(cleaned).isTrue();
    }

    @Test
    void close_byTheTaskItself_abortsIt_andDoesNotWait() throws Exception {
        CompletableFuture<AbortOnClose<Boolean>> self = new CompletableFuture<>();
        JoinHandle<Boolean> handle = runtime.spawn(() -> {
            self.join().close();
            return Task.current().isAborted();
        });
        self.complete(handle.abortOnClose());
        assertThat(handle.join(LONG)).isTrue();
    }
}
