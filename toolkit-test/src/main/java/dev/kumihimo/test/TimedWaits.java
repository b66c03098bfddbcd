package dev.kumihimo.test;

import dev.kumihimo.internal.jdk.VirtualThreads;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: a virtual thread that parks for a time asks one of the JDK's delayed schedulers to be woken, on its carrier, when it
 * has just left it. Each of these is replaced by one that keeps what a test carrier asks for, and passes on all else.
 *
 * A wait has two deadlines. The real one says when it may expire: the JDK looks at the real clock, and parks again if it was
 * woken early. The other says in which order they expire, and is the same in each run: it is counted on a clock that stands while
 * anything runs. Two threads that sleep for 5 and for 4 ms wake in the order 4, 5, however long the second took to come to it.
 * That clock moves to the deadline that expires; if something from outside comes before, by the time that was slept until then.
 *
 * Rounding: the JDK's own classes, and a Thread.sleep() that follows another, which has left a permit, look at the clock first and
 * park for what is left, some microseconds less than they were asked for. The second deadline is rounded up to a whole
 * millisecond, so that these do not matter unless the machine stands still just then; who is due in the same one expires
 * together. A wait of less than half of that is rounded to a tenth of it, which is about what a park takes in truth: a loop of
 * short parks must not outrun the timeout of another thread.
 *
 * When: while nothing is ready, as with the toolkit's own timers. Where the clock follows real time, at rest between two drives,
 * and after each 10,000 runs without a rest those expire whose real deadline has come, in whatever order: who always has
 * something to do must not have others sleep for ever, and the failure tells that such a run need not be repeated by a replay.
 *
 * Fields: the carrier's.
 */

/** The waits for a time, in the JDK, of one runtime, where the JDK lets others see to them: on 25 and later. */
final class TimedWaits {
    private static final long TICK_NANOS = 1_000_000;
    private static final long SHORT_TICK_NANOS = 100_000;
    private static final long FOR_EVER = Long.MAX_VALUE / 2;

    static {
        ScheduledExecutorService[] schedulers = VirtualThreads.delayedSchedulers();
        for (int i = 0; i < schedulers.length; i++) {
            schedulers[i] = new Splitter(schedulers[i]);
        }
    }

    private final TreeSet<TimedWait> waits =
            new TreeSet<>(Comparator.<TimedWait>comparingLong(wait -> wait.due).thenComparingLong(wait -> wait.number));
    private long now; // in ns
    private long made;

    /** Stands in for a scheduler of the JDK's. */
    private static final class Splitter extends ScheduledThreadPoolExecutor {
        private final ScheduledExecutorService original;

        Splitter(ScheduledExecutorService original) {
            super(0); // and never starts a thread
            this.original = original;
        }

        @Override
        public ScheduledFuture<?> schedule(Runnable expiry, long delay, TimeUnit unit) {
            TestCarrier carrier = TestCarrier.current();
            TestScheduler scheduler = carrier == null ? null : carrier.driven();
            return scheduler == null
                    ? original.schedule(expiry, delay, unit)
                    : scheduler.timedWaits().add(scheduler.runningEntry(), expiry, unit.toNanos(delay));
        }
    }

    private final class TimedWait extends FutureTask<@Nullable Void> implements ScheduledFuture<@Nullable Void> {
        private final @Nullable Entry entry;
        private final long deadline;
        private final long due; // as now
        private final long number;

        TimedWait(@Nullable Entry entry, Runnable expiry, long nanos) {
            super(expiry, null);
            this.entry = entry;
            deadline = System.nanoTime() + nanos;
            long tick = nanos < TICK_NANOS / 2 ? SHORT_TICK_NANOS : TICK_NANOS;
            due = Math.ceilDiv(now + Math.min(nanos, FOR_EVER), tick) * tick;
            number = made++;
        }

        @Override
        protected void done() {
            waits.remove(this); // the thread was woken before, or it has expired
            if (entry != null && entry.timedWait == this) {
                entry.timedWait = null;
            }
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(left(), TimeUnit.NANOSECONDS);
        }

        private long left() {
            return deadline - System.nanoTime();
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
        }
    }

    private ScheduledFuture<?> add(@Nullable Entry entry, Runnable expiry, long nanos) {
        TimedWait wait = new TimedWait(entry, expiry, nanos);
        waits.add(wait);
        if (entry != null) {
            entry.timedWait = wait;
        }
        return wait;
    }

    /** Has those expire whose turn it is, if the time of all of them has come; {@return how long that will take yet, in ns} */
    long expire() {
        if (waits.isEmpty()) {
            return Long.MAX_VALUE;
        }
        long due = waits.first().due;
        long left = 0;
        for (TimedWait wait : waits) {
            if (wait.due != due) {
                break;
            }
            left = Math.max(left, wait.left());
        }
        if (left > 0) {
            return left;
        }
        now = Math.max(now, due);
        while (!waits.isEmpty() && waits.first().due == due) {
            waits.first().run();
        }
        return 0;
    }

    /** Has all expire whose time has come, whoever has his turn; {@return how many} */
    int expireOverdue() {
        List<TimedWait> overdue = waits.isEmpty()
                ? List.of()
                : waits.stream().filter(wait -> wait.left() <= 0).toList();
        for (TimedWait wait : overdue) {
            now = Math.max(now, wait.due);
            wait.run();
        }
        return overdue.size();
    }

    /** Told that nothing has run for a while of real time. */
    void slept(long nanos) {
        long most = waits.isEmpty() ? Long.MAX_VALUE : waits.first().due;
        now = Math.max(now, Math.min(now + nanos, most));
    }
}
