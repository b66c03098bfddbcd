package dev.kumihimo.benchmarks.workload;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Many tasks, each of which sleeps from 10 to 100 ms a few times. Also tells how late those are that end late: the one of a
 * hundred. The times look random, and are the same in every column and every run.
 */
abstract class Sleeps implements WaitingWorkload {
    private static final int TASKS = 10_000;

    private long[] late = {};

    /** How long the sleep of the given number is. */
    static long nanos(int number) {
        return TimeUnit.MICROSECONDS.toNanos(10_000 + number * 7_919L % 90_001);
    }

    /** Starts tasks that sleep so many times each, and waits for them; {@link #woke} is told of each sleep. */
    abstract void sleep(int tasks, int each) throws Exception;

    /** Called when the sleep of the given number has ended. */
    final void woke(int number, long start) {
        late[number] = System.nanoTime() - start - nanos(number) + 1; // 0 is left for a sleep that has not ended
    }

    @Override
    public final void run(int operations) throws Exception {
        int tasks = Math.min(TASKS, operations);
        int each = operations / tasks;
        late = new long[tasks * each];
        sleep(tasks, each);
        if (Arrays.stream(late).anyMatch(nanos -> nanos <= 0)) {
            throw new IllegalStateException("a sleep has ended early, or not at all");
        }
    }

    @Override
    public final Map<String, Double> figures() {
        return Map.of("sleep_late", Delays.ofHundred(99, late) / 1e6);
    }

    /** How a task sleeps. */
    @FunctionalInterface
    interface Sleeper {
        void sleep(long nanos) throws InterruptedException;
    }

    static Sleeps of(Supplier<Tasks> starter, Sleeper sleeper) {
        return new Sleeps() {
            @Override
            void sleep(int tasks, int each) throws InterruptedException {
                var all = starter.get();
                for (int task = 0; task < tasks; task++) {
                    int first = task * each;
                    all.start(() -> {
                        for (int number = first; number < first + each; number++) {
                            long start = System.nanoTime();
                            sleeper.sleep(nanos(number));
                            woke(number, start);
                        }
                    });
                }
                all.join();
            }
        };
    }

    /** Without tasks: each callback arms the next, which is less work than to wake a thread. */
    static <T> Sleeps of(Supplier<Timers<T>> opener) {
        return new Sleeps() {
            @Override
            void sleep(int tasks, int each) throws InterruptedException {
                var done = new CountDownLatch(tasks);
                try (var timers = opener.get()) {
                    for (int task = 0; task < tasks; task++) {
                        next(timers, task * each, (task + 1) * each, done);
                    }
                    done.await();
                }
            }

            private void next(Timers<T> timers, int number, int end, CountDownLatch done) {
                long start = System.nanoTime();
                timers.arm(
                        () -> {
                            woke(number, start);
                            if (number + 1 < end) {
                                next(timers, number + 1, end, done);
                            } else {
                                done.countDown();
                            }
                        },
                        nanos(number));
            }
        };
    }
}
