package dev.kumihimo.net;

import static dev.kumihimo.net.Loopback.HOST;
import static dev.kumihimo.net.Loopback.fill;
import static dev.kumihimo.net.Loopback.read;
import static dev.kumihimo.net.Loopback.runtime;
import static dev.kumihimo.net.Loopback.text;
import static dev.kumihimo.net.Loopback.untilAllIsTold;
import static dev.kumihimo.net.Loopback.untilWaiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.net.Loopback.Pair;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sockets and listeners in a select, and the operations that never wait. */
@Timeout(60)
class TcpSelectTest {
    private static final int READ = SelectionKey.OP_READ;
    private static final int WRITE = SelectionKey.OP_WRITE;
    private static final Duration SHORT = Duration.ofMillis(20);

    /** Waits for bytes, at most a moment. */
    private static String readableWithin(Duration time, TcpStream stream) throws InterruptedException {
        return Select.<String>of()
                .onReadable(stream, () -> "bytes")
                .after(time, () -> "timeout")
                .await();
    }

    private static String readable(TcpStream stream) throws InterruptedException {
        return readableWithin(Duration.ofSeconds(20), stream);
    }

    private static String tryRead(TcpStream stream) throws Exception {
        ByteBuffer buffer = ByteBuffer.allocate(100);
        return stream.tryRead(buffer) < 0 ? null : text(buffer);
    }

