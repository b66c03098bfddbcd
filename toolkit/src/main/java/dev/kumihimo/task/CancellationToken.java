package dev.kumihimo.task;

import dev.kumihimo.internal.carrier.TaskDoor;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A word for many to stop: handed to whoever is to be stopped, and cancelled once by whoever stops them. Tokens form a tree:
 * cancelling one cancels all below it, and none above or beside it.
 *
 * <pre>{@code
 * var stop = CancellationToken.create("server");
 * for (TcpStream stream; (stream = listener.accept()) != null; ) {
 *     var connection = stop.child();                          // one of them can be stopped alone
 *     Task.spawn(() -> connection.run(() -> serve(stream)));  // its waits end when the token is cancelled
 * }
 * ...
 * stop.cancel("the server is shutting down");
 * }</pre>
 *
 * <p>It can be asked ({@link #isCancelled}), waited for ({@link #awaitCancelled}, or in a {@code Select}), told of
 * ({@link #onCancel}), and obeyed ({@link #run}). Any thread may do any of this, and cancel it.
 *
 * <p>A token need not be closed. A parent knows a child only while somebody waits for the child or a token below it, runs in
 * it, or is to be called back: a child that is merely dropped leaves nothing behind, nor does dropping a token cancel anything.
 * Asking costs a step for each token above. What the canceller did before it happens-before whatever tells of the cancellation.
 *
 * @since 0.1
 */
public final class CancellationToken implements Selectable<CancelReason> {
    private final TokenNode node;

    private CancellationToken(TokenNode node) {
        this.node = node;
    }

    /** {@return a token with nothing above it} */
    public static CancellationToken create() {
        return new CancellationToken(new TokenNode(null, null));
    }

    /**
     * {@return a token with nothing above it}
     *
     * @param name what dumps and reasons call it
     */
    public static CancellationToken create(String name) {
        return new CancellationToken(new TokenNode(null, Objects.requireNonNull(name, "name")));
    }

    /** {@return a token below this one; cancelled already if this one is} */
    public CancellationToken child() {
        return new CancellationToken(new TokenNode(node, null));
    }

    /**
     * {@return a token below this one; cancelled already if this one is}
     *
     * @param name what dumps and reasons call it
     */
    public CancellationToken child(String name) {
        return new CancellationToken(new TokenNode(node, Objects.requireNonNull(name, "name")));
    }

    /* ---------------- Cancelling -------------- */

    /**
     * Cancels the token and all below it, see {@link #cancel(String)}.
     *
     * @return false if it was cancelled before
     */
    public boolean cancel() {
        return !isCancelled() && cancel(node + " was cancelled");
    }

    /**
     * Cancels the token and all below it, and returns when that is done: whoever waits is woken, whoever runs in one of them is
     * cancelled, and then the callbacks have run, in the calling thread. Meanwhile another thread may find some of them told and
     * others not. Only the first call has an effect; one that comes second returns at once. Never waits, but for the
     * callbacks.
     *
     * @param reason why, in words
     * @return false if it, or one above it, was cancelled before; the reason stays as it was
     */
    public boolean cancel(String reason) {
        return node.cancel(new CancelReason(CancelReason.Kind.TOKEN, reason));
    }

    /** {@return whether it, or one above it, was cancelled} */
    public boolean isCancelled() {
        return node.isCancelled();
    }

    /** {@return why it was cancelled, or null if it was not; once it is there, it stays the same} */
    public @Nullable CancelReason reason() {
        return node.reason();
    }

    /**
     * {@return a guard that cancels the token when it is closed, unless disarmed}
     *
     * <pre>{@code
     * try (var guard = token.guard()) {
     *     handshake(peer);        // whatever goes wrong here stops the others
     *     guard.disarm();
     * }
     * }</pre>
     */
    public Guard guard() {
        return new Guard(this);
    }

    /* ---------------- Being told -------------- */

    /**
     * Waits until the token, or one above it, is cancelled. An interrupt or cancellation of the caller ends the wait. All who
     * wait are woken.
     *
     * @return why it was cancelled
     * @throws InterruptedException if the caller is interrupted or cancelled first, as a caller is that {@linkplain #run runs}
     *     in this token
     */
    public CancelReason awaitCancelled() throws InterruptedException {
        Waiter.spend();
        Wait wait = register();
        if (wait != null) {
            wait.await();
        }
        return knownReason(node);
    }

    /**
     * As {@link #awaitCancelled()}, waiting at most a given time.
     *
     * @param timeout the longest wait; zero or negative does not wait
     * @return why it was cancelled
     * @throws InterruptedException if the caller is interrupted or cancelled first
     * @throws TimeoutException if the time passes first
     */
    public CancelReason awaitCancelled(Duration timeout) throws InterruptedException, TimeoutException {
        Waiter.spend();
        if (!isCancelled()) {
            if (timeout.isNegative() || timeout.isZero()) {
                throw notCancelled(timeout);
            }
            long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
            Wait wait = register();
            if (wait != null && !wait.await(deadline)) {
                throw notCancelled(timeout);
            }
        }
        return knownReason(node);
    }

    private TimeoutException notCancelled(Duration timeout) {
        return new TimeoutException(node + " was not cancelled within " + timeout);
    }

    private static CancelReason knownReason(TokenNode node) {
        return Objects.requireNonNull(node.reason(), "told of a cancellation that was none");
    }

    /** Registers a wait of the caller; null if the token is cancelled. */
    private @Nullable Wait register() {
        if (isCancelled()) {
            return null;
        }
        Wait wait = Wait.at(node);
        node.lock();
        try {
            return node.enqueue(wait) ? wait : null;
        } finally {
            node.unlock();
        }
    }

    /**
     * Has a callback run when the token is cancelled, by the thread that cancels it, after waits and regions were told; at once
     * and by the caller, if it is cancelled already. The callbacks of one token run in the order of their registration. It
     * should be short, since it holds up the canceller; what it throws is logged at WARN, and hinders nobody.
     *
     * @param callback what to run
     * @return takes the callback back when closed; whoever goes on without the token closes it, or the callback stays there
     */
    public Registration onCancel(Runnable callback) {
        TokenCallback registration = new TokenCallback(node, Objects.requireNonNull(callback, "callback"));
        if (!node.subscribe(registration)) {
            registration.call();
        }
        return registration;
    }

    /**
     * Runs a body in the calling thread until the token is cancelled. Then an open toolkit wait of the body ends, its later ones
     * throw {@link TaskCancelledException} at once, with the token's reason, and a thread that is elsewhere is interrupted. A
     * body that returns nevertheless, or throws something else, has its way. If the token is cancelled already, the body does
     * not begin.
     *
     * <p>A token that ends the body is told from a cancellation of the caller by {@link TaskCancelledException#isOwn()}: it is
     * false when this call, which is over, throws for the token; the caller may go on waiting. It is true when the caller
     * itself is being cancelled, be it by an abort, a deadline or another token around this call, and has that reason; also if
     * the token was cancelled first, but the body had not ended yet. No interrupt of the token arrives after the call. A task
     * that lets the exception pass ends as cancelled, with the token's reason.
     *
     * @param body what to run
     * @param <T> its result
     * @param <X> what it throws
     * @return its result
     * @throws X if the body throws it
     * @throws TaskCancelledException if the token has ended the body, or was cancelled before it
     */
    @SuppressWarnings("unchecked") // what is thrown in place of an exception of the body is of its kind
    public <T extends @Nullable Object, X extends Exception> T run(Body<T, X> body) throws X, TaskCancelledException {
        Objects.requireNonNull(body, "body");
        TokenRegion region = new TokenRegion(Waiter.current());
        region.enter(); // before it is known to the token: a cancellation must find the thread inside
        try {
            if (node.subscribe(region.entry)) {
                return body.call();
            }
        } catch (Throwable e) {
            if (region.endedBy(e)) {
                throw ended(e);
            }
            Exception instead = region.inPlaceOf(e);
            if (instead != null) {
                throw (X) instead;
            }
            throw e;
        } finally {
            node.unsubscribe(region.entry);
            region.leave();
        }
        throw ended(null); // cancelled before
    }

    /**
     * As {@link #run(Body)}, without a result.
     *
     * @param body what to run
     * @param <X> what it throws
     * @throws X if the body throws it
     * @throws TaskCancelledException if the token has ended the body, or was cancelled before it
     */
    public <X extends Exception> void run(VoidBody<X> body) throws X, TaskCancelledException {
        Objects.requireNonNull(body, "body");
        this.<@Nullable Void, X>run(() -> {
            body.run();
            return null;
        });
    }

    private TaskCancelledException ended(@Nullable Throwable cause) {
        TaskCancelledException ended = (TaskCancelledException) TaskDoor.get().endedRegion(knownReason(node));
        if (cause != null) {
            ended.initCause(cause);
        }
        return ended;
    }

    /** {@return the cancellation of the token, to be selected on} */
    @Override
    public Clause<CancelReason> clause() {
        return new Cancelled(node);
    }

    private static final class Cancelled extends Clause<CancelReason> {
        private final TokenNode node;

        Cancelled(TokenNode node) {
            super(node);
            this.node = node;
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            return node.isCancelled() ? null : NOT_READY;
        }

        @Override
        protected boolean enqueue(WaitNode waiter) {
            return node.enqueue(waiter);
        }

        @Override
        protected CancelReason result(@Nullable Object outcome) {
            return knownReason(node);
        }
    }

    /** {@return where its waits are registered, for tests} */
    WaitPoint waitPoint() {
        return node;
    }

    /** {@return its name below those above it, and why it was cancelled, if it was} */
    @Override
    public String toString() {
        return node.toString();
    }

    /**
     * A callback that waits for a token's cancellation.
     *
     * <pre>{@code
     * try (var registration = token.onCancel(process::destroy)) {
     *     return process.waitFor();
     * }
     * }</pre>
     *
     * @since 0.1
     */
    public sealed interface Registration extends AutoCloseable permits TokenCallback {
        /** Takes the callback back: it will not begin. One that has begun goes on, and is not waited for. Idempotent. */
        @Override
        void close();
    }

    /**
     * Cancels a token when closed, unless it was disarmed.
     *
     * <pre>{@code
     * try (var guard = token.guard()) {
     *     work();
     * }   // those who share the token stop, however this ended
     * }</pre>
     *
     * @since 0.1
     */
    public static final class Guard implements AutoCloseable {
        private final CancellationToken token;
        private volatile boolean disarmed;

        private Guard(CancellationToken token) {
            this.token = token;
        }

        /** {@return the token, which closing this no longer cancels} */
        public CancellationToken disarm() {
            disarmed = true;
            return token;
        }

        /** Cancels the token, unless disarmed. Idempotent. */
        @Override
        public void close() {
            if (!disarmed) {
                token.cancel();
            }
        }
    }
}
