package dev.kumihimo.benchmarks.workload;

/**
 * One library's channels, for workloads whose shape is the same for all of them. A program runs one implementation, so
 * that the compiler sees through these calls.
 *
 * @param <C> the type of its channels
 */
interface Channels<C> {
    /** A channel with a buffer of the given size; 0 for none. */
    C open(int capacity);

    void send(C channel, Object item) throws InterruptedException;

    Object receive(C channel) throws InterruptedException;
}
