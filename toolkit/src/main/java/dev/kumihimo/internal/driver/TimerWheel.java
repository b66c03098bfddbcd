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
     * Wheels", SOSP 1987, https://doi.org/10.1145/41457.37504. Read a tick as a number whose lowest digit has 6 bits, the next
     * one 12, and four more 5 each. Level 0 has a slot for each single tick that differs from the current one in digit 0 only.
     * The slots of level 1 are the next 4,095 blocks of 64 ticks, in a ring. Of what is farther away, the highest digit in
     * which a tick differs from the current one chooses the level, and that digit the slot. When time reaches the start of a
     * slot's span, its entries move down ("cascade").
     *
     * Differences from the source: no slot is visited only because time passes it: bit maps find the next occupied slot, so a
     * jump over any stretch of empty time is one step. A tick that differs above digit 5 waits in one list beside the levels
     * until its rotation of 2^38 ticks begins. (At four ticks a millisecond that is 2.2 years ahead, and such a list is all
     * but empty.) Level 1 is wide, and goes by distance, for the sake of many timers that are near: with six levels of 64 slots, by
     * digits alone, a million timers of up to 10 s had 400,000 of them move at one tick every 4 s, which took 20 to 40 ms. Now
     * what is due within 65 s moves once, with its block. Blocks of 64 ms had 6,000 move at a time, for over a millisecond;
     * those of 16 ms take a third of one.
     *
     * Invariants, between any two calls and during expire():
     * (I1) Of two entries with one tick, the one inserted first is in the same list before the other, or at a higher level.
     *      What moves down comes before what is there already. Hence they expire in insertion order.
     * (I2) An occupied slot of level 0 has a digit greater than or equal to that of `now`, and one of a level above 1 a greater
     *      one; a block in level 1 is later than that of `now`, by less than 4,096. So the span of each slot is to come, and the
     *      lowest bit of a level's map, for level 1 counted from `now` on, is its next slot.
     * (I3) Every entry with a tick of `now` or before is in `late`, save for those advance() is about to expire.
     * (I4) No entry in FAR has a tick below farTick, and farTick is of a later rotation than `now`. A removal leaves it
     *      as it is unless FAR is empty then, so it may be too low, which costs a look at FAR for nothing.
     * (I5) Where spans of several levels begin at one tick, the highest level goes first: then nothing expires before what
     *      moves down in front of it.
     *
     * Cost: finding the next slot reads at most six words, and two of a second map. An entry moves at most once per level.
     * Those in FAR are looked at once per rotation in which one of them is due.
     *
     * Checked by: TimerWheelTest, TimerWheelModelTest. */

    /** The {@link TimerEntry#list} of an entry that is in no wheel. */
    static final int NO_LIST = -1;

    private static final int LEVELS = 6;
    private static final int WHEEL_BITS = 38;

    /** Of each level, the lowest bit of its digit in a tick, and the bit above its highest. */
    private static final int[] SHIFT = {0, 6, 18, 23, 28, 33, WHEEL_BITS};

    private static final int BLOCK_BITS = 6;
    private static final int BLOCKS = 1 << 12;

    // The lists: the slots of level 1, then those of level 0, 2, 3, ..., 64 numbers for each; then those that are no
    // slots.
    private static final int FAR = BLOCKS + LEVELS * Long.SIZE;
    private static final int LATE_EVEN = FAR + 1;
    private static final int LATE_ODD = FAR + 2;
    private static final int LISTS = FAR + 3;

    private final @Nullable TimerEntry[] heads = new @Nullable TimerEntry[LISTS];
    private final @Nullable TimerEntry[] tails = new @Nullable TimerEntry[LISTS];

    /** Per level, one bit for each slot that is not empty; of level 1, for each word of {@link #blocks} that is not 0. */
    private final long[] occupied = new long[LEVELS];

    /** One bit for each slot of level 1 that is not empty. */
    private final long[] blocks = new long[BLOCKS / Long.SIZE];

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
            append(entry, place(tick));
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
                expired += expireAll(list(0, digit(tick, 0)));
            } else {
                if (level > 1 && heads[list(1, digit(tick, 1))] != null) {
                    cascade(1); // the block that begins now, before what was inserted earlier comes in front of it
                }
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

    /** {@return the list in which an entry that is not overdue belongs now} */
    private int place(long tick) {
        long blocksAhead = (tick >> BLOCK_BITS) - (now >> BLOCK_BITS);
        if (blocksAhead < BLOCKS) {
            int near = blocksAhead == 0 ? 0 : 1;
            return occupy(near, digit(tick, near));
        }
        long difference = tick ^ now;
        if (difference >>> WHEEL_BITS != 0) {
            farTick = Math.min(farTick, tick);
            return FAR;
        }
        int level = LEVELS - 1;
        while (difference >>> SHIFT[level] == 0) {
            level--;
        }
        return occupy(level, digit(tick, level));
    }

    private static int digit(long tick, int level) {
        return (int) (tick >> SHIFT[level]) & ((1 << (SHIFT[level + 1] - SHIFT[level])) - 1);
    }

    private static int list(int level, int slot) {
        return level == 1 ? slot : BLOCKS + level * Long.SIZE + slot;
    }

    private int occupy(int level, int slot) {
        if (level == 1) {
            blocks[slot / Long.SIZE] |= 1L << slot;
            occupied[1] |= 1L << (slot / Long.SIZE);
        } else {
            occupied[level] |= 1L << slot;
        }
        return list(level, slot);
    }

    /** Notes that a list has become empty. */
    private void vacate(int list) {
        if (list < BLOCKS) {
            int word = list / Long.SIZE;
            blocks[word] &= ~(1L << list);
            if (blocks[word] == 0) {
                occupied[1] &= ~(1L << word);
            }
        } else if (list < FAR) {
            occupied[(list - BLOCKS) / Long.SIZE] &= ~(1L << list); // BLOCKS is a multiple of 64
        } else if (list == FAR) {
            farTick = Long.MAX_VALUE;
        }
    }

    /** Returns the level that is due first, of several the highest, {@link #LEVELS} for the far list, or -1 if all are empty. */
    private int nextLevel() {
        int first = heads[FAR] == null ? -1 : LEVELS;
        long firstTick = nextTickOf(first);
        for (int level = LEVELS - 1; level >= 0; level--) {
            if (occupied[level] != 0) {
                long tick = nextTickOf(level);
                if (first < 0 || tick < firstTick) {
                    first = level;
                    firstTick = tick;
                }
            }
        }
        return first;
    }

    /** Returns the first tick of the span of the level's next slot, or of the rotation of the first far entry. */
    private long nextTickOf(int level) {
        if (level < 0) {
            return Long.MAX_VALUE;
        }
        if (level == LEVELS) {
            return farTick & (-1L << WHEEL_BITS);
        }
        if (level == 1) {
            return nextBlock() << BLOCK_BITS;
        }
        long slot = Long.numberOfTrailingZeros(occupied[level]);
        return (now & (-1L << SHIFT[level + 1])) | (slot << SHIFT[level]);
    }

    /** Returns the first block after that of {@code now} whose slot in level 1 is occupied; there is one. */
    private long nextBlock() {
        long next = (now >> BLOCK_BITS) + 1;
        int slot = (int) next & (BLOCKS - 1);
        int word = slot / Long.SIZE;
        long bits = blocks[word] & (-1L << slot);
        if (bits == 0) { // round the ring, up to the rest of the word that it began with
            int words = Long.numberOfTrailingZeros(Long.rotateRight(occupied[1], word + 1));
            word = (word + 1 + words) % blocks.length;
            bits = blocks[word];
        }
        int found = word * Long.SIZE + Long.numberOfTrailingZeros(bits);
        return next + ((found - slot) & (BLOCKS - 1));
    }

    /** Moves the entries of the span that begins at {@code now} to where they belong from now on, before those there. */
    private void cascade(int level) {
        int list = level == LEVELS ? FAR : list(level, digit(now, level));
        TimerEntry entry = tails[list];
        heads[list] = null;
        tails[list] = null;
        vacate(list);
        while (entry != null) {
            TimerEntry before = entry.prev;
            prepend(entry, place(entry.tick));
            entry = before;
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

    private void prepend(TimerEntry entry, int list) {
        TimerEntry head = heads[list];
        entry.list = list;
        entry.prev = null;
        entry.next = head;
        heads[list] = entry;
        if (head == null) {
            tails[list] = entry;
        } else {
            head.prev = entry;
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
            vacate(list);
        }
        entry.prev = null;
        entry.next = null;
        entry.list = NO_LIST;
    }
}
