package dev.kumihimo.net;

import dev.kumihimo.internal.driver.Driver;
import dev.kumihimo.internal.driver.Readiness;
import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.ProtocolFamily;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.SelectionKey;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: as ChannelStream, by datagrams; receiving is in DatagramInput.
 *
 * Fields: localAddress, peerAddress: written in the turn to send, read by anybody. So who sends has the peer of before or that
 * of after, and never none in between. Receivers have another turn, and may get what comes in between.
 *
 * Empty datagrams: a connected DatagramChannel sends none, and says nothing (IOUtil.write returns before the system call, in
 * Java 21 to 27). Of one that is not connected 0 means that it was sent, or that there was no room.
 *
 * Cancellation: all waits come before the system call whose result is returned.
 */

/**
 * A UDP socket: it sends datagrams and receives them, to and from one peer if it is connected, else everybody.
 *
 * <pre>{@code
 * try (var socket = UdpSocket.bind("0.0.0.0", 5353)) {
 *     ByteBuffer buffer = ByteBuffer.allocate(1500);
 *     while (true) {
 *         Datagram question = socket.receive(buffer.clear());
 *         socket.sendTo(answer(buffer.flip()), question.sender());
 *     }
 * }
 * }</pre>
 *
 * <p>Any thread may call any method. One thread may receive while another sends; several that receive, or several that send,
 * take turns in the order of their calls, and each datagram is received once. A buffer belongs to the call until that returns.
 *
 * <p><b>Datagrams</b> are sent and received whole. They may be lost, doubled or overtaken on their way, and are lost when the
 * receiver's system has no room for them. One that is longer than the room in the receiver's buffer loses the bytes beyond it,
 * and {@link Datagram#truncated()} tells. An empty one is legal, and is received as one of length 0; the JDK cannot send one by
 * a connected socket.
 *
 * <p><b>Interruption and cancellation.</b> A wait that is interrupted or cancelled throws
 * {@link java.io.InterruptedIOException}, as in {@link dev.kumihimo.io.ByteStream}. The socket stays open, and no datagram was
 * taken or sent.
 *
 * <p><b>Errors</b> are {@link SocketException}s whose message names the addresses. If the peer of a connected socket tells that
 * nobody listens there, the next call that sends or receives throws {@link java.net.PortUnreachableException}: it is an earlier
 * datagram that was lost. The socket stays usable after that, as after most errors. A socket whose runtime is shut down throws
 * {@link IOException}.
 *
 * <p><b>Closing</b> frees the port before it returns (for which it waits up to 10 s, if the runtime's carriers are given no
 * processor), and ends the waits of other threads with {@link java.nio.channels.AsynchronousCloseException}; what is called
 * later throws {@link java.nio.channels.ClosedChannelException}.
 *
 * <p><b>Multicast</b> groups of IPv4 are joined by a socket that is bound to an IPv4 address, such as {@code "0.0.0.0"}, those
 * of IPv6 by one that is bound to an IPv6 address, such as {@code "::"}.
 *
 * @since 0.1
 */
public final class UdpSocket extends UdpOptions implements Selectable<@Nullable Void>, AutoCloseable {
    /** More than any datagram carries: its length field has 16 bits, and counts headers too. */
    static final int LARGEST = 65_535;

    private final ProtocolFamily family;
    private final Readiness readiness;
    private final DatagramInput input;
    private final Direction output;
    private volatile InetSocketAddress localAddress;
    private volatile @Nullable InetSocketAddress peerAddress;

    private UdpSocket(DatagramChannel channel, ProtocolFamily family) throws IOException {
        super(channel);
        this.family = family;
        this.localAddress = (InetSocketAddress) channel.getLocalAddress();
        this.readiness = Driver.current().register(channel);
        this.input = new DatagramInput(this, channel, readiness);
        this.output = new Direction(channel, readiness, SelectionKey.OP_WRITE);
        if (Points.ON) {
            Points.made(this, aborted -> channel.isOpen() ? "not closed" : null);
        }
    }

    /* ---------------- Binding -------------- */

    /**
     * Makes a socket at a host's port. A name is looked up on the blocking pool, and the first of its addresses that can be
     * had is taken.
     *
     * @param host a name or a literal address of this machine; {@code "0.0.0.0"} for all of IPv4, {@code "::"} for all
     * @param port 1 to 65535, or 0 for any free one
     * @return the socket, one of the caller's runtime
     * @throws java.net.BindException if the last address is in use or not this machine's; it names the address
     * @throws java.net.UnknownHostException if the name has no address
     * @throws java.io.InterruptedIOException if interrupted or cancelled during the lookup
     * @throws IOException if the system has no descriptors left, or the runtime is shut down
     * @throws IllegalArgumentException if the port is out of range
     */
    public static UdpSocket bind(String host, int port) throws IOException {
        return builder().bind(host, port);
    }

