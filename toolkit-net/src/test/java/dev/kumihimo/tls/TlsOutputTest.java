package dev.kumihimo.tls;

import static dev.kumihimo.tls.TlsPair.HOST;
import static dev.kumihimo.tls.TlsPair.bytes;
import static dev.kumihimo.tls.TlsPair.read;
import static dev.kumihimo.tls.TlsPair.runtime;
import static dev.kumihimo.tls.TlsPair.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.select.Selectable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What becomes of records that have no room below, of answers that a reader owes, and of who reads meanwhile. */
@Timeout(120)
class TlsOutputTest {
    /** An output that is full or broken, as a test wants. */
    private static final class Output extends Below {
        private final Channel<Object> never = Channel.bounded(1);
        private final AtomicInteger tries = new AtomicInteger();
        private volatile boolean full;
        private volatile boolean broken;
        private volatile CountDownLatch held = new CountDownLatch(0);

        Output(ByteStream stream) {
            super(stream, 1 << 20);
        }

        @Override
        public int tryWrite(ByteBuffer source) throws IOException {
            tries.incrementAndGet();
            try {
                assertThat(held.await(60, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            if (broken) {
                throw new IOException("Broken pipe");
            }
            return full ? 0 : super.tryWrite(source);
        }

        @Override
        @SuppressWarnings({"unchecked", "rawtypes"})
        public Selectable<Void> writable() {
            return full ? (Selectable) never : super.writable();
        }
    }

    /** A client whose engine the test has, and a server whose output it has. */
    private record Ends(TlsPair pair, SSLEngine engine, Output output) implements AutoCloseable {
        static Ends open() throws Exception {
            try (TcpListener listener = TcpListener.bind(HOST, 0)) {
                TcpStream first = TcpStream.connect(listener.localAddress());
                Output output = new Output(listener.accept());
                SSLEngine engine = Settings.context(List.of(), Pem.certificates(Certificates.ca()))
                        .createSSLEngine();
                engine.setUseClientMode(true);
                TlsPair pair = new TlsPair(
                        new TlsStream(first, engine, null),
                        TlsPair.server("localhost").wrap(output));
                return new Ends(pair.shaken(), engine, output);
            }
        }

        TlsStream server() {
            return pair.server();
        }

        ByteBuffer record(String text) throws SSLException {
            ByteBuffer records = ByteBuffer.allocate(20_000);
            engine.wrap(bytes(text), records);
            return records.flip();
        }

        /** Sends requests for so many key updates, each of which asks for an answer. */
        void askForKeyUpdates(int count) throws IOException {
            for (int i = 0; i < count; i++) {
                engine.beginHandshake();
                pair.client().transport().writeAll(record(""));
            }
        }

        @Override
        public void close() throws IOException {
            pair.close();
        }
    }

    @Test
    void readers_doNotSpin_whenTheOutputIsBroken_andARecordIsLeft() throws Exception {
        try (TaskRuntime runtime = runtime(2);
                Ends ends = Ends.open()) {
            ends.output.full = true;
            assertThat(runtime.blockOn(() -> ends.server().tryWrite(bytes("left"))))
                    .isEqualTo(4);
            ends.output.tries.set(0);
            ends.output.broken = true;
            ends.output.full = false;
            JoinHandle<String> reader = runtime.spawn(() -> read(ends.server(), 10));
            await().until(() -> ends.output.tries.get() > 0);
            untilWaiting(reader);
            await().during(Duration.ofMillis(300)).until(() -> ends.output.tries.get() == 1);
            JoinHandle<?> selecting = runtime.spawn(() -> {
                Select.<Boolean>of().onReadable(ends.server(), () -> true).await();
            });
            untilWaiting(selecting);
            await().during(Duration.ofMillis(300)).until(() -> ends.output.tries.get() == 1);
            assertThat(ends.server().bufferBytes()).isZero();
            ends.pair.client().writeAll(bytes("still read"));
            assertThat(reader.join()).isEqualTo("still read");
            selecting.join();
            ends.output.broken = false; // a record is missing: nothing may go out any more
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> runtime.blockOn(() -> ends.server().write(bytes("more"))))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining("Broken pipe");
            }
        }
    }

