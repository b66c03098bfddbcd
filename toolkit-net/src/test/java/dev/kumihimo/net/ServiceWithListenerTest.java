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
        Thread runner = Thread.ofPlatform().start(() -> {
            try {
                report.complete(Service.builder().drainTimeout(LONG).run(service -> {
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
