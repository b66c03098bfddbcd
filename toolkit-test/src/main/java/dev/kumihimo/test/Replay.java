package dev.kumihimo.test;

import java.util.List;

/** The strategy that chooses as an earlier run did, and says so where it cannot. */
final class Replay implements Strategy {
    private final List<Record.Choice> record;
    private final long data;
    private int at;

    Replay(String trace) {
        Traces.Trace read = Traces.decode(trace);
        record = read.choices();
        data = read.data();
    }

    /** {@return the seed of the data that the run had} */
    long data() {
        return data;
    }

    /** Fails if the run, which has ended without a failure, had fewer choices than the record. */
    void ensureAllAsked() {
        if (at < record.size()) {
            throw new ScheduleError("diverged from the trace: the run has ended, without a failure, after " + at
                    + " of its " + record.size() + " choices");
        }
    }

    @Override
    public int choose(Choice choice) {
        if (at == record.size()) {
            return 0;
        }
        Record.Choice expected = record.get(at);
        if (!Record.matches(expected, choice)) {
            throw diverged(expected, choice.toString());
        }
        at++;
        return expected.index();
    }

    @Override
    public int draw(int bound) {
        if (at == record.size()) {
            return 0;
        }
        Record.Choice expected = record.get(at);
        if (expected.kind() != Record.DRAW || expected.size() != bound) {
            throw diverged(expected, "a draw of " + bound);
        }
        at++;
        return expected.index();
    }

    private Divergence diverged(Record.Choice expected, String found) {
        return new Divergence("diverged from the trace at choice " + (at + 1) + " of " + record.size()
                + ": expected ready " + expected + ", and there is " + found
                + ". The code has changed, or depends on more than the order");
    }

    @Override
    public String toString() {
        return "Strategy.replay(" + record.size() + " choices)";
    }
}
