package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.HOST;
import static dev.kumihimo.net.Loopback.refusing;
import static dev.kumihimo.net.Loopback.runtime;
import static dev.kumihimo.net.Loopback.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.internal.driver.Readiness;
import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.net.Loopback.Deaf;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Connecting to one address and to several: who wins, and what is left behind. */
@Timeout(40)
class ConnectorTest {
    private static TcpStream connect(InetSocketAddress... addresses) throws IOException {
        return Connector.connect("several:1", List.of(addresses), Deadlines.NEVER);
    }

    private static TcpStream connect(Duration timeout, InetSocketAddress... addresses) throws IOException {
        return Connector.connect("several:1", List.of(addresses), Deadlines.of(timeout));
    }

    /* ---------------- Order -------------- */

    @Test
    void interleaved_takesTheFamiliesInTurns_eachInItsOrder() throws Exception {
        List<InetSocketAddress> mixed = new ArrayList<>();
        for (String literal : List.of("::1", "::2", "::3", "10.0.0.1", "10.0.0.2")) {
            mixed.add(new InetSocketAddress(InetAddress.getByName(literal), 80));
        }
        assertThat(Connector.interleaved(mixed))
                .containsExactly(mixed.get(0), mixed.get(3), mixed.get(1), mixed.get(4), mixed.get(2));
        Collections.reverse(mixed); // 10.0.0.2, 10.0.0.1, ::3, ::2, ::1
        assertThat(Connector.interleaved(mixed))
                .containsExactly(mixed.get(0), mixed.get(2), mixed.get(1), mixed.get(3), mixed.get(4));
    }

    /* ---------------- Several addresses -------------- */

