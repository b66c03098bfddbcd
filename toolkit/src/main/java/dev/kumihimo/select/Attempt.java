package dev.kumihimo.select;

import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WakeList;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A clause for what has to be tried to be known: it waits for a signal, and is ready if what it then tries succeeds. Bytes of
 * a socket are the signal, and a whole message is what is waited for. A select in which the attempt comes to nothing waits
 * on, its time running.
 *
 * <pre>{@code
 * private final Attempt<String> lines = new Attempt<>(stream) {
 *     protected Object attempt(boolean signalled) {
 *         String line = signalled ? readAndCut() : cut();
 *         return line == null ? NOT_READY : line;
 *     }
 *
 *     protected String result(Object outcome) {
 *         return (String) outcome;
 *     }
 * };
 * }</pre>
 *
 * @param <T> what waiting for it gives
 * @since 0.1
 */
public abstract class Attempt<T extends @Nullable Object> extends Clause<T> {
    /* Who waits is enqueued at the signal, and noted here besides: ring() wakes it when something is there of which no signal
     * tells. `waiting` is guarded by the lock of the signal's point. `rung` is set under it too, and cleared without, by who is
     * about to try: so a ring is either before that attempt, which sees what was left; or it is seen by tryNow(), under the
     * lock under which the select then enqueues; or it finds the node noted. */

    private final Clause<?> signal;
    private final List<WaitNode> waiting = new ArrayList<>(0);
    private volatile boolean rung;

    /**
     * Creates a clause.
     *
     * @param signal what to wait for between two attempts: something that takes nothing when it is ready, as a stream's
     *     {@code readable()}, and is no mere time
     */
    protected Attempt(Selectable<?> signal) {
        this(signal.clause());
    }

    private Attempt(Clause<?> signal) {
        super(signal.point());
        this.signal = signal;
    }

    /**
     * Tries, in the selecting thread, with no lock held. Never waits. What succeeds is the outcome of the select.
     *
     * @param signalled false to look only at what is there regardless of the signal: buffered before, say; true to try all
     * @return what {@link #result} makes a result of, or {@link #NOT_READY}; that only after it has taken all that the signal
     *     told of, or since somebody else is at it, who will, and rings if it leaves something
     */
    protected abstract @Nullable Object attempt(boolean signalled);

    /**
     * Has all who wait try again: to be called by who leaves something that another may take, and of which the signal does not
     * tell any more. Never waits.
     */
    protected final void ring() {
        WaitPoint point = point();
        if (point == null) {
            return; // nobody is ever enqueued
        }
        WakeList woken = new WakeList();
        point.lock();
        try {
            rung = true;
            for (WaitNode node : waiting) {
                point.withdraw(node, woken);
                if (node.grant()) {
                    woken.add(node);
                }
            }
            waiting.clear();
        } finally {
            point.unlock();
        }
        woken.wakeAll();
    }

    /** Tries what needs no signal, its own nor that of an attempt which is its signal. */
    final @Nullable Object attemptEarly() {
        rung = false;
        Object early = attempt(false);
        boolean signalled =
                early == NOT_READY && signal instanceof Attempt<?> inner && inner.attemptEarly() != NOT_READY;
        return signalled ? attempt(true) : early;
    }

    /** Forgets who waited, however that ended. */
    final void forget(WaitNode node) {
        WaitPoint point = node.point;
        if (point == null) {
            return;
        }
        point.lock();
        try {
            for (Clause<?> each = this; each instanceof Attempt<?> attempt; each = attempt.signal) {
                attempt.waiting.remove(node);
            }
        } finally {
            point.unlock();
        }
    }

    /** {@return how many wait, for tests} */
    final int waiting() {
        return waiting.size();
    }

    /** Only tells whether there is a signal, or a ring. */
    @Override
    protected final @Nullable Object tryNow(WakeList woken) {
        return rung ? null : signal.tryNow(woken);
    }

    @Override
    protected final boolean enqueue(WaitNode node) {
        throw new IllegalStateException("a select enqueues with a list");
    }

    @Override
    protected final boolean enqueue(WaitNode node, WakeList woken) {
        boolean enqueued = signal.enqueue(node, woken);
        if (enqueued) {
            waiting.add(node);
        }
        return enqueued;
    }

    @Override
    protected final long deadline() {
        return Long.MAX_VALUE;
    }
}
