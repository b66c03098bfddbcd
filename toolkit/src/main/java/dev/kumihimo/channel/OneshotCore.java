package dev.kumihimo.channel;

import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WaitQueue;
import dev.kumihimo.internal.wait.Waiter;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Selectable;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/*
 * State:  EMPTY --send()-----> SENT --take-------> RECEIVED
 *         EMPTY --send() to one who waits--------> RECEIVED
 *         EMPTY --close()----> CLOSED
 *         SENT  --close()----> KEPT --take-------> RECEIVED
 * "Closed" to the user are CLOSED, KEPT and RECEIVED.
 *
 * Fields: all guarded by the lock. held: the value in SENT and KEPT; the cause in CLOSED. A node's item: what a receiver gets,
 * or END; for those who wait for the close, END.
 *
 * Invariants: receivers wait only in EMPTY, and those for the close only in EMPTY and SENT. A waiter that gives up holds
 * nobody up.
 */

/** The one implementation: the object that users hold is also the point at which they wait. */
final class OneshotCore<T> extends WaitPoint implements Oneshot<T> {
    private static final Object END = new Object();

    private enum State {
        EMPTY,
        SENT,
        KEPT,
        RECEIVED,
        CLOSED
    }

    private State state = State.EMPTY;
    private @Nullable Object held;
    private @Nullable WaitQueue receivers; // made by the first that waits
    private @Nullable WaitQueue closeWaiters; // likewise

    OneshotCore() {}

    /* ---------------- Sending -------------- */

    @Override
    public boolean send(T value) {
        Objects.requireNonNull(value, "value");
        Waiter.spendQuietly();
        WakeList woken = new WakeList();
        lock();
        try {
            if (state != State.EMPTY) {
                return false;
            }
            held = value;
            state = State.SENT;
            handOver(woken);
        } finally {
            unlock();
        }
        woken.wakeAll();
        return true;
    }

    /** Gives what was sent to the oldest receiver, if one waits, and the end to the others. */
    private void handOver(WakeList woken) {
        if (receivers == null) {
            return;
        }
        for (WaitNode node; (node = receivers.poll()) != null; ) {
            node.item = held;
            if (node.grant()) {
                woken.add(node);
                take(woken);
                endAll(receivers, woken);
                return;
            } // else it has given up: the next one
        }
    }

    private @Nullable Object take(WakeList woken) {
        if (state == State.SENT || state == State.KEPT) {
            Object value = held;
            held = null;
            state = State.RECEIVED;
            endAll(closeWaiters, woken);
            return value;
        }
        return state == State.EMPTY ? null : END;
    }

    private static void endAll(@Nullable WaitQueue queue, WakeList woken) {
        if (queue == null) {
            return;
        }
        for (WaitNode node; (node = queue.poll()) != null; ) {
            node.item = END;
            if (node.grant()) {
                woken.add(node);
            }
        }
    }

    /* ---------------- Receiving -------------- */

    @Override
    public T receive() throws InterruptedException {
        Waiter.spend();
        Object outcome = takeOrRegister();
        if (outcome instanceof Wait wait && wait.point == this) {
            wait.await();
            outcome = wait.item;
        }
        return valueOf(outcome);
    }

    @Override
    public T receive(Duration timeout) throws InterruptedException, TimeoutException {
        Waiter.spend();
        if (timeout.isNegative() || timeout.isZero()) {
            T value = tryReceive();
            if (value == null) {
                throw new TimeoutException("no value yet in the oneshot");
            }
            return value;
        }
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        Object outcome = takeOrRegister();
        if (outcome instanceof Wait wait && wait.point == this) {
            if (!wait.await(deadline)) {
                throw new TimeoutException("no value in the oneshot within " + timeout);
            }
            outcome = wait.item;
        }
        return valueOf(outcome);
    }

    @Override
    public @Nullable T tryReceive() {
        Waiter.spendQuietly();
        WakeList woken = new WakeList();
        Object outcome;
        lock();
        try {
            outcome = take(woken);
        } finally {
            unlock();
        }
        woken.wakeAll();
        return outcome == null ? null : valueOf(outcome);
    }

    /** Returns the value, END, or the wait that was registered for either. */
    private Object takeOrRegister() {
        WakeList woken = new WakeList();
        Object outcome;
        lock();
        try {
            outcome = take(woken);
            if (outcome == null) {
                Wait wait = Wait.at(this);
                awaitValue(wait);
                return wait;
            }
        } finally {
            unlock();
        }
        woken.wakeAll();
        return outcome;
    }

