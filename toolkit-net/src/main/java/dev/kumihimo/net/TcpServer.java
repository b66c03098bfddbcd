package dev.kumihimo.net;

import dev.kumihimo.internal.driver.Readiness;
import dev.kumihimo.io.ByteStream;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.signal.Service;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.sync.SetOnce;
import dev.kumihimo.task.CancellationToken;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The accept loop: takes connections from a listener, and runs a handler for each in a task of its own, until it is told to
 * stop; then it ends in order.
 *
 * <pre>{@code
 * TcpServer.serve(TcpListener.bind("0.0.0.0", 9090), session -> echo(session));
 *
 * TcpServer<TcpStream> server = TcpServer.of(listener)
 *         .maxConnections(10_000)
 *         .drainTimeout(Duration.ofSeconds(5))
 *         .onError((session, e) -> log.warn("{} failed", session.peerAddress(), e));
 * server.serve(session -> answer(session, server.token()));   // until server.stop(), from elsewhere
 * }</pre>
 *
 * <p><b>Sessions.</b> A session is a task of the runtime of whoever serves, named by its peer: {@code session-127.0.0.1:43210}.
 * When its handler returns or throws, its stream is closed. A handler that fails touches no other session: what it threw is
 * given to {@link #onError}; without that it is logged once with the peer, at WARN, but at DEBUG where it is an
 * {@link IOException} or a {@link TimeoutException}, since any peer can cause these as often as it likes.
 *
 * <p><b>The connection limit.</b> At the limit nothing is accepted until a session ends: the system's backlog holds those who
 * come, and refuses them or lets them wait when it is full. That costs no processor time.
 *
 * <p><b>When the system cannot give a connection</b>, say because no descriptors are left, or a session cannot be started for
 * want of memory, the server waits 5 ms before it tries again, twice as long after each failure up to 100 ms, and tries at
 * once when one of its own sessions ends. Sessions go on. That is logged at WARN when it begins, and at INFO when it is over:
 * not with each attempt, and at most once in 10 s.
 *
 * <p><b>The end</b> begins when {@link #stop()} or {@link #close()} is called, the listener is closed (which is noticed within
 * 50 ms at the connection limit, else at once), the listener's runtime is shut down (at the limit: noticed once a session ends),
 * or the thread that serves is interrupted or cancelled. In this order:
 *
 * <ol>
 *   <li>The listener is closed: who connects now is refused.
 *   <li>The {@link #token()} is cancelled. A session that waits for what may never come, as the next request of an idle
 *       connection, watches it: in a {@code Select}, or by {@code server.token().run(...)} around that wait.
 *   <li>Sessions go on until they end by themselves, up to the drain timeout. A cancellation of the thread that serves does not
 *       cut this short; an interrupt that comes during it does.
 *   <li>Those that have not ended are aborted, and given the abort timeout for their cleanup. Their names are logged at WARN,
 *       and are in the {@link Report}.
 *   <li>The stream of one that has not ended even then is closed; its name is logged and reported likewise, and its task runs
 *       on.
 * </ol>
 *
 * <p>A server serves once. Any thread may call {@code stop}, {@code close}, {@code token} and what tells of its state; its
 * options are set by one thread, before it serves. What the handler did happens-before {@code serve} returns, if the session
 * has ended.
 *
 * @param <S> the connections of its listener
 * @since 0.1
 */
public final class TcpServer<S extends ByteStream> implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TcpServer.class);

    private static final Duration DRAIN = Duration.ofSeconds(10);
    private static final Duration UNBOUNDED = Duration.ofNanos(Long.MAX_VALUE);

    /** How often a server at its limit looks whether its listener was closed, of which nothing tells that could be waited for. */
    private static final Duration LOOK = Duration.ofMillis(50);

    private final StreamListener<S> listener;
    private final String name; // the listener's, as it was before it was closed
    private int maxConnections = Semaphore.MAX_PERMITS;
    private @Nullable Duration drainTimeout;
    private Duration abortTimeout = Duration.ofSeconds(1);
    private @Nullable BiConsumer<? super S, ? super Throwable> onError;
    private @Nullable Service service;

    private final CancellationToken stop = CancellationToken.create("server");
    private final CancellationToken draining = CancellationToken.create("sessions");
    private final SetOnce<Boolean> ended = new SetOnce<>();
    private final AtomicBoolean started = new AtomicBoolean();
    private final AtomicLong accepted = new AtomicLong();
    private final Sessions<S> sessions = new Sessions<>();
    private final AcceptBackOff backOff;

    private TcpServer(StreamListener<S> listener) {
        this.listener = Objects.requireNonNull(listener, "listener");
        this.name = listener.toString();
        this.backOff = new AcceptBackOff(name);
    }

    /**
     * What a server does with one connection.
     *
     * <pre>{@code
     * TcpServer.Handler<TcpStream> hello = session -> session.writeAll(ByteBuffer.wrap(greeting));
     * }</pre>
     *
     * @param <S> the connection
     * @since 0.1
     */
    @FunctionalInterface
    public interface Handler<S extends ByteStream> {
        /**
         * Runs as a task of its own, once for each connection.
         *
         * @param session the connection; closed when this returns or throws
         * @throws Exception if it fails; only this session ends
         */
        void handle(S session) throws Exception;
    }

    /**
     * How a server has ended.
     *
     * <pre>{@code
     * TcpServer.Report report = server.serve(handler);
     * log.info("{} sessions, {} of them aborted", report.accepted(), report.aborted());
     * }</pre>
     *
     * @param accepted how many connections it has accepted
     * @param aborted the names of the sessions that had not ended by the drain timeout
     * @param left the names of the sessions that had not ended by the abort timeout either, and run on
     * @since 0.1
     */
    public record Report(long accepted, List<String> aborted, List<String> left) {
        /** Copies the lists. */
        public Report {
            aborted = List.copyOf(aborted);
            left = List.copyOf(left);
        }
    }

    /* ---------------- Making one -------------- */

    /**
     * Serves with default options, see {@link #serve(Handler)}.
     *
     * @param listener whose connections to take; closed when this returns or throws
     * @param handler what to do with each
     * @param <S> the connections
     * @return how it ended
     * @throws InterruptedException as in {@link #serve(Handler)}
     */
    public static <S extends ByteStream> Report serve(StreamListener<S> listener, Handler<? super S> handler)
            throws InterruptedException {
        return of(listener).serve(handler);
    }

    /**
     * {@return a server that does not serve yet, with default options}
     *
     * @param listener whose connections to take; closed when the server ends
     * @param <S> the connections
     */
    public static <S extends ByteStream> TcpServer<S> of(StreamListener<S> listener) {
        return new TcpServer<>(listener);
    }

    /**
     * Sets how many sessions may run at a time. Default: as many as come.
     *
     * @param count at least 1
     * @return this
     * @throws IllegalArgumentException if it is below 1
     * @throws IllegalStateException if the server serves already
     */
    public TcpServer<S> maxConnections(int count) {
        ensureNotStarted();
        if (count < 1) {
            throw new IllegalArgumentException("maxConnections=" + count + " must be at least 1");
        }
        maxConnections = count;
        return this;
    }

    /**
     * Sets how long sessions may take to end by themselves when the server ends. Default 10 s, or as long as the service lets
     * them if the server is {@linkplain #in in one}.
     *
     * @param timeout zero or more; zero aborts them at once
     * @return this
     * @throws IllegalArgumentException if it is negative
     * @throws IllegalStateException if the server serves already
     */
    public TcpServer<S> drainTimeout(Duration timeout) {
        ensureNotStarted();
        drainTimeout = notNegative("drainTimeout", timeout);
        return this;
    }

    /**
     * Sets how long sessions that are aborted may take for their cleanup. Default 1 s.
     *
     * @param timeout zero or more
     * @return this
     * @throws IllegalArgumentException if it is negative
     * @throws IllegalStateException if the server serves already
     */
    public TcpServer<S> abortTimeout(Duration timeout) {
        ensureNotStarted();
        abortTimeout = notNegative("abortTimeout", timeout);
        return this;
    }

    /**
     * Sets what is told of a handler's failure, in place of the log. It runs in the session's task before the stream is closed,
     * so it may still answer; what it throws is logged at WARN. It is not told of a session that was cancelled: by the end of
     * the server, or by a token whose exception the handler let pass. Replaces one that was set before.
     *
     * @param callback told of the session and of what its handler threw
     * @return this
     * @throws IllegalStateException if the server serves already
     */
    public TcpServer<S> onError(BiConsumer<? super S, ? super Throwable> callback) {
        ensureNotStarted();
        onError = Objects.requireNonNull(callback, "callback");
        return this;
    }

    /**
     * Makes the sessions tasks of a service, which drains, aborts and reports them when it ends, and has it close the listener
     * first.
     *
     * <pre>{@code
     * System.exit(Service.run(Duration.ofSeconds(10), service ->
     *         TcpServer.of(TcpListener.bind("0.0.0.0", 9090)).in(service).serve(session -> echo(session))));
     * }</pre>
     *
     * <p>The service's drain timeout counts for them, and not one of the server, unless {@link #drainTimeout} sets one. Without
     * one, a server that is told to {@link #stop()} while the service goes on waits for its sessions for as long as they take.
     *
     * @param owner the service whose body serves
     * @return this
     * @throws IllegalStateException if the server serves already
     */
    public TcpServer<S> in(Service owner) {
        ensureNotStarted();
        service = Objects.requireNonNull(owner, "owner");
        return this;
    }

    private void ensureNotStarted() {
        if (started.get()) {
            throw new IllegalStateException("options of a server are set before it serves");
        }
    }

    private static Duration notNegative(String name, Duration timeout) {
        if (timeout.isNegative()) {
            throw new IllegalArgumentException(name + "=" + timeout + " must not be negative");
        }
        return timeout;
    }

    /* ---------------- Serving -------------- */

    /**
     * Accepts connections and runs the handler for each, until the server is told to stop; then ends as the description of the
     * class says, and returns when it has ended. The wait lasts until then, and for the drain timeout and the abort timeout at
     * most after that.
     *
     * @param handler what to do with each connection; called by many tasks at once
     * @return how it ended
     * @throws InterruptedException if the caller was interrupted or cancelled; the server has ended nevertheless, and what there
     *     is to report is in the log
     * @throws UncheckedIOException if the runtime of the listener was shut down while another one serves; the server has ended in
     *     order nevertheless
     * @throws IllegalStateException if it serves already, or has ended
     */
    public Report serve(Handler<? super S> handler) throws InterruptedException {
        Objects.requireNonNull(handler, "handler");
        if (!started.compareAndSet(false, true)) {
            throw new IllegalStateException("a server serves once");
        }
        Throwable why;
        try {
            why = acceptUntilEnd(handler);
        } catch (RuntimeException | Error e) {
            why = e; // of the listener: what it has let in ends in order
        }
        Report report;
        try {
            report = Task.shield(this::end); // a caller that is cancelled ends it in order, too
        } finally {
            ended.trySet(true);
        }
        switch (why) {
            case InterruptedException e -> throw e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case null, default -> {}
        }
        if (sessions.wasHurried()) {
            throw new InterruptedException("interrupted while sessions had time to end");
        }
        return report;
    }

    /** {@return what ended it, or null if it was told to stop} */
    private @Nullable Throwable acceptUntilEnd(Handler<? super S> handler) {
        try {
            Service owner = service;
            TaskRuntime runtime = TaskRuntime.current();
            if (owner != null) {
                owner.closeFirst(listener);
            }
            Spawner spawner = owner == null ? runtime::spawnNamed : owner::spawnNamed;
            stop.run(() -> accept(handler, spawner));
            return null;
        } catch (TaskCancelledException e) {
            return e.isOwn() ? e : null;
        } catch (InterruptedException e) {
            return e;
        }
    }

    /** {@return the exception of a wait that a listener has told of in the way of {@code java.io}} */
    private static InterruptedException interruption(InterruptedIOException e) {
        if (e.getCause() instanceof TaskCancelledException cancelled) {
            return cancelled; // the flag is cleared when the cancelled region is left
        }
        Thread.interrupted(); // whoever throws an InterruptedException has cleared it
        return e.getCause() instanceof InterruptedException cause ? cause : new InterruptedException(e.getMessage());
    }

    /** How a runtime or a service starts a task. */
    interface Spawner {
        JoinHandle<?> spawn(String name, Body<@Nullable Void, ?> body);
    }

    /** Accepts until the listener is closed. */
    private void accept(Handler<? super S> handler, Spawner spawner) throws InterruptedException {
        Semaphore places = Semaphore.of(maxConnections);
        Semaphore.Permit place = null;
        try {
            while (true) {
                if (place == null) {
                    place = awaitPlace(places);
                    if (place == null) {
                        return;
                    }
                }
                S stream;
                try {
                    stream = listener.accept();
                } catch (IOException | OutOfMemoryError e) {
                    if (!listener.isOpen()) {
                        return;
                    }
                    if (e instanceof Readiness.ShutDownException) { // for good: to try again would be to try for ever
                        throw new UncheckedIOException(
                                name + " cannot accept any more: " + e.getMessage(), (IOException) e);
                    }
                    if (e instanceof InterruptedIOException interrupted && !(e instanceof SocketTimeoutException)) {
                        throw interruption(interrupted);
                    }
                    backOff.failed(e);
                    continue;
                }
                accepted.incrementAndGet();
                Throwable refused = start(stream, place, handler, spawner);
                place = null;
                if (refused == null) {
                    backOff.succeeded();
                } else {
                    backOff.failed(refused);
                }
            }
        } finally {
            if (place != null) {
                place.close();
            }
        }
    }

    /** {@return a place for one more session, or null if the listener is closed} */
    private Semaphore.@Nullable Permit awaitPlace(Semaphore places) throws InterruptedException {
        while (listener.isOpen()) {
            try {
                return places.acquire(LOOK);
            } catch (TimeoutException e) {
                // look whether it is still open
            }
        }
        return null;
    }

    /** {@return why the session could not be started, or null} Then the stream is closed, and the place given back. */
    private @Nullable Throwable start(S stream, Semaphore.Permit place, Handler<? super S> handler, Spawner spawner) {
        Session<S> session = null;
        try {
            session = new Session<>(this, stream, listener.peerName(stream), place);
            sessions.add(session);
            session.start(handler, spawner);
            return null;
        } catch (RuntimeException | Error e) { // no memory for a task; or the context of tasks cannot be had
            if (session == null) {
                closeQuietly(stream);
                place.close();
            } else {
                session.finish();
            }
            return e;
        }
    }

    static void closeQuietly(ByteStream stream) {
        try {
            stream.close();
        } catch (IOException | RuntimeException | Error e) {
            LOG.debug("closing {} failed", stream, e);
        }
    }

    /* ---------------- What sessions tell -------------- */

    /** Told of what a handler has thrown that was no cancellation. */
    void failed(Session<S> session, Throwable e) {
        BiConsumer<? super S, ? super Throwable> callback = onError;
        if (callback != null) {
            try {
                callback.accept(session.stream(), e);
            } catch (RuntimeException | Error ofCallback) {
                ofCallback.addSuppressed(e);
                LOG.warn("{}: what is to be told of its failure failed itself", session, ofCallback);
            }
        } else if (e instanceof IOException || e instanceof TimeoutException) {
            LOG.debug("{} failed", session, e);
        } else {
            LOG.warn("{} failed", session, e);
        }
    }

    /** Told when a session's handler and stream are done with. */
    void finished(Session<S> session) {
        sessions.remove(session);
    }

    /** Told when a session has given its descriptor back. */
    void released() {
        backOff.released();
    }

    /* ---------------- The end -------------- */

    private Report end() {
        closeListener();
        draining.cancel("the server ends");
        Duration drain = drainTimeout != null ? drainTimeout : service != null ? UNBOUNDED : DRAIN;
        return sessions.end(name, accepted.get(), drain, abortTimeout);
    }

    private void closeListener() {
        try {
            listener.close();
        } catch (IOException | RuntimeException e) {
            LOG.warn("closing {} failed", name, e);
        }
    }

    /**
     * Has the server end. Returns at once: the end goes its way in the thread that serves. One that does not serve yet will
     * close its listener and return at once when it does.
     *
     * @return false if it was told to stop before
     */
    public boolean stop() {
        return stop.cancel("the server was told to stop");
    }

    /**
     * Has the server end, and waits until it has: for the drain timeout and the abort timeout at most, but one that is
     * {@linkplain #in in a service} and has no drain timeout of its own for as long as its sessions take, or until the service
     * aborts them. One that does not serve closes its listener. An interrupt ends the wait, and leaves the interrupt flag set;
     * the server ends nevertheless. Idempotent.
     *
     * <p>Not for its sessions, which it waits for, nor for tasks that a session waits for in turn: these {@link #stop()} it.
     *
     * @throws IllegalStateException if called by the task of one of its own sessions; nothing has changed
     */
    @Override
    public void close() {
        Session<S> own = sessions.current();
        if (own != null) {
            throw new IllegalStateException(own + " cannot close its own server, which would wait for it: use stop()");
        }
        stop();
        if (started.compareAndSet(false, true)) {
            closeListener();
            ended.trySet(true);
            return;
        }
        try {
            Task.shield(() -> ended.await());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /* ---------------- Facts -------------- */

    /**
     * {@return the token that is cancelled when the server ends, after its listener was closed} For sessions; cancelling it has
     * no effect on the server.
     */
    public CancellationToken token() {
        return draining;
    }

    /** {@return how many sessions there are now} A session counts until its stream is closed. */
    public int connections() {
        return sessions.count();
    }

    /** {@return how many connections were accepted so far} */
    public long accepted() {
        return accepted.get();
    }

    @Override
    public String toString() {
        return "TcpServer[" + listener + ", " + connections() + " connections]";
    }
}
