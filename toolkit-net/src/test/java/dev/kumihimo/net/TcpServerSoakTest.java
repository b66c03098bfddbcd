package dev.kumihimo.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.time.Deadline;
import java.io.EOFException;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Many clients that do what clients do, for as long as {@code kumihimo.soak.seconds} says, against an echo server with a
 * connection limit: and in the end there is nothing that was not there in the beginning. Each client has its own random
 * numbers, all from one seed, {@code kumihimo.soak.seed}, which is printed.
 */
class TcpServerSoakTest {
    private static final int CLIENTS = 64;
    private static final int PLACES = 48; // so that some wait in the backlog
    private static final int LONGEST_FRAME = 20_000;

    /** A frame that has begun must be complete by then: longer than a slow client takes, which is no fault. */
    private static final Duration FRAME = Duration.ofSeconds(60);

    private static final Duration HANG = Duration.ofSeconds(60);

    /** What a client does with one connection. */
    private enum Kind {
        /** Frames there and back. */
        ORDERLY,
        /** Ends its output, and reads all answers after that. */
        HALF_CLOSE,
        /** Sends bytes one by one, with pauses. */
        SLOW,
        /** Is cancelled while it waits for an answer, again and again, and loses nothing. */
        IMPATIENT,
        /** Is a task that is aborted, wherever it is. */
        ABORTED,
        /** Closes in the middle of a frame, with a reset. */
        RESET,
        /** Closes in the middle of a frame, and never reads its answers. */
        ABANDON,
        /** Connects, and that was it. */
        NOTHING,
        /** Has the server's handler fail. */
        POISON
    }

    private final long seed = Long.getLong("kumihimo.soak.seed", System.nanoTime());
    private final Map<Kind, AtomicLong> done = new EnumMap<>(Kind.class);
    private final AtomicReference<Throwable> failed = new AtomicReference<>();
    private final AtomicLong poisoned = new AtomicLong();
    private final Queue<Throwable> unexpected = new ConcurrentLinkedQueue<>();

