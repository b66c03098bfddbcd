package dev.kumihimo.internal.driver;

import org.jspecify.annotations.Nullable;

/**
 * A hierarchical timing wheel: holds entries by the tick at which they are due, and expires them in that order.
 * Insertion and removal take constant time; passing time costs nothing unless an entry is due, or comes within reach of
 * a finer level.
 *
 * <p>It has no clock: a tick is whatever unit the caller counts in, and time passes when {@link #advance} says so. Any
 * {@code long} is a valid tick.
 *
 * <p>Confined to one thread, or to whoever holds the caller's lock.
 */
final class TimerWheel {

    /* Algorithm: the hierarchical timing wheel (scheme 7) of G. Varghese and T. Lauck, "Hashed and Hierarchical Timing
     * Wheels", SOSP 1987, https://doi.org/10.1145/41457.37504. Read a tick as a number of base 64. Level L looks at
     * digit L, and the highest digit in which an entry's tick differs from the current tick chooses its level; so a
     * slot of level 0 holds one single tick, and a slot of level L a span of 64^L ticks. When time reaches the start of
     * a span, its entries agree with the current tick in that digit, and move down ("cascade").
     *
     * Differences from the source: no slot is visited only because time passes it: a bit map per level finds the next
     * occupied slot, so a jump over any stretch of empty time is one step. A tick that differs above digit 5 waits in
     * one list beside the levels until its rotation of 64^6 ticks begins. (At one tick a millisecond that is 2.2
     * years ahead, and such a list is all but empty.)
     *
     * Invariants, between any two calls and during expire():
     * (I1) Where an entry is depends on `now` and its tick alone. Hence entries of one tick always share one list, and
     *      since lists are first-in first-out and move as a whole, they expire in insertion order.
     * (I2) An occupied slot of a level above 0 has a digit greater than that of `now`; of level 0, greater or equal.
     *      Hence the lowest bit of a level's map is its next slot, and each level is due before any level above it.
     * (I3) Every entry with a tick of `now` or before is in `late`, save for those advance() is about to expire.
     * (I4) No entry in FAR has a tick below farTick, and farTick is of a later rotation than `now`. A removal leaves it
     *      as it is unless FAR is empty then, so it may be too low, which costs a look at FAR for nothing.
     *
     * Cost: a level has one bit map, so finding the next slot reads at most six words. An entry moves at most once per
     * level. Those in FAR are looked at once per rotation in which one of them is due.
     *
     * Checked by: TimerWheelTest, TimerWheelModelTest. */

    /** The {@link TimerEntry#list} of an entry that is in no wheel. */
    static final int NO_LIST = -1;

    private static final int DIGIT_BITS = 6;
    private static final int SLOTS = 1 << DIGIT_BITS;
    private static final int LEVELS = 6;
    private static final int WHEEL_BITS = DIGIT_BITS * LEVELS;

    // The lists: the slots of level 0, of level 1, ...; then those that are no slots.
    private static final int FAR = LEVELS * SLOTS;
    private static final int LATE_EVEN = FAR + 1;
    private static final int LATE_ODD = FAR + 2;
    private static final int LISTS = FAR + 3;

    private final @Nullable TimerEntry[] heads = new @Nullable TimerEntry[LISTS];
    private final @Nullable TimerEntry[] tails = new @Nullable TimerEntry[LISTS];

    /** Per level, one bit for each slot that is not empty. */
    private final long[] occupied = new long[LEVELS];

    /** The tick up to which time has advanced. */
    private long now;

    /** The earliest tick in {@link #FAR}, or one before it. */
    private long farTick = Long.MAX_VALUE;

    /** The list for what is inserted when its tick has passed. Two take turns, so that advance() empties only one. */
    private int late = LATE_EVEN;

    private int size;

    /**
     * Creates an empty wheel.
     *
     * @param startTick the current tick; ticks up to and including it count as past
     */
    TimerWheel(long startTick) {
        now = startTick;
    }

    /**
     * Adds an entry. A tick that has passed counts as the current tick, and is due at the next {@link #advance}.
     *
     * @param entry an entry that is in no wheel
     * @param tick the tick at which it is due
     * @throws IllegalStateException if the entry is in a wheel
     */
    void insert(TimerEntry entry, long tick) {
        if (entry.list != NO_LIST) {
            throw new IllegalStateException("entry is already in a wheel, tick=" + entry.tick);
        }
        if (tick > now) {
            entry.tick = tick;
            place(entry);
        } else {
            entry.tick = now;
            append(entry, late);
        }
        size++;
    }

    /**
     * Takes an entry out before it is due.
     *
     * @param entry an entry that is in this wheel or in none
     * @return false if the entry is in no wheel: it has expired, was removed, or was never inserted
     */
    boolean remove(TimerEntry entry) {
        if (entry.list == NO_LIST) {
            return false;
        }
        unlink(entry);
        size--;
        return true;
    }

