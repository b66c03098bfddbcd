package dev.kumihimo.benchmarks.workload;

import dev.kumihimo.runtime.TaskRuntime;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The channel workloads with a queue of {@code java.util.concurrent}, on Kumihimo's carriers or on the JDK's: what the
 * scheduler alone, or the queue alone, makes of them. {@link JdkWorkloads} has array queues on the JDK's scheduler.
 */
final class QueueWorkloads extends Workloads {
    private final @Nullable TaskRuntime runtime;

    private QueueWorkloads(String column, Queues queues, @Nullable TaskRuntime runtime) {
        super(column);
        this.runtime = runtime;
        Supplier<Tasks> tasks = runtime == null ? VirtualThreads::new : () -> new KumihimoTasks(runtime);
        new ChannelShapes<>(queues, tasks).addTo(this);
    }

    static QueueWorkloads onJdk(String column, Queues queues) {
        return new QueueWorkloads(column, queues, null);
    }

    static QueueWorkloads onKumihimo(String column, Queues queues) {
        return new QueueWorkloads(column, queues, KumihimoWorkloads.runtime(Program.workers()));
    }

    @Override
    public <T> T onRootTask(Callable<T> body) throws InterruptedException, ExecutionException {
        return runtime == null
                ? VirtualThreads.call(body)
                : runtime.spawn(body::call).join();
    }

    @Override
    public void close() {
        if (runtime != null) {
            runtime.close();
        }
    }
}