    /**
     * Makes a socket at an address, see {@link #bind(String, int)}.
     *
     * @param address an {@link InetSocketAddress}; if it is unresolved, its name is looked up
     * @return the socket, one of the caller's runtime
     * @throws java.net.BindException if the address is in use or not this machine's; it names the address
     * @throws java.net.UnknownHostException if the name has no address
     * @throws java.io.InterruptedIOException if interrupted or cancelled during the lookup
     * @throws IOException if the system has no descriptors left, or the runtime is shut down
     * @throws IllegalArgumentException if it is an address of another kind
     */
    public static UdpSocket bind(SocketAddress address) throws IOException {
        return builder().bind(address);
    }

    /** {@return a builder of sockets, for what has to be set before binding} */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * What has to be set before a socket is bound. May be used for many sockets; not by many threads at once.
     *
     * <pre>{@code
     * UdpSocket socket = UdpSocket.builder().reuseAddress(true).receiveBuffer(1 << 20).bind("0.0.0.0", 5353);
     * }</pre>
     *
     * @since 0.1
     */
    public static final class Builder {
        private final Map<SocketOption<?>, Object> options = new LinkedHashMap<>();

        private Builder() {}

        /**
         * Sets whether others may bind to the same address ({@code SO_REUSEADDR}): on Linux several sockets that have all set
         * it share a port, each gets the datagrams of its multicast groups, and the last one bound gets all others. Off unless
         * set.
         *
         * @param on whether
         * @return this
         */
        public Builder reuseAddress(boolean on) {
            return option(StandardSocketOptions.SO_REUSEADDR, on);
        }

        /**
         * Sets whether the sockets of one user may share a port and have its datagrams dealt out among them by sender
         * ({@code SO_REUSEPORT}). Off unless set; not on every system.
         *
         * @param on whether
         * @return this
         */
        public Builder reusePort(boolean on) {
            return option(StandardSocketOptions.SO_REUSEPORT, on);
        }

        /**
         * Sets how much the system holds of what was not received yet ({@code SO_RCVBUF}). It takes it as a hint; Linux reports
         * the double.
         *
         * @param bytes at least 1
         * @return this
         */
        public Builder receiveBuffer(int bytes) {
            return option(StandardSocketOptions.SO_RCVBUF, UdpOptions.atLeastOne("receiveBuffer", bytes));
        }

        /**
         * Sets any option.
         *
         * @param option which
         * @param value its value
         * @param <T> its type
         * @return this
         */
        public <T> Builder option(SocketOption<T> option, T value) {
            options.put(option, value);
            return this;
        }

        /**
         * Makes a socket at a host's port, see {@link UdpSocket#bind(String, int)}.
         *
         * @param host a name or a literal address of this machine
         * @param port 1 to 65535, or 0 for any free one
         * @return the socket, one of the caller's runtime
         * @throws java.net.BindException if the last address is in use or not this machine's; it names the address
         * @throws java.net.UnknownHostException if the name has no address
         * @throws java.io.InterruptedIOException if interrupted or cancelled during the lookup
         * @throws IOException if the system has no descriptors left, or the runtime is shut down
         * @throws IllegalArgumentException if the port is out of range
         * @throws UnsupportedOperationException if the system does not have one of the options
         */
        public UdpSocket bind(String host, int port) throws IOException {
            return Addresses.first(NameLookup.resolve(host, port), this::open);
        }

        /**
         * Makes a socket at an address, see {@link UdpSocket#bind(SocketAddress)}.
         *
         * @param address an {@link InetSocketAddress}; if it is unresolved, its name is looked up
         * @return the socket, one of the caller's runtime
         * @throws java.net.BindException if the address is in use or not this machine's; it names the address
         * @throws java.net.UnknownHostException if the name has no address
         * @throws java.io.InterruptedIOException if interrupted or cancelled during the lookup
         * @throws IOException if the system has no descriptors left, or the runtime is shut down
         * @throws IllegalArgumentException if it is an address of another kind
         * @throws UnsupportedOperationException if the system does not have one of the options
         */
        public UdpSocket bind(SocketAddress address) throws IOException {
            InetSocketAddress internet = Addresses.internet(address);
            return internet.isUnresolved() ? bind(internet.getHostString(), internet.getPort()) : open(internet);
        }

