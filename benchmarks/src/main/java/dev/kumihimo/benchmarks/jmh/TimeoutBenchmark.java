package dev.kumihimo.benchmarks.jmh;

import java.util.concurrent.ExecutionException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/** A timeout armed and cancelled around one yield. */
public class TimeoutBenchmark extends SchedulerBenchmark {
    @Benchmark
    @OperationsPerInvocation(100_000)
    public void armAndCancel() throws InterruptedException, ExecutionException {
        run("timeout", 100_000);
    }
}
