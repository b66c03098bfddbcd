package dev.kumihimo.test.net;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.net.StreamListener;
import dev.kumihimo.select.Clause;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What takes connections in a {@link SimNet}, as a {@code TcpListener} does on a real one.
 *
 * <pre>{@code
 * SimListener listener = net.listen("server", 80);
 * Task.spawn(() -> TcpServer.serve(listener, stream -> echo(stream)));
 * }</pre>
 *
 * <p>A connection that comes while the backlog is full is not answered, and asked for again after 1, 2, 4, ... s, as Linux has
 * it. Any thread may call any method; several tasks may accept at once and are served in the order of their calls.
 *
 * @since 0.1
 */
public final class SimListener implements StreamListener<SimStream> {
    /** What becomes of who wants to connect. */
    enum Offer {
        TAKEN,
        DROPPED,
        REFUSED
    }

    private final SimNet net;
    private final HostPort local;
    private final int backlog;
    private final Point point = new Point(this);
    private final Clause<@Nullable Void> clause = new Ready(this);
    private final Semaphore turn = Semaphore.of(1);

    // Guarded by the lock of the point.
    private final WaitQueue waiting = new WaitQueue();
    private final ArrayDeque<End> pending = new ArrayDeque<>();
    private int failures;
    private volatile boolean closed;

    SimListener(SimNet net, HostPort local, int backlog) {
        this.net = net;
        this.local = local;
        this.backlog = backlog;
        if (Points.ON) {
            Points.made(this, aborted -> closed ? null : "not closed");
        }
    }

    @Override
    public SimStream accept() throws IOException {
        SimStream accepted = acceptBefore(Deadlines.NEVER);
        if (accepted == null) {
            throw new IllegalStateException("only a try comes to nothing");
        }
        return accepted;
    }

    @Override
    public SimStream accept(Duration timeout) throws IOException {
        SimStream accepted = acceptBefore(Deadlines.of(timeout));
        if (accepted == null) {
            throw new IllegalStateException("only a try comes to nothing");
        }
        return accepted;
    }

    @Override
    public @Nullable SimStream tryAccept() throws IOException {
        return acceptBefore(Deadlines.TRY);
    }

    private @Nullable SimStream acceptBefore(long deadline) throws IOException {
        if (closed) {
            throw new ClosedChannelException();
        }
        try (Permit permit = deadline == Deadlines.TRY ? turn.tryAcquire() : Deadlines.turn(turn, deadline)) {
            return permit == null ? null : acceptInTurn(deadline);
        }
    }

    private @Nullable SimStream acceptInTurn(long deadline) throws IOException {
        while (true) {
            Wait wait = null;
            End accepted = null;
            boolean failed;
            boolean over;
            point.lock();
            try {
                over = closed;
                failed = !over && failures > 0 && !pending.isEmpty();
                if (failed) {
                    failures--;
                } else if (!over) {
                    accepted = pending.poll();
                }
                if (!over && !failed && accepted == null && deadline >= 0) {
                    net.checkClock();
                    wait = Wait.at(point);
                    waiting.add(wait);
                }
            } finally {
                point.unlock();
            }
            if (over) {
                throw new AsynchronousCloseException();
            }
            if (failed) {
                throw new IOException("Too many open files");
            }
            if (accepted != null || deadline == Deadlines.TRY) {
                return accepted == null ? null : accepted.stream.handedOut();
            }
            if (wait == null || !Deadlines.await(wait, deadline)) {
                throw Deadlines.passed("an accept on " + local);
            }
        }
    }

    /** Takes a connection into the backlog. */
    Offer offer(End server) {
        WakeList woken = new WakeList();
        point.lock();
        try {
            if (closed) {
                return Offer.REFUSED;
            }
            if (pending.size() >= backlog) {
                return Offer.DROPPED;
            }
            pending.add(server);
            Connection.wake(waiting, woken);
        } finally {
            point.unlock();
        }
        woken.wakeAll();
        return Offer.TAKEN;
    }

    /**
     * Has accepting fail as if the process had no descriptors left, with an {@link IOException} "Too many open files". The
     * connection that waits is left for a later accept; without one none fails.
     *
     * @param times how often, from now on; 0 or more
     * @return this
     * @throws IllegalArgumentException if negative
     */
    public SimListener failAccepts(int times) {
        if (times < 0) {
            throw new IllegalArgumentException("times=" + times + " must be 0 or more");
        }
        point.lock();
        failures = times;
        point.unlock();
        return this;
    }

    /** {@return that a connection waits to be accepted, to be selected on} Nothing is accepted by it. */
    @Override
    public Clause<@Nullable Void> clause() {
        return clause;
    }

    @Override
    public String peerName(SimStream connection) {
        return connection.peerName();
    }

    /** {@return where it listens; never looked up} */
    public InetSocketAddress localAddress() {
        return local.address();
    }

    /** {@return the port at which it listens} */
    public int port() {
        return local.port();
    }

    HostPort local() {
        return local;
    }

    @Override
    public boolean isOpen() {
        return !closed;
    }

    /** Closes the listener and frees its port; connections that nobody accepted are reset. Never waits. Idempotent. */
    @Override
    public void close() {
        net.forget(this);
        for (End end : end()) {
            end.close(true);
        }
    }

    /** Ends the listener; returns what nobody has accepted. */
    List<End> end() {
        WakeList woken = new WakeList();
        List<End> left;
        point.lock();
        try {
            closed = true;
            left = new ArrayList<>(pending);
            pending.clear();
            Connection.wake(waiting, woken);
        } finally {
            point.unlock();
        }
        woken.wakeAll();
        return left;
    }

    @Override
    public String toString() {
        return "SimListener[" + local + (closed ? ", closed]" : "]");
    }

    private static final class Point extends WaitPoint {
        private final SimListener listener;

        Point(SimListener listener) {
            this.listener = listener;
        }

        @Override
        public String toString() {
            return "connections of " + listener;
        }
    }

    /** That a connection waits, or to be told that none will. */
    private static final class Ready extends Clause<@Nullable Void> {
        private final SimListener listener;

        Ready(SimListener listener) {
            super(listener.point);
            this.listener = listener;
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            return listener.closed || !listener.pending.isEmpty() ? null : NOT_READY;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            listener.waiting.add(node);
            return true;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            return null;
        }
    }
}
