package dev.kumihimo.test;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.runtime.VoidBody;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs a body under many schedules, each in a new {@link TestRuntime}, and stops at the first that fails.
 *
 * <pre>{@code
 * Explore.portfolio(1_000).run(() -> {      // 1,000 schedules of all kinds, the same ones each time
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
 * behind does not end when it is aborted.
 *
 * <h2>What a failure tells</h2>
 *
 * <p>A failure is run again, with fewer and fewer switches at points, for up to two seconds (see {@link #shrink}). It tells the
 * seed, if there was one; how many switches it had and how many it takes; the trace of the shrunken run, with which it is
 * replayed on any JDK; and what each task did there, in columns. Replay it with {@link #replay}, or, of one test alone, with
 * one of these, each as a system property or as an environment variable:
 *
 * <ul>
 *   <li>{@code kumihimo.test.seed}, {@code KUMIHIMO_TEST_SEED}: the seeds are reduced to this one (decimal, or hexadecimal after
 *       {@code 0x}), used as the exploration uses it; {@code random} begins at another one each time.
 *   <li>{@code kumihimo.test.replay}, {@code KUMIHIMO_TEST_REPLAY}: a trace, or the name of a file with one. Nothing else is run.
 * </ul>
 *
 * <p>The property {@code kumihimo.test.trace} names a directory into which each failure writes its trace.
 *
 * <p>The properties {@code kumihimo.test.schedules} and {@code kumihimo.test.budget} multiply the counts and budgets, as in
 * {@code 10x}, for runs at night.
 *
 * <p>The schedules are run on a thread of the kit's; the caller waits for it, and an interrupt ends the exploration.
 *
 * @since 0.1
 */
public final class Explore {
    private static final int MOST_OF_SEARCH = 100_000;

    /** As many schedules as the time allows. */
    static final int UNBOUNDED = Integer.MAX_VALUE - 1;

    private final Kind kind;
    private final int parameter; // the bound, or the depth
    private final String trace;
    private int most;
    private @Nullable Long first;
    private long[] regressions = {};
    private long budget = Long.MAX_VALUE;
    private long shrink = TimerService.toNanos(Duration.ofSeconds(2));
    private boolean checksDeterminism = true;
    private String name = "schedule";
    private Consumer<TestRuntimeBuilder> settings = builder -> {};

    private enum Kind {
        FIFO,
        SEEDS,
        PCT,
        PREEMPTIONS,
        PORTFOLIO,
        REPLAY
    }

    private Explore(Kind kind, int parameter, String trace) {
        this.kind = kind;
        this.parameter = parameter;
        this.trace = trace;
    }

    /** {@return a run in first in, first out order, and the seeds that have failed before} */
    static Explore fifo() {
        return new Explore(Kind.FIFO, 0, "").atMost(1);
    }

    /**
     * {@return an exploration of random schedules, after one in first in, first out order}
     *
     * @param count how many seeds, at least 1
     * @throws IllegalArgumentException if the count is below 1
     */
    public static Explore seeds(int count) {
        return new Explore(Kind.SEEDS, 0, "").atMost(count);
    }

    /**
     * {@return an exploration by probabilistic concurrency testing, after one schedule in first in, first out order, whose
     * number of choices is what {@link Strategy#pct(long, int, int)} goes by}
     *
     * @param count how many seeds, at least 1
     * @param depth the depth of the bugs it looks for, at least 1; 3 finds most
     * @throws IllegalArgumentException if one of them is below 1
     */
    public static Explore pct(int count, int depth) {
        Strategy.pct(0, depth, 1); // throws
        return new Explore(Kind.PCT, depth, "").atMost(count);
    }

    /**
     * {@return an exploration of all schedules in which tasks are switched at points no more than so many times} Those without a
     * switch come first, then those with one, and so on. Where a task parks, yields or ends, each of those ready is tried, at
     * no cost; but a task that has yielded twice in a row or more, and done nothing else that lets others run, counts as one
     * that waits for others: to run it before those that do not costs a switch. So a loop that yields until something happens
     * comes to an end.
     *
     * @param bound how many switches at points, 0 or more; 2 find most bugs, and each more costs a factor of the number of
     *     points
     * @throws IllegalArgumentException if the bound is negative
     */
    public static Explore preemptions(int bound) {
        if (bound < 0) {
            throw new IllegalArgumentException("bound=" + bound + " must be 0 or more");
        }
        return new Explore(Kind.PREEMPTIONS, bound, "").atMost(MOST_OF_SEARCH);
    }

    /**
     * {@return an exploration in all ways: first in first out, last in first out and round robin, once each; then, in turns,
     * those with at most one switch at a point, one schedule in four as long as there are more of them; random ones; and
     * probabilistic concurrency testing of depth 2, 3 and 5; which of these, depends on the seed alone}
     *
     * @param count how many schedules, at least 1
     * @throws IllegalArgumentException if the count is below 1
     */
    public static Explore portfolio(int count) {
        return new Explore(Kind.PORTFOLIO, 0, "").atMost(count);
    }

    /**
     * {@return one schedule, that of an earlier run} Where it leaves that, it fails and tells how.
     *
     * @param trace the trace, as a failure tells it
     * @throws IllegalArgumentException if it is none, or one of another version of the kit
     */
    public static Explore replay(String trace) {
        Strategy.replay(trace); // throws
        return new Explore(Kind.REPLAY, 0, trace);
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
     * Sets after how much real time it stops, if it has not run all its schedules by then.
     *
     * @param realTime more than zero; no bound unless set
     * @return this
     * @throws IllegalArgumentException if it is zero or negative
     */
    public Explore budget(Duration realTime) {
        if (realTime.isZero() || realTime.isNegative()) {
            throw new IllegalArgumentException("realTime=" + realTime + " must be more than zero");
        }
        budget = TimerService.toNanos(realTime);
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
     * Has random schedules run before the others, after the one in order, whatever the budget: seeds that have failed before.
     *
     * @param seeds any numbers, of {@link Strategy#random}
     * @return this
     */
    public Explore regressions(long... seeds) {
        regressions = seeds.clone();
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
     * Sets how much real time goes into shrinking a failure.
     *
     * @param realTime zero, for none, or more; 2 s unless set
     * @return this
     * @throws IllegalArgumentException if it is negative
     */
    public Explore shrink(Duration realTime) {
        if (realTime.isNegative()) {
            throw new IllegalArgumentException("realTime=" + realTime + " must not be negative");
        }
        shrink = TimerService.toNanos(realTime);
        return this;
    }

    /**
     * Sets whether the first 10 schedules are run twice, and must go the same way. What is done but once in a JVM is forgiven.
     *
     * @param check true unless set
     * @return this
     */
    public Explore checkDeterminism(boolean check) {
        checksDeterminism = check;
        return this;
    }

    /**
     * Sets what the files with traces are called.
     *
     * @param name the name; what no file can be called is replaced
     * @return this
     */
    public Explore named(String name) {
        this.name = name;
        return this;
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
     * @param schedules how many were run, without those that were run twice to compare them, and regressions
     * @param distinct how many of them differed
     * @param exhausted whether these were all there are within the bound of {@link #preemptions}; false otherwise
     * @param exhaustedBound the highest number of switches at points, all schedules with which were run, where the exploration
     *     included a search for them; else -1
     * @param strategies how many schedules each strategy has run
     * @since 0.1
     */
    public record Result(
            int schedules, int distinct, boolean exhausted, int exhaustedBound, Map<String, Integer> strategies) {
        /** {@return what was explored, as a line for a report} */
        @Override
        public String toString() {
            return schedules + " schedules, " + distinct + " of them distinct"
                    + (exhaustedBound < 0 ? "" : ", EXHAUSTED at bound " + exhaustedBound) + " " + strategies;
        }
    }

    /**
     * Explores.
     *
     * @param body what is run as the task {@code main} of each runtime
     * @return what was explored, if nothing failed
     * @throws ScheduleError if a schedule fails; its cause is what the body threw. Or if a schedule run twice goes different
     *     ways, or the one replayed leaves its trace
     * @throws IllegalArgumentException if one of the properties or variables has no value that it can have
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
        return new Exploration(this, plan(), trial).run();
    }

    private Plan plan() {
        String replayed = kind == Kind.REPLAY ? trace : Replays.given();
        if (replayed != null) {
            return Plan.replay(replayed);
        }
        int count = count();
        Long given = Seeds.given();
        long from = first != null ? first : Seeds.isRandom() ? Seeds.fresh() : 0;
        return switch (kind) {
            case FIFO -> given == null ? Plan.fifo(regressions) : Plan.seeds(given, 1, regressions, given);
            case SEEDS -> Plan.seeds(from, count, regressions, given);
            case PCT -> Plan.pct(parameter, from, count, regressions, given);
            case PORTFOLIO -> Plan.portfolio(from, count, regressions, given);
            default -> Plan.preemptions(parameter, count, regressions);
        };
    }

    private int count() {
        return Scale.times(most, Scale.SCHEDULES);
    }

    /* ---------------- What an exploration asks -------------- */

    TestRuntimeBuilder builder() {
        TestRuntimeBuilder builder = TestRuntime.builder().countPoints();
        settings.accept(builder);
        return builder;
    }

    long budgetNanos() {
        return budget == Long.MAX_VALUE ? budget : Scale.times(budget, Scale.BUDGET);
    }

    long shrinkNanos() {
        return shrink;
    }

    boolean checksDeterminism() {
        return checksDeterminism;
    }

    String name() {
        return name;
    }

    String which(Plan.Attempt attempt, int number) {
        if (!attempt.counts() || kind == Kind.REPLAY) {
            return "the schedule of " + attempt.family();
        }
        return "schedule " + number + ofAll() + " (" + attempt.family() + ")";
    }

    private String ofAll() {
        if (kind == Kind.PREEMPTIONS || most >= UNBOUNDED) {
            return "";
        }
        long inOrder = kind == Kind.SEEDS || kind == Kind.PCT ? 1 : 0; // before those that are counted
        return " of " + (count() + inOrder);
    }

    Result result(int schedules, int distinct, int exhaustedBound, TreeMap<String, Integer> strategies) {
        boolean exhausted = kind == Kind.PREEMPTIONS && exhaustedBound >= parameter;
        return new Result(schedules, distinct, exhausted, exhaustedBound, Collections.unmodifiableMap(strategies));
    }
}
