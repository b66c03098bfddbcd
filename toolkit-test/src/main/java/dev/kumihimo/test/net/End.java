package dev.kumihimo.test.net;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;

/** What one host has of a {@link Connection}. Fields that are not final are guarded by the connection's lock. */
final class End {
    /** What an attempt comes to besides a number of bytes. */
    private static final int NOTHING = 0;

    private static final int END = -1;
    private static final int CLOSED = -2;
    private static final int RESET = -3;
    private static final int BROKEN = -4;

    final Connection connection;
    final HostPort local;
    final HostPort remote;
    final Wire in;
    final Wire out;
    final SimStream stream;
    End peer = this; // set when both have been made

    private final Semaphore readTurn = Semaphore.of(1);
    private final Semaphore writeTurn = Semaphore.of(1);
    final WaitQueue readers = new WaitQueue();
    final WaitQueue writers = new WaitQueue();
    long readersVersion;
    long writersVersion;

    private volatile boolean closed;
    private volatile boolean shut; // its output; told by whoever closes, too
    private boolean vanished;
    private boolean told; // of the reset

    End(Connection connection, HostPort local, HostPort remote, Wire in, Wire out) {
        this.connection = connection;
        this.local = local;
        this.remote = remote;
        this.in = in;
        this.out = out;
        this.stream = new SimStream(this);
    }

    /* ---------------- Reading -------------- */

    int read(ByteBuffer target, long deadline) throws IOException {
        ensureOpen();
        if (target.isReadOnly()) {
            throw new IllegalArgumentException("target=" + target + " must not be read-only");
        }
        try (Permit turn = enter(readTurn, deadline)) {
            if (turn == null) {
                return 0;
            }
            if (closed) { // while it waited for its turn
                throw new AsynchronousCloseException();
            }
            return target.hasRemaining() ? readInTurn(target, deadline) : 0;
        }
    }

    private int readInTurn(ByteBuffer target, long deadline) throws IOException {
        while (true) {
            WakeList woken = new WakeList(); // first: if there is no memory for it, nothing is taken
            Wait wait = null;
            long next = 0;
            int found;
            connection.lock();
            try {
                connection.settle();
                found = readNow(target, woken);
                if (found == NOTHING && deadline >= 0) {
                    connection.net.checkClock();
                    next = in.next();
                    wait = Wait.at(connection);
                    readers.add(wait);
                }
            } finally {
                connection.unlock();
            }
            woken.wakeAll();
            if (found != NOTHING || deadline == Deadlines.TRY) {
                return checked(found);
            }
            if (wait == null) {
                throw Deadlines.passed("a read from " + this);
            }
            connection.await(wait, next, deadline, "a read from " + this);
        }
    }

    private int readNow(ByteBuffer target, WakeList woken) {
        if (closed) {
            return CLOSED;
        }
        if (in.hasArrived()) {
            int count = in.take(target);
            peer.acknowledge(woken);
            return count;
        }
        if (in.hasEnded()) {
            return END;
        }
        if (in.isReset()) {
            told = true;
            return RESET;
        }
        return NOTHING;
    }

    /* ---------------- Writing -------------- */

    int write(ByteBuffer source, long deadline) throws IOException {
        ensureWritable();
        try (Permit turn = enter(writeTurn, deadline)) {
            if (turn == null) {
                return 0;
            }
            ensureNotClosedMeanwhile();
            return source.hasRemaining() ? writeInTurn(source, deadline) : 0;
        }
    }

    void writeAll(ByteBuffer source) throws IOException {
        ensureWritable();
        int start = source.position();
        try (Permit turn = Deadlines.turn(writeTurn, Deadlines.NEVER)) {
            ensureNotClosedMeanwhile();
            while (source.hasRemaining()) {
                writeInTurn(source, Deadlines.NEVER);
            }
        } catch (InterruptedIOException e) {
            e.bytesTransferred = source.position() - start;
            throw e;
        }
    }

    private int writeInTurn(ByteBuffer source, long deadline) throws IOException {
        while (true) {
            WakeList woken = new WakeList();
            Wait wait = null;
            long next = 0;
            int found;
            connection.lock();
            try {
                found = writeNow(source, connection.settle(), woken);
                if (found == NOTHING && deadline >= 0) {
                    connection.net.checkClock();
                    next = in.nextReset();
                    wait = Wait.at(connection);
                    writers.add(wait);
                }
            } finally {
                connection.unlock();
            }
            woken.wakeAll();
            if (wait == null) {
                return checked(found);
            }
            connection.await(wait, next, deadline, "a write to " + this);
        }
    }

