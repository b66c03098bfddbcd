package dev.kumihimo.internal.carrier;

import dev.kumihimo.internal.jdk.VirtualThreads;
import dev.kumihimo.internal.wait.SpinLock;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The live tasks of a runtime, for its end and for reports: lists behind a few spin locks. Once closed it takes no more, so
 * that a task is either found by the shutdown or refused.
 */
public final class TaskRegistry {
    private static final int SHARDS = 16; // a power of two; empirical: more than carriers on most machines

    private final Shard[] shards;

    /** Creates an empty, open registry. */
    public TaskRegistry() {
        this(SHARDS);
    }

    /**
     * Creates an empty, open registry.
     *
     * @param count how many lists it has, a power of two
     */
    TaskRegistry(int count) {
        shards = new Shard[count];
        for (int i = 0; i < count; i++) {
            shards[i] = new Shard();
        }
    }

    private static final class Shard extends SpinLock {
        private @Nullable LiveTask first; // all guarded by the lock
        private boolean closed;
        private int size;
    }

    /**
     * Adds a task.
     *
     * @param spread any number that differs between tasks
     * @return false if the registry is closed
     */
    public boolean add(LiveTask task, long spread) {
        int index = (int) spread & (shards.length - 1);
        Shard shard = shards[index];
        shard.lock();
        try {
            if (shard.closed) {
                return false;
            }
            task.registryShard = (byte) index;
            LiveTask head = shard.first;
            task.registryNext = head;
            if (head != null) {
                head.registryPrev = task;
            }
            shard.first = task;
            shard.size++;
            return true;
        } finally {
            shard.unlock();
        }
    }

    /** Removes a task; does nothing if it is not here. */
    public void remove(LiveTask task) {
        int index = task.registryShard;
        if (index < 0) {
            return;
        }
        Shard shard = shards[index];
        shard.lock();
        try {
            LiveTask before = task.registryPrev;
            LiveTask after = task.registryNext;
            if (before == null) {
                shard.first = after;
            } else {
                before.registryNext = after;
            }
            if (after != null) {
                after.registryPrev = before;
            }
            task.registryPrev = null;
            task.registryNext = null;
            task.registryShard = -1;
            shard.size--;
        } finally {
            shard.unlock();
        }
    }

    /** Refuses further tasks. */
    public void close() {
        for (Shard shard : shards) {
            shard.lock();
            shard.closed = true;
            shard.unlock();
        }
    }

    /** {@return the number of live tasks; exact only while none is added or ends} */
    public int size() {
        int sum = 0;
        for (Shard shard : shards) {
            shard.lock();
            sum += shard.size;
            shard.unlock();
        }
        return sum;
    }

    /** {@return the tasks that are live now} */
    public List<LiveTask> snapshot() {
        List<LiveTask> all = new ArrayList<>();
        for (Shard shard : shards) {
            shard.lock();
            try {
                for (LiveTask task = shard.first; task != null; task = task.registryNext) {
                    all.add(task);
                }
            } finally {
                shard.unlock();
            }
        }
        return all;
    }

    /** {@return the task that is mounted on a carrier, if it is one of ours; racy, for reports} */
    @Nullable
    LiveTask mountedOn(Thread carrier) {
        for (LiveTask task : snapshot()) {
            Thread thread = task.threadOrNull();
            if (thread != null && VirtualThreads.carrierOf(thread) == carrier) {
                return task;
            }
        }
        return null;
    }
}
