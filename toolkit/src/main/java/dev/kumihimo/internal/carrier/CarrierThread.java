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

    @Override
    protected void onTermination(@Nullable Throwable exception) {
        carriers.removed(this);
        super.onTermination(exception);
    }
}
