package dev.kumihimo.test.matrix;

import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.sync.SemaphoreClosedException;
import dev.kumihimo.test.TestRuntime;
import java.time.Duration;
import java.util.List;

/**
 * An object at which tasks wait, with a ledger of what went in and came out. Waiters are numbered in the order in which they
 * come; {@link #SPARE} is the number of one that uses the object when all is over.
 */
abstract class Subject {
    static final int SPARE = 3;

    /* ---------------- What is tested -------------- */

    /** The waiting operation. Notes in the ledger what it did, and returns something that is not null. */
    abstract Object op(int who) throws Exception;

    /** The same with a time. */
    Object op(int who, Duration timeout) throws Exception {
        throw new UnsupportedOperationException("op(" + who + ", " + timeout + ")");
    }

    /** One turn of the peer; it may wait, and then {@link #relieve} must be able to help it. */
    void grant() throws Exception {
        tryGrant();
    }

    /** One turn of the peer that waits for nothing, from any thread; what cannot be done is left out. */
    abstract void tryGrant();

    /** Helps a peer that waits though no waiter is left. */
    void relieve() {
        throw new AssertionError("the peer waits");
    }

    /** Closes the object. */
    void close() {
        throw new UnsupportedOperationException("close");
    }

    /** Prepares what takes a task. */
    void prepare(TestRuntime test) {}

    /** A task of the subject's that goes on as the peer when {@link #tryGrant} was called; null if the peer is a new one. */
    JoinHandle<?> standingPeer() {
        return null;
    }

    /* ---------------- What is expected -------------- */

    int mostWaiters() {
        return SPARE;
    }

    boolean timed() {
        return true;
    }

    boolean closes() {
        return false;
    }

    /** Whether a waiter that comes after the peer finds what it did. */
    boolean remembers() {
        return true;
    }

    /** Whether the operation waits even if the peer was there. */
    boolean alwaysWaits() {
        return false;
    }

    /** Whether waiters are served in the order of their coming. */
    boolean fifo() {
        return true;
    }

    /** The place of what a waiter got among all that was there to be got, for those served in the order of their coming. */
    long rank(Object value) {
        return 0;
    }

    /** Whether an operation may find that there is nothing left for it. */
    boolean maySayClosed() {
        return false;
    }

    /** Whether cancellation ends the wait. */
    boolean cancellable() {
        return true;
    }

    /** Whether, if all else fails, time ends the wait. */
    boolean endsByTime() {
        return false;
    }

    /** How many turns of the peer it takes until the victim is served. */
    int rounds(int before) {
        return before + 1;
    }

    boolean saysClosed(Throwable e) {
        return e instanceof ChannelClosedException || e instanceof SemaphoreClosedException;
    }

    /** Whether what the first of those who wait wants is there, at rest: then it ought not to wait. */
    boolean couldGo(int first) {
        return false;
    }

    /** Compares the ledger with the object, and with what the waiters saw. All have ended. */
    abstract void check(List<Outcome> outcomes);

    /** Uses the object, which is open, once more. */
    void use() throws Exception {
        tryGrant();
        op(SPARE, Duration.ZERO);
    }

    static void ensure(boolean condition, String otherwise) {
        if (!condition) {
            throw new AssertionError(otherwise);
        }
    }

    static void ensureEqual(Object actual, Object expected, String what) {
        if (!actual.equals(expected)) {
            throw new AssertionError(what + ": " + actual + " instead of " + expected);
        }
    }
}
