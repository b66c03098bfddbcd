package dev.kumihimo.tls;

import static dev.kumihimo.tls.TlsPair.HOST;
import static dev.kumihimo.tls.TlsPair.bytes;
import static dev.kumihimo.tls.TlsPair.read;
import static dev.kumihimo.tls.TlsPair.runtime;
import static dev.kumihimo.tls.TlsPair.trusting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.net.OpenSockets;
import dev.kumihimo.net.TcpListener;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a stream does when the other side, or what is in between, does not do its part. */
@Timeout(120)
class TlsFaultTest {
    /* ---------------- Truncation -------------- */

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void end_withoutCloseNotify_isAnError(String protocol) throws Exception {
        try (TlsPair pair = TlsPair.open(protocol).shaken()) {
            pair.client().writeAll(bytes("all of it?"));
            pair.client().transport().close();
            assertThat(read(pair.server(), 100)).isEqualTo("all of it?");
            for (int i = 0; i < 2; i++) { // and stays one
                assertThatThrownBy(() -> read(pair.server(), 100))
                        .isInstanceOf(SSLException.class)
                        .hasMessageContaining("truncated");
            }
            assertThat(pair.server().isOpen()).isFalse();
        }
    }

    @Test
    void end_inTheMiddleOfARecord_isAnError() throws Exception {
        try (TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
            pair.client().transport().writeAll(ByteBuffer.wrap(HexFormat.of().parseHex("1703030100aabbcc")));
            pair.client().transport().close();
            assertThatThrownBy(() -> read(pair.server(), 100))
                    .isInstanceOf(SSLException.class)
                    .hasMessageContaining("truncated");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "16", "1603010200", "160301020001"})
    void end_inTheHandshake_isAnError(String sent) throws Exception {
        SSLException thrown = serve(HexFormat.of().parseHex(sent));
        assertThat(thrown).hasMessageContaining("truncated");
    }

    /* ---------------- Garbage -------------- */

    @ParameterizedTest
    @CsvSource({
        "'GET / HTTP/1.1\r\n\r\n', 'has sent \"GET / HT\", which is plain HTTP'",
        "'SSH-2.0-OpenSSH\r\n', 'has sent \"SSH-2.0-\"'",
        "'\u00ff\u00fe\u0000\u0001\u0002\u0003', 'has sent ff fe 00 01 02 03'",
        "'\u0080\u002e\u0001\u0003\u0001\u0000\u0000', 'does not speak TLS'", // an SSLv2 hello
    })
    void garbage_isAClearError(String sent, String told) throws Exception {
        assertThat(serve(sent.getBytes(StandardCharsets.ISO_8859_1))).hasMessageContaining(told);
    }

    @ParameterizedTest
    @ValueSource(strings = {"160303ffff00", "1603030005ffffffffff", "170303000100", "150303000102"})
    void badRecords_areAnError(String sent) throws Exception {
        assertThat(serve(HexFormat.of().parseHex(sent))).isInstanceOf(SSLException.class);
    }

    /** Serves a socket that sends some bytes and ends; what the handshake threw. And another session is left alone. */
    private static SSLException serve(byte[] sent) throws Exception {
        TlsServer server = TlsPair.server("localhost");
        try (TlsPair other = TlsPair.open(trusting().build(), server).shaken();
                TlsListener listener = server.listen(TcpListener.bind(HOST, 0));
                Socket socket = new Socket(HOST, port(listener));
                TlsStream stream = listener.accept(Duration.ofSeconds(10))) {
            socket.getOutputStream().write(sent);
            socket.shutdownOutput();
            Throwable thrown =
                    org.assertj.core.api.Assertions.catchThrowable(() -> stream.handshake(Duration.ofSeconds(20)));
            assertThat(thrown).isInstanceOf(SSLException.class);
            assertThat(stream.isOpen()).isFalse();
            socket.setSoTimeout(20_000);
            try {
                socket.getInputStream().readAllBytes(); // an alert perhaps, and the end
            } catch (java.net.SocketException e) {
                // or a reset
            }
            assertThatThrownBy(() -> read(stream, 1))
                    .isInstanceOf(SSLException.class)
                    .hasMessage(thrown.getMessage());
            other.client().writeAll(bytes("still here"));
            assertThat(read(other.server(), 100)).isEqualTo("still here");
            return (SSLException) thrown;
        }
    }

