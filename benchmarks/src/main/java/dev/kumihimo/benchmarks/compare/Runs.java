package dev.kumihimo.benchmarks.compare;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the columns' programs are asked to do in one round. Closing it ends the processes that live for the round. */
final class Runs implements AutoCloseable {
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(30);

    /** For what a program does beside warming up and measuring; reached only by one that hangs. */
    private static final Duration RUN_LIMIT = Duration.ofMinutes(3);

    /**
     * For a server, whose JVM is always a fresh one. Empirical: in the first two seconds of load a request takes more than twice
     * the processor time that it takes after five, while the JIT compiler works.
     */
    private static final int SERVER_WARM_UP_SECONDS = 6;

    /** Less than for a server: a proxy has less code to compile. */
    private static final int PROXY_WARM_UP_SECONDS = 4;

    /** What a run that measures nothing opens at most: as many as are allowed anywhere. */
    private static final int QUICK_CONNECTIONS = 64;

    /** How often a quick run loads a server at most, until it has answered something. */
    private static final int QUICK_LOADS = 10;

    private final Options options;
    private final Child.Setting setting;
    private final Wrk wrk;
    private final Iperf iperf;
    private final Map<String, Child> shared = new HashMap<>();

    Runs(Options options, Child.Setting setting, Wrk wrk, Iperf iperf) {
        this.options = options;
        this.setting = setting;
        this.wrk = wrk;
        this.iperf = iperf;
    }

    /** The figures of an experiment on a column, by the names of its measures. */
    Map<String, Double> figures(Experiment experiment, Column.Present column) throws IOException, InterruptedException {
        return switch (experiment) {
            case Experiment.Run run -> run(run, column);
            case Experiment.Served served -> serve(served, column);
            case Experiment.Proxied proxied -> proxy(proxied, column);
        };
    }

    /** The median of what the program prints, by measure. */
    private Map<String, Double> run(Experiment.Run experiment, Column.Present column)
            throws IOException, InterruptedException {
        long least = options.quick() ? 0 : experiment.leastWarmUpMillis();
        long warmUp = Math.round(Math.max(options.warmUpMillis(), least) * column.warmUpShare());
        var words = new ArrayList<>(List.of("run", experiment.name()));
        for (long number : new long[] {
            experiment.operations(options.quick()), warmUp, options.measureMillis(), options.iterations()
        }) {
            words.add(Long.toString(number));
        }
        var limit = RUN_LIMIT.plusMillis(warmUp + options.measureMillis());
        var figures = new HashMap<String, List<Double>>();
        for (var line :
                options.shared() && column.sharing() ? ask(column, words, limit) : start(column, words, limit)) {
            var fields = line.split(",", -1);
            if (fields.length == 3) {
                figures.computeIfAbsent(fields[0], name -> new ArrayList<>()).add(Double.valueOf(fields[2]));
            }
        }
        var medians = new LinkedHashMap<String, Double>();
        figures.forEach((name, values) -> medians.put(
                name,
                Spread.of(values.stream().mapToDouble(Double::doubleValue).toArray())
                        .median()));
        if (medians.isEmpty()) {
            throw new IOException("no figure");
        }
        return medians;
    }

    private List<String> start(Column.Present column, List<String> words, Duration limit)
            throws IOException, InterruptedException {
        var command = new ArrayList<>(column.command());
        command.addAll(words);
        return Child.linesOf(setting, limit, command);
    }

    /** As {@link #start}, in the column's process of this round; one that fails is not asked again. */
    private List<String> ask(Column.Present column, List<String> words, Duration limit)
            throws IOException, InterruptedException {
        var child = shared.get(column.name());
        if (child == null) {
            var command = new ArrayList<>(column.command());
            command.add("shared");
            child = Child.start(setting, command);
            shared.put(column.name(), child);
        }
        try {
            child.say(String.join(" ", words));
            return child.untilDone(limit);
        } catch (IOException e) {
            shared.remove(column.name());
            child.close();
            throw e;
        }
    }

