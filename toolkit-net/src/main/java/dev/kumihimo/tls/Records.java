package dev.kumihimo.tls;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.io.ByteStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: bytes go through three buffers: `in`, records as they came; `plain`, what a record held that did not fit the
 * reader's buffer; `out`, records that are to go out. Each is there only while it has content, and always ready to be got from.
 * All waits are between steps, when everything is in a buffer or not yet taken: a wait that ends otherwise tears nothing, and
 * the next call goes on.
 *
 * Fields: until the handshake is done all belong to who has its turn. Then `in`, `plain`, `drained` and `ended` belong to who
 * has the turn to read, `out` to who has the turn to write. The volatile ones are looked at by
 * others.
 *
 * Two at once: the engine has a lock of its own, so that unwrapping and wrapping exclude each other for the microseconds that a
 * record takes. A reader never waits for a writer: what the engine wants to send after the handshake (the answer to a key
 * update, an alert) the reader wraps only if nobody is writing; else the engine sends it with the writer's next record, which
 * is what RFC 8446 asks for, or the writer sends it itself when it has given its turn back and sees that `owes` was set meanwhile.
 *
 * A broken output: nobody waits for a write that a reader or a watcher does for others, so what it is told is kept in `broken`,
 * the records that are left are dropped, and the next write throws it. Reading goes on.
 */

/** The records of one stream: an engine, its buffers, and what is below. Knows no turns. */
final class Records {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** A record's header: its type, two bytes of version, two of length. */
    private static final int HEADER = 5;

    private static final byte HANDSHAKE = 22;

    /**
     * The most answers to key updates that wait to be sent: 27 bytes each. Keys are updated after many gigabytes, so a peer that
     * asks for so many and takes no answer does it to fill our memory.
     */
    private static final int MOST_ANSWERS = 256;

    /** The most bytes of an unfinished record that a wait keeps in a buffer of their size, not in a shared one. */
    private static final int FEW = 2048;

    private final ByteStream transport;
    private final SSLEngine engine;

    private @Nullable ByteBuffer in;
    private @Nullable ByteBuffer plain;
    private @Nullable ByteBuffer out;

    /** Whether the last read from below has left room: then it is waited for before the next. */
    private boolean drained;

    /** How many bytes the last record has put into the reader's buffer. */
    private int taken;

    /** The greatest record of the session. */
    private int packet;

    private boolean begun;
    private boolean done;
    private boolean ended;
    private boolean refusesHandshakes;

    /** How many answers a reader has found owed since {@link #hasFlushed} was last set. */
    private int answers;

    /** Whether {@link #out} has content. */
    private volatile boolean pending;

    /** Whether the engine had something to say of its own when a reader last looked. */
    private volatile boolean owes;

    /** Whether all that was pending has gone out since a reader last looked. */
    private volatile boolean hasFlushed;

    /** What somebody who may not write was told by the stream below. A record is missing there, so nothing follows it. */
    private volatile @Nullable IOException broken;

    /** Whether reading would give something, or fail, without more bytes from below. */
    private volatile boolean ready;

    /** Sends what is pending or owed, if nobody is writing and there is room; called by who may not write. */
    private final Runnable push;

    Records(ByteStream transport, SSLEngine engine, Runnable push) {
        this.transport = transport;
        this.engine = engine;
        this.push = push;
        this.packet = engine.getSession().getPacketBufferSize();
    }

    boolean isPending() {
        return pending;
    }

    /** {@return whether the engine may have something to say of its own} */
    boolean isOwing() {
        return owes;
    }

    boolean isReady() {
        return ready;
    }

    /** {@return whether the last read has shown that only more bytes from below can bring any} In the turn to read. */
    boolean isDry() {
        return drained && !ready;
    }

    boolean hasBegun() {
        return begun;
    }

    int bufferBytes() {
        return capacity(in) + capacity(plain) + capacity(out);
    }

    private static int capacity(@Nullable ByteBuffer buffer) {
        return buffer == null ? 0 : buffer.capacity();
    }

    /* ---------------- The handshake -------------- */