    private int writeNow(ByteBuffer source, long now, WakeList woken) {
        if (closed || shut) {
            return CLOSED;
        }
        if (in.isReset()) {
            boolean first = !told && !in.hasEnded();
            told = true;
            return first ? RESET : BROKEN;
        }
        boolean idle = out.next() == Wire.NEVER;
        int count = out.send(source, now);
        if (count > 0) {
            if (provokeReset()) {
                wakeAll(woken);
            }
            peer.arrivalsChanged(idle, woken);
        }
        return count;
    }

    /** Wakes who waits here for what arrives next, if there was nothing under way before. */
    private void arrivalsChanged(boolean idle, WakeList woken) {
        if (idle) {
            wakeReaders(woken);
        }
        if (in.nextReset() != Wire.NEVER) {
            wakeWriters(woken);
        }
    }

    void shutdownOutput() throws IOException {
        ensureOpen();
        connection.run((now, woken) -> {
            if (!closed && !shut) {
                shut = true;
                boolean idle = out.next() == Wire.NEVER;
                out.finish(now);
                wakeWriters(woken);
                peer.arrivalsChanged(idle, woken);
            }
        });
    }

    /* ---------------- Turns, and how things end -------------- */

    private static @Nullable Permit enter(Semaphore turn, long deadline) throws IOException {
        return deadline == Deadlines.TRY ? turn.tryAcquire() : Deadlines.turn(turn, deadline);
    }

    private void ensureOpen() throws IOException {
        if (closed) {
            throw new ClosedChannelException();
        }
    }

    private void ensureWritable() throws IOException {
        if (closed || shut) {
            throw new ClosedChannelException();
        }
    }

    private void ensureNotClosedMeanwhile() throws IOException {
        if (closed || shut) {
            throw new AsynchronousCloseException();
        }
    }

    private int checked(int found) throws IOException {
        switch (found) {
            case CLOSED -> throw new AsynchronousCloseException();
            case RESET -> throw new SocketException(this + ": Connection reset");
            case BROKEN -> throw new SocketException(this + ": Broken pipe");
            default -> {
                return found;
            }
        }
    }

    boolean isOpen() {
        return !closed;
    }

    /** Closes in order, unless something is unread; the peer is reset then, as it also is if more comes. */
    void close(boolean byReset) {
        connection.run((now, woken) -> close(byReset, now, woken));
        connection.net.forgetIfClosed(connection);
    }

    void close(boolean byReset, long now, WakeList woken) {
        if (closed) {
            return;
        }
        closed = true;
        boolean unread = in.closeReceiver();
        if (byReset || unread) {
            out.sendReset(now + out.latency());
        } else {
            out.finish(now);
        }
        peer.provokeReset();
        wakeAll(woken);
        peer.wakeAll(woken);
    }

    /** Is not there any more, and nobody is told. Under the lock. */
    void vanish(long now, WakeList woken) {
        if (!closed) {
            closed = true;
            vanished = true;
            connection.vanished(true, now, woken);
        }
    }

    /** The host is there again, and knows nothing of the connection. Under the lock. */
    void returned(long now, WakeList woken) {
        if (vanished) {
            vanished = false;
            in.closeReceiver();
            out.drop();
            connection.vanished(peer.vanished, now, woken);
        }
    }

    /** Is reset now. Under the lock. */
    void resetNow(WakeList woken) {
        in.resetNow();
        wakeAll(woken);
    }

    /** Has what is under way to a peer that has closed be answered with a reset; returns whether there is any. Under the lock. */
    boolean provokeReset() {
        boolean provoked = out.isReceiverGone() && out.nextData() != Wire.NEVER;
        if (provoked) {
            in.sendReset(out.nextData() + in.latency());
        }
        return provoked;
    }

    /* ---------------- Waking -------------- */

    /** Lets this end know how much of what it wrote was read, if what tells it passes. Under the lock. */
    boolean acknowledge() {
        return !in.isFrozen() && out.acknowledge();
    }

    private void acknowledge(WakeList woken) {
        if (acknowledge()) {
            wakeWriters(woken);
        }
    }

    void wakeAll(WakeList woken) {
        wakeReaders(woken);
        wakeWriters(woken);
    }

    private void wakeReaders(WakeList woken) {
        readersVersion++;
        Connection.wake(readers, woken);
    }

    private void wakeWriters(WakeList woken) {
        writersVersion++;
        Connection.wake(writers, woken);
    }

    /** {@return whether a read would not wait} Under the lock. */
    boolean isReadable() {
        return closed || in.isReadable();
    }

    /** {@return whether a write would not wait} Under the lock. */
    boolean isWritable() {
        return closed || shut || in.isReset() || out.room() > 0;
    }

    @Override
    public String toString() {
        return local + " -> " + remote;
    }
}
