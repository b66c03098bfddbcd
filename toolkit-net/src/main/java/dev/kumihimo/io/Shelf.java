package dev.kumihimo.io;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: Treiber's stack. Last in, first out, so that the memory handed out is what was used last, and a pool whose users
 *            come and go touches few pages; a queue would go round through all of it.
 * Fields:    top by compare-and-set; a node's memory and below are written before it is published by that, and never after.
 * Linearization: push and pop at their successful compare-and-set, an empty pop at its read of top.
 * Invariants: a node is pushed once and popped once, and is never used again, so top cannot return to a node that was popped
 *            (no ABA) while somebody still holds it.
 * Progress:  lock-free: who loses the race repeats, and somebody else is done.
 * Garbage:   a node for each push.
 * Checked by: BufferPoolTest, manyThreads.
 */

/** Memory of one size that nobody uses. */
final class Shelf {
    private static final class Node {
        final ByteBuffer memory;

        @Nullable
        Node below;

        Node(ByteBuffer memory) {
            this.memory = memory;
        }
    }

    private final AtomicReference<@Nullable Node> top = new AtomicReference<>();

    void push(ByteBuffer memory) {
        Node node = new Node(memory);
        Node seen;
        do { // lost: another was pushed or popped; lie down on what is the top now
            seen = top.get();
            node.below = seen;
        } while (!top.compareAndSet(seen, node));
    }

    /** {@return what was pushed last, or null if there is none} */
    @Nullable
    ByteBuffer pop() {
        Node seen;
        do { // lost: another was pushed or popped; take what is the top now
            seen = top.get();
            if (seen == null) {
                return null;
            }
        } while (!top.compareAndSet(seen, seen.below));
        return seen.memory;
    }
}
