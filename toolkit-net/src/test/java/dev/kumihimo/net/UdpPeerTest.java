package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.HOST;
import static dev.kumihimo.net.Loopback.runtime;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A peer that is changed while others send. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class UdpPeerTest {
    private static final int CHANGES = 3_000;
    private static final int SENT = 100;
    private static final Duration LONG = Duration.ofSeconds(20);

    /** What a sender throws fails its task. The peers let what they get be dropped. */
    @Test
    void senders_alwaysHaveAPeer_whileItChanges() throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        try (TaskRuntime runtime = runtime(2);
                UdpSocket socket = UdpSocket.bind(HOST, 0);
                UdpSocket one = UdpSocket.bind(HOST, 0);
                UdpSocket other = UdpSocket.bind(HOST, 0)) {
            socket.connect(one.localAddress());
            AtomicInteger sent = new AtomicInteger();
            JoinHandle<Void> waiting = runtime.spawn(() -> {
                while (!over.get()) {
                    socket.send(ByteBuffer.wrap(new byte[] {1}));
                    sent.incrementAndGet();
                    Thread.yield();
                }
            });
            JoinHandle<Void> trying = runtime.spawn(() -> {
                while (!over.get()) {
                    socket.trySend(ByteBuffer.wrap(new byte[] {2}));
                    Thread.yield();
                }
            });
            for (int i = 0; i < CHANGES || (sent.get() < SENT && !waiting.isFinished()); i++) {
                socket.connect((i % 2 == 0 ? other : one).localAddress());
            }
            socket.connect(one.localAddress());
            over.set(true);
            waiting.join(LONG);
            trying.join(LONG);
            assertThat(socket.peerAddress()).isEqualTo(one.localAddress());
        } finally {
            over.set(true);
        }
    }
}
