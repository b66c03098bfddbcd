package dev.kumihimo.runtime;

import dev.kumihimo.internal.carrier.BlockingPool;
import dev.kumihimo.internal.carrier.ControlledScheduler;
import dev.kumihimo.internal.carrier.LiveTask;
import dev.kumihimo.internal.carrier.RuntimeCore;
import dev.kumihimo.internal.carrier.TaskDoor;
import dev.kumihimo.internal.carrier.TaskKeeper;
import dev.kumihimo.internal.carrier.ThreadHooks;
import dev.kumihimo.internal.driver.Driver;
import dev.kumihimo.internal.jdk.StructuredScope;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.Waiter;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.WeakHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs tasks: virtual threads on carriers of its own, with timers and sockets that the carriers turn, and a pool of platform
 * threads for code that blocks. Several runtimes in one JVM do not disturb each other.
 *
 * <pre>{@code
 * TaskRuntime.run(() -> {                                     // from the environment, as a program's main
 *     JoinHandle<Report> report = Task.spawn(() -> build());
 *     print(report.join());
 * });
 *
 * try (var runtime = TaskRuntime.builder().workerThreads(4).name("orders").build()) {
 *     runtime.spawn(() -> serve());
 * }
 * }</pre>
 *
 * <p>Any thread may call any method, except that a task of the runtime cannot end it. The carriers, as all its threads, are
 * daemons.
 *
 * <p>Its own carriers need the JVM flag {@code --add-opens java.base/java.lang=ALL-UNNAMED}; without it the runtime works on
 * the JDK's scheduler and says so once, see {@link #capabilities()}.
 *
 * @since 0.1
 */
