package dev.kumihimo.benchmarks.jmh;

import java.util.concurrent.ExecutionException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/** A chain of tasks, each of which spawns the next. */
public class ChainedSpawnBenchmark extends SchedulerBenchmark {
    @Benchmark
    @OperationsPerInvocation(100_000)
    public void chainedSpawn() throws InterruptedException, ExecutionException {
        run("chained_spawn", 100_000);
    }
}
