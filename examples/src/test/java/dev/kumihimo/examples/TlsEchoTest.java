package dev.kumihimo.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.tls.TlsClient;
import dev.kumihimo.tls.TlsStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Runs the program as users do, in a process of its own. */
@Timeout(120)
class TlsEchoTest {
    @TempDir
    private Path folder;

    @Test
    void session_getsBackWhatItSends_fromTheCertificateThatWasMade() throws Exception {
        Pattern told = Pattern.compile("-CAfile (\\S+) -connect localhost:([0-9]+)\n");
        try (Program server = Program.start(folder, "TlsEcho", "0")) {
            await().atMost(Duration.ofSeconds(60)) // a JVM of keytool is started meanwhile
                    .until(() -> told.matcher(server.out()).find()
                            || !server.process().isAlive());
            Matcher shown = told.matcher(server.out());
            assertThat(shown.find()).as("%s%s", server.out(), server.err()).isTrue();
            Path certificate = Path.of(shown.group(1));
            int port = Integer.parseInt(shown.group(2));
            assertThat(port).isPositive();
            TlsClient client =
                    TlsClient.builder().trust(Files.readString(certificate)).build();
            try (TlsStream session = client.connect("localhost", port, Duration.ofSeconds(30));
                    Socket plain = new Socket("127.0.0.1", port)) {
                plain.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                server.awaitErr("which is plain HTTP");
                session.writeAll(ByteBuffer.wrap("to and fro".getBytes(StandardCharsets.US_ASCII)));
                session.shutdownOutput();
                assertThat(new String(session.inputStream().readAllBytes(), StandardCharsets.US_ASCII))
                        .isEqualTo("to and fro");
            }
            try (TlsStream idle = client.connect("localhost", port, Duration.ofSeconds(30))) {
                server.signal("TERM");
                assertThat(idle.read(ByteBuffer.allocate(1), Duration.ofSeconds(30)))
                        .isEqualTo(-1); // and not truncated
            }
            assertThat(server.ended()).isZero();
            assertThat(server.err())
                    .containsOnlyOnce("Session lost: ")
                    .contains("Session lost: TLS over 127.0.0.1:" + port);
            assertThat(server.out()).contains("Handling new session TLS over", " with TLSv1.3");
            assertThat(certificate.getParent()).doesNotExist();
        }
    }

    @Test
    void busyPort_isOneSentenceAndExitCode1() throws Exception {
        try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Program server = Program.start(folder, "TlsEcho", Integer.toString(busy.getLocalPort()))) {
            assertThat(server.ended()).isEqualTo(1);
            assertThat(server.err())
                    .isEqualTo("TlsEcho: cannot listen on 127.0.0.1:" + busy.getLocalPort()
                            + ": Address already in use.\n");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "2, abc, \"abc\" is not a number from 0 to 65535",
        "2, 65536, 0 to 65535",
        "2, --cert, --cert needs a file",
        "2, --key x, --cert and --key go together",
        "1, PORT --cert /no/such --key x, /no/such",
    })
    void badArguments_areOneSentence(int exitCode, String arguments, String told) throws Exception {
        try (Program server =
                Program.start(folder, "TlsEcho", arguments.replace("PORT", "0").split(" "))) {
            assertThat(server.ended()).isEqualTo(exitCode);
            assertThat(server.err()).hasLineCount(1).contains(told);
        }
    }

    @Test
    void help_tellsTheUsage() throws Exception {
        try (Program server = Program.start(folder, "TlsEcho", "--help")) {
            assertThat(server.ended()).isZero();
            assertThat(server.out())
                    .contains("usage: TlsEcho [port]")
                    .contains("9443")
                    .contains("--cert");
        }
    }
}
