package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.HOST;
import static dev.kumihimo.net.Serving.answer;
import static dev.kumihimo.net.Serving.sessionOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.sync.SetOnce;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
class TcpServerTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    /* ---------------- Serving -------------- */

    @Test
    void serve_runsEachSessionInATaskOfItsOwn_namedByItsPeer() throws Exception {
        List<String> names = new CopyOnWriteArrayList<>();
        try (Serving serving = Serving.start(UnaryOperator.identity(), server -> session -> {
                    names.add(
                            Task.current().name() + " " + Thread.currentThread().getName());
                    Serving.echo(session);
                });
                Socket one = serving.connect();
                Socket two = serving.connect()) {
            assertThat(answer(two, 'b')).isEqualTo('b');
            assertThat(answer(one, 'a')).isEqualTo('a');
            assertThat(names)
                    .containsExactlyInAnyOrder(
                            sessionOf(one) + " " + sessionOf(one), sessionOf(two) + " " + sessionOf(two));
            assertThat(serving.server().connections()).isEqualTo(2);
            assertThat(serving.server().accepted()).isEqualTo(2);
            assertThat(serving.server())
                    .hasToString("TcpServer[TcpListener[127.0.0.1:"
                            + serving.listener().localAddress().getPort() + "], 2 connections]");
        }
    }

    @Test
    void handlerThatReturns_hasItsStreamClosed() throws Exception {
        SetOnce<TcpStream> stream = new SetOnce<>();
        try (Serving serving = Serving.start(UnaryOperator.identity(), server -> stream::set);
                Socket client = serving.connect()) {
            assertThat(client.getInputStream().read()).isEqualTo(-1);
            assertThat(stream.await().isOpen()).isFalse();
            serving.untilConnections(0);
        }
    }

    @Test
    void serve_worksWithoutARuntimeOfTheCallers() throws Exception {
        TcpListener listener = TcpListener.bind(HOST, 0);
        TcpServer<TcpStream> server = TcpServer.of(listener);
        CompletableFuture<TcpServer.Report> report = new CompletableFuture<>();
        Thread thread = Thread.ofPlatform().start(() -> {
            try {
                report.complete(server.serve(Serving::echo));
            } catch (Throwable e) {
                report.completeExceptionally(e);
            }
        });
        try (Socket client = new Socket(HOST, listener.localAddress().getPort())) {
            assertThat(answer(client, 'a')).isEqualTo('a');
        }
        server.close();
        assertThat(report.get()).isEqualTo(new TcpServer.Report(1, List.of(), List.of()));
        thread.join();
    }

    @Test
    void twoThousandConnections_areServed_andNothingIsLeftOfThem() throws Exception {
        OpenSockets sockets = OpenSockets.now();
        try (Serving serving = Serving.start(UnaryOperator.identity(), Serving::echoUntilStopped)) {
            int tasks = serving.runtime().liveTasks(); // that of the server
            List<Socket> clients = new ArrayList<>();
            for (int i = 0; i < 2_000; i++) {
                clients.add(serving.connect());
            }
            for (Socket client : clients) {
                client.getOutputStream().write('a');
            }
            for (Socket client : clients) {
                assertThat(client.getInputStream().read()).isEqualTo('a');
            }
            assertThat(serving.server().connections()).isEqualTo(2_000);
            assertThat(serving.runtime().liveTasks()).isEqualTo(2_000 + tasks);
            for (int i = 0; i < 1_000; i++) { // half of them by themselves, the others by the end of the server
                clients.get(i).close();
            }
            serving.untilConnections(1_000);
            assertThat(serving.server().stop()).isTrue();
            assertThat(serving.task().join(LONG)).isEqualTo(new TcpServer.Report(2_000, List.of(), List.of()));
            assertThat(serving.server().connections()).isZero();
            await().until(() -> serving.runtime().liveTasks() == 0);
            for (Socket client : clients) {
                client.close();
            }
            await().until(() -> sockets.opened() == 0);
        }
    }

    /* ---------------- The limit -------------- */

    @Test
    void maxConnections_leavesTheOthersInTheBacklog_untilASessionEnds() throws Exception {
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        try (Serving serving = Serving.start(server -> server.maxConnections(2), server -> session -> {
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            try {
                Serving.echo(session);
            } finally {
                now.decrementAndGet();
            }
        })) {
            List<Socket> clients = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                clients.add(serving.connect());
                clients.get(i).getOutputStream().write('a'); // taken by the system, whoever reads it
            }
            for (int i = 0; i < 20; i++) { // in their order
                Socket client = clients.get(i);
                assertThat(client.getInputStream().read()).isEqualTo('a');
                assertThat(serving.server().accepted()).isLessThanOrEqualTo(i + 2);
                client.close();
            }
            serving.untilConnections(0);
            assertThat(serving.server().accepted()).isEqualTo(20);
            assertThat(most).hasValue(2);
        }
    }

    @Test
    void atTheLimit_nobodyElseIsServed() throws Exception {
        try (Serving serving = Serving.echo(server -> server.maxConnections(1));
                Socket first = serving.connect()) {
            assertThat(answer(first, 'a')).isEqualTo('a');
            try (Socket second = serving.connect()) {
                second.setSoTimeout(100);
                assertThatThrownBy(() -> answer(second, 'b')).isInstanceOf(SocketTimeoutException.class);
                assertThat(serving.server().accepted()).isEqualTo(1);
                first.close();
                second.setSoTimeout(30_000);
                assertThat(second.getInputStream().read()).isEqualTo('b');
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void listenerThatIsClosed_endsTheServer(boolean atTheLimit) throws Exception {
        try (Serving serving =
                        Serving.start(server -> server.maxConnections(atTheLimit ? 1 : 2), Serving::echoUntilStopped);
                Socket client = serving.connect()) {
            assertThat(answer(client, 'a')).isEqualTo('a');
            Loopback.untilWaiting(serving.task());
            serving.listener().close();
            assertThat(client.getInputStream().read()).isEqualTo(-1); // its session is told
            assertThat(serving.task().join(LONG)).isEqualTo(new TcpServer.Report(1, List.of(), List.of()));
        }
    }

    /* ---------------- The end -------------- */

    @Test
    void stop_refusesNewConnections_andLetsSessionsEndByThemselves() throws Exception {
        try (Serving serving = Serving.start(server -> server.drainTimeout(LONG), server -> session -> {
                    Serving.echo(session);
                    session.writeAll(ByteBuffer.wrap(new byte[] {'!'}));
                });
                Socket client = serving.connect()) {
            assertThat(answer(client, 'a')).isEqualTo('a');
            assertThat(serving.server().stop()).isTrue();
            assertThat(serving.server().stop()).isFalse();
            serving.server().token().awaitCancelled(LONG); // after the listener was closed
            assertThatThrownBy(() -> serving.connect().close()).isInstanceOf(ConnectException.class);
            assertThat(serving.task().isFinished()).isFalse();
            assertThat(answer(client, 'b')).isEqualTo('b'); // goes on
            client.shutdownOutput();
            assertThat(client.getInputStream().read()).isEqualTo('!');
            assertThat(client.getInputStream().read()).isEqualTo(-1);
            assertThat(serving.task().join(LONG)).isEqualTo(new TcpServer.Report(1, List.of(), List.of()));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 50})
    void sessionsThatOutlastTheDrain_areAborted_andReportedByName(int millis) throws Exception {
        try (Serving.Log log = new Serving.Log();
                Serving serving = Serving.echo(
                        server -> server.drainTimeout(Duration.ofMillis(millis)).abortTimeout(LONG));
                Socket client = serving.connect()) {
            assertThat(answer(client, 'a')).isEqualTo('a');
            serving.server().close();
            assertThat(serving.task().join(LONG))
                    .isEqualTo(new TcpServer.Report(1, List.of(sessionOf(client)), List.of()));
            assertThat(client.getInputStream().read()).isEqualTo(-1);
            assertThat(log.of(Level.WARN)).singleElement().asString().contains(sessionOf(client));
        }
    }

    @Test
    void sessionsThatOutlastTheAbort_loseTheirStreams_andAreReported() throws Exception {
        SetOnce<Boolean> release = new SetOnce<>();
        SetOnce<Boolean> released = new SetOnce<>();
        try (Serving.Log log = new Serving.Log();
                Serving serving = Serving.start(
                        server -> server.drainTimeout(Duration.ZERO).abortTimeout(Duration.ofMillis(50)),
                        server -> session -> {
                            session.writeAll(ByteBuffer.wrap(new byte[] {'a'}));
                            released.set(Task.shield(() -> release.await()));
                        });
                Socket client = serving.connect()) {
            assertThat(client.getInputStream().read()).isEqualTo('a');
            serving.server().stop();
            List<String> session = List.of(sessionOf(client));
            assertThat(serving.task().join(LONG)).isEqualTo(new TcpServer.Report(1, session, session));
            assertThat(client.getInputStream().read()).isEqualTo(-1);
            assertThat(log.of(Level.WARN)).hasSize(2).allMatch(line -> line.contains(sessionOf(client)));
            release.set(true);
            assertThat(released.await(LONG)).isTrue();
        }
    }

    @Test
    void cancelledCaller_endsInOrder_andIsCancelled() throws Exception {
        SetOnce<Boolean> finish = new SetOnce<>();
        try (Serving serving = Serving.start(server -> server.drainTimeout(LONG), server -> session -> {
                    session.writeAll(ByteBuffer.wrap(new byte[] {'a'}));
                    finish.await();
                    session.writeAll(ByteBuffer.wrap(new byte[] {'z'}));
                });
                Socket client = serving.connect()) {
            assertThat(client.getInputStream().read()).isEqualTo('a');
            serving.task().abort();
            serving.server().token().awaitCancelled(LONG);
            assertThat(serving.listener().isOpen()).isFalse();
            Loopback.untilWaiting(serving.task()); // the session has its time
            finish.set(true);
            assertThat(client.getInputStream().read()).isEqualTo('z');
            assertThat(serving.task().result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
            assertThat(serving.server().connections()).isZero();
        }
    }

    @Test
    void deadlineAroundServe_endsIt() throws Exception {
        TcpListener listener = TcpListener.bind(HOST, 0);
        assertThatThrownBy(() -> dev.kumihimo.time.Timeout.call(
                        Duration.ofMillis(20), () -> TcpServer.serve(listener, Serving::echo)))
                .isInstanceOf(TimeoutException.class);
        assertThat(listener.isOpen()).isFalse();
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }

    @Test
    void interruptedCaller_endsInOrder_andASecondInterruptCutsTheDrainShort() throws Exception {
        TcpListener listener = TcpListener.bind(HOST, 0);
        TcpServer<TcpStream> server = TcpServer.of(listener).drainTimeout(Duration.ofDays(1));
        CompletableFuture<Boolean> flag = new CompletableFuture<>();
        Thread thread = Thread.ofPlatform().start(() -> {
            try {
                server.serve(Serving::echo);
                flag.completeExceptionally(new AssertionError("it has returned"));
            } catch (InterruptedException e) {
                flag.complete(Thread.currentThread().isInterrupted());
            } catch (Throwable e) {
                flag.completeExceptionally(e);
            }
        });
        try (Socket client = new Socket(HOST, listener.localAddress().getPort())) {
            assertThat(answer(client, 'a')).isEqualTo('a');
            thread.interrupt();
            server.token().awaitCancelled(LONG);
            assertThat(answer(client, 'b')).isEqualTo('b');
            assertThat(flag).isNotDone();
            thread.interrupt();
            assertThat(flag.get()).as("the flag, beside the exception").isFalse();
            assertThat(client.getInputStream().read()).isEqualTo(-1);
        }
        thread.join();
    }

    @Test
    void sessionThatNeverBegins_isFinishedNevertheless() throws Exception {
        TaskRuntime over = Loopback.runtime(1);
        over.close();
        Semaphore places = Semaphore.of(1);
        try (Loopback.Pair pair = Loopback.Pair.open();
                TcpServer<TcpStream> server = TcpServer.of(TcpListener.bind(HOST, 0))) {
            Session<TcpStream> session = new Session<>(server, pair.stream(), "nobody", places.acquire());
            session.start(Serving::echo, over::spawnNamed);
            assertThat(pair.stream().isOpen()).isFalse();
            assertThat(places.availablePermits()).isEqualTo(1);
        }
    }

    @Test
    void close_closesTheListener_ofAServerThatNeverServes() throws Exception {
        TcpListener listener = TcpListener.bind(HOST, 0);
        TcpServer<TcpStream> server = TcpServer.of(listener);
        server.close();
        server.close();
        assertThat(listener.isOpen()).isFalse();
        assertThatThrownBy(() -> server.serve(Serving::echo)).isInstanceOf(IllegalStateException.class);
    }

    /** It would wait for itself. */
    @Test
    void close_isRefused_whenASessionOfTheServerCallsIt() throws Exception {
        SetOnce<Throwable> refusal = new SetOnce<>();
        try (Serving serving =
                        Serving.start(server -> server.drainTimeout(Duration.ofMillis(100)), server -> session -> {
                            try {
                                server.close();
                                refusal.set(new AssertionError("it was closed"));
                            } catch (IllegalStateException e) {
                                refusal.set(e);
                                Serving.echo(session);
                            }
                        });
                Socket client = serving.connect()) {
            assertThat(refusal.await(LONG))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(sessionOf(client))
                    .hasMessageContaining("stop()");
            assertThat(answer(client, 'a')).as("nothing has begun").isEqualTo('a');
            assertThat(serving.server().token().isCancelled()).isFalse();
        }
    }

    @Test
    void stop_beforeItServes_hasItReturnAtOnce() throws Exception {
        TcpListener listener = TcpListener.bind(HOST, 0);
        TcpServer<TcpStream> server = TcpServer.of(listener);
        server.stop();
        assertThat(server.serve(Serving::echo)).isEqualTo(new TcpServer.Report(0, List.of(), List.of()));
        assertThat(listener.isOpen()).isFalse();
    }

    /* ---------------- Failures of handlers -------------- */

    @Test
    void handlerThatFails_touchesNoOtherSession_andIsLoggedOnceWithItsPeer() throws Exception {
        try (Serving.Log log = new Serving.Log();
                Serving serving = Serving.start(UnaryOperator.identity(), server -> TcpServerTest::failing);
                Socket good = serving.connect()) {
            assertThat(answer(good, 'a')).isEqualTo('a');
            List<String> warned = new ArrayList<>();
            for (char kind : new char[] {'R', 'E', 'C', 'I', 'T'}) {
                try (Socket bad = serving.connect()) {
                    assertThat(answer(bad, kind)).isEqualTo(-1);
                    if (kind != 'I' && kind != 'T') { // which any peer can cause as often as it likes
                        warned.add(sessionOf(bad) + " failed");
                    }
                }
            }
            serving.untilConnections(1);
            assertThat(answer(good, 'b')).isEqualTo('b');
            assertThat(log.of(Level.WARN)).isEqualTo(warned);
            assertThat(log.of(Level.DEBUG)).hasSize(2);
            serving.server().stop();
            good.shutdownOutput();
            serving.task().join(LONG);
            serving.runtime().close(); // which would tell of failures that nobody has joined
            assertThat(log.of(Level.WARN)).isEqualTo(warned);
        }
    }

    private static void failing(TcpStream session) throws Exception {
        int kind = session.inputStream().read();
        switch (kind) {
            case 'R' -> throw new IllegalStateException("planted");
            case 'E' -> throw new StackOverflowError("planted");
            case 'C' -> throw new Exception("planted");
            case 'I' -> throw new IOException("planted");
            case 'T' -> throw new TimeoutException("planted");
            default -> {
                session.outputStream().write(kind);
                Serving.echo(session);
            }
        }
    }

    @Test
    void onError_isToldInPlaceOfTheLog_whileTheStreamIsOpen() throws Exception {
        List<Throwable> told = new CopyOnWriteArrayList<>();
        try (Serving.Log log = new Serving.Log();
                Serving serving = Serving.start(
                        server -> server.onError((session, e) -> {
                            told.add(e);
                            try {
                                session.outputStream().write('!');
                            } catch (IOException unexpected) {
                                throw new AssertionError(unexpected);
                            }
                            if (e instanceof IllegalStateException) {
                                throw new IllegalArgumentException("of the callback");
                            }
                        }),
                        server -> TcpServerTest::failing)) {
            for (char kind : new char[] {'I', 'R'}) {
                try (Socket bad = serving.connect()) {
                    assertThat(answer(bad, kind)).isEqualTo('!');
                    assertThat(bad.getInputStream().read()).isEqualTo(-1);
                }
            }
            assertThat(told).hasSize(2).allMatch(e -> "planted".equals(e.getMessage()));
            assertThat(log.of(Level.WARN)).singleElement().asString().contains("failed itself");
        }
    }

    /* ---------------- Options -------------- */

    @Test
    void options_refuseWhatTheyCannotDo_andLateComers() throws Exception {
        TcpServer<TcpStream> server = TcpServer.of(TcpListener.bind(HOST, 0));
        assertThatThrownBy(() -> server.maxConnections(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("maxConnections=0 must be at least 1");
        assertThatThrownBy(() -> server.drainTimeout(Duration.ofMillis(-1)))
                .hasMessage("drainTimeout=PT-0.001S must not be negative");
        assertThatThrownBy(() -> server.abortTimeout(Duration.ofMillis(-1)))
                .hasMessage("abortTimeout=PT-0.001S must not be negative");
        try (TaskRuntime runtime = Loopback.runtime(1)) {
            JoinHandle<TcpServer.Report> task = runtime.spawn(() -> server.serve(Serving::echo));
            Loopback.untilWaiting(task);
            assertThatThrownBy(() -> server.serve(Serving::echo))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("a server serves once");
            assertThatThrownBy(() -> server.maxConnections(1)).isInstanceOf(IllegalStateException.class);
            server.close();
            task.join(LONG);
        }
    }
}
