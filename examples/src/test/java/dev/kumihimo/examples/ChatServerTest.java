package dev.kumihimo.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ChatServerTest {
    @TempDir
    private Path folder;

    private int port;

    /** One who takes part; the greeting tells that the server counts with it. */
    private static final class Client implements AutoCloseable {
        private final Socket socket = new Socket();
        private final BufferedReader input;

        Client(int port, int number, int receiveBuffer) throws IOException {
            socket.setReceiveBufferSize(receiveBuffer);
            socket.setSoTimeout(20_000);
            socket.setTcpNoDelay(true);
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            input = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            assertThat(receive()).isEqualTo("you are client " + number);
        }

        void send(String text) throws IOException {
            socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
        }

        String receive() throws IOException {
            return input.readLine();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    private Program serve() throws IOException {
        Program server = Program.start(folder, "ChatServer", "0");
        port = server.awaitPort();
        return server;
    }

    @Test
    void aLine_goesToAllOthers_alsoInPieces() throws Exception {
        try (Program server = serve();
                Client a = new Client(port, 1, 1 << 16);
                Client b = new Client(port, 2, 1 << 16);
                Client c = new Client(port, 3, 1 << 16)) {
            a.send("grüß\r\ngott\nhal");
            assertThat(b.receive()).isEqualTo("1: grüß");
            assertThat(b.receive()).isEqualTo("1: gott");
            assertThat(c.receive()).isEqualTo("1: grüß");
            assertThat(c.receive()).isEqualTo("1: gott");
            a.send("lo\n");
            assertThat(b.receive()).isEqualTo("1: hallo");
            b.send("x".repeat(5_000) + "\n");
            assertThat(a.receive()).isEqualTo("2: " + "x".repeat(4096));
            assertThat(a.receive()).isEqualTo("2: " + "x".repeat(5_000 - 4096));
            assertThat(c.receive()).isEqualTo("1: hallo");
            assertThat(c.receive()).isEqualTo("2: " + "x".repeat(4096));
            assertThat(c.receive()).isEqualTo("2: " + "x".repeat(5_000 - 4096));
            c.close(); // with nothing unread, which would be a reset
            server.awaitOut("client 3 left");
            assertThat(server.complaints()).isEmpty();
        }
    }

    @Test
    void aSlowClient_isToldWhatItMissed_andOthersMissNothing() throws Exception {
        int batches = 300;
        int batch = 50; // fewer than the server keeps: who reads along cannot fall behind
        try (Program server = serve();
                Client talking = new Client(port, 1, 1 << 16);
                Client reading = new Client(port, 2, 1 << 16);
                Client slow = new Client(port, 3, 4096)) {
            String filler = " " + "x".repeat(1000);
            int sent = 0;
            for (int i = 0; i < batches; i++) {
                StringBuilder lines = new StringBuilder();
                for (int n = 0; n < batch; n++) {
                    lines.append(sent + n).append(filler).append('\n');
                }
                talking.send(lines.toString());
                for (int n = 0; n < batch; n++) {
                    assertThat(reading.receive()).isEqualTo("1: " + sent++ + filler);
                }
            }
            talking.send("end\n");
            assertThat(reading.receive()).isEqualTo("1: end");
            int received = 0;
            int missed = 0;
            for (String line; !(line = slow.receive()).equals("1: end"); ) {
                if (line.startsWith("you missed ")) {
                    missed += Integer.parseInt(line.replaceAll("\\D", ""));
                } else {
                    assertThat(line).isEqualTo("1: " + (received + missed) + filler);
                    received++;
                }
            }
            assertThat(missed).isPositive();
            assertThat(received + missed).isEqualTo(sent);
            assertThat(server.complaints()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM"})
    void signal_endsAllSessions(String signal) throws Exception {
        try (Program server = serve();
                Client client = new Client(port, 1, 1 << 16)) {
            server.signal(signal);
            assertThat(client.receive()).isNull();
            assertThat(server.ended()).isIn(0, 130, 143);
            assertThat(server.complaints()).isEmpty();
        }
    }

    @Test
    void badPort_isOneSentenceAndExitCode2() throws Exception {
        try (Program server = Program.start(folder, "ChatServer", "65536")) {
            assertThat(server.ended()).isEqualTo(2);
            assertThat(server.err()).hasLineCount(1).contains("\"65536\"");
        }
        try (Program server = Program.start(folder, "ChatServer", "--help")) {
            assertThat(server.ended()).isZero();
            assertThat(server.out()).contains("usage: ChatServer [port]");
        }
    }
}
