package dev.kumihimo.test;

import java.util.List;

/** The strategy that chooses as an earlier run did, and says so where it cannot. */
final class Replay implements Strategy {
    private final List<Record.Choice> record;
    private int at;

    Replay(String trace) {
        record = Traces.decode(trace);
    }

    /** {@return how many choices of the record were not asked for} */
    int left() {
        return record.size() - at;
    }

    int length() {
        return record.size();
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
