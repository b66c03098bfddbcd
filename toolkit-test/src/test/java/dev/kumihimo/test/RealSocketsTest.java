package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.net.UdpSocket;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.time.Timeout;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** What real sockets do to the clock (rule T3). */
@org.junit.jupiter.api.Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class RealSocketsTest {
    private static final String HOST = "127.0.0.1";
    private static final Duration HOUR = Duration.ofHours(1);

    /** Longer than any answer takes: the machine is slow, not the rule wrong. */
    private static final Duration PATIENT = Duration.ofSeconds(25);

    private static final Duration IMPATIENT = Duration.ofMillis(30);

    private static TestRuntime with(ExternalIo policy, Duration patience) {
        return TestRuntime.builder().externalIo(policy, patience).build();
    }

    private static JoinHandle<?> named(TestRuntime test, String name, VoidBody<?> body) {
        return test.runtime().spawnNamed(name, () -> {
            body.run();
            return null;
        });
    }

    /** Sends one byte and returns what comes back. */
    private static int exchange(TcpStream stream, int sent) throws IOException {
        stream.write(ByteBuffer.wrap(new byte[] {(byte) sent}));
        ByteBuffer answer = ByteBuffer.allocate(1);
        assertThat(stream.read(answer)).isEqualTo(1);
        return answer.get(0);
    }

    private static void echo(TcpListener listener) throws IOException {
        try (TcpStream session = listener.accept()) {
            ByteBuffer buffer = ByteBuffer.allocate(16);
            while (session.read(buffer.clear()) >= 0) {
                session.write(buffer.flip());
            }
        }
    }

    @Test
    void streamAndListener_talkWithinOneRuntime_andNoTimePasses() throws Exception {
        try (TestRuntime test = with(ExternalIo.GRACE, PATIENT)) {
            test.run(() -> {
                try (TcpListener listener = TcpListener.bind(HOST, 0)) {
                    JoinHandle<?> server = Task.spawn(() -> echo(listener));
                    Timeout.call(HOUR, () -> {
                        try (TcpStream stream = TcpStream.connect(listener.localAddress())) {
                            for (int i = 0; i < 100; i++) {
                                assertThat(exchange(stream, i)).isEqualTo(i);
                            }
                        }
                    });
                    server.join();
                }
            });
            assertThat(test.nanoTime()).isZero();
            assertThat(test.outsideWakes()).isZero();
            assertThat(test.replay()).contains("real sockets, which no replay repeats");
        }
    }

    @Test
    void udp_worksUnderTheSamePolicy() throws Exception {
        try (TestRuntime test = with(ExternalIo.INHIBIT, PATIENT)) {
            test.run(() -> {
                try (UdpSocket one = UdpSocket.bind(HOST, 0);
                        UdpSocket other = UdpSocket.bind(HOST, 0)) {
                    JoinHandle<Integer> receiver = Task.spawn(() -> {
                        ByteBuffer buffer = ByteBuffer.allocate(16);
                        one.receive(buffer);
                        return buffer.position();
                    });
                    Task.yieldNow();
                    other.sendTo(ByteBuffer.wrap(new byte[3]), one.localAddress());
                    int received = Timeout.call(HOUR, () -> receiver.join());
                    assertThat(received).isEqualTo(3);
                }
            });
            assertThat(test.nanoTime()).isZero();
        }
    }

    @Test
    void aPeerOutside_isWaitedFor_whileTheClockStands() throws Exception {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        try (TestRuntime test = with(ExternalIo.INHIBIT, PATIENT)) {
            Thread[] peer = new Thread[1];
            test.run(() -> {
                try (TcpListener listener = TcpListener.bind(HOST, 0)) {
                    peer[0] = Thread.ofPlatform().start(() -> {
                        try (Socket socket = new Socket()) {
                            socket.connect(listener.localAddress());
                            socket.getOutputStream().write('x');
                            assertThat(socket.getInputStream().read()).isEqualTo('x');
                        } catch (Throwable e) {
                            failure.set(e);
                        }
                    });
                    Timeout.call(HOUR, () -> echo(listener));
                }
            });
            peer[0].join();
            assertThat(failure.get()).isNull();
            assertThat(test.nanoTime()).isZero();
        }
    }

    @Test
    void grace_letsTimePass_whenNothingComes() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(() -> {
                try (TcpListener listener = TcpListener.bind(HOST, 0)) {
                    assertThatThrownBy(() -> listener.accept(HOUR)).isInstanceOf(IOException.class);
                    assertThatThrownBy(() -> Timeout.call(HOUR, () -> listener.accept()))
                            .isInstanceOf(TimeoutException.class);
                }
            });
            assertThat(test.clock().elapsed()).isEqualTo(HOUR.multipliedBy(2));
        }
    }

    @Test
    void grace_doesNotHoldATest_inWhichNobodyWaitsForASocket() throws Exception {
        try (TestRuntime test = with(ExternalIo.GRACE, PATIENT)) {
            test.run(() -> {
                try (TcpListener listener = TcpListener.bind(HOST, 0)) {
                    Task.sleep(HOUR); // else this takes 25 s, and the next lines a day
                    for (int i = 0; i < 3_600; i++) {
                        Task.sleep(Duration.ofMillis(1));
                    }
                    assertThat(listener.isOpen()).isTrue();
                }
            });
        }
    }

    @Test
    void inhibit_fails_namingWhoHoldsTheClock() {
        try (TestRuntime test = with(ExternalIo.INHIBIT, IMPATIENT)) {
            assertThatThrownBy(() -> test.run(() -> {
                        JoinHandle<?> sleeper = Task.spawn(() -> Task.sleep(HOUR));
                        named(test, "server", () -> {
                            try (TcpListener listener = TcpListener.bind(HOST, 0)) {
                                listener.accept();
                            }
                        });
                        sleeper.join();
                    }))
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("virtual clock held")
                    .hasMessageContaining("no event for 30 ms")
                    .hasMessageContaining("\"server\" waits for connections of")
                    .hasMessageContaining("RealSocketsTest.java")
                    .hasMessageContaining("ExternalIo.GRACE");
            assertThat(test.nanoTime()).isZero();
        }
    }

    @Test
    void aSocketThatNobodyAnswers_isADeadlock_whenNoDeadlineIsLeft() {
        for (ExternalIo policy : new ExternalIo[] {ExternalIo.GRACE, ExternalIo.INHIBIT}) {
            try (TestRuntime test = with(policy, IMPATIENT)) {
                assertThatThrownBy(() -> test.run(() -> {
                            try (TcpListener listener = TcpListener.bind(HOST, 0)) {
                                listener.accept();
                            }
                        }))
                        .isInstanceOf(ScheduleError.class)
                        .hasMessageContaining("deadlock")
                        .hasMessageContaining("RealSocketsTest.java");
            }
        }
    }

    @Test
    void forbid_refusesASocketOfTheToolkit_andFailsTheRunToo() {
        try (TestRuntime test =
                TestRuntime.builder().externalIo(ExternalIo.FORBID).build()) {
            Throwable[] met = new Throwable[1];
            Throwable thrown = catchThrowable(() -> test.run(() -> {
                met[0] = catchThrowable(() -> TcpListener.bind(HOST, 0)); // swallowed
                Task.sleep(HOUR);
            }));
            assertThat(met[0]).isInstanceOf(IllegalStateException.class).hasMessageContaining("ExternalIo.FORBID");
            assertThat(thrown)
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("a real socket is opened")
                    .hasMessageContaining("#0 \"main\"")
                    .hasMessageContaining("RealSocketsTest.java");
            assertThat(test.nanoTime()).isZero();
        }
    }

    @Test
    void forbid_fails_whenATaskWaitsForASocketOfTheJdk() {
        try (TestRuntime test =
                TestRuntime.builder().externalIo(ExternalIo.FORBID).build()) {
            assertThatThrownBy(() -> test.run(() -> {
                        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                            server.accept();
                        }
                    }))
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("waits for a real socket")
                    .hasMessageContaining("#0 \"main\" in ServerSocket.accept")
                    .hasMessageContaining("RealSocketsTest.java");
        }
    }

    @Test
    void socketsOfTheJdk_followThePolicy() throws Exception {
        try (TestRuntime test = with(ExternalIo.INHIBIT, PATIENT)) {
            test.run(() -> {
                try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                    JoinHandle<?> echo = Task.spawn(() -> {
                        try (Socket session = server.accept()) {
                            session.getOutputStream()
                                    .write(session.getInputStream().read());
                        }
                    });
                    Timeout.call(HOUR, () -> {
                        try (Socket socket = new Socket(server.getInetAddress(), server.getLocalPort())) {
                            Task.yieldNow(); // the server waits in its read
                            socket.getOutputStream().write('x');
                            assertThat(socket.getInputStream().read()).isEqualTo('x');
                        }
                    });
                    echo.join();
                }
            });
            assertThat(test.nanoTime()).isZero();
        }
        try (TestRuntime test = with(ExternalIo.GRACE, IMPATIENT)) {
            test.run(() -> {
                try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                    JoinHandle<?> waiter =
                            Task.spawn(() -> assertThatThrownBy(server::accept).isInstanceOf(IOException.class));
                    Task.sleep(HOUR);
                    server.close();
                    waiter.join();
                }
            });
            assertThat(test.clock().elapsed()).isEqualTo(HOUR);
        }
    }

    @Test
    void aListenerThatIsClosed_givesItsPortBack_inATaskAndAtRest() throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            TcpListener[] open = new TcpListener[1];
            test.run(() -> {
                InetSocketAddress address;
                try (TcpListener first = TcpListener.bind(HOST, 0)) {
                    address = first.localAddress();
                }
                open[0] = TcpListener.bind(address);
            });
            long steps = test.steps();
            assertThat(steps).isLessThan(1_000); // the driver is turned at once, not after as many yields as take 10 s
            open[0].close();
            try (ServerSocket again = new ServerSocket()) {
                again.setReuseAddress(false);
                again.bind(open[0].localAddress());
                assertThat(again.isBound()).isTrue();
            }
        }
    }

    @Test
    void close_givesDescriptorsBack() throws Exception {
        Path descriptors = Path.of("/proc/self/fd");
        int rounds = 40;
        long before = count(descriptors);
        for (int i = 0; i < rounds; i++) {
            try (TestRuntime test = TestRuntime.fifo()) {
                test.run(() -> {
                    try (TcpListener listener = TcpListener.bind(HOST, 0);
                            TcpStream client = TcpStream.connect(listener.localAddress());
                            TcpStream session = listener.accept()) {
                        client.write(ByteBuffer.allocate(1));
                        assertThat(session.read(ByteBuffer.allocate(1))).isEqualTo(1);
                    }
                });
            }
        }
        assertThat(count(descriptors)).isLessThan(before + rounds);
    }

    @Test
    void close_givesDescriptorsBack_alsoIfItFails() throws Exception {
        Path descriptors = Path.of("/proc/self/fd");
        int rounds = 40;
        long before = count(descriptors);
        for (int i = 0; i < rounds; i++) {
            TestRuntime test = TestRuntime.fifo();
            test.run(() -> {
                TcpListener.bind(HOST, 0).close();
                Task.spawn(() -> Task.shield(() -> Task.sleep(Duration.ofDays(1))));
                Task.yieldNow();
            });
            assertThatThrownBy(test::close).hasMessageContaining("tasks have not ended");
        }
        assertThat(count(descriptors)).isLessThan(before + rounds);
    }

    /** 0 on systems that do not tell. */
    private static long count(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return 0;
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.count();
        }
    }
}
