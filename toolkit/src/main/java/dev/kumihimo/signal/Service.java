package dev.kumihimo.signal;

import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.internal.carrier.LiveTask;
import dev.kumihimo.internal.carrier.TaskDoor;
import dev.kumihimo.internal.carrier.TaskKeeper;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.sync.SemaphoreClosedException;
import dev.kumihimo.sync.SetOnce;
import dev.kumihimo.task.CancellationToken;
import dev.kumihimo.task.TaskTracker;
import java.net.SocketException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * A program that serves until it is told to end, and then ends in order: with SIGINT or SIGTERM it takes no more work, gives
 * what is under way some time, aborts what is left after that, says what it was, and ends with a fitting exit code.
 *
 * <pre>{@code
 * public static void main(String[] args) throws Exception {
 *     System.exit(Service.run(Duration.ofSeconds(10), service -> {
 *         var listener = service.closeFirst(TcpListener.bind("0.0.0.0", 9090));
 *         while (true) { var s = listener.accept(); service.spawn(() -> { try (s) { echo(s, service.token()); } }); }
 *     }));
 * }
 * }</pre>
 *
 * <p><b>What begins the end.</b> The first SIGINT or SIGTERM, a {@link #shutdown(String)} or a cancellation of the {@link #token},
 * the end of the body, or an interrupt of the thread that runs the service. A body that only starts things ends with {@code service.token().awaitCancelled()}.
 *
 * <p><b>The end.</b> In this order:
 *
 * <ol>
 *   <li>What was given to {@link #closeFirst} is closed, in the order in which it was given. That is waited for as long as the abort
 *       timeout; what hangs goes on beside the rest.
 *   <li>The {@link #token} is cancelled, and with it the body: its waits end. What the body throws because of that, or because
 *       what it uses was closed, is no failure. Cleanup of the body that must wait stands in a {@link Task#shield}.
 *   <li>The body and the tasks spawned by {@link #spawn} go on until they end by themselves, up to the drain timeout, which
 *       counts from the beginning. A task that waits for what may never come, as the next request of an idle connection, watches the
 *       token: in a {@code Select}, or by {@code service.token().run(...)} around that wait.
 *   <li>Those that have not ended are aborted, and given the abort timeout for their cleanup.
 *   <li>What was aborted, and what has not ended even so, is logged at WARN by name, and told by the {@link Report}. A runtime that
 *       the service has made is shut down, and all other tasks in it aborted.
 * </ol>
 *
 * <p><b>Exit codes.</b> 0 if all ended in time; 1 if something had to be aborted, or the body failed; and a second SIGINT or
 * SIGTERM ends the process at once, without hooks, with 130 or 143. It is the caller who ends the process, with
 * {@link System#exit}: a main method that merely returns waits for threads that are no daemons, and has exit code 0.
 *
 * <p><b>Where there are no signals</b> ({@link Signal} says where) a shutdown hook begins the end, and waits for it. The exit code
 * is the JVM's then: 130 or 143 after the first signal, however the end went; a second has no effect. Under {@code -Xrs} signals
 * end the process at once.
 *
 * <p>Any thread may call any method of a service. Several may run in one process: each is told of each signal. A task that
 * fails does not end the service; as with any task, a failure that nobody joins is logged.
 *
 * @since 0.1
 */
public final class Service {
    private static final Logger LOG = LoggerFactory.getLogger(Service.class);

    private final TaskRuntime runtime;
    private final boolean ownRuntime;
    private final Duration drainTimeout;
    private final Duration abortTimeout;

    private final CancellationToken token = CancellationToken.create("service");
    private final SetOnce<Stop> stop = new SetOnce<>();
    private final AtomicReference<@Nullable SignalKind> signalled = new AtomicReference<>(); // the first one
    private final SetOnce<Boolean> ended = new SetOnce<>();
    private final TaskTracker tracker = TaskTracker.create();
    private final Map<LiveTask, TaskTracker.Token> tracked = new ConcurrentHashMap<>();
    private final TaskKeeper keeper = this::taskEnded;
    private final List<AutoCloseable> first = new ArrayList<>(); // guarded by itself, as is closing
    private final List<Closing> closings = new ArrayList<>(); // of the thread that runs the service
    private boolean closing;
    private volatile boolean over; // no more tasks are taken: set before the last look at tracked
    private volatile @Nullable LiveTask body;
    private boolean hurried; // of the thread that runs the service: it was interrupted during the end

    private Service(TaskRuntime runtime, boolean ownRuntime, Duration drainTimeout, Duration abortTimeout) {
        this.runtime = runtime;
        this.ownRuntime = ownRuntime;
        this.drainTimeout = drainTimeout;
        this.abortTimeout = abortTimeout;
    }

    /**
     * What a service does until it ends.
     *
     * <pre>{@code
     * Service.Main main = service -> {
     *     service.spawn(() -> poll(service.token()));
     *     service.token().awaitCancelled();
     * };
     * }</pre>
     *
     * @since 0.1
     */
    @FunctionalInterface
    public interface Main {
        /**
         * Runs as a task, until the service is told to end. When it returns or throws, the service ends.
         *
         * @param service whose body this is
         * @throws Exception if it fails; the exit code is 1 then, unless the end of the service is the cause
         */
        void run(Service service) throws Exception;
    }

    /**
     * Why and how a service has ended.
     *
     * <pre>{@code
     * Service.Report report = Service.builder().run(main);
     * log.info("ended by {}, aborted {}", report.reason(), report.aborted());
     * System.exit(report.exitCode());
     * }</pre>
     *
     * @param reason what began the end, in words
     * @param signal the first signal that came: it began the end, unless something else had; null if none did
     * @param failure what the body failed with, or null
     * @param aborted the names of the tasks that had not ended by the drain timeout, and of closings without a task that had to be
     *     interrupted
     * @param left the names of those that had not ended by the abort timeout either, and run on
     * @since 0.1
     */
    public record Report(
            String reason,
            @Nullable SignalKind signal,
            @Nullable Throwable failure,
            List<String> aborted,
            List<String> left) {
        /** Copies the lists. */
        public Report {
            aborted = List.copyOf(aborted);
            left = List.copyOf(left);
        }

        /** {@return 0 if the body did not fail and all tasks ended in time, else 1} */
        public int exitCode() {
            return failure == null && aborted.isEmpty() && left.isEmpty() ? 0 : 1;
        }
    }

    /** One resource that is closed first, by a task, or by a thread of its own if no task comes to it. */
    private static final class Closing {
        private final AutoCloseable resource;
        private final AtomicBoolean begun = new AtomicBoolean();
        private final SetOnce<Boolean> done = new SetOnce<>();
        private @Nullable Thread apart; // this and aborted: of the thread that runs the service
        private boolean aborted;

        Closing(AutoCloseable resource) {
            this.resource = resource;
        }

        void run() {
            if (begun.compareAndSet(false, true)) {
                try {
                    close(resource);
                } finally {
                    done.trySet(true);
                }
            }
        }

        void startApart() {
            if (apart != null) {
                return;
            }
            try {
                apart = Thread.ofPlatform().daemon().name(name()).start(this::run);
            } catch (OutOfMemoryError e) { // no thread can be had
                run();
            }
        }

        private String name() {
            try {
                return "closing " + resource;
            } catch (RuntimeException | Error e) {
                return "closing " + resource.getClass().getName();
            }
        }

        void abort() {
            if (apart != null && !done.isSet()) {
                aborted = true;
                apart.interrupt();
            }
        }

        boolean isLeft() {
            return aborted && !done.isSet();
        }
    }

    /** What began the end; by the body if no reason came from elsewhere. */
    private record Stop(String reason, boolean byBody) {}

    /* ---------------- Running one -------------- */

    /**
     * Runs a service in a runtime made from the environment, and returns when it has ended: {@link Builder#run} with one option.
     *
     * @param drainTimeout how long tasks may take to end by themselves; zero aborts them at once
     * @param main its body
     * @return the exit code, 0 or 1, for {@link System#exit}
     * @throws InterruptedException as in {@link Builder#run}
     * @throws IllegalArgumentException if the timeout is negative
     */
    public static int run(Duration drainTimeout, Main main) throws InterruptedException {
        return builder().drainTimeout(drainTimeout).run(main).exitCode();
    }

    /** {@return the options of a service, with their defaults} */
    public static Builder builder() {
        return new Builder();
    }

    private Report run(Main main) throws InterruptedException {
        List<Ear> ears = new ArrayList<>();
        try {
            for (SignalKind kind : List.of(SignalKind.INTERRUPT, SignalKind.TERMINATE)) {
                Ear ear = new Ear(kind);
                SignalSource.add(ear);
                ears.add(ear);
            }
            token.onCancel(() -> stop.trySet(new Stop("its token was cancelled", false)));
            VoidBody<Exception> work = () -> token.run(() -> main.run(this));
            body = prepare(work, "service-main", false);
            start(body, false);
            Stop why;
            InterruptedException interrupted = null;
            try {
                why = stop.await();
            } catch (InterruptedException e) {
                interrupted = e; // tells those around whose cancellation it was
                stop.trySet(new Stop("the thread that runs it was interrupted", false));
                why = Objects.requireNonNull(stop.get());
            }
            Stop known = why;
            Report report = Task.shield(() -> end(known)); // a caller that is cancelled ends it in order, too
            if (interrupted != null) {
                throw interrupted;
            }
            if (hurried) {
                throw new InterruptedException(report.reason());
            }
            return report;
        } finally {
            ended.trySet(true);
            ears.forEach(SignalSource::remove);
        }
    }

    /* ---------------- For the body -------------- */

    /**
     * Has a resource closed as the first thing when the service ends: a listener, so that no more work comes in. Each is closed in
     * a task of its own, which counts as one of the service's, after the one before is done or the abort timeout has passed; where no
     * task can do it or comes to it by the drain timeout, in a thread of its own, which is interrupted after the abort timeout. What
     * its closing throws is logged at WARN, and hinders nothing. A resource given when the end has begun is closed at once, by the
     * caller.
     *
     * @param resource what to close; may have been closed before, if its closing is idempotent
     * @param <C> its type
     * @return the resource
     */
    public <C extends AutoCloseable> C closeFirst(C resource) {
        Objects.requireNonNull(resource, "resource");
        synchronized (first) {
            if (!closing) {
                first.add(resource);
                return resource;
            }
        }
        close(resource);
        return resource;
    }

    /**
     * Starts a task in the runtime of the service, which waits for it when it ends. Tasks of the service may still spawn while
     * it drains.
     *
     * @param task what it runs
     * @param <T> its result
     * @return its handle; already cancelled once the service aborts what is left
     */
    public <T extends @Nullable Object> JoinHandle<T> spawn(Body<T, ?> task) {
        return started(Objects.requireNonNull(task, "task"), null, false);
    }

    /**
     * Starts a task without a result, see {@link #spawn(Body)}.
     *
     * @param task what it runs
     * @return its handle
     */
    public JoinHandle<@Nullable Void> spawn(VoidBody<?> task) {
        return started(Objects.requireNonNull(task, "task"), null, false);
    }

    /**
     * As {@link #spawn(Body)}, with the name that reports call it.
     *
     * @param name the task's and its thread's name
     * @param task what it runs
     * @param <T> its result
     * @return its handle
     */
    public <T extends @Nullable Object> JoinHandle<T> spawnNamed(String name, Body<T, ?> task) {
        return started(Objects.requireNonNull(task, "task"), Objects.requireNonNull(name, "name"), false);
    }

    /**
     * As {@link #spawn(VoidBody)}, with the name that reports call it.
     *
     * @param name the task's and its thread's name
     * @param task what it runs
     * @return its handle
     */
    public JoinHandle<@Nullable Void> spawnNamed(String name, VoidBody<?> task) {
        return started(Objects.requireNonNull(task, "task"), Objects.requireNonNull(name, "name"), false);
    }

    /**
     * Starts a job on the blocking pool of the runtime, which the service waits for when it ends.
     *
     * @param job what it runs
     * @param <T> its result
     * @return its handle; already cancelled once the service aborts what is left
     */
    public <T extends @Nullable Object> JoinHandle<T> spawnBlocking(Body<T, ?> job) {
        return started(Objects.requireNonNull(job, "job"), null, true);
    }

    /**
     * Starts a job without a result on the blocking pool, see {@link #spawnBlocking(Body)}.
     *
     * @param job what it runs
     * @return its handle
     */
    public JoinHandle<@Nullable Void> spawnBlocking(VoidBody<?> job) {
        return started(Objects.requireNonNull(job, "job"), null, true);
    }

    /** {@return the token that is cancelled when the service ends, after what is closed first} */
    public CancellationToken token() {
        return token;
    }

    /**
     * Has the service end, as a signal does. Returns at once: the end goes its way in the thread that runs the service.
     *
     * @param reason why, for the log and the report
     * @return false if the end had begun before
     */
    public boolean shutdown(String reason) {
        return stop.trySet(new Stop(Objects.requireNonNull(reason, "reason"), false));
    }

    /**
     * Has the service end, see {@link #shutdown(String)}.
     *
     * @return false if the end had begun before
     */
    public boolean shutdown() {
        return shutdown("it was shut down");
    }

    /* ---------------- Its tasks -------------- */

    @SuppressWarnings("unchecked") // the task runs the body, whose type is T
    private <T extends @Nullable Object> JoinHandle<T> started(Object work, @Nullable String name, boolean blocking) {
        LiveTask task = prepare(work, name, blocking);
        start(task, blocking);
        return (JoinHandle<T>) task;
    }

    private LiveTask prepare(Object work, @Nullable String name, boolean blocking) {
        return TaskDoor.get().prepareIn(runtime, work, name, blocking, keeper);
    }

    private void start(LiveTask task, boolean blocking) {
        tracked.put(task, tracker.token());
        TaskDoor door = TaskDoor.get();
        if (over) { // after it is in tracked: either this sees the end, or the end sees the task
            task.abort(endReason()); // which a refusal keeps
            door.refuse(task);
        } else if (blocking) {
            door.startBlocking(task);
        } else {
            door.start(task);
        }
    }

    /** Told of the end of each task, also of one that never began. */
    private void taskEnded(LiveTask task) {
        TaskTracker.Token counted = tracked.remove(task);
        if (counted != null) {
            counted.close();
        }
        if (task == body && !stop.isSet()) {
            stop.trySet(new Stop("its body has ended", true));
        }
    }

    private List<String> names() {
        return tracked.keySet().stream().map(LiveTask::toString).sorted().toList();
    }

    /* ---------------- The end -------------- */

    private Report end(Stop why) {
        long begin = System.nanoTime();
        String told = "the service ends: {}; its {} tasks have {} to end";
        LOG.atLevel(why.byBody() ? Level.DEBUG : Level.INFO).log(told, why.reason(), tracked.size(), drainTimeout);
        closeFirstOnes(begin);
        token.cancel("the service ends: " + why.reason());
        tracker.close();
        within(left(begin), tracker::await);
        over = true;
        long aborting = System.nanoTime();
        startLastOnes();
        List<String> aborted = names();
        if (!aborted.isEmpty()) {
            LOG.warn("the service aborts what has not ended within {}: {}", drainTimeout, aborted);
            tracked.keySet().forEach(task -> task.abort(endReason()));
            within(abortTimeout, tracker::await);
        }
        awaitLastOnes(aborting);
        Throwable failure = failure(why);
        Stream<String> left = names().stream();
        if (ownRuntime) { // may have tasks besides those of the service
            Duration patience = tracked.isEmpty() ? abortTimeout : Duration.ZERO;
            left = Stream.concat(left, runtime.shutdown(patience).stream());
        }
        return report(why, failure, with(aborted.stream(), closing -> closing.aborted), with(left, Closing::isLeft));
    }

    private Report report(Stop why, @Nullable Throwable failure, List<String> aborted, List<String> left) {
        if (!left.isEmpty()) {
            LOG.warn("what the service aborted has not ended within {}: {}", abortTimeout, left);
        }
        if (failure != null) {
            LOG.error("the body of the service failed", failure);
        }
        Report report = new Report(why.reason(), signalled.get(), failure, aborted, left);
        LOG.atLevel(why.byBody() ? Level.DEBUG : Level.INFO)
                .log("the service has ended, with exit code {}", report.exitCode());
        return report;
    }

    private static CancelReason endReason() {
        return new CancelReason(CancelReason.Kind.SHUTDOWN, "the service has ended");
    }

    /** Waits for them for the abort timeout at most: what hangs must not take their time to drain from the tasks. */
    private void closeFirstOnes(long begin) {
        List<AutoCloseable> toClose;
        synchronized (first) {
            closing = true;
            toClose = List.copyOf(first);
            first.clear();
        }
        for (AutoCloseable resource : toClose) {
            Closing closing = new Closing(resource);
            closings.add(closing);
            Duration patience = patience(begin);
            Duration left = left(begin);
            Duration most = left.compareTo(patience) < 0 ? left : patience;
            if (runtime.isShutdown()) { // by others: it takes no tasks
                closing.startApart();
                within(most, closing.done::await);
                continue;
            }
            try {
                VoidBody<RuntimeException> work = closing::run;
                JoinHandle<?> task = started(work, "closing " + resource, false);
                within(most, task::result);
            } catch (RuntimeException | Error e) { // of whom it asks for its name, or for context
                LOG.warn("no task can close what is to be closed first, and so it is closed last", e);
            }
        }
    }

    /** Those to which no task has come, and none will. Nobody could abort a closing in the thread that runs the service. */
    private void startLastOnes() {
        closings.stream().filter(closing -> !closing.begun.get()).forEach(Closing::startApart);
    }

    /** Waits for those in threads of their own, and then interrupts them. */
    private void awaitLastOnes(long begin) {
        for (Closing closing : closings) {
            if (closing.apart != null) {
                within(patience(begin), closing.done::await);
                closing.abort();
            }
        }
    }

    /** {@return the names of tasks, and of the closings without a task to which something applies as well} */
    private List<String> with(Stream<String> tasks, Predicate<Closing> which) {
        return Stream.concat(
                        tasks,
                        closings.stream()
                                .filter(which)
                                .map(closing ->
                                        Objects.requireNonNull(closing.apart).getName()))
                .distinct()
                .toList();
    }

    /** {@return what is left of the abort timeout} */
    private Duration patience(long begin) {
        return abortTimeout.minusNanos(System.nanoTime() - begin);
    }

    private static void close(AutoCloseable resource) {
        try {
            resource.close();
        } catch (Exception e) {
            LOG.warn("closing {} failed", resource, e);
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private interface TimedWait {
        void await(Duration timeout) throws InterruptedException, TimeoutException;
    }

    /** Waits for a time at most. An interrupt cuts this wait short, and the drain with it. */
    private void within(Duration timeout, TimedWait wait) {
        try {
            wait.await(timeout);
        } catch (TimeoutException e) {
            // who has not ended is found in tracked
        } catch (InterruptedException e) {
            hurried = true;
        }
    }

    /** {@return what is left of the drain timeout} */
    private Duration left(long begin) {
        return hurried ? Duration.ZERO : drainTimeout.minusNanos(System.nanoTime() - begin);
    }

    /** {@return what the body failed with, or null if it did not, or failed because the service ends} */
    private @Nullable Throwable failure(Stop why) {
        JoinResult<?> result = ((JoinHandle<?>) Objects.requireNonNull(body)).tryResult();
        if (result instanceof JoinResult.Failure<?>(Throwable e)) {
            if (!why.byBody() && tellsOfTheEnd(e)) {
                LOG.debug("the body was ended", e);
                return null;
            }
            return e;
        }
        return why.byBody() && result instanceof JoinResult.Cancelled<?>(CancelReason reason)
                ? TaskDoor.get().endedRegion(reason) // by others, as by the end of its runtime
                : null;
    }

    /** Whether an exception comes of what is done to a body when the service ends: it is cancelled, and things are closed. */
    private static boolean tellsOfTheEnd(Throwable e) {
        int depth = 0; // causes may go round
        for (Throwable cause = e; cause != null && depth < 100; cause = cause.getCause(), depth++) {
            if (cause instanceof InterruptedException
                    || cause instanceof ClosedChannelException
                    || cause instanceof ChannelClosedException
                    || cause instanceof SemaphoreClosedException
                    || cause.getClass() == SocketException.class) { // a socket of the JDK that was closed
                return true;
            }
        }
        return false;
    }

    /** Listens for what ends the process. */
    private final class Ear extends SignalSource.Listener {
        Ear(SignalKind kind) {
            super(kind, drainTimeout.plus(abortTimeout).plus(abortTimeout).plusSeconds(1));
        }

        @Override
        void told(int number) {
            if (!signalled.compareAndSet(null, kind)) {
                Runtime.getRuntime().halt(128 + number);
            }
            stop.trySet(new Stop(kind.toString(), false));
        }

        @Override
        void ending() {
            stop.trySet(new Stop("the JVM is shutting down", false));
        }

        @Override
        void awaitEnd(Duration timeout) throws InterruptedException, TimeoutException {
            ended.await(timeout);
        }

        @Override
        public String toString() {
            return "service";
        }
    }

    /* ---------------- Building -------------- */

    /**
     * Options of a service.
     *
     * <pre>{@code
     * Service.Report report = Service.builder().drainTimeout(Duration.ofSeconds(30)).runtime(runtime).run(main);
     * }</pre>
     *
     * @since 0.1
     */
    public static final class Builder {
        private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE);

        private Duration drainTimeout = Duration.ofSeconds(10);
        private Duration abortTimeout = Duration.ofSeconds(1);
        private @Nullable TaskRuntime runtime;

        private Builder() {}

        /**
         * Sets how long tasks may take to end by themselves, from the beginning of the end on. Default 10 s.
         *
         * @param timeout zero or more; zero aborts them at once, one too long for the clock (over 292 years) never
         * @return this
         * @throws IllegalArgumentException if it is negative
         */
        public Builder drainTimeout(Duration timeout) {
            drainTimeout = notNegative("drainTimeout", timeout);
            return this;
        }

        /**
         * Sets how long tasks that are aborted may take for their cleanup. Default 1 s.
         *
         * @param timeout zero or more
         * @return this
         * @throws IllegalArgumentException if it is negative
         */
        public Builder abortTimeout(Duration timeout) {
            abortTimeout = notNegative("abortTimeout", timeout);
            return this;
        }

        /**
         * Sets the runtime that the service runs in, which it leaves open. Default: one made from the environment, and shut down
         * at the end.
         *
         * @param of whose owner closes it
         * @return this
         */
        public Builder runtime(TaskRuntime of) {
            runtime = Objects.requireNonNull(of, "of");
            return this;
        }

        private static Duration notNegative(String name, Duration timeout) {
            if (timeout.isNegative()) {
                throw new IllegalArgumentException(name + "=" + timeout + " must not be negative");
            }
            return timeout.compareTo(LONGEST) > 0 ? LONGEST : timeout;
        }

        /**
         * Runs a service and returns when it has ended. The body runs as a task; the caller waits, and then sees to the end. The
         * wait lasts until something begins the end, and then for the drain timeout and the abort timeout at most, and the abort
         * timeout once more if the runtime that the service has made has other tasks. An interrupt or a cancellation of the
         * caller begins the end, too; an interrupt that comes during the end cuts the drain short.
         *
         * @param main its body
         * @return how it ended
         * @throws InterruptedException if the caller was interrupted or cancelled; the service has ended nevertheless, and what
         *     there is to report is in the log
         */
        public Report run(Main main) throws InterruptedException {
            Objects.requireNonNull(main, "main");
            TaskRuntime given = runtime;
            if (given != null) {
                return new Service(given, false, drainTimeout, abortTimeout).run(main);
            }
            try (TaskRuntime made =
                    TaskRuntime.builder().shutdownTimeout(Duration.ZERO).build()) {
                return new Service(made, true, drainTimeout, abortTimeout).run(main);
            }
        }
    }
}
