package dev.kumihimo.test;

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
    boolean startPaused = true;
    long data;
    ExternalIo externalIo = ExternalIo.GRACE;

    @Nullable
    Duration ioPatience;

    JdkTimers jdkTimers = JdkTimers.REAL;
    Duration virtualLimit = Duration.ofNanos(Long.MAX_VALUE);
    long maxSteps = 1_000_000;
    boolean countsPoints;
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
        data = seed;
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
        ensurePositive("realTime", realTime);
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
     * Sets whether the clock stands, and jumps when nothing can run. If not, it follows real time, and moves between any two runs
     * of tasks: for what is to be seen at its true pace, and with a schedule that no seed determines.
     *
     * @param paused true unless set
     * @return this
     */
    public TestRuntimeBuilder startPaused(boolean paused) {
        startPaused = paused;
        return this;
    }

    /** Sets from which seed the data of a test come where its order has none. */
    TestRuntimeBuilder data(long seed) {
        data = seed;
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
     * Sets what is done about waits for real sockets.
     *
     * @param policy {@link ExternalIo#GRACE} unless set
     * @return this
     */
    public TestRuntimeBuilder externalIo(ExternalIo policy) {
        externalIo = policy;
        ioPatience = null;
        return this;
    }

    /**
     * Sets what is done about waits for real sockets, and how long nothing may come before it is done.
     *
     * @param policy {@link ExternalIo#GRACE} unless set
     * @param realTime more than zero
     * @return this
     * @throws IllegalArgumentException if the time is zero or negative
     */
    public TestRuntimeBuilder externalIo(ExternalIo policy, Duration realTime) {
        ensurePositive("realTime", realTime);
        externalIo = policy;
        ioPatience = realTime;
        return this;
    }

    /**
     * Sets what is done about waits in the JDK for a time.
     *
     * @param policy {@link JdkTimers#REAL} unless set
     * @return this
     */
    public TestRuntimeBuilder jdkTimers(JdkTimers policy) {
        jdkTimers = policy;
        return this;
    }

    /**
     * Sets up to what time the clock may jump: a test in which nothing can run until a later deadline fails. An end for what
     * waits for ever while something else happens now and then. Not for {@link TestRuntime#elapse}, nor for the end of a runtime.
     *
     * @param virtualTime more than zero, from when the runtime is made; the end of the clock, 292 years, unless set
     * @return this
     * @throws IllegalArgumentException if it is zero or negative
     */
    public TestRuntimeBuilder virtualLimit(Duration virtualTime) {
        ensurePositive("virtualTime", virtualTime);
        virtualLimit = virtualTime;
        return this;
    }

    /**
     * Sets how many steps each driving method may take before it fails as a livelock: runs of tasks, until they park, yield or
     * end; under {@link Explore} also the points that they pass.
     *
     * @param steps at least 1; 1,000,000 unless set
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

    private static void ensurePositive(String name, Duration duration) {
        if (duration.isZero() || duration.isNegative()) {
            throw new IllegalArgumentException(name + "=" + duration + " must be more than zero");
        }
    }

    /** Has points count as steps, too: a task that passes them for ever under a strategy that never switches is found so. */
    TestRuntimeBuilder countPoints() {
        countsPoints = true;
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
        return TestRuntime.limitNanos(limit);
    }
}