    @Test
    void garbage_afterTheHandshake_isAnError() throws Exception {
        try (TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
            pair.client().transport().writeAll(ByteBuffer.wrap(new byte[] {
                23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20
            }));
            assertThatThrownBy(() -> read(pair.server(), 100)).isInstanceOf(SSLException.class);
            assertThat(pair.server().isOpen()).isFalse();
            assertThatThrownBy(() -> read(pair.client(), 100))
                    .isInstanceOf(SSLException.class)
                    .hasMessageContaining("fatal alert");
        }
    }

    @Test
    void slowClient_holdsUpNobody() throws Exception {
        TlsServer server = TlsPair.server("localhost");
        try (TaskRuntime runtime = runtime(1);
                TlsListener listener = server.listen(TcpListener.bind(HOST, 0));
                Socket slow = new Socket(HOST, port(listener))) {
            slow.getOutputStream().write(new byte[] {22, 3, 1});
            JoinHandle<String> served = runtime.spawn(() -> {
                TlsStream first = listener.accept();
                JoinHandle<?> handshake = dev.kumihimo.runtime.Task.spawn(() -> first.handshake());
                try (TlsStream second = listener.accept()) {
                    return read(second, 100);
                } finally {
                    handshake.abort();
                    first.close();
                }
            });
            try (TlsStream quick =
                    runtime.blockOn(() -> trusting().build().connect(HOST, port(listener), Duration.ofSeconds(20)))) {
                quick.writeAll(bytes("quick"));
                assertThat(served.join()).isEqualTo("quick");
            }
        }
    }

    /* ---------------- Certificates -------------- */

    @ParameterizedTest
    @CsvSource({
        "expired, true, localhost, NotAfter",
        "other, true, localhost, No subject alternative DNS name matching localhost",
        "localhost, false, localhost, unable to find valid certification path",
        "other, true, 127.0.0.1, No subject alternative names matching IP address 127.0.0.1",
    })
    void badServer_isRefused(String alias, boolean trusted, String host, String told) throws Exception {
        OpenSockets before = OpenSockets.now();
        TlsClient client = trusted ? trusting().build() : TlsClient.ofDefaults();
        try (TaskRuntime runtime = runtime(1);
                TlsListener listener = TlsPair.server(alias).listen(TcpListener.bind(HOST, 0))) {
            JoinHandle<?> served = runtime.spawn(() -> {
                try (TlsStream stream = listener.accept()) {
                    return read(stream, 1);
                }
            });
            assertThatThrownBy(() -> runtime.blockOn(() -> client.connect(host, port(listener))))
                    .isInstanceOf(SSLException.class)
                    .hasStackTraceContaining(told);
            assertThatThrownBy(served::join)
                    .hasCauseInstanceOf(SSLException.class)
                    .hasMessageContaining("fatal alert");
        }
        org.awaitility.Awaitility.await().until(() -> before.opened() == 0);
    }

