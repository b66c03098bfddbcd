package dev.kumihimo.test;

/**
 * What a {@link TestRuntime} does about tasks that wait for a real socket, the toolkit's or the JDK's, when nothing else can
 * run: its clock could jump over an answer that is under way.
 *
 * <pre>{@code
 * TestRuntime.builder().externalIo(ExternalIo.INHIBIT).build();
 * }</pre>
 *
 * <p>What comes from a socket comes when it does: a run that has used one is not repeated by its seed, and says so.
 *
 * @since 0.1
 */
public enum ExternalIo {
    /**
     * There is none: who opens a socket of the toolkit's gets an {@link IllegalStateException}, who waits for one of the JDK's
     * ends the run, and both are told with the task and the place. For runs that are to be repeated.
     */
    FORBID,

    /**
     * The clock stands while a task waits for a socket, and the run fails if that takes longer than the patience, 1 s unless
     * set.
     */
    INHIBIT,

    /**
     * Time passes once nothing has come for the patience, 25 ms of real time unless set. Each jump of the clock waits that
     * long.
     */
    GRACE
}
