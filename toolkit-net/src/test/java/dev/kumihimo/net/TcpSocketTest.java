package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.HOST;
import static dev.kumihimo.net.Loopback.read;
import static dev.kumihimo.net.Loopback.refusing;
import static dev.kumihimo.net.Loopback.runtime;
import static dev.kumihimo.net.Loopback.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.net.Loopback.Deaf;
import dev.kumihimo.net.Loopback.Pair;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AlreadyBoundException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.UnsupportedAddressTypeException;
import java.time.Duration;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TcpSocketTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(HOST, 0);

    /** An option that no socket has. */
    private static final SocketOption<Boolean> STRANGE = new SocketOption<>() {
        @Override
        public String name() {
            return "SO_STRANGE";
        }

        @Override
        public Class<Boolean> type() {
            return Boolean.class;
        }
    };

    /* ---------------- Options -------------- */

    private static void checkOptions(TcpOptions socket) throws IOException {
        socket.noDelay(true);
        socket.keepAlive(true);
        socket.typeOfService(0x10);
        socket.sendBufferSize(40_000);
        socket.receiveBufferSize(50_000);
        socket.resetOnClose(true);
        socket.keepAliveIdle(Duration.ofMillis(41_500)); // rounded up
        socket.keepAliveInterval(Duration.ofSeconds(7));
        socket.keepAliveCount(5);
        assertThat(socket.noDelay()).isTrue();
        assertThat(socket.keepAlive()).isTrue();
        assertThat(socket.typeOfService()).isEqualTo(0x10);
        assertThat(socket.sendBufferSize()).isBetween(40_000, 80_000); // Linux doubles it
        assertThat(socket.receiveBufferSize()).isBetween(50_000, 100_000);
        assertThat(socket.resetOnClose()).isTrue();
        assertThat(socket.keepAliveIdle()).isEqualTo(Duration.ofSeconds(42));
        assertThat(socket.keepAliveInterval()).isEqualTo(Duration.ofSeconds(7));
        assertThat(socket.keepAliveCount()).isEqualTo(5);
        socket.quickAck(false);
        assertThat(socket.quickAck()).isFalse();
        socket.quickAck(true);
        assertThat(socket.quickAck()).isTrue();
        assertThat(socket.option(StandardSocketOptions.SO_LINGER)).isZero();
        socket.resetOnClose(false);
        assertThat(socket.resetOnClose()).isFalse();
        socket.option(StandardSocketOptions.SO_LINGER, 3);
        assertThat(socket.option(StandardSocketOptions.SO_LINGER)).isEqualTo(3);
        assertThat(socket.resetOnClose()).isFalse();
        socket.noDelay(false);
        socket.keepAlive(false);
        assertThat(socket.noDelay()).isFalse();
        assertThat(socket.keepAlive()).isFalse();
    }

    @Test
    void options_areThoseOfTheSystem_beforeConnecting() throws Exception {
        for (boolean four : List.of(true, false)) {
            try (TcpSocket socket = four ? TcpSocket.v4() : TcpSocket.open()) {
                checkOptions(socket);
                assertThat(socket.reuseAddress()).isFalse();
                assertThat(socket.reusePort()).isFalse();
                socket.reuseAddress(true);
                socket.reusePort(true);
                assertThat(socket.reuseAddress()).isTrue();
                assertThat(socket.reusePort()).isTrue();
            }
        }
    }

    @Test
    void options_areThoseOfTheSystem_onceConnected() throws Exception {
        try (Pair pair = Pair.open()) {
            checkOptions(pair.stream());
        }
    }

    @Test
    void option_namesWhatCannotBeHad() throws Exception {
        try (TcpSocket socket = TcpSocket.v4();
                Pair pair = Pair.open()) {
            for (TcpOptions options : List.<TcpOptions>of(socket, pair.stream())) {
                assertThatThrownBy(() -> options.option(STRANGE, true))
                        .isInstanceOf(UnsupportedOperationException.class)
                        .hasMessageContaining("SO_STRANGE")
                        .hasMessageContaining("TCP_NODELAY");
                assertThatThrownBy(() -> options.option(STRANGE))
                        .isInstanceOf(UnsupportedOperationException.class)
                        .hasMessageContaining("SO_STRANGE");
            }
            assertThatThrownBy(() -> SocketOptions.named(socket, "TCP_TELEPATHY", Integer.class))
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("TCP_TELEPATHY")
                    .hasMessageContaining("jdk.net");
        }
    }

    @Test
    void options_refuseValuesOutOfRange() throws Exception {
        try (TcpSocket socket = TcpSocket.v4()) {
            refused("typeOfService=256 must be 0 to 255", () -> socket.typeOfService(256));
            refused("typeOfService=-1 must be 0 to 255", () -> socket.typeOfService(-1));
            refused("sendBufferSize=0 must be at least 1", () -> socket.sendBufferSize(0));
            refused("receiveBufferSize=-5 must be at least 1", () -> socket.receiveBufferSize(-5));
            refused("keepAliveCount=0 must be 1 to 127", () -> socket.keepAliveCount(0));
            refused("keepAliveCount=128 must be 1 to 127", () -> socket.keepAliveCount(128));
            refused("keepAliveIdle=PT0S must be 1 to 32767 seconds", () -> socket.keepAliveIdle(Duration.ZERO));
            refused(
                    "keepAliveIdle=PT-0.5S must be 1 to 32767 seconds",
                    () -> socket.keepAliveIdle(Duration.ofMillis(-500)));
            refused(
                    "keepAliveInterval=PT9H6M7.000000001S must be 1 to 32767 seconds",
                    () -> socket.keepAliveInterval(Duration.ofSeconds(32767, 1)));
            refused("backlog=0 must be at least 1", () -> socket.listen(0));
            assertThat(socket.localAddress()).isNull(); // and it is open still
        }
    }

    private static void refused(String message, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
    }

    /* ---------------- Listening -------------- */

    @Test
    void listen_takesTheAddressThatWasBound_andTheOptions() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TcpSocket socket = TcpSocket.v4()) {
            socket.noDelay(true);
            socket.receiveBufferSize(30_000);
            socket.keepAliveIdle(Duration.ofSeconds(99));
            socket.bind(ANY_PORT);
            InetSocketAddress local = socket.localAddress();
            assertThat(local.getPort()).isPositive();
            assertThat(socket).hasToString("TcpSocket[127.0.0.1:" + local.getPort() + ", open]");
            runtime.blockOn(() -> {
                try (TcpListener listener = socket.listen(16);
                        TcpStream client = TcpStream.connect(local);
                        TcpStream session = listener.accept()) {
                    assertThat(listener.localAddress()).isEqualTo(local);
                    assertThat(session.noDelay()).isTrue(); // which a listening channel does not have
                    assertThat(session.receiveBufferSize()).isBetween(30_000, 60_000);
                    assertThat(session.keepAliveIdle()).isEqualTo(Duration.ofSeconds(99));
                    assertThat(client.noDelay()).isFalse();
                    client.outputStream().write('x');
                    assertThat(read(session, 1)).isEqualTo("x");
                    try (TcpStream second = TcpStream.connect(local)) {
                        Select.<Boolean>of().onReadable(listener, () -> true).await();
                        TcpStream other = listener.tryAccept();
                        assertThat(other.noDelay()).isTrue();
                        assertThat(other.peerAddress()).isEqualTo(second.localAddress());
                        other.close();
                    }
                }
            });
            assertThat(socket).hasToString("TcpSocket[closed]");
        }
    }

    @Test
    void listen_holdsAsManyConnectionsAsTheBacklogSays() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TcpSocket socket = TcpSocket.v4()) {
            socket.bind(ANY_PORT);
            TcpListener listener = runtime.blockOn(() -> socket.listen(1));
            InetSocketAddress address = listener.localAddress();
            runtime.blockOn(() -> {
                try (listener;
                        TcpStream first = TcpStream.connect(address);
                        TcpStream second = TcpStream.connect(address)) {
                    assertThat(first.isOpen() && second.isOpen()).isTrue();
                    assertThatThrownBy(() -> TcpStream.connect(address, Duration.ofMillis(100)))
                            .isInstanceOf(SocketTimeoutException.class);
                }
            });
        }
    }

    @Test
    void listen_findsAPort_withoutABind() throws Exception {
        try (TcpSocket socket = TcpSocket.v4();
                TcpListener listener = socket.listen(4);
                TcpStream stream =
                        TcpStream.connect(HOST, listener.localAddress().getPort())) {
            assertThat(stream.isOpen()).isTrue();
        }
    }

    @Test
    void listen_sharesThePort_onlyWithThoseThatSaySo() throws Exception {
        try (TcpSocket first = TcpSocket.v4();
                TcpSocket second = TcpSocket.v4();
                TcpSocket third = TcpSocket.v4()) {
            for (TcpSocket socket : List.of(first, second)) {
                socket.reusePort(true);
            }
            first.bind(ANY_PORT);
            InetSocketAddress local = first.localAddress();
            second.bind(local);
            try (TcpListener one = first.listen(4);
                    TcpListener two = second.listen(4)) {
                assertThat(one.localAddress()).isEqualTo(two.localAddress());
                assertThatThrownBy(() -> third.bind(local))
                        .isInstanceOf(BindException.class)
                        .hasMessageContaining("127.0.0.1:" + local.getPort());
            }
        }
    }

    /** Both are bound, which SO_REUSEADDR allows; only one may listen. */
    @Test
    void listen_fails_whenAnotherListens_andLeavesNothing() throws Exception {
        OpenSockets before = OpenSockets.now();
        try (TcpSocket first = TcpSocket.v4();
                TcpSocket second = TcpSocket.v4()) {
            first.reuseAddress(true);
            second.reuseAddress(true);
            first.bind(ANY_PORT);
            InetSocketAddress local = first.localAddress();
            second.bind(local);
            try (TcpListener listener = first.listen(4)) {
                assertThatThrownBy(() -> second.listen(4))
                        .isInstanceOf(BindException.class)
                        .hasMessageContaining("127.0.0.1:" + local.getPort());
                await().until(() -> before.opened() == 1);
                assertThat(listener.isOpen()).isTrue();
            }
        }
        await().until(() -> before.opened() == 0);
    }

    /* ---------------- Connecting -------------- */

    @Test
    void connect_usesTheLocalAddressAndTheOptions() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TcpListener listener = TcpListener.bind(HOST, 0)) {
            OpenSockets before = OpenSockets.now();
            TcpSocket socket = TcpSocket.v4();
            socket.noDelay(true);
            socket.bind(new InetSocketAddress("127.0.0.5", 0));
            InetSocketAddress local = socket.localAddress();
            try (TcpStream stream =
                    runtime.blockOn(() -> socket.connect(listener.localAddress(), Duration.ofSeconds(20)))) {
                assertThat(stream.localAddress()).isEqualTo(local);
                assertThat(stream.noDelay()).isTrue();
                socket.close(); // nothing of its any more
                runtime.blockOn(() -> stream.writeAll(ByteBuffer.wrap(new byte[] {'y'})));
                try (TcpStream session = listener.accept()) {
                    assertThat(read(session, 1)).isEqualTo("y");
                    assertThat(session.peerAddress()).isEqualTo(local);
                }
            }
            await().until(() -> before.opened() == 0);
        }
    }

    @Test
    void connect_leavesNothing_whenItFails() throws Exception {
        InetSocketAddress refusing = refusing();
        try (TaskRuntime runtime = runtime(1);
                Deaf deaf = new Deaf(HOST)) {
            OpenSockets before = OpenSockets.now();
            TcpSocket refused = TcpSocket.v4();
            assertThatThrownBy(() -> runtime.blockOn(() -> refused.connect(refusing)))
                    .isInstanceOf(ConnectException.class)
                    .hasMessageContaining("127.0.0.1:" + refusing.getPort());
            TcpSocket late = TcpSocket.v4();
            assertThatThrownBy(() -> runtime.blockOn(() -> late.connect(deaf.address(), Duration.ofMillis(50))))
                    .isInstanceOf(SocketTimeoutException.class);
            TcpSocket cancelled = TcpSocket.v4();
            JoinHandle<TcpStream> connecting = runtime.spawn(() -> cancelled.connect(deaf.address()));
            untilWaiting(connecting);
            connecting.abort();
            assertThat(connecting.result()).isInstanceOf(JoinResult.Cancelled.class);
            TcpSocket family = TcpSocket.v4();
            assertThatThrownBy(() -> runtime.blockOn(() -> family.connect(new InetSocketAddress("::1", 9))))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("[0:0:0:0:0:0:0:1]:9")
                    .hasMessageContaining("family")
                    .hasRootCauseInstanceOf(UnsupportedAddressTypeException.class);
            await().until(() -> before.opened() == 0);
        }
    }

    /* ---------------- Bad input, the end -------------- */

    @Test
    void bind_namesTheAddress_andLeavesNothing_whenItIsTaken() throws Exception {
        try (TcpListener listener = TcpListener.bind(HOST, 0)) {
            OpenSockets before = OpenSockets.now();
            TcpSocket socket = TcpSocket.v4();
            assertThatThrownBy(() -> socket.bind(listener.localAddress()))
                    .isInstanceOf(BindException.class)
                    .hasMessageContaining("cannot bind to 127.0.0.1:"
                            + listener.localAddress().getPort());
            await().until(() -> before.opened() == 0);
            assertThatThrownBy(socket::noDelay).isInstanceOf(ClosedChannelException.class);
        }
    }

    @Test
    void addresses_haveToBeOfTheInternet_lookedUp_andOfTheFamily() throws Exception {
        try (TcpSocket socket = TcpSocket.v4()) {
            assertThatThrownBy(() -> socket.bind(UnixDomainSocketAddress.of("/nowhere")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("/nowhere");
            assertThatThrownBy(() -> socket.connect(InetSocketAddress.createUnresolved("localhost", 1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("localhost")
                    .hasMessageContaining("NameLookup");
            assertThatThrownBy(() -> socket.bind(new InetSocketAddress("::1", 0)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("[0:0:0:0:0:0:0:1]:0")
                    .hasMessageContaining("INET");
            socket.bind(ANY_PORT); // it is open still
            assertThatThrownBy(() -> socket.bind(ANY_PORT)).isInstanceOf(AlreadyBoundException.class);
            assertThat(socket.localAddress()).isNotNull();
        }
    }

    @Test
    void operations_throwClosedChannel_afterClose() throws Exception {
        OpenSockets before = OpenSockets.now();
        TcpSocket socket = TcpSocket.open();
        await().until(() -> before.opened() == 1);
        socket.close();
        socket.close();
        await().until(() -> before.opened() == 0);
        for (ThrowingCallable call : List.<ThrowingCallable>of(
                () -> socket.bind(ANY_PORT),
                () -> socket.listen(1),
                () -> socket.connect(new InetSocketAddress(HOST, 1)),
                () -> socket.connect(new InetSocketAddress(HOST, 1), Duration.ZERO),
                socket::localAddress,
                socket::noDelay,
                () -> socket.keepAliveIdle(Duration.ofSeconds(1)),
                () -> socket.reuseAddress(true))) {
            assertThatThrownBy(call).isExactlyInstanceOf(ClosedChannelException.class);
        }
        assertThat(socket).hasToString("TcpSocket[closed]");
    }

    @Test
    void v6_takesAddressesOfBothFamilies() throws Exception {
        Loopback.assumeIpv6();
        try (TcpListener listener = TcpListener.bind(HOST, 0);
                TcpSocket socket = TcpSocket.v6();
                TcpStream stream = socket.connect(listener.localAddress())) {
            assertThat(stream.isOpen()).isTrue();
        }
        try (TcpSocket socket = TcpSocket.v6()) {
            socket.bind(new InetSocketAddress("::1", 0));
            try (TcpListener listener = socket.listen(1);
                    TcpStream stream =
                            TcpStream.connect("::1", listener.localAddress().getPort())) {
                assertThat(stream.isOpen()).isTrue();
            }
        }
    }
}
