package dev.kumihimo.benchmarks.compare;

import static dev.kumihimo.benchmarks.compare.Target.absolutelyAtMost;
import static dev.kumihimo.benchmarks.compare.Target.alwaysAtMost;
import static dev.kumihimo.benchmarks.compare.Target.atLeast;
import static dev.kumihimo.benchmarks.compare.Target.atMost;

import java.util.List;
import java.util.stream.Stream;

/** What is run once per round and column. */
public sealed interface Experiment {
    /** What the option {@code --workloads} selects by. */
    String name();

    /** What a column's program must offer for it. */
    String requires();

    List<Measure> measures();

    /** Whether any of its figures has a target. */
    default boolean hasTarget() {
        return measures().stream().anyMatch(measure -> !measure.targets().isEmpty());
    }

    /** Whether a target compares it with the given column, or it is Kumihimo's and has a target. */
    default boolean isTargetOf(String column) {
        return column.equals("kumihimo") && hasTarget()
                || measures().stream()
                        .flatMap(measure -> measure.targets().stream())
                        .anyMatch(target -> column.equals(target.against()));
    }

    /** One that the column's program carries out alone and prints the figures of. */
    sealed interface Run extends Experiment {
        @Override
        default String requires() {
            return name();
        }

        /** How many operations make one iteration; few if it shall only show that the program works. */
        int operations(boolean few);

        /**
         * How long the warm-up takes at least, in milliseconds. The JDK's handshake is much Java, and is being compiled for half a
         * minute: until then a figure tells how many of the two processors the compiler has, and no two rounds agree.
         */
        default long leastWarmUpMillis() {
            return name().startsWith("tls_") ? 40_000 : 0;
        }
    }

    /**
     * A workload that the column's program times itself.
     *
     * @param operations how many operations make one iteration
     */
    record Timed(String name, int operations, List<Measure> measures) implements Run {
        @Override
        public int operations(boolean few) {
            return few ? Math.max(1_000, operations / 100) : operations;
        }
    }

