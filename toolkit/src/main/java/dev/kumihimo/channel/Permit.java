package dev.kumihimo.channel;

import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import java.util.Objects;

/**
 * Reserved places in a channel: sending through one never waits, and never fails, also if the channel has been closed
 * meanwhile. Closing gives the places back that were not used; so does nothing else, not even being collected.
 *
 * <pre>{@code
 * try (Permit<Order> room = orders.reserve()) {
 *     room.send(source.next()); // taken from the source only now that it can be passed on
 * }
 * }</pre>
 *
 * <p>Receivers of a closed channel wait as long as there is a permit. Any thread may call any method.
 *
 * @param <T> the items
 * @since 0.1
 */
public final class Permit<T> implements AutoCloseable {
    private final ChannelCore core;
    private int count; // guarded by the core's lock

    /** Creates a permit that counts once its places are reserved; before that, so that for want of memory none is lost. */
    Permit(ChannelCore core, int count) {
        this.core = core;
        this.count = count;
    }

    /** {@return how many places it holds; each send uses one} */
    public int count() {
        core.lock();
        try {
            return count;
        } finally {
            core.unlock();
        }
    }

    /**
     * Sends an item through a reserved place. Never waits. If the last {@link Receiver} was closed, the item is dropped, as
     * are those in the buffer.
     *
     * @param item not null
     * @throws IllegalStateException if all its places are used or given back
     */
    public void send(T item) {
        Objects.requireNonNull(item, "item");
        Waiter.spendQuietly();
        WakeList woken = new WakeList();
        boolean held;
        core.lock();
        try {
            held = count > 0;
            if (held) {
                core.sendReserved(item, woken);
                count--;
            }
        } finally {
            core.unlock();
        }
        if (!held) {
            throw new IllegalStateException("count=0: all places of this permit are used or given back");
        }
        woken.wakeAll();
    }

    /** Gives back what was not used, and serves who waits for it. Idempotent; never waits. */
    @Override
    public void close() {
        WakeList woken = new WakeList();
        core.lock();
        try {
            if (count > 0) {
                int unused = count;
                count = 0;
                core.giveBack(unused, woken);
            }
        } finally {
            core.unlock();
        }
        woken.wakeAll();
    }

    @Override
    public String toString() {
        return "Permit[" + count() + " places]";
    }
}
