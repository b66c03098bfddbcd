package dev.kumihimo.benchmarks.workload;

import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.sync.Semaphore;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;

/** Processor time that a runtime's threads use for connections on which nothing happens, in percent of one core. */
final class DriverCpu {
    private static final int SETTLE_MILLIS = 500;
    private static final int MEASURE_MILLIS = 1_000;

    private DriverCpu() {}

    /** Connections that have data nobody reads: each was read from once, and has got more since. */
    static Map<String, Double> unread(int connections) throws IOException, InterruptedException {
        return Map.of("driver_cpu_unread", measure(connections, true));
    }

    /** Connections with a reader, on which nothing comes. */
    static Map<String, Double> idle(int connections) throws IOException, InterruptedException {
        return Map.of("driver_cpu_idle", measure(connections, false));
    }

    private static double measure(int connections, boolean unread) throws IOException, InterruptedException {
        var runtime = TaskRuntime.builder()
                .workerThreads(Program.workers())
                .threadName("probe")
                .build();
        try (runtime;
                var listener = TcpListener.bind("127.0.0.1", 0)) {
            var served = new CountDownLatch(connections);
            runtime.spawn(() -> {
                for (int i = 0; i < connections; i++) {
                    var connection = listener.accept();
                    Task.spawn(() -> serve(connection, unread, served));
                }
            });
            var clients = startClients(listener.localAddress().getPort(), connections);
            try {
                var output = clients.inputReader();
                expect("connected", output.readLine());
                served.await();
                if (unread) {
                    clients.outputWriter().append('\n').flush();
                    expect("sent", output.readLine());
                }
                Thread.sleep(SETTLE_MILLIS);
                long start = System.nanoTime();
                var before = used();
                if (before.isEmpty()) {
                    throw new IllegalStateException("no thread of the runtime was found");
                }
                Thread.sleep(MEASURE_MILLIS);
                return 100.0 * since(before) / (System.nanoTime() - start);
            } finally {
                clients.destroyForcibly().waitFor();
            }
        }
    }

    private static void serve(TcpStream connection, boolean unread, CountDownLatch served) throws InterruptedException {
        try (connection) {
            var buffer = ByteBuffer.allocate(unread ? 1 : 64);
            connection.read(buffer);
            served.countDown();
            if (unread) {
                Semaphore.of(0).acquire().forget(); // until the runtime is closed
            } else {
                connection.read(buffer);
            }
        } catch (IOException e) {
            // The clients went away.
        }
    }

    private static Process startClients(int port, int connections) throws IOException {
        var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        return new ProcessBuilder(List.of(
                        java,
                        "-Xmx128m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Clients.class.getName(),
                        Integer.toString(port),
                        Integer.toString(connections)))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static void expect(String word, String line) throws IOException {
        if (!word.equals(line)) {
            throw new IOException("the clients said " + line + " instead of " + word);
        }
    }

    /** Nanoseconds used by each carrier of the probed runtime, and by each thread that all runtimes share. */
    private static Map<Long, Long> used() {
        var threads = ManagementFactory.getThreadMXBean();
        return Arrays.stream(threads.getThreadInfo(threads.getAllThreadIds()))
                .filter(info -> info != null
                        && (info.getThreadName().startsWith("probe")
                                || info.getThreadName().startsWith("kumihimo")))
                .collect(Collectors.toMap(
                        ThreadInfo::getThreadId, info -> threads.getThreadCpuTime(info.getThreadId())));
    }

    /** What has been used since then; a thread that has ended meanwhile does not count. */
    private static long since(Map<Long, Long> before) {
        return used().entrySet().stream()
                .mapToLong(thread -> thread.getValue() - before.getOrDefault(thread.getKey(), 0L))
                .filter(nanos -> nanos > 0)
                .sum();
    }
}
