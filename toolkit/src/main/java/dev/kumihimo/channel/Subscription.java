package dev.kumihimo.channel;

import dev.kumihimo.internal.wait.WaitQueue;
import org.jspecify.annotations.Nullable;

/** What a broadcast or a watch knows of one of its receivers. All fields are guarded by the lock of its point. */
final class Subscription {
    /** Of a broadcast: the number of the next item to read. Of a watch: the version that was seen last. */
    long position;

    /** Whether the receiver was closed. */
    boolean closed;

    /** The waits of this receiver: more than one if threads share it. */
    final WaitQueue waiters = new WaitQueue();

    /** Whether this is in the list of those that may have a waiter. */
    boolean listed;

    @Nullable
    Subscription before;

    @Nullable
    Subscription after;

    Subscription(long position) {
        this.position = position;
    }
}
