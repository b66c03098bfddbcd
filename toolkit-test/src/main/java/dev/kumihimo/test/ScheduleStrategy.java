package dev.kumihimo.test;

/**
 * How an {@link AsyncTest} goes through schedules.
 *
 * <pre>{@code
 * @AsyncTest(strategy = ScheduleStrategy.PREEMPTIONS, preemptions = 2)
 * void handOverIsNeverLost() { ... }
 * }</pre>
 *
 * @since 0.1
 */
public enum ScheduleStrategy {
    /** First ready, first run, and nobody is interrupted at a point: one schedule, however many are asked for. */
    FIFO,
    /** At random, all that are ready being equally likely, also at each point; the first of several is that of {@link #FIFO}. */
    RANDOM,
    /**
     * At random by priorities (PCT, Burckhardt and others 2010): who has the highest runs on, and {@link AsyncTest#depth()} - 1
     * times one falls to the lowest. Finds what takes few switches at the right places, however long the test.
     */
    PCT,
    /**
     * All schedules in which tasks are switched at points no more often than {@link AsyncTest#preemptions()} says, up to
     * {@link AsyncTest#schedules()}, or 100,000 if that is 1.
     */
    PREEMPTIONS,
    /** A mixture of all these, see {@link Explore#portfolio}, for who does not want to choose. One run is {@link #RANDOM}. */
    PORTFOLIO
}
