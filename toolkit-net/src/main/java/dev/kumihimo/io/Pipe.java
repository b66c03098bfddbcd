package dev.kumihimo.io;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Clause;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: a ring of bytes with one reader and one writer at a time, who hold turns, handed out first come, first served. The
 * lock guards how many bytes there are and who waits; bytes are copied outside of it, since nobody else touches those that the
 * reader may read, or the room that the writer may fill. So a long copy keeps nobody spinning.
 *
 * Fields: count, ended, dropped, readers, writers: guarded by the lock; ended and dropped are also read without, by those who
 * then look again. readAt: of who has the reading turn. writeAt, ring: of who has the writing turn; the ring is made by the first
 * write, and seen by a reader because it has seen count under the lock since.
 * Linearization: where count changes; where ended or dropped is set.
 * Invariants: I1 somebody in readers, unless it gave up, has found count == 0 and neither flag, and nothing has changed since.
 * I2 the same for writers and count == capacity. Both hold selects as well as the one that has the turn; all are woken.
 * Waiting: registered under the same holding of the lock in which it was found that there is nothing; whoever changes that
 * grants all under the lock.
 * Cancellation: a wait that is given up leaves its queue and nothing else, since all there wait for the same. A turn that is
 * given up is the semaphore's business. Bytes are taken and counted after the last wait of a call, so no wait loses any.
 * Garbage: the ring lives as long as the pipe.
 * Checked by: DuplexTest, StreamInterruptionTest; SchedulesOfPipesTest in toolkit-test.
 */

/** Bytes from one side to another, in memory, at most so many at a time. */
final class Pipe extends WaitPoint {
    /** What reading finds besides a number of bytes. */
    private static final int NOTHING = 0;

    private static final int END = -1;
    private static final int CLOSED = -2;
    private static final int BROKEN = -3;

    private static final byte[] NONE = {};

    private final int capacity;
    private final Semaphore readTurn = Semaphore.of(1);
    private final Semaphore writeTurn = Semaphore.of(1);
    private final WaitQueue readers = new WaitQueue();
    private final WaitQueue writers = new WaitQueue();
    private final Clause<@Nullable Void> readable = new Readable(this);
    private final Clause<@Nullable Void> writable = new Writable(this);

    private int count;
    private volatile boolean ended; // nothing more is written
    private volatile boolean dropped; // nothing more is read

    private byte[] ring = NONE;
    private int readAt;
    private int writeAt;

