package dev.kumihimo.benchmarks.workload;

/** A runtime with a given number of carriers, and what the delay probes do on it. */
interface Host extends AutoCloseable {
    Tasks tasks();

    Channels<?> channels();

    void yieldNow();

    void sleepOneMilli() throws InterruptedException;

    /**
     * Runs a job that may block, elsewhere, and waits for it in the calling task.
     *
     * @return the {@link System#nanoTime} at the job's end
     */
    long runBlocking() throws InterruptedException;

    @Override
    void close();
}
