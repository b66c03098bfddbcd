package dev.kumihimo.benchmarks.jmh;

import org.openjdk.jmh.annotations.Param;

/**
 * A channel workload that every library offers: Kumihimo, Jox, {@code ArrayBlockingQueue} on the JDK's scheduler ({@code
 * jdk}) and on Kumihimo's carriers, {@code LinkedTransferQueue} on both.
 */
public abstract class ImplementationBenchmark extends WorkloadBenchmark {
    @Param({"kumihimo", "jox", "jdk", "abq_kumihimo", "ltq_jdk", "ltq_kumihimo"})
    public String implementation = "kumihimo";

    @Override
    protected final String column() {
        return implementation;
    }
}
