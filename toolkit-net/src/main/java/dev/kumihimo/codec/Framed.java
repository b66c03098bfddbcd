package dev.kumihimo.codec;

import dev.kumihimo.io.ByteStream;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A stream of frames in each direction, over a stream of bytes.
 *
 * <pre>{@code
 * try (var lines = Framed.of(TcpStream.connect("localhost", 9090), LinesCodec.of(8192))) {
 *     lines.send("hello");
 *     System.out.println(lines.receive());
 * }
 * }</pre>
 *
 * <p>It is a {@link FramedReader} and a {@link FramedWriter}, and all that these say of turns, interruption, errors,
 * back-pressure and memory holds. One thread may receive while another sends. The bytes of the stream belong to it: reading or
 * writing the stream besides would miss what is buffered here.
 *
 * <p><b>Closing</b> closes the stream, which ends the waits of other threads. Nothing is written by it: what was fed has to be
 * flushed before.
 *
 * @param <I> the frames that are received
 * @param <O> the frames that are sent
 * @since 0.1
 */
public final class Framed<I, O> implements Selectable<@Nullable I>, AutoCloseable {
    private final FramedReader<I> reader;
    private final FramedWriter<O> writer;

    private Framed(FramedReader<I> reader, FramedWriter<O> writer) {
        this.reader = reader;
        this.writer = writer;
    }

    /**
     * {@return frames over a stream}
     *
     * @param stream whose bytes belong to it from now on
     * @param codec what makes frames of them; it belongs to this stream if it has state
     * @param <I> the frames that are received
     * @param <O> the frames that are sent
     */
    public static <I, O> Framed<I, O> of(ByteStream stream, Codec<I, O> codec) {
        return of(FramedReader.of(stream, codec), FramedWriter.of(stream, codec));
    }

    /**
     * {@return both directions as one}
     *
     * @param reader what receives
     * @param writer what sends
     * @param <I> the frames that are received
     * @param <O> the frames that are sent
     */
    public static <I, O> Framed<I, O> of(FramedReader<I> reader, FramedWriter<O> writer) {
        return new Framed<>(reader, writer);
    }

    /** {@return the part that receives} */
    public FramedReader<I> reader() {
        return reader;
    }

    /** {@return the part that sends} */
    public FramedWriter<O> writer() {
        return writer;
    }

    /**
     * Receives the next frame, waiting for it; see {@link FramedReader#receive()}.
     *
     * @return the frame
     * @throws EOFException if the stream has ended: after whole frames, or within one; the message tells
     * @throws FrameException if what has come is no frame
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing is lost
     * @throws IOException if closed, or the stream fails
     */
    public I receive() throws IOException {
        return reader.receive();
    }

    /**
     * Receives the next frame, waiting for it; see {@link FramedReader#receiveOrNull()}.
     *
     * @return the frame, or null if the stream has ended after whole frames
     * @throws EOFException if it has ended within a frame
     * @throws FrameException if what has come is no frame
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing is lost
     * @throws IOException if closed, or the stream fails
     */
    public @Nullable I receiveOrNull() throws IOException {
        return reader.receiveOrNull();
    }

    /**
     * Receives the next frame, waiting at most a given time; see {@link FramedReader#receive(Duration)}.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return the frame
     * @throws java.net.SocketTimeoutException if it did not come in time; what has come of it stays
     * @throws EOFException if the stream has ended: after whole frames, or within one; the message tells
     * @throws FrameException if what has come is no frame
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing is lost
     * @throws IOException if closed, or the stream fails
     */
    public I receive(Duration timeout) throws IOException {
        return reader.receive(timeout);
    }

    /**
     * Receives the next frame if all of it is there now and nobody else receives. Never waits.
     *
     * @return the frame, or null
     * @throws EOFException if the stream has ended: after whole frames, or within one; the message tells
     * @throws FrameException if what has come is no frame
     * @throws IOException if closed, or the stream fails
     */
    public @Nullable I tryReceive() throws IOException {
        return reader.tryReceive();
    }

