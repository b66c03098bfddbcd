package dev.kumihimo.benchmarks.workload;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;

/** The workloads of timers with something that calls back, used from virtual threads on the JDK's default scheduler. */
final class TimerWorkloads extends Workloads {
    private <T> TimerWorkloads(String column, Supplier<Timers<T>> opener) {
        super(column);
        add("sleep", Sleeps.of(opener));
        add("delay_queue", new DelayQueues<>(() -> new DelayQueues.OfTimers<>(opener.get())));
    }

    /** Its timeouts are those of the {@code jdk} column. */
    static TimerWorkloads executor(String column) {
        return new TimerWorkloads(column, Timers::executor);
    }

    static TimerWorkloads wheel(String column) {
        var workloads = new TimerWorkloads(column, Timers::wheel);
        workloads.addTimeouts(Timers::wheel);
        return workloads;
    }

    @Override
    public <T> T onRootTask(Callable<T> body) throws InterruptedException, ExecutionException {
        return VirtualThreads.call(body);
    }
}
