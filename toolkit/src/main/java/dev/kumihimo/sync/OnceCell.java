package dev.kumihimo.sync;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.Body;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A value that is made when it is first asked for, by one task, while others who ask wait for it. Making it may wait, and fail.
 *
 * <pre>{@code
 * private final OnceCell<Connection> connection = new OnceCell<>();
 *
 * Connection connection() throws IOException, InterruptedException {
 *     return connection.getOrInit(() -> Connection.open(address));
 * }
 * }</pre>
 *
 * <p>Any thread may call any method.
 *
 * <p><b>Waiting and fairness.</b> {@link #getOrInit} waits while another makes the value. If that fails (its body throws, or is
 * cancelled), only the one whose body it was gets the exception; the one that has waited longest goes on with its own body.
 *
 * <p><b>Interruption and cancellation.</b> If the wait throws, nothing was made. A value that is there is returned also to a
 * cancelled or interrupted task.
 *
 * <p><b>Memory.</b> What was done before the value was set happens-before what anybody does that has got it.
 *
 * @param <T> the value, never null
 * @since 0.1
 */
public final class OnceCell<T> {
    private final OncePoint point = new OncePoint("once-cell");

    /** Creates a cell without a value. */
    public OnceCell() {}

    /**
     * {@return a cell that has its value}
     *
     * @param value not null
     * @param <T> the value
     */
    public static <T> OnceCell<T> of(T value) {
        OnceCell<T> cell = new OnceCell<>();
        cell.set(value);
        return cell;
    }

    /** {@return the value, or null if there is none yet} Never waits. */
    public @Nullable T get() {
        return cast(point.value());
    }

    /** {@return whether there is a value} */
    public boolean isInitialized() {
        return point.value() != null;
    }

    /**
     * Returns the value, and makes it first if nobody has: runs the body, or waits while another runs its own.
     *
     * @param init makes the value, not null; runs in the calling thread, with no lock held, and may wait
     * @param <X> what it throws
     * @return the value
     * @throws X what the body throws; there is no value then
     * @throws InterruptedException if interrupted or cancelled while it would wait; its body was not run
     * @throws IllegalStateException if called by the body that makes this very value; a body that has another task call it, and
     *     waits for that task, waits for ever
     * @throws NullPointerException if the body returns null; there is no value then
     */
    public <X extends Exception> T getOrInit(Body<? extends T, X> init) throws X, InterruptedException {
        Objects.requireNonNull(init, "init");
        Object present = point.value();
        if (present == null) {
            beforeInit();
            present = point.valueOrMakeOrRegister();
            if (present instanceof Wait wait) {
                wait.await();
                present = wait.item;
            }
        }
        return present == OncePoint.MAKE ? make(init) : got(present);
    }

    /**
     * As {@link #getOrInit(Body)}, waiting for another's body at most a given time. The caller's own body takes the time it takes.
     *
     * @param init makes the value, not null
     * @param timeout the longest wait; zero or negative does not wait
     * @param <X> what it throws
     * @return the value
     * @throws X what the body throws; there is no value then
     * @throws InterruptedException if interrupted or cancelled while it would wait; its body was not run
     * @throws TimeoutException if another is making the value, and is not ready in time; the caller's body was not run
     * @throws IllegalStateException if called by the body that makes this very value
     * @throws NullPointerException if the body returns null; there is no value then
     */
    public <X extends Exception> T getOrInit(Body<? extends T, X> init, Duration timeout)
            throws X, InterruptedException, TimeoutException {
        Objects.requireNonNull(init, "init");
        Object present = point.value();
        if (present == null) {
            beforeInit();
            present = makeOrWait(timeout);
        }
        return present == OncePoint.MAKE ? make(init) : got(present);
    }

    private @Nullable Object makeOrWait(Duration timeout) throws InterruptedException, TimeoutException {
        if (timeout.isNegative() || timeout.isZero()) {
            Object present = point.tryValueOrMake();
            if (present == null) {
                throw new TimeoutException("another is making the value");
            }
            return present;
        }
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        Object present = point.valueOrMakeOrRegister();
        if (present instanceof Wait wait) {
            if (!wait.await(deadline)) {
                throw new TimeoutException("another is making the value, and was not ready within " + timeout);
            }
            return wait.item;
        }
        return present;
    }

    private void beforeInit() throws InterruptedException {
        if (point.isMadeByCaller()) {
            throw new IllegalStateException(
                    Holder.name(Thread.currentThread()) + " is making this value, and would wait for itself");
        }
        Waiter.spend();
    }

    private <X extends Exception> T make(Body<? extends T, X> init) throws X {
        boolean done = false;
        try {
            T made = Objects.requireNonNull(init.call(), "the body returned null in place of a value");
            point.made(made);
            done = true;
            return made;
        } finally {
            if (!done) {
                point.failed();
            }
        }
    }

    /**
     * Sets the value.
     *
     * @param value not null
     * @throws IllegalStateException if there is one, or another is making one; the message says which
     */
    public void set(T value) {
        Object hindrance = point.set(Objects.requireNonNull(value, "value"));
        if (hindrance != null) {
            throw new IllegalStateException(
                    hindrance == OncePoint.MAKE
                            ? "the value is being made by a getOrInit()"
                            : "the cell has a value already");
        }
    }

    /**
     * Sets the value if there is none, and none is being made.
     *
     * @param value not null
     * @return whether it was set
     */
    public boolean trySet(T value) {
        return point.set(Objects.requireNonNull(value, "value")) == null;
    }

    private T got(@Nullable Object present) {
        return Objects.requireNonNull(cast(present));
    }

    @SuppressWarnings("unchecked") // only set() and make() put values in
    private @Nullable T cast(@Nullable Object present) {
        return (T) present;
    }

    /** {@return where its waits are registered, for tests} */
    WaitPoint waitPoint() {
        return point;
    }

    @Override
    public String toString() {
        Object present = point.value();
        return present == null ? "OnceCell[]" : "OnceCell[" + present + "]";
    }
}
