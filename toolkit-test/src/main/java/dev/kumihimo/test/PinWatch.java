package dev.kumihimo.test;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/*
 * What is looked for: the same task, in the same run, on a carrier that waits or is blocked, in every one of MOST looks, with no
 * blocking job under way that could end it. A carrier that computes, is in the kernel, loads classes or is stopped for a garbage
 * collection is RUNNABLE, and one that waits for a time goes on by itself. A look that comes late, since this thread was not run
 * either, starts the count anew.
 */

/** The thread that drives, while it waits for the carrier: finds out that a task has parked and could not leave the carrier. */
final class PinWatch {
    static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long LATE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final int MOST = 25;

    private final TestCarrier carrier;
    private @Nullable Entry seen;
    private long seenStep;
    private int looks;
    private long lastLook;

    PinWatch(TestCarrier carrier) {
        this.carrier = carrier;
    }

    /**
     * Waits for a job of a carrier's.
     *
     * @return its result
     * @throws PinnedException if a task holds the carrier and waits
     * @throws TimeoutException if the job has not ended within the time
     * @throws ExecutionException if it fails
     * @throws InterruptedException if the caller is interrupted
     */
    static <T extends @Nullable Object> T await(TestCarrier.Running<T> running, long nanos)
            throws ExecutionException, InterruptedException, TimeoutException, PinnedException {
        long end = System.nanoTime() + nanos;
        PinWatch watch = null;
        while (true) {
            long left = end - System.nanoTime();
            try {
                return running.result().get(Math.min(left, LOOK_NANOS), TimeUnit.NANOSECONDS);
            } catch (TimeoutException e) {
                if (left <= LOOK_NANOS) {
                    throw e;
                }
                if (watch == null) {
                    watch = new PinWatch(running.carrier());
                }
                watch.look();
            }
        }
    }

    /** Looks once; to be called every {@link #LOOK_NANOS}. */
    void look() throws PinnedException {
        long now = System.nanoTime();
        boolean late = now - lastLook > LATE_NANOS;
        lastLook = now;
        TestScheduler scheduler = carrier.driven();
        Entry entry = scheduler == null ? null : scheduler.runningEntry();
        Thread.State state = carrier.getState();
        boolean waits = state == Thread.State.WAITING || state == Thread.State.BLOCKED;
        if (scheduler == null || entry == null || !waits || scheduler.jobs() > 0) {
            seen = null;
            return;
        }
        long step = scheduler.steps(); // racy; as long as nothing runs it is right
        if (late || entry != seen || step != seenStep) {
            seen = entry;
            seenStep = step;
            looks = 1;
        } else if (++looks >= MOST) {
            throw new PinnedException(entry, carrier, state);
        }
    }

    /** That a task holds its carrier and waits; its message says which, where, and what to do. */
    static final class PinnedException extends Exception {
        private static final long serialVersionUID = 1;

        PinnedException(Entry entry, TestCarrier carrier, Thread.State state) {
            super(message(entry, carrier, state), null, false, false);
        }

        private static String message(Entry entry, TestCarrier carrier, Thread.State state) {
            Thread thread = entry.thread;
            return "carrier pinned: " + entry + " waits (" + state
                    + ") and cannot leave the carrier meanwhile, so that nothing"
                    + " else can run" + Frames.place(thread) + ". It is inside "
                    + (Runtime.version().feature() < 24 ? "synchronized, " : "")
                    + "a class initialiser or a native frame: wait outside of it, use a "
                    + (Runtime.version().feature() < 24 ? "lock of java.util.concurrent or " : "")
                    + "dev.kumihimo.sync.Mutex, or do it in Task.blocking. It is at:"
                    + Frames.all(thread == null ? carrier : thread);
        }
    }
}
