package dev.kumihimo.test.net;

import dev.kumihimo.test.Rng;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/*
 * Algorithm: nothing moves by itself. What is sent gets the time at which it will arrive, and whoever looks at the wire first has
 * all arrive whose time has come (settle). So there is no task and no timer that delivers: who waits for something waits until
 * the time of the next arrival, which it knows.
 *
 * Invariants: I1 the times in `flight` do not decrease, and neither finAt nor resetAt is before the last of them: TCP keeps the
 * order. I2 used = bytes in flight + arrived + unacknowledged. I3 nothing arrives while the wire is frozen; thaw() gives what
 * was under way new times.
 */

/** One direction of a connection: what was written and is not yet read. Guarded by the lock of the {@link Connection}. */
final class Wire {
    /** The time of what does not happen. */
    static final long NEVER = Long.MAX_VALUE;

    /** The first wait for an acknowledgement, which doubles each time. The figure of Linux, as are the next two. */
    static final long RETRANSMIT_NANOS = 200_000_000;

    private static final long LONGEST_RETRANSMIT_NANOS = 120_000_000_000L;
    private static final int MOST_RETRANSMITS = 15;

    private static final class Segment {
        final byte[] bytes;
        long at;

        Segment(byte[] bytes, long at) {
            this.bytes = bytes;
            this.at = at;
        }
    }

    private final Rng rng;
    private final ArrayDeque<Segment> flight = new ArrayDeque<>();
    private final ArrayDeque<ByteBuffer> arrived = new ArrayDeque<>();
    private Conditions conditions = Conditions.IDEAL;

    private int used; // of the window
    private int unacknowledged; // read, and the writer does not know
    private long lastAt; // nothing arrives before what was sent before it
    private long lineFreeAt;

    private boolean finished; // nothing more is sent
    private long finAt = NEVER;
    private long resetAt = NEVER;
    private boolean ended; // the end has arrived
    private boolean reset; // a reset has arrived
    private boolean receiverGone; // closed: what arrives is dropped
    private boolean vanished; // one of the hosts is not there any more

    Wire(Rng rng) {
        this.rng = rng;
    }

    static void prepare(java.lang.invoke.MethodHandles.Lookup lookup) throws IllegalAccessException {
        lookup.ensureInitialized(Wire.class);
        lookup.ensureInitialized(Segment.class);
        lookup.ensureInitialized(Conditions.class);
        lookup.ensureInitialized(Latency.class);
    }

    /* ---------------- Sending -------------- */

    /** {@return how many bytes may be written now} */
    int room() {
        return Math.max(0, conditions.window() - used);
    }

    /** Sends what there is room for; returns how many bytes. */
    int send(ByteBuffer source, long now) {
        int length = Math.min(source.remaining(), room());
        if (length > 0 && conditions.shortWrites() < length) {
            length = Math.min(length, 1 + rng.nextInt(conditions.shortWrites()));
        }
        if (length > 0) {
            byte[] bytes = new byte[length];
            source.get(bytes);
            flight.add(new Segment(bytes, arrival(now, length)));
            used += length;
        }
        return length;
    }

    /** Sends the end, once. */
    void finish(long now) {
        if (!finished) {
            finished = true;
            finAt = arrival(now, 0);
        }
    }

    boolean isFinished() {
        return finished;
    }

    /** Sends a reset, once, that arrives at a time or after what was sent before. Nobody sends it again if it is lost. */
    void sendReset(long at) {
        finished = true;
        if (!reset) {
            resetAt = Math.min(resetAt, Math.max(at, lastAt));
        }
    }

    /** Has a reset arrive now, whatever is under way. */
    void resetNow() {
        finished = true;
        resetAt = 0;
        arriveReset();
    }

    private long arrival(long now, int length) {
        long departure = Math.max(now, lineFreeAt);
        if (conditions.bandwidth() != Long.MAX_VALUE) {
            departure += (long) (length * 1e9 / conditions.bandwidth());
        }
        lineFreeAt = departure;
        lastAt = Math.max(lastAt, departure + latency() + lostTime());
        return lastAt;
    }

    /** {@return the latency of one segment} */
    long latency() {
        return conditions.latency().draw(rng);
    }

    /** {@return how much later a segment arrives since it is lost, perhaps several times} */
    private long lostTime() {
        long lost = 0;
        long wait = RETRANSMIT_NANOS;
        for (int i = 0; i < MOST_RETRANSMITS && isLost(); i++) {
            lost += wait;
            wait = Math.min(2 * wait, LONGEST_RETRANSMIT_NANOS);
        }
        return lost;
    }

    /** Draws whether a segment is lost. */
    boolean isLost() {
        return conditions.loss() > 0 && Latency.fraction(rng) < conditions.loss();
    }

