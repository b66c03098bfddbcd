package dev.kumihimo.benchmarks.workload;

/** Many tasks that wait for one gate, with the handles that join them. */
@FunctionalInterface
public interface ParkedTasks {
    /** Opens the gate and joins every task. */
    void wakeAndJoin() throws Exception;
}
