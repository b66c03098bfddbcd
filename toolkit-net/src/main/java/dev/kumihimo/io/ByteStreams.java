package dev.kumihimo.io;

import java.io.IOException;

/**
 * Makes streams, and copies from one to another.
 *
 * <pre>{@code
 * try (TcpStream client = listener.accept(); TcpStream server = TcpStream.connect(host, port)) {
 *     ByteStreams.copyBidirectional(client, server);
 * }
 * }</pre>
 *
 * <p>The sources that are made of others here belong to one thread at a time, though any may close them; what they are made of is
 * theirs until then.
 *
 * @since 0.1
 */
public final class ByteStreams {
    /** How many bytes a copy reads at a time unless another size is given. */
    public static final int COPY_SIZE = 16 * 1024;

    private ByteStreams() {}

    /* ---------------- Copying -------------- */

    /**
     * Copies until the end of a source, which closes neither it nor the sink. If the sink has a buffer, is a
     * {@link ByteWriter} or any other {@link java.io.Flushable}, it is flushed at the end, and each time the source has
     * nothing: so that two who answer each other do not wait for what is kept back.
     *
     * <p>If the copy fails, or is interrupted or cancelled while it waits for the sink, up to {@link #COPY_SIZE} bytes have been
     * read and not written, and are lost. Not so if the source is a {@link ByteReader}: then they are still there, and the copy
     * can be made again to go on.
     *
     * @param source where to read from
     * @param sink where to write to
     * @return how many bytes were copied
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; {@code bytesTransferred} have been
     *     written, if that is fewer than 2 GiB
     * @throws IOException if one of them fails or is closed
     */
    public static long copy(ByteSource source, ByteSink sink) throws IOException {
        return copy(source, sink, COPY_SIZE);
    }

    /**
     * As {@link #copy(ByteSource, ByteSink)}, through a buffer of a given size; if the source is a {@link ByteReader}, through
     * its own.
     *
     * @param source where to read from
     * @param sink where to write to
     * @param bufferSize in bytes, 1 or more
     * @return how many bytes were copied
     * @throws java.io.InterruptedIOException as in {@link #copy(ByteSource, ByteSink)}
     * @throws IOException if one of them fails or is closed
     * @throws IllegalArgumentException if the size is less than 1
     */
    public static long copy(ByteSource source, ByteSink sink, int bufferSize) throws IOException {
        return Copying.copy(source, sink, Copying.checkSize(bufferSize));
    }

    /**
     * How many bytes went in each direction.
     *
     * <pre>{@code
     * Copied copied = ByteStreams.copyBidirectional(client, server);
     * log.info("{} bytes asked, {} answered", copied.toSecond(), copied.toFirst());
     * }</pre>
     *
     * @param toSecond from the first stream to the second
     * @param toFirst from the second stream to the first
     * @since 0.1
     */
    public record Copied(long toSecond, long toFirst) {}

    /**
     * Copies between two streams, in both directions at once, until both have ended. When the input of one ends, the output of the
     * other is shut down, and the other direction goes on.
     *
     * <p>Whatever goes wrong ends both directions at once, and bytes that were under way may be lost. One direction runs in the
     * calling thread, and one in a task of its own, which has ended when this returns or throws. Both streams are left open. A
     * direction that waits for a socket or a TLS stream to have something has no buffer, see
     * {@link ByteSource#read(BufferPool, int)}.
     *
     * @param first one stream
     * @param second the other stream
     * @return how many bytes went in each direction
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait
     * @throws IOException if one of them fails or is closed
     */
    public static Copied copyBidirectional(ByteStream first, ByteStream second) throws IOException {
        return copyBidirectional(first, second, COPY_SIZE);
    }

    /**
     * As {@link #copyBidirectional(ByteStream, ByteStream)}, through buffers of a given size.
     *
     * @param first one stream
     * @param second the other stream
     * @param bufferSize in bytes, 1 or more
     * @return how many bytes went in each direction
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait
     * @throws IOException if one of them fails or is closed
     * @throws IllegalArgumentException if the size is less than 1
     */
    public static Copied copyBidirectional(ByteStream first, ByteStream second, int bufferSize) throws IOException {
        return Copying.copyBoth(first, second, Copying.checkSize(bufferSize));
    }

