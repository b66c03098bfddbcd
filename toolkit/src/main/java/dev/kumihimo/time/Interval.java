package dev.kumihimo.time;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Ticks at a fixed period. The schedule does not drift: each tick is a period after the one before it, however long the work in
 * between took.
 *
 * <pre>{@code
 * Interval everySecond = Interval.of(Duration.ofSeconds(1)).missedTicks(MissedTickBehavior.SKIP);
 * while (true) {
 *     Deadline tick = everySecond.tick();                        // the first one at once
 *     Timeout.at(tick.plus(everySecond.period()), () -> poll()); // done before the next
 * }
 * }</pre>
 *
 * <p>A tick is due once its time has come, and stays due until it is taken: nothing happens in between, no thread is held, and
 * an interval that is dropped needs no closing. What follows on a tick taken late is chosen by {@link #missedTicks}.
 *
 * <p>Belongs to one thread at a time, of the runtime in which it was made: its clock is that one's, and all runtimes share it,
 * but for those under test. Deadlines are kept in nanoseconds; a wait ends up to 0.25 ms late, and another millisecond
 * while the runtime has sockets, plus the scheduling delay, and never early.
 *
 * <p><b>Interruption and cancellation.</b> A tick that is due is taken, also in a cancelled task, except that every 128 of them
 * a task yields and looks. A wait that throws has taken no tick: the next one gets it.
 *
 * @since 0.1
 */
public final class Interval implements Selectable<Deadline> {
    /** How late a tick may be taken and still count as in time. Tokio's figure. */
    private static final long TOLERANCE_NANOS = 5_000_000;

    private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE);

    private final TimerService clock;
    private final Duration period;
    private final long periodNanos;
    private final Clause<Deadline> clause = new Ticking(this);
    private MissedTickBehavior missedTicks = MissedTickBehavior.BURST;
    private long next;

    private Interval(TimerService clock, Duration period, long first) {
        this.clock = clock;
        this.period = period;
        this.periodNanos = nanos(period);
        this.next = first;
    }

    private static long nanos(Duration period) {
        if (period.isNegative() || period.isZero() || period.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException(
                    "period=" + period + " must be " + Duration.ofNanos(1) + " to " + LONGEST);
        }
        return period.toNanos();
    }

    /* ---------------- Making one -------------- */

    /**
     * {@return an interval whose first tick is due now} If ticks are missed, it {@linkplain MissedTickBehavior#BURST catches up}.
     *
     * @param period from tick to tick, 1 ns to {@link Long#MAX_VALUE} ns; below a millisecond several ticks become due together
     * @throws IllegalArgumentException if the period is zero, negative or longer than that
     */
    public static Interval of(Duration period) {
        TimerService clock = Waiter.current().timers();
        return new Interval(clock, period, clock.nanoTime());
    }

    /**
     * {@return an interval with a chosen first tick} With {@code Deadline.in(period)} it begins with a pause.
     *
     * @param period from tick to tick, 1 ns to {@link Long#MAX_VALUE} ns
     * @param first when the first tick is due; if that has passed, those since count as missed; if it is
     *     {@linkplain Deadline#isNone() none}, there is no tick until a reset
     * @throws IllegalArgumentException if the period is zero, negative or longer than that
     */
    public static Interval of(Duration period, Deadline first) {
        TimerService clock = Waiter.current().timers();
        return new Interval(clock, period, first.on(clock));
    }

    /**
     * Chooses what follows on a tick that was taken more than 5 ms late.
     *
     * @param behavior {@link MissedTickBehavior#BURST} unless this is called
     * @return this
     */
    public Interval missedTicks(MissedTickBehavior behavior) {
        missedTicks = Objects.requireNonNull(behavior, "behavior");
        return this;
    }

    /** {@return what follows on a tick that was taken late} */
    public MissedTickBehavior missedTicks() {
        return missedTicks;
    }

    /** {@return the time from tick to tick} */
    public Duration period() {
        return period;
    }

    /* ---------------- Ticking -------------- */

    /**
     * Waits until the next tick is due, and takes it. Only time, an interrupt or a cancellation ends the wait.
     *
     * @return when the tick was scheduled, which is not later than now; {@link Deadline#elapsed()} tells how late it is
     * @throws InterruptedException if interrupted or cancelled while it would wait; no tick was taken
     */
    public Deadline tick() throws InterruptedException {
        Waiter.spend();
        if (!isDue()) {
            Wait.forDeadline().await(next);
        }
        return take();
    }

    /**
     * Waits until the next tick is due, at most a given time, and takes it.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return when the tick was scheduled, as in {@link #tick()}
     * @throws InterruptedException if interrupted or cancelled while it would wait; no tick was taken
     * @throws TimeoutException if none was due in time; none was taken
     */
    public Deadline tick(Duration timeout) throws InterruptedException, TimeoutException {
        Waiter.spend();
        if (!isDue() && !timeout.isNegative() && !timeout.isZero()) {
            Wait.forDeadline().await(Math.min(next, TimerService.deadline(clock.nanoTime(), timeout)));
        }
        if (!isDue()) {
            throw new TimeoutException("no tick within " + timeout + " of " + this);
        }
        return take();
    }

    /**
     * Takes the next tick if it is due.
     *
     * @return when it was scheduled, as in {@link #tick()}, or null
     */
    public @Nullable Deadline tryTick() {
        Waiter.spendQuietly();
        return isDue() ? take() : null;
    }

    private boolean isDue() {
        return next <= clock.nanoTime();
    }

    private Deadline take() {
        long scheduled = next;
        long now = clock.nanoTime();
        next = now - scheduled > TOLERANCE_NANOS
                ? missedTicks.next(scheduled, now, periodNanos)
                : MissedTickBehavior.later(scheduled, periodNanos);
        return Deadline.at(clock, scheduled);
    }

    /** {@return the next tick, to be selected on} A select that takes another branch takes no tick. */
    @Override
    public Clause<Deadline> clause() {
        return clause;
    }

    /* ---------------- Resetting -------------- */

    /** Has the next tick come one period from now. Ticks that were due are dropped, whatever {@link #missedTicks()} says. */
    public void reset() {
        next = MissedTickBehavior.later(clock.nanoTime(), periodNanos);
    }

    /** Makes one tick due now, and has the schedule begin with it. Ticks that were due are dropped. */
    public void resetImmediately() {
        next = clock.nanoTime();
    }

    /**
     * Has the next tick come after a time, and the schedule begin with it. Ticks that were due are dropped.
     *
     * @param delay from now; zero or negative is now, and one too long for the clock never ends
     */
    public void resetAfter(Duration delay) {
        next = TimerService.deadline(clock.nanoTime(), delay);
    }

    /**
     * Has the next tick come at a point in time, and the schedule begin with it. Ticks that were due are dropped.
     *
     * @param first when; if that has passed, the ticks since count as missed; if it is {@linkplain Deadline#isNone() none}, there
     *     is no tick until another reset
     */
    public void resetAt(Deadline first) {
        next = first.on(clock);
    }

    @Override
    public String toString() {
        return "Interval[every " + period + ", " + missedTicks + "]";
    }

    /** Waits for nothing but its time. The tick is taken in result(), so that nothing happens while it is tried. */
    private static final class Ticking extends Clause<Deadline> {
        private final Interval interval;

        Ticking(Interval interval) {
            super(null);
            this.interval = interval;
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            return interval.isDue() ? null : NOT_READY;
        }

        @Override
        protected Deadline result(@Nullable Object outcome) {
            return interval.take();
        }

        @Override
        protected long deadline() {
            return interval.next;
        }
    }
}
