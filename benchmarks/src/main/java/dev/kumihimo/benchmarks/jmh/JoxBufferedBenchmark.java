package dev.kumihimo.benchmarks.jmh;

import java.util.concurrent.ExecutionException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;

/** One of Jox's own: one producer, one consumer, a buffer between them. */
public class JoxBufferedBenchmark extends ImplementationBenchmark {
    @Param({"16", "100"})
    public int capacity;

    @Benchmark
    @OperationsPerInvocation(1_000_000)
    public void buffered() throws InterruptedException, ExecutionException {
        run("channel_1x1_cap" + capacity, 1_000_000);
    }
}
