package dev.kumihimo.benchmarks.jmh;

import dev.kumihimo.benchmarks.workload.Workloads;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What the benchmarks have in common: each invocation runs a whole workload on a root task of one scheduler. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 2,
        jvmArgs = {"-XX:+UseParallelGC", "-Xms2g", "-Xmx2g", "--add-opens=java.base/java.lang=ALL-UNNAMED"})
public abstract class WorkloadBenchmark {
    private @Nullable Workloads workloads;

    /** The column whose tasks and primitives are used. */
    protected abstract String column();

    @Setup
    public void open() {
        workloads = Workloads.of(column());
    }

    @TearDown
    public void close() {
        workloads().close();
    }

    protected final Workloads workloads() {
        return Objects.requireNonNull(workloads, "opened");
    }

    protected final void run(String name, int operations) throws InterruptedException, ExecutionException {
        var workload = workloads().workload(name);
        workloads().onRootTask(() -> {
            workload.run(operations);
            return true;
        });
    }
}
