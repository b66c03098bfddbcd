package dev.kumihimo.test;

/**
 * What a {@link TestRuntime} does about tasks that wait for a time in the JDK: {@code Thread.sleep}, {@code tryAcquire} or
 * {@code poll} with a timeout, a socket with one.
 *
 * <pre>{@code
 * TestRuntime.builder().jdkTimers(JdkTimers.FORBID).build();
 * }</pre>
 *
 * @since 0.1
 */
public enum JdkTimers {
    /**
     * They take their time in real time, and the clock stands meanwhile. On Java 25 and later they end in the order of their
     * times, counted in whole milliseconds and as if what runs took none, so that a seed replays it; before, in the order in
     * which threads of the JDK's wake them. What follows a failure tells of the first.
     */
    REAL,

    /** The first ends the run, told with the task, the call and its place. */
    FORBID
}
