package dev.kumihimo.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.channels.DatagramChannel;
import java.nio.channels.MembershipKey;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The options and the multicast groups of a {@link UdpSocket}. */
abstract sealed class UdpOptions permits UdpSocket {
    final DatagramChannel channel;

    UdpOptions(DatagramChannel channel) {
        this.channel = channel;
    }

    /* ---------------- Groups -------------- */

    /**
     * Joins a multicast group, whoever sends to it. Who is a member already gets the same key.
     *
     * <pre>{@code
     * UdpSocket socket = UdpSocket.builder().reuseAddress(true).bind("0.0.0.0", 5353);
     * MembershipKey membership = socket.join(InetAddress.getByName("224.0.0.251"), NetworkInterface.getByName("eth0"));
     * }</pre>
     *
     * @param group an address of multicast, of the kind the socket is bound to
     * @param on the network interface
     * @return the membership: {@link MembershipKey#drop()} leaves the group, {@link MembershipKey#block} shuts a sender out.
     *     Closing the socket leaves all groups
     * @throws SocketException if the system refuses; it names the group and the interface
     * @throws java.nio.channels.ClosedChannelException if closed
     * @throws IOException if the system reports another error
     * @throws IllegalArgumentException if it is no address of multicast, or one of the other kind
     * @throws IllegalStateException if the socket has joined it for one sender already
     */
    public MembershipKey join(InetAddress group, NetworkInterface on) throws IOException {
        checkGroup(group);
        try {
            return channel.join(group, on);
        } catch (SocketException e) {
            throw Addresses.at("cannot join " + group.getHostAddress() + " on " + on.getName(), e);
        }
    }

    /**
     * Joins a multicast group for what one sender sends to it. To be repeated for each sender.
     *
     * @param group an address of multicast, of the kind the socket is bound to
     * @param on the network interface
     * @param source the sender's address
     * @return the membership, whose {@link MembershipKey#drop()} leaves the group; closing the socket leaves all groups
     * @throws SocketException if the system refuses; it names the group, the interface and the sender
     * @throws java.nio.channels.ClosedChannelException if closed
     * @throws IOException if the system reports another error
     * @throws IllegalArgumentException if the group is no address of multicast, or one of the other kind, or the sender's is one
     * @throws IllegalStateException if the socket has joined it for all senders already
     * @throws UnsupportedOperationException if the system cannot
     */
    public MembershipKey join(InetAddress group, NetworkInterface on, InetAddress source) throws IOException {
        checkGroup(group);
        try {
            return channel.join(group, on, source);
        } catch (SocketException e) {
            throw Addresses.at(
                    "cannot join " + group.getHostAddress() + " on " + on.getName() + " for " + source.getHostAddress(),
                    e);
        }
    }

    private static void checkGroup(InetAddress group) {
        if (!group.isMulticastAddress()) {
            throw new IllegalArgumentException("group=" + group.getHostAddress() + " must be an address of multicast");
        }
    }

    /**
     * Sets whether what this socket sends to a group comes to the members on this machine too ({@code IP_MULTICAST_LOOP}). On
     * unless set.
     *
     * @param on whether
     * @throws IOException if closed, or the system refuses
     */
    public void multicastLoop(boolean on) throws IOException {
        channel.setOption(StandardSocketOptions.IP_MULTICAST_LOOP, on);
    }

    /**
     * {@return whether what this socket sends to a group comes to the members on this machine too}
     *
     * @throws IOException if closed
     */
    public boolean multicastLoop() throws IOException {
        return isOn(StandardSocketOptions.IP_MULTICAST_LOOP);
    }

    /**
     * Sets over how many routers datagrams to a group may go ({@code IP_MULTICAST_TTL}). 1, the own network, unless set.
     *
     * @param hops 0 (not off this machine) to 255
     * @throws IOException if closed, or the system refuses
     * @throws IllegalArgumentException if it is out of range
     */
    public void multicastTimeToLive(int hops) throws IOException {
        channel.setOption(StandardSocketOptions.IP_MULTICAST_TTL, octet("multicastTimeToLive", hops));
    }

    /**
     * {@return over how many routers datagrams to a group may go}
     *
     * @throws IOException if closed
     */
    public int multicastTimeToLive() throws IOException {
        return channel.getOption(StandardSocketOptions.IP_MULTICAST_TTL);
    }

    /**
     * Sets the interface by which datagrams to a group are sent ({@code IP_MULTICAST_IF}). The system chooses unless set.
     *
     * @param by the network interface
     * @throws IOException if closed, or the system refuses
     */
    public void multicastInterface(NetworkInterface by) throws IOException {
        channel.setOption(StandardSocketOptions.IP_MULTICAST_IF, by);
    }

    /**
     * {@return the interface by which datagrams to a group are sent, or null if the system chooses}
     *
     * @throws IOException if closed
     */
    public @Nullable NetworkInterface multicastInterface() throws IOException {
        return channel.getOption(StandardSocketOptions.IP_MULTICAST_IF);
    }

