package dev.kumihimo.channel;

/**
 * Thrown by a receive from a {@link Broadcast} whose next items were overwritten before it read them. The receiver stays
 * subscribed, and its next receive returns the oldest item that is still there.
 *
 * <pre>{@code
 * try {
 *     show(events.receive());
 * } catch (LaggedException e) {
 *     show("... " + e.missed() + " events left out ...");
 * }
 * }</pre>
 *
 * @since 0.1
 */
public final class LaggedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final long missed;

    /**
     * Creates the exception.
     *
     * @param missed how many items the receiver missed
     */
    public LaggedException(long missed) {
        super(missed == 1 ? "missed 1 item" : "missed " + missed + " items");
        this.missed = missed;
    }

    /** {@return how many items the receiver missed, at least 1} */
    public long missed() {
        return missed;
    }
}
