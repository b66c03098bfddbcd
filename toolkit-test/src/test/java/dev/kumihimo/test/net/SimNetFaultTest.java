package dev.kumihimo.test.net;

import static dev.kumihimo.test.net.Network.bytes;
import static dev.kumihimo.test.net.Network.receive;
import static dev.kumihimo.test.net.Network.send;
import static dev.kumihimo.test.net.Network.untilWaiting;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.net.TcpServer;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.select.Select;
import dev.kumihimo.test.LeakPolicy;
import dev.kumihimo.test.Rng;
import dev.kumihimo.test.ScheduleError;
import dev.kumihimo.test.TestRuntime;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Each fault against each operation: all end with the exception that says so, at the very time at which they should. */
@Timeout(30)
class SimNetFaultTest {
    @Test
    void openEndsAndListeners_areLeaks_toldWithTheLineThatGotThem() throws Exception {
        try (TestRuntime test = TestRuntime.builder().leaks(LeakPolicy.FAIL).build()) {
            test.run(() -> {
                SimNet net = SimNet.of(Rng.of(1));
                SimListener closed = net.listen("server", 79);
                net.connect("gone", "server", 79).close();
                closed.accept().close();
                closed.close();
                SimListener listener = net.listen("server", 80);
                net.connect("client", "server", 80);
                listener.accept();
            });
            assertThatThrownBy(test::finish)
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("SimListener[server:80]: not closed; made at ")
                    .hasMessageContaining("server:80 -> client:")
                    .hasMessageContaining("-> server:80: not closed; made at ")
                    .hasMessageNotContaining("gone")
                    .hasMessageNotContaining(":79");
        }
    }

    private static final Duration SECOND = Duration.ofSeconds(1);

    private final TestRuntime test = TestRuntime.seeded(5);
    private final SimNet net = SimNet.of(Rng.of(5));
    private SimListener listener;
    private SimStream client;
    private SimStream server;

    /** A test with a connection. */
    private interface Scene {
        void play() throws Exception;
    }

    private void connected(Scene scene) throws Exception {
        test.run(() -> {
            listener = net.listen("server", 80);
            client = net.connect("client", "server", 80);
            server = listener.accept();
            scene.play();
        });
    }

    @AfterEach
    void close() {
        test.close();
    }

    private SimLink link() {
        return net.link("client", "server");
    }

    private long millis() {
        return test.nanoTime() / 1_000_000;
    }

    private static int read(SimStream stream) throws IOException {
        return stream.read(ByteBuffer.allocate(100));
    }

    private static int readWithin(SimStream stream, Duration timeout) throws IOException {
        return stream.read(ByteBuffer.allocate(100), timeout);
    }

    private static void fill(SimStream stream) throws IOException {
        ByteBuffer block = ByteBuffer.allocate(Conditions.WINDOW);
        while (stream.tryWrite(block.clear()) > 0) {
            // more
        }
    }

    private static void assertCause(JoinHandle<?> task, Class<? extends Throwable> type, String... words) {
        var thrown = assertThatThrownBy(task::join).cause().isInstanceOf(type);
        for (String word : words) {
            thrown.hasMessageContaining(word);
        }
    }

    /* ---------------- Time -------------- */

    @Test
    void latency_isWhatReadsConnectsAndEndsTake() throws Exception {
        net.all().latency(Duration.ofMillis(10));
        connected(() -> {
            assertThat(millis()).isEqualTo(20); // there and back
            send(client, "x");
            assertThat(server.tryRead(ByteBuffer.allocate(1))).isZero();
            assertThat(read(server)).isEqualTo(1);
            assertThat(millis()).isEqualTo(30);
            client.shutdownOutput();
            assertThat(read(server)).isEqualTo(-1);
            assertThat(millis()).isEqualTo(40);
            server.closeWithReset();
            assertThatThrownBy(() -> read(client)).isInstanceOf(SocketException.class);
            assertThat(millis()).isEqualTo(50);
        });
    }

