package dev.kumihimo.benchmarks.workload;

import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import java.time.Duration;

/** A Kumihimo runtime. */
final class KumihimoHost implements Host {
    private final TaskRuntime runtime;

    KumihimoHost(int carriers) {
        this.runtime = KumihimoWorkloads.runtime(carriers);
    }

    @Override
    public Tasks tasks() {
        return new KumihimoTasks(runtime);
    }

    @Override
    public Channels<?> channels() {
        return new KumihimoChannels();
    }

    @Override
    public void yieldNow() {
        Task.yieldNow();
    }

    @Override
    public void sleepOneMilli() throws InterruptedException {
        Task.sleep(Duration.ofMillis(1));
    }

    @Override
    public long runBlocking() throws InterruptedException {
        var end = new long[1];
        Task.<RuntimeException>blocking(() -> end[0] = System.nanoTime());
        return end[0];
    }

    @Override
    public void close() {
        runtime.close();
    }
}
