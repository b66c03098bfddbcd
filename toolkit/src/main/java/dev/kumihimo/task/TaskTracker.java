package dev.kumihimo.task;

import dev.kumihimo.internal.carrier.LiveTask;
import dev.kumihimo.internal.carrier.TaskDoor;
import dev.kumihimo.internal.carrier.TaskKeeper;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Counts the work that is under way, so that somebody can wait until there is none: for tasks that belong to no scope, as the
 * connections of a server. Together with a {@link CancellationToken} it ends a service in order.
 *
 * <pre>{@code
 * var tracker = TaskTracker.create();
 * while (!stop.isCancelled()) {
 *     TcpStream stream = listener.accept();
 *     tracker.spawn(() -> stop.run(() -> serve(stream)));
 * }
 * tracker.close();
 * tracker.await(Duration.ofSeconds(10));    // all connections have ended
 * }</pre>
 *
 * <p>Unlike a {@link JoinSet} it belongs to nobody, holds no results, and keeps nothing of what has ended; it does not abort
 * anything. Any thread may call any method.
 *
 * <p>{@link #await()} ends when the tracker is closed and empty. Closing does not forbid spawning: it says that an empty tracker
 * is meant to be the end. What was tracked happens-before the wait for its end returns.
 *
 * @since 0.1
 */
public final class TaskTracker implements Selectable<@Nullable Void> {
    private final TrackerPoint point = new TrackerPoint();
    private final TaskKeeper keeper = this::ended;
    private final Clause<@Nullable Void> clause = new Ended(point);

    private TaskTracker() {}

    /** {@return a tracker of nothing, open} */
    public static TaskTracker create() {
        return new TaskTracker();
    }

    /* ---------------- Tracking -------------- */

    /**
     * Starts a task in the ambient runtime, and tracks it until it has ended, its cleanup included.
     *
     * @param body what it runs
     * @param <T> its result
     * @return its handle; already cancelled, and tracked no longer, if the runtime is shut down
     */
    public <T extends @Nullable Object> JoinHandle<T> spawn(Body<T, ?> body) {
        return start(Objects.requireNonNull(body, "body"), false);
    }

    /**
     * Starts a task without a result, see {@link #spawn(Body)}.
     *
     * @param body what it runs
     * @return its handle
     */
    public JoinHandle<@Nullable Void> spawn(VoidBody<?> body) {
        return start(Objects.requireNonNull(body, "body"), false);
    }

    /**
     * Starts a job on the blocking pool of the ambient runtime, and tracks it until it has really ended.
     *
     * @param body what it runs
     * @param <T> its result
     * @return its handle; already cancelled, and tracked no longer, if the runtime is shut down
     * @throws java.util.concurrent.RejectedExecutionException if all blocking threads are busy and their queue is full; nothing
     *     is tracked
     */
    public <T extends @Nullable Object> JoinHandle<T> spawnBlocking(Body<T, ?> body) {
        return start(Objects.requireNonNull(body, "body"), true);
    }

    /**
     * Starts a job without a result on the blocking pool, see {@link #spawnBlocking(Body)}.
     *
     * @param body what it runs
     * @return its handle
     * @throws java.util.concurrent.RejectedExecutionException as in {@link #spawnBlocking(Body)}
     */
    public JoinHandle<@Nullable Void> spawnBlocking(VoidBody<?> body) {
        return start(Objects.requireNonNull(body, "body"), true);
    }

    @SuppressWarnings("unchecked") // the task runs the body, whose type is T
    private <T extends @Nullable Object> JoinHandle<T> start(Object body, boolean blocking) {
        TaskRuntime.current(); // makes the door
        TaskDoor door = TaskDoor.get();
        LiveTask task = door.prepare(body, null, blocking, keeper);
        point.begin();
        if (blocking) { // from here on the task's end counts it out, also if it could not be started
            door.startBlocking(task);
        } else {
            door.start(task);
        }
        return (JoinHandle<T>) task;
    }

    /**
     * Runs a body in the calling thread, tracked.
     *
     * @param body what to run
     * @param <T> its result
     * @param <X> what it throws
     * @return its result
     * @throws X if the body throws it
     */
    public <T extends @Nullable Object, X extends Exception> T track(Body<T, X> body) throws X {
        point.begin();
        try {
            return body.call();
        } finally {
            point.end();
        }
    }

    /**
     * Runs a body without a result in the calling thread, tracked.
     *
     * @param body what to run
     * @param <X> what it throws
     * @throws X if the body throws it
     */
    public <X extends Exception> void track(VoidBody<X> body) throws X {
        point.begin();
        try {
            body.run();
        } finally {
            point.end();
        }
    }

    /** {@return a token that counts as a task until it is closed: for work that the tracker has not started} */
    public Token token() {
        Token token = new Token(point);
        point.begin();
        return token;
    }

    private void ended(LiveTask task) {
        point.end();
    }

    /* ---------------- Waiting -------------- */

    /**
     * Has {@link #await()} end once nothing is tracked. Never waits.
     *
     * @return false if it was closed already
     */
    public boolean close() {
        return point.close();
    }

    /**
     * Takes a {@link #close()} back: waits go on until it is closed again. One that was to end before this does so.
     *
     * @return false if it was open
     */
    public boolean reopen() {
        return point.reopen();
    }

    /**
     * Waits until the tracker is closed and nothing is tracked, be it for a moment only: a later spawn, or
     * {@link #reopen()}, does not make a wait miss it. An interrupt or cancellation of the caller ends the wait. All who wait
     * are woken.
     *
     * @throws InterruptedException if the caller is interrupted or cancelled first
     */
    public void await() throws InterruptedException {
        Waiter.spend();
        Wait wait = point.register();
        if (wait != null) {
            wait.await();
        }
    }

    /**
     * As {@link #await()}, waiting at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @throws InterruptedException if the caller is interrupted or cancelled first
     * @throws TimeoutException if the time passes first; what is tracked runs on
     */
    public void await(Duration timeout) throws InterruptedException, TimeoutException {
        Waiter.spend();
        if (point.isOver()) {
            return;
        }
        if (timeout.isNegative() || timeout.isZero()) {
            throw notOver(timeout);
        }
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        Wait wait = point.register();
        if (wait != null && !wait.await(deadline)) {
            throw notOver(timeout);
        }
    }

    private TimeoutException notOver(Duration timeout) {
        return new TimeoutException(this + " was not closed and empty within " + timeout);
    }

    /** {@return its being closed and empty, to be selected on} */
    @Override
    public Clause<@Nullable Void> clause() {
        return clause;
    }

    private static final class Ended extends Clause<@Nullable Void> {
        private final TrackerPoint point;

        Ended(TrackerPoint point) {
            super(point);
            this.point = point;
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            return point.isOver() ? null : NOT_READY;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            return point.enqueue(node);
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            return null;
        }
    }

    /* ---------------- Facts -------------- */

    /** {@return how many tasks, bodies and tokens are tracked now} */
    public int size() {
        return point.size();
    }

    /** {@return whether nothing is tracked} */
    public boolean isEmpty() {
        return size() == 0;
    }

    /** {@return whether it is closed} */
    public boolean isClosed() {
        return point.isClosed();
    }

    /** {@return where its waits are registered, for tests} */
    WaitPoint waitPoint() {
        return point;
    }

    @Override
    public String toString() {
        return "TaskTracker[" + size() + (isClosed() ? " tracked, closed]" : " tracked]");
    }

    /**
     * Counts as a task of its tracker until it is closed. One that is lost without being closed counts for ever.
     *
     * <pre>{@code
     * try (var token = tracker.token()) {
     *     work();
     * }
     * }</pre>
     *
     * @since 0.1
     */
    public static final class Token implements AutoCloseable {
        private final TrackerPoint point;
        private final AtomicBoolean closed = new AtomicBoolean();

        private Token(TrackerPoint point) {
            this.point = point;
        }

        /** Counts no longer. Idempotent. */
        @Override
        public void close() {
            if (closed.compareAndSet(false, true)) {
                point.end();
            }
        }
    }
}
