package dev.kumihimo.benchmarks.workload;

import java.lang.management.ManagementFactory;

/** Readings of the heap. */
public final class Heap {
    private static final int COLLECTIONS = 3;

    private Heap() {}

    /** Bytes in use after a collection. */
    public static long inUse() throws InterruptedException {
        for (int i = 0; i < COLLECTIONS; i++) {
            System.gc();
            Thread.sleep(50); // reference processing goes on after a collection
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
