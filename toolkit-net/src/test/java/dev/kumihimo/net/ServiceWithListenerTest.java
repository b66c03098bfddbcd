package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.HOST;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.select.Select;
import dev.kumihimo.signal.Service;
import dev.kumihimo.sync.SetOnce;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A server as a service: its listener is closed first, and sessions drain. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ServiceWithListenerTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    @Test
    void shutdown_endsTheAcceptLoop_andLetsASessionFinish() throws Exception {
        CompletableFuture<InetSocketAddress> bound = new CompletableFuture<>();
        CompletableFuture<Service> running = new CompletableFuture<>();
        SetOnce<Boolean> stopping = new SetOnce<>();
        CompletableFuture<Service.Report> report = new CompletableFuture<>();
        Service.Builder builder = Service.builder().drainTimeout(LONG).abortTimeout(LONG);
        Thread runner = Thread.ofPlatform().start(() -> {
            try {
                report.complete(builder.run(service -> {
                    var listener = service.closeFirst(TcpListener.bind(HOST, 0));
                    service.token().onCancel(() -> stopping.set(true));
                    running.complete(service);
                    bound.complete(listener.localAddress());
                    while (true) {
                        TcpStream session = listener.accept();
                        service.spawn(() -> {
                            try (session) {
                                echo(session, service);
                            }
                        });
                    }
                }));
            } catch (Throwable e) {
                report.completeExceptionally(e);
            }
        });
        try (Socket client = new Socket(HOST, bound.get().getPort())) {
            client.setSoTimeout(30_000);
            assertThat(answer(client, 'a')).isEqualTo('a'); // the session is there
            running.get().shutdown("enough");
            stopping.await(LONG);
            assertThatThrownBy(() -> new Socket(HOST, bound.get().getPort()).close())
                    .isInstanceOf(ConnectException.class);
            assertThat(client.getInputStream().read()).as("its goodbye").isEqualTo('!');
            assertThat(client.getInputStream().read()).as("its end").isEqualTo(-1);
        }
        assertThat(report.get().exitCode()).as("%s", report.get()).isZero();
        runner.join();
    }

    @Test
    void serverInAService_hasSessionsThatAreTheServices_whichAbortsAndNamesThem() throws Exception {
        CompletableFuture<Service> running = new CompletableFuture<>();
        TcpListener listener = TcpListener.bind(HOST, 0);
        CompletableFuture<Service.Report> report = new CompletableFuture<>();
        Service.Builder builder =
                Service.builder().drainTimeout(Duration.ofMillis(50)).abortTimeout(LONG);
        Thread runner = Thread.ofPlatform().start(() -> {
            try {
                report.complete(builder.run(service -> {
                    running.complete(service);
                    TcpServer.of(listener).in(service).serve(Serving::echo); // deaf to the token
                }));
            } catch (Throwable e) {
                report.completeExceptionally(e);
            }
        });
        try (Socket client = connect(listener)) {
            assertThat(answer(client, 'a')).isEqualTo('a');
            running.get().shutdown("enough");
            assertThat(client.getInputStream().read()).as("its end").isEqualTo(-1);
            assertThat(report.get().aborted()).contains("task \"session-127.0.0.1:" + client.getLocalPort() + '"');
            assertThat(report.get().left()).isEmpty();
            assertThat(report.get().failure()).isNull();
            assertThat(listener.isOpen()).isFalse();
        }
        runner.join();
    }

    /** The least there is to write; the service drains, and ends well. */
    @Test
    void serverInAService_endsWithExitCode0_ifItsSessionsEnd() throws Exception {
        TcpListener listener = TcpListener.bind(HOST, 0);
        CompletableFuture<Service> running = new CompletableFuture<>();
        CompletableFuture<Integer> exitCode = new CompletableFuture<>();
        Thread runner = Thread.ofPlatform().start(() -> {
            try {
                exitCode.complete(Service.run(LONG, service -> {
                    running.complete(service);
                    TcpServer.of(listener).in(service).serve(session -> echo(session, service));
                }));
            } catch (Throwable e) {
                exitCode.completeExceptionally(e);
            }
        });
        try (Socket client = connect(listener)) {
            assertThat(answer(client, 'a')).isEqualTo('a');
            running.get().shutdown();
            assertThat(client.getInputStream().read()).isEqualTo('!');
            assertThat(client.getInputStream().read()).isEqualTo(-1);
        }
        assertThat(exitCode.get()).isZero();
        runner.join();
    }

    /** With a drain of its own, in a body that has other things to do as well. */
    @Test
    void serverWithADrainOfItsOwn_endsBeforeTheServiceDoes() throws Exception {
        TcpListener listener = TcpListener.bind(HOST, 0);
        CompletableFuture<Service> running = new CompletableFuture<>();
        CompletableFuture<TcpServer.Report> ofServer = new CompletableFuture<>();
        CompletableFuture<Service.Report> ofService = new CompletableFuture<>();
        Service.Builder builder = Service.builder().drainTimeout(LONG).abortTimeout(LONG);
        Thread runner = Thread.ofPlatform().start(() -> {
            try {
                ofService.complete(builder.run(service -> {
                    running.complete(service);
                    TcpServer<TcpStream> server =
                            TcpServer.of(service.closeFirst(listener)).abortTimeout(LONG);
                    ofServer.complete(server.drainTimeout(Duration.ZERO).serve(Serving::echo));
                }));
            } catch (Throwable e) {
                ofService.completeExceptionally(e);
            }
        });
        try (Socket client = connect(listener)) {
            assertThat(answer(client, 'a')).isEqualTo('a');
            running.get().shutdown();
            assertThat(client.getInputStream().read()).isEqualTo(-1);
            assertThat(ofService.get().exitCode()).as("%s", ofService.get()).isZero();
            assertThat(ofServer.get().aborted()).containsExactly("session-127.0.0.1:" + client.getLocalPort());
        }
        runner.join();
    }

    private static Socket connect(TcpListener listener) throws IOException {
        Socket client = new Socket(HOST, listener.localAddress().getPort());
        client.setSoTimeout(30_000);
        return client;
    }

    private static int answer(Socket client, char sent) throws IOException {
        client.getOutputStream().write(sent);
        return client.getInputStream().read();
    }

    /** Echoes until the service ends, and says goodbye. */
    private static void echo(TcpStream session, Service service) throws Exception {
        ByteBuffer buffer = ByteBuffer.allocate(16);
        boolean more = true;
        while (more) {
            boolean readable = Select.<Boolean>of()
                    .on(session.readable(), () -> true)
                    .on(service.token(), () -> false)
                    .await();
            more = readable && session.tryRead(buffer) >= 0;
            session.writeAll(more ? buffer.flip() : ByteBuffer.wrap(new byte[] {'!'}));
            buffer.clear();
        }
    }
}
