package dev.kumihimo.net;

import dev.kumihimo.internal.driver.Driver;
import dev.kumihimo.internal.driver.Readiness;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.ScatteringByteChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

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
public final class TcpStream
        implements ByteStream, ScatteringByteChannel, GatheringByteChannel, TcpOptions, Selectable<@Nullable Void> {
    private final SocketChannel channel;
    private final Readiness readiness;
    private final SocketInput input;
    private final SocketOutput output;
    private final InetSocketAddress localAddress;
    private final InetSocketAddress peerAddress;

    /** Of a connected channel, whose owner closes it if this fails. */
    TcpStream(SocketChannel channel, Readiness readiness) throws IOException {
        this.channel = channel;
        this.readiness = readiness;
        this.localAddress = (InetSocketAddress) channel.getLocalAddress();
        this.peerAddress = (InetSocketAddress) channel.getRemoteAddress();
        this.input = new SocketInput(channel, readiness, this);
        this.output = new SocketOutput(channel, readiness, this);
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
     * Connects to a host's port. A name is looked up as by {@link NameLookup}.
     *
     * <p>If it has several addresses, those of IPv4 and IPv6 are tried in turns, the resolver's first one first: each as soon as
     * the one before has failed, or has not answered for 250 ms (RFC 8305). The first that takes the connection has it; the
     * others are closed.
     *
     * @param host a name or a literal address
     * @param port 1 to 65535
     * @return the connection, a socket of the caller's runtime
     * @throws java.net.ConnectException if all addresses refuse; it names each, with the exceptions of all as suppressed ones
     * @throws java.net.UnknownHostException if the name has no address
     * @throws InterruptedIOException if interrupted or cancelled; nothing is left of it
     * @throws IOException if the host cannot be reached, the system has no descriptors left, or the runtime is shut down
     * @throws IllegalArgumentException if the port is out of range
     */
    public static TcpStream connect(String host, int port) throws IOException {
        return connectBefore(NameLookup.SYSTEM, host, port, Deadlines.NEVER);
    }

    /**
     * Connects to a host's port, waiting at most a given time for the lookup and all attempts, see
     * {@link #connect(String, int)}.
     *
     * @param host a name or a literal address
     * @param port 1 to 65535
     * @param timeout the longest wait; zero or negative does not wait
     * @return the connection, a socket of the caller's runtime
     * @throws java.net.SocketTimeoutException if it took longer; nothing is left of it, and the interrupt flag is left alone
     * @throws java.net.ConnectException if all addresses refuse; it names each, with the exceptions of all as suppressed ones
     * @throws java.net.UnknownHostException if the name has no address
     * @throws InterruptedIOException if interrupted or cancelled; nothing is left of it
     * @throws IOException if the host cannot be reached, the system has no descriptors left, or the runtime is shut down
     * @throws IllegalArgumentException if the port is out of range
     */
    public static TcpStream connect(String host, int port, Duration timeout) throws IOException {
        return connectBefore(NameLookup.SYSTEM, host, port, Deadlines.of(timeout));
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
                ? connectBefore(NameLookup.SYSTEM, address.getHostString(), address.getPort(), deadline)
                : Connector.connect(Addresses.text(address), List.of(address), deadline);
    }

    static TcpStream connectBefore(NameLookup lookup, String host, int port, long deadline) throws IOException {
        NameLookup.checkPort(port, 1);
        String target = Addresses.text(InetSocketAddress.createUnresolved(host, port));
        return Connector.connect(target, lookup.resolveBefore(host, port, deadline), deadline);
    }

    /* ---------------- Reading -------------- */

    @Override
    public int read(ByteBuffer target) throws IOException {
        return input.read(target, Deadlines.NEVER);
    }

    @Override
    public int read(ByteBuffer target, Duration timeout) throws IOException {
        return input.read(target, Deadlines.of(timeout));
    }

    @Override
    public int tryRead(ByteBuffer target) throws IOException {
        return input.tryRead(target);
    }

    /**
     * Reads what is there into several buffers, one after the other, waiting as {@link #read(ByteBuffer)} does.
     *
     * @param targets where to; without room nothing is read
     * @return how many bytes, or -1 at the end; 0 only if there is no room
     * @throws IOException as {@link #read(ByteBuffer)} does
     */
    @Override
    public long read(ByteBuffer[] targets) throws IOException {
        return read(targets, 0, targets.length);
    }

    /**
     * Reads what is there into some of several buffers, see {@link #read(ByteBuffer[])}.
     *
     * @param targets where to
     * @param offset the first buffer
     * @param length how many buffers
     * @return how many bytes, or -1 at the end; 0 only if there is no room
     * @throws IOException as {@link #read(ByteBuffer)} does
     */
    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        return input.read(targets, offset, length, Deadlines.NEVER);
    }

    /**
     * Reads into several buffers what is there now, as {@link #tryRead(ByteBuffer)} does. Never waits.
     *
     * @param targets where to
     * @return how many bytes; 0 if nothing is there now, or somebody else reads; -1 at the end
     * @throws IOException as {@link #tryRead(ByteBuffer)} does
     */
    public long tryRead(ByteBuffer... targets) throws IOException {
        return input.tryRead(targets, 0, targets.length);
    }

    /**
     * Reads what is there without taking it: the next read gets the same bytes. Waits until at least one byte is there, or the
     * end. Takes turns with reads, and its waits end as theirs do.
     *
     * <p>To see more than one call gave, give more room later: what has come since is added, up to 64 KiB. Until they are read,
     * the bytes are held by the stream, which is readable as long as it has any.
     *
     * @param target where to; its position moves on as with a read; without room nothing is done
     * @return how many bytes, or -1 at the end; 0 only if there is no room
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing was read
     * @throws ClosedChannelException if closed
     * @throws IOException if the connection fails
     */
    public int peek(ByteBuffer target) throws IOException {
        return input.peek(target, Deadlines.NEVER);
    }

    /**
     * Reads what is there without taking it, waiting at most a given time, see {@link #peek(ByteBuffer)}.
     *
     * @param target where to
     * @param timeout the longest wait; zero or negative does not wait
     * @return how many bytes, or -1 at the end; 0 only if there is no room
     * @throws java.net.SocketTimeoutException if none came in time; the interrupt flag is left alone
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing was read
     * @throws ClosedChannelException if closed
     * @throws IOException if the connection fails
     */
    public int peek(ByteBuffer target, Duration timeout) throws IOException {
        return input.peek(target, Deadlines.of(timeout));
    }

    /**
     * Reads what is there now without taking it, see {@link #peek(ByteBuffer)}, if nobody else is reading or waits to. Never
     * waits.
     *
     * @param target where to
     * @return how many bytes; 0 if nothing is there now, or somebody else reads; -1 at the end
     * @throws ClosedChannelException if closed
     * @throws IOException if the connection fails
     */
    public int tryPeek(ByteBuffer target) throws IOException {
        return input.tryPeek(target);
    }

    /* ---------------- Writing -------------- */

    @Override
    public int write(ByteBuffer source) throws IOException {
        return output.write(source);
    }

    @Override
    public void writeAll(ByteBuffer source) throws IOException {
        output.writeAll(source);
    }

    @Override
    public int tryWrite(ByteBuffer source) throws IOException {
        return output.tryWrite(source);
    }

    /**
     * Writes what there is room for from several buffers, one after the other, waiting as {@link #write(ByteBuffer)} does.
     *
     * @param sources what to write; without bytes nothing is written
     * @return how many bytes
     * @throws IOException as {@link #write(ByteBuffer)} does
     */
    @Override
    public long write(ByteBuffer[] sources) throws IOException {
        return write(sources, 0, sources.length);
    }

    /**
     * Writes what there is room for from some of several buffers, see {@link #write(ByteBuffer[])}.
     *
     * @param sources what to write
     * @param offset the first buffer
     * @param length how many buffers
     * @return how many bytes
     * @throws IOException as {@link #write(ByteBuffer)} does
     */
    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        return output.write(sources, offset, length);
    }

    /**
     * Writes all bytes of several buffers, one after the other, as {@link #writeAll(ByteBuffer)} does.
     *
     * @param sources what to write; their positions tell how far it came, however it ends
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; {@code bytesTransferred} of the bytes have
     *     been written, or more, if that is {@link Integer#MAX_VALUE}
     * @throws IOException as {@link #writeAll(ByteBuffer)} does
     */
    public void writeAll(ByteBuffer... sources) throws IOException {
        output.writeAll(sources);
    }

    /**
     * Writes from several buffers what there is room for now, as {@link #tryWrite(ByteBuffer)} does. Never waits.
     *
     * @param sources what to write
     * @return how many bytes; 0 if there is no room now, or somebody else writes
     * @throws IOException as {@link #tryWrite(ByteBuffer)} does
     */
    public long tryWrite(ByteBuffer... sources) throws IOException {
        return output.tryWrite(sources, 0, sources.length);
    }

    /**
     * Writes a part of a file, which the system copies to the socket by itself where it can ({@code sendfile}); the file's
     * position is left alone. Waits for room as often as it takes; nobody else's bytes come between. The disk may be slow, so each
     * step, of up to a megabyte, is a blocking job: for small files it is quicker to read and write.
     *
     * <p>A step that has begun ends with its own result, so that an interrupt closes neither the file nor the stream.
     *
     * @param file open for reading
     * @param position where in the file, at least 0
     * @param count how many bytes, at least 0
     * @return how many bytes were written, fewer than {@code count} only if the file ended
     * @throws InterruptedIOException if interrupted or cancelled between two steps; {@code bytesTransferred} of the bytes have been
     *     written, or more, if that is {@link Integer#MAX_VALUE}
     * @throws ClosedChannelException if the stream is closed, its output shut down, or the file closed
     * @throws IOException if the connection or the file fails
     * @throws java.nio.channels.NonReadableChannelException if the file is not open for reading
     * @throws IllegalArgumentException if an argument is negative
     */
    public long writeFrom(FileChannel file, long position, long count) throws IOException {
        return output.writeFrom(file, position, count);
    }

    @Override
    public void shutdownOutput() throws IOException {
        output.shutdown();
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
        return input.direction.clause();
    }

    /** {@return the same as {@link #clause()}, by a name that goes with {@link #writable()}} */
    @Override
    public Selectable<@Nullable Void> readable() {
        return input.direction.clause();
    }

    /**
     * {@return that there may be room to write, to be selected on} Nothing is written by it: use {@link #tryWrite} then, which
     * writes nothing if there is no room after all. All who wait are woken, writers and selects alike. Ready also once the
     * connection has failed, is closed or its runtime shut down; writing then tells.
     */
    @Override
    public Selectable<@Nullable Void> writable() {
        return output.direction.clause();
    }

    /**
     * Waits until there may be something to read, without taking a turn: then no buffer is needed before. See {@link #readable()}
     * for what it may mean, and what else ends it.
     *
     * @throws InterruptedIOException if interrupted or cancelled while it would wait
     * @throws ClosedChannelException if closed
     * @throws IOException if the runtime is shut down
     */
    public void awaitReadable() throws IOException {
        input.direction.awaitReady(Deadlines.NEVER);
    }

    /**
     * Waits until there may be something to read, at most a given time, see {@link #awaitReadable()}.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @throws java.net.SocketTimeoutException if nothing came in time; the interrupt flag is left alone
     * @throws InterruptedIOException if interrupted or cancelled while it would wait
     * @throws ClosedChannelException if closed
     * @throws IOException if the runtime is shut down
     */
    public void awaitReadable(Duration timeout) throws IOException {
        if (!input.direction.awaitReady(Deadlines.of(timeout))) {
            throw Deadlines.passed("a wait for something to read from " + this);
        }
    }

    /**
     * Waits until there may be room to write, without taking a turn. See {@link #writable()} for what it may mean, and what else
     * ends it.
     *
     * @throws InterruptedIOException if interrupted or cancelled while it would wait
     * @throws ClosedChannelException if closed
     * @throws IOException if the runtime is shut down
     */
    public void awaitWritable() throws IOException {
        output.direction.awaitReady(Deadlines.NEVER);
    }

    /**
     * Waits until there may be room to write, at most a given time, see {@link #awaitWritable()}.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @throws java.net.SocketTimeoutException if there was no room in time; the interrupt flag is left alone
     * @throws InterruptedIOException if interrupted or cancelled while it would wait
     * @throws ClosedChannelException if closed
     * @throws IOException if the runtime is shut down
     */
    public void awaitWritable(Duration timeout) throws IOException {
        if (!output.direction.awaitReady(Deadlines.of(timeout))) {
            throw Deadlines.passed("a wait for room to write to " + this);
        }
    }

    /** {@return what the driver knows of the connection, for tests} */
    Readiness readiness() {
        return readiness;
    }

    /* ---------------- Options, addresses, the end -------------- */

    @Override
    public <T> T option(SocketOption<T> option) throws IOException {
        return SocketOptions.get(channel, option);
    }

    @Override
    public <T> void option(SocketOption<T> option, T value) throws IOException {
        SocketOptions.set(channel, option, value);
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        return channel.supportedOptions();
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

    /**
     * Closes the connection and tells the peer that it has failed: what was not sent yet is dropped, and the peer sees a reset.
     * Otherwise as {@link #close()}.
     *
     * @throws IOException if the system reports an error; the stream is closed nevertheless
     */
    public void closeWithReset() throws IOException {
        try {
            if (isOpen()) {
                resetOnClose(true);
            }
        } finally {
            close();
        }
    }

    @Override
    public String toString() {
        return Addresses.text(localAddress) + " -> " + Addresses.text(peerAddress);
    }
}
