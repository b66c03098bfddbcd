package dev.kumihimo.tls;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Certificates for tests, made once by the {@code keytool} of the running JDK: one authority, and what it has signed. */
final class Certificates {
    private static final char[] PASSWORD = "changeit".toCharArray();
    private static final String LOCALHOST = "san=dns:localhost,ip:127.0.0.1";

    /** By alias: localhost (EC), rsa (RSA, localhost), ed (Ed25519, localhost), other (other.example), expired, client. */
    private static final Map<String, Made> MADE = make();

    private Certificates() {}

    record Made(X509Certificate certificate, Key key) {
        String pem() {
            try {
                return block("CERTIFICATE", certificate.getEncoded());
            } catch (java.security.cert.CertificateException e) {
                throw new AssertionError(e);
            }
        }

        String keyPem() {
            return block("PRIVATE KEY", key.getEncoded());
        }

        TlsIdentity identity() {
            return TlsIdentity.ofPem(pem() + ca(), keyPem());
        }
    }

    static Made get(String alias) {
        return MADE.get(alias);
    }

    static TlsIdentity identity(String alias) {
        return get(alias).identity();
    }

    /** The authority that has signed all. */
    static String ca() {
        return MADE.get("ca").pem();
    }

    static String block(String label, byte[] content) {
        return "-----BEGIN " + label + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content)
                + "\n-----END " + label + "-----\n";
    }

    private static Map<String, Made> make() {
        try {
            Path folder = Files.createTempDirectory("kumihimo-tls-");
            Path store = folder.resolve("store.p12");
            try {
                end(keytool(store, "ca", "EC", "CN=Test CA", "bc:c"));
                List<Process> running = new ArrayList<>();
                running.add(signed(store, "localhost", "EC", LOCALHOST));
                running.add(signed(store, "rsa", "RSA", LOCALHOST));
                running.add(signed(store, "ed", "Ed25519", LOCALHOST));
                running.add(signed(store, "other", "EC", "san=dns:other.example"));
                running.add(signed(store, "expired", "EC", LOCALHOST, "-startdate", "-20d", "-validity", "10"));
                running.add(signed(store, "client", "EC", "san=dns:client.example"));
                Map<String, Made> made = new TreeMap<>();
                for (Process process : running) {
                    end(process);
                }
                try (var stores = Files.list(folder)) {
                    for (Path each : stores.toList()) {
                        read(each, made);
                    }
                }
                return made;
            } finally {
                try (var files = Files.list(folder)) {
                    for (Path file : files.toList()) {
                        Files.delete(file);
                    }
                }
                Files.delete(folder);
            }
        } catch (Exception e) {
            throw new AssertionError("the test's certificates cannot be made", e);
        }
    }

    /** Each in a copy of the store of its own, so that they can be made at once. */
    private static Process signed(Path store, String alias, String kind, String name, String... more)
            throws IOException {
        Path copy = Files.copy(store, store.resolveSibling(alias + ".p12"));
        List<String> all = new ArrayList<>(List.of("-signer", "ca", "-signerkeypass", "changeit"));
        all.addAll(Arrays.asList(more));
        return keytool(copy, alias, kind, "CN=" + alias, name, all.toArray(new String[0]));
    }

    private static Process keytool(Path store, String alias, String kind, String subject, String ext, String... more)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-J-XX:TieredStopAtLevel=1",
                "-genkeypair",
                "-keystore",
                store.toString(),
                "-storepass",
                "changeit",
                "-alias",
                alias,
                "-keyalg",
                kind,
                "-dname",
                subject,
                "-ext",
                ext));
        if (kind.equals("EC")) {
            command.addAll(List.of("-groupname", "secp256r1"));
        }
        if (kind.equals("RSA")) {
            command.addAll(List.of("-keysize", "2048"));
        }
        command.addAll(Arrays.asList(more));
        if (!command.contains("-validity")) {
            command.addAll(List.of("-validity", "36500"));
        }
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static void end(Process process) throws IOException, InterruptedException {
        String said = new String(process.getInputStream().readAllBytes(), UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException("keytool failed: " + said);
        }
    }

    private static void read(Path file, Map<String, Made> made) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD);
        }
        for (var aliases = store.aliases(); aliases.hasMoreElements(); ) {
            String alias = aliases.nextElement();
            Certificate certificate = store.getCertificate(alias);
            made.put(alias, new Made((X509Certificate) certificate, store.getKey(alias, PASSWORD)));
        }
    }
}
