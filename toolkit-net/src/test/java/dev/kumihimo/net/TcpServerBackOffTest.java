package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.HOST;
import static dev.kumihimo.net.Serving.answer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.select.Clause;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a server does when its listener fails: here one that fails when the test wants it to. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class TcpServerBackOffTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    /** Fails as often as it is told to, when a connection has come; which then waits on. */
    private static final class Failing implements StreamListener<TcpStream> {
        private final TcpListener real;
        private final AtomicInteger attempts = new AtomicInteger();
        private @Nullable TcpStream waiting; // of the thread that accepts, as the next
        private int failures;
        private final Throwable failure;
        private final boolean whenStarted; // not in the accept, but when its session is started

        Failing(int failures, Throwable failure, boolean whenStarted) throws IOException {
            this.real = TcpListener.bind(HOST, 0);
            this.failures = failures;
            this.failure = failure;
            this.whenStarted = whenStarted;
        }

        @Override
        public TcpStream accept() throws IOException {
            TcpStream next = waiting == null ? real.accept() : waiting;
            waiting = next;
            attempts.incrementAndGet();
            if (!whenStarted && failures-- > 0) {
                if (failure instanceof IOException e) {
                    throw e;
                }
                fail();
            }
            waiting = null;
            return next;
        }

        private void fail() {
            if (failure instanceof RuntimeException e) {
                throw e;
            }
            throw (Error) failure;
        }

        @Override
        public String peerName(TcpStream connection) {
            if (whenStarted && failures-- > 0) {
                fail();
            }
            return real.peerName(connection);
        }

        @Override
        public TcpStream accept(Duration timeout) {
            throw new UnsupportedOperationException();
        }

        @Override
        public @Nullable TcpStream tryAccept() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Clause<@Nullable Void> clause() {
            return real.clause();
        }

        @Override
        public boolean isOpen() {
            return real.isOpen();
        }

        @Override
        public void close() throws IOException {
            real.close();
            if (waiting != null) {
                waiting.close();
            }
        }

        @Override
        public String toString() {
            return "listener under test";
        }

        Socket connect() throws IOException {
            Socket client = new Socket(HOST, real.localAddress().getPort());
            client.setSoTimeout(30_000);
            return client;
        }
    }

    static List<Throwable> shortages() {
        return List.of(
                new IOException("Too many open files"),
                new OutOfMemoryError("unable to create native thread: possibly out of memory"));
    }

    @ParameterizedTest
    @MethodSource("shortages")
    void failedAccept_isTriedAgain_andToldOnce(Throwable shortage) throws Exception {
        Failing listener = new Failing(5, shortage, false);
        try (Serving.Log log = new Serving.Log();
                TaskRuntime runtime = Loopback.runtime(2);
                TcpServer<TcpStream> server = TcpServer.of(listener)) {
            runtime.spawn(() -> server.serve(Serving::echo));
            try (Socket client = listener.connect()) {
                assertThat(answer(client, 'a')).isEqualTo('a');
            }
            assertThat(listener.attempts).hasValueGreaterThanOrEqualTo(6);
            assertThat(server.accepted()).isEqualTo(1);
            assertThat(log.of(Level.WARN))
                    .containsExactly(
                            "listener under test cannot accept connections for now, and tries on: " + shortage);
            await().untilAsserted(() -> assertThat(log.of(Level.INFO)) // the session may be faster
                    .containsExactly("listener under test accepts connections again, after 5 failed attempts"));
        }
    }

    @Test
    void sessionThatCannotBeStarted_isClosed_andItsPlaceGivenBack() throws Exception {
        Failing listener = new Failing(2, new OutOfMemoryError("planted"), true);
        try (Serving.Log log = new Serving.Log();
                TaskRuntime runtime = Loopback.runtime(2);
                TcpServer<TcpStream> server = TcpServer.of(listener).maxConnections(1)) {
            runtime.spawn(() -> server.serve(Serving::echo));
            for (int i = 0; i < 2; i++) {
                try (Socket refused = listener.connect()) {
                    assertThat(refused.getInputStream().read()).isEqualTo(-1);
                }
            }
            try (Socket client = listener.connect()) {
                assertThat(answer(client, 'a')).isEqualTo('a');
            }
            assertThat(log.of(Level.WARN)).hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void serverThatBacksOff_canBeStopped(boolean byAbort) throws Exception {
        Failing listener = new Failing(Integer.MAX_VALUE, new IOException("planted"), false);
        try (Serving.Log log = new Serving.Log();
                TaskRuntime runtime = Loopback.runtime(2);
                TcpServer<TcpStream> server = TcpServer.of(listener);
                Socket client = listener.connect()) {
            JoinHandle<TcpServer.Report> task = runtime.spawn(() -> server.serve(Serving::echo));
            await().until(() -> listener.attempts.get() > 3);
            if (byAbort) {
                task.abort();
                assertThat(task.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
            } else {
                server.stop();
                assertThat(task.join(LONG)).isEqualTo(new TcpServer.Report(0, List.of(), List.of()));
            }
            assertThat(client.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void listenerWithAnErrorOfItsOwn_endsTheServerInOrder() throws Exception {
        Failing listener = new Failing(1, new IllegalStateException("planted"), false);
        try (Serving.Log log = new Serving.Log();
                TaskRuntime runtime = Loopback.runtime(2);
                TcpServer<TcpStream> server = TcpServer.of(listener);
                Socket client = listener.connect()) {
            JoinHandle<TcpServer.Report> task = runtime.spawn(() -> server.serve(Serving::echo));
            assertThatThrownBy(() -> task.join(LONG)).hasRootCauseMessage("planted");
            assertThat(listener.isOpen()).isFalse();
            assertThat(client.getInputStream().read()).isEqualTo(-1);
        }
    }

    /** A wait of no time at all is cut short, and one that is over before it begins is not. */
    @Test
    void wait_endsEarly_onceASessionHasEnded() throws Exception {
        try (Serving.Log log = new Serving.Log()) {
            AcceptBackOff backOff = new AcceptBackOff("listener");
            IOException failure = new IOException("planted");
            backOff.released();
            inNoTime(() -> backOff.failed(failure));
            assertThatThrownBy(() -> inNoTime(() -> backOff.failed(failure))).isInstanceOf(TimeoutException.class);
            backOff.released();
            inNoTime(() -> backOff.failed(failure));
            assertThat(log.of(Level.WARN)).hasSize(1);
        }
    }

    private static void inNoTime(VoidBody<Exception> body) throws Exception {
        dev.kumihimo.time.Timeout.call(Duration.ZERO, body);
    }

    @Test
    void listenerWhoseRuntimeIsGone_endsTheServer_withThatFailure() throws Exception {
        try (Serving.Log log = new Serving.Log();
                TaskRuntime runtime = Loopback.runtime(2)) {
            TaskRuntime other = Loopback.runtime(1);
            TcpListener listener = other.blockOn(() -> TcpListener.bind(HOST, 0));
            JoinHandle<TcpServer.Report> task = runtime.spawn(() -> TcpServer.serve(listener, Serving::echo));
            try {
                Loopback.untilWaiting(task);
                other.close();
                assertThatThrownBy(() -> task.join(LONG))
                        .cause()
                        .isInstanceOf(UncheckedIOException.class)
                        .hasMessageContaining(listener.where())
                        .rootCause()
                        .hasMessageContaining("shut down");
                assertThat(listener.isOpen()).isFalse();
                assertThat(log.of(Level.WARN)).isEmpty();
            } finally {
                task.abort();
            }
        }
    }
}
