package dev.kumihimo.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.support.Observe;
import dev.kumihimo.sync.SetOnce;
import dev.kumihimo.time.Timeout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is run, what of it is told, and that nothing of it is left. */
class CommandTest extends ProcessTestBase {
    @TempDir
    Path folder;

    /* ---------------- What is run -------------- */

    @Test
    void output_givesBothStreams_andTheStatus() throws Exception {
        Output output = sh("printf out; printf err >&2; exit 3").output();
        assertThat(output.stdoutText()).isEqualTo("out");
        assertThat(output.stderrText()).isEqualTo("err");
        assertThat(output.status()).isEqualTo(new ExitStatus(3));
        assertThat(output.status().isSuccess()).isFalse();
        assertThat(output.status().signal()).isEmpty();
        assertThat(output.toString()).isEqualTo("Output[exit code 3, stdout 3 bytes, stderr 3 bytes]");
    }

    @Test
    void status_tellsTheSignal() throws Exception {
        ExitStatus status = sh("kill -TERM $$").status();
        assertThat(status.code()).isEqualTo(143);
        assertThat(status.signal()).hasValue(15);
        assertThat(status.toString()).isEqualTo("exit code 143, which is signal 15");
        assertThat(sh("exit 0").status().isSuccess()).isTrue();
    }

    @Test
    void arguments_directoryAndEnvironment_reachTheChild() throws Exception {
        Command command = Command.of(
                        "sh", "-c", "pwd; echo \"$1|$2\"; echo \"$GREETING|${HOME-none}\"", "zero", "a 'b' *")
                .argument("c")
                .directory(folder)
                .environment("GREETING", "hello")
                .removeEnvironment("HOME");
        String expected = folder.toRealPath() + "\na 'b' *|c\nhello|none\n";
        assertThat(command.output().stdoutText()).isEqualTo(expected);
        assertThat(command.output().stdoutText()).as("run again").isEqualTo(expected);
        assertThat(command.toString()).startsWith("Command[sh, -c").doesNotContain("hello");
    }

    @Test
    void clearEnvironment_leavesOnlyWhatIsSetAfterIt() throws Exception {
        Output output = Command.of("env")
                .environment("BEFORE", "1")
                .clearEnvironment()
                .environment("ONLY", "2")
                .output();
        assertThat(output.stdoutText()).isEqualTo("ONLY=2\n");
    }

    @Test
    void files_areReadWrittenAndAppendedTo() throws Exception {
        Path input = Files.writeString(folder.resolve("in"), "b\na\n");
        Path result = folder.resolve("out");
        Command sort = Command.of("sort").stdin(Stdio.from(input)).stdout(Stdio.to(result));
        assertThat(sort.status().isSuccess()).isTrue();
        assertThat(sort.status().isSuccess()).isTrue();
        assertThat(result).hasContent("a\nb\n");
        assertThat(sort.stdout(Stdio.appendTo(result)).status().isSuccess()).isTrue();
        assertThat(result).hasContent("a\nb\na\nb\n");
    }

    @Test
    void mergeStderr_keepsTheOrder() throws Exception {
        Output output = sh("echo 1; echo 2 >&2; echo 3").mergeStderr().output();
        assertThat(output.stdoutText()).isEqualTo("1\n2\n3\n");
        assertThat(output.stderr()).isEmpty();
    }

    @Test
    void output_withoutInput_givesTheChildAnEmptyOne() throws Exception {
        assertThat(Command.of("cat").output().stdout()).isEmpty();
        assertThat(Command.of("cat").stdin(Stdio.PIPED).output().stdout()).isEmpty();
        assertThat(Command.of("cat")
                        .stdin(Stdio.NULL)
                        .stdout(Stdio.NULL)
                        .status()
                        .isSuccess())
                .isTrue();
    }

