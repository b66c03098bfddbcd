package dev.kumihimo.test;

import java.util.List;
import java.util.stream.IntStream;

/**
 * Decides what a {@link TestRuntime} runs next. Asked only where there is a choice: when a task has parked, yielded or ended
 * and several others are ready, and at the points of a task that could go on while others are ready.
 *
 * <pre>{@code
 * Strategy newestFirst = choice -> choice.size() - 1;
 * try (TestRuntime test = TestRuntime.with(newestFirst)) { ... }
 * }</pre>
 *
 * <p>It must depend on nothing but what it is asked and its own state, or a run cannot be replayed.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface Strategy {
    /**
     * Chooses.
     *
     * @param choice what there is to choose from
     * @return the index of what runs next, 0 to below {@link Choice#size()}
     */
    int choose(Choice choice);

    /**
     * {@return a number from 0 for a choice that is not of tasks, as which branch a select tries first} It is 0 unless
     * overridden.
     *
     * @param bound one above the highest, at least 2
     */
    default int draw(int bound) {
        return 0;
    }

    /** {@return the order of a plain scheduler: first ready, first run, and nobody is interrupted at a point} */
    static Strategy fifo() {
        return new Strategies.Fifo();
    }

    /**
     * {@return one that chooses at random, all being equally likely, also at each point}
     *
     * @param seed what determines the choices
     */
    static Strategy random(long seed) {
        return new Strategies.Random(seed);
    }

    /**
     * {@return one that chooses as an earlier run did; beyond the end of the record it takes the first}
     *
     * @param trace the record, as {@link TestRuntime#trace()} tells it
     * @throws IllegalArgumentException if it is no such record
     */
    static Strategy replay(String trace) {
        return new Strategies.Replay(trace);
    }

    /** What there is to choose from. */
    interface Choice {
        /** {@return how many can run, at least 2} */
        int size();

        /**
         * {@return the number of a task: tasks are numbered in the order in which they were started}
         *
         * @param index 0 to below {@link #size()}; from the one that has been ready longest, after the running one
         */
        int task(int index);

        /** {@return whether the one at index 0 is running and could go on, so that another means a switch at a point} */
        boolean canGoOn();

        /** {@return the numbers of all} */
        default List<Integer> tasks() {
            return IntStream.range(0, size()).mapToObj(this::task).toList();
        }
    }
}
