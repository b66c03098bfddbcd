package dev.kumihimo.net;

import dev.kumihimo.internal.driver.Readiness;
import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.io.ByteStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.Set;

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
 * What reads into several buffers, or writes from several, waits and takes turns as with one: it fills or empties the first
 * before the next.
 *
 * <p><b>Errors.</b> What goes wrong with the connection, such as a reset by the peer, is a
 * {@link java.net.SocketException} whose message names both addresses. A stream whose runtime is shut down throws
 * {@link IOException}.
 *
 * @since 0.1
 */
public final class TcpStream extends ChannelStream implements TcpOptions {
    private final InetSocketAddress localAddress;
    private final InetSocketAddress peerAddress;

    /** Of a connected channel, whose owner closes it if this fails. */
    TcpStream(SocketChannel channel, Readiness readiness) throws IOException {
        super(channel, readiness);
        this.localAddress = (InetSocketAddress) channel.getLocalAddress();
        this.peerAddress = (InetSocketAddress) channel.getRemoteAddress();
    }

    /* ---------------- Connecting -------------- */

    /** Takes over a connected channel, which it closes if it fails. */
    static TcpStream adopt(SocketChannel connected) throws IOException {
        return adopt(connected, TcpStream::new);
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

    /**
     * Connects to the first of several addresses that takes it, waiting for as long as the system tries; in which order, see
     * {@link #connect(String, int)}.
     *
     * @param addresses at least one, looked up already, with ports of 1 to 65535
     * @return the connection, a socket of the caller's runtime
     * @throws java.net.ConnectException if all addresses refuse; it names each, with the exceptions of all as suppressed ones
     * @throws InterruptedIOException if interrupted or cancelled; nothing is left of it
     * @throws IOException if none can be reached, the system has no descriptors left, or the runtime is shut down
     * @throws IllegalArgumentException if there is no address, or one that is not looked up
     */
    public static TcpStream connect(List<InetSocketAddress> addresses) throws IOException {
        return Connector.connect(Addresses.resolved(addresses), Deadlines.NEVER);
    }

    /**
     * Connects to the first of several addresses that takes it, waiting at most a given time for all attempts together, see
     * {@link #connect(List)}.
     *
     * @param addresses at least one, looked up already, with ports of 1 to 65535
     * @param timeout the longest wait; zero or negative does not wait
     * @return the connection, a socket of the caller's runtime
     * @throws java.net.SocketTimeoutException if it took longer; nothing is left of it, and the interrupt flag is left alone
     * @throws java.net.ConnectException if all addresses refuse; it names each, with the exceptions of all as suppressed ones
     * @throws InterruptedIOException if interrupted or cancelled; nothing is left of it
     * @throws IOException if none can be reached, the system has no descriptors left, or the runtime is shut down
     * @throws IllegalArgumentException if there is no address, or one that is not looked up
     */
    public static TcpStream connect(List<InetSocketAddress> addresses, Duration timeout) throws IOException {
        return Connector.connect(Addresses.resolved(addresses), Deadlines.of(timeout));
    }

    private static TcpStream connectBefore(InetSocketAddress address, long deadline) throws IOException {
        return address.isUnresolved()
                ? connectBefore(NameLookup.SYSTEM, address.getHostString(), address.getPort(), deadline)
                : Connector.connect(List.of(address), deadline);
    }

    static TcpStream connectBefore(NameLookup lookup, String host, int port, long deadline) throws IOException {
        NameLookup.checkPort(port, 1);
        String target = Addresses.text(InetSocketAddress.createUnresolved(host, port));
        return Connector.connect(target, lookup.resolveBefore(host, port, deadline), deadline);
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
