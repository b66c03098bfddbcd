package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.HOST;
import static dev.kumihimo.net.Loopback.bytes;
import static dev.kumihimo.net.Loopback.runtime;
import static dev.kumihimo.net.Loopback.text;
import static dev.kumihimo.net.Loopback.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.time.Timeout;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What ends a wait for a datagram: interrupts, cancellation, time, closing, the end of the runtime; turns and selects. */
@org.junit.jupiter.api.Timeout(value = 60, threadMode = ThreadMode.SAME_THREAD)
class UdpWaitsTest {
    private static final Duration SHORT = Duration.ofMillis(20);
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final int READ = SelectionKey.OP_READ;

    /** Two sockets of a runtime, each of which has the other as its peer. */
    private record Pair(UdpSocket here, UdpSocket there) implements AutoCloseable {
        static Pair open(TaskRuntime runtime) throws Exception {
            return runtime.blockOn(() -> {
                UdpSocket here = UdpSocket.bind(HOST, 0);
                UdpSocket there = UdpSocket.bind(HOST, 0);
                here.connect(there.localAddress());
                there.connect(here.localAddress());
                return new Pair(here, there);
            });
        }

        void send(String text) throws IOException {
            there.send(ByteBuffer.wrap(bytes(text)));
        }

        @Override
        public void close() throws IOException {
            here.close();
            there.close();
        }
    }

