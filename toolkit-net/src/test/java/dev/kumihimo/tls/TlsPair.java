package dev.kumihimo.tls;

import static org.awaitility.Awaitility.await;

import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.UnaryOperator;

/** Two ends of one TLS connection over loopback, and what tests of them have in common. */
record TlsPair(TlsStream client, TlsStream server) implements AutoCloseable {
    static final String HOST = "localhost";

    static TlsServer server(String alias) {
        return TlsServer.builder().identity(Certificates.identity(alias)).build();
    }

    static TlsClient.Builder trusting() {
        return TlsClient.builder().trust(Certificates.ca());
    }

    static TlsPair open(String... protocols) throws IOException {
        return open(
                trusting().protocols(protocols).build(),
                TlsServer.builder().identity(Certificates.identity("localhost")).build());
    }

    static TlsPair open(TlsClient client, TlsServer server) throws IOException {
        return open(client, server, UnaryOperator.identity());
    }

    /** No handshake is done yet. */
    static TlsPair open(TlsClient client, TlsServer server, UnaryOperator<ByteStream> below) throws IOException {
        try (TcpListener listener = TcpListener.bind(HOST, 0)) {
            int port = listener.localAddress().getPort();
            TcpStream first = TcpStream.connect(listener.localAddress());
            first.noDelay(true);
            TcpStream second = listener.accept();
            second.noDelay(true);
            return new TlsPair(client.wrap(below.apply(first), HOST, port), server.wrap(below.apply(second)));
        }
    }

    /** Does the handshake on both sides. Returns what went wrong on either: client, server. */
    Throwable[] shakeHands() throws Exception {
        try (TaskRuntime runtime = runtime(2)) {
            JoinHandle<Throwable> other = runtime.spawn(() -> failure(server));
            return new Throwable[] {runtime.blockOn(() -> failure(client)), other.join()};
        }
    }

    TlsPair shaken() throws Exception {
        for (Throwable failure : shakeHands()) {
            if (failure != null) {
                throw new AssertionError("handshake", failure);
            }
        }
        return this;
    }

    private static Throwable failure(TlsStream stream) {
        try {
            stream.handshake(Duration.ofSeconds(20));
            return null;
        } catch (IOException e) {
            return e;
        }
    }

    static TaskRuntime runtime(int carriers) {
        return TaskRuntime.builder().workerThreads(carriers).build();
    }

    static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    }

    /** Reads once, at most {@code room} bytes; null at the end. */
    static String read(ByteStream stream, int room) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(room);
        return stream.read(buffer, Duration.ofSeconds(20)) < 0
                ? null
                : new String(buffer.array(), 0, buffer.position(), StandardCharsets.US_ASCII);
    }

    /** Waits until a task is in a wait of the toolkit. */
    static void untilWaiting(JoinHandle<?> task) {
        await().pollInterval(Duration.ofMillis(1)).until(() -> isWaiting(task));
    }

    /** Whether a task is in a wait of the toolkit. */
    static boolean isWaiting(JoinHandle<?> task) {
        return ((Waiter) (Object) task).openWait() != null;
    }

    @Override
    public void close() throws IOException {
        client.close();
        server.close();
    }
}
