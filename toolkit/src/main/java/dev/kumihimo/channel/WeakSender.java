package dev.kumihimo.channel;

import org.jspecify.annotations.Nullable;

/**
 * A way to a {@link Sender} that does not keep the channel open: for what sends now and then, such as a timer, but must not
 * hold up the end.
 *
 * <pre>{@code
 * WeakSender<Event> weak = sender.downgrade();
 * try (Sender<Event> strong = weak.upgrade()) {
 *     if (strong != null) {
 *         strong.send(Event.TICK);
 *     }
 * }
 * }</pre>
 *
 * @param <T> the items
 * @since 0.1
 */
public final class WeakSender<T> {
    private final Channel<T> channel;
    private final ChannelCore core;

    WeakSender(Channel<T> channel, ChannelCore core) {
        this.channel = channel;
        this.core = core;
    }

    /** {@return a new sender, or null if no sender is open any more} Permits alone do not count. */
    public @Nullable Sender<T> upgrade() {
        Sender<T> sender = new Sender<>(channel, core);
        return core.addSenderIfAny() ? sender : null;
    }

    @Override
    public String toString() {
        return "WeakSender[" + channel.describe() + "]";
    }
}