    private static String receive(UdpSocket socket) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(100);
        socket.receive(buffer);
        return text(buffer);
    }

    private static String peek(UdpSocket socket) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(100);
        socket.peek(buffer);
        return text(buffer);
    }

    /* ---------------- Interruption, cancellation, time -------------- */

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void receive_takesNothing_whenItIsInterrupted(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = Pair.open(runtime)) {
            for (boolean peeks : new boolean[] {false, true}) {
                CountDownLatch ended = new CountDownLatch(1);
                FutureTask<String> receiving = new FutureTask<>(() -> {
                    assertThatThrownBy(() -> {
                                if (peeks) {
                                    peek(pair.here);
                                } else {
                                    receive(pair.here);
                                }
                            })
                            .isExactlyInstanceOf(InterruptedIOException.class);
                    assertThat(Thread.interrupted()).isTrue();
                    ended.countDown();
                    return receive(pair.here);
                });
                Thread thread = Thread.ofPlatform().start(receiving);
                await().until(() -> pair.here.readiness().waiting(READ) == 1);
                thread.interrupt();
                assertThat(ended.await(20, TimeUnit.SECONDS)).isTrue();
                pair.send("next");
                assertThat(receiving.get(20, TimeUnit.SECONDS)).isEqualTo("next");
                thread.join();
                assertThat(pair.here.isOpen()).isTrue();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void receive_takesNothing_whenItsTaskIsCancelled(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = Pair.open(runtime)) {
            JoinHandle<String> receiving = runtime.spawn(() -> {
                try {
                    return receive(pair.here);
                } catch (InterruptedIOException e) {
                    assertThat(e).hasCauseInstanceOf(TaskCancelledException.class);
                    assertThat(Thread.currentThread().isInterrupted()).isTrue();
                    throw (InterruptedException) e.getCause();
                }
            });
            JoinHandle<String> behind = runtime.spawn(() -> receive(pair.here));
            untilWaiting(receiving);
            untilWaiting(behind);
            receiving.abort();
            assertThat(receiving.result()).isInstanceOf(JoinResult.Cancelled.class);
            pair.send("for the next");
            assertThat(behind.join(LONG)).isEqualTo("for the next");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void receive_endsInTime_andTakesNothing(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = Pair.open(runtime)) {
            runtime.blockOn(() -> {
                ByteBuffer buffer = ByteBuffer.allocate(10);
                for (Duration time : List.of(SHORT, Duration.ZERO, Duration.ofNanos(-5))) {
                    assertThatThrownBy(() -> pair.here.receive(buffer, time))
                            .isInstanceOf(SocketTimeoutException.class)
                            .hasMessageContaining(pair.here.toString());
                    assertThatThrownBy(() -> pair.here.peek(buffer, time)).isInstanceOf(SocketTimeoutException.class);
                }
                assertThatThrownBy(() -> Timeout.call(SHORT, () -> pair.here.receive(buffer)))
                        .isInstanceOf(TimeoutException.class);
                assertThat(Thread.currentThread().isInterrupted()).isFalse();
                pair.send("late");
                assertThat(readable(LONG, pair.here)).isEqualTo("ready");
                assertThat(pair.here.receive(buffer, Duration.ZERO).length()).isEqualTo(4);
                pair.send("later");
                assertThat(readable(LONG, pair.here)).isEqualTo("ready");
                assertThat(pair.here.peek(buffer.clear(), Duration.ZERO).length())
                        .isEqualTo(5);
                assertThat(pair.here.receive(buffer.clear(), Duration.ZERO).length())
                        .isEqualTo(5);
            });
            JoinHandle<String> first = runtime.spawn(() -> receive(pair.here));
            untilWaiting(first);
            assertThatThrownBy(() -> pair.here.receive(ByteBuffer.allocate(10), SHORT))
                    .as("time in the queue counts")
                    .isInstanceOf(SocketTimeoutException.class);
            assertThat(pair.here.tryReceive(ByteBuffer.allocate(10))).isNull();
            pair.send("first");
            assertThat(first.join(LONG)).isEqualTo("first");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void receive_losesNoDatagram_whenTimeoutsStrikeAllTheTime(int carriers) throws Exception {
        int numbers = 10_000;
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = Pair.open(runtime)) {
            Semaphore room = Semaphore.of(50); // fewer than the system's buffer holds
            JoinHandle<Void> sender = runtime.spawn(() -> {
                Random random = new Random(1);
                for (int i = 0; i < numbers; i++) {
                    room.acquire().forget();
                    pair.there.send(ByteBuffer.allocate(4).putInt(0, i));
                    if (random.nextInt(50) == 0) {
                        dev.kumihimo.runtime.Task.sleep(Duration.ofMillis(1)); // longer than any of the timeouts
                    }
                }
            });
            int timeouts = runtime.blockOn(() -> {
                Random random = new Random(2);
                ByteBuffer buffer = ByteBuffer.allocate(10);
                int ended = 0;
                for (int expected = 0; expected < numbers; ) {
                    Duration time = Duration.ofNanos(random.nextInt(200_000));
                    try {
                        if (random.nextInt(4) == 0) {
                            pair.here.peek(buffer.clear(), time);
                            assertThat(buffer.getInt(0)).isEqualTo(expected);
                        }
                        if (random.nextBoolean()) {
                            Timeout.call(time, () -> pair.here.receive(buffer.clear()));
                        } else {
                            pair.here.receive(buffer.clear(), time);
                        }
                        assertThat(buffer.getInt(0)).isEqualTo(expected++);
                        room.release(1);
                    } catch (TimeoutException | SocketTimeoutException e) {
                        ended++;
                    }
                    assertThat(Thread.currentThread().isInterrupted()).isFalse();
                }
                return ended;
            });
            sender.join();
            assertThat(timeouts).isPositive();
        }
    }

    /* ---------------- Closing -------------- */

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void close_endsTheWaitsOfOthers_andThenAllFails(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers)) {
            Pair pair = Pair.open(runtime);
            UdpSocket socket = pair.here;
            InetSocketAddress local = socket.localAddress();
            List<JoinHandle<?>> waiting = new ArrayList<>();
            waiting.add(runtime.spawn(() -> receive(socket)));
            waiting.add(runtime.spawn(() -> receive(socket))); // waits for its turn
            waiting.add(runtime.spawn(() -> peek(socket)));
            waiting.add(runtime.spawn(() -> socket.receive(ByteBuffer.allocate(10), Duration.ofMinutes(1))));
            waiting.forEach(Loopback::untilWaiting);
            JoinHandle<String> selecting = runtime.spawn(
                    () -> Select.<String>of().onReadable(socket, () -> "ready").await());
            untilWaiting(selecting);
            runtime.blockOn(() -> {
                socket.close();
                socket.close();
            });
            for (JoinHandle<?> waiter : waiting) {
                assertThatThrownBy(() -> waiter.join(LONG)).hasCauseInstanceOf(AsynchronousCloseException.class);
            }
            assertThat(selecting.join(LONG)).isEqualTo("ready");
            ByteBuffer buffer = ByteBuffer.allocate(1);
            for (ThrowingCallable late : List.<ThrowingCallable>of(
                    () -> socket.receive(buffer),
                    () -> socket.receive(buffer, Duration.ZERO),
                    () -> socket.tryReceive(buffer),
                    () -> socket.peek(buffer),
                    () -> socket.tryPeek(buffer),
                    () -> socket.send(buffer),
                    () -> socket.send(buffer, SHORT),
                    () -> socket.trySend(buffer),
                    () -> socket.sendTo(buffer, local),
                    () -> socket.trySendTo(buffer, local),
                    () -> socket.connect(local),
                    socket::disconnect,
                    () -> socket.broadcast(true),
                    socket::broadcast)) {
                assertThatThrownBy(late).isExactlyInstanceOf(ClosedChannelException.class);
            }
            assertThat(socket.localAddress()).isEqualTo(local);
            pair.close();
        }
    }

    /** The port is free when close returns: a socket that takes it at once gets it. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void close_givesPortAndDescriptorBack(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers)) {
            OpenSockets before = OpenSockets.now();
            runtime.blockOn(() -> {
                int port = 0;
                for (int i = 0; i < 200; i++) {
                    try (UdpSocket socket = UdpSocket.bind(HOST, port)) {
                        port = socket.localAddress().getPort();
                    }
                }
            });
            int port = 0;
            for (int i = 0; i < 100; i++) { // and from outside, while a task waits
                int wanted = port;
                UdpSocket socket = runtime.blockOn(() -> UdpSocket.bind(HOST, wanted));
                port = socket.localAddress().getPort();
                JoinHandle<String> receiver = runtime.spawn(() -> receive(socket));
                untilWaiting(receiver);
                socket.close();
                assertThatThrownBy(() -> receiver.join(LONG)).hasCauseInstanceOf(AsynchronousCloseException.class);
            }
            assertThatThrownBy(() -> runtime.blockOn(() -> UdpSocket.bind("192.0.2.1", 0))); // one that fails
            await().atMost(LONG).until(() -> before.opened() == 0);
        }
    }

    @Test
    void operations_fail_onceTheRuntimeIsClosed() throws Exception {
        TaskRuntime runtime = runtime(1);
        try (Pair pair = Pair.open(runtime)) {
            FutureTask<String> receiver = new FutureTask<>(() -> receive(pair.here));
            Thread thread = Thread.ofPlatform().start(receiver);
            await().until(() -> pair.here.readiness().waiting(READ) == 1);
            runtime.close();
            assertThatThrownBy(() -> receiver.get(20, TimeUnit.SECONDS))
                    .cause()
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("shut down");
            thread.join();
            for (ThrowingCallable late : List.<ThrowingCallable>of(
                    () -> receive(pair.here),
                    () -> pair.send("late"),
                    () -> pair.here.tryReceive(ByteBuffer.allocate(1)))) {
                assertThatThrownBy(late).isInstanceOf(IOException.class).hasMessageContaining("shut down");
            }
        }
    }

    /* ---------------- Turns -------------- */

    @Test
    void receive_servesReceiversInTheirOrder_andSkipsACancelledOne() throws Exception {
        try (TaskRuntime runtime = runtime(2);
                Pair pair = Pair.open(runtime)) {
            List<JoinHandle<String>> receivers = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                receivers.add(runtime.spawn(() -> receive(pair.here)));
                untilWaiting(receivers.get(i));
            }
            for (int i : new int[] {0, 2}) {
                receivers.get(i).abort();
                receivers.get(i).result();
            }
            for (String text : List.of("a", "b", "c")) {
                pair.send(text);
            }
            assertThat(receivers.get(1).join(LONG)).isEqualTo("a");
            assertThat(receivers.get(3).join(LONG)).isEqualTo("b");
            assertThat(receivers.get(4).join(LONG)).isEqualTo("c");
        }
    }

    /* ---------------- Selecting -------------- */

    private static String readable(Duration time, UdpSocket socket) throws InterruptedException {
        return Select.<String>of()
                .onReadable(socket, () -> "ready")
                .after(time, () -> "timeout")
                .await();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void select_waitsForADatagramOrAnItem(int carriers) throws Exception {
        Channel<String> items = Channel.bounded(1);
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = Pair.open(runtime)) {
            for (int i = 0; i < 20; i++) {
                Select<String> select =
                        Select.<String>of().onReceive(items, item -> item).onReadable(pair.here, () -> "datagram");
                Loopback.untilAllIsTold(runtime);
                assertThat(pair.here.tryReceive(ByteBuffer.allocate(8))).isNull();
                JoinHandle<String> selecting = runtime.spawn(select::await);
                untilWaiting(selecting);
                if (i % 2 == 0) {
                    pair.send("n" + i);
                    assertThat(selecting.join(LONG)).isEqualTo("datagram");
                    ByteBuffer buffer = ByteBuffer.allocate(10);
                    assertThat(pair.here.tryReceive(buffer)).isNotNull();
                    assertThat(text(buffer)).isEqualTo("n" + i);
                } else {
                    items.send("item");
                    assertThat(selecting.join(LONG)).isEqualTo("item");
                }
                assertThat(pair.here.readiness().waiting(READ)).isZero();
            }
            assertThat(runtime.<String, InterruptedException>blockOn(() -> readable(SHORT, pair.here)))
                    .as("all was received")
                    .isEqualTo("timeout");
            assertThat(Select.<String>of()
                            .on(pair.here.writable(), () -> "room")
                            .otherwise(() -> "full")
                            .await())
                    .isEqualTo("room");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void peekedDatagram_isReadable_untilItIsReceived(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = Pair.open(runtime)) {
            runtime.blockOn(() -> {
                for (int i = 0; i < 50; i++) {
                    pair.send("kept");
                    assertThat(peek(pair.here)).isEqualTo("kept");
                    assertThat(readable(LONG, pair.here)).isEqualTo("ready");
                    assertThat(peek(pair.here)).isEqualTo("kept");
                    assertThat(readable(LONG, pair.here)).isEqualTo("ready");
                    assertThat(receive(pair.here)).isEqualTo("kept");
                    String told = readable(Duration.ofMillis(2), pair.here);
                    if (told.equals("ready")) { // by a look at the system just before it was received; not twice
                        assertThat(pair.here.tryReceive(ByteBuffer.allocate(8))).isNull();
                        told = readable(Duration.ofMillis(2), pair.here);
                    }
                    assertThat(told).isEqualTo("timeout");
                }
            });
        }
    }

    /** Whoever waits is told of a datagram, also if a peek has taken it from the system before the driver saw it. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void select_isWoken_whenAPeekIsQuickerThanTheDriver(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = Pair.open(runtime)) {
            for (int i = 0; i < 300; i++) {
                JoinHandle<String> selecting = runtime.spawn(() -> readable(LONG, pair.here));
                pair.send("x");
                while (pair.here.tryPeek(ByteBuffer.allocate(1)) == null) {
                    Thread.onSpinWait();
                }
                assertThat(selecting.join(LONG)).isEqualTo("ready");
                assertThat(receive(pair.here)).isEqualTo("x");
            }
        }
    }

    @Test
    void failureIsReadable_whenThePortIsUnreachable() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = Pair.open(runtime)) {
            pair.there.close();
            JoinHandle<String> selecting = runtime.spawn(() -> readable(LONG, pair.here));
            untilWaiting(selecting);
            pair.here.send(ByteBuffer.wrap(bytes("anybody?")));
            assertThat(selecting.join(LONG)).isEqualTo("ready");
            assertThatThrownBy(() -> pair.here.tryReceive(ByteBuffer.allocate(1)))
                    .isInstanceOf(java.net.PortUnreachableException.class);
            assertThat(pair.here.tryReceive(ByteBuffer.allocate(1))).isNull();
        }
    }
}