    @Test
    void latency_isWaitedForInASelect() throws Exception {
        net.all().latency(Duration.ofMillis(10));
        connected(() -> {
            JoinHandle<Long> selecting = Task.spawn(() -> Select.<Long>of()
                    .on(server.readable(), () -> millis())
                    .after(SECOND, () -> -1L)
                    .await());
            untilWaiting(selecting);
            long sent = millis();
            send(client, "x"); // after the select has begun to wait for nothing
            assertThat(selecting.join()).isEqualTo(sent + 10);
        });
    }

    @Test
    void latency_keepsTheOrderOfBytes() throws Exception {
        net.all().latency(Duration.ZERO, Duration.ofMillis(100));
        connected(() -> {
            StringBuilder sent = new StringBuilder();
            for (int i = 100; i < 200; i++) {
                send(client, "" + i);
                sent.append(i);
            }
            assertThat(receive(server, 300)).isEqualTo(sent.toString());
        });
    }

    @Test
    void bandwidth_isHowMuchPassesInASecond() throws Exception {
        connected(() -> {
            link().bandwidth(1_000);
            send(client, "x".repeat(500));
            send(client, "x".repeat(500));
            assertThat(read(server)).isEqualTo(100);
            assertThat(millis()).isEqualTo(500);
            assertThat(receive(server, 900)).hasSize(900);
            assertThat(millis()).isEqualTo(1_000);
        });
    }

    @Test
    void loss_delaysByRetransmission_andLosesNothing() throws Exception {
        connected(() -> {
            link().loss(0.5);
            long before = millis();
            int late = 0;
            for (int i = 0; i < 100; i++) {
                send(client, "x");
                assertThat(read(server)).isEqualTo(1);
                long took = millis() - before;
                assertThat(took % 200).isZero();
                late += took > 0 ? 1 : 0;
                before = millis();
            }
            assertThat(late).isBetween(30, 70);
        });
    }

    @Test
    void loss_ofWhatAsksForAConnection_delaysByWholeSeconds() throws Exception {
        net.all().loss(0.3);
        test.run(() -> {
            listener = net.listen("server", 80);
            int late = 0;
            for (int i = 0; i < 20; i++) {
                long before = millis();
                net.connect("client", "server", 80);
                long took = millis() - before;
                assertThat(took % 1_000).isZero();
                late += took > 0 ? 1 : 0;
            }
            assertThat(late).isBetween(5, 19);
        });
    }

    @Test
    void sameSeed_givesTheSameTimes_toTheNanosecond() throws Exception {
        List<String> first = times(1);
        assertThat(times(1)).isEqualTo(first);
        assertThat(times(2)).isNotEqualTo(first);
        assertThat(first).hasSizeGreaterThan(50);
    }

    private static List<String> times(long seed) throws Exception {
        List<String> times = new ArrayList<>();
        try (TestRuntime test = TestRuntime.seeded(9)) {
            SimNet net = SimNet.of(Rng.of(seed));
            net.all().latencyExponential(Duration.ofMillis(50)).loss(0.1).fragments(40);
            net.all().shortWrites(50);
            test.run(() -> {
                SimListener listener = net.listen("server", 80);
                for (int i = 0; i < 3; i++) {
                    SimStream client = net.connect("client", "server", 80);
                    SimStream server = listener.accept();
                    Task.spawn(() -> {
                        client.writeAll(ByteBuffer.allocate(1_000));
                        client.shutdownOutput();
                    });
                    for (int count; (count = read(server)) >= 0; ) {
                        times.add(count + " at " + test.nanoTime());
                    }
                }
            });
        }
        return times;
    }

    /* ---------------- Pieces and windows -------------- */

