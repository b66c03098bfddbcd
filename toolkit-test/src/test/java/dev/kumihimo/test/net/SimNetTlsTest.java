package dev.kumihimo.test.net;

import static dev.kumihimo.test.net.Network.receive;
import static dev.kumihimo.test.net.Network.send;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.codec.Framed;
import dev.kumihimo.codec.LinesCodec;
import dev.kumihimo.net.TcpServer;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.select.Select;
import dev.kumihimo.test.Rng;
import dev.kumihimo.test.TestRuntime;
import dev.kumihimo.tls.TlsClient;
import dev.kumihimo.tls.TlsListener;
import dev.kumihimo.tls.TlsServer;
import dev.kumihimo.tls.TlsStream;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** TLS over a {@link SimNet}, in virtual time. */
@Timeout(60)
class SimNetTlsTest {
    private static final char[] PASSWORD = "changeit".toCharArray();

    private static TlsServer server;
    private static TlsClient client;

    @BeforeAll
    static void makeCertificate(@TempDir Path folder) throws Exception {
        Path store = folder.resolve("store.p12");
        Process keytool = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        "changeit",
                        "-alias",
                        "server",
                        "-keyalg",
                        "EC",
                        "-groupname",
                        "secp256r1",
                        "-dname",
                        "CN=server",
                        "-ext",
                        "san=dns:server",
                        "-validity",
                        "36500"))
                .inheritIO()
                .start();
        assertThat(keytool.waitFor()).isZero();
        KeyStore keys = KeyStore.getInstance(store.toFile(), PASSWORD);
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        server = TlsServer.builder().context(context).build();
        client = TlsClient.builder()
                .trust(List.of((X509Certificate) keys.getCertificate("server")))
                .build();
        try (TestRuntime warm = TestRuntime.fifo()) { // what the JDK sets up once is not for the clock of a test
            warm.run(() -> echo(SimNet.of(Rng.of(1))));
        }
    }

    private static void echo(SimNet net) throws Exception {
        TlsListener listener = server.listen(net.listen("server", 443));
        JoinHandle<TcpServer.Report> serving =
                Task.spawn(() -> TcpServer.serve(listener, stream -> Network.echo(stream)));
        try (TlsStream stream = client.wrap(net.connect("client", "server", 443), "server", 443)) {
            send(stream, "secret");
            assertThat(receive(stream, 6)).isEqualTo("secret");
            byte[] sent = Network.pattern(100_000);
            JoinHandle<?> writer = Task.spawn(() -> stream.writeAll(ByteBuffer.wrap(sent)));
            assertThat(stream.inputStream().readNBytes(sent.length)).isEqualTo(sent);
            writer.join();
        }
        listener.close();
        assertThat(serving.join().accepted()).isEqualTo(1);
        assertThat(net.open()).isEmpty();
    }

    @Test
    void tls_isServed_overASlowNetworkInPieces() throws Exception {
        try (TestRuntime test = TestRuntime.seeded(11)) {
            SimNet net = SimNet.of(Rng.of(11));
            net.all().latency(Duration.ofMillis(10)).fragments(700).shortWrites(900);
            test.run(() -> echo(net));
            assertThat(test.nanoTime()).isGreaterThan(60_000_000); // to connect, to shake hands, to ask and be answered
        }
    }

    @Test
    void handshake_endsAtItsTimeout_withinAPartition() throws Exception {
        try (TestRuntime test = TestRuntime.seeded(12)) {
            test.run(() -> {
                SimNet net = SimNet.of(Rng.of(12));
                net.listen("server", 443);
                try (TlsStream stream = client.wrap(net.connect("client", "server", 443), "server", 443)) {
                    net.link("client", "server").partition();
                    assertThatThrownBy(() -> stream.handshake(Duration.ofSeconds(3)))
                            .isInstanceOf(SocketTimeoutException.class);
                }
            });
            assertThat(test.clock().elapsed()).isEqualTo(Duration.ofSeconds(3));
        }
    }

    @Test
    void reset_inTheMiddle_isTold_andFramesAreSelectedOn() throws Exception {
        try (TestRuntime test = TestRuntime.seeded(13)) {
            test.run(() -> {
                SimNet net = SimNet.of(Rng.of(13));
                net.all().latency(Duration.ofMillis(5));
                TlsListener listener = server.listen(net.listen("server", 443));
                SimStream below = net.connect("client", "server", 443);
                TlsStream ours = client.wrap(below, "server", 443);
                TlsStream theirs = listener.accept();
                Framed<String, String> frames = Framed.of(theirs, LinesCodec.of(100));
                JoinHandle<String> selecting = Task.spawn(() -> Select.<String>of()
                        .on(frames, line -> line)
                        .after(Duration.ofSeconds(10), () -> "none")
                        .await());
                send(ours, "one\nhalf a l");
                assertThat(selecting.join()).isEqualTo("one");
                below.reset();
                assertThatThrownBy(frames::receive).isInstanceOf(SocketException.class);
                ours.close();
                theirs.close();
                listener.close();
            });
        }
    }
}