    /* ---------------- Readability -------------- */

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void onReadable_isTaken_whenBytesCome(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            for (int i = 0; i < 20; i++) {
                JoinHandle<String> selecting =
                        runtime.spawn(() -> readable(pair.stream()) + " " + tryRead(pair.stream()));
                untilWaiting(selecting);
                pair.send("n" + i);
                assertThat(selecting.join()).isEqualTo("bytes n" + i);
                assertThat(pair.stream().readiness().waiting(READ)).isZero();
                untilAllIsTold(runtime);
                assertThat(tryRead(pair.stream())).isEmpty();
            }
        }
    }

    @Test
    void onReadable_takesNothing_soThatItIsReadyAgain() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            pair.send("kept");
            for (int i = 0; i < 5; i++) {
                assertThat(runtime.<String, InterruptedException>blockOn(() -> readable(pair.stream())))
                        .isEqualTo("bytes");
            }
            assertThat(readable(pair.stream())).as("a platform thread").isEqualTo("bytes");
            assertThat(read(pair.stream(), 10)).isEqualTo("kept");
        }
    }

    /** A read that fills its buffer cannot know whether there is more, and an event from before it may be old. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void onReadable_isNotTaken_onceAllWasRead(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            runtime.blockOn(() -> {
                for (int room : new int[] {4, 5, 2}) {
                    pair.send("four");
                    for (int got = 0; got < 4; ) {
                        assertThat(readable(pair.stream())).isEqualTo("bytes");
                        // Until the driver has given up: it may look just before the read, and tell just after.
                        await().pollInterval(Duration.ofMillis(1))
                                .until(() -> !pair.stream().readiness().isArmed(READ));
                        got += pair.stream().tryRead(ByteBuffer.allocate(room));
                    }
                    assertThat(readableWithin(SHORT, pair.stream())).isEqualTo("timeout");
                }
            });
        }
    }

    @Test
    void onReadable_becomesKnown_whileOtherBranchesAreReadyAllTheTime() throws Exception {
        Channel<Integer> busy = Channel.bounded(1);
        try (TaskRuntime runtime = runtime(1);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            pair.send("x");
            String won = runtime.blockOn(() -> {
                while (true) {
                    busy.trySend(1);
                    String taken = Select.<String>of()
                            .onReadable(pair.stream(), () -> "bytes")
                            .onReceive(busy, item -> "item")
                            .await();
                    if (taken.equals("bytes")) {
                        return taken;
                    }
                }
            });
            assertThat(won).isEqualTo("bytes");
        }
    }

    @Test
    void otherwise_isTaken_untilThereAreBytes() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            Select<String> select =
                    Select.<String>of().onReadable(pair.stream(), () -> "bytes").otherwise(() -> "nothing");
            for (int i = 0; i < 1000; i++) {
                assertThat(select.await()).isEqualTo("nothing");
            }
            pair.send("x");
            await().until(() -> select.await().equals("bytes"));
            assertThat(tryRead(pair.stream())).isEqualTo("x");
            String told = select.await();
            if (told.equals("bytes")) { // by a look at the system just before the read; not twice
                assertThat(tryRead(pair.stream())).isEmpty();
                told = select.await();
            }
            assertThat(told).isEqualTo("nothing");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void manySelectsAndAReader_areAllWoken_andTheReaderReads(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            for (int round = 0; round < 20; round++) {
                List<JoinHandle<String>> selecting = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    selecting.add(runtime.spawn(() -> readable(pair.stream())));
                }
                selecting.forEach(Loopback::untilWaiting);
                JoinHandle<String> reader = runtime.spawn(() -> read(pair.stream(), 10));
                untilWaiting(reader);
                selecting.add(runtime.spawn(() -> readable(pair.stream())));
                untilWaiting(selecting.get(4));
                assertThat(pair.stream().readiness().waiting(READ)).isEqualTo(6);
                assertThat(tryRead(pair.stream())).as("the reader comes first").isEmpty();
                pair.send("all");
                for (JoinHandle<String> select : selecting) {
                    assertThat(select.join()).isEqualTo("bytes");
                }
                assertThat(reader.join()).isEqualTo("all");
                assertThat(pair.stream().readiness().waiting(READ)).isZero();
                untilAllIsTold(runtime);
                assertThat(tryRead(pair.stream())).isEmpty();
            }
        }
    }

    /* ---------------- Writability -------------- */

    @Test
    void writable_isReadyAtOnce_andNotOnceTheSystemTakesNoMore() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            Select<String> select = Select.<String>of()
                    .on(pair.stream().writable(), () -> "room")
                    .otherwise(() -> "full");
            assertThat(select.await()).isEqualTo("room");
            long written = fill(pair.stream());
            assertThat(select.await()).isEqualTo("full");
            JoinHandle<String> selecting = runtime.spawn(() -> Select.<String>of()
                    .on(pair.stream().writable(), () -> "room")
                    .onReadable(pair.stream(), () -> "bytes")
                    .await());
            untilWaiting(selecting);
            assertThat(pair.peer().getInputStream().readNBytes((int) written)).hasSize((int) written);
            assertThat(selecting.join()).isEqualTo("room");
            assertThat(pair.stream().readiness().waiting(READ)).isZero();
            assertThat(pair.stream().tryWrite(ByteBuffer.allocate(10))).isEqualTo(10);
        }
    }

    @Test
    void bothDirections_inOneSelect_giveTheOneThatComes() throws Exception {
        try (TaskRuntime runtime = runtime(2);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            fill(pair.stream());
            JoinHandle<String> selecting = runtime.spawn(() -> Select.<String>of()
                    .on(pair.stream().writable(), () -> "room")
                    .on(pair.stream().readable(), () -> "bytes")
                    .await());
            untilWaiting(selecting);
            pair.send("x");
            assertThat(selecting.join()).isEqualTo("bytes");
            assertThat(pair.stream().readiness().waiting(WRITE)).isZero();
        }
    }

    /* ---------------- Operations that never wait -------------- */

    @Test
    void tryRead_tellsNothingFromTheEnd() throws Exception {
        try (Pair pair = Pair.open()) {
            TcpStream stream = pair.stream();
            assertThat(stream.tryRead(ByteBuffer.allocate(10))).isZero();
            assertThat(stream.tryRead(ByteBuffer.allocate(0))).isZero();
            pair.send("ab");
            ByteBuffer one = ByteBuffer.allocate(1);
            await().until(() -> stream.tryRead(one) == 1);
            assertThat(stream.tryRead(ByteBuffer.allocate(0))).isZero();
            assertThat(tryRead(stream)).isEqualTo("b");
            assertThat(tryRead(stream)).isEmpty();
            pair.peer().shutdownOutput();
            await().until(() -> stream.tryRead(ByteBuffer.allocate(1)) == -1);
            assertThat(stream.tryRead(ByteBuffer.allocate(1))).isEqualTo(-1);
            stream.close();
            assertThatThrownBy(() -> stream.tryRead(ByteBuffer.allocate(1))).isInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(() -> stream.tryWrite(ByteBuffer.allocate(1)))
                    .isInstanceOf(ClosedChannelException.class);
        }
    }

    @Test
    void tryWrite_writesNothing_whileAnotherWaitsToWrite() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            fill(pair.stream());
            JoinHandle<Void> writer = runtime.spawn(() -> pair.stream().writeAll(ByteBuffer.allocate(10_000_000)));
            untilWaiting(writer);
            assertThat(pair.stream().tryWrite(ByteBuffer.allocate(10))).isZero();
            writer.abort();
            writer.result();
        }
    }

    @Test
    void tryAccept_takesAConnection_orNothing() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                TcpListener listener = runtime.blockOn(() -> TcpListener.bind(HOST, 0))) {
            assertThat(listener.tryAccept()).isNull();
            JoinHandle<TcpStream> acceptor = runtime.spawn(() -> listener.accept());
            untilWaiting(acceptor);
            assertThat(listener.tryAccept()).as("the acceptor comes first").isNull();
            try (Socket peer = new Socket(HOST, listener.localAddress().getPort())) {
                acceptor.join().close();
                assertThat(peer.getInputStream().read()).isEqualTo(-1);
            }
            listener.close();
            assertThatThrownBy(listener::tryAccept).isInstanceOf(ClosedChannelException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void onReadable_ofAListener_isTakenWhenAConnectionWaits(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                TcpListener listener = runtime.blockOn(() -> TcpListener.bind(HOST, 0))) {
            Select<String> select = Select.<String>of()
                    .onReadable(listener, () -> "connection")
                    .after(Duration.ofSeconds(20), () -> "timeout");
            for (int i = 0; i < 20; i++) {
                untilAllIsTold(runtime);
                assertThat(listener.tryAccept()).isNull();
                JoinHandle<String> selecting = runtime.spawn(select::await);
                untilWaiting(selecting);
                try (Socket peer = new Socket(HOST, listener.localAddress().getPort())) {
                    assertThat(selecting.join()).isEqualTo("connection");
                    try (TcpStream session = listener.tryAccept()) {
                        assertThat(session.peerAddress().getPort()).isEqualTo(peer.getLocalPort());
                    }
                }
                Select<String> again = Select.<String>of()
                        .onReadable(listener, () -> "connection")
                        .after(Duration.ofMillis(2), () -> "timeout");
                String told = again.await();
                if (told.equals("connection")) { // by a look at the system just before the accept; not twice
                    assertThat(listener.tryAccept()).isNull();
                    told = again.await();
                }
                assertThat(told).isEqualTo("timeout");
            }
        }
    }

    /* ---------------- What ends a select -------------- */

    @ParameterizedTest
    @ValueSource(strings = {"abort", "interrupt", "timeout", "after", "branch"})
    void aSelectThatEndsOtherwise_leavesNothingBehind(String end) throws Exception {
        Channel<String> channel = Channel.bounded(1);
        try (TaskRuntime runtime = runtime(2);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            fill(pair.stream());
            Select<String> select = Select.<String>of()
                    .onReadable(pair.stream(), () -> "bytes")
                    .onReceive(channel, item -> item)
                    .on(pair.stream().writable(), () -> "room")
                    .after(end.equals("after") ? SHORT : Duration.ofMinutes(5), () -> "after");
            FutureTask<String> outcome = new FutureTask<>(() -> {
                try {
                    return end.equals("timeout")
                            ? dev.kumihimo.time.Timeout.call(SHORT, select::await)
                            : select.await();
                } catch (InterruptedException e) {
                    return e.getClass().getSimpleName();
                } catch (TimeoutException e) {
                    return "timeout";
                }
            });
            JoinHandle<Thread> task = runtime.spawn(() -> {
                Thread.currentThread().setName("selecting");
                outcome.run();
                return Thread.currentThread();
            });
            untilWaitingOrDone(task);
            String expected = end;
            switch (end) {
                case "abort" -> {
                    task.abort();
                    expected = "TaskCancelledException";
                }
                case "interrupt" -> {
                    ((Waiter) (Object) task).thread().interrupt();
                    expected = "InterruptedException";
                }
                case "branch" -> channel.send("branch");
                default -> {}
            }
            assertThat(outcome.get()).isEqualTo(expected);
            assertThat(pair.stream().readiness().waiting(READ)).isZero();
            assertThat(pair.stream().readiness().waiting(WRITE)).isZero();
            pair.send("kept");
            assertThat(read(pair.stream(), 10)).isEqualTo("kept");
        }
    }

    private static void untilWaitingOrDone(JoinHandle<?> task) {
        var waiter = (Waiter) (Object) task;
        await().pollInterval(Duration.ofMillis(1)).until(() -> waiter.openWait() != null || task.isDone());
    }

    @ParameterizedTest
    @ValueSource(strings = {"close", "end of stream", "reset", "runtime"})
    void anEnd_isReady_andReadingTells(String end) throws Exception {
        TaskRuntime owner = runtime(1);
        try (TaskRuntime runtime = runtime(1);
                Pair pair = owner.blockOn(() -> Pair.open())) {
            TcpStream stream = pair.stream();
            JoinHandle<String> selecting = runtime.spawn(() -> readable(stream));
            untilWaiting(selecting);
            switch (end) {
                case "close" -> stream.close();
                case "end of stream" -> pair.peer().shutdownOutput();
                case "reset" -> {
                    pair.peer().setSoLinger(true, 0);
                    pair.peer().close();
                }
                default -> owner.close();
            }
            assertThat(selecting.join()).isEqualTo("bytes");
            assertThat(readable(stream)).as("and stays so").isEqualTo("bytes");
            if (end.equals("end of stream")) {
                assertThat(stream.tryRead(ByteBuffer.allocate(1))).isEqualTo(-1);
                assertThat(readable(stream)).isEqualTo("bytes");
            } else {
                assertThatThrownBy(() -> stream.tryRead(ByteBuffer.allocate(1)))
                        .isInstanceOf(java.io.IOException.class);
            }
        } finally {
            owner.close();
        }
    }

    @Test
    void closingAListener_isReady_andAcceptingTells() throws Exception {
        try (TaskRuntime runtime = runtime(1)) {
            TcpListener listener = runtime.blockOn(() -> TcpListener.bind(HOST, 0));
            JoinHandle<String> selecting = runtime.spawn(() ->
                    Select.<String>of().onReadable(listener, () -> "ready").await());
            untilWaiting(selecting);
            listener.close();
            assertThat(selecting.join()).isEqualTo("ready");
            assertThatThrownBy(listener::tryAccept).isInstanceOf(ClosedChannelException.class);
            assertThat(Select.<String>of().onReadable(listener, () -> "ready").await())
                    .isEqualTo("ready");
        }
    }

    @Test
    void aCancelledTask_takesWhatIsReady_andElseThrows() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            pair.send("x");
            assertThat(readable(pair.stream())).isEqualTo("bytes");
            Channel<String> results = Channel.unbounded();
            JoinHandle<Void> task = runtime.spawn(() -> {
                try {
                    Task.sleep(Duration.ofMinutes(5));
                } finally {
                    results.send(readable(pair.stream()) + " " + tryRead(pair.stream()));
                    results.send(readable(pair.stream()));
                }
            });
            untilWaiting(task);
            task.abort();
            assertThat(task.result()).isInstanceOf(JoinResult.Cancelled.class);
            assertThat(results.receive()).isEqualTo("bytes x");
            assertThat(results.tryReceive()).isNull();
        }
    }

    /* ---------------- Races -------------- */

    /**
     * Selects that read, plain readers and selects that are given up, all at one socket that gets bytes in small pieces:
     * each byte is read once, in the end nobody waits, and nobody has been forgotten.
     */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void selectsAndReaders_whoRace_readEachByteOnce(int carriers) throws Exception {
        int total = 200_000;
        Channel<Integer> pokes = Channel.rendezvous();
        AtomicInteger sum = new AtomicInteger();
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            TcpStream stream = pair.stream();
            List<JoinHandle<?>> reading = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                reading.add(runtime.spawn(() -> {
                    for (int count = 0; count >= 0; sum.addAndGet(Math.max(count, 0))) {
                        boolean bytes = Select.<Boolean>of()
                                .onReadable(stream, () -> true)
                                .onReceive(pokes, item -> false)
                                .await();
                        count = bytes ? stream.tryRead(ByteBuffer.allocate(3)) : 0;
                    }
                }));
            }
            reading.add(runtime.spawn(() -> {
                for (int count = 0; count >= 0; sum.addAndGet(Math.max(count, 0))) {
                    count = stream.read(ByteBuffer.allocate(2));
                }
            }));
            reading.add(runtime.spawn(() -> {
                while (readableWithin(Duration.ofNanos(50_000), stream).equals("timeout") || sum.get() < total) {
                    Task.yieldNow();
                }
            }));
            JoinHandle<Void> poking = runtime.spawn(() -> {
                while (true) {
                    pokes.send(1);
                }
            });
            Random random = new Random(7);
            pair.peer().setTcpNoDelay(true);
            for (int sent = 0; sent < total; ) {
                int length = Math.min(total - sent, 1 + random.nextInt(6));
                pair.peer().getOutputStream().write(new byte[length]);
                sent += length;
            }
            await().until(() -> sum.get() == total);
            pair.peer().shutdownOutput();
            for (JoinHandle<?> reader : reading) {
                reader.join();
            }
            poking.abort();
            poking.result();
            assertThat(sum.get()).isEqualTo(total);
            assertThat(stream.readiness().waiting(READ)).isZero();
        }
    }

    /** What a select has armed by trying may have been disarmed, and the event taken by a reader, before it is enqueued. */
    @Test
    void enqueue_armsTheKey_whateverTryingHasDone() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            WaitPoint point = new WaitPoint() {};
            JoinHandle<Boolean> waiting = runtime.spawn(() -> {
                Wait wait = Wait.forAny();
                WaitNode node = new WaitNode(point, wait);
                wait.register(new WaitNode[] {node});
                assertThat(pair.stream().readiness().enqueue(READ, node)).isTrue();
                return wait.awaitAny(wait.waiter().nanoTime()
                                + Duration.ofSeconds(20).toNanos())
                        == node;
            });
            untilWaiting(waiting);
            pair.send("x");
            assertThat(waiting.join()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void closing_meetsSelectsAtEveryPoint_andForgetsNone(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                TcpListener listener = runtime.blockOn(() -> TcpListener.bind(HOST, 0))) {
            for (int i = 0; i < 300; i++) {
                Pair pair = runtime.blockOn(() -> Pair.open(listener));
                List<JoinHandle<String>> selecting = new ArrayList<>();
                for (int n = 0; n < 3; n++) {
                    selecting.add(runtime.spawn(() -> readable(pair.stream())));
                }
                if (i % 3 == 0) {
                    untilWaiting(selecting.get(0));
                }
                pair.close();
                for (JoinHandle<String> select : selecting) {
                    assertThat(select.join()).isEqualTo("bytes");
                }
            }
        }
    }

    /* ---------------- Costs -------------- */

    /** The one that loses is enqueued and taken back each time: the task is cancelled, and so does not even park. */
    @Test
    void aMillionLosingSelects_leaveNothingBehind() throws Exception {
        int times = 1_000_000;
        Channel<String> channel = Channel.bounded(1);
        try (TaskRuntime runtime = runtime(1);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            Select<String> select =
                    Select.<String>of().onReadable(pair.stream(), () -> "bytes").onReceive(channel, item -> item);
            long[] grown = new long[1];
            runtime.blockOn(() -> {
                lose(select, 100_000);
                long before = settledHeap();
                lose(select, times);
                await().untilAsserted(
                                () -> { // others may use some for a while
                                    grown[0] = settledHeap() - before;
                                    assertThat(grown[0]).isLessThan(1 << 20);
                                });
            });
            System.out.println(times + " losing selects on an idle socket: heap grown by " + grown[0] + " B");
            assertThat(pair.stream().readiness().waiting(READ)).isZero();
            pair.send("x");
            assertThat(readable(pair.stream())).isEqualTo("bytes");
        }
    }

    private static void lose(Select<String> select, int times) {
        for (int i = 0; i < times; i++) {
            Thread.currentThread().interrupt();
            try {
                throw new AssertionError(select.await());
            } catch (InterruptedException e) {
                // as expected
            }
        }
    }

    private static long settledHeap() {
        System.gc();
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
