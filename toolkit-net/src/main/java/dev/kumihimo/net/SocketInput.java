package dev.kumihimo.net;

import dev.kumihimo.internal.driver.Readiness;
import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.io.BufferPool;
import dev.kumihimo.io.PooledBuffer;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/*
 * Looking ahead: the system's own peeking cannot be had, so what was peeked at has been read, and stands in `ahead` until it is
 * read from there. The system then knows nothing of it. Hence
 * I1 while there is something ahead and nobody has the turn, the direction is not exhausted and its event is announced: the next
 *    read does not wait, selects find it ready.
 * I2 a read that empties it drops the event, which may be the announced one.
 */

/** The reading half of a socket: read, vectored read, and peeking. */
final class SocketInput {
    /** The most bytes that peeking takes from the system before they are read. */
    static final int LOOK_AHEAD = 64 * 1024;

    final Direction direction;

    private final SocketChannel channel;
    private final Readiness readiness;
    private final Object owner;

    /** What was peeked at and is still to be read; never empty. Guarded by the turn. */
    private @Nullable ByteBuffer ahead;

    /** A read that does not wait: how many bytes, 0 if there are none now, -1 at the end. */
    private interface Read {
        long now() throws IOException;
    }

    /** The owner's text names the socket in exceptions. */
    SocketInput(SocketChannel channel, Readiness readiness, Object owner) {
        this.channel = channel;
        this.readiness = readiness;
        this.owner = owner;
        this.direction = new Direction(channel, readiness, SelectionKey.OP_READ);
    }

    int read(ByteBuffer target, long deadline) throws IOException {
        try (Permit turn = direction.enter(deadline)) {
            if (!target.hasRemaining()) {
                return 0;
            }
            while (true) {
                if (!direction.exhausted || deadline == Deadlines.NOW) {
                    int count = readNow(target);
                    if (count != 0) {
                        return count;
                    }
                }
                if (!direction.await(deadline)) {
                    throw Deadlines.passed("a read from " + owner);
                }
            }
        } catch (IOException e) {
            throw Addresses.told(e, owner, readiness);
        }
    }

    /** As {@link #read(ByteBuffer, long)}, without memory while it waits; null at the end. */
    @Nullable
    PooledBuffer read(BufferPool pool, int most, long deadline) throws IOException {
        SocketOptions.check("most", most, 1, Integer.MAX_VALUE);
        try (Permit turn = direction.enter(deadline)) {
            while (true) {
                if (!direction.exhausted || deadline == Deadlines.NOW) {
                    PooledBuffer piece = pool.take(most);
                    int count = 0;
                    try {
                        count = readNow(piece.buffer());
                    } finally {
                        if (count <= 0) {
                            piece.close();
                        }
                    }
                    if (count != 0) {
                        return count < 0 ? null : flipped(piece);
                    }
                }
                if (!direction.await(deadline)) {
                    throw Deadlines.passed("a read from " + owner);
                }
            }
        } catch (IOException e) {
            throw Addresses.told(e, owner, readiness);
        }
    }

    private static PooledBuffer flipped(PooledBuffer piece) {
        piece.buffer().flip();
        return piece;
    }

    int tryRead(ByteBuffer target) throws IOException {
        try (Permit turn = direction.tryEnter()) {
            return turn == null || !target.hasRemaining() ? 0 : readNow(target);
        } catch (IOException e) {
            throw Addresses.told(e, owner, readiness);
        }
    }

    long read(ByteBuffer[] targets, int offset, int length, long deadline) throws IOException {
        Objects.checkFromIndexSize(offset, length, targets.length);
        return awaited(
                Batch.remaining(targets, offset, length),
                deadline,
                () -> readNow(targets, offset, length),
                "a read from ");
    }

