package dev.kumihimo.io;

import static dev.kumihimo.io.Transport.bytes;
import static dev.kumihimo.io.Transport.read;
import static dev.kumihimo.io.Transport.runtime;
import static dev.kumihimo.io.Transport.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.codec.FramedReader;
import dev.kumihimo.codec.LinesCodec;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Selects on frames, over each source that is made of others: awaited again and again, and told of the end. */
@Timeout(60)
class FramesOfSourcesTest {
    private static final Duration GUARD = Duration.ofSeconds(20);

    /** What is made of a stream, and holds nothing back for long. */
    enum Made {
        READER {
            @Override
            ByteSource of(ByteStream stream) {
                return ByteReader.of(stream);
            }
        },
        SMALL_READER {
            @Override
            ByteSource of(ByteStream stream) {
                return ByteReader.of(stream, 1);
            }
        },
        LIMITED {
            @Override
            ByteSource of(ByteStream stream) {
                return ByteStreams.take(stream, 7);
            }
        },
        CHAINED_FIRST {
            @Override
            ByteSource of(ByteStream stream) {
                return ByteStreams.chain(stream, ByteStreams.empty());
            }
        },
        CHAINED_SECOND {
            @Override
            ByteSource of(ByteStream stream) {
                return ByteStreams.chain(ByteStreams.empty(), stream);
            }
        },
        TEE {
            @Override
            ByteSource of(ByteStream stream) {
                return ByteStreams.tee(stream, ByteStreams.nullSink());
            }
        },
        THROTTLED {
            @Override
            ByteSource of(ByteStream stream) {
                return ByteStreams.throttled(stream, 100); // five bytes at a time, then 50 ms of nothing
            }
        },
        HALF {
            @Override
            ByteSource of(ByteStream stream) {
                return stream.split().input();
            }
        },
        ALL {
            @Override
            ByteSource of(ByteStream stream) {
                ByteSource slow = ByteStreams.throttled(stream.split().input(), 1000);
                return ByteReader.of(ByteStreams.tee(
                        ByteStreams.chain(ByteStreams.take(slow, 3), ByteStreams.take(slow, 4)),
                        ByteStreams.nullSink()));
            }
        };

        abstract ByteSource of(ByteStream stream);
    }

    private static Select<String> select(FramedReader<String> lines) {
        return Select.<String>of().onReceive(lines, line -> "" + line);
    }

    @ParameterizedTest
    @EnumSource
    void aSelect_waitsWithoutTurning_takesWhatComes_andIsToldOfTheEnd(Made made) throws Exception {
        for (Transport transport : Transport.values()) {
            try (TaskRuntime runtime = runtime();
                    DuplexPair pair = runtime.blockOn(transport::open)) {
                FramedReader<String> lines = FramedReader.of(made.of(pair.second()), LinesCodec.of(100));
                Select<String> select = select(lines);
                JoinHandle<String> first = runtime.spawn(select::await);
                untilWaiting(first);
                pair.first().writeAll(bytes("a\nb"));
                assertThat(first.join()).isEqualTo("a");
                JoinHandle<String> second = runtime.spawn(select::await);
                untilWaiting(second);
                pair.first().writeAll(bytes("c"));
                untilWaiting(second);
                pair.first().writeAll(bytes("\nd\n"));
                assertThat(second.join()).isEqualTo("bc");
                assertThat(runtime.spawn(select::await).join()).isEqualTo("d");
                JoinHandle<String> end = runtime.spawn(select::await);
                if (made != Made.LIMITED && made != Made.ALL) {
                    untilWaiting(end);
                    pair.first().shutdownOutput();
                }
                assertThat(end.join()).isEqualTo("null");
                assertThat(runtime.spawn(select::await).join()).isEqualTo("null");
            }
        }
    }

