package dev.kumihimo.test;

import dev.kumihimo.internal.jdk.VirtualThreads;
import java.util.Comparator;
import java.util.Iterator;
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
 * woken early. The other, its tick, says in which order they expire, and is the same in each run: it is counted on a clock that
 * stands while anything runs. Two threads that sleep for 5 and for 4 ms wake in the order 4, 5, however long the second took to
 * come to it. That clock moves to the tick that expires; if something from outside comes before, by the time that was slept
 * until then.
 *
 * When: while nothing is ready, as with the toolkit's own timers; and once in 10,000 runs, for programs that wait for nothing else
 * and always have something to do: these could not be replayed in any way.
 *
 * Ticks: the JDK's own classes, and a Thread.sleep() that follows another, which has left a permit, look at the clock first and
 * park for what is left, some microseconds less than they were asked for. The tick is rounded up to whole milliseconds, so that
 * these do not matter unless the machine stands still just then; who is due in the same one expires together.
 *
 * Fields: the carrier's.
 */

/** The waits for a time, in the JDK, of one runtime, where the JDK lets others see to them: on 25 and later. */
final class TimedWaits {
    private static final long TICK_NANOS = 1_000_000;
    private static final long FOR_EVER = Long.MAX_VALUE / 2;

    static {
        ScheduledExecutorService[] schedulers = VirtualThreads.delayedSchedulers();
        for (int i = 0; i < schedulers.length; i++) {
            schedulers[i] = new Splitter(schedulers[i]);
        }
    }

    private final TreeSet<TimedWait> waits = new TreeSet<>(
            Comparator.<TimedWait>comparingLong(wait -> wait.tick).thenComparingLong(wait -> wait.number));
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
        private final long tick;
        private final long number;

        TimedWait(@Nullable Entry entry, Runnable expiry, long nanos) {
            super(expiry, null);
            this.entry = entry;
            deadline = System.nanoTime() + nanos;
            tick = Math.ceilDiv(now + Math.min(nanos, FOR_EVER), TICK_NANOS);
            number = made++;
        }

        @Override
        protected void done() {
            waits.remove(this); // the thread was woken before, or it has expired
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
        return wait;
    }

    /** Has those expire whose turn it is, if the time of all of them has come; {@return how long that will take yet, in ns} */
    long expire() {
        if (waits.isEmpty()) {
            return Long.MAX_VALUE;
        }
        long tick = waits.first().tick;
        long left = 0;
        for (Iterator<TimedWait> all = waits.iterator(); all.hasNext(); ) {
            TimedWait wait = all.next();
            if (wait.tick != tick) {
                break;
            }
            left = Math.max(left, wait.left());
        }
        if (left > 0) {
            return left;
        }
        now = tick * TICK_NANOS;
        while (!waits.isEmpty() && waits.first().tick == tick) {
            waits.first().run();
        }
        return 0;
    }

    /** Told that nothing has run for a while of real time. */
    void slept(long nanos) {
        long most = waits.isEmpty() ? Long.MAX_VALUE : waits.first().tick * TICK_NANOS;
        now = Math.max(now, Math.min(now + nanos, most));
    }

    /** {@return how long a thread's wait takes yet in real time, in ns; negative if it has none that is known} */
    long left(@Nullable Entry entry) {
        for (TimedWait wait : waits) {
            if (wait.entry == entry) {
                return Math.max(0, wait.left());
            }
        }
        return -1;
    }
}
