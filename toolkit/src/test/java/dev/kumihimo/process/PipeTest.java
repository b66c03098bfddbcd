package dev.kumihimo.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.support.Observe;
import dev.kumihimo.time.Timeout;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** The pipes of a child. */
class PipeTest extends ProcessTestBase {
    private static final int MIB = 1024 * 1024;

    private static Child cat() throws IOException, InterruptedException {
        return Command.of("cat").stdin(Stdio.PIPED).stdout(Stdio.PIPED).start();
    }

    private static String text(ByteBuffer buffer) {
        return StandardCharsets.UTF_8.decode(buffer.flip()).toString();
    }

    /* ---------------- Bytes -------------- */

    @Test
    void tenMebibytes_goThroughAChildAndBack() throws Exception {
        byte[] sent = new byte[10 * MIB];
        new Random(7).nextBytes(sent);
        try (Child child = cat()) {
            JoinHandle<?> writer = runtime.spawn(() -> {
                child.stdin().writeAll(ByteBuffer.wrap(sent));
                child.stdin().close();
            });
            JoinHandle<byte[]> reader = runtime.spawn(() -> child.stdout().readAll(20 * MIB));
            assertThat(Arrays.equals(reader.join(LONG), sent)).isTrue();
            writer.join(LONG);
            assertThat(child.await().isSuccess()).isTrue();
        }
    }

    @Test
    void read_givesWhatIsThere_andThenTheEnd() throws Exception {
        try (Child child = cat()) {
            PipeReader stdout = child.stdout();
            child.stdin().writeAll("abc");
            ByteBuffer two = ByteBuffer.allocate(2);
            assertThat(stdout.read(two)).isEqualTo(2);
            assertThat(text(two)).isEqualTo("ab");
            assertThat(stdout.read(ByteBuffer.allocate(0))).isZero();
            assertThatThrownBy(() -> stdout.read(ByteBuffer.allocate(1).asReadOnlyBuffer()))
                    .isInstanceOf(java.nio.ReadOnlyBufferException.class);
            two.clear();
            assertThat(stdout.read(two)).isEqualTo(1);
            assertThat(text(two)).isEqualTo("c");
            child.stdin().close();
            assertThat(stdout.read(ByteBuffer.allocate(1))).isEqualTo(-1);
            assertThat(stdout.read(ByteBuffer.allocate(1))).isEqualTo(-1);
            assertThat(stdout.tryRead(ByteBuffer.allocate(1))).isEqualTo(-1);
            assertThat(stdout.readLine()).isNull();
            assertThat(stdout.readAll(0)).isEmpty();
        }
    }

