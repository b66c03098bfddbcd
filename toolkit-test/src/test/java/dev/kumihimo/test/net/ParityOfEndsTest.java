package dev.kumihimo.test.net;

import static dev.kumihimo.test.net.Network.bytes;
import static dev.kumihimo.test.net.Network.fill;
import static dev.kumihimo.test.net.Network.receive;
import static dev.kumihimo.test.net.Network.send;
import static dev.kumihimo.test.net.Network.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.io.ByteStream;
import dev.kumihimo.net.StreamListener;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.select.Select;
import dev.kumihimo.test.net.Network.Pair;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** How connections and listeners come about and end, on loopback and on a {@link SimNet} alike. */
@Timeout(60)
class ParityOfEndsTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private static void assertCause(JoinHandle<?> task, Class<? extends Throwable> type, String... words) {
        var thrown = assertThatThrownBy(() -> task.join(LONG)).cause().isInstanceOf(type);
        for (String word : words) {
            thrown.hasMessageContaining(word);
        }
    }

    /** Writes until it fails, as it does within moments. */
    private static ThrowingCallable writing(ByteStream stream) {
        return () -> {
            for (int i = 0; i < 10_000; i++) {
                stream.writeAll(bytes("more"));
                Task.sleep(Duration.ofMillis(1));
            }
        };
    }

    private static void untilReadable(ByteStream stream) throws InterruptedException {
        assertThat(Select.<Boolean>of()
                        .on(stream.readable(), () -> true)
                        .after(LONG, () -> false)
                        .await())
                .isTrue();
    }

    private static int read(ByteStream stream) throws IOException {
        return stream.read(ByteBuffer.allocate(10));
    }

    /* ---------------- Connecting and accepting -------------- */

    @ParameterizedTest
    @EnumSource
    void connect_isRefused_whereNobodyListensAnyMore(Network network) throws Exception {
        network.run(sockets -> {
            StreamListener<? extends ByteStream> listener = sockets.listen();
            listener.close();
            assertThatThrownBy(() -> sockets.connect(listener))
                    .isInstanceOf(ConnectException.class)
                    .hasMessageContaining("Connection refused");
        });
    }

    @ParameterizedTest
    @EnumSource
    void connect_doesNotWaitForAccept_norDoesTheFirstWrite(Network network) throws Exception {
        network.run(sockets -> {
            StreamListener<? extends ByteStream> listener = sockets.listen();
            ByteStream client = sockets.connect(listener);
            send(client, "early");
            client.shutdownOutput();
            assertThat(receive(sockets.accept(listener), 10)).isEqualTo("early");
        });
    }

    @ParameterizedTest
    @EnumSource
    void accept_givesConnectionsInTheirOrder(Network network) throws Exception {
        network.run(sockets -> {
            StreamListener<? extends ByteStream> listener = sockets.listen();
            for (int i = 0; i < 10; i++) {
                send(sockets.connect(listener), "" + i);
            }
            for (int i = 0; i < 10; i++) {
                assertThat(receive(sockets.accept(listener), 1)).isEqualTo("" + i);
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void tryAccept_givesAConnection_orNull(Network network) throws Exception {
        network.run(sockets -> {
            StreamListener<? extends ByteStream> listener = sockets.listen();
            assertThat(listener.tryAccept()).isNull();
            send(sockets.connect(listener), "x");
            ByteStream accepted;
            while ((accepted = listener.tryAccept()) == null) {
                Task.yieldNow(); // who has connected may be ahead of who listens
            }
            assertThat(receive(sockets.opened(accepted), 1)).isEqualTo("x");
            assertThat(listener.tryAccept()).isNull();
        });
    }

    @ParameterizedTest
    @EnumSource
    void peerName_isWhatTheClientIsCalled(Network network) throws Exception {
        network.run(sockets -> assertPeerName(sockets, sockets.listen()));
    }

    @SuppressWarnings("unchecked") // it is what the listener has accepted
    private static <S extends ByteStream> void assertPeerName(Network.Sockets sockets, StreamListener<S> listener)
            throws Exception {
        ByteStream client = sockets.connect(listener);
        ByteStream server = sockets.accept(listener);
        assertThat(listener.peerName((S) server)).isEqualTo(sockets.nameOf(client));
        String[] ends = client.toString().split(" -> ");
        assertThat(server.toString()).isEqualTo(ends[1] + " -> " + ends[0]);
    }

    /* ---------------- Closing -------------- */

    @ParameterizedTest
    @EnumSource
    void close_endsTheWaitsOfOthers(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            ByteStream stream = pair.client();
            fill(stream);
            List<JoinHandle<?>> waiting = new ArrayList<>();
            waiting.add(Task.spawn(() -> read(stream)));
            untilWaiting(waiting.get(0));
            waiting.add(Task.spawn(() -> stream.read(ByteBuffer.allocate(10), LONG))); // waits for its turn
            waiting.add(Task.spawn(() -> stream.writeAll(ByteBuffer.allocate(network.bulk))));
            untilWaiting(waiting.get(2));
            waiting.add(Task.spawn(() -> stream.write(bytes("turn"))));
            untilWaiting(waiting.get(1));
            untilWaiting(waiting.get(3));
            stream.close();
            for (JoinHandle<?> task : waiting) {
                assertCause(task, AsynchronousCloseException.class);
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void close_ofTheListener_endsAccepts(Network network) throws Exception {
        network.run(sockets -> {
            StreamListener<? extends ByteStream> listener = sockets.listen();
            JoinHandle<?> first = Task.spawn(() -> listener.accept());
            JoinHandle<?> second = Task.spawn(() -> listener.accept(LONG));
            untilWaiting(first);
            untilWaiting(second);
            assertThat(listener.isOpen()).isTrue();
            listener.close();
            listener.close();
            assertCause(first, AsynchronousCloseException.class);
            assertCause(second, ClosedChannelException.class); // waits for its turn
            assertThat(listener.isOpen()).isFalse();
            assertThatThrownBy(listener::accept).isExactlyInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(listener::tryAccept).isExactlyInstanceOf(ClosedChannelException.class);
        });
    }

    @ParameterizedTest
    @EnumSource
    void close_ofTheListener_leavesWhatWasAccepted(Network network) throws Exception {
        network.run(sockets -> {
            StreamListener<? extends ByteStream> listener = sockets.listen();
            ByteStream client = sockets.connect(listener);
            ByteStream server = sockets.accept(listener);
            listener.close();
            send(client, "on");
            assertThat(receive(server, 2)).isEqualTo("on");
        });
    }

    @ParameterizedTest
    @EnumSource
    void close_ofTheListener_resetsWhatWasNot(Network network) throws Exception {
        network.run(sockets -> {
            StreamListener<? extends ByteStream> listener = sockets.listen();
            ByteStream client = sockets.connect(listener);
            listener.close();
            assertThatThrownBy(() -> read(client))
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("reset");
        });
    }

    @ParameterizedTest
    @EnumSource
    void operations_throwClosedChannel_afterClose(Network network) throws Exception {
        network.run(sockets -> {
            ByteStream stream = sockets.pair().client();
            assertThat(stream.isOpen()).isTrue();
            stream.close();
            stream.close();
            assertThat(stream.isOpen()).isFalse();
            ByteBuffer one = ByteBuffer.allocate(1);
            List<ThrowingCallable> operations = List.of(
                    () -> stream.read(one),
                    () -> stream.read(one, Duration.ZERO),
                    () -> stream.tryRead(one),
                    () -> stream.write(one),
                    () -> stream.writeAll(one),
                    () -> stream.tryWrite(one),
                    stream::shutdownOutput);
            for (ThrowingCallable operation : operations) {
                assertThatThrownBy(operation).isExactlyInstanceOf(ClosedChannelException.class);
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void writes_throwClosedChannel_afterShutdownOutput(Network network) throws Exception {
        network.run(sockets -> {
            ByteStream stream = sockets.pair().client();
            stream.shutdownOutput();
            assertThatThrownBy(() -> stream.write(bytes("x"))).isInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(() -> stream.writeAll(bytes("x"))).isInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(() -> stream.tryWrite(bytes("x"))).isInstanceOf(ClosedChannelException.class);
        });
    }

    @ParameterizedTest
    @EnumSource
    void close_deliversWhatWasWritten(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            send(pair.client(), "before the end");
            pair.client().close();
            assertThat(receive(pair.server(), 100)).isEqualTo("before the end");
        });
    }

    @ParameterizedTest
    @EnumSource
    void close_endsAReadOfThePeer(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            JoinHandle<Integer> reader = Task.spawn(() -> read(pair.server()));
            untilWaiting(reader);
            pair.client().close();
            assertThat(reader.join(LONG)).isEqualTo(-1);
        });
    }

    @ParameterizedTest
    @EnumSource
    void close_withUnreadBytes_failsWhatThePeerWrites(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            send(pair.client(), "unread");
            untilReadable(pair.server());
            pair.server().close();
            untilReadable(pair.client()); // of a reset; or of the end, since the JDK ends the output before it closes
            assertThatThrownBy(writing(pair.client())).isInstanceOf(SocketException.class);
        });
    }

    @ParameterizedTest
    @EnumSource
    void write_fails_afterThePeerHasClosed(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            pair.server().close();
            assertThatThrownBy(writing(pair.client()))
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining(pair.client().toString());
            assertThatThrownBy(() -> send(pair.client(), "x"))
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("Broken pipe");
        });
    }

    /* ---------------- Resets -------------- */

    @ParameterizedTest
    @EnumSource
    void reset_failsAReadThatWaits_andLaterOnes(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            JoinHandle<?> reader = Task.spawn(() -> read(pair.client()));
            untilWaiting(reader);
            sockets.reset(pair.server());
            assertCause(
                    reader,
                    SocketException.class,
                    "Connection reset",
                    pair.client().toString());
            assertThatThrownBy(() -> read(pair.client())).isInstanceOf(SocketException.class);
            assertThatThrownBy(() -> pair.client().tryRead(ByteBuffer.allocate(1)))
                    .isInstanceOf(SocketException.class);
            assertThat(pair.client().isOpen()).isTrue();
        });
    }

    @ParameterizedTest
    @EnumSource
    void reset_failsAWriteThatWaits_andLaterOnes(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            JoinHandle<?> writer = Task.spawn(() -> pair.client().writeAll(ByteBuffer.allocate(network.bulk)));
            untilWaiting(writer);
            sockets.reset(pair.server());
            assertCause(writer, SocketException.class, pair.client().toString());
            assertThatThrownBy(() -> send(pair.client(), "x"))
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("Broken pipe");
            assertThatThrownBy(() -> pair.client().tryWrite(bytes("x"))).isInstanceOf(SocketException.class);
        });
    }

    @ParameterizedTest
    @EnumSource
    void reset_comesAfterWhatWasRead(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            send(pair.server(), "half a me");
            assertThat(receive(pair.client(), 9)).isEqualTo("half a me");
            sockets.reset(pair.server());
            assertThatThrownBy(() -> read(pair.client()))
                    .isInstanceOf(SocketException.class)
                    .hasMessageContaining("Connection reset");
        });
    }

    @ParameterizedTest
    @EnumSource
    void reset_afterTheEnd_leavesTheEnd(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            send(pair.server(), "whole");
            pair.server().shutdownOutput();
            assertThat(receive(pair.client(), 5)).isEqualTo("whole");
            untilReadable(pair.client());
            sockets.reset(pair.server());
            assertThatThrownBy(writing(pair.client())).isInstanceOf(SocketException.class);
            assertThat(read(pair.client())).isEqualTo(-1);
        });
    }

    @ParameterizedTest
    @EnumSource
    void shutdownOutput_isNoError_afterAReset(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            sockets.reset(pair.server());
            assertThatThrownBy(() -> read(pair.client())).isInstanceOf(SocketException.class);
            pair.client().shutdownOutput();
        });
    }
}
