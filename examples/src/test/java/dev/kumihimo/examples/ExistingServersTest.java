package dev.kumihimo.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.task.JoinSet;
import dev.kumihimo.time.Timeout;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/** The recipes of docs/existing-servers.md, each with the same requests. */
@org.junit.jupiter.api.Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD)
class ExistingServersTest {
    private static final int AT_ONCE = 100;

    @TempDir
    private Path folder;

    @Test
    void jdkHttpServer_servesOnTheCarriers() throws Exception {
        try (TaskRuntime runtime = runtime()) {
            Answers answers = new Answers();
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.setExecutor(runtime.asExecutorService());
            server.createContext("/", exchange -> {
                byte[] body = answers.to(exchange.getRequestURI().getPath());
                exchange.sendResponseHeaders(200, body.length);
                exchange.getResponseBody().write(body);
                exchange.close();
            });
            server.start();
            try {
                answers.ask(runtime, server.getAddress().getPort());
            } finally {
                server.stop(0);
            }
        }
    }

    @Test
    void jetty_servesOnTheCarriers() throws Exception {
        try (TaskRuntime runtime = runtime()) {
            Answers answers = new Answers();
            QueuedThreadPool threads = new QueuedThreadPool();
            threads.setVirtualThreadsExecutor(runtime.asExecutorService());
            Server server = new Server(threads);
            ServerConnector connector = new ServerConnector(server);
            connector.setHost("127.0.0.1");
            server.addConnector(connector);
            server.setHandler(new Handler.Abstract() {
                @Override
                public boolean handle(Request request, Response response, Callback callback) throws Exception {
                    byte[] body = answers.to(Request.getPathInContext(request));
                    Content.Sink.write(response, true, ByteBuffer.wrap(body));
                    callback.succeeded();
                    return true;
                }
            });
            server.start();
            try {
                answers.ask(runtime, connector.getLocalPort());
            } finally {
                server.stop();
            }
        }
    }

    @Test
    void tomcat_servesOnTheCarriers() throws Exception {
        try (TaskRuntime runtime = runtime()) {
            Answers answers = new Answers();
            Tomcat tomcat = new Tomcat();
            tomcat.setBaseDir(folder.toString());
            tomcat.setPort(0);
            tomcat.getConnector().getProtocolHandler().setExecutor(runtime.asExecutorService());
            Context context = tomcat.addContext("", folder.toString());
            Tomcat.addServlet(context, "answers", new jakarta.servlet.http.HttpServlet() {
                private static final long serialVersionUID = 1;

                @Override
                protected void doGet(
                        jakarta.servlet.http.HttpServletRequest request,
                        jakarta.servlet.http.HttpServletResponse response)
                        throws IOException {
                    response.getOutputStream().write(answers.to(request.getRequestURI()));
                }
            });
            context.addServletMappingDecoded("/*", "answers");
            tomcat.start();
            try {
                answers.ask(runtime, tomcat.getConnector().getLocalPort());
            } finally {
                tomcat.stop();
                tomcat.destroy();
            }
        }
    }

    private static TaskRuntime runtime() {
        return TaskRuntime.builder().workerThreads(2).name("recipes").build();
    }

    /** What a handler does, and who asks for it. */
    private static final class Answers {
        private final CountDownLatch together = new CountDownLatch(AT_ONCE);
        private final Semaphore permits = Semaphore.of(2);
        private final Channel<String> queue = Channel.bounded(1);

        byte[] to(String path) throws IOException {
            assertThat(Thread.currentThread().isVirtual()).isTrue();
            String answer;
            try {
                answer = switch (path) {
                    case "/task" -> Task.current().runtime().name();
                    case "/all" -> all();
                    case "/timeout" -> timeout();
                    default -> "hello " + path;
                };
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            return answer.getBytes(StandardCharsets.UTF_8);
        }

        /** Waits for as many requests as there are clients: a server with a thread for each core would hang. */
        private String all() throws InterruptedException {
            together.countDown();
            together.await();
            try (var permit = permits.acquire()) {
                Task.yieldNow();
            }
            return "all";
        }

        private String timeout() throws InterruptedException {
            try {
                return Timeout.call(Duration.ofMillis(20), () -> queue.receive());
            } catch (TimeoutException e) {
                return "nothing came";
            }
        }

        /** Asks from inside tasks, with one client that a task has made. */
        void ask(TaskRuntime runtime, int port) throws Exception {
            JoinHandle<Void> asking = runtime.spawn(() -> {
                HttpClient client = HttpClient.newHttpClient();
                assertThat(get(client, port, "/task")).isEqualTo("recipes");
                assertThat(get(client, port, "/timeout")).isEqualTo("nothing came");
                List<String> answers = new ArrayList<>();
                try (JoinSet<String> clients = JoinSet.open()) {
                    for (int i = 0; i < AT_ONCE; i++) {
                        clients.spawn(() -> get(client, port, "/all"));
                    }
                    answers.addAll(clients.joinAll());
                }
                assertThat(answers).hasSize(AT_ONCE).containsOnly("all");
                return null;
            });
            asking.join();
        }

        private static String get(HttpClient client, int port, String path) throws IOException, InterruptedException {
            URI uri = URI.create("http://127.0.0.1:" + port + path);
            HttpResponse<String> response =
                    client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
            assertThat(response.statusCode()).isEqualTo(200);
            return response.body();
        }
    }
}