    @Test
    @Timeout(value = 15, unit = TimeUnit.MINUTES)
    void faultsOfClients_leaveNothingBehind() throws Exception {
        Duration time = Duration.ofSeconds(Long.getLong("kumihimo.soak.seconds", 20));
        System.out.println("soak of " + time + " with -Dkumihimo.soak.seed=" + seed);
        for (Kind kind : Kind.values()) {
            done.put(kind, new AtomicLong());
        }
        try (Serving serving = Serving.start(
                        server -> server.maxConnections(PLACES).onError(this::failed), server -> this::echoFrames);
                TaskRuntime clients = Loopback.runtime(2)) {
            int tasks = serving.runtime().liveTasks();
            OpenSockets sockets = OpenSockets.now();
            Deadline end = Deadline.in(time);
            List<JoinHandle<?>> running = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                SplittableRandom random = new SplittableRandom(seed + i);
                running.add(clients.spawn(() -> client(serving, random, end)));
            }
            for (JoinHandle<?> client : running) {
                client.join(time.plus(HANG).plus(HANG));
            }
            serving.untilConnections(0);
            await().atMost(HANG).until(() -> serving.runtime().liveTasks() == tasks);
            assertThat(clients.liveTasks()).as("tasks of clients").isZero();
            await().atMost(HANG).until(() -> sockets.opened() == 0);
            assertThat(failed).as("client").hasValue(null);
            assertThat(unexpected).as("failures of handlers").isEmpty();
            assertThat(poisoned).hasValue(done.get(Kind.POISON).get());
            assertThat(done)
                    .allSatisfy(
                            (kind, count) -> assertThat(count).as("%s", kind).hasPositiveValue());
            serving.server().stop();
            TcpServer.Report report = serving.task().join(HANG);
            assertThat(report.aborted()).isEmpty();
            System.out.println("soak of " + report.accepted() + " connections: " + done);
        }
        assertThat(failed).hasValue(null);
    }

    /* ---------------- The server -------------- */

    private static final class PoisonException extends RuntimeException {
        private static final long serialVersionUID = 1;

        PoisonException() {
            super("planted by a client");
        }
    }

    /** A frame is its length, 4 bytes, and as many more; a negative length is poison. */
    private void echoFrames(TcpStream session) throws IOException, TimeoutException {
        ByteBuffer frame = ByteBuffer.allocate(4 + LONGEST_FRAME);
        while (session.read(frame.clear().limit(4)) >= 0) {
            dev.kumihimo.time.Timeout.call(FRAME, () -> {
                fill(session, frame);
                int length = frame.getInt(0);
                if (length < 0) {
                    throw new PoisonException();
                }
                fill(session, frame.limit(4 + length));
            });
            session.writeAll(frame.flip());
        }
    }

    private static void fill(TcpStream stream, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (stream.read(buffer) < 0) {
                throw new EOFException("in the middle of a frame");
            }
        }
    }

    /** The peers' faults arrive as such, and nothing else does. */
    private void failed(TcpStream session, Throwable e) {
        if (e instanceof PoisonException) {
            poisoned.incrementAndGet();
        } else if (!(e instanceof IOException)) {
            unexpected.add(e);
        }
    }

    /* ---------------- Clients -------------- */

    private void client(Serving serving, SplittableRandom random, Deadline end) {
        Kind[] kinds = Kind.values();
        Kind kind = null;
        try {
            while (!end.isExpired() && failed.get() == null) {
                kind = kinds[random.nextInt(kinds.length)];
                connection(kind, serving, random);
                done.get(kind).incrementAndGet();
            }
        } catch (Throwable e) {
            failed.compareAndSet(null, new AssertionError(kind + ", with seed " + seed, e));
        }
    }

    private static void connection(Kind kind, Serving serving, SplittableRandom random) throws Exception {
        if (kind == Kind.RESET) {
            reset(serving, random);
            return;
        }
        try (TcpStream stream = TcpStream.connect(serving.listener().localAddress())) {
            switch (kind) {
                case ORDERLY -> frames(stream, random, 1 + random.nextInt(20));
                case HALF_CLOSE -> halfClose(stream, random);
                case SLOW -> slow(stream, random);
                case IMPATIENT -> impatient(stream, random);
                case ABORTED -> aborted(stream, random);
                case ABANDON -> {
                    stream.writeAll(frame(random));
                    stream.writeAll(part(random, frame(random)));
                }
                case POISON -> {
                    stream.writeAll(ByteBuffer.allocate(4).putInt(0, -1));
                    expectEnd(stream);
                }
                case NOTHING, RESET -> {}
            }
        }
    }

    private static ByteBuffer frame(SplittableRandom random) {
        int length = random.nextInt(8) == 0 ? random.nextInt(LONGEST_FRAME) : random.nextInt(100);
        byte[] frame = new byte[4 + length];
        random.nextBytes(frame);
        return ByteBuffer.wrap(frame).putInt(0, length);
    }

    /** The beginning of a frame: not nothing, and not all. */
    private static ByteBuffer part(SplittableRandom random, ByteBuffer frame) {
        return frame.limit(1 + random.nextInt(frame.limit() - 1));
    }

    private static void expect(TcpStream stream, ByteBuffer frame) throws IOException {
        ByteBuffer answer = ByteBuffer.allocate(frame.limit());
        fill(stream, answer);
        assertThat(answer.flip()).isEqualTo(frame.rewind());
    }

    private static void expectEnd(TcpStream stream) throws IOException {
        assertThat(stream.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }

    private static void frames(TcpStream stream, SplittableRandom random, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            ByteBuffer frame = frame(random);
            stream.writeAll(frame);
            expect(stream, frame);
        }
    }

    private static void halfClose(TcpStream stream, SplittableRandom random) throws IOException {
        List<ByteBuffer> sent = new ArrayList<>();
        for (int i = random.nextInt(4);
                i >= 0;
                i--) { // few: the server does not read on while nobody reads its answers
            ByteBuffer frame = frame(random);
            stream.writeAll(frame);
            sent.add(frame);
        }
        stream.shutdownOutput();
        for (ByteBuffer frame : sent) {
            expect(stream, frame);
        }
        expectEnd(stream);
    }

    private static void slow(TcpStream stream, SplittableRandom random) throws Exception {
        byte[] bytes = new byte[4 + random.nextInt(20)];
        random.nextBytes(bytes);
        ByteBuffer frame = ByteBuffer.wrap(bytes).putInt(0, bytes.length - 4);
        for (int i = 0; i < bytes.length; i++) {
            stream.writeAll(frame.slice(i, 1));
            Task.sleep(Duration.ofMillis(random.nextInt(4)));
        }
        expect(stream, frame);
    }

    /** A read that is cancelled has taken nothing: whatever the deadlines cut short, the answer comes whole. */
    private static void impatient(TcpStream stream, SplittableRandom random) throws IOException {
        for (int i = 0; i < 5; i++) {
            ByteBuffer frame = frame(random);
            ByteBuffer answer = ByteBuffer.allocate(frame.limit());
            int sent = 1 + random.nextInt(frame.limit() - 1);
            stream.writeAll(frame.slice(0, sent));
            Duration patience = Duration.ofNanos(random.nextInt(2_000_000));
            try {
                dev.kumihimo.time.Timeout.call(patience, () -> stream.read(answer));
                throw new AssertionError("an answer to a part of a frame");
            } catch (TimeoutException expected) {
                stream.writeAll(frame.slice(sent, frame.limit() - sent));
            }
            while (answer.hasRemaining()) {
                try {
                    dev.kumihimo.time.Timeout.call(
                            Duration.ofNanos(random.nextInt(500_000)), () -> stream.read(answer));
                } catch (TimeoutException e) {
                    Thread.yield(); // tries again
                }
            }
            assertThat(answer.flip()).isEqualTo(frame.rewind());
        }
    }

    private static void aborted(TcpStream stream, SplittableRandom random) throws Exception {
        SplittableRandom its = random.split();
        JoinHandle<?> task = Task.spawn(() -> frames(stream, its, Integer.MAX_VALUE));
        Task.sleep(Duration.ofNanos(random.nextInt(5_000_000)));
        task.abort();
        assertThat(task.result(HANG)).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(stream.isOpen()).isTrue();
    }

    /** A socket of the JDK, which never waits: the system completes the handshake, and has room for one frame. */
    private static void reset(Serving serving, SplittableRandom random) throws IOException {
        try (SocketChannel channel = SocketChannel.open(serving.listener().localAddress())) {
            channel.write(part(random, frame(random)));
            channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        }
    }
}
