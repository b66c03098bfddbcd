package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.HOST;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.MembershipKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Groups of multicast, which never leave this machine: they have a time to live of 0, and stay on it. */
@Timeout(60)
class UdpMulticastTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final InetAddress FOUR = address("239.77.1.9");
    private static final InetAddress SIX = address("ff11::77:109"); // of this interface alone

    private static InetAddress address(String literal) {
        try {
            return InetAddress.getByName(literal);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /**
     * The loopback interface carries groups of IPv4 although it does not say so; those of IPv6 only where it has a route for
     * them, so that another interface may have to serve.
     */
    private static NetworkInterface carrier(InetAddress group) throws IOException {
        if (group.equals(SIX)) {
            Loopback.assumeIpv6();
        }
        List<NetworkInterface> all = new ArrayList<>(Collections.list(NetworkInterface.getNetworkInterfaces()));
        all.removeIf(one -> !isUp(one));
        all.sort((a, b) -> Boolean.compare(isLoopback(b), isLoopback(a)));
        List<String> refusals = new ArrayList<>();
        for (Duration patience : List.of(Duration.ofSeconds(2), LONG)) { // once more if all were held up
            for (NetworkInterface one : all) {
                try (UdpSocket member = receiver(group);
                        UdpSocket sender = sender(group, one)) {
                    member.join(group, one);
                    sender.sendTo(ByteBuffer.allocate(1), to(group, member));
                    member.receive(ByteBuffer.allocate(1), patience);
                    return one;
                } catch (IOException e) {
                    refusals.add(one.getName() + ": " + e);
                }
            }
        }
        throw new AssertionError("no interface carries " + group + ": " + refusals);
    }

    private static boolean isUp(NetworkInterface one) {
        try {
            return one.isUp();
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean isLoopback(NetworkInterface one) {
        try {
            return one.isLoopback();
        } catch (IOException e) {
            return false;
        }
    }

    private static UdpSocket receiver(InetAddress group) throws IOException {
        return UdpSocket.bind(group instanceof Inet4Address ? "0.0.0.0" : "::", 0);
    }

    private static UdpSocket sender(InetAddress group, NetworkInterface by) throws IOException {
        UdpSocket sender = receiver(group);
        sender.multicastInterface(by);
        sender.multicastTimeToLive(0);
        return sender;
    }

    private static InetSocketAddress to(InetAddress group, UdpSocket member) {
        return new InetSocketAddress(group, member.localAddress().getPort());
    }

    private static ByteBuffer number(int number) {
        return ByteBuffer.allocate(4).putInt(0, number);
    }

    private static int received(UdpSocket socket) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(4);
        socket.receive(buffer, LONG);
        return buffer.getInt(0);
    }

    /** Sends what must not come, and then, by another way, what must: whatever comes first is told. */
    private static void expectOnly(int number, UdpSocket receiver) throws IOException {
        try (UdpSocket direct =
                UdpSocket.bind(receiver.localAddress().getAddress() instanceof Inet4Address ? HOST : "::1", 0)) {
            direct.sendTo(
                    number(number),
                    new InetSocketAddress(
                            direct.localAddress().getAddress(),
                            receiver.localAddress().getPort()));
        }
        assertThat(received(receiver)).isEqualTo(number);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void members_receiveWhatIsSentToTheGroup_untilTheyLeave(boolean six) throws Exception {
        InetAddress group = six ? SIX : FOUR;
        NetworkInterface by = carrier(group);
        UdpSocket.Builder shared = UdpSocket.builder().reuseAddress(true);
        try (UdpSocket first = shared.bind(six ? "::" : "0.0.0.0", 0);
                UdpSocket second = shared.bind(first.localAddress());
                UdpSocket sender = sender(group, by)) {
            MembershipKey membership = first.join(group, by);
            assertThat(first.join(group, by)).isEqualTo(membership);
            MembershipKey other = second.join(group, by);
            assertThat(sender.multicastInterface()).isEqualTo(by);
            sender.sendTo(number(1), to(group, first));
            assertThat(received(first)).isEqualTo(1);
            assertThat(received(second)).as("each member gets it").isEqualTo(1);

            other.drop();
            membership.drop();
            assertThat(membership.isValid()).isFalse();
            sender.sendTo(number(2), to(group, first));
            expectOnly(3, second); // of those who share a port the last one gets what is sent to it alone
            assertThat(first.join(group, by).isValid()).isTrue();
            sender.sendTo(number(4), to(group, first));
            assertThat(received(first)).isEqualTo(4);

            sender.multicastLoop(false);
            assertThat(sender.multicastLoop()).isFalse();
            if (!by.isLoopback()) { // that one hands out whatever it is given
                sender.sendTo(number(5), to(group, first));
            }
            sender.multicastLoop(true);
            sender.sendTo(number(6), to(group, first));
            assertThat(received(first))
                    .as("without loop nothing comes to this machine")
                    .isEqualTo(6);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void members_receiveFromOneSenderOnly_ifTheyAskForHim(boolean six) throws Exception {
        InetAddress group = six ? SIX : FOUR;
        NetworkInterface by = carrier(group);
        try (UdpSocket receiver = receiver(group);
                UdpSocket sender = sender(group, by)) {
            receiver.join(group, by);
            sender.sendTo(number(1), to(group, receiver));
            InetAddress source =
                    receiver.receive(ByteBuffer.allocate(4), LONG).sender().getAddress();
            InetAddress stranger = address(six ? "fd00:77::9" : "192.0.2.77");
            try (UdpSocket picky = receiver(group)) {
                MembershipKey wrong = picky.join(group, by, stranger);
                assertThat(wrong.sourceAddress()).isEqualTo(stranger);
                sender.sendTo(number(2), to(group, picky));
                expectOnly(3, picky);
                MembershipKey right = picky.join(group, by, source);
                sender.sendTo(number(4), to(group, picky));
                assertThat(received(picky)).isEqualTo(4);
                right.drop();
                sender.sendTo(number(5), to(group, picky));
                expectOnly(6, picky);
                assertThatThrownBy(() -> picky.join(group, by)).isInstanceOf(IllegalStateException.class);
            }
            try (UdpSocket blocking = receiver(group)) {
                MembershipKey all = blocking.join(group, by);
                all.block(source);
                sender.sendTo(number(7), to(group, blocking));
                expectOnly(8, blocking);
                all.unblock(source);
                sender.sendTo(number(9), to(group, blocking));
                assertThat(received(blocking)).isEqualTo(9);
            }
        }
    }

    @Test
    void join_namesTheGroup_whenItCannotBe() throws Exception {
        NetworkInterface by = carrier(FOUR);
        try (UdpSocket four = receiver(FOUR)) {
            assertThatThrownBy(() -> four.join(address("127.0.0.1"), by))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("group=127.0.0.1 must be an address of multicast");
            assertThatThrownBy(() -> four.join(SIX, by)).isInstanceOf(IllegalArgumentException.class);
            assertThat(four.multicastInterface()).isNull();
            four.close();
            assertThatThrownBy(() -> four.join(FOUR, by)).isInstanceOf(java.nio.channels.ClosedChannelException.class);
        }
        try (UdpSocket four = receiver(FOUR)) { // the system allows 20 memberships unless it was told otherwise
            assertThatThrownBy(() -> {
                        for (int i = 0; i < 100_000; i++) {
                            four.join(address("239.77." + (i >> 8) % 256 + "." + i % 256), by);
                        }
                    })
                    .isInstanceOf(java.net.SocketException.class)
                    .hasMessageContaining("cannot join 239.77.")
                    .hasMessageContaining(by.getName());
        }
    }

    @Test
    void membership_endsWithTheSocket() throws Exception {
        NetworkInterface by = carrier(FOUR);
        UdpSocket socket = receiver(FOUR);
        MembershipKey membership = socket.join(FOUR, by);
        socket.close();
        assertThat(membership.isValid()).isFalse();
        try (UdpSocket again = receiver(FOUR)) {
            assertThatThrownBy(() -> again.receive(ByteBuffer.allocate(1), Duration.ZERO))
                    .isInstanceOf(SocketTimeoutException.class);
        }
    }
}
