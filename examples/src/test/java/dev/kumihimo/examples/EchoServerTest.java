package dev.kumihimo.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs the program as users do, in a process of its own. */
@Timeout(60)
class EchoServerTest {
    private static final int MOST_MILLIS = 1_500; // the start of `kill` included
    private static final int MEASUREMENTS = 4; // at most: others on this machine may disturb one

    @TempDir
    private Path folder;

    private Program server;
    private int port;

    @AfterEach
    void end() {
        server.close();
    }

    @Test
    void session_getsBackWhatItSends_andIsReported() throws Exception {
        serve();
        byte[] sent = new byte[100_000];
        new Random(3).nextBytes(sent);
        try (Socket socket = connect()) {
            Thread sender = Thread.ofPlatform().start(() -> {
                try {
                    socket.getOutputStream().write(sent);
                    socket.shutdownOutput();
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            assertThat(Arrays.equals(socket.getInputStream().readAllBytes(), sent))
                    .isTrue();
            sender.join();
            assertThat(server.out()).contains("Handling new session from 127.0.0.1:" + socket.getLocalPort());
        }
        assertThat(server.complaints()).isEmpty();
    }

    @Test
    void session_thatFails_isReportedAndTouchesNoOther() throws Exception {
        serve();
        try (Socket other = connect();
                Socket failing = connect()) {
            exchange(other);
            exchange(failing);
            failing.setSoLinger(true, 0);
            failing.close(); // a reset
            server.awaitErr("Stream disrupted: ");
            assertThat(server.complaints()).hasLineCount(1).contains("127.0.0.1:" + port);
            exchange(other);
            try (Socket later = connect()) {
                exchange(later);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM"})
    void signal_closesListenerAndSessions_withinASecond(String signal) throws Exception {
        long quickest = Long.MAX_VALUE;
        for (int i = 0; i < MEASUREMENTS && quickest > MOST_MILLIS; i++) {
            serve();
            long begun;
            try (Socket session = connect()) {
                exchange(session);
                begun = System.nanoTime();
                server.signal(signal);
                assertThat(session.getInputStream().read()).isEqualTo(-1);
                assertThat(server.ended()).isIn(0, 130, 143);
            }
            quickest = Math.min(quickest, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun));
            new ServerSocket(port, 1, InetAddress.getLoopbackAddress()).close(); // the port is free
            assertThat(server.complaints()).isEmpty();
            server.close();
        }
        assertThat(quickest).as("milliseconds").isLessThanOrEqualTo(MOST_MILLIS);
    }

    @Test
    void busyPort_isOneSentenceAndExitCode1() throws Exception {
        try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            start(Integer.toString(busy.getLocalPort()));
            assertThat(server.ended()).isEqualTo(1);
            assertThat(server.err())
                    .isEqualTo("EchoServer: cannot listen on 127.0.0.1:" + busy.getLocalPort()
                            + ": Address already in use.\n");
            assertThat(server.out()).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({"abc", "65536", "-1", "99999999999", "''"})
    void badPort_isOneSentenceAndExitCode2(String port) throws Exception {
        start(port);
        assertThat(server.ended()).isEqualTo(2);
        assertThat(server.err()).hasLineCount(1).contains("\"" + port + "\"").contains("0 to 65535");
    }

    @Test
    void help_tellsTheUsage() throws Exception {
        start("--help");
        assertThat(server.ended()).isZero();
        assertThat(server.out()).contains("usage: EchoServer [port]").contains("9090");
    }

    /* ---------------- The process -------------- */

    private void serve() throws IOException {
        start("0");
        port = server.awaitPort();
    }

    private void start(String argument) throws IOException {
        server = Program.start(folder, "EchoServer", argument);
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(10_000);
        return socket;
    }

    private static void exchange(Socket socket) throws IOException {
        socket.getOutputStream().write('x');
        assertThat(socket.getInputStream().read()).isEqualTo('x');
    }
}
