package dev.kumihimo.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.support.Observe;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Waiting for a child, and ending it with what it has started. */
class ChildTest extends ProcessTestBase {
    private static final ExitStatus KILLED = new ExitStatus(137);

    /* ---------------- Waiting -------------- */

    @Test
    void await_isRepeatable_andWakesAll() throws Exception {
        try (Child child = sh("read x; exit 4").stdin(Stdio.PIPED).start()) {
            PipeWriter stdin = child.stdin();
            List<JoinHandle<ExitStatus>> waiters = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                waiters.add(waiting(() -> child.await()));
            }
            assertThat(child.tryAwait()).isNull();
            stdin.writeAll("\n");
            for (JoinHandle<ExitStatus> waiter : waiters) {
                assertThat(waiter.join(LONG).code()).isEqualTo(4);
            }
            assertThat(child.await().code()).isEqualTo(4);
            assertThat(child.await(Duration.ZERO).code()).isEqualTo(4);
            assertThat(child.tryAwait()).isEqualTo(new ExitStatus(4));
            assertThat(child.toString()).isEqualTo("child \"sh\" (pid " + child.pid() + "), ended with exit code 4");
        }
    }

    @Test
    void aWaitThatIsCancelledInterruptedOrOutOfTime_leavesTheChildAlone() throws Exception {
        try (Child child = Command.of("sleep", "1000").start()) {
            JoinHandle<?> cancelled = waiting(() -> child.await());
            cancelled.abort();
            assertCancelled(cancelled);
            JoinHandle<?> outOfTime = runtime.spawn(() -> child.await(Duration.ofMillis(5)));
            assertThat(failure(outOfTime))
                    .isInstanceOf(TimeoutException.class)
                    .hasMessage("child \"sleep\" (pid " + child.pid() + ") has not ended within PT0.005S");
            assertThatExceptionOfType(TimeoutException.class).isThrownBy(() -> child.await(Duration.ZERO));
            Thread.currentThread().interrupt();
            assertThatExceptionOfType(InterruptedException.class).isThrownBy(child::await);
            assertThat(child.tryAwait()).isNull();
            assertThat(child.handle().isAlive()).isTrue();
        }
    }

    @Test
    void await_closesAnInputThatNobodyHasAskedFor() throws Exception {
        try (Child child = Command.of("cat").stdin(Stdio.PIPED).start()) {
            assertThat(child.tryAwait()).isNull();
            assertThat(child.await(LONG).isSuccess()).isTrue();
        }
    }

    @Test
    void await_leavesAnInputAloneThatSomebodyWritesTo() throws Exception {
        try (Child child =
                Command.of("cat").stdin(Stdio.PIPED).stdout(Stdio.PIPED).start()) {
            PipeWriter stdin = child.stdin();
            JoinHandle<ExitStatus> waiter = waiting(() -> child.await());
            stdin.writeAll("late\n");
            assertThat(child.stdout().readLine()).isEqualTo("late");
            stdin.close();
            assertThat(waiter.join(LONG).isSuccess()).isTrue();
        }
    }

    @Test
    void aChild_isSelectable() throws Exception {
        try (Child brief = sh("exit 5").start();
                Child other = Command.of("sleep", "1000").start()) {
            int code = Select.<Integer>of()
                    .on(other, status -> -1)
                    .on(brief, ExitStatus::code)
                    .await();
            assertThat(code).isEqualTo(5);
            assertThat(Select.<Integer>of()
                            .on(other, status -> -1)
                            .otherwise(() -> 0)
                            .await())
                    .isZero();
        }
    }

    @Test
    void aChild_outlivesTheRuntimeInWhichItWasStarted() throws Exception {
        Child child;
        try (TaskRuntime other = TaskRuntime.builder().workerThreads(1).build()) {
            child = other.spawn(() -> Command.of("cat")
                            .stdin(Stdio.PIPED)
                            .stdout(Stdio.PIPED)
                            .start())
                    .join(LONG);
        }
        try (child) {
            assertThat(runtime.spawn(() -> {
                                child.stdin().writeAll("there\n");
                                return child.stdout().readLine();
                            })
                            .join(LONG))
                    .isEqualTo("there");
        }
    }

    @Test
    void waitingForASilentChild_holdsNoCarrier() throws Exception {
        try (Child child = Command.of("sleep", "1000").start()) {
            JoinHandle<?> waiter = waiting(() -> child.await());
            assertThat(runtime.spawn(() -> "others run").join(LONG)).isEqualTo("others run");
            waiter.abort();
        }
    }

    /* ---------------- Its output -------------- */

    @Test
    void output_givesWhatWasNotReadBefore() throws Exception {
        try (Child child = sh("echo first; echo second; echo third >&2; cat")
                .stdin(Stdio.PIPED)
                .stdout(Stdio.PIPED)
                .stderr(Stdio.PIPED)
                .start()) {
            assertThat(child.stdout().readLine()).isEqualTo("first");
            Output output = child.output();
            assertThat(output.stdoutText()).isEqualTo("second\n");
            assertThat(output.stderrText()).isEqualTo("third\n");
        }
    }

    @Test
    void output_cancelledOrBeyondItsLimit_hasReadNothing() throws Exception {
        try (Child child = sh("echo 12345; echo 678 >&2; read x; echo 9")
                .stdin(Stdio.PIPED)
                .stdout(Stdio.PIPED)
                .stderr(Stdio.PIPED)
                .start()) {
            PipeWriter stdin = child.stdin();
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> child.output(8))
                    .withMessageEndingWith("has written more than the limit of 8 bytes");
            JoinHandle<?> cancelled = waiting(() -> child.output());
            cancelled.abort();
            assertCancelled(cancelled);
            stdin.writeAll("\n");
            Output output = child.output();
            assertThat(output.stdoutText()).isEqualTo("12345\n9\n");
            assertThat(output.stderrText()).isEqualTo("678\n");
            assertThatThrownBy(() -> child.output(-1)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void aStreamThatIsNoPipe_isTold() throws Exception {
        try (Child child = Command.of("true").start()) {
            assertThatThrownBy(child::stdin)
                    .isExactlyInstanceOf(IllegalStateException.class)
                    .hasMessage("the standard input of child \"true\" (pid " + child.pid() + ") is not Stdio.PIPED");
            assertThatThrownBy(child::stdout).isExactlyInstanceOf(IllegalStateException.class);
            assertThatThrownBy(child::stderr).isExactlyInstanceOf(IllegalStateException.class);
            assertThat(child.output().stdout()).isEmpty();
        }
    }

    /* ---------------- Ending it -------------- */

    @Test
    void close_killsTheChild_andHasReapedItOnReturn() throws Exception {
        Child child = Command.of("sleep", "1000").start();
        child.close();
        assertThat(child.tryAwait()).isEqualTo(KILLED);
        assertThat(children()).isEmpty();
        child.close();
        child.kill();
        child.terminate();
        assertThat(child.await()).isEqualTo(KILLED);
    }

    /** As if the system took its time: neither an interrupt nor a cancellation ends the wait. */
    @Test
    void close_waitsUntilTheChildIsReaped_whateverHappensMeanwhile() throws Exception {
        CountDownLatch reaped = new CountDownLatch(1);
        Child child = Command.of("sleep", "1000")
                .startedBy(builder -> new SlowlyReaped(builder.start(), reaped))
                .start();
        JoinHandle<Boolean> closing = waiting(() -> {
            child.close();
            return Thread.currentThread().isInterrupted();
        });
        Waiter closer = (Waiter) closing;
        Wait first = closer.openWait();
        closing.abort();
        closer.thread().interrupt();
        Observe.until("it waits again", () -> closer.openWait() != null && closer.openWait() != first);
        assertThat(child.tryAwait()).isNull();
        reaped.countDown();
        assertThat(closing.join(LONG)).as("the flag is kept").isTrue();
        assertThat(child.tryAwait()).isEqualTo(KILLED);
    }

    private static class SlowlyReaped extends Process {
        private final Process process;
        private final CountDownLatch reaped;

        SlowlyReaped(Process process, CountDownLatch reaped) {
            this.process = process;
            this.reaped = reaped;
        }

        @Override
        public int waitFor() throws InterruptedException {
            reaped.await();
            return process.waitFor();
        }

        @Override
        public ProcessHandle toHandle() {
            return process.toHandle();
        }

        @Override
        public long pid() {
            return process.pid();
        }

        @Override
        public OutputStream getOutputStream() {
            return process.getOutputStream();
        }

        @Override
        public InputStream getInputStream() {
            return process.getInputStream();
        }

        @Override
        public InputStream getErrorStream() {
            return process.getErrorStream();
        }

        @Override
        public int exitValue() {
            return process.exitValue();
        }

        @Override
        public void destroy() {
            throw new AssertionError("it closes the pipes");
        }
    }

    @Test
    void close_afterTheEnd_changesNothing() throws Exception {
        Child child = sh("exit 3").start();
        assertThat(child.await().code()).isEqualTo(3);
        child.close();
        assertThat(child.await().code()).isEqualTo(3);
    }

    @Test
    void close_killsTheWholeTree() throws Exception {
        Child child = sh("sleep 1000 & sh -c 'sleep 1000 & wait' & (trap '' TERM HUP; sleep 1000; true) & wait")
                .start();
        List<ProcessHandle> descendants = descendants(child, 5);
        child.close();
        assertThat(child.tryAwait()).isEqualTo(KILLED);
        untilGone(descendants.stream());
    }

    @Test
    void kill_endsTheTree_andWaitsForNobody() throws Exception {
        try (Child child = sh("sleep 1000 & sleep 1000 & wait").start()) {
            List<ProcessHandle> descendants = descendants(child, 2);
            child.kill();
            assertThat(child.await(LONG)).isEqualTo(KILLED);
            untilGone(descendants.stream());
        }
    }

    /** It is started after the look at the descendants, and would be the system's once its parent is gone. */
    @Test
    void kill_endsAlsoWhatIsStartedWhileItLooks() throws Exception {
        AtomicReference<Process> process = new AtomicReference<>();
        AtomicReference<ProcessHandle> late = new AtomicReference<>();
        Command command = sh("read x; sleep 1000 & wait").stdin(Stdio.PIPED).startedBy(builder -> {
            process.set(builder.start());
            return new SlowlyReaped(process.get(), new CountDownLatch(0)) {
                @Override
                public ProcessHandle toHandle() {
                    return startingAnother(process.get(), late);
                }
            };
        });
        try (Child child = command.start()) {
            child.kill();
            assertThat(child.await(LONG)).isEqualTo(KILLED);
            untilGone(Stream.of(late.get()));
        } finally {
            late.get().destroyForcibly();
        }
    }

    private static ProcessHandle startingAnother(Process process, AtomicReference<ProcessHandle> late) {
        ProcessHandle handle = process.toHandle();
        InvocationHandler handler = (proxy, method, arguments) -> {
            Object result = method.invoke(handle, arguments);
            if (method.getName().equals("descendants") && late.get() == null) {
                List<?> before = ((Stream<?>) result).toList();
                process.getOutputStream().write('\n');
                process.getOutputStream().flush();
                Observe.until(
                        "it starts another", () -> handle.children().findAny().isPresent());
                late.set(handle.children().findAny().orElseThrow());
                return before.stream();
            }
            if (method.getName().equals("destroyForcibly")) {
                Observe.until("it is gone", () -> isGone(handle));
            }
            return result;
        };
        return (ProcessHandle) Proxy.newProxyInstance(
                ProcessHandle.class.getClassLoader(), new Class<?>[] {ProcessHandle.class}, handler);
    }

    @Test
    void terminate_isASignalThatTheChildMayHandle() throws Exception {
        try (Child child = sh("trap 'echo cleaned; exit 9' TERM; echo ready; while :; do sleep 0.01; done")
                .stdout(Stdio.PIPED)
                .start()) {
            assertThat(child.stdout().readLine()).isEqualTo("ready");
            child.terminate();
            assertThat(child.stdout().readLine()).as("its pipes stay open").isEqualTo("cleaned");
            assertThat(child.await(LONG).code()).isEqualTo(9);
        }
    }

    @Test
    void keepOnClose_leavesTheChildRunning_withItsPipesClosed() throws Exception {
        Child child =
                sh("cat; exec sleep 1000").stdin(Stdio.PIPED).keepOnClose().start();
        try {
            child.close();
            Observe.until(
                    "its input is at its end",
                    () -> child.handle()
                            .info()
                            .command()
                            .filter(program -> program.endsWith("sleep"))
                            .isPresent());
            assertThat(child.tryAwait()).isNull();
        } finally {
            child.kill();
        }
        assertThat(child.await(LONG)).isEqualTo(KILLED);
    }

    @Test
    void close_inACancelledTask_waitsForTheEnd_andTheCancellationIsKept() throws Exception {
        JoinHandle<String> task = runtime.spawn(() -> {
            Child child = Command.of("sleep", "1000").start();
            ((JoinHandle<?>) Task.current()).abort();
            child.close();
            String status = String.valueOf(child.tryAwait());
            assertThatThrownBy(Task::checkCancelled).isInstanceOf(InterruptedException.class);
            throw new IOException(status);
        });
        assertThat(failure(task)).hasMessage(KILLED.toString());
    }

    @Test
    void close_inAnInterruptedThread_waitsForTheEnd_andKeepsTheFlag() throws Exception {
        Child child = Command.of("sleep", "1000").start();
        Thread.currentThread().interrupt();
        child.close();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(child.tryAwait()).isEqualTo(KILLED);
    }

    /** The one that is left holds the pipe open, and a thread of ours in a read of it. */
    @Test
    void close_doesNotWaitForAProcessThatHasEscaped() throws Exception {
        Child child =
                sh("(sleep 1000 & echo $!); sleep 1000").stdout(Stdio.PIPED).start();
        ProcessHandle escaped =
                ProcessHandle.of(Long.parseLong(child.stdout().readLine())).orElseThrow();
        try {
            Observe.until(
                    "its parent has ended",
                    () -> escaped.parent()
                            .filter(parent -> parent.pid() == child.pid())
                            .isEmpty());
            JoinHandle<String> reader = waiting(() -> child.stdout().readLine());
            child.close();
            assertThat(child.tryAwait()).isEqualTo(KILLED);
            assertThat(failure(reader)).isInstanceOf(java.nio.channels.AsynchronousCloseException.class);
            assertThat(escaped.isAlive()).as("the limit that kill() tells of").isTrue();
        } finally {
            escaped.destroyForcibly();
        }
    }
}
