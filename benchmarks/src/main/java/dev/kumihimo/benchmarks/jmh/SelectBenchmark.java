package dev.kumihimo.benchmarks.jmh;

import java.util.concurrent.ExecutionException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;

/** Receiving from whichever of two channels is ready. The JDK has nothing like it; Jox has, on the JDK's scheduler. */
public class SelectBenchmark extends WorkloadBenchmark {
    @Param({"kumihimo", "jox"})
    public String library = "kumihimo";

    @Override
    protected final String column() {
        return library;
    }

    @Benchmark
    @OperationsPerInvocation(100_000)
    public void selectOfTwo() throws InterruptedException, ExecutionException {
        run("select2", 100_000);
    }

    /** One of Jox's own: no buffer, and nothing to choose from. */
    @Benchmark
    @OperationsPerInvocation(100_000)
    public void rendezvousOfOne() throws InterruptedException, ExecutionException {
        run("select1_cap0", 100_000);
    }

    /** One of Jox's own: no buffer. */
    @Benchmark
    @OperationsPerInvocation(100_000)
    public void rendezvousOfTwo() throws InterruptedException, ExecutionException {
        run("select2_cap0", 100_000);
    }
}
