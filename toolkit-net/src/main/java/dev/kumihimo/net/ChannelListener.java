package dev.kumihimo.net;

import dev.kumihimo.internal.driver.Driver;
import dev.kumihimo.internal.driver.Readiness;
import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.select.Clause;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Accepting, selecting and closing of a bound {@link ServerSocketChannel}, whatever kind of address it has. */
abstract sealed class ChannelListener<S extends ChannelStream> implements StreamListener<S>
        permits TcpListener, UnixListener {
    /** How many connections the system may hold for us; it lowers that to what it allows. */
    static final int BACKLOG = 4096;

    /**
     * How long closing waits for a driver that does not turn. Measured with 12 busy threads on two cores: every hundredth close
     * waited for more than 100 ms, since the driver's thread was given no processor.
     */
    static final long CLOSE_NANOS = 10_000_000_000L;

    final ServerSocketChannel channel;
    private final Readiness readiness;
    private final Direction connections;

    ChannelListener(ServerSocketChannel channel) throws IOException {
        this.channel = channel;
        this.readiness = Driver.current().register(channel);
        this.connections = new Direction(channel, readiness, SelectionKey.OP_ACCEPT);
        if (Points.ON) {
            Points.made(this, aborted -> channel.isOpen() ? "not closed" : null);
        }
    }

    /** Takes over a connection that was accepted; closes it if that fails. */
    abstract S adopt(SocketChannel accepted) throws IOException;

    /** {@return where it listens, for messages} */
    abstract String where();

    @Override
    public S accept() throws IOException {
        return acceptBefore(Deadlines.NEVER);
    }

    @Override
    public S accept(Duration timeout) throws IOException {
        return acceptBefore(Deadlines.of(timeout));
    }

    private S acceptBefore(long deadline) throws IOException {
        SocketChannel accepted;
        try (Permit turn = connections.enter(deadline)) {
            accepted = acceptNow();
            while (accepted == null) {
                if (!connections.await(deadline)) {
                    throw Deadlines.passed("an accept on " + where());
                }
                accepted = acceptNow();
            }
        }
        return adopt(accepted);
    }

    @Override
    public @Nullable S tryAccept() throws IOException {
        SocketChannel accepted;
        try (Permit turn = connections.tryEnter()) {
            accepted = turn == null ? null : acceptNow();
        }
        return accepted == null ? null : adopt(accepted);
    }

    private @Nullable SocketChannel acceptNow() throws IOException {
        SocketChannel accepted = channel.accept();
        connections.tried(accepted == null);
        return accepted;
    }

    /**
     * {@return that a connection waits to be accepted, to be selected on} Nothing is accepted by it: use {@link #tryAccept()}
     * then, since another may have been quicker. All selects that wait are woken. Ready also once the listener is closed or
     * its runtime shut down; accepting then tells. What the runtime has not looked at yet is not ready: a select with
     * {@code otherwise} may learn of a connection a moment later.
     *
     * <pre>{@code
     * boolean waiting = Select.<Boolean>of()
     *         .onReadable(listener, () -> true)
     *         .onCancelled(stop, () -> false)
     *         .await();
     * var session = waiting ? listener.tryAccept() : null;
     * }</pre>
     */
    @Override
    public Clause<@Nullable Void> clause() {
        return connections.clause();
    }

    @Override
    public boolean isOpen() {
        return channel.isOpen();
    }

    /**
     * Closes the listener and frees its address; connections that nobody accepted are reset. Idempotent.
     *
     * @throws IOException if the system reports an error; the listener is closed nevertheless
     */
    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            readiness.close();
            readiness.awaitForgotten(channel, CLOSE_NANOS); // within milliseconds, unless the system is stalled
        }
    }
}
