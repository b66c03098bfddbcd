package dev.kumihimo.benchmarks.jmh;

import java.util.concurrent.ExecutionException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/** Spawning empty tasks and waiting for all of them. */
public class SpawnBenchmark extends SchedulerBenchmark {
    @Benchmark
    @OperationsPerInvocation(100_000)
    public void spawnMany() throws InterruptedException, ExecutionException {
        run("spawn_many", 100_000);
    }
}
