package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.HOST;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.runtime.Task;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Peers that hold a session up: those who send too slowly, and those who do not read. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class SlowPeersTest {
    private static final int SLOW = 500;
    private static final int GOOD = 8;
    private static final int READERS = 8;
    private static final Duration HEADER = Duration.ofSeconds(1);

    /** Two ways to bound the time that a header takes. One that bounds each read alone does not: each brings a byte. */
    enum Bound {
        REGION {
            @Override
            void header(TcpStream session, ByteBuffer buffer) throws IOException, TimeoutException {
                dev.kumihimo.time.Timeout.call(HEADER, () -> {
                    while (!complete(buffer)) {
                        ensureMore(session.read(buffer));
                    }
                });
            }
        },
        READS {
            @Override
            void header(TcpStream session, ByteBuffer buffer) throws IOException {
                var deadline = dev.kumihimo.time.Deadline.in(HEADER);
                while (!complete(buffer)) {
                    ensureMore(session.read(buffer, deadline.remaining()));
                }
            }
        };

        abstract void header(TcpStream session, ByteBuffer buffer) throws IOException, TimeoutException;

        static boolean complete(ByteBuffer buffer) {
            return buffer.position() > 0 && buffer.get(buffer.position() - 1) == '\n';
        }

        static void ensureMore(int count) throws IOException {
            if (count < 0) {
                throw new IOException("the end, and no header");
            }
        }
    }

    /** Slow loris: many connections that send a byte now and then, and never come to the end of their header. */
    @ParameterizedTest
    @EnumSource(Bound.class)
    void deadline_freesTheSessionsOfSlowSenders_andOthersAreServedMeanwhile(Bound bound) throws Exception {
        AtomicInteger late = new AtomicInteger();
        Queue<Throwable> others = new ConcurrentLinkedQueue<>();
        try (Serving serving = Serving.start(
                server -> server.onError((session, e) -> {
                    if (e instanceof TimeoutException || e instanceof SocketTimeoutException) {
                        late.incrementAndGet();
                    } else {
                        others.add(e);
                    }
                }),
                server -> session -> {
                    ByteBuffer buffer = ByteBuffer.allocate(4096);
                    while (session.read(buffer) >= 0) { // requests of one line, answered by the same
                        bound.header(session, buffer);
                        session.writeAll(buffer.flip());
                        buffer.clear();
                    }
                })) {
            List<SocketChannel> slow = new ArrayList<>();
            List<Socket> good = new ArrayList<>();
            for (int i = 0; i < SLOW; i++) {
                SocketChannel client = SocketChannel.open(new InetSocketAddress(
                        HOST, serving.listener().localAddress().getPort()));
                client.configureBlocking(false);
                slow.add(client);
            }
            for (int i = 0; i < GOOD; i++) {
                good.add(serving.connect());
            }
            int bytes = 0;
            int requests = 0;
            int rounds = 0;
            long begin = System.nanoTime();
            while (!slow.isEmpty()) {
                for (SocketChannel client : List.copyOf(slow)) {
                    if (sends(client)) {
                        bytes++;
                    } else {
                        client.close();
                        slow.remove(client);
                    }
                }
                if (++rounds == 2 && System.nanoTime() - begin < HEADER.toNanos()) { // else some are late already
                    assertThat(bytes).as("bytes of the slow ones in time").isEqualTo(2 * SLOW);
                }
                for (Socket client : good) {
                    client.getOutputStream().write(new byte[] {'x', '\n'});
                    assertThat(client.getInputStream().readNBytes(2)).containsExactly('x', '\n');
                    requests++;
                }
                Thread.sleep(20); // their pace: nothing is waited for
            }
            assertThat(bytes).as("bytes that the slow ones have sent").isGreaterThanOrEqualTo(SLOW);
            assertThat(requests).isGreaterThan(GOOD);
            for (Socket client : good) {
                client.close();
            }
            serving.untilConnections(0);
            assertThat(late).as("sessions freed by their deadline").hasValue(SLOW);
            assertThat(others).isEmpty();
        }
    }

    /** Sends one byte; false once the other side has closed. */
    private static boolean sends(SocketChannel client) {
        try {
            return client.read(ByteBuffer.allocate(1)) == 0 && client.write(ByteBuffer.wrap(new byte[] {'h'})) == 1;
        } catch (IOException reset) {
            return false;
        }
    }

    /** Whatever a peer sends, and however little it reads: what waits to be read waits in the system, and in bounds. */
    @Test
    void slowReaders_holdTheirSessionsUp_andMemoryStaysFlat() throws Exception {
        Queue<Task> tasks = new ConcurrentLinkedQueue<>();
        try (Serving serving = Serving.start(UnaryOperator.identity(), server -> session -> {
            tasks.add(Task.current());
            Serving.echo(session);
        })) {
            List<Reluctant> clients = new ArrayList<>();
            for (int i = 0; i < READERS; i++) {
                clients.add(new Reluctant(serving.listener().localAddress()));
            }
            serving.untilConnections(READERS);
            long before = memory();
            int rounds = 0;
            while (rounds < 3) { // in a row in which nothing can be sent any more
                boolean sent = false;
                for (Reluctant client : clients) {
                    sent |= client.sendsAll();
                }
                tasks.forEach(Serving::untilWaiting);
                rounds = sent ? 0 : rounds + 1;
            }
            await().untilAsserted(() -> assertThat(memory() - before) // others may use some for a while
                    .as("bytes more, with %s sent", clients)
                    .isLessThan(4 << 20));
            for (Reluctant client : clients) {
                client.channel.shutdownOutput();
            }
            for (Reluctant client : clients) {
                client.readAll();
                client.channel.close();
            }
            serving.untilConnections(0);
        }
    }

    /** On the heap after a collection, and in direct buffers. */
    private static long memory() {
        System.gc();
        long direct = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() + direct;
    }

    /** Sends a sequence of bytes without reading what comes back, until it is to read. */
    private static final class Reluctant {
        private static final int PERIOD = 251;
        private static final long TOO_MUCH = 256L << 20;

        private final SocketChannel channel;
        private final ByteBuffer chunk = ByteBuffer.allocateDirect(PERIOD * 256);
        private long sent;

        Reluctant(InetSocketAddress address) throws IOException {
            channel = SocketChannel.open(address);
            channel.configureBlocking(false);
            for (int i = 0; i < chunk.capacity(); i++) {
                chunk.put(i, (byte) (i % PERIOD));
            }
        }

        /** Sends for as long as the system takes it; false if it takes none. */
        boolean sendsAll() throws IOException {
            long before = sent;
            int count = 1;
            while (count > 0 && sent < TOO_MUCH) {
                chunk.clear().position((int) (sent % PERIOD));
                count = channel.write(chunk);
                sent += count;
            }
            assertThat(sent).as("bytes that somebody takes and keeps").isLessThan(TOO_MUCH);
            return sent > before;
        }

        void readAll() throws IOException {
            channel.configureBlocking(true);
            long read = 0;
            ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
            while (channel.read(buffer) >= 0) {
                for (int i = 0; i < buffer.position(); i++) {
                    if (buffer.get(i) != (byte) ((read + i) % PERIOD)) {
                        throw new AssertionError("byte " + (read + i) + " is another");
                    }
                }
                read += buffer.position();
                buffer.clear();
            }
            assertThat(read).isEqualTo(sent);
        }

        @Override
        public String toString() {
            return sent / 1024 + " KiB";
        }
    }
}
