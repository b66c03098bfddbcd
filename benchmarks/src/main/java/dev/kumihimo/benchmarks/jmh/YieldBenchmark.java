package dev.kumihimo.benchmarks.jmh;

import java.util.concurrent.ExecutionException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/** 200 tasks that yield. */
public class YieldBenchmark extends SchedulerBenchmark {
    @Benchmark
    @OperationsPerInvocation(200_000)
    public void yieldNow() throws InterruptedException, ExecutionException {
        run("yield", 200_000);
    }
}
