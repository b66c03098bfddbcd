package dev.kumihimo.test;

import java.util.ArrayList;
import java.util.List;

/**
 * Tasks that can always run, without any thread: each has so many steps, and could be switched after each but the last. What a
 * strategy makes of them is known in advance.
 */
final class Steps {
    private final int[] left;
    private final Strategy strategy;
    private final List<Integer> ready = new ArrayList<>();
    private final StringBuilder order = new StringBuilder();
    private int switches;

    private Steps(Strategy strategy, int tasks, int steps) {
        this.strategy = strategy;
        left = new int[tasks];
        for (int i = 0; i < tasks; i++) {
            left[i] = steps;
            ready.add(i);
        }
    }

    /** What became of it: the tasks by letters, in the order of their steps; and how often one was switched that could go on. */
    record Run(String order, int switches) {}

    static Run run(Strategy strategy, int tasks, int steps) {
        Steps run = new Steps(strategy, tasks, steps);
        run.run();
        return new Run(run.order.toString(), run.switches);
    }

    private void run() {
        int last = -1;
        int running = -1;
        while (running >= 0 || !ready.isEmpty()) {
            if (running < 0) {
                running = ready.remove(choose(List.copyOf(ready), false, last));
            }
            order.append((char) ('a' + running));
            last = running;
            if (--left[running] == 0) {
                running = -1;
                continue;
            }
            List<Integer> all = new ArrayList<>(List.of(running));
            all.addAll(ready);
            int index = choose(all, true, running);
            if (index > 0) {
                switches++;
                ready.add(running); // now the one that has been ready for the shortest time
                running = ready.remove(index - 1);
            }
        }
    }

    private int choose(List<Integer> tasks, boolean canGoOn, int last) {
        return tasks.size() < 2 ? 0 : strategy.choose(new Asked(tasks, canGoOn, last, -1));
    }

    record Asked(List<Integer> tasks, boolean canGoOn, int last, int yielded) implements Strategy.Choice {
        @Override
        public int size() {
            return tasks.size();
        }

        @Override
        public int task(int index) {
            return tasks.get(index);
        }
    }
}
