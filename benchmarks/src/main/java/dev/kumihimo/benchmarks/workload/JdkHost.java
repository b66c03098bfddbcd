package dev.kumihimo.benchmarks.workload;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The JDK's default scheduler, which there is only one of: its carriers are set when the program starts. */
final class JdkHost implements Host {
    private final ExecutorService blocking = Executors.newCachedThreadPool();

    @Override
    public Tasks tasks() {
        return new VirtualThreads();
    }

    @Override
    public Channels<?> channels() {
        return Queues.ARRAY;
    }

    @Override
    public void yieldNow() {
        Thread.yield();
    }

    @Override
    public void sleepOneMilli() throws InterruptedException {
        Thread.sleep(1);
    }

    @Override
    public long runBlocking() throws InterruptedException {
        try {
            return blocking.submit(System::nanoTime).get();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }

    @Override
    public void close() {
        blocking.shutdown();
    }
}
