package dev.kumihimo.test;

import dev.kumihimo.internal.driver.Driver;
import dev.kumihimo.internal.jdk.VirtualThreads;
import dev.kumihimo.internal.wait.TimerService;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: the driver of production, without any timer but the end of a nap. The carrier turns it between any two runs and
 * naps in its selector; while nobody drives, who arms or closes a channel turns it.
 *
 * Fields: driver: made once, by the first that opens a channel, under the monitor. refused: any thread. All others are the
 * carrier's.
 */

/** The real sockets of a runtime under test, the toolkit's and the JDK's, and what its {@link ExternalIo} says of them. */
final class Sockets implements Driver.Host {
    private static final long GRACE_NANOS = TimeUnit.MILLISECONDS.toNanos(25);
    private static final long INHIBIT_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final String ALLOW = "; allow it by externalIo(ExternalIo.GRACE)";

    private final TestScheduler scheduler;
    private final Outside outside;
    private final ExternalIo io;
    private final long patience;
    private final Patience agreed;
    private final Patience brief = new Patience(GRACE_NANOS, Outside.NAP_NANOS);

    private volatile @Nullable Driver driver;
    private volatile @Nullable ScheduleError refused;
    private boolean waitedFor;
    private boolean ending;

    Sockets(TestScheduler scheduler, Outside outside, TestRuntimeBuilder setting) {
        this.scheduler = scheduler;
        this.outside = outside;
        this.io = setting.externalIo;
        this.patience = setting.ioPatience == null
                ? (io == ExternalIo.GRACE ? GRACE_NANOS : INHIBIT_NANOS)
                : TimerService.toNanos(setting.ioPatience);
        this.agreed = new Patience(patience, Outside.NAP_NANOS);
    }

    /** {@return what tells of channels, for the first of them made now} */
    Driver driver() {
        Driver made = driver;
        if (made != null) {
            return made;
        }
        if (io == ExternalIo.FORBID) {
            throw refusal();
        }
        synchronized (this) {
            made = driver;
            if (made == null) {
                made = new Driver(this);
                driver = made;
            }
            return made;
        }
    }

    private IllegalStateException refusal() {
        Thread caller = Thread.currentThread();
        Entry entry = scheduler.entryOf(caller);
        String message = "a real socket is opened, which ExternalIo.FORBID forbids: " + (entry == null ? caller : entry)
                + Frames.place(caller) + ALLOW;
        refused = new ScheduleError(message); // also if the task gets over it
        return new IllegalStateException(message);
    }

    void rethrowRefused() {
        ScheduleError error = refused;
        if (error != null) {
            refused = null;
            throw error;
        }
    }

    @Override
    public boolean callerAttends() {
        TestCarrier carrier = outside.carrier();
        return carrier != null && VirtualThreads.currentCarrier() == carrier;
    }

    @Override
    public void attend() {
        if (outside.carrier() != null) {
            outside.wake();
        } else {
            turn();
        }
    }

    /** Ends a nap. */
    void wake() {
        Driver sockets = driver;
        if (sockets != null) {
            sockets.wake();
        }
    }

    /** Sleeps for a while, or until something comes; what sockets bring is handed over. */
    void nap(long nanos, BooleanSupplier come) {
        Driver sockets = driver;
        if (sockets == null) {
            LockSupport.parkNanos(this, nanos);
            return;
        }
        TimerService.Timer end = sockets.arm(TimerService.realNanoTime() + nanos, () -> {});
        try {
            sockets.block(come);
        } finally {
            end.cancel();
        }
    }

    /** Has what sockets bring handed over, and lets go of closed channels. Does not block. */
    void turn() {
        Driver sockets = driver;
        if (sockets == null) {
            return;
        }
        boolean interrupted = Thread.currentThread().isInterrupted(); // block() takes it for nobody's
        sockets.block(() -> true);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** As {@link #turn()}, once in a millisecond at most, for who calls all the time. */
    void turnSometimes() {
        Driver sockets = driver;
        if (sockets != null) {
            sockets.poll();
        }
    }

    /** Told that something has run: who waits begins to wait anew. */
    void ran() {
        agreed.renew();
        brief.renew();
    }

    /** Told whether what runs is to end, whatever the policy. */
    void ending(boolean value) {
        ending = value;
    }

    /** Lets go of all channels. */
    void close() {
        Driver sockets = driver;
        if (sockets != null) {
            sockets.close();
        }
    }

    /**
     * With nothing else to do: waits for sockets, as was agreed, if a thread waits for one.
     *
     * @param armed whether a timer could be let expire
     * @return false if time may pass
     */
    boolean holdClock(boolean armed) {
        String wait = firstWait();
        if (wait == null) {
            return false;
        }
        waitedFor = true;
        if (io == ExternalIo.FORBID && !ending) {
            throw new ScheduleError("a task waits for a real socket, which ExternalIo.FORBID forbids: " + wait + ALLOW);
        }
        boolean inhibits = io == ExternalIo.INHIBIT && armed && !ending;
        long left = (inhibits || io == ExternalIo.GRACE ? agreed : brief).left();
        if (left > 0) {
            outside.nap(Math.min(left, Outside.NAP_NANOS));
            return true;
        }
        if (inhibits) {
            throw new ScheduleError("virtual clock held by a wait for a real socket, with no event for "
                    + TimeUnit.NANOSECONDS.toMillis(patience) + " ms: " + wait
                    + "; let time pass by externalIo(ExternalIo.GRACE)");
        }
        return false;
    }

    /** {@return who waits for a socket, for which one and where, or null if nobody does} */
    @Nullable
    String firstWait() {
        Collection<Entry> elsewhere = outside.elsewhere();
        Driver sockets = driver;
        if (sockets == null && elsewhere.isEmpty()) {
            return null;
        }
        for (Entry entry : List.copyOf(elsewhere)) { // to look where a thread is may hand it over
            if (isSocketWait(entry)) {
                return entry + Frames.place(entry.thread);
            }
        }
        if (sockets != null) {
            for (Driver.Pending pending : sockets.pending()) {
                Thread thread = pending.waiting().waiter().thread();
                Entry entry = scheduler.entryOf(thread);
                return (entry == null ? thread : entry) + " waits for " + pending.what() + Frames.place(thread);
            }
        }
        return null;
    }

    private static boolean isSocketWait(Entry entry) {
        Boolean known = entry.socketWait;
        Thread thread = entry.thread;
        if (known == null && thread != null) {
            known = LockSupport.getBlocker(thread) == null && Frames.waitsForSocket(thread);
            entry.socketWait = known;
        }
        return known != null && known;
    }

    /** {@return whether a run may be another next time} */
    boolean used() {
        return waitedFor || driver != null;
    }
}
