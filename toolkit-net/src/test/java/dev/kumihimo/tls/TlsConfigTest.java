package dev.kumihimo.tls;

import static dev.kumihimo.tls.TlsPair.bytes;
import static dev.kumihimo.tls.TlsPair.read;
import static dev.kumihimo.tls.TlsPair.trusting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What clients and servers are told, and whether they do it. */
@Timeout(120)
class TlsConfigTest {
    /* ---------------- ALPN, SNI, kinds of keys -------------- */

    @ParameterizedTest
    @CsvSource({
        "'h2,http/1.1', 'http/1.1,h2', http/1.1", // the server's preference
        "'h2,http/1.1', 'http/1.1', http/1.1",
        "'h2', '', ",
        "'', 'h2', ",
    })
    void alpn_isChosen(String offered, String spoken, String chosen) throws Exception {
        try (TlsPair pair = TlsPair.open(
                trusting().alpn(list(offered)).build(),
                TlsServer.builder()
                        .identity(Certificates.identity("localhost"))
                        .alpn(list(spoken))
                        .build())) {
            pair.shaken();
            assertThat(pair.client().alpn()).isEqualTo(chosen);
            assertThat(pair.server().alpn()).isEqualTo(chosen);
        }
    }

    private static String[] list(String text) {
        return text.isEmpty() ? new String[0] : text.split(",");
    }

    @Test
    void alpn_thatDoesNotMeet_isRefused() throws Exception {
        try (TlsPair pair = TlsPair.open(
                trusting().alpn("h2").build(),
                TlsServer.builder()
                        .identity(Certificates.identity("localhost"))
                        .alpn("http/1.1")
                        .build())) {
            assertThat(pair.shakeHands()[0])
                    .isInstanceOf(SSLException.class)
                    .hasMessageContaining("application_protocol");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "other.example, TLSv1.3, CN=other", "other.example, TLSv1.2, CN=other", "OTHER.example, TLSv1.3, CN=other",
        "localhost, TLSv1.3, CN=localhost", "localhost, TLSv1.2, CN=localhost", "x.wild.example, TLSv1.3, CN=ed",
    })
    void identity_isChosenByTheServersName(String asked, String protocol, String subject) throws Exception {
        TlsServer server = TlsServer.builder()
                .identity(Certificates.identity("localhost"))
                .identity("other.example", Certificates.identity("other"))
                .identity("*.wild.example", Certificates.identity("ed"))
                .build();
        SSLContext all = SSLContext.getInstance("TLS"); // a context of the user's that looks at no name
        all.init(null, new javax.net.ssl.TrustManager[] {new TrustsAll()}, null);
        TlsClient client = TlsClient.builder()
                .context(all)
                .serverName(asked)
                .protocols(protocol)
                .build();
        try (TlsPair pair = TlsPair.open(client, server).shaken()) {
            X509Certificate shown =
                    (X509Certificate) pair.client().peerCertificates().get(0);
            assertThat(shown.getSubjectX500Principal()).hasToString(subject);
            assertThat(pair.server().serverName()).isEqualToIgnoringCase(asked);
        }
    }

    @Test
    void nameWithoutIdentity_isRefused_ifThereIsNoneForAll() throws Exception {
        TlsServer server = TlsServer.builder()
                .identity("other.example", Certificates.identity("other"))
                .build();
        try (TlsPair pair = TlsPair.open(trusting().build(), server)) {
            assertThat(pair.shakeHands()).allMatch(failure -> failure instanceof SSLException);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "rsa, TLSv1.3",
        "rsa, TLSv1.2",
        "ed, TLSv1.3",
        "ed, TLSv1.2",
        "localhost, TLSv1.3",
        "localhost, TLSv1.2",
    })
    void keysOfAllKinds_serve(String alias, String protocol) throws Exception {
        try (TlsPair pair = TlsPair.open(trusting().protocols(protocol).build(), TlsPair.server(alias))) {
            pair.shaken();
            pair.client().writeAll(bytes("x"));
            assertThat(read(pair.server(), 1)).isEqualTo("x");
        }
    }

