package dev.kumihimo.benchmarks.jmh;

import dev.kumihimo.benchmarks.workload.Heap;
import dev.kumihimo.benchmarks.workload.ParkedTasks;
import java.util.concurrent.ExecutionException;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** A million parked tasks with their handles: the heap they take, and the time to park, measure, wake and join them. */
@BenchmarkMode(Mode.SingleShotTime)
@Warmup(iterations = 1)
@Measurement(iterations = 3)
public class ParkedTaskBenchmark extends SchedulerBenchmark {
    private static final int TASKS = 1_000_000;

    /** Reported beside the time. */
    @AuxCounters(AuxCounters.Type.EVENTS)
    @State(Scope.Thread)
    public static class Memory {
        public double bytesPerTask;
    }

    @Benchmark
    @OperationsPerInvocation(TASKS)
    public void parkWakeAndJoin(Memory memory) throws InterruptedException, ExecutionException {
        long before = Heap.inUse();
        ParkedTasks parked = workloads().onRootTask(() -> workloads().park(TASKS));
        memory.bytesPerTask = (double) (Heap.inUse() - before) / TASKS;
        workloads().onRootTask(() -> {
            parked.wakeAndJoin();
            return true;
        });
    }
}
