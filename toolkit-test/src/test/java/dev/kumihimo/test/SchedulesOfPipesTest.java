package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.io.ByteReader;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.io.ByteStreams;
import dev.kumihimo.io.ByteWriter;
import dev.kumihimo.io.DuplexPair;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.select.Select;
import dev.kumihimo.task.CancellationToken;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Numbered bytes through memory, cut short, closed and selected on at each point: they arrive once and in order. */
class SchedulesOfPipesTest {
    private static final int TOTAL = 7;

    /** Runs a body again and again until it has got to its end; it is cut short once, at some point. */
    private static void insist(CancellationToken token, VoidBody<IOException> body) throws IOException {
        try {
            token.run(body);
        } catch (TaskCancelledException e) {
            body.run(); // goes on
        }
    }

    private static void write(ByteStream stream, CancellationToken token) throws IOException {
        ByteBuffer source = ByteBuffer.allocate(TOTAL);
        for (int i = 0; i < TOTAL; i++) {
            source.put((byte) i);
        }
        source.flip();
        insist(token, () -> stream.writeAll(source));
        stream.shutdownOutput();
    }

    private static int check(int next, ByteBuffer read) {
        read.flip();
        while (read.hasRemaining()) {
            assertThat(read.get()).isEqualTo((byte) next++);
        }
        return next;
    }

    private static void join(List<JoinHandle<?>> tasks) throws Exception {
        for (JoinHandle<?> task : tasks) {
            task.join();
        }
    }

    private static void writerAndReaderCutShort() throws Exception {
        DuplexPair pair = ByteStreams.duplex(3);
        CancellationToken writing = CancellationToken.create();
        CancellationToken reading = CancellationToken.create();
        int[] next = {0};
        List<JoinHandle<?>> tasks = new ArrayList<>();
        tasks.add(Task.spawn(() -> write(pair.first(), writing)));
        tasks.add(Task.spawn(() -> insist(reading, () -> {
            ByteBuffer target = ByteBuffer.allocate(2);
            while (pair.second().read(target) >= 0) {
                next[0] = check(next[0], target);
                target.clear();
            }
        })));
        tasks.add(Task.spawn(() -> writing.cancel()));
        tasks.add(Task.spawn(() -> reading.cancel()));
        join(tasks);
        assertThat(next[0]).isEqualTo(TOTAL);
    }

    private static void buffersCutShort() throws Exception {
        DuplexPair pair = ByteStreams.duplex(3);
        CancellationToken token = CancellationToken.create();
        CancellationToken reading = CancellationToken.create();
        List<Integer> got = new ArrayList<>();
        List<JoinHandle<?>> tasks = new ArrayList<>();
        tasks.add(Task.spawn(() -> {
            ByteWriter writer = ByteWriter.of(pair.first(), 8);
            int[] written = {0};
            insist(token, () -> {
                while (written[0] < 4) {
                    writer.writeInt(written[0]);
                    written[0]++;
                }
                writer.flush();
            });
            writer.close();
        }));
        tasks.add(Task.spawn(() -> {
            ByteReader reader = ByteReader.of(pair.second(), 5);
            insist(reading, () -> {
                while (reader.peek(1).hasRemaining()) {
                    got.add(reader.readInt());
                }
            });
        }));
        tasks.add(Task.spawn(() -> token.cancel()));
        tasks.add(Task.spawn(() -> reading.cancel()));
        join(tasks);
        assertThat(got).containsExactly(0, 1, 2, 3);
    }

    private static void selectsAndReaders() throws Exception {
        DuplexPair pair = ByteStreams.duplex(2);
        ByteStream out = pair.first();
        ByteStream in = pair.second();
        int[] next = {0};
        List<JoinHandle<?>> tasks = new ArrayList<>();
        tasks.add(Task.spawn(() -> {
            for (int i = 0; i < TOTAL; ) {
                Select.<Boolean>of().on(out.writable(), () -> true).await();
                i += out.tryWrite(ByteBuffer.wrap(new byte[] {(byte) i}));
            }
            out.shutdownOutput();
        }));
        tasks.add(Task.spawn(() -> {
            ByteBuffer target = ByteBuffer.allocate(3);
            do {
                Select.<Boolean>of().onReadable(in.readable(), () -> true).await();
                next[0] = check(next[0], target);
                target.clear();
            } while (in.tryRead(target) >= 0);
        }));
        join(tasks);
        assertThat(next[0]).isEqualTo(TOTAL);
    }