        private UdpSocket open(InetSocketAddress address) throws IOException {
            ProtocolFamily family = address.getAddress() instanceof Inet6Address
                    ? StandardProtocolFamily.INET6
                    : StandardProtocolFamily.INET;
            DatagramChannel channel = DatagramChannel.open(family);
            try {
                channel.configureBlocking(false);
                for (Map.Entry<SocketOption<?>, Object> option : options.entrySet()) {
                    setUnchecked(channel, option.getKey(), option.getValue());
                }
                channel.bind(address);
                return new UdpSocket(channel, family);
            } catch (SocketException e) {
                channel.close();
                throw Addresses.at("cannot bind to " + Addresses.text(address), e);
            } catch (Throwable e) {
                channel.close();
                throw e;
            }
        }

        /** The two belong together: {@link #option} has put them in. */
        @SuppressWarnings("unchecked")
        private static <T> void setUnchecked(DatagramChannel channel, SocketOption<T> option, Object value)
                throws IOException {
            channel.setOption(option, (T) value);
        }
    }

    /* ---------------- Connecting -------------- */

    /**
     * Makes a host's port the peer: from now on only its datagrams are received, {@link #send} sends to it, and errors that it
     * reports are thrown. No datagram is sent by that, so it cannot tell whether anybody is there. A name is looked up on the
     * blocking pool, and the first of its addresses that this socket can send to is taken. That is waited for, and then for
     * those who send.
     * What came before and was not received is dropped, unless it was peeked at and is from the peer. A socket that is connected
     * already changes its peer: a {@link #send} goes to the one before or to the new one. In the moment between the two the
     * socket has none, so that a receive may get a datagram of somebody else; {@link Datagram#sender()} tells.
     *
     * @param host a name or a literal address
     * @param port 1 to 65535
     * @throws java.net.UnknownHostException if the name has no address
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing has changed
     * @throws java.nio.channels.ClosedChannelException if closed
     * @throws IOException if there is no way to the address; the socket may have no peer then
     * @throws IllegalArgumentException if the port is out of range
     */
    public void connect(String host, int port) throws IOException {
        NameLookup.checkPort(port, 1);
        Addresses.first(NameLookup.resolve(host, port), this::connectTo);
    }

    /**
     * Makes an address the peer, see {@link #connect(String, int)}.
     *
     * @param address an {@link InetSocketAddress}; if it is unresolved, its name is looked up
     * @throws java.net.UnknownHostException if the name has no address
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing has changed
     * @throws java.nio.channels.ClosedChannelException if closed
     * @throws IOException if there is no way to the address; the socket may have no peer then
     * @throws IllegalArgumentException if it is an address of another kind
     */
    public void connect(SocketAddress address) throws IOException {
        InetSocketAddress internet = Addresses.internet(address);
        if (internet.isUnresolved()) {
            connect(internet.getHostString(), internet.getPort());
        } else {
            connectTo(internet);
        }
    }

    private UdpSocket connectTo(InetSocketAddress address) throws IOException {
        output.ensureOpen();
        ensureReachable(address);
        try (Permit turn = turnToSend()) {
            disconnectNow();
            channel.connect(address);
            peerAddress = address;
            localAddress = (InetSocketAddress) channel.getLocalAddress();
        } catch (SocketException e) {
            throw Addresses.at("cannot connect " + this + " to " + Addresses.text(address), e);
        }
        return this;
    }

    /**
     * Leaves the peer: everybody's datagrams are received again. Waits for those who send. Without effect on a socket that has
     * none.
     *
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing has changed
     * @throws java.nio.channels.ClosedChannelException if closed
     * @throws IOException if the system reports an error
     */
    public void disconnect() throws IOException {
        try (Permit turn = turnToSend()) {
            disconnectNow();
        }
    }

    private void disconnectNow() throws IOException {
        if (peerAddress != null) {
            peerAddress = null;
            channel.disconnect();
            localAddress = (InetSocketAddress) channel.getLocalAddress();
        }
    }

    /** {@return the turn to send, at once if nobody sends, so that an interrupt does not matter then} */
    private Permit turnToSend() throws IOException {
        Permit free = output.tryEnter();
        return free == null ? output.enter(Deadlines.NEVER) : free;
    }

    /* ---------------- Receiving -------------- */

