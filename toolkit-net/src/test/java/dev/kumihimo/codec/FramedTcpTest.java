package dev.kumihimo.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.net.TcpListener;
import dev.kumihimo.net.TcpStream;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.time.Timeout;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Frames over loopback TCP: faults, cancellation, slow readers, many tasks, selects. */
@org.junit.jupiter.api.Timeout(60)
class FramedTcpTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(20);

    /** One of our streams, and the JDK's socket at its other end. */
    private record Pair(TcpStream stream, Socket peer) implements AutoCloseable {
        static Pair open() throws IOException {
            try (TcpListener listener = TcpListener.bind("127.0.0.1", 0)) {
                Socket peer = new Socket();
                peer.connect(listener.localAddress(), 5_000);
                peer.setSoTimeout(10_000);
                return new Pair(listener.accept(Duration.ofSeconds(5)), peer);
            }
        }

        void send(String text) throws IOException {
            peer.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
        }

        String receive(int length) throws IOException {
            return new String(peer.getInputStream().readNBytes(length), StandardCharsets.US_ASCII);
        }

        void reset() throws IOException {
            peer.setSoLinger(true, 0);
            peer.close();
        }

        @Override
        public void close() throws IOException {
            peer.close();
            stream.close();
        }
    }

    private static TaskRuntime runtime(int carriers) {
        return TaskRuntime.builder().workerThreads(carriers).build();
    }

    private static void untilWaiting(JoinHandle<?> task) {
        Waiter waiter = (Waiter) (Object) task;
        await().pollInterval(Duration.ofMillis(1)).until(() -> waiter.openWait() != null);
    }

    private static Framed<String, String> lines(Pair pair) {
        return Framed.of(pair.stream(), LinesCodec.of(1 << 20));
    }

    /** Waits until so many bytes are in the reader, which has no whole frame. */
    private static void untilBuffered(Framed<?, ?> framed, int count) {
        await().until(() -> framed.tryReceive() == null && framed.reader().buffered() == count);
    }

    /* ---------------- Faults -------------- */

    @Test
    void aResetWithinAFrame_tellsHowMuchOfItWasThere() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            Framed<byte[], byte[]> framed = Framed.of(pair.stream(), LengthDelimitedCodec.create());
            pair.send("\0\0\0\2ok\0\0\0\11half");
            JoinHandle<byte[]> first = runtime.spawn(framed::receive);
            assertThat(first.join()).asString().isEqualTo("ok");
            untilBuffered(framed, 8);
            JoinHandle<byte[]> second = runtime.spawn(framed::receive);
            untilWaiting(second);
            pair.reset();
            assertThatThrownBy(second::join)
                    .cause()
                    .isInstanceOf(SocketException.class)
                    .hasMessageStartingWith("within a frame, after 8 bytes of it: ")
                    .hasMessageContaining("" + pair.peer().getLocalPort());
        }
    }

    @Test
    void theEndWithinAFrame_isNoEndOfTheStream() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            Framed<byte[], byte[]> framed = Framed.of(pair.stream(), LengthDelimitedCodec.create());
            pair.send("\0\0\0\11half");
            pair.peer().shutdownOutput();
            assertThatThrownBy(framed::receiveOrNull)
                    .isInstanceOf(EOFException.class)
                    .hasMessage("the input ended within a frame, after 8 of its 13 bytes");
            framed.send(Script.bytes("still"));
            assertThat(pair.receive(9)).isEqualTo("\0\0\0\5still");
        }
    }

    @Test
    void close_endsTheWaitsOfBothDirections() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            Framed<String, String> framed = lines(pair);
            JoinHandle<String> receiving = runtime.spawn(framed::receive);
            JoinHandle<Void> sending = runtime.spawn(() -> {
                while (true) {
                    framed.send("x".repeat(100_000));
                }
            });
            untilWaiting(receiving);
            untilWaiting(sending);
            framed.close();
            assertThatThrownBy(receiving::join).cause().isInstanceOf(AsynchronousCloseException.class);
            assertThatThrownBy(sending::join).cause().isInstanceOf(IOException.class);
        }
    }

    /* ---------------- Interruption -------------- */

    /** Struck after each byte of a frame: the frame is received all the same. */
    @Test
    void aReceiveThatIsCancelled_losesNothing() throws Exception {
        try (TaskRuntime runtime = runtime(2);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            Framed<String, String> framed = lines(pair);
            String text = "hello\nworld\n";
            List<String> received = new ArrayList<>();
            for (int i = 0; i < text.length(); i++) {
                pair.send(text.substring(i, i + 1));
                if (text.charAt(i) == '\n') {
                    received.add(framed.receive(LONG));
                    continue;
                }
                JoinHandle<String> receiving = runtime.spawn(framed::receive);
                untilWaiting(receiving);
                receiving.abort();
                assertThat(receiving.result()).isInstanceOf(JoinResult.Cancelled.class);
            }
            assertThat(received).containsExactly("hello", "world");
        }
    }

    @Test
    void aReceiveThatTimesOut_losesNothing() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            Framed<String, String> framed = lines(pair);
            pair.send("hel");
            runtime.blockOn(() -> {
                assertThatThrownBy(() -> framed.receive(SHORT)).isInstanceOf(SocketTimeoutException.class);
                assertThatThrownBy(() -> Timeout.call(SHORT, framed::receive)).isInstanceOf(TimeoutException.class);
                pair.send("lo\n");
                assertThat(framed.receive(LONG)).isEqualTo("hello");
            });
        }
    }

    @Test
    void aWaitForTheTurn_endsWithTheTimeout_theInterrupt_andTheCancellation() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            Framed<String, String> framed = lines(pair);
            JoinHandle<String> first = runtime.spawn(framed::receive);
            untilWaiting(first);
            assertThat(framed.tryReceive()).as("it is another's turn").isNull();
            assertThatThrownBy(() -> framed.receive(SHORT)).isInstanceOf(SocketTimeoutException.class);
            assertThatThrownBy(() -> framed.receive(Duration.ZERO)).isInstanceOf(SocketTimeoutException.class);
            JoinHandle<String> second = runtime.spawn(() -> {
                try {
                    return framed.receive();
                } catch (InterruptedIOException e) {
                    return e.getCause() instanceof TaskCancelledException && Thread.interrupted() ? "cancelled" : "?";
                }
            });
            untilWaiting(second);
            JoinHandle<String> third = runtime.spawn(framed::receive);
            untilWaiting(third);
            second.abort();
            assertThat(second.join()).isEqualTo("cancelled");
            pair.send("one\ntwo\n");
            assertThat(first.join()).isEqualTo("one");
            assertThat(third.join()).isEqualTo("two");
        }
    }

    /** A send is cancelled in the middle of its frame; what follows comes after the rest of it. */
    @Test
    void aSendThatIsCancelledWithinItsFrame_isFinishedByTheNext() throws Exception {
        try (TaskRuntime runtime = runtime(2);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            Framed<byte[], byte[]> framed = Framed.of(
                    pair.stream(),
                    LengthDelimitedCodec.builder().maxFrameLength(1 << 28).build());
            byte[] large = new byte[1 << 25];
            Arrays.fill(large, (byte) 'x');
            JoinHandle<Integer> sending = runtime.spawn(() -> {
                try {
                    framed.send(large);
                    return -1;
                } catch (InterruptedIOException e) {
                    return e.bytesTransferred;
                }
            });
            untilWaiting(sending);
            JoinHandle<Integer> behind = runtime.spawn(() -> {
                try {
                    framed.send(Script.bytes("never"));
                    return -1;
                } catch (InterruptedIOException e) {
                    return e.bytesTransferred;
                }
            });
            untilWaiting(behind);
            behind.abort();
            assertThat(behind.join()).isZero();
            sending.abort();
            int begun = sending.join();
            assertThat(begun).isBetween(1, large.length);
            assertThat(framed.writer().buffered()).isEqualTo(large.length + 4 - begun);
            JoinHandle<Void> next = runtime.spawn(() -> {
                framed.send(Script.bytes("next"));
                return null;
            });
            byte[] all = pair.peer().getInputStream().readNBytes(4 + large.length + 8);
            next.join();
            assertThat(new String(all, 4 + large.length - 1, 9, StandardCharsets.US_ASCII))
                    .isEqualTo("x\0\0\0\4next");
        }
    }

    /* ---------------- Back-pressure, many tasks -------------- */

    @Test
    void aReaderThatReadsNothing_holdsTheSender_withABoundedBuffer() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            Framed<String, String> framed = lines(pair);
            String line = "x".repeat(999);
            AtomicInteger fed = new AtomicInteger();
            JoinHandle<Void> feeding = runtime.spawn(() -> {
                while (true) {
                    framed.feed(line);
                    fed.incrementAndGet();
                }
            });
            untilWaiting(feeding);
            feeding.abort();
            assertThat(feeding.result()).isInstanceOf(JoinResult.Cancelled.class);
            assertThat(framed.writer().buffered()).isBetween(1, FramedWriter.DEFAULT_BOUNDARY + 1000);
            runtime.blockOn(() -> {
                while (framed.tryFeed(line)) {
                    fed.incrementAndGet();
                }
                assertThat(framed.tryFlush()).isFalse();
            });
            assertThat(framed.writer().buffered()).isBetween(1, FramedWriter.DEFAULT_BOUNDARY + 1000);
            JoinHandle<Void> finishing = runtime.spawn(() -> {
                framed.shutdownOutput();
                return null;
            });
            String all = new String(pair.peer().getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            finishing.join();
            assertThat(all.lines()).hasSize(fed.get()).allMatch(line::equals);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void framesOfSeveralTasks_neverMix_andKeepTheirOrder(int carriers) throws Exception {
        int senders = 8;
        int frames = 200;
        try (TaskRuntime runtime = runtime(carriers);
                TcpListener listener = runtime.blockOn(() -> TcpListener.bind("127.0.0.1", 0))) {
            JoinHandle<TcpStream> connecting = runtime.spawn(
                    () -> TcpStream.connect("127.0.0.1", listener.localAddress().getPort()));
            try (Framed<String, String> there = Framed.of(listener.accept(LONG), LinesCodec.of(1 << 20));
                    Framed<String, String> here = Framed.of(connecting.join(), LinesCodec.of(1 << 20))) {
                List<JoinHandle<Void>> tasks = new ArrayList<>();
                for (int s = 0; s < senders; s++) {
                    int sender = s;
                    tasks.add(runtime.spawn(() -> {
                        for (int i = 0; i < frames; i++) {
                            String frame = sender + " " + i + " " + ("" + (char) ('a' + sender)).repeat(i * 37);
                            if (i % 3 == 0) {
                                here.send(frame);
                            } else {
                                here.feed(frame);
                            }
                        }
                        here.flush();
                        return null;
                    }));
                }
                List<JoinHandle<List<String>>> receivers = new ArrayList<>();
                for (int r = 0; r < 3; r++) {
                    receivers.add(runtime.spawn(() -> {
                        List<String> received = new ArrayList<>();
                        for (String frame; (frame = there.receiveOrNull()) != null; ) {
                            received.add(frame);
                        }
                        return received;
                    }));
                }
                for (JoinHandle<Void> task : tasks) {
                    task.join();
                }
                here.shutdownOutput();
                int count = 0;
                for (JoinHandle<List<String>> receiver : receivers) {
                    int[] last = new int[senders];
                    Arrays.fill(last, -1);
                    for (String frame : receiver.join()) {
                        String[] parts = frame.split(" ", 3);
                        int sender = Integer.parseInt(parts[0]);
                        int number = Integer.parseInt(parts[1]);
                        assertThat(number).isGreaterThan(last[sender]);
                        last[sender] = number;
                        assertThat(parts[2]).isEqualTo(("" + (char) ('a' + sender)).repeat(number * 37));
                        count++;
                    }
                }
                assertThat(count).isEqualTo(senders * frames);
            }
        }
    }

    /* ---------------- Select -------------- */

    private static String select(Framed<String, String> framed, Duration time) throws InterruptedException {
        return Select.<String>of()
                .onReceive(framed, line -> "" + line)
                .after(time, () -> "timeout")
                .await();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aSelect_receivesWholeFramesOnly(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            Framed<String, String> framed = lines(pair);
            Select<String> select =
                    Select.<String>of().onReceive(framed, line -> "" + line).after(LONG, () -> "timeout");
            pair.send("one\ntwo\nthr");
            assertThat(runtime.<String, InterruptedException>blockOn(select::await))
                    .isEqualTo("one");
            assertThat(runtime.<String, InterruptedException>blockOn(select::await))
                    .as("buffered, with nothing in the socket")
                    .isEqualTo("two");
            assertThat(runtime.<String, InterruptedException>blockOn(() -> select(framed, SHORT)))
                    .as("half a frame")
                    .isEqualTo("timeout");
            for (int i = 0; i < 50; i++) {
                JoinHandle<String> selecting = runtime.spawn(select::await);
                untilWaiting(selecting);
                pair.send("x"); // wakes it for nothing
                await().until(() -> framed.reader().buffered() > 3);
                untilWaiting(selecting);
                pair.send("y" + i + "\nthr");
                assertThat(selecting.join()).isEqualTo("thrxy" + i);
            }
            pair.send("\n");
            assertThat(select.await()).as("a platform thread").isEqualTo("thr");
            pair.peer().shutdownOutput();
            assertThat(select.await()).isEqualTo("null");
            assertThat(select.await()).as("the end stays").isEqualTo("null");
        }
    }

    @Test
    void aSelectThatLoses_losesNothing() throws Exception {
        Channel<Integer> ticks = Channel.bounded(1);
        try (TaskRuntime runtime = runtime(2);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            Framed<String, String> framed = lines(pair);
            int lines = 2000;
            JoinHandle<List<String>> selecting = runtime.spawn(() -> {
                List<String> received = new ArrayList<>();
                Select<Boolean> select =
                        Select.<Boolean>of().onReceive(framed, received::add).onReceive(ticks, tick -> false);
                while (received.size() < lines) {
                    select.await();
                }
                return received;
            });
            JoinHandle<Void> ticking = runtime.spawn(() -> {
                for (int i = 0; ; i++) {
                    ticks.send(i);
                }
            });
            StringBuilder text = new StringBuilder();
            List<String> expected = new ArrayList<>();
            for (int i = 0; i < lines; i++) {
                expected.add("line " + i);
                text.append("line ").append(i).append('\n');
            }
            for (int at = 0; at < text.length(); at += 7) {
                pair.send(text.substring(at, Math.min(text.length(), at + 7)));
            }
            assertThat(selecting.join()).isEqualTo(expected);
            ticking.abort();
        }
    }

    @Test
    void aSelect_overTwoFramedStreams_takesWhatComes_inTheOrderOfEach() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair left = runtime.blockOn(() -> Pair.open());
                Pair right = runtime.blockOn(() -> Pair.open())) {
            JoinHandle<List<String>> selecting = runtime.spawn(() -> {
                List<String> received = new ArrayList<>();
                Select<Boolean> select = Select.<Boolean>of()
                        .onReceive(lines(left), received::add)
                        .onReceive(lines(right), received::add);
                while (received.size() < 450) {
                    select.await();
                }
                return received;
            });
            for (int i = 100; i < 250; i++) {
                left.send("l" + i + "\nl"); // the rest comes with the next
                right.send("r" + i);
                left.send(i + "x\n");
                right.send("\n");
            }
            List<String> received = selecting.join();
            assertThat(received.stream().filter(line -> line.startsWith("l")))
                    .hasSize(300)
                    .isSorted();
            assertThat(received.stream().filter(line -> line.startsWith("r")))
                    .hasSize(150)
                    .isSorted();
        }
    }

    @Test
    void aSelect_throwsWhatReceivingThrows_andGoesOnAfterWhatIsRecoverable() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            Framed<String, String> framed = Framed.of(pair.stream(), LinesCodec.of(3));
            pair.send("long\nok\nha");
            assertThatThrownBy(() -> select(framed, LONG))
                    .isInstanceOf(UncheckedIOException.class)
                    .cause()
                    .isInstanceOf(FrameException.class);
            assertThat(select(framed, LONG)).isEqualTo("ok");
            untilBuffered(framed, 2);
            pair.reset();
            assertThatThrownBy(() -> select(framed, LONG))
                    .isInstanceOf(UncheckedIOException.class)
                    .cause()
                    .isInstanceOf(SocketException.class)
                    .hasMessageStartingWith("within a frame, after 2 bytes of it: ");
        }
    }

    @Test
    void otherwise_isTaken_untilAWholeFrameIsThere() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            Framed<String, String> framed = lines(pair);
            Select<String> select =
                    Select.<String>of().onReceive(framed, line -> "" + line).otherwise(() -> "nothing");
            pair.send("ha");
            await().until(() ->
                    select.await().equals("nothing") && framed.reader().buffered() == 2);
            for (int i = 0; i < 1000; i++) {
                assertThat(select.await()).isEqualTo("nothing");
            }
            pair.send("lf\n");
            await().until(() -> select.await().equals("half"));
        }
    }

    /** Who receives has the turn: a select on the same stream waits on, and does not keep it from its carrier. */
    @Test
    void aSelect_besideAReceiver_leavesItTheFrame() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            Framed<String, String> framed = lines(pair);
            JoinHandle<String> receiving = runtime.spawn(framed::receive);
            untilWaiting(receiving);
            JoinHandle<String> selecting = runtime.spawn(() -> select(framed, LONG));
            untilWaiting(selecting);
            pair.send("on");
            untilWaiting(selecting);
            pair.send("e\n");
            assertThat(receiving.join()).isEqualTo("one");
            untilWaiting(selecting);
            pair.send("two\n");
            assertThat(selecting.join()).isEqualTo("two");
        }
    }

    /** Frames that came together, for several who select and one who receives: none is left while somebody waits for it. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void framesThatComeTogether_serveAllWhoWait(int carriers) throws Exception {
        try (TaskRuntime runtime = runtime(carriers);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            Framed<String, String> framed = lines(pair);
            for (int round = 0; round < 100; round++) {
                List<JoinHandle<String>> waiting = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    JoinHandle<String> task =
                            i == round % 5 ? runtime.spawn(framed::receive) : runtime.spawn(() -> select(framed, LONG));
                    untilWaiting(task);
                    waiting.add(task);
                }
                pair.send("a\nb\nc\nd\n");
                List<String> received = new ArrayList<>();
                for (JoinHandle<String> task : waiting) {
                    received.add(task.join());
                }
                assertThat(received).containsExactlyInAnyOrder("a", "b", "c", "d");
            }
            List<JoinHandle<String>> waiting = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                waiting.add(runtime.spawn(() -> select(framed, LONG)));
                untilWaiting(waiting.get(i));
            }
            pair.peer().shutdownOutput();
            for (JoinHandle<String> task : waiting) {
                assertThat(task.join()).as("the end").isEqualTo("null");
            }
        }
    }

    @Test
    void aSelectThatIsCancelled_leavesTheFrameToTheNext() throws Exception {
        try (TaskRuntime runtime = runtime(1);
                Pair pair = runtime.blockOn(() -> Pair.open())) {
            Framed<String, String> framed = lines(pair);
            pair.send("hel");
            JoinHandle<String> selecting = runtime.spawn(() -> select(framed, LONG));
            await().until(() -> framed.reader().buffered() == 3);
            untilWaiting(selecting);
            selecting.abort();
            assertThat(selecting.result()).isInstanceOf(JoinResult.Cancelled.class);
            pair.send("lo\n");
            assertThat(framed.receive(LONG)).isEqualTo("hello");
        }
    }
}
