package dev.kumihimo.internal.wait;

import org.jspecify.annotations.Nullable;

/**
 * One registration of one {@link Wait} in one {@link WaitQueue}. A plain operation has a single registration, which is the
 * {@link Wait} itself; a select has one for each branch.
 *
 * <p>All fields but {@link #wait} and {@link #point} are guarded by the point's lock until the wait is claimed through this
 * node; from then on they belong to the waiting thread, which sees them because the claim is a volatile write.
 */
public class WaitNode {
    /** Where this node is registered; null for a pure delay. */
    public final @Nullable WaitPoint point;

    final Wait wait;

    @Nullable WaitNode prev;

    @Nullable WaitNode next;

    /** The queue this node is in, or null. */
    @Nullable WaitQueue queue;

    /** The primitive's own: the value to send, the value received. */
    public @Nullable Object item;

    /** The primitive's own: how many permits are wanted, which branch of a select this is. */
    public int count;

    /** Creates a registration of a select. */
    public WaitNode(WaitPoint point, Wait wait) {
        this.point = point;
        this.wait = wait;
    }

    /** Creates the registration that is its own wait. */
    WaitNode(@Nullable WaitPoint point) {
        this.point = point;
        this.wait = (Wait) this;
    }

    /** {@return the wait that this registration belongs to} */
    public final Wait owner() {
        return wait;
    }

    /**
     * Completes the wait through this node. Called under the point's lock, after {@link #item} was set, with the node
     * already out of its queue.
     *
     * @return false if somebody else has completed or cancelled the wait; then nothing has happened
     */
    public final boolean grant() {
        return wait.claim(this);
    }
}