    /** With the stagger between them this would take a minute. */
    @Test
    void connect_triesTheNextAtOnce_whenOneFails() throws Exception {
        InetSocketAddress refusing = refusing();
        try (TaskRuntime runtime = runtime(1);
                TcpListener listener = TcpListener.bind(HOST, 0)) {
            OpenSockets before = OpenSockets.now();
            List<InetSocketAddress> addresses = new ArrayList<>(Collections.nCopies(240, refusing));
            addresses.add(listener.localAddress());
            try (TcpStream stream = runtime.blockOn(() -> connect(addresses.toArray(new InetSocketAddress[0])))) {
                assertThat(stream.peerAddress()).isEqualTo(listener.localAddress());
            }
            await().until(() -> before.opened() == 0);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void connect_goesRoundAnAddressThatHangs_andLeavesNothingOfIt(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                Deaf deaf = new Deaf(HOST);
                TcpListener listener = TcpListener.bind(HOST, 0)) {
            OpenSockets before = OpenSockets.now();
            long start = System.nanoTime();
            TcpStream stream = runtime.blockOn(() -> connect(deaf.address(), listener.localAddress()));
            assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(Connector.STAGGER_NANOS);
            assertThat(stream.peerAddress()).isEqualTo(listener.localAddress());
            await().until(() -> before.opened() == 1);
            stream.close();
            await().until(() -> before.opened() == 0);
        }
    }

    @Test
    void connect_servesPlatformThreads() throws Exception {
        try (Deaf deaf = new Deaf(HOST);
                TcpListener listener = TcpListener.bind(HOST, 0);
                TcpStream stream = connect(deaf.address(), refusing(), listener.localAddress())) {
            assertThat(stream.peerAddress()).isEqualTo(listener.localAddress());
        }
    }

    @Test
    void connect_letsTheFirstWin_alsoAfterTheSecondHasStarted() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Deaf first = new Deaf(HOST);
                Deaf second = new Deaf(HOST)) {
            OpenSockets before = OpenSockets.now();
            JoinHandle<TcpStream> connecting = runtime.spawn(() -> connect(first.address(), second.address()));
            await().until(() -> before.opened() == 2);
            first.listen(); // heard when the system asks again, a second or more later
            try (TcpStream stream = connecting.join()) {
                assertThat(stream.peerAddress()).isEqualTo(first.address());
                await().until(() -> before.opened() == 1);
            }
        }
    }

    @Test
    void connect_namesAllAddresses_whenAllRefuse() throws Exception {
        InetSocketAddress first = refusing();
        InetSocketAddress second = refusing();
        try (TaskRuntime runtime = runtime(1)) {
            OpenSockets before = OpenSockets.now();
            assertThatThrownBy(() -> runtime.blockOn(() -> connect(first, second)))
                    .isInstanceOf(ConnectException.class)
                    .hasMessageContaining("several:1")
                    .hasMessageContaining("127.0.0.1:" + first.getPort())
                    .hasMessageContaining("127.0.0.1:" + second.getPort())
                    .hasMessageContaining("refused")
                    .satisfies(e -> assertThat(e.getSuppressed())
                            .hasSize(2)
                            .allSatisfy(each -> assertThat(each).isInstanceOf(ConnectException.class)));
            await().until(() -> before.opened() == 0);
        }
    }

    @Test
    void connect_closesAllAttempts_whenTheDeadlinePasses() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Deaf first = new Deaf(HOST);
                Deaf second = new Deaf(HOST)) {
            OpenSockets before = OpenSockets.now();
            assertThatThrownBy(() ->
                            runtime.blockOn(() -> connect(Duration.ofSeconds(1), first.address(), second.address())))
                    .isInstanceOf(SocketTimeoutException.class)
                    .hasMessageContaining("several:1")
                    .hasMessageContaining("127.0.0.1:" + first.address().getPort());
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
            await().until(() -> before.opened() == 0);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void connect_closesAllAttempts_whenItIsCancelled(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                Deaf first = new Deaf(HOST);
                Deaf second = new Deaf(HOST)) {
            OpenSockets before = OpenSockets.now();
            JoinHandle<TcpStream> connecting = runtime.spawn(() -> connect(first.address(), second.address()));
            await().until(() -> before.opened() == 2);
            untilWaiting(connecting);
            connecting.abort();
            assertThat(connecting.result()).isInstanceOf(JoinResult.Cancelled.class);
            await().until(() -> before.opened() == 0);
        }
    }

    @Test
    void connect_closesAllAttempts_whenTheThreadIsInterrupted() throws Exception {
        try (Deaf first = new Deaf(HOST);
                Deaf second = new Deaf(HOST)) {
            OpenSockets before = OpenSockets.now();
            Throwable[] thrown = new Throwable[1];
            boolean[] flag = new boolean[1];
            Thread thread = new Thread(() -> {
                try {
                    connect(first.address(), second.address()).close();
                } catch (IOException e) {
                    thrown[0] = e;
                    flag[0] = Thread.currentThread().isInterrupted();
                }
            });
            thread.start();
            await().until(() -> before.opened() == 2);
            thread.interrupt();
            thread.join();
            assertThat(thrown[0]).isExactlyInstanceOf(InterruptedIOException.class);
            assertThat(flag[0]).isTrue();
            await().until(() -> before.opened() == 0);
        }
    }

    @Test
    void connect_obeysTheTimeoutAroundIt() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Deaf first = new Deaf(HOST);
                Deaf second = new Deaf(HOST)) {
            OpenSockets before = OpenSockets.now();
            assertThatThrownBy(() -> runtime.blockOn(() -> dev.kumihimo.time.Timeout.call(
                            Duration.ofMillis(500), () -> connect(first.address(), second.address()))))
                    .isInstanceOf(TimeoutException.class);
            await().until(() -> before.opened() == 0);
        }
    }

    @Test
    void connect_startsNoTask() throws Exception {
        AtomicInteger tasks = new AtomicInteger();
        try (TaskRuntime runtime = TaskRuntime.builder()
                        .workerThreads(1)
                        .onTaskStart(task -> tasks.incrementAndGet())
                        .build();
                TcpListener listener = TcpListener.bind(HOST, 0)) {
            InetSocketAddress refusing = refusing();
            runtime.blockOn(() -> {
                connect(listener.localAddress()).close();
                connect(refusing, listener.localAddress()).close();
                assertThat(runtime.liveTasks())
                        .as("with those that are yet to start")
                        .isEqualTo(1);
            });
        }
        assertThat(tasks).as("the one that connects").hasValue(1);
    }

    @Test
    void connect_takesAListOfAddresses() throws Exception {
        InetSocketAddress first = refusing();
        InetSocketAddress second = refusing();
        try (TaskRuntime runtime = runtime(1);
                TcpListener listener = TcpListener.bind(HOST, 0);
                Deaf deaf = new Deaf(HOST)) {
            runtime.blockOn(() -> {
                TcpStream.connect(List.of(first, listener.localAddress())).close();
                TcpStream.connect(List.of(first, listener.localAddress()), Duration.ofSeconds(20))
                        .close();
            });
            assertThatThrownBy(() -> runtime.blockOn(() -> TcpStream.connect(List.of(first, second))))
                    .isInstanceOf(ConnectException.class)
                    .hasMessageContaining(
                            "127.0.0.1:" + first.getPort() + " or 127.0.0.1:" + second.getPort() + ", none of 2");
            assertThatThrownBy(() -> runtime.blockOn(
                            () -> TcpStream.connect(List.of(deaf.address(), deaf.address()), Duration.ofMillis(50))))
                    .isInstanceOf(SocketTimeoutException.class)
                    .hasMessageContaining("127.0.0.1:" + deaf.address().getPort());
        }
        assertThatThrownBy(() -> TcpStream.connect(List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("addresses=[] must be at least one");
        assertThatThrownBy(() -> TcpStream.connect(List.of(InetSocketAddress.createUnresolved("some-name", 1))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("some-name");
    }

    /* ---------------- From names -------------- */

    @Test
    void connect_triesAllAddressesOfAName() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TcpListener listener = TcpListener.bind("127.0.0.1", 0)) {
            int port = listener.localAddress().getPort();
            NameLookup two = new NameLookup(host -> new InetAddress[] {
                InetAddress.getByAddress(host, new byte[] {127, 0, 0, 9}), InetAddress.getByName("127.0.0.1")
            });
            runtime.blockOn(() -> {
                try (TcpStream stream = TcpStream.connectBefore(two, "two.invalid", port, Deadlines.NEVER)) {
                    assertThat(stream.peerAddress().getAddress().getHostAddress())
                            .isEqualTo("127.0.0.1");
                }
            });
            int none = refusing().getPort();
            assertThatThrownBy(() ->
                            runtime.blockOn(() -> TcpStream.connectBefore(two, "two.invalid", none, Deadlines.NEVER)))
                    .isInstanceOf(ConnectException.class)
                    .hasMessageContaining("two.invalid:" + none)
                    .hasMessageContaining("127.0.0.9:" + none)
                    .hasMessageContaining("127.0.0.1:" + none);
        }
    }

    /* ---------------- One address -------------- */

    @Test
    void connect_endsWithItsDeadline_whenTheBacklogIsFull() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Deaf deaf = new Deaf(HOST)) {
            OpenSockets before = OpenSockets.now();
            assertThatThrownBy(() -> runtime.blockOn(() -> TcpStream.connect(deaf.address(), Duration.ofMillis(200))))
                    .isInstanceOf(SocketTimeoutException.class)
                    .hasMessageContaining("127.0.0.1:" + deaf.address().getPort());
            assertThatThrownBy(() -> runtime.blockOn(() -> TcpStream.connect(deaf.address(), Duration.ZERO)))
                    .isInstanceOf(SocketTimeoutException.class);
            assertThatThrownBy(() -> runtime.blockOn(
                            () -> TcpStream.connect(HOST, deaf.address().getPort(), Duration.ofMillis(100))))
                    .isInstanceOf(SocketTimeoutException.class);
            await().until(() -> before.opened() == 0);
        }
    }

    @Test
    void connect_endsWithItsTask_whenTheBacklogIsFull() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Deaf deaf = new Deaf(HOST)) {
            OpenSockets before = OpenSockets.now();
            JoinHandle<TcpStream> connecting = runtime.spawn(() -> TcpStream.connect(deaf.address()));
            untilWaiting(connecting);
            connecting.abort();
            assertThatThrownBy(() -> connecting.join()).isInstanceOf(TaskCancelledException.class);
            await().until(() -> before.opened() == 0);
        }
    }

    @Test
    void connect_isHeard_onceThereIsRoomInTheBacklog() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Deaf deaf = new Deaf(HOST)) {
            JoinHandle<TcpStream> connecting = runtime.spawn(() -> TcpStream.connect(deaf.address()));
            untilWaiting(connecting);
            deaf.listen();
            try (TcpStream stream = connecting.join()) {
                assertThat(stream.peerAddress()).isEqualTo(deaf.address());
            }
        }
    }

    @Test
    void connect_ends_whenTheRuntimeIsClosed() throws Exception {
        try (Deaf deaf = new Deaf(HOST)) {
            OpenSockets before = OpenSockets.now();
            TaskRuntime runtime = runtime(1);
            JoinHandle<TcpStream> connecting = runtime.spawn(() -> TcpStream.connect(deaf.address()));
            untilWaiting(connecting);
            runtime.close();
            assertThatThrownBy(() -> connecting.join())
                    .isInstanceOfAny(TaskCancelledException.class, ExecutionException.class);
            await().until(() -> before.opened() == 0);
        }
    }

    /* ---------------- What stays armed -------------- */

    /** A select that arms the key when its event has just been taken: a connected channel would end every selection. */
    @Test
    void stream_isNotArmedForItsHandshake_whenThatWasArmedAgainAfterItsEvent() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Deaf deaf = new Deaf(HOST)) {
            TcpStream stream = runtime.blockOn(() -> {
                Connector.Attempt attempt = new Connector.Attempt(SocketChannel.open(), deaf.address());
                assertThat(attempt.start()).isFalse();
                Readiness readiness = attempt.handshake().readiness();
                readiness.arm(SelectionKey.OP_CONNECT);
                deaf.listen();
                await().until(() ->
                        readiness.isReady(SelectionKey.OP_CONNECT) && !readiness.isArmed(SelectionKey.OP_CONNECT));
                readiness.arm(SelectionKey.OP_CONNECT);
                assertThat(attempt.finish()).isTrue();
                return attempt.stream();
            });
            try (stream) {
                assertThat(stream.readiness().isArmed(SelectionKey.OP_CONNECT)).isFalse();
            }
        }
    }

    @Test
    void stream_isNotArmedForItsHandshake_onceItHasWaitedForRoom() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TcpListener listener = TcpListener.bind(HOST, 0);
                TcpStream stream = runtime.blockOn(() -> TcpStream.connect(listener.localAddress()))) {
            Readiness readiness = stream.readiness();
            assertThat(readiness.isArmed(SelectionKey.OP_CONNECT)).isFalse();
            readiness.arm(SelectionKey.OP_CONNECT);
            readiness.arm(SelectionKey.OP_WRITE);
            await().until(() -> readiness.isReady(SelectionKey.OP_WRITE) && !readiness.isArmed(SelectionKey.OP_WRITE));
            assertThat(readiness.isArmed(SelectionKey.OP_CONNECT)).isFalse();
        }
    }
}