    /* ---------------- In memory -------------- */

    /**
     * {@return the two ends of a connection in memory} It behaves as a socket would: a write takes what there is room for and
     * waits only if there is none; {@code shutdownOutput} ends the input of the other side after what was written; when one end is
     * closed, the other reads what was written and then the end, and its writes fail with {@link IOException}
     * ({@code broken pipe}), those that wait and those without bytes too. What a thread did before it wrote bytes happens-before
     * what another does after it has read them.
     *
     * <p>Both ends need closing only for the sake of the other: what nobody uses any more is collected.
     *
     * @param capacity how many bytes each direction holds, 1 or more
     * @throws IllegalArgumentException if the capacity is less
     */
    public static DuplexPair duplex(int capacity) {
        Pipe there = new Pipe(capacity);
        Pipe back = new Pipe(capacity);
        return new DuplexPair(new PipeEnds.Duplex(back, there), new PipeEnds.Duplex(there, back));
    }

    /**
     * {@return one direction in memory} It behaves as one of {@link #duplex}: closing the sink, or shutting it down, ends the
     * source after what was written; closing the source breaks the pipe.
     *
     * @param capacity how many bytes it holds, 1 or more
     * @throws IllegalArgumentException if the capacity is less
     */
    public static BytePipe pipe(int capacity) {
        Pipe pipe = new Pipe(capacity);
        return new BytePipe(new PipeEnds.Output(pipe), new PipeEnds.Input(pipe));
    }

    /* ---------------- Constant ones -------------- */

    /** {@return a source that has ended} */
    public static ByteSource empty() {
        return new Sources.Constant(-1);
    }

    /**
     * {@return a source that fills every buffer, and never ends} Every 128 reads a task yields, and looks whether it is cancelled.
     *
     * @param value the byte of which it consists
     */
    public static ByteSource repeat(byte value) {
        return new Sources.Constant(value & 0xff);
    }

    /** {@return a sink that takes everything and keeps nothing} Every 128 writes a task yields, and looks whether it is cancelled. */
    public static ByteSink nullSink() {
        return new Sources.Nowhere();
    }

    /* ---------------- Made of others -------------- */

    /**
     * {@return at most so many bytes of a source, and then the end} No more are taken from it.
     *
     * @param source where to read from; closed together with what is returned
     * @param limit how many bytes, 0 or more
     * @throws IllegalArgumentException if the limit is negative
     */
    public static Limited take(ByteSource source, long limit) {
        return new Limited(source, limit);
    }

    /**
     * {@return a source, and after its end another}
     *
     * @param first read to its end
     * @param second read then; both are closed together with what is returned
     */
    public static ByteSource chain(ByteSource first, ByteSource second) {
        return new Sources.Chained(first, second);
    }

    /**
     * {@return a source whose bytes are also written to a sink, in their order} A read returns what it has read even if the sink
     * does not take it at once: what that owes, at most 8 KiB, is written before the next read takes anything and before
     * the end is told; each of these may wait for the sink. Closing closes the source, and then writes what is owed, or drops it
     * if somebody is in a read. A failure of the sink fails the next read. The sink is not flushed, shut down or closed.
     *
     * @param source where to read from; closed together with what is returned
     * @param sink where to write to as well; nobody else should
     */
    public static ByteSource tee(ByteSource source, ByteSink sink) {
        return new Sources.Tee(source, sink);
    }

    /**
     * {@return a source that is read no faster than so many bytes a second} A read takes at most a twentieth of a second's bytes,
     * one at least, and the next begins no sooner than that number takes. Time without a read is not made up for. The pause is a
     * wait like that for bytes: it ends by an interrupt, a cancellation or the read's timeout, and nothing was read. It is kept by
     * the timers of the runtime, so it may be late by as much as they are, and is never too short.
     *
     * @param source where to read from; closed together with what is returned
     * @param bytesPerSecond 1 or more
     * @throws IllegalArgumentException if it is less
     */
    public static ByteSource throttled(ByteSource source, long bytesPerSecond) {
        return new Sources.Throttled(source, bytesPerSecond);
    }
}
