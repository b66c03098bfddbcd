package dev.kumihimo.runtime;

import dev.kumihimo.internal.carrier.LiveTask;
import dev.kumihimo.internal.carrier.TaskKeeper;
import dev.kumihimo.internal.wait.CancelScope;
import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Clause;
import java.io.InterruptedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/*
 * State of `end`:  null --first joiner: CAS--> a JoinPoint --end()--> the JoinResult
 *                  null --end(): swap--------> the JoinResult
 * Waiting: a joiner registers at the JoinPoint under its lock if `end` is no result yet; end() swaps the result in and then
 * serves the JoinPoint it found, under the same lock. So a joiner either sees the result or is served (H1).
 *
 * Fields: thread: written before the thread starts, or by the blocking pool's thread; volatile since aborters read it.
 * A job that starts writes `thread` and then reads its reason; an aborter sets the reason and then reads `thread`.
 */

/** A task or blocking job: the body of its thread, that thread's waiter, and the state behind its handle, in one object. */
final class RuntimeTask<T extends @Nullable Object> extends LiveTask implements Task, JoinHandle<T>, Runnable {
    /** Blocking jobs have no thread to take an id from; theirs start where thread ids never come. */
    static final long JOBS = 1L << 48;

    private static final AtomicLong JOB_IDS = new AtomicLong(JOBS);

    private static final VarHandle END;