    /**
     * Receives the next datagram, waiting for one. Those who wait are served first come, first served.
     *
     * @param target where to; what does not fit is lost
     * @return who sent it, its length, and whether it fitted
     * @throws java.net.PortUnreachableException if the peer has told that nobody received an earlier datagram
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; no datagram was taken
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed before
     * @throws IOException if the system reports another error
     */
    public Datagram receive(ByteBuffer target) throws IOException {
        return input.takeBefore(target, false, Deadlines.NEVER);
    }

    /**
     * Receives the next datagram, waiting at most a given time for one.
     *
     * @param target where to; what does not fit is lost
     * @param timeout the longest wait; zero or negative does not wait
     * @return who sent it, its length, and whether it fitted
     * @throws java.net.SocketTimeoutException if none came in time; the interrupt flag is left alone
     * @throws java.net.PortUnreachableException if the peer has told that nobody received an earlier datagram
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; no datagram was taken
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed before
     * @throws IOException if the system reports another error
     */
    public Datagram receive(ByteBuffer target, Duration timeout) throws IOException {
        return input.takeBefore(target, false, Deadlines.of(timeout));
    }

    /**
     * Receives the next datagram if there is one now, and nobody else is receiving or waits to. Never waits.
     *
     * @param target where to; what does not fit is lost
     * @return who sent it, its length, and whether it fitted; or null
     * @throws java.net.PortUnreachableException if the peer has told that nobody received an earlier datagram
     * @throws java.nio.channels.ClosedChannelException if closed
     * @throws IOException if the system reports another error
     */
    public @Nullable Datagram tryReceive(ByteBuffer target) throws IOException {
        return input.tryTake(target, false);
    }

    /**
     * Copies the next datagram and leaves it there for the next receive or peek, waiting for one. It takes its turn among those
     * who receive. The socket keeps the datagram: it does not count in the system's receive buffer any more.
     *
     * @param target where to; what does not fit is left out, and not lost
     * @return who sent it, how much was copied, and whether that was all
     * @throws java.net.PortUnreachableException if the peer has told that nobody received an earlier datagram
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed before
     * @throws IOException if the system reports another error
     */
    public Datagram peek(ByteBuffer target) throws IOException {
        return input.takeBefore(target, true, Deadlines.NEVER);
    }

    /**
     * Copies the next datagram and leaves it there, waiting at most a given time for one, see {@link #peek(ByteBuffer)}.
     *
     * @param target where to; what does not fit is left out, and not lost
     * @param timeout the longest wait; zero or negative does not wait
     * @return who sent it, how much was copied, and whether that was all
     * @throws java.net.SocketTimeoutException if none came in time; the interrupt flag is left alone
     * @throws java.net.PortUnreachableException if the peer has told that nobody received an earlier datagram
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed before
     * @throws IOException if the system reports another error
     */
    public Datagram peek(ByteBuffer target, Duration timeout) throws IOException {
        return input.takeBefore(target, true, Deadlines.of(timeout));
    }

    /**
     * Copies the next datagram and leaves it there, if there is one now, and nobody else is receiving or waits to. Never waits.
     *
     * @param target where to; what does not fit is left out, and not lost
     * @return who sent it, how much was copied, and whether that was all; or null
     * @throws java.net.PortUnreachableException if the peer has told that nobody received an earlier datagram
     * @throws java.nio.channels.ClosedChannelException if closed
     * @throws IOException if the system reports another error
     */
    public @Nullable Datagram tryPeek(ByteBuffer target) throws IOException {
        return input.tryTake(target, true);
    }

    /* ---------------- Sending -------------- */

    /**
     * Sends a datagram to the peer, waiting until the system has room for it. That it was sent does not mean that it arrives.
     *
     * @param source its bytes, at least one; all of them are sent, or none
     * @throws NotYetConnectedException if the socket has no peer
     * @throws java.net.PortUnreachableException if the peer has told that nobody received an earlier datagram; this one was not
     *     sent
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing was sent
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed before
     * @throws IOException if it is too large, or the system reports another error; it names the length and the addresses
     * @throws IllegalArgumentException if it is empty, which the JDK cannot send by a connected socket
     */
    public void send(ByteBuffer source) throws IOException {
        sendBefore(source, null, Deadlines.NEVER);
    }

