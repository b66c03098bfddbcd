package dev.kumihimo.net;

import dev.kumihimo.internal.stream.Deadlines;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnsupportedAddressTypeException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A TCP socket that is neither connected nor listening yet, to be given options and a local address first.
 *
 * <pre>{@code
 * try (var socket = TcpSocket.v4()) {
 *     socket.reuseAddress(true);
 *     socket.noDelay(true);
 *     socket.bind(new InetSocketAddress("0.0.0.0", 9090));
 *     listener = socket.listen(1024);
 * }
 * }</pre>
 *
 * <p>{@link #connect(SocketAddress) connect} and {@link #listen} make something else of it, whether they succeed or fail: after
 * that it is closed, and closing it again harms nobody. It has to be closed if neither was called. A {@link #bind} that fails
 * closes it too.
 *
 * <p>It is for one thread at a time. To end a connect under way, interrupt or cancel who waits in it.
 *
 * @since 0.1
 */
public final class TcpSocket implements TcpOptions, AutoCloseable {
    /** Until it is taken over or closed. */
    private final AtomicReference<@Nullable SocketChannel> open;

    private final @Nullable ProtocolFamily family;
    private final Set<SocketOption<?>> supported;

    /** What was set: listening needs another kind of channel, to which it is carried over. */
    private final Map<SocketOption<?>, Object> chosen = new LinkedHashMap<>();

    private TcpSocket(@Nullable ProtocolFamily family) throws IOException {
        this.family = family;
        SocketChannel channel = family == null ? SocketChannel.open() : SocketChannel.open(family);
        this.open = new AtomicReference<>(channel);
        this.supported = channel.supportedOptions();
    }

    /**
     * {@return a socket for addresses of IPv4 only}
     *
     * @throws IOException if the system has no descriptors left
     */
    public static TcpSocket v4() throws IOException {
        return new TcpSocket(StandardProtocolFamily.INET);
    }

    /**
     * {@return a socket for addresses of IPv6, which takes those of IPv4 too, as mapped ones}
     *
     * @throws UnsupportedOperationException if the system has no IPv6, or the JDK was told not to use it
     * @throws IOException if the system has no descriptors left
     */
    public static TcpSocket v6() throws IOException {
        return new TcpSocket(StandardProtocolFamily.INET6);
    }

    /**
     * {@return a socket for all addresses that the system has}
     *
     * @throws IOException if the system has no descriptors left
     */
    public static TcpSocket open() throws IOException {
        return new TcpSocket(null);
    }

    /* ---------------- Options -------------- */

    @Override
    public <T> T option(SocketOption<T> option) throws IOException {
        return SocketOptions.get(channel(), option);
    }

    @Override
    public <T> void option(SocketOption<T> option, T value) throws IOException {
        SocketOptions.set(channel(), option, value);
        chosen.put(option, value);
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        return supported;
    }

    /**
     * Sets whether a bind takes an address on which connections of an earlier socket are still ending ({@code SO_REUSEADDR}).
     * What is so by itself depends on the system.
     *
     * @param on whether
     * @throws IOException if closed, or the system refuses
     */
    public void reuseAddress(boolean on) throws IOException {
        option(StandardSocketOptions.SO_REUSEADDR, on);
    }

    /**
     * {@return whether a bind takes an address on which connections of an earlier socket are still ending}
     *
     * @throws IOException if closed
     */
    public boolean reuseAddress() throws IOException {
        return option(StandardSocketOptions.SO_REUSEADDR);
    }

    /**
     * Sets whether several sockets may be bound to one address ({@code SO_REUSEPORT}), all of which have to say so; on Linux
     * connections are then spread over those that listen. Off unless set.
     *
     * @param on whether
     * @throws UnsupportedOperationException if it cannot be had here
     * @throws IOException if closed, or the system refuses
     */
    public void reusePort(boolean on) throws IOException {
        option(StandardSocketOptions.SO_REUSEPORT, on);
    }

    /**
     * {@return whether several sockets may be bound to one address}
     *
     * @throws UnsupportedOperationException if it cannot be had here
     * @throws IOException if closed
     */
    public boolean reusePort() throws IOException {
        return option(StandardSocketOptions.SO_REUSEPORT);
    }

    /* ---------------- Becoming something -------------- */

    /**
     * Gives the socket its local address. Never waits.
     *
     * @param address an {@link InetSocketAddress} of this machine, which is looked up already; with port 0 for any free one
     * @throws java.net.BindException if it is in use or not this machine's; it names the address, and the socket is closed
     * @throws java.nio.channels.AlreadyBoundException if it has an address
     * @throws ClosedChannelException if closed, connected or listening
     * @throws IOException if the system refuses; the socket is closed
     * @throws IllegalArgumentException if it is an address of another kind or family
     */
    public void bind(SocketAddress address) throws IOException {
        InetSocketAddress local = Addresses.resolved(address);
        SocketChannel channel = channel();
        try {
            channel.bind(local);
        } catch (UnsupportedAddressTypeException e) {
            throw wrongFamily(local, e);
        } catch (SocketException e) {
            close();
            throw Addresses.at("cannot bind to " + Addresses.text(local), e);
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    /**
     * {@return the local address, or null if it has none yet}
     *
     * @throws ClosedChannelException if closed, connected or listening
     * @throws IOException if the system refuses
     */
    public @Nullable InetSocketAddress localAddress() throws IOException {
        return (InetSocketAddress) channel().getLocalAddress();
    }

    /**
     * Connects to an address, waiting for as long as the system tries. This socket is closed then, however it ends.
     *
     * @param address an {@link InetSocketAddress} that is looked up already, see {@link NameLookup}
     * @return the connection, a socket of the caller's runtime
     * @throws java.net.ConnectException if the address refuses; it names the address
     * @throws java.io.InterruptedIOException if interrupted or cancelled; nothing is left of it
     * @throws ClosedChannelException if closed, connected or listening
     * @throws IOException if the address cannot be reached, or the runtime is shut down
     * @throws IllegalArgumentException if it is an address of another kind, or not looked up
     */
    public TcpStream connect(SocketAddress address) throws IOException {
        return connectBefore(Addresses.resolved(address), Deadlines.NEVER);
    }

    /**
     * Connects to an address, waiting at most a given time. This socket is closed then, however it ends.
     *
     * @param address an {@link InetSocketAddress} that is looked up already, see {@link NameLookup}
     * @param timeout the longest wait; zero or negative does not wait
     * @return the connection, a socket of the caller's runtime
     * @throws java.net.SocketTimeoutException if it took longer; nothing is left of it, and the interrupt flag is left alone
     * @throws java.net.ConnectException if the address refuses; it names the address
     * @throws java.io.InterruptedIOException if interrupted or cancelled; nothing is left of it
     * @throws ClosedChannelException if closed, connected or listening
     * @throws IOException if the address cannot be reached, or the runtime is shut down
     * @throws IllegalArgumentException if it is an address of another kind, or not looked up
     */
    public TcpStream connect(SocketAddress address, Duration timeout) throws IOException {
        return connectBefore(Addresses.resolved(address), Deadlines.of(timeout));
    }

    private TcpStream connectBefore(InetSocketAddress address, long deadline) throws IOException {
        return Connector.connect(taken(), address, deadline);
    }

    /**
     * Listens at the local address, or without one at any free port of all addresses. This socket is closed then, however it
     * ends. Its options go to the listener, or where a listener has no such option, to each connection that it accepts. Never
     * waits.
     *
     * <p>The JDK has another kind of channel for it, which takes the address over: on Linux without a gap, elsewhere perhaps with
     * one in which another process may take the port; then it fails.
     *
     * @param backlog how many connections the system holds that were not accepted yet, at least 1; it lowers that to what it
     *     allows
     * @return the listener, a socket of the caller's runtime
     * @throws java.net.BindException if another socket listens at the address; it names the address
     * @throws ClosedChannelException if closed, connected or listening
     * @throws IOException if the system refuses, or the runtime is shut down
     * @throws IllegalArgumentException if the backlog is out of range
     */
    public TcpListener listen(int backlog) throws IOException {
        SocketOptions.check("backlog", backlog, 1, Integer.MAX_VALUE);
        try (SocketChannel reserved = taken()) {
            return TcpListener.inPlaceOf(reserved, family, backlog, chosen);
        }
    }

    /** Closes the socket if nothing was made of it. Never waits. Idempotent. */
    @Override
    public void close() throws IOException {
        SocketChannel channel = open.getAndSet(null);
        if (channel != null) {
            channel.close();
        }
    }

    private SocketChannel channel() throws ClosedChannelException {
        SocketChannel channel = open.get();
        if (channel == null) {
            throw new ClosedChannelException();
        }
        return channel;
    }

    private SocketChannel taken() throws ClosedChannelException {
        SocketChannel channel = open.getAndSet(null);
        if (channel == null) {
            throw new ClosedChannelException();
        }
        return channel;
    }

    private IllegalArgumentException wrongFamily(InetSocketAddress address, UnsupportedAddressTypeException cause) {
        return new IllegalArgumentException(
                "address=" + Addresses.text(address) + " must be one of " + (family == null ? "this system" : family),
                cause);
    }

    @Override
    public String toString() {
        SocketChannel channel = open.get();
        try {
            SocketAddress local = channel == null ? null : channel.getLocalAddress();
            return "TcpSocket[" + (local == null ? "" : Addresses.text(local) + ", ")
                    + (channel == null ? "closed]" : "open]");
        } catch (IOException e) {
            return "TcpSocket[closed]";
        }
    }
}