    /** Whoever closes, nobody waits for ever; and what was read is a beginning of what was written. */
    private static void closedMeanwhile() throws Exception {
        DuplexPair pair = ByteStreams.duplex(2);
        int[] next = {0};
        List<JoinHandle<?>> tasks = new ArrayList<>();
        tasks.add(Task.spawn(() -> {
            ByteBuffer source = ByteBuffer.wrap(new byte[] {0, 1, 2, 3, 4, 5, 6});
            try {
                pair.first().writeAll(source);
            } catch (IOException e) {
                assertThat(source.hasRemaining()).isTrue();
            }
        }));
        tasks.add(Task.spawn(() -> {
            ByteBuffer target = ByteBuffer.allocate(1);
            try {
                while (pair.second().read(target) >= 0) {
                    next[0] = check(next[0], target);
                    target.clear();
                }
            } catch (IOException e) {
                assertThat(pair.second().isOpen()).isFalse();
            }
        }));
        tasks.add(Task.spawn(() -> pair.first().close()));
        tasks.add(Task.spawn(() -> Select.<Boolean>of()
                .onReadable(pair.first().readable(), () -> true)
                .await()));
        join(tasks);
        assertThat(next[0]).isBetween(0, TOTAL);
    }

    private static void copiedBothWays() throws Exception {
        DuplexPair left = ByteStreams.duplex(2);
        DuplexPair right = ByteStreams.duplex(2);
        List<JoinHandle<?>> tasks = new ArrayList<>();
        JoinHandle<ByteStreams.Copied> copy =
                Task.spawn(() -> ByteStreams.copyBidirectional(left.second(), right.first(), 3));
        tasks.add(Task.spawn(() -> {
            left.first().writeAll(ByteBuffer.wrap(new byte[] {0, 1, 2}));
            left.first().shutdownOutput();
        }));
        ByteReader b = ByteReader.of(right.second(), 8);
        assertThat(b.readToEnd(10)).containsExactly(0, 1, 2);
        tasks.add(Task.spawn(() -> {
            right.second().writeAll(ByteBuffer.wrap(new byte[] {3, 4, 5, 6, 7}));
            right.second().close();
        }));
        assertThat(ByteReader.of(left.first(), 8).readToEnd(10)).containsExactly(3, 4, 5, 6, 7);
        assertThat(copy.join()).isEqualTo(new ByteStreams.Copied(3, 5));
        join(tasks);
    }

    /** One stream is closed at any point: the copy fails and leaves nothing that runs, which Explore looks at. */
    private static void copyThatFails() throws Exception {
        DuplexPair left = ByteStreams.duplex(2);
        DuplexPair right = ByteStreams.duplex(2);
        JoinHandle<ByteStreams.Copied> copy =
                Task.spawn(() -> ByteStreams.copyBidirectional(left.second(), right.first(), 3));
        JoinHandle<?> closing = Task.spawn(() -> right.first().close());
        closing.join();
        assertThat(copy.result()).hasFieldOrProperty("exception");
        try {
            ByteReader.of(right.second(), 8).readByte();
        } catch (EOFException e) {
            return;
        }
        throw new AssertionError("something was copied");
    }

    @Test
    void bytesArriveOnceAndInOrder_inSchedulesOfOnePreemption() {
        explore(SchedulesOfPipesTest::writerAndReaderCutShort);
        explore(SchedulesOfPipesTest::buffersCutShort);
        explore(SchedulesOfPipesTest::selectsAndReaders);
        explore(SchedulesOfPipesTest::closedMeanwhile);
    }

    private static void explore(VoidBody<?> body) {
        Explore.Result result = Explore.preemptions(1).atMost(3_000).run(body);
        assertThat(result.exhausted() || result.distinct() > 1_000).isTrue();
        assertThat(result.distinct()).isGreaterThan(300);
    }

    @Test
    void bytesArriveOnceAndInOrder_inSeededSchedules() {
        Explore.seeds(800).run(SchedulesOfPipesTest::writerAndReaderCutShort);
        Explore.seeds(800).run(SchedulesOfPipesTest::buffersCutShort);
        Explore.seeds(800).run(SchedulesOfPipesTest::selectsAndReaders);
        Explore.seeds(800).run(SchedulesOfPipesTest::closedMeanwhile);
        Explore.seeds(300).run(SchedulesOfPipesTest::copiedBothWays);
        Explore.seeds(300).run(SchedulesOfPipesTest::copyThatFails);
    }
}
