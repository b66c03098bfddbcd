package dev.kumihimo.test.net;

import static dev.kumihimo.test.net.Network.bytes;
import static dev.kumihimo.test.net.Network.fill;
import static dev.kumihimo.test.net.Network.pattern;
import static dev.kumihimo.test.net.Network.receive;
import static dev.kumihimo.test.net.Network.send;
import static dev.kumihimo.test.net.Network.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.io.ByteStream;
import dev.kumihimo.net.StreamListener;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.select.Select;
import dev.kumihimo.select.Selectable;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.task.CancellationToken;
import dev.kumihimo.test.net.Network.Pair;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** How sockets wait, and stop waiting, on loopback and on a {@link SimNet} alike. */
@Timeout(60)
class ParityOfWaitsTest {
    private static final Duration SHORT = Duration.ofMillis(20);
    private static final Duration LONG = Duration.ofSeconds(20);

    private static boolean isReady(Selectable<?> what, Duration within) throws InterruptedException {
        return Select.<Boolean>of()
                .on(what, () -> true)
                .after(within, () -> false)
                .await();
    }

    /* ---------------- Time -------------- */

    @ParameterizedTest
    @EnumSource
    void read_endsAtItsTimeout_andTakesNothing(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            assertThatThrownBy(() -> pair.server().read(ByteBuffer.allocate(10), SHORT))
                    .isInstanceOf(SocketTimeoutException.class)
                    .hasMessageContaining(pair.server().toString());
            assertThatThrownBy(() -> pair.server().read(ByteBuffer.allocate(10), Duration.ZERO))
                    .isInstanceOf(SocketTimeoutException.class);
            send(pair.client(), "late");
            assertThat(receive(pair.server(), 4)).isEqualTo("late");
        });
    }

    @ParameterizedTest
    @EnumSource
    void read_withoutTime_takesWhatIsThere(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            send(pair.client(), "x");
            assertThat(isReady(pair.server().readable(), LONG)).isTrue();
            assertThat(pair.server().read(ByteBuffer.allocate(1), Duration.ZERO))
                    .isEqualTo(1);
        });
    }

    @ParameterizedTest
    @EnumSource
    void read_inTime_returnsWhatComes(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            JoinHandle<Integer> reader = Task.spawn(() -> pair.server().read(ByteBuffer.allocate(1), LONG));
            untilWaiting(reader);
            send(pair.client(), "x");
            assertThat(reader.join()).isEqualTo(1);
        });
    }

    @ParameterizedTest
    @EnumSource
    void accept_endsAtItsTimeout(Network network) throws Exception {
        network.run(sockets -> {
            StreamListener<? extends ByteStream> listener = sockets.listen();
            assertThatThrownBy(() -> listener.accept(SHORT)).isInstanceOf(SocketTimeoutException.class);
            assertThatThrownBy(() -> listener.accept(Duration.ZERO)).isInstanceOf(SocketTimeoutException.class);
            sockets.connect(listener);
            sockets.accept(listener);
        });
    }

    @ParameterizedTest
    @EnumSource
    void timeout_ofARegion_endsARead(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            assertThatThrownBy(() -> dev.kumihimo.time.Timeout.call(
                            SHORT, () -> pair.server().read(ByteBuffer.allocate(1))))
                    .isInstanceOf(TimeoutException.class);
            send(pair.client(), "x");
            assertThat(receive(pair.server(), 1)).isEqualTo("x");
        });
    }

    /* ---------------- Interruption and cancellation -------------- */

    @ParameterizedTest
    @EnumSource
    void read_losesNothing_whenItIsInterrupted(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            Thread[] thread = new Thread[1];
            Semaphore ended = Semaphore.of(0);
            JoinHandle<String> reader = Task.spawn(() -> {
                thread[0] = Thread.currentThread();
                assertThatThrownBy(() -> pair.server().read(ByteBuffer.allocate(10)))
                        .isExactlyInstanceOf(InterruptedIOException.class);
                assertThat(Thread.interrupted()).isTrue();
                ended.release(1);
                return receive(pair.server(), 4);
            });
            untilWaiting(reader);
            thread[0].interrupt();
            ended.acquire(); // bytes that came before would have been read
            send(pair.client(), "kept");
            assertThat(reader.join()).isEqualTo("kept");
        });
    }

    @ParameterizedTest
    @EnumSource
    void read_losesNothing_whenItIsCancelled(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            JoinHandle<Integer> reader = Task.spawn(() -> pair.server().read(ByteBuffer.allocate(10)));
            JoinHandle<Integer> next = Task.spawn(() -> pair.server().read(ByteBuffer.allocate(10)));
            untilWaiting(reader);
            untilWaiting(next); // for its turn
            reader.abort();
            assertThat(reader.result()).isInstanceOf(JoinResult.Cancelled.class);
            send(pair.client(), "x");
            assertThat(next.join()).isEqualTo(1);
        });
    }

    @ParameterizedTest
    @EnumSource
    void read_tellsOfTheCancellation_asItsCause(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            CancellationToken token = CancellationToken.create();
            JoinHandle<Throwable> reader = Task.spawn(() -> {
                Throwable[] thrown = new Throwable[1];
                try {
                    token.run(() -> {
                        try {
                            pair.server().read(ByteBuffer.allocate(10));
                        } catch (InterruptedIOException e) {
                            thrown[0] = e;
                        }
                    });
                } catch (TaskCancelledException e) {
                    // the region is over
                }
                assertThat(Thread.currentThread().isInterrupted()).isFalse();
                return thrown[0];
            });
            untilWaiting(reader);
            token.cancel();
            assertThat(reader.join()).hasCauseInstanceOf(TaskCancelledException.class);
        });
    }

    @ParameterizedTest
    @EnumSource
    void writeAll_tellsHowFarItCame_whenItIsCutShort(Network network) throws Exception {
        byte[] sent = pattern(network.bulk);
        network.run(sockets -> {
            Pair pair = sockets.pair();
            ByteBuffer source = ByteBuffer.wrap(sent);
            Thread[] thread = new Thread[1];
            Semaphore cut = Semaphore.of(0);
            JoinHandle<Integer> writer = Task.spawn(() -> {
                thread[0] = Thread.currentThread();
                InterruptedIOException[] thrown = new InterruptedIOException[1];
                try {
                    pair.client().writeAll(source);
                } catch (InterruptedIOException e) {
                    thrown[0] = e;
                    Thread.interrupted();
                }
                cut.release(1);
                int before = source.position();
                pair.client().writeAll(source);
                pair.client().shutdownOutput();
                return thrown[0].bytesTransferred - before;
            });
            untilWaiting(writer);
            thread[0].interrupt();
            cut.acquire(); // with room before, all could have been written
            byte[] received = pair.server().inputStream().readAllBytes();
            assertThat(writer.join()).isZero();
            assertThat(Arrays.equals(received, sent)).isTrue();
        });
    }

    @ParameterizedTest
    @EnumSource
    void accept_takesNoConnection_whenItIsCancelled(Network network) throws Exception {
        network.run(sockets -> {
            StreamListener<? extends ByteStream> listener = sockets.listen();
            JoinHandle<?> accepting = Task.spawn(() -> listener.accept());
            untilWaiting(accepting);
            accepting.abort();
            assertThat(accepting.result()).isInstanceOf(JoinResult.Cancelled.class);
            send(sockets.connect(listener), "x");
            assertThat(receive(sockets.accept(listener), 1)).isEqualTo("x");
        });
    }

    @ParameterizedTest
    @EnumSource
    void readers_areServedInTheOrderOfTheirCalls(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            List<JoinHandle<String>> readers = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                readers.add(Task.spawn(() -> {
                    ByteBuffer one = ByteBuffer.allocate(1);
                    pair.server().read(one);
                    return "" + (char) one.get(0);
                }));
                untilWaiting(readers.get(i));
            }
            send(pair.client(), "01234");
            for (int i = 0; i < 5; i++) {
                assertThat(readers.get(i).join()).isEqualTo("" + i);
            }
        });
    }

    /* ---------------- Trying and selecting -------------- */

    @ParameterizedTest
    @EnumSource
    void tryRead_givesWhatIsThere(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            ByteBuffer buffer = ByteBuffer.allocate(10);
            assertThat(pair.server().tryRead(buffer)).isZero();
            send(pair.client(), "x");
            assertThat(isReady(pair.server().readable(), LONG)).isTrue();
            assertThat(pair.server().tryRead(buffer)).isEqualTo(1);
            assertThat(pair.server().tryRead(buffer)).isZero();
            pair.client().shutdownOutput();
            assertThat(isReady(pair.server().readable(), LONG)).isTrue();
            assertThat(pair.server().tryRead(buffer)).isEqualTo(-1);
        });
    }

    @ParameterizedTest
    @EnumSource
    void tryRead_leavesTheTurn_toWhoWaits(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            JoinHandle<Integer> reader = Task.spawn(() -> pair.server().read(ByteBuffer.allocate(1)));
            untilWaiting(reader);
            assertThat(pair.server().tryRead(ByteBuffer.allocate(1))).isZero();
            send(pair.client(), "x");
            assertThat(reader.join()).isEqualTo(1);
        });
    }

    @ParameterizedTest
    @EnumSource
    void tryWrite_takesNothing_whileNobodyReads(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            long written = fill(pair.client());
            assertThat(written).isPositive();
            assertThat(isReady(pair.client().writable(), SHORT)).isFalse();
            JoinHandle<Long> reader = Task.spawn(() -> {
                long read = 0;
                for (ByteBuffer buffer = ByteBuffer.allocate(10_000); read < written; buffer.clear()) {
                    read += pair.server().read(buffer);
                }
                return read;
            });
            assertThat(isReady(pair.client().writable(), LONG)).isTrue();
            assertThat(reader.join()).isEqualTo(written);
            assertThat(pair.client().tryWrite(bytes("x"))).isEqualTo(1);
        });
    }

    @ParameterizedTest
    @EnumSource
    void select_waitsForBytes(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            assertThat(isReady(pair.server().readable(), SHORT)).isFalse();
            JoinHandle<Boolean> selecting =
                    Task.spawn(() -> isReady(pair.server().readable(), LONG));
            untilWaiting(selecting);
            send(pair.client(), "x");
            assertThat(selecting.join()).isTrue();
            assertThat(receive(pair.server(), 1)).isEqualTo("x");
        });
    }

    @ParameterizedTest
    @EnumSource
    void select_isToldOfTheEnd_andOfAReset(Network network) throws Exception {
        network.run(sockets -> {
            Pair ended = sockets.pair();
            Pair reset = sockets.pair();
            JoinHandle<Boolean> first = Task.spawn(() -> isReady(ended.server().readable(), LONG));
            JoinHandle<Boolean> second = Task.spawn(() -> isReady(reset.server().readable(), LONG));
            untilWaiting(first);
            untilWaiting(second);
            ended.client().close();
            sockets.reset(reset.client());
            assertThat(first.join()).isTrue();
            assertThat(second.join()).isTrue();
        });
    }

    @ParameterizedTest
    @EnumSource
    void select_isToldOfAClose(Network network) throws Exception {
        network.run(sockets -> {
            Pair pair = sockets.pair();
            fill(pair.server());
            JoinHandle<Boolean> input = Task.spawn(() -> isReady(pair.server().readable(), LONG));
            JoinHandle<Boolean> output = Task.spawn(() -> isReady(pair.server().writable(), LONG));
            untilWaiting(input);
            untilWaiting(output);
            pair.server().close();
            assertThat(input.join()).isTrue();
            assertThat(output.join()).isTrue();
            assertThat(isReady(pair.server().readable(), SHORT)).isTrue();
        });
    }

    @ParameterizedTest
    @EnumSource
    void select_overTwoStreams_takesTheOneThatHasBytes(Network network) throws Exception {
        network.run(sockets -> {
            Pair one = sockets.pair();
            Pair other = sockets.pair();
            JoinHandle<Integer> selecting = Task.spawn(() -> Select.<Integer>of()
                    .on(one.server().readable(), () -> 1)
                    .on(other.server().readable(), () -> 2)
                    .await());
            untilWaiting(selecting);
            send(other.client(), "x");
            assertThat(selecting.join()).isEqualTo(2);
            assertThat(other.server().tryRead(ByteBuffer.allocate(1))).isEqualTo(1);
        });
    }

    @ParameterizedTest
    @EnumSource
    void select_onAListener_waitsForAConnection(Network network) throws Exception {
        network.run(sockets -> {
            StreamListener<? extends ByteStream> listener = sockets.listen();
            JoinHandle<Boolean> selecting = Task.spawn(() -> isReady(listener, LONG));
            untilWaiting(selecting);
            sockets.connect(listener);
            assertThat(selecting.join()).isTrue();
            assertThat(sockets.opened(listener.tryAccept())).isNotNull();
            JoinHandle<Boolean> closing = Task.spawn(() -> isReady(listener, LONG));
            untilWaiting(closing);
            listener.close();
            assertThat(closing.join()).isTrue();
        });
    }
}
