package dev.kumihimo.net;

import dev.kumihimo.internal.driver.Driver;
import dev.kumihimo.internal.driver.Readiness;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: try the system call, and wait for an event when it finds nothing; Tokio's and Go's pollers are the models. A
 * read that leaves room in the buffer, and a write that leaves bytes, have shown that the next call would find nothing
 * (Direction.exhausted): it waits at once. Nothing is missed by that, an end of the stream neither: selection reports
 * states, so what has come since is reported as soon as the key is armed.
 *
 * Cancellation: all waits come before the system call whose result is returned, so a wait that ends otherwise has applied
 * nothing.
 */

/**
 * A TCP connection.
 *
 * <pre>{@code
 * try (var stream = TcpStream.connect("localhost", 9090)) {
 *     stream.writeAll(ByteBuffer.wrap(request));
 *     stream.shutdownOutput();
 *     byte[] answer = stream.inputStream().readAllBytes();
 * }
 * }</pre>
 *
 * <p>Its habits are those of {@link ByteStream}: threads, turns, interruption, cancellation and closing. It has to be closed.
 *
 * <p><b>Errors.</b> What goes wrong with the connection, such as a reset by the peer, is a
 * {@link java.net.SocketException} whose message names both addresses. A stream whose runtime is shut down throws
 * {@link IOException}.
 *
 * @since 0.1
 */
public final class TcpStream implements ByteStream, Selectable<@Nullable Void> {
    /** The most bytes of a heap buffer in one system call: the JDK copies them to a buffer that it keeps for each carrier. */
    private static final int CHUNK = 128 * 1024;

    private final SocketChannel channel;
    private final Readiness readiness;
    private final Direction input;
    private final Direction output;
    private final InetSocketAddress localAddress;
    private final InetSocketAddress peerAddress;

    private TcpStream(SocketChannel channel, Readiness readiness) throws IOException {
        this.channel = channel;
        this.readiness = readiness;
        this.localAddress = (InetSocketAddress) channel.getLocalAddress();
        this.peerAddress = (InetSocketAddress) channel.getRemoteAddress();
        this.input = new Direction(channel, readiness, SelectionKey.OP_READ);
        this.output = new Direction(channel, readiness, SelectionKey.OP_WRITE);
    }

    /* ---------------- Connecting -------------- */

    /** Takes over a connected channel, which it closes if it fails. */
    static TcpStream adopt(SocketChannel connected) throws IOException {
        try {
            connected.configureBlocking(false);
            return new TcpStream(connected, Driver.current().register(connected));
        } catch (Throwable e) {
            connected.close();
            throw e;
        }
    }

    /**
     * Connects to a host's port. A name is looked up on the blocking pool, a literal address is not; each of its addresses is
     * tried in turn.
     *
     * @param host a name or a literal address
     * @param port 1 to 65535
     * @return the connection, a socket of the caller's runtime
     * @throws java.net.ConnectException if the last address refuses; it names the address
     * @throws java.net.UnknownHostException if the name has no address
     * @throws InterruptedIOException if interrupted or cancelled; nothing is left of it
     * @throws IOException if the host cannot be reached, the system has no descriptors left, or the runtime is shut down
     * @throws IllegalArgumentException if the port is out of range
     */
    public static TcpStream connect(String host, int port) throws IOException {
        TcpListener.checkPort(port, 1);
        return connectBefore(host, port, Deadlines.NEVER);
    }

    /**
     * Connects to an address, see {@link #connect(String, int)}.
     *
     * @param address an {@link InetSocketAddress}; if it is unresolved, its name is looked up
     * @return the connection, a socket of the caller's runtime
     * @throws java.net.ConnectException if the address refuses; it names the address
     * @throws java.net.UnknownHostException if the name has no address
     * @throws InterruptedIOException if interrupted or cancelled; nothing is left of it
     * @throws IOException if the host cannot be reached, the system has no descriptors left, or the runtime is shut down
     * @throws IllegalArgumentException if it is an address of another kind
     */
    public static TcpStream connect(SocketAddress address) throws IOException {
        return connectBefore(Addresses.internet(address), Deadlines.NEVER);
    }

    /**
     * Connects to an address, waiting at most a given time for the lookup and all attempts.
     *
     * @param address an {@link InetSocketAddress}; if it is unresolved, its name is looked up
     * @param timeout the longest wait; zero or negative does not wait
     * @return the connection, a socket of the caller's runtime
     * @throws java.net.SocketTimeoutException if it took longer; nothing is left of it, and the interrupt flag is left alone
     * @throws java.net.ConnectException if the address refuses; it names the address
     * @throws java.net.UnknownHostException if the name has no address
     * @throws InterruptedIOException if interrupted or cancelled; nothing is left of it
     * @throws IOException if the host cannot be reached, the system has no descriptors left, or the runtime is shut down
     * @throws IllegalArgumentException if it is an address of another kind
     */
    public static TcpStream connect(SocketAddress address, Duration timeout) throws IOException {
        return connectBefore(Addresses.internet(address), Deadlines.of(timeout));
    }

