package dev.kumihimo.test.net;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.net.StreamListener;
import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.test.Rng;
import dev.kumihimo.test.TestRuntime;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What the tests of parity run on: they are the same for all, and so is what they expect. */
enum Network {
    /** Real sockets, in real time. */
    LOOPBACK(20_000_000) {
        @Override
        void run(Scene scene) throws Exception {
            inRealTime(new OfTcp(this), scene);
        }
    },
    /** Sockets in memory, in virtual time and an order that a seed determines. */
    SIMULATED(200_000) {
        @Override
        void run(Scene scene) throws Exception {
            try (TestRuntime test = TestRuntime.seeded(42)) {
                test.run(() -> play(new OfSimNet(this), scene));
            }
        }
    },
    /** The same with a network that takes its time, and gives what it has piece by piece. */
    SIMULATED_SLOW(200_000) {
        @Override
        void run(Scene scene) throws Exception {
            try (TestRuntime test = TestRuntime.seeded(7)) {
                OfSimNet sockets = new OfSimNet(this);
                sockets.net
                        .all()
                        .latencyExponential(Duration.ofMillis(2))
                        .loss(0.05)
                        .fragments(5_000)
                        .shortWrites(3_000);
                test.run(() -> play(sockets, scene));
            }
        }
    },
    /** Sockets in memory, in real time, on several carriers. */
    SIMULATED_IN_REAL_TIME(200_000) {
        @Override
        void run(Scene scene) throws Exception {
            OfSimNet sockets = new OfSimNet(this);
            sockets.net.all().latency(Duration.ofMillis(1));
            inRealTime(sockets, scene);
        }
    };

    /** A test. */
    interface Scene {
        void play(Sockets sockets) throws Exception;
    }

    /** More bytes than are taken while nobody reads. */
    final int bulk;

    Network(int bulk) {
        this.bulk = bulk;
    }

    /** Runs a test as a task, and closes all that it has opened. */
    abstract void run(Scene scene) throws Exception;

    private static void inRealTime(Sockets sockets, Scene scene) throws Exception {
        try (TaskRuntime runtime = TaskRuntime.builder().workerThreads(2).build()) {
            runtime.blockOn(() -> play(sockets, scene));
        }
    }

    private static void play(Sockets sockets, Scene scene) throws Exception {
        try (sockets) {
            scene.play(sockets);
        }
    }

    /** Two ends of a connection. */
    record Pair(ByteStream client, ByteStream server) {}

    /** What makes sockets. */
    abstract static class Sockets implements AutoCloseable {
        final Network network;
        private final List<AutoCloseable> opened = new ArrayList<>();

        Sockets(Network network) {
            this.network = network;
        }

        final <C extends AutoCloseable> C opened(C closeable) {
            synchronized (opened) {
                opened.add(closeable);
            }
            return closeable;
        }

        StreamListener<? extends ByteStream> listen() throws IOException {
            return opened(bind());
        }

        ByteStream connect(StreamListener<? extends ByteStream> listener) throws IOException {
            return opened(connectTo(listener));
        }

        ByteStream accept(StreamListener<? extends ByteStream> listener) throws IOException {
            return opened(listener.accept(Duration.ofSeconds(20)));
        }

        Pair pair() throws IOException {
            StreamListener<? extends ByteStream> listener = listen();
            ByteStream client = connect(listener);
            return new Pair(client, accept(listener));
        }

        abstract StreamListener<? extends ByteStream> bind() throws IOException;

        abstract ByteStream connectTo(StreamListener<? extends ByteStream> listener) throws IOException;

        abstract void reset(ByteStream stream) throws IOException;

        /** What others call this end. */
        abstract String nameOf(ByteStream stream);

        @Override
        public void close() throws Exception {
            for (AutoCloseable each : opened) {
                each.close();
            }
        }
    }

    private static final class OfTcp extends Sockets {
        OfTcp(Network network) {
            super(network);
        }

        @Override
        StreamListener<TcpStream> bind() throws IOException {
            return TcpListener.bind("127.0.0.1", 0);
        }

        @Override
        ByteStream connectTo(StreamListener<? extends ByteStream> listener) throws IOException {
            return TcpStream.connect(((TcpListener) listener).localAddress());
        }

        @Override
        void reset(ByteStream stream) throws IOException {
            ((TcpStream) stream).closeWithReset();
        }

        @Override
        String nameOf(ByteStream stream) {
            return "127.0.0.1:" + ((TcpStream) stream).localAddress().getPort();
        }
    }

    static final class OfSimNet extends Sockets {
        final SimNet net = SimNet.of(Rng.of(7));

        OfSimNet(Network network) {
            super(network);
        }

        @Override
        StreamListener<SimStream> bind() throws IOException {
            return net.listen("server", 0);
        }

        @Override
        ByteStream connectTo(StreamListener<? extends ByteStream> listener) throws IOException {
            return net.connect("client", "server", ((SimListener) listener).port());
        }

        @Override
        void reset(ByteStream stream) {
            ((SimStream) stream).closeWithReset();
        }

        @Override
        String nameOf(ByteStream stream) {
            return "client:" + ((SimStream) stream).localAddress().getPort();
        }

        @Override
        public void close() throws Exception {
            super.close();
            if (!net.open().isEmpty()) {
                throw new AssertionError("left open: " + net.open());
            }
        }
    }

    /* ---------------- What tests have in common -------------- */

    static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(US_ASCII));
    }

    static void send(ByteStream stream, String text) throws IOException {
        stream.writeAll(bytes(text));
    }

    /** Reads exactly so many characters, or fewer at the end. */
    static String receive(ByteStream stream, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length);
        while (buffer.hasRemaining() && stream.read(buffer, Duration.ofSeconds(20)) >= 0) {
            // more
        }
        return new String(buffer.array(), 0, buffer.position(), US_ASCII);
    }

    /** Bytes of which each tells its place. */
    static byte[] pattern(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 31 + (i >> 8));
        }
        return bytes;
    }

    /** Waits until a task is in a wait of the toolkit. */
    static void untilWaiting(JoinHandle<?> task) throws InterruptedException {
        Waiter waiter = (Waiter) (Object) task;
        while (waiter.openWait() == null) {
            if (task.isDone()) {
                throw new AssertionError("has ended: " + task.tryResult());
            }
            Task.sleep(Duration.ofMillis(1));
        }
    }

    /** Writes until nothing is taken any more, nor a moment later; returns how many bytes. */
    static long fill(ByteStream stream) throws Exception {
        ByteBuffer block = ByteBuffer.allocate(10_000);
        long written = 0;
        for (int idle = 0; idle < 50; ) {
            int count = stream.tryWrite(block.clear());
            written += count;
            if (count == 0) {
                idle++;
                Task.sleep(Duration.ofMillis(1));
            } else {
                idle = 0;
            }
        }
        return written;
    }

    static void echo(ByteStream stream) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(2048);
        while (stream.read(buffer) >= 0) {
            stream.writeAll(buffer.flip());
            buffer.clear();
        }
    }
}
