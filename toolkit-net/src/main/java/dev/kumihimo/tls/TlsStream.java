package dev.kumihimo.tls;

import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.io.BufferPool;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.io.PooledBuffer;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/*
 * State: first the handshake, by whoever reads, writes or asks for it first, in the turn of the handshake and with all buffers
 * to itself; then reading and writing, each in its turn. `done` is set when the first ends, and all turns begin with it.
 *
 * A failure of the protocol is final: it is kept, told to the peer if there is room for an alert, and what is below is closed.
 * Each later call throws it again. What goes wrong below is not kept here: it will be told from there again.
 *
 * Checked by: TlsStreamTest, TlsOutputTest, TlsInterruptionTest, TlsFaultTest, TlsSelectTest, TlsInteropTest.
 */

/**
 * TLS over another stream.
 *
 * <pre>{@code
 * try (TlsStream stream = TlsStream.connect("example.org", 443)) {
 *     stream.writeAll(ByteBuffer.wrap(request));
 *     byte[] answer = stream.inputStream().readAllBytes();
 * }
 * }</pre>
 *
 * <p>Its habits are those of {@link ByteStream}: threads, turns, interruption, cancellation and closing. It has to be closed,
 * which closes the stream below. That one belongs to it, and nobody else may read or write there. {@link TlsClient} makes
 * such streams with other trust, certificates and protocols, and {@link TlsServer} the other end.
 *
 * <p><b>The handshake</b> is done by {@link #handshake()} or else by whatever reads, writes or selects first; others who come
 * meanwhile wait for it. If it is interrupted, cancelled or out of time, the next call goes on with it.
 *
 * <p><b>Writing and interruption.</b> Bytes are written as records of up to 16 KiB. What has been made into a record counts as
 * written, as it does in a socket's buffer: if a write is interrupted while a record waits for room below, the rest of the
 * record stays here and goes out before anything else, with the next write (also of no bytes), {@link #shutdownOutput} or
 * {@link #close}, or while somebody begins to wait for input. {@link #write} returns what was taken then, with the interrupt
 * flag set, so that the next wait throws; {@link #writeAll} throws and tells.
 *
 * <p><b>The end.</b> {@link #shutdownOutput} and {@link #close} tell the peer that no more comes (close_notify). An end without
 * it may be an attacker's: reading then throws an {@link SSLException} that says <i>truncated</i>. In TLS 1.3 each direction
 * ends by itself. In TLS 1.2 the JDK ends both as soon as the peer has ended its own, and writing throws.
 *
 * <p><b>Errors.</b> What is wrong in the handshake or in a record is an {@link SSLException}; what is below is closed, and each
 * later call throws it again. What the JDK's engine finds is told to the peer by an alert, if there is room for it at once and
 * nobody else writes. What this class finds (an end without close_notify, bytes that are no TLS, a renegotiation, more than 256
 * requests for key updates whose answers the peer does not take) is not told: the peer sees the connection end. A peer that refuses this side's
 * certificate in TLS 1.3 does so after this side's handshake is done: reading tells.
 *
 * <p><b>Memory.</b> Buffers are there only while there are bytes in them, so an idle connection has none.
 *
 * @since 0.1
 */
public final class TlsStream implements ByteStream, Selectable<@Nullable Void> {
    /** The most bytes that closing looks through, which nobody will read. */
    private static final int DISCARDED = 256 * 1024;

    private final ByteStream transport;
    private final SSLEngine engine;
    private final Records records;
    private final @Nullable String sentName;

    private final Semaphore handshakeTurn = Semaphore.of(1);
    private final Semaphore inputTurn = Semaphore.of(1);
    private final Semaphore outputTurn = Semaphore.of(1);
    private final Interest input = new Interest(this, "input", this::isReadable, this::watchInput);
    private final Interest output = new Interest(this, "output", this::isWritable, this::watchOutput);
    private final AtomicBoolean closed = new AtomicBoolean();

    private volatile boolean done;
    private volatile boolean outputShut;
    private volatile @Nullable SSLException failure;

    /**
     * Creates a stream.
     *
     * @param sentName the server's name that a client sends; null if it sends none, and on a server
     */
    TlsStream(ByteStream transport, SSLEngine engine, @Nullable String sentName) {
        this.transport = transport;
        this.engine = engine;
        this.sentName = sentName;
        this.records = new Records(transport, engine, this::push);
    }