    @Test
    void fragments_areWhatReadsGive() throws Exception {
        connected(() -> {
            link().fragments(3);
            send(client, "abcdefghijklmnopqrstuvwxyz");
            List<Integer> counts = new ArrayList<>();
            StringBuilder all = new StringBuilder();
            while (all.length() < 26) {
                ByteBuffer buffer = ByteBuffer.allocate(100);
                counts.add(server.read(buffer));
                all.append(new String(buffer.array(), 0, buffer.position(), US_ASCII));
            }
            assertThat(all).hasToString("abcdefghijklmnopqrstuvwxyz");
            assertThat(counts).containsOnly(1, 2, 3).contains(1, 2, 3);
            link().fragments(1);
            send(client, "xyz");
            assertThat(read(server)).isEqualTo(1);
        });
    }

    @Test
    void shortWrites_areWhatWritesTake() throws Exception {
        connected(() -> {
            link().shortWrites(2);
            assertThat(client.write(bytes("abcdef"))).isBetween(1, 2);
            assertThat(client.tryWrite(bytes("abcdef"))).isBetween(1, 2);
            send(client, "whole");
            client.close();
            assertThat(receive(server, 100)).startsWith("a").endsWith("whole");
        });
    }

    @Test
    void window_holdsUpTheWriterOfASlowReader() throws Exception {
        connected(() -> {
            link().window(10);
            JoinHandle<Long> writer = Task.spawn(() -> {
                send(client, "x".repeat(40));
                return millis();
            });
            untilWaiting(writer);
            for (int i = 0; i < 4; i++) {
                assertThat(read(server)).isEqualTo(10);
                Task.sleep(SECOND);
            }
            assertThat(writer.join()).isBetween(2_000L, 2_100L); // with the third read there is room for the last ten
        });
    }

    @Test
    void window_thatGrows_letsTheWriterGoOn() throws Exception {
        connected(() -> {
            fill(client);
            JoinHandle<?> writer = Task.spawn(() -> send(client, "x"));
            untilWaiting(writer);
            link().window(2 * Conditions.WINDOW);
            writer.join();
        });
    }

    /* ---------------- Partition, hold -------------- */

    @Test
    void partition_letsReadsWait_untilTheirTimeout() throws Exception {
        connected(() -> {
            link().partition();
            send(client, "lost");
            assertThatThrownBy(() -> readWithin(server, SECOND)).isInstanceOf(SocketTimeoutException.class);
            assertThat(millis()).isEqualTo(1_000);
        });
    }

    @Test
    void partition_losesWhatIsUnderWay_andRepairSendsItAgain() throws Exception {
        net.all().latency(Duration.ofMillis(10));
        connected(() -> {
            send(client, "under way");
            client.shutdownOutput();
            link().partition();
            JoinHandle<Long> reader = Task.spawn(() -> {
                assertThat(receive(server, 100)).isEqualTo("under way");
                return millis();
            });
            Task.sleep(SECOND);
            link().repair();
            assertThat(reader.join()).isEqualTo(20 + 1_000 + 200 + 10);
        });
    }

    @Test
    void partition_fillsTheWindow_thoughTheOtherSideReads() throws Exception {
        connected(() -> {
            send(client, "x".repeat(100));
            server.tryRead(ByteBuffer.allocate(1));
            link().partition();
            assertThat(read(server)).isEqualTo(99);
            fill(client);
            JoinHandle<?> writer = Task.spawn(() -> send(client, "y"));
            assertThatThrownBy(() -> writer.join(Duration.ofHours(1)))
                    .isInstanceOf(java.util.concurrent.TimeoutException.class);
            link().repair(); // and what was read meanwhile is known
            writer.join();
        });
    }

    @Test
    void partition_inOneDirection_letsTheOtherPass() throws Exception {
        connected(() -> {
            net.oneWay("server", "client").partition();
            send(client, "question");
            assertThat(receive(server, 8)).isEqualTo("question");
            send(server, "answer");
            assertThatThrownBy(() -> readWithin(client, SECOND)).isInstanceOf(SocketTimeoutException.class);
            net.oneWay("server", "client").repair();
            assertThat(receive(client, 6)).isEqualTo("answer");
        });
    }

