package dev.kumihimo.examples;

import dev.kumihimo.fs.Fs;
import dev.kumihimo.fs.TempDirectory;
import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpServer;
import dev.kumihimo.process.Command;
import dev.kumihimo.process.Output;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.signal.Service;
import dev.kumihimo.tls.TlsIdentity;
import dev.kumihimo.tls.TlsListener;
import dev.kumihimo.tls.TlsServer;
import dev.kumihimo.tls.TlsStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A TLS echo server on 127.0.0.1, with a certificate of its own making unless it is given one.
 *
 * <p>Port 9443, or the one given, of which 0 is any free one; Ctrl-C ends it. Each session is one task, in which the handshake is done too: a client that
 * is slow about it holds up nobody, and is left after ten seconds.
 */
public final class TlsEcho {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final String USAGE = """
            usage: TlsEcho [port] [--cert FILE --key FILE]
              echoes over TLS what it is sent on 127.0.0.1, port 9443 by default; port 0 is any free one
              --cert FILE   PEM: its certificate, then those of the issuers
              --key FILE    PEM: its private key, PKCS#8 and not encrypted
            Without them it makes a certificate for "localhost", for as long as it runs, and says where that is.""";

    private final int port;
    private final @Nullable Path certificate;
    private final @Nullable Path key;
    private volatile @Nullable String problem;

    private TlsEcho(int port, @Nullable Path certificate, @Nullable Path key) {
        this.port = port;
        this.certificate = certificate;
        this.key = key;
    }

    /** Serves until the process is told to end. */
    public static void main(String[] arguments) throws InterruptedException {
        TlsEcho echo = parse(arguments);
        Service.Report report =
                Service.builder().drainTimeout(Duration.ofSeconds(5)).run(service -> echo.prepare(service));
        if (echo.problem != null) {
            System.err.println("TlsEcho: " + echo.problem + ".");
        }
        System.exit(echo.problem == null ? report.exitCode() : 1);
    }

    /* ---------------- Serving -------------- */

    private void prepare(Service service) throws Exception {
        try (TcpListener tcp = TcpListener.bind("127.0.0.1", port)) {
            if (certificate != null && key != null) {
                serve(service, tcp, TlsIdentity.ofPem(certificate, key), certificate);
                return;
            }
            try (TempDirectory temp = TempDirectory.create("tls-echo-")) {
                Path shown = temp.path().resolve("cert.pem");
                serve(service, tcp, selfSigned(temp.path(), shown), shown);
            }
        } catch (IOException | IllegalArgumentException e) { // a port in use, say, or a file that is not there
            if (service.token().isCancelled() || e instanceof InterruptedIOException) {
                throw e;
            }
            problem = e instanceof NoSuchFileException ? "there is no file " + e.getMessage() : e.getMessage();
        }
    }

    private void serve(Service service, TcpListener tcp, TlsIdentity identity, Path shown) throws InterruptedException {
        TlsListener listener = TlsServer.builder().identity(identity).build().listen(tcp);
        int found = tcp.localAddress().getPort();
        System.out.println("TlsEcho is listening on 127.0.0.1:" + found + "; to talk to it:");
        System.out.println("  openssl s_client -quiet -verify_quiet -verify_return_error -CAfile " + shown
                + " -connect localhost:" + found);
        TcpServer<TlsStream> server = TcpServer.of(listener)
                .in(service)
                .onError((session, e) -> System.err.println("Session lost: " + session + ": " + e.getMessage()));
        // At the end the token strikes where a session waits, and closing says close_notify.
        server.serve(session -> server.token().run(() -> echo(session)));
    }

    private static void echo(TlsStream session) throws IOException {
        session.handshake(PATIENCE);
        System.out.println(
                "Handling new session " + session + " with " + session.session().getProtocol());
        ByteBuffer buffer = ByteBuffer.allocate(16 * 1024);
        while (session.read(buffer) >= 0) {
            session.writeAll(buffer.flip());
            buffer.clear();
        }
        session.shutdownOutput();
    }

    /* ---------------- A certificate -------------- */

    /** Has the JDK's {@code keytool} make a key and a certificate, since no class of the JDK does. */
    private static TlsIdentity selfSigned(Path folder, Path shown) throws Exception {
        Path store = folder.resolve("store.p12");
        String password = HexFormat.of().formatHex(new SecureRandom().generateSeed(16));
        Path keytool = Path.of(System.getProperty("java.home"), "bin", "keytool");
        Output made = Command.of(keytool.toString(), "-genkeypair", "-alias", "tls", "-keystore", store.toString())
                .arguments(List.of("-storetype", "PKCS12", "-storepass:env", "TLS_ECHO_PASSWORD", "-validity", "30"))
                .arguments(List.of("-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=localhost"))
                .arguments(List.of("-ext", "san=dns:localhost,ip:127.0.0.1"))
                .environment("TLS_ECHO_PASSWORD", password) // arguments are there for all to see
                .output();
        if (!made.status().isSuccess()) {
            throw new IOException("keytool has made no certificate: "
                    + made.stdoutText().strip() + made.stderrText().strip());
        }
        TlsIdentity identity = Task.<TlsIdentity, Exception>blocking(() -> {
            KeyStore keys = KeyStore.getInstance("PKCS12");
            try (InputStream in = Files.newInputStream(store)) {
                keys.load(in, password.toCharArray());
            }
            return TlsIdentity.of(List.of((X509Certificate) keys.getCertificate("tls")), (PrivateKey)
                    keys.getKey("tls", password.toCharArray()));
        });
        byte[] content = identity.certificates().get(0).getEncoded();
        Fs.writeString(
                shown,
                "-----BEGIN CERTIFICATE-----\n" + Base64.getMimeEncoder().encodeToString(content)
                        + "\n-----END CERTIFICATE-----\n");
        return identity;
    }

    /* ---------------- Arguments -------------- */

    private static TlsEcho parse(String[] arguments) {
        int port = 9443;
        Path certificate = null;
        Path key = null;
        for (int i = 0; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "--help", "-h" -> {
                    System.out.println(USAGE);
                    System.exit(0);
                }
                case "--cert" -> certificate = Path.of(value(arguments, i++));
                case "--key" -> key = Path.of(value(arguments, i++));
                default -> port = port(arguments[i]);
            }
        }
        if ((certificate == null) != (key == null)) {
            throw usage("--cert and --key go together");
        }
        return new TlsEcho(port, certificate, key);
    }

    private static String value(String[] arguments, int option) {
        if (option + 1 == arguments.length) {
            throw usage(arguments[option] + " needs a file");
        }
        return arguments[option + 1];
    }

    private static int port(String argument) {
        if (!argument.matches("[0-9]{1,5}") || Integer.parseInt(argument) > 65535) {
            throw usage("the port \"" + argument + "\" is not a number from 0 to 65535");
        }
        return Integer.parseInt(argument);
    }

    /** Ends the process; what it returns is only there to be thrown. */
    private static IllegalArgumentException usage(String problem) {
        System.err.println("TlsEcho: " + problem + ".");
        System.exit(2);
        return new IllegalArgumentException(problem);
    }
}
