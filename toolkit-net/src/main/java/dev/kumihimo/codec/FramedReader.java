package dev.kumihimo.codec;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.io.ByteSource;
import dev.kumihimo.select.Attempt;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Receives frames from a source of bytes. Of a stream with both directions, {@link Framed} makes one together with its writer.
 *
 * <pre>{@code
 * var lines = FramedReader.of(stream, LinesCodec.of(8192));
 * for (String line; (line = lines.receiveOrNull()) != null; ) {
 *     handle(line);
 * }
 * }</pre>
 *
 * <p>Any thread may receive; several take turns in the order of their calls. Selects do not queue for a turn: each frame goes
 * to one of those who are there when it has come.
 *
 * <p><b>Interruption and cancellation.</b> A receive that is interrupted or cancelled, or whose time is up, has taken nothing
 * from the stream that the next one would miss: of a frame that is not complete, what has come stays. A frame that is there is
 * received also by a cancelled task.
 *
 * <p><b>Errors.</b> What the decoder throws ends this reader, and no other: every later receive throws the very same. The
 * exception is a {@link FrameException} that is {@linkplain FrameException#recoverable() recoverable}: after it, the next
 * receive goes on with the next frame. If the source fails within a frame, the message tells after how many bytes of it, and
 * the next receive asks the source again.
 *
 * <p><b>Memory.</b> It holds what was read and is not decoded: as much as the decoder lets a frame grow, doubled at most, and
 * 8 KiB more. A buffer of more than 256 KiB is given back when it is empty, or
 * by the next read if there are at most 4 KiB in it.
 *
 * @param <I> the frames
 * @since 0.1
 */
public final class FramedReader<I> implements Selectable<@Nullable I>, AutoCloseable {
    /** What is read at once, and how large the buffer is for a frame that has come in part. */
    static final int INITIAL_CAPACITY = 8 * 1024;

    private final ByteSource source;
    private final FrameInput<I> input; // by who has the turn
    private final Turn turn = new Turn();

    /** Made by the first select. Volatile: who leaves its turn after a select has found it taken, sees it, and rings. */
    private volatile @Nullable Receiving<I> receiving;

    private FramedReader(ByteSource source, FrameInput<I> input) {
        this.source = source;
        this.input = input;
    }

    /**
     * {@return a reader of frames}
     *
     * @param source whose bytes belong to it from now on
     * @param decoder what cuts them; it belongs to this reader if it has state
     * @param <I> the frames
     */
    public static <I> FramedReader<I> of(ByteSource source, Decoder<I> decoder) {
        return new FramedReader<>(source, new FrameInput<>(decoder, INITIAL_CAPACITY));
    }

    /* ---------------- Receiving -------------- */

    /**
     * Receives the next frame, waiting for it.
     *
     * @return the frame
     * @throws EOFException if the stream has ended: after whole frames, or within one; the message tells
     * @throws FrameException if what has come is no frame, see above
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing is lost
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed before
     * @throws IOException if the source fails
     */
    public I receive() throws IOException {
        return received(receiveBefore(Deadlines.NEVER));
    }

    /**
     * As {@link #receive()}, for loops.
     *
     * @return the frame, or null if the stream has ended after whole frames
     * @throws EOFException if it has ended within a frame
     * @throws FrameException if what has come is no frame, see above
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing is lost
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed before
     * @throws IOException if the source fails
     */
    public @Nullable I receiveOrNull() throws IOException {
        return receiveBefore(Deadlines.NEVER);
    }

    /**
     * Receives the next frame, waiting at most a given time until all of it is there.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return the frame
     * @throws java.net.SocketTimeoutException if it did not come in time; what has come of it stays
     * @throws EOFException if the stream has ended: after whole frames, or within one; the message tells
     * @throws FrameException if what has come is no frame, see above
     * @throws java.io.InterruptedIOException if interrupted or cancelled while it would wait; nothing is lost
     * @throws java.nio.channels.AsynchronousCloseException if closed while it waited
     * @throws java.nio.channels.ClosedChannelException if closed before
     * @throws IOException if the source fails
     */
    public I receive(Duration timeout) throws IOException {
        return received(receiveBefore(Deadlines.of(timeout)));
    }

    /**
     * Receives the next frame if all of it is there now and nobody else receives. Never waits.
     *
     * @return the frame, or null
     * @throws EOFException if the stream has ended: after whole frames, or within one; the message tells
     * @throws FrameException if what has come is no frame, see above
     * @throws java.nio.channels.ClosedChannelException if closed
     * @throws IOException if the source fails
     */
    public @Nullable I tryReceive() throws IOException {
        Permit held = turn.tryEnter();
        if (held == null) {
            return null;
        }
        try {
            I frame = tryNext(true);
            if (frame == null && input.isOver()) {
                throw FrameInput.end();
            }
            return frame;
        } finally {
            leave(held);
        }
    }

    /**
     * Receives the next frame if all of it has been read already, and nobody else receives. Never waits, and does not ask the
     * source, so that it costs no system call: for what answers all that has come before it writes and waits.
     *
     * <pre>{@code
     * for (Request request; (request = framed.receiveOrNull()) != null; ) {
     *     for (; request != null; request = framed.tryReceiveBuffered()) {
     *         framed.feed(answer(request));
     *     }
     *     framed.flush();
     * }
     * }</pre>
     *
     * @return the frame, or null; at the end of the stream null too: the next receive tells of it
     * @throws EOFException if the stream has ended within a frame
     * @throws FrameException if what has come is no frame, see above
     * @throws IOException if the decoder throws it, now or before
     */
    public @Nullable I tryReceiveBuffered() throws IOException {
        Permit held = turn.tryEnter();
        if (held == null) {
            return null;
        }
        try {
            return tryNext(false);
        } finally {
            leave(held);
        }
    }

    /** Ends a turn. What is left wakes the selects: to the source there may be nothing more that would. */
    private void leave(Permit held) {
        boolean more = input.hasMore();
        held.close();
        Receiving<I> selects = receiving; // read after the turn is free: else one that found it taken could be missed
        if (more && selects != null) {
            selects.somethingIsLeft();
        }
    }

    private static <I> I received(@Nullable I frame) throws EOFException {
        if (frame == null) {
            throw FrameInput.end();
        }
        return frame;
    }

    private @Nullable I receiveBefore(long deadline) throws IOException {
        Permit held = turn.enter(deadline);
        try {
            while (true) {
                I frame = input.next();
                if (frame != null || input.isOver()) {
                    return frame;
                }
                input.read(source, deadline);
            }
        } finally {
            leave(held);
        }
    }

    /** Returns null also if there will never be another. */
    private @Nullable I tryNext(boolean reading) throws IOException {
        while (true) {
            I frame = input.next();
            if (frame != null || input.isOver() || !reading || !input.tryRead(source)) {
                return frame;
            }
        }
    }

    /**
     * {@return the receiving of a frame, to be selected on} It is taken only if the frame is complete: a branch that is not
     * taken has lost nothing. At the end of the stream, after whole frames, it gives null. What a receive would throw, the
     * select throws as an {@link UncheckedIOException}. When bytes come that complete no frame, the select leaves the queues of its
     * other branches, and waits at their ends again.
     *
     * <pre>{@code
     * String next = Select.<String>of()
     *         .onReceive(commands, command -> command == null ? "end" : "command " + command)
     *         .onReceive(events, event -> "event " + event)
     *         .await();
     * }</pre>
     */
    @Override
    public Clause<@Nullable I> clause() {
        Receiving<I> made = receiving;
        return made != null ? made : makeClause();
    }

    private synchronized Receiving<I> makeClause() {
        Receiving<I> made = receiving;
        if (made == null) {
            made = new Receiving<>(this);
            receiving = made;
        }
        return made;
    }

    /* ---------------- Another protocol, the end -------------- */

    /**
     * Goes on with another decoder, from the first byte that is in no frame yet.
     *
     * @param next the decoder
     * @param <T> its frames
     * @return a reader of the same source in place of this one, which cannot be used any more
     * @throws IllegalStateException if somebody is receiving
     */
    public <T> FramedReader<T> with(Decoder<T> next) {
        try (Permit held = turn.enterAlone("the reader")) {
            return new FramedReader<>(source, input.handOver(next));
        }
    }

    /**
     * Takes out what was read and is in no frame yet: for whoever goes on with the source itself. This reader cannot be used any
     * more, since its decoder may have seen some of that; {@link #with} makes another, for what comes from the source then.
     *
     * @return the bytes, possibly none
     * @throws IllegalStateException if somebody is receiving
     */
    public ByteBuffer takeRest() {
        try (Permit held = turn.enterAlone("the reader")) {
            return ByteBuffer.wrap(input.takeRest());
        }
    }

    /** {@return how many bytes were read and are in no frame yet, for tests} */
    int buffered() {
        return input.size();
    }

    /** {@return how many bytes the buffer holds, for tests} */
    int capacity() {
        return input.capacity();
    }

    /**
     * Closes the source. Frames that were read may still be received. Idempotent.
     *
     * @throws IOException if the system reports an error; the source is closed nevertheless
     */
    @Override
    public void close() throws IOException {
        source.close();
    }

    @Override
    public String toString() {
        return "frames of " + source;
    }

    /** A whole frame, or the end. */
    private static final class Receiving<I> extends Attempt<@Nullable I> {
        private record Failed(IOException cause) {}

        private final FramedReader<I> reader;

        Receiving(FramedReader<I> reader) {
            super(reader.source.readable());
            this.reader = reader;
        }

        private Receiving(Receiving<I> other, Clause<?> signal) {
            super(signal, other);
            this.reader = other.reader;
        }

        /** A source that is made of others waits for the one, then for the other. */
        @Override
        protected Attempt<@Nullable I> renewed() {
            Clause<?> now = reader.source.readable().clause();
            return now == signal() ? this : new Receiving<>(this, now);
        }

        @Override
        protected @Nullable Object attempt(boolean signalled) {
            Permit held = reader.turn.tryEnter();
            if (held == null) {
                return NOT_READY; // who has the turn reads what there is, and rings if something is left
            }
            try {
                I frame = reader.tryNext(signalled);
                return frame != null || reader.input.isOver() ? frame : NOT_READY;
            } catch (IOException e) {
                return new Failed(e);
            } finally {
                reader.leave(held);
            }
        }

        void somethingIsLeft() {
            ring();
        }

        @Override
        @SuppressWarnings("unchecked") // what attempt() returned
        protected @Nullable I result(@Nullable Object outcome) {
            if (outcome instanceof Failed failed) {
                throw new UncheckedIOException(failed.cause);
            }
            return (I) outcome;
        }
    }
}
