package dev.kumihimo.internal.driver;

import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WaitNode;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: for each direction one slot, a binary semaphore that the driver posts (a parker's permit, for readiness).
 *
 * State of a slot:  null     consumed: nothing known to be ready
 *                   READY    an event that no wait has consumed
 *                   a node   somebody waits for the next event
 *                   ENDED    closed, or its runtime is gone
 *
 * Arming: selection is level-triggered, so a key left armed over unread data would make every selection return at once.
 * The 8th input event in a row that finds READY unconsumed disarms the key (the first ones may come while a reader that was
 * woken is on its way, and to disarm and arm again costs two system calls); the next waiter arms it again and wakes the
 * driver. An output event disarms at once, since a channel is nearly always writable, and a connected one that is armed for
 * OP_CONNECT would end every selection without an event. The driver disarms and then reads the slot; a waiter installs itself
 * and then reads the interest. One sees the other (H1).
 *
 * Fields: slots: CAS by all. key: written once before use. The driver only swaps a slot, grants a node and unparks.
 */

/** What the driver knows of one channel, and who waits for it: at most one wait for each direction at a time. */
public final class Readiness {
    private static final Object READY = new Object();
    private static final Object ENDED = new Object();

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

    /** Takes an event. Driver only. */
    void ready(SelectionKey selected) {
        try {
            int ops = selected.readyOps();
            if ((ops & INPUT) != 0) {
                input.post(selected, ops & INPUT);
            }
            if ((ops & ~INPUT) != 0) {
                output.post(selected, ops & ~INPUT);
            }
        } catch (CancelledKeyException e) {
            // closed meanwhile; close() ends the waits
        }
    }

    /** {@return whether an event has come for an operation since the last wait for it} Racy but for the one who waits. */
    public boolean isReady(int op) {
        return slot(op).content == READY;
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
                slot.uninstall(wait);
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
                slot.uninstall(wait);
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
        return new IOException("the runtime of this socket has been shut down");
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

    void shutDown() {
        shutDown = true;
        close();
    }

    private Slot slot(int op) {
        return (op & INPUT) != 0 ? input : output;
    }

    private void arm(int op) throws AsynchronousCloseException {
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
        private int repeats; // events in a row that found READY; the driver's owner only

        /** Puts a wait in, or returns null if there is no need to wait. */
        @Nullable
        Wait install() throws IOException {
            Wait wait = null;
            while (true) {
                Object now = content;
                if (now == READY) {
                    return null;
                }
                if (now == ENDED) {
                    throw ended();
                }
                if (now != null) {
                    throw new IllegalStateException("two threads wait for the same direction of a channel");
                }
                if (wait == null) {
                    wait = Wait.forDeadline();
                }
                if (CONTENT.compareAndSet(this, null, wait)) { // lost: an event or an end has come
                    return wait;
                }
            }
        }

        void uninstall(Wait wait) {
            CONTENT.compareAndSet(this, wait, null); // lost: granted or ended, as it should be
        }

        void consume() throws IOException {
            if (!CONTENT.compareAndSet(this, READY, null) && content == ENDED) {
                throw ended();
            }
        }

        void post(SelectionKey selected, int ops) {
            Object before;
            do {
                before = content;
                if (before == ENDED) {
                    return;
                }
            } while (!CONTENT.compareAndSet(this, before, READY)); // lost: a waiter came or went
            if (before instanceof WaitNode node) {
                if (node.grant()) {
                    node.owner().wake();
                }
            }
            repeats = before == READY ? repeats + 1 : 0;
            if (repeats == REPEATS || (ops & INPUT) == 0) {
                repeats = 0;
                selected.interestOpsAnd(~ops);
                if (content instanceof WaitNode) {
                    selected.interestOpsOr(ops);
                }
            }
        }

        void end() {
            if (CONTENT.getAndSet(this, ENDED) instanceof WaitNode node && node.grant()) {
                node.owner().wake();
            }
        }

        private IOException ended() {
            return shutDown ? shutDownException() : new AsynchronousCloseException();
        }
    }
}
