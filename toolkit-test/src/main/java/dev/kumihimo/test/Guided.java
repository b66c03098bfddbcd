package dev.kumihimo.test;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/*
 * Algorithm: a run is a row of stretches: a task ran from where it was up to a place in its own path. Places are counted in the
 * path of the task, points and ends of runs, and so stay where they are when stretches of others move. A run without some of
 * the switches lets the tasks go on there, and where one has parked or ended, takes of those ready the one whose next stretch
 * came first.
 */

/** The strategy that repeats a run with but some of its switches at points. */
final class Guided implements Strategy {
    private final Map<Long, Way> ways = new HashMap<>();
    private final Set<Integer> kept; // switches, by the number of the stretch that they end
    private final List<Integer> drawn;
    private final boolean oldestFirst;
    private int draws;

    /** A task, known by its key, ran up to a place in its own path, and was switched there or stopped by itself. */
    record Stretch(long task, long end, boolean switched) {}

    /** The stretches of one task, and how far it has come on them. */
    private static final class Way {
        final List<Stretch> stretches = new ArrayList<>();
        final List<Integer> numbers = new ArrayList<>();
        int at;

        /** Moves to the stretch that a place lies on, or ends; false if it lies behind all. */
        boolean moveTo(long position) {
            while (at < stretches.size() && stretches.get(at).end < position) {
                at++;
            }
            return at < stretches.size();
        }

        /** {@return when, in the run, the task went on from a place} */
        int turn(long position) {
            int next = moveTo(position) && stretches.get(at).end == position ? at + 1 : at;
            return next < numbers.size() ? numbers.get(next) : Integer.MAX_VALUE;
        }
    }

    /**
     * Prepares a run.
     *
     * @param stretches the run to repeat
     * @param kept which of its switches to repeat, by the index of the stretch that is ended by it
     * @param drawn what it drew
     * @param oldestFirst whether, where a task has stopped by itself, the one that has been ready longest is next
     */
    Guided(List<Stretch> stretches, Set<Integer> kept, List<Integer> drawn, boolean oldestFirst) {
        for (int i = 0; i < stretches.size(); i++) {
            Way way = ways.computeIfAbsent(stretches.get(i).task, key -> new Way());
            way.stretches.add(stretches.get(i));
            way.numbers.add(i);
        }
        this.kept = kept;
        this.drawn = drawn;
        this.oldestFirst = oldestFirst;
    }

    /** {@return the numbers of the stretches that ended with a switch at a point} */
    static List<Integer> switches(List<Stretch> stretches) {
        List<Integer> switches = new ArrayList<>();
        for (int i = 0; i < stretches.size(); i++) {
            if (stretches.get(i).switched) {
                switches.add(i);
            }
        }
        return switches;
    }

    @Override
    public int choose(Choice choice) {
        Ready ready = (Ready) choice;
        if (ready.canGoOn()) {
            return isSwitchedHere(ready) ? first(ready, 1) : 0;
        }
        return oldestFirst ? 0 : first(ready, 0);
    }

    private boolean isSwitchedHere(Ready ready) {
        Way way = ways.get(ready.key(0));
        long position = ready.position(0);
        if (way == null || !way.moveTo(position)) {
            return false;
        }
        Stretch stretch = way.stretches.get(way.at);
        return stretch.switched && stretch.end == position && kept.contains(way.numbers.get(way.at));
    }

    /** {@return the index of the one whose next stretch came first} */
    private int first(Ready ready, int from) {
        int best = from;
        int bestTurn = Integer.MAX_VALUE;
        for (int i = from; i < ready.size(); i++) {
            Way way = ways.get(ready.key(i));
            int turn = way == null ? Integer.MAX_VALUE : way.turn(ready.position(i));
            if (turn < bestTurn) {
                best = i;
                bestTurn = turn;
            }
        }
        return best;
    }

    @Override
    public int draw(int bound) {
        int value = draws < drawn.size() ? drawn.get(draws) : 0;
        draws++;
        return Math.min(value, bound - 1);
    }
}
