package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The JDK starts its socket pollers at the first use of a socket, and they must not run on a carrier of the kit's. */
@Timeout(90)
class PollersTest {
    @Test
    void socketsOfVirtualThreads_work_afterATestThatUsedThemFirst() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-opens",
                        "java.base/java.lang=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        FirstSocketUnderTest.class.getName())
                .redirectErrorStream(true)
                .start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("it ends").isTrue();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(output).contains("under test, ", "and after it");
        } finally {
            process.destroyForcibly();
        }
    }

    /** Uses a socket of the JDK in a task under test, ends the runtime, and uses some in ordinary virtual threads. */
    static final class FirstSocketUnderTest {
        public static void main(String[] arguments) throws Exception {
            try (TestRuntime test = TestRuntime.fifo()) {
                test.run(() -> exchange());
            }
            System.out.print("under test, ");
            for (int i = 0; i < 5; i++) {
                FutureTask<Void> after = new FutureTask<>(() -> {
                    exchange();
                    return null;
                });
                Thread.startVirtualThread(after);
                after.get(20, TimeUnit.SECONDS);
            }
            System.out.println("and after it");
            System.exit(0);
        }

        private static void exchange() throws IOException, InterruptedException {
            try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                Thread echo = Thread.startVirtualThread(() -> {
                    try (Socket session = server.accept()) {
                        session.getOutputStream().write(session.getInputStream().read());
                    } catch (IOException e) {
                        e.printStackTrace();
                    }
                });
                try (Socket socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
                    Thread.yield(); // the server waits in its read
                    socket.getOutputStream().write('x');
                    if (socket.getInputStream().read() != 'x') {
                        throw new AssertionError("no echo");
                    }
                }
                echo.join();
            }
        }
    }
}
