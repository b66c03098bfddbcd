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
    private final AtomicBoolean hogs = new AtomicBoolean();

    private void hog() {
        hogs.set(true);
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
            Observe.until("it computes", hogs::get);
            assertThat(runtime.spawn(() -> "ran").join(Duration.ofSeconds(10))).isEqualTo("ran");
            Observe.until(
                    "it is told",
                    () -> !log.messages(Level.WARN, "task \"hog\" has held carrier")
                            .isEmpty());
            // A busy machine may have others told of, too.
            assertThat(log.messages(Level.WARN, "task \"hog\" has held carrier"))
                    .anySatisfy(message -> assertThat(message)
                            .contains("runtime held", "A spare carrier runs the others", "HeldCarrierTest.hog"));
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
