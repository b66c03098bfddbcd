package dev.kumihimo.examples;

import dev.kumihimo.time.Deadline;
import dev.kumihimo.time.DelayQueue;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The keys and values of {@link MiniRedis}: strings of any bytes, some with a time to live. Each operation on one key is atomic.
 *
 * <p>A value whose time has passed is gone for everybody at once; {@link #expire} frees its memory.
 */
final class RedisStore {
    /** A longer time to live is as good as this one. */
    private static final Duration LONGEST = Duration.ofDays(100L * 365);

    private final ConcurrentHashMap<Key, Entry> entries = new ConcurrentHashMap<>();
    private final DelayQueue<Key> timers = DelayQueue.create();

    /** A string of bytes with their equality. Comparable, so that many keys of one hash slow nobody down. */
    static final class Key implements Comparable<Key> {
        private final byte[] bytes;
        private final int hash;

        Key(byte[] bytes) {
            this.bytes = bytes;
            this.hash = Arrays.hashCode(bytes);
        }

        byte[] bytes() {
            return bytes;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key key && hash == key.hash && Arrays.equals(bytes, key.bytes);
        }

        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        public int compareTo(Key other) {
            return Arrays.compare(bytes, other.bytes);
        }

        @Override
        public String toString() {
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }

    /** A value, replaced and never changed. Its timer is there before it is, and serves all values with the same deadline. */
    private static final class Entry {
        final byte[] value;
        final @Nullable Deadline deadline;
        final DelayQueue.@Nullable Key timer;

        Entry(byte[] value, @Nullable Deadline deadline, DelayQueue.@Nullable Key timer) {
            this.value = value;
            this.deadline = deadline;
            this.timer = timer;
        }

        boolean isExpired() {
            return deadline != null && deadline.isExpired();
        }
    }

    /** When a value may be set. */
    enum Condition {
        ALWAYS,
        IF_ABSENT,
        IF_PRESENT
    }

    /** Whether a value was set, and what was there before. */
    record Outcome(boolean done, byte @Nullable [] before) {}

    /* ---------------- Values -------------- */

    byte @Nullable [] get(Key key) {
        Entry entry = live(key);
        return entry == null ? null : entry.value;
    }

    void set(Key key, byte[] value) {
        dropTimer(entries.put(key, new Entry(value, null, null)), null);
    }

    /** Sets a value if the condition holds; with the time to live given, or else that of the one before if it is to be kept. */
    Outcome set(Key key, byte[] value, Condition condition, @Nullable Duration timeToLive, boolean keep) {
        while (true) {
            Entry old = live(key);
            byte[] before = old == null ? null : old.value;
            if (condition != Condition.ALWAYS && (condition == Condition.IF_PRESENT) != (old != null)) {
                return new Outcome(false, before);
            }
            Entry entry;
            if (timeToLive != null) {
                entry = timed(key, value, timeToLive);
            } else if (keep && old != null) {
                entry = new Entry(value, old.deadline, old.timer);
            } else {
                entry = new Entry(value, null, null);
            }
            if (replace(key, old, entry)) {
                return new Outcome(true, before);
            }
        }
    }

    /** Adds to a number, 0 if there is none, and returns the sum. */
    long add(Key key, long amount) throws RedisError {
        while (true) {
            Entry old = live(key);
            long sum = old == null ? 0 : RedisNumbers.parse(old.value);
            try {
                sum = Math.addExact(sum, amount);
            } catch (ArithmeticException e) {
                throw new RedisError("ERR increment or decrement would overflow");
            }
            byte[] value = Long.toString(sum).getBytes(StandardCharsets.ISO_8859_1);
            Entry entry = old == null ? new Entry(value, null, null) : new Entry(value, old.deadline, old.timer);
            if (replace(key, old, entry)) {
                return sum;
            }
        }
    }

    boolean delete(Key key) {
        Entry old = entries.remove(key);
        dropTimer(old, null);
        return old != null && !old.isExpired();
    }

    /** {@return how many keys there are, among them perhaps some whose time has just passed} */
    long size() {
        return entries.mappingCount();
    }

    void clear() {
        entries.keySet().forEach(this::delete);
    }

    /* ---------------- Times to live -------------- */

    /** {@return how long the key has to live; null for ever, negative if it does not exist} */
    @Nullable
    Duration timeToLive(Key key) {
        Entry entry = live(key);
        if (entry == null) {
            return Duration.ofNanos(-1);
        }
        return entry.deadline == null ? null : entry.deadline.remaining();
    }

    /** Gives a key a time to live, without one for ever; returns false if it does not exist, or has neither before nor after. */
    boolean expireIn(Key key, @Nullable Duration timeToLive) {
        while (true) {
            Entry old = live(key);
            if (old == null || (timeToLive == null && old.deadline == null)) {
                return false;
            }
            if (timeToLive != null && !timeToLive.isPositive()) {
                return delete(key);
            }
            Entry entry = timeToLive == null ? new Entry(old.value, null, null) : timed(key, old.value, timeToLive);
            if (replace(key, old, entry)) {
                return true;
            }
        }
    }

    /** Frees what has expired, until interrupted. */
    void expire() throws InterruptedException {
        while (true) {
            live(timers.take().value()); // one that has been set anew meanwhile stays
        }
    }

    /** {@return how many keys wait for the end of their time} */
    int timers() {
        return timers.size();
    }

    /* ---------------- Entries -------------- */

    /** Returns what a key has now. What has expired is removed. */
    private @Nullable Entry live(Key key) {
        Entry entry = entries.get(key);
        if (entry == null || !entry.isExpired()) {
            return entry;
        }
        if (entries.remove(key, entry)) {
            dropTimer(entry, null);
        }
        return null;
    }

    private Entry timed(Key key, byte[] value, Duration timeToLive) {
        Deadline deadline = Deadline.in(timeToLive.compareTo(LONGEST) < 0 ? timeToLive : LONGEST);
        return new Entry(value, deadline, timers.insertAt(key, deadline));
    }

    /** Replaces what a key had by something else; fails if it has changed meanwhile. */
    private boolean replace(Key key, @Nullable Entry old, Entry entry) {
        boolean done = old == null ? entries.putIfAbsent(key, entry) == null : entries.replace(key, old, entry);
        if (!done) {
            dropTimer(entry, old); // lost: somebody else has set it; look again
            return false;
        }
        dropTimer(old, entry);
        if (entry.isExpired()) {
            live(key); // its timer may have come before it was there
        }
        return true;
    }

    /** Takes back the timer of an entry that is no longer there, unless another that is uses it. */
    private void dropTimer(@Nullable Entry entry, @Nullable Entry other) {
        if (entry != null && entry.timer != null && (other == null || other.timer != entry.timer)) {
            timers.tryRemove(entry.timer);
        }
    }
}
