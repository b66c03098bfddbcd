package dev.kumihimo.test.net;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One end of a connection in a {@link SimNet}, which behaves as a {@code TcpStream} does: it waits alike, and fails by the same
 * exceptions. It has to be closed.
 *
 * <pre>{@code
 * try (SimStream stream = net.connect("client", "server", 80)) {
 *     stream.writeAll(ByteBuffer.wrap(request));
 *     int count = stream.read(answer, Duration.ofSeconds(1));      // a second of virtual time
 * }
 * }</pre>
 *
 * <p><b>Errors.</b> A connection that was reset throws a {@link java.net.SocketException}, "Connection reset" from every read and
 * from the first write if that tells of it first, "Broken pipe" from other writes. What had arrived and was not read is lost by a
 * reset, unless the end had arrived before. Messages name both addresses.
 *
 * @since 0.1
 */
public final class SimStream implements ByteStream, Selectable<@Nullable Void> {
    private final End end;

    SimStream(End end) {
        this.end = end;
    }

    /** Notes for the end of a test that somebody has it now, who is to close it. */
    SimStream handedOut() {
        if (Points.ON) {
            Points.made(this, aborted -> isOpen() ? "not closed" : null);
        }
        return this;
    }

    End end() {
        return end;
    }

    /* ---------------- Reading and writing -------------- */

    @Override
    public int read(ByteBuffer target) throws IOException {
        return end.read(target, Deadlines.NEVER);
    }

    @Override
    public int read(ByteBuffer target, Duration timeout) throws IOException {
        return end.read(target, Deadlines.of(timeout));
    }

    @Override
    public int tryRead(ByteBuffer target) throws IOException {
        return end.read(target, Deadlines.TRY);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        return end.write(source, Deadlines.NEVER);
    }

    @Override
    public void writeAll(ByteBuffer source) throws IOException {
        end.writeAll(source);
    }

    @Override
    public int tryWrite(ByteBuffer source) throws IOException {
        return end.write(source, Deadlines.TRY);
    }

    @Override
    public void shutdownOutput() throws IOException {
        end.shutdownOutput();
    }

    /* ---------------- Selecting -------------- */

    /** {@return the same as {@link #readable()}} */
    @Override
    public Clause<@Nullable Void> clause() {
        return new Ready(end, true);
    }

    @Override
    public Selectable<@Nullable Void> readable() {
        return this;
    }

    @Override
    public Selectable<@Nullable Void> writable() {
        return new Output(end);
    }

    private record Output(End end) implements Selectable<@Nullable Void> {
        @Override
        public Clause<@Nullable Void> clause() {
            return new Ready(end, false);
        }
    }

    /* ---------------- Addresses, the end -------------- */

    /** {@return this side's address, which is never looked up; known also after closing} */
    public InetSocketAddress localAddress() {
        return end.local.address();
    }

    /** {@return the other side's address, which is never looked up; known also after closing} */
    public InetSocketAddress peerAddress() {
        return end.remote.address();
    }

    String peerName() {
        return end.remote.toString();
    }

    @Override
    public boolean isOpen() {
        return end.isOpen();
    }

    /**
     * Closes the connection: what was written still arrives. If something has arrived that was not read, the peer is reset, as it
     * also is if it sends more. Ends the waits of other threads. Never waits. Idempotent.
     */
    @Override
    public void close() {
        end.close(false);
    }

    /** Closes the connection and tells the peer that it has failed, which sees a reset. Otherwise as {@link #close()}. */
    public void closeWithReset() {
        end.close(true);
    }

    /**
     * Resets the connection from outside, as a router does that has forgotten it: both ends see that now, and lose what is under
     * way. Both have yet to be closed.
     *
     * @return this
     */
    public SimStream reset() {
        end.connection.run((now, woken) -> {
            end.resetNow(woken);
            end.peer.resetNow(woken);
        });
        return this;
    }

    /**
     * Has this end vanish, as if its process had lost power: it is closed, and the peer is never told. A peer that reads waits for
     * what does not come, one that writes does so until the window is full. What was under way in either direction is lost.
     */
    public void vanish() {
        end.connection.run(end::vanish);
        end.connection.net.forgetIfClosed(end.connection);
    }

    @Override
    public String toString() {
        return end.toString();
    }
}
