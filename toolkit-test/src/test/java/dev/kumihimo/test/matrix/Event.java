package dev.kumihimo.test.matrix;

/** What strikes a waiting operation. */
enum Event {
    /** Nothing: it must succeed. */
    NONE,
    /** The task is aborted. */
    ABORT,
    /** The token of a region around it is cancelled. */
    TOKEN,
    /** Its time is over, or that of a region around it. */
    EXPIRY,
    /** Its thread is interrupted. */
    INTERRUPT,
    /** A peer closes the object. */
    CLOSE,
    /** The runtime is shut down. */
    SHUTDOWN
}