    @Test
    void aChain_isSelectedOn_beyondTheEndOfItsFirst_withTheSameClauses() throws Exception {
        try (TaskRuntime runtime = runtime()) {
            BytePipe first = ByteStreams.pipe(100);
            BytePipe second = ByteStreams.pipe(100);
            ByteSource chain = ByteStreams.chain(first.source(), second.source());
            FramedReader<String> lines = FramedReader.of(chain, LinesCodec.of(100));
            Select<String> select = select(lines);
            Select<String> direct = Select.<String>of()
                    .onReadable(chain.readable(), () -> "ready")
                    .otherwise(() -> "none");
            first.sink().writeAll(bytes("a\n"));
            assertThat(select.await()).isEqualTo("a");
            first.sink().close();
            JoinHandle<String> next = runtime.spawn(select::await);
            untilWaiting(next);
            JoinHandle<String> other = runtime.spawn(select(lines)::await);
            untilWaiting(other);
            assertThat(direct.await()).isEqualTo("none");
            second.sink().writeAll(bytes("b\nc\n"));
            assertThat(next.join() + other.join()).isIn("bc", "cb");
        }
    }

    @Test
    void aTee_isSelectedOn_throughItsSink_whileThatIsFull() throws Exception {
        try (TaskRuntime runtime = runtime()) {
            BytePipe in = ByteStreams.pipe(100);
            BytePipe copy = ByteStreams.pipe(1);
            FramedReader<String> lines = FramedReader.of(ByteStreams.tee(in.source(), copy.sink()), LinesCodec.of(100));
            Select<String> select = select(lines);
            JoinHandle<String> line = runtime.spawn(select::await);
            untilWaiting(line);
            in.sink().writeAll(bytes("ab"));
            assertThat(read(copy.source(), 1)).isEqualTo("a");
            assertThat(read(copy.source(), 1)).isEqualTo("b");
            in.sink().writeAll(bytes("c\n"));
            assertThat(line.join()).isEqualTo("abc");
            in.sink().writeAll(bytes("d\n"));
            JoinHandle<String> next = runtime.spawn(select::await);
            untilWaiting(next); // for the sink, which is full
            assertThat(read(copy.source(), 1)).isEqualTo("c");
            assertThat(read(copy.source(), 1)).isEqualTo("\n");
            assertThat(next.join()).isEqualTo("d");
        }
    }

    @Test
    void aThrottledSource_isReadOnByASelect_whenItsTimeHasCome() throws Exception {
        try (TaskRuntime runtime = runtime()) {
            BytePipe in = ByteStreams.pipe(100);
            FramedReader<String> lines =
                    FramedReader.of(ByteStreams.throttled(in.source(), 20), LinesCodec.of(100)); // a byte each 50 ms
            in.sink().writeAll(bytes("abcd\ne\n"));
            Select<String> select = select(lines).after(GUARD, () -> "never");
            assertThat(runtime.spawn(select::await).join()).isEqualTo("abcd");
            assertThat(runtime.spawn(select::await).join()).isEqualTo("e");
        }
    }

    @Test
    void aSelectOnAHalf_isTold_thatItWasClosedBefore() throws Exception {
        try (TaskRuntime runtime = runtime();
                DuplexPair pair = runtime.blockOn(Transport.TCP::open)) {
            Halves halves = pair.second().split();
            FramedReader<String> lines = FramedReader.of(halves.input(), LinesCodec.of(100));
            Select<String> select = select(lines).otherwise(() -> "none");
            assertThat(select.await()).isEqualTo("none");
            assertThat(lines.tryReceive()).isNull();
            halves.input().close();
            assertThatThrownBy(select::await).hasCauseInstanceOf(ClosedChannelException.class);
        }
    }

    @Test
    void tee_closed_endsTheWaitOfItsReader_andDropsWhatIsOwed() throws Exception {
        BytePipe in = ByteStreams.pipe(100);
        BytePipe copy = ByteStreams.pipe(1);
        ByteSource tee = ByteStreams.tee(in.source(), copy.sink());
        in.sink().writeAll(bytes("abc"));
        assertThat(read(tee, 10)).isEqualTo("abc");
        try (TaskRuntime runtime = runtime()) {
            JoinHandle<Integer> reader = runtime.spawn(() -> tee.read(ByteBuffer.allocate(10)));
            untilWaiting(reader); // for the sink
            JoinHandle<Void> closing = runtime.spawn(tee::close);
            closing.join();
            assertThat(in.source().isOpen()).isFalse();
            assertThat(tee.isOpen()).isFalse();
            assertThatThrownBy(reader::join).hasRootCauseInstanceOf(TaskCancelledException.class);
            assertThat(copy.sink().isOpen()).isTrue();
        }
    }
}
