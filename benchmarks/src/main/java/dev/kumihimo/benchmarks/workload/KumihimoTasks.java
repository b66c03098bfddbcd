package dev.kumihimo.benchmarks.workload;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;

/** Tasks of a Kumihimo runtime. */
final class KumihimoTasks implements Tasks {
    private final TaskRuntime runtime;
    private final List<JoinHandle<?>> handles = new ArrayList<>();

    KumihimoTasks(TaskRuntime runtime) {
        this.runtime = runtime;
    }

    @Override
    public Tasks start(Body body) {
        handles.add(runtime.spawn(body::run));
        return this;
    }

    @Override
    public void join() throws InterruptedException {
        for (var handle : handles) {
            try {
                handle.join();
            } catch (ExecutionException e) {
                throw new IllegalStateException(e.getCause());
            }
        }
    }
}
