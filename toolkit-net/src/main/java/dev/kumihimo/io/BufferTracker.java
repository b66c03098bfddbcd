package dev.kumihimo.io;

import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Remembers who has taken which buffer, and finds those that were forgotten. */
final class BufferTracker {
    private static final Logger LOG = LoggerFactory.getLogger(BufferPool.class);

    /** How many collected ones are remembered: a program that leaks all the time must not leak this, too. */
    private static final int MOST_REMEMBERED = 1_000;

    private final ReferenceQueue<PooledBuffer> collected = new ReferenceQueue<>();
    private final Set<Track> tracks = ConcurrentHashMap.newKeySet();
    private final List<BufferPool.Unreleased> found = new ArrayList<>(); // guarded by itself

    /** A buffer, without keeping it. */
    static final class Track extends PhantomReference<PooledBuffer> {
        private final Lease lease;
        private final int capacity;
        private final Throwable taken;

        private Track(PooledBuffer buffer, Lease lease, int capacity, ReferenceQueue<PooledBuffer> queue) {
            super(buffer, queue);
            this.lease = lease;
            this.capacity = capacity;
            this.taken = new Throwable("where the buffer was taken, in thread "
                    + Thread.currentThread().getName());
        }

        private BufferPool.Unreleased told(boolean collected) {
            return new BufferPool.Unreleased(capacity, collected, taken);
        }
    }

    Track track(PooledBuffer buffer, Lease lease, int capacity) {
        findCollected();
        Track track = new Track(buffer, lease, capacity, collected);
        tracks.add(track);
        return track;
    }

    void released(Track track) {
        track.clear();
        tracks.remove(track);
    }

    /** Tells of those that the garbage collector has found. */
    void findCollected() {
        for (Reference<?> one; (one = poll()) != null; ) {
            Track track = (Track) one;
            if (!tracks.remove(track)) {
                continue; // released, and collected in the same moment
            }
            track.lease.lose();
            synchronized (found) { // nothing waits under it
                if (found.size() < MOST_REMEMBERED) {
                    found.add(track.told(true));
                }
            }
            LOG.warn("a buffer of {} bytes was not closed, and is lost to its pool", track.capacity, track.taken);
        }
    }

    private @Nullable Reference<?> poll() {
        return collected.poll();
    }

    List<BufferPool.Unreleased> unreleased() {
        findCollected();
        List<BufferPool.Unreleased> all = new ArrayList<>();
        synchronized (found) {
            all.addAll(found);
        }
        tracks.forEach(track -> all.add(track.told(false)));
        return List.copyOf(all);
    }

    void poolClosed() {
        findCollected();
        for (Track track : tracks) {
            LOG.warn("a buffer of {} bytes had not been closed when its pool was closed", track.capacity, track.taken);
        }
    }
}
