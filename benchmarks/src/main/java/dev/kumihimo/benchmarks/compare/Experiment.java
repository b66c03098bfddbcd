package dev.kumihimo.benchmarks.compare;

import static dev.kumihimo.benchmarks.compare.Target.absolutelyAtMost;
import static dev.kumihimo.benchmarks.compare.Target.atLeast;
import static dev.kumihimo.benchmarks.compare.Target.atMost;

import java.util.List;

/** What is run once per round and column. */
public sealed interface Experiment {
    /** What the option {@code --workloads} selects by. */
    String name();

    /** What a column's program must offer for it. */
    String requires();

    List<Measure> measures();

    /**
     * A workload that the column's program times itself.
     *
     * @param operations how many operations make one iteration
     */
    record Timed(String name, int operations, List<Measure> measures) implements Experiment {
        @Override
        public String requires() {
            return name;
        }

        /** The operations of an iteration that only shows that the program works. */
        int fewOperations() {
            return Math.max(1_000, operations / 100);
        }
    }

    /**
     * A server that the column's program offers, under load from outside.
     *
     * @param connections how many connections are kept open
     */
    record Served(String name, int connections, List<Measure> measures) implements Experiment {
        @Override
        public String requires() {
            return "http_hello";
        }
    }

    /** All experiments, with the targets of the project for each of their figures. */
    List<Experiment> ALL = List.of(
            timed("spawn_many", 1_000_000, atMost(0.6, "tokio"), atMost(0.5, "jdk")),
            timed("joinset", 300_000, atMost(0.9, "tokio")),
            timed("yield", 200_000, atMost(2.0, "tokio"), atMost(0.4, "jdk")),
            timed("chained_spawn", 100_000, atMost(1.0, "tokio")),
            timed("spawn_ping_pong", 100_000, atMost(1.2, "tokio")),
            timed("park_ping_pong", 100_000, atMost(1.5, "tokio"), atMost(0.25, "jox")),
            timed("channel_1x1_cap1", 300_000, atMost(0.6, "tokio"), atMost(1.1, "go"), atMost(0.6, "jox")),
            timed("channel_1x1_cap16", 1_000_000, atMost(0.5, "tokio"), atMost(0.7, "go"), atMost(0.3, "jox")),
            timed("channel_1x1_cap128", 1_000_000, atMost(0.5, "tokio"), atMost(0.7, "go"), atMost(0.3, "jox")),
            timed("channel_1x1_cap1024", 1_000_000, atMost(0.5, "tokio"), atMost(0.7, "go"), atMost(0.3, "jox")),
            timed("channel_8x1_cap128", 1_000_000, atMost(0.4, "tokio"), atMost(1.0, "go"), atMost(0.3, "jox")),
            timed("rendezvous", 300_000, atMost(0.4, "jox")),
            timed("unbounded_1x1", 1_000_000),
            timed("select2", 400_000, atMost(0.4, "jox")),
            timed("semaphore_uncontended", 1_000_000, atMost(0.4, "tokio")),
            timed("semaphore_yield", 200_000, atMost(1.2, "tokio")),
            timed("timeout", 1_000_000, atMost(0.6, "tokio")),
            new Timed(
                    "parked_heap",
                    1_000_000,
                    List.of(
                            new Measure("parked_heap", Measure.Unit.BYTES_PER_TASK, List.of(absolutelyAtMost(1_000))),
                            Measure.nanos("parked_wake"))),
            served(64),
            served(512));

    private static Experiment timed(String name, int operations, Target... targets) {
        return new Timed(name, operations, List.of(Measure.nanos(name, targets)));
    }

    private static Experiment served(int connections) {
        return new Served(
                "http_hello_" + connections,
                connections,
                List.of(
                        new Measure(
                                "http_hello_" + connections,
                                Measure.Unit.REQUESTS_PER_SECOND,
                                List.of(atLeast(1.0, "tokio"), atLeast(1.05, "netty_epoll"), atLeast(1.3, "jdk"))),
                        new Measure(
                                "http_cpu_" + connections,
                                Measure.Unit.CPU_MICROS_PER_REQUEST,
                                List.of(atMost(1.15, "tokio")))));
    }
}
