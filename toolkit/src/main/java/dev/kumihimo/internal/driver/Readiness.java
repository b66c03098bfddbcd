package dev.kumihimo.internal.driver;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: for each direction one slot, which the driver posts: a parker's permit, for readiness, and with any number of
 * parkers. The one whose turn it is to read waits by await(), which consumes the event; selects enqueue nodes, and consume
 * nothing. An event wakes all of them, since it is a state that each may look at, and no item that one of them gets.
 *
 * State of a slot:  null            nothing known to be ready, nobody waits
 *                   READY           an event that nobody has consumed
 *                   a WaitNode      one waits for the next event
 *                   a WaitNode[]    several do; copied at each change
 *                   ENDED           closed, or its runtime is gone; for good
 *   null, node, nodes --add()-----> one node more            (who waits)
 *   node, nodes ------remove()----> one less                 (who waited, if it was for nothing)
 *   anything ---------post()------> READY                    (driver, which then grants all it has swapped out)
 *   anything ---------announce()--> READY                    (who has its turn, and grants likewise: bytes that it has put by)
 *   READY ------------consume(), drop()----> null            (who has its turn)
 *   anything ---------end()-------> ENDED
 *
 * Arming: selection is level-triggered, so a key left armed over unread data would make every selection return at once.
 * The 8th input event in a row that finds nobody waiting disarms the key (the first ones may come while a reader that was
 * woken is on its way, and to disarm and arm again costs two system calls); the next waiter arms it again and wakes the
 * driver. That counts where READY was dropped too: else a task that reads and reads would keep an idle carrier selecting.
 * An output event disarms at once, since a channel is nearly always writable. The driver disarms and then reads the slot; a
 * waiter installs itself and then reads the interest. One sees the other (H1).
 * A connected channel that is armed for OP_CONNECT would end every selection without an event. A select can leave it so, which
 * arms just after the event. Hence whoever finds the handshake done disarms, and the driver never arms for one again.
 * A select that only tries a slot arms the key too: else it would never hear of a socket while its other branches are ready.
 * That costs eight events at most, of which the last disarms.
 *
 * Fields: slots: CAS by all, never under a lock that matters. key: written once before use. The driver only swaps a slot,
 * grants nodes and unparks.
 * Linearization: an event, at the swap in post(); that it is old, at the CAS in drop() and consume().
 * Invariants: I1 who is in a slot is told of the next event or the end. I2 losing READY loses nothing: what is still ready
 * is reported again to whoever arms the key. I3 a node that was swapped out is granted or was decided: never looked at again.
 * What does not hold: that READY is true. It may be old if somebody has read since the selection that found it.
 * Progress: lock-free; each change of k waiters copies k references.
 * Cancellation: who gave up removes itself; an event that was swapped in meanwhile stays READY for others.
 * Garbage: nothing of a waiter is left once it has been granted or removed.
 * Checked by: TcpSelectTest, TcpCloseTest, TcpInterruptionTest.
 */

/** What the driver knows of one channel, and who waits for it. */
public final class Readiness {
    private static final Object READY = new Object();
    private static final Object ENDED = new Object();
    private static final WaitNode[] NOBODY = {};

    /** Events without a reader before a key is disarmed. Empirical: with 1, every tenth request on HTTP pays for it. */
    private static final int REPEATS = 8;

    private static final int INPUT = SelectionKey.OP_READ | SelectionKey.OP_ACCEPT;

    private final Driver driver;
    private final Slot input = new Slot();
    private final Slot output = new Slot();
    private @Nullable SelectionKey key;
    private volatile boolean shutDown;

    Readiness(Driver driver) {
        this.driver = driver;
    }

    void attach(SelectionKey registered) {
        this.key = registered;
    }

    private SelectionKey key() {
        SelectionKey registered = key;
        if (registered == null) {
            throw new IllegalStateException("not registered");
        }
        return registered;
    }

    /** Takes an event. Driver only. Returns whether it was new: the last one had been consumed, or no other will come. */
    boolean ready(SelectionKey selected) {
        boolean isNew = false;
        try {
            int ops = selected.readyOps();
            if ((ops & INPUT) != 0) {
                isNew = input.post(selected, ops & INPUT);
            }
            if ((ops & ~INPUT) != 0) {
                isNew |= output.post(selected, ops & ~INPUT);
            }
        } catch (CancelledKeyException e) {
            return true; // closed meanwhile; close() ends the waits
        }
        return isNew;
    }

    /** {@return whether an event for an operation is unconsumed, or none will come any more} Racy. */
    public boolean isReady(int op) {
        return slot(op).isDecided();
    }

    /** Drops an unconsumed event: the system has been asked since. Only by the one whose turn it is. */
    public void dropEvent(int op) {
        slot(op).drop();
    }

