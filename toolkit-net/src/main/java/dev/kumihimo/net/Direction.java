package dev.kumihimo.net;

import dev.kumihimo.internal.driver.Readiness;
import dev.kumihimo.internal.stream.Deadlines;
import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.select.Clause;
import dev.kumihimo.select.Select;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.sync.Semaphore.Permit;
import java.io.IOException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: try the system call, and wait for an event when it finds nothing; Tokio's and Go's pollers are the models. A
 * read that leaves room in the buffer, and a write that leaves bytes, have shown that the next call would find nothing
 * (exhausted): it waits at once. Nothing is missed by that, an end of the stream neither: selection reports
 * states, so what has come since is reported as soon as the key is armed.
 *
 * Cancellation: all waits come before the system call whose result is returned, so a wait that ends otherwise has applied
 * nothing.
 */

/**
 * The input or the output of a non-blocking channel: whose turn it is, and how to wait until the system has more.
 *
 * <p>Use: {@link #enter}; then try the system call unless {@link #exhausted}, tell of it by {@link #tried}, and {@link #await}
 * in between; then close the permit. A select needs no turn: it only learns that there is something to try.
 */
final class Direction {
    private final SelectableChannel channel;
    private final Readiness readiness;
    private final int operation;
    private final Semaphore turn = Semaphore.of(1);

    /**
     * Whether the last system call has shown that the next one would find nothing: then only an event can change that, and
     * one comes, since an armed key reports a state and not its change. Guarded by the turn; selects read it without, and may
     * find a socket writable that is not, or wait for the event that tells them of one that is.
     */
    boolean exhausted;

    /** Made by the first select; another that is lost in a race is as good. */
    private @Nullable Clause<@Nullable Void> clause;

    Direction(SelectableChannel channel, Readiness readiness, int operation) {
        this.channel = channel;
        this.readiness = readiness;
        this.operation = operation;
    }

    /**
     * Waits for the caller's turn.
     *
     * @return the turn, to be closed
     * @throws IOException if closed or interrupted, or if the deadline has passed
     */
    Permit enter(long deadline) throws IOException {
        ensureOpen();
        Permit permit = Deadlines.turn(turn, deadline);
        if (!channel.isOpen()) { // while we waited
            permit.close();
            throw new AsynchronousCloseException();
        }
        return permit;
    }

    /** {@return the turn if nobody has it or waits for it, or null} */
    @Nullable
    Permit tryEnter() throws IOException {
        ensureOpen();
        return turn.tryAcquire();
    }

    /** Takes note of a system call. Only in one's turn. An event from before it is old: there may be no more than it found. */
    void tried(boolean foundAll) {
        exhausted = foundAll;
        readiness.dropEvent(operation);
    }

    /** Takes note of bytes that were read ahead: there is something to be had whatever the system says. Only in one's turn. */
    void announce() {
        exhausted = false;
        readiness.announce(operation);
    }

    /** Takes note that no event can come any more. Only in one's turn. */
    void disarm() {
        readiness.disarm(operation);
    }

    /** Waits until the system may have more. Only in one's turn. Returns false if the deadline has passed. */
    boolean await(long deadline) throws IOException {
        try {
            if (deadline == Deadlines.NEVER) {
                readiness.await(operation);
            } else if (deadline == Deadlines.NOW || !readiness.await(operation, deadline)) {
                return false;
            }
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        }
        exhausted = false;
        return true;
    }

    /** Waits until a system call may be worth trying, as a select does: without a turn. Returns false if the deadline has passed. */
    boolean awaitReady(long deadline) throws IOException {
        ensureOpen();
        Select<Boolean> select = Select.<Boolean>of().on(clause(), () -> true);
        if (deadline == Deadlines.NOW) {
            select.otherwise(() -> false);
        } else if (deadline != Deadlines.NEVER) {
            select.after(Deadlines.remaining(deadline), () -> false);
        }
        boolean ready;
        try {
            ready = select.await();
        } catch (InterruptedException e) {
            throw TaskCancelledException.forIo(e);
        }
        if (!channel.isOpen()) { // while we waited
            throw new AsynchronousCloseException();
        }
        ensureOpen();
        return ready;
    }

    /** {@return what the driver knows of the channel, for tests} */
    Readiness readiness() {
        return readiness;
    }

    /** {@return the readiness of this direction, to be selected on} */
    Clause<@Nullable Void> clause() {
        Clause<@Nullable Void> made = clause;
        if (made == null) {
            made = new Ready(this);
            clause = made;
        }
        return made;
    }

    void ensureOpen() throws IOException {
        if (!channel.isOpen()) {
            throw new ClosedChannelException();
        }
        if (readiness.isShutDown()) {
            throw Readiness.shutDownException();
        }
    }

    /**
     * Where selects wait for a direction. Its lock guards nothing: the waiters are in the slot of the driver. So it does not
     * matter that arming the key, which may wake the driver, runs under it: only selects on the same direction wait for that.
     */
    private static final class Point extends WaitPoint {
        private final Direction direction;

        Point(Direction direction) {
            this.direction = direction;
        }

        @Override
        public void withdraw(WaitNode node, WakeList woken) {
            direction.readiness.withdraw(direction.operation, node);
        }

        @Override
        public String toString() {
            String kind = switch (direction.operation) {
                case SelectionKey.OP_READ -> "input";
                case SelectionKey.OP_WRITE -> "output";
                case SelectionKey.OP_CONNECT -> "handshake";
                default -> "connections";
            };
            return kind + " of " + direction.channel;
        }
    }

    /** That a system call may be worth trying. Takes nothing, and holds nobody up. */
    private static final class Ready extends Clause<@Nullable Void> {
        private final Direction direction;

        Ready(Direction direction) {
            super(new Point(direction));
            this.direction = direction;
        }

        @Override
        protected @Nullable Object tryNow(WakeList woken) {
            Readiness readiness = direction.readiness;
            int operation = direction.operation;
            if (readiness.isReady(operation) || (operation == SelectionKey.OP_WRITE && !direction.exhausted)) {
                return null;
            }
            readiness.arm(operation); // an event is only told if it was asked for, also while other branches are taken
            return readiness.isReady(operation) ? null : NOT_READY; // arming finds out that the channel is closed
        }

        @Override
        protected boolean enqueue(WaitNode node) {
            return direction.readiness.enqueue(direction.operation, node);
        }

        @Override
        protected @Nullable Void result(@Nullable Object outcome) {
            return null;
        }
    }
}
