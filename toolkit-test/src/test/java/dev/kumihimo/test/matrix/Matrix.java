package dev.kumihimo.test.matrix;

import static dev.kumihimo.test.matrix.Subject.ensure;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.LongPredicate;

/**
 * Runs rows: each waiting operation in each state, struck by each event at each point of its path, of its retreat and of its
 * peer's path. The number of points is not known beforehand: it is the number of the first that is not reached.
 */
final class Matrix {
    private static final int MOST_POINTS = 400;

    private long cases;
    private int queues;

    /** {@return how many cases were run} */
    long cases() {
        return cases;
    }

    /** {@return in how many queues of an object leftovers were looked for} */
    int queues() {
        return queues;
    }

    /** Runs all cases of a row; the first that fails ends it. */
    void run(Row row) {
        Subject sample = row.subject(State.ALONE);
        for (State state : State.allOf(sample)) {
            for (Style style : Style.values()) {
                if (!style.isTimed() || sample.timed()) {
                    for (Event event : style.events) {
                        if (event != Event.CLOSE || sample.closes()) {
                            run(row, sample, state, style, event);
                        }
                    }
                    if (state.kind() == State.Kind.WAITING && state.before() == 0 && state.after() < 2) {
                        runPairs(row, sample, state, style);
                    }
                }
            }
        }
    }

    private void run(Row row, Subject sample, State state, Style style, Event event) {
        for (boolean victimFirst : List.of(true, false)) {
            for (Strike.Path path : paths(sample, state, event)) {
                if (path.isOfTwo()) {
                    walk(point -> walk(peerPoint -> run(
                            row, state, style, event, Event.NONE, new Strike(path, point, peerPoint, victimFirst))));
                } else {
                    walk(point -> run(row, state, style, event, Event.NONE, new Strike(path, point, 0, victimFirst)));
                }
            }
        }
    }

    /** Two events, at the same point or the second in the retreat from the first. */
    private void runPairs(Row row, Subject sample, State state, Style style) {
        Set<Event> events = style.all();
        if (!sample.closes()) {
            events.remove(Event.CLOSE);
        }
        for (Event event : events) {
            for (Event second : events) {
                if (event == second) {
                    continue;
                }
                for (Strike.Path path : List.of(Strike.Path.VICTIM, Strike.Path.PEER, Strike.Path.RETREAT)) {
                    for (boolean victimFirst : List.of(true, false)) {
                        walk(point -> run(row, state, style, event, second, new Strike(path, point, 0, victimFirst)));
                    }
                }
            }
        }
    }

    private boolean run(Row row, State state, Style style, Event event, Event second, Strike strike) {
        Case one = new Case(row, state, style, event, second, strike);
        ensure(strike.point() <= MOST_POINTS, one + ": is there no end?");
        boolean reached = one.run();
        cases++;
        queues = Math.max(queues, one.queues());
        return reached;
    }

    /** Runs a case for each point, up to one that is not reached, which has run through undisturbed. */
    private static boolean walk(LongPredicate run) {
        long point = 1;
        while (run.test(point)) {
            point++;
        }
        return point > 1;
    }

    private static List<Strike.Path> paths(Subject sample, State state, Event event) {
        List<Strike.Path> paths = new ArrayList<>();
        paths.add(Strike.Path.VICTIM);
        if (state.kind() == State.Kind.WAITING || state.kind() == State.Kind.CLOSING) {
            paths.add(Strike.Path.PEER);
            if (state.kind() == State.Kind.WAITING && sample.rounds(state.before()) > 1) {
                paths.add(Strike.Path.PEER_STOPS_SHORT);
            }
            if (event != Event.NONE) {
                paths.add(Strike.Path.RETREAT);
                paths.add(Strike.Path.RETREAT_BOTH);
            }
            if (state.after() == 0) {
                paths.add(Strike.Path.BOTH);
            }
        }
        return paths;
    }
}
