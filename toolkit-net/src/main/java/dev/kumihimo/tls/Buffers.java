package dev.kumihimo.tls;

import java.nio.ByteBuffer;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: a table of slots, each empty or holding one buffer. Taking swaps null in, giving compares null and sets; both look
 * at a few slots from a random one on and then do without: they allocate, or leave the buffer to the collector.
 *
 * Linearization: the getAndSet that returned a buffer; the compareAndSet that stored one.
 * Invariants: a buffer is in one slot at most, since who gives it has taken or made it and forgets it.
 * Progress: wait-free.
 * Garbage: SLOTS buffers at most are kept for ever.
 */

/**
 * Buffers that are not in use now, for all TLS streams. A stream has them only while there are bytes in them: ten thousand idle
 * connections share those few.
 */
final class Buffers {
    /** What two records of the greatest usual size need: one system call for both. Other sizes were not compared. */
    static final int SIZE = 2 * 16_709;

    private static final int SLOTS = 64;
    private static final int PROBES = 4;
    private static final AtomicReferenceArray<@Nullable ByteBuffer> FREE = new AtomicReferenceArray<>(SLOTS);

    private Buffers() {}

    /** {@return a buffer without content, {@link #SIZE} bytes or more, ready to be put into} */
    static ByteBuffer take(int least) {
        if (least <= SIZE) {
            int start = ThreadLocalRandom.current().nextInt(SLOTS);
            for (int i = 0; i < PROBES; i++) {
                int slot = start + i & SLOTS - 1;
                if (FREE.getPlain(slot) != null) {
                    ByteBuffer buffer = FREE.getAndSet(slot, null);
                    if (buffer != null) {
                        return buffer.clear();
                    }
                }
            }
            return ByteBuffer.allocate(SIZE);
        }
        return ByteBuffer.allocate(least);
    }

    /** Gives back a buffer that nobody uses any more. */
    static void give(ByteBuffer buffer) {
        if (buffer.capacity() != SIZE) {
            return;
        }
        int start = ThreadLocalRandom.current().nextInt(SLOTS);
        for (int i = 0; i < PROBES; i++) {
            int slot = start + i & SLOTS - 1;
            if (FREE.getPlain(slot) == null && FREE.compareAndSet(slot, null, buffer)) {
                return;
            }
        }
    }
}
