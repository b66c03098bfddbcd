package dev.kumihimo.test;

import java.util.ArrayDeque;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Which schedules an exploration runs, one after the other. */
final class Plan {
    /** How the portfolio divides what is left after the first ones: three in ten at random, the others by depths. */
    private static final int[] MIX = {0, 2, 3, 0, 5, 2, 0, 3, 5, 3}; // 0: random

    private static final int[] DEPTHS = {2, 3, 5};
    private static final int SEARCHED_PART = 4; // of the portfolio's schedules, one in so many is of the search

    private final long[] regressions;
    private final ArrayDeque<Supplier<@Nullable Attempt>> phases = new ArrayDeque<>();
    private @Nullable Preemptions search;
    private int steps = 1; // how many choices the run in order had
    private int left; // of the count

    /**
     * One schedule.
     *
     * @param family what it is counted under
     * @param order how a report calls it, and how it is replayed
     * @param strategy makes its strategy, for each run anew
     * @param ran told the strategy after a run that did not fail
     * @param counts whether it is one of those that were asked for
     * @param seed what its order comes from, and so do its data; null for an order without a seed
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
        plan.once(() -> new Attempt("replay", "order: the replayed one", null, () -> new Replay(trace)));
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
            plan.once(() -> random(given));
            for (int depth : DEPTHS) {
                plan.once(() -> plan.pct(given, depth));
            }
            return plan;
        }
        plan.left = count;
        plan.counted(() -> order("fifo", Strategy::fifo));
        plan.regressions();
        plan.counted(() -> order("lifo", Strategy::lifo));
        plan.counted(() -> order("round robin", Strategy::roundRobin));
        Preemptions search = new Preemptions(1, Math.max(1, count / SEARCHED_PART));
        plan.search = search;
        int[] searched = {0};
        plan.phases.add(() -> {
            Preemptions.Path path =
                    plan.left == 0 || searched[0] == Math.max(1, count / SEARCHED_PART) ? null : search.next();
            if (path == null) {
                return null;
            }
            plan.left--;
            searched[0]++;
            return attempt(search, path, 1);
        });
        int[] mixed = {0};
        plan.phases.add(() -> {
            if (plan.left == 0) {
                return null;
            }
            plan.left--;
            int i = mixed[0]++;
            int depth = MIX[i % MIX.length];
            return depth == 0 ? random(first + i) : plan.pct(first + i, depth);
        });
        return plan;
    }

    /* ---------------- What they are made of -------------- */

    private void inOrder(boolean counts) {
        Attempt fifo = order("fifo", Strategy::fifo);
        once(() -> counts ? fifo : fifo.uncounted());
        regressions();
    }

    private void regressions() {
        each(regressions.length, i -> random(regressions[i]).uncounted());
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
                "pct(" + depth + ")",
                "seed " + Seeds.show(seed) + ": replay with " + Strategy.pct(seed, depth, length) + " or -D"
                        + Seeds.PROPERTY + "=" + Seeds.show(seed),
                seed,
                () -> Strategy.pct(seed, depth, length));
    }
}
