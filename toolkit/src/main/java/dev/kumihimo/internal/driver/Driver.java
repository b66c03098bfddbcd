package dev.kumihimo.internal.driver;

import dev.kumihimo.internal.wait.Expirable;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.Waiter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: one selector and one timer wheel, turned by whichever carrier has nothing else to do; Tokio's "driver behind
 * a try-lock" is the model. The lock is the state word, and a blocked owner can be woken through it.
 *
 * State:  FREE --poll(), block(): CAS--> OWNED --release--> FREE
 *         OWNED --block()--> BLOCKED --select or park returned--> OWNED
 *         BLOCKED --wake(): CAS--> WAKING --select or park returned--> OWNED  (one wakeup() or unpark() per blocking)
 *         FREE --close(): CAS--> CLOSED
 *
 * Fields: wheel, origin of ticks, lastSelection, spacing, reports, repeats: the owner only; handed over by the release store
 * of FREE and the CAS that takes it. newTimers: pushed by CAS by anybody, taken whole by the owner. blockedUntil: written by
 * the owner before BLOCKED, read by armers after they saw BLOCKED. parked: likewise, read by who wakes. deferred: set by
 * armers on carriers, cleared by the owner. selections: written by the owner, odd while the selector is at work; read by who
 * waits for it to have let go of a channel.
 *
 * Waiting: the owner publishes BLOCKED (volatile) and then looks again for new timers and work; whoever brings some pushes
 * first (CAS or fence) and then reads the state. One of the two sees the other (H1 lost wakeup).
 * While no channel is registered the owner parks and does not select: a selector counts in milliseconds, so that timers were
 * late by 0.6 ms in the middle (ADR 9). Who registers a channel and arms it finds BLOCKED and wakes, or the owner finds the
 * channel when it looks again.
 * A timer far away that a carrier arms does not wake the driver: the carrier does before it goes idle, and the sentinel at
 * its next tick. So a timeout that is cancelled soon costs neither a system call nor an insertion.
 * Selection is level-triggered: what was reported is reported again until its task has run. So while the carriers are busy they
 * ask the more seldom the more of the answer they know already (ADR 14); an idle one asks at once.
 *
 * The end: whoever closes the driver hands all its timers to the heir; who arms one later, or pushed one while it was being
 * closed, looks at the state after the push, and does the same. One of the two finds it.
 *
 * Progress: poll() and wake() are wait-free but for system calls. No lock of ours is taken here; nothing here runs user code.
 */

/** The event loop of a runtime: its timers, and the readiness of its channels. */
public final class Driver implements TimerService, AutoCloseable {
    /** A quarter of a millisecond (ADR 10). */
    static final long TICK_NANOS = 250_000;

    private static final long MILLI_NANOS = 1_000_000;

    private static final int FREE = 0;
    private static final int OWNED = 1;
    private static final int BLOCKED = 2;
    private static final int WAKING = 3;
    private static final int CLOSED = 4;

    /** A deadline nearer than this wakes a blocked driver at once; beyond it the sentinel is quick enough. */
    private static final long NEAR_TICKS = 20 * MILLI_NANOS / TICK_NANOS;

    private static final long FAILURE_REST_MILLIS = 10;

    /** The most milliseconds between two selections while all carriers are busy. */
    private static final int MAX_SPACING = 8;

    /** Fewer repeated reports cost next to nothing: 64 of them some 20 us (an estimate). */
    private static final int MANY_REPEATS = 64;

    /** How many new or cancelled timers may pile up before the driver is woken to take them. */
    private static final int INBOX_ALARM = 1024;

