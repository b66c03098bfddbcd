package dev.kumihimo.benchmarks.jmh;

import java.util.concurrent.ExecutionException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/** A ping and a pong: with a task just spawned, and between two tasks that wait for each other in turn. */
public class PingPongBenchmark extends SchedulerBenchmark {
    @Benchmark
    @OperationsPerInvocation(100_000)
    public void spawnPingPong() throws InterruptedException, ExecutionException {
        run("spawn_ping_pong", 100_000);
    }

    @Benchmark
    @OperationsPerInvocation(100_000)
    public void parkPingPong() throws InterruptedException, ExecutionException {
        run("park_ping_pong", 100_000);
    }
}