    static {
        try {
            END = MethodHandles.lookup().findVarHandle(RuntimeTask.class, "end", Object.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final TaskRuntime runtime;
    private final @Nullable String givenName;
    private final @Nullable TaskKeeper keeper;
    private @Nullable Object body; // a Body or VoidBody, or what Surroundings made of it, until it has run
    private long id; // above JOBS for a blocking job: a field less, of which there is one for each parked task

    /** The key of the task that spawned this one, or 0. Not the task itself, which would be kept after its end. */
    private final int spawner;

    private volatile @Nullable Thread thread;
    private volatile @Nullable Object end;
    private volatile @Nullable UnjoinedFailure unjoined;

    RuntimeTask(
            TaskRuntime runtime, Object body, @Nullable String name, boolean blocking, @Nullable TaskKeeper keeper) {
        Surroundings around = runtime.surroundings();
        this.runtime = runtime;
        this.body = around == null ? body : around.capture(body);
        this.givenName = name;
        this.keeper = keeper;
        this.spawner = Waiter.currentTask() instanceof RuntimeTask<?> caller ? caller.key() : 0;
        if (blocking) {
            id = JOB_IDS.incrementAndGet();
        }
    }

    /* ---------------- Life -------------- */

    /** Makes a new, unstarted virtual thread this task's. */
    void bind(Thread virtual) {
        virtual.setUncaughtExceptionHandler(this);
        id = virtual.threadId();
        thread = virtual;
        if (givenName != null) {
            virtual.setName(givenName);
        }
    }

    @Override
    public void run() {
        if (isBlocking()) {
            runBlocking();
        } else {
            runBody(false);
        }
    }

    /**
     * Runs the body of a thread that somebody else started, and who counts on what it does: an executor's future, which only
     * the body completes. If aborted, it is told so at once.
     */
    void runEvenIfAborted() {
        if (isAborted()) {
            deliverInterrupt();
        }
        runBody(true);
    }

    private void runBlocking() {
        Thread worker = Thread.currentThread();
        String workerName = worker.getName();
        worker.setUncaughtExceptionHandler(this);
        if (givenName != null) {
            worker.setName(givenName);
        }
        thread = worker; // volatile, before runBody looks for a reason
        try {
            runBody(false);
        } finally {
            leave();
            Thread.interrupted(); // the next job starts with a clean flag, whoever set it
            worker.setName(workerName);
            worker.setUncaughtExceptionHandler(null);
        }
    }

    /** One method, since each frame below the body stays on the stack of every parked task. */
    private void runBody(boolean evenIfAborted) {
        JoinResult<T> result;
        if (isAborted() && !evenIfAborted) {
            result = new JoinResult.Cancelled<>(cancelReason());
        } else if (runtime.surroundings() != null) {
            result = runWithin(runtime.surroundings());
        } else {
            try {
                result = new JoinResult.Success<>(callBody());
            } catch (Throwable e) {
                result = resultOf(e);
            }
        }
        end(result);
    }

    /** Runs the body within what surrounds it: apart, so that only tasks that are surrounded have the frame. */
    private JoinResult<T> runWithin(Surroundings around) {
        Object captured = Objects.requireNonNull(body);
        ContextPropagation.Scope scope;
        try {
            scope = Surroundings.open(captured);
        } catch (Throwable e) {
            return resultOf(e);
        }
        body = Surroundings.bodyOf(captured);
        around.started(this);
        JoinResult<T> result;
        try {
            result = new JoinResult.Success<>(callBody());
        } catch (Throwable e) {
            result = resultOf(e);
        }
        around.ended(this, result);
        Surroundings.close(scope, this);
        return result;
    }

    private JoinResult<T> resultOf(Throwable e) {
        // In a runtime that is shut down every task is about to be aborted, and may have met one that was.
        if ((isAborted() || runtime.isShutdown()) && isInterruption(e)) {
            return new JoinResult.Cancelled<>(cancelReason());
        }
        return e instanceof TaskCancelledException cancelled && cancelled.isEndedRegion()
                ? new JoinResult.Cancelled<>(cancelled.reason())
                : new JoinResult.Failure<>(e);
    }

    @SuppressWarnings({"unchecked", "NullAway"}) // a task made from a VoidBody is a task of Void, whose value is null
    private T callBody() throws Exception {
        Object work = body;
        if (work instanceof Body<?, ?> returning) {
            return ((Body<T, ?>) returning).call();
        }
        if (work instanceof VoidBody<?> plain) {
            plain.run();
        }
        return (T) null;
    }

    private static boolean isInterruption(Throwable e) {
        return e instanceof InterruptedException
                || e instanceof ClosedByInterruptException
                || e instanceof InterruptedIOException && !(e instanceof SocketTimeoutException);
    }

    /** Ends a task that has not run. */
    void refuse(CancelReason reason) {
        cancel(reason);
        end(new JoinResult.Cancelled<>(cancelReason())); // the first reason stays
    }

    private void end(JoinResult<T> result) {
        body = null;
        if (result instanceof JoinResult.Failure<T> failure) {
            if (Points.ON) {
                Points.failed(this, failure.exception());
            }
            try {
                unjoined = runtime.failures().track(this, failure.exception());
            } catch (Throwable noMemory) {
                // Nothing will report it if nobody joins; but those who join must not wait for ever.
            }
        }
        Object before = END.getAndSet(this, result);
        runtime.core().registry().remove(this);
        if (before instanceof JoinPoint joiners) {
            joiners.wakeAll();
        }
        if (keeper != null) {
            keeper.ended(this);
        }
        runtime.taskEnded();
    }

    /* ---------------- Joining -------------- */

    /** Where the joiners of one task wait. */
    private static final class JoinPoint extends WaitPoint {
        private final RuntimeTask<?> task;
        private final WaitQueue joiners = new WaitQueue();

        JoinPoint(RuntimeTask<?> task) {
            this.task = task;
        }

        /** Under the lock: registers a joiner, unless the task has ended. */
        boolean register(WaitNode joiner) {
            if (task.end instanceof JoinResult) {
                return false;
            }
            joiners.add(joiner);
            return true;
        }

        void wakeAll() {
            WakeList granted = new WakeList();
            lock();
            try {
                for (WaitNode node; (node = joiners.poll()) != null; ) {
                    if (node.grant()) {
                        granted.add(node);
                    }
                }
            } finally {
                unlock();
            }
            granted.wakeAll();
        }

        @Override
        public List<Thread> holders() {
            Thread runs = task.thread;
            return runs == null || task.isFinished() ? List.of() : List.of(runs);
        }

        @Override
        public @Nullable String lostWakeup() {
            WaitNode joiner = undecided(joiners);
            return joiner != null && task.isFinished() ? lost("it has come", joiner) : null;
        }

        @Override
        public String toString() {
            return "end of " + task;
        }
    }

    /** Where to wait for the end; null if that has come. */
    private @Nullable JoinPoint joinPoint() {
        Object now = end;
        if (now == null) {
            JoinPoint made = new JoinPoint(this);
            now = END.compareAndExchange(this, null, made);
            if (now == null) {
                return made;
            } // else another joiner was first, or the end has come
        }
        return now instanceof JoinPoint point ? point : null;
    }

    /** Registers a new wait of the caller for the end; null if that has come. */
    private @Nullable Wait registerJoiner() {
        JoinPoint point = joinPoint();
        if (point == null) {
            return null;
        }
        Wait wait = Wait.at(point);
        point.lock();
        try {
            return point.register(wait) ? wait : null;
        } finally {
            point.unlock();
        }
    }

    /** {@return whether somebody waits for the end, for tests} */
    boolean hasJoiners() {
        if (!(end instanceof JoinPoint point)) {
            return false;
        }
        point.lock();
        try {
            return !point.joiners.isEmpty();
        } finally {
            point.unlock();
        }
    }

    @Override
    public Clause<JoinResult<T>> clause() {
        return new Joining<>(this, joinPoint());
    }

    private static final class Joining<T extends @Nullable Object> extends Clause<JoinResult<T>> {
        private final RuntimeTask<T> task;
        private final @Nullable JoinPoint point;

        Joining(RuntimeTask<T> task, @Nullable JoinPoint point) {
            super(point);
            this.task = task;
            this.point = point;
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            return task.isFinished() ? null : NOT_READY;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            return point != null && point.register(node);
        }

        @Override
        protected JoinResult<T> result(@Nullable Object outcome) {
            return task.ended();
        }
    }

    @SuppressWarnings("unchecked")
    private JoinResult<T> ended() {
        UnjoinedFailure failure = unjoined;
        if (failure != null) {
            unjoined = null;
            runtime.failures().seen(failure);
        }
        if (end instanceof JoinResult<?> result) {
            return (JoinResult<T>) result;
        }
        throw new IllegalStateException("the task has not ended");
    }

    private void checkNotSelf() {
        if (Waiter.currentTask() == this) {
            throw new IllegalStateException(this + " would wait for its own end for ever");
        }
    }

    @Override
    public JoinResult<T> result() throws InterruptedException {
        checkNotSelf();
        Waiter.spend();
        Wait wait = registerJoiner();
        if (wait != null) {
            wait.await();
        }
        return ended();
    }

    @Override
    public JoinResult<T> result(Duration timeout) throws InterruptedException, TimeoutException {
        checkNotSelf();
        Waiter.spend();
        if (!isFinished() && (timeout.isNegative() || timeout.isZero())) {
            throw timedOut(timeout);
        }
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        Wait wait = registerJoiner();
        if (wait != null && !wait.await(deadline)) {
            throw timedOut(timeout);
        }
        return ended();
    }

    private TimeoutException timedOut(Duration timeout) {
        return new TimeoutException(this + " has not ended within " + timeout);
    }

    @Override
    public @Nullable JoinResult<T> tryResult() {
        return isFinished() ? ended() : null;
    }

    @Override
    public T join() throws InterruptedException, ExecutionException {
        return result().get();
    }

    @Override
    public T join(Duration timeout) throws InterruptedException, ExecutionException, TimeoutException {
        return result(timeout).get();
    }

    @Override
    public AbortOnClose<T> abortOnClose() {
        return new AbortOnClose<>(this);
    }

    @Override
    public boolean awaitEnd(long deadline) {
        Wait wait = registerJoiner();
        return wait == null || wait.awaitUninterruptibly(deadline);
    }

    /** Joins a job that stands for its caller: the caller's cancellation is the job's, and the job's exception the caller's. */
    @SuppressWarnings("unchecked")
    static <T extends @Nullable Object, X extends Exception> T joinInPlace(JoinHandle<T> handle)
            throws X, InterruptedException {
        RuntimeTask<T> job = (RuntimeTask<T>) handle;
        JoinResult<T> result;
        try {
            result = job.result();
        } catch (InterruptedException e) {
            job.abort();
            job.awaitEnd(Long.MAX_VALUE);
            if (job.ended() instanceof JoinResult.Failure<T>(Throwable failure)) {
                e.addSuppressed(failure); // nobody else will hear of it
            }
            throw e;
        }
        return switch (result) {
            case JoinResult.Success<T>(T value) -> value;
            case JoinResult.Failure<T>(Throwable e) -> {
                if (e instanceof Error error) {
                    throw error;
                }
                throw (X) e; // the body declares X and unchecked exceptions only
            }
            case JoinResult.Cancelled<T>(CancelReason reason) ->
                throw new TaskCancelledException(
                        reason, TaskCancelledException.Origin.JOINED_TASK, job + " was cancelled: " + reason);
        };
    }

    /* ---------------- Aborting -------------- */

    @Override
    public void abort() {
        abort(new CancelReason(CancelReason.Kind.ABORT, name() + " was aborted"));
    }

    @Override
    public void abort(Object reason) {
        if (isFinished()) {
            return;
        }
        if (isBlocking() && runtime.core().blocking().remove(this)) {
            refuse((CancelReason) reason);
            return;
        }
        cancel(reason);
    }

    @Override
    public boolean isAborted() {
        return reason() != null;
    }

    private CancelReason cancelReason() {
        return reason() instanceof CancelReason why ? why : runtime.shutdownReason();
    }

    @Override
    public void expire() {
        // a task as a whole has no deadline
    }

    @Override
    public long deadline() {
        return keeper == null ? Long.MAX_VALUE : keeper.deadline();
    }

    @Override
    protected Cancellation tellsOfCancellation(Throwable e) {
        return ForeignWaiter.told(e);
    }

    @Override
    protected boolean tellsOf(Throwable e, CancelScope scope) {
        return ForeignWaiter.told(e, scope);
    }

    @Override
    protected void interruptLater(CancelScope scope) {
        if (thread != null) { // else a blocking job that has not begun: it looks for the reason when it does
            runtime.core().interruptLater(scope);
        }
    }

    @Override
    protected InterruptedException cancelledException(CancelScope scope) {
        return ForeignWaiter.exception(scope);
    }

    /* ---------------- What others see -------------- */

    @Override
    public Thread thread() {
        Thread bound = thread;
        if (bound == null) {
            throw new IllegalStateException("not begun");
        }
        return bound;
    }

    @Override
    public @Nullable Thread threadOrNull() {
        return thread;
    }

    @Override
    public @Nullable Throwable unjoinedFailure() {
        return isFinished() && unjoined != null && end instanceof JoinResult.Failure<?> failure
                ? failure.exception()
                : null;
    }

    @Override
    public TimerService timers() {
        return runtime.core().timers();
    }

    @Override
    public TaskRuntime runtime() {
        return runtime;
    }

    @Override
    public long id() {
        return id;
    }

    @Override
    public String name() {
        return givenName == null ? (isBlocking() ? "job-" + (id - JOBS) : "task-" + id) : givenName;
    }

    @Override
    public boolean isBlocking() {
        return id > JOBS;
    }

    @Override
    public int key() {
        return isBlocking() ? ~(int) (id - JOBS) : (int) id & Integer.MAX_VALUE;
    }

    @Override
    public int spawner() {
        return spawner;
    }

    @Override
    public @Nullable Object group() {
        return keeper == null ? null : keeper.group();
    }

    @Override
    public boolean isFinished() {
        return end instanceof JoinResult;
    }

    @Override
    public String toString() {
        return (isBlocking() ? "blocking job " : "task ") + '"' + name() + '"';
    }

    @Override
    public void uncaughtException(Thread failed, Throwable e) {
        LoggerFactory.getLogger(TaskRuntime.class).error("{} ended by an error of the toolkit", this, e);
    }

    /* ---------------- Future -------------- */

    @Override
    public T get() throws InterruptedException, ExecutionException {
        return futureValue(result());
    }

    @Override
    public T get(long timeout, TimeUnit unit) throws InterruptedException, ExecutionException, TimeoutException {
        // toNanos saturates, where a Duration of so many days would overflow
        return futureValue(result(Duration.ofNanos(unit.toNanos(timeout))));
    }

    private T futureValue(JoinResult<T> result) throws ExecutionException {
        return switch (result) {
            case JoinResult.Success<T>(T value) -> value;
            case JoinResult.Failure<T>(Throwable e) -> throw new ExecutionException(e);
            case JoinResult.Cancelled<T>(CancelReason reason) ->
                throw new CancellationException(this + " was cancelled: " + reason);
        };
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        if (isFinished()) {
            return false;
        }
        abort();
        return true;
    }

    @Override
    public boolean isCancelled() {
        return end instanceof JoinResult.Cancelled;
    }

    @Override
    public boolean isDone() {
        return isFinished();
    }

    @Override
    public State state() {
        Object now = end;
        if (!(now instanceof JoinResult<?> result)) {
            return State.RUNNING;
        }
        return switch (result) {
            case JoinResult.Success<?> success -> State.SUCCESS;
            case JoinResult.Failure<?> failure -> State.FAILED;
            case JoinResult.Cancelled<?> cancelled -> State.CANCELLED;
        };
    }

    @Override
    public T resultNow() {
        if (tryResult() instanceof JoinResult.Success<T>(T value)) {
            return value;
        }
        throw new IllegalStateException(this + " has no value: " + state());
    }

    @Override
    public Throwable exceptionNow() {
        if (tryResult() instanceof JoinResult.Failure<T>(Throwable exception)) {
            return exception;
        }
        throw new IllegalStateException(this + " has no exception: " + state());
    }
}