    private static final VarHandle STATE;
    private static final VarHandle NEW_TIMERS;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            STATE = lookup.findVarHandle(Driver.class, "state", int.class);
            NEW_TIMERS = lookup.findVarHandle(Driver.class, "newTimers", ArmedTimer.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static volatile @Nullable Supplier<TimerService> heirs;

    private final Host host;
    private final Selector selector;
    private final TimerWheel wheel;

    private volatile int state;
    private volatile @Nullable ArmedTimer newTimers;
    private volatile long blockedUntil;
    private volatile @Nullable Thread parked; // whom to unpark, or null to wake the selector
    private volatile boolean deferred;
    private volatile int selections;
    private long lastSelection; // the millisecond in which it ended
    private int spacing = 1; // milliseconds from there to the next one that a busy carrier makes
    private int reports; // of the selection that goes on
    private int repeats; // those of them that are reported again
    private volatile @Nullable Throwable failure;

    /** What runs a driver. */
    public interface Host {
        /** {@return whether the caller is on a carrier that will look after the driver before it goes idle} */
        boolean callerAttends();

        /** Has somebody look after the driver soon, whom nobody else would wake. */
        void attend();
    }

    /**
     * Opens a driver.
     *
     * @throws UncheckedIOException if the system has no descriptors left for its selector
     */
    public Driver(Host host) {
        this.host = host;
        try {
            this.selector = Selector.open();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot open a selector: " + e.getMessage(), e);
        }
        this.wheel = new TimerWheel(tickBefore(nanoTime()));
    }

    /** {@return the driver of the calling task's runtime, and outside of any that of the global one} */
    public static Driver current() {
        TimerService timers = Waiter.current().timers();
        if (timers instanceof Driver driver) {
            return driver;
        }
        if (timers instanceof VirtualTimers virtual) {
            return virtual.driver();
        }
        throw new IllegalStateException("this runtime has no sockets");
    }

    @Override
    public long nanoTime() {
        return TimerService.realNanoTime();
    }

    /** Sets where threads that outlive their runtime have their timers. */
    public static void installHeir(Supplier<TimerService> heir) {
        heirs = heir;
    }

    /** {@return what has taken over the timers, or null while this driver is open} */
    @Nullable
    TimerService heir() {
        if (state != CLOSED) {
            return null;
        }
        Supplier<TimerService> supplier = heirs;
        return supplier == null ? null : supplier.get();
    }

    @Override
    public Timer arm(long deadline, Expirable target) {
        TimerService heir = heir();
        return heir == null ? armHere(deadline, target) : heir.arm(deadline, target);
    }

    private Timer armHere(long deadline, Expirable target) {
        long tick = tickAtOrAfter(deadline);
        ArmedTimer timer = new ArmedTimer(this, tick, target);
        int depth = push(timer);
        int now = state;
        if (now == FREE) {
            if (!host.callerAttends()) {
                host.attend();
            }
        } else if (now == BLOCKED && (tick < blockedUntil || depth % INBOX_ALARM == 0)) {
            if (depth % INBOX_ALARM != 0 && tick - tickBefore(nanoTime()) > NEAR_TICKS && host.callerAttends()) {
                deferred = true;
            } else {
                wake();
            }
        } else if (now == CLOSED) {
            bequeath();
        }
        return timer;
    }

    /** Takes back a timer that is in the wheel and was cancelled. */
    void release(ArmedTimer timer) {
        if (state != CLOSED) {
            push(timer);
        }
    }

    /** Hands the new timers of a closed driver to its heir. */
    private void bequeath() {
        for (ArmedTimer timer = (ArmedTimer) NEW_TIMERS.getAndSet(this, null); timer != null; ) {
            ArmedTimer next = timer.inboxNext;
            timer.inboxNext = null;
            timer.takeOver();
            timer = next;
        }
    }

    /** Hands a new timer, or a cancelled one that is in the wheel, to the owner; returns how many are under way. */
    int push(ArmedTimer timer) {
        ArmedTimer head;
        do {
            head = newTimers;
            timer.inboxNext = head;
            timer.inboxDepth = head == null ? 1 : head.inboxDepth + 1;
        } while (!NEW_TIMERS.compareAndSet(this, head, timer)); // lost: another timer came in between
        return timer.inboxDepth;
    }

    /** {@return whether the owner selects or parks, and nobody has woken it yet} */
    public boolean isBlocked() {
        return state == BLOCKED;
    }

    /** {@return whether nobody owns the driver: carriers poll it when they tick, or take it when they go idle} */
    public boolean isUnattended() {
        return state == FREE && (newTimers != null || hasChannels() || wheel.size() > 0);
    }

    private boolean hasChannels() {
        try {
            return !selector.keys().isEmpty();
        } catch (ClosedSelectorException e) {
            return false; // closed since we looked at the state
        }
    }

    /** {@return whether timers wait to be taken in} */
    public boolean hasNewTimers() {
        return newTimers != null;
    }

    /** {@return whether a carrier has armed a timer without waking the driver} */
    public boolean hasDeferredTimers() {
        return deferred
                && newTimers != null; // the flag alone may be late: set for a timer that was taken in just before
    }

    /** {@return what made a selection fail the last time, or null; cleared by the call} */
    public @Nullable Throwable takeFailure() {
        Throwable last = failure;
        failure = null;
        return last;
    }

    /**
     * A wait for the readiness of a channel.
     *
     * @param waiting the wait, which was not decided
     * @param what the operation and the channel, in words
     */
    public record Pending(Wait waiting, String what) {}

    /** {@return who waits for the readiness of a channel; racy, for reports and test schedulers} */
    public List<Pending> pending() {
        List<Pending> found = new ArrayList<>();
        try {
            for (SelectionKey key : selector.keys()) {
                if (key.attachment() instanceof Readiness readiness) {
                    readiness.addPending(found);
                }
            }
        } catch (ClosedSelectorException e) {
            // then nobody waits: close() has ended the waits
        }
        return found;
    }

    /** {@return the number of timers in the wheel; exact only while nobody turns the driver} */
    public int timers() {
        return wheel.size();
    }

    /** Ends a blocking selection or a park, at most once for each. Never blocks. */
    public void wake() {
        if (state == BLOCKED && STATE.compareAndSet(this, BLOCKED, WAKING)) {
            Thread owner = parked;
            if (owner == null) {
                selector.wakeup();
            } else {
                LockSupport.unpark(owner);
            }
        }
    }

    /**
     * Takes what is ready and due, without blocking, if nobody else is at it. Called at a carrier's tick. Asks the selector
     * once in a millisecond at most, and down to once in MAX_SPACING while it repeats many of its reports.
     */
    public void poll() {
        if (state == FREE && STATE.compareAndSet(this, FREE, OWNED)) {
            try {
                turnTimers();
                if (!selector.keys().isEmpty() && nanoTime() / MILLI_NANOS - lastSelection >= spacing) {
                    select(0);
                }
            } finally {
                state = FREE;
            }
        }
    }

    /**
     * Waits for readiness, the next timer or {@link #wake()}, and hands out what has come.
     *
     * @param workWaits asked once more after the driver is seen as blocked: whether the caller is needed elsewhere
     * @return false if somebody else owns the driver, or it is closed
     */
    public boolean block(BooleanSupplier workWaits) {
        if (state != FREE || !STATE.compareAndSet(this, FREE, OWNED)) {
            return false;
        }
        try {
            Thread.interrupted(); // nobody's: an interrupted owner would spin
            if (turnTimers() > 0) {
                return true;
            }
            boolean parks = selector.keys().isEmpty();
            blockedUntil = wheel.nextTick();
            parked = parks ? Thread.currentThread() : null;
            state = BLOCKED;
            boolean needed = newTimers != null || workWaits.getAsBoolean();
            if (parks && selector.keys().isEmpty()) {
                park(needed ? 0 : blockedUntil);
            } else {
                select(needed || parks ? 0 : blockedUntil);
            }
            state = OWNED;
            turnTimers();
            return true;
        } finally {
            state = FREE;
        }
    }

    /** Selects until a tick; 0 does not block. The selector clears a wakeup that came before. */
    private void select(long untilTick) {
        countSelection();
        reports = 0;
        repeats = 0;
        try {
            if (untilTick == Long.MAX_VALUE) {
                selector.select(this::dispatch);
                return;
            }
            long millis = untilTick == 0 ? 0 : millisUntil(untilTick);
            if (millis <= 0) {
                selector.selectNow(this::dispatch);
            } else {
                selector.select(this::dispatch, millis);
            }
        } catch (IOException | RuntimeException e) {
            failure = e; // the sentinel logs it; a channel that broke is found by its own next operation
            if (untilTick != 0) {
                rest();
            }
        } finally {
            lastSelection = nanoTime() / MILLI_NANOS;
            boolean stale = repeats > MANY_REPEATS && repeats > reports / 4;
            spacing = stale ? Math.min(2 * spacing, MAX_SPACING) : Math.max(spacing / 2, 1);
            countSelection();
        }
    }

    /** {@return how many milliseconds busy carriers leave between selections; for tests, while nobody turns the driver} */
    int spacing() {
        return spacing;
    }

    /** Parks until a tick; 0 does not. May return early, also because of an unpark that came late for the last time. */
    private void park(long untilTick) {
        if (untilTick == Long.MAX_VALUE) {
            LockSupport.park(this);
        } else if (untilTick != 0) {
            LockSupport.parkNanos(this, untilTick * TICK_NANOS - nanoTime());
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // one owner at a time
    private void countSelection() {
        selections++;
    }

    /** A selector that fails whenever it is asked must not keep its carrier spinning. */
    private static void rest() {
        try {
            Thread.sleep(FAILURE_REST_MILLIS);
        } catch (InterruptedException e) {
            // nobody's, as in block()
        }
    }

    private long millisUntil(long tick) {
        long nanos = tick * TICK_NANOS - nanoTime();
        return Math.max(0, Math.ceilDiv(nanos, MILLI_NANOS));
    }

    private void dispatch(SelectionKey key) {
        if (key.attachment() instanceof Readiness readiness) {
            reports++;
            if (!readiness.ready(key)) {
                repeats++;
            }
        }
    }

    /** Takes in new and cancelled timers and fires those due; owner only. Returns how many fired. */
    private int turnTimers() {
        if (newTimers != null) {
            takeNewTimers();
        }
        if (wheel.size() == 0) {
            return 0;
        }
        long now = tickBefore(nanoTime());
        return wheel.nextTick() <= now ? wheel.advance(now) : 0;
    }

    private void takeNewTimers() {
        deferred = false; // before the take: a timer pushed after it sets the flag anew
        ArmedTimer taken = (ArmedTimer) NEW_TIMERS.getAndSet(this, null);
        ArmedTimer ordered = null;
        while (taken != null) { // reverse: oldest first, so that ties fire in the order of arming
            ArmedTimer next = taken.inboxNext;
            taken.inboxNext = ordered;
            ordered = taken;
            taken = next;
        }
        if (wheel.size() == 0) {
            wheel.advance(tickBefore(nanoTime()));
        }
        while (ordered != null) {
            ArmedTimer next = ordered.inboxNext; // read before the timer can be cancelled and pushed again
            ordered.inboxNext = null;
            ordered.takeIn(wheel);
            ordered = next;
        }
    }

    /**
     * Registers a channel for readiness.
     *
     * @param channel in non-blocking mode
     * @throws IOException if the driver or the channel is closed
     */
    public Readiness register(SelectableChannel channel) throws IOException {
        Readiness readiness = new Readiness(this);
        if (state != CLOSED) {
            try {
                readiness.attach(channel.register(selector, 0, readiness));
            } catch (ClosedSelectorException e) {
                // closed between the two looks at the state
            }
        }
        if (state == CLOSED) { // close() may have looked through the keys before ours was there
            throw Readiness.shutDownException();
        }
        return readiness;
    }

    /** Makes the driver see what was changed about a channel: closed, or armed. */
    void changed() {
        int now = state;
        if (now == BLOCKED) {
            wake();
        } else if (now == FREE && !host.callerAttends()) {
            host.attend();
        }
    }

    /**
     * Waits until the selector has let go of a closed channel, and the JDK has closed its descriptor: in the same selection, but
     * just after the channel no longer counts as registered.
     *
     * @param nanos how long at most
     */
    void awaitRelease(SelectableChannel channel, long nanos) {
        long start = System.nanoTime();
        boolean inTime = true;
        while (channel.isRegistered() && inTime) {
            Thread.yield();
            inTime = System.nanoTime() - start < nanos;
        }
        int selection = selections;
        if (selection % 2 != 0) {
            wake(); // it may block now, after it has let go
            while (selections == selection && inTime) {
                Thread.yield();
                inTime = System.nanoTime() - start < nanos;
            }
        }
    }

    /** Ends the driver: waits on its channels fail, timers go to the heir. Called by a thread that may wait for the owner. */
    @Override
    public void close() {
        while (!STATE.compareAndSet(this, FREE, CLOSED)) {
            if (state == CLOSED) {
                return;
            }
            wake();
            Thread.yield();
        }
        if (heirs != null) {
            bequeath();
            wheel.advance(Long.MAX_VALUE); // an entry of a closed driver does not fire, but goes to the heir
        }
        for (SelectionKey key : selector.keys()) {
            if (key.attachment() instanceof Readiness readiness) {
                readiness.shutDown();
            }
        }
        countSelection(); // it lets go of all channels
        try {
            selector.close();
        } catch (IOException e) {
            failure = e;
        } finally {
            countSelection();
        }
    }

    static long tickAtOrAfter(long nanos) {
        return Math.max(0, Math.ceilDiv(nanos, TICK_NANOS));
    }

    static long tickBefore(long nanos) {
        return nanos / TICK_NANOS;
    }
}