    /** Under the lock: enqueues a node that is granted with the value or END; there is neither yet. */
    void awaitValue(WaitNode node) {
        if (receivers == null) {
            receivers = new WaitQueue();
        }
        receivers.add(node);
    }

    @SuppressWarnings("unchecked") // only send() sets what is no END
    private T valueOf(@Nullable Object outcome) {
        if (outcome == null || outcome == END) {
            throw ended();
        }
        return (T) outcome;
    }

    private ChannelClosedException ended() {
        Throwable cause;
        boolean received;
        lock();
        try {
            received = state == State.RECEIVED;
            cause = held instanceof Throwable why && state == State.CLOSED ? why : null;
        } finally {
            unlock();
        }
        return new ChannelClosedException(
                received ? "the value of the oneshot was received already" : "the oneshot was closed without a value",
                cause);
    }

    /* ---------------- Closing -------------- */

    @Override
    public void close() {
        end(null);
    }

    @Override
    public void close(Throwable cause) {
        end(Objects.requireNonNull(cause, "cause"));
    }

    private void end(@Nullable Throwable cause) {
        WakeList woken = new WakeList();
        lock();
        try {
            if (state == State.EMPTY) {
                state = State.CLOSED;
                held = cause;
                endAll(receivers, woken);
                endAll(closeWaiters, woken);
            } else if (state == State.SENT) {
                state = State.KEPT;
                endAll(closeWaiters, woken);
            }
        } finally {
            unlock();
        }
        woken.wakeAll();
    }

    @Override
    public boolean isClosed() {
        lock();
        try {
            return isOver();
        } finally {
            unlock();
        }
    }

    private boolean isOver() {
        return state != State.EMPTY && state != State.SENT;
    }

    @Override
    public void awaitClosed() throws InterruptedException {
        Waiter.spend();
        Wait wait = registerForClose();
        if (wait != null) {
            wait.await();
        }
    }

    @Override
    public void awaitClosed(Duration timeout) throws InterruptedException, TimeoutException {
        Waiter.spend();
        if (timeout.isNegative() || timeout.isZero()) {
            if (!isClosed()) {
                throw new TimeoutException("the oneshot is not closed yet");
            }
            return;
        }
        long deadline = TimerService.deadline(Waiter.current().nanoTime(), timeout);
        Wait wait = registerForClose();
        if (wait != null && !wait.await(deadline)) {
            throw new TimeoutException("the oneshot was not closed within " + timeout);
        }
    }

    private @Nullable Wait registerForClose() {
        lock();
        try {
            if (isOver()) {
                return null;
            }
            Wait wait = Wait.at(this);
            awaitClose(wait);
            return wait;
        } finally {
            unlock();
        }
    }

    private void awaitClose(WaitNode node) {
        if (closeWaiters == null) {
            closeWaiters = new WaitQueue();
        }
        closeWaiters.add(node);
    }

    /* ---------------- Selecting -------------- */

    @Override
    public Clause<T> clause() {
        return new Receiving<>(this);
    }

    @Override
    public Selectable<@Nullable Void> closed() {
        return new Closing(this);
    }

    private static final class Receiving<T> extends Clause<T> {
        private final OneshotCore<T> core;

        Receiving(OneshotCore<T> core) {
            super(core);
            this.core = core;
        }

        @Override
        protected Object tryNow(WakeList woken) {
            Object outcome = core.take(woken);
            return outcome == null ? NOT_READY : outcome;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            core.awaitValue(node);
            return true;
        }

        @Override
        protected T result(@Nullable Object outcome) {
            return core.valueOf(outcome);
        }
    }

    private static final class Closing extends Clause<@Nullable Void> {
        private final OneshotCore<?> core;

        Closing(OneshotCore<?> core) {
            super(core);
            this.core = core;
        }

        @Override
        protected Object tryNow(WakeList woken) {
            return core.isOver() ? END : NOT_READY;
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            core.awaitClose(node);
            return true;
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            return null;
        }
    }

    @Override
    public @Nullable String lostWakeup() {
        WaitNode receiver = undecided(receivers);
        if (receiver != null && state != State.EMPTY) {
            return lost("it is " + state.name().toLowerCase(Locale.ROOT), receiver);
        }
        WaitNode closing = undecided(closeWaiters);
        return closing != null && isOver() ? lost("it is over", closing) : null;
    }

    @Override
    public String toString() {
        return "Oneshot[" + state.name().toLowerCase(Locale.ROOT) + "]"; // racy, for dumps and messages
    }
}