public final class TaskRuntime implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TaskRuntime.class);

    static {
        Waiter.installForeignFactory(ForeignWaiter::new);
        TaskDoor.install(new Door());
        Driver.installHeir(() -> global().core().driver());
    }

    private static final int DUMPED_TASKS = 1_000;

    /** Those that have not ended. Weak, since one that somebody else drives may be dropped without an end. */
    private static final Map<TaskRuntime, Boolean> RUNTIMES = Collections.synchronizedMap(new WeakHashMap<>());

    private final RuntimeOptions options;
    private final @Nullable Surroundings surroundings;
    private final RuntimeCore core;
    private final UnjoinedFailure.Registry failures = new UnjoinedFailure.Registry();
    private final AtomicBoolean terminated = new AtomicBoolean();
    private final boolean global;
    private volatile boolean closing;

    /** Whether a shutdown has left tasks behind, of which the last one has to put out the light. */
    private volatile boolean abandoned;

    private TaskRuntime(
            RuntimeOptions options, boolean global, @Nullable Surroundings surroundings, ThreadHooks hooks) {
        this.global = global;
        this.options = options;
        this.surroundings = surroundings;
        BlockingPool blocking = new BlockingPool(
                options.maxBlockingThreads(),
                options.maxBlockingQueue(),
                options.threadKeepAliveNanos(),
                options.threadName() + "-blocking",
                hooks);
        this.core = new RuntimeCore(
                this,
                options.name(),
                options.threadName(),
                options.workerThreads(),
                options.eventInterval(),
                blocking,
                hooks);
        RUNTIMES.put(this, true);
    }

    private TaskRuntime(RuntimeOptions options, ControlledScheduler scheduler) {
        this.global = false;
        this.options = options;
        this.surroundings = null;
        this.core = new RuntimeCore(this, options.name(), scheduler);
        RUNTIMES.put(this, true);
    }

    /* ---------------- Making and finding runtimes -------------- */

    /** {@return a builder whose unset options come from system properties, then the environment, then defaults} */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Runs a program: makes a runtime from the environment, runs the body as its root task, and closes it.
     *
     * @param body the program
     * @param <T> its result
     * @param <X> what it throws
     * @return its result
     * @throws X if the body throws it; unchecked exceptions and errors likewise come as they are
     * @throws InterruptedException if the caller is interrupted; the body was aborted and has ended
     */
    public static <T extends @Nullable Object, X extends Exception> T run(Body<T, X> body)
            throws X, InterruptedException {
        try (TaskRuntime runtime = builder().build()) {
            return runtime.blockOn(body);
        }
    }

    /**
     * As {@link #run(Body)}, without a result.
     *
     * @param body the program
     * @param <X> what it throws
     * @throws X if the body throws it
     * @throws InterruptedException if the caller is interrupted; the body was aborted and has ended
     */
    public static <X extends Exception> void run(VoidBody<X> body) throws X, InterruptedException {
        try (TaskRuntime runtime = builder().build()) {
            runtime.blockOn(body);
        }
    }

    /** {@return the runtime of all who have none: made from the environment at the first call, and never closed} */
    public static TaskRuntime global() {
        return Global.RUNTIME;
    }

    /** {@return the runtime of the calling task, blocking job or carrier, and outside of any the global one} */
    public static TaskRuntime current() {
        TaskRuntime ambient = ambient();
        return ambient == null ? global() : ambient;
    }

    private static @Nullable TaskRuntime ambient() {
        if (Waiter.currentTask() instanceof RuntimeTask<?> task) {
            return task.runtime();
        }
        RuntimeCore core = RuntimeCore.ofCarrier();
        return core == null ? null : (TaskRuntime) core.owner();
    }

    private static RuntimeOptions globalOptions() {
        RuntimeOptions.Builder unset = new RuntimeOptions.Builder();
        unset.name = "kumihimo-global";
        return unset.resolve(System::getenv, System::getProperty);
    }

    private static final class Global {
        private static final TaskRuntime RUNTIME = new TaskRuntime(globalOptions(), true, null, ThreadHooks.NONE);
    }

    /* ---------------- Spawning -------------- */

    /**
     * Starts a task. It runs whether or not anybody joins it.
     *
     * @param body what it runs
     * @param <T> its result
     * @return its handle; already {@link JoinResult.Cancelled} if the runtime is shut down
     */
    public <T extends @Nullable Object> JoinHandle<T> spawn(Body<T, ?> body) {
        return start(new RuntimeTask<>(this, Objects.requireNonNull(body, "body"), null, false, null));
    }

    /**
     * Starts a task without a result, see {@link #spawn(Body)}.
     *
     * @param body what it runs
     * @return its handle; already {@link JoinResult.Cancelled} if the runtime is shut down
     */
    public JoinHandle<@Nullable Void> spawn(VoidBody<?> body) {
        return start(new RuntimeTask<>(this, Objects.requireNonNull(body, "body"), null, false, null));
    }

    /**
     * As {@link #spawn(Body)}, with a name for dumps and logs.
     *
     * @param name the task's and its thread's name
     * @param body what it runs
     * @param <T> its result
     * @return its handle; already {@link JoinResult.Cancelled} if the runtime is shut down
     */
    public <T extends @Nullable Object> JoinHandle<T> spawnNamed(String name, Body<T, ?> body) {
        return start(new RuntimeTask<>(
                this, Objects.requireNonNull(body, "body"), Objects.requireNonNull(name, "name"), false, null));
    }

    /**
     * Starts a job on the blocking pool: for files, JDBC, native calls, long computations. An idle thread takes it, else a new
     * one up to the maximum, else it queues. {@code abort()} prevents it from beginning or interrupts it; its handle ends
     * when it has really ended. {@code ScopedValue}s of the caller do not reach it, and thread-locals only by
     * {@link Builder#contextPropagation}.
     *
     * @param body what it runs
     * @param <T> its result
     * @return its handle; already {@link JoinResult.Cancelled} if the runtime is shut down
     * @throws RejectedExecutionException if all threads are busy and the queue is {@linkplain Builder#maxBlockingQueue full};
     *     nothing was started. {@link #spawnBlockingWhenRoom(Body)} waits instead
     */
    public <T extends @Nullable Object> JoinHandle<T> spawnBlocking(Body<T, ?> body) {
        return startBlocking(new RuntimeTask<>(this, Objects.requireNonNull(body, "body"), null, true, null));
    }

    /**
     * Starts a job without a result on the blocking pool, see {@link #spawnBlocking(Body)}.
     *
     * @param body what it runs
     * @return its handle; already {@link JoinResult.Cancelled} if the runtime is shut down
     * @throws RejectedExecutionException as in {@link #spawnBlocking(Body)}
     */
    public JoinHandle<@Nullable Void> spawnBlocking(VoidBody<?> body) {
        return startBlocking(new RuntimeTask<>(this, Objects.requireNonNull(body, "body"), null, true, null));
    }

    /**
     * As {@link #spawnBlocking(Body)}, but waits for room where that would be refused: until a thread is free or the queue has a
     * place. First come, first served; who waits is served before anybody else can queue. An interrupt or a cancellation of the
     * caller ends the wait, as does the runtime's shutdown, with a cancelled handle. Without a bound it never waits.
     *
     * @param body what it runs
     * @param <T> its result
     * @return its handle; already {@link JoinResult.Cancelled} if the runtime is shut down
     * @throws InterruptedException if the caller was interrupted or cancelled while it waited; nothing was started
     */
    public <T extends @Nullable Object> JoinHandle<T> spawnBlockingWhenRoom(Body<T, ?> body)
            throws InterruptedException {
        return startBlockingWhenRoom(new RuntimeTask<>(this, Objects.requireNonNull(body, "body"), null, true, null));
    }

    /**
     * Starts a job without a result once there is room, see {@link #spawnBlockingWhenRoom(Body)}.
     *
     * @param body what it runs
     * @return its handle; already {@link JoinResult.Cancelled} if the runtime is shut down
     * @throws InterruptedException as in {@link #spawnBlockingWhenRoom(Body)}
     */
    public JoinHandle<@Nullable Void> spawnBlockingWhenRoom(VoidBody<?> body) throws InterruptedException {
        return startBlockingWhenRoom(new RuntimeTask<>(this, Objects.requireNonNull(body, "body"), null, true, null));
    }

    /**
     * Runs a body as a task and waits for it, from a thread that is no task.
     *
     * @param body what to run
     * @param <T> its result
     * @param <X> what it throws
     * @return its result
     * @throws X if the body throws it; unchecked exceptions and errors likewise come as they are
     * @throws InterruptedException if the caller is interrupted, after the body was aborted and has ended; or a
     *     {@link TaskCancelledException} if the body was cancelled
     * @throws IllegalStateException if a task calls it: a task calls the body itself
     */
    public <T extends @Nullable Object, X extends Exception> T blockOn(Body<T, X> body) throws X, InterruptedException {
        ensureNoTask();
        return RuntimeTask.<T, X>joinInPlace(spawn(body));
    }

    /**
     * As {@link #blockOn(Body)}, without a result.
     *
     * @param body what to run
     * @param <X> what it throws
     * @throws X if the body throws it
     * @throws InterruptedException as in {@link #blockOn(Body)}
     */
    public <X extends Exception> void blockOn(VoidBody<X> body) throws X, InterruptedException {
        ensureNoTask();
        RuntimeTask.<@Nullable Void, X>joinInPlace(spawn(body));
    }

    private static void ensureNoTask() {
        if (Thread.currentThread().isVirtual() && Task.currentOrNull() != null) {
            throw new IllegalStateException("blockOn was called by " + Task.current()
                    + ": a task runs the body itself, or spawns and joins it");
        }
    }

    /**
     * {@return an executor that runs each job as a task of its own: for servers and libraries that take an
     * {@link ExecutorService}} Closing it waits for its jobs and leaves the runtime as it is; after the runtime's shutdown it
     * throws {@link RejectedExecutionException}.
     */
    public ExecutorService asExecutorService() {
        return Executors.newThreadPerTaskExecutor(threadFactory());
    }

    /**
     * {@return a factory of unstarted virtual threads that are tasks of this runtime once they run} An exception that leaves
     * one is logged at WARN, since nobody can join it. After the runtime's shutdown it throws
     * {@link RejectedExecutionException}; a thread made before and started after it runs as a cancelled task.
     */
    public ThreadFactory threadFactory() {
        return work -> {
            Objects.requireNonNull(work, "work");
            if (closing) {
                throw new RejectedExecutionException("runtime " + name() + " has been shut down");
            }
            RuntimeTask<@Nullable Void> task =
                    new RuntimeTask<>(this, (VoidBody<RuntimeException>) work::run, null, false, ended -> {
                        if (((RuntimeTask<?>) ended).tryResult() instanceof JoinResult.Failure<?>(Throwable exception)
                                && !failures.isHeard(ended.toString(), exception)) {
                            LOG.warn("{} failed", ended, exception);
                        }
                    });
            Thread thread = core.threads().newThread(() -> {
                if (!core.registry().add(task, task.id())) {
                    task.cancel(shutdownReason());
                }
                task.runEvenIfAborted();
            });
            task.bind(thread);
            return thread;
        };
    }

    private <T extends @Nullable Object> RuntimeTask<T> start(RuntimeTask<T> task) {
        Waiter.spendQuietly(); // a task that only spawns lets the spawned run
        try {
            Thread thread = core.threads().newThread(task);
            task.bind(thread);
            if (!core.registry().add(task, task.id())) {
                task.refuse(shutdownReason());
                return task;
            }
            thread.start();
        } catch (Throwable e) { // no memory for it: the task has not begun, and never will
            task.refuse(new CancelReason(CancelReason.Kind.SHUTDOWN, task.name() + " could not be started: " + e));
            throw e;
        }
        return task;
    }

    private <T extends @Nullable Object> RuntimeTask<T> startBlocking(RuntimeTask<T> task) {
        if (!core.registry().add(task, task.id())) {
            task.refuse(shutdownReason());
            return task;
        }
        try {
            core.blocking().execute(task);
            takeBackIfAborted(task);
        } catch (RejectedExecutionException e) {
            throw new RejectedExecutionException(refuse(task, e), e);
        } catch (Throwable e) {
            refuse(task, e);
            throw e;
        }
        return task;
    }

    private <T extends @Nullable Object> RuntimeTask<T> startBlockingWhenRoom(RuntimeTask<T> task)
            throws InterruptedException {
        if (!core.registry().add(task, task.id())) {
            task.refuse(shutdownReason());
            return task;
        }
        try {
            Wait wait = core.blocking().executeOrWait(task);
            if (wait != null) {
                wait.await();
                if (wait.item == null) {
                    task.refuse(shutdownReason());
                } else if (wait.item instanceof Error noThread) {
                    throw noThread;
                }
            }
            takeBackIfAborted(task);
        } catch (InterruptedException e) {
            task.refuse(new CancelReason(
                    CancelReason.Kind.ABORT, "its caller waits no longer for room for " + task.name()));
            throw e;
        } catch (Throwable e) {
            refuse(task, e);
            throw e;
        }
        return task;
    }

    /** A shutdown may have looked for the job before it was queued. */
    private void takeBackIfAborted(RuntimeTask<?> task) {
        if (task.isAborted() && core.blocking().remove(task)) {
            task.refuse(shutdownReason());
        }
    }

    /** Ends a job that could not be started; {@return why} */
    private String refuse(RuntimeTask<?> task, Throwable e) {
        String why = task + " could not be started in runtime " + name() + ": "
                + (e instanceof RejectedExecutionException ? e.getMessage() : e);
        task.refuse(new CancelReason(CancelReason.Kind.SHUTDOWN, why));
        return why;
    }

    CancelReason shutdownReason() {
        return new CancelReason(CancelReason.Kind.SHUTDOWN, "runtime " + name() + " is shut down");
    }

    /* ---------------- Facts -------------- */

    /** {@return its name, unique unless it was set} */
    public String name() {
        return options.name();
    }

    /**
     * {@return the wall time, for what happens at a time of day or is dated} It may be set, back too, so it measures no durations:
     * all waits keep to a monotonic clock. Under test it moves with that, and jumps when a sleep does.
     *
     * <pre>{@code
     * ZonedDateTime now = runtime.instantSource().instant().atZone(zone);
     * Task.sleep(Duration.between(now, now.plusDays(1).with(LocalTime.of(3, 0))));   // until three tomorrow
     * }</pre>
     */
    public InstantSource instantSource() {
        return options.instantSource();
    }

    /** {@return how many carriers it has} */
    public int workerThreads() {
        return core.scheduler().parallelism();
    }

    /** {@return what it can do on this JVM} */
    public Capabilities capabilities() {
        return new Capabilities(
                core.scheduler().isIsolated() ? Capabilities.Isolation.ISOLATED : Capabilities.Isolation.SHARED,
                StructuredScope.isSupported());
    }

    /** {@return how many tasks and blocking jobs have not ended; exact only while none is started or ends} */
    public int liveTasks() {
        return core.registry().size();
    }

    /** {@return whether it takes no more tasks} */
    public boolean isShutdown() {
        return closing;
    }

    /** {@return as {@link #dump(int)}, with up to 1,000 tasks one by one} */
    public TaskDump dump() {
        return dump(DUMPED_TASKS);
    }

    /**
     * Looks at what its tasks do: for reports of a service that hangs. Any thread may call it at any time, a task too; it stops
     * nobody, waits for nobody and holds no lock while it reads a stack. What is told of each task is racy, see
     * {@link TaskDump}.
     *
     * <p>It costs the calling thread 10 to 20 µs of processor time for each task that is told one by one, whose stack is read,
     * and less than 1 µs for each other, as measured with 100,000 parked tasks. Those told are the oldest, and those that seem
     * to wait for each other. A task that is spawned or ends meanwhile may have to wait until a sixteenth of the list of live tasks
     * is read.
     *
     * @param tasks how many to tell one by one, 0 or more; the others are counted by what they do
     * @return what they do
     * @throws IllegalArgumentException if the number is negative
     */
    public TaskDump dump(int tasks) {
        if (tasks < 0) {
            throw new IllegalArgumentException("tasks=" + tasks + " must be 0 or more");
        }
        return TaskDump.of(this, tasks);
    }

    /**
     * {@return a dump of each runtime in this JVM that has not ended, in the order of their names} The {@link #global()} runtime is
     * among them once it is used.
     */
    public static List<TaskDump> dumpAll() {
        List<TaskRuntime> all;
        synchronized (RUNTIMES) {
            all = new ArrayList<>(RUNTIMES.keySet());
        }
        all.sort(Comparator.comparing(TaskRuntime::name));
        return all.stream().map(TaskRuntime::dump).toList();
    }

    @Override
    public String toString() {
        return "TaskRuntime[" + name() + ", " + workerThreads() + " workers, " + liveTasks() + " live tasks"
                + (closing ? ", shut down]" : "]");
    }

    RuntimeCore core() {
        return core;
    }

    /** {@return what surrounds the body of each task, or null} */
    @Nullable
    Surroundings surroundings() {
        return surroundings;
    }

    UnjoinedFailure.Registry failures() {
        return failures;
    }

    /* ---------------- The end -------------- */

    /**
     * Ends the runtime: takes no more tasks, aborts all that live, interrupts blocking jobs, and waits for them up to a time.
     * Spawning yields cancelled handles from then on. The wait is uninterruptible; it ends at once if nothing lives. What does
     * not end in time runs on, and its carriers with it.
     *
     * @param timeout the longest wait; zero does not wait
     * @return the names of the tasks and jobs that have not ended, empty if all have
     * @throws IllegalArgumentException if the timeout is negative
     * @throws IllegalStateException if called by one of its own tasks, or for the global runtime
     */
    public List<String> shutdown(Duration timeout) {
        if (timeout.isNegative()) {
            throw new IllegalArgumentException("timeout=" + timeout + " must not be negative");
        }
        if (global) {
            throw new IllegalStateException("the global runtime is never shut down");
        }
        Task caller = Task.currentOrNull();
        if (caller != null && caller.runtime() == this) {
            throw new IllegalStateException(caller + " cannot end its own runtime " + name()
                    + ", which would wait for it: end the root task, or call it from a thread outside");
        }
        core.registry().close();
        closing = true;
        core.blocking().refuseWaiting();
        CancelReason reason = shutdownReason();
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        List<LiveTask> live = core.registry().snapshot();
        live.forEach(task -> task.abort(reason));
        while (!live.isEmpty()) {
            for (LiveTask task : live) {
                if (!task.awaitEnd(deadline)) {
                    return leaveBehind();
                }
            }
            live = core.registry().snapshot(); // those whose handle has ended and that are about to leave the registry
            Thread.yield();
        }
        terminate();
        failures.reportAll(); // should the last task be about to, whom an earlier shutdown has left behind
        return List.of();
    }

    /** Ends the runtime as {@link #shutdown} does, waiting up to its shutdown timeout, and logs at WARN what has not ended. */
    @Override
    public void close() {
        List<String> remaining = shutdown(Duration.ofNanos(options.shutdownTimeoutNanos()));
        if (!remaining.isEmpty()) {
            LOG.warn(
                    "runtime {} was closed with {} tasks that did not end within {}: {}",
                    name(),
                    remaining.size(),
                    Duration.ofNanos(options.shutdownTimeoutNanos()),
                    remaining);
            failures.reportAll();
        }
    }

    /** {@return those that live on} */
    private List<String> leaveBehind() {
        List<String> remaining =
                core.registry().snapshot().stream().map(LiveTask::toString).toList();
        abandoned = true;
        taskEnded(); // should the last one have ended before it could see that
        return remaining;
    }

    /**
     * Told by each task that has left the registry. A shutdown that waits for all ends the runtime itself, so that nothing is left to
     * do when it returns; only after one that has given up does the last task do it.
     */
    void taskEnded() {
        if (abandoned && core.registry().size() == 0) {
            terminate();
        }
    }

    private void terminate() {
        if (terminated.compareAndSet(false, true)) {
            RUNTIMES.remove(this);
            core.close();
            failures.reportAll();
        }
    }

    /* ---------------- Building -------------- */

    /**
     * Options of a runtime. What is not set comes from the system property, else from the environment variable, else is the
     * default; an invalid value fails at {@link #build()} with its name, the value and what is allowed.
     *
     * <pre>{@code
     * TaskRuntime runtime = TaskRuntime.builder().workerThreads(2).shutdownTimeout(Duration.ofSeconds(30)).build();
     * }</pre>
     *
     * @since 0.1
     */
    public static final class Builder {
        private final RuntimeOptions.Builder options = new RuntimeOptions.Builder();
        private @Nullable Consumer<Thread> onThreadStart;
        private @Nullable Consumer<Thread> onThreadStop;
        private @Nullable Consumer<Task> onTaskStart;
        private @Nullable BiConsumer<Task, JoinResult<?>> onTaskEnd;
        private @Nullable ContextPropagation contextPropagation;

        private Builder() {}

        /**
         * Sets how many tasks run at a time: {@code kumihimo.worker.threads}, {@code KUMIHIMO_WORKER_THREADS}, and where that is
         * unset {@code TOKIO_WORKER_THREADS}. Default: the number of processors.
         *
         * @param count 1 to 32767
         * @return this
         */
        public Builder workerThreads(int count) {
            options.workerThreads = count;
            return this;
        }

        /**
         * Sets how many threads the blocking pool may have: {@code kumihimo.max.blocking.threads},
         * {@code KUMIHIMO_MAX_BLOCKING_THREADS}. Default 512.
         *
         * @param count at least 1
         * @return this
         */
        public Builder maxBlockingThreads(int count) {
            options.maxBlockingThreads = count;
            return this;
        }

        /**
         * Sets how many blocking jobs may wait for a thread when all are busy: {@code kumihimo.max.blocking.queue},
         * {@code KUMIHIMO_MAX_BLOCKING_QUEUE}. Beyond that {@link TaskRuntime#spawnBlocking(Body)} and its like throw
         * {@link RejectedExecutionException}, while {@link Task#blocking(Body)} and
         * {@link TaskRuntime#spawnBlockingWhenRoom(Body)} wait for room. With 0 a job is given to an idle or a new thread or to
         * none; a thread is idle a moment after its job was joined. Default: no bound.
         *
         * @param count 0 or more; {@link Integer#MAX_VALUE} for no bound
         * @return this
         */
        public Builder maxBlockingQueue(int count) {
            options.maxBlockingQueue = count;
            return this;
        }

        /**
         * Sets how long an idle blocking thread stays: {@code kumihimo.thread.keep.alive}, {@code KUMIHIMO_THREAD_KEEP_ALIVE}.
         * Default 10 s.
         *
         * @param time positive
         * @return this
         */
        public Builder threadKeepAlive(Duration time) {
            options.threadKeepAlive = time;
            return this;
        }

        /**
         * Sets the prefix of its threads' names: {@code kumihimo.thread.name}, {@code KUMIHIMO_THREAD_NAME}. Default
         * {@code kumihimo}.
         *
         * @param prefix not blank
         * @return this
         */
        public Builder threadName(String prefix) {
            options.threadName = prefix;
            return this;
        }

        /**
         * Sets the runtime's name for logs and dumps: {@code kumihimo.name}, {@code KUMIHIMO_NAME}. Default
         * {@code kumihimo-<n>}.
         *
         * @param name not blank
         * @return this
         */
        public Builder name(String name) {
            options.name = name;
            return this;
        }

        /**
         * Sets where {@link TaskRuntime#instantSource()} takes the wall time from. Default {@link InstantSource#system()}. The
         * runtime itself does not go by it.
         *
         * @param source any, called by many threads
         * @return this
         */
        public Builder instantSource(InstantSource source) {
            options.instantSource = Objects.requireNonNull(source, "source");
            return this;
        }

        /**
         * Sets how long {@link TaskRuntime#close()} waits: {@code kumihimo.shutdown.timeout},
         * {@code KUMIHIMO_SHUTDOWN_TIMEOUT}. Default 10 s.
         *
         * @param time zero or more
         * @return this
         */
        public Builder shutdownTimeout(Duration time) {
            options.shutdownTimeout = time;
            return this;
        }

        /**
         * Sets how many runs a carrier does between two looks at timers, sockets and what comes from outside:
         * {@code kumihimo.event.interval}, {@code KUMIHIMO_EVENT_INTERVAL}. Default 61, as Tokio's.
         *
         * @param runs at least 1
         * @return this
         */
        public Builder eventInterval(int runs) {
            options.eventInterval = runs;
            return this;
        }

        /**
         * Sets what each carrier and each blocking thread runs before it does anything else, on that thread: such as setting its
         * priority or telling a native library of it. It must be short and must not wait: on a carrier it holds up the tasks
         * that the thread was started for. If it throws, that is logged at WARN, and the thread goes on. It is in no task.
         * Where the carriers are the JDK's, see {@link TaskRuntime#capabilities()}, only blocking threads have it. Replaces one
         * that was set before.
         *
         * @param hook told of the thread, which is the calling one
         * @return this
         */
        public Builder onThreadStart(Consumer<Thread> hook) {
            onThreadStart = Objects.requireNonNull(hook, "hook");
            return this;
        }

        /**
         * Sets what each thread that began with {@link #onThreadStart}'s hook runs before it ends, under the same conditions; it
         * no longer counts for {@link #maxBlockingThreads} then. That is
         * a blocking thread once it was idle for its keep-alive, a carrier a second or more after the last work, also after
         * {@link TaskRuntime#close()}, which does not wait for it. Replaces one that was set before.
         *
         * @param hook told of the thread, which is the calling one
         * @return this
         */
        public Builder onThreadStop(Consumer<Thread> hook) {
            onThreadStop = Objects.requireNonNull(hook, "hook");
            return this;
        }

        /**
         * Sets what runs before the body of each task and blocking job, on its own thread and as a part of it:
         * {@link Task#current()} is the task, and its context is there. A task that does not begin, since it was aborted before or
         * refused, has neither this hook nor the one for its end; one whose abort comes later has both. If it throws, that is
         * logged at WARN, and the body runs nevertheless. Replaces one that was set before.
         *
         * @param hook told of the task
         * @return this
         */
        public Builder onTaskStart(Consumer<Task> hook) {
            onTaskStart = Objects.requireNonNull(hook, "hook");
            return this;
        }

        /**
         * Sets what runs after the body of each task and blocking job that has begun, exactly once however it ended, on its own
         * thread and as a part of it: before anybody who joins the task is woken, and before it counts as ended. Its waits obey
         * the cancellation of the task, unless in {@link Task#shield(VoidBody)}. If it throws, that is logged at WARN, and the
         * task ends as it would have. Replaces one that was set before.
         *
         * @param hook told of the task, and how it ended
         * @return this
         */
        public Builder onTaskEnd(BiConsumer<Task, JoinResult<?>> hook) {
            onTaskEnd = Objects.requireNonNull(hook, "hook");
            return this;
        }

        /**
         * Sets how context that is bound to threads travels to the tasks and blocking jobs of this runtime, however they are
         * spawned: also those of sets and trackers, and of {@link TaskRuntime#asExecutorService()} and
         * {@link TaskRuntime#threadFactory()}, where it is captured as the thread is made. Default: it does not travel. Replaces
         * one that was set before.
         *
         * @param propagation how
         * @return this
         */
        public Builder contextPropagation(ContextPropagation propagation) {
            contextPropagation = Objects.requireNonNull(propagation, "propagation");
            return this;
        }

        /**
         * Makes and starts the runtime.
         *
         * @return the runtime; whoever made it closes it
         * @throws IllegalArgumentException if an option, wherever it comes from, is invalid
         * @throws java.io.UncheckedIOException if the system has no descriptors left for its selector
         */
        public TaskRuntime build() {
            return new TaskRuntime(
                    options.resolve(System::getenv, System::getProperty),
                    false,
                    Surroundings.of(onTaskStart, onTaskEnd, contextPropagation),
                    new ThreadHooks(onThreadStart, onThreadStop));
        }
    }

    /** See {@link TaskDoor}. */
    private static final class Door extends TaskDoor {
        @Override
        public LiveTask prepare(Object body, @Nullable String name, boolean blocking, TaskKeeper keeper) {
            return prepareIn(current(), body, name, blocking, keeper);
        }

        @Override
        public LiveTask prepareIn(
                Object runtime, Object body, @Nullable String name, boolean blocking, TaskKeeper keeper) {
            return new RuntimeTask<@Nullable Object>((TaskRuntime) runtime, body, name, blocking, keeper);
        }

        @Override
        public void start(LiveTask live) {
            RuntimeTask<?> task = (RuntimeTask<?>) live;
            task.runtime().start(task);
        }

        @Override
        public @Nullable Thread bind(LiveTask live, Runnable outer) {
            RuntimeTask<?> task = (RuntimeTask<?>) live;
            RuntimeCore core = task.runtime().core();
            Thread thread = core.threads().newThread(outer);
            task.bind(thread);
            if (!core.registry().add(task, task.id())) {
                refuse(task);
                return null;
            }
            return thread;
        }

        @Override
        public void run(LiveTask task) {
            ((RuntimeTask<?>) task).run();
        }

        @Override
        public void startBlocking(LiveTask live) {
            RuntimeTask<?> task = (RuntimeTask<?>) live;
            task.runtime().startBlocking(task);
        }

        @Override
        public Object newRuntime(String name, ControlledScheduler scheduler) {
            RuntimeOptions.Builder defaults = new RuntimeOptions.Builder();
            defaults.name = name;
            defaults.workerThreads = scheduler.parallelism(); // else the processors are counted, which takes long
            defaults.instantSource = scheduler.instantSource();
            return new TaskRuntime(defaults.resolve(variable -> null, property -> null), scheduler);
        }

        @Override
        public void listenToUnjoined(Object runtime, BiConsumer<String, Throwable> listener) {
            ((TaskRuntime) runtime).failures.listen(listener);
        }

        @Override
        public void refuse(LiveTask live) {
            RuntimeTask<?> task = (RuntimeTask<?>) live;
            task.refuse(task.runtime().shutdownReason());
        }

        @Override
        public InterruptedException endedRegion(Object reason) {
            CancelReason why = (CancelReason) reason;
            return new TaskCancelledException(why, TaskCancelledException.Origin.ENDED_REGION, why.message());
        }
    }
}
