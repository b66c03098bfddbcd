package dev.kumihimo.test;

import dev.kumihimo.internal.carrier.LiveTask;
import dev.kumihimo.internal.carrier.TaskDoor;
import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.runtime.VoidBody;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@link TaskRuntime} whose tasks run one at a time, in an order that a {@link Strategy} determines and a seed replays, and
 * whose clock jumps when nothing can run. See the package for what can be done with it.
 *
 * <pre>{@code
 * try (TestRuntime test = TestRuntime.seeded(0x7d1e03)) {
 *     test.run(() -> {
 *         JoinHandle<Report> report = Task.spawn(() -> build());
 *         Task.sleep(Duration.ofHours(1));                           // at once
 *         check(report.join());
 *     });
 * }
 * }</pre>
 *
 * <p>Tasks run only while one of the driving methods is under way, on a carrier thread of the kit's; in between all is at
 * rest, and the caller may look at things, abort, send or close, as from any platform thread. One thread drives at a time, and
 * it is no task. Each driving method fails with a {@link ScheduleError} that tells who waits for what if it takes longer than
 * 30 s of real time (see {@link #limit}).
 *
 * <p>Blocking jobs run on real threads, and while one runs the clock stands. What waits in the JDK for a time ({@code
 * Thread.sleep}) does so in real time, see {@link JdkTimers}; real sockets, of the toolkit or of the JDK, follow a policy, see
 * {@link ExternalIo}. There are no processes: who waits for a command to start or to end is taken for deadlocked.
 *
 * @since 0.1
 */
public final class TestRuntime implements AutoCloseable {
    private static final AtomicInteger NUMBERS = new AtomicInteger();
    private static final Duration SHUTDOWN = Duration.ofSeconds(5);
    private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final Logger LOG = LoggerFactory.getLogger(TestRuntime.class);

    static {
        TaskRuntime.builder(); // its class installs the door
        Points.install(new PointControl());
    }

    private final TestScheduler scheduler;
    private final TaskRuntime runtime;
    private final TestClock clock;
    private final Report report;
    private final LeakPolicy policy;
    private final @Nullable Leaks leaks; // null if nobody asks
    private final Ending ending;
    private long limitNanos;
    private final long dataSeed;
    private boolean finishing;
    private volatile boolean stuck;
    private volatile long overdueAt; // while a command is under way on a carrier that somebody watches; else 0

    TestRuntime(TestRuntimeBuilder setting, Strategy strategy, String order) {
        limitNanos = setting.limitNanos();
        String name = "test-" + NUMBERS.incrementAndGet();
        scheduler = new TestScheduler(setting, strategy, name);
        runtime = (TaskRuntime) TaskDoor.get().newRuntime(name, scheduler);
        clock = scheduler.instantSource();
        report = new Report(scheduler, order);
        dataSeed = strategy instanceof Replay replay ? replay.data() : setting.data;
        scheduler.record().data(dataSeed);
        if (!setting.startPaused) {
            scheduler.followRealTime();
        }
        ending = new Ending(scheduler);
        policy = setting.leaks;
        leaks = policy == LeakPolicy.IGNORE ? null : new Leaks(scheduler);
        if (leaks != null) {
            scheduler.watch(leaks);
            TaskDoor.get().listenToUnjoined(runtime, leaks::unjoined);
        }
        scheduler.deadlocks().failOnCycles(setting.cycles);
    }

    /* ---------------- Making one -------------- */

    /** {@return a builder of one that differs from the usual} */
    public static TestRuntimeBuilder builder() {
        return new TestRuntimeBuilder();
    }

    /**
     * {@return a runtime that runs tasks in the order in which they became ready, and switches only where they wait, yield or
     * end}
     *
     * @throws IllegalStateException if the JVM was not started with the flag that opens its schedulers; the message has it
     */
    public static TestRuntime fifo() {
        return builder().build();
    }

    /**
     * {@return a runtime whose order is random, also at points} The seed is that of the system property
     * {@code kumihimo.test.seed}, else of the environment variable {@code KUMIHIMO_TEST_SEED} (decimal, or hexadecimal after
     * {@code 0x}), else a new one. A failure tells it. If {@code kumihimo.test.replay} or {@code KUMIHIMO_TEST_REPLAY} has a
     * trace, or the name of a file with one, the order is that.
     *
     * @throws IllegalStateException as in {@link #fifo()}
     * @throws IllegalArgumentException if the property or variable is no number
     */
    public static TestRuntime seeded() {
        String trace = Replays.given();
        if (trace != null) {
            return builder().replay(trace).build();
        }
        Long given = Seeds.given();
        return seeded(given == null ? Seeds.fresh() : given);
    }

    /**
     * {@return a runtime whose order is random, also at points, and determined by a seed}
     *
     * @param seed any number
     * @throws IllegalStateException as in {@link #fifo()}
     */
    public static TestRuntime seeded(long seed) {
        return builder().seed(seed).build();
    }

    /**
     * {@return a runtime whose order a strategy determines}
     *
     * @param strategy one that no other runtime uses
     * @throws IllegalStateException as in {@link #fifo()}
     */
    public static TestRuntime with(Strategy strategy) {
        return builder().strategy(strategy).build();
    }

    /**
     * Sets how much real time each driving method may take.
     *
     * @param realTime more than zero; 30 s unless set
     * @return this
     * @throws IllegalArgumentException if it is zero or negative
     */
    public TestRuntime limit(Duration realTime) {
        if (realTime.isZero() || realTime.isNegative()) {
            throw new IllegalArgumentException("realTime=" + realTime + " must be more than zero");
        }
        limitNanos = limitNanos(realTime);
        return this;
    }

    /** {@return a limit that can be added to a time} */
    static long limitNanos(Duration realTime) {
        return Math.min(TimerService.toNanos(realTime), Long.MAX_VALUE / 4);
    }

    /**
     * {@return the runtime: what is spawned in it runs when this is driven} Its methods that wait, as {@code blockOn}, would
     * wait for a thread that does not drive: {@link #run} takes their place, and {@link #close} that of its own. A
     * {@code shutdown(Duration.ZERO)} does not wait, and aborts what lives.
     */
    public TaskRuntime runtime() {
        return runtime;
    }

    /** {@return the clock of its tasks, which is also what {@link TaskRuntime#instantSource()} gives them} */
    public TestClock clock() {
        return clock;
    }

    /** {@return the time on the clock, in nanoseconds} */
    public long nanoTime() {
        return clock.nanoTime();
    }

    /* ---------------- Driving -------------- */

    /**
     * Runs a body as a task named {@code main}, and all others meanwhile, until it has ended. When nothing is ready the clock
     * jumps to the next deadline. Others that live then are at rest until this is driven again.
     *
     * @param body what to run
     * @param <T> its result
     * @param <X> what it throws
     * @return its result
     * @throws X if the body throws it; unchecked exceptions and errors likewise come as they are. A suppressed
     *     {@link ScheduleError} adds how to replay the run
     * @throws InterruptedException if the body was cancelled
     * @throws ScheduleError if the body has not ended and nothing can run, no time can pass and no blocking job is under way;
     *     or if tasks do nothing but yield, a limit (of real time, of virtual time, of runs) is reached, a task waits and holds
     *     the carrier (inside a class initialiser, a native frame, or on Java 21 to 23 {@code synchronized}), something is met
     *     that a policy forbids, or the caller is interrupted
     */
    public <T extends @Nullable Object, X extends Exception> T run(Body<T, X> body) throws X, InterruptedException {
        ensureNotDriven();
        return outcome(runtime.spawnNamed("main", body));
    }

    /**
     * As {@link #run(Body)}, without a result.
     *
     * @param body what to run
     * @param <X> what it throws
     * @throws X if the body throws it
     * @throws InterruptedException as in {@link #run(Body)}
     */
    public <X extends Exception> void run(VoidBody<X> body) throws X, InterruptedException {
        this.<@Nullable Void, X>run(() -> {
            body.run();
            return null;
        });
    }

    private <T extends @Nullable Object, X extends Exception> T outcome(JoinHandle<T> main)
            throws X, InterruptedException {
        drive(main::isFinished, Long.MAX_VALUE, "main has not ended");
        try {
            return main.join();
        } catch (ExecutionException e) {
            Throwable thrown = cause(e);
            if (leaks != null) {
                leaks.seen(thrown);
            }
            thrown.addSuppressed(new ScheduleError(report.replay()));
            throw TestRuntime.<X>sneak(thrown);
        }
    }

    private static Throwable cause(ExecutionException e) {
        return Objects.requireNonNull(e.getCause());
    }

    /** Throws anything. Not by a cast at the caller's, which would be one to Exception, and this may be an error. */
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    static <X extends Throwable> RuntimeException sneak(Throwable thrown) throws X {
        throw (X) thrown;
    }

    /**
     * Runs all tasks until none is ready. No time passes, save that what is due already expires.
     *
     * @return how many timers expired
     */
    public int runUntilIdle() {
        return advanceTo(nanoTime());
    }

    /**
     * Lets time pass: runs all tasks until none is ready, moves the clock to the next deadline, runs all again, and so on up to
     * and including a time; then the clock shows that. Deadlines are rounded up to whole milliseconds.
     *
     * @param duration how much time; zero or more
     * @return how many timers expired
     * @throws IllegalArgumentException if the duration is negative
     */
    public int advance(Duration duration) {
        return advanceTo(later(duration));
    }

    private int advanceTo(long time) {
        return command(() -> {
            scheduler.takeFired();
            scheduler.drive(() -> false, time, limitNanos);
            return scheduler.takeFired() + scheduler.timers().moveTo(time);
        });
    }

    /**
     * Moves the clock and expires what is due, at once and all in one go, and runs nothing: for a deadline that passes exactly
     * where a task stands, ready or stopped at a point.
     *
     * @param duration how much time; zero or more
     * @return how many timers expired
     * @throws IllegalArgumentException if the duration is negative
     */
    public int elapse(Duration duration) {
        ensureNotDriven();
        return scheduler.timers().moveTo(later(duration));
    }

    private long later(Duration duration) {
        if (duration.isNegative()) {
            throw new IllegalArgumentException("duration=" + duration + " must not be negative");
        }
        return TimerService.deadline(nanoTime(), duration);
    }

    /**
     * Runs one ready task, chosen by the strategy, until it parks, yields or ends.
     *
     * @return false if none is ready
     */
    public boolean step() {
        return command(() -> {
            List<Entry> ready = scheduler.readyAtRest();
            return !ready.isEmpty() && runOnly(scheduler.pick(), Long.MAX_VALUE, 1);
        });
    }

    /**
     * Runs one task, and nothing else, until it parks, yields or ends.
     *
     * @param task the task
     * @return false if it is not ready
     */
    public boolean step(JoinHandle<?> task) {
        return command(() -> {
            Entry entry = entry(task);
            return isQueued(entry) && runOnly(entry, Long.MAX_VALUE, 1);
        });
    }

    /**
     * Runs one task, and nothing else, until it has reached its point of a number, and leaves it there; if it yields, it goes
     * on. To run the task beyond that point takes another call.
     *
     * @param task the task
     * @param point the number, see {@link #points}; a task that is there already, or beyond, stops at its next point
     * @return false if it has not come there: it has parked, has ended, or is not ready
     */
    public boolean stepTo(JoinHandle<?> task, long point) {
        return command(() -> {
            Entry entry = entry(task);
            if (!isQueued(entry)) {
                return false;
            }
            runOnly(entry, point, Long.MAX_VALUE);
            return scheduler.hasStopped();
        });
    }

    private boolean runOnly(Entry entry, long point, long runs) {
        long end = runs == Long.MAX_VALUE ? runs : scheduler.steps() + runs;
        scheduler.runOnly(entry);
        scheduler.stopAt(entry, point);
        scheduler.drive(() -> scheduler.steps() >= end || !entry.queued, nanoTime(), limitNanos);
        return true;
    }

    private boolean isQueued(Entry entry) {
        scheduler.readyAtRest(); // takes in what was handed over while all was at rest
        return entry.queued;
    }

    /**
     * Runs all tasks, in the order of the strategy and with time passing, until one of them has reached its point of a number,
     * and leaves all as they are then.
     *
     * @param task the task
     * @param point the number, see {@link #points}
     * @return false if it has not come there: it has ended, or nothing is left to run
     */
    public boolean runTo(JoinHandle<?> task, long point) {
        return command(() -> {
            scheduler.stopAt(entry(task), point);
            scheduler.drive(task::isDone, Long.MAX_VALUE, limitNanos);
            return scheduler.hasStopped();
        });
    }

    /** Drives until something is reached; that it is not is an error. */
    private void drive(BooleanSupplier reached, long until, String otherwise) {
        command(() -> {
            TestCarrier mine = Objects.requireNonNull(TestCarrier.current());
            long end = System.nanoTime() + limitNanos;
            for (long left = limitNanos; !scheduler.drive(reached, until, left); left = end - System.nanoTime()) {
                boolean exact = !scheduler.mayBeWokenFromOutside();
                if (exact || !scheduler.awaitOutside(mine, GRACE_NANOS)) {
                    throw new ScheduleError((exact ? "deadlock: " : "probable deadlock: ") + otherwise
                            + ", nothing is ready and no deadline is left"
                            + (exact ? "" : ", and nothing has come from outside for a second"));
                }
            }
            return true;
        });
    }

    /* ---------------- What can be seen and done at rest -------------- */

    /** {@return the tasks that are ready, each by its number and name, the one that has been ready longest first} */
    public List<String> ready() {
        ensureNotDriven();
        return scheduler.readyAtRest().stream().map(Entry::toString).toList();
    }

    /**
     * {@return whether a task can run}
     *
     * @param task the task
     */
    public boolean isReady(JoinHandle<?> task) {
        ensureNotDriven();
        Entry entry = scheduler.entryOf(live(task));
        return entry != null && isQueued(entry);
    }

    /**
     * {@return whether a task is in a toolkit wait that nothing has decided: neither granted, cancelled, interrupted nor out
     * of time}
     *
     * @param task the task
     */
    public boolean isWaiting(JoinHandle<?> task) {
        Wait wait = live(task).openWait();
        return wait != null && !wait.isDecided();
    }

    /**
     * {@return whether a task is in a toolkit wait that is decided, by a grant or otherwise, and has not resumed from it}
     *
     * @param task the task
     */
    public boolean isDecided(JoinHandle<?> task) {
        Wait wait = live(task).openWait();
        return wait != null && wait.isDecided();
    }

    /**
     * {@return how many points a task has reached, also one that has ended} It is 0 in a JVM whose
     * system property {@code kumihimo.test.points} is {@code false}.
     *
     * @param task the task
     */
    public long points(JoinHandle<?> task) {
        Entry entry = scheduler.entryOf(live(task));
        return entry == null ? 0 : entry.points;
    }

    /**
     * Interrupts the thread of a task, as any thread may do.
     *
     * @param task the task
     */
    public void interrupt(JoinHandle<?> task) {
        Thread thread = live(task).threadOrNull();
        if (thread != null) {
            thread.interrupt();
        }
    }

    /**
     * Has each point told as it is reached, on the thread that reaches it. The listener must not wait or touch the toolkit: what
     * is to happen at a point is done at rest, after {@link #stepTo} or {@link #runTo}.
     *
     * @param listener who is told; null for nobody
     */
    public void onPoint(@Nullable Consumer<Point> listener) {
        scheduler.listen(listener);
    }

    /** {@return how many timers are armed} */
    public int timers() {
        ensureNotDriven();
        return scheduler.timers().armed();
    }

    /** {@return how often a task was run until it parked, yielded or ended} */
    public long steps() {
        return scheduler.steps();
    }

    /** {@return how often a thread that is not under control made a task ready, which a replay need not repeat} */
    public long outsideWakes() {
        return scheduler.outsideWakes();
    }

    /** {@return at how many points a switch was wanted and not possible, because the task was pinned} */
    public long pinnedPoints() {
        return scheduler.pinnedPoints();
    }

    /** {@return a number that two runs share if they had the same schedule} */
    public long traceHash() {
        return scheduler.record().hash();
    }

    /** {@return all choices so far, and which data the test had, for {@link Strategy#replay}} */
    public String trace() {
        return scheduler.record().trace();
    }

    /** {@return how this run can be had again: what a failure says of its order} */
    String replay() {
        return report.replay();
    }

    /** {@return numbers for the data of a test: those of the seed of its order, and apart from what the order draws} */
    Rng data() {
        Rng root = Rng.of(dataSeed);
        root.split(); // choices
        root.split(); // draws
        return root.split();
    }

    /**
     * {@return what a failure tells: the seed, the time, and what each live task waits for} Any thread may ask: a task of this
     * runtime, who drives it in between, and, while somebody drives, every other one. Such a one waits until the task that runs
     * comes to rest, at most a second; then the answer tells where that is, and of the others the
     * {@link TaskRuntime#dump()}, which says nothing of threads that are no tasks.
     */
    public String dump() {
        if (TestCarrier.isOn(scheduler)) {
            return report.all();
        }
        ensureNotDriven();
        FutureTask<String> answer = new FutureTask<>(report::all);
        Patience patience = new Patience(GRACE_NANOS, Outside.NAP_NANOS);
        for (scheduler.ask(answer); patience.left() > 0; ) {
            if (!scheduler.isDriven()) {
                answer.run(); // unless that is done
            }
            try {
                return answer.get(1, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                // look again
            } catch (ExecutionException e) {
                return "there is no dump: " + cause(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        return "a task holds the carrier" + scheduler.stack() + System.lineSeparator() + report.order()
                + System.lineSeparator() + runtime.dump();
    }

    @Override
    public String toString() {
        return "TestRuntime[" + runtime.name() + ", " + clock + "]";
    }

    private Entry entry(JoinHandle<?> task) {
        Entry entry = scheduler.entryOf(live(task));
        if (entry == null) {
            throw new IllegalArgumentException(task + " is no task of this runtime's");
        }
        return entry;
    }

    private static LiveTask live(JoinHandle<?> task) {
        return (LiveTask) task;
    }

    /* ---------------- The end -------------- */

    /**
     * Ends a test whose body has succeeded: as {@link #close}, and looks at what is left, see {@link LeakPolicy}. Before that it
     * runs what is ready, with the clock standing, and waits up to 1 s of real time for blocking jobs under way.
     *
     * @throws ScheduleError if something is left and the runtime was made with {@link LeakPolicy#FAIL}, or if something has not
     *     ended then. It tells all that is left, each with where it was spawned or made; its cause is the first failure that
     *     nobody has seen, and others are suppressed
     */
    public void finish() {
        Leaks account = leaks;
        if (account == null || stuck || !account.isOpen()) {
            close();
            return;
        }
        List<Leaks.Leak> left = new ArrayList<>();
        Throwable failure = null;
        boolean aborts = true;
        try {
            aborts = this.<Boolean>command(() -> ending.look(account, left, limitNanos));
        } catch (ScheduleError e) {
            failure = e;
        }
        String replay = report.replay(); // of the test, without the aborts
        finishing = true;
        try {
            close();
        } catch (ScheduleError e) {
            if (failure == null) {
                failure = e;
            } else {
                failure.addSuppressed(e);
            }
        } finally {
            finishing = false;
        }
        left.addAll(account.left(aborts));
        tell(left, replay, failure);
    }

    private void tell(List<Leaks.Leak> left, String replay, @Nullable Throwable failure) {
        if (!left.isEmpty()) {
            ScheduleError error = Leaks.error(left, replay);
            if (policy == LeakPolicy.WARN) {
                LOG.warn("{}: {}", runtime.name(), error.getMessage(), error.getCause());
            } else {
                if (failure != null) {
                    error.addSuppressed(failure);
                }
                throw error;
            }
        }
        if (failure != null) {
            throw TestRuntime.<RuntimeException>sneak(failure);
        }
    }

    /** Has a failure, of a task in the background that was aborted, be of no interest. */
    void endedByAbort(Throwable failure) {
        if (leaks != null) {
            leaks.seen(failure);
        }
    }

    /**
     * Has a task, and all that it will spawn, be taken for one that is expected to live when the test ends: {@link #finish}
     * aborts it before it looks, and gives it 5 s of virtual time to end.
     *
     * @param task one of this runtime's that has spawned none
     */
    void background(JoinHandle<?> task) {
        ending.background(task, scheduler.entryOf(live(task)));
    }

    /**
     * Ends the runtime: aborts what lives, and runs it until it has ended; up to 5 s may pass on its clock, in up to 100,000
     * runs. Sockets that are still open are of no more use then.
     *
     * @throws ScheduleError if something has not ended then
     */
    @Override
    public void close() {
        ensureNotDriven();
        try {
            end();
        } finally {
            scheduler.release(); // also of what has not ended, which never runs again
            if (leaks != null) {
                leaks.end();
                if (!finishing) {
                    leaks.logUnjoined();
                }
            }
        }
    }

    private void end() {
        if (stuck) {
            return; // told already, and its carrier is lost
        }
        boolean interrupted = Thread.interrupted(); // what lives is to be ended nevertheless
        scheduler.forgetInterrupt();
        try {
            abortAll();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void abortAll() {
        command(() -> {
            long until = TimerService.deadline(nanoTime(), SHUTDOWN);
            scheduler.closing(true);
            scheduler.deadlocks().ignore(); // what could not go on is aborted
            scheduler.shutDown(() -> runtime.shutdown(Duration.ZERO));
            scheduler.drive(() -> runtime.liveTasks() == 0, until, limitNanos);
            scheduler.drive(() -> false, nanoTime(), limitNanos); // threads on their way out
            if (runtime.liveTasks() > 0) {
                throw new ScheduleError(runtime.liveTasks() + " tasks have not ended within " + SHUTDOWN.toSeconds()
                        + " s of virtual time after their abort");
            }
            return true;
        });
    }

    /* ---------------- For an exploration, which runs on a carrier and is watched -------------- */

    Record record() {
        return scheduler.record();
    }

    void watch(@Nullable Interleaving by) {
        scheduler.watch(by);
    }

    String order() {
        return report.order();
    }

    void interruptDriving() {
        scheduler.interrupt();
    }

    /** {@return whether a command takes far longer than it may, so that some task must hold the carrier} On any thread. */
    boolean isOverdue() {
        long at = overdueAt;
        return at != 0 && System.nanoTime() - at > 0;
    }

    /** Gives the runtime and its carrier up. On any thread. */
    ScheduleError giveUp(@Nullable String why, String stack, @Nullable Throwable cause) {
        stuck = true;
        scheduler.interrupt(); // should it come free one day
        if (leaks != null) {
            leaks.end(); // who gives up need not close
        }
        return new ScheduleError(why + System.lineSeparator() + "  " + report.order() + stack, cause);
    }

    static void ensureNotDriven() {
        if (Thread.currentThread().isVirtual()) {
            throw new IllegalStateException("a test runtime is driven and looked at from a platform thread, not from "
                    + Thread.currentThread());
        }
    }

    /** Has a carrier do something, and adds to what goes wrong how it came about. */
    private <T extends @Nullable Object> T command(Callable<T> command) {
        ensureNotDriven();
        if (stuck) {
            throw new IllegalStateException("this runtime was given up: a task holds its carrier");
        }
        Callable<T> explained = () -> {
            try {
                return command.call();
            } catch (ScheduleError e) {
                throw new ScheduleError(e.getMessage() + System.lineSeparator() + "  " + report.all(), e.getCause());
            } catch (RuntimeException e) {
                e.addSuppressed(new ScheduleError(report.replay()));
                throw e;
            }
        };
        try {
            return TestCarrier.current() != null ? here(explained) : onCarrier(explained);
        } catch (Exception e) {
            throw TestRuntime.<RuntimeException>sneak(e); // commands throw nothing else
        }
    }

    private <T extends @Nullable Object> T here(Callable<T> command) throws Exception {
        long outer = overdueAt;
        overdueAt = System.nanoTime() + limitNanos + 2 * GRACE_NANOS | 1;
        try {
            return command.call();
        } finally {
            overdueAt = outer;
        }
    }

    private <T extends @Nullable Object> T onCarrier(Callable<T> command) throws Exception {
        scheduler.forgetInterrupt(); // one that came too late for what was driven before
        TestCarrier.Running<T> running = TestCarrier.submit(command);
        try {
            return PinWatch.await(running, limitNanos + 2 * GRACE_NANOS);
        } catch (ExecutionException e) {
            throw TestRuntime.<Exception>sneak(cause(e));
        } catch (PinWatch.PinnedException e) {
            throw giveUp(e.getMessage(), "", null);
        } catch (TimeoutException e) {
            throw giveUp("stuck: a task holds the carrier", running.carrier().stack(), null);
        } catch (InterruptedException e) {
            String stack = running.carrier().stack();
            scheduler.interrupt();
            Patience patience = new Patience(GRACE_NANOS, Outside.NAP_NANOS);
            while (!running.result().isDone() && patience.left() > 0) {
                TestCarrier.awaitEnd(running, Outside.NAP_NANOS); // the carrier gives up after the run it is in
            }
            stuck = !running.result().isDone();
            Thread.currentThread().interrupt();
            throw new ScheduleError(
                    "interrupted while it drove; " + (stuck ? report.order() : endOf(running.result())) + stack, e);
        }
    }

    /** {@return what the carrier said as it gave up, which tells what each task waits for} */
    private String endOf(FutureTask<?> result) {
        return result.state() == Future.State.FAILED && result.exceptionNow() instanceof ScheduleError told
                ? String.valueOf(told.getMessage())
                : report.order();
    }
}