    /**
     * Connects to a host's port, and does the handshake: the server must have a certificate for that name that the JDK trusts.
     * See {@link TlsClient} for all else.
     *
     * @param host a name or a literal address
     * @param port 1 to 65535
     * @return the connection, after its handshake
     * @throws javax.net.ssl.SSLHandshakeException if the server is not trusted, or cannot agree; nothing is left of it
     * @throws java.net.ConnectException if the last address refuses; it names the address
     * @throws java.net.UnknownHostException if the name has no address
     * @throws InterruptedIOException if interrupted or cancelled; nothing is left of it
     * @throws IOException if the host cannot be reached, or the system has no descriptors left
     * @throws IllegalArgumentException if the port is out of range
     */
    public static TlsStream connect(String host, int port) throws IOException {
        return TlsClient.ofDefaults().connect(host, port);
    }

    /* ---------------- The handshake -------------- */

    /**
     * Does the handshake, if it has not been done.
     *
     * @throws SSLException if the peer is not trusted, does not speak TLS, or cannot agree; the connection is closed then
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; the next call goes on
     * @throws AsynchronousCloseException if closed while it waited
     * @throws ClosedChannelException if closed before
     * @throws IOException if the stream below fails
     */
    public void handshake() throws IOException {
        ensureOpen();
        handshakeBefore(Deadlines.NEVER);
    }

    /**
     * Does the handshake, if it has not been done, in at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @throws java.net.SocketTimeoutException if it takes longer; the interrupt flag is left alone, and the next call goes on
     * @throws SSLException if the peer is not trusted, does not speak TLS, or cannot agree; the connection is closed then
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; the next call goes on
     * @throws AsynchronousCloseException if closed while it waited
     * @throws ClosedChannelException if closed before
     * @throws IOException if the stream below fails
     */
    public void handshake(Duration timeout) throws IOException {
        ensureOpen();
        if (!handshakeBefore(Deadlines.of(timeout))) {
            throw Deadlines.passed("the handshake of " + this);
        }
    }

    /** {@return whether the handshake is done} */
    public boolean isHandshakeDone() {
        return done;
    }

    /** Returns false if the deadline has passed, or somebody else does it and there is no time to wait. */
    private boolean handshakeBefore(long deadline) throws IOException {
        if (done) {
            return true;
        }
        try (Permit turn =
                deadline == Deadlines.NOW ? handshakeTurn.tryAcquire() : Deadlines.turn(handshakeTurn, deadline)) {
            if (turn == null) {
                return done;
            }
            ensureStillOpen();
            if (!done) {
                try {
                    if (!records.handshake(deadline)) {
                        return false;
                    }
                } catch (SSLException e) {
                    fail(e, true);
                    throw e;
                } catch (RuntimeException e) { // of a trust or key manager
                    SSLException told = new SSLException("the handshake failed: " + e, e);
                    fail(told, true);
                    throw told;
                }
                done = true;
                input.changed();
                output.changed();
            }
            return true;
        } catch (ClosedChannelException e) {
            throw told();
        }
    }

    /* ---------------- Reading -------------- */

    /**
     * Reads what is there, waiting until at least one byte is, or the end.
     *
     * @param target where to; without room nothing is read
     * @return how many bytes, or -1 once the peer has ended its output in order; 0 only if there is no room
     * @throws SSLException if the connection has ended otherwise (<i>truncated</i>), or TLS has failed in another way
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing was read, and nothing is lost
     * @throws AsynchronousCloseException if closed while it waited
     * @throws ClosedChannelException if closed before
     * @throws IOException if the stream below fails
     */
    @Override
    public int read(ByteBuffer target) throws IOException {
        return readBefore(target, Deadlines.NEVER);
    }

    @Override
    public int read(ByteBuffer target, Duration timeout) throws IOException {
        return readBefore(target, Deadlines.of(timeout));
    }

    private int readBefore(ByteBuffer target, long deadline) throws IOException {
        if (!isRoomIn(target)) {
            return 0;
        }
        if (!handshakeBefore(deadline)) {
            throw Deadlines.passed("the handshake of " + this);
        }
        int count;
        try (Permit turn = Deadlines.turn(inputTurn, deadline)) {
            count = readInTurn(target, deadline);
        }
        if (count == 0) {
            throw Deadlines.passed("a read from " + this);
        }
        return count;
    }

    @Override
    public @Nullable PooledBuffer read(BufferPool pool, int most) throws IOException {
        return readBefore(pool, most, Deadlines.NEVER);
    }

    @Override
    public @Nullable PooledBuffer read(BufferPool pool, int most, Duration timeout) throws IOException {
        return readBefore(pool, most, Deadlines.of(timeout));
    }

