package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.HOST;
import static dev.kumihimo.net.Loopback.bytes;
import static dev.kumihimo.net.Loopback.runtime;
import static dev.kumihimo.net.Loopback.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.sync.Semaphore;
import java.io.IOException;
import java.net.BindException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.PortUnreachableException;
import java.net.SocketException;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.NotYetConnectedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Datagrams: sent, received, peeked at, cut off; peers and their errors; options. Waits are in UdpWaitsTest. */
@Timeout(60)
class UdpSocketTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private static UdpSocket bound() throws IOException {
        return UdpSocket.bind(HOST, 0);
    }

    private static ByteBuffer buffer(String text) {
        return ByteBuffer.wrap(bytes(text));
    }

    private static String receive(UdpSocket socket) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(100);
        assertThat(socket.receive(buffer, LONG).truncated()).isFalse();
        return text(buffer);
    }

    /* ---------------- Datagrams -------------- */

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void receive_tellsWhoSent_andTheAnswerReachesHim(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                UdpSocket server = bound()) {
            JoinHandle<Void> serving = runtime.spawn(() -> {
                ByteBuffer buffer = ByteBuffer.allocate(2000);
                while (true) {
                    Datagram question = server.receive(buffer.clear());
                    server.sendTo(buffer.flip(), question.sender());
                }
            });
            List<JoinHandle<Void>> clients = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                int seed = i;
                clients.add(runtime.spawn(() -> {
                    Random random = new Random(seed);
                    try (UdpSocket client = bound()) {
                        for (int round = 0; round < 50; round++) {
                            byte[] sent = new byte[1 + random.nextInt(1500)];
                            random.nextBytes(sent);
                            ByteBuffer source = ByteBuffer.wrap(sent);
                            client.sendTo(source, server.localAddress());
                            assertThat(source.hasRemaining()).isFalse();
                            ByteBuffer answer = ByteBuffer.allocate(2000);
                            Datagram got = client.receive(answer);
                            assertThat(got).isEqualTo(new Datagram(server.localAddress(), sent.length, false));
                            assertThat(answer.flip()).isEqualTo(ByteBuffer.wrap(sent));
                        }
                    }
                }));
            }
            for (JoinHandle<Void> client : clients) {
                client.join();
            }
            serving.abort();
            serving.result();
        }
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void receive_tellsOfTruncation_andKeepsDatagramsApart(boolean direct) throws Exception {
        try (UdpSocket receiver = bound();
                UdpSocket sender = bound()) {
            for (String sent : List.of("0123456789", "abcdef", "ABC", "xyzxyzxyz")) {
                sender.sendTo(buffer(sent), receiver.localAddress());
            }
            ByteBuffer target = direct ? ByteBuffer.allocateDirect(20) : ByteBuffer.allocate(20);
            target.position(2).limit(8);
            assertThat(receiver.receive(target, LONG)).isEqualTo(new Datagram(sender.localAddress(), 6, true));
            assertThat(target.position()).isEqualTo(8);
            assertThat(target.limit()).isEqualTo(8);
            assertThat(part(target, 2, 8)).isEqualTo("012345");
            assertThat(target.limit(20).get(8)).as("beyond the limit").isZero();

            target.position(2).limit(8);
            assertThat(receiver.receive(target, LONG)).isEqualTo(new Datagram(sender.localAddress(), 6, false));
            assertThat(part(target, 2, 8)).isEqualTo("abcdef");

            target.position(2).limit(8);
            assertThat(receiver.receive(target, LONG)).isEqualTo(new Datagram(sender.localAddress(), 3, false));
            assertThat(target.position()).isEqualTo(5);
            assertThat(part(target, 2, 5)).isEqualTo("ABC");

            target.position(8).limit(8);
            assertThat(receiver.receive(target, LONG))
                    .as("no room at all")
                    .isEqualTo(new Datagram(sender.localAddress(), 0, true));
            assertThat(receiver.tryReceive(target)).isNull();
        }
    }

    private static String part(ByteBuffer buffer, int from, int to) {
        byte[] got = new byte[to - from];
        buffer.get(from, got);
        return new String(got, java.nio.charset.StandardCharsets.US_ASCII);
    }

    @ParameterizedTest
    @CsvSource({"100,true", "65506,true", "65507,false", "65508,false", "65534,false", "65535,false", "200000,false"})
    void receive_takesTheLargestDatagram(int room, boolean truncated) throws Exception {
        byte[] sent = new byte[65_507];
        new Random(3).nextBytes(sent);
        try (UdpSocket receiver = bound();
                UdpSocket sender = bound()) {
            sender.sendTo(ByteBuffer.wrap(sent), receiver.localAddress());
            ByteBuffer target = ByteBuffer.allocate(room + 10).limit(room + 3).position(3);
            int length = Math.min(room, sent.length);
            assertThat(receiver.receive(target, LONG))
                    .isEqualTo(new Datagram(sender.localAddress(), length, truncated));
            assertThat(target.limit()).isEqualTo(room + 3);
            assertThat(target.position()).isEqualTo(length + 3);
            assertThat(target.flip().position(3)).isEqualTo(ByteBuffer.wrap(sent, 0, length));
        }
    }

    @Test
    void send_namesTheLength_whenTheDatagramIsTooLarge() throws Exception {
        try (UdpSocket receiver = bound();
                UdpSocket sender = bound()) {
            for (int length : new int[] {65_508, 65_535, 65_536, 70_000}) {
                ByteBuffer source = ByteBuffer.allocate(length);
                assertThatThrownBy(() -> sender.sendTo(source, receiver.localAddress()))
                        .isInstanceOf(SocketException.class)
                        .hasMessageContaining("cannot send " + length + " bytes")
                        .hasMessageContaining(
                                "127.0.0.1:" + receiver.localAddress().getPort());
                assertThat(source.remaining()).isEqualTo(length);
            }
            sender.sendTo(buffer("small"), receiver.localAddress());
            assertThat(receive(receiver)).isEqualTo("small");
        }
    }

    @Test
    void emptyDatagram_isReceived_andIsNoEnd() throws Exception {
        try (UdpSocket receiver = bound();
                UdpSocket sender = bound()) {
            Datagram empty = new Datagram(sender.localAddress(), 0, false);
            for (int i = 0; i < 2; i++) { // not connected, connected
                sender.sendTo(ByteBuffer.allocate(0), receiver.localAddress());
                assertThat(sender.trySendTo(ByteBuffer.allocate(0), receiver.localAddress()))
                        .isTrue();
                sender.sendTo(buffer("more"), receiver.localAddress());
                assertThat(receiver.receive(ByteBuffer.allocate(10), LONG)).isEqualTo(empty);
                assertThat(receiver.peek(ByteBuffer.allocate(10), LONG)).isEqualTo(empty);
                assertThat(receiver.receive(ByteBuffer.allocate(0), LONG)).isEqualTo(empty);
                assertThat(receive(receiver)).isEqualTo("more");
                receiver.connect(sender.localAddress());
            }
            assertThatThrownBy(() -> receiver.send(ByteBuffer.allocate(0)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("empty");
        }
    }

    @Test
    void receive_takesNothing_whenTheBufferIsReadOnly() throws Exception {
        try (UdpSocket receiver = bound();
                UdpSocket sender = bound()) {
            sender.sendTo(buffer("kept"), receiver.localAddress());
            assertThatThrownBy(() -> receiver.receive(ByteBuffer.allocate(10).asReadOnlyBuffer(), LONG))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(receive(receiver)).isEqualTo("kept");
        }
    }

    /* ---------------- Peeking -------------- */

    @Test
    void peek_leavesTheWholeDatagram_alsoIfItDidNotFit() throws Exception {
        try (UdpSocket receiver = bound();
                UdpSocket sender = bound()) {
            assertThat(receiver.tryPeek(ByteBuffer.allocate(4))).isNull();
            sender.sendTo(buffer("first one"), receiver.localAddress());
            sender.sendTo(buffer("second"), receiver.localAddress());
            for (int i = 0; i < 3; i++) {
                ByteBuffer start = ByteBuffer.allocate(5);
                assertThat(receiver.peek(start, LONG)).isEqualTo(new Datagram(sender.localAddress(), 5, true));
                assertThat(text(start)).isEqualTo("first");
                ByteBuffer all = ByteBuffer.allocate(100);
                assertThat(receiver.tryPeek(all)).isEqualTo(new Datagram(sender.localAddress(), 9, false));
                assertThat(text(all)).isEqualTo("first one");
            }
            assertThat(receive(receiver)).isEqualTo("first one");
            assertThat(receive(receiver)).isEqualTo("second");
            assertThat(receiver.tryPeek(ByteBuffer.allocate(4))).isNull();

            sender.sendTo(buffer("cut off"), receiver.localAddress());
            receiver.peek(ByteBuffer.allocate(0), LONG);
            assertThat(receiver.tryReceive(ByteBuffer.allocate(3)))
                    .isEqualTo(new Datagram(sender.localAddress(), 3, true));
            assertThat(receiver.tryReceive(ByteBuffer.allocate(3))).isNull();
        }
    }

    @Test
    void peek_isForgotten_whenTheSocketConnectsToAnother() throws Exception {
        try (UdpSocket receiver = bound();
                UdpSocket peer = bound();
                UdpSocket stranger = bound()) {
            stranger.sendTo(buffer("strange"), receiver.localAddress());
            receiver.peek(ByteBuffer.allocate(10), LONG);
            receiver.connect(peer.localAddress());
            assertThat(receiver.tryPeek(ByteBuffer.allocate(10))).isNull();
            peer.sendTo(buffer("known"), receiver.localAddress());
            receiver.peek(ByteBuffer.allocate(10), LONG);
            receiver.connect(peer.localAddress());
            assertThat(receive(receiver)).isEqualTo("known");
        }
    }

    /* ---------------- Peers -------------- */

    @Test
    void connect_letsOnlyThePeerIn_untilItIsLeft() throws Exception {
        try (UdpSocket socket = UdpSocket.bind("0.0.0.0", 0);
                UdpSocket peer = bound();
                UdpSocket other = bound()) {
            InetSocketAddress here =
                    new InetSocketAddress(HOST, socket.localAddress().getPort());
            assertThat(socket.peerAddress()).isNull();
            assertThatThrownBy(() -> socket.send(buffer("x"))).isInstanceOf(NotYetConnectedException.class);
            other.sendTo(buffer("early"), here);
            socket.peek(ByteBuffer.allocate(0), LONG); // has come
            socket.connect(HOST, peer.localAddress().getPort());
            assertThat(socket.peerAddress()).isEqualTo(peer.localAddress());
            assertThat(socket.localAddress()).isEqualTo(here);
            assertThat(socket)
                    .hasToString("UdpSocket[127.0.0.1:" + here.getPort() + " -> 127.0.0.1:"
                            + peer.localAddress().getPort() + "]");
            socket.send(buffer("to the peer"));
            assertThat(receive(peer)).isEqualTo("to the peer");
            socket.sendTo(buffer("once more"), peer.localAddress());
            assertThat(receive(peer)).isEqualTo("once more");
            assertThatThrownBy(() -> socket.sendTo(buffer("x"), other.localAddress()))
                    .isInstanceOf(AlreadyConnectedException.class);
            other.sendTo(buffer("intruder"), here);
            peer.sendTo(buffer("friend"), here);
            assertThat(receive(socket)).isEqualTo("friend");

            socket.connect(other.localAddress());
            assertThat(socket.trySend(buffer("to the other"))).isTrue();
            assertThat(receive(other)).isEqualTo("to the other");

            socket.disconnect();
            socket.disconnect();
            assertThat(socket.peerAddress()).isNull();
            peer.sendTo(buffer("from the peer"), here);
            assertThat(receive(socket)).isEqualTo("from the peer");
            other.sendTo(buffer("from the other"), here);
            assertThat(receive(socket)).isEqualTo("from the other");
        }
    }

    /** The system tells of it at the next call, whichever that is. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void portUnreachable_isTold_andTheSocketStaysUsable(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                UdpSocket socket = runtime.blockOn(() -> bound())) {
            InetSocketAddress gone;
            try (UdpSocket peer = bound()) {
                gone = peer.localAddress();
            }
            socket.connect(gone);
            JoinHandle<Datagram> waiting = runtime.spawn(() -> socket.receive(ByteBuffer.allocate(10)));
            Loopback.untilWaiting(waiting);
            socket.send(buffer("anybody?"));
            assertThatThrownBy(() -> waiting.join(LONG))
                    .cause()
                    .isInstanceOf(PortUnreachableException.class)
                    .hasMessageContaining("127.0.0.1:" + gone.getPort())
                    .hasMessageContaining("127.0.0.1:" + socket.localAddress().getPort());
            socket.send(buffer("still nobody?"));
            assertThatThrownBy(() -> socket.send(buffer("now it is told")))
                    .isInstanceOf(PortUnreachableException.class)
                    .hasMessageContaining("127.0.0.1:" + gone.getPort());
            try (UdpSocket peer = UdpSocket.bind(gone)) {
                socket.send(buffer("hello"));
                assertThat(receive(peer)).isEqualTo("hello");
                peer.sendTo(buffer("hello too"), socket.localAddress());
                assertThat(receive(socket)).isEqualTo("hello too");
            }
        }
    }

    @Test
    void names_areLookedUp_andKindsOfAddressesAreToldApart() throws Exception {
        try (UdpSocket receiver = UdpSocket.bind("localhost", 0);
                UdpSocket sender = UdpSocket.bind(InetSocketAddress.createUnresolved("localhost", 0))) {
            int port = receiver.localAddress().getPort();
            InetSocketAddress name = InetSocketAddress.createUnresolved("localhost", port);
            sender.sendTo(buffer("one"), name);
            assertThat(receive(receiver)).isEqualTo("one");
            sender.sendTo(buffer("two"), name, LONG);
            assertThat(receive(receiver)).isEqualTo("two");
            assertThatThrownBy(() -> sender.trySendTo(buffer("x"), name))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("looked up first");
            sender.connect(name);
            sender.send(buffer("three"), LONG);
            assertThat(receive(receiver)).isEqualTo("three");
            assertThatThrownBy(() -> sender.connect("no.such.name.invalid", 9))
                    .isInstanceOf(UnknownHostException.class);
            assertThatThrownBy(() -> sender.connect(UnixDomainSocketAddress.of("/tmp/x")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("/tmp/x");
        }
        try (UdpSocket four = bound()) {
            InetSocketAddress six = new InetSocketAddress("::1", 9);
            assertThatThrownBy(() -> four.sendTo(buffer("x"), six))
                    .isInstanceOf(NoRouteToHostException.class)
                    .hasMessageContaining("IPv4 alone");
            assertThatThrownBy(() -> four.connect(six)).isInstanceOf(NoRouteToHostException.class);
            assertThatThrownBy(() -> four.sendTo(buffer("x"), new InetSocketAddress(HOST, 0)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("port=0");
            assertThatThrownBy(() -> four.connect(HOST, 0)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void socketOfIpv6_speaksToBothKinds_whenItIsBoundToAll() throws Exception {
        Loopback.assumeIpv6();
        try (UdpSocket all = UdpSocket.bind("::", 0);
                UdpSocket six = UdpSocket.bind("::1", 0);
                UdpSocket four = bound()) {
            int port = all.localAddress().getPort();
            six.sendTo(buffer("six"), new InetSocketAddress("::1", port));
            ByteBuffer buffer = ByteBuffer.allocate(10);
            Datagram fromSix = all.receive(buffer, LONG);
            assertThat(fromSix.sender()).isEqualTo(six.localAddress());
            four.sendTo(buffer("four"), new InetSocketAddress(HOST, port));
            Datagram fromFour = all.receive(buffer, LONG);
            assertThat(fromFour.sender()).isEqualTo(four.localAddress());
            all.sendTo(buffer("back"), fromFour.sender());
            assertThat(receive(four)).isEqualTo("back");
            all.sendTo(buffer("back"), fromSix.sender());
            assertThat(receive(six)).isEqualTo("back");
        }
    }

    /** A JDK socket at the other end: nothing of ours is in between. */
    @Test
    void datagrams_areThoseOfEverybody() throws Exception {
        try (UdpSocket socket = bound();
                DatagramSocket jdk = new DatagramSocket(0, InetAddress.getByName(HOST))) {
            jdk.setSoTimeout(20_000);
            socket.sendTo(buffer("out"), jdk.getLocalSocketAddress());
            DatagramPacket packet = new DatagramPacket(new byte[10], 10);
            jdk.receive(packet);
            assertThat(packet.getLength()).isEqualTo(3);
            assertThat(packet.getSocketAddress()).isEqualTo(socket.localAddress());
            jdk.send(new DatagramPacket(bytes("in"), 2, socket.localAddress()));
            assertThat(receive(socket)).isEqualTo("in");
        }
    }

    /* ---------------- Binding, options -------------- */

    @Test
    void bind_namesTheAddress_whenItCannotBeHad() throws Exception {
        try (UdpSocket socket = bound()) {
            int port = socket.localAddress().getPort();
            assertThatThrownBy(() -> UdpSocket.bind(HOST, port))
                    .isInstanceOf(BindException.class)
                    .hasMessage("cannot bind to 127.0.0.1:" + port + ": Address already in use");
            assertThatThrownBy(() -> UdpSocket.bind("192.0.2.1", 0))
                    .isInstanceOf(BindException.class)
                    .hasMessageContaining("192.0.2.1:0");
            assertThat(socket).hasToString("UdpSocket[127.0.0.1:" + port + "]");
            socket.close();
            assertThat(socket).hasToString("UdpSocket[127.0.0.1:" + port + ", closed]");
        }
        assertThatThrownBy(() -> UdpSocket.bind(HOST, 65_536)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void options_areSetAndTold() throws Exception {
        UdpSocket.Builder builder = UdpSocket.builder()
                .reuseAddress(true)
                .reusePort(true)
                .receiveBuffer(30_000)
                .option(StandardSocketOptions.IP_TOS, 0x10);
        try (UdpSocket socket = builder.bind(HOST, 0);
                UdpSocket second = builder.bind(socket.localAddress())) {
            assertThat(second.localAddress()).isEqualTo(socket.localAddress());
            assertThat(socket.reuseAddress()).isTrue();
            assertThat(socket.reusePort()).isTrue();
            assertThat(socket.receiveBuffer()).isBetween(30_000, 60_000);
            assertThat(socket.typeOfService()).isEqualTo(0x10);
            socket.typeOfService(0x20);
            assertThat(socket.typeOfService()).isEqualTo(0x20);
            assertThat(socket.broadcast()).isFalse();
            socket.broadcast(true);
            assertThat(socket.broadcast()).isTrue();
            socket.sendBuffer(20_000);
            assertThat(socket.sendBuffer()).isBetween(20_000, 40_000);
            socket.receiveBuffer(20_000);
            assertThat(socket.receiveBuffer()).isBetween(20_000, 40_000);
            assertThat(socket.multicastLoop()).isTrue();
            assertThat(socket.multicastTimeToLive()).isEqualTo(1);
            socket.multicastTimeToLive(7);
            assertThat(socket.multicastTimeToLive()).isEqualTo(7);
            assertThat(socket.supportedOptions()).contains(StandardSocketOptions.IP_TOS);
            socket.option(StandardSocketOptions.IP_TOS, 0);
            assertThat(socket.option(StandardSocketOptions.IP_TOS)).isZero();
            assertThatThrownBy(() -> socket.option(StandardSocketOptions.TCP_NODELAY, true))
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("TCP_NODELAY");
            assertThatThrownBy(() -> socket.typeOfService(256))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("typeOfService=256 must be 0 to 255");
            assertThatThrownBy(() -> socket.multicastTimeToLive(-1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> socket.sendBuffer(0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("sendBuffer=0 must be at least 1");
        }
    }

    /** The system refuses it by itself unless the option is set, whatever networks the machine has. */
    @Test
    void sendTo_refusesABroadcast_unlessItIsAllowed() throws Exception {
        try (UdpSocket socket = UdpSocket.bind("0.0.0.0", 0)) {
            InetSocketAddress everybody = new InetSocketAddress("127.255.255.255", 9);
            assertThatThrownBy(() -> socket.sendTo(buffer("x"), everybody))
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("127.255.255.255:9");
            socket.broadcast(true);
            socket.sendTo(buffer("x"), everybody);
        }
    }

    /* ---------------- Many tasks -------------- */

    /** Each datagram is received once, though eight tasks receive by one socket and four send by another. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void manyTasks_receiveEachDatagramOnce_onOneSocket(int carriers) throws Exception {
        int numbers = 20_000;
        int senders = 4;
        AtomicIntegerArray received = new AtomicIntegerArray(numbers);
        Semaphore room = Semaphore.of(100); // fewer than the system's buffers hold
        try (TaskRuntime runtime = runtime(carriers);
                UdpSocket to = runtime.blockOn(() -> bound());
                UdpSocket from = runtime.blockOn(() -> bound())) {
            Semaphore all = Semaphore.of(0);
            List<JoinHandle<Void>> receivers = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                boolean peeks = i % 4 == 3;
                receivers.add(runtime.spawn(() -> {
                    ByteBuffer buffer = ByteBuffer.allocate(4);
                    while (true) {
                        if (peeks) {
                            to.peek(buffer.clear());
                        }
                        assertThat(to.receive(buffer.clear())).isEqualTo(new Datagram(from.localAddress(), 4, false));
                        received.incrementAndGet(buffer.getInt(0));
                        room.release(1);
                        all.release(1);
                    }
                }));
            }
            List<JoinHandle<Void>> sending = new ArrayList<>();
            for (int i = 0; i < senders; i++) {
                int first = i;
                sending.add(runtime.spawn(() -> {
                    for (int n = first; n < numbers; n += senders) {
                        room.acquire().forget();
                        from.sendTo(ByteBuffer.allocate(4).putInt(0, n), to.localAddress());
                        if (n % 64 == 0) {
                            Task.yieldNow();
                        }
                    }
                }));
            }
            for (JoinHandle<Void> sender : sending) {
                sender.join();
            }
            runtime.blockOn(() -> all.acquire(numbers).forget());
            for (int n = 0; n < numbers; n++) {
                assertThat(received.get(n)).isEqualTo(1);
            }
            for (JoinHandle<Void> receiver : receivers) {
                receiver.abort();
                receiver.result();
            }
        }
    }
}
