package dev.kumihimo.stress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.support.ForkedJvm;
import dev.kumihimo.sync.Semaphore;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class MemoryTest {
    private static long settledHeap() {
        System.gc();
        System.gc(); // the first makes stacks of parked threads shrinkable
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    @Test
    void aMillionParkedTasks_areWokenAndJoined_inTwoGibibytes() throws Exception {
        String output = ForkedJvm.run(
                Stream.concat(ForkedJvm.WITH_FLAG.stream(), Stream.of("-Xmx2g", "-XX:+UseParallelGC"))
                        .toList(),
                Parked.class);
        System.out.print(output);
        assertThat(output).contains("1000000 joined");
    }

    /** What the forked JVM runs. */
    static final class Parked {
        private static final int TASKS = 1_000_000;

        public static void main(String[] args) throws Exception {
            long before = settledHeap();
            try (var runtime = TaskRuntime.builder().workerThreads(2).build()) {
                Semaphore gate = Semaphore.of(0);
                Semaphore started = Semaphore.of(0);
                List<JoinHandle<?>> tasks = new ArrayList<>(TASKS);
                for (int i = 0; i < TASKS; i++) {
                    tasks.add(runtime.spawn(() -> {
                        started.release(1);
                        gate.acquire().forget();
                    }));
                }
                started.acquire(TASKS).forget();
                System.out.println("parked tasks: " + (settledHeap() - before) / TASKS + " B of heap for each");
                gate.release(TASKS);
                int joined = 0;
                for (JoinHandle<?> task : tasks) {
                    task.join();
                    joined++;
                }
                System.out.println(joined + " joined");
            }
        }
    }

    @Test
    void aMillionTimeouts_leaveNoTimerAndAFlatHeap() throws Exception {
        String output = ForkedJvm.run(
                Stream.concat(ForkedJvm.WITH_FLAG.stream(), Stream.of("-Xmx512m", "-XX:+UseSerialGC"))
                        .toList(),
                Timeouts.class);
        System.out.print(output);
        assertThat(output).contains("0 timers");
        long grown = Long.parseLong(output.replaceAll("(?s).*heap grown by (-?\\d+) B.*", "$1"));
        assertThat(grown).isLessThan(1 << 20);
    }

    /** What the forked JVM runs. */
    static final class Timeouts {
        public static void main(String[] args) throws Exception {
            try (var runtime = TaskRuntime.builder().workerThreads(2).build()) {
                run(runtime, 100_000);
                long before = settledHeap();
                run(runtime, 1_000_000);
                long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
                while (armed() > 0 && System.nanoTime() < deadline) {
                    Thread.onSpinWait(); // the last ones, cancelled, leave at the driver's next turn
                }
                long grown = settledHeap() - before;
                while (grown >= 1 << 20 && System.nanoTime() < deadline) {
                    grown = settledHeap() - before; // what ends with a run, such as a compilation, is no leak
                }
                System.out.println(armed() + " timers, heap grown by " + grown + " B");
            }
        }

        private static dev.kumihimo.internal.driver.Driver driver;

        private static int armed() {
            return driver.hasNewTimers() ? 1 : driver.timers();
        }

        private static void run(TaskRuntime runtime, int times) throws Exception {
            runtime.blockOn(() -> {
                driver = dev.kumihimo.internal.driver.Driver.current();
                for (int i = 0; i < times; i++) {
                    dev.kumihimo.time.Timeout.call(Duration.ofSeconds(30), () -> {});
                }
            });
        }
    }
}
