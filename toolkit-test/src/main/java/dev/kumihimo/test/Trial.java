package dev.kumihimo.test;

/**
 * What {@link Explore} does under each schedule, if that is more than to run a body: it drives the runtime itself.
 *
 * <pre>{@code
 * Explore.seeds(1_000).runTrials(test -> {
 *     var consumer = test.runtime().spawn(() -> consume());
 *     test.run(() -> produce());
 *     assertThat(test.isWaiting(consumer)).isTrue();
 * });
 * }</pre>
 *
 * @since 0.1
 */
@FunctionalInterface
public interface Trial {
    /**
     * Makes what it needs anew, and runs it.
     *
     * @param test a runtime for this schedule alone, which is closed afterwards
     * @throws Exception if the schedule has shown a fault
     */
    void run(TestRuntime test) throws Exception;
}
