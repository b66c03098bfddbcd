package dev.kumihimo.internal.wait;

/** A {@link WaitPoint} that a select can have a branch on. All methods are called under its lock. */
public abstract class SelectPoint extends WaitPoint {
    /** Creates a point at which nobody waits. */
    protected SelectPoint() {}

    /**
     * Completes what a node stands for, if that needs no waiting; results are left in the node.
     *
     * @param node not in any queue
     * @param woken where to add whom it serves
     * @return whether it was completed
     */
    public abstract boolean tryNow(WaitNode node, WakeList woken);

    /** Enqueues a node that {@link #tryNow} could not complete. */
    public abstract void enqueue(WaitNode node);

    /** {@return whether a node's item stands for the end of what was waited for} */
    public abstract boolean isEnd(Object item);

    /** What has a point; a channel is one. */
    public interface Source {
        /** {@return the point to select on} */
        SelectPoint selectPoint();
    }
}
