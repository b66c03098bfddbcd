package dev.kumihimo.test.net;

import static dev.kumihimo.test.net.Network.bytes;
import static dev.kumihimo.test.net.Network.pattern;
import static dev.kumihimo.test.net.Network.receive;
import static dev.kumihimo.test.net.Network.send;
import static dev.kumihimo.test.net.Network.untilWaiting;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.codec.Framed;
import dev.kumihimo.codec.LinesCodec;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.io.ByteStreams;
import dev.kumihimo.io.ReadHalf;
import dev.kumihimo.io.WriteHalf;
import dev.kumihimo.net.StreamListener;
import dev.kumihimo.net.TcpServer;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.select.Select;
import dev.kumihimo.test.net.Network.Pair;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What sockets carry, on loopback and on a {@link SimNet} alike. */
@Timeout(60)
class ParityOfDataTest {
    @ParameterizedTest
    @EnumSource
    void echo_returnsWhatWasSent(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            JoinHandle<Void> server = Task.spawn(() -> Network.echo(pair.server()));
            for (int i = 0; i < 10; i++) {
                send(pair.client(), "hello " + i);
                assertThat(receive(pair.client(), 7)).isEqualTo("hello " + i);
            }
            pair.client().shutdownOutput();
            server.join();
        });
    }

    @ParameterizedTest
    @EnumSource
    void read_givesNoMoreThanIsWanted_andKeepsTheRest(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            send(pair.client(), "abcdefgh");
            assertThat(receive(pair.server(), 2)).isEqualTo("ab");
            assertThat(receive(pair.server(), 5)).isEqualTo("cdefg");
            send(pair.client(), "i");
            assertThat(receive(pair.server(), 2)).isEqualTo("hi");
        });
    }

    @ParameterizedTest
    @EnumSource
    void writeAll_waitsForAReader_andDeliversAllInOrder(Network network) throws Exception {
        byte[] sent = pattern(network.bulk);
        network.run(sockets -> {
            Pair pair = sockets.pair();
            JoinHandle<Void> writer = Task.spawn(() -> {
                pair.client().writeAll(ByteBuffer.wrap(sent));
                pair.client().shutdownOutput();
            });
            untilWaiting(writer);
            byte[] received = pair.server().inputStream().readAllBytes();
            writer.join();
            assertThat(Arrays.equals(received, sent)).isTrue();
        });
    }

    @ParameterizedTest
    @EnumSource
    void bothDirections_carryMuchAtOnce(Network network) throws Exception {
        byte[] sent = pattern(network.bulk / 4);
        network.run(sockets -> {
            Pair pair = sockets.pair();
            List<JoinHandle<byte[]>> readers = new ArrayList<>();
            for (ByteStream stream : List.of(pair.client(), pair.server())) {
                Task.spawn(() -> {
                    stream.writeAll(ByteBuffer.wrap(sent));
                    stream.shutdownOutput();
                });
                readers.add(Task.spawn(() -> stream.inputStream().readAllBytes()));
            }
            for (JoinHandle<byte[]> reader : readers) {
                assertThat(Arrays.equals(reader.join(), sent)).isTrue();
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void emptyBuffers_transferNothing_andDoNotWait(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            ByteBuffer none = ByteBuffer.allocate(0);
            assertThat(pair.client().write(none)).isZero();
            assertThat(pair.client().tryWrite(none)).isZero();
            pair.client().writeAll(none);
            assertThat(pair.client().read(none)).isZero();
            assertThat(pair.client().read(none, Duration.ZERO)).isZero();
            assertThat(pair.client().tryRead(none)).isZero();
        });
    }

    @ParameterizedTest
    @EnumSource
    void directBuffers_areAsGood(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            ByteBuffer direct = ByteBuffer.allocateDirect(6);
            pair.client().writeAll(direct.put(bytes("direct")).flip());
            direct.clear();
            while (direct.hasRemaining()) {
                pair.server().read(direct);
            }
            assertThat(direct.flip()).isEqualTo(bytes("direct"));
        });
    }

    @ParameterizedTest
    @EnumSource
    void shutdownOutput_ofTheClient_leavesTheOtherDirection(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            send(pair.client(), "question");
            pair.client().shutdownOutput();
            assertThat(receive(pair.server(), 100)).isEqualTo("question");
            send(pair.server(), "answer");
            pair.server().close();
            assertThat(receive(pair.client(), 100)).isEqualTo("answer");
        });
    }

    @ParameterizedTest
    @EnumSource
    void shutdownOutput_ofTheServer_leavesTheOtherDirection(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            pair.server().shutdownOutput();
            pair.server().shutdownOutput();
            assertThat(receive(pair.client(), 100)).isEmpty();
            send(pair.client(), "still");
            assertThat(receive(pair.server(), 5)).isEqualTo("still");
        });
    }

    @ParameterizedTest
    @EnumSource
    void end_isReadAgainAndAgain_afterAllBytes(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            send(pair.client(), "last");
            pair.client().close();
            assertThat(receive(pair.server(), 100)).isEqualTo("last");
            ByteBuffer buffer = ByteBuffer.allocate(1);
            assertThat(pair.server().read(buffer)).isEqualTo(-1);
            assertThat(pair.server().tryRead(buffer)).isEqualTo(-1);
            assertThat(pair.server().read(buffer, Duration.ZERO)).isEqualTo(-1);
        });
    }

    @ParameterizedTest
    @EnumSource
    void framed_exchangesLines(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            Framed<String, String> client = Framed.of(pair.client(), LinesCodec.of(100));
            Framed<String, String> server = Framed.of(pair.server(), LinesCodec.of(100));
            JoinHandle<Void> serving = Task.spawn(() -> {
                for (String line; (line = server.receiveOrNull()) != null; ) {
                    server.send(line + "!");
                }
            });
            for (int i = 0; i < 20; i++) {
                client.send("line " + i);
                assertThat(client.receive()).isEqualTo("line " + i + "!");
            }
            client.shutdownOutput();
            serving.join();
        });
    }

    @ParameterizedTest
    @EnumSource
    void framed_isSelectedOn(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            Framed<String, String> server = Framed.of(pair.server(), LinesCodec.of(100));
            JoinHandle<String> selecting = Task.spawn(() -> Select.<String>of()
                    .on(server, line -> line)
                    .after(Duration.ofSeconds(20), () -> "nothing")
                    .await());
            untilWaiting(selecting);
            send(pair.client(), "hal");
            Task.sleep(Duration.ofMillis(3));
            send(pair.client(), "f\n");
            assertThat(selecting.join()).isEqualTo("half");
        });
    }

    @ParameterizedTest
    @EnumSource
    void copyBidirectional_isAProxy(Network network) throws Exception {
        network.run(sockets -> {
            Pair front = sockets.pair();
            Pair back = sockets.pair();
            JoinHandle<ByteStreams.Copied> proxy =
                    Task.spawn(() -> ByteStreams.copyBidirectional(front.server(), back.client()));
            JoinHandle<Void> server = Task.spawn(() -> {
                Network.echo(back.server());
                back.server().shutdownOutput();
            });
            byte[] sent = pattern(50_000);
            Task.spawn(() -> {
                front.client().writeAll(ByteBuffer.wrap(sent));
                front.client().shutdownOutput();
            });
            assertThat(front.client().inputStream().readAllBytes()).isEqualTo(sent);
            server.join();
            assertThat(proxy.join()).isEqualTo(new ByteStreams.Copied(50_000, 50_000));
        });
    }

    @ParameterizedTest
    @EnumSource
    void halves_areUsedByTwoTasks(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            var halves = pair.client().split();
            JoinHandle<Void> writing = Task.spawn(() -> {
                try (WriteHalf output = halves.output()) {
                    output.writeAll(bytes("from a half"));
                    output.shutdownOutput();
                }
            });
            JoinHandle<Integer> reading = Task.spawn(() -> {
                try (ReadHalf input = halves.input()) {
                    return input.read(ByteBuffer.allocate(10));
                }
            });
            assertThat(receive(pair.server(), 100)).isEqualTo("from a half");
            send(pair.server(), "x");
            assertThat(reading.join()).isEqualTo(1);
            writing.join();
            assertThat(pair.client().isOpen()).isFalse();
        });
    }

    @ParameterizedTest
    @EnumSource
    void javaStreams_areViews(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            pair.client().outputStream().write(bytes("viewed").array());
            assertThat(new String(pair.server().inputStream().readNBytes(6), US_ASCII))
                    .isEqualTo("viewed");
        });
    }

    @ParameterizedTest
    @EnumSource
    void writers_takeTurns_andDoNotMix(Network network) throws Exception {
        int length = 30_000;
        network.run(sockets -> {
            Pair pair = sockets.pair();
            for (int i = 0; i < 5; i++) {
                byte[] same = new byte[length];
                Arrays.fill(same, (byte) i);
                Task.spawn(() -> pair.client().writeAll(ByteBuffer.wrap(same)));
            }
            byte[] all = pair.server().inputStream().readNBytes(5 * length);
            for (int i = 0; i < all.length; i++) {
                assertThat(all[i]).isEqualTo(all[i / length * length]);
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void manyConnections_areServedAtOnce(Network network) throws Exception {
        network.run(sockets -> {
            StreamListener<? extends ByteStream> listener = sockets.listen();
            JoinHandle<Void> server = serve(listener, sockets);
            List<JoinHandle<Void>> clients = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                String text = "client " + (100 + i);
                clients.add(Task.spawn(() -> {
                    ByteStream stream = sockets.connect(listener);
                    for (int round = 0; round < 5; round++) {
                        send(stream, text);
                        assertThat(receive(stream, 10)).isEqualTo(text);
                    }
                    stream.close();
                }));
            }
            for (JoinHandle<Void> client : clients) {
                client.join();
            }
            server.join();
        });
    }

    private static JoinHandle<Void> serve(StreamListener<? extends ByteStream> listener, Network.Sockets sockets) {
        return Task.spawn(() -> {
            List<JoinHandle<Void>> sessions = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                ByteStream session = sockets.accept(listener);
                sessions.add(Task.spawn(() -> {
                    try (session) {
                        Network.echo(session);
                    }
                }));
            }
            for (JoinHandle<Void> session : sessions) {
                session.join();
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void tcpServer_servesAndDrains(Network network) throws Exception {
        network.run(sockets -> {
            StreamListener<? extends ByteStream> listener = sockets.listen();
            TcpServer<? extends ByteStream> server = TcpServer.of(listener);
            JoinHandle<TcpServer.Report> serving = Task.spawn(() -> server.serve(stream -> Network.echo(stream)));
            ByteStream first = sockets.connect(listener);
            ByteStream second = sockets.connect(listener);
            for (ByteStream stream : List.of(first, second)) {
                send(stream, "ping");
                assertThat(receive(stream, 4)).isEqualTo("ping");
            }
            first.close();
            server.stop();
            send(second, "drained");
            assertThat(receive(second, 7)).isEqualTo("drained");
            second.close();
            TcpServer.Report report = serving.join();
            assertThat(report.accepted()).isEqualTo(2);
            assertThat(report.aborted()).isEmpty();
        });
    }
}