    /* ---------------- Sessions -------------- */

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void secondConnection_resumesTheSession(String protocol) throws Exception {
        TlsClient client = trusting().protocols(protocol).build();
        TlsServer server = TlsPair.server("localhost");
        List<Long> created = new ArrayList<>();
        List<byte[]> ids = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            try (TlsPair pair = samePort(client, server).shaken()) {
                pair.server().writeAll(bytes("x"));
                assertThat(read(pair.client(), 1)).isEqualTo("x"); // and the ticket
                created.add(pair.client().session().getCreationTime());
                ids.add(pair.client().session().getId());
                long now = System.currentTimeMillis();
                while (System.currentTimeMillis() == now) {
                    Thread.onSpinWait(); // so that a new session has another time
                }
            }
        }
        assertThat(created.get(1)).isEqualTo(created.get(0));
        assertThat(created.get(2)).isEqualTo(created.get(0));
        if (protocol.equals("TLSv1.2")) {
            assertThat(ids.get(1)).isEqualTo(ids.get(0));
        }
        try (TlsPair pair =
                samePort(trusting().protocols(protocol).build(), server).shaken()) {
            assertThat(pair.client().session().getCreationTime()).isNotEqualTo(created.get(0));
        }
    }

    private static TlsPair samePort(TlsClient client, TlsServer server) throws Exception {
        TlsPair raw = TlsPair.open(client, server);
        return new TlsPair(client.wrap(raw.client().transport(), TlsPair.HOST, 4711), raw.server());
    }

    /* ---------------- Contexts of the JDK -------------- */

    @Test
    void context_ofTheUser_isTaken() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        Certificates.Made made = Certificates.get("localhost");
        store.setKeyEntry("key", made.key(), new char[0], new X509Certificate[] {made.certificate()});
        store.setCertificateEntry("ca", Certificates.get("ca").certificate());
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, new char[0]);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        try (TlsPair pair = TlsPair.open(
                TlsClient.builder().context(context).build(),
                TlsServer.builder().context(context).build())) {
            pair.shaken();
        }
        TlsServer other = TlsPair.server("other");
        try (TlsPair pair = TlsPair.open(TlsClient.builder().context(context).build(), other)) {
            assertThat(pair.shakeHands()[0]).hasStackTraceContaining("No subject alternative DNS name");
        }
    }

    /* ---------------- PEM -------------- */

    @Test
    void pem_mayStandInFiles_andHoldMoreThanItself(@TempDir Path folder) throws Exception {
        Certificates.Made made = Certificates.get("rsa");
        Path both = folder.resolve("both.pem");
        Files.writeString(
                both, "Bag Attributes: x\n" + made.keyPem().replace("\n", "\r\n") + "\nsubject=y\n" + made.pem());
        TlsIdentity identity = TlsIdentity.ofPem(both, both);
        assertThat(identity.certificates()).containsExactly(made.certificate());
        assertThat(identity).hasToString("TlsIdentity[CN=rsa]");
        assertThatThrownBy(() -> TlsIdentity.ofPem(folder.resolve("none"), both))
                .isInstanceOf(java.nio.file.NoSuchFileException.class);
        Files.writeString(
                folder.resolve("key.pem"), Certificates.get("localhost").keyPem());
        assertThatThrownBy(() -> TlsIdentity.ofPem(both, folder.resolve("key.pem")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("key.pem")
                .hasMessageContaining("RSA");
    }

    @ParameterizedTest
    @CsvSource({
        "RSA PRIVATE KEY, openssl pkcs8 -topk8 -nocrypt",
        "EC PRIVATE KEY, openssl pkcs8 -topk8 -nocrypt",
        "ENCRYPTED PRIVATE KEY, not encrypted",
        "PUBLIC KEY, must have a block",
    })
    void keyInAnotherForm_isToldByItsHeader(String label, String told) {
        String key = Certificates.block(label, new byte[] {1, 2, 3});
        assertThatThrownBy(() -> TlsIdentity.ofPem(Certificates.get("rsa").pem(), key))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(label)
                .hasMessageContaining("-----BEGIN PRIVATE KEY-----")
                .hasMessageContaining(told);
    }

    @Test
    void badPem_isTold() {
        String certificate = Certificates.get("rsa").pem();
        String key = Certificates.get("rsa").keyPem();
        for (String alias : List.of("localhost", "ed")) {
            assertThatThrownBy(() -> TlsIdentity.ofPem(
                            certificate, Certificates.get(alias).keyPem()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("RSA");
        }
        assertThatThrownBy(() -> TlsIdentity.ofPem(
                        Certificates.get("other").pem(),
                        Certificates.get("localhost").keyPem()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not that of the first certificate, CN=other");
        assertThatThrownBy(() -> TlsIdentity.ofPem("", key)).hasMessageContaining("no block at all");
        assertThatThrownBy(() -> TlsIdentity.ofPem(key, key)).hasMessageContaining("only [PRIVATE KEY]");
        assertThatThrownBy(() -> TlsIdentity.ofPem(certificate.substring(0, 100), key))
                .hasMessageContaining("has no end");
        assertThatThrownBy(() -> TlsIdentity.ofPem(Certificates.block("CERTIFICATE", new byte[20]), key))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("certificate 1");
        assertThatThrownBy(() -> TlsIdentity.of(List.of(), null)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void keys_areInNoText() {
        assertThat(Certificates.identity("rsa").toString()).doesNotContainIgnoringCase("key");
    }

    /* ---------------- What is not allowed -------------- */

    @Test
    void contradictions_areTold() throws Exception {
        TlsIdentity identity = Certificates.identity("localhost");
        SSLContext context = SSLContext.getDefault();
        assertThatThrownBy(() -> TlsServer.builder().build()).hasMessageContaining("identity must be set");
        assertThatThrownBy(() ->
                        TlsServer.builder().identity(identity).context(context).build())
                .hasMessageContaining("must not be set too");
        assertThatThrownBy(() -> TlsServer.builder()
                        .identity(identity)
                        .clientAuth(ClientAuth.REQUIRED)
                        .build())
                .hasMessageContaining("clientAuth=REQUIRED needs trust");
        assertThatThrownBy(() -> trusting().context(context).build()).hasMessageContaining("must not be set too");
        assertThatThrownBy(() -> trusting().protocols("TLSv1.1"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("[TLSv1.1] must be one or more of [TLSv1.3, TLSv1.2]");
        assertThatThrownBy(() -> trusting().protocols()).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> trusting().alpn("")).hasMessageContaining("1 to 255 bytes");
        for (int port : new int[] {0, 65536}) {
            assertThatThrownBy(() -> TlsStream.connect("localhost", port))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("port=" + port);
            assertThatThrownBy(() -> TlsClient.ofDefaults().connect("localhost", port, java.time.Duration.ofSeconds(1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("port=" + port);
        }
    }

    private static final class TrustsAll extends javax.net.ssl.X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String kind, java.net.Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String kind, java.net.Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String kind, javax.net.ssl.SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String kind, javax.net.ssl.SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String kind) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String kind) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "*", "*.", ".", "a..b", "api.example.org..", "*.*.example.org", "a.*.org", "a_b.org", "a b"})
    void serverNames_thatNoClientSends_areRefused(String name) {
        assertThatThrownBy(() -> TlsServer.builder().identity(name, Certificates.identity("other")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("serverName=\"" + name + "\" must be a host's name");
    }

    @ParameterizedTest
    @ValueSource(strings = {"other.example.", "OTHER.example", "*.EXAMPLE."})
    void serverNames_areTakenAsClientsSendThem(String name) throws Exception {
        TlsServer server = TlsServer.builder()
                .identity(Certificates.identity("localhost"))
                .identity(name, Certificates.identity("other"))
                .build();
        try (TlsPair pair = TlsPair.open(trusting().serverName("other.example").build(), server)) {
            assertThat(pair.shakeHands()).containsOnlyNulls();
        }
    }

    @Test
    void serverNames_mayBeOfOtherScripts() {
        assertThat(Settings.checkedServerName("*.B\u00fccher.example")).isEqualTo("*.xn--bcher-kva.example");
    }

    @Test
    void contextThatIsNotInitialised_isRefusedWhenBuilt() throws Exception {
        SSLContext raw = SSLContext.getInstance("TLS");
        assertThatThrownBy(() -> TlsServer.builder().context(raw).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("makes no engine");
        assertThatThrownBy(() -> TlsClient.builder().context(raw).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("makes no engine");
    }
}
