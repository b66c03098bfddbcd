package dev.kumihimo.channel;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WakeList;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * Moves items from a channel to a collection, which is user code: not under the lock, and it may fail. Until an item is added
 * the channel counts it as lent, and so does not tell others of an end that need not be one. All memory is had before
 * anything is taken.
 */
final class Batch<T> {
    /** How many items are taken under one holding of the lock at most. */
    private static final int MAX = 256;

    private final ChannelCore core;
    private final Collection<? super T> into;
    private final int max;
    private final WakeList woken = new WakeList();
    private @Nullable Object[] items = {};
    private int taken; // of the items, and lent
    private int added; // of those
    private int received;

    Batch(ChannelCore core, Collection<? super T> into, int max) {
        this.core = core;
        this.into = into;
        this.max = max;
    }

    /** {@return how many items were received} */
    int received() {
        return received;
    }

    /** Receives the items that there are now. */
    void receive() {
        receive(false);
    }

    /** Receives the items that there are now; if there are none, but may be, returns the wait that was registered for one. */
    @Nullable
    Wait receiveOrRegister() {
        return receive(true);
    }

    /** Receives the item, or the end, that a wait was granted with, and what else there is. */
    void receive(Wait granted) {
        if (granted.item != ChannelCore.CLOSED) {
            items[0] = granted.item;
            taken = 1;
            try {
                add();
            } finally {
                settle();
            }
            receive(false);
        }
    }

    private @Nullable Wait receive(boolean waits) {
        boolean more = true;
        while (more && received < max) {
            // the size read here may be out of date: then there is one round more, or an array that is too large
            items = new Object[Math.min(max - received, Math.min(core.size(), MAX - 1) + 1)];
            try {
                Wait wait = take(waits && received == 0);
                if (wait != null) {
                    return wait;
                }
                more = taken == items.length;
                add();
            } finally {
                settle();
            }
        }
        return null;
    }

    private @Nullable Wait take(boolean waits) {
        core.lock();
        try {
            taken = core.lend(items, woken);
            if (taken > 0) {
                core.serve(woken);
            } else if (waits) {
                return core.registerForLoan();
            }
            return null;
        } finally {
            core.unlock();
        }
    }

    @SuppressWarnings("unchecked") // only sends put items in
    private void add() {
        woken.wakeAll();
        for (added = 0; added < taken; added++) {
            into.add((T) items[added]);
        }
    }

    /** Counts what was added; what the collection has refused, and what comes after that, goes back. */
    private void settle() {
        if (taken == 0) {
            return;
        }
        core.lock();
        try {
            core.settle(items, added, taken, woken);
        } finally {
            core.unlock();
        }
        received += added;
        added = 0;
        taken = 0;
        woken.wakeAll();
    }
}