    @Test
    void partition_isOfThoseTwoHosts_andOfNoOthers() throws Exception {
        connected(() -> {
            SimStream other = net.connect("other", "server", 80);
            link().partition();
            send(other, "x");
            assertThat(readWithin(listener.accept(), SECOND)).isEqualTo(1);
        });
    }

    @Test
    void partition_letsConnectsTimeOut() throws Exception {
        test.run(() -> {
            listener = net.listen("server", 80);
            link().partition();
            assertThatThrownBy(() -> net.connect("client", "server", 80, SECOND))
                    .isInstanceOf(SocketTimeoutException.class);
            assertThat(millis()).isEqualTo(1_000);
            assertThatThrownBy(() -> net.connect("client", "server", 80))
                    .isInstanceOf(ConnectException.class)
                    .hasMessageContaining("Connection timed out");
            assertThat(millis()).isEqualTo(128_000); // and 127 s, as long as Linux tries
            assertThatThrownBy(() -> listener.accept(SECOND)).isInstanceOf(SocketTimeoutException.class);
            assertThat(net.open()).containsExactly("SimListener[server:80]");
        });
    }

    @Test
    void partition_thatIsRepaired_letsAConnectThrough() throws Exception {
        test.run(() -> {
            listener = net.listen("server", 80);
            link().partition();
            JoinHandle<Long> connecting = Task.spawn(() -> {
                net.connect("client", "server", 80);
                return millis();
            });
            Task.sleep(Duration.ofMillis(2_500));
            link().repair();
            assertThat(connecting.join()).isEqualTo(3_000); // asked at 0, 1 and 3 s
        });
    }

    @Test
    void hold_keepsAll_andReleaseDeliversAtOnce() throws Exception {
        connected(() -> {
            link().hold();
            send(client, "held");
            JoinHandle<SimStream> connecting = Task.spawn(() -> net.connect("client", "server", 80));
            assertThatThrownBy(() -> readWithin(server, Duration.ofMinutes(10)))
                    .isInstanceOf(SocketTimeoutException.class);
            assertThat(connecting.isDone()).isFalse();
            link().release();
            assertThat(server.tryRead(ByteBuffer.allocate(10))).isEqualTo(4);
            assertThat(connecting.join().isOpen()).isTrue();
            assertThat(millis()).isEqualTo(600_000);
        });
    }

    @Test
    void hold_wakesASelect_whenItIsReleased() throws Exception {
        connected(() -> {
            link().hold();
            send(client, "held");
            JoinHandle<Boolean> selecting = Task.spawn(
                    () -> Select.<Boolean>of().on(server.readable(), () -> true).await());
            Task.sleep(SECOND);
            assertThat(selecting.isDone()).isFalse();
            link().release();
            assertThat(selecting.join()).isTrue();
        });
    }

    /* ---------------- Resets -------------- */

    @Test
    void reset_inTheMiddleOfAFrame_failsBothSides_andLosesWhatIsUnread() throws Exception {
        connected(() -> {
            send(server, "half a fra");
            assertThat(client.read(ByteBuffer.allocate(4))).isEqualTo(4);
            JoinHandle<?> reader = Task.spawn(() -> read(server));
            untilWaiting(reader);
            client.reset();
            assertCause(reader, SocketException.class, "server:80 -> client:49152: Connection reset");
            assertThatThrownBy(() -> read(client))
                    .isInstanceOf(SocketException.class)
                    .hasMessage("client:49152 -> server:80: Connection reset");
            assertThatThrownBy(() -> send(client, "x"))
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("Broken pipe");
            assertThat(client.isOpen()).isTrue();
        });
    }

    @Test
    void reset_failsAWriteThatWaits_andASelect() throws Exception {
        connected(() -> {
            fill(client);
            JoinHandle<?> writer = Task.spawn(() -> send(client, "x"));
            untilWaiting(writer);
            JoinHandle<Boolean> selecting = Task.spawn(
                    () -> Select.<Boolean>of().on(client.writable(), () -> true).await());
            untilWaiting(selecting);
            link().reset();
            assertCause(writer, SocketException.class, "Connection reset");
            assertThat(selecting.join()).isTrue();
        });
    }

