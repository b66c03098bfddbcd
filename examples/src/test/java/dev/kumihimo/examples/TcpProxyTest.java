package dev.kumihimo.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs the program as users do, in a process of its own, between sockets of the JDK. */
@Timeout(60)
class TcpProxyTest {
    private static final int LIMIT_MILLIS = 20_000;

    @TempDir
    private Path folder;

    private ServerSocket target;
    private Program proxy;
    private int port;

    @BeforeEach
    void start() throws IOException {
        target = new ServerSocket(0, 2000, InetAddress.getLoopbackAddress());
        target.setSoTimeout(LIMIT_MILLIS);
        proxy = Program.start(folder, "TcpProxy", "0", "127.0.0.1:" + target.getLocalPort());
        await().atMost(Duration.ofSeconds(40))
                .until(() -> proxy.out().endsWith("\n") || !proxy.process().isAlive());
        Matcher told = Pattern.compile("TcpProxy is listening on 127\\.0\\.0\\.1:(\\d+) for ")
                .matcher(proxy.out());
        assertThat(told.find()).as("%s%s", proxy.out(), proxy.err()).isTrue();
        port = Integer.parseInt(told.group(1));
    }

    @AfterEach
    void end() throws IOException {
        proxy.close();
        target.close();
    }

    /** A connection through the proxy: the client's side, and the target's. */
    private record Joined(Socket client, Socket server) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            client.close();
            server.close();
        }
    }

    private Joined join() throws IOException {
        Socket client = connect(port);
        Socket server = target.accept();
        server.setSoTimeout(LIMIT_MILLIS);
        return new Joined(client, server);
    }

    private static Socket connect(int port) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(LIMIT_MILLIS);
        return socket;
    }

    private static void say(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static String hear(Socket socket, int length) throws IOException {
        return new String(socket.getInputStream().readNBytes(length), StandardCharsets.US_ASCII);
    }

    /* ---------------- Bytes and ends -------------- */

    @Test
    void bytes_passInBothDirectionsAtOnce() throws Exception {
        byte[] there = new byte[3_000_000];
        byte[] back = new byte[2_000_000];
        new Random(1).nextBytes(there);
        new Random(2).nextBytes(back);
        try (Joined joined = join();
                ExecutorService executor = Executors.newCachedThreadPool()) {
            Future<?> sent = executor.submit(() -> {
                joined.client.getOutputStream().write(there);
                joined.client.shutdownOutput();
                return null;
            });
            Future<?> answered = executor.submit(() -> {
                joined.server.getOutputStream().write(back);
                joined.server.shutdownOutput();
                return null;
            });
            Future<byte[]> received =
                    executor.submit(() -> joined.client.getInputStream().readAllBytes());
            assertThat(Arrays.equals(joined.server.getInputStream().readAllBytes(), there))
                    .isTrue();
            assertThat(Arrays.equals(received.get(), back)).isTrue();
            sent.get();
            answered.get();
            proxy.awaitOut(" sent 3000000 bytes and received 2000000\n");
        }
        assertThat(proxy.complaints()).isEmpty();
    }

    @Test
    void theEndOfOneSidesOutput_passes_andTheOtherGoesOn() throws Exception {
        try (Joined joined = join()) {
            say(joined.client, "question");
            joined.client.shutdownOutput();
            assertThat(joined.server.getInputStream().readAllBytes()).asString().isEqualTo("question");
            say(joined.server, "an answer after that");
            assertThat(hear(joined.client, 20)).isEqualTo("an answer after that");
            joined.server.shutdownOutput();
            assertThat(joined.client.getInputStream().read()).isEqualTo(-1);
        }
        try (Joined joined = join()) {
            say(joined.server, "220 hello");
            joined.server.shutdownOutput();
            assertThat(joined.client.getInputStream().readAllBytes()).asString().isEqualTo("220 hello");
            say(joined.client, "talks on");
            joined.client.shutdownOutput();
            assertThat(joined.server.getInputStream().readAllBytes()).asString().isEqualTo("talks on");
        }
        proxy.awaitOut(" sent 8 bytes and received 20\n");
        proxy.awaitOut(" sent 8 bytes and received 9\n");
        assertThat(proxy.complaints()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aReset_passes_andTouchesNoOther(boolean byClient) throws Exception {
        try (Joined other = join();
                Joined failing = join()) {
            say(failing.client, "a");
            say(failing.server, "b");
            assertThat(hear(failing.server, 1) + hear(failing.client, 1)).isEqualTo("ab");
            Socket one = byClient ? failing.client : failing.server;
            one.setSoLinger(true, 0);
            one.close(); // a reset
            InputStream input = (byClient ? failing.server : failing.client).getInputStream();
            assertThatThrownBy(input::read).isInstanceOf(SocketException.class).hasMessageContaining("reset");
            proxy.awaitErr("Connection reset\n");
            assertThat(proxy.complaints()).hasLineCount(1).contains(" failed: 127.0.0.1:");
            say(other.client, "still here");
            assertThat(hear(other.server, 10)).isEqualTo("still here");
        }
    }

    @Test
    void aTargetThatIsDown_isToldOf_andTheProxyLivesOn() throws Exception {
        int targetPort = target.getLocalPort();
        target.close();
        try (Socket client = connect(port)) {
            assertThatThrownBy(() -> client.getInputStream().read())
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("reset");
            proxy.awaitErr("Connection refused"); // Java 21 says more after it
            assertThat(proxy.complaints())
                    .startsWith("TcpProxy: 127.0.0.1:" + client.getLocalPort() + " failed: cannot connect to 127.0.0.1:"
                            + targetPort + ": Connection refused");
        }
        target = new ServerSocket(targetPort, 10, InetAddress.getLoopbackAddress());
        try (Joined joined = join()) {
            say(joined.client, "back");
            assertThat(hear(joined.server, 4)).isEqualTo("back");
        }
    }

    @Test
    void aThousandConnections_areAllJoined_eachToItsOwn() throws Exception {
        int count = 1000;
        List<Socket> sockets = new ArrayList<>();
        try (ExecutorService executor = Executors.newSingleThreadExecutor()) {
            Future<List<Socket>> accepted = executor.submit(() -> {
                List<Socket> servers = new ArrayList<>();
                while (servers.size() < count) {
                    servers.add(target.accept());
                }
                return servers;
            });
            List<Socket> clients = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                Socket client = connect(port);
                sockets.add(client);
                clients.add(client);
                say(client, String.format("%08d", i));
            }
            List<Socket> servers = accepted.get();
            sockets.addAll(servers);
            for (Socket server : servers) {
                server.setSoTimeout(LIMIT_MILLIS);
                say(server, hear(server, 8) + "!");
            }
            for (int i = 0; i < count; i++) {
                assertThat(hear(clients.get(i), 9)).isEqualTo(String.format("%08d!", i));
            }
            for (Socket client : clients) {
                client.shutdownOutput();
            }
            for (Socket server : servers) {
                assertThat(server.getInputStream().read()).isEqualTo(-1);
                server.close();
            }
            for (Socket client : clients) {
                assertThat(new DataInputStream(client.getInputStream()).read()).isEqualTo(-1);
            }
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
        await().atMost(Duration.ofSeconds(20))
                .until(() -> proxy.out()
                                .lines()
                                .filter(line -> line.endsWith(" sent 8 bytes and received 9"))
                                .count()
                        == count);
        assertThat(proxy.complaints()).isEmpty();
    }

    /* ---------------- The end -------------- */

    @Test
    void sigterm_takesNoMore_andLetsConnectionsEnd() throws Exception {
        try (Joined joined = join()) {
            say(joined.client, "before");
            assertThat(hear(joined.server, 6)).isEqualTo("before");
            proxy.signal("TERM");
            proxy.awaitErr("the service ends");
            await().untilAsserted(() ->
                    assertThatThrownBy(() -> connect(port).close()).isInstanceOf(ConnectException.class));
            say(joined.client, "after");
            joined.client.shutdownOutput();
            assertThat(joined.server.getInputStream().readAllBytes()).asString().isEqualTo("after");
            say(joined.server, "and the answer");
            joined.server.shutdownOutput();
            assertThat(joined.client.getInputStream().readAllBytes()).asString().isEqualTo("and the answer");
        }
        assertThat(proxy.ended()).as("%s", proxy.err()).isZero();
    }

    @Test
    void sigterm_cutsOffWhatDoesNotEnd() throws Exception {
        try (Joined joined = join()) {
            say(joined.client, "x");
            assertThat(hear(joined.server, 1)).isEqualTo("x");
            proxy.signal("TERM");
            for (Socket each : List.of(joined.client, joined.server)) {
                assertThatThrownBy(() -> each.getInputStream().read())
                        .isInstanceOf(SocketException.class)
                        .hasMessageContaining("reset");
            }
            assertThat(proxy.ended()).isEqualTo(1);
        }
    }
}