    @Test
    void readable_isNotReady_whileAReaderWaits_whoHasTakenARecordOfNothing() throws Exception {
        try (TaskRuntime runtime = runtime(2);
                Ends ends = Ends.open()) {
            ByteBuffer records = ByteBuffer.allocate(20_000).put(ends.record("five!"));
            ends.engine.beginHandshake(); // a request for a key update
            ends.pair.client().transport().writeAll(records.put(ends.record("")).flip());
            assertThat(read(ends.server(), 100)).isEqualTo("five!");
            assertThat(isReady(ends.server())).isTrue(); // a whole record is there, which nobody has looked into
            JoinHandle<String> reader = runtime.spawn(() -> read(ends.server(), 10));
            untilWaiting(reader);
            assertThat(isReady(ends.server())).isFalse();
            ends.pair.client().writeAll(bytes("more"));
            assertThat(reader.join()).isEqualTo("more");
        }
    }

    private static boolean isReady(TlsStream stream) throws InterruptedException {
        return Select.<Boolean>of()
                .onReadable(stream, () -> true)
                .otherwise(() -> false)
                .await();
    }

    @Test
    void keyUpdates_areAnswered_asManyAsAreAskedFor() throws Exception {
        try (TaskRuntime runtime = runtime(2);
                Ends ends = Ends.open()) {
            JoinHandle<String> reader = runtime.spawn(() -> read(ends.server(), 10));
            ends.output.tries.set(0);
            ends.askForKeyUpdates(1500);
            ends.pair.client().writeAll(bytes("x"));
            assertThat(reader.join()).isEqualTo("x");
            assertThat(ends.output.tries.get()).isBetween(1, 1500);
            ends.server().writeAll(bytes("y"));
            assertThat(read(ends.pair.client(), 1)).isEqualTo("y"); // behind all answers
        }
    }

    @Test
    void keyUpdates_askedForByWhoDoesNotReadTheAnswers_areAnError() throws Exception {
        try (TaskRuntime runtime = runtime(2);
                Ends ends = Ends.open()) {
            ends.output.full = true;
            JoinHandle<String> reader = runtime.spawn(() -> read(ends.server(), 10));
            ends.askForKeyUpdates(200);
            ends.pair.client().writeAll(bytes("x"));
            assertThat(reader.join()).isEqualTo("x"); // so many may wait
            ends.askForKeyUpdates(1300);
            assertThatThrownBy(() -> runtime.blockOn(() -> read(ends.server(), 10)))
                    .isInstanceOf(SSLException.class)
                    .hasMessageContaining("key updates");
            assertThat(ends.server().isOpen()).isFalse();
        }
    }

    @Test
    void keyUpdate_thatMetABusyWriter_isAnswered_whenThatHasDone() throws Exception {
        try (TaskRuntime runtime = runtime(2);
                Ends ends = Ends.open()) {
            ends.output.tries.set(0);
            ends.output.held = new CountDownLatch(1);
            JoinHandle<?> writer = runtime.spawn(() -> ends.server().writeAll(bytes("busy")));
            await().until(() -> ends.output.tries.get() == 1);
            ends.askForKeyUpdates(1);
            ends.pair.client().writeAll(bytes("x"));
            ByteBuffer target = ByteBuffer.allocate(1);
            await().until(() -> runtime.blockOn(() -> ends.server().tryRead(target)) == 1); // and so the update too
            ends.output.held.countDown();
            writer.join();
            assertThat(ends.output.tries.get()).isEqualTo(2);
            assertThat(read(ends.pair.client(), 10)).isEqualTo("busy");
        }
    }
}
