package dev.kumihimo.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Selectable;
import dev.kumihimo.sync.Semaphore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class FileTransferTest {
    private static final int SIZE = 1_000_003;

    @TempDir
    private Path folder;

    private final byte[] content = new byte[SIZE];
    private Path path;
    private long outstanding;

    @BeforeEach
    void write() throws IOException {
        new Random(5).nextBytes(content);
        path = Files.write(folder.resolve("file"), content);
        outstanding = BufferPool.shared().outstanding();
    }

    @AfterEach
    void nothingIsLeft() {
        assertThat(BufferPool.shared().outstanding()).isEqualTo(outstanding);
    }

    /** Takes as many bytes as it has permits for, and waits then. */
    private static class Gathering implements ByteSink {
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        final Semaphore room;
        final CountDownLatch full = new CountDownLatch(1);

        Gathering(int room) {
            this.room = Semaphore.of(room);
        }

        @Override
        public void writeAll(ByteBuffer source) throws IOException {
            int start = source.position();
            while (source.hasRemaining()) {
                Semaphore.Permit permit = room.tryAcquire();
                try {
                    if (permit == null) {
                        full.countDown();
                        permit = room.acquire();
                    }
                } catch (InterruptedException e) {
                    InterruptedIOException told = TaskCancelledException.forIo(e);
                    told.bytesTransferred = source.position() - start;
                    throw told;
                }
                permit.forget();
                bytes.write(source.get());
            }
        }

        @Override
        public int write(ByteBuffer source) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int tryWrite(ByteBuffer source) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Selectable<Void> writable() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void shutdownOutput() {}

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {}
    }

    private static Gathering unbounded() {
        return new Gathering(10_000_000);
    }

    /* ---------------- What is sent -------------- */

    @ParameterizedTest
    @CsvSource({
        "0, 1000003", // all
        "0, 9223372036854775807", // and to the end
        "17, 9223372036854775807",
        "9, 1",
        "5, 262144", // a piece
        "5, 262145", // and one more
        "1000002, 5", // the last
        "1000003, 5", // none
        "5000000, 5",
        "4611686018427387904, 9223372036854775807",
        "3, 0"
    })
    void transfer_sendsThatPartOfTheFile(long position, long count) throws Exception {
        int from = (int) Math.min(SIZE, position);
        int length = (int) Math.min(count, SIZE - from);
        Gathering sink = unbounded();
        try (FileChannel file = FileChannel.open(path)) {
            file.position(7);
            assertThat(FileTransfer.transfer(file, position, count, sink)).isEqualTo(length);
            assertThat(file.position()).isEqualTo(7);
            assertThat(Arrays.equals(sink.bytes.toByteArray(), Arrays.copyOfRange(content, from, from + length)))
                    .isTrue();
        }
    }

    @Test
    void transfer_ofAPath_opensAndClosesIt() throws Exception {
        Gathering sink = unbounded();
        assertThat(FileTransfer.transfer(path, 3, 1000, sink)).isEqualTo(1000);
        assertThat(sink.bytes.toByteArray()).isEqualTo(Arrays.copyOfRange(content, 3, 1003));
        assertThatThrownBy(() -> FileTransfer.transfer(path, 0, 10, new Gathering(10) {
                    @Override
                    public void writeAll(ByteBuffer source) throws IOException {
                        throw new IOException("broken");
                    }
                }))
                .hasMessage("broken");
        assertThat(isOpenHere(path)).isFalse();
        assertThatThrownBy(() -> FileTransfer.transfer(folder.resolve("none"), 0, 1, sink))
                .isInstanceOf(NoSuchFileException.class);
    }

    private static boolean isOpenHere(Path file) throws IOException {
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path descriptor : descriptors) {
                try {
                    if (Files.readSymbolicLink(descriptor).equals(file.toRealPath())) {
                        return true;
                    }
                } catch (NoSuchFileException e) {
                    // closed meanwhile
                }
            }
        }
        return false;
    }

    @Test
    void transfer_toASinkThatReadsFilesItself_leavesItToIt() throws Exception {
        AtomicLong asked = new AtomicLong();
        class Own extends Gathering implements FileTransfer.Target {
            Own() {
                super(0);
            }

            @Override
            public long writeFrom(FileChannel file, long position, long count) {
                asked.set(position * 1000 + count);
                return 42;
            }
        }
        assertThat(FileTransfer.transfer(path, 3, 10, new Own())).isEqualTo(42);
        assertThat(asked).hasValue(3010);
        assertThat(isOpenHere(path)).isFalse();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FileTransfer.transfer(path, 0, -1, new Own()))
                .withMessage("count=-1 must be at least 0");
    }

    @Test
    void transfer_ofANegativePart_isRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FileTransfer.transfer(path, -1, 1, unbounded()))
                .withMessage("position=-1 must be at least 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FileTransfer.transfer(path, 0, -2, unbounded()))
                .withMessage("count=-2 must be at least 0");
    }

    /* ---------------- Interrupted and cancelled -------------- */

    @Test
    void interrupt_whileTheSinkIsFull_tellsHowFarItCame_andLeavesTheFileOpen() throws Exception {
        int room = 600_000;
        Gathering sink = new Gathering(room);
        try (TaskRuntime runtime = TaskRuntime.builder().workerThreads(1).build();
                FileChannel file = FileChannel.open(path)) {
            JoinHandle<InterruptedIOException> task = runtime.spawn(() -> {
                InterruptedIOException e = catchThrowableOfType(
                        InterruptedIOException.class, () -> FileTransfer.transfer(file, 1, Long.MAX_VALUE, sink));
                assertThat(Thread.currentThread().isInterrupted()).isTrue();
                return e;
            });
            sink.full.await();
            task.abort();
            // the body returned, which counts; see JoinHandle
            assertThat(task.join().bytesTransferred).isEqualTo(room);
            assertThat(file.isOpen()).isTrue();
            sink.room.release(10_000_000);
            assertThat(FileTransfer.transfer(file, 1 + room, Long.MAX_VALUE, sink))
                    .isEqualTo(SIZE - 1 - room);
            assertThat(Arrays.equals(sink.bytes.toByteArray(), Arrays.copyOfRange(content, 1, SIZE)))
                    .isTrue();
        }
    }

    @Test
    void interrupt_whileTheFileIsSlow_waitsForTheRead_andClosesNothing() throws Exception {
        Gathering sink = unbounded();
        try (TaskRuntime runtime = TaskRuntime.builder().workerThreads(1).build();
                SlowFile file = new SlowFile(FileChannel.open(path, StandardOpenOption.READ), 1)) {
            AtomicInteger transferred = new AtomicInteger(-1);
            JoinHandle<?> task = runtime.spawn(() -> {
                try {
                    FileTransfer.transfer(file, 0, Long.MAX_VALUE, sink);
                } catch (InterruptedIOException e) {
                    transferred.set(e.bytesTransferred);
                    throw e;
                }
            });
            file.reached.await();
            Waiter waiter = (Waiter) (Object) task;
            await().until(() -> waiter.openWait() != null);
            task.abort();
            assertThat(task.isFinished())
                    .as("while its buffer is being read into")
                    .isFalse();
            file.go.countDown();
            assertThat(task.result()).isInstanceOf(JoinResult.Cancelled.class);
            assertThat(transferred).hasValue(256 * 1024);
            assertThat(sink.bytes.size()).isEqualTo(256 * 1024);
            assertThat(file.interrupted).isFalse();
            assertThat(file.onCarrier).isFalse();
            assertThat(file.isOpen()).isTrue();
        }
    }

    @Test
    void transfer_whenAlreadyCancelled_readsNothing() throws Exception {
        try (TaskRuntime runtime = TaskRuntime.builder().workerThreads(1).build();
                FileChannel file = FileChannel.open(path)) {
            Gathering sink = unbounded();
            JoinHandle<Integer> task = runtime.spawn(() -> {
                Thread.currentThread().interrupt();
                return catchThrowableOfType(
                                InterruptedIOException.class, () -> FileTransfer.transfer(file, 0, 10, sink))
                        .bytesTransferred;
            });
            assertThat(task.join()).isZero();
            assertThat(sink.bytes.size()).isZero();
            assertThat(file.isOpen()).isTrue();
        }
    }

    @Test
    void transfer_inABlockingJob_readsInItsThread() throws Exception {
        try (TaskRuntime runtime =
                TaskRuntime.builder().workerThreads(1).maxBlockingThreads(1).build()) {
            Gathering sink = unbounded();
            assertThat(runtime.spawnBlocking(() -> FileTransfer.transfer(path, 0, Long.MAX_VALUE, sink))
                            .join())
                    .isEqualTo(SIZE); // with one thread, handing over would hang
        }
    }

    /** A file one of whose reads takes until it is let go. */
    private static final class SlowFile extends FileChannel {
        final CountDownLatch reached = new CountDownLatch(1);
        final CountDownLatch go = new CountDownLatch(1);
        final AtomicBoolean interrupted = new AtomicBoolean();
        final AtomicBoolean onCarrier = new AtomicBoolean();
        private final FileChannel file;
        private final int slow;
        private int reads;

        SlowFile(FileChannel file, int slow) {
            this.file = file;
            this.slow = slow;
        }

        @Override
        public int read(ByteBuffer target, long position) throws IOException {
            if (Thread.currentThread().isVirtual()) {
                onCarrier.set(true);
            }
            if (reads++ == slow) {
                reached.countDown();
                boolean done = false;
                while (!done) {
                    try {
                        go.await();
                        done = true;
                    } catch (InterruptedException e) {
                        interrupted.set(true);
                    }
                }
            }
            return file.read(target, position);
        }

        @Override
        protected void implCloseChannel() throws IOException {
            file.close();
        }

        @Override
        public int read(ByteBuffer target) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long read(ByteBuffer[] targets, int offset, int length) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int write(ByteBuffer source) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long write(ByteBuffer[] sources, int offset, int length) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long position() {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileChannel position(long position) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long size() {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileChannel truncate(long size) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void force(boolean metadata) {}

        @Override
        public long transferTo(long position, long count, WritableByteChannel target) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long transferFrom(ReadableByteChannel source, long position, long count) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int write(ByteBuffer source, long position) {
            throw new UnsupportedOperationException();
        }

        @Override
        public MappedByteBuffer map(MapMode mode, long position, long size) {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileLock lock(long position, long size, boolean shared) {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileLock tryLock(long position, long size, boolean shared) {
            throw new UnsupportedOperationException();
        }
    }
}
