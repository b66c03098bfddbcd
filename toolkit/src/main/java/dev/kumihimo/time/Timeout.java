package dev.kumihimo.time;

import dev.kumihimo.internal.wait.CancelScope;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.VoidBody;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Bounds what a thread does in time.
 *
 * <pre>{@code
 * int n = Timeout.call(Duration.ofSeconds(1), () -> stream.read(buffer));
 * }</pre>
 *
 * @since 0.1
 */
public final class Timeout {
    private Timeout() {}

    /**
     * Runs a body in the calling thread, with a deadline. When that passes, an open toolkit wait of the body ends, its later
     * ones throw at once, and a thread that is elsewhere is interrupted; once the body has ended with that exception, the call
     * throws {@link TimeoutException}. A body that returns nevertheless, or throws something else, has its way.
     *
     * <p>Costs one timer, and no thread. Calls nest: the earlier deadline strikes first, and only the call whose deadline
     * passed throws {@code TimeoutException}; if a region around it is cancelled as well before the body has ended, an exception
     * that tells of that one goes on instead. No interrupt of the deadline arrives after the call. A deadline is never later than
     * the one around it, which includes one that the task has inherited, see {@link Deadline}.
     *
     * @param timeout how long from now; zero or less means that the body may complete what needs no waiting; one too long for
     *     the clock never passes
     * @param body what to run
     * @param <T> its result
     * @param <X> what it throws
     * @return its result
     * @throws X if the body throws it
     * @throws TimeoutException if the deadline ended the body
     */
    public static <T extends @Nullable Object, X extends Exception> T call(Duration timeout, Body<T, X> body)
            throws X, TimeoutException {
        return run(timeout, null, body);
    }

    /**
     * As {@link #call(Duration, Body)}, with a point in time: for several steps that have one deadline together.
     *
     * <pre>{@code
     * Deadline deadline = Deadline.in(Duration.ofSeconds(2));
     * Header header = Timeout.at(deadline, () -> readHeader());
     * Body body = Timeout.at(deadline, () -> readBody(header));
     * }</pre>
     *
     * @param deadline by when; if it has passed, the body may complete what needs no waiting; if it is
     *     {@linkplain Deadline#isNone() none}, only those around the call count
     * @param body what to run
     * @param <T> its result
     * @param <X> what it throws
     * @return its result
     * @throws X if the body throws it
     * @throws TimeoutException if the deadline ended the body
     */
    public static <T extends @Nullable Object, X extends Exception> T at(Deadline deadline, Body<T, X> body)
            throws X, TimeoutException {
        return run(deadline.remaining(), deadline, body);
    }

    @SuppressWarnings("unchecked") // what is thrown in place of an exception of the body is of its kind
    private static <T extends @Nullable Object, X extends Exception> T run(
            Duration timeout, @Nullable Deadline deadline, Body<T, X> body) throws X, TimeoutException {
        Waiter waiter = Waiter.current();
        Region region = new Region(waiter, timeout, deadline);
        region.enter(); // before the timer: a deadline that strikes must find the thread inside
        try {
            region.arm(waiter);
            return body.call();
        } catch (Throwable e) {
            if (region.endedBy(e)) {
                TimeoutException timedOut = new TimeoutException(region.lateness());
                timedOut.initCause(e);
                throw timedOut;
            }
            Exception instead = region.inPlaceOf(e);
            if (instead != null) {
                throw (X) instead;
            }
            throw e;
        } finally {
            region.timer.cancel();
            region.leave();
        }
    }

    /**
     * As {@link #call(Duration, Body)}, without a result.
     *
     * @param timeout how long from now
     * @param body what to run
     * @param <X> what it throws
     * @throws X if the body throws it
     * @throws TimeoutException if the deadline ended the body
     */
    public static <X extends Exception> void call(Duration timeout, VoidBody<X> body) throws X, TimeoutException {
        Timeout.<@Nullable Void, X>call(timeout, () -> {
            body.run();
            return null;
        });
    }

    /**
     * As {@link #at(Deadline, Body)}, without a result.
     *
     * @param deadline by when
     * @param body what to run
     * @param <X> what it throws
     * @throws X if the body throws it
     * @throws TimeoutException if the deadline ended the body
     */
    public static <X extends Exception> void at(Deadline deadline, VoidBody<X> body) throws X, TimeoutException {
        Timeout.<@Nullable Void, X>at(deadline, () -> {
            body.run();
            return null;
        });
    }

    private static final class Region extends CancelScope {
        private static final TimerService.Timer NO_TIMER = () -> {};

        private final Duration timeout;
        private final @Nullable Deadline point; // null: the time counts from when the timer is armed
        private long deadline = Long.MAX_VALUE; // the thread's own, as the next
        private boolean inherited; // whether the deadline around this region comes first
        private TimerService.Timer timer = NO_TIMER;

        Region(Waiter waiter, Duration timeout, @Nullable Deadline point) {
            super(waiter, false);
            this.timeout = timeout;
            this.point = point;
        }

        /** Arms the timer, unless that of a region around this one strikes as early: then that one's call is to tell of it. */
        void arm(Waiter waiter) {
            TimerService timers = waiter.timers();
            long own = point == null ? TimerService.deadline(timers.nanoTime(), timeout) : point.on(timers);
            CancelScope around = enclosingDeadlineHolder();
            long outer = around == null ? Long.MAX_VALUE : around.deadline();
            deadline = Math.min(own, outer);
            inherited = outer < own;
            if (own < outer
                    || around == waiter && outer != Long.MAX_VALUE) { // nobody in its thread keeps what a task inherits
                timer = timers.arm(deadline, this);
            }
        }

        String lateness() {
            return (point == null
                            ? "not done within " + timeout
                            : "not done by the deadline, which was " + timeout + " ahead")
                    + (inherited ? ", cut short by the deadline that the task inherited" : "");
        }

        @Override
        public void expire() {
            cancel(new CancelReason(CancelReason.Kind.TIMEOUT, lateness()));
        }

        @Override
        public long deadline() {
            return deadline;
        }
    }
}