    /**
     * Something else that the program measures once.
     *
     * @param size how many samples it takes, or how many of what is measured there are
     * @param few the same if it shall only show that the program works
     */
    record Probed(String name, int size, int few, List<Measure> measures) implements Run {
        @Override
        public int operations(boolean few) {
            return few ? this.few : size;
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

    /**
     * A proxy that the column's program offers, between programs that load it from both sides.
     *
     * @param load what is sent through it
     * @param connections how many connections are open at a time
     */
    record Proxied(String name, Load load, int connections, List<Measure> measures) implements Experiment {
        /** What is sent through a proxy. */
        enum Load {
            /** As many bytes as go through, one way, by {@code iperf3}. */
            BULK,
            /** Requests of {@code wrk} to the HTTP server of the column {@code jdk}. */
            REQUESTS
        }

        @Override
        public String requires() {
            return "proxy";
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
            timed("channel_1x1_cap100", 1_000_000),
            timed("channel_8x1_cap128", 1_000_000, atMost(0.4, "tokio"), atMost(1.0, "go"), atMost(0.3, "jox")),
            timed("rendezvous", 300_000, atMost(0.4, "jox")),
            timed("unbounded_1x1", 1_000_000),
            timed("select2", 400_000, atMost(0.4, "jox")),
            timed("select1_cap0", 400_000),
            timed("select2_cap0", 400_000),
            timed("chained_10000_cap0", 1_000_000),
            timed("chained_10000_cap16", 5_000_000),
            timed("chained_10000_cap100", 5_000_000),
            timed("parallel_10000_cap0", 1_000_000),
            timed("parallel_10000_cap16", 5_000_000),
            timed("parallel_10000_cap100", 5_000_000),
            timed("semaphore_uncontended", 1_000_000, atMost(0.4, "tokio")),
            timed("semaphore_yield", 200_000, atMost(1.2, "tokio")),
            timed("timeout", 1_000_000, atMost(0.6, "tokio")),
            timed("tls_bulk", 20_000, atMost(1.0, "jdk")),
            timed("tls_handshake", 2_000, atMost(1.0, "jdk")),
            timed("tls_resume", 2_000, atMost(1.0, "jdk")),
            timed("timeout_1000", 1_000_000),
            new Timed(
                    "sleep",
                    50_000,
                    List.of(cpuNanos("sleep"), new Measure("sleep_late", Measure.Unit.MILLISECONDS, List.of()))),
            new Timed("delay_queue", 100_000, List.of(cpuNanos("delay_queue"))),
            new Timed(
                    "parked_heap",
                    1_000_000,
                    List.of(
                            new Measure("parked_heap", Measure.Unit.BYTES_PER_TASK, List.of(absolutelyAtMost(1_000))),
                            Measure.nanos("parked_wake"))),
            delay("yielding", 1),
            delay("yielding", 2),
            delay("ping_pong", 1),
            delay("ping_pong", 2),
            delay("full_channel", 1),
            delay("full_channel", 2),
            probed("woken_by_computing_2w", 20, 2, Measure.Unit.MILLISECONDS, absolutelyAtMost(12)),
            new Probed(
                    "timers_million",
                    1_000_000,
                    10_000,
                    List.of(
                            new Measure(
                                    "timers_million_p999",
                                    Measure.Unit.MILLISECONDS,
                                    List.of(absolutelyAtMost(2), atMost(1.0, "jdk"))),
                            new Measure("timers_million_max", Measure.Unit.MILLISECONDS, List.of()))),
            probed("driver_cpu_unread", 1_000, 50, Measure.Unit.PERCENT, absolutelyAtMost(2)),
            probed("driver_cpu_idle", 10_000, 50, Measure.Unit.PERCENT, absolutelyAtMost(1)),
            served(64, httpTargets(), atMost(1.15, "tokio")),
            served(512, httpTargets(), atMost(1.15, "tokio")),
            served(4_096, List.of()),
            proxiedBulk(1),
            proxiedBulk(8),
            proxiedRequests(64));

    private static Experiment proxiedBulk(int connections) {
        String name = "proxy_bulk_" + connections;
        return new Proxied(
                name,
                Proxied.Load.BULK,
                connections,
                List.of(
                        new Measure(name, Measure.Unit.MEGABYTES_PER_SECOND, List.of(atLeast(1.2, "jdk"))),
                        new Measure("proxy_bulk_cpu_" + connections, Measure.Unit.CPU_MILLIS_PER_GIGABYTE, List.of())));
    }

    private static Experiment proxiedRequests(int connections) {
        String name = "proxy_http_" + connections;
        return new Proxied(
                name,
                Proxied.Load.REQUESTS,
                connections,
                List.of(
                        new Measure(name, Measure.Unit.REQUESTS_PER_SECOND, List.of(atLeast(1.2, "jdk"))),
                        new Measure("proxy_http_cpu_" + connections, Measure.Unit.CPU_MICROS_PER_REQUEST, List.of())));
    }

    private static Experiment timed(String name, int operations, Target... targets) {
        return new Timed(name, operations, List.of(Measure.nanos(name, targets)));
    }

    /** Of a workload that mostly waits. */
    private static Measure cpuNanos(String name) {
        return new Measure(name, Measure.Unit.CPU_NANOS_PER_OPERATION, List.of());
    }

    private static Experiment probed(String name, int size, int few, Measure.Unit unit, Target target) {
        return new Probed(name, size, few, List.of(new Measure(name, unit, List.of(target))));
    }

    /** The 99 % of three kinds of delay, and the longest of all. */
    private static Experiment delay(String load, int carriers) {
        var name = "delay_" + load + "_" + carriers + "w";
        var measures = Stream.concat(
                Stream.of("_spawn", "_blocking", "_timer")
                        .map(kind ->
                                new Measure(name + kind, Measure.Unit.MILLISECONDS, List.of(absolutelyAtMost(10)))),
                Stream.of(new Measure(name + "_max", Measure.Unit.MILLISECONDS, List.of(alwaysAtMost(50)))));
        return new Probed(name, 200, 10, measures.toList());
    }

    private static List<Target> httpTargets() {
        return List.of(atLeast(1.0, "tokio"), atLeast(1.05, "netty_epoll"), atLeast(1.3, "jdk"));
    }

    private static Experiment served(int connections, List<Target> targets, Target... cpuTargets) {
        String name = "http_hello_" + connections;
        return new Served(
                name,
                connections,
                List.of(
                        new Measure(name, Measure.Unit.REQUESTS_PER_SECOND, targets),
                        new Measure(
                                "http_cpu_" + connections, Measure.Unit.CPU_MICROS_PER_REQUEST, List.of(cpuTargets))));
    }
}