    private static TcpStream connectBefore(InetSocketAddress address, long deadline) throws IOException {
        return address.isUnresolved()
                ? connectBefore(address.getHostString(), address.getPort(), deadline)
                : connectTo(address, deadline);
    }

    private static TcpStream connectBefore(String host, int port, long deadline) throws IOException {
        return Addresses.first(host, port, deadline, address -> connectTo(address, deadline));
    }

    private static TcpStream connectTo(InetSocketAddress address, long deadline) throws IOException {
        SocketChannel channel = SocketChannel.open();
        try {
            channel.configureBlocking(false);
            Readiness readiness = Driver.current().register(channel);
            try {
                finishConnect(channel, readiness, address, deadline);
                return new TcpStream(channel, readiness);
            } catch (Throwable e) {
                channel.close();
                readiness.forget();
                throw e;
            }
        } catch (SocketException e) {
            channel.close();
            throw Addresses.at("cannot connect to " + Addresses.text(address), e);
        } catch (Throwable e) {
            channel.close();
            throw e;
        }
    }

    private static void finishConnect(
            SocketChannel channel, Readiness readiness, InetSocketAddress address, long deadline) throws IOException {
        if (channel.connect(address)) {
            return;
        }
        Direction handshake = new Direction(channel, readiness, SelectionKey.OP_CONNECT);
        while (!channel.finishConnect()) {
            if (!handshake.await(deadline)) {
                throw Deadlines.passed("a connect to " + Addresses.text(address));
            }
        }
    }

    /* ---------------- Reading -------------- */

    @Override
    public int read(ByteBuffer target) throws IOException {
        return readBefore(target, Deadlines.NEVER);
    }

    @Override
    public int read(ByteBuffer target, Duration timeout) throws IOException {
        return readBefore(target, Deadlines.of(timeout));
    }

    private int readBefore(ByteBuffer target, long deadline) throws IOException {
        try (Permit turn = input.enter(deadline)) {
            if (!target.hasRemaining()) {
                return 0;
            }
            while (true) {
                if (!input.exhausted || deadline == Deadlines.NOW) {
                    int count = readNow(target);
                    if (count != 0) {
                        return count;
                    }
                }
                if (!input.await(deadline)) {
                    throw Deadlines.passed("a read from " + this);
                }
            }
        } catch (IOException e) {
            throw told(e);
        }
    }

    @Override
    public int tryRead(ByteBuffer target) throws IOException {
        try (Permit turn = input.tryEnter()) {
            return turn == null || !target.hasRemaining() ? 0 : readNow(target);
        } catch (IOException e) {
            throw told(e);
        }
    }

    private int readNow(ByteBuffer target) throws IOException {
        int limit = target.limit();
        int room = Math.min(target.remaining(), target.isDirect() ? Integer.MAX_VALUE : CHUNK);
        target.limit(target.position() + room);
        try {
            int count = channel.read(target);
            if (count >= 0) { // the end of the stream stays there to be read again
                input.tried(count < room);
            }
            return count;
        } finally {
            target.limit(limit);
        }
    }

    /* ---------------- Writing -------------- */

    @Override
    public int write(ByteBuffer source) throws IOException {
        int start = source.position();
        try (Permit turn = output.enter(Deadlines.NEVER)) {
            while (source.hasRemaining() && source.position() == start) {
                writeNow(source);
            }
            return source.position() - start;
        } catch (IOException e) {
            throw told(e);
        }
    }

    @Override
    public void writeAll(ByteBuffer source) throws IOException {
        int start = source.position();
        try (Permit turn = output.enter(Deadlines.NEVER)) {
            while (source.hasRemaining()) {
                writeNow(source);
            }
        } catch (InterruptedIOException e) {
            e.bytesTransferred = source.position() - start;
            throw e;
        } catch (IOException e) {
            throw told(e);
        }
    }

    @Override
    public int tryWrite(ByteBuffer source) throws IOException {
        int start = source.position();
        try (Permit turn = output.tryEnter()) {
            if (turn != null && source.hasRemaining()) {
                writeSome(source);
            }
            return source.position() - start;
        } catch (IOException e) {
            throw told(e);
        }
    }

