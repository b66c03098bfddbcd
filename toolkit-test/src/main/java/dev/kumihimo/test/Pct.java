package dev.kumihimo.test;

import java.util.Arrays;

/*
 * Algorithm: probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi and Nagarakatte, ASPLOS 2010): each task has a
 * random priority, and the ready one with the highest runs; at depth - 1 steps, drawn before the run, whoever would run falls
 * below all that have not fallen. A bug of a depth, among n tasks and k steps, is found with a probability of at least
 * 1 / (n * k^(depth - 1)).
 * Differences: a step is a choice, since with one task ready nothing is decided; a task that yields has nothing to do but wait
 * for another, and falls below all, or a loop that yields would never end.
 */

/** Random priorities with a few places of change. */
final class Pct implements Strategy {
    private static final long UNSEEN = Long.MIN_VALUE;

    private final long seed;
    private final int depth;
    private final int steps;
    private final Rng priorities;
    private final Rng draws;
    private final long[] changes; // the numbers of the steps, ascending
    private int nextChange;
    private long step;
    private long[] priority = new long[0]; // by the number of the task
    private long lowest; // falls; those of tasks that have not fallen are above 0

    Pct(long seed, int depth, int steps) {
        if (depth < 1) {
            throw new IllegalArgumentException("depth=" + depth + " must be at least 1");
        }
        if (steps < 1) {
            throw new IllegalArgumentException("steps=" + steps + " must be at least 1");
        }
        this.seed = seed;
        this.depth = depth;
        this.steps = steps;
        Rng root = Rng.of(seed);
        priorities = root.split();
        draws = root.split();
        Rng places = root.split();
        changes = new long[depth - 1];
        for (int i = 0; i < changes.length; i++) {
            changes[i] = 1L + places.nextInt(steps);
        }
        Arrays.sort(changes);
    }

    @Override
    public int choose(Choice choice) {
        step++;
        int yielded = choice.yielded();
        if (yielded >= 0) {
            fall(choice.task(yielded));
        }
        int highest = highest(choice);
        while (nextChange < changes.length && changes[nextChange] <= step) {
            nextChange++;
            fall(choice.task(highest));
            highest = highest(choice);
        }
        return highest;
    }

    private int highest(Choice choice) {
        int best = 0;
        for (int i = 1, size = choice.size(); i < size; i++) {
            if (of(choice.task(i)) > of(choice.task(best))) {
                best = i;
            }
        }
        return best;
    }

    private long of(int task) {
        if (task >= priority.length) {
            int known = priority.length;
            priority = Arrays.copyOf(priority, Math.max(8, 2 * task));
            Arrays.fill(priority, known, priority.length, UNSEEN);
        }
        if (priority[task] == UNSEEN) {
            priority[task] = 1 + (priorities.nextLong() >>> 1);
        }
        return priority[task];
    }

    private void fall(int task) {
        of(task); // has it drawn, whenever it falls
        priority[task] = --lowest;
    }

    @Override
    public int draw(int bound) {
        return draws.nextInt(bound);
    }

    @Override
    public String toString() {
        return "Strategy.pct(" + Seeds.show(seed) + "L, " + depth + ", " + steps + ")";
    }
}
