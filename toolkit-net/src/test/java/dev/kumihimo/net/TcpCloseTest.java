package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.HOST;
import static dev.kumihimo.net.Loopback.bytes;
import static dev.kumihimo.net.Loopback.read;
import static dev.kumihimo.net.Loopback.runtime;
import static dev.kumihimo.net.Loopback.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.net.Loopback.Pair;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ends: closing, resets, the end of the runtime; and what sockets cost that nobody reads. */
@Timeout(60)
class TcpCloseTest {
    /* ---------------- Closing -------------- */

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void close_endsTheWaitsOfOthers(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                TcpListener listener = TcpListener.bind(HOST, 0);
                Pair pair = Pair.open(listener)) {
            TcpStream stream = pair.stream();
            List<JoinHandle<?>> waiting = new ArrayList<>();
            waiting.add(runtime.spawn(() -> read(stream, 10)));
            waiting.add(runtime.spawn(() -> read(stream, 10))); // waits for its turn
            waiting.add(runtime.spawn(() -> stream.read(ByteBuffer.allocate(10), Duration.ofMinutes(1))));
            waiting.add(runtime.spawn(() -> listener.accept()));
            waiting.add(runtime.spawn(() -> listener.accept()));
            JoinHandle<Void> writer = runtime.spawn(() -> stream.writeAll(ByteBuffer.allocate(20_000_000)));
            waiting.forEach(Loopback::untilWaiting);
            untilWaiting(writer);
            runtime.blockOn(() -> {
                stream.close();
                stream.close();
                listener.close();
            });
            for (JoinHandle<?> waiter : waiting) {
                assertThatThrownBy(() -> waiter.join(Duration.ofSeconds(10)))
                        .hasCauseInstanceOf(AsynchronousCloseException.class);
            }
            assertThatThrownBy(() -> writer.join(Duration.ofSeconds(10)))
                    .hasCauseInstanceOf(ClosedChannelException.class); // the system may just have had room again
        }
    }

    @Test
    void operations_throwClosedChannel_afterClose() throws Exception {
        Pair pair = Pair.open();
        pair.close();
        TcpStream stream = pair.stream();
        assertThatThrownBy(() -> stream.read(ByteBuffer.allocate(1))).isExactlyInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> stream.read(ByteBuffer.allocate(1), Duration.ZERO))
                .isExactlyInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> stream.writeAll(ByteBuffer.allocate(1)))
                .isExactlyInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> stream.write(ByteBuffer.allocate(1)))
                .isExactlyInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(stream::shutdownOutput).isExactlyInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> stream.noDelay(true)).isExactlyInstanceOf(ClosedChannelException.class);
        assertThatThrownBy(() -> stream.inputStream().read()).isExactlyInstanceOf(ClosedChannelException.class);
        assertThat(stream.localAddress().getPort()).isPositive();
        TcpListener listener = TcpListener.bind(HOST, 0);
        listener.close();
        assertThatThrownBy(listener::accept).isExactlyInstanceOf(ClosedChannelException.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void close_givesTheDescriptorBack_whileTheDriverSleeps(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers)) {
            OpenSockets before = OpenSockets.now();
            List<Pair> pairs = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                pairs.add(runtime.blockOn(() -> Pair.open()));
            }
            assertThat(before.opened()).isGreaterThanOrEqualTo(20);
            for (Pair pair : pairs) {
                pair.peer().close();
                pair.stream().close(); // from a platform thread, with no carrier running
            }
            await().until(() -> before.opened() == 0);
            runtime.blockOn(() -> {
                for (int i = 0; i < 10; i++) {
                    Pair.open().close(); // from a task
                }
            });
            await().until(() -> before.opened() == 0);
        }
    }

    @Test
    void close_givesTheDescriptorBack_whileAReaderWaits() throws Exception {
        try (TaskRuntime runtime = runtime(1)) {
            OpenSockets before = OpenSockets.now();
            Pair pair = runtime.blockOn(() -> Pair.open());
            JoinHandle<String> reader = runtime.spawn(() -> read(pair.stream(), 10));
            untilWaiting(reader);
            pair.stream().close();
            assertThat(pair.peer().getInputStream().read()).isEqualTo(-1);
            pair.peer().close();
            reader.result();
            await().until(() -> before.opened() == 0);
        }
    }

    /* ---------------- Errors of the connection -------------- */

    @Test
    void read_namesBothAddresses_whenThePeerResets() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            JoinHandle<String> reader = runtime.spawn(() -> read(pair.stream(), 10));
            untilWaiting(reader);
            String peer = "127.0.0.1:" + pair.peer().getLocalPort();
            String local = "127.0.0.1:" + pair.peer().getPort();
            pair.peer().setSoLinger(true, 0);
            pair.peer().close();
            assertThatThrownBy(() -> reader.join(Duration.ofSeconds(10)))
                    .cause()
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining(peer)
                    .hasMessageContaining(local)
                    .hasMessageContaining("reset");
            assertThatThrownBy(() -> runtime.blockOn(() -> {
                        while (true) {
                            pair.stream().writeAll(ByteBuffer.allocate(1000));
                        }
                    }))
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining(peer)
                    .hasMessageContaining(local);
            pair.stream().shutdownOutput(); // the system's ENOTCONN is no news
        }
    }

    @Test
    void write_fails_whenThePeerResetsWhileItWaits() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open()) {
            JoinHandle<Void> writer = runtime.spawn(() -> pair.stream().writeAll(ByteBuffer.allocate(20_000_000)));
            untilWaiting(writer);
            pair.peer().setSoLinger(true, 0);
            pair.peer().close();
            assertThatThrownBy(() -> writer.join(Duration.ofSeconds(10)))
                    .cause()
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining(pair.stream().toString());
        }
    }

    /* ---------------- The end of the runtime -------------- */

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void operations_fail_onceTheRuntimeIsClosed(int carriers) throws Exception {
        OpenSockets before = OpenSockets.now();
        TaskRuntime runtime = runtime(carriers);
        TcpListener listener = runtime.blockOn(() -> TcpListener.bind(HOST, 0));
        Pair pair = runtime.blockOn(() -> Pair.open(listener));
        FutureTask<String> reader = new FutureTask<>(() -> read(pair.stream(), 10));
        Thread thread = Thread.ofPlatform().start(reader);
        await().until(() -> thread.getState() == Thread.State.WAITING);
        runtime.close();
        assertThatThrownBy(() -> reader.get(10, TimeUnit.SECONDS))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(IOException.class)
                .hasMessageContaining("shut down");
        thread.join();
        pair.send("late");
        for (ThrowingCallable later : List.<ThrowingCallable>of(
                () -> read(pair.stream(), 10),
                () -> pair.stream().writeAll(ByteBuffer.wrap(bytes("x"))),
                listener::accept)) {
            assertThatThrownBy(later).isInstanceOf(IOException.class).hasMessageContaining("shut down");
        }
        pair.close();
        listener.close();
        await().until(() -> before.opened() == 0);
    }

    @Test
    void close_ofTheRuntimeClosesSessions_thatTheirTasksClose() throws Exception {
        OpenSockets before = OpenSockets.now();
        try (TaskRuntime runtime = runtime(1)) {
            TcpListener listener = runtime.blockOn(() -> TcpListener.bind(HOST, 0));
            JoinHandle<Void> server = runtime.spawn(() -> {
                try (listener) {
                    while (true) {
                        TcpStream session = listener.accept();
                        Task.spawn(() -> {
                            try (session) {
                                session.outputStream().write('a');
                                read(session, 10);
                            }
                        });
                    }
                }
            });
            try (Socket peer = new Socket(HOST, listener.localAddress().getPort())) {
                assertThat(peer.getInputStream().read()).isEqualTo('a');
                untilWaiting(server);
                runtime.close();
                assertThat(peer.getInputStream().read()).isEqualTo(-1);
            }
            assertThat(listener.isOpen()).isFalse();
        }
        await().until(() -> before.opened() == 0);
    }

    /* ---------------- Idle sockets -------------- */

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void unreadData_costsNoProcessorTime(int carriers) throws Exception {
        String name = "unread-" + carriers;
        try (TaskRuntime runtime =
                TaskRuntime.builder().workerThreads(carriers).threadName(name).build()) {
            List<Pair> pairs = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                Pair pair = runtime.blockOn(() -> Pair.open());
                pairs.add(pair);
                JoinHandle<String> reader = runtime.spawn(() -> read(pair.stream(), 1));
                untilWaiting(reader);
                pair.send("ab"); // one byte is read, the key is armed, one byte stays
                assertThat(reader.join()).isEqualTo("a");
                runtime.blockOn(() -> pair.stream().writeAll(ByteBuffer.wrap(bytes("z"))));
                if (i % 2 == 0) {
                    pair.send("cd");
                }
                if (i % 5 == 0) {
                    pair.peer().close(); // an end that nobody reads
                }
            }
            try (TcpListener listener = runtime.blockOn(() -> TcpListener.bind(HOST, 0));
                    TcpStream connected = runtime.blockOn(() -> TcpStream.connect(listener.localAddress()))) {
                assertThat(connected.isOpen()).isTrue(); // and a connection that nobody accepts
                long[] spent = new long[1];
                await().atMost(Duration.ofSeconds(20))
                        .until(
                                () -> { // once the carriers have come to rest
                                    long start = cpuNanos(name);
                                    await().during(Duration.ofMillis(400))
                                            .atMost(Duration.ofSeconds(20))
                                            .until(() -> true);
                                    spent[0] = cpuNanos(name) - start;
                                    return spent[0] < 20_000_000;
                                });
                assertThat(spent[0]).isLessThan(20_000_000);
            }
            for (Pair pair : pairs) {
                assertThat(runtime.<String, IOException>blockOn(() -> read(pair.stream(), 1)))
                        .isEqualTo("b"); // and it is still there
                pair.close();
            }
        }
    }

    private static long cpuNanos(String threadName) {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long sum = 0;
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().startsWith(threadName)) {
                sum += Math.max(0, threads.getThreadCpuTime(thread.threadId()));
            }
        }
        return sum;
    }
}
