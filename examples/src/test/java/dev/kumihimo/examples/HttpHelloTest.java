package dev.kumihimo.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs the program as users do, in a process of its own. */
@Timeout(120)
class HttpHelloTest {
    @TempDir
    private Path folder;

    private final List<Program> started = new ArrayList<>();
    private int port;

    @AfterEach
    void endAll() {
        started.forEach(Program::close);
    }

    @Test
    void client_isGreeted_overConnectionsThatAreKept() throws Exception {
        serve();
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        List<CompletableFuture<HttpResponse<String>>> answers = IntStream.range(0, 200)
                .mapToObj(i -> client.sendAsync(get("/client-" + i), BodyHandlers.ofString()))
                .toList();
        for (int i = 0; i < answers.size(); i++) {
            assertThat(answers.get(i).get().body()).isEqualTo("Hello, client-" + i + "!\n");
        }
        assertThat(client.send(get("/no/such"), BodyHandlers.ofString()).statusCode())
                .isEqualTo(404);
        HttpRequest post = HttpRequest.newBuilder(uri("/"))
                .POST(HttpRequest.BodyPublishers.ofString("x".repeat(100_000)))
                .build();
        assertThat(client.send(post, BodyHandlers.ofString()).statusCode()).isEqualTo(405);
        assertThat(client.send(get("/"), BodyHandlers.ofString()).body()).isEqualTo("Hello, world!\n");
    }

    @Test
    void pipelinedRequests_areAnsweredInOrder_untilOneCloses() throws Exception {
        serve();
        String answer = exchange("GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
                + "HEAD /bb HTTP/1.1\r\nHost: x\r\n\r\n"
                + "GET /ccc HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                + "GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
        assertThat(answer).containsSubsequence("Hello, a!", "Content-Length: 11\r\n", "Hello, ccc!");
        assertThat(answer).doesNotContain("Hello, bb").doesNotContain("never");
    }

    @ParameterizedTest
    @CsvSource({
        "'GARBAGE\r\n\r\n', 400",
        "'GET / HTTP/1.1\r\nno header\r\n\r\n', 400",
        "'GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400",
        "'GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n', 413",
        "'GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n', 501"
    })
    void badRequest_isToldSo_andItsConnectionClosed(String request, int status) throws Exception {
        serve();
        assertThat(exchange(request)).startsWith("HTTP/1.1 " + status + " ").contains("Connection: close");
        assertThat(exchange("GET / HTTP/1.0\r\n\r\n")).endsWith("Hello, world!\n");
    }

    @Test
    void clientThatSendsNoMore_getsItsAnswers() throws Exception {
        serve();
        String get = "GET /a HTTP/1.1\r\n\r\n";
        assertThat(exchange(get.repeat(3), true).split("Hello, a!")).hasSize(4);
        assertThat(exchange("\r\n\r\n" + get + "GET /b", true))
                .contains("Hello, a!")
                .doesNotContain("Hello, b");
    }

    @Test
    void bodyOnItsWay_whenTheConnectionIsToClose_losesNoAnswer() throws Exception {
        serve();
        String head = "POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 600000\r\n\r\n";
        assertThat(exchange(head + "x".repeat(600_000))).startsWith("HTTP/1.1 405 ");
    }

    @Test
    void clientThatReadsNothing_isClosed() throws Exception {
        serve("--idle", "1");
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            byte[] requests = "GET / HTTP/1.1\r\n\r\n".repeat(1_000).getBytes(StandardCharsets.US_ASCII);
            assertThatThrownBy(() -> {
                        while (true) {
                            socket.getOutputStream().write(requests);
                        }
                    })
                    .isInstanceOf(SocketException.class);
        }
    }

    @Test
    void idleClient_isClosed_withoutAWord() throws Exception {
        serve("--idle", "1");
        assertThat(exchange("")).isEmpty();
    }

    @Test
    void headWithoutEnd_isRefused() throws Exception {
        serve();
        assertThat(exchange("GET / HTTP/1.1\r\nX: " + "x".repeat(9_000))).startsWith("HTTP/1.1 431 ");
    }

    @Test
    void slowClient_isClosed() throws Exception {
        serve("--idle", "3"); // in which its first bytes have to arrive
        assertThat(exchange("GET / HT")).startsWith("HTTP/1.1 408 ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM"})
    void signal_endsIt_withAConnectionOpen(String signal) throws Exception {
        Program server = serve();
        try (Socket open = new Socket(InetAddress.getLoopbackAddress(), port)) {
            open.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(open.getInputStream().read()).isEqualTo('H');
            server.signal(signal);
            assertThat(server.ended()).isZero(); // an idle connection does not hold it up
        }
        new ServerSocket(port, 1, InetAddress.getLoopbackAddress()).close(); // the port is free
    }

    @Test
    void badArguments_areOneSentenceAndExitCode2() throws Exception {
        assertThat(start("65536").ended()).isEqualTo(2);
        assertThat(start("--idle").ended()).isEqualTo(2);
        assertThat(started.get(1).err()).hasLineCount(1).contains("1 to 3600");
        assertThat(start("--help").ended()).isZero();
        assertThat(started.get(2).out()).contains("usage: HttpHello [port]");
    }

    @Test
    void busyPort_isOneSentenceAndExitCode1() throws Exception {
        try (ServerSocket busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Program second = start(Integer.toString(busy.getLocalPort()));
            assertThat(second.ended()).isEqualTo(1);
            assertThat(second.err()).contains("HttpHello: cannot listen on 127.0.0.1:" + busy.getLocalPort());
        }
    }

    /* ---------------- The process, and talking to it -------------- */

    private Program serve(String... options) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("0"));
        arguments.addAll(List.of(options));
        Program server = start(arguments.toArray(String[]::new));
        server.awaitOut("listening on http://127.0.0.1:");
        port = URI.create(server.out().strip().replaceFirst(".* ", "")).getPort();
        return server;
    }

    private Program start(String... arguments) throws IOException {
        Path own = Files.createDirectory(folder.resolve("run" + started.size()));
        Program program = Program.start(own, "HttpHello", arguments);
        started.add(program);
        return program;
    }

    private URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    private HttpRequest get(String path) {
        return HttpRequest.newBuilder(uri(path)).build();
    }

    /** Sends bytes, leaves the output open, and reads until the server closes. */
    private String exchange(String request) throws IOException {
        return exchange(request, false);
    }

    private String exchange(String request, boolean halfClose) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(60_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            if (halfClose) {
                socket.shutdownOutput();
            }
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
