package dev.kumihimo.net;

import dev.kumihimo.internal.driver.Driver;
import dev.kumihimo.internal.driver.Readiness;
import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.select.Select;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnsupportedAddressTypeException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: "happy eyeballs", RFC 8305 (https://www.rfc-editor.org/rfc/rfc8305), sections 4 and 5. The families take turns in
 * the order of the addresses; an attempt starts when the one before has failed, or has not succeeded for a quarter of a second;
 * the first to succeed wins, and the others are closed.
 * Differences: the order of the addresses is the resolver's, and so the first family is: the JDK has a property for that.
 * The two families are looked up by one call of the resolver, so no answer comes in while the race is on.
 *
 * No attempt has a task of its own: handshakes are the system's work, and the caller selects over them. With one handshake
 * under way and nothing left to be started it waits for that alone, which is all that a single address costs.
 *
 * Garbage: every way out but a success closes all attempts, and a success all but one. An attempt is in `pending` from before
 * its first wait until it is closed or has won.
 */

/** Connects to the first of several addresses that takes it. Used once, by one thread. */
final class Connector {
    /** How long an attempt has before the next one joins it: the RFC's recommendation. */
    static final long STAGGER_NANOS = 250_000_000;

    private final @Nullable String name;
    private final List<InetSocketAddress> addresses;
    private final long deadline;
    private final Deque<InetSocketAddress> untried;
    private final List<Attempt> pending = new ArrayList<>(2);
    private final List<IOException> failures = new ArrayList<>(0);

    /** When the next attempt may start, on the clock of the caller's waits. */
    private long nextStart;

    private boolean startNow = true;

    private Connector(@Nullable String name, List<InetSocketAddress> addresses, long deadline) {
        this.name = name;
        this.addresses = addresses;
        this.untried = new ArrayDeque<>(interleaved(addresses));
        this.deadline = deadline;
    }

    /**
     * Connects to one of several addresses.
     *
     * @param name what they are the addresses of, for messages
     * @param addresses at least one
     */
    static TcpStream connect(String name, List<InetSocketAddress> addresses, long deadline) throws IOException {
        return new Connector(name, addresses, deadline).race();
    }

    /** Connects to one of several addresses that have no name together. */
    static TcpStream connect(List<InetSocketAddress> addresses, long deadline) throws IOException {
        return new Connector(null, addresses, deadline).race();
    }

    /** Connects an open channel, which it closes if it fails. */
    static TcpStream connect(SocketChannel channel, InetSocketAddress address, long deadline) throws IOException {
        Attempt attempt = new Attempt(channel, address);
        boolean done = false;
        try {
            done = attempt.start();
            while (!done) {
                if (!attempt.await(deadline)) {
                    throw Deadlines.passed("a connect to " + Addresses.text(address));
                }
                done = attempt.finish();
            }
            return attempt.stream();
        } catch (Throwable e) {
            attempt.abandon();
            throw e;
        }
    }

    /** {@return the addresses with the families in turns, each in its order} */
    static List<InetSocketAddress> interleaved(List<InetSocketAddress> addresses) {
        if (addresses.size() < 3) {
            return addresses;
        }
        boolean firstIsSix = isSix(addresses.get(0));
        Deque<InetSocketAddress> first = new ArrayDeque<>();
        Deque<InetSocketAddress> second = new ArrayDeque<>();
        for (InetSocketAddress address : addresses) {
            (isSix(address) == firstIsSix ? first : second).add(address);
        }
        List<InetSocketAddress> mixed = new ArrayList<>(addresses.size());
        while (!first.isEmpty() || !second.isEmpty()) {
            if (!first.isEmpty()) {
                mixed.add(first.remove());
            }
            if (!second.isEmpty()) {
                mixed.add(second.remove());
            }
        }
        return mixed;
    }

    private static boolean isSix(InetSocketAddress address) {
        return address.getAddress() instanceof Inet6Address;
    }

    private TcpStream race() throws IOException {
        Attempt winner = null;
        try {
            while (winner == null) {
                if (startNow && !untried.isEmpty()) {
                    winner = startNext();
                } else if (pending.isEmpty()) {
                    throw allFailed();
                } else {
                    Attempt ready = awaitAny();
                    winner = ready == null ? null : finish(ready);
                }
            }
            pending.remove(winner);
            return winner.stream();
        } catch (Throwable e) {
            if (winner != null) {
                winner.abandon();
            }
            throw e;
        } finally {
            for (Attempt loser : pending) {
                loser.abandon();
            }
        }
    }

    /** Starts the next attempt; returns it if it has succeeded at once. */
    private @Nullable Attempt startNext() throws IOException {
        InetSocketAddress address = untried.remove();
        Attempt attempt;
        try {
            attempt = new Attempt(SocketChannel.open(), address);
        } catch (SocketException e) { // no descriptor left, as it seems
            failures.add(Addresses.at("cannot connect to " + Addresses.text(address), e));
            return null;
        }
        pending.add(attempt);
        nextStart = Waiter.current().nanoTime() + STAGGER_NANOS;
        startNow = false;
        try {
            return attempt.start() ? attempt : null;
        } catch (SocketException e) {
            failed(attempt, e);
            return null;
        }
    }

    private @Nullable Attempt finish(Attempt ready) throws IOException {
        try {
            return ready.finish() ? ready : null;
        } catch (SocketException e) { // another exception is none of the connection's, as that the runtime is gone
            failed(ready, e);
            return null;
        }
    }

    private void failed(Attempt attempt, SocketException e) {
        pending.remove(attempt);
        attempt.abandon();
        failures.add(e);
        startNow = true;
    }

    /** Waits for one of the attempts under way; returns null when it is time to start another. */
    private @Nullable Attempt awaitAny() throws IOException {
        if (untried.isEmpty() && pending.size() == 1) {
            Attempt last = pending.get(0);
            if (!last.await(deadline)) {
                throw passed();
            }
            return last;
        }
        long now = Waiter.current().nanoTime();
        if (deadline == Deadlines.NOW || (deadline != Deadlines.NEVER && deadline - now <= 0)) {
            throw passed();
        }
        long patience = Long.MAX_VALUE;
        if (!untried.isEmpty()) {
            patience = nextStart - now;
        }
        if (deadline != Deadlines.NEVER) {
            patience = Math.min(patience, deadline - now);
        }
        if (patience <= 0) {
            startNow = true;
            return null;
        }
        Select<@Nullable Attempt> select = Select.of();
        for (Attempt attempt : pending) {
            select.on(attempt.handshake().clause(), () -> attempt);
        }
        if (patience != Long.MAX_VALUE) {
            select.after(Duration.ofNanos(patience), () -> null);
        }
        try {
            return select.await(); // null: the next round looks which time has passed
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        }
    }

    /* ---------------- How it fails -------------- */

    private String target() {
        return name == null ? addresses.stream().map(Addresses::text).collect(Collectors.joining(" or ")) : name;
    }

    private SocketTimeoutException passed() {
        String tried =
                pending.stream().map(attempt -> Addresses.text(attempt.address)).collect(Collectors.joining(", "));
        boolean clear = name == null || name.equals(tried);
        SocketTimeoutException passed =
                Deadlines.passed("a connect to " + target() + (clear ? "" : " (at " + tried + ")"));
        failures.forEach(passed::addSuppressed);
        return passed;
    }

    private IOException allFailed() {
        if (failures.size() == 1) {
            return failures.get(0);
        }
        String message = "cannot connect to " + target() + ", none of " + failures.size() + " addresses took it: "
                + failures.stream().map(Throwable::getMessage).collect(Collectors.joining("; "));
        boolean refused = failures.stream().allMatch(e -> e instanceof ConnectException);
        IOException all = refused ? new ConnectException(message) : new SocketException(message);
        failures.forEach(all::addSuppressed);
        return all;
    }

    /* ---------------- One attempt -------------- */

    static final class Attempt {
        final InetSocketAddress address;

        private final SocketChannel channel;
        private @Nullable Readiness readiness;
        private @Nullable Direction handshake;

        Attempt(SocketChannel channel, InetSocketAddress address) {
            this.channel = channel;
            this.address = address;
        }

        /** Sends what begins the handshake. Returns whether it is done already. */
        boolean start() throws IOException {
            channel.configureBlocking(false);
            Readiness registered = Driver.current().register(channel);
            readiness = registered;
            handshake = new Direction(channel, registered, SelectionKey.OP_CONNECT);
            boolean done;
            try {
                done = channel.connect(address);
            } catch (SocketException e) {
                throw named(e);
            } catch (UnsupportedAddressTypeException e) {
                SocketException unsupported = new SocketException("this socket has no addresses of that family");
                unsupported.initCause(e);
                throw named(unsupported);
            }
            return done || finish(); // done at once: nothing was armed
        }

        /** {@return whether the handshake is done} */
        boolean finish() throws IOException {
            Direction under = handshake();
            under.ensureOpen();
            try {
                boolean done = channel.finishConnect();
                under.tried(!done);
                if (done) {
                    under.disarm();
                }
                return done;
            } catch (SocketException e) {
                throw named(e);
            }
        }

        private SocketException named(SocketException e) {
            return Addresses.at("cannot connect to " + Addresses.text(address), e);
        }

        boolean await(long deadline) throws IOException {
            return handshake().await(deadline);
        }

        Direction handshake() {
            Direction begun = handshake;
            if (begun == null) {
                throw new IllegalStateException("not started");
            }
            return begun;
        }

        TcpStream stream() throws IOException {
            Readiness registered = readiness;
            if (registered == null) {
                throw new IllegalStateException("not started");
            }
            return new TcpStream(channel, registered);
        }

        /** Leaves nothing behind. */
        void abandon() {
            try {
                channel.close();
            } catch (IOException e) {
                // nobody is told of a connection that is not wanted
            }
            Readiness registered = readiness;
            if (registered != null) {
                registered.close();
                registered.forget();
            }
        }
    }
}
