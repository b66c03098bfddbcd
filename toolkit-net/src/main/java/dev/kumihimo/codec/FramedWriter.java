package dev.kumihimo.codec;

import dev.kumihimo.io.ByteSink;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import java.io.InterruptedIOException;

/**
 * Sends frames to a sink of bytes. Of a stream with both directions, {@link Framed} makes one together with its reader.
 *
 * <pre>{@code
 * var writer = FramedWriter.of(stream, LengthDelimitedCodec.create());
 * for (byte[] record : records) {
 *     writer.feed(record);
 * }
 * writer.flush();
 * }</pre>
 *
 * <p>Any thread may send; several take turns in the order of their calls, and a frame is never within another.
 *
 * <p><b>Back-pressure.</b> Frames gather in a buffer, by {@link #feed}, until it holds as many bytes as its boundary; before
 * another is taken then, all of it is written. So it never holds more than the boundary and one frame, however slow the other
 * side reads.
 *
 * <p><b>Interruption and cancellation</b> never tear a frame. If a send is interrupted or cancelled before the first byte of
 * its frame was written, the frame is taken back and may be sent again; after that, {@code bytesTransferred} is more than
 * zero, the rest stays in the buffer, and the next send or flush goes on with it. An encoder that must not be asked twice for
 * a frame, since it counts or compresses, is used by {@link #feed} and {@link #flush}, which take nothing back.
 *
 * <p><b>Closing</b> writes nothing: what was fed and not flushed is dropped.
 *
 * @param <O> the frames
 * @since 0.1
 */
public final class FramedWriter<O> implements AutoCloseable {
    /** The boundary unless another is given, in bytes. */
    public static final int DEFAULT_BOUNDARY = 8 * 1024;

    /** At first, and after a batch that was much smaller than the buffer; grows with what is written. */
    private static final int INITIAL_CAPACITY = 256;

    private final ByteSink sink;
    private final Encoder<? super O> encoder;
    private final int boundary;
    private final FrameBuffer pending; // by who has the turn
    private final Turn turn = new Turn();

    private FramedWriter(ByteSink sink, Encoder<? super O> encoder, int boundary, FrameBuffer pending) {
        this.sink = sink;
        this.encoder = encoder;
        this.boundary = boundary;
        this.pending = pending;
    }

    /**
     * {@return a writer of frames, with a boundary of {@value #DEFAULT_BOUNDARY} bytes}
     *
     * @param sink which belongs to it from now on
     * @param encoder what makes bytes of frames; it belongs to this writer if it has state
     * @param <O> the frames
     */
    public static <O> FramedWriter<O> of(ByteSink sink, Encoder<? super O> encoder) {
        return of(sink, encoder, DEFAULT_BOUNDARY);
    }

    /**
     * {@return a writer of frames}
     *
     * @param sink which belongs to it from now on
     * @param encoder what makes bytes of frames; it belongs to this writer if it has state
     * @param boundary how many bytes may gather before they are written, 1 or more
     * @param <O> the frames
     * @throws IllegalArgumentException if the boundary is less
     */
    public static <O> FramedWriter<O> of(ByteSink sink, Encoder<? super O> encoder, int boundary) {
        if (boundary < 1) {
            throw new IllegalArgumentException("boundary=" + boundary + " must be at least 1");
        }
        return new FramedWriter<>(sink, encoder, boundary, new FrameBuffer(INITIAL_CAPACITY));
    }

    /* ---------------- Sending -------------- */

    /**
     * Sends a frame, and what was fed before it: waits until all of it is written.
     *
     * @param frame what to send
     * @throws FrameException if the encoder refuses it; nothing of it is sent
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; {@code bytesTransferred} bytes of this
     *     frame are written. If that is 0, it was not taken; else the rest of it stays, and must not be sent again
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed, or the output shut down, before
     * @throws IOException if the sink fails
     */
    public void send(O frame) throws IOException {
        try (Permit held = turn.enter()) {
            relieve();
            int before = pending.size();
            encode(frame);
            int length = pending.size() - before;
            try {
                pending.writeTo(sink);
            } catch (IOException e) {
                int begun = length - Math.min(length, pending.size());
                if (begun == 0) {
                    pending.truncate(pending.size() - length);
                }
                if (e instanceof InterruptedIOException interrupted) {
                    interrupted.bytesTransferred = begun;
                }
                throw e;
            }
        }
    }

