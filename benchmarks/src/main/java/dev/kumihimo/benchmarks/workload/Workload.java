package dev.kumihimo.benchmarks.workload;

/** One workload of one column. */
@FunctionalInterface
public interface Workload {
    /**
     * Performs the given number of operations and returns when all of them are done. Called on a task of the runtime
     * under measurement.
     */
    void run(int operations) throws Exception;
}
