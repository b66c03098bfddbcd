package dev.kumihimo.test;

import java.util.ArrayDeque;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Which schedules an exploration runs, one after the other. */
final class Plan {
    /**
     * How the portfolio divides seeds, by their last digit, so that each has one way in which it is used: three in ten at
     * random, the others by depths.
     */
    private static final int[] MIX = {0, 2, 3, 0, 5, 2, 0, 3, 5, 3}; // 0: random

    private static final int SEARCHED_PART = 4; // of the portfolio's schedules, one in so many is of the search
    private static final int MOST_SEARCHED = 100_000; // the search keeps those to come

    private final long[] regressions;
    private final ArrayDeque<Supplier<@Nullable Attempt>> phases = new ArrayDeque<>();
    private @Nullable Preemptions search;
    private int steps = 1; // how many choices the run in order had
    private int left; // of the count
    private int regressionsLeft;

    /**
     * One schedule.
     *
     * @param family what it is counted under
     * @param order how a report calls it, and how it is replayed
     * @param strategy makes its strategy, for each run anew
     * @param ran told the strategy after a run that did not fail
     * @param counts whether it is one of those that were asked for
     * @param seed what its data come from, and its order if that has a seed; null for the data of the exploration
     */
    record Attempt(
            String family,
            String order,
            Supplier<Strategy> strategy,
            Consumer<Strategy> ran,
            boolean counts,
            @Nullable Long seed) {
        Attempt(String family, String order, @Nullable Long seed, Supplier<Strategy> strategy) {
            this(family, order, strategy, ran -> {}, true, seed);
        }

        Attempt uncounted() {
            return new Attempt(family, order, strategy, ran, false, seed);
        }
    }

    private Plan(long[] regressions) {
        this.regressions = regressions;
    }

    /** {@return whether known seeds are still to be run, which no budget cuts off} */
    boolean hasRegressionsLeft() {
        return regressionsLeft > 0;
    }

    /** {@return the next one, or null at the end} */
    @Nullable
    Attempt next() {
        for (Supplier<@Nullable Attempt> phase; (phase = phases.peek()) != null; phases.remove()) {
            Attempt attempt = phase.get();
            if (attempt != null) {
                return attempt;
            }
        }
        return null;
    }

    /** Told how many choices the run in order had. */
    void steps(int choices) {
        steps = Math.max(1, choices);
    }

    /** {@return the highest bound of which all schedules were run, or -1} */
    int exhausted() {
        return search == null ? -1 : search.exhausted();
    }

    /* ---------------- The plans there are -------------- */

    static Plan replay(String trace) {
        Plan plan = new Plan(new long[0]);
        long data = new Replay(trace).data();
        plan.once(() -> new Attempt("replay", "order: the replayed one", data, () -> new Replay(trace)));
        return plan;
    }

    static Plan seeds(long first, int count, long[] regressions, @Nullable Long given) {
        Plan plan = new Plan(regressions);
        if (given != null) {
            plan.once(() -> random(given));
            return plan;
        }
        plan.inOrder(true);
        plan.each(count, i -> random(first + i));
        return plan;
    }

    static Plan fifo(long[] regressions) {
        Plan plan = new Plan(regressions);
        plan.inOrder(true);
        return plan;
    }

    static Plan pct(int depth, long first, int count, long[] regressions, @Nullable Long given) {
        Plan plan = new Plan(regressions);
        if (given != null) {
            plan.inOrder(false);
            plan.once(() -> plan.pct(given, depth));
            return plan;
        }
        plan.inOrder(true);
        plan.each(count, i -> plan.pct(first + i, depth));
        return plan;
    }

    static Plan preemptions(int bound, int most, long[] regressions) {
        Plan plan = new Plan(regressions);
        plan.inOrder(false); // and classes are initialised, in which nobody can switch
        plan.search(bound, most);
        return plan;
    }

    static Plan portfolio(long first, int count, long[] regressions, @Nullable Long given) {
        Plan plan = new Plan(regressions);
        if (given != null) {
            plan.inOrder(false);
            plan.once(() -> plan.mixed(given));
            return plan;
        }
        plan.left = count;
        plan.counted(() -> order("fifo", Strategy::fifo));
        plan.regressions();
        plan.counted(() -> order("lifo", Strategy::lifo));
        plan.counted(() -> order("round robin", Strategy::roundRobin));
        plan.mixture(first, Math.min(MOST_SEARCHED, Math.max(1, count / SEARCHED_PART)));
        return plan;
    }

    /** In turns, so that a budget which ends early has some of each. */
    private void mixture(long first, int mostSearched) {
        Preemptions all = new Preemptions(1, mostSearched);
        search = all;
        int[] turns = {0};
        int[] searched = {0};
        int[] mixed = {0};
        phases.add(() -> {
            if (left == 0) {
                return null;
            }
            left--;
            if (turns[0]++ % SEARCHED_PART == 0 && searched[0] < mostSearched) {
                Preemptions.Path path = all.next();
                if (path != null) {
                    searched[0]++;
                    return attempt(all, path, 1);
                }
            }
            return mixed(first + mixed[0]++);
        });
    }

    private Attempt mixed(long seed) {
        int depth = MIX[Math.floorMod(seed, MIX.length)];
        return depth == 0 ? random(seed) : pct(seed, depth);
    }

    /* ---------------- What they are made of -------------- */

    private void inOrder(boolean counts) {
        Attempt fifo = order("fifo", Strategy::fifo);
        once(() -> counts ? fifo : fifo.uncounted());
        regressions();
    }

    private void regressions() {
        regressionsLeft = regressions.length;
        each(regressions.length, i -> {
            regressionsLeft--;
            return random(regressions[i]).uncounted();
        });
    }

    private void once(Supplier<Attempt> attempt) {
        each(1, i -> attempt.get());
    }

    private void counted(Supplier<Attempt> attempt) {
        each(1, i -> {
            if (left == 0) {
                return null;
            }
            left--;
            return attempt.get();
        });
    }

    private void each(int count, IntFunction<@Nullable Attempt> attempt) {
        int[] next = {0};
        phases.add(() -> next[0] == count ? null : attempt.apply(next[0]++));
    }

    private void search(int bound, int most) {
        Preemptions all = new Preemptions(bound, most);
        search = all;
        each(most, i -> {
            Preemptions.Path path = all.next();
            return path == null ? null : attempt(all, path, bound);
        });
    }

    private static Attempt attempt(Preemptions search, Preemptions.Path path, int bound) {
        return new Attempt(
                "preemptions",
                "order: Explore.preemptions(" + bound + ")",
                path::again,
                ran -> search.extend((Preemptions.Path) ran),
                true,
                null);
    }

    private static Attempt order(String family, Supplier<Strategy> strategy) {
        return new Attempt(family, "order: " + strategy.get(), null, strategy);
    }

    private static Attempt random(long seed) {
        return new Attempt("random", Seeds.order(seed), seed, () -> Strategy.random(seed));
    }

    private Attempt pct(long seed, int depth) {
        int length = steps;
        return new Attempt(
                "pct(" + depth + ")", Seeds.pct(seed, depth, length), seed, () -> Strategy.pct(seed, depth, length));
    }
}
