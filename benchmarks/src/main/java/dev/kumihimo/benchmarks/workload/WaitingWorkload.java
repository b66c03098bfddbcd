package dev.kumihimo.benchmarks.workload;

import java.util.Map;

/** A workload that mostly waits: what it costs is the processor time that the process uses, not the time that passes. */
interface WaitingWorkload extends Workload {
    /** Further figures of the last run, by name. */
    default Map<String, Double> figures() {
        return Map.of();
    }
}
