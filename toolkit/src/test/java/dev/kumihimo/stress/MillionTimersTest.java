package dev.kumihimo.stress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.support.ForkedJvm;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A million timers at once, of random lengths up to 10 s from a moment on by which all are armed, and as many of the same lengths
 * in a ScheduledThreadPoolExecutor at the same time: what disturbs one disturbs the other. One in ten is a task that sleeps, the
 * others are armed as a wait arms its own: a million parked tasks, of 1.8 KB each, would have the collector measured, and not the
 * timers.
 */
@Timeout(300)
class MillionTimersTest {
    /**
     * How late they are is the machine's doing as much as ours: that is printed here, beside the executor's, and compared by the
     * row timers_million of benchmarks/compare.
     */
    @Test
    void aMillionTimers_allFire_andNeverEarly() throws Exception {
        List<String> heap = List.of("-Xms1500m", "-Xmx1500m", "-Xmn1200m", "-XX:+AlwaysPreTouch", "-XX:+UseParallelGC");
        String output = ForkedJvm.run(
                Stream.concat(ForkedJvm.WITH_FLAG.stream(), heap.stream()).toList(), Timers.class);
        System.out.print(output);
        assertThat(output).contains("1000000 fired, 0 early");
    }

    /** What the forked JVM runs. */
    static final class Timers {
        private static final int COUNT = 1_000_000;
        private static final long LONGEST_NANOS = 10_000_000_000L;
        private static final Duration ARMING = Duration.ofMillis(1_500);
        private static final int SLEEPERS = 10; // one in so many
        private static final int YIELD = 128;

        private final long[] lengths;
        private final long[] late; // nanoseconds after the time for which it was armed
        private final long[] executorLate;
        private final CountDownLatch fired;
        private long armedAfter; // how long after the start, negative if before

        private Timers(int count, long longest) {
            lengths = new SplittableRandom(0x71c5).longs(count, 1, longest + 1).toArray();
            late = new long[count];
            executorLate = new long[count];
            fired = new CountDownLatch(2 * count);
        }

        public static void main(String[] args) throws Exception {
            for (int warmUp = 0; warmUp < 2; warmUp++) {
                new Timers(COUNT / 10, LONGEST_NANOS / 20).run(ARMING.dividedBy(10));
            }
            System.gc();
            Timers timers = new Timers(COUNT, LONGEST_NANOS);
            timers.run(ARMING);
            System.out.println(COUNT + " fired, "
                    + Arrays.stream(timers.late).filter(t -> t < 0).count() + " early");
            timers.print("kumihimo", timers.late);
            timers.print("executor", timers.executorLate);
        }

        /** Of those that were due when all were armed: the arming keeps both processors busy. */
        private void print(String name, long[] late) {
            long[] sorted = IntStream.range(0, late.length)
                    .filter(i -> lengths[i] >= armedAfter)
                    .mapToLong(i -> late[i])
                    .sorted()
                    .toArray();
            System.out.printf(
                    Locale.ROOT,
                    "%s: ms late, %d of them, 50 %% %.3f, 99 %% %.3f, 99.9 %% %.3f, most %.3f%n",
                    name,
                    sorted.length,
                    sorted[sorted.length / 2] / 1e6,
                    sorted[(int) (sorted.length * 0.99)] / 1e6,
                    sorted[(int) (sorted.length * 0.999)] / 1e6,
                    sorted[sorted.length - 1] / 1e6);
        }

        private void run(Duration arming) throws Exception {
            try (TaskRuntime runtime = TaskRuntime.builder().workerThreads(2).build();
                    ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1)) {
                long start = TimerService.realNanoTime() + arming.toNanos();
                JoinHandle<?> armed = runtime.spawn(() -> {
                    TimerService clock = Waiter.current().timers();
                    for (int i = 0; i < lengths.length; i++) {
                        arm(i, start + lengths[i], clock);
                        if (i % YIELD == 0) {
                            Task.yieldNow();
                        }
                    }
                });
                for (int i = 0; i < lengths.length; i++) {
                    schedule(i, start + lengths[i], executor);
                }
                armed.join();
                armedAfter = TimerService.realNanoTime() - start;
                fired.await();
            }
        }

        private void arm(int timer, long deadline, TimerService clock) {
            if (timer % SLEEPERS == 0) {
                Task.spawn(() -> {
                    Task.sleep(Duration.ofNanos(deadline - clock.nanoTime()));
                    note(timer, deadline, clock);
                });
            } else {
                clock.arm(deadline, () -> note(timer, deadline, clock));
            }
        }

        private void schedule(int timer, long deadline, ScheduledThreadPoolExecutor executor) {
            executor.schedule(
                    () -> {
                        executorLate[timer] = TimerService.realNanoTime() - deadline;
                        fired.countDown();
                    },
                    deadline - TimerService.realNanoTime(),
                    TimeUnit.NANOSECONDS);
        }

        private void note(int timer, long deadline, TimerService clock) {
            late[timer] = clock.nanoTime() - deadline;
            fired.countDown();
        }
    }
}