    /**
     * Tells all who wait of what is ready although the system does not know of it, as bytes that were read ahead. Only by the
     * one whose turn it is. Never waits.
     */
    public void announce(int op) {
        slot(op).announce();
    }

    /**
     * Registers one who waits for the next event, which it will not consume: for selects.
     *
     * @return false if there is one already, or none will come any more; then nothing has happened
     */
    public boolean enqueue(int op, WaitNode node) {
        Slot slot = slot(op);
        if (!slot.add(node)) {
            return false;
        }
        try {
            arm(op);
            return true;
        } catch (Throwable e) {
            slot.remove(node);
            throw e;
        }
    }

    /** Takes back what was registered, unless it was served. */
    public void withdraw(int op, WaitNode node) {
        slot(op).remove(node);
    }

    /** {@return whether the driver looks out for an operation; for tests} */
    public boolean isArmed(int op) {
        return (key().interestOps() & op) != 0;
    }

    /** {@return how many wait for an operation; for tests} */
    public int waiting(int op) {
        return slot(op).waiting();
    }

    void addPending(List<Driver.Pending> found) {
        input.addPending(found, "input");
        output.addPending(found, "output");
    }

    /**
     * Waits until the channel may be ready: at once if an event is unconsumed, which it consumes. One thread at a time for
     * each direction.
     *
     * @param op one operation of {@link SelectionKey}
     * @throws InterruptedException if interrupted or cancelled; an event that comes later is kept
     * @throws AsynchronousCloseException if the channel is closed meanwhile
     * @throws IOException if its runtime is shut down meanwhile
     */
    public void await(int op) throws InterruptedException, IOException {
        Slot slot = slot(op);
        Wait wait = slot.install();
        if (wait != null) {
            try {
                arm(op);
                wait.await();
            } finally {
                slot.remove(wait);
            }
        }
        slot.consume();
    }

    /**
     * As {@link #await(int)}, until a deadline.
     *
     * @param deadline on the clock of the calling thread's waits
     * @return false if it passed first
     * @throws InterruptedException if interrupted or cancelled; an event that comes later is kept
     * @throws IOException if the channel is closed or its runtime shut down meanwhile
     */
    public boolean await(int op, long deadline) throws InterruptedException, IOException {
        Slot slot = slot(op);
        Wait wait = slot.install();
        if (wait != null) {
            boolean granted = false;
            try {
                arm(op);
                granted = wait.await(deadline);
            } finally {
                slot.remove(wait);
            }
            if (!granted) {
                return false;
            }
        }
        slot.consume();
        return true;
    }

    /** {@return whether the runtime that would tell of events is gone} */
    public boolean isShutDown() {
        return shutDown;
    }

    /** {@return what waits throw once the runtime is gone} */
    public static IOException shutDownException() {
        return new ShutDownException();
    }

    /** That the runtime of a socket is gone. */
    public static final class ShutDownException extends IOException {
        private static final long serialVersionUID = 1;

        private ShutDownException() {
            super("the runtime of this socket has been shut down");
        }
    }

    /** Ends all waits with {@link AsynchronousCloseException}. Call it before or after closing the channel, then {@link #forget}. */
    public void close() {
        input.end();
        output.end();
    }

    /** Has the driver let go of the closed channel, which gives its descriptor back. */
    public void forget() {
        driver.changed();
    }

    /**
     * As {@link #forget()}, and waits until the system has the descriptor back.
     *
     * @param nanos how long at most, if the driver does not turn
     */
    public void awaitForgotten(SelectableChannel channel, long nanos) {
        forget();
        driver.awaitRelease(channel, nanos);
    }

    void shutDown() {
        shutDown = true;
        close();
    }

    private Slot slot(int op) {
        return (op & INPUT) != 0 ? input : output;
    }

    /** Has the driver look out for an operation. Never waits. Ends the slot if the channel is closed. */
    public void arm(int op) {
        SelectionKey registered = key();
        try {
            if ((registered.interestOps() & op) == 0) {
                registered.interestOpsOr(op);
                driver.changed();
            }
        } catch (CancelledKeyException e) {
            slot(op).end();
        }
    }

    /** Has the driver not look out for an operation any more, of which no event can come. Never waits. */
    public void disarm(int op) {
        SelectionKey registered = key();
        try {
            if ((registered.interestOps() & op) != 0) {
                registered.interestOpsAnd(~op);
            }
        } catch (CancelledKeyException e) {
            // closed, and so disarmed
        }
    }

    private final class Slot {
        private static final VarHandle CONTENT;

