package dev.kumihimo.net;

import dev.kumihimo.sync.Notify;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a server waits when it cannot accept: a pending connection stays ready to be accepted, and trying without end would take
 * a whole processor. Used by the thread that serves, but for {@link #released}.
 */
final class AcceptBackOff {
    private static final Logger LOG = LoggerFactory.getLogger(TcpServer.class);

    private static final long SHORTEST_NANOS = 5_000_000;

    /** Descriptors that others release tell nobody: they are found within this time. */
    private static final long LONGEST_NANOS = 100_000_000;

    /** The least time between two warnings: at the edge, each session that ends lets one in, and the next is refused. */
    private static final long QUIET_NANOS = 10_000_000_000L;

    private final String listener;
    private final Notify released = new Notify();
    private long delay = SHORTEST_NANOS;
    private boolean warned; // and not told since that it accepts again
    private long lastWarning = System.nanoTime() - QUIET_NANOS;
    private long failures; // since the last accept

    AcceptBackOff(String listener) {
        this.listener = listener;
    }

    /** Waits before the next attempt. */
    void failed(Throwable e) throws InterruptedException {
        failures++;
        warn(e);
        try {
            released.notified(Duration.ofNanos(delay));
            delay = SHORTEST_NANOS; // its descriptor is given back a moment later
        } catch (TimeoutException timeIsUp) {
            delay = Math.min(2 * delay, LONGEST_NANOS);
        }
    }

    /** Takes note of an accept. */
    void succeeded() {
        if (failures > 0) {
            if (warned) {
                warned = false;
                log(() -> LOG.info("{} accepts connections again, after {} failed attempts", listener, failures));
            }
            failures = 0;
            delay = SHORTEST_NANOS;
        }
    }

    /** Ends the wait early: there may be room now. Any thread; never waits. */
    void released() {
        released.notifyOne();
    }

    private void warn(Throwable e) {
        long now = System.nanoTime();
        if (!warned && now - lastWarning >= QUIET_NANOS) {
            warned = true;
            lastWarning = now;
            log(() -> LOG.warn("{} cannot accept connections for now, and tries on: {}", listener, e.toString()));
        }
    }

    /** A logger may need a descriptor itself, if only to load a class. Then the server goes on without its message. */
    private static void log(Runnable message) {
        try {
            message.run();
        } catch (RuntimeException | Error e) {
            // see above
        }
    }
}
