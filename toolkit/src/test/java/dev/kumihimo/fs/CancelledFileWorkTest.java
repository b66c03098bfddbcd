package dev.kumihimo.fs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.support.Observe;
import dev.kumihimo.support.TaskProbe;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Whatever strikes, whenever: what a call tells is what was done, and an open file stays open. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class CancelledFileWorkTest extends FileTest {
    private static final int ROUNDS = 30;

    /** A pipe, on which a read takes as long as the test wants. */
    private FileHandle pipe() throws Exception {
        Path path = dir.resolve("pipe");
        Process process = new ProcessBuilder("mkfifo", path.toString()).start();
        assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
        return FileHandle.open(path, READ, WRITE); // with both, opening does not wait
    }

    private static void put(FileHandle pipe, String text) throws IOException {
        Files.writeString(pipe.path(), text, WRITE);
    }

    /** Until the pool's thread is in the system call. */
    private void untilItReads() {
        Observe.until("a job reads", CancelledFileWorkTest::aJobReads);
    }

    private static boolean aJobReads() {
        return Thread.getAllStackTraces().entrySet().stream()
                .filter(thread -> thread.getKey().getName().startsWith("files-blocking"))
                .map(Map.Entry::getValue)
                .anyMatch(stack -> stack.length > 0
                        && stack[0].isNativeMethod()
                        && stack[0].getMethodName().startsWith("read"));
    }

    /** The one interrupt that closes a file: that of the thread which does the work itself. */
    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aBlockingJobsOwnRead_whoseThreadIsInterrupted_closesTheFile() throws Exception {
        try (FileHandle pipe = pipe()) {
            AtomicReference<Thread> thread = new AtomicReference<>();
            JoinHandle<Integer> job = runtime.spawnBlocking(() -> {
                thread.set(Thread.currentThread());
                return pipe.read(ByteBuffer.allocate(100));
            });
            untilItReads();
            thread.get().interrupt();
            assertThat(job.result(LONG))
                    .isInstanceOfSatisfying(
                            JoinResult.Failure.class,
                            failed -> assertThat(failed.exception()).isInstanceOf(ClosedByInterruptException.class));
            assertThat(pipe.isOpen()).isFalse();
        }
    }

    /* ---------------- When no thread can be had -------------- */

    @Test
    void close_whenTheJobCannotBeHandedOver_closesNevertheless() throws Exception {
        AtomicBoolean noThread = new AtomicBoolean();
        try (TaskRuntime poor = TaskRuntime.builder()
                .workerThreads(1)
                .contextPropagation(() -> {
                    if (noThread.get()) {
                        throw new OutOfMemoryError("planted");
                    }
                    return () -> () -> {};
                })
                .build()) {
            poor.<Exception>blockOn(() -> {
                FileHandle file = FileHandle.open(dir.resolve("file"), WRITE, CREATE);
                TempDirectory temp = TempDirectory.create(dir, "t-");
                noThread.set(true);
                assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(() -> file.force(false));
                assertThatCode(() -> {
                            file.close();
                            temp.close();
                        })
                        .doesNotThrowAnyException();
                assertThat(file.isOpen()).isFalse();
                assertThat(temp.path()).doesNotExist();
            });
        }
        assertThat(openFiles()).isEmpty();
    }

    /* ---------------- While it is done -------------- */

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aReadThatHasBegun_andIsAborted_givesWhatItRead_andTheFileStaysOpen() throws Exception {
        try (FileHandle pipe = pipe()) {
            for (int round = 0; round < ROUNDS; round++) {
                String sent = "round " + round;
                AtomicBoolean told = new AtomicBoolean();
                JoinHandle<String> reader = runtime.spawn(() -> {
                    ByteBuffer buffer = ByteBuffer.allocate(100);
                    pipe.read(buffer);
                    assertThat(Task.current().isAborted()).isTrue();
                    try {
                        Task.sleep(LONG);
                    } catch (TaskCancelledException e) {
                        told.set(true);
                    }
                    return UTF_8.decode(buffer.flip()).toString();
                });
                untilItReads();
                reader.abort();
                put(pipe, sent);
                assertThat(reader.join(LONG)).isEqualTo(sent);
                assertThat(told).isTrue();
            }
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aReadThatHasBegun_andIsInterrupted_givesWhatItRead_andTheInterruptBack() throws Exception {
        try (FileHandle pipe = pipe()) {
            for (int round = 0; round < ROUNDS; round++) {
                String sent = "round " + round;
                TaskProbe<String> reader = TaskProbe.spawn(runtime, () -> {
                    ByteBuffer buffer = ByteBuffer.allocate(100);
                    pipe.read(buffer);
                    assertThat(Thread.interrupted()).isTrue();
                    return UTF_8.decode(buffer.flip()).toString();
                });
                untilItReads();
                reader.untilParked();
                reader.thread().interrupt();
                put(pipe, sent);
                assertThat(reader.handle().join(LONG)).isEqualTo(sent);
            }
        }
    }

    private JoinHandle<Boolean> readerWithADeadline(FileHandle pipe, AtomicInteger first) {
        return runtime.spawn(() -> {
            assertThatExceptionOfType(TimeoutException.class)
                    .isThrownBy(() -> dev.kumihimo.time.Timeout.call(Duration.ofMillis(200), () -> {
                        first.set(pipe.read(ByteBuffer.allocate(1)));
                        pipe.read(ByteBuffer.allocate(1));
                    }));
            return Task.current().isAborted() || Thread.currentThread().isInterrupted();
        });
    }

    private static boolean begins(JoinHandle<?> reader) {
        Observe.until("a job reads, or none will", () -> aJobReads() || reader.isDone());
        return !reader.isDone();
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aReadThatHasBegun_andMeetsADeadline_isWaitedFor_andTheNextIsNotBegun() throws Exception {
        try (FileHandle pipe = pipe()) {
            AtomicInteger first = new AtomicInteger();
            JoinHandle<Boolean> reader = readerWithADeadline(pipe, first);
            while (!begins(reader)) { // the deadline has come first
                assertThat(reader.join(LONG)).isFalse();
                reader = readerWithADeadline(pipe, first);
            }
            long due = System.nanoTime() + 400_000_000;
            Observe.until("the deadline has passed", () -> System.nanoTime() > due);
            put(pipe, "ab");
            assertThat(reader.join(LONG)).isFalse();
            assertThat(first).hasValue(1);
            ByteBuffer left = ByteBuffer.allocate(10);
            assertThat(pipe.read(left)).isOne();
            assertThat(left.get(0)).isEqualTo((byte) 'b');
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aReadThatHasBegun_givesWhatItRead_alsoToThoseOfARuntimeThatIsShutDown() throws Exception {
        try (FileHandle pipe = pipe()) {
            AtomicInteger count = new AtomicInteger();
            JoinHandle<Boolean> reader = runtime.spawn(() -> {
                count.set(pipe.read(ByteBuffer.allocate(10)));
                pipe.read(ByteBuffer.allocate(10));
                return true;
            });
            untilItReads();
            assertThat(runtime.shutdown(Duration.ZERO)).isNotEmpty();
            put(pipe, "abc");
            assertThat(reader.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
            assertThat(count).hasValue(3);
            assertThat(pipe.isOpen()).isTrue();
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void close_endsAReadOfAnotherThread() throws Exception {
        FileHandle pipe = pipe();
        JoinHandle<Integer> reader = runtime.spawn(() -> pipe.read(ByteBuffer.allocate(1)));
        untilItReads();
        pipe.close(); // through the global runtime: this one's only thread reads
        assertThat(reader.result(LONG))
                .isInstanceOfSatisfying(
                        JoinResult.Failure.class,
                        failure -> assertThat(failure.exception()).isInstanceOf(AsynchronousCloseException.class));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void anErrorOfAnOperationThatIsAborted_isThrown() throws Exception {
        FileHandle pipe = pipe();
        AtomicBoolean thrown = new AtomicBoolean();
        JoinHandle<Boolean> reader = runtime.spawn(() -> {
            try {
                pipe.read(ByteBuffer.allocate(1));
            } catch (AsynchronousCloseException e) {
                thrown.set(true);
            }
            Task.sleep(LONG);
            return true;
        });
        untilItReads();
        reader.abort();
        pipe.close();
        assertThat(reader.result(LONG)).isInstanceOf(JoinResult.Cancelled.class);
        assertThat(thrown).isTrue();
    }

    /* ---------------- Before it is done -------------- */

    private List<VoidBody<Exception>> operationsOn(FileHandle file, Path path) {
        ByteBuffer buffer = ByteBuffer.allocate(2);
        return List.of(
                () -> file.write(buffer.clear()),
                () -> file.writeAll(buffer.clear(), 1),
                () -> file.read(buffer.clear()),
                () -> file.truncate(1),
                () -> file.position(2),
                () -> file.force(true),
                file::size,
                () -> Fs.write(path, new byte[1]),
                () -> Fs.append(path, new byte[1]),
                () -> Fs.writeAtomically(path, new byte[1]),
                () -> Fs.delete(path),
                () -> Fs.deleteTree(dir),
                () -> Fs.move(path, dir.resolve("other")),
                () -> Fs.copy(path, dir.resolve("other")),
                () -> Fs.createDirectory(dir.resolve("other")),
                () -> Fs.createTempFile(dir, "a", "b"),
                () -> TempDirectory.create(dir, "a"),
                () -> FileHandle.open(dir.resolve("other"), CREATE, WRITE),
                () -> Fs.lines(path),
                () -> Fs.walk(dir),
                () -> Fs.list(dir),
                () -> Fs.read(path));
    }

    private void assertUntouched(FileHandle file, Path path) throws Exception {
        assertThat(file.position()).isZero();
        assertThat(file.size()).isEqualTo(3);
        ByteBuffer three = ByteBuffer.allocate(3);
        file.readFully(three, 0);
        assertThat(three.array()).isEqualTo("abc".getBytes(UTF_8));
        assertThat(Fs.readString(path)).isEqualTo("abc");
        assertThat(Fs.list(dir)).containsExactly(path);
        assertThat(openFiles()).containsExactly(path.toString());
    }

    @Test
    void anOperationInTheQueue_struckByAnything_isNotDone() throws Exception {
        Path path = Files.writeString(dir.resolve("file"), "abc");
        try (FileHandle file = FileHandle.open(path, READ, WRITE)) {
            for (VoidBody<Exception> operation : operationsOn(file, path)) {
                Occupier occupier = new Occupier().untilItHolds();

                TaskProbe<Integer> aborted = TaskProbe.<Integer>spawn(runtime, () -> {
                            operation.run();
                            return 1;
                        })
                        .untilParked();
                aborted.handle().abort();
                assertThat(aborted.handle().result(LONG)).isInstanceOf(JoinResult.Cancelled.class);

                TaskProbe<Integer> interrupted = TaskProbe.<Integer>spawn(runtime, () -> {
                            operation.run();
                            return 1;
                        })
                        .untilParked();
                interrupted.thread().interrupt();
                assertThat(interrupted.handle().result(LONG))
                        .isInstanceOfSatisfying(
                                JoinResult.Failure.class,
                                failure -> assertThat(failure.exception())
                                        .isExactlyInstanceOf(InterruptedException.class));

                JoinHandle<Integer> late = runtime.spawn(() -> {
                    dev.kumihimo.time.Timeout.call(Duration.ofMillis(5), operation);
                    return 1;
                });
                assertThat(late.result(LONG))
                        .isInstanceOfSatisfying(
                                JoinResult.Failure.class,
                                failure -> assertThat(failure.exception()).isInstanceOf(TimeoutException.class));
                occupier.release();
            }
            assertUntouched(file, path);
        }
    }

    @Test
    void anOperationOfACancelledOrInterruptedThread_isNotDone() throws Exception {
        Path path = Files.writeString(dir.resolve("file"), "abc");
        try (FileHandle file = FileHandle.open(path, READ, WRITE)) {
            for (VoidBody<Exception> operation : operationsOn(file, path)) {
                JoinHandle<Boolean> task = runtime.spawn(() -> {
                    ((JoinHandle<?>) Task.current()).abort();
                    for (int i = 0; i < 2; i++) {
                        assertThatExceptionOfType(TaskCancelledException.class).isThrownBy(operation::run);
                    }
                    return true;
                });
                assertThat(task.join(LONG)).isTrue();
                for (JoinHandle<Boolean> each : List.of(
                        runtime.<Boolean>spawn(() -> interruptedItself(operation)),
                        runtime.<Boolean>spawnBlocking(() -> interruptedItself(operation)))) {
                    assertThat(each.join(LONG)).isFalse();
                }
            }
            assertUntouched(file, path);
        }
    }

    private static boolean interruptedItself(VoidBody<Exception> operation) {
        Thread.currentThread().interrupt();
        assertThatExceptionOfType(InterruptedException.class).isThrownBy(operation::run);
        return Thread.currentThread().isInterrupted();
    }

    @Test
    void close_isDoneInACancelledTask_inAnInterruptedOne_andAfterTheEndOfTheRuntime() throws Exception {
        Path path = Files.writeString(dir.resolve("file"), "a\n".repeat(1_000_000));
        List<TaskProbe<Integer>> tasks = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            int how = i;
            tasks.add(TaskProbe.<Integer>spawn(runtime, () -> {
                        try (FileHandle file = FileHandle.open(path);
                                Lines lines = Fs.lines(path);
                                FileWalk walk = Fs.walk(dir);
                                TempDirectory temp = TempDirectory.create(dir, "t")) {
                            try {
                                Task.sleep(Duration.ofDays(1));
                            } finally {
                                if (how == 1) {
                                    Thread.currentThread().interrupt();
                                }
                            }
                            return (int) file.size() + (int) lines.lineNumber() + walk.hashCode() + temp.hashCode();
                        }
                    })
                    .untilParked());
        }
        Observe.until("all have opened", () -> {
            try {
                return openFiles().size() >= 6 || Files.notExists(Path.of("/proc/self/fd"));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        tasks.forEach(TaskProbe::untilParked);
        tasks.get(0).handle().abort();
        tasks.get(0).handle().result(LONG);
        tasks.get(1).thread().interrupt();
        tasks.get(1).handle().result(LONG);
        runtime.close();
        tasks.get(2).handle().result(LONG);
        assertThat(openFiles()).isEmpty();
        assertThat(Fs.list(dir)).containsExactly(path);
    }

    @Test
    void close_inACancelledTask_waitsForThePool_andHoldsNoCarrier() throws Exception {
        Path path = Files.writeString(dir.resolve("file"), "abc");
        FileHandle file = FileHandle.open(path);
        Occupier occupier = new Occupier().untilItHolds();
        AtomicBoolean woken = new AtomicBoolean();
        TaskProbe<Integer> closer = TaskProbe.spawn(runtime, () -> {
                    try {
                        Task.sleep(Duration.ofDays(1));
                    } catch (TaskCancelledException e) {
                        woken.set(true);
                        file.close();
                    }
                    return 1;
                })
                .untilParked();
        closer.handle().abort();
        Observe.until("it closes", woken::get);
        closer.untilParked();
        assertThat(file.isOpen()).isTrue();
        occupier.release();
        assertThat(closer.handle().join(LONG)).isOne();
        assertThat(file.isOpen()).isFalse();
    }

    @Test
    void anInterruptThatMeetsAQueuedClose_isGivenBack() throws Exception {
        Path path = Files.writeString(dir.resolve("file"), "abc");
        FileHandle file = FileHandle.open(path);
        Occupier occupier = new Occupier().untilItHolds();
        TaskProbe<Boolean> closer = TaskProbe.spawn(runtime, () -> {
                    file.close();
                    return Thread.currentThread().isInterrupted();
                })
                .untilParked();
        closer.thread().interrupt();
        Observe.until("it is told", () -> !closer.thread().isInterrupted());
        closer.untilParked(); // it has taken its job back, and queued it again
        occupier.release();
        assertThat(closer.handle().join(LONG)).isTrue();
        assertThat(file.isOpen()).isFalse();
    }

    /* ---------------- At any time -------------- */

    /** What is told to be written is there, once and in its order; what is told not to be is not. */
    @Test
    void writesOfAnInterruptedThread_areAllThereOnce() throws Exception {
        Path path = dir.resolve("file");
        List<Integer> written = new ArrayList<>();
        AtomicBoolean done = new AtomicBoolean();
        try (FileHandle file = FileHandle.open(path, WRITE, CREATE)) {
            TaskProbe<Integer> writer = TaskProbe.spawn(runtime, () -> {
                int refused = 0;
                for (int i = 0; i < 3_000; i++) {
                    try {
                        file.writeAll(ByteBuffer.allocate(4).putInt(0, i));
                        written.add(i);
                    } catch (InterruptedException e) {
                        refused++;
                    }
                }
                done.set(true);
                return refused;
            });
            Thread thread = writer.thread();
            while (!done.get()) {
                for (int spin = ThreadLocalRandom.current().nextInt(2_000); spin > 0; spin--) {
                    Thread.onSpinWait();
                }
                thread.interrupt();
            }
            assertThat(writer.handle().join(LONG)).isBetween(1, 2_999);
        }
        assertWritten(path, written);
    }

    @Test
    void writesOfTasksWithDeadlines_areAllThereOnce() throws Exception {
        Path path = dir.resolve("file");
        List<Integer> written = new ArrayList<>();
        int refused;
        try (FileHandle file = FileHandle.open(path, WRITE, CREATE)) {
            refused = inTask(() -> {
                int count = 0;
                for (int i = 0; i < 2_000; i++) {
                    int number = i;
                    Duration time = Duration.ofNanos(ThreadLocalRandom.current().nextInt(2_000_000));
                    try {
                        dev.kumihimo.time.Timeout.call(time, () -> {
                            while (true) {
                                file.writeAll(ByteBuffer.allocate(4).putInt(0, number));
                                written.add(number);
                            }
                        });
                    } catch (TimeoutException e) {
                        count++;
                    }
                }
                return count;
            });
        }
        assertThat(refused).isEqualTo(2_000);
        assertWritten(path, written);
    }

    private static void assertWritten(Path path, List<Integer> written) throws IOException {
        ByteBuffer found = ByteBuffer.wrap(Files.readAllBytes(path));
        List<Integer> numbers = new ArrayList<>();
        while (found.hasRemaining()) {
            numbers.add(found.getInt());
        }
        assertThat(numbers).isEqualTo(written);
    }

    /* ---------------- The runtime -------------- */

    @Test
    void aCallInARuntimeThatIsShutDown_isCancelled_andNotDone() throws Exception {
        Path path = dir.resolve("file");
        try (TaskRuntime other = TaskRuntime.builder().workerThreads(1).build()) {
            TaskProbe<Integer> task = TaskProbe.spawn(other, () -> {
                        try {
                            Task.sleep(Duration.ofDays(1));
                        } catch (InterruptedException e) {
                            Task.shield(() -> assertThatExceptionOfType(TaskCancelledException.class)
                                    .isThrownBy(() -> Fs.write(path, new byte[1])));
                        }
                        return 1;
                    })
                    .untilParked();
            other.shutdown(LONG);
            assertThat(task.handle().join(LONG)).isOne();
        }
        assertThatExceptionOfType(NoSuchFileException.class).isThrownBy(() -> Fs.size(path));
    }
}
