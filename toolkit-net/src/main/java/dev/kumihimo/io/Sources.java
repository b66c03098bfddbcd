package dev.kumihimo.io;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.select.Selectable;
import dev.kumihimo.task.CancellationToken;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** Sources made of others, or of nothing. What they do is said where {@link ByteStreams} makes them. */
final class Sources {
    private Sources() {}

    /** One source after another. */
    static final class Chained extends SourceView {
        private final ByteSource first;
        private final ByteSource second;
        private volatile boolean firstEnded; // also read by selects, of any thread
        private volatile boolean closed;

        Chained(ByteSource first, ByteSource second) {
            this.first = Objects.requireNonNull(first, "first");
            this.second = Objects.requireNonNull(second, "second");
        }

        @Override
        int readBefore(ByteBuffer target, long deadline) throws IOException {
            if (!firstEnded) {
                int count = read(first, target, deadline);
                if (count >= 0) {
                    return count;
                }
                firstEnded = true;
            }
            return read(second, target, deadline);
        }

        @Override
        public Selectable<@Nullable Void> readable() {
            return Ready.asked(() -> (firstEnded ? second : first).readable());
        }

        @Override
        public boolean isOpen() {
            return !closed;
        }

        @Override
        public void close() throws IOException {
            closed = true;
            try {
                first.close();
            } finally {
                second.close();
            }
        }

        @Override
        public String toString() {
            return first + ", then " + second;
        }
    }

    /**
     * A source whose bytes are also written to a sink. What the sink does not take at once is owed: it is paid before the next
     * read takes anything, and before the end is told. So a wait that is interrupted has read nothing, and nothing goes missing.
     */
    static final class Tee extends SourceView {
        /** The most bytes of one read, and so the most that are owed. */
        private static final int MOST = 8192;

        private final ByteSource source;
        private final ByteSink sink;
        private final AtomicBoolean busy = new AtomicBoolean(); // somebody reads, or has closed
        private final AtomicBoolean closing = new AtomicBoolean();

        /** Cancelled when it is closed, which leaves the sink open and so would not end a wait for that by itself. */
        private final CancellationToken closed = CancellationToken.create("tee");

        private volatile @Nullable ByteBuffer owed; // also looked at by selects, and by who closes

        Tee(ByteSource source, ByteSink sink) {
            this.source = Objects.requireNonNull(source, "source");
            this.sink = Objects.requireNonNull(sink, "sink");
        }

        @Override
        int readBefore(ByteBuffer target, long deadline) throws IOException {
            if (!busy.compareAndSet(false, true)) {
                throw new ClosedChannelException(); // it belongs to one thread, so that is who closes
            }
            try {
                return payAndRead(target, deadline);
            } finally {
                busy.set(false);
            }
        }

        private int payAndRead(ByteBuffer target, long deadline) throws IOException {
            if (owed != null && !payUnlessClosed(deadline)) {
                return 0;
            }
            int first = target.position();
            int count = readAtMost(source, target, MOST, deadline);
            if (target.position() > first) {
                ByteBuffer read = target.duplicate().flip().position(first);
                try {
                    sink.tryWrite(read);
                } catch (IOException e) {
                    // the target has the bytes; the next read, which has to pay first, fails
                }
                if (read.hasRemaining()) {
                    owed = ByteBuffer.allocate(read.remaining()).put(read).flip();
                }
            }
            return count;
        }

        private boolean payUnlessClosed(long deadline) throws IOException {
            try {
                return closed.<Boolean, IOException>run(() -> pay(deadline));
            } catch (TaskCancelledException e) { // of the token: a cancellation of the caller comes as an IOException
                AsynchronousCloseException ended = new AsynchronousCloseException();
                ended.initCause(e);
                throw ended;
            }
        }

        /** {@return whether nothing is owed any more} If not, it has only been tried. */
        private boolean pay(long deadline) throws IOException {
            ByteBuffer rest = owed;
            if (rest != null) {
                if (deadline == Deadlines.NEVER) {
                    payAll(rest);
                } else {
                    payBefore(rest, deadline);
                }
                if (rest.hasRemaining()) {
                    return false;
                }
                owed = null;
            }
            return true;
        }

        private void payAll(ByteBuffer rest) throws IOException {
            try {
                sink.writeAll(rest);
            } catch (InterruptedIOException e) {
                e.bytesTransferred = 0; // of what was to be read
                throw e;
            }
        }

        /** A sink has no timed write: it is tried, and selected on. */
        private void payBefore(ByteBuffer rest, long deadline) throws IOException {
            while (true) {
                sink.tryWrite(rest);
                if (!rest.hasRemaining() || deadline == Deadlines.TRY) {
                    return;
                }
                if (deadline == Deadlines.NOW || !Deadlines.awaitReady(sink.writable(), deadline)) {
                    throw Deadlines.passed("a write to " + sink);
                }
            }
        }

        @Override
        public Selectable<@Nullable Void> readable() {
            return Ready.asked(() -> owed == null ? source.readable() : sink.writable());
        }

        @Override
        public boolean isOpen() {
            return source.isOpen();
        }

