package dev.kumihimo.net;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;

/** What the tests of sockets have in common. */
final class Loopback {
    static final String HOST = "127.0.0.1";

    private static final Queue<Socket> TAKEN = new ConcurrentLinkedQueue<>();

    private Loopback() {}

    static TaskRuntime runtime(int carriers) {
        return TaskRuntime.builder().workerThreads(carriers).build();
    }

    /** Two ends of one connection: one of ours, made by accept, and one of the JDK's blocking sockets. */
    record Pair(TcpStream stream, Socket peer) implements AutoCloseable {
        static Pair open() throws IOException {
            try (TcpListener listener = TcpListener.bind(HOST, 0)) {
                return open(listener);
            }
        }

        static Pair open(TcpListener listener) throws IOException {
            Socket peer = new Socket();
            InetSocketAddress address = listener.localAddress();
            peer.connect(address, 5_000); // completed by the system, before anybody accepts
            peer.setSoTimeout(10_000);
            return new Pair(listener.accept(Duration.ofSeconds(5)), peer);
        }

        void send(String text) throws IOException {
            peer.getOutputStream().write(bytes(text));
        }

        String receive(int length) throws IOException {
            return new String(peer.getInputStream().readNBytes(length), StandardCharsets.US_ASCII);
        }

        @Override
        public void close() throws IOException {
            peer.close();
            stream.close();
        }
    }

    /**
     * A port where connects hang: its backlog is full, so the system drops what asks for another connection. Linux holds one
     * connection more than the backlog says.
     */
    static final class Deaf implements AutoCloseable {
        private final ServerSocket server;
        private final List<Socket> waiting = new ArrayList<>();

        Deaf(String host) throws IOException {
            server = new ServerSocket();
            server.bind(new InetSocketAddress(host, 0), 1);
            for (int i = 0; i < 2; i++) {
                Socket socket = new Socket();
                waiting.add(socket);
                socket.connect(server.getLocalSocketAddress(), 10_000);
            }
        }

        InetSocketAddress address() {
            return (InetSocketAddress) server.getLocalSocketAddress();
        }

        /** Makes room, so that whoever asks again is heard: the system does within seconds. */
        void listen() throws IOException {
            for (int i = 0; i < 2; i++) {
                server.accept().close();
            }
        }

        @Override
        public void close() throws IOException {
            for (Socket socket : waiting) {
                socket.close();
            }
            server.close();
        }
    }

    /**
     * Writes until the system takes no more, nor a moment later, in which it may still move some to the other side: Linux takes
     * up to 40 ms to acknowledge. Returns how many bytes.
     */
    static long fill(TcpStream stream) throws IOException {
        ByteBuffer block = ByteBuffer.allocate(100_000);
        long written = 0;
        while (true) {
            for (int count = 1; count > 0; written += count) {
                count = stream.tryWrite(block.clear());
            }
            try {
                stream.awaitWritable(Duration.ofMillis(200));
            } catch (SocketTimeoutException e) {
                return written;
            }
        }
    }

    /** {@return an address that refuses: nobody listens there, nor can, since it stays taken} */
    static InetSocketAddress refusing() throws IOException {
        Socket taken = new Socket();
        taken.bind(new InetSocketAddress(HOST, 0));
        TAKEN.add(taken);
        return (InetSocketAddress) taken.getLocalSocketAddress();
    }

    /** Goes on only where this machine has addresses of IPv6, which many a container has not. */
    static void assumeIpv6() {
        assumeTrue(hasIpv6(), "this machine has no IPv6");
    }

    private static boolean hasIpv6() {
        try (ServerSocket any = new ServerSocket()) {
            any.bind(new InetSocketAddress(InetAddress.getByName("::1"), 0));
            return true;
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** Reads once, at most {@code room} bytes; null at the end of the stream. */
    static String read(TcpStream stream, int room) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(room);
        return stream.read(buffer) < 0 ? null : text(buffer);
    }

    static String text(ByteBuffer read) {
        return new String(read.array(), 0, read.position(), StandardCharsets.US_ASCII);
    }

    /** Waits until a task is in a wait of the toolkit. */
    static void untilWaiting(JoinHandle<?> task) {
        Waiter waiter = (Waiter) (Object) task;
        await().pollInterval(Duration.ofMillis(1)).until(() -> waiter.openWait() != null);
    }

    /**
     * Waits until the driver of a runtime has told all that it had found: it may have looked at the system just before something
     * was taken, and tell of it just after. It fires its timers between what it tells and its next look. An old event is dropped
     * by trying once more then.
     */
    static void untilAllIsTold(TaskRuntime runtime) throws InterruptedException {
        CountDownLatch fired = new CountDownLatch(1);
        runtime.blockOn(() -> Waiter.current().timers().arm(0, fired::countDown));
        fired.await();
    }
}
