package dev.kumihimo.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
    @TempDir
    private Path folder;

    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void endAll() {
        started.forEach(Process::destroyForcibly);
    }

    @Test
    void session_getsBackWhatItSends_andIsReported() throws Exception {
        int port = freePort();
        serve(port);
        byte[] sent = new byte[100_000];
        new Random(3).nextBytes(sent);
        try (Socket socket = connect(port)) {
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
            assertThat(out()).contains("Handling new session from 127.0.0.1:" + socket.getLocalPort());
        }
        assertThat(err()).isEmpty();
    }

    @Test
    void session_thatFails_isReportedAndTouchesNoOther() throws Exception {
        int port = freePort();
        serve(port);
        try (Socket other = connect(port);
                Socket failing = connect(port)) {
            exchange(other);
            exchange(failing);
            failing.setSoLinger(true, 0);
            failing.close(); // a reset
            await().until(() -> err().contains("Stream disrupted: "));
            assertThat(err()).hasLineCount(1).contains("127.0.0.1:" + port);
            exchange(other);
            try (Socket later = connect(port)) {
                exchange(later);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM"})
    void signal_closesListenerAndSessions_withinASecond(String signal) throws Exception {
        int port = freePort();
        Process server = serve(port);
        try (Socket session = connect(port)) {
            exchange(session);
            long start = System.nanoTime();
            new ProcessBuilder("kill", "-" + signal, Long.toString(server.pid())).start();
            assertThat(session.getInputStream().read()).isEqualTo(-1);
            assertThat(server.waitFor(10, TimeUnit.SECONDS)).isTrue();
            assertThat(System.nanoTime() - start).isLessThan(1_500_000_000L); // the start of `kill` included
        }
        new ServerSocket(port, 1, InetAddress.getLoopbackAddress()).close(); // the port is free
        assertThat(err()).isEmpty();
    }

    @Test
    void busyPort_isOneSentenceAndExitCode1() throws Exception {
        try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Process server = start(Integer.toString(busy.getLocalPort()));
            assertThat(server.waitFor()).isEqualTo(1);
            assertThat(err())
                    .isEqualTo("EchoServer: cannot listen on 127.0.0.1:" + busy.getLocalPort()
                            + ": Address already in use.\n");
            assertThat(out()).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({"abc", "0", "65536", "-1", "99999999999", "''"})
    void badPort_isOneSentenceAndExitCode2(String port) throws Exception {
        assertThat(start(port).waitFor()).isEqualTo(2);
        assertThat(err()).hasLineCount(1).contains("\"" + port + "\"").contains("1 to 65535");
    }

    @Test
    void help_tellsTheUsage() throws Exception {
        assertThat(start("--help").waitFor()).isZero();
        assertThat(out()).contains("usage: EchoServer [port]").contains("9090");
    }

    /* ---------------- The process -------------- */

    private Process serve(int port) throws IOException {
        Process server = start(Integer.toString(port));
        await().until(() -> out().contains("listening on 127.0.0.1:" + port) || !server.isAlive());
        assertThat(server.isAlive()).as("%s", err()).isTrue();
        return server;
    }

    private Process start(String argument) throws IOException {
        Process process = new ProcessBuilder(
                        System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                        "--add-opens",
                        "java.base/java.lang=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "dev.kumihimo.examples.EchoServer",
                        argument)
                .redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
        started.add(process);
        return process;
    }

    private String out() throws IOException {
        return Files.readString(folder.resolve("out"));
    }

    private String err() throws IOException {
        return Files.readString(folder.resolve("err"));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static Socket connect(int port) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(10_000);
        return socket;
    }

    private static void exchange(Socket socket) throws IOException {
        socket.getOutputStream().write('x');
        assertThat(socket.getInputStream().read()).isEqualTo('x');
    }
}
