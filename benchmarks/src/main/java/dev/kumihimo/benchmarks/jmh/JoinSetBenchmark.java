package dev.kumihimo.benchmarks.jmh;

import java.util.concurrent.ExecutionException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/** Spawning into a set and joining in completion order. */
public class JoinSetBenchmark extends SchedulerBenchmark {
    @Benchmark
    @OperationsPerInvocation(100_000)
    public void spawnAndJoinNext() throws InterruptedException, ExecutionException {
        run("joinset", 100_000);
    }
}
