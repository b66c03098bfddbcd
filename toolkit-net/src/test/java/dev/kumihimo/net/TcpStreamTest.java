package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.HOST;
import static dev.kumihimo.net.Loopback.bytes;
import static dev.kumihimo.net.Loopback.read;
import static dev.kumihimo.net.Loopback.runtime;
import static dev.kumihimo.net.Loopback.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.net.Loopback.Pair;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class TcpStreamTest {
    /* ---------------- Data -------------- */

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void echo_returnsEveryByte_overManyConnections(int carriers) throws Exception {
        int connections = 200;
        int rounds = 50;
        try (TaskRuntime runtime = runtime(carriers)) {
            runtime.blockOn(() -> {
                TcpListener listener = TcpListener.bind(HOST, 0);
                JoinHandle<Void> server = Task.spawn(() -> {
                    for (int i = 0; i < connections; i++) {
                        TcpStream session = listener.accept();
                        Task.spawn(() -> echo(session));
                    }
                });
                List<JoinHandle<Void>> clients = new ArrayList<>();
                for (int i = 0; i < connections; i++) {
                    int seed = i;
                    clients.add(Task.spawn(() -> {
                        Random random = new Random(seed);
                        try (TcpStream stream = TcpStream.connect(listener.localAddress())) {
                            for (int round = 0; round < rounds; round++) {
                                byte[] sent = new byte[1 + random.nextInt(5_000)];
                                random.nextBytes(sent);
                                stream.writeAll(ByteBuffer.wrap(sent));
                                assertThat(stream.inputStream().readNBytes(sent.length))
                                        .isEqualTo(sent);
                            }
                        }
                    }));
                }
                for (JoinHandle<Void> client : clients) {
                    client.join();
                }
                server.join();
                listener.close();
            });
        }
    }

    private static void echo(TcpStream session) throws IOException {
        try (session) {
            ByteBuffer buffer = ByteBuffer.allocate(2048);
            while (session.read(buffer) >= 0) {
                session.writeAll(buffer.flip());
                buffer.clear();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void writeAll_deliversWhatExceedsEveryBuffer_whileTheReaderIsSlow(boolean direct) throws Exception {
        byte[] sent = new byte[20_000_000];
        new Random(7).nextBytes(sent);
        try (TaskRuntime runtime = runtime(2);
                TcpListener listener = TcpListener.bind(HOST, 0);
                TcpStream receiver = TcpStream.connect(listener.localAddress());
                TcpStream sender = listener.accept()) {
            ByteBuffer source = direct ? ByteBuffer.allocateDirect(sent.length) : ByteBuffer.allocate(sent.length);
            source.put(sent).flip();
            JoinHandle<Void> writing = runtime.spawn(() -> {
                sender.writeAll(source);
                sender.shutdownOutput();
            });
            untilWaiting(writing); // both buffers of the system are full
            byte[] received = runtime.blockOn(() -> receiver.inputStream().readAllBytes());
            writing.join();
            assertThat(source.hasRemaining()).isFalse();
            assertThat(Arrays.equals(received, sent)).isTrue();
        }
    }

    @Test
    void read_leavesTheBuffersLimit_whenTheBufferIsLargerThanOneCall() throws Exception {
        try (Pair pair = Pair.open()) {
            pair.send("hello");
            ByteBuffer buffer = ByteBuffer.allocate(1_000_000).limit(900_000);
            assertThat(pair.stream().read(buffer)).isEqualTo(5);
            assertThat(buffer.position()).isEqualTo(5);
            assertThat(buffer.limit()).isEqualTo(900_000);
        }
    }

    @Test
    void read_returnsZero_whenThereIsNoRoom() throws Exception {
        try (Pair pair = Pair.open()) {
            assertThat(pair.stream().read(ByteBuffer.allocate(0))).isZero();
            pair.stream().writeAll(ByteBuffer.allocate(0));
            assertThat(pair.stream().write(ByteBuffer.allocate(0))).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void read_seesTheEnd_afterAReadThatDrained(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers)) {
            for (int i = 0; i < 200; i++) {
                boolean closesEarly = i % 2 == 0;
                try (Pair pair = runtime.blockOn(() -> Pair.open())) {
                    pair.send("abc");
                    if (closesEarly) {
                        pair.peer().shutdownOutput();
                    }
                    assertThat(runtime.<String, IOException>blockOn(() -> read(pair.stream(), 100)))
                            .isEqualTo("abc"); // drained: the next read waits without a system call
                    JoinHandle<String> end = runtime.spawn(() -> read(pair.stream(), 100));
                    if (!closesEarly) {
                        pair.peer().shutdownOutput();
                    }
                    assertThat(end.join(Duration.ofSeconds(10))).isNull();
                    assertThat(runtime.<String, IOException>blockOn(() -> read(pair.stream(), 100)))
                            .isNull();
                }
            }
        }
    }

    @Test
    void shutdownOutput_endsTheOutputOnly_andIsIdempotent() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            runtime.blockOn(() -> {
                pair.stream().writeAll(ByteBuffer.wrap(bytes("bye")));
                pair.stream().shutdownOutput();
                pair.stream().shutdownOutput();
                pair.stream().shutdownOutput();
            });
            assertThat(pair.receive(3)).isEqualTo("bye");
            assertThat(pair.peer().getInputStream().read()).isEqualTo(-1);
            pair.send("still here");
            assertThat(read(pair.stream(), 100)).isEqualTo("still here");
            assertThatThrownBy(() -> pair.stream().writeAll(ByteBuffer.allocate(1)))
                    .isInstanceOf(java.nio.channels.ClosedChannelException.class);
        }
    }

    @Test
    void shutdownOutput_endsAWriteThatWaits() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            JoinHandle<Void> writing = runtime.spawn(() -> pair.stream().writeAll(ByteBuffer.allocate(20_000_000)));
            untilWaiting(writing);
            pair.stream().shutdownOutput();
            // ClosedChannelException, or the system's "broken pipe" if the writer was just in its call
            assertThatThrownBy(() -> writing.join(Duration.ofSeconds(10)))
                    .hasCauseInstanceOf(java.io.IOException.class);
        }
    }

    @Test
    void views_readAndWriteAsJavaIo() throws Exception {
        try (Pair pair = Pair.open()) {
            OutputStream out = pair.stream().outputStream();
            out.write('a');
            out.write(bytes("xbcx"), 1, 2);
            assertThat(pair.receive(3)).isEqualTo("abc");
            pair.peer().getOutputStream().write(new byte[] {(byte) 200, 1, 2, 3});
            InputStream in = pair.stream().inputStream();
            assertThat(in.read()).isEqualTo(200);
            assertThat(in.readNBytes(3)).containsExactly(1, 2, 3);
            assertThat(in.read(new byte[0])).isZero();
            assertThatThrownBy(() -> in.read(new byte[3], 2, 2)).isInstanceOf(IndexOutOfBoundsException.class);
            pair.peer().shutdownOutput();
            assertThat(in.read()).isEqualTo(-1);
            assertThat(in.read(new byte[3])).isEqualTo(-1);
            in.close();
            assertThat(pair.stream().isOpen()).isFalse();
        }
    }

    /* ---------------- Turns -------------- */

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void writeAll_isNotInterleaved_whenTasksWriteAtOnce(int carriers) throws Exception {
        int writers = 8;
        int length = 300_000;
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = Pair.open()) {
            for (int i = 0; i < writers; i++) {
                byte[] block = new byte[length];
                Arrays.fill(block, (byte) i);
                runtime.spawn(() -> pair.stream().writeAll(ByteBuffer.wrap(block)));
            }
            boolean[] seen = new boolean[writers];
            for (int i = 0; i < writers; i++) {
                byte[] block = pair.peer().getInputStream().readNBytes(length);
                byte[] expected = new byte[length];
                Arrays.fill(expected, block[0]);
                assertThat(Arrays.equals(block, expected)).isTrue();
                assertThat(seen[block[0]]).isFalse();
                seen[block[0]] = true;
            }
        }
    }

    @Test
    void read_servesReadersInTheirOrder_andSkipsACancelledOne() throws Exception {
        try (TaskRuntime runtime = runtime(2);
                Pair pair = Pair.open()) {
            List<JoinHandle<String>> readers = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                readers.add(runtime.spawn(() -> read(pair.stream(), 1)));
                untilWaiting(readers.get(i));
            }
            readers.get(0).abort();
            readers.get(0).result();
            readers.get(2).abort();
            readers.get(2).result();
            pair.send("abc");
            assertThat(readers.get(1).join()).isEqualTo("a");
            assertThat(readers.get(3).join()).isEqualTo("b");
            assertThat(readers.get(4).join()).isEqualTo("c");
        }
    }

    /* ---------------- Who may call -------------- */

    @Test
    void stream_servesPlatformThreads_outsideOfAnyRuntime() throws Exception {
        try (TcpListener listener = TcpListener.bind(HOST, 0)) {
            FutureTask<String> client = new FutureTask<>(() -> {
                try (TcpStream stream =
                        TcpStream.connect(HOST, listener.localAddress().getPort())) {
                    stream.writeAll(ByteBuffer.wrap(bytes("ping")));
                    return new String(stream.inputStream().readAllBytes(), StandardCharsets.US_ASCII);
                }
            });
            Thread thread = new Thread(client);
            thread.start();
            try (TcpStream session = listener.accept()) {
                assertThat(read(session, 10)).isEqualTo("ping");
                session.writeAll(ByteBuffer.wrap(bytes("pong")));
            }
            assertThat(client.get(10, TimeUnit.SECONDS)).isEqualTo("pong");
            thread.join();
        }
    }

    @Test
    void stream_servesVirtualThreadsOfTheJdk_andTasksOfAnotherRuntime() throws Exception {
        try (TaskRuntime owner = runtime(1);
                TaskRuntime other = runtime(1);
                Pair pair = owner.blockOn(() -> Pair.open())) {
            FutureTask<String> virtual = new FutureTask<>(() -> read(pair.stream(), 100));
            Thread thread = Thread.ofVirtual().start(virtual);
            pair.send("to the virtual thread");
            assertThat(virtual.get(10, TimeUnit.SECONDS)).isEqualTo("to the virtual thread");
            thread.join();
            JoinHandle<String> foreign = other.spawn(() -> read(pair.stream(), 100));
            untilWaiting(foreign);
            pair.send("to the other runtime");
            assertThat(foreign.join(Duration.ofSeconds(10))).isEqualTo("to the other runtime");
        }
    }

    /* ---------------- Connecting, addresses, options -------------- */

    @Test
    void connect_looksANameUp_onTheBlockingPool() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TcpListener listener = TcpListener.bind("localhost", 0)) {
            int port = listener.localAddress().getPort();
            runtime.blockOn(() -> {
                TcpStream.connect("localhost", port).close();
                TcpStream.connect(InetSocketAddress.createUnresolved("localhost", port), Duration.ofSeconds(10))
                        .close();
            });
        }
    }

    @Test
    void connect_saysThatThereIsNoRoomForALookup() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        try (TaskRuntime runtime = TaskRuntime.builder()
                .workerThreads(1)
                .maxBlockingThreads(1)
                .maxBlockingQueue(0)
                .build()) {
            runtime.spawnBlocking(() -> release.await());
            assertThatThrownBy(() -> runtime.blockOn(() -> TcpStream.connect("localhost", 80)))
                    .isExactlyInstanceOf(IOException.class)
                    .hasMessageContaining("no room for the lookup of localhost");
            release.countDown();
        }
    }

    @Test
    void connect_saysWhichNameIsUnknown() throws Exception {
        try (TaskRuntime runtime = runtime(1)) {
            assertThatThrownBy(() -> runtime.blockOn(() -> TcpStream.connect("no-such-host.invalid", 80)))
                    .isInstanceOf(UnknownHostException.class)
                    .hasMessageContaining("no-such-host.invalid");
        }
    }

    @Test
    void connect_namesTheAddress_whenItIsRefused() throws Exception {
        int port = Loopback.refusing().getPort();
        try (TaskRuntime runtime = runtime(1)) {
            OpenSockets before = OpenSockets.now();
            for (int i = 0; i < 10; i++) {
                assertThatThrownBy(() -> runtime.blockOn(() -> TcpStream.connect(HOST, port)))
                        .isInstanceOf(ConnectException.class)
                        .hasMessageContaining("127.0.0.1:" + port)
                        .hasMessageContaining("refused");
            }
            org.awaitility.Awaitility.await().until(() -> before.opened() == 0);
        }
    }

    @Test
    void connect_refusesWhatIsNoTcpAddress() {
        assertThatThrownBy(() -> TcpStream.connect(HOST, 65536))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("65536");
        assertThatThrownBy(() -> TcpStream.connect(UnixDomainSocketAddress.of("/nowhere")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("/nowhere");
    }

    @Test
    void options_areThoseOfTheSocket() throws Exception {
        try (Pair pair = Pair.open()) {
            TcpStream stream = pair.stream();
            assertThat(stream.noDelay()).isFalse();
            assertThat(stream.keepAlive()).isFalse();
            stream.noDelay(true);
            stream.keepAlive(true);
            assertThat(stream.noDelay()).isTrue();
            assertThat(stream.keepAlive()).isTrue();
            stream.noDelay(false);
            assertThat(stream.noDelay()).isFalse();
            assertThat(stream.localAddress().getPort()).isEqualTo(pair.peer().getPort());
            assertThat(stream.peerAddress().getPort()).isEqualTo(pair.peer().getLocalPort());
            assertThat(stream)
                    .hasToString("127.0.0.1:" + pair.peer().getPort() + " -> 127.0.0.1:"
                            + pair.peer().getLocalPort());
        }
    }

    @Test
    void isLiteral_knowsAddressesFromNames() {
        assertThat(List.of("127.0.0.1", "0.0.0.0", "255.255.255.255", "::1", "fe80::1%1", ""))
                .allMatch(Addresses::isLiteral);
        assertThat(List.of("localhost", "256.1.1.1", "1.2.3", "1.2.3.4.5", "1.2.3.x", "1..2.3", "a.b.c.d"))
                .noneMatch(Addresses::isLiteral);
        assertThat(Addresses.text(new InetSocketAddress("::1", 80))).isEqualTo("[0:0:0:0:0:0:0:1]:80");
    }
}