    @Test
    void reset_ofALink_isOfAllItsConnections() throws Exception {
        connected(() -> {
            SimStream second = net.connect("client", "server", 80);
            SimStream other = net.connect("other", "server", 80);
            net.oneWay("server", "client").reset();
            for (SimStream stream : List.of(client, second)) {
                assertThatThrownBy(() -> read(stream)).isInstanceOf(SocketException.class);
            }
            assertThatThrownBy(() -> readWithin(other, SECOND)).isInstanceOf(SocketTimeoutException.class);
        });
    }

    @Test
    void reset_afterTheEnd_leavesWhatCameBeforeIt() throws Exception {
        connected(() -> {
            send(server, "whole");
            server.closeWithReset();
            assertThatThrownBy(() -> read(client)).isInstanceOf(SocketException.class);
            SimStream other = net.connect("client", "server", 80);
            try (SimStream peer = listener.accept()) {
                send(peer, "whole");
                peer.shutdownOutput();
                Task.sleep(SECOND);
                peer.closeWithReset();
            }
            assertThatThrownBy(() -> send(other, "x"))
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("Broken pipe");
            assertThat(receive(other, 100)).isEqualTo("whole");
        });
    }

    @Test
    void write_toAPeerThatHasClosed_isAnsweredWithAReset() throws Exception {
        net.all().latency(Duration.ofMillis(10));
        connected(() -> {
            server.close();
            send(client, "nobody reads it");
            JoinHandle<?> writer = Task.spawn(() -> client.writeAll(ByteBuffer.allocate(2 * Conditions.WINDOW)));
            assertCause(writer, SocketException.class, "Broken pipe"); // since the end had arrived before
            assertThat(millis()).isEqualTo(40);
        });
    }

    /* ---------------- Hosts that are gone -------------- */

    @Test
    void vanish_leavesThePeerWithoutNews() throws Exception {
        connected(() -> {
            JoinHandle<?> own = Task.spawn(() -> read(server));
            untilWaiting(own);
            server.vanish();
            assertCause(own, AsynchronousCloseException.class);
            assertThatThrownBy(() -> readWithin(client, Duration.ofDays(1))).isInstanceOf(SocketTimeoutException.class);
            fill(client);
            JoinHandle<?> writer = Task.spawn(() -> send(client, "x"));
            assertThatThrownBy(() -> writer.join(Duration.ofDays(1)))
                    .isInstanceOf(java.util.concurrent.TimeoutException.class);
            assertThat(net.open()).containsExactly("SimListener[server:80]", "client:49152 -> server:80");
        });
    }

    @Test
    void crash_letsConnectsTimeOut_andRestartRefusesThem() throws Exception {
        connected(() -> {
            JoinHandle<?> accepting = Task.spawn(() -> listener.accept());
            untilWaiting(accepting);
            net.crash("server");
            assertCause(accepting, AsynchronousCloseException.class);
            assertThatThrownBy(() -> net.connect("client", "server", 80, SECOND))
                    .isInstanceOf(SocketTimeoutException.class);
            net.restart("server");
            assertThatThrownBy(() -> net.connect("client", "server", 80))
                    .isInstanceOf(ConnectException.class)
                    .hasMessage("cannot connect to server:80: Connection refused");
            try (SimListener again = net.listen("server", 80)) {
                net.connect("client", "server", 80);
                assertThat(again.tryAccept()).isNotNull();
            }
        });
    }

    @Test
    void restart_answersOldConnectionsWithAReset() throws Exception {
        connected(() -> {
            send(client, "before");
            net.crash("server");
            JoinHandle<?> reader = Task.spawn(() -> read(client));
            Task.sleep(SECOND);
            assertThat(reader.isDone()).isFalse();
            net.restart("server");
            Task.sleep(SECOND);
            assertThat(reader.isDone()).isFalse(); // it has arrived before, and nothing since
            send(client, "after");
            assertCause(reader, SocketException.class, "Connection reset");
        });
    }

