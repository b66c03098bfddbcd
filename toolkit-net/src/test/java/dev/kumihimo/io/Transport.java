package dev.kumihimo.io;

import static org.awaitility.Awaitility.await;

import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** What streams run over in tests, and what the tests of streams have in common. */
enum Transport {
    DUPLEX {
        @Override
        DuplexPair open() {
            return ByteStreams.duplex(64);
        }
    },
    TCP {
        @Override
        DuplexPair open() throws IOException {
            try (TcpListener listener = TcpListener.bind("127.0.0.1", 0)) {
                InetSocketAddress address = listener.localAddress();
                ByteStream first = TcpStream.connect(address, Duration.ofSeconds(20));
                return new DuplexPair(first, listener.accept(Duration.ofSeconds(20)));
            }
        }
    };

    /** Opens a connection, in a task. */
    abstract DuplexPair open() throws IOException;

    static TaskRuntime runtime() {
        return TaskRuntime.builder().workerThreads(2).build();
    }

    static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    static String text(ByteBuffer read) {
        return new String(read.array(), 0, read.position(), StandardCharsets.UTF_8);
    }

    /** Reads once, at most so many bytes; null at the end. */
    static String read(ByteSource source, int room) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(room);
        return source.read(buffer) < 0 ? null : text(buffer);
    }

    static String readAll(ByteSource source) throws IOException {
        return new String(source.inputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    /** Waits until a task is in a wait of the toolkit. */
    static void untilWaiting(JoinHandle<?> task) {
        await().pollInterval(Duration.ofMillis(1))
                .atMost(Duration.ofSeconds(30))
                .until(() -> isWaiting(task));
    }

    /** Whether a task is in a wait of the toolkit. */
    static boolean isWaiting(JoinHandle<?> task) {
        return ((Waiter) (Object) task).openWait() != null;
    }
}
