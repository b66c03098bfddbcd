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
    /** At random, all that are ready being equally likely, also at each point; the first schedule is that of {@link #FIFO}. */
    RANDOM,
    /**
     * All schedules in which tasks are switched at points no more often than {@link AsyncTest#preemptions()} says, up to
     * {@link AsyncTest#schedules()}, or 100,000 if that is 1.
     */
    PREEMPTIONS,
    /** A mixture, for who does not want to choose. One run is {@link #RANDOM}. */
    PORTFOLIO
}
