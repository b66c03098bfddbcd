package dev.kumihimo.time;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.channel.Receiver;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Select;
import dev.kumihimo.select.Selectable;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Receives from a channel what is the latest once it is quiet: each item is held until no further one has come for a time, and
 * dropped if one has.
 *
 * <pre>{@code
 * Debounce<Path> settled = Debounce.of(changes, Duration.ofMillis(200)).atMost(Duration.ofSeconds(2));
 * for (Path changed; (changed = settled.receiveOrNull()) != null; ) {
 *     rebuild(changed);
 * }
 * }</pre>
 *
 * <p>An item has come when it is taken from the channel, which happens during calls only: what came in between counts from the
 * next call on. Senders are held up by nothing but that. A source that is never quiet gives nothing, unless
 * {@link #atMost} bounds the wait. When the channel is closed and drained, the item that is held is given at once, and then the
 * end.
 *
 * <p>Belongs to one thread at a time, of the runtime in which it was made, as an {@link Interval} does: its clock is that one's.
 * Others may receive from the channel beside it. No thread is held, and a debounce that is dropped needs no closing; the item it
 * holds goes with it. A wait ends up to 0.25 ms late, and another millisecond while the runtime has sockets, plus the scheduling
 * delay, and never early.
 *
 * <p><b>Interruption and cancellation.</b> They end a wait. No item is lost by that: one that is held stays held, and its quiet
 * time goes on, so that the next call may give it at once. A call that need not wait completes also in a cancelled task, except
 * that every 128 items a task yields and looks.
 *
 * @param <T> the items
 * @since 0.1
 */
public final class Debounce<T> {
    /** How many items tryReceive() takes: it has to end although others go on sending. */
    private static final int MOST_TRIED = 1_024;

    private final Selectable<T> source;
    private final Supplier<@Nullable T> trying;
    private final Duration quiet;
    private final TimerService clock = Waiter.current().timers();
    private @Nullable Duration longest;

    private @Nullable T held;
    private long quietAt; // if an item is held: when it is given,
    private long latest; // and when at the latest

    private Debounce(Selectable<T> source, Supplier<@Nullable T> trying, Duration quiet) {
        this.source = source;
        this.trying = trying;
        this.quiet = positive("quiet", quiet);
    }

    private static Duration positive(String name, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw new IllegalArgumentException(name + "=" + value + " must be more than zero");
        }
        return value;
    }

    /* ---------------- Making one -------------- */

    /**
     * {@return a debounce of a channel}
     *
     * @param channel from where it receives
     * @param quiet how long no further item must have come, more than zero; one too long for the clock (over 292 years) never
     *     ends
     * @param <T> the items
     * @throws IllegalArgumentException if the time is zero or negative
     */
    public static <T> Debounce<T> of(Channel<T> channel, Duration quiet) {
        return new Debounce<>(channel, channel::tryReceive, quiet);
    }

    /**
     * {@return a debounce of a receiver} Whoever has that closes it.
     *
     * @param receiver from where it receives; once that is closed, this throws {@link IllegalStateException}
     * @param quiet how long no further item must have come, more than zero; one too long for the clock (over 292 years) never
     *     ends
     * @param <T> the items
     * @throws IllegalArgumentException if the time is zero or negative
     */
    public static <T> Debounce<T> of(Receiver<T> receiver, Duration quiet) {
        return new Debounce<>(receiver, receiver::tryReceive, quiet);
    }

    /**
     * Bounds how long items go on replacing each other: so long after the first of them, the latest is given though it is not
     * quiet. Counts from the next item that replaces none.
     *
     * @param longest more than zero; if it is less than the quiet time, there is no need for quiet; one too long for the clock
     *     never ends
     * @return this
     * @throws IllegalArgumentException if the time is zero or negative
     */
    public Debounce<T> atMost(Duration longest) {
        this.longest = positive("longest", longest);
        return this;
    }

    /** {@return how long no further item must have come} */
    public Duration quiet() {
        return quiet;
    }

    /* ---------------- Receiving -------------- */

    /**
     * Waits for an item after which no further one comes for the quiet time, and gives it; or, if the channel ends or the longest
     * wait does, the one that is held then.
     *
     * @return the item
     * @throws InterruptedException if interrupted or cancelled while it would wait; what is held is for the next call
     * @throws ChannelClosedException if the channel is closed and drained, before or while it waits, and nothing is held
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
     * @return the item, or null if the channel is closed and drained, and nothing is held
     * @throws InterruptedException if interrupted or cancelled while it would wait; what is held is for the next call
     * @throws ChannelClosedException if the channel is drained and was closed with a cause, and nothing is held
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
     * @param timeout the longest wait, for the item and the quiet together; zero or negative does not wait
     * @return the item
     * @throws InterruptedException if interrupted or cancelled while it would wait; what is held is for the next call
     * @throws TimeoutException if there was none in time, or it was not quiet; what is held is for the next call
     * @throws ChannelClosedException if the channel is closed and drained, before or while it waits, and nothing is held
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
     * Takes what there is, up to 1,024 items, and gives the latest if its quiet time, the longest wait or the channel has ended.
     *
     * @return the item, or null if there is none, or it is not quiet; then it is held
     * @throws ChannelClosedException if the channel is closed and drained, and nothing is held
     */
    public @Nullable T tryReceive() {
        for (int i = 0; i < MOST_TRIED && !isLatest(); i++) {
            T item;
            try {
                item = trying.get();
            } catch (ChannelClosedException e) {
                return givenAtTheEnd(e);
            }
            if (item == null) {
                break;
            }
            hold(item);
        }
        return isDue() ? give() : null;
    }

    /** {@return the item that is due first, or null if none is by a deadline} */
    private @Nullable T receiveBy(long deadline) throws InterruptedException {
        Ending ending = new Ending();
        Select<@Nullable T> next =
                Select.<@Nullable T>of().on(source, item -> item).on(ending, () -> null);
        while (!isLatest()) {
            ending.time = held == null ? deadline : Math.min(deadline, Math.min(quietAt, latest));
            T item;
            try {
                item = next.await();
            } catch (ChannelClosedException e) {
                return givenAtTheEnd(e);
            }
            if (item == null) {
                return isDue() ? give() : null;
            }
            hold(item);
        }
        return give();
    }

    private void hold(T item) {
        long now = clock.nanoTime();
        if (held == null) {
            latest = longest == null ? Long.MAX_VALUE : TimerService.deadline(now, longest);
        }
        held = item;
        quietAt = TimerService.deadline(now, quiet);
    }

    private boolean isLatest() {
        return held != null && latest <= clock.nanoTime();
    }

    private boolean isDue() {
        return held != null && Math.min(quietAt, latest) <= clock.nanoTime();
    }

    private @Nullable T give() {
        T given = held;
        held = null;
        return given;
    }

    private T givenAtTheEnd(ChannelClosedException end) {
        T last = give();
        if (last == null) {
            throw end;
        }
        return last;
    }

    @Override
    public String toString() {
        return "Debounce[quiet for " + quiet + (longest == null ? "" : ", at most " + longest) + " of " + source + "]";
    }

    /** Waits for nothing but a time, which is set anew for each wait. What is ready goes before it. */
    private static final class Ending extends Clause<@Nullable Void> {
        private long time;

        Ending() {
            super(null);
        }

        @Override
        protected Object tryNow(WakeList woken) {
            return NOT_READY;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            return null;
        }

        @Override
        protected long deadline() {
            return time;
        }
    }
}
