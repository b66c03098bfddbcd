package dev.kumihimo.select;

import dev.kumihimo.internal.wait.WaitNode;
import dev.kumihimo.internal.wait.WakeList;
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
    private final Clause<?> signal;

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
     *     told of, or since somebody else is at it, who will
     */
    protected abstract @Nullable Object attempt(boolean signalled);

    /** Tries what needs no signal, its own nor that of an attempt which is its signal. */
    final @Nullable Object attemptEarly() {
        Object early = attempt(false);
        boolean signalled = early == NOT_READY && signal instanceof Attempt<?> inner && inner.attemptEarly() != NOT_READY;
        return signalled ? attempt(true) : early;
    }

    /** Only tells whether there is a signal. */
    @Override
    protected final @Nullable Object tryNow(WakeList woken) {
        return signal.tryNow(woken);
    }

    @Override
    protected final boolean enqueue(WaitNode node) {
        return signal.enqueue(node);
    }

    @Override
    protected final boolean enqueue(WaitNode node, WakeList woken) {
        return signal.enqueue(node, woken);
    }

    @Override
    protected final long deadline() {
        return Long.MAX_VALUE;
    }
}
