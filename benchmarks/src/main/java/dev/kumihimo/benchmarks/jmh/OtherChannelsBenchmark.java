package dev.kumihimo.benchmarks.jmh;

import java.util.concurrent.ExecutionException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/** Many producers, no buffer, and a buffer without bound. */
public class OtherChannelsBenchmark extends SchedulerBenchmark {
    @Benchmark
    @OperationsPerInvocation(100_000)
    public void eightToOne() throws InterruptedException, ExecutionException {
        run("channel_8x1_cap128", 100_000);
    }

    @Benchmark
    @OperationsPerInvocation(100_000)
    public void rendezvous() throws InterruptedException, ExecutionException {
        run("rendezvous", 100_000);
    }

    @Benchmark
    @OperationsPerInvocation(100_000)
    public void unbounded() throws InterruptedException, ExecutionException {
        run("unbounded_1x1", 100_000);
    }
}