    private @Nullable PooledBuffer readBefore(BufferPool pool, int most, long deadline) throws IOException {
        if (most < 1) {
            throw new IllegalArgumentException("most=" + most + " must be at least 1");
        }
        ensureOpen();
        if (!handshakeBefore(deadline)) {
            throw Deadlines.passed("the handshake of " + this);
        }
        try (Permit turn = Deadlines.turn(inputTurn, deadline)) {
            while (deadline == Deadlines.NOW || !records.isDry() || records.await(deadline)) {
                PooledBuffer piece = pool.take(most);
                int count = 0;
                try {
                    count = readInTurn(piece.buffer(), Deadlines.NOW);
                } finally {
                    if (count <= 0) {
                        piece.close();
                    }
                }
                if (count > 0) {
                    piece.buffer().flip();
                    return piece;
                }
                if (count < 0) {
                    return null;
                }
                if (deadline == Deadlines.NOW) {
                    break;
                }
            }
        }
        throw Deadlines.passed("a read from " + this);
    }

    @Override
    public int tryRead(ByteBuffer target) throws IOException {
        if (!isRoomIn(target) || !handshakeBefore(Deadlines.NOW)) {
            return 0;
        }
        try (Permit turn = inputTurn.tryAcquire()) {
            return turn == null ? 0 : readInTurn(target, Deadlines.NOW);
        }
    }

    private boolean isRoomIn(ByteBuffer target) throws IOException {
        ensureOpen();
        if (target.isReadOnly()) {
            throw new IllegalArgumentException("target=" + target + " must not be read-only");
        }
        return target.hasRemaining();
    }

    private int readInTurn(ByteBuffer target, long deadline) throws IOException {
        try {
            ensureStillOpen();
            int count = records.read(target, deadline);
            if (records.isReady()) {
                input.changed(); // for others: what is left makes no event below
            }
            return count;
        } catch (SSLException e) {
            if (failure == null) {
                fail(e, false);
            }
            throw e;
        } catch (ClosedChannelException e) {
            throw told();
        }
    }

    /* ---------------- Writing -------------- */

    /**
     * Writes some bytes, and waits until they have room below.
     *
     * @param source what to write; without bytes only what an interrupted write has left is written
     * @return how many bytes. If interrupted or cancelled while they waited for room, they count as written, and the flag is
     *     set
     * @throws InterruptedIOException if interrupted or cancelled before; nothing was written
     * @throws SSLException if TLS has failed, or in TLS 1.2 the peer has ended the connection
     * @throws AsynchronousCloseException if closed while it waited
     * @throws ClosedChannelException if closed, or the output shut down, before
     * @throws IOException if the stream below fails
     */
    @Override
    public int write(ByteBuffer source) throws IOException {
        ensureOutputOpen();
        handshakeBefore(Deadlines.NEVER);
        int start = source.position();
        try (Permit turn = Deadlines.turn(outputTurn, Deadlines.NEVER)) {
            ensureStillWritable();
            writeInTurn(source);
        } catch (InterruptedIOException e) {
            if (source.position() == start) {
                throw e;
            }
        } catch (ClosedChannelException e) {
            throw told();
        } finally {
            afterOutput();
        }
        return source.position() - start;
    }

    @Override
    public void writeAll(ByteBuffer source) throws IOException {
        ensureOutputOpen();
        handshakeBefore(Deadlines.NEVER);
        int start = source.position();
        try (Permit turn = Deadlines.turn(outputTurn, Deadlines.NEVER)) {
            do {
                ensureStillWritable();
                writeInTurn(source);
            } while (source.hasRemaining());
        } catch (InterruptedIOException e) {
            e.bytesTransferred = source.position() - start;
            throw e;
        } catch (ClosedChannelException e) {
            throw told();
        } finally {
            afterOutput();
        }
    }

    private void writeInTurn(ByteBuffer source) throws IOException {
        records.flush(Deadlines.NEVER); // what was left before
        if (source.hasRemaining()) {
            records.wrap(source);
        }
        records.wrapOwed();
        records.flush(Deadlines.NEVER);
    }

    /**
     * Writes what there is room for now, if nobody else is writing or waits to. Never waits. The end of a record that has no
     * room below stays here, see above; until it has gone out there is no room.
     *
     * @param source what to write; without bytes nothing is written
     * @return how many bytes; 0 if there is no room now, somebody else writes, or the handshake is not done yet
     * @throws SSLException if TLS has failed, or in TLS 1.2 the peer has ended the connection
     * @throws ClosedChannelException if closed, or the output shut down
     * @throws IOException if the stream below fails
     */
    @Override
    public int tryWrite(ByteBuffer source) throws IOException {
        ensureOutputOpen();
        if (!handshakeBefore(Deadlines.NOW)) {
            return 0;
        }
        int start = source.position();
        try (Permit turn = outputTurn.tryAcquire()) {
            if (turn != null) {
                ensureStillWritable();
                while (records.flushNow() && source.hasRemaining()) {
                    records.wrap(source);
                }
            }
        } catch (ClosedChannelException e) {
            throw told();
        } finally {
            afterOutput();
        }
        return source.position() - start;
    }

