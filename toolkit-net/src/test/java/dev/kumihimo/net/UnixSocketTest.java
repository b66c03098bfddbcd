package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.bytes;
import static dev.kumihimo.net.Loopback.runtime;
import static dev.kumihimo.net.Loopback.text;
import static dev.kumihimo.net.Loopback.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What is particular about local sockets: paths, pairs, who the peer is. The rest is in StreamContractTest. */
@Timeout(60)
@DisabledOnOs(OS.WINDOWS)
class UnixSocketTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    private static String read(UnixStream stream) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(100);
        return stream.read(buffer) < 0 ? null : text(buffer);
    }

    /* ---------------- Paths -------------- */

    @Test
    void addresses_areThePath_orEmpty() throws Exception {
        Path path = directory.resolve("s");
        try (UnixListener listener = UnixListener.bind(path);
                UnixStream client = UnixStream.connect(path);
                UnixStream session = listener.accept(LONG)) {
            UnixDomainSocketAddress address = UnixDomainSocketAddress.of(path);
            assertThat(listener.localAddress()).isEqualTo(address);
            assertThat(listener).hasToString("UnixListener[" + path + "]");
            assertThat(client.peerAddress()).isEqualTo(address);
            assertThat(client.localAddress().getPath().toString()).isEmpty();
            assertThat(client).hasToString("(unnamed) -> " + path);
            assertThat(session.localAddress()).isEqualTo(address);
            assertThat(session).hasToString(path + " -> (unnamed)");
            listener.close();
            assertThat(listener).hasToString("UnixListener[" + path + ", closed]");
            client.writeAll(ByteBuffer.wrap(bytes("sessions live on")));
            assertThat(read(session)).isEqualTo("sessions live on");
        }
    }

    /** The other end is the JDK's own. */
    @Test
    void streams_speakToOthers() throws Exception {
        Path path = directory.resolve("s");
        try (UnixListener listener = UnixListener.bind(path);
                SocketChannel peer = SocketChannel.open(UnixDomainSocketAddress.of(path));
                UnixStream session = listener.accept(LONG)) {
            peer.write(ByteBuffer.wrap(bytes("in")));
            assertThat(read(session)).isEqualTo("in");
            session.writeAll(ByteBuffer.wrap(bytes("out")));
            ByteBuffer buffer = ByteBuffer.allocate(10);
            peer.read(buffer);
            assertThat(text(buffer)).isEqualTo("out");
        }
    }

    @Test
    void bind_namesThePath_whenItCannotBeHad() throws Exception {
        Path path = directory.resolve("s");
        UnixListener.bind(path).close();
        assertThat(path).as("stays after closing").exists();
        assertThatThrownBy(() -> UnixListener.bind(path))
                .isInstanceOf(BindException.class)
                .hasMessage("cannot listen on " + path + ": Address already in use");
        Path nowhere = directory.resolve("missing").resolve("s");
        assertThatThrownBy(() -> UnixListener.bind(nowhere))
                .isInstanceOf(SocketException.class)
                .hasMessage("cannot listen on " + nowhere + ": No such file or directory");
        Path tooLong = directory.resolve("a".repeat(200));
        assertThatThrownBy(() -> UnixListener.bind(tooLong))
                .isInstanceOf(SocketException.class)
                .hasMessageContaining(tooLong.toString())
                .hasMessageContaining("too long");
        assertThatThrownBy(() -> UnixListener.bind(Path.of("")))
                .isInstanceOf(SocketException.class)
                .hasMessageContaining("(unnamed)");
        Path file = Files.createFile(directory.resolve("file"));
        assertThatThrownBy(() -> UnixListener.bind(file.resolve("s")))
                .isInstanceOf(SocketException.class)
                .hasMessageContaining(file.toString());
    }

    @Test
    void connect_namesThePath_whenNobodyIsThere() throws Exception {
        Path path = directory.resolve("s");
        for (Duration time : List.of(LONG, Duration.ZERO)) {
            assertThatThrownBy(() -> UnixStream.connect(path, time))
                    .isInstanceOf(SocketException.class)
                    .hasMessage("cannot connect to " + path + ": No such file or directory");
        }
        assertThatThrownBy(() -> UnixStream.connect(path))
                .isInstanceOf(SocketException.class)
                .hasMessage("cannot connect to " + path + ": No such file or directory");
        UnixListener.bind(path).close();
        assertThatThrownBy(() -> UnixStream.connect(path))
                .isInstanceOf(ConnectException.class)
                .hasMessage("cannot connect to " + path + ": Connection refused");
        Path tooLong = directory.resolve("a".repeat(200));
        assertThatThrownBy(() -> UnixStream.connect(tooLong))
                .isInstanceOf(SocketException.class)
                .hasMessageContaining(tooLong.toString())
                .hasMessageContaining("too long");
    }

    /** The superuser may do everything, so for him another errand is asked: a file system that takes no files. */
    @Test
    void bind_namesThePath_whenItIsNotPermitted() throws Exception {
        Path closed = Files.createDirectory(
                directory.resolve("closed"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r-xr-xr-x")));
        Path path = (Files.isWritable(closed) ? Path.of("/proc/self") : closed).resolve("s");
        assertThatThrownBy(() -> UnixListener.bind(path))
                .isInstanceOf(SocketException.class)
                .hasMessageContaining("cannot listen on " + path + ": ");
    }

    @Test
    void path_isDeletedOnClose_ifThatWasAsked_andItIsStillOurs() throws Exception {
        Path path = directory.resolve("s");
        for (int i = 0; i < 3; i++) {
            UnixListener listener = UnixListener.bind(path).deletePathOnClose();
            assertThat(path).exists();
            listener.close();
            listener.close();
            assertThat(path).doesNotExist();
        }
        UnixListener robbed = UnixListener.bind(path).deletePathOnClose();
        Files.move(path, directory.resolve("kept")); // the inode is not free, so the next one has another
        try (UnixListener next = UnixListener.bind(path)) {
            robbed.close();
            assertThat(path).exists();
            UnixStream.connect(path).close();
            next.accept(LONG).close();
        }
        UnixListener gone = UnixListener.bind(directory.resolve("gone")).deletePathOnClose();
        Files.delete(directory.resolve("gone"));
        gone.close();
        assertThatThrownBy(gone::accept).isInstanceOf(ClosedChannelException.class);
    }

    /* ---------------- A full backlog -------------- */

    @Test
    void connect_waitsForRoom_andIsEndedByTimeAndCancellation() throws Exception {
        Path path = directory.resolve("s");
        OpenSockets before = OpenSockets.now();
        try (TaskRuntime runtime = runtime(2);
                ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(path), 1);
            List<UnixStream> streams = new ArrayList<>();
            assertThatThrownBy(
                            () -> { // as many as there is room for
                                while (true) {
                                    streams.add(UnixStream.connect(path, Duration.ZERO));
                                }
                            })
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("cannot connect to " + path);
            assertThat(streams).isNotEmpty();
            assertThatThrownBy(() -> UnixStream.connect(path, Duration.ofMillis(50)))
                    .isInstanceOf(SocketTimeoutException.class)
                    .hasMessageContaining(path.toString());
            JoinHandle<UnixStream> cancelled = runtime.spawn(() -> {
                try {
                    return UnixStream.connect(path);
                } catch (InterruptedIOException e) {
                    assertThat(e).hasCauseInstanceOf(TaskCancelledException.class);
                    throw (InterruptedException) e.getCause();
                }
            });
            untilWaiting(cancelled);
            cancelled.abort();
            assertThat(cancelled.result()).isInstanceOf(JoinResult.Cancelled.class);

            JoinHandle<UnixStream> patient = runtime.spawn(() -> UnixStream.connect(path));
            untilWaiting(patient);
            JoinHandle<UnixStream> bounded = runtime.spawn(() -> UnixStream.connect(path, LONG));
            untilWaiting(bounded);
            List<SocketChannel> accepted = new ArrayList<>();
            for (int i = 0; i < streams.size() + 2; i++) {
                accepted.add(listener.accept());
            }
            streams.add(patient.join(LONG));
            streams.add(bounded.join(LONG));
            for (UnixStream stream : streams) {
                stream.writeAll(ByteBuffer.wrap(bytes("connected indeed")));
                stream.close();
            }
            for (SocketChannel session : accepted) {
                ByteBuffer buffer = ByteBuffer.allocate(100);
                session.read(buffer);
                assertThat(text(buffer)).isEqualTo("connected indeed");
                session.close();
            }
        }
        await().atMost(LONG).until(() -> before.opened() == 0);
    }

    /* ---------------- Pairs, peers, options -------------- */

    @Test
    void pair_isConnected_andLeavesNothingBehind() throws Exception {
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        long before = pairsIn(temporary);
        OpenSockets sockets = OpenSockets.now();
        try (TaskRuntime runtime = runtime(2)) {
            for (int i = 0; i < 20; i++) {
                try (UnixStream.Pair pair = runtime.blockOn(() -> UnixStream.pair())) {
                    pair.first().writeAll(ByteBuffer.wrap(bytes("to the second")));
                    pair.first().shutdownOutput();
                    assertThat(read(pair.second())).isEqualTo("to the second");
                    assertThat(read(pair.second())).isNull();
                    pair.second().writeAll(ByteBuffer.wrap(bytes("to the first")));
                    assertThat(read(pair.first())).isEqualTo("to the first");
                }
            }
            runtime.blockOn(() -> {
                Thread.currentThread().interrupt();
                assertThatThrownBy(() -> UnixStream.pair()).isInstanceOf(InterruptedIOException.class);
                assertThat(Thread.interrupted()).isTrue();
            });
        }
        assertThat(pairsIn(temporary)).isEqualTo(before);
        await().atMost(LONG).until(() -> sockets.opened() == 0);
    }

    private static long pairsIn(Path temporary) throws IOException {
        try (Stream<Path> files = Files.list(temporary)) {
            return files.filter(file -> file.getFileName()
                            .toString()
                            .startsWith(
                                    UnixStream.PAIR + ProcessHandle.current().pid() + "-"))
                    .count();
        }
    }

    @Test
    void peerCredentials_tellWhoWeAre() throws Exception {
        Path mine = Files.createFile(directory.resolve("mine"));
        try (UnixStream.Pair pair = UnixStream.pair()) {
            for (UnixStream stream : List.of(pair.first(), pair.second())) {
                PeerCredentials peer = stream.peerCredentials();
                assertThat(peer.user()).isEqualTo(Files.getOwner(mine));
                assertThat(peer.group()).isNotNull();
            }
            pair.first().close();
            assertThatThrownBy(() -> pair.first().peerCredentials()).isInstanceOf(ClosedChannelException.class);
        }
    }

    @Test
    void options_areSetAndTold() throws Exception {
        try (UnixStream.Pair pair = UnixStream.pair()) {
            pair.first().option(StandardSocketOptions.SO_SNDBUF, 20_000);
            assertThat(pair.first().option(StandardSocketOptions.SO_SNDBUF)).isBetween(20_000, 40_000);
            assertThat(pair.first().supportedOptions()).contains(StandardSocketOptions.SO_SNDBUF);
            assertThatThrownBy(() -> pair.first().option(StandardSocketOptions.TCP_NODELAY))
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("TCP_NODELAY");
        }
    }

    /* ---------------- Failures -------------- */

    /** Of the global runtime, whose driver does not turn by itself. */
    @Test
    void adopt_leavesNoDescriptor_whenItFails() throws Exception {
        TcpListener.bind(Loopback.HOST, 0).close(); // has its driver wait
        OpenSockets before = OpenSockets.now();
        IllegalStateException planted = new IllegalStateException("planted");
        assertThatThrownBy(() -> ChannelStream.adopt(SocketChannel.open(), (channel, known) -> {
                    throw planted;
                }))
                .isSameAs(planted);
        await().until(() -> before.opened() == 0);
    }
}
