package dev.kumihimo.select;

import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WaitPoint;
import dev.kumihimo.internal.wait.WakeList;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArraySet;
import org.jspecify.annotations.Nullable;

/**
 * A clause for what has to be tried to be known: it waits for a signal, and is ready if what it then tries succeeds. Bytes of
 * a socket are the signal, and a whole message is what is waited for. A select in which the attempt comes to nothing waits
 * on, its time running, but it leaves all its queues meanwhile, and is the last in each when it waits again: an attempt that
 * often comes to nothing costs the other branches of its select their turn.
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
     * tells. `waiting` is guarded by the lock of the signal's point. Attempts at the same thing have one bell, though their
     * signals may have different points. A ring first marks the bell, and then wakes whom it finds at the attempts that are
     * listed there; who is about to wait first lists its attempt, and then looks whether the bell is marked: one of the two sees
     * the other. The mark is taken away by who is about to try, which sees what was left. */

    /** Rung for all the attempts at one thing. */
    private static final class Bell {
        final Set<Attempt<?>> attempts =
                new CopyOnWriteArraySet<>(); // few, at which somebody waits, or soon will; in order
        volatile boolean rung;
    }

    private final Clause<?> signal;
    private final Bell bell;
    private final List<WaitNode> waiting = new ArrayList<>(0);

    /**
     * Creates a clause.
     *
     * @param signal what to wait for between two attempts: something that takes nothing when it is ready, as a stream's
     *     {@code readable()}. It may be a time
     */
    protected Attempt(Selectable<?> signal) {
        this(signal.clause(), new Bell());
    }

    /**
     * Creates a clause for the same thing as another one, which a {@link #ring} of either concerns: for {@link #renewed}.
     *
     * @param signal what to wait for between two attempts, as above
     * @param other the other one
     */
    protected Attempt(Selectable<?> signal, Attempt<?> other) {
        this(signal.clause(), other.bell);
    }

    private Attempt(Clause<?> signal, Bell bell) {
        super(signal.point());
        this.signal = signal;
        this.bell = bell;
    }

    /**
     * {@return what a select goes on with in place of this one} It asks at the beginning of each {@link Select#await()}, and
     * each time it waits again after an attempt that came to nothing. To be overridden if what the signal is depends on the state
     * of things; otherwise this. Called with no lock held, by any thread. Never waits.
     */
    protected Attempt<T> renewed() {
        return this;
    }

    /** {@return what it waits for between two attempts} */
    protected final Clause<?> signal() {
        return signal;
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
     * tell any more. Who waits for a time only, tries when that has come. Never waits.
     */
    protected final void ring() {
        bell.rung = true;
        WakeList woken = new WakeList();
        for (Attempt<?> attempt : bell.attempts) {
            attempt.grantAll(woken);
        }
        woken.wakeAll();
    }

    private void grantAll(WakeList woken) {
        WaitPoint point = point();
        if (point == null) {
            return; // nobody is ever enqueued
        }
        point.lock();
        try {
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
    }

    /** Tries what needs no signal, its own nor that of an attempt which is its signal. */
    final @Nullable Object attemptEarly() {
        bell.rung = false;
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
                if (attempt.waiting.isEmpty()) {
                    attempt.bell.attempts.remove(attempt);
                }
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
        return bell.rung ? null : signal.tryNow(woken);
    }

    @Override
    protected final boolean enqueue(WaitNode node) {
        throw new IllegalStateException("a select enqueues with a list");
    }

    @Override
    protected final boolean enqueue(WaitNode node, WakeList woken) {
        bell.attempts.add(this);
        boolean enqueued = !bell.rung && signal.enqueue(node, woken);
        if (enqueued) {
            waiting.add(node);
        }
        return enqueued;
    }

    @Override
    protected final long deadline() {
        return signal.deadline();
    }
}