    @Test
    void restart_resetsWhoHasWrittenMeanwhile() throws Exception {
        connected(() -> {
            net.crash("server");
            send(client, "into the dark");
            JoinHandle<?> reader = Task.spawn(() -> read(client));
            Task.sleep(SECOND);
            assertThat(reader.isDone()).isFalse();
            net.restart("server");
            assertCause(reader, SocketException.class, "Connection reset");
            assertThat(millis()).isEqualTo(1_200); // when it was sent again
        });
    }

    @Test
    void restart_losesWhatTheHostHadSent() throws Exception {
        net.all().latency(Duration.ofMillis(10));
        connected(() -> {
            send(server, "lost");
            send(client, "asked");
            net.crash("server");
            net.restart("server");
            assertThatThrownBy(() -> read(client))
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("Connection reset");
            assertThat(millis()).isEqualTo(20 + 200 + 10 + 10); // sent again, arrived, answered
        });
    }

    /* ---------------- Listeners -------------- */

    @Test
    void connect_isRefused_whereNobodyListens() throws Exception {
        net.all().latency(Duration.ofMillis(10));
        test.run(() -> {
            assertThatThrownBy(() -> net.connect("client", "nowhere", 80))
                    .isInstanceOf(ConnectException.class)
                    .hasMessage("cannot connect to nowhere:80: Connection refused");
            assertThat(millis()).isEqualTo(20);
            assertThat(net.open()).isEmpty();
        });
    }

    @Test
    void connect_isNotAnswered_whileTheBacklogIsFull() throws Exception {
        test.run(() -> {
            listener = net.listen("server", 80, 1);
            net.connect("client", "server", 80);
            assertThatThrownBy(() -> net.connect("client", "server", 80, Duration.ofMillis(500)))
                    .isInstanceOf(SocketTimeoutException.class);
            JoinHandle<Long> connecting = Task.spawn(() -> {
                net.connect("client", "server", 80);
                return millis();
            });
            Task.sleep(Duration.ofMillis(200));
            listener.accept();
            assertThat(connecting.join()).isEqualTo(1_500);
        });
    }

    @Test
    void connect_thatIsCancelled_leavesAResetToTheListener() throws Exception {
        net.all().latency(Duration.ofMillis(10));
        test.run(() -> {
            listener = net.listen("server", 80);
            JoinHandle<?> connecting = Task.spawn(() -> net.connect("client", "server", 80));
            SimStream accepted = listener.accept(); // and the client does not know yet
            connecting.abort();
            assertThatThrownBy(() -> read(accepted))
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("Connection reset");
            accepted.close();
            JoinHandle<?> earlier = Task.spawn(() -> net.connect("client", "server", 80));
            untilWaiting(earlier);
            earlier.abort();
            assertThatThrownBy(() -> listener.accept(SECOND)).isInstanceOf(SocketTimeoutException.class);
            assertThat(net.open()).containsExactly("SimListener[server:80]");
        });
    }

