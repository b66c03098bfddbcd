package dev.kumihimo.test;

import java.util.List;
import java.util.stream.IntStream;

/**
 * Decides what a {@link TestRuntime} runs next. Asked only where there is a choice: when a task has parked, yielded or ended
 * and several others are ready, and at the points of a task that could go on while others are ready.
 *
 * <pre>{@code
 * Strategy goOnElseSecond = choice -> choice.canGoOn() ? 0 : 1;
 * try (TestRuntime test = TestRuntime.with(goOnElseSecond)) { ... }
 * }</pre>
 *
 * <p>It must depend on nothing but what it is asked and its own state, or a run cannot be replayed. A task that yields again and
 * again waits for others, as in {@link TestTasks#assertParked}, which gives up after 1,000 yields: let them run, see
 * {@link Choice#yields}.
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
     * {@return the opposite order: last ready, first run, and nobody is interrupted at a point} Tasks that yield let all others
     * run before, and each other in turns. After 10,000 choices it goes on as {@link #fifo()}, or those that wait for each other in loops
     * would do so for ever.
     */
    static Strategy lifo() {
        return new Strategies.Bounded(new Strategies.Lifo(), Strategies.UNFAIR_CHOICES);
    }

    /**
     * {@return one that gives each task a turn, in the order of their numbers, up to its next point} After 100,000 choices it
     * goes on as {@link #fifo()}.
     */
    static Strategy roundRobin() {
        return new Strategies.Bounded(new Strategies.RoundRobin(), Strategies.FAIR_CHOICES);
    }

    /**
     * {@return one that chooses at random, all being equally likely, also at each point} After 100,000 choices it goes on as
     * {@link #fifo()}.
     *
     * @param seed what determines the choices
     */
    static Strategy random(long seed) {
        return new Strategies.Bounded(new Strategies.Random(seed), Strategies.FAIR_CHOICES);
    }

    /**
     * {@return probabilistic concurrency testing, for runs of about 100 choices} See {@link #pct(long, int, int)}.
     *
     * @param seed what determines the choices
     * @param depth the depth of the bugs it looks for, at least 1
     * @throws IllegalArgumentException if the depth is below 1
     */
    static Strategy pct(long seed, int depth) {
        return pct(seed, depth, 100);
    }

    /**
     * {@return probabilistic concurrency testing: each task has a random priority, the ready one with the highest runs, and at
     * {@code depth - 1} random choices whoever would run falls below the others} A bug that needs {@code depth} things to
     * happen in an order, among n tasks, is found by one run with a probability of at least
     * {@code 1 / (n * steps^(depth - 1))}. A task that yields falls below the others too. After 10,000 choices it goes on as
     * {@link #fifo()}.
     *
     * @param seed what determines the choices
     * @param depth the depth of the bugs it looks for, at least 1
     * @param steps about how many choices a run has, at least 1
     * @throws IllegalArgumentException if the depth or the number of steps is below 1
     */
    static Strategy pct(long seed, int depth, int steps) {
        return new Strategies.Bounded(new Pct(seed, depth, steps), Strategies.UNFAIR_CHOICES);
    }

    /**
     * {@return one that chooses as an earlier run did; beyond the end of the record it takes the first} Where a run differs from
     * the record it fails with a {@link ScheduleError} that tells at which choice, what was ready then and what is now.
     *
     * @param trace the record, as {@link TestRuntime#trace()} tells it
     * @throws IllegalArgumentException if it is no such record, or one of another version of the kit
     */
    static Strategy replay(String trace) {
        return new Replay(trace);
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

        /** {@return the number of the task that ran last, or runs; -1 if none has run} */
        default int last() {
            return -1;
        }

        /** {@return the index of the one that has run last and has just yielded, not at a point; -1 if there is none} */
        default int yielded() {
            return -1;
        }

        /**
         * {@return how often in a row one has stopped by yielding, not at a point, and by nothing else} It may be waiting for
         * others in a loop, which a strategy lets end by running them.
         *
         * @param index 0 to below {@link #size()}
         */
        default int yields(int index) {
            return index == yielded() ? 1 : 0;
        }

        /** {@return the numbers of all} */
        default List<Integer> tasks() {
            return IntStream.range(0, size()).mapToObj(this::task).toList();
        }
    }
}