        @Override
        public void close() throws IOException {
            boolean wasOpen = source.isOpen();
            boolean first = closing.compareAndSet(false, true);
            try {
                source.close();
            } finally {
                if (first) {
                    if (wasOpen && busy.compareAndSet(false, true)) { // for good
                        payOnce();
                    } else {
                        closed.cancel(); // the reader's wait; what is owed is dropped
                    }
                }
            }
        }

        private void payOnce() throws IOException {
            try {
                pay(Deadlines.NEVER);
            } finally {
                owed = null;
            }
        }

        @Override
        public String toString() {
            return source + ", also to " + sink;
        }
    }

    /** A source that is read at most so fast. */
    static final class Throttled extends SourceView {
        private static final long SECOND = 1_000_000_000L;

        private final ByteSource source;
        private final long bytesPerSecond;
        private final long most;
        private volatile long next; // when the next read may begin; 0 is at once

        Throttled(ByteSource source, long bytesPerSecond) {
            if (bytesPerSecond < 1) {
                throw new IllegalArgumentException("bytesPerSecond=" + bytesPerSecond + " must be at least 1");
            }
            this.source = Objects.requireNonNull(source, "source");
            this.bytesPerSecond = bytesPerSecond;
            this.most = Math.max(1, bytesPerSecond / 20);
        }

        @Override
        int readBefore(ByteBuffer target, long deadline) throws IOException {
            if (next > Waiter.current().nanoTime()) {
                if (deadline == Deadlines.TRY) {
                    return 0;
                }
                if (deadline != Deadlines.NOW) {
                    Deadlines.await(Wait.forDeadline(), Math.min(next, deadline));
                }
                if (next > Waiter.current().nanoTime()) {
                    throw Deadlines.passed("a read at " + bytesPerSecond + " bytes a second");
                }
            }
            int first = target.position();
            int count = readAtMost(source, target, most, deadline);
            int read = target.position() - first;
            if (read > 0) {
                next = TimerService.deadline(Waiter.current().nanoTime(), timeFor(read));
            }
            return count;
        }

        /** {@return the time for so many bytes, rounded up} They are no more than a second's, unless that has only one. */
        private Duration timeFor(int count) {
            return Duration.ofNanos((long) Math.ceil((double) count * SECOND / bytesPerSecond));
        }

        @Override
        public Selectable<@Nullable Void> readable() {
            return Ready.asked(() -> next > Waiter.current().nanoTime() ? Ready.at(next) : source.readable());
        }

        @Override
        public boolean isOpen() {
            return source.isOpen();
        }

        @Override
        public void close() throws IOException {
            source.close();
        }

        @Override
        public String toString() {
            return source + ", at most " + bytesPerSecond + " bytes a second";
        }
    }

    /** No bytes, or one byte for ever. */
    static final class Constant implements ByteSource {
        private static final int BLOCK = 1024;

        private final int value; // -1 for the end
        private final byte[] block; // to be put many at a time
        private volatile boolean closed;

        Constant(int value) {
            this.value = value;
            block = new byte[value < 0 ? 0 : BLOCK];
            Arrays.fill(block, (byte) value);
        }

        @Override
        public int read(ByteBuffer target) throws IOException {
            Deadlines.spend();
            return tryFill(target);
        }

        private int tryFill(ByteBuffer target) throws IOException {
            if (closed) {
                throw new ClosedChannelException();
            }
            if (value < 0) {
                return target.hasRemaining() ? -1 : 0;
            }
            int count = target.remaining();
            while (target.hasRemaining()) {
                target.put(block, 0, Math.min(block.length, target.remaining()));
            }
            return count;
        }

        @Override
        public int read(ByteBuffer target, Duration timeout) throws IOException {
            Objects.requireNonNull(timeout, "timeout");
            return read(target);
        }

        @Override
        public int tryRead(ByteBuffer target) throws IOException {
            Waiter.spendQuietly();
            return tryFill(target);
        }

        @Override
        public Selectable<@Nullable Void> readable() {
            return Ready.NOW;
        }

        @Override
        public boolean isOpen() {
            return !closed;
        }

        @Override
        public void close() {
            closed = true;
        }

        @Override
        public String toString() {
            return value < 0 ? "empty source" : "repeated byte " + (byte) value;
        }
    }

    /** Takes everything, keeps nothing. */
    static final class Nowhere implements ByteSink {
        private volatile boolean shutDown;
        private volatile boolean closed;

        @Override
        public int write(ByteBuffer source) throws IOException {
            Deadlines.spend();
            return take(source);
        }

        private int take(ByteBuffer source) throws IOException {
            if (closed || shutDown) {
                throw new ClosedChannelException();
            }
            int count = source.remaining();
            source.position(source.limit());
            return count;
        }

        @Override
        public void writeAll(ByteBuffer source) throws IOException {
            write(source);
        }

        @Override
        public int tryWrite(ByteBuffer source) throws IOException {
            Waiter.spendQuietly();
            return take(source);
        }

        @Override
        public Selectable<@Nullable Void> writable() {
            return Ready.NOW;
        }

        @Override
        public void shutdownOutput() throws IOException {
            if (closed) {
                throw new ClosedChannelException();
            }
            shutDown = true;
        }

        @Override
        public boolean isOpen() {
            return !closed;
        }

        @Override
        public void close() {
            closed = true;
        }

        @Override
        public String toString() {
            return "null sink";
        }
    }
}
