package dev.kumihimo.internal.wait;

/** What a timer ends when its time has come. */
public interface Expirable {
    /**
     * Called once by the driver at or after the deadline. Runs on the carrier side: it may compare-and-set and unpark; it
     * never throws, blocks, takes a lock or calls user code.
     */
    void expire();
}
