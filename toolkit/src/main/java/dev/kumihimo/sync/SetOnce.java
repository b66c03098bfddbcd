package dev.kumihimo.sync;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A value that is set once, and that any number of tasks may wait for.
 *
 * <pre>{@code
 * SetOnce<Address> bound = new SetOnce<>();
 * Task.spawn(() -> serve(bound));
 * connect(bound.await());
 * }</pre>
 *
 * <p>Any thread may call any method.
 *
 * <p><b>Waiting.</b> A wait ends when the value is set; all who wait get it.
 *
 * <p><b>Interruption and cancellation.</b> A value that is there is returned also to a cancelled or interrupted task, except
 * that every 128 operations it yields and looks. A wait that throws has changed nothing.
 *
 * <p><b>Memory.</b> What a thread did before it set the value happens-before what anybody does that has got it.
 *
 * @param <T> the value, never null
 * @since 0.1
 */
public final class SetOnce<T> implements Selectable<T> {
    private final OncePoint point = new OncePoint("set-once");
    private final Clause<T> clause = new Awaiting<>(point);

    /** Creates one without a value. */
    public SetOnce() {}

    /**
     * Sets the value, and wakes all who wait for it. Never waits.
     *
     * @param value not null
     * @throws IllegalStateException if it was set before; that value stays
     */
    public void set(T value) {
        if (!trySet(value)) {
            throw new IllegalStateException("the value was set already");
        }
    }

    /**
     * Sets the value if it was not set before, and wakes all who wait for it. Never waits.
     *
     * @param value not null
     * @return whether it was set
     */
    public boolean trySet(T value) {
        return point.set(Objects.requireNonNull(value, "value")) == null;
    }

    /** {@return the value, or null if it is not set yet} Never waits. */
    public @Nullable T get() {
        return cast(point.value());
    }

    /** {@return whether the value is set} */
    public boolean isSet() {
        return point.value() != null;
    }

    /**
     * Waits until the value is set.
     *
     * @return the value
     * @throws InterruptedException if interrupted or cancelled while it would wait
     */
    public T await() throws InterruptedException {
        Waiter.spend();
        Object present = point.valueOrRegister();
        if (present instanceof Wait wait) {
            wait.await();
            present = wait.item;
        }
        return Objects.requireNonNull(cast(present));
    }

    /**
     * Waits until the value is set, at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return the value
     * @throws InterruptedException if interrupted or cancelled while it would wait
     * @throws TimeoutException if it was not set in time
     */
    public T await(Duration timeout) throws InterruptedException, TimeoutException {
        Waiter.spend();
        if (timeout.isNegative() || timeout.isZero()) {
            T present = get();
            if (present == null) {
                throw new TimeoutException("the value is not set");
            }
            return present;
        }
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        Object present = point.valueOrRegister();
        if (present instanceof Wait wait) {
            if (!wait.await(deadline)) {
                throw new TimeoutException("the value was not set within " + timeout);
            }
            present = wait.item;
        }
        return Objects.requireNonNull(cast(present));
    }

    /** {@return the wait for the value, to be selected on} */
    @Override
    public Clause<T> clause() {
        return clause;
    }

    @SuppressWarnings("unchecked") // only set() puts values in
    private static <T> @Nullable T cast(@Nullable Object present) {
        return (T) present;
    }

    /** {@return where its waits are registered, for tests} */
    WaitPoint waitPoint() {
        return point;
    }

    @Override
    public String toString() {
        Object present = point.value();
        return present == null ? "SetOnce[]" : "SetOnce[" + present + "]";
    }

    private static final class Awaiting<T> extends Clause<T> {
        private final OncePoint point;

        Awaiting(OncePoint point) {
            super(point);
            this.point = point;
        }

        @Override
        protected Object tryNow(WakeList woken) {
            Object present = point.value();
            return present == null ? NOT_READY : present;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            point.register(node);
            return true;
        }

        @Override
        protected T result(@Nullable Object outcome) {
            return Objects.requireNonNull(cast(outcome));
        }
    }
}