    /** Writes what the system takes, after a wait if it is known to take nothing. */
    private void writeNow(ByteBuffer source) throws IOException {
        if (output.exhausted) {
            output.await(Deadlines.NEVER);
        }
        writeSome(source);
    }

    private void writeSome(ByteBuffer source) throws IOException {
        int limit = source.limit();
        int length = Math.min(source.remaining(), source.isDirect() ? Integer.MAX_VALUE : CHUNK);
        source.limit(source.position() + length);
        try {
            output.tried(channel.write(source) < length);
        } finally {
            source.limit(limit);
        }
    }

    @Override
    public void shutdownOutput() throws IOException {
        output.ensureOpen();
        try {
            channel.shutdownOutput();
        } catch (IOException e) {
            throw told(e);
        }
    }

    /** Names the addresses in what the system says of the connection. */
    private IOException told(IOException e) {
        return e instanceof ClosedChannelException || e instanceof InterruptedIOException || readiness.isShutDown()
                ? e
                : Addresses.at(this.toString(), e);
    }

    /* ---------------- Selecting -------------- */

    /**
     * {@return that there is something to read, to be selected on} Nothing is read by it: use {@link #tryRead} then, since
     * another reader may have been quicker. All who wait are woken, readers and selects alike. Ready also at the end of the
     * stream, and once the connection has failed, is closed or its runtime shut down; reading then tells. What the runtime
     * has not looked at yet is not ready: a select with {@code otherwise} may learn of bytes a moment later.
     *
     * <pre>{@code
     * Letter letter = Select.<@Nullable Letter>of()
     *         .onReceive(inbox, received -> received)
     *         .onReadable(stream, () -> null)
     *         .await();
     * int count = letter == null ? stream.tryRead(buffer) : 0;
     * }</pre>
     */
    @Override
    public Clause<@Nullable Void> clause() {
        return input.clause();
    }

    /** {@return the same as {@link #clause()}, by a name that goes with {@link #writable()}} */
    @Override
    public Selectable<@Nullable Void> readable() {
        return input.clause();
    }

    /**
     * {@return that there may be room to write, to be selected on} Nothing is written by it: use {@link #tryWrite} then, which
     * writes nothing if there is no room after all. All who wait are woken, writers and selects alike. Ready also once the
     * connection has failed, is closed or its runtime shut down; writing then tells.
     */
    @Override
    public Selectable<@Nullable Void> writable() {
        return output.clause();
    }

    /** {@return what the driver knows of the connection, for tests} */
    Readiness readiness() {
        return readiness;
    }

    /* ---------------- Options, addresses, the end -------------- */

    /**
     * Sets whether small writes are sent at once ({@code TCP_NODELAY}) and not gathered while an answer is outstanding. Off
     * unless set.
     *
     * @param on whether
     * @throws IOException if closed, or the system refuses
     */
    public void noDelay(boolean on) throws IOException {
        channel.setOption(StandardSocketOptions.TCP_NODELAY, on);
    }

    /**
     * {@return whether small writes are sent at once}
     *
     * @throws IOException if closed
     */
    public boolean noDelay() throws IOException {
        return isOn(StandardSocketOptions.TCP_NODELAY);
    }

    /**
     * Sets whether the system probes an idle connection ({@code SO_KEEPALIVE}), at intervals of its own, and ends one whose
     * peer is gone. Off unless set.
     *
     * @param on whether
     * @throws IOException if closed, or the system refuses
     */
    public void keepAlive(boolean on) throws IOException {
        channel.setOption(StandardSocketOptions.SO_KEEPALIVE, on);
    }

    /**
     * {@return whether the system probes an idle connection}
     *
     * @throws IOException if closed
     */
    public boolean keepAlive() throws IOException {
        return isOn(StandardSocketOptions.SO_KEEPALIVE);
    }

    private boolean isOn(SocketOption<Boolean> option) throws IOException {
        return Boolean.TRUE.equals(channel.getOption(option));
    }

    /** {@return this side's address; known also after closing} */
    public InetSocketAddress localAddress() {
        return localAddress;
    }

    /** {@return the other side's address; known also after closing} */
    public InetSocketAddress peerAddress() {
        return peerAddress;
    }

    @Override
    public boolean isOpen() {
        return channel.isOpen();
    }

    /**
     * Closes the connection: what was written is still sent, what was not read is dropped, and then the peer may see a reset.
     * Ends the waits of other threads. Never waits. Idempotent.
     *
     * @throws IOException if the system reports an error; the stream is closed nevertheless
     */
    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            readiness.close();
            readiness.forget(); // gives the descriptor back
        }
    }

    @Override
    public String toString() {
        return Addresses.text(localAddress) + " -> " + Addresses.text(peerAddress);
    }
}