    /** Sends what the engine wants to say or a writer has left, if nobody is writing and there is room. */
    private void push() {
        boolean mayWrite;
        do {
            try (Permit turn = outputTurn.tryAcquire()) {
                mayWrite = turn != null;
                if (mayWrite) {
                    pushInTurn();
                }
            }
        } while (mayWrite && records.isOwing()); // since then, and whoever owes it may have met this turn
        changedOutput();
    }

    private void pushInTurn() {
        try {
            records.wrapOwed();
            records.flushNow();
        } catch (IOException e) {
            records.breakOutput(e); // whoever writes next is told
        }
    }

    /** After a turn to write: tells who waits for room, and sends what a reader could not meanwhile. */
    private void afterOutput() {
        if (records.isOwing() && isOpen()) {
            push();
        }
        changedOutput();
    }

    /**
     * Ends the output, after the handshake if that has not been done: the other side reads the end after what was written.
     * Reading goes on. Unlike that of a socket it may have to wait, as a write does, for others that write and for room below
     * for the record that says so. A write that waits meanwhile fails after the record that it waits with. Idempotent.
     *
     * @throws InterruptedIOException if interrupted or cancelled while it would wait; nothing can be written any more, and the
     *     next call goes on
     * @throws AsynchronousCloseException if closed while it waited
     * @throws ClosedChannelException if closed before
     * @throws IOException if TLS or the stream below fails
     */
    @Override
    public void shutdownOutput() throws IOException {
        ensureOpen();
        handshakeBefore(Deadlines.NEVER);
        outputShut = true;
        try (Permit turn = Deadlines.turn(outputTurn, Deadlines.NEVER)) {
            ensureStillOpen();
            records.wrapEnd();
            records.flush(Deadlines.NEVER);
        } catch (ClosedChannelException e) {
            throw told();
        } finally {
            output.changed();
        }
    }

    /* ---------------- Selecting -------------- */

    /** {@return the same as {@link #readable()}} */
    @Override
    public Clause<@Nullable Void> clause() {
        return input.clause();
    }

    /**
     * {@return that there may be something to read, to be selected on} Nothing is read by it: use {@link #tryRead} then. Ready
     * at once if there are bytes here that nobody has read; else once bytes have come, which may be only a part of a record.
     * All who wait are woken. Ready also at the end, and once the stream has failed or is closed; reading then tells. Selecting
     * goes on with the handshake.
     */
    @Override
    public Selectable<@Nullable Void> readable() {
        return input.clause();
    }

    /**
     * {@return that there may be room to write, to be selected on} Nothing is written by it: use {@link #tryWrite} then. Ready
     * if the last record has gone out. All who wait are woken. Ready also once the stream has failed or is closed; writing then
     * tells. Selecting goes on with the handshake.
     */
    @Override
    public Selectable<@Nullable Void> writable() {
        return output.clause();
    }

    private boolean isReadable() {
        return closed.get() || failure != null || (done && records.isReady());
    }

    private boolean isWritable() {
        return closed.get() || failure != null || outputShut || (done && !records.isPending());
    }

    private void watchInput() throws IOException {
        handshakeBefore(Deadlines.NEVER);
        while (!isReadable()) {
            push();
            int event = Waits.forAny(
                    transport.readable(), records.isPending() ? transport.writable() : null, Deadlines.NEVER);
            if (event == Waits.FIRST) {
                return;
            }
        }
    }

    private void watchOutput() throws IOException {
        handshakeBefore(Deadlines.NEVER);
        try (Permit turn = Deadlines.turn(outputTurn, Deadlines.NEVER)) {
            records.flush(Deadlines.NEVER);
        } finally {
            afterOutput();
        }
    }

    private void changedOutput() {
        if (isWritable()) {
            output.changed();
        }
    }

    /* ---------------- What was agreed -------------- */

    /**
     * {@return the protocol of the application that was agreed on (ALPN), or null if none was}
     *
     * @throws IllegalStateException before the handshake is done
     */
    public @Nullable String alpn() {
        ensureDone();
        String protocol = engine.getApplicationProtocol();
        return protocol == null || protocol.isEmpty() ? null : protocol;
    }