    /**
     * Receives the next frame if all of it has been read already, without asking the stream, see
     * {@link FramedReader#tryReceiveBuffered()}.
     *
     * @return the frame, or null; at the end of the stream null too: the next receive tells of it
     * @throws EOFException if the stream has ended within a frame
     * @throws FrameException if what has come is no frame
     * @throws IOException if the decoder throws it, now or before
     */
    public @Nullable I tryReceiveBuffered() throws IOException {
        return reader.tryReceiveBuffered();
    }

    /** {@return the receiving of a frame, to be selected on; see {@link FramedReader#clause()}} Null is the end. */
    @Override
    public Clause<@Nullable I> clause() {
        return reader.clause();
    }

    /**
     * Sends a frame, and what was fed before it; see {@link FramedWriter#send}.
     *
     * @param frame what to send
     * @throws FrameException if the encoder refuses it; nothing of it is sent
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; {@code bytesTransferred} bytes of this
     *     frame are written. If that is 0, it was not taken; else the rest of it stays, and must not be sent again
     * @throws IOException if closed, or the stream fails
     */
    public void send(O frame) throws IOException {
        writer.send(frame);
    }

    /**
     * Sends several frames, with no other between them, and what was fed before; see {@link FramedWriter#sendAll}.
     *
     * @param frames what to send, in this order
     * @throws FrameException if the encoder refuses one; those before it are taken, and stay in the buffer
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; some frames may be taken
     * @throws IOException if closed, or the stream fails
     */
    public void sendAll(Iterable<? extends O> frames) throws IOException {
        writer.sendAll(frames);
    }

    /**
     * Takes a frame to be sent by the next {@link #flush} or {@link #send}; see {@link FramedWriter#feed}.
     *
     * @param frame what to send
     * @throws FrameException if the encoder refuses it; nothing of it is sent
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; the frame was not taken
     * @throws IOException if closed, or the stream fails
     */
    public void feed(O frame) throws IOException {
        writer.feed(frame);
    }

    /**
     * Takes a frame as {@link #feed} does, if that needs no waiting; see {@link FramedWriter#tryFeed}.
     *
     * @param frame what to send
     * @return false if there is no room, or somebody else is sending; then it was not taken
     * @throws FrameException if the encoder refuses it; nothing of it is sent
     * @throws IOException if closed, or the stream fails
     */
    public boolean tryFeed(O frame) throws IOException {
        return writer.tryFeed(frame);
    }

    /**
     * Writes all that was fed, waiting for room.
     *
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; the rest stays
     * @throws IOException if closed, or the stream fails
     */
    public void flush() throws IOException {
        writer.flush();
    }

    /**
     * Writes of what was fed what there is room for now, if nobody else is sending. Never waits.
     *
     * @return whether nothing is left to be written
     * @throws IOException if closed, or the stream fails
     */
    public boolean tryFlush() throws IOException {
        return writer.tryFlush();
    }

    /**
     * Flushes, and then ends the output: the other side receives the end after the last frame. Receiving goes on.
     *
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; the output is not ended
     * @throws IOException if closed, or the stream fails
     */
    public void shutdownOutput() throws IOException {
        writer.shutdownOutput();
    }

    /**
     * Goes on with another codec, as protocols do that begin with an agreement: nothing that was read or fed is lost.
     *
     * @param next the codec
     * @param <A> the frames that are received
     * @param <B> the frames that are sent
     * @return frames over the same stream in place of these, which must not be used any more
     * @throws IllegalStateException if somebody is receiving or sending
     */
    public <A, B> Framed<A, B> with(Codec<A, B> next) {
        return of(reader.with(next), writer.with(next));
    }

    /**
     * Closes the stream; what was fed and not flushed is dropped. Idempotent.
     *
     * @throws IOException if the system reports an error; the stream is closed nevertheless
     */
    @Override
    public void close() throws IOException {
        try (reader) {
            writer.close();
        }
    }

    @Override
    public String toString() {
        return reader + ", " + writer;
    }
}
