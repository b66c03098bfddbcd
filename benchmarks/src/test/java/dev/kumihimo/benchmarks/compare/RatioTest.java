package dev.kumihimo.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RatioTest {
    @Test
    void medianIsTheMiddleOrTheMeanOfTheTwoInTheMiddle() {
        assertThat(Spread.of(3, 1, 2)).isEqualTo(new Spread(2, 1, 3));
        assertThat(Spread.of(4, 1, 2, 8)).isEqualTo(new Spread(3, 1, 8));
    }

    @Test
    void missingFiguresAreLeftOut() {
        assertThat(Spread.of(Double.NaN, 5)).isEqualTo(new Spread(5, 5, 5));
        assertThat(Spread.of(Double.NaN).isEmpty()).isTrue();
        assertThat(Spread.of().isEmpty()).isTrue();
    }

    @Test
    void ratioIsTakenWithinEachRound() {
        var target = Target.atMost(0.5, "tokio");
        var measure = Measure.nanos("yield", target);
        var results = new Results(3);
        // The second round was disturbed: both columns took ten times as long, and the ratio is none the worse.
        double[] ours = {100, 1_000, 120};
        double[] theirs = {200, 2_000, 200};
        for (int round = 0; round < 3; round++) {
            results.put(measure, "kumihimo", round, ours[round]);
            results.put(measure, "tokio", round, theirs[round]);
        }
        assertThat(results.spread(measure, target)).isEqualTo(new Spread(0.5, 0.5, 0.6));
    }

    @Test
    void aColumnWithoutFiguresGivesNoRatio() {
        var target = Target.atMost(0.5, "tokio");
        var measure = Measure.nanos("yield", target);
        var results = new Results(1);
        results.put(measure, "kumihimo", 0, 100);
        var spread = results.spread(measure, target);
        assertThat(spread.isEmpty()).isTrue();
        assertThat(target.verdict(spread)).isEqualTo(Verdict.NO_DATA);
    }

    @Test
    void withinTenPercentIsAtPar() {
        var most = Target.atMost(1.0, "tokio");
        assertThat(most.verdict(1.0)).isEqualTo(Verdict.MET);
        assertThat(most.verdict(1.09)).isEqualTo(Verdict.AT_PAR);
        assertThat(most.verdict(1.11)).isEqualTo(Verdict.MISSED);
        var least = Target.atLeast(1.0, "tokio");
        assertThat(least.verdict(1.0)).isEqualTo(Verdict.MET);
        assertThat(least.verdict(0.91)).isEqualTo(Verdict.AT_PAR);
        assertThat(least.verdict(0.89)).isEqualTo(Verdict.MISSED);
    }

    @Test
    void anAbsoluteTargetIsAboutTheFigureItself() {
        var target = Target.absolutelyAtMost(1_000);
        var measure = Measure.nanos("parked_heap", target);
        var results = new Results(1);
        results.put(measure, "kumihimo", 0, 950);
        assertThat(results.spread(measure, target).median()).isEqualTo(950);
        assertThat(target).hasToString("<= 1,000");
    }

    @Test
    void aBoundThatAlwaysHoldsIsDecidedByTheWorstRound() {
        var target = Target.alwaysAtMost(50);
        assertThat(target.verdict(new Spread(10, 5, 49))).isEqualTo(Verdict.MET);
        assertThat(target.verdict(new Spread(10, 5, 70))).isEqualTo(Verdict.MISSED);
        assertThat(Target.absolutelyAtMost(50).verdict(new Spread(10, 5, 70))).isEqualTo(Verdict.MET);
        assertThat(target).hasToString("<= 50 always");
    }
}
