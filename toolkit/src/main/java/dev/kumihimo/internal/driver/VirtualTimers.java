package dev.kumihimo.internal.driver;

import dev.kumihimo.internal.wait.Expirable;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jctools.queues.atomic.MpscLinkedAtomicQueue;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: the production wheel, turned by whoever owns the clock. Timers to take in and timers to take out come through
 * one queue, as in the Driver, so that any thread may arm and cancel.
 * State of a timer:  ARMED --turn(): CAS--> DONE   (fired)
 *                    ARMED --cancel(): CAS--> DONE (then queued, so that the owner takes it out of the wheel)
 * Fields: wheel, armed: the owner only. now: written by the owner, read by all. sockets: written once, before there are tasks.
 */

/**
 * A clock that stands still until it is told to move, and its timers, in the same wheel as those of a
 * {@link Driver}, rounded up to whole milliseconds. Any thread may read the clock, arm and cancel; one thread at a time, the owner, calls the rest.
 */
public final class VirtualTimers implements TimerService {
    /** A whole millisecond, as in Tokio, and so coarser than a {@link Driver}'s: times under test are round ones. */
    private static final long TICK_NANOS = 1_000_000;

    private @Nullable TimerWheel wheel; // made for the first timer: it is large, and many runs of a test have none
    private final MpscLinkedAtomicQueue<VirtualTimer> changed = new MpscLinkedAtomicQueue<>();
    private final Map<Expirable, VirtualTimer> armed = new HashMap<>();

    private volatile long now;
    private volatile @Nullable Supplier<Driver> sockets;
    private volatile @Nullable Supplier<?> sites; // null unless somebody asks where timers are armed

    /** Creates a clock that shows 0. */
    public VirtualTimers() {}

    /** Sets where channels get their readiness from, in real time; called at the first of them. None has any unless set. */
    public void sockets(Supplier<Driver> source) {
        sockets = source;
    }

    Driver driver() {
        Supplier<Driver> source = sockets;
        if (source == null) {
            throw new IllegalStateException("this runtime has no sockets");
        }
        return source.get();
    }

    @Override
    public long nanoTime() {
        return now;
    }

    @Override
    public Timer arm(long deadline, Expirable target) {
        Supplier<?> where = sites;
        Object site = where == null || target instanceof Wait ? null : where.get(); // of a wait its task is told
        VirtualTimer timer = new VirtualTimer(this, deadline, target, site);
        if (deadline != Long.MAX_VALUE) { // the end of time is never reached
            changed.add(timer);
        }
        return timer;
    }

    /**
     * {@return the time to which the clock has to move for the next timer, not before the present; {@link Long#MAX_VALUE} if
     * there is none} The wheel may have no more to do then than to move timers within.
     */
    public long next() {
        takeChanged();
        TimerWheel timers = wheel;
        if (timers == null || timers.size() == 0) {
            return Long.MAX_VALUE;
        }
        long tick = timers.nextTick();
        return tick >= Long.MAX_VALUE / TICK_NANOS ? Long.MAX_VALUE : Math.max(now, tick * TICK_NANOS);
    }

    /**
     * Moves the clock, and expires what is due then: in the order of deadlines, and those of one tick in the order in which
     * they were armed.
     *
     * @param time the new time; one in the past leaves the clock
     * @return how many timers expired
     */
    public int moveTo(long time) {
        takeChanged();
        now = Math.max(now, time);
        return wheel == null ? 0 : wheel.advance(now / TICK_NANOS);
    }

    /** {@return how many timers are armed} */
    public int armed() {
        takeChanged();
        return wheel == null ? 0 : wheel.size();
    }

    /** {@return the deadline at which something expires, or {@link Long#MAX_VALUE} if no timer is armed for it} */
    public long deadlineOf(Expirable target) {
        takeChanged();
        VirtualTimer timer = armed.get(target);
        return timer == null ? Long.MAX_VALUE : timer.deadline;
    }

    /**
     * Has it noted where timers are armed.
     *
     * @param where asked at each arming that is not of a wait, on the thread that arms
     */
    public void noteSites(Supplier<?> where) {
        sites = where;
    }

    /**
     * An armed timer.
     *
     * @param site where it was armed, if that was noted
     */
    public record Armed(
            Expirable target, long deadline, @Nullable Object site) {}

    /** {@return the armed timers, in the order of deadlines} */
    public List<Armed> allArmed() {
        takeChanged();
        return armed.values().stream()
                .map(timer -> new Armed(timer.target, timer.deadline, timer.site))
                .sorted(Comparator.comparingLong(Armed::deadline))
                .toList();
    }

    /** {@return where the wheel stands and how much is in it, for reports: {@code tick 1250 of 1 ms, 2 timers armed}} */
    public String describe() {
        int timers = armed();
        return "tick " + now / TICK_NANOS + " of " + TICK_NANOS / 1_000_000 + " ms, " + timers
                + (timers == 1 ? " timer armed" : " timers armed");
    }

    private void takeChanged() {
        for (VirtualTimer timer; (timer = changed.poll()) != null; ) {
            TimerWheel timers = wheel;
            if (timers == null) {
                timers = new TimerWheel(now / TICK_NANOS);
                wheel = timers;
            }
            if (timer.state == VirtualTimer.ARMED) {
                timers.insert(timer, Math.max(0, Math.ceilDiv(timer.deadline, TICK_NANOS)));
                armed.put(timer.target, timer);
            } else {
                timers.remove(timer);
                armed.remove(timer.target, timer);
            }
        }
    }

    private static final class VirtualTimer extends TimerEntry implements Timer {
        static final int ARMED = 0;
        static final int DONE = 1;

        private static final VarHandle STATE;

        static {
            try {
                STATE = MethodHandles.lookup().findVarHandle(VirtualTimer.class, "state", int.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private final VirtualTimers timers;
        private final long deadline;
        private final Expirable target;
        private final @Nullable Object site;
        private volatile int state;

        VirtualTimer(VirtualTimers timers, long deadline, Expirable target, @Nullable Object site) {
            this.site = site;
            this.timers = timers;
            this.deadline = deadline;
            this.target = target;
        }

        @Override
        protected void expire() {
            timers.armed.remove(target, this);
            if (STATE.compareAndSet(this, ARMED, DONE)) { // lost: cancelled
                target.expire();
            }
        }

        @Override
        public void cancel() {
            if (STATE.compareAndSet(this, ARMED, DONE)) { // lost: it has fired
                timers.changed.add(this);
            }
        }
    }
}
