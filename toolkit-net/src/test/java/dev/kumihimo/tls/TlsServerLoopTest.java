package dev.kumihimo.tls;

import static dev.kumihimo.tls.TlsPair.HOST;
import static dev.kumihimo.tls.TlsPair.bytes;
import static dev.kumihimo.tls.TlsPair.read;
import static dev.kumihimo.tls.TlsPair.runtime;
import static dev.kumihimo.tls.TlsPair.trusting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpServer;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** TLS under the accept loop of the toolkit. */
@Timeout(120)
class TlsServerLoopTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int CLIENTS = 100;

    private static void echo(TlsStream session) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(100);
        while (session.read(buffer.clear()) >= 0) {
            session.writeAll(buffer.flip());
        }
        session.shutdownOutput();
    }

    @Test
    void sessions_areServed_whileOneStalls_andAnotherTalksNoTls_andEndInOrder() throws Exception {
        List<String> failures = new CopyOnWriteArrayList<>();
        TlsClient client = trusting().build();
        try (TaskRuntime runtime = runtime(2);
                TcpListener tcp = TcpListener.bind(HOST, 0)) {
            InetSocketAddress address = tcp.localAddress();
            TcpServer<TlsStream> server = TcpServer.of(
                            TlsPair.server("localhost").listen(tcp))
                    .drainTimeout(Duration.ofMillis(1))
                    .abortTimeout(LIMIT)
                    .onError((session, e) -> failures.add(String.valueOf(e.getMessage())));
            JoinHandle<TcpServer.Report> serving =
                    runtime.spawn(() -> server.serve(session -> server.token().run(() -> {
                        echo(session);
                    })));
            try (TcpStream stalled = TcpStream.connect(address);
                    TcpStream garbage = TcpStream.connect(address)) {
                stalled.writeAll(ByteBuffer.wrap(new byte[] {22, 3, 1}));
                garbage.writeAll(bytes("GET / HTTP/1.0\r\n\r\n"));
                await().until(() -> failures.size() == 1);
                assertThat(failures.get(0)).contains("plain HTTP");
                for (int i = 0; i < CLIENTS; i++) {
                    try (TlsStream stream = client.connect(HOST, address.getPort(), LIMIT)) {
                        stream.writeAll(bytes("there and back"));
                        assertThat(read(stream, 100)).isEqualTo("there and back");
                        stream.shutdownOutput();
                        assertThat(read(stream, 100)).isNull();
                    }
                }
                await().until(() -> server.connections() == 1); // the one that stalls
                try (TlsStream idle = client.connect(HOST, address.getPort(), LIMIT)) {
                    idle.writeAll(bytes("x"));
                    assertThat(read(idle, 1)).isEqualTo("x");
                    server.stop();
                    assertThat(read(idle, 1)).isNull(); // told by close_notify, and not truncated
                }
                TcpServer.Report report = serving.join();
                assertThat(report.accepted()).isEqualTo(CLIENTS + 3);
                assertThat(report.left()).isEmpty();
                assertThat(failures).hasSize(1);
            }
        }
    }

    @Test
    void peerName_isThatOfTheListenerBelow() throws Exception {
        try (TcpListener tcp = TcpListener.bind("127.0.0.1", 0);
                TlsListener listener = TlsPair.server("localhost").listen(tcp);
                TcpStream client = TcpStream.connect(tcp.localAddress());
                TlsStream accepted = listener.accept()) {
            assertThat(listener.peerName(accepted))
                    .isEqualTo("127.0.0.1:" + client.localAddress().getPort());
        }
    }

    /** A context that makes one engine, for the check when a server is built, and fails after that. */
    private static final class OneEngine extends SSLContextSpi {
        private final SSLContext real = defaultContext();
        private boolean asked;

        private static SSLContext defaultContext() {
            try {
                return SSLContext.getDefault();
            } catch (NoSuchAlgorithmException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        protected SSLEngine engineCreateSSLEngine() {
            if (asked) {
                throw new IllegalStateException("no second engine");
            }
            asked = true;
            return real.createSSLEngine();
        }

        @Override
        protected SSLEngine engineCreateSSLEngine(String host, int port) {
            return engineCreateSSLEngine();
        }

        @Override
        protected void engineInit(KeyManager[] keys, TrustManager[] trust, SecureRandom random) {}

        @Override
        protected SSLSocketFactory engineGetSocketFactory() {
            throw new UnsupportedOperationException();
        }

        @Override
        protected SSLServerSocketFactory engineGetServerSocketFactory() {
            throw new UnsupportedOperationException();
        }

        @Override
        protected SSLSessionContext engineGetServerSessionContext() {
            return real.getServerSessionContext();
        }

        @Override
        protected SSLSessionContext engineGetClientSessionContext() {
            return real.getClientSessionContext();
        }
    }

    @Test
    void connection_thatGetsNoEngine_isClosed() throws Exception {
        SSLContext context =
                new SSLContext(new OneEngine(), SSLContext.getDefault().getProvider(), "TLS") {};
        TlsServer server = TlsServer.builder().context(context).build();
        try (TcpListener tcp = TcpListener.bind("127.0.0.1", 0);
                TlsListener listener = server.listen(tcp);
                TcpStream client = TcpStream.connect(tcp.localAddress())) {
            assertThatThrownBy(listener::accept).isInstanceOf(IllegalStateException.class);
            assertThat(read(client, 1)).isNull();
        }
    }
}