    /**
     * Sends a datagram to the peer, waiting at most a given time until the system has room for it, see
     * {@link #send(ByteBuffer)}.
     *
     * @param source its bytes, at least one; all of them are sent, or none
     * @param timeout the longest wait; zero or negative does not wait
     * @throws java.net.SocketTimeoutException if there was no room in time; nothing was sent, and the interrupt flag is left
     *     alone
     * @throws NotYetConnectedException if the socket has no peer
     * @throws IOException as {@link #send(ByteBuffer)} throws it
     * @throws IllegalArgumentException if it is empty, which the JDK cannot send by a connected socket
     */
    public void send(ByteBuffer source, Duration timeout) throws IOException {
        sendBefore(source, null, Deadlines.of(timeout));
    }

    /**
     * Sends a datagram to the peer if the system has room for it now, and nobody else is sending or waits to. Never waits.
     *
     * @param source its bytes, at least one; all of them are sent, or none
     * @return whether it was sent
     * @throws NotYetConnectedException if the socket has no peer
     * @throws IOException as {@link #send(ByteBuffer)} throws it
     * @throws IllegalArgumentException if it is empty, which the JDK cannot send by a connected socket
     */
    public boolean trySend(ByteBuffer source) throws IOException {
        try (Permit turn = output.tryEnter()) {
            return turn != null && sendNow(source, peer());
        }
    }

    /**
     * Sends a datagram, waiting until the system has room for it. That it was sent does not mean that it arrives. An empty one
     * does not wait, but is lost if there is no room.
     *
     * @param source its bytes; all of them are sent, or none
     * @param target an {@link InetSocketAddress}; if it is unresolved, its name is looked up each time, on the blocking pool. Of
     *     a connected socket, the peer
     * @throws java.nio.channels.AlreadyConnectedException if the socket has another peer
     * @throws java.net.UnknownHostException if the target's name has no address
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing was sent
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed before
     * @throws IOException if it is too large, or the system reports another error; it names the length and the addresses
     * @throws IllegalArgumentException if the target is of another kind, or has port 0
     */
    public void sendTo(ByteBuffer source, SocketAddress target) throws IOException {
        sendBefore(source, resolved(target, Deadlines.NEVER), Deadlines.NEVER);
    }

    /**
     * Sends a datagram, waiting at most a given time until the system has room for it, see
     * {@link #sendTo(ByteBuffer, SocketAddress)}.
     *
     * @param source its bytes; all of them are sent, or none
     * @param target an {@link InetSocketAddress}; if it is unresolved, its name is looked up, within the time
     * @param timeout the longest wait; zero or negative does not wait
     * @throws java.net.SocketTimeoutException if there was no room in time; nothing was sent, and the interrupt flag is left
     *     alone
     * @throws java.nio.channels.AlreadyConnectedException if the socket has another peer
     * @throws IOException as {@link #sendTo(ByteBuffer, SocketAddress)} throws it
     * @throws IllegalArgumentException if the target is of another kind, or has port 0
     */
    public void sendTo(ByteBuffer source, SocketAddress target, Duration timeout) throws IOException {
        long deadline = Deadlines.of(timeout);
        sendBefore(source, resolved(target, deadline), deadline);
    }

    /**
     * Sends a datagram if the system has room for it now, and nobody else is sending or waits to. Never waits.
     *
     * @param source its bytes; all of them are sent, or none
     * @param target an {@link InetSocketAddress} that is resolved
     * @return whether it was sent
     * @throws java.nio.channels.AlreadyConnectedException if the socket has another peer
     * @throws IOException as {@link #sendTo(ByteBuffer, SocketAddress)} throws it
     * @throws IllegalArgumentException if the target is unresolved or of another kind, or has port 0
     */
    public boolean trySendTo(ByteBuffer source, SocketAddress target) throws IOException {
        InetSocketAddress internet = Addresses.resolved(target); // a lookup would wait
        try (Permit turn = output.tryEnter()) {
            return turn != null && sendNow(source, internet);
        }
    }

    /** Sends to a target, or to the peer that the socket has when it is the caller's turn. */
    private void sendBefore(ByteBuffer source, @Nullable InetSocketAddress given, long deadline) throws IOException {
        try (Permit turn = output.enter(deadline)) {
            InetSocketAddress target = given == null ? peer() : given;
            while (true) {
                if ((!output.exhausted || deadline == Deadlines.NOW) && sendNow(source, target)) {
                    return;
                }
                if (!output.await(deadline)) {
                    throw Deadlines.passed("a send by " + this);
                }
            }
        }
    }

    private boolean sendNow(ByteBuffer source, InetSocketAddress target) throws IOException {
        int length = source.remaining();
        ensureSendable(length, target);
        int start = source.position();
        try {
            channel.send(source, target);
        } catch (SocketException e) {
            throw Addresses.at("cannot send " + length + " bytes from " + this + " to " + Addresses.text(target), e);
        }
        boolean sent = length == 0 || source.position() != start;
        output.tried(!sent);
        return sent;
    }

