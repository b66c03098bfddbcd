package dev.kumihimo.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import dev.kumihimo.support.CapturedLog;
import dev.kumihimo.support.Observe;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** What the log tells of a task that keeps its carrier from others. */
@Timeout(value = 30, threadMode = ThreadMode.SEPARATE_THREAD)
class HeldCarrierTest {
    private final AtomicBoolean release = new AtomicBoolean();

    private void hog() {
        while (!release.get()) {
            Thread.onSpinWait();
        }
    }

    @Test
    void theHolder_isNamedWithItsStack_whileBlockingJobsQueueAndOthersRun() throws Exception {
        try (CapturedLog log = CapturedLog.open();
                TaskRuntime runtime = TaskRuntime.builder()
                        .workerThreads(1)
                        .maxBlockingThreads(1)
                        .name("held")
                        .build()) {
            CountDownLatch end = new CountDownLatch(1);
            for (int i = 0; i < 40; i++) {
                runtime.spawnBlocking(() -> {
                    end.await();
                }); // all but one of them have no thread to be found on
            }
            JoinHandle<?> hog = runtime.spawnNamed("hog", () -> {
                hog();
                return null;
            });
            assertThat(runtime.spawn(() -> "ran").join(Duration.ofSeconds(10))).isEqualTo("ran");
            Observe.until(
                    "it is told",
                    () -> !log.messages(Level.WARN, "has held carrier").isEmpty());
            assertThat(log.messages(Level.WARN, "has held carrier"))
                    .allSatisfy(message -> assertThat(message)
                            .contains(
                                    "task \"hog\"",
                                    "runtime held",
                                    "A spare carrier runs the others",
                                    "HeldCarrierTest.hog"));
            assertThat(log.messages(Level.ERROR, "")).isEmpty();
            release.set(true);
            end.countDown();
            hog.join(Duration.ofSeconds(10));
        }
    }

    @Test
    void aTaskThatComputesAlone_isNobodysConcern() throws Exception {
        try (CapturedLog log = CapturedLog.open();
                TaskRuntime runtime = TaskRuntime.builder().workerThreads(1).build()) {
            JoinHandle<?> hog = runtime.spawn(this::hog);
            long end = System.nanoTime() + Duration.ofMillis(300).toNanos();
            Observe.until("it has computed for a while", () -> System.nanoTime() > end);
            release.set(true);
            hog.join(Duration.ofSeconds(10));
            assertThat(log.all()).isEmpty();
        }
    }
}
