package dev.kumihimo.test.net;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.internal.wait.Points;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.select.Selectable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A stream whose other side plays a script: it sends what is to be read, and checks what is written.
 *
 * <pre>{@code
 * ScriptedStream peer = ScriptedStream.script()
 *         .read("220 ready\r\n")
 *         .write("EHLO me\r\n")                    // anything else fails, and shows both
 *         .waitFor(Duration.ofSeconds(3))          // virtual time in a test runtime
 *         .read("250-SIZE\r\n", "250 DSN\r\n")     // in two pieces
 *         .write("QUIT\r\n")
 *         .end()
 *         .build();
 * test.run(() -> new MailClient(peer).greet());
 * peer.verify();                                   // nothing of it is left
 * }</pre>
 *
 * <p><b>Order.</b> A read gets what was sent next, one piece at most, and waits until all before it was played: until what the
 * script says is to be written has been written, and pauses are over. A write does not wait for reads that come before it in the
 * script, as a peer does not wait to be read, but for pauses. A pause begins when all before it was played; a first one, when
 * somebody first reads or writes. Where the script is over, a read waits, since a peer that says nothing has not gone (see {@link Script#end}), and a write
 * fails.
 *
 * <p><b>Failures.</b> A write that the script does not say throws {@link AssertionError}, and so do all calls from then on, those
 * that wait included, and {@link #verify}: what swallows an error hides nothing. How the bytes are cut into writes does not matter.
 *
 * <p>Everything else is as in {@link ByteStream}: turns, time limits, cancellation, selecting, closing. In a deadlock report it
 * says at which action it stands.
 *
 * @since 0.1
 */
public final class ScriptedStream implements ByteStream {
    private final Playing playing;
    private final Script script;

    private ScriptedStream(Playing playing, Script script) {
        this.playing = playing;
        this.script = script;
        if (Points.ON) {
            Points.made(this, aborted -> isOpen() ? "not closed" : null);
        }
    }

    /** {@return an empty script} */
    public static Script script() {
        return new Script();
    }

    /**
     * {@return the script that this plays, to be added to while it does} What is added comes after all else; nothing can be read
     * after an {@link Script#end}.
     */
    public Script more() {
        return script;
    }

    /**
     * Checks that all was played, and nothing else was written. Pauses need not have been sat out.
     *
     * @throws AssertionError if not; the message lists what is left
     */
    public void verify() {
        String complaint = playing.complaint();
        if (complaint != null) {
            throw new AssertionError(complaint);
        }
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        return playing.read(target, Deadlines.NEVER);
    }

    @Override
    public int read(ByteBuffer target, Duration timeout) throws IOException {
        return playing.read(target, Deadlines.of(timeout));
    }

    @Override
    public int tryRead(ByteBuffer target) throws IOException {
        return playing.read(target, Deadlines.TRY);
    }

    @Override
    public Selectable<@Nullable Void> readable() {
        return playing.readable;
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        return playing.write(source, Deadlines.NEVER);
    }

    @Override
    public void writeAll(ByteBuffer source) throws IOException {
        int start = source.position();
        try {
            playing.writeAll(source);
        } catch (InterruptedIOException e) {
            e.bytesTransferred = source.position() - start;
            throw e;
        }
    }

    @Override
    public int tryWrite(ByteBuffer source) throws IOException {
        return playing.write(source, Deadlines.TRY);
    }

    @Override
    public Selectable<@Nullable Void> writable() {
        return playing.writable;
    }

    @Override
    public void shutdownOutput() throws IOException {
        playing.shutDownOutput();
    }

    @Override
    public boolean isOpen() {
        return playing.isOpen();
    }

    /**
     * Closes the stream, and does {@link #verify}. So what closes it early fails, and a failure that closes it on its way out has
     * what is left of the script as a suppressed one. Idempotent: only the first call verifies.
     *
     * @throws AssertionError as in {@link #verify}; the stream is closed then, too
     */
    @Override
    public void close() {
        if (playing.close()) {
            verify();
        }
    }

    @Override
    public String toString() {
        return playing.toString();
    }

    /**
     * What the other side does, in order. Any thread may add to it, also while it is played.
     *
     * <pre>{@code
     * ScriptedStream.Script script = ScriptedStream.script().read("hello");
     * ScriptedStream peer = script.build();
     * ...
     * script.write("hello yourself").end();
     * }</pre>
     *
     * @since 0.1
     */
    public static final class Script {
        private final Playing playing = new Playing();
        private boolean ends; // guarded by the monitor, under which nothing waits

        private Script() {}

        /**
         * Has pieces of text read, in UTF-8; each by a read of its own, or more if there is little room.
         *
         * @param pieces none of them empty
         * @return this
         * @throws IllegalArgumentException if one is empty
         * @throws IllegalStateException after {@link #end}
         */
        public Script read(String... pieces) {
            for (String piece : pieces) {
                read(piece.getBytes(StandardCharsets.UTF_8));
            }
            return this;
        }

        /**
         * Has a piece of bytes read.
         *
         * @param piece at least one byte; copied
         * @return this
         * @throws IllegalArgumentException if it is empty
         * @throws IllegalStateException after {@link #end}
         */
        public Script read(byte[] piece) {
            return add(ScriptStep.of(ScriptStep.Kind.READ, piece.clone()));
        }

        /**
         * Has one read fail.
         *
         * @param failure what it throws
         * @return this
         * @throws IllegalStateException after {@link #end}
         */
        public Script readError(IOException failure) {
            return add(ScriptStep.failure(ScriptStep.Kind.READ_ERROR, failure));
        }

        /**
         * Has the other side send nothing more: reads give the end from then on. It may still be written to.
         *
         * @return this
         * @throws IllegalStateException after another
         */
        public Script end() {
            return add(ScriptStep.end());
        }

        /**
         * Expects text to be written, in UTF-8.
         *
         * @param text not empty
         * @return this
         * @throws IllegalArgumentException if it is empty
         */
        public Script write(String text) {
            return write(text.getBytes(StandardCharsets.UTF_8));
        }

        /**
         * Expects bytes to be written.
         *
         * @param bytes at least one; copied
         * @return this
         * @throws IllegalArgumentException if there are none
         */
        public Script write(byte[] bytes) {
            return add(ScriptStep.of(ScriptStep.Kind.WRITE, bytes.clone()));
        }

        /**
         * Has one write fail, whatever it writes.
         *
         * @param failure what it throws
         * @return this
         */
        public Script writeError(IOException failure) {
            return add(ScriptStep.failure(ScriptStep.Kind.WRITE_ERROR, failure));
        }

        /**
         * Has the other side pause: what comes later is neither sent nor taken until then.
         *
         * @param duration how long, on the clock of who reads or writes; more than zero
         * @return this
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Script waitFor(Duration duration) {
            if (duration.isZero() || duration.isNegative()) {
                throw new IllegalArgumentException("duration=" + duration + " must be more than zero");
            }
            return add(ScriptStep.pause(TimerService.toNanos(duration)));
        }

        private synchronized Script add(ScriptStep step) {
            if (step.kind.isRead()) {
                if (ends) {
                    throw new IllegalStateException("after end() nothing can be read, so not " + step);
                }
                ends = step.kind == ScriptStep.Kind.END;
            }
            playing.add(step);
            return this;
        }

        /** {@return a stream that plays this; build one only, since two would play the same script together} */
        public ScriptedStream build() {
            return new ScriptedStream(playing, this);
        }
    }
}
