package dev.kumihimo.channel;

import dev.kumihimo.internal.wait.WakeList;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** Moves items from a channel to a collection, which is user code: not under the lock, and it may fail. */
final class Batch {
    /** How many items are taken under one holding of the lock at most. */
    private static final int MAX = 256;

    private Batch() {}

    /** Receives the items that there are now, and returns how many. */
    static <T> int receive(ChannelCore core, Collection<? super T> into, int max) {
        int received = 0;
        while (received < max) {
            // the size read here may be out of date: then there is one round more, or an array that is too large
            @Nullable Object[] batch = new Object[Math.min(max - received, Math.min(core.size(), MAX - 1) + 1)];
            WakeList woken = new WakeList();
            int taken;
            core.lock();
            try {
                taken = core.takeInto(batch, woken);
            } finally {
                core.unlock();
            }
            woken.wakeAll();
            addOrPutBack(core, into, batch, taken);
            received += taken;
            if (taken < batch.length) {
                return received;
            }
        }
        return received;
    }

    /** Adds the first items of a batch; if the collection refuses one, it and those after it go back. */
    @SuppressWarnings("unchecked") // only sends put items in
    static <T> void addOrPutBack(ChannelCore core, Collection<? super T> into, @Nullable Object[] batch, int count) {
        int added = 0;
        try {
            for (; added < count; added++) {
                into.add((T) batch[added]);
            }
        } finally {
            if (added < count) {
                putBack(core, batch, added, count);
            }
        }
    }

    private static void putBack(ChannelCore core, @Nullable Object[] batch, int from, int to) {
        WakeList woken = new WakeList();
        core.lock();
        try {
            core.putBack(batch, from, to, woken);
        } finally {
            core.unlock();
        }
        woken.wakeAll();
    }
}
