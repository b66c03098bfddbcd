package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.HOST;
import static dev.kumihimo.net.Loopback.runtime;
import static dev.kumihimo.net.Loopback.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
class TcpListenerTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void accept_givesEachConnectionOnce_toManyAcceptors(int carriers) throws Exception {
        int acceptors = 8;
        int each = 25;
        try (TaskRuntime runtime = runtime(carriers);
                TcpListener listener = TcpListener.bind(HOST, 0)) {
            List<JoinHandle<List<Integer>>> accepting = new ArrayList<>();
            for (int i = 0; i < acceptors; i++) {
                accepting.add(runtime.spawn(() -> {
                    List<Integer> ports = new ArrayList<>();
                    for (int n = 0; n < each; n++) {
                        try (TcpStream stream = listener.accept()) {
                            ports.add(stream.peerAddress().getPort());
                        }
                    }
                    return ports;
                }));
            }
            Set<Integer> connected = new HashSet<>();
            for (int i = 0; i < acceptors * each; i++) {
                try (Socket socket = new Socket(HOST, listener.localAddress().getPort())) {
                    connected.add(socket.getLocalPort());
                    socket.getInputStream().read();
                }
            }
            Set<Integer> accepted = new HashSet<>();
            for (JoinHandle<List<Integer>> acceptor : accepting) {
                accepted.addAll(acceptor.join());
            }
            assertThat(accepted).isEqualTo(connected);
        }
    }

    @Test
    void accept_servesAcceptorsInTheirOrder() throws Exception {
        try (TaskRuntime runtime = runtime(2);
                TcpListener listener = TcpListener.bind(HOST, 0)) {
            List<JoinHandle<Integer>> acceptors = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                acceptors.add(runtime.spawn(() -> {
                    try (TcpStream stream = listener.accept()) {
                        return stream.peerAddress().getPort();
                    }
                }));
                untilWaiting(acceptors.get(i));
            }
            for (JoinHandle<Integer> acceptor : acceptors) {
                try (Socket socket = new Socket(HOST, listener.localAddress().getPort())) {
                    assertThat(acceptor.join()).isEqualTo(socket.getLocalPort());
                }
            }
        }
    }

    @Test
    void bind_namesTheAddress_whenItIsTaken() throws Exception {
        try (TcpListener listener = TcpListener.bind(HOST, 0)) {
            int port = listener.localAddress().getPort();
            assertThatThrownBy(() -> TcpListener.bind(HOST, port))
                    .isInstanceOf(BindException.class)
                    .hasMessage("cannot listen on 127.0.0.1:" + port + ": Address already in use");
            assertThatThrownBy(() -> TcpListener.bind(new InetSocketAddress("192.0.2.1", 0)))
                    .isInstanceOf(BindException.class)
                    .hasMessageContaining("192.0.2.1:0");
        }
        assertThatThrownBy(() -> TcpListener.bind(HOST, -1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("-1");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void close_freesThePort_beforeItReturns(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers)) {
            runtime.blockOn(() -> {
                int port = 0;
                for (int i = 0; i < 100; i++) {
                    try (TcpListener listener = TcpListener.bind(HOST, port)) {
                        port = listener.localAddress().getPort();
                    }
                    Task.spawn(() -> {}); // at times the driver is busy, at times idle
                }
            });
            int port = 0;
            for (int i = 0; i < 100; i++) { // and from outside
                int wanted = port;
                try (TcpListener listener = runtime.blockOn(() -> TcpListener.bind(HOST, wanted))) {
                    port = listener.localAddress().getPort();
                }
            }
        }
    }

    /** On a busy machine the driver may not be given a processor for long. */
    @Test
    void close_freesThePort_alsoIfTheDriverIsHeldUp() throws Exception {
        try (TaskRuntime runtime = runtime(1)) {
            TcpListener listener = runtime.blockOn(() -> TcpListener.bind(HOST, 0));
            int port = listener.localAddress().getPort();
            CountDownLatch held = new CountDownLatch(1);
            runtime.blockOn(() -> Waiter.current().timers().arm(0, () -> {
                held.countDown();
                LockSupport.parkNanos(300_000_000);
            }));
            held.await();
            listener.close();
            TcpListener.bind(HOST, port).close();
        }
    }

    @Test
    void close_leavesAcceptedSessionsAlone() throws Exception {
        try (Loopback.Pair pair = Loopback.Pair.open()) {
            pair.send("abc"); // its listener is closed by now
            assertThat(Loopback.read(pair.stream(), 10)).isEqualTo("abc");
        }
    }

    @Test
    void toString_namesTheAddress() throws Exception {
        TcpListener listener = TcpListener.bind(HOST, 0);
        String address = "127.0.0.1:" + listener.localAddress().getPort();
        assertThat(listener).hasToString("TcpListener[" + address + "]");
        listener.close();
        listener.close();
        assertThat(listener).hasToString("TcpListener[" + address + ", closed]");
        assertThat(listener.isOpen()).isFalse();
    }
}