    @Test
    void tryRead_neverWaits() throws Exception {
        try (Child child = cat()) {
            ByteBuffer buffer = ByteBuffer.allocate(8);
            assertThat(child.stdout().tryRead(buffer)).isZero();
            child.stdin().writeAll("xy");
            Observe.until("it has come", () -> {
                try {
                    return child.stdout().tryRead(buffer) > 0;
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            assertThat(text(buffer)).isEqualTo("xy");
            JoinHandle<Integer> reader = waiting(() -> child.stdout().read(ByteBuffer.allocate(8)));
            child.stdin().writeAll("z");
            assertThat(reader.join(LONG)).isOne();
        }
    }

    @Test
    void whatTheChildWrote_isThereAfterItsEnd() throws Exception {
        try (Child child = sh("echo left").stdout(Stdio.PIPED).start()) {
            child.await(LONG);
            assertThat(child.stdout().readLine()).isEqualTo("left");
            assertThat(child.stdout().readLine()).isNull();
        }
    }

    @Test
    void readLine_takesLinesHoweverTheyEnd() throws Exception {
        try (Child child = sh("printf 'a\\r\\n\\n\\303\\244\\rb\\nlast\\r'")
                .stdout(Stdio.PIPED)
                .start()) {
            List<String> lines = new ArrayList<>();
            for (String line; (line = child.stdout().readLine()) != null; ) {
                lines.add(line);
            }
            assertThat(lines).containsExactly("a", "", "\u00e4\rb", "last\r");
        }
    }

    @Test
    void aLineInPieces_isOneLine() throws Exception {
        try (Child child = cat()) {
            JoinHandle<String> reader = waiting(() -> child.stdout().readLine());
            for (String piece : List.of("a", "b", "c\r", "\nd")) {
                child.stdin().writeAll(piece);
            }
            assertThat(reader.join(LONG)).isEqualTo("abc");
            child.stdin().close();
            assertThat(child.stdout().readLine()).isEqualTo("d");
        }
    }

    @Test
    void aLimit_isExact_andWhatIsBeyondItStays() throws Exception {
        try (Child child = sh("printf '12345\\r\\n678'").stdout(Stdio.PIPED).start()) {
            PipeReader stdout = child.stdout();
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> stdout.readLine(4))
                    .withMessage("a line in the standard output of child \"sh\" (pid " + child.pid()
                            + ") is longer than the limit of 4 bytes");
            assertThat(stdout.readLine(5)).isEqualTo("12345");
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> stdout.readAll(2))
                    .withMessageContaining("there is more in the standard output of child \"sh\"")
                    .withMessageEndingWith("than the limit of 2 bytes");
            assertThat(stdout.readAll(3)).asString(StandardCharsets.UTF_8).isEqualTo("678");
            assertThatThrownBy(() -> stdout.readAll(-1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> stdout.readLine(-1)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void views_areStreamsOfJavaIo() throws Exception {
        try (Child child = cat()) {
            OutputStream out = child.stdin().outputStream();
            InputStream in = child.stdout().inputStream();
            out.write('a');
            out.write("bcd\nrest\n".getBytes(StandardCharsets.UTF_8), 1, 8);
            out.flush();
            assertThat(in.read()).isEqualTo('a');
            assertThat(in.read(new byte[1], 0, 0)).isZero();
            assertThat(in.read()).isEqualTo('c');
            BufferedReader reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
            assertThat(reader.readLine()).isEqualTo("d");
            out.close();
            assertThat(reader.readLine()).isEqualTo("rest");
            assertThat(reader.readLine()).isNull();
            in.close();
            assertThat(child.stdout().isOpen()).isFalse();
            assertThat(child.stdin().isOpen()).isFalse();
        }
    }

    /* ---------------- Waiting, and what ends it -------------- */

    @Test
    void readers_takeTurnsInTheOrderOfTheirCalls() throws Exception {
        try (Child child = cat()) {
            List<JoinHandle<String>> readers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                readers.add(waiting(() -> child.stdout().readLine()));
            }
            JoinHandle<?> cancelled = readers.remove(1);
            cancelled.abort();
            assertCancelled(cancelled);
            child.stdin().writeAll("1\n2\n");
            assertThat(readers.get(0).join(LONG)).isEqualTo("1");
            assertThat(readers.get(1).join(LONG)).isEqualTo("2");
        }
    }

    @Test
    void aReadThatIsCancelled_losesNothing() throws Exception {
        try (Child child = cat()) {
            PipeReader stdout = child.stdout();
            child.stdin().writeAll("half a ");
            JoinHandle<String> line = runtime.spawn(() -> stdout.readLine());
            Observe.until("it has the first half", () -> stdout.buffered() == 7);
            line.abort();
            assertCancelled(line);
            JoinHandle<byte[]> all = waiting(() -> stdout.readAll(100));
            all.abort();
            assertCancelled(all);
            child.stdin().writeAll("line\n");
            assertThat(stdout.readLine()).isEqualTo("half a line");
        }
    }

    @Test
    void anInterruptedRead_tellsSo_andKeepsTheFlag() throws Exception {
        try (Child child = cat()) {
            Thread.currentThread().interrupt();
            assertThatExceptionOfType(InterruptedIOException.class)
                    .isThrownBy(() -> child.stdout().readLine())
                    .withMessage("interrupted")
                    .withCauseExactlyInstanceOf(InterruptedException.class);
            assertThat(Thread.interrupted()).isTrue();
            child.stdin().writeAll("on\n");
            assertThat(child.stdout().readLine()).isEqualTo("on");
        }
    }

    @Test
    void aReadInATimeout_endsWithIt() throws Exception {
        try (Child child = cat()) {
            JoinHandle<String> task = runtime.spawn(() -> {
                try {
                    return Timeout.call(
                            Duration.ofMillis(5), () -> child.stdout().readLine());
                } catch (TimeoutException e) {
                    return "out of time, flag " + Thread.currentThread().isInterrupted();
                }
            });
            assertThat(task.join(LONG)).isEqualTo("out of time, flag false");
        }
    }

    @Test
    void aCancelledRead_hasTheCancellationAsItsCause() throws Exception {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        try (Child child = cat()) {
            JoinHandle<?> task = waiting(() -> {
                try {
                    return child.stdout().readLine();
                } catch (IOException e) {
                    thrown.set(e);
                    throw e;
                }
            });
            task.abort();
            assertThat(task.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        }
        assertThat(thrown.get())
                .isExactlyInstanceOf(InterruptedIOException.class)
                .hasCauseInstanceOf(TaskCancelledException.class);
    }

    @Test
    void readingASilentChild_holdsNoCarrier() throws Exception {
        try (Child child = Command.of("sleep", "1000")
                .stdout(Stdio.PIPED)
                .stderr(Stdio.PIPED)
                .start()) {
            JoinHandle<?> out = waiting(() -> child.stdout().readLine());
            JoinHandle<?> err = waiting(() -> child.stderr().readLine());
            assertThat(runtime.spawnBlocking(() -> "jobs run").join(LONG)).isEqualTo("jobs run");
            assertThat(runtime.spawn(() -> "tasks run").join(LONG)).isEqualTo("tasks run");
            String thread = "kumihimo-process-" + child.pid();
            assertThat(threads()).containsExactlyInAnyOrder(thread, thread + "-stdout", thread + "-stderr");
            out.abort();
            err.abort();
        }
    }

    @Test
    void aPipeThatIsNotUsed_hasNoThread() throws Exception {
        try (Child child = cat()) {
            assertThat(threads()).containsExactly("kumihimo-process-" + child.pid());
            child.stdout().close();
            child.stdin().close();
            child.await(LONG);
        }
    }

    @Test
    void close_endsReadersThatWait_andTheirTurnsToo() throws Exception {
        try (Child child = cat()) {
            JoinHandle<?> reader = waiting(() -> child.stdout().read(ByteBuffer.allocate(1)));
            JoinHandle<?> behind = waiting(() -> child.stdout().readLine());
            child.stdout().close();
            child.stdout().close();
            assertThat(failure(reader)).isInstanceOf(AsynchronousCloseException.class);
            assertThat(failure(behind)).isInstanceOf(AsynchronousCloseException.class);
            assertThatThrownBy(() -> child.stdout().readLine()).isExactlyInstanceOf(ClosedChannelException.class);
            assertThatThrownBy(() -> child.stdout().tryRead(ByteBuffer.allocate(1)))
                    .isExactlyInstanceOf(ClosedChannelException.class);
        }
    }

    @Test
    void aChildWhoseOutputIsClosed_isToldWhenItWrites() throws Exception {
        try (Child child = Command.of("yes").stdout(Stdio.PIPED).start()) {
            child.stdout().readLine();
            child.stdout().close();
            assertThat(child.await(LONG).signal()).hasValue(13);
        }
        try (Child child = Command.of("yes").stdout(Stdio.PIPED).start()) {
            child.stdout().close();
            assertThat(child.await(LONG).signal()).hasValue(13);
        }
    }

    /* ---------------- Writing -------------- */

    @Test
    void aChildThatDoesNotRead_holdsUpTheWriter_whoseCancelledWriteTellsHowMuchWentOut() throws Exception {
        byte[] sent = new byte[10 * MIB];
        new Random(11).nextBytes(sent);
        ByteBuffer source = ByteBuffer.wrap(sent, 5, sent.length - 5);
        AtomicReference<InterruptedIOException> told = new AtomicReference<>();
        try (Child child =
                sh("read x; exec cat").stdin(Stdio.PIPED).stdout(Stdio.PIPED).start()) {
            JoinHandle<?> writer = runtime.spawn(() -> {
                try {
                    child.stdin().writeAll(source);
                } catch (InterruptedIOException e) {
                    told.set(e);
                    throw e;
                }
            });
            JoinHandle<?> behind = waiting(() -> child.stdin().write(ByteBuffer.allocate(9)));
            // what was accepted does not change any more once the system's pipe is full, and the pump is stuck
            Observe.until("it is full", () -> stuck(child) && source.position() > 100_000);
            assertThat(runtime.spawn(() -> "tasks run").join(LONG)).isEqualTo("tasks run");
            behind.abort();
            assertCancelled(behind);
            writer.abort();
            assertCancelled(writer);
            int accepted = source.position() - 5;
            assertThat(told.get().bytesTransferred).isEqualTo(accepted).isLessThan(MIB);
            child.kill();
        }
    }

    private static boolean stuck(Child child) {
        return Thread.getAllStackTraces().entrySet().stream()
                .filter(entry -> entry.getKey().getName().equals("kumihimo-process-" + child.pid() + "-stdin"))
                .anyMatch(entry -> Arrays.stream(entry.getValue())
                        .anyMatch(frame -> frame.getMethodName().equals("writeBytes")));
    }

    @Test
    void whatACancelledWriteHasWritten_reachesTheChild() throws Exception {
        byte[] sent = new byte[MIB];
        new Random(13).nextBytes(sent);
        ByteBuffer source = ByteBuffer.wrap(sent);
        try (Child child = cat()) {
            JoinHandle<?> writer = runtime.spawn(() -> child.stdin().writeAll(source));
            Observe.until("it is full", () -> stuck(child) && source.position() > 100_000);
            writer.abort();
            assertCancelled(writer);
            int accepted = source.position();
            child.stdin().close();
            byte[] received = child.stdout().readAll(MIB);
            assertThat(Arrays.equals(received, Arrays.copyOf(sent, accepted))).isTrue();
            assertThat(child.await(LONG).isSuccess()).isTrue();
        }
    }

    @Test
    void writers_doNotMix() throws Exception {
        try (Child child = cat()) {
            List<JoinHandle<?>> writers = new ArrayList<>();
            for (char c = 'a'; c < 'e'; c++) {
                String line = String.valueOf(c).repeat(100_000) + "\n";
                writers.add(runtime.spawn(() -> child.stdin().writeAll(line)));
            }
            for (int i = 0; i < 4; i++) {
                String line = child.stdout().readLine();
                assertThat(line).hasSize(100_000).matches("(.)\\1*");
            }
            for (JoinHandle<?> writer : writers) {
                writer.join(LONG);
            }
        }
    }

    @Test
    void anInputThatTheChildHasClosed_isTold() throws Exception {
        try (Child child = sh("exec <&-; echo closed; exec sleep 1000")
                .stdin(Stdio.PIPED)
                .stdout(Stdio.PIPED)
                .start()) {
            assertThat(child.stdout().readLine()).isEqualTo("closed");
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> child.stdin().writeAll(ByteBuffer.allocate(MIB)))
                    .withMessage("standard input of child \"sh\" (pid " + child.pid()
                            + ") cannot be written: the child has closed it");
            assertThat(child.tryAwait()).isNull();
        }
    }

    @Test
    void aChildThatEndsBeforeItHasReadAll_endsAWriterThatWaits() throws Exception {
        try (Child child = Command.of("sleep", "1000").stdin(Stdio.PIPED).start()) {
            PipeWriter stdin = child.stdin();
            JoinHandle<?> writer = runtime.spawn(() -> stdin.writeAll(ByteBuffer.allocate(MIB)));
            Observe.until("it is full", () -> stuck(child));
            child.terminate();
            assertThat(failure(writer)).hasMessageContaining("cannot be written: the child has ");
            child.await(LONG);
            Observe.until("it is told", () -> threads().isEmpty());
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> stdin.writeAll("x"))
                    .withMessageContaining("cannot be written: the child has ");
        }
        try (Child child = sh("exit 6").stdin(Stdio.PIPED).start()) {
            PipeWriter stdin = child.stdin();
            child.await(LONG);
            Observe.until("its thread is over", () -> threads().isEmpty());
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> stdin.writeAll("x"))
                    .withMessageEndingWith("cannot be written: the child has ended with exit code 6");
        }
    }

    @Test
    void close_endsAWriterThatWaits() throws Exception {
        try (Child child = Command.of("sleep", "1000").stdin(Stdio.PIPED).start()) {
            JoinHandle<?> writer = runtime.spawn(() -> child.stdin().writeAll(ByteBuffer.allocate(MIB)));
            Observe.until("it is full", () -> stuck(child));
            JoinHandle<Integer> behind = waiting(() -> child.stdin().write(ByteBuffer.allocate(1)));
            child.stdin().close();
            assertThat(failure(writer)).isInstanceOf(AsynchronousCloseException.class);
            assertThat(failure(behind)).isInstanceOf(AsynchronousCloseException.class);
            assertThatThrownBy(() -> child.stdin().write(ByteBuffer.allocate(1)))
                    .isExactlyInstanceOf(ClosedChannelException.class);
        }
    }

    @Test
    void write_takesAChunk_andNothingOfNothing() throws Exception {
        try (Child child = cat()) {
            ByteBuffer direct = ByteBuffer.allocateDirect(10_000);
            assertThat(child.stdin().write(direct)).isEqualTo(8192);
            assertThat(direct.position()).isEqualTo(8192);
            assertThat(child.stdin().write(ByteBuffer.allocate(0))).isZero();
            Thread.currentThread().interrupt();
            assertThat(child.stdin().write(direct))
                    .as("without a wait no interrupt counts")
                    .isEqualTo(1808);
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void aWriterThatIsInterrupted_hasWrittenWhatThePositionTells() throws Exception {
        ByteBuffer source = ByteBuffer.allocate(MIB);
        try (Child child = Command.of("sleep", "1000").stdin(Stdio.PIPED).start()) {
            Thread writer = Thread.currentThread();
            JoinHandle<?> interrupter = runtime.spawnBlocking(() -> {
                Observe.until("it is full", () -> stuck(child));
                Observe.untilParked(writer);
                writer.interrupt();
            });
            assertThatExceptionOfType(InterruptedIOException.class)
                    .isThrownBy(() -> child.stdin().writeAll(source))
                    .satisfies(e -> assertThat(e.bytesTransferred).isEqualTo(source.position()));
            assertThat(Thread.interrupted()).isTrue();
            interrupter.join(LONG);
        }
    }
}