    Pipe(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity=" + capacity + " must be at least 1");
        }
        this.capacity = capacity;
    }

    /* ---------------- Reading -------------- */

    int read(ByteBuffer target, long deadline) throws IOException {
        if (dropped) {
            throw new ClosedChannelException();
        }
        try (Permit turn = enter(readTurn, deadline)) {
            if (turn == null) {
                return 0;
            }
            if (!target.hasRemaining()) {
                if (dropped) { // while it waited for its turn
                    throw new AsynchronousCloseException();
                }
                return 0;
            }
            int there = awaitBytes(deadline);
            return there > 0 ? take(target, there) : there;
        }
    }

    /** Waits until there are bytes; returns how many, {@link #END}, or 0 if it is only to be tried. In the reading turn. */
    private int awaitBytes(long deadline) throws IOException {
        while (true) {
            Wait wait = null;
            int found;
            lock();
            try {
                found = toRead();
                if (found == NOTHING && deadline >= 0) {
                    wait = Wait.at(this);
                    readers.add(wait);
                }
            } finally {
                unlock();
            }
            if (found == CLOSED) {
                throw new AsynchronousCloseException();
            }
            if (found != NOTHING || deadline == Deadlines.TRY) {
                return found;
            }
            if (wait == null || !Deadlines.await(wait, deadline)) {
                throw Deadlines.passed("a read from a pipe");
            }
        }
    }

    private int toRead() {
        if (dropped) {
            return CLOSED;
        }
        return count > 0 ? count : ended ? END : NOTHING;
    }

    private int take(ByteBuffer target, int there) {
        WakeList woken = new WakeList(); // first: if there is no memory for it, nothing is taken
        int length = Math.min(there, target.remaining());
        int first = Math.min(length, capacity - readAt);
        target.put(ring, readAt, first).put(ring, 0, length - first);
        readAt = after(readAt, length);
        lock();
        try {
            if (!dropped) {
                count -= length;
                wake(writers, woken);
            }
        } finally {
            unlock();
        }
        woken.wakeAll();
        return length;
    }

    /* ---------------- Writing -------------- */

    int write(ByteBuffer source, long deadline) throws IOException {
        ensureNotEnded();
        try (Permit turn = enter(writeTurn, deadline)) {
            return turn == null ? 0 : writeInTurn(source, deadline);
        }
    }

    void writeAll(ByteBuffer source) throws IOException {
        ensureNotEnded();
        try (Permit turn = enter(writeTurn, Deadlines.NEVER)) {
            do {
                writeInTurn(source, Deadlines.NEVER);
            } while (source.hasRemaining());
        }
    }

    private int writeInTurn(ByteBuffer source, long deadline) throws IOException {
        boolean empty = !source.hasRemaining();
        int room =
                awaitRoom(empty ? Deadlines.TRY : deadline); // a broken pipe is told also to who has nothing to write
        return empty || room == NOTHING ? 0 : put(source, room);
    }

    /** Waits until there is room; returns for how many, or 0 if it is only to be tried. In the writing turn. */
    private int awaitRoom(long deadline) throws IOException {
        while (true) {
            Wait wait = null;
            int found;
            lock();
            try {
                found = toWrite();
                if (found == NOTHING && deadline >= 0) {
                    wait = Wait.at(this);
                    writers.add(wait);
                }
            } finally {
                unlock();
            }
            if (found == CLOSED) {
                throw new AsynchronousCloseException();
            }
            if (found == BROKEN) {
                throw new IOException("broken pipe: its reader is closed");
            }
            if (found != NOTHING || wait == null) {
                return found;
            }
            Deadlines.await(wait, deadline);
        }
    }

    private int toWrite() {
        if (ended) {
            return CLOSED;
        }
        return dropped ? BROKEN : capacity - count;
    }

    private int put(ByteBuffer source, int room) {
        WakeList woken = new WakeList();
        if (ring == NONE) {
            ring = new byte[capacity];
        }
        int length = Math.min(room, source.remaining());
        int first = Math.min(length, capacity - writeAt);
        source.get(ring, writeAt, first).get(ring, 0, length - first);
        writeAt = after(writeAt, length);
        lock();
        try {
            if (!dropped) { // else they are dropped with those that were there
                count += length;
                wake(readers, woken);
            }
        } finally {
            unlock();
        }
        woken.wakeAll();
        return length;
    }

    private int after(int index, int length) {
        int rest = capacity - index;
        return length < rest ? index + length : length - rest;
    }

    /* ---------------- Turns, the end -------------- */

    /** {@return the turn, or null if it is only to be tried, and is not to be had} */
    private static @Nullable Permit enter(Semaphore turn, long deadline) throws IOException {
        if (deadline == Deadlines.TRY) {
            return turn.tryAcquire();
        }
        return Deadlines.turn(turn, deadline);
    }

    private void ensureNotEnded() throws IOException {
        if (ended) {
            throw new ClosedChannelException();
        }
    }

    /** Ends the writing: what is there can be read, then the end. */
    void end() {
        close(false);
    }

    /** Ends the reading: what is there is dropped, and writers are told. */
    void drop() {
        close(true);
    }

    private void close(boolean reading) {
        WakeList woken = new WakeList();
        lock();
        try {
            if (reading) {
                dropped = true;
                count = 0;
            } else {
                ended = true;
            }
            wake(readers, woken);
            wake(writers, woken);
        } finally {
            unlock();
        }
        woken.wakeAll();
    }

    boolean isEnded() {
        return ended;
    }

    boolean isDropped() {
        return dropped;
    }

    private static void wake(WaitQueue queue, WakeList woken) {
        for (WaitNode node; (node = queue.poll()) != null; ) {
            if (node.grant()) {
                woken.add(node);
            } // else it has given up
        }
    }

    /* ---------------- Selecting -------------- */

    Clause<@Nullable Void> readable() {
        return readable;
    }

    Clause<@Nullable Void> writable() {
        return writable;
    }

    /** {@return whether nobody waits, for tests} */
    boolean isQuiet() {
        lock();
        boolean quiet = readers.isEmpty() && writers.isEmpty();
        unlock();
        return quiet && readTurn.availablePermits() == 1 && writeTurn.availablePermits() == 1;
    }

    /** For dumps: as far as is known without the lock. */
    @Override
    public String toString() {
        return "pipe with " + count + " of " + capacity + " bytes"
                + (dropped ? ", not read any more" : ended ? ", ended" : "");
    }

    /** That there is something to read, or to be told. Takes nothing, and holds nobody up. */
    private static final class Readable extends Clause<@Nullable Void> {
        private final Pipe pipe;

        Readable(Pipe pipe) {
            super(pipe);
            this.pipe = pipe;
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            return pipe.toRead() == NOTHING ? NOT_READY : null;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            pipe.readers.add(node);
            return true;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            return null;
        }
    }

    /** That there is room, or something to be told. */
    private static final class Writable extends Clause<@Nullable Void> {
        private final Pipe pipe;

        Writable(Pipe pipe) {
            super(pipe);
            this.pipe = pipe;
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            return pipe.toWrite() == NOTHING ? NOT_READY : null;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            pipe.writers.add(node);
            return true;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            return null;
        }
    }
}
