package dev.kumihimo.tls;

import static dev.kumihimo.tls.TlsPair.HOST;
import static dev.kumihimo.tls.TlsPair.bytes;
import static dev.kumihimo.tls.TlsPair.runtime;
import static dev.kumihimo.tls.TlsPair.trusting;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.net.TcpListener;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** With programs that were not written here: {@code openssl} and {@code curl}, which must be installed. */
@Timeout(120)
class TlsInteropTest {
    @TempDir
    private Path folder;

    private final List<Process> started = new ArrayList<>();

    @BeforeEach
    void writeCertificates() throws IOException {
        Files.writeString(folder.resolve("ca.pem"), Certificates.ca());
        for (String alias : List.of("localhost", "rsa", "client")) {
            Files.writeString(
                    folder.resolve(alias + ".pem"), Certificates.get(alias).pem());
            Files.writeString(
                    folder.resolve(alias + ".key"), Certificates.get(alias).keyPem());
        }
    }

    @AfterEach
    void endAll() {
        started.forEach(Process::destroyForcibly);
    }

    private Process start(String... command) throws IOException {
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("out").toFile())
                .start();
        started.add(process);
        return process;
    }

    private Process sClient(TlsListener listener, String... more) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                "openssl",
                "s_client",
                "-connect",
                "127.0.0.1:" + TlsFaultTest.port(listener),
                "-CAfile",
                "ca.pem",
                "-verify_return_error",
                "-verify_hostname",
                "localhost",
                "-servername",
                "localhost"));
        command.addAll(Arrays.asList(more));
        return start(command.toArray(new String[0]));
    }

    private String out() throws IOException {
        return Files.readString(folder.resolve("out"), java.nio.charset.StandardCharsets.ISO_8859_1);
    }

    private void awaitOut(String text) {
        await().atMost(Duration.ofSeconds(30)).until(() -> out().contains(text));
    }

    private static TlsListener listen(TlsServer server) throws IOException {
        return server.listen(TcpListener.bind(HOST, 0));
    }

    /** Echoes one connection until its end in order. Returns how many bytes. */
    private static JoinHandle<Integer> echo(TaskRuntime runtime, TlsListener listener) {
        return runtime.spawn(() -> {
            try (TlsStream stream = listener.accept()) {
                ByteBuffer buffer = ByteBuffer.allocate(10_000);
                int count = 0;
                while (stream.read(buffer) >= 0) {
                    count += buffer.position();
                    stream.writeAll(buffer.flip());
                    buffer.clear();
                }
                return count;
            }
        });
    }

    /* ---------------- openssl as the client -------------- */

    @ParameterizedTest
    @CsvSource({
        "localhost, -tls1_3, TLSv1.3",
        "localhost, -tls1_2, TLSv1.2",
        "rsa, -tls1_3, TLSv1.3",
        "rsa, -tls1_2, TLSv1.2"
    })
    void openssl_isServed(String alias, String option, String protocol) throws Exception {
        TlsServer server = TlsServer.builder()
                .identity(Certificates.identity(alias))
                .alpn("echo")
                .build();
        try (TaskRuntime runtime = runtime(1);
                TlsListener listener = listen(server)) {
            JoinHandle<Integer> served = echo(runtime, listener);
            Process client = sClient(listener, option, "-alpn", "echo");
            OutputStream in = client.getOutputStream();
            in.write("to and fro\n".getBytes(UTF_8));
            in.flush();
            awaitOut("to and fro");
            in.write("Q\n".getBytes(UTF_8)); // ends with close_notify
            in.flush();
            assertThat(served.join()).isEqualTo(11);
            assertThat(client.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(out()).contains("Verify return code: 0 (ok)", "ALPN protocol: echo", protocol);
        }
    }

    @Test
    void openssl_updatesKeys_whileBytesGoBothWays() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TlsListener listener = listen(TlsPair.server("localhost"))) {
            JoinHandle<Integer> served = echo(runtime, listener);
            Process client = sClient(listener, "-tls1_3");
            OutputStream in = client.getOutputStream();
            int[] updates = new int[1];
            for (String line : new String[] {"one\n", "K\n", "two\n", "k\n", "three\n", "K\n", "K\n", "four\n"}) {
                in.write(line.getBytes(UTF_8));
                in.flush();
                if (line.length() == 2) {
                    updates[0]++; // it takes a letter as a command only if that is the first of what it reads
                    await().atMost(Duration.ofSeconds(30))
                            .until(() -> out().split("KEYUPDATE", -1).length - 1 == updates[0]);
                } else {
                    awaitOut(line.strip());
                }
            }
            in.write("Q\n".getBytes(UTF_8));
            in.flush();
            assertThat(served.join()).isEqualTo(19);
        }
    }

    @Test
    void openssl_mayNotRenegotiate() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TlsListener listener = listen(TlsPair.server("localhost"))) {
            JoinHandle<Integer> served = echo(runtime, listener);
            Process client = sClient(listener, "-tls1_2");
            OutputStream in = client.getOutputStream();
            in.write("before\n".getBytes(UTF_8));
            in.flush();
            awaitOut("before");
            in.write("R\n".getBytes(UTF_8));
            in.flush();
            assertThatThrownBy(served::join)
                    .hasCauseInstanceOf(SSLException.class)
                    .hasMessageContaining("renegotiate, which is refused");
            assertThat(client.waitFor(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void openssl_thatIsKilled_hasTruncated() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TlsListener listener = listen(TlsPair.server("localhost"))) {
            JoinHandle<Integer> served = echo(runtime, listener);
            Process client = sClient(listener);
            client.getOutputStream().write("x\n".getBytes(UTF_8));
            client.getOutputStream().flush();
            awaitOut("x\n");
            client.destroyForcibly();
            assertThatThrownBy(served::join)
                    .hasCauseInstanceOf(IOException.class)
                    .satisfies(e -> assertThat(e.getCause().getMessage()).containsAnyOf("truncated", "reset"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"-tls1_3", "-tls1_2"})
    void openssl_resumesItsSession(String option) throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TlsListener listener = listen(TlsPair.server("localhost"))) {
            for (String what : new String[] {"-sess_out", "-sess_in"}) {
                JoinHandle<Integer> served = echo(runtime, listener);
                Process client = sClient(listener, option, what, "session");
                OutputStream in = client.getOutputStream();
                in.write("text\n".getBytes(UTF_8));
                in.flush();
                awaitOut("text");
                in.write("Q\n".getBytes(UTF_8));
                in.flush();
                served.join();
                client.waitFor();
                assertThat(out()).contains(what.equals("-sess_out") ? "New, TLSv1." : "Reused, TLSv1.");
            }
        }
    }

    @Test
    void openssl_showsACertificate() throws Exception {
        TlsServer server = TlsServer.builder()
                .identity(Certificates.identity("localhost"))
                .trust(Certificates.ca())
                .clientAuth(ClientAuth.REQUIRED)
                .build();
        try (TaskRuntime runtime = runtime(1);
                TlsListener listener = listen(server)) {
            JoinHandle<Integer> served = echo(runtime, listener);
            Process client = sClient(listener, "-cert", "client.pem", "-key", "client.key");
            client.getOutputStream().write("shown\n".getBytes(UTF_8));
            client.getOutputStream().flush();
            awaitOut("shown\n");
            client.getOutputStream().write("Q\n".getBytes(UTF_8));
            client.getOutputStream().flush();
            assertThat(served.join()).isEqualTo(6);
        }
    }

    @Test
    void curl_getsAnAnswer() throws Exception {
        TlsServer server = TlsServer.builder()
                .identity(Certificates.identity("localhost"))
                .alpn("http/1.1")
                .build();
        try (TaskRuntime runtime = runtime(1);
                TlsListener listener = listen(server)) {
            JoinHandle<?> served = runtime.spawn(() -> {
                try (TlsStream stream = listener.accept()) {
                    BufferedReader lines = new BufferedReader(new InputStreamReader(stream.inputStream(), UTF_8));
                    while (!lines.readLine().isEmpty()) {
                        // to the end of the head
                    }
                    stream.writeAll(bytes("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello, curl"));
                    stream.shutdownOutput();
                }
            });
            Process client = start(
                    "curl", "-sS", "--cacert", "ca.pem", "https://localhost:" + TlsFaultTest.port(listener) + "/");
            assertThat(client.waitFor(30, TimeUnit.SECONDS)).isTrue();
            served.join();
            assertThat(out()).isEqualTo("hello, curl");
            assertThat(client.exitValue()).isZero();
        }
    }

    @Test
    void curl_withoutTls_isTold() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TlsListener listener = listen(TlsPair.server("localhost"))) {
            JoinHandle<Integer> served = echo(runtime, listener);
            Process client = start("curl", "-sS", "http://localhost:" + TlsFaultTest.port(listener) + "/");
            assertThatThrownBy(served::join).hasMessageContaining("which is plain HTTP");
            assertThat(client.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(client.exitValue()).isNotZero();
        }
    }

    /* ---------------- openssl as the server -------------- */

    private int sServer(String... more) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", "localhost.pem", "-key", "localhost.key"));
        command.addAll(Arrays.asList(more));
        start(command.toArray(new String[0]));
        awaitOut("ACCEPT 127.0.0.1:");
        return Integer.parseInt(out().replaceAll("(?s).*ACCEPT 127.0.0.1:([0-9]+).*", "$1"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"-tls1_3", "-tls1_2"})
    void openssl_serves(String option) throws Exception {
        int port = sServer("-rev", option, "-alpn", "rev", "-Verify", "1", "-CAfile", "ca.pem");
        TlsClient client =
                trusting().alpn("rev").identity(Certificates.identity("client")).build();
        List<Long> created = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            try (TlsStream stream = client.connect(HOST, port, Duration.ofSeconds(30))) {
                assertThat(stream.alpn()).isEqualTo("rev");
                stream.writeAll(bytes("abc\n"));
                BufferedReader lines = new BufferedReader(new InputStreamReader(stream.inputStream(), UTF_8));
                assertThat(lines.readLine()).isEqualTo("cba");
                created.add(stream.session().getCreationTime());
                stream.shutdownOutput();
            }
        }
        assertThat(created.get(1)).isEqualTo(created.get(0)); // resumed
    }

    @Test
    void openssl_thatIsNotTrusted_isRefused() throws Exception {
        int port = sServer("-rev");
        assertThatThrownBy(() -> TlsStream.connect(HOST, port))
                .isInstanceOf(SSLException.class)
                .hasMessageContaining("unable to find valid certification path");
    }

    /* ---------------- Keys that this side updates -------------- */

    /** The JDK updates its keys after so many bytes of a cipher as a security property says, which it reads once. */
    @Test
    void keys_areUpdated_underLoadInBothDirections() throws Exception {
        Path properties = folder.resolve("security");
        Files.writeString(properties, "jdk.tls.keyLimits=AES/GCM/NoPadding KeyUpdate 2^16\n");
        Process process = start(
                System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                "-Djava.security.properties=" + properties,
                "-Djavax.net.debug=ssl",
                "-cp",
                System.getProperty("java.class.path"),
                KeyUpdates.class.getName());
        assertThat(process.waitFor(110, TimeUnit.SECONDS)).isTrue();
        String said = out();
        assertThat(said).contains("transferred 600000 and 600000");
        assertThat(said.split("KeyUpdate: write key updated|Produced KeyUpdate", -1).length)
                .isGreaterThan(6);
        assertThat(process.exitValue()).isZero();
    }
}
