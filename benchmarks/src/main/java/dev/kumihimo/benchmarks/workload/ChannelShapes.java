package dev.kumihimo.benchmarks.workload;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Channel workloads whose shape is the same in every Java column. The chain and the pairs are those of Jox's own
 * benchmarks.
 *
 * @param channels the library's channels
 * @param tasks makes a group of tasks on the runtime under measurement
 * @param <C> the type of the channels
 */
record ChannelShapes<C>(Channels<C> channels, Supplier<Tasks> tasks) {
    /** Channels in a chain, and pairs of tasks side by side; the name of the workload says so. */
    private static final int MANY = 10_000;

    /** Adds all shapes to the workloads of a column. */
    void addTo(Workloads workloads) {
        workloads.add("park_ping_pong", this::pingPong);
        for (int capacity : new int[] {1, 16, 100, 128, 1024}) {
            workloads.add("channel_1x1_cap" + capacity, n -> transfer(1, capacity, n));
        }
        workloads.add("channel_8x1_cap128", n -> transfer(8, 128, n));
        workloads.add("rendezvous", n -> transfer(1, 0, n));
        workloads.add("unbounded_1x1", n -> transfer(1, Queues.UNBOUNDED, n));
        addJoxTo(workloads);
    }

    /** Adds those that Jox measures itself with and no other workload stands for. */
    void addJoxTo(Workloads workloads) {
        for (int capacity : new int[] {0, 16, 100}) {
            workloads.add("chained_10000_cap" + capacity, n -> chained(capacity, n));
            workloads.add("parallel_10000_cap" + capacity, n -> parallel(capacity, n));
        }
    }

    private void pingPong(int n) throws InterruptedException {
        var pings = channels.open(1);
        var pongs = channels.open(1);
        tasks.get()
                .start(() -> {
                    for (int i = 0; i < n; i++) {
                        channels.send(pings, Workloads.ITEM);
                        Workloads.check(channels.receive(pongs));
                    }
                })
                .start(() -> {
                    for (int i = 0; i < n; i++) {
                        channels.send(pongs, channels.receive(pings));
                    }
                })
                .join();
    }

    void transfer(int producers, int capacity, int n) throws InterruptedException {
        var channel = channels.open(capacity);
        int each = n / producers;
        tasks.get()
                .start(() -> receive(channel, each * producers))
                .start(producers, () -> send(channel, each))
                .join();
    }

    /** Each item passes through every channel, from task to task: an operation is one such passage. */
    private void chained(int capacity, int n) throws InterruptedException {
        int items = Math.max(1, n / MANY);
        List<C> chain = new ArrayList<>(MANY);
        for (int i = 0; i < MANY; i++) {
            chain.add(channels.open(capacity));
        }
        var group = tasks.get();
        group.start(() -> send(chain.getFirst(), items));
        for (int i = 1; i < MANY; i++) {
            var from = chain.get(i - 1);
            var to = chain.get(i);
            group.start(() -> {
                for (int item = 0; item < items; item++) {
                    channels.send(to, channels.receive(from));
                }
            });
        }
        group.start(() -> receive(chain.getLast(), items));
        group.join();
    }

    /** As many pairs of a producer and a consumer, each with a channel of its own. */
    private void parallel(int capacity, int n) throws InterruptedException {
        int items = Math.max(1, n / MANY);
        var group = tasks.get();
        for (int i = 0; i < MANY; i++) {
            var channel = channels.open(capacity);
            group.start(() -> send(channel, items));
            group.start(() -> receive(channel, items));
        }
        group.join();
    }

    private void send(C channel, int items) throws InterruptedException {
        for (int i = 0; i < items; i++) {
            channels.send(channel, Workloads.ITEM);
        }
    }

    private void receive(C channel, int items) throws InterruptedException {
        for (int i = 0; i < items; i++) {
            Workloads.check(channels.receive(channel));
        }
    }
}
