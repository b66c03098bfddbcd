package dev.kumihimo.test.net;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.internal.wait.Wait;
import java.io.IOException;
import java.net.ConnectException;
import org.jspecify.annotations.Nullable;

/** How a connection comes about: by segments that take their time, get lost and are sent again, in the connecting thread. */
final class Handshake {
    /** The first wait for an answer, which doubles each time, and how often it is asked again: 127 s in all, as in Linux. */
    private static final long RETRY_NANOS = 1_000_000_000;

    private static final int MOST_RETRIES = 6;

    private final Connection connection;
    private final End client;
    private final SimNet net;
    private final long deadline;
    private boolean offered;

    Handshake(Connection connection, long deadline) {
        this.connection = connection;
        this.client = connection.client;
        this.net = connection.net;
        this.deadline = deadline;
    }

    /** Does it. If that fails, nothing is left but what a listener may have of it already, which is reset then. */
    SimStream shake() throws IOException {
        boolean done = false;
        try {
            for (int tries = 0; tries <= MOST_RETRIES; tries++) {
                long again = net.now() + (RETRY_NANOS << tries);
                if (!offered) {
                    offer();
                }
                if (offered && passes(client.in)) {
                    done = true;
                    return client.stream.handedOut();
                }
                pause(again);
            }
            throw new ConnectException("cannot connect to " + client.remote + ": Connection timed out");
        } finally {
            if (!done) {
                client.close(true);
                if (!offered) {
                    connection.server.close(true);
                }
            }
        }
    }

    private void offer() throws IOException {
        if (!passes(client.out) || net.isDown(client.remote.host())) {
            return;
        }
        SimListener listener = net.listenerAt(client.remote);
        SimListener.Offer answer = listener == null ? SimListener.Offer.REFUSED : listener.offer(connection.server);
        offered = answer == SimListener.Offer.TAKEN;
        if (answer == SimListener.Offer.REFUSED && passes(client.in)) {
            throw new ConnectException("cannot connect to " + client.remote + ": Connection refused");
        }
    }

    /** Waits until a segment has passed a wire; false if it is lost. */
    private boolean passes(Wire wire) throws IOException {
        long arrival = 0;
        boolean lost;
        connection.lock();
        try {
            lost = wire.isLost();
            if (!lost) {
                arrival = net.now() + wire.latency();
            }
        } finally {
            connection.unlock();
        }
        if (lost) {
            return false;
        }
        pause(arrival);
        await(Wire.NEVER, wire);
        connection.lock();
        try {
            return !wire.isFrozen();
        } finally {
            connection.unlock();
        }
    }

    private void pause(long until) throws IOException {
        await(until, null);
    }

    /** Waits until a time; or, if a wire is given, for as long as it is held. */
    private void await(long until, @Nullable Wire held) throws IOException {
        while (true) {
            Wait wait;
            connection.lock();
            try {
                boolean over =
                        held == null ? net.now() >= until : held.conditions().cut() != Conditions.Cut.HOLD;
                if (over) {
                    return;
                }
                net.checkClock();
                wait = deadline < 0 ? null : Wait.at(connection);
                if (wait != null) {
                    connection.connecting.add(wait);
                }
            } finally {
                connection.unlock();
            }
            if (wait == null) {
                throw Deadlines.passed("a connect to " + client.remote);
            }
            connection.await(wait, until, deadline, "a connect to " + client.remote);
        }
    }
}
