package dev.kumihimo.benchmarks.workload;

import dev.kumihimo.runtime.Task;
import java.time.Duration;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * How late timers are, of which many are armed at once: chains of {@value #LINKS} each, in which one that fires arms the next, of
 * random lengths up to 2 s. So a million timers take about 10 s, and memory for a tenth of them. Milliseconds after the time that
 * was asked for, which no timer may be before.
 */
final class TimerLateness {
    private static final int LINKS = 10;
    private static final long LONGEST_NANOS = 2_000_000_000L;
    private static final long NANOS_PER_TIMER = 2_000; // a trial of fewer timers is shorter, and as dense

    private final long[] lengths;
    private final long[] late;
    private final CountDownLatch ended;

    private TimerLateness(int chains, long longest) {
        lengths = new SplittableRandom(0x71c5)
                .longs((long) chains * LINKS, 1, longest + 1)
                .toArray();
        late = new long[lengths.length];
        ended = new CountDownLatch(chains);
    }

    /** Tasks that sleep. */
    static Map<String, Double> inTasks(int timers) throws InterruptedException {
        try (var host = new KumihimoHost(Program.workers())) {
            return measure(
                    timers,
                    chains -> host.tasks().start(() -> {
                        for (int i = 0; i < chains.count(); i++) {
                            int first = i * LINKS;
                            Task.spawn(() -> chains.sleep(first));
                        }
                    }));
        }
    }

    /** Jobs of one thread of a ScheduledThreadPoolExecutor. */
    static Map<String, Double> inExecutor(int timers) throws InterruptedException {
        try (var executor = new ScheduledThreadPoolExecutor(1)) {
            return measure(
                    timers,
                    chains -> executor.execute(() -> {
                        for (int i = 0; i < chains.count(); i++) {
                            chains.schedule(i * LINKS, executor);
                        }
                    }));
        }
    }

    private interface Start {
        void start(TimerLateness timers) throws InterruptedException;
    }

    private static Map<String, Double> measure(int timers, Start start) throws InterruptedException {
        int chains = Math.max(1, timers / LINKS);
        for (int warmUp = 0; warmUp < 2; warmUp++) {
            var warming =
                    new TimerLateness(Math.max(1, chains / 10), Math.min(LONGEST_NANOS / 20, timers * NANOS_PER_TIMER));
            start.start(warming);
            warming.ended.await();
        }
        System.gc();
        var measured = new TimerLateness(chains, Math.min(LONGEST_NANOS, timers * NANOS_PER_TIMER));
        start.start(measured);
        measured.ended.await();
        if (Delays.ofThousand(0, measured.late) < 0) {
            throw new IllegalStateException("a timer was early");
        }
        return Map.of(
                "timers_million_p999", Delays.ofThousand(999, measured.late) / 1e6,
                "timers_million_max", Delays.ofThousand(1_000, measured.late) / 1e6);
    }

    private int count() {
        return lengths.length / LINKS;
    }

    private void sleep(int first) throws InterruptedException {
        for (int i = first; i < first + LINKS; i++) {
            long deadline = System.nanoTime() + lengths[i];
            Task.sleep(Duration.ofNanos(lengths[i]));
            late[i] = System.nanoTime() - deadline;
        }
        ended.countDown();
    }

    private void schedule(int timer, ScheduledThreadPoolExecutor executor) {
        long deadline = System.nanoTime() + lengths[timer];
        executor.schedule(
                () -> {
                    late[timer] = System.nanoTime() - deadline;
                    if ((timer + 1) % LINKS == 0) {
                        ended.countDown();
                    } else {
                        schedule(timer + 1, executor);
                    }
                },
                lengths[timer],
                TimeUnit.NANOSECONDS);
    }
}