    /**
     * Returns the next tick at which {@link #advance} has something to do, be it only to move entries within the wheel.
     * Nothing expires before it. A loop that waits for this tick and advances to it expires everything on time.
     *
     * @return that tick, the current one if something is overdue, or {@link Long#MAX_VALUE} if the wheel is empty
     */
    long nextTick() {
        return heads[late] == null ? nextTickOf(nextLevel()) : now;
    }

    /**
     * Lets time pass, and expires every entry due by then: the earliest tick first, equal ticks in insertion order.
     * While an entry expires, its tick is the current one. What it inserts for a later tick still expires in this call
     * if due by then; what it inserts for a tick that has passed waits for the next call, so that no call is endless.
     *
     * @param nowTick the new current tick; one before the current tick changes nothing
     * @return the number of entries expired
     */
    int advance(long nowTick) {
        if (nowTick < now) {
            return 0;
        }
        int overdue = late;
        late = overdue == LATE_EVEN ? LATE_ODD : LATE_EVEN;
        int expired = expireAll(overdue);
        for (int level; (level = nextLevel()) >= 0; ) {
            long tick = nextTickOf(level);
            if (tick > nowTick) {
                break;
            }
            now = tick;
            if (level == 0) {
                expired += expireAll(digit(tick, 0));
            } else {
                cascade(level);
            }
        }
        now = nowTick;
        return expired;
    }

    /** {@return the number of entries in the wheel} */
    int size() {
        return size;
    }

    /* ---------------- Where an entry belongs ---------------- */

    /** Puts an entry that is not overdue into the list which (I1) demands. */
    private void place(TimerEntry entry) {
        long tick = entry.tick;
        long difference = tick ^ now;
        if (difference >>> WHEEL_BITS != 0) {
            farTick = Math.min(farTick, tick);
            append(entry, FAR);
        } else {
            // The lowest digit is or-ed in so that no difference at all is a difference of level 0.
            int level = (63 - Long.numberOfLeadingZeros(difference | (SLOTS - 1))) / DIGIT_BITS;
            int slot = digit(tick, level);
            occupied[level] |= 1L << slot;
            append(entry, level * SLOTS + slot);
        }
    }

    private static int digit(long tick, int level) {
        return (int) (tick >>> (level * DIGIT_BITS)) & (SLOTS - 1);
    }

    /** Returns the level that is due first, {@link #LEVELS} for the far list, or -1 if all are empty. */
    private int nextLevel() {
        for (int level = 0; level < LEVELS; level++) {
            if (occupied[level] != 0) {
                return level;
            }
        }
        return heads[FAR] == null ? -1 : LEVELS;
    }

    /** Returns the first tick of the span of the level's next slot, or of the rotation of the first far entry. */
    private long nextTickOf(int level) {
        if (level < 0) {
            return Long.MAX_VALUE;
        }
        if (level == LEVELS) {
            return farTick & (-1L << WHEEL_BITS);
        }
        int shift = level * DIGIT_BITS;
        long slot = Long.numberOfTrailingZeros(occupied[level]);
        return (now & (-1L << (shift + DIGIT_BITS))) | (slot << shift);
    }

    /** Moves the entries of the span that begins at {@code now} to where they belong from now on, in their order. */
    private void cascade(int level) {
        int list = level == LEVELS ? FAR : level * SLOTS + digit(now, level);
        TimerEntry entry = heads[list];
        heads[list] = null;
        tails[list] = null;
        if (level == LEVELS) {
            farTick = Long.MAX_VALUE;
        } else {
            occupied[level] &= ~(1L << digit(now, level));
        }
        while (entry != null) {
            TimerEntry next = entry.next;
            place(entry);
            entry = next;
        }
    }

    /* ---------------- Lists ---------------- */

    private int expireAll(int list) {
        int expired = 0;
        for (TimerEntry entry; (entry = heads[list]) != null; expired++) {
            remove(entry);
            entry.expire();
        }
        return expired;
    }

    private void append(TimerEntry entry, int list) {
        TimerEntry tail = tails[list];
        entry.list = list;
        entry.prev = tail;
        entry.next = null;
        tails[list] = entry;
        if (tail == null) {
            heads[list] = entry;
        } else {
            tail.next = entry;
        }
    }

    private void unlink(TimerEntry entry) {
        int list = entry.list;
        TimerEntry prev = entry.prev;
        TimerEntry next = entry.next;
        if (prev == null) {
            heads[list] = next;
        } else {
            prev.next = next;
        }
        if (next == null) {
            tails[list] = prev;
        } else {
            next.prev = prev;
        }
        if (heads[list] == null) {
            if (list < FAR) {
                occupied[list / SLOTS] &= ~(1L << (list % SLOTS));
            } else if (list == FAR) {
                farTick = Long.MAX_VALUE;
            }
        }
        entry.prev = null;
        entry.next = null;
        entry.list = NO_LIST;
    }
}
