package dev.kumihimo.lincheck;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;

/**
 * What a primitive does when used by one thread at a time, waiting included: a call is begun, and either has a result at
 * once, or waits until a later call completes it, or until it gives up. {@link WaitingVerifier} looks for an order of these
 * steps that explains what was observed.
 *
 * <p>A subclass has a constructor without arguments that makes the initial state. A result is a value, or the class of what
 * is thrown.
 */
abstract class WaitingModel {
    /** The result of a call that has none yet. */
    static final Object WAITS = new Object();

    private final Map<Integer, Object> completed = new HashMap<>();
    private int way;

    /** Makes the initial state. */
    WaitingModel() {}

    /** Copies the results of the calls that waited. */
    WaitingModel(WaitingModel from) {
        completed.putAll(from.completed);
    }

    /** {@return a copy that shares nothing that changes} */
    abstract WaitingModel copy();

    /**
     * Begins a call.
     *
     * @param ticket what tells this call from others that wait; a thread has one at a time
     * @param operation the name of the method in the test class
     * @param arguments its arguments
     * @return its result, or {@link #WAITS}
     */
    abstract Object begin(int ticket, String operation, List<Object> arguments);

    /** {@return in how many ways a call may go: more than one if the primitive has a choice} See {@link #way}. */
    int ways(String operation) {
        return 1;
    }

    /** Takes back a call that waits. */
    abstract void giveUp(int ticket);

    /** Makes the choice of the next call that has one. */
    final void choose(int way) {
        this.way = way;
    }

    /** {@return in which of its {@link #ways} a call begins, from 0 on} */
    final int way() {
        return way;
    }

    /** Has a call that waits return. */
    final void complete(int ticket, Object result) {
        completed.put(ticket, result);
    }

    /** Has all calls of a queue return, which is empty then. */
    final void completeAll(Queue<Integer> tickets, Object result) {
        for (Integer ticket; (ticket = tickets.poll()) != null; ) {
            complete(ticket, result);
        }
    }

    /** {@return the result of a call that waited, or {@link #WAITS}} */
    final Object result(int ticket) {
        return completed.getOrDefault(ticket, WAITS);
    }

    /** Forgets a call whose result was seen: it returns. */
    void forget(int ticket) {
        completed.remove(ticket);
    }
}
