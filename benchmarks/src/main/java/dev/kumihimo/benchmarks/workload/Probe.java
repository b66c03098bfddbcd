package dev.kumihimo.benchmarks.workload;

import java.util.Map;

/** A measurement that is not a time per operation: delays, processor time. */
@FunctionalInterface
interface Probe {
    /** Takes so many samples, or uses so many of what is measured; called outside the runtime. Figures by name. */
    Map<String, Double> measure(int samples) throws Exception;
}
