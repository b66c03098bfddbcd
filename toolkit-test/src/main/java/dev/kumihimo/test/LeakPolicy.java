package dev.kumihimo.test;

/**
 * What becomes of a test that leaves something behind: tasks that live, permits that are held, timers that are armed, sockets
 * that are open, failures that nobody has seen.
 *
 * <pre>{@code
 * TestRuntime test = TestRuntime.builder().leaks(LeakPolicy.FAIL).build();
 * }</pre>
 *
 * @since 0.1
 */
public enum LeakPolicy {
    /** It fails, and the failure tells each with where it was made. */
    FAIL,
    /** Nothing is looked at. */
    IGNORE
}
