package dev.kumihimo.test;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.runtime.VoidBody;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs a body under many schedules, each in a new {@link TestRuntime}, and stops at the first that fails.
 *
 * <pre>{@code
 * Explore.seeds(1_000).run(() -> {          // 1,000 random schedules, the same ones each time
 *     var account = new Account();
 *     var deposit = Task.spawn(() -> account.add(1));
 *     account.add(1);
 *     deposit.join();
 *     assertThat(account.balance()).isEqualTo(2);
 * });
 * Explore.preemptions(2).run(body);         // all schedules in which a task is interrupted at a point at most twice
 * }</pre>
 *
 * <p>The body makes all it uses anew. It fails if it throws, if nothing can run before it has ended, or if what it leaves
 * behind does not end when it is aborted. The failure tells how that schedule is replayed; with the property or variable of
 * {@link TestRuntime#seeded()} set, seeds are reduced to that one.
 *
 * @since 0.1
 */
public final class Explore {
    private final int bound; // of preemptions, or -1 for seeds
    private int most;
    private long first;
    private long[] regressions = {};
    private @Nullable Duration budget;
    private Consumer<TestRuntimeBuilder> settings = builder -> {};

    private Explore(int bound, int most) {
        this.bound = bound;
        this.most = most;
    }

    /**
     * {@return an exploration of random schedules, after one in first in, first out order}
     *
     * @param count how many seeds, at least 1
     * @throws IllegalArgumentException if the count is below 1
     */
    public static Explore seeds(int count) {
        return new Explore(-1, 1).atMost(count);
    }

    /**
     * {@return an exploration of all schedules in which tasks are switched at points no more than so many times} Where a task
     * parks, yields or ends, each of those ready is tried, at no cost. A loop that yields until something happens has no end of
     * schedules.
     *
     * @param bound how many switches at points, 0 or more; 2 find most bugs, and each more costs a factor of the number of
     *     points
     * @throws IllegalArgumentException if the bound is negative
     */
    public static Explore preemptions(int bound) {
        if (bound < 0) {
            throw new IllegalArgumentException("bound=" + bound + " must be 0 or more");
        }
        return new Explore(bound, 100_000);
    }

    /**
     * Sets after how many schedules it stops.
     *
     * @param schedules at least 1; 100,000 unless set, for {@link #preemptions}
     * @return this
     * @throws IllegalArgumentException if below 1
     */
    public Explore atMost(int schedules) {
        if (schedules < 1) {
            throw new IllegalArgumentException("schedules=" + schedules + " must be at least 1");
        }
        most = schedules;
        return this;
    }

    /**
     * Sets the first seed; the others follow it.
     *
     * @param seed any number; 0 unless set
     * @return this
     */
    public Explore from(long seed) {
        first = seed;
        return this;
    }

    /**
     * Sets seeds to be run before all else, each alone.
     *
     * @param seeds those under which the body has failed once
     * @return this
     */
    public Explore regressions(long... seeds) {
        regressions = seeds.clone();
        return this;
    }

    /**
     * Sets after how much real time no other schedule is begun.
     *
     * @param realTime more than zero; unbounded unless set
     * @return this
     * @throws IllegalArgumentException if it is zero or negative
     */
    public Explore budget(Duration realTime) {
        if (realTime.isZero() || realTime.isNegative()) {
            throw new IllegalArgumentException("realTime=" + realTime + " must be more than zero");
        }
        budget = realTime;
        return this;
    }

    /**
     * Sets how much real time one schedule may take.
     *
     * @param realTime more than zero; 30 s unless set
     * @return this
     */
    public Explore limit(Duration realTime) {
        return configure(builder -> builder.limit(realTime));
    }

    /**
     * Adds to what each runtime is made with. The strategy is not to be set.
     *
     * @param more called for each runtime, after what was added before
     * @return this
     */
    public Explore configure(Consumer<TestRuntimeBuilder> more) {
        settings = settings.andThen(more);
        return this;
    }

    /**
     * What was explored.
     *
     * @param schedules how many were run
     * @param distinct how many of them differed
     * @param exhausted whether these were all there are within the bound; false for seeds
     * @since 0.1
     */
    public record Result(int schedules, int distinct, boolean exhausted) {}

    /**
     * Explores.
     *
     * @param body what is run as the task {@code main} of each runtime
     * @return what was explored, if nothing failed
     * @throws ScheduleError if a schedule fails; its cause is what the body threw
     */
    public Result run(VoidBody<?> body) {
        return runTrials(test -> {
            test.run(body);
            test.finish();
        });
    }

    /**
     * As {@link #run}, with a body that drives each runtime itself.
     *
     * @param trial what is done under each schedule
     * @return what was explored, if nothing failed
     * @throws ScheduleError if a schedule fails; its cause is what the trial threw
     */
    public Result runTrials(Trial trial) {
        Set<Long> hashes = new HashSet<>();
        long end = System.nanoTime() + (budget == null ? Long.MAX_VALUE / 2 : TimerService.toNanos(budget));
        Long given = Seeds.given();
        if (given != null && bound < 0) {
            hashes.add(runOne(builder().seed(given).build(), trial, "the given seed"));
            return new Result(1, 1, false);
        }
        for (long seed : regressions) {
            hashes.add(runOne(builder().seed(seed).build(), trial, "the regression seed " + Seeds.show(seed)));
        }
        if (bound >= 0) {
            return runAll(trial, hashes, end);
        }
        hashes.add(runOne(builder().build(), trial, "the schedule in order"));
        int run = 0;
        while (run < most && System.nanoTime() - end < 0) {
            hashes.add(runOne(builder().seed(first + run).build(), trial, "schedule " + (run + 1) + " of " + most));
            run++;
        }
        return new Result(regressions.length + run + 1, hashes.size(), false);
    }

    private TestRuntimeBuilder builder() {
        TestRuntimeBuilder builder = TestRuntime.builder();
        settings.accept(builder);
        return builder;
    }

    private Result runAll(Trial trial, Set<Long> hashes, long end) {
        runOne(
                builder().build(),
                trial,
                "the schedule in order"); // and classes are initialised, in which nobody can switch
        Preemptions strategy = new Preemptions(bound);
        for (int i = 1; ; i++) {
            hashes.add(runOne(
                    builder()
                            .strategy(strategy, "order: Explore.preemptions(" + bound + ")")
                            .build(),
                    trial,
                    "schedule " + i));
            if (!strategy.advance()) {
                return new Result(regressions.length + i, hashes.size(), true);
            }
            if (i == most || System.nanoTime() - end >= 0) {
                return new Result(regressions.length + i, hashes.size(), false);
            }
        }
    }

    private long runOne(TestRuntime test, Trial trial, String which) {
        Throwable failure = null;
        try {
            trial.run(test);
        } catch (InterruptedException e) { // of us, or the body has let it out
            failure = e;
        } catch (Throwable e) {
            failure = e;
        }
        String replay = test.replay();
        try {
            test.close();
        } catch (Throwable e) {
            failure = both(failure, e);
        }
        if (failure != null) {
            if (failure instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            throw new ScheduleError(which + " failed: " + failure + System.lineSeparator() + "  " + replay, failure);
        }
        return test.traceHash();
    }

    private static Throwable both(@Nullable Throwable first, Throwable second) {
        if (first == null) {
            return second;
        }
        first.addSuppressed(second);
        return first;
    }
}