    /**
     * Goes on with the handshake until it is done. In the turn of the handshake.
     *
     * @return false if the deadline has passed
     */
    boolean handshake(long deadline) throws IOException {
        if (!begun) {
            engine.beginHandshake();
            begun = true;
        }
        while (true) {
            switch (engine.getHandshakeStatus()) {
                case NEED_TASK -> runTasks();
                case NEED_WRAP -> wrapOwn();
                case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
                    if (!flush(deadline) || !unwrapHandshake(deadline)) {
                        return false;
                    }
                }
                case FINISHED, NOT_HANDSHAKING -> {
                    if (!flush(deadline)) {
                        return false;
                    }
                    if (engine.isInboundDone() || engine.isOutboundDone()) {
                        throw new SSLException("the connection has ended during the handshake");
                    }
                    refusesHandshakes = !engine.getSession().getProtocol().equals("TLSv1.3");
                    packet = engine.getSession().getPacketBufferSize();
                    done = true;
                    noteInput();
                    return true;
                }
            }
        }
    }

    /** Takes one record of the handshake, or waits for more bytes. Returns false if the deadline has passed. */
    private boolean unwrapHandshake(long deadline) throws IOException {
        ByteBuffer records = in;
        if (records != null) {
            if (looksLikeNoTls(records)) {
                throw notTls(records);
            }
            SSLEngineResult result = engine.unwrap(records, NOTHING);
            if (result.getStatus() == Status.CLOSED) {
                throw new SSLException("the peer has ended the connection during the handshake");
            }
            if (result.getStatus() == Status.BUFFER_OVERFLOW) {
                throw new SSLException("the peer has sent data during the handshake");
            }
            if (result.getStatus() != Status.BUFFER_UNDERFLOW) {
                giveInputIfEmpty();
                return true;
            }
        }
        int count = fill(deadline);
        if (count < 0) {
            throw new SSLException("truncated: the connection has ended during the handshake");
        }
        return count > 0;
    }

    /**
     * Computes what the engine has to: signatures and key agreements. In place, without a hand-over to the blocking pool: they
     * are short, and what waits for a file or a network in a trust manager of the user's waits in a virtual thread. What it
     * costs others on the carrier was not measured.
     */
    private void runTasks() {
        for (Runnable task; (task = engine.getDelegatedTask()) != null; ) {
            task.run();
        }
    }

    /* ---------------- Reading -------------- */

    /**
     * Reads what there is. In the turn to read.
     *
     * @param deadline how long to wait for a byte
     * @return how many bytes; -1 at the end; 0 if the deadline has passed
     */
    int read(ByteBuffer target, long deadline) throws IOException {
        try {
            while (true) {
                int count = takePlain(target);
                if (count != 0) {
                    return count;
                }
                if (ended) {
                    return -1;
                }
                if (!unwrapRecord(target)) {
                    count = fill(deadline);
                    if (count < 0) {
                        throw new SSLException(
                                "truncated: the connection has ended without close_notify; the peer may have sent more");
                    }
                    if (count == 0) {
                        return 0;
                    }
                } else if (taken != 0) {
                    return taken;
                }
            }
        } finally {
            noteInput();
        }
    }

    private int takePlain(ByteBuffer target) {
        ByteBuffer left = plain;
        if (left == null) {
            return 0;
        }
        int count = Math.min(left.remaining(), target.remaining());
        target.put(target.position(), left, left.position(), count);
        target.position(target.position() + count);
        left.position(left.position() + count);
        if (!left.hasRemaining()) {
            plain = null;
            Buffers.give(left);
        }
        return count;
    }

    /** Takes one record, if one is complete. */
    private boolean unwrapRecord(ByteBuffer target) throws IOException {
        ByteBuffer records = in;
        taken = 0;
        if (records == null) {
            return false;
        }
        if (refusesHandshakes && records.get(records.position()) == HANDSHAKE) {
            throw new SSLException("the peer wants to renegotiate, which is refused");
        }
        int start = target.position();
        SSLEngineResult result;
        try {
            result = engine.unwrap(records, target);
            if (result.getStatus() == Status.BUFFER_OVERFLOW) {
                result = unwrapApart(records);
            }
            if (result.getHandshakeStatus() == HandshakeStatus.NEED_TASK) {
                runTasks();
            }
        } catch (RuntimeException e) { // of the engine, or of a trust or key manager
            throw new SSLException("TLS failed: " + e, e);
        }
        taken = target.position() - start;
        if (result.getStatus() == Status.BUFFER_UNDERFLOW) {
            return false;
        }
        giveInputIfEmpty();
        if (result.getStatus() == Status.CLOSED) {
            ended = true;
            dropInput();
        }
        if (result.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
            owes = true;
            push.run();
            if (taken == 0 && plain == null) { // else it is the same as before that is still owed
                countAnswer();
            }
        }
        return true;
    }

    private void countAnswer() throws SSLException {
        if (broken != null) {
            return; // and nothing is kept
        }
        if (hasFlushed) {
            hasFlushed = false;
            answers = 0;
        }
        if (++answers > MOST_ANSWERS) {
            throw new SSLException(
                    "the peer has asked for more than " + MOST_ANSWERS + " key updates, and has not taken the answers");
        }
    }

    /** Takes one record into a buffer of our own, since the reader's is too small for it. */
    private SSLEngineResult unwrapApart(ByteBuffer records) throws SSLException {
        ByteBuffer apart = Buffers.take(engine.getSession().getApplicationBufferSize());
        SSLEngineResult result = engine.unwrap(records, apart);
        if (apart.flip().hasRemaining()) {
            plain = apart;
        } else {
            Buffers.give(apart);
        }
        return result;
    }

    /** Whether what came first is no header of a record: a type from 20 to 24, and a major version of 3. */
    private static boolean looksLikeNoTls(ByteBuffer records) {
        int at = records.position();
        return records.remaining() >= 2 && (records.get(at) < 20 || records.get(at) > 24 || records.get(at + 1) != 3);
    }

    private static SSLException notTls(ByteBuffer records) {
        byte[] first = new byte[Math.min(8, records.remaining())];
        records.get(records.position(), first);
        String text = new String(first, StandardCharsets.ISO_8859_1);
        boolean isText = text.chars().allMatch(c -> c >= ' ' && c < 127 || c == '\r' || c == '\n');
        return new SSLException("the peer does not speak TLS: it has sent "
                + (isText
                        ? "\"" + text.stripTrailing() + "\""
                        : HexFormat.ofDelimiter(" ").formatHex(first))
                + (text.matches("(?s)(GET|PUT|POST|HEAD|OPTIONS|DELETE|CONNECT|PATCH|TRACE|HTTP/).*")
                        ? ", which is plain HTTP"
                        : ""));
    }

    /** Reads records from below. Returns how many bytes, -1 at the end, or 0 if the deadline has passed. */
    private int fill(long deadline) throws IOException {
        while (true) {
            if (!drained || deadline == Deadlines.NOW) {
                int count = fillNow();
                if (count != 0) {
                    return count;
                }
            }
            if (!await(deadline)) {
                return 0;
            }
        }
    }

    /** Waits until there may be more below, or room there for what is pending. Returns false if the deadline has passed. */
    boolean await(long deadline) throws IOException {
        if (deadline == Deadlines.NOW) {
            return false;
        }
        keepFew();
        if (done) {
            noteInput(); // what a read before this has left is taken
            if (pending || owes) {
                push.run();
            }
        }
        int event = Waits.forAny(transport.readable(), pending && done ? transport.writable() : null, deadline);
        if (event == Waits.PASSED) {
            return false;
        }
        drained = event == Waits.SECOND;
        return true;
    }

    private int fillNow() throws IOException {
        ByteBuffer records = in;
        if (records == null) {
            records = Buffers.take(packet);
        } else {
            records = withRoom(records);
        }
        int count = 0;
        try {
            int room = records.remaining();
            count = transport.tryRead(records);
            drained = count < room;
        } finally {
            in = records.flip();
            giveInputIfEmpty();
        }
        return count;
    }

    /** {@return a buffer with the same content, ready to be put into} */
    private ByteBuffer withRoom(ByteBuffer records) throws SSLException {
        int needed = packet;
        if (records.capacity() >= needed && records.remaining() < records.capacity()) {
            return records.compact();
        }
        packet = needed =
                engine.getSession().getPacketBufferSize(); // grows if the peer makes larger records than it should
        if (records.remaining() >= needed) {
            throw new SSLException("a record of more than " + needed + " bytes");
        }
        ByteBuffer larger = Buffers.take(Math.max(needed, records.remaining() + 1));
        larger.put(records);
        Buffers.give(records);
        return larger;
    }

    /** Before a wait: keeps a few bytes of an unfinished record in a buffer of just their size. */
    private void keepFew() {
        ByteBuffer records = in;
        if (records != null && records.remaining() <= FEW && records.capacity() > FEW) {
            in = ByteBuffer.allocate(records.remaining()).put(records).flip();
            Buffers.give(records);
        }
    }

    private void giveInputIfEmpty() {
        ByteBuffer records = in;
        if (records != null && !records.hasRemaining()) {
            dropInput();
        }
    }

    private void dropInput() {
        ByteBuffer records = in;
        in = null;
        if (records != null) {
            Buffers.give(records);
        }
    }

    private void noteInput() {
        boolean now = ended || plain != null || hasRecord();
        if (now != ready) {
            ready = now;
        }
    }

    private boolean hasRecord() {
        ByteBuffer records = in;
        return records != null
                && records.remaining() >= HEADER
                && records.remaining() - HEADER >= (records.getShort(records.position() + 3) & 0xffff);
    }

    /* ---------------- Writing -------------- */

    /**
     * Makes records of as many bytes as fit into one buffer; nothing is pending. In the turn to write.
     *
     * @throws SSLException if the engine takes nothing any more
     * @throws IOException if the output is broken
     */
    void wrap(ByteBuffer source) throws IOException {
        ByteBuffer records = roomToWrap();
        try {
            SSLEngineResult result;
            do {
                result = engine.wrap(source, records);
                if (result.getStatus() == Status.CLOSED) {
                    throw new SSLException("the peer has ended the connection, which in "
                            + engine.getSession().getProtocol() + " ends both directions");
                }
            } while (result.getStatus() == Status.OK && source.hasRemaining());
        } finally {
            keepOutput(records);
        }
    }

    /** Makes records of what the engine itself has to say, behind what is pending. */
    void wrapOwn() throws IOException {
        if (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) { // else it would make a record of nothing
            ByteBuffer records = roomToWrap();
            try {
                SSLEngineResult result;
                do {
                    result = engine.wrap(NOTHING, records);
                } while (result.getStatus() == Status.OK && engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP);
            } finally {
                keepOutput(records);
            }
        }
    }

    /** Makes records of what a reader could not send. */
    void wrapOwed() throws IOException {
        if (owes) {
            owes = false;
            wrapOwn();
        }
    }

    /** Makes the record that ends the output, behind what is pending. */
    void wrapEnd() throws IOException {
        engine.closeOutbound();
        wrapOwn();
    }

    /** Drops what is to go out, and refuses more. By who has the turn to write. */
    void breakOutput(IOException e) {
        ByteBuffer records = out;
        if (broken == null) {
            broken = e;
        }
        out = null;
        pending = false;
        owes = false;
        if (records != null) {
            Buffers.give(records);
        }
    }

    private void ensureNotBroken() throws IOException {
        IOException e = broken;
        if (e instanceof ClosedChannelException) {
            throw new ClosedChannelException();
        }
        if (e != null) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private ByteBuffer roomToWrap() throws IOException {
        ensureNotBroken();
        ByteBuffer records = out;
        if (records == null) {
            return Buffers.take(packet);
        }
        if (records.capacity() - records.remaining() >= packet) {
            return records.compact();
        }
        ByteBuffer larger = Buffers.take(records.remaining() + packet); // an end behind a full buffer that has to wait
        larger.put(records);
        Buffers.give(records);
        return larger;
    }

    private void keepOutput(ByteBuffer records) {
        records.flip();
        if (records.hasRemaining()) {
            out = records;
            pending = true;
        } else {
            out = null;
            pending = false;
            Buffers.give(records);
        }
    }

    /** Writes what is pending, waiting for room. Returns false if the deadline has passed. */
    boolean flush(long deadline) throws IOException {
        while (!flushNow()) {
            if (Waits.forAny(transport.writable(), null, deadline) == Waits.PASSED) {
                return false;
            }
        }
        return true;
    }

    /** Writes what is pending as far as there is room. Returns whether that was all. */
    boolean flushNow() throws IOException {
        ensureNotBroken();
        ByteBuffer records = out;
        if (records != null) {
            while (records.hasRemaining()) {
                if (transport.tryWrite(records) == 0) {
                    return false;
                }
            }
            out = null;
            pending = false;
            if (!hasFlushed) {
                hasFlushed = true;
            }
            Buffers.give(records);
        }
        return true;
    }

    /** Discards what has come and nobody will read, at most so much: a socket closed over it would reset the connection. */
    void discard(int most) throws IOException {
        plain = null;
        dropInput();
        ByteBuffer scratch = Buffers.take(0);
        for (int left = most; left > 0; ) {
            int count = transport.tryRead(scratch.clear());
            if (count <= 0) {
                break;
            }
            left -= count;
        }
        Buffers.give(scratch);
    }
}