    private void ensureSendable(int length, InetSocketAddress target) throws IOException {
        ensureReachable(target);
        if (length > LARGEST) {
            throw new SocketException("cannot send " + length + " bytes from " + this + " to " + Addresses.text(target)
                    + ": a datagram has at most " + LARGEST + " with its headers");
        }
        if (length == 0 && peerAddress != null) {
            throw new IllegalArgumentException(
                    "an empty datagram cannot be sent by a connected socket: the JDK drops it");
        }
        if (target.getPort() == 0) {
            throw new IllegalArgumentException("port=0 must be 1 to 65535");
        }
    }

    private void ensureReachable(InetSocketAddress address) throws IOException {
        if (family == StandardProtocolFamily.INET && !(address.getAddress() instanceof Inet4Address)) {
            throw new NoRouteToHostException(
                    "no way from " + this + " to " + Addresses.text(address) + ": this is a socket of IPv4 alone");
        }
    }

    /** Only in the turn to send. */
    private InetSocketAddress peer() throws IOException {
        InetSocketAddress peer = peerAddress;
        if (peer == null) {
            output.ensureOpen();
            throw new NotYetConnectedException();
        }
        return peer;
    }

    /** Gives the first address of a name that this socket can send to. */
    private InetSocketAddress resolved(SocketAddress target, long deadline) throws IOException {
        InetSocketAddress internet = Addresses.internet(target);
        if (!internet.isUnresolved()) {
            return internet;
        }
        List<InetSocketAddress> addresses =
                NameLookup.SYSTEM.resolveBefore(internet.getHostString(), internet.getPort(), deadline);
        return Addresses.first(addresses, address -> {
            ensureReachable(address);
            return address;
        });
    }

    /* ---------------- Selecting -------------- */

    /**
     * {@return that there may be a datagram, to be selected on} None is taken by it: use {@link #tryReceive} then, since another
     * may have been quicker. All who wait are woken, receivers and selects alike. Ready also if an error is to be told, and
     * once the socket is closed or its runtime shut down; receiving then tells. What the runtime has not looked at yet is not
     * ready: a select with {@code otherwise} may learn of a datagram a moment later.
     *
     * <pre>{@code
     * Letter letter = Select.<@Nullable Letter>of()
     *         .onReceive(inbox, received -> received)
     *         .onReadable(socket, () -> null)
     *         .await();
     * Datagram datagram = letter == null ? socket.tryReceive(buffer) : null;
     * }</pre>
     */
    @Override
    public Clause<@Nullable Void> clause() {
        return input.clause();
    }

    /** {@return the same as {@link #clause()}, by a name that goes with {@link #writable()}} */
    public Selectable<@Nullable Void> readable() {
        return input.clause();
    }

    /**
     * {@return that there may be room to send, to be selected on} Nothing is sent by it: use {@link #trySend} or
     * {@link #trySendTo} then. All who wait are woken. Ready also once the socket is closed or its runtime shut down.
     */
    public Selectable<@Nullable Void> writable() {
        return output.clause();
    }

    /** {@return what the driver knows of the socket, for tests} */
    Readiness readiness() {
        return readiness;
    }

    /* ---------------- Addresses, the end -------------- */

    /**
     * {@return this side's address, with the port that a bind to port 0 has found} A socket that is bound to all addresses has
     * one of them while it is connected. Known also after closing.
     */
    public InetSocketAddress localAddress() {
        return localAddress;
    }

    /** {@return the peer's address, or null if the socket is not connected; known also after closing} */
    public @Nullable InetSocketAddress peerAddress() {
        return peerAddress;
    }

    /** {@return whether it has not been closed} */
    public boolean isOpen() {
        return channel.isOpen();
    }

    /**
     * Closes the socket, leaves its groups and frees its port; what was not received is dropped. Ends the waits of other
     * threads. Idempotent.
     *
     * @throws IOException if the system reports an error; the socket is closed nevertheless
     */
    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            readiness.close();
            readiness.awaitForgotten(channel, ChannelListener.CLOSE_NANOS);
        }
    }

    @Override
    public String toString() {
        InetSocketAddress peer = peerAddress;
        return "UdpSocket[" + Addresses.text(localAddress)
                + (peer == null ? "" : " -> " + Addresses.text(peer))
                + (channel.isOpen() ? "]" : ", closed]");
    }
}
