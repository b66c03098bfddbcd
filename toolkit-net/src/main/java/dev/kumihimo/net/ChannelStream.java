package dev.kumihimo.net;

import dev.kumihimo.internal.driver.Driver;
import dev.kumihimo.internal.driver.Readiness;
import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.io.BufferPool;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.io.FileTransfer;
import dev.kumihimo.io.PooledBuffer;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.ScatteringByteChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Reading, writing, selecting and closing of a connected {@link SocketChannel}, whatever kind of address it has. {@code
 * toString()} names the addresses in messages.
 */
abstract sealed class ChannelStream
        implements ByteStream,
                FileTransfer.Target,
                ScatteringByteChannel,
                GatheringByteChannel,
                Selectable<@Nullable Void>
        permits TcpStream, UnixStream {
    final SocketChannel channel;
    private final Readiness readiness;
    private final SocketInput input;
    private final SocketOutput output;

    /** Of a connected channel, whose owner closes it if this fails. */
    ChannelStream(SocketChannel channel, Readiness readiness) {
        this.channel = channel;
        this.readiness = readiness;
        this.input = new SocketInput(channel, readiness, this);
        this.output = new SocketOutput(channel, readiness, this);
        if (Points.ON) {
            String kind = "a " + getClass().getSimpleName(); // the text of a stream is its addresses
            Points.made(this, aborted -> channel.isOpen() ? kind + ", not closed" : null);
        }
    }

    /** Makes a stream of a connected channel and of what the driver knows of it. */
    interface Maker<S> {
        S of(SocketChannel channel, Readiness readiness) throws IOException;
    }

    /** Takes over a connected channel, which it closes if it fails. */
    static <S> S adopt(SocketChannel connected, Maker<S> maker) throws IOException {
        Readiness registered = null;
        try {
            connected.configureBlocking(false);
            registered = Driver.current().register(connected);
            return maker.of(connected, registered);
        } catch (Throwable e) {
            connected.close();
            if (registered != null) {
                registered.close();
                registered.forget(); // else the descriptor stays until the driver turns
            }
            throw e;
        }
    }

    /* ---------------- Reading -------------- */

    @Override
    public int read(ByteBuffer target) throws IOException {
        return input.read(target, Deadlines.NEVER);
    }

    @Override
    public int read(ByteBuffer target, Duration timeout) throws IOException {
        return input.read(target, Deadlines.of(timeout));
    }

    @Override
    public @Nullable PooledBuffer read(BufferPool pool, int most) throws IOException {
        return input.read(pool, most, Deadlines.NEVER);
    }

    @Override
    public @Nullable PooledBuffer read(BufferPool pool, int most, Duration timeout) throws IOException {
        return input.read(pool, most, Deadlines.of(timeout));
    }

    @Override
    public int tryRead(ByteBuffer target) throws IOException {
        return input.tryRead(target);
    }

    @Override
    public long read(ByteBuffer[] targets) throws IOException {
        return read(targets, 0, targets.length);
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        return input.read(targets, offset, length, Deadlines.NEVER);
    }

    /**
     * Reads into several buffers what is there now, as {@link #tryRead(ByteBuffer)} does. Never waits.
     *
     * @param targets where to
     * @return how many bytes; 0 if nothing is there now, or somebody else reads; -1 at the end
     * @throws IOException as {@link #tryRead(ByteBuffer)} does
     */
    public long tryRead(ByteBuffer... targets) throws IOException {
        return input.tryRead(targets, 0, targets.length);
    }

    /**
     * Reads what is there without taking it: the next read gets the same bytes. Waits until at least one byte is there, or the
     * end. Takes turns with reads, and its waits end as theirs do.
     *
     * <p>To see more than one call gave, give more room later: what has come since is added, up to 64 KiB. Until they are read,
     * the bytes are held by the stream, which is readable as long as it has any.
     *
     * @param target where to; its position moves on as with a read; without room nothing is done
     * @return how many bytes, or -1 at the end; 0 only if there is no room
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing was read
     * @throws ClosedChannelException if closed
     * @throws IOException if the connection fails
     */
    public int peek(ByteBuffer target) throws IOException {
        return input.peek(target, Deadlines.NEVER);
    }

    /**
     * Reads what is there without taking it, waiting at most a given time, see {@link #peek(ByteBuffer)}.
     *
     * @param target where to
     * @param timeout the longest wait; zero or negative does not wait
     * @return how many bytes, or -1 at the end; 0 only if there is no room
     * @throws java.net.SocketTimeoutException if none came in time; the interrupt flag is left alone
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing was read
     * @throws ClosedChannelException if closed
     * @throws IOException if the connection fails
     */
    public int peek(ByteBuffer target, Duration timeout) throws IOException {
        return input.peek(target, Deadlines.of(timeout));
    }

    /**
     * Reads what is there now without taking it, see {@link #peek(ByteBuffer)}, if nobody else is reading or waits to. Never
     * waits.
     *
     * @param target where to
     * @return how many bytes; 0 if nothing is there now, or somebody else reads; -1 at the end
     * @throws ClosedChannelException if closed
     * @throws IOException if the connection fails
     */
    public int tryPeek(ByteBuffer target) throws IOException {
        return input.tryPeek(target);
    }

    /* ---------------- Writing -------------- */

    @Override
    public int write(ByteBuffer source) throws IOException {
        return output.write(source);
    }

    @Override
    public void writeAll(ByteBuffer source) throws IOException {
        output.writeAll(source);
    }

    @Override
    public int tryWrite(ByteBuffer source) throws IOException {
        return output.tryWrite(source);
    }

    @Override
    public long write(ByteBuffer[] sources) throws IOException {
        return write(sources, 0, sources.length);
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        return output.write(sources, offset, length);
    }

    /**
     * Writes all bytes of several buffers, one after the other, as {@link #writeAll(ByteBuffer)} does.
     *
     * @param sources what to write; their positions tell how far it came, however it ends
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; {@code bytesTransferred} of the bytes have
     *     been written, or more, if that is {@link Integer#MAX_VALUE}
     * @throws IOException as {@link #writeAll(ByteBuffer)} does
     */
    public void writeAll(ByteBuffer... sources) throws IOException {
        output.writeAll(sources);
    }

    /**
     * Writes from several buffers what there is room for now, as {@link #tryWrite(ByteBuffer)} does. Never waits.
     *
     * @param sources what to write
     * @return how many bytes; 0 if there is no room now, or somebody else writes
     * @throws IOException as {@link #tryWrite(ByteBuffer)} does
     */
    public long tryWrite(ByteBuffer... sources) throws IOException {
        return output.tryWrite(sources, 0, sources.length);
    }

    /**
     * Writes a part of a file, which the system copies to the socket by itself where it can ({@code sendfile}); the file's
     * position is left alone. Waits for room as often as it takes; nobody else's bytes come between. The disk may be slow, so each
     * step, of up to a megabyte, is a blocking job: for small files it is quicker to read and write.
     *
     * <p>A step that has begun ends with its own result, so that an interrupt closes neither the file nor the stream.
     *
     * @param file open for reading
     * @param position where in the file, at least 0
     * @param count how many bytes, at least 0
     * @return how many bytes were written, fewer than {@code count} only if the file ended
     * @throws InterruptedIOException if interrupted or cancelled between two steps; {@code bytesTransferred} of the bytes have been
     *     written, or more, if that is {@link Integer#MAX_VALUE}
     * @throws ClosedChannelException if the stream is closed, its output shut down, or the file closed
     * @throws IOException if the connection or the file fails
     * @throws java.nio.channels.NonReadableChannelException if the file is not open for reading
     * @throws IllegalArgumentException if an argument is negative
     */
    @Override
    public long writeFrom(FileChannel file, long position, long count) throws IOException {
        return output.writeFrom(file, position, count);
    }

    @Override
    public void shutdownOutput() throws IOException {
        output.shutdown();
    }

    /* ---------------- Selecting -------------- */

    /**
     * {@return that there is something to read, to be selected on} Nothing is read by it: use {@link #tryRead} then, since
     * another reader may have been quicker. All who wait are woken, readers and selects alike. Ready also at the end of the
     * stream, and once the connection has failed, is closed or its runtime shut down; reading then tells. What the runtime
     * has not looked at yet is not ready: a select with {@code otherwise} may learn of bytes a moment later.
     *
     * <pre>{@code
     * Letter letter = Select.<@Nullable Letter>of()
     *         .onReceive(inbox, received -> received)
     *         .onReadable(stream, () -> null)
     *         .await();
     * int count = letter == null ? stream.tryRead(buffer) : 0;
     * }</pre>
     */
    @Override
    public Clause<@Nullable Void> clause() {
        return input.direction.clause();
    }

    /** {@return the same as {@link #clause()}, by a name that goes with {@link #writable()}} */
    @Override
    public Selectable<@Nullable Void> readable() {
        return input.direction.clause();
    }

    /**
     * {@return that there may be room to write, to be selected on} Nothing is written by it: use {@link #tryWrite} then, which
     * writes nothing if there is no room after all. All who wait are woken, writers and selects alike. Ready also once the
     * connection has failed, is closed or its runtime shut down; writing then tells.
     */
    @Override
    public Selectable<@Nullable Void> writable() {
        return output.direction.clause();
    }

    /**
     * Waits until there may be something to read, without taking a turn: then no buffer is needed before. See {@link #readable()}
     * for what it may mean, and what else ends it.
     *
     * @throws InterruptedIOException if interrupted or cancelled while it would wait
     * @throws ClosedChannelException if closed
     * @throws IOException if the runtime is shut down
     */
    public void awaitReadable() throws IOException {
        input.direction.awaitReady(Deadlines.NEVER);
    }

    /**
     * Waits until there may be something to read, at most a given time, see {@link #awaitReadable()}.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @throws java.net.SocketTimeoutException if nothing came in time; the interrupt flag is left alone
     * @throws InterruptedIOException if interrupted or cancelled while it would wait
     * @throws ClosedChannelException if closed
     * @throws IOException if the runtime is shut down
     */
    public void awaitReadable(Duration timeout) throws IOException {
        if (!input.direction.awaitReady(Deadlines.of(timeout))) {
            throw Deadlines.passed("a wait for something to read from " + this);
        }
    }

    /**
     * Waits until there may be room to write, without taking a turn. See {@link #writable()} for what it may mean, and what else
     * ends it.
     *
     * @throws InterruptedIOException if interrupted or cancelled while it would wait
     * @throws ClosedChannelException if closed
     * @throws IOException if the runtime is shut down
     */
    public void awaitWritable() throws IOException {
        output.direction.awaitReady(Deadlines.NEVER);
    }

    /**
     * Waits until there may be room to write, at most a given time, see {@link #awaitWritable()}.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @throws java.net.SocketTimeoutException if there was no room in time; the interrupt flag is left alone
     * @throws InterruptedIOException if interrupted or cancelled while it would wait
     * @throws ClosedChannelException if closed
     * @throws IOException if the runtime is shut down
     */
    public void awaitWritable(Duration timeout) throws IOException {
        if (!output.direction.awaitReady(Deadlines.of(timeout))) {
            throw Deadlines.passed("a wait for room to write to " + this);
        }
    }

    /** {@return what the driver knows of the connection, for tests} */
    Readiness readiness() {
        return readiness;
    }

    /* ---------------- The end -------------- */

    @Override
    public boolean isOpen() {
        return channel.isOpen();
    }

    /**
     * Closes the connection: what was written is still sent, what was not read is dropped, and then the peer may see a reset.
     * Ends the waits of other threads. Waits for nothing but a step of {@link #writeFrom} that is at work, which is as slow as
     * the disk is. Idempotent.
     *
     * @throws IOException if the system reports an error; the stream is closed nevertheless
     */
    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            readiness.close();
            readiness.forget(); // gives the descriptor back
        }
    }
}
