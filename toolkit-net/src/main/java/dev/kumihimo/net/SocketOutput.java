package dev.kumihimo.net;

import dev.kumihimo.internal.driver.Readiness;
import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.Objects;

/** The writing half of a socket: write, vectored write, and writing from a file. */
final class SocketOutput {
    /** The most bytes of heap buffers in one system call: the JDK copies them to a buffer that it keeps for each carrier. */
    static final int CHUNK = 128 * 1024;

    final Direction direction;

    private final SocketChannel channel;
    private final Readiness readiness;
    private final Object owner;

    /** The owner's text names the socket in exceptions. */
    SocketOutput(SocketChannel channel, Readiness readiness, Object owner) {
        this.channel = channel;
        this.readiness = readiness;
        this.owner = owner;
        this.direction = new Direction(channel, readiness, SelectionKey.OP_WRITE);
    }

    int write(ByteBuffer source) throws IOException {
        int start = source.position();
        try (Permit turn = direction.enter(Deadlines.NEVER)) {
            while (source.hasRemaining() && source.position() == start) {
                awaitRoom();
                writeSome(source);
            }
            return source.position() - start;
        } catch (IOException e) {
            throw Addresses.told(e, owner, readiness);
        }
    }

    void writeAll(ByteBuffer source) throws IOException {
        int start = source.position();
        try (Permit turn = direction.enter(Deadlines.NEVER)) {
            while (source.hasRemaining()) {
                awaitRoom();
                writeSome(source);
            }
        } catch (InterruptedIOException e) {
            e.bytesTransferred = source.position() - start;
            throw e;
        } catch (IOException e) {
            throw Addresses.told(e, owner, readiness);
        }
    }

    int tryWrite(ByteBuffer source) throws IOException {
        int start = source.position();
        try (Permit turn = direction.tryEnter()) {
            if (turn != null && source.hasRemaining()) {
                writeSome(source);
            }
            return source.position() - start;
        } catch (IOException e) {
            throw Addresses.told(e, owner, readiness);
        }
    }

    long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, sources.length);
        try (Permit turn = direction.enter(Deadlines.NEVER)) {
            long count = 0;
            if (Batch.remaining(sources, offset, length) > 0) {
                while (count == 0) {
                    awaitRoom();
                    count = writeSome(sources, offset, length);
                }
            }
            return count;
        } catch (IOException e) {
            throw Addresses.told(e, owner, readiness);
        }
    }

    void writeAll(ByteBuffer[] sources) throws IOException {
        long written = 0;
        try (Permit turn = direction.enter(Deadlines.NEVER)) {
            int first = 0;
            while (true) {
                while (first < sources.length && !sources[first].hasRemaining()) {
                    first++;
                }
                if (first == sources.length) {
                    return;
                }
                awaitRoom();
                written += writeSome(sources, first, sources.length - first);
            }
        } catch (InterruptedIOException e) {
            e.bytesTransferred = clamp(written);
            throw e;
        } catch (IOException e) {
            throw Addresses.told(e, owner, readiness);
        }
    }

    long tryWrite(ByteBuffer[] sources, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, sources.length);
        try (Permit turn = direction.tryEnter()) {
            return turn == null || Batch.remaining(sources, offset, length) == 0
                    ? 0
                    : writeSome(sources, offset, length);
        } catch (IOException e) {
            throw Addresses.told(e, owner, readiness);
        }
    }

    long writeFrom(FileChannel file, long position, long count) throws IOException {
        if (position < 0 || count < 0) {
            throw new IllegalArgumentException(
                    "position=" + position + " and count=" + count + " must not be negative");
        }
        long written = 0;
        try (Permit turn = direction.enter(Deadlines.NEVER)) {
            while (written < count) {
                awaitRoom();
                FileStep step = new FileStep(channel, file, position + written, count - written);
                written += step.transfer();
                direction.tried(step.isOutOfRoom());
                if (step.isAtEnd()) {
                    break;
                }
            }
            return written;
        } catch (InterruptedIOException e) {
            e.bytesTransferred = clamp(written);
            throw e;
        } catch (IOException e) {
            throw Addresses.told(e, owner, readiness);
        }
    }

    void shutdown() throws IOException {
        direction.ensureOpen();
        try {
            channel.shutdownOutput();
        } catch (IOException e) {
            throw Addresses.told(e, owner, readiness);
        }
    }

    private static int clamp(long bytes) {
        return (int) Math.min(bytes, Integer.MAX_VALUE);
    }

    /* ---------------- In one's turn -------------- */

    /** Waits for room if the system is known to have none. */
    private void awaitRoom() throws IOException {
        if (direction.exhausted) {
            direction.await(Deadlines.NEVER);
        }
    }

    private void writeSome(ByteBuffer source) throws IOException {
        int limit = source.limit();
        int length = Math.min(source.remaining(), source.isDirect() ? Integer.MAX_VALUE : CHUNK);
        source.limit(source.position() + length);
        try {
            direction.tried(channel.write(source) < length);
        } finally {
            source.limit(limit);
        }
    }

    private long writeSome(ByteBuffer[] sources, int offset, int length) throws IOException {
        Batch batch = Batch.of(sources, offset, length);
        try {
            long count = channel.write(sources, offset, batch.count);
            direction.tried(count < batch.bytes);
            return count;
        } finally {
            batch.restore();
        }
    }
}