    /** Starts the server, warms it up, loads it, and asks it before and after for the processor time it has used. */
    private Map<String, Double> serve(Experiment.Served experiment, Column.Present column)
            throws IOException, InterruptedException {
        var command = new ArrayList<>(column.command());
        command.add("http");
        int connections =
                options.quick() ? Math.min(experiment.connections(), QUICK_CONNECTIONS) : experiment.connections();
        try (var server = Child.start(setting, command)) {
            int port = Integer.parseInt(server.next("listening", ANSWER_LIMIT));
            int warmUp = warmUpSeconds(SERVER_WARM_UP_SECONDS, column);
            if (warmUp > 0) {
                wrk.load(connections, warmUp, port);
            }
            long before = cpuNanos(server);
            var load = load(connections, options.quick() ? 1 : options.shared() ? 3 : 5, port);
            long used = cpuNanos(server) - before;
            return Map.of(
                    "http_hello_" + experiment.connections(),
                    load.perSecond(),
                    "http_cpu_" + experiment.connections(),
                    used / 1_000.0 / load.requests());
        }
    }

    /** Loads a server; in a quick run, which does not warm it up, again if it has come to answer nothing. */
    private Wrk.Load load(int connections, int seconds, int port) throws IOException, InterruptedException {
        var load = wrk.load(connections, seconds, port);
        for (int i = 1; options.quick() && load.requests() == 0 && i < QUICK_LOADS; i++) {
            load = wrk.load(connections, seconds, port);
        }
        if (load.requests() == 0) {
            throw new IOException("no request was answered");
        }
        return load;
    }

    private Map<String, Double> proxy(Experiment.Proxied experiment, Column.Present column)
            throws IOException, InterruptedException {
        return switch (experiment.load()) {
            case BULK -> {
                int port = Iperf.freePort();
                try (var receiver = iperf.receive(port)) {
                    yield proxy(experiment, column, port);
                }
            }
            case REQUESTS -> {
                try (var server = Child.start(setting, Toolchains.javaCommand(options, "jdk", "http"))) {
                    yield proxy(experiment, column, Integer.parseInt(server.next("listening", ANSWER_LIMIT)));
                }
            }
        };
    }

    /** As {@link #serve}, with a program that passes everything on to a port. */
    private Map<String, Double> proxy(Experiment.Proxied experiment, Column.Present column, int target)
            throws IOException, InterruptedException {
        var command = new ArrayList<>(column.command());
        command.addAll(List.of("proxy", Integer.toString(target)));
        int connections = experiment.connections();
        int seconds = options.quick() ? 1 : 3;
        boolean bulk = experiment.load() == Experiment.Proxied.Load.BULK;
        try (var server = Child.start(setting, command)) {
            int port = Integer.parseInt(server.next("listening", ANSWER_LIMIT));
            int warmUp = warmUpSeconds(PROXY_WARM_UP_SECONDS, column);
            if (warmUp > 0 && bulk) {
                iperf.send(connections, warmUp, port);
            } else if (warmUp > 0) {
                wrk.load(connections, warmUp, port);
            }
            long before = cpuNanos(server);
            double rate;
            double cpu;
            if (bulk) {
                var load = iperf.send(connections, seconds, port);
                rate = load.megabytesPerSecond();
                cpu = (cpuNanos(server) - before)
                        * 1e3
                        / load.bytes(); // 1e9 bytes in a gigabyte, 1e6 ns in a millisecond
            } else {
                var load = load(connections, seconds, port);
                rate = load.perSecond();
                cpu = (cpuNanos(server) - before) / 1_000.0 / load.requests();
            }
            return Map.of(
                    experiment.measures().getFirst().name(),
                    rate,
                    experiment.measures().get(1).name(),
                    cpu);
        }
    }

    /** {@return for how long a server is warmed up; 0 for not at all, which no program that loads may be asked for} */
    private int warmUpSeconds(int seconds, Column.Present column) {
        return options.quick() ? 0 : (int) Math.ceil(seconds * column.warmUpShare());
    }

    private static long cpuNanos(Child server) throws IOException, InterruptedException {
        server.say("cpu?");
        return Long.parseLong(server.next("cpu", ANSWER_LIMIT));
    }

    @Override
    public void close() throws IOException {
        for (var child : shared.values()) {
            child.close();
        }
        shared.clear();
    }
}
