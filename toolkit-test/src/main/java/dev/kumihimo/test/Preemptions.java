package dev.kumihimo.test;

import java.util.ArrayList;
import java.util.List;

/*
 * Algorithm: depth-first search over the choices of a run, by running it again from the start each time (CHESS, Musuvathi and
 * Qadeer 2007): a run follows the path up to its end and then always takes the first; then the last choice of the path that
 * has an alternative within the bound is changed, and what follows it forgotten. The first at a point is to go on.
 */

/** The strategy that goes through all schedules with a bounded number of switches at points. */
final class Preemptions implements Strategy {
    private final int bound;
    private final List<Made> path = new ArrayList<>();
    private int depth;

    Preemptions(int bound) {
        this.bound = bound;
    }

    private static final class Made {
        final int size;
        final boolean preempts;
        int index;

        Made(int size, boolean preempts) {
            this.size = size;
            this.preempts = preempts;
        }

        int cost() {
            return preempts && index > 0 ? 1 : 0;
        }
    }

    @Override
    public int choose(Choice choice) {
        return next(choice.size(), choice.canGoOn());
    }

    @Override
    public int draw(int bound) {
        return next(bound, false);
    }

    private int next(int size, boolean preempts) {
        if (depth == path.size()) {
            path.add(new Made(size, preempts));
        }
        Made made = path.get(depth++);
        if (made.size != size || made.preempts != preempts) {
            throw new IllegalStateException("at choice " + depth + " there were " + made.size
                    + " to choose from, and are now " + size + ": the run depends on more than the order");
        }
        return made.index;
    }

    /** Goes on to the next schedule; false if there is none. */
    boolean advance() {
        if (depth < path.size()) {
            throw new IllegalStateException("a run of " + depth + " choices followed a path of " + path.size());
        }
        depth = 0;
        int spent = path.stream().mapToInt(Made::cost).sum();
        for (int last = path.size() - 1; last >= 0; last--) {
            Made made = path.get(last);
            spent -= made.cost();
            if (made.index + 1 < made.size && spent + (made.preempts ? 1 : 0) <= bound) {
                made.index++;
                return true;
            }
            path.remove(last);
        }
        return false;
    }
}
