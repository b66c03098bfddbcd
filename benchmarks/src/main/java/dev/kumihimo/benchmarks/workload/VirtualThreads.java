package dev.kumihimo.benchmarks.workload;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Virtual threads on the JDK's own scheduler. */
final class VirtualThreads implements Tasks {
    private final List<Thread> threads = new ArrayList<>();

    /** Runs the body on a virtual thread and waits for it. */
    static <T> T call(Callable<T> body) throws InterruptedException, ExecutionException {
        var task = new FutureTask<>(body);
        Thread.startVirtualThread(task);
        return task.get();
    }

    @Override
    public VirtualThreads start(Body body) {
        threads.add(Thread.startVirtualThread(() -> {
            try {
                body.run();
            } catch (InterruptedException e) {
                throw new IllegalStateException("nobody interrupts a workload", e);
            }
        }));
        return this;
    }

    @Override
    public void join() throws InterruptedException {
        for (var thread : threads) {
            thread.join();
        }
    }
}
