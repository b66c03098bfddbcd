package dev.kumihimo.test;

import dev.kumihimo.internal.wait.TimerService;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link TestRuntime} is made of, if it is to differ from the usual.
 *
 * <pre>{@code
 * try (TestRuntime test = TestRuntime.builder().seed(7).leaks(LeakPolicy.FAIL).build()) {
 *     test.run(() -> transfer());
 *     test.finish();                  // fails if something is left
 * }
 * }</pre>
 *
 * <p>A builder makes any number of runtimes, but for one with a strategy, which makes one.
 *
 * @since 0.1
 */
public final class TestRuntimeBuilder {
    private @Nullable Strategy strategy;
    private String order = "order: TestRuntime.fifo()";
    Duration limit = Duration.ofSeconds(30);
    LeakPolicy leaks = LeakPolicy.IGNORE;
    long maxSteps = Long.MAX_VALUE;

    TestRuntimeBuilder() {}

    /**
     * Has a strategy determine the order; tasks run in the order in which they became ready unless set.
     *
     * @param strategy one that no other runtime uses
     * @return this
     */
    public TestRuntimeBuilder strategy(Strategy strategy) {
        return strategy(strategy, "order: " + strategy);
    }

    /** As {@link #strategy(Strategy)}, and says how a failure tells of it. */
    TestRuntimeBuilder strategy(Strategy strategy, String order) {
        this.strategy = strategy;
        this.order = order;
        return this;
    }

    /**
     * Has the order be random, also at points, and determined by a seed.
     *
     * @param seed any number
     * @return this
     */
    public TestRuntimeBuilder seed(long seed) {
        return strategy(Strategy.random(seed), Seeds.order(seed));
    }

    /**
     * Sets how much real time each driving method may take.
     *
     * @param realTime more than zero; 30 s unless set
     * @return this
     * @throws IllegalArgumentException if it is zero or negative
     */
    public TestRuntimeBuilder limit(Duration realTime) {
        if (realTime.isZero() || realTime.isNegative()) {
            throw new IllegalArgumentException("realTime=" + realTime + " must be more than zero");
        }
        limit = realTime;
        return this;
    }

    /**
     * Has the order be that of an earlier run, see {@link Strategy#replay}.
     *
     * @param trace the trace of that run
     * @return this
     * @throws IllegalArgumentException if it is no trace, or one of another version of the kit
     */
    public TestRuntimeBuilder replay(String trace) {
        return strategy(Strategy.replay(trace), "order: the replayed one");
    }

    /**
     * Sets how many steps a test may take: a step is a run of a task, or a point it reaches. One that takes more fails with
     * a {@link ScheduleError} of kind livelock, which tells what each task does.
     *
     * @param steps at least 1; unbounded unless set, and 1,000,000 under {@link Explore}
     * @return this
     * @throws IllegalArgumentException if it is below 1
     */
    public TestRuntimeBuilder maxSteps(long steps) {
        if (steps < 1) {
            throw new IllegalArgumentException("steps=" + steps + " must be at least 1");
        }
        maxSteps = steps;
        return this;
    }

    /**
     * Sets what {@link TestRuntime#finish} does about what is left.
     *
     * @param policy {@link LeakPolicy#IGNORE} unless set
     * @return this
     */
    public TestRuntimeBuilder leaks(LeakPolicy policy) {
        leaks = policy;
        return this;
    }

    /**
     * {@return a runtime}
     *
     * @throws IllegalStateException if the JVM was not started with the flag that opens its schedulers; the message has it
     */
    public TestRuntime build() {
        return new TestRuntime(this, strategy == null ? Strategy.fifo() : strategy, order);
    }

    long limitNanos() {
        return TimerService.toNanos(limit);
    }
}
