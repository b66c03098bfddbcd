package dev.kumihimo.benchmarks.jmh;

import java.util.concurrent.ExecutionException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;

/** One of Jox's own: items pass through a chain of 10,000 channels, from task to task. */
public class JoxChainedBenchmark extends ImplementationBenchmark {
    @Param({"0", "16", "100"})
    public int capacity;

    @Benchmark
    @OperationsPerInvocation(5_000_000)
    public void chained() throws InterruptedException, ExecutionException {
        run("chained_10000_cap" + capacity, 5_000_000);
    }
}
