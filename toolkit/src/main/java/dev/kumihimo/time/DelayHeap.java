package dev.kumihimo.time;

import dev.kumihimo.time.DelayQueue.Key;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: a binary heap, smallest first, in which each key knows its place, so that any can be taken out or moved.
 * Invariants: I1 keys[i].index == i below size, and all from there on are null. I2 no key is less than its parent.
 * Garbage: the array keeps the length it has grown to, until clear().
 */

/** The keys of a delay queue: by time, and those of one time by the order of insertion. Guarded by the queue's lock. */
final class DelayHeap {
    private static final int INITIAL = 16;

    private @Nullable Key[] keys = new @Nullable Key[INITIAL];
    private int size;

    DelayHeap() {}

    int size() {
        return size;
    }

    /** {@return the first key, or null} */
    @Nullable
    Key peek() {
        return keys[0];
    }

    /** Adds a key whose time and order are set. If there is no memory for it, nothing has happened. */
    void add(Key key) {
        if (size == keys.length) {
            keys = Arrays.copyOf(keys, size + (size >> 1));
        }
        up(key, size++);
    }

    /**
     * Takes a key out, which must be in this heap.
     *
     * @param mark what becomes of its index, negative
     */
    void remove(Key key, int mark) {
        int index = key.index;
        Key last = at(--size);
        keys[size] = null;
        if (last != key) {
            settle(last, index);
        }
        key.index = mark;
    }

    /** Moves a key, which must be in this heap, after its time or order was changed. */
    void moved(Key key) {
        settle(key, key.index);
    }

    /** Takes all keys out. */
    void clear(int mark) {
        for (int i = 0; i < size; i++) {
            Key key = at(i);
            key.index = mark;
            key.value = null;
        }
        keys = new @Nullable Key[INITIAL];
        size = 0;
    }

    private Key at(int index) {
        return Objects.requireNonNull(keys[index]);
    }

    private void settle(Key key, int index) {
        if (index > 0 && key.isBefore(at((index - 1) >>> 1))) {
            up(key, index);
        } else {
            down(key, index);
        }
    }

    private void up(Key key, int from) {
        int index = from;
        while (index > 0) {
            int parent = (index - 1) >>> 1;
            Key above = at(parent);
            if (!key.isBefore(above)) {
                break;
            }
            put(above, index);
            index = parent;
        }
        put(key, index);
    }

    private void down(Key key, int from) {
        int index = from;
        for (int child; (child = 2 * index + 1) < size; ) {
            Key below = at(child);
            if (child + 1 < size && at(child + 1).isBefore(below)) {
                below = at(++child);
            }
            if (!below.isBefore(key)) {
                break;
            }
            put(below, index);
            index = child;
        }
        put(key, index);
    }

    private void put(Key key, int index) {
        keys[index] = key;
        key.index = index;
    }
}
