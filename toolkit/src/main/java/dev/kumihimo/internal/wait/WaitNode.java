package dev.kumihimo.internal.wait;

import org.jspecify.annotations.Nullable;

/**
 * One registration of one {@link Wait} in one {@link WaitQueue}. A plain operation has a single registration, which is the
 * {@link Wait} itself; a select has one for each branch.
 *
 * <p>All fields but the wait and {@link #point} are guarded by the point's lock until the wait is claimed through this
 * node; from then on they belong to the waiting thread, which sees them because the claim is a volatile write.
 */
public class WaitNode {
    /** Where this node is registered; null for a pure delay. */
    public final @Nullable WaitPoint point;

    /** Null only in a node that is tried, and never enqueued. */
    private final @Nullable Wait wait;

    @Nullable
    WaitNode prev;

    @Nullable
    WaitNode next;

    /** The queue this node is in, or null. */
    @Nullable
    WaitQueue queue;

    /** The primitive's own: the value to send, the value received. */
    public @Nullable Object item;

    /** The primitive's own: how many permits are wanted, which branch of a select this is. */
    public int count;

    /** Creates a registration of a select. */
    public WaitNode(WaitPoint point, Wait wait) {
        this.point = point;
        this.wait = wait;
    }

    /** Creates the registration that is its own wait, or a node without one. */
    WaitNode(@Nullable WaitPoint point, boolean isWait) {
        this.point = point;
        this.wait = isWait ? (Wait) this : null;
    }

    /** {@return a node with which a point can be tried, and that is never enqueued} */
    public static WaitNode unowned(WaitPoint point) {
        return new WaitNode(point, false);
    }

    /** {@return the wait that this registration belongs to} */
    public final Wait owner() {
        Wait owner = wait;
        if (owner == null) {
            throw new IllegalStateException("a node for trying was enqueued");
        }
        return owner;
    }

    /**
     * Completes the wait through this node. Called under the point's lock, after {@link #item} was set, with the node
     * already out of its queue. A timer that takes no lock leaves the node in its queue: whoever comes next finds out by
     * {@link #isGranted()}, and takes it out.
     *
     * @return false if the wait is completed or cancelled already; then nothing has happened
     */
    public final boolean grant() {
        return owner().claim(this);
    }

    /** {@return whether the wait was completed through this node} */
    public final boolean isGranted() {
        return owner().isDecidedBy(this);
    }
}
