package dev.kumihimo.internal.carrier;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinWorkerThread;
import org.jspecify.annotations.Nullable;

/** A carrier: a worker of the pool with what its scheduler and its sentinel note about it. */
final class CarrierThread extends ForkJoinWorkerThread {
    private static final VarHandle RUNS;

    static {
        try {
            RUNS = MethodHandles.lookup().findVarHandle(CarrierThread.class, "runs", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final int SPACERS = 2;

    /** Longer than a burst of work takes to bring up all carriers. */
    private static final long SPACER_MILLIS = 3_000;

    private static final long SPACER_STACK_BYTES = 64 << 10; // a hint; the JVM takes its least where that is more

    final CarrierPool carriers;

    /** Continuations begun and ended here. Written by the carrier, read by the sentinel: opaque. */
    @SuppressWarnings("unused") // through RUNS
    private long runs;

    /**
     * Runs since the last tick. Written by the carrier; the sentinel may overwrite it to bring the next tick forward, and a
     * lost write of either only moves that tick.
     */
    int sinceTick;

    /** Whether the carrier is handing out events: then what it pushes is not its own doing. Its own. */
    boolean inDriver;

    /** The sentinel's own notes. */
    long seenRuns = -1;

    boolean hadQueue;

    long stillSince;
    boolean covered;

    private boolean begun; // its own

    CarrierThread(ForkJoinPool pool, CarrierPool carriers, String name) {
        super(pool);
        this.carriers = carriers;
        setName(name);
        setDaemon(true);
    }

    /** Counts a begin or an end of a run, so that the count stands still while something runs on. */
    void countRun() {
        RUNS.setOpaque(this, runs + 1);
    }

    /** Counts going into the driver, or coming out: a movement, but no run that could be stuck. */
    void countTurn() {
        RUNS.setOpaque(this, runs + 2);
    }

    /** {@return how often something has begun or ended here} */
    long runs() {
        return (long) RUNS.getOpaque(this);
    }

    /**
     * Starts threads that do nothing for a while, to come between a carrier that is about to be started and those before it.
     *
     * <p>HotSpot keeps the references by which a thread finds its current virtual thread in a table, and those of two threads
     * started in a row in one cache line of it. Each mount and unmount writes there, so two carriers that are neighbours slow
     * each other down: by a factor of 1.7 to 2.8 in a loop of yields (JDK 25 and 27). Threads in between that run no virtual
     * threads keep them apart; they may end once all carriers have been started. Two are started rather than one since a place
     * that an ended thread has left is taken first. Carriers that are started at the same moment may still be neighbours:
     * slower, no more.
     */
    static CarrierThread apart(CarrierThread carrier) {
        try {
            for (int i = 1; i <= SPACERS; i++) {
                Thread spacer = new Thread(
                        null, CarrierThread::keepApart, carrier.getName() + "-spacer-" + i, SPACER_STACK_BYTES, false);
                spacer.setDaemon(true);
                spacer.start();
            }
        } catch (OutOfMemoryError e) {
            // no thread left for it: the carrier itself matters more
        }
        return carrier;
    }

    private static void keepApart() {
        try {
            Thread.sleep(SPACER_MILLIS);
        } catch (InterruptedException e) {
            // nobody knows it; it may end early
        }
    }

    @Override
    protected void onStart() {
        super.onStart();
        begun = true;
        carriers.hooks().started(carriers::report);
        carriers.started(this);
    }

    @Override
    protected void onTermination(@Nullable Throwable exception) {
        carriers.removed(this);
        if (begun) {
            carriers.hooks().stopping(carriers::report);
        }
        super.onTermination(exception);
    }
}
