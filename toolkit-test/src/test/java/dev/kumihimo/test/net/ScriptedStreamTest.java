package dev.kumihimo.test.net;

import static dev.kumihimo.test.TestTasks.assertParked;
import static dev.kumihimo.test.assertj.KumihimoAssertions.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.io.ByteReader;
import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.select.Select;
import dev.kumihimo.task.CancellationToken;
import dev.kumihimo.test.Explore;
import dev.kumihimo.test.LeakPolicy;
import dev.kumihimo.test.ScheduleError;
import dev.kumihimo.test.TestRuntime;
import dev.kumihimo.time.Timeout;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

@org.junit.jupiter.api.Timeout(60)
class ScriptedStreamTest {
    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(UTF_8));
    }

    private static String read(ScriptedStream stream, int room) throws IOException {
        ByteBuffer target = ByteBuffer.allocate(room);
        return stream.read(target) < 0 ? "end" : UTF_8.decode(target.flip()).toString();
    }

    private static Duration run(VoidBody<Exception> body) throws Exception {
        try (TestRuntime test = TestRuntime.fifo()) {
            test.run(body);
            return test.clock().elapsed();
        }
    }

    @Test
    void read_givesPieces_asScriptedAndAsThereIsRoom() throws Exception {
        ScriptedStream stream = ScriptedStream.script()
                .read("hello", "you")
                .read(new byte[] {'!', '?'})
                .end()
                .build();
        run(() -> {
            assertThat(read(stream, 3)).isEqualTo("hel");
            assertThat(read(stream, 9)).isEqualTo("lo");
            assertThat(read(stream, 9)).isEqualTo("you");
            assertThat(read(stream, 9)).isEqualTo("!?");
            assertThat(stream.read(ByteBuffer.allocate(0))).isZero();
            assertThat(read(stream, 9)).isEqualTo("end");
            assertThat(read(stream, 9)).isEqualTo("end");
        });
        stream.verify();
        stream.close();
    }

    @Test
    void write_ofWhatTheScriptSays_mayBeCutOtherwise() throws Exception {
        ScriptedStream stream =
                ScriptedStream.script().write("abc").write("defg").build();
        run(() -> {
            assertThat(stream.write(bytes("a"))).isEqualTo(1);
            assertThat(stream.tryWrite(bytes("bcd"))).isEqualTo(2);
            stream.writeAll(bytes("def"));
            stream.writeAll(bytes("g"));
        });
        stream.verify();
    }

    @Test
    void read_waits_untilWhatComesBeforeIsWritten() throws Exception {
        ScriptedStream stream =
                ScriptedStream.script().write("ping").read("pong").build();
        run(() -> {
            var reader = Task.spawn(() -> read(stream, 9));
            assertThat(stream.tryRead(ByteBuffer.allocate(1))).isZero();
            assertParked(reader);
            stream.writeAll(bytes("pin"));
            assertParked(reader);
            stream.writeAll(bytes("g"));
            assertThat(reader.join()).isEqualTo("pong");
        });
    }

    @Test
    void write_doesNotWait_forReadsBeforeIt() throws Exception {
        ScriptedStream stream = ScriptedStream.script()
                .read("greeting")
                .write("name")
                .read("welcome")
                .build();
        run(() -> {
            stream.writeAll(bytes("name"));
            assertThat(read(stream, 99)).isEqualTo("greeting");
            assertThat(read(stream, 99)).isEqualTo("welcome");
        });
        stream.verify();
    }

    @Test
    void pause_holdsUpBoth_inVirtualTime_fromWhereItStands() throws Exception {
        ScriptedStream stream = ScriptedStream.script()
                .write("a")
                .waitFor(Duration.ofHours(2))
                .read("b")
                .waitFor(Duration.ofSeconds(3))
                .write("c")
                .build();
        Duration elapsed = run(() -> {
            Task.sleep(Duration.ofMinutes(1));
            stream.writeAll(bytes("a"));
            Task.sleep(Duration.ofMinutes(20)); // of the two hours
            assertThat(stream.tryRead(ByteBuffer.allocate(1))).isZero();
            assertThat(read(stream, 1)).isEqualTo("b");
            assertThat(stream.tryWrite(bytes("c"))).isZero();
            stream.writeAll(bytes("c"));
        });
        assertThat(elapsed).isEqualTo(Duration.ofHours(2).plusMinutes(1).plusSeconds(3));
        stream.verify();
    }

    @Test
    void pause_isRealTime_onRealCarriers() throws Exception {
        ScriptedStream stream =
                ScriptedStream.script().waitFor(Duration.ofMillis(50)).read("b").build();
        TaskRuntime.run(() -> {
            long start = System.nanoTime();
            assertThat(read(stream, 1)).isEqualTo("b");
            assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(50_000_000);
        });
    }

    @Test
    void write_ofSomethingElse_fails_andShowsBoth_andFailsAllOthers() throws Exception {
        ScriptedStream stream =
                ScriptedStream.script().read("x").write("hello\r\n").read("y").build();
        run(() -> {
            assertThat(read(stream, 9)).isEqualTo("x");
            var reader = Task.spawn(() -> read(stream, 9));
            assertParked(reader);
            stream.writeAll(bytes("he"));
            ByteBuffer wrong = bytes("lp me");
            assertThatThrownBy(() -> stream.writeAll(wrong))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("action 2 of 3")
                    .hasMessageContaining("from byte 3 on")
                    .hasMessageContaining("\"llo\\r\\n\"")
                    .hasMessageContaining("6c 6c 6f 0d 0a")
                    .hasMessageContaining("\"lp me\"")
                    .hasMessageContaining("6c 70 20 6d 65");
            assertThat(wrong.position()).isZero();
            assertThat(reader.result())
                    .isFailure()
                    .hasCauseInstanceOf(AssertionError.class)
                    .cause()
                    .hasMessageContaining("from byte 3 on");
            assertThatThrownBy(() -> stream.writeAll(bytes("llo\r\n"))).isInstanceOf(AssertionError.class);
        });
        assertThatThrownBy(stream::verify).hasMessageContaining("\"lp me\"");
        assertThatThrownBy(stream::close).hasMessageContaining("\"lp me\"");
    }

    @Test
    void write_beyondTheScript_fails() throws Exception {
        ScriptedStream stream = ScriptedStream.script().write("ab").build();
        run(() -> assertThatThrownBy(() -> stream.writeAll(ByteBuffer.wrap(new byte[] {'a', 'b', (byte) 0xff})))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("nothing more that is written")
                .hasMessageContaining("ff"));
        assertThatThrownBy(stream::verify).isInstanceOf(AssertionError.class);
    }

    @Test
    void errors_areThrownOnce() throws Exception {
        IOException reset = new IOException("reset");
        IOException broken = new IOException("broken");
        ScriptedStream stream = ScriptedStream.script()
                .readError(reset)
                .read("a")
                .writeError(broken)
                .write("b")
                .build();
        run(() -> {
            assertThatThrownBy(() -> read(stream, 1)).isSameAs(reset);
            assertThatThrownBy(() -> stream.writeAll(bytes("whatever"))).isSameAs(broken);
            assertThat(read(stream, 1)).isEqualTo("a");
            stream.writeAll(bytes("b"));
        });
        stream.verify();
    }

    @Test
    void verifyAndClose_tellWhatWasNotPlayed() throws Exception {
        ScriptedStream stream = ScriptedStream.script()
                .read("a")
                .waitFor(Duration.ofSeconds(1))
                .write("QUIT\r\n")
                .end()
                .build();
        String left =
                "2 of 4 actions of the script were not played: 3: write \"QUIT\\r\\n\", of which 2 bytes were written; 4: end";
        run(() -> {
            read(stream, 1);
            stream.writeAll(bytes("QU"));
        });
        assertThatThrownBy(stream::verify).isInstanceOf(AssertionError.class).hasMessage(left);
        assertThatThrownBy(stream::close).isInstanceOf(AssertionError.class).hasMessage(left);
        assertThat(stream.isOpen()).isFalse();
        stream.close();
    }

    @Test
    void close_ofAFailingBody_isSuppressed() {
        IOException failure = new IOException("mine");
        ScriptedStream stream = ScriptedStream.script().read("a").build();
        assertThatThrownBy(() -> {
                    try (stream) {
                        throw failure;
                    }
                })
                .isSameAs(failure);
        assertThat(failure.getSuppressed()).hasSize(1);
        assertThat(failure.getSuppressed()[0]).hasMessageContaining("1: read \"a\"");
    }

    @Test
    void read_withATime_endsInTime_andTakesNothing() throws Exception {
        ScriptedStream stream = ScriptedStream.script()
                .waitFor(Duration.ofSeconds(10))
                .read("late")
                .build();
        Duration elapsed = run(() -> {
            ByteBuffer target = ByteBuffer.allocate(9);
            assertThatThrownBy(() -> stream.read(target, Duration.ofSeconds(4)))
                    .isInstanceOf(SocketTimeoutException.class);
            assertThatThrownBy(() -> stream.read(target, Duration.ZERO)).isInstanceOf(SocketTimeoutException.class);
            assertThat(stream.read(target, Duration.ofSeconds(7))).isEqualTo(4);
        });
        assertThat(elapsed).isEqualTo(Duration.ofSeconds(10));
    }

    @Test
    void read_thatIsCancelled_takesNothing() throws Exception {
        ScriptedStream stream = ScriptedStream.script().write("a").read("b").build();
        run(() -> {
            var reader = Task.spawn(() -> read(stream, 9));
            assertParked(reader);
            reader.abort();
            assertThat(reader.result()).isCancelledBy(CancelReason.Kind.ABORT);
            stream.writeAll(bytes("a"));
            assertThat(read(stream, 9)).isEqualTo("b");
        });
        stream.verify();
    }

    @Test
    void select_findsItReadable_onceItIs() throws Exception {
        ScriptedStream stream = ScriptedStream.script()
                .write("a")
                .waitFor(Duration.ofSeconds(5))
                .read("b")
                .end()
                .build();
        run(() -> {
            Select<String> select = Select.<String>of()
                    .on(stream.readable(), () -> "readable")
                    .after(Duration.ofSeconds(2), () -> "nothing");
            assertThat(select.await()).isEqualTo("nothing");
            assertThat(Select.<String>of()
                            .on(stream.writable(), () -> "writable")
                            .await())
                    .isEqualTo("writable");
            JoinHandle<String> selecting = Task.spawn(() ->
                    Select.<String>of().on(stream.readable(), () -> "readable").await());
            assertParked(selecting);
            stream.writeAll(bytes("a"));
            assertThat(select.await()).isEqualTo("nothing");
            assertParked(selecting);
            long before = Task.current().runtime().instantSource().millis();
            assertThat(Select.<String>of()
                            .on(stream.readable(), () -> "readable")
                            .after(Duration.ofMinutes(1), () -> "nothing")
                            .await())
                    .isEqualTo("readable");
            assertThat(Task.current().runtime().instantSource().millis() - before)
                    .isEqualTo(3_000);
            assertThat(selecting.join()).isEqualTo("readable");
            assertThat(read(stream, 1)).isEqualTo("b");
            assertThat(select.await()).isEqualTo("readable");
            assertThat(read(stream, 1)).isEqualTo("end");
        });
        stream.verify();
    }

    @Test
    void more_isPlayedAfterAllElse_andWakesWhoWaits() throws Exception {
        ScriptedStream stream = ScriptedStream.script().build();
        run(() -> {
            var reader = Task.spawn(() -> read(stream, 9));
            assertParked(reader);
            stream.more().read("news").write("thanks");
            assertThat(reader.join()).isEqualTo("news");
            stream.writeAll(bytes("thanks"));
        });
        stream.verify();
    }

    @Test
    void closing_endsWaits_andShutdownEndsWrites() throws Exception {
        ScriptedStream stream = ScriptedStream.script().build();
        run(() -> {
            stream.shutdownOutput();
            assertThatThrownBy(() -> stream.writeAll(bytes("a"))).isInstanceOf(ClosedChannelException.class);
            var reader = Task.spawn(() -> read(stream, 9));
            assertParked(reader);
            stream.close();
            assertThat(reader.result()).isFailure().hasCauseInstanceOf(AsynchronousCloseException.class);
            assertThatThrownBy(() -> read(stream, 1)).isInstanceOf(ClosedChannelException.class);
        });
    }

    @Test
    void deadlockReport_tellsWhereTheScriptStands() {
        ScriptedStream stream = ScriptedStream.script().write("never").read("b").build();
        assertThatThrownBy(() -> run(() -> read(stream, 1)))
                .isInstanceOf(ScheduleError.class)
                .hasMessageContaining("scripted stream, action 1 of 2: write \"never\"")
                .hasMessageContaining("at ScriptedStreamTest.java:");
    }

    @Test
    void everySchedule_wakesASelect_whenAPauseBeginsAndEnds() {
        Explore.preemptions(2).atMost(2_000).run(() -> {
            ScriptedStream stream = ScriptedStream.script()
                    .write("a")
                    .waitFor(Duration.ofSeconds(5))
                    .read("b")
                    .build();
            var writer = Task.spawn(() -> stream.writeAll(bytes("a")));
            ByteBuffer target = ByteBuffer.allocate(1);
            do {
                Select.<String>of().on(stream.readable(), () -> "readable").await();
            } while (stream.tryRead(target) == 0);
            writer.join();
            stream.close();
        });
    }

    @Test
    void everySchedule_losesNothing_whereReadsAndWritesAreCutShort() {
        Explore.preemptions(1).atMost(2_000).run(() -> {
            ScriptedStream stream = ScriptedStream.script()
                    .read("1")
                    .waitFor(Duration.ofSeconds(1))
                    .write("one")
                    .read("2")
                    .end()
                    .build();
            CancellationToken token = CancellationToken.create();
            ByteBuffer source = bytes("one");
            var writer = Task.spawn(() -> insist(token, () -> stream.writeAll(source)));
            ByteBuffer target = ByteBuffer.allocate(9);
            var reader = Task.spawn(() -> insist(token, () -> {
                while (stream.read(target) >= 0) {
                    // up to the end
                }
            }));
            Task.spawn(() -> token.cancel());
            writer.join();
            reader.join();
            assertThat(UTF_8.decode(target.flip()).toString()).isEqualTo("12");
            stream.close();
        });
    }

    private static void insist(CancellationToken token, VoidBody<IOException> body) throws IOException {
        try {
            token.run(body);
        } catch (TaskCancelledException e) {
            body.run(); // goes on
        }
    }

    @Test
    void write_thatIsCancelled_saysHowFarItCame_andGoesOnFromThere() throws Exception {
        ScriptedStream stream = ScriptedStream.script()
                .write("ab")
                .waitFor(Duration.ofSeconds(5))
                .write("cd")
                .build();
        ByteBuffer source = bytes("abcd");
        run(() -> {
            var writer = Task.spawn(() -> stream.writeAll(source));
            assertParked(writer);
            writer.abort();
            assertThat(writer.result()).isCancelledBy(CancelReason.Kind.ABORT);
            assertThat(source.position()).isEqualTo(2);
            assertThatThrownBy(() -> Timeout.call(Duration.ofSeconds(1), () -> stream.writeAll(source)))
                    .isInstanceOf(TimeoutException.class);
            assertThat(source.position()).isEqualTo(2);
            stream.writeAll(source);
        });
        stream.verify();
    }

    @Test
    void interruptedWrite_saysHowFarItCame() throws Exception {
        ScriptedStream stream = ScriptedStream.script()
                .write("ab")
                .waitFor(Duration.ofSeconds(5))
                .write("cd")
                .build();
        run(() -> {
            Thread self = Thread.currentThread();
            Task.spawn(() -> self.interrupt());
            assertThatThrownBy(() -> stream.writeAll(bytes("abcd")))
                    .isInstanceOfSatisfying(
                            InterruptedIOException.class,
                            e -> assertThat(e.bytesTransferred).isEqualTo(2));
            assertThat(Thread.interrupted()).isTrue();
            stream.writeAll(bytes("cd"));
        });
        stream.verify();
    }

    @Test
    void shutdownOutput_endsAWriteThatWaits_andLeavesReading() throws Exception {
        ScriptedStream stream = ScriptedStream.script()
                .waitFor(Duration.ofSeconds(5))
                .read("a")
                .end()
                .write("never")
                .build();
        run(() -> {
            var writer = Task.spawn(() -> stream.writeAll(bytes("never")));
            assertParked(writer);
            stream.shutdownOutput();
            stream.shutdownOutput();
            assertThat(writer.result()).isFailure().hasCauseInstanceOf(AsynchronousCloseException.class);
            assertThat(read(stream, 9)).isEqualTo("a");
            assertThat(read(stream, 9)).isEqualTo("end");
            assertThat(stream.isOpen()).isTrue();
        });
        assertThatThrownBy(stream::verify).hasMessageContaining("write \"never\"");
    }

    @Test
    void openStream_isALeak_andAClosedOneIsNone() throws Exception {
        try (TestRuntime test = TestRuntime.builder().leaks(LeakPolicy.FAIL).build()) {
            test.run(() -> {
                ScriptedStream.script().build().close();
                ScriptedStream.script().read("a").build();
            });
            assertThatThrownBy(test::finish)
                    .isInstanceOf(ScheduleError.class)
                    .hasMessageContaining("scripted stream, action 1 of 1: read \"a\": not closed; made at")
                    .hasMessageContaining("ScriptedStreamTest")
                    .hasMessageNotContaining("all 0 actions");
        }
    }

    /** Two tasks of one session, cut short at random places: each reads and writes what the script says, in every order. */
    @Test
    void everySchedule_playsTheScript() {
        Explore.preemptions(1).run(() -> {
            ScriptedStream stream = ScriptedStream.script()
                    .read("1\n")
                    .write("one\n")
                    .waitFor(Duration.ofSeconds(1))
                    .read("2", "\n")
                    .write("two\n")
                    .end()
                    .build();
            var writer = Task.spawn(() -> {
                stream.writeAll(bytes("one\ntw"));
                stream.writeAll(bytes("o\n"));
            });
            ByteReader reader = ByteReader.of(stream);
            StringBuilder lines = new StringBuilder();
            for (String line; (line = reader.readLineOrNull(9)) != null; ) {
                lines.append(line).append(';');
            }
            assertThat(lines.toString()).isEqualTo("1;2;");
            writer.join();
            stream.close();
        });
    }

    @Test
    void badInput_isRefused() {
        ScriptedStream.Script script = ScriptedStream.script();
        assertThatThrownBy(() -> script.read("a", ""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("bytes.length=0 must be at least 1");
        assertThatThrownBy(() -> script.write(new byte[0])).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> script.waitFor(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("duration=PT0S must be more than zero");
        script.end();
        assertThatThrownBy(() -> script.read("b"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("read \"b\"");
    }
}