        static {
            try {
                CONTENT = MethodHandles.lookup().findVarHandle(Slot.class, "content", Object.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private volatile @Nullable Object content;
        private int repeats; // events in a row that found nobody waiting; the driver's owner only

        boolean isDecided() {
            Object now = content;
            return now == READY || now == ENDED;
        }

        /** Puts a wait in, or returns null if there is no need to wait. */
        @Nullable
        Wait install() {
            if (isDecided()) {
                return null;
            }
            Wait wait = Wait.forDeadline();
            return add(wait) ? wait : null;
        }

        boolean add(WaitNode node) {
            while (true) {
                Object now = content;
                if (now == READY || now == ENDED) {
                    return false;
                }
                if (CONTENT.compareAndSet(this, now, with(now, node))) { // lost: an event, the end, or another waiter
                    return true;
                }
            }
        }

        void remove(WaitNode node) {
            Object now;
            Object rest;
            do {
                now = content;
                rest = without(now, node);
            } while (rest != now && !CONTENT.compareAndSet(this, now, rest)); // lost: an event, the end, another waiter
        }

        private static Object with(@Nullable Object waiting, WaitNode node) {
            if (waiting instanceof WaitNode[] nodes) {
                WaitNode[] more = Arrays.copyOf(nodes, nodes.length + 1);
                more[nodes.length] = node;
                return more;
            }
            return waiting instanceof WaitNode first ? new WaitNode[] {first, node} : node;
        }

        /** What is left without a node; the same if it is not there. */
        private static @Nullable Object without(@Nullable Object waiting, WaitNode node) {
            if (waiting == node) {
                return null;
            }
            if (!(waiting instanceof WaitNode[] nodes)) {
                return waiting;
            }
            int at = Arrays.asList(nodes).indexOf(node);
            if (at < 0) {
                return waiting;
            }
            if (nodes.length == 2) {
                return nodes[1 - at];
            }
            WaitNode[] fewer = Arrays.copyOf(nodes, nodes.length - 1);
            System.arraycopy(nodes, at + 1, fewer, at, fewer.length - at);
            return fewer;
        }

        int waiting() {
            Object now = content;
            return now instanceof WaitNode[] nodes ? nodes.length : now instanceof WaitNode ? 1 : 0;
        }

        void addPending(List<Driver.Pending> found, String direction) {
            Object now = content;
            WaitNode[] nodes =
                    now instanceof WaitNode[] many ? many : now instanceof WaitNode one ? new WaitNode[] {one} : NOBODY;
            for (WaitNode node : nodes) {
                Wait wait = node.owner();
                if (!wait.isDecided()) {
                    SelectableChannel channel = key().channel();
                    String what = channel instanceof ServerSocketChannel ? "connections" : direction;
                    found.add(new Driver.Pending(wait, what + " of " + channel));
                }
            }
        }

        void consume() throws IOException {
            if (!CONTENT.compareAndSet(this, READY, null) && content == ENDED) {
                throw ended();
            }
        }

        void drop() {
            if (content == READY) {
                CONTENT.compareAndSet(this, READY, null); // lost: it has ended
            }
        }

        boolean post(SelectionKey selected, int ops) {
            Object before;
            do {
                before = content;
                if (before == ENDED) {
                    return true;
                }
            } while (!CONTENT.compareAndSet(this, before, READY)); // lost: a waiter came or went
            grantAll(before);
            repeats = before == READY || before == null ? repeats + 1 : 0;
            boolean output = (ops & INPUT) == 0;
            if (repeats == REPEATS || output) {
                repeats = 0;
                selected.interestOpsAnd(
                        output ? ~(ops | SelectionKey.OP_CONNECT) : ~ops); // a handshake is over with either
                int again = ops & ~SelectionKey.OP_CONNECT; // its only event has come: who waits now waits for room
                if (again != 0 && waiting() > 0) {
                    selected.interestOpsOr(again);
                }
            }
            return before != READY;
        }

        void announce() {
            Object before;
            do {
                before = content;
                if (before == READY || before == ENDED) {
                    return;
                }
            } while (!CONTENT.compareAndSet(this, before, READY)); // lost: an event, the end, or another waiter
            grantAll(before);
        }

        void end() {
            grantAll(CONTENT.getAndSet(this, ENDED));
        }

        private static void grantAll(@Nullable Object waiting) {
            if (waiting instanceof WaitNode node) {
                grant(node);
            } else if (waiting instanceof WaitNode[] nodes) {
                for (WaitNode node : nodes) {
                    grant(node);
                }
            }
        }

        private static void grant(WaitNode node) {
            if (node.grant()) { // else it has been decided otherwise
                node.owner().wake();
            }
        }

        private IOException ended() {
            return shutDown ? shutDownException() : new AsynchronousCloseException();
        }
    }
}
