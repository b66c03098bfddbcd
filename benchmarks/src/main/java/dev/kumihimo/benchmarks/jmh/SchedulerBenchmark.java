package dev.kumihimo.benchmarks.jmh;

import org.openjdk.jmh.annotations.Param;

/** A workload that Kumihimo offers as well as the JDK, each with its own scheduler and primitives. */
public abstract class SchedulerBenchmark extends WorkloadBenchmark {
    @Param({"kumihimo", "jdk"})
    public String scheduler = "kumihimo";

    @Override
    protected final String column() {
        return scheduler;
    }
}
