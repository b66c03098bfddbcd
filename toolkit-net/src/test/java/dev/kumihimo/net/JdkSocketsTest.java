package dev.kumihimo.net;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The JDK's own networking in and after a runtime: what it starts lazily inherits the scheduler of the task that it met. */
@Timeout(120)
class JdkSocketsTest {
    @Test
    void virtualThreadSockets_work_afterTheRuntimeThatUsedThemFirst() throws Exception {
        assertThat(inAJvmOfItsOwn(FirstSocketInATask.class))
                .contains(
                        "in a task, ",
                        "after its runtime"); // and, on a slow machine, a warning of a carrier that loads classes
    }

    @Test
    void httpClient_works_inATaskAndAfterItsRuntime() throws Exception {
        assertThat(inAJvmOfItsOwn(HttpClientInATask.class))
                .contains(
                        "in a task, ",
                        "after its runtime"); // and, on a slow machine, a warning of a carrier that loads classes
    }

    private static String inAJvmOfItsOwn(Class<?> program) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        System.getProperty("java.home") + "/bin/java",
                        "--add-opens",
                        "java.base/java.lang=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        program.getName())
                .redirectErrorStream(true)
                .start();
        try {
            if (!process.waitFor(50, TimeUnit.SECONDS)) {
                return "hangs";
            }
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        } finally {
            process.destroyForcibly();
        }
    }

    /** The first virtual-thread socket of the JVM is used in a task; the pollers that it starts serve others afterwards. */
    static final class FirstSocketInATask {
        public static void main(String[] arguments) throws Exception {
            try (TaskRuntime runtime = TaskRuntime.builder().workerThreads(1).build()) {
                runtime.blockOn(() -> exchange(runtime.asExecutorService()));
            }
            System.out.print("in a task, ");
            FutureTask<Void> after = new FutureTask<>(() -> {
                for (int i = 0; i < 10; i++) {
                    exchange(Executors.newVirtualThreadPerTaskExecutor());
                }
                return null;
            });
            Thread.startVirtualThread(after);
            after.get(20, TimeUnit.SECONDS);
            System.out.println("after its runtime");
            System.exit(0);
        }

        private static void exchange(ExecutorService threads) throws Exception {
            try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                var echo = threads.submit(() -> {
                    try (Socket session = server.accept()) {
                        session.getOutputStream().write(session.getInputStream().read());
                    }
                    return null;
                });
                try (Socket socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
                    Thread.yield(); // the server waits in its read
                    socket.getOutputStream().write('x');
                    if (socket.getInputStream().read() != 'x') {
                        throw new AssertionError();
                    }
                }
                echo.get();
            }
        }
    }

    /** A client's selector thread is made by the task, and on some JDKs runs on its carriers for ever. */
    static final class HttpClientInATask {
        public static void main(String[] arguments) throws Exception {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/", exchange -> {
                exchange.sendResponseHeaders(200, 2);
                exchange.getResponseBody().write("ok".getBytes(StandardCharsets.US_ASCII));
                exchange.close();
            });
            server.start();
            URI uri = URI.create("http://localhost:" + server.getAddress().getPort() + "/");
            HttpClient client;
            try (TaskRuntime runtime = TaskRuntime.builder().workerThreads(1).build()) {
                client = runtime.blockOn(() -> {
                    HttpClient made = HttpClient.newHttpClient();
                    get(made, uri);
                    return made;
                });
            }
            System.out.print("in a task, ");
            for (int i = 0; i < 5; i++) {
                get(client, uri);
            }
            System.out.println("after its runtime");
            System.exit(0);
        }

        private static void get(HttpClient client, URI uri) throws IOException, InterruptedException {
            HttpRequest request =
                    HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(20)).build();
            HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200 || !response.body().equals("ok")) {
                throw new AssertionError(response);
            }
        }
    }
}
