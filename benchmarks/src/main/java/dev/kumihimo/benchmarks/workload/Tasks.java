package dev.kumihimo.benchmarks.workload;

/** Tasks of the runtime under measurement, started one by one and joined together. */
interface Tasks {
    /** A body that may wait. */
    @FunctionalInterface
    interface Body {
        void run() throws InterruptedException;
    }

    /** Starts the body as a task; {@link #join} waits for it. */
    Tasks start(Body body);

    default Tasks start(int times, Body body) {
        for (int i = 0; i < times; i++) {
            start(body);
        }
        return this;
    }

    /** Waits until everything that was started has ended. */
    void join() throws InterruptedException;
}
