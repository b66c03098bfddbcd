package dev.kumihimo.time;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.channel.Receiver;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.select.Select;
import dev.kumihimo.select.Selectable;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Receives from a channel at most one item a period, and drops none: what is not received yet stays in the channel, whose
 * senders wait once it is full.
 *
 * <pre>{@code
 * Throttle<Request> calm = Throttle.of(requests, Duration.ofMillis(100));   // ten a second, no more
 * for (Request request; (request = calm.receiveOrNull()) != null; ) {
 *     service.call(request);
 * }
 * }</pre>
 *
 * <p>The first item is received at once, and each later one no sooner than a period after the one before it was. Time that
 * passed without an item is not made up for. The end of the channel is told no sooner than an item would be.
 *
 * <p>Belongs to one thread at a time, of the runtime in which it was made, as an {@link Interval} does: its clock is that one's.
 * Others may receive from the channel beside it. No thread is held, and a throttle that is dropped needs no closing. A pause
 * ends up to 0.25 ms late, and another millisecond while the runtime has sockets, plus the scheduling delay, and never early.
 *
 * <p><b>Interruption and cancellation.</b> They end the pause, and the wait for an item; a call that throws has received
 * nothing. An item that is there when none has been received for a period is received, also in a cancelled task, except that
 * every 128 of them a task yields and looks.
 *
 * @param <T> the items
 * @since 0.1
 */
public final class Throttle<T> {
    private final Selectable<T> source;
    private final Supplier<@Nullable T> trying;
    private final Duration period;
    private final TimerService clock = Waiter.current().timers();
    private long next; // the start of the clock: now

    private Throttle(Selectable<T> source, Supplier<@Nullable T> trying, Duration period) {
        if (period.isNegative() || period.isZero()) {
            throw new IllegalArgumentException("period=" + period + " must be more than zero");
        }
        this.source = source;
        this.trying = trying;
        this.period = period;
    }

    /**
     * {@return a throttle of a channel}
     *
     * @param channel from where it receives
     * @param period from item to item, more than zero; after one too long for the clock (over 292 years) there is no second item
     * @param <T> the items
     * @throws IllegalArgumentException if the period is zero or negative
     */
    public static <T> Throttle<T> of(Channel<T> channel, Duration period) {
        return new Throttle<>(channel, channel::tryReceive, period);
    }

    /**
     * {@return a throttle of a receiver} Whoever has that closes it.
     *
     * @param receiver from where it receives; once that is closed, this throws {@link IllegalStateException}
     * @param period from item to item, more than zero; after one too long for the clock (over 292 years) there is no second item
     * @param <T> the items
     * @throws IllegalArgumentException if the period is zero or negative
     */
    public static <T> Throttle<T> of(Receiver<T> receiver, Duration period) {
        return new Throttle<>(receiver, receiver::tryReceive, period);
    }

    /** {@return the least time from item to item} */
    public Duration period() {
        return period;
    }

    /**
     * Waits until a period has passed since the last item, and then for the next one, and receives it.
     *
     * @return the item
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was received
     * @throws ChannelClosedException if the channel is closed and drained, before or while it waits
     */
    public T receive() throws InterruptedException {
        T item = receiveBy(Long.MAX_VALUE);
        if (item == null) {
            throw new IllegalStateException("the end of time has come");
        }
        return item;
    }

    /**
     * As {@link #receive()}, for loops that end with the channel.
     *
     * @return the item, or null if the channel is closed and drained
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was received
     * @throws ChannelClosedException if the channel is drained and was closed with a cause
     */
    public @Nullable T receiveOrNull() throws InterruptedException {
        try {
            return receive();
        } catch (ChannelClosedException e) {
            if (e.getCause() != null) {
                throw e;
            }
            return null;
        }
    }

    /**
     * As {@link #receive()}, waiting at most a given time.
     *
     * @param timeout the longest wait, for the period and the item together; zero or negative does not wait
     * @return the item
     * @throws InterruptedException if interrupted or cancelled while it would wait; nothing was received
     * @throws TimeoutException if the period has not passed or there was no item in time; nothing was received
     * @throws ChannelClosedException if the channel is closed and drained, before or while it waits
     */
    public T receive(Duration timeout) throws InterruptedException, TimeoutException {
        T item = timeout.isNegative() || timeout.isZero()
                ? tryReceive()
                : receiveBy(TimerService.deadline(clock.nanoTime(), timeout));
        if (item == null) {
            throw new TimeoutException("no item within " + timeout + " of " + this);
        }
        return item;
    }

    /**
     * Receives the next item if a period has passed since the last one, and there is one now.
     *
     * @return the item, or null
     * @throws ChannelClosedException if a period has passed, and the channel is closed and drained
     */
    public @Nullable T tryReceive() {
        return isDue() ? taken(trying.get()) : null;
    }

    /** {@return the next item, or null if it has not come by a deadline} */
    private @Nullable T receiveBy(long deadline) throws InterruptedException {
        if (!isDue()) {
            Wait.forDeadline().await(Math.min(next, deadline));
            if (!isDue()) {
                return null;
            }
        }
        Select<@Nullable T> select = Select.<@Nullable T>of().on(source, item -> item);
        if (deadline != Long.MAX_VALUE) {
            select.after(Duration.ofNanos(deadline - clock.nanoTime()), () -> null);
        }
        return taken(select.await());
    }

    private boolean isDue() {
        return next <= clock.nanoTime();
    }

    private @Nullable T taken(@Nullable T item) {
        if (item != null) {
            next = TimerService.deadline(clock.nanoTime(), period);
        }
        return item;
    }

    @Override
    public String toString() {
        return "Throttle[one in " + period + " of " + source + "]";
    }
}
