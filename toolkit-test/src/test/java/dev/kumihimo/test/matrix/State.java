package dev.kumihimo.test.matrix;

import java.util.List;

/**
 * Where the object is when the victim comes.
 *
 * @param kind what it is about
 * @param before how many wait in front of the victim
 * @param after how many come behind it
 */
record State(Kind kind, int before, int after) {
    enum Kind {
        /** The peer has been there: the operation need not wait. */
        READY,
        /** The operation waits, and the peer comes. */
        WAITING,
        /** The operation waits, and a peer closes the object. */
        CLOSING,
        /** The object is closed. */
        CLOSED
    }

    static final State ALONE = new State(Kind.WAITING, 0, 0);

    private static final List<State> ALL = List.of(
            new State(Kind.READY, 0, 0),
            ALONE,
            new State(Kind.WAITING, 0, 1),
            new State(Kind.WAITING, 1, 0),
            new State(Kind.WAITING, 0, 2),
            new State(Kind.WAITING, 1, 1),
            new State(Kind.WAITING, 2, 0),
            new State(Kind.CLOSING, 0, 0),
            new State(Kind.CLOSING, 1, 1),
            new State(Kind.CLOSED, 0, 0));

    static List<State> allOf(Subject subject) {
        return ALL.stream()
                .filter(s -> s.waiters() <= subject.mostWaiters()
                        && (subject.remembers() || s.kind != Kind.READY)
                        && (subject.closes() || s.kind == Kind.READY || s.kind == Kind.WAITING))
                .toList();
    }

    int waiters() {
        return before + 1 + after;
    }

    @Override
    public String toString() {
        return kind + (waiters() == 1 ? "" : "(victim " + (before + 1) + " of " + waiters() + ")");
    }
}
