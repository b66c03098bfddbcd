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
    boolean cycles = true;

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
        return strategy(
                Strategy.random(seed),
                "seed " + Seeds.show(seed) + ": replay with TestRuntime.seeded(" + Seeds.show(seed) + "L) or -D"
                        + Seeds.PROPERTY + "=" + Seeds.show(seed));
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
     * Sets whether a run fails as soon as tasks wait for each other with no deadline among them, also while others go on: each
     * for a mutex, a lock, a task's end or a value in the making that only another of them can give up. It is for a test in which
     * somebody is meant to abort such a task later.
     *
     * @param fail true unless set; false to fail only when nothing can run any more
     * @return this
     */
    public TestRuntimeBuilder failOnCycles(boolean fail) {
        cycles = fail;
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