    /* ---------------- Arriving -------------- */

    /** Has all arrive whose time has come. */
    void settle(long now) {
        if (isFrozen()) {
            return;
        }
        for (Segment next; (next = flight.peek()) != null && next.at <= now; ) {
            flight.poll();
            if (receiverGone) {
                used -= next.bytes.length;
            } else {
                arrived.add(ByteBuffer.wrap(next.bytes));
            }
        }
        if (finAt <= now) {
            finAt = NEVER;
            ended = true;
        }
        if (resetAt <= now) {
            arriveReset();
        }
    }

    private void arriveReset() {
        resetAt = NEVER;
        finAt = NEVER;
        reset = true;
        flight.clear();
        if (!ended) { // else nothing is missing, and it can be read to its end
            arrived.clear();
        }
    }

    /** {@return when something arrives next; {@link #NEVER} if nothing is under way, or the wire is frozen} */
    long next() {
        return Math.min(nextData(), isFrozen() ? NEVER : Math.min(finAt, resetAt));
    }

    /** {@return when a reset arrives} */
    long nextReset() {
        return isFrozen() ? NEVER : resetAt;
    }

    /** {@return when bytes arrive next} */
    long nextData() {
        Segment next = flight.peek();
        return next == null || isFrozen() ? NEVER : next.at;
    }

    /** {@return whether reading would not wait} As of the last {@link #settle}. */
    boolean isReadable() {
        return !arrived.isEmpty() || ended || reset;
    }

    boolean hasArrived() {
        return !arrived.isEmpty();
    }

    boolean hasEnded() {
        return ended;
    }

    boolean isReset() {
        return reset;
    }

    /** Moves to the target what has arrived, and there is room for; returns how many bytes. */
    int take(ByteBuffer target) {
        int most = target.remaining();
        if (!arrived.isEmpty() && conditions.fragments() < most) {
            most = Math.min(most, 1 + rng.nextInt(conditions.fragments()));
        }
        int taken = 0;
        for (ByteBuffer next; taken < most && (next = arrived.peek()) != null; ) {
            int length = Math.min(next.remaining(), most - taken);
            target.put(next.slice(next.position(), length));
            next.position(next.position() + length);
            taken += length;
            if (!next.hasRemaining()) {
                arrived.poll();
            }
        }
        unacknowledged += taken;
        return taken;
    }

    /** Lets the writer know what was read. Returns whether it has more room by that. */
    boolean acknowledge() {
        boolean more = unacknowledged > 0;
        used -= unacknowledged;
        unacknowledged = 0;
        return more;
    }

    /** Drops what has arrived, and what will. Returns whether something had. */
    boolean closeReceiver() {
        receiverGone = true;
        boolean unread = !arrived.isEmpty();
        arrived.clear();
        return unread;
    }

    boolean isReceiverGone() {
        return receiverGone;
    }

    /** Forgets what is under way. */
    void drop() {
        for (Segment segment : flight) {
            used -= segment.bytes.length;
        }
        flight.clear();
        finAt = NEVER;
        resetAt = NEVER;
        finished = true;
    }

    /* ---------------- Faults -------------- */

    /** {@return whether nothing arrives} */
    boolean isFrozen() {
        return vanished || conditions.isCut();
    }

    Conditions conditions() {
        return conditions;
    }

    /** Changes the conditions, for what is sent from now on; what is under way is concerned only by a cut. */
    void conditions(Conditions of, long now) {
        settle(now);
        Conditions before = conditions;
        conditions = of;
        if (before.isCut() && !of.isCut() && !vanished) {
            thaw(now, before.cut() == Conditions.Cut.PARTITION);
        }
    }

    /** Has nothing arrive any more, in case a host has vanished, or arrive again. */
    void vanished(boolean of, long now) {
        settle(now);
        vanished = of;
        if (!of && !conditions.isCut()) {
            thaw(now, true);
        }
    }

    private void thaw(long now, boolean lost) {
        long earliest = lost ? now + RETRANSMIT_NANOS + latency() : now;
        for (Segment segment : flight) {
            segment.at = Math.max(segment.at, earliest);
        }
        if (finAt != NEVER) {
            finAt = Math.max(finAt, earliest);
        }
        if (resetAt != NEVER) {
            resetAt = Math.max(resetAt, earliest);
        }
        lastAt = Math.max(lastAt, earliest);
    }

    /** For dumps. */
    @Override
    public String toString() {
        return used + " of " + conditions.window() + " bytes"
                + (vanished ? ", host vanished" : conditions.isCut() ? ", " + conditions.cut() : "")
                + (reset ? ", reset" : ended ? ", ended" : "");
    }
}
