package dev.kumihimo.benchmarks.workload;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** What the TLS workloads of all columns share: sizes, and contexts with one EC certificate for localhost. */
final class TlsSetting {
    /** Bytes of one operation of the {@code tls_bulk} workload: a record of the greatest size. */
    static final int PIECE = 16 * 1024;

    /** Clients that connect at the same time in the workloads of handshakes. */
    static final int CLIENTS = 8;

    private static final char[] PASSWORD = "changeit".toCharArray();

    private final KeyManagerFactory keys;
    private final TrustManagerFactory trust;
    private final SSLContext context;

    private TlsSetting(KeyStore store) throws GeneralSecurityException {
        keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, PASSWORD);
        trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusting(store));
        context = newContext();
    }

    private static KeyStore trusting(KeyStore store) throws GeneralSecurityException {
        var trusted = KeyStore.getInstance("PKCS12");
        try {
            trusted.load(null, null);
        } catch (IOException e) {
            throw new GeneralSecurityException(e);
        }
        trusted.setCertificateEntry("tls", store.getCertificate("tls"));
        return trusted;
    }

    private static final class Once {
        static final TlsSetting MADE = make();
    }

    /** The setting of this process, made at first use. */
    static TlsSetting get() {
        return Once.MADE;
    }

    /** The context of the server, and of clients that resume sessions. */
    SSLContext context() {
        return context;
    }

    /** A context of a client that knows no session, so that its handshake is a full one. */
    SSLContext newContext() throws GeneralSecurityException {
        var made = SSLContext.getInstance("TLS");
        made.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return made;
    }

    private static TlsSetting make() {
        try {
            var folder = Files.createTempDirectory("kumihimo-bench-tls-");
            var file = folder.resolve("store.p12");
            try {
                var keytool = new ProcessBuilder(List.of(
                                Path.of(System.getProperty("java.home"), "bin", "keytool")
                                        .toString(),
                                "-genkeypair",
                                "-keystore",
                                file.toString(),
                                "-storepass",
                                new String(PASSWORD),
                                "-alias",
                                "tls",
                                "-keyalg",
                                "EC",
                                "-groupname",
                                "secp256r1",
                                "-dname",
                                "CN=localhost",
                                "-ext",
                                "san=dns:localhost,ip:127.0.0.1"))
                        .redirectErrorStream(true)
                        .start();
                var said = new String(keytool.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
                if (keytool.waitFor() != 0) {
                    throw new IOException("keytool failed: " + said);
                }
                var store = KeyStore.getInstance("PKCS12");
                try (InputStream in = Files.newInputStream(file)) {
                    store.load(in, PASSWORD);
                }
                return new TlsSetting(store);
            } finally {
                Files.deleteIfExists(file);
                Files.delete(folder);
            }
        } catch (IOException | GeneralSecurityException | InterruptedException e) {
            throw new IllegalStateException("no certificate can be made", e);
        }
    }
}
