package dev.kumihimo.benchmarks.compare;

/** Whether a target is reached. */
public enum Verdict {
    MET("met"),
    AT_PAR("at par"),
    MISSED("missed"),
    NO_DATA("no data");

    private final String text;

    Verdict(String text) {
        this.text = text;
    }

    @Override
    public String toString() {
        return text;
    }
}