    /**
     * Sends several frames, with no other between them, and what was fed before: waits until all of it is written.
     *
     * @param frames what to send, in this order
     * @throws FrameException if the encoder refuses one; those before it are taken, and stay in the buffer
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; some frames may be taken, and the rest
     *     of those stays in the buffer. Where it matters which, {@link #feed} each
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed, or the output shut down, before
     * @throws IOException if the sink fails
     */
    public void sendAll(Iterable<? extends O> frames) throws IOException {
        try (Permit held = turn.enter()) {
            for (O frame : frames) {
                relieve();
                encode(frame);
            }
            write();
        }
    }

    /**
     * Takes a frame to be sent with others, by the next {@link #flush} or {@link #send}. Waits only if the buffer has reached
     * its boundary, until all that it holds is written.
     *
     * @param frame what to send
     * @throws FrameException if the encoder refuses it; nothing of it is sent
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; the frame was not taken
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed, or the output shut down, before it would write
     * @throws IOException if the sink fails; the frame was not taken
     */
    public void feed(O frame) throws IOException {
        try (Permit held = turn.enter()) {
            relieve();
            encode(frame);
        }
    }

    /**
     * Takes a frame as {@link #feed} does, if that needs no waiting. If the buffer has reached its boundary, what there is room
     * for is written first.
     *
     * @param frame what to send
     * @return false if the buffer is still at its boundary, or somebody else is sending; then it was not taken
     * @throws FrameException if the encoder refuses it; nothing of it is sent
     * @throws java.nio.channels.ClosedChannelException if closed, or the output shut down, before it would write
     * @throws IOException if the sink fails; the frame was not taken
     */
    public boolean tryFeed(O frame) throws IOException {
        try (Permit held = turn.tryEnter()) {
            if (held == null
                    || (pending.size() >= boundary && !pending.tryWriteTo(sink) && pending.size() >= boundary)) {
                return false;
            }
            encode(frame);
            return true;
        }
    }

    /**
     * Writes all that was fed, waiting for room.
     *
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; the rest stays
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed, or the output shut down, before it would write
     * @throws IOException if the sink fails
     */
    public void flush() throws IOException {
        try (Permit held = turn.enter()) {
            write();
        }
    }

    /**
     * Writes of what was fed what there is room for now, if nobody else is sending. Never waits. To wait for room among other
     * things, select on the sink's {@link ByteSink#writable()}.
     *
     * @return whether nothing is left to be written
     * @throws java.nio.channels.ClosedChannelException if closed, or the output shut down, before it would write
     * @throws IOException if the sink fails
     */
    public boolean tryFlush() throws IOException {
        try (Permit held = turn.tryEnter()) {
            return held != null && pending.tryWriteTo(sink);
        }
    }

    /** Back-pressure: makes room for another frame. */
    private void relieve() throws IOException {
        if (pending.size() >= boundary) {
            write();
        }
    }

    private void write() throws IOException {
        try {
            pending.writeTo(sink);
        } catch (InterruptedIOException e) {
            e.bytesTransferred = 0; // of the caller's frame
            throw e;
        }
    }

    private void encode(O frame) throws IOException {
        int before = pending.size();
        boolean done = false;
        try {
            encoder.encode(frame, pending);
            done = true;
        } finally {
            if (!done) {
                pending.truncate(before);
            }
        }
    }

    /* ---------------- Another protocol, the end -------------- */

    /**
     * Goes on with another encoder; what was fed is written before what it makes.
     *
     * @param next the encoder
     * @param <T> its frames
     * @return a writer to the same sink in place of this one, which must not be used any more
     * @throws IllegalStateException if somebody is sending
     */
    public <T> FramedWriter<T> with(Encoder<? super T> next) {
        try (Permit held = turn.enterAlone("the writer")) {
            FrameBuffer rest = new FrameBuffer(INITIAL_CAPACITY);
            rest.put(pending.toByteArray());
            pending.truncate(0);
            return new FramedWriter<>(sink, next, boundary, rest);
        }
    }

    /** {@return how many bytes are in the buffer, for tests} */
    int buffered() {
        return pending.size();
    }

    /**
     * Flushes, and then ends the output: the other side reads the end after the last frame.
     *
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; the output is not ended
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed
     * @throws IOException if the sink fails
     */
    public void shutdownOutput() throws IOException {
        try (Permit held = turn.enter()) {
            write();
            sink.shutdownOutput();
        }
    }

    /**
     * Closes the sink; what was fed and not flushed is dropped. Idempotent.
     *
     * @throws IOException if the system reports an error; the sink is closed nevertheless
     */
    @Override
    public void close() throws IOException {
        sink.close();
    }

    @Override
    public String toString() {
        return "frames to " + sink;
    }
}