    /**
     * {@return the session: its protocol, cipher, times and certificates} A connection that resumes another has the creation
     * time of that one.
     *
     * @throws IllegalStateException before the handshake is done
     */
    public SSLSession session() {
        ensureDone();
        return engine.getSession();
    }

    /**
     * {@return the peer's certificates, its own first; none if it has not shown any}
     *
     * @throws IllegalStateException before the handshake is done
     */
    public List<Certificate> peerCertificates() {
        ensureDone();
        try {
            return List.of(engine.getSession().getPeerCertificates());
        } catch (SSLPeerUnverifiedException e) {
            return List.of();
        }
    }

    /**
     * {@return the name of the server that the client asks for (SNI), or null if it asks for none}
     *
     * @throws IllegalStateException before the handshake is done
     */
    public @Nullable String serverName() {
        ensureDone();
        return engine.getUseClientMode() || !(engine.getSession() instanceof ExtendedSSLSession session)
                ? sentName
                : IdentityKeys.name(session);
    }

    /** {@return the stream below, for its addresses and options} It must not be read, written or closed. */
    public ByteStream transport() {
        return transport;
    }

    private void ensureDone() {
        if (!done) {
            throw new IllegalStateException("the handshake of " + this + " is not done");
        }
    }

    /* ---------------- The end -------------- */

    private void ensureOpen() throws IOException {
        SSLException failed = failure;
        if (closed.get()) {
            throw new ClosedChannelException();
        }
        if (failed != null) {
            throw again(failed);
        }
    }

    private void ensureOutputOpen() throws IOException {
        ensureOpen();
        if (outputShut) {
            throw new ClosedChannelException();
        }
    }

    /** After a wait for a turn: what has happened meanwhile. */
    private void ensureStillOpen() throws IOException {
        SSLException failed = failure;
        if (closed.get()) {
            throw new AsynchronousCloseException();
        }
        if (failed != null) {
            throw again(failed);
        }
    }

    private void ensureStillWritable() throws IOException {
        ensureStillOpen();
        if (outputShut) {
            throw new AsynchronousCloseException();
        }
    }

    private static SSLException again(SSLException failed) {
        return new SSLException(failed.getMessage(), failed);
    }

    /** What it means that the stream below was found closed in the middle of an operation. */
    private IOException told() {
        SSLException failed = failure;
        return failed == null ? new AsynchronousCloseException() : again(failed);
    }

    /** Keeps a failure, tells the peer if that needs no waiting, and closes what is below. By who has the turn of the input. */
    private void fail(SSLException e, boolean inHandshake) {
        if (failure == null) {
            failure = e;
        }
        try (Permit turn = inHandshake ? null : outputTurn.tryAcquire()) {
            if (inHandshake || turn != null) {
                records.wrapOwn();
                records.flushNow();
            }
            records.discard(DISCARDED);
        } catch (IOException alert) {
            e.addSuppressed(alert);
        }
        try {
            transport.close();
        } catch (IOException close) {
            e.addSuppressed(close);
        }
        input.changed();
        output.changed();
    }

    @Override
    public boolean isOpen() {
        return !closed.get() && failure == null && transport.isOpen();
    }

    /**
     * Ends the output and closes the stream below. The end, and what a write has left, is sent if nobody is writing and as far
     * as there is room now; where it must arrive, use {@link #shutdownOutput} before. What has come and was not read is
     * dropped. Ends the waits of other threads. Never waits. Idempotent.
     *
     * @throws IOException if the stream below reports an error; it is closed nevertheless
     */
    @Override
    public void close() throws IOException {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        try {
            if (failure == null && transport.isOpen()) {
                sayGoodbye();
            }
        } catch (IOException e) {
            // the peer is gone, or ended the connection first: there is nobody to say it to
        } finally {
            try {
                transport.close();
            } finally {
                input.changed();
                output.changed();
            }
        }
    }

    private void sayGoodbye() throws IOException {
        try (Permit turn = done ? outputTurn.tryAcquire() : handshakeTurn.tryAcquire()) {
            if (turn != null && records.hasBegun()) {
                records.wrapEnd();
                records.flushNow();
            }
        }
        try (Permit turn = done ? inputTurn.tryAcquire() : null) {
            if (turn != null) {
                records.discard(DISCARDED);
            }
        }
    }

    /** {@return how many bytes its buffers hold memory for, for tests} */
    int bufferBytes() {
        return records.bufferBytes();
    }

    @Override
    public String toString() {
        return "TLS over " + transport;
    }
}
