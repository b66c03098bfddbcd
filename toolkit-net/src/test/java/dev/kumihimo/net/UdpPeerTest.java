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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A peer that is changed while others send. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class UdpPeerTest {
    private static final int CHANGES = 3_000;
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
            JoinHandle<Long> waiting = runtime.spawn(() -> {
                long sent = 0;
                for (; !over.get(); sent++) {
                    socket.send(ByteBuffer.wrap(new byte[] {1}));
                    Thread.yield();
                }
                return sent;
            });
            JoinHandle<Long> trying = runtime.spawn(() -> {
                long sent = 0;
                while (!over.get()) {
                    sent += socket.trySend(ByteBuffer.wrap(new byte[] {2})) ? 1 : 0;
                    Thread.yield();
                }
                return sent;
            });
            for (int i = 0; i < CHANGES; i++) {
                socket.connect((i % 2 == 0 ? other : one).localAddress());
            }
            over.set(true);
            assertThat(waiting.join(LONG)).isPositive();
            trying.join(LONG);
            assertThat(socket.peerAddress()).isEqualTo(one.localAddress());
        } finally {
            over.set(true);
        }
    }
}
