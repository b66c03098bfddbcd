package dev.kumihimo.benchmarks.workload;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * The program of a Java column. Speaks the same small protocol as every other column's program:
 *
 * <ul>
 *   <li>{@code list} prints the names of the workloads, one per line;
 *   <li>{@code run NAME OPERATIONS WARM_UP_MILLIS MEASURE_MILLIS ITERATIONS} prints one {@code workload,column,value}
 *       line for each measured iteration;
 *   <li>{@code shared} carries out a {@code run} for each line of standard input, prints {@code done} after it or {@code
 *       failed REASON}, and ends with the input;
 *   <li>{@code http} prints {@code listening PORT}, then for each line of standard input {@code cpu NANOSECONDS} used so
 *       far, and ends with the input;
 *   <li>{@code proxy PORT} does the same as {@code http}, but passes connections on to a port of the loopback address.
 * </ul>
 */
public final class Program {
    private Program() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length < 2) {
            throw new IllegalArgumentException("usage: COLUMN list|http|proxy|shared|run ...");
        }
        try (var workloads = Workloads.of(arguments[0])) {
            switch (arguments[1]) {
                case "list" -> list(workloads);
                case "http" -> answerUntilEndOfInput(workloads.serve());
                case "proxy" -> answerUntilEndOfInput(workloads.proxy(Integer.parseInt(arguments[2])));
                case "run" -> run(workloads, arguments);
                case "shared" -> runUntilEndOfInput(workloads);
                default -> throw new IllegalArgumentException(arguments[1]);
            }
        }
        System.out.flush();
        // What is left are a driver's or a pool's daemon threads and, on a failure, tasks that wait for ever.
        System.exit(0);
    }

    /** Threads a runtime may use for its tasks: the environment variable {@code WORKERS}, else one per processor. */
    static int workers() {
        var workers = System.getenv("WORKERS");
        return workers == null ? Runtime.getRuntime().availableProcessors() : Integer.parseInt(workers);
    }

    private static void list(Workloads workloads) {
        workloads.names().forEach(System.out::println);
        workloads.probes().forEach(System.out::println);
        if (workloads.parks()) {
            System.out.println("parked_heap");
        }
        if (workloads.serves()) {
            System.out.println("http_hello");
        }
        if (workloads.proxies()) {
            System.out.println("proxy");
        }
    }

    private static void runUntilEndOfInput(Workloads workloads) throws IOException {
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line; (line = lines.readLine()) != null; ) {
            try {
                run(workloads, ("- " + line).split(" ", -1));
                System.out.println("done");
            } catch (Exception | Error e) {
                System.out.println(
                        "failed " + String.valueOf(e).lines().findFirst().orElse(""));
            }
        }
    }

    private static void run(Workloads workloads, String[] arguments) throws Exception {
        var name = arguments[2];
        int operations = Integer.parseInt(arguments[3]);
        var probe = workloads.probe(name);
        if (probe != null) {
            probe.measure(operations).forEach((figure, value) -> print(figure, workloads, value));
        } else if (name.equals("parked_heap")) {
            measureParked(workloads, operations);
        } else {
            long warmUp = TimeUnit.MILLISECONDS.toNanos(Long.parseLong(arguments[4]));
            long measure = TimeUnit.MILLISECONDS.toNanos(Long.parseLong(arguments[5]));
            measure(workloads, name, operations, warmUp, measure, Integer.parseInt(arguments[6]));
        }
    }

    /** Warms up for the given time, at least once, then measures for the given time, at least so many iterations. */
    private static void measure(
            Workloads workloads, String name, int operations, long warmUp, long measure, int iterations)
            throws InterruptedException, ExecutionException, IOException {
        var workload = workloads.workload(name);
        if (workload instanceof WaitingWorkload waiting) {
            measureWaiting(workloads, name, waiting, operations, warmUp, measure, iterations);
            return;
        }
        long start = System.nanoTime();
        do {
            iteration(workloads, workload, operations);
        } while (System.nanoTime() - start < warmUp);
        start = System.nanoTime();
        for (int done = 0; done < iterations || System.nanoTime() - start < measure; done++) {
            print(name, workloads, (double) iteration(workloads, workload, operations) / operations);
        }
    }

    /** As {@link #measure}, but prints one figure, since the processor time is counted in steps of 10 ms. */
    private static void measureWaiting(
            Workloads workloads,
            String name,
            WaitingWorkload workload,
            int operations,
            long warmUp,
            long measure,
            int iterations)
            throws InterruptedException, ExecutionException, IOException {
        long start = System.nanoTime();
        do {
            iteration(workloads, workload, operations);
        } while (System.nanoTime() - start < warmUp);
        start = System.nanoTime();
        long before = CpuTime.nanosWithoutCompiler();
        int done = 0;
        for (; done < iterations || System.nanoTime() - start < measure; done++) {
            iteration(workloads, workload, operations);
            workload.figures().forEach((figure, value) -> print(figure, workloads, value));
        }
        print(name, workloads, (double) (CpuTime.nanosWithoutCompiler() - before) / done / operations);
    }

    /** Nanoseconds of one run, taken inside the root task. */
    private static long iteration(Workloads workloads, Workload workload, int operations)
            throws InterruptedException, ExecutionException {
        return workloads.onRootTask(() -> {
            long start = System.nanoTime();
            workload.run(operations);
            return System.nanoTime() - start;
        });
    }

    private static void measureParked(Workloads workloads, int tasks) throws InterruptedException, ExecutionException {
        // Loads and links what a first use would otherwise leave on the heap between the two readings.
        int few = Math.max(1, tasks / 20);
        workloads.onRootTask(() -> {
            workloads.park(few).wakeAndJoin();
            return true;
        });
        long before = Heap.inUse();
        var parked = workloads.onRootTask(() -> workloads.park(tasks));
        Thread.sleep(200); // the last ones are started, but may not wait yet
        print("parked_heap", workloads, (double) (Heap.inUse() - before) / tasks);
        long nanos = workloads.onRootTask(() -> {
            long start = System.nanoTime();
            parked.wakeAndJoin();
            return System.nanoTime() - start;
        });
        print("parked_wake", workloads, (double) nanos / tasks);
    }

    private static void print(String workload, Workloads workloads, double value) {
        System.out.println(String.format(Locale.ROOT, "%s,%s,%.2f", workload, workloads.column(), value));
    }

    private static void answerUntilEndOfInput(int port) throws IOException {
        System.out.println("listening " + port);
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        while (lines.readLine() != null) {
            System.out.println("cpu " + CpuTime.nanos());
        }
        System.exit(0);
    }
}
