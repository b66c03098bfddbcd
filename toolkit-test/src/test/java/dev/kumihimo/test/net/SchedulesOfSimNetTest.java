package dev.kumihimo.test.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.select.Select;
import dev.kumihimo.task.CancellationToken;
import dev.kumihimo.test.Explore;
import dev.kumihimo.test.Rng;
import java.io.IOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Numbered bytes through a network, cut short, selected on, reset and partitioned at each point: they arrive once and in order. */
@Timeout(120)
class SchedulesOfSimNetTest {
    private static final int TOTAL = 7;

    private static void insist(CancellationToken token, VoidBody<IOException> body) throws IOException {
        try {
            token.run(body);
        } catch (TaskCancelledException e) {
            body.run(); // goes on
        }
    }

    private static void write(SimStream stream, CancellationToken token) throws IOException {
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
        read.clear();
        return next;
    }

    private static void join(List<JoinHandle<?>> tasks) throws Exception {
        for (JoinHandle<?> task : tasks) {
            task.join();
        }
    }

    /** Two ends of a connection. */
    private record Ends(SimNet net, SimStream client, SimStream server) {
        static Ends open() throws IOException {
            SimNet net = SimNet.of(Rng.of(3));
            SimListener listener = net.listen("server", 80);
            SimStream client = net.connect("client", "server", 80);
            net.all().window(3);
            return new Ends(net, client, listener.accept());
        }
    }

    private static void bothCutShort(Duration latency) throws Exception {
        Ends ends = Ends.open();
        ends.net.all().latency(latency);
        CancellationToken writing = CancellationToken.create();
        CancellationToken reading = CancellationToken.create();
        int[] next = {0};
        List<JoinHandle<?>> tasks = new ArrayList<>();
        tasks.add(Task.spawn(() -> write(ends.client, writing)));
        tasks.add(Task.spawn(() -> insist(reading, () -> {
            ByteBuffer target = ByteBuffer.allocate(2);
            while (ends.server.read(target) >= 0) {
                next[0] = check(next[0], target);
            }
        })));
        tasks.add(Task.spawn(() -> writing.cancel()));
        tasks.add(Task.spawn(() -> reading.cancel()));
        join(tasks);
        assertThat(next[0]).isEqualTo(TOTAL);
    }

    private static void selected(Duration latency) throws Exception {
        Ends ends = Ends.open();
        ends.net.all().latency(latency);
        int[] next = {0};
        List<JoinHandle<?>> tasks = new ArrayList<>();
        tasks.add(Task.spawn(() -> {
            ByteBuffer target = ByteBuffer.allocate(2);
            while (next[0] < TOTAL) {
                Select.<Boolean>of().on(ends.server.readable(), () -> true).await();
                ends.server.tryRead(target);
                next[0] = check(next[0], target);
            }
        }));
        tasks.add(Task.spawn(() -> {
            for (int i = 0; i < TOTAL; ) {
                Select.<Boolean>of().on(ends.client.writable(), () -> true).await();
                i += ends.client.tryWrite(ByteBuffer.wrap(new byte[] {(byte) i}));
            }
        }));
        tasks.add(Task.spawn(() -> {
            ends.net.all().hold();
            Task.sleep(Duration.ofMillis(1));
            ends.net.all().release();
        }));
        join(tasks);
        assertThat(next[0]).isEqualTo(TOTAL);
    }

    private static void partitioned() throws Exception {
        Ends ends = Ends.open();
        int[] next = {0};
        List<JoinHandle<?>> tasks = new ArrayList<>();
        tasks.add(Task.spawn(() -> write(ends.client, CancellationToken.create())));
        tasks.add(Task.spawn(() -> {
            ByteBuffer target = ByteBuffer.allocate(2);
            while (ends.server.read(target) >= 0) {
                next[0] = check(next[0], target);
            }
        }));
        tasks.add(Task.spawn(() -> {
            ends.net.link("client", "server").partition();
            ends.net.link("client", "server").repair();
        }));
        join(tasks);
        assertThat(next[0]).isEqualTo(TOTAL);
    }

    /** Whoever waits is told, whenever the reset comes. */
    private static void reset() throws Exception {
        Ends ends = Ends.open();
        List<JoinHandle<?>> tasks = new ArrayList<>();
        tasks.add(Task.spawn(() -> untilReset(() -> ends.client.writeAll(ByteBuffer.allocate(TOTAL)))));
        tasks.add(Task.spawn(() -> untilReset(() -> ends.client.read(ByteBuffer.allocate(1)))));
        tasks.add(Task.spawn(() -> {
            Select.<Boolean>of().on(ends.client.readable(), () -> true).await();
        }));
        tasks.add(Task.spawn(() -> ends.server.closeWithReset()));
        join(tasks);
    }

    private static void untilReset(VoidBody<IOException> body) throws IOException {
        try {
            while (true) {
                body.run();
            }
        } catch (SocketException e) {
            assertThat(e).hasMessageMatching(".*(Connection reset|Broken pipe)");
        }
    }

    private static void connectingWhileTheListenerCloses() throws Exception {
        SimNet net = SimNet.of(Rng.of(3));
        SimListener listener = net.listen("server", 80);
        JoinHandle<?> connecting = Task.spawn(() -> {
            try (SimStream stream = net.connect("client", "server", 80)) {
                stream.read(ByteBuffer.allocate(1));
            } catch (SocketException e) {
                // refused, or reset
            }
        });
        JoinHandle<?> accepting = Task.spawn(() -> {
            try (SimStream stream = listener.accept()) {
                stream.write(ByteBuffer.allocate(1));
            } catch (IOException e) {
                // closed
            }
        });
        listener.close();
        connecting.join();
        accepting.join();
        assertThat(net.open()).isEmpty();
    }

    private static final int SEEDS = Integer.getInteger("kumihimo.simnet.schedules", 150);

    private static void explore(VoidBody<?> body) {
        Explore.seeds(SEEDS).run(body);
        Explore.preemptions(1).atMost(3 * SEEDS).run(body);
    }

    @Test
    void writerAndReader_loseNothing_cutShortAnywhere() {
        explore(() -> bothCutShort(Duration.ZERO));
        explore(() -> bothCutShort(Duration.ofMillis(3)));
    }

    @Test
    void selects_missNothing_whateverIsHeld() {
        explore(() -> selected(Duration.ZERO));
        explore(() -> selected(Duration.ofMillis(3)));
    }

    @Test
    void partition_losesNothing_wheneverItComes() {
        explore(SchedulesOfSimNetTest::partitioned);
    }

    @Test
    void reset_isToldToAll_wheneverItComes() {
        explore(SchedulesOfSimNetTest::reset);
    }

    @Test
    void close_ofAListener_isToldToBothSides_wheneverItComes() {
        explore(SchedulesOfSimNetTest::connectingWhileTheListenerCloses);
    }
}
