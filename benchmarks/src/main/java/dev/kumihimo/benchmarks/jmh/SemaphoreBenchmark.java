package dev.kumihimo.benchmarks.jmh;

import java.util.concurrent.ExecutionException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/** Eight tasks and two permits. */
public class SemaphoreBenchmark extends SchedulerBenchmark {
    @Benchmark
    @OperationsPerInvocation(100_000)
    public void uncontended() throws InterruptedException, ExecutionException {
        run("semaphore_uncontended", 100_000);
    }

    @Benchmark
    @OperationsPerInvocation(100_000)
    public void yieldInside() throws InterruptedException, ExecutionException {
        run("semaphore_yield", 100_000);
    }
}
