package dev.kumihimo.benchmarks.jmh;

import dev.kumihimo.time.DelayQueue;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Timeouts that are taken back: among many entries with delays of an hour at most, one is removed and another put in. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class DelayQueueBenchmark {
    private static final long HOUR_NANOS = TimeUnit.HOURS.toNanos(1);

    @Param("10000")
    public int entries;

    private final SplittableRandom random = new SplittableRandom(1);
    private final DelayQueue<String> queue = DelayQueue.create();
    private final ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1);
    private DelayQueue.Key[] keys = {};
    private ScheduledFuture<?>[] futures = {};

    @Setup
    public void fill() {
        executor.setRemoveOnCancelPolicy(true);
        keys = new DelayQueue.Key[entries];
        futures = new ScheduledFuture<?>[entries];
        for (int i = 0; i < entries; i++) {
            keys[i] = insert();
            futures[i] = schedule();
        }
    }

    @TearDown
    public void end() {
        executor.shutdownNow();
    }

    private DelayQueue.Key insert() {
        return queue.insert("item", Duration.ofNanos(random.nextLong(HOUR_NANOS)));
    }

    private ScheduledFuture<?> schedule() {
        return executor.schedule(() -> {}, random.nextLong(HOUR_NANOS), TimeUnit.NANOSECONDS);
    }

    @Benchmark
    public String removeAndInsert() {
        int at = random.nextInt(entries);
        String removed = queue.remove(keys[at]);
        keys[at] = insert();
        return removed;
    }

    @Benchmark
    public void reset() {
        queue.reset(keys[random.nextInt(entries)], Duration.ofNanos(random.nextLong(HOUR_NANOS)));
    }

    @Benchmark
    public boolean cancelAndSchedule() {
        int at = random.nextInt(entries);
        boolean cancelled = futures[at].cancel(false);
        futures[at] = schedule();
        return cancelled;
    }
}
