package dev.kumihimo.benchmarks.jmh;

import java.util.concurrent.ExecutionException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;

/** One of Jox's own: 10,000 pairs of a producer and a consumer, each with a channel of its own. */
public class JoxParallelBenchmark extends ImplementationBenchmark {
    @Param({"0", "16", "100"})
    public int capacity;

    @Benchmark
    @OperationsPerInvocation(5_000_000)
    public void parallel() throws InterruptedException, ExecutionException {
        run("parallel_10000_cap" + capacity, 5_000_000);
    }
}