    @Test
    void accept_fails_asOftenAsIsSaid_andTheConnectionIsKept() throws Exception {
        test.run(() -> {
            listener = net.listen("server", 80);
            listener.failAccepts(2);
            assertThatThrownBy(() -> listener.accept(SECOND)).isInstanceOf(SocketTimeoutException.class);
            SimStream stream = net.connect("client", "server", 80);
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> listener.accept())
                        .isExactlyInstanceOf(IOException.class)
                        .hasMessage("Too many open files");
            }
            send(stream, "x");
            assertThat(read(listener.accept())).isEqualTo(1);
        });
    }

    @Test
    void tcpServer_survivesAcceptsThatFail() throws Exception {
        test.run(() -> {
            listener = net.listen("server", 80);
            listener.failAccepts(10);
            JoinHandle<?> serving = Task.spawn(() -> TcpServer.serve(listener, stream -> Network.echo(stream)));
            try (SimStream stream = net.connect("client", "server", 80)) {
                send(stream, "after all");
                assertThat(receive(stream, 9)).isEqualTo("after all");
            }
            assertThat(millis()).isBetween(500L, 1_000L); // 5, 10, 20, ... 100 ms between its attempts
            serving.abort();
            serving.result();
        });
    }

    /* ---------------- Waits -------------- */

    @Test
    void read_thatIsCancelledWhileBytesAreUnderWay_losesNone() throws Exception {
        net.all().latency(Duration.ofMillis(10));
        connected(() -> {
            send(client, "kept");
            JoinHandle<?> reader = Task.spawn(() -> read(server));
            untilWaiting(reader);
            reader.abort();
            assertThatThrownBy(reader::join).isInstanceOf(InterruptedException.class);
            assertThat(receive(server, 4)).isEqualTo("kept");
        });
    }

    @Test
    void wait_onAnotherClock_isRefused() throws Exception {
        connected(() -> send(client, "x"));
        assertThat(server.tryRead(ByteBuffer.allocate(1))).isEqualTo(1); // waits for nothing
        assertThatThrownBy(() -> read(server)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> net.connect("client", "server", 80)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> Select.<Boolean>of().on(server.readable(), () -> true))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void deadlock_namesTheConnection() {
        assertThatThrownBy(() -> connected(() -> read(client)))
                .hasMessageContaining("deadlock")
                .hasMessageContaining("connection client:49152 -> server:80");
    }

    @Test
    void nothingIsLeftArmed_byWhatIsUnderWay() throws Exception {
        net.all().latency(Duration.ofHours(1));
        connected(() -> send(client, "x"));
        assertThat(test.timers()).isZero();
    }

    @Test
    void interruption_tellsOfItselfAlike() throws Exception {
        connected(() -> {
            JoinHandle<?> reader = Task.spawn(() -> {
                assertThatThrownBy(() -> read(client)).isInstanceOf(InterruptedIOException.class);
            });
            untilWaiting(reader);
            test.interrupt(reader);
            reader.join();
        });
    }

    /* ---------------- Arguments -------------- */

    @Test
    void badInput_isNamed() throws Exception {
        SimLink link = net.all();
        assertBad(() -> link.loss(1), "probability=1.0 must be");
        assertBad(() -> link.loss(Double.NaN), "probability=NaN must be");
        assertBad(() -> link.latency(Duration.ofMillis(-1)), "latency=PT-0.001S must be");
        assertBad(() -> link.latency(SECOND, Duration.ZERO), "most=PT0S must be at least least=PT1S");
        assertBad(() -> link.latencyExponential(Duration.ofDays(366)), "mean=PT8784H must be");
        assertBad(() -> link.bandwidth(0), "bytesPerSecond=0 must be");
        assertBad(() -> link.window(0), "bytes=0 must be");
        assertBad(() -> link.fragments(0), "most=0 must be");
        assertBad(() -> link.shortWrites(-1), "most=-1 must be");
        assertBad(() -> net.link("", "b"), "one=\"\" must be");
        assertBad(() -> listening(65_536, 1), "port=65536 must be");
        assertBad(() -> listening(0, 0), "backlog=0 must be");
        assertBad(() -> net.listen("a", 0).failAccepts(-1), "times=-1 must be");
        SimListener first = net.listen("a", 80);
        assertThatThrownBy(() -> net.listen("a", 80))
                .isInstanceOf(java.net.BindException.class)
                .hasMessage("cannot listen on a:80: Address already in use");
        first.close();
        net.listen("a", 80);
    }

    private void listening(int port, int backlog) throws IOException {
        net.listen("a", port, backlog);
    }

    private static void assertBad(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String message) {
        assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessageStartingWith(message);
    }
}
