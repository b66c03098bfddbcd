package dev.kumihimo.benchmarks.jmh;

import java.util.concurrent.ExecutionException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/** One of Jox's own: one producer meets one consumer; {@code SynchronousQueue} where a library needs a buffer. */
public class JoxRendezvousBenchmark extends ImplementationBenchmark {
    @Benchmark
    @OperationsPerInvocation(1_000_000)
    public void rendezvous() throws InterruptedException, ExecutionException {
        run("rendezvous", 1_000_000);
    }
}