    @Test
    void literalAddress_isVerified_andNotSent() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TlsListener listener = TlsPair.server("localhost").listen(TcpListener.bind(HOST, 0))) {
            JoinHandle<String> served = runtime.spawn(() -> {
                try (TlsStream stream = listener.accept()) {
                    stream.handshake();
                    return String.valueOf(stream.serverName());
                }
            });
            runtime.blockOn(() -> trusting().build().connect("127.0.0.1", port(listener)))
                    .close();
            assertThat(served.join()).isEqualTo("null");
        }
    }

    @Test
    void serverName_standsForTheHost() throws Exception {
        try (TlsPair pair = TlsPair.open(trusting().serverName("other.example").build(), TlsPair.server("other"))) {
            pair.shaken();
            assertThat(pair.server().serverName()).isEqualTo("other.example");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "TLSv1.3, NONE, true, ok", "TLSv1.3, WANTED, false, ok", "TLSv1.3, WANTED, true, client",
        "TLSv1.3, REQUIRED, true, client", "TLSv1.3, REQUIRED, false, refused", "TLSv1.2, REQUIRED, false, refused",
        "TLSv1.2, REQUIRED, true, client",
    })
    void clientCertificates(String protocol, ClientAuth auth, boolean has, String expected) throws Exception {
        TlsClient.Builder client = trusting().protocols(protocol);
        if (has) {
            client.identity(Certificates.identity("client"));
        }
        TlsServer server = TlsServer.builder()
                .identity(Certificates.identity("localhost"))
                .trust(Certificates.ca())
                .clientAuth(auth)
                .build();
        try (TlsPair pair = TlsPair.open(client.build(), server)) {
            Throwable[] failures = pair.shakeHands();
            if (expected.equals("refused")) {
                assertThat(failures[1]).isInstanceOf(SSLException.class);
                assertThatThrownBy(() -> read(pair.client(), 1)) // in 1.3 its own handshake was done before
                        .isInstanceOf(SSLException.class)
                        .hasMessageContaining("fatal alert");
            } else {
                assertThat(failures).containsOnlyNulls();
                pair.client().writeAll(bytes("x"));
                assertThat(read(pair.server(), 1)).isEqualTo("x");
                List<?> shown = pair.server().peerCertificates();
                assertThat(shown).hasSize(expected.equals("client") ? 2 : 0);
            }
        }
    }

    @Test
    void client_showsNothing_toAServerThatNamesOthersWhomItTrusts() throws Exception {
        TlsServer server = TlsServer.builder()
                .identity(Certificates.identity("localhost"))
                .trust(Certificates.get("other").pem()) // not the authority
                .clientAuth(ClientAuth.WANTED)
                .build();
        try (TlsPair pair = TlsPair.open(
                trusting()
                        .protocols("TLSv1.2")
                        .identity(Certificates.identity("client"))
                        .build(),
                server)) {
            pair.shakeHands();
            assertThat(pair.server().peerCertificates()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void client_isRefused_whoseCertificateIsNotTrusted(String protocol) throws Exception {
        TlsServer server = TlsServer.builder()
                .identity(Certificates.identity("localhost"))
                .trust(Certificates.ca())
                .clientAuth(ClientAuth.WANTED) // one that is shown must be good all the same
                .build();
        try (TlsPair pair = TlsPair.open(
                trusting()
                        .protocols(protocol)
                        .identity(
                                Certificates.identity("expired")) // of an issuer that the server names, so it is shown
                        .build(),
                server)) {
            assertThat(pair.shakeHands()[1]).isInstanceOf(SSLException.class).hasStackTraceContaining("NotAfter");
            assertThatThrownBy(() -> read(pair.client(), 1))
                    .isInstanceOf(SSLException.class)
                    .hasMessageContaining("fatal alert");
        }
    }

    static int port(TlsListener listener) {
        return ((TcpListener) listener.transport()).localAddress().getPort();
    }

    @Test
    void protocols_thatDoNotMeet_areAnError() throws Exception {
        try (TlsPair pair = TlsPair.open(
                trusting().protocols("TLSv1.3").build(),
                TlsServer.builder()
                        .identity(Certificates.identity("localhost"))
                        .protocols("TLSv1.2")
                        .build())) {
            assertThat(pair.shakeHands()).allMatch(failure -> failure instanceof SSLException);
        }
    }

    @Test
    void reset_isNoEnd() throws Exception {
        try (TcpListener tcp = TcpListener.bind(HOST, 0);
                Socket socket = new Socket(HOST, tcp.localAddress().getPort());
                TlsStream stream = TlsPair.server("localhost").wrap(tcp.accept())) {
            socket.setSoLinger(true, 0);
            socket.close();
            assertThatThrownBy(() -> stream.handshake(Duration.ofSeconds(20)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("reset");
        }
    }
}
