package dev.kumihimo.tls;

import static dev.kumihimo.tls.TlsPair.bytes;
import static dev.kumihimo.tls.TlsPair.read;
import static dev.kumihimo.tls.TlsPair.runtime;
import static dev.kumihimo.tls.TlsPair.untilWaiting;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.select.Selectable;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Streams in a select. */
@Timeout(120)
class TlsSelectTest {
    private static boolean isReady(Selectable<Void> what) throws InterruptedException {
        return Select.<Boolean>of()
                .onReadable(what, () -> true)
                .otherwise(() -> false)
                .await();
    }

    private static boolean becomesReady(Selectable<Void> what, Duration within) throws InterruptedException {
        return Select.<Boolean>of()
                .onReadable(what, () -> true)
                .after(within, () -> false)
                .await();
    }

    /**
     * Nothing of what a stream of the main thread has read so far looks ready after this. Its driver may have looked at the
     * system just before a read, and tell of the bytes just after: its timers fire between what it tells and its next look, and
     * what it has told is dropped by trying.
     */
    private static void settle(TlsStream stream) throws Exception {
        CountDownLatch fired = new CountDownLatch(1);
        Waiter.current().timers().arm(0, fired::countDown);
        fired.await();
        assertThat(stream.tryRead(ByteBuffer.allocate(1))).isZero();
    }

    @Test
    void readable_isReadyAtOnce_whileDecryptedBytesAreLeft() throws Exception {
        try (TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
            Selectable<Void> readable = pair.server().readable(); // before there is anything
            assertThat(isReady(readable)).isFalse();
            pair.client().writeAll(bytes("abc"));
            assertThat(read(pair.server(), 1)).isEqualTo("a");
            assertThat(isReady(readable)).isTrue();
            assertThat(pair.server().tryRead(ByteBuffer.allocate(2))).isEqualTo(2);
            assertThat(isReady(readable)).isFalse();
        }
    }

    @Test
    void readable_waitsForBytes_andIsWokenByThem() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
            JoinHandle<String> selecting = runtime.spawn(() -> {
                ByteBuffer target = ByteBuffer.allocate(100);
                Select<Boolean> next = Select.<Boolean>of().onReadable(pair.server(), () -> true);
                while (target.position() < 6) { // half a record may have woken it
                    next.await();
                    pair.server().tryRead(target);
                }
                return new String(target.array(), 0, 6, UTF_8);
            });
            untilWaiting(selecting);
            pair.client().writeAll(bytes("abc"));
            untilWaiting(selecting);
            pair.client().writeAll(bytes("def"));
            assertThat(selecting.join()).isEqualTo("abcdef");
        }
    }

    @Test
    void selecting_doesTheHandshake() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TlsPair pair = TlsPair.open("TLSv1.3")) {
            JoinHandle<Boolean> input =
                    runtime.spawn(() -> becomesReady(pair.server().readable(), Duration.ofSeconds(60)));
            JoinHandle<Boolean> output =
                    runtime.spawn(() -> becomesReady(pair.client().writable(), Duration.ofSeconds(60)));
            assertThat(output.join()).isTrue();
            assertThat(pair.client().isHandshakeDone()).isTrue();
            assertThat(pair.client().tryWrite(bytes("x"))).isEqualTo(1);
            assertThat(input.join()).isTrue();
        }
    }

    @Test
    void readable_isWoken_byBytesThatAnothersHandshakeHasBroughtAlong() throws Exception {
        try (TaskRuntime runtime = runtime(2);
                TlsPair pair = TlsPair.open("TLSv1.2")) {
            // The client's finish and its first bytes come together, into the buffer of who shakes hands.
            JoinHandle<?> client = runtime.spawn(() -> {
                pair.client().writeAll(bytes("along"));
            });
            JoinHandle<String> selecting = runtime.spawn(() -> {
                ByteBuffer target = ByteBuffer.allocate(100);
                while (pair.server().tryRead(target) == 0) {
                    Select.<Boolean>of().onReadable(pair.server(), () -> true).await();
                }
                return new String(target.array(), 0, target.position(), UTF_8);
            });
            JoinHandle<?> shaking = runtime.spawn(() -> pair.server().handshake());
            client.join();
            shaking.join();
            assertThat(selecting.join()).isEqualTo("along");
        }
    }

    @Test
    void giveUps_leaveNothingBehind_andNothingIsMissedAfterThem() throws Exception {
        try (TaskRuntime runtime = runtime(2);
                TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
            settle(pair.server());
            runtime.blockOn(() -> {
                for (int i = 0; i < 500; i++) {
                    becomesReady(pair.server().readable(), Duration.ofNanos(i * 400L));
                }
            });
            JoinHandle<Boolean> selecting =
                    runtime.spawn(() -> becomesReady(pair.server().readable(), Duration.ofSeconds(60)));
            untilWaiting(selecting);
            pair.client().writeAll(bytes("x"));
            assertThat(selecting.join()).isTrue();
            assertThat(read(pair.server(), 1)).isEqualTo("x");
            org.awaitility.Awaitility.await().until(() -> runtime.liveTasks() == 0);
        }
    }

    @Test
    void writable_isReady_onceTheLastRecordHasGoneOut() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
            assertThat(isReady(pair.client().writable())).isTrue();
            ByteBuffer big = ByteBuffer.allocate(100_000_000);
            while (pair.client().tryWrite(big) > 0) {
                // until the socket is full
            }
            assertThat(big.hasRemaining()).isTrue();
            assertThat(isReady(pair.client().writable())).isFalse();
            JoinHandle<Boolean> selecting =
                    runtime.spawn(() -> becomesReady(pair.client().writable(), Duration.ofSeconds(60)));
            untilWaiting(selecting);
            long received = 0;
            ByteBuffer buffer = ByteBuffer.allocate(100_000);
            while (received < big.position()) {
                received += pair.server().read(buffer.clear(), Duration.ofSeconds(30));
            }
            assertThat(selecting.join()).isTrue();
            assertThat(received).isEqualTo(big.position());
            assertThat(pair.client().tryWrite(big)).isPositive();
        }
    }

    @Test
    void closing_andFailing_areReady() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TlsPair pair = TlsPair.open("TLSv1.3").shaken()) {
            pair.server().writeAll(bytes("x"));
            assertThat(read(pair.client(), 1)).isEqualTo("x"); // and the session's tickets, which would wake it
            settle(pair.client());
            settle(pair.server());
            JoinHandle<Boolean> atClose =
                    runtime.spawn(() -> becomesReady(pair.client().readable(), Duration.ofSeconds(60)));
            JoinHandle<Boolean> atEnd =
                    runtime.spawn(() -> becomesReady(pair.server().readable(), Duration.ofSeconds(60)));
            untilWaiting(atClose);
            untilWaiting(atEnd);
            pair.client().close();
            assertThat(atClose.join()).isTrue();
            assertThat(atEnd.join()).isTrue();
            assertThat(read(pair.server(), 1)).isNull();
            assertThat(isReady(pair.server().readable())).isTrue();
            assertThat(isReady(pair.client().writable())).isTrue();
        }
    }
}
