package dev.kumihimo.benchmarks.workload;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What one column can do: its workloads by name, and how a root task is started on its runtime.
 *
 * <p>Sizes that are part of a workload's definition stand here; the peers' programs use the same.
 */
public abstract class Workloads implements AutoCloseable {
    /** Tasks in the {@code yield} workload. */
    protected static final int YIELDING_TASKS = 200;

    /** Pairs at the same time in the {@code spawn_ping_pong} workload. */
    protected static final int PING_PONG_PAIRS = 1_000;

    /** Tasks that share the two permits in the semaphore workloads. */
    protected static final int SEMAPHORE_TASKS = 8;

    /** The number of permits in the semaphore workloads. */
    protected static final int PERMITS = 2;

    /** After how long the timeouts strike that do not get so far. */
    protected static final long TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** Tasks with a timeout each, all of them armed most of the time, in the {@code timeout_1000} workload. */
    protected static final int TIMEOUT_TASKS = 1_000;

    /** Bytes that a proxy reads at a time. */
    protected static final int PROXY_BUFFER_SIZE = 64 * 1024;

    /** What travels through channels: one object that exists already, so that no column pays for making it. */
    protected static final Object ITEM = new Object();

    private final String column;
    private final Map<String, Workload> byName = new LinkedHashMap<>();
    private final Map<String, Probe> probes = new LinkedHashMap<>();

    protected Workloads(String column) {
        this.column = column;
    }

    /** The column of the given name. */
    public static Workloads of(String column) {
        return switch (column) {
            case "kumihimo" -> new KumihimoWorkloads();
            case "jdk" -> new JdkWorkloads();
            case "jox" -> new JoxWorkloads();
            case "abq_kumihimo" -> QueueWorkloads.onKumihimo(column, Queues.ARRAY);
            case "ltq_jdk" -> QueueWorkloads.onJdk(column, Queues.TRANSFER);
            case "ltq_kumihimo" -> QueueWorkloads.onKumihimo(column, Queues.TRANSFER);
            case "floor" -> new FloorWorkloads(Program.workers());
            case "stpe" -> TimerWorkloads.executor(column);
            case "netty_wheel" -> TimerWorkloads.wheel(column);
            case "netty_epoll" -> NettyWorkloads.epoll();
            case "netty_nio" -> NettyWorkloads.nio();
            default -> throw new IllegalArgumentException("no such column: " + column);
        };
    }

    public final String column() {
        return column;
    }

    /** Names of the timed workloads, in order. */
    public final Set<String> names() {
        return byName.keySet();
    }

    public final Workload workload(String name) {
        var workload = byName.get(name);
        if (workload == null) {
            throw new IllegalArgumentException("no such workload: " + name);
        }
        return workload;
    }

    final void add(String name, Workload workload) {
        byName.put(name, workload);
    }

    /** Adds the timeouts that virtual threads on the JDK's default scheduler make of callbacks. */
    final <T> void addTimeouts(Supplier<Timers<T>> opener) {
        add("timeout", n -> {
            try (var timers = opener.get()) {
                Timers.timeouts(timers, n);
            }
        });
        add("timeout_1000", n -> {
            try (var timers = opener.get()) {
                new VirtualThreads()
                        .start(TIMEOUT_TASKS, () -> Timers.timeouts(timers, n / TIMEOUT_TASKS))
                        .join();
            }
        });
    }

    /** Names of the probes, in order. */
    public final Set<String> probes() {
        return probes.keySet();
    }

    /** The probe of the given name; null if there is none. */
    final @Nullable Probe probe(String name) {
        return probes.get(name);
    }

    final void addProbe(String name, Probe probe) {
        probes.put(name, probe);
    }

    /** Looks at what came out of a channel, so that receiving it cannot be optimized away. */
    protected static void check(Object item) {
        if (item != ITEM) {
            throw new IllegalStateException("a stranger came out");
        }
    }

    /** Runs the body on a task of this column's runtime and waits for it. */
    public <T> T onRootTask(Callable<T> body) throws InterruptedException, ExecutionException {
        throw new UnsupportedOperationException(column);
    }

    /** Whether {@link #park} is offered. */
    public boolean parks() {
        return false;
    }

    /** Starts tasks that wait for one gate; called on a root task, returns when each of them has been started. */
    public ParkedTasks park(int tasks) throws Exception {
        throw new UnsupportedOperationException(column);
    }

    /** Whether {@link #serve} is offered. */
    public boolean serves() {
        return false;
    }

    /** Answers requests as {@link HelloServer} says on a free port of the loopback address; returns that port at once. */
    public int serve() throws Exception {
        throw new UnsupportedOperationException(column);
    }

    /** Whether {@link #proxy} is offered. */
    public boolean proxies() {
        return false;
    }

    /**
     * Joins each connection to a free port of the loopback address, which it returns at once, to one to another port of that;
     * copies in both directions through buffers of {@link #PROXY_BUFFER_SIZE}, and passes on the end of either.
     */
    public int proxy(int targetPort) throws Exception {
        throw new UnsupportedOperationException(column);
    }

    @Override
    public void close() {}
}
