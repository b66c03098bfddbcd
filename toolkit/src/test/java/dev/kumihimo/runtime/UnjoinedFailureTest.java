package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ch.qos.logback.classic.Level;
import dev.kumihimo.support.CapturedLog;
import dev.kumihimo.support.Observe;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** A failure is told exactly once: to the joiner, or else in the log. */
@Timeout(value = 30, threadMode = ThreadMode.SEPARATE_THREAD)
class UnjoinedFailureTest {
    private final TaskRuntime runtime =
            TaskRuntime.builder().workerThreads(1).name("unjoined").build();
    private CapturedLog log;

    @BeforeEach
    void capture() {
        log = CapturedLog.open();
    }

    @AfterEach
    void close() {
        runtime.close();
        log.close();
    }

    private JoinHandle<Object> failing(String name) {
        return runtime.spawnNamed(name, () -> {
            throw new IllegalStateException("boom of " + name);
        });
    }

    private void awaitEnd() {
        Observe.until("nothing lives", () -> runtime.liveTasks() == 0);
    }

    @Test
    void unjoined_isLoggedOnceWhenTheRuntimeCloses() {
        JoinHandle<Object> kept = failing("kept");
        awaitEnd();
        assertThat(log.messages(Level.WARN, "kept")).isEmpty();
        runtime.close();
        runtime.close();
        assertThat(log.messages(Level.WARN, "")).containsExactly("task \"kept\" failed and nobody joined it");
        assertThat(kept.isFinished()).isTrue();
    }

    @Test
    void unjoined_isLoggedOnceWhenItsHandleIsCollected() {
        failing("lost");
        awaitEnd();
        Observe.until("the collected handle is reported", () -> {
            System.gc();
            return !log.messages(Level.WARN, "lost").isEmpty();
        });
        runtime.close();
        assertThat(log.messages(Level.WARN, "lost")).hasSize(1);
    }

    @Test
    void joined_isNotLogged() {
        JoinHandle<Object> handle = failing("joined");
        assertThatExceptionOfType(ExecutionException.class).isThrownBy(handle::join);
        JoinHandle<Object> looked = failing("looked");
        awaitEnd();
        assertThat(looked.tryResult()).isInstanceOf(JoinResult.Failure.class);
        JoinHandle<Object> asked = failing("asked");
        awaitEnd();
        assertThat(asked.exceptionNow()).hasMessage("boom of asked");
        runtime.close();
        assertThat(log.all()).isEmpty();
    }

    @Test
    void aJobsFailure_isLoggedAlike() {
        JoinHandle<Object> job = runtime.spawnBlocking(() -> {
            throw new IllegalStateException("job");
        });
        awaitEnd();
        runtime.close();
        assertThat(log.messages(Level.WARN, "blocking job \"" + job.name() + "\" failed and nobody joined it"))
                .hasSize(1);
    }

    @Test
    void blockOn_tellsItsCallerAndNotTheLog() {
        assertThatExceptionOfType(IllegalStateException.class)
                .isThrownBy(() -> runtime.blockOn(() -> {
                    throw new IllegalStateException("root");
                }));
        runtime.close();
        assertThat(log.all()).isEmpty();
    }

    @Test
    void successAndCancellation_areNotLogged() throws Exception {
        runtime.spawn(() -> 1);
        JoinHandle<?> aborted = runtime.spawn(() -> Task.sleep(Duration.ofDays(1)));
        aborted.abort();
        awaitEnd();
        runtime.close();
        assertThat(log.all()).isEmpty();
    }

    @Test
    void aFailureInATaskOfTheExecutorView_isLoggedAtOnce_unlessAFutureHoldsIt() throws Exception {
        Thread thread = runtime.threadFactory().newThread(() -> {
            throw new IllegalStateException("plain thread");
        });
        thread.start();
        thread.join();
        assertThat(log.messages(Level.WARN, "failed")).hasSize(1);
        runtime.asExecutorService().submit(() -> {
            throw new IllegalStateException("held by the future");
        });
        awaitEnd();
        runtime.close();
        assertThat(log.messages(Level.WARN, "failed")).hasSize(1);
    }
}
