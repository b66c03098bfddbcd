package dev.kumihimo.benchmarks.compare;

import java.util.List;

/**
 * One figure that an experiment yields: one row of the table.
 *
 * @param name as the programs print it
 * @param unit what the figure counts
 * @param targets what it shall be
 */
public record Measure(String name, Unit unit, List<Target> targets) {
    /** What a figure counts. */
    public enum Unit {
        NANOS_PER_OPERATION("ns/op"),
        CPU_NANOS_PER_OPERATION("CPU ns/op"),
        MILLISECONDS("ms"),
        PERCENT("% of a core"),
        BYTES_PER_TASK("B/task"),
        REQUESTS_PER_SECOND("req/s"),
        CPU_MICROS_PER_REQUEST("CPU us/req"),
        MEGABYTES_PER_SECOND("MB/s"),
        CPU_MILLIS_PER_GIGABYTE("CPU ms/GB");

        private final String text;

        Unit(String text) {
            this.text = text;
        }

        public boolean moreIsBetter() {
            return this == REQUESTS_PER_SECOND || this == MEGABYTES_PER_SECOND;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    static Measure nanos(String name, Target... targets) {
        return new Measure(name, Unit.NANOS_PER_OPERATION, List.of(targets));
    }
}