    @Test
    void status_closesPipes() throws Exception {
        ExitStatus status = sh("cat; while echo x; do :; done 2>/dev/null")
                .stdin(Stdio.PIPED)
                .stdout(Stdio.PIPED)
                .stderr(Stdio.PIPED)
                .status();
        assertThat(status.isSuccess() || status.signal().isPresent()).isTrue(); // it ends at all
    }

    @Test
    void output_takesBothAtOnce_whateverTheirSizes() throws Exception {
        Output output = sh("head -c 3000000 /dev/zero >&2; head -c 2000000 /dev/zero; head -c 1000000 /dev/zero >&2")
                .output();
        assertThat(output.stdout()).hasSize(2_000_000);
        assertThat(output.stderr()).hasSize(4_000_000);
    }

    @Test
    void output_beyondItsLimit_isRefused_andTheCommandKilled() throws Exception {
        Command endless = Command.of("yes").outputLimit(100_000);
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(endless::output)
                .withMessageMatching("child \"yes\" \\(pid \\d+\\) has written more than the limit of 100000 bytes");
        assertThat(sh("printf 123; printf 45 >&2").outputLimit(5).output().stdoutText())
                .isEqualTo("123");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> sh("printf 123; printf 45 >&2").outputLimit(4).output());
    }

    /* ---------------- What cannot be run -------------- */

    private void assertRefused(Command command, String message) {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(command::output)
                .withMessage(message)
                .satisfies(e -> assertThat(e.getStackTrace())
                        .anyMatch(frame -> frame.getClassName().equals(CommandTest.class.getName())));
        assertThat(children()).isEmpty();
    }

    @Test
    void anAbsentProgram_isNamed() {
        assertRefused(
                Command.of("no-such-program"),
                "cannot run \"no-such-program\": there is no such program in PATH=" + System.getenv("PATH"));
        assertRefused(Command.of("/no/such/program"), "cannot run \"/no/such/program\": there is no such file");
        assertRefused(Command.of("./program").directory(folder), "cannot run \"./program\": there is no such file");
    }

    @Test
    void aProgramThatMustNotBeRun_isToldSo() throws Exception {
        Path text = Files.writeString(folder.resolve("text"), "true");
        assertRefused(Command.of(text.toString()), "cannot run \"" + text + "\": it must not be executed");
        assertRefused(Command.of(folder.toString()), "cannot run \"" + folder + "\": it is a directory");
    }

    @Test
    void anAbsentDirectory_isNamed_andNotTheProgram() throws Exception {
        Path gone = Files.createDirectory(folder.resolve("gone"));
        Files.delete(gone);
        String cannot = "cannot run \"true\": its working directory ";
        assertRefused(Command.of("true").directory(gone), cannot + gone + " does not exist");
        Path file = Files.createFile(folder.resolve("file"));
        assertRefused(Command.of("true").directory(file), cannot + file + " is no directory");
    }

    @Test
    void aDirectoryThatIsDeletedMeanwhile_isNamed_andNotTheProgram() throws Exception {
        Path gone = Files.createDirectory(folder.resolve("gone"));
        Command command = Command.of("true").directory(gone).startedBy(builder -> {
            Files.delete(gone);
            return builder.start();
        });
        assertRefused(command, "cannot run \"true\": its working directory " + gone + " does not exist");
    }

    @Test
    void aFileThatCannotBeOpened_isNamed() {
        String cannot = "cannot run \"cat\": a file for one of its standard streams cannot be opened: ";
        Path absent = folder.resolve("absent");
        assertRefused(Command.of("cat").stdin(Stdio.from(absent)), cannot + absent + " (No such file or directory)");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Command.of("cat").stdout(Stdio.to(folder)).start())
                .withMessage(cannot + folder + " (Is a directory)");
    }

    @Test
    void wrongWords_areRefused() {
        assertThatThrownBy(() -> Command.of(""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("program=\"\" must not be empty");
        assertThatThrownBy(() -> Command.of("a\0b")).hasMessage("program=\"a\\0b\" must not contain NUL");
        assertThatThrownBy(() -> Command.of("a", "b", "\0")).hasMessage("argument=\"\\0\" must not contain NUL");
        assertThatThrownBy(() -> Command.of("a").argument("\0")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Command.of("a").environment("", "b"))
                .hasMessage("name=\"\" must not be empty or contain =");
        assertThatThrownBy(() -> Command.of("a").environment("b=", "c"))
                .hasMessage("name=\"b=\" must not be empty or contain =");
        assertThatThrownBy(() -> Command.of("a").environment("b", "\0"))
                .hasMessage("value=\"\\0\" must not contain NUL");
        assertThatThrownBy(() -> Command.of("a").outputLimit(-1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("limit=-1 must be 0 to 1073741824");
        assertThatThrownBy(() -> Command.of("a").stdin(Stdio.to(folder.resolve("x"))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("stdin=to " + folder.resolve("x") + " must be one for input");
        assertThatThrownBy(() -> Command.of("a").stderr(Stdio.from(folder.resolve("x"))))
                .hasMessage("stderr=from " + folder.resolve("x") + " must be one for output");
    }

    /* ---------------- Cancellation -------------- */

    @Test
    void aCancelledOutput_leavesNothingRunning() throws Exception {
        Path pids = folder.resolve("pids");
        Command command = sh("sleep 1000 & echo $! > " + pids + ".new; mv " + pids + ".new " + pids + "; wait");
        JoinHandle<Output> task = runtime.spawn(command::output);
        Observe.until("it runs", () -> Files.exists(pids));
        ProcessHandle sleeper =
                ProcessHandle.of(Long.parseLong(Files.readString(pids).strip())).orElseThrow();
        List<ProcessHandle> before = children();
        assertThat(before).hasSize(1);
        task.abort();
        assertCancelled(task);
        assertThat(before).noneMatch(ProcessHandle::isAlive);
        untilGone(List.of(sleeper).stream());
    }

    @Test
    void aCancelledStatus_leavesNothingRunning_alsoIfToldToKeepIt() throws Exception {
        JoinHandle<ExitStatus> task = runtime.spawn(Command.of("sleep", "1000").keepOnClose()::status);
        Observe.until("it runs", () -> !children().isEmpty());
        task.abort();
        assertCancelled(task);
        assertThat(children()).isEmpty();
    }

    @Test
    void aTimeoutAroundOutput_killsTheCommand() throws Exception {
        JoinHandle<String> task = runtime.spawn(() -> {
            try {
                Timeout.call(
                        Duration.ofMillis(50), () -> Command.of("sleep", "1000").output());
                return "ended";
            } catch (TimeoutException e) {
                return "out of time, children " + children().size() + ", flag "
                        + Thread.currentThread().isInterrupted();
            }
        });
        assertThat(task.join(LONG)).isEqualTo("out of time, children 0, flag false");
    }

    /** The child is there, its starter has not told so yet, and the caller is gone. */
    @Test
    void aCallerCancelledJustAsTheChildStarts_leavesNone() throws Exception {
        SetOnce<JoinHandle<?>> self = new SetOnce<>();
        AtomicReference<Process> process = new AtomicReference<>();
        Command command = Command.of("sleep", "1000").keepOnClose().startedBy(builder -> {
            process.set(builder.start());
            self.get().abort();
            return process.get();
        });
        JoinHandle<?> task = runtime.spawn(() -> {
            self.await();
            return command.start();
        });
        self.set(task);
        assertCancelled(task);
        assertThat(process.get().isAlive()).isFalse();
        assertThat(children()).isEmpty();
    }

    /** The system opens the pipe on behalf of the child, and waits for who writes to it. */
    @Test
    void aCallerCancelledWhileTheStartHangs_returns_andNothingIsLeftOnceItGetsThrough() throws Exception {
        Path fifo = folder.resolve("fifo");
        assertThat(Command.of("mkfifo", fifo.toString()).status().isSuccess()).isTrue();
        AtomicReference<Process> process = new AtomicReference<>();
        AtomicReference<ProcessHandle> descendant = new AtomicReference<>();
        Command command = sh("sleep 1000; true")
                .keepOnClose()
                .stdin(Stdio.from(fifo))
                .patience(Duration.ofMillis(5))
                .startedBy(builder -> {
                    process.set(builder.start());
                    Observe.until(
                            "it has started another",
                            () -> process.get().descendants().findAny().isPresent());
                    descendant.set(process.get().descendants().findAny().orElseThrow());
                    return process.get();
                });
        JoinHandle<?> task = waiting(command::start);
        try {
            task.abort();
            assertCancelled(task);
            assertThat(process.get()).as("it hangs").isNull();
        } finally {
            Files.newOutputStream(fifo).close(); // lets it through
        }
        try {
            Observe.until("nothing of ours is left", () -> threads().isEmpty());
            assertThat(process.get().isAlive()).isFalse();
            assertThat(children()).isEmpty();
            untilGone(Stream.of(descendant.get()));
        } finally {
            descendant.get().destroyForcibly();
            process.get().destroyForcibly();
        }
    }

    @Test
    void aPlainInterrupt_ofACallerWhoseChildStarts_leavesNone() throws Exception {
        AtomicReference<Process> process = new AtomicReference<>();
        Thread caller = Thread.currentThread();
        Command command = Command.of("sleep", "1000").startedBy(builder -> {
            process.set(builder.start());
            caller.interrupt();
            Observe.until("it is told", () -> !caller.isInterrupted());
            caller.interrupt(); // again, while it waits for the end of what it started
            return process.get();
        });
        assertThatThrownBy(command::start).isExactlyInstanceOf(InterruptedException.class);
        assertThat(Thread.interrupted()).as("the second one is kept").isTrue();
        assertThat(process.get().isAlive()).isFalse();
    }

    @Test
    void aCancelledCaller_startsNothing() throws Exception {
        AtomicInteger started = new AtomicInteger();
        Command command = Command.of("true").startedBy(builder -> {
            started.incrementAndGet();
            return builder.start();
        });
        JoinHandle<?> task = runtime.spawn(() -> {
            ((JoinHandle<?>) Task.current()).abort();
            return command.start();
        });
        assertCancelled(task);
        assertThat(started).hasValue(0);
    }

    @Test
    void anErrorOfTheStarter_isTheCallers() {
        Error error = new OutOfMemoryError("planted");
        Command command = Command.of("true").startedBy(builder -> {
            throw error;
        });
        assertThatThrownBy(command::start).isSameAs(error);
    }

    /* ---------------- Many, and while others hold the pools -------------- */

    @Test
    void manyAtOnce_areAllReaped() throws Exception {
        for (int round = 0; round < 10; round++) {
            List<JoinHandle<ExitStatus>> tasks = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                tasks.add(runtime.spawn(sh("exit 7")::status));
            }
            for (JoinHandle<ExitStatus> task : tasks) {
                assertThat(task.join(LONG).code()).isEqualTo(7);
            }
            assertThat(children()).as("zombies included").isEmpty();
        }
    }

    @Test
    void neitherTheBlockingPool_norTheCommonPool_isNeeded() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        int parallelism = Math.max(1, ForkJoinPool.getCommonPoolParallelism());
        CountDownLatch held = new CountDownLatch(parallelism + 1);
        for (int i = 0; i < parallelism; i++) {
            ForkJoinPool.commonPool().execute(() -> {
                held.countDown();
                try {
                    release.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
        }
        JoinHandle<?> job = runtime.spawnBlocking(() -> {
            held.countDown();
            release.await();
        });
        try {
            held.await();
            JoinHandle<Output> task = runtime.spawn(
                    sh("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2; echo end; echo end >&2")::output);
            assertThat(task.join(LONG).stdout()).hasSize(300_004);
        } finally {
            release.countDown();
        }
        job.join(LONG);
    }
}