    long tryRead(ByteBuffer[] targets, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, targets.length);
        return tried(Batch.remaining(targets, offset, length), () -> readNow(targets, offset, length));
    }

    int peek(ByteBuffer target, long deadline) throws IOException {
        return (int) awaited(target.remaining(), deadline, () -> peekNow(target), "a peek at ");
    }

    int tryPeek(ByteBuffer target) throws IOException {
        return (int) tried(target.remaining(), () -> peekNow(target));
    }

    /** As {@link #read(ByteBuffer, long)}, which is the same without an object and a call for each read. */
    private long awaited(long room, long deadline, Read read, String what) throws IOException {
        try (Permit turn = direction.enter(deadline)) {
            if (room == 0) {
                return 0;
            }
            while (true) {
                if (!direction.exhausted || deadline == Deadlines.NOW) {
                    long count = read.now();
                    if (count != 0) {
                        return count;
                    }
                }
                if (!direction.await(deadline)) {
                    throw Deadlines.passed(what + owner);
                }
            }
        } catch (IOException e) {
            throw Addresses.told(e, owner, readiness);
        }
    }

    private long tried(long room, Read read) throws IOException {
        try (Permit turn = direction.tryEnter()) {
            return turn == null || room == 0 ? 0 : read.now();
        } catch (IOException e) {
            throw Addresses.told(e, owner, readiness);
        }
    }

    /* ---------------- In one's turn -------------- */

    private int readNow(ByteBuffer target) throws IOException {
        ByteBuffer bytes = ahead;
        if (bytes != null) {
            return take(bytes, target);
        }
        int limit = target.limit();
        int room = Math.min(target.remaining(), target.isDirect() ? Integer.MAX_VALUE : SocketOutput.CHUNK);
        target.limit(target.position() + room);
        try {
            int count = channel.read(target);
            if (count >= 0) { // the end of the stream stays there to be read again
                direction.tried(count < room);
            }
            return count;
        } finally {
            target.limit(limit);
        }
    }

    private long readNow(ByteBuffer[] targets, int offset, int length) throws IOException {
        ByteBuffer bytes = ahead;
        if (bytes != null) {
            long count = 0;
            for (int i = offset; i < offset + length && bytes.hasRemaining(); i++) {
                count += take(bytes, targets[i]);
            }
            return count;
        }
        Batch batch = Batch.of(targets, offset, length);
        try {
            long count = channel.read(targets, offset, batch.count);
            if (count >= 0) {
                direction.tried(count < batch.bytes);
            }
            return count;
        } finally {
            batch.restore();
        }
    }

    /** Moves to the target what it has room for. */
    private int take(ByteBuffer bytes, ByteBuffer target) {
        int count = copy(bytes, target);
        bytes.position(bytes.position() + count);
        if (!bytes.hasRemaining()) {
            ahead = null;
            direction.tried(false);
        }
        return count;
    }

    private static int copy(ByteBuffer bytes, ByteBuffer target) {
        int count = Math.min(bytes.remaining(), target.remaining());
        target.put(bytes.slice(bytes.position(), count));
        return count;
    }

    private int peekNow(ByteBuffer target) throws IOException {
        int last = lookFurther(Math.min(target.remaining(), LOOK_AHEAD));
        ByteBuffer bytes = ahead;
        return bytes == null ? last : copy(bytes, target);
    }

    /** {@return bytes in an array that is not much larger than they are: they may stay for long} */
    private static ByteBuffer kept(ByteBuffer bytes) {
        return bytes.limit() > bytes.capacity() / 2
                ? bytes
                : ByteBuffer.wrap(Arrays.copyOf(bytes.array(), bytes.limit()));
    }

    /** Has as many bytes ahead as are wanted, if the system has them; returns what it said. */
    private int lookFurther(int wanted) throws IOException {
        ByteBuffer before = ahead;
        int had = before == null ? 0 : before.remaining();
        if (had >= wanted) {
            return 0;
        }
        ByteBuffer bytes = ByteBuffer.allocate(wanted);
        if (before != null) {
            bytes.put(before.duplicate());
        }
        int count;
        try {
            count = channel.read(bytes);
        } catch (ClosedChannelException e) {
            throw e;
        } catch (IOException e) {
            if (before == null) {
                throw e;
            }
            count = -1; // first what is ahead; the channel throws again
        }
        if (count > 0) {
            ahead = bytes.flip(); // before a copy is made, for which there may be no memory
        }
        if (count >= 0) {
            direction.tried(had + count < wanted);
        }
        if (ahead != null) {
            direction.announce();
        }
        if (count > 0) {
            ahead = kept(bytes);
        }
        return count;
    }
}