    /* ---------------- Options -------------- */

    /**
     * Sets whether datagrams may be sent to a broadcast address ({@code SO_BROADCAST}). Off unless set: sending to one throws.
     *
     * @param on whether
     * @throws IOException if closed, or the system refuses
     */
    public void broadcast(boolean on) throws IOException {
        channel.setOption(StandardSocketOptions.SO_BROADCAST, on);
    }

    /**
     * {@return whether datagrams may be sent to a broadcast address}
     *
     * @throws IOException if closed
     */
    public boolean broadcast() throws IOException {
        return isOn(StandardSocketOptions.SO_BROADCAST);
    }

    /**
     * Sets the type of service, or traffic class, in the headers of what is sent ({@code IP_TOS}). 0 unless set.
     *
     * @param octet 0 to 255
     * @throws IOException if closed, or the system refuses
     * @throws IllegalArgumentException if it is out of range
     */
    public void typeOfService(int octet) throws IOException {
        channel.setOption(StandardSocketOptions.IP_TOS, octet("typeOfService", octet));
    }

    /**
     * {@return the type of service, or traffic class, 0 to 255}
     *
     * @throws IOException if closed
     */
    public int typeOfService() throws IOException {
        return channel.getOption(StandardSocketOptions.IP_TOS);
    }

    /**
     * Sets how many bytes the system holds of what is to be sent ({@code SO_SNDBUF}). It takes it as a hint; Linux reports the
     * double.
     *
     * @param bytes at least 1
     * @throws IOException if closed, or the system refuses
     * @throws IllegalArgumentException if it is out of range
     */
    public void sendBuffer(int bytes) throws IOException {
        channel.setOption(StandardSocketOptions.SO_SNDBUF, atLeastOne("sendBuffer", bytes));
    }

    /**
     * {@return how many bytes the system holds of what is to be sent}
     *
     * @throws IOException if closed
     */
    public int sendBuffer() throws IOException {
        return channel.getOption(StandardSocketOptions.SO_SNDBUF);
    }

    /**
     * Sets how many bytes the system holds of what was not received yet ({@code SO_RCVBUF}). It takes it as a hint; Linux reports
     * the double.
     *
     * @param bytes at least 1
     * @throws IOException if closed, or the system refuses
     * @throws IllegalArgumentException if it is out of range
     */
    public void receiveBuffer(int bytes) throws IOException {
        channel.setOption(StandardSocketOptions.SO_RCVBUF, atLeastOne("receiveBuffer", bytes));
    }

    /**
     * {@return how many bytes the system holds of what was not received yet}
     *
     * @throws IOException if closed
     */
    public int receiveBuffer() throws IOException {
        return channel.getOption(StandardSocketOptions.SO_RCVBUF);
    }

    /**
     * {@return whether others may bind to the same address, see {@link UdpSocket.Builder#reuseAddress}}
     *
     * @throws IOException if closed
     */
    public boolean reuseAddress() throws IOException {
        return isOn(StandardSocketOptions.SO_REUSEADDR);
    }

    /**
     * {@return whether the sockets of one user may share its port, see {@link UdpSocket.Builder#reusePort}}
     *
     * @throws IOException if closed
     * @throws UnsupportedOperationException if the system does not have it
     */
    public boolean reusePort() throws IOException {
        return isOn(StandardSocketOptions.SO_REUSEPORT);
    }

    /**
     * Sets any option, such as {@code jdk.net.ExtendedSocketOptions.IP_DONTFRAGMENT}.
     *
     * @param option one of {@link #supportedOptions()}
     * @param value its value
     * @param <T> its type
     * @throws IOException if closed, or the system refuses
     * @throws IllegalArgumentException if the value is out of range
     * @throws UnsupportedOperationException if it is not one of these
     */
    public <T> void option(SocketOption<T> option, T value) throws IOException {
        SocketOptions.set(channel, option, value);
    }

    /**
     * Tells the value of any option.
     *
     * @param option one of {@link #supportedOptions()}
     * @param <T> its type
     * @return its value, or null if it has none
     * @throws IOException if closed
     * @throws UnsupportedOperationException if it is not one of these
     */
    public <T> @Nullable T option(SocketOption<T> option) throws IOException {
        return SocketOptions.get(channel, option);
    }

    /** {@return the options that this system has} */
    public Set<SocketOption<?>> supportedOptions() {
        return channel.supportedOptions();
    }

    private boolean isOn(SocketOption<Boolean> option) throws IOException {
        return Boolean.TRUE.equals(channel.getOption(option));
    }

    static int atLeastOne(String name, int value) {
        SocketOptions.check(name, value, 1, Integer.MAX_VALUE);
        return value;
    }

    private static int octet(String name, int value) {
        SocketOptions.check(name, value, 0, 255);
        return value;
    }
}
