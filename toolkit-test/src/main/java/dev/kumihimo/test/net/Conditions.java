package dev.kumihimo.test.net;

/**
 * What one direction between two hosts is like.
 *
 * @param latency how long a segment is under way
 * @param loss how likely it is lost, and sent again
 * @param bandwidth bytes in a second
 * @param window how many bytes may be written and not yet read
 * @param fragments the most bytes of one read
 * @param shortWrites the most bytes of one write
 * @param cut whether anything passes at all
 */
record Conditions(Latency latency, double loss, long bandwidth, int window, int fragments, int shortWrites, Cut cut) {
    /** Whether anything passes. */
    enum Cut {
        /** It does. */
        NONE,
        /** It does not, and is lost. */
        PARTITION,
        /** It does not, and is kept. */
        HOLD
    }

    static final int WINDOW = 64 * 1024;

    static final Conditions IDEAL =
            new Conditions(Latency.NONE, 0, Long.MAX_VALUE, WINDOW, Integer.MAX_VALUE, Integer.MAX_VALUE, Cut.NONE);

    boolean isCut() {
        return cut != Cut.NONE;
    }

    Conditions latency(Latency of) {
        return new Conditions(of, loss, bandwidth, window, fragments, shortWrites, cut);
    }

    Conditions loss(double of) {
        return new Conditions(latency, of, bandwidth, window, fragments, shortWrites, cut);
    }

    Conditions bandwidth(long of) {
        return new Conditions(latency, loss, of, window, fragments, shortWrites, cut);
    }

    Conditions window(int of) {
        return new Conditions(latency, loss, bandwidth, of, fragments, shortWrites, cut);
    }

    Conditions fragments(int of) {
        return new Conditions(latency, loss, bandwidth, window, of, shortWrites, cut);
    }

    Conditions shortWrites(int of) {
        return new Conditions(latency, loss, bandwidth, window, fragments, of, cut);
    }

    Conditions cut(Cut of) {
        return new Conditions(latency, loss, bandwidth, window, fragments, shortWrites, of);
    }
}
