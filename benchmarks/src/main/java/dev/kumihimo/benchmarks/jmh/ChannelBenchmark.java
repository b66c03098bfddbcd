package dev.kumihimo.benchmarks.jmh;

import java.util.concurrent.ExecutionException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;

/** Passing items through a bounded channel from one producer to one consumer. */
public class ChannelBenchmark extends SchedulerBenchmark {
    @Param({"1", "16", "128", "1024"})
    public int capacity;

    @Benchmark
    @OperationsPerInvocation(100_000)
    public void oneToOne() throws InterruptedException, ExecutionException {
        run("channel_1x1_cap" + capacity, 100_000);
    }
}
