package dev.kumihimo.test;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/*
 * Algorithm: delta debugging (ddmin, Zeller and Hildebrandt 2002) over the switches at points of the failed run; each smaller
 * run that fails alike takes its place. That ends where no single switch can be left out, which need not be the fewest; so the
 * schedules with fewer are then searched, bound after bound, as far as the time goes.
 */

/** Looks for a run that fails alike with fewer switches at points. */
final class Shrinker {
    private static final int MOST_RUNS = 20_000;

    private final Runner runner;
    private final String kind;
    private final LongPredicate isOver;
    private int runs;
    private Found best;
    private boolean fewest;

    /** Runs the body once more. */
    interface Runner {
        Outcome run(Strategy strategy, @Nullable Interleaving watch);
    }

    /** A run that failed, and how. */
    private record Found(Outcome outcome, Interleaving run) {
        int preemptions() {
            return outcome.record().preemptions();
        }
    }

    private Shrinker(Runner runner, Found first, LongPredicate isOver) {
        this.runner = runner;
        this.kind = first.outcome.kind();
        this.best = first;
        this.isOver = isOver;
    }

    /** {@return what a report adds about a failure: how little it takes, and how that is replayed} */
    static Shrunk shrink(Runner runner, Outcome failed, LongPredicate isOver) {
        Interleaving watch = new Interleaving(true);
        Outcome again = runner.run(new Replay(failed.trace()), watch);
        if (!failed.kind().equals(again.kind())) {
            return new Shrunk(
                    failed.trace(),
                    "not shrunk: run again, the same schedule "
                            + (again.failure() == null ? "did not fail" : "failed with " + again.failure()),
                    "");
        }
        int before = failed.record().preemptions();
        Shrinker shrinker = new Shrinker(runner, new Found(again, watch), isOver);
        shrinker.leaveOut();
        shrinker.straighten();
        shrinker.searchFewer();
        Found best = shrinker.best;
        Interleaving shown = new Interleaving(true);
        runner.run(new Replay(best.outcome.trace()), shown);
        return new Shrunk(
                best.outcome.trace(),
                before + (before == 1 ? " switch" : " switches") + " at points, " + best.preemptions()
                        + " after shrinking" + (shrinker.fewest ? " (it takes no fewer)" : "") + ", which took "
                        + shrinker.runs + " runs",
                shown.columns());
    }

    /** What came of it. */
    record Shrunk(String trace, String summary, String columns) {}

    private boolean isOver() {
        return runs >= MOST_RUNS || isOver.test(runs);
    }

    /** Tries a run; one that fails alike and is better becomes the best. */
    private boolean improves(Strategy strategy, boolean sameWillDo) {
        runs++;
        Interleaving watch = new Interleaving(false);
        Outcome outcome = runner.run(strategy, watch);
        if (!kind.equals(outcome.kind())) {
            return false;
        }
        Found found = new Found(outcome, watch);
        int better = best.preemptions() - found.preemptions();
        if (better > 0 || better == 0 && sameWillDo) {
            best = found;
            return true;
        }
        return false;
    }

    private boolean keeps(Set<Integer> kept, boolean oldestFirst, boolean sameWillDo) {
        return improves(
                new Guided(best.run.stretches(), kept, best.outcome.record().drawn(), oldestFirst), sameWillDo);
    }

    private void leaveOut() {
        if (best.preemptions() > 0 && !isOver()) {
            keeps(Set.of(), false, false);
        }
        int parts = 2;
        while (best.preemptions() > 0 && !isOver()) {
            List<Integer> switches = Guided.switches(best.run.stretches());
            parts = Math.min(parts, switches.size());
            boolean improved = false;
            for (int part = 0; part < parts && !improved && !isOver(); part++) {
                Set<Integer> kept = new HashSet<>(switches);
                int from = part * switches.size() / parts;
                int to = (part + 1) * switches.size() / parts;
                kept.removeAll(new ArrayList<>(switches.subList(from, to)));
                improved = keeps(kept, false, false);
            }
            if (improved) {
                parts = Math.max(2, parts - 1);
            } else if (parts >= switches.size()) {
                return;
            } else {
                parts *= 2;
            }
        }
    }

    /** Where a task stops by itself, the one that has been ready longest is what a reader expects. */
    private void straighten() {
        if (!isOver()) {
            keeps(new HashSet<>(Guided.switches(best.run.stretches())), true, true);
        }
    }

    private void searchFewer() {
        fewest = best.preemptions() == 0;
        if (fewest) {
            return;
        }
        Preemptions search = new Preemptions(best.preemptions() - 1, MOST_RUNS);
        while (!isOver()) {
            Preemptions.Path path = search.next();
            if (path == null) {
                fewest = search.exhausted() >= best.preemptions() - 1;
                return;
            }
            if (improves(path, false)) {
                fewest = search.exhausted() >= best.preemptions() - 1;
                return;
            }
            search.extend(path);
        }
    }
}
