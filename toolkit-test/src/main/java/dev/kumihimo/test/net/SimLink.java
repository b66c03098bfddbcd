package dev.kumihimo.test.net;

import dev.kumihimo.test.net.Conditions.Cut;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What lies between two hosts of a {@link SimNet}, or between all: how slow it is, and what goes wrong there. All of it may be
 * set at any time, by any thread; what is set last holds.
 *
 * <pre>{@code
 * net.all().latencyExponential(Duration.ofMillis(5)).loss(0.01);
 * net.link("client", "server").window(1024).fragments(3);
 * net.oneWay("server", "client").partition();                 // what the client asks arrives, and no answer
 * }</pre>
 *
 * <p>What is set concerns what is sent from then on, and connections that exist as well as new ones; what holds for the opposite
 * direction is left alone if this is {@linkplain SimNet#oneWay one way}. While a direction is cut, by {@link #partition} or
 * {@link #hold}, nothing arrives, what is under way included, and no reading makes room for the writer on the other side.
 *
 * @since 0.1
 */
public final class SimLink {
    private final SimNet net;
    private final @Nullable String from; // null for all
    private final @Nullable String to;
    private final boolean bothWays;

    SimLink(SimNet net, @Nullable String from, @Nullable String to, boolean bothWays) {
        this.net = net;
        this.from = from;
        this.to = to;
        this.bothWays = bothWays;
    }

    boolean covers(SimNet.Way way) {
        return from == null
                || way.from().equals(from) && way.to().equals(to)
                || bothWays && way.from().equals(to) && way.to().equals(from);
    }

    boolean isAll() {
        return from == null;
    }

    @Nullable
    String from() {
        return from;
    }

    @Nullable
    String to() {
        return to;
    }

    /* ---------------- What it is like -------------- */

    /**
     * Sets how long each segment is under way. A write is one segment; so is the end, a reset, and each step of connecting.
     *
     * @param latency from 0, which it is unless set, to 365 days
     * @return this
     * @throws IllegalArgumentException if out of range
     */
    public SimLink latency(Duration latency) {
        Latency of = Latency.fixed(latency);
        return change(conditions -> conditions.latency(of));
    }

    /**
     * Sets between which bounds each segment is under way, all times being equally likely. What was sent first arrives first all
     * the same.
     *
     * @param least from 0 to 365 days
     * @param most from {@code least} to 365 days
     * @return this
     * @throws IllegalArgumentException if out of range
     */
    public SimLink latency(Duration least, Duration most) {
        Latency of = Latency.uniform(least, most);
        return change(conditions -> conditions.latency(of));
    }

    /**
     * Sets how long segments are under way on an average, the times being distributed exponentially: most are shorter, one in 150
     * takes five times as long, none forty times.
     *
     * @param mean from 0 to 365 days
     * @return this
     * @throws IllegalArgumentException if out of range
     */
    public SimLink latencyExponential(Duration mean) {
        Latency of = Latency.exponential(mean);
        return change(conditions -> conditions.latency(of));
    }

    /**
     * Sets how likely a segment is lost. It is sent again after 200 ms, and if that is lost too after 400 ms more, and so on; what
     * was sent after it waits for it. One that asks for a connection is sent again after 1, 2, 4, ... s.
     *
     * @param probability from 0, which it is unless set, and less than 1; for all see {@link #partition}
     * @return this
     * @throws IllegalArgumentException if out of range
     */
    public SimLink loss(double probability) {
        if (!(probability >= 0 && probability < 1)) {
            throw new IllegalArgumentException("probability=" + probability + " must be from 0 and less than 1");
        }
        return change(conditions -> conditions.loss(probability));
    }

    /**
     * Sets how many bytes of each connection pass in a second.
     *
     * @param bytesPerSecond at least 1; {@link Long#MAX_VALUE}, which it is unless set, for any number
     * @return this
     * @throws IllegalArgumentException if below 1
     */
    public SimLink bandwidth(long bytesPerSecond) {
        if (bytesPerSecond < 1) {
            throw new IllegalArgumentException("bytesPerSecond=" + bytesPerSecond + " must be at least 1");
        }
        return change(conditions -> conditions.bandwidth(bytesPerSecond));
    }

    /**
     * Sets how many bytes may be written that the other side has not read: then writes wait. A slow reader is one that reads
     * slowly, with a small window.
     *
     * @param bytes at least 1; 64 KiB unless set
     * @return this
     * @throws IllegalArgumentException if below 1
     */
    public SimLink window(int bytes) {
        atLeastOne("bytes", bytes);
        return change(conditions -> conditions.window(bytes));
    }

    /**
     * Has each read give from one byte to so many, a number that the seed determines.
     *
     * @param most at least 1; 1 for single bytes; {@link Integer#MAX_VALUE}, which it is unless set, for all there are
     * @return this
     * @throws IllegalArgumentException if below 1
     */
    public SimLink fragments(int most) {
        atLeastOne("most", most);
        return change(conditions -> conditions.fragments(most));
    }

    /**
     * Has each write take from one byte to so many, a number that the seed determines; {@code writeAll} writes again.
     *
     * @param most at least 1; {@link Integer#MAX_VALUE}, which it is unless set, for all there is room for
     * @return this
     * @throws IllegalArgumentException if below 1
     */
    public SimLink shortWrites(int most) {
        atLeastOne("most", most);
        return change(conditions -> conditions.shortWrites(most));
    }

    private static void atLeastOne(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + "=" + value + " must be at least 1");
        }
    }

    /* ---------------- What goes wrong -------------- */

    /**
     * Cuts the link: what is under way or sent from now on is lost, until {@link #repair}, and nobody is told. Reads wait, writes
     * wait once the window is full, and who connects fails with a {@link java.net.ConnectException} "Connection timed out" after
     * 127 s.
     *
     * @return this
     */
    public SimLink partition() {
        return change(conditions -> conditions.cut(Cut.PARTITION));
    }

    /**
     * Ends a {@link #partition}: what was lost is sent again after 200 ms, and what asks for a connection when its time has come.
     *
     * @return this
     */
    public SimLink repair() {
        return mend(Cut.PARTITION);
    }

    /**
     * Holds what is under way or sent from now on, until {@link #release}. Nothing is lost, and who connects waits for as long as
     * it takes.
     *
     * @return this
     */
    public SimLink hold() {
        return change(conditions -> conditions.cut(Cut.HOLD));
    }

    /**
     * Ends a {@link #hold}: what is held arrives at once, and the rest in its time.
     *
     * @return this
     */
    public SimLink release() {
        return mend(Cut.HOLD);
    }

    private SimLink mend(Cut cut) {
        return change(conditions -> conditions.cut() == cut ? conditions.cut(Cut.NONE) : conditions);
    }

    /**
     * Resets all connections that there are, see {@link SimStream#reset}.
     *
     * @return this
     */
    public SimLink reset() {
        net.reset(this);
        return this;
    }

    private SimLink change(SimNet.Change change) {
        net.change(this, change);
        return this;
    }

    @Override
    public String toString() {
        return from == null ? "SimLink[all]" : "SimLink[" + from + (bothWays ? " <-> " : " -> ") + to + "]";
    }
}
