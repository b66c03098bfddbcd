package dev.kumihimo.net;

import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.channels.NetworkChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A TCP socket that takes connections.
 *
 * <pre>{@code
 * try (var listener = TcpListener.bind("127.0.0.1", 9090)) {
 *     while (true) {
 *         TcpStream session = listener.accept();
 *         Task.spawn(() -> {
 *             try (session) {
 *                 serve(session);
 *             }
 *         });
 *     }
 * }
 * }</pre>
 *
 * <p>Any thread may call any method; several tasks may accept at once and are served in the order of their calls.
 *
 * <p><b>Interruption and cancellation.</b> An {@code accept} that is interrupted, cancelled or out of time leaves the
 * listener open and takes no connection: the next one gets it. See {@link dev.kumihimo.io.ByteStream} for the exception and
 * the interrupt flag.
 *
 * <p><b>Closing</b> frees the port before it returns (for which it waits up to 10 s, if the runtime's carriers are given no
 * processor), and ends the waits of other threads with
 * {@link java.nio.channels.AsynchronousCloseException}. Sessions that were accepted live on. A listener whose runtime is shut
 * down throws {@link IOException}; it still has to be closed.
 *
 * @since 0.1
 */
public final class TcpListener extends ChannelListener<TcpStream> {
    private final InetSocketAddress localAddress;

    /** Options of the connections that a listening channel of the JDK does not have itself. */
    private final Map<SocketOption<?>, Object> inherited;

    private TcpListener(ServerSocketChannel channel, Map<SocketOption<?>, Object> inherited) throws IOException {
        super(channel);
        this.inherited = inherited;
        this.localAddress = (InetSocketAddress) channel.getLocalAddress();
    }

    /**
     * Listens at a host's port, with a backlog of 4096 and {@code SO_REUSEADDR}; see {@link TcpSocket} for others. A name is looked up on the blocking pool, and the first of its addresses that can be had is
     * taken.
     *
     * @param host a name or a literal address of this machine; {@code "0.0.0.0"} or {@code "::"} for all
     * @param port 1 to 65535, or 0 for any free one
     * @return the listener
     * @throws java.net.BindException if the last address is in use or not this machine's; it names the address
     * @throws java.net.UnknownHostException if the name has no address
     * @throws java.io.InterruptedIOException if interrupted or cancelled during the lookup
     * @throws IOException if the system has no descriptors left, or the runtime is shut down
     * @throws IllegalArgumentException if the port is out of range
     */
    public static TcpListener bind(String host, int port) throws IOException {
        return Addresses.first(NameLookup.resolve(host, port), TcpListener::listen);
    }

    /**
     * Listens at an address, see {@link #bind(String, int)}.
     *
     * @param address an {@link InetSocketAddress}; if it is unresolved, its name is looked up
     * @return the listener
     * @throws java.net.BindException if the address is in use or not this machine's; it names the address
     * @throws java.net.UnknownHostException if the name has no address
     * @throws java.io.InterruptedIOException if interrupted or cancelled during the lookup
     * @throws IOException if the system has no descriptors left, or the runtime is shut down
     * @throws IllegalArgumentException if it is an address of another kind
     */
    public static TcpListener bind(SocketAddress address) throws IOException {
        InetSocketAddress internet = Addresses.internet(address);
        return internet.isUnresolved() ? bind(internet.getHostString(), internet.getPort()) : listen(internet);
    }

    private static TcpListener listen(InetSocketAddress address) throws IOException {
        ServerSocketChannel channel = ServerSocketChannel.open();
        try {
            channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            channel.configureBlocking(false);
            channel.bind(address, BACKLOG);
            return new TcpListener(channel, Map.of());
        } catch (SocketException e) {
            channel.close();
            throw Addresses.at("cannot listen on " + Addresses.text(address), e);
        } catch (Throwable e) {
            channel.close();
            throw e;
        }
    }

    /**
     * Listens where another channel is bound, which is closed then. Both are bound for a moment, which systems allow that let
     * sockets share an address as long as none of them listens; else the other one goes first.
     *
     * @param reserved bound, or not: then any free port is taken
     * @param chosen options that were set on it
     */
    static TcpListener inPlaceOf(
            SocketChannel reserved, @Nullable ProtocolFamily family, int backlog, Map<SocketOption<?>, Object> chosen)
            throws IOException {
        SocketAddress address = reserved.getLocalAddress();
        boolean reuse = reserved.getOption(StandardSocketOptions.SO_REUSEADDR);
        ServerSocketChannel channel = family == null ? ServerSocketChannel.open() : ServerSocketChannel.open(family);
        try {
            Map<SocketOption<?>, Object> inherited = new LinkedHashMap<>();
            for (Map.Entry<SocketOption<?>, Object> option : chosen.entrySet()) {
                if (channel.supportedOptions().contains(option.getKey())) {
                    set(channel, option.getKey(), option.getValue());
                } else {
                    inherited.put(option.getKey(), option.getValue());
                }
            }
            channel.configureBlocking(false);
            bindInPlaceOf(reserved, channel, address, backlog);
            channel.setOption(StandardSocketOptions.SO_REUSEADDR, reuse);
            return new TcpListener(channel, inherited);
        } catch (SocketException e) {
            channel.close();
            throw Addresses.at("cannot listen on " + Addresses.text(address), e);
        } catch (Throwable e) {
            channel.close();
            throw e;
        }
    }

    private static void bindInPlaceOf(
            SocketChannel reserved, ServerSocketChannel channel, @Nullable SocketAddress address, int backlog)
            throws IOException {
        channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
        if (address != null) {
            reserved.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            try {
                channel.bind(address, backlog);
                return;
            } catch (BindException e) {
                // this system does not let them share it; or somebody else listens, which the second try tells
            } finally {
                reserved.close();
            }
        }
        channel.bind(address, backlog);
    }

    @SuppressWarnings("unchecked") // it was set with this value before, so its type is that
    private static <T> void set(NetworkChannel channel, SocketOption<T> option, Object value) throws IOException {
        channel.setOption(option, (T) value);
    }

    @Override
    TcpStream adopt(SocketChannel accepted) throws IOException {
        for (Map.Entry<SocketOption<?>, Object> option : inherited.entrySet()) {
            try {
                set(accepted, option.getKey(), option.getValue());
            } catch (IOException e) {
                break; // it has been reset already: whoever uses it is told
            }
        }
        return TcpStream.adopt(accepted);
    }

    @Override
    String where() {
        return Addresses.text(localAddress);
    }

    @Override
    public String peerName(TcpStream connection) {
        return Addresses.text(connection.peerAddress());
    }

    /** {@return where it listens, with the port that a bind to port 0 has found} */
    public InetSocketAddress localAddress() {
        return localAddress;
    }

    @Override
    public String toString() {
        return "TcpListener[" + Addresses.text(localAddress) + (channel.isOpen() ? "]" : ", closed]");
    }
}
