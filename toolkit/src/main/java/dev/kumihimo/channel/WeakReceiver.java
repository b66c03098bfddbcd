package dev.kumihimo.channel;

import org.jspecify.annotations.Nullable;

/**
 * A way to a {@link Receiver} that does not count as one: for what helps out with receiving, but shall not make senders
 * believe that their items are still wanted.
 *
 * <pre>{@code
 * try (Receiver<Job> helper = weak.upgrade()) {
 *     if (helper != null) {
 *         helper.tryReceiveMany(batch, 100);
 *     }
 * }
 * }</pre>
 *
 * @param <T> the items
 * @since 0.1
 */
public final class WeakReceiver<T> {
    private final Channel<T> channel;
    private final ChannelCore core;

    WeakReceiver(Channel<T> channel, ChannelCore core) {
        this.channel = channel;
        this.core = core;
    }

    /** {@return a new receiver, or null if no receiver is open any more} */
    public @Nullable Receiver<T> upgrade() {
        Receiver<T> receiver = new Receiver<>(channel, core);
        return core.addReceiverIfAny() ? receiver : null;
    }

    @Override
    public String toString() {
        return "WeakReceiver[" + channel.describe() + "]";
    }
}
