package dev.kumihimo.test;

/**
 * How long something is waited for in real time, by who looks for it again and again. A look that comes late counts as one that
 * comes a little late: where the machine, or all of the JVM, stood still, what is waited for stood still as well.
 */
final class Patience {
    private final long most;
    private final long longestLook;
    private boolean begun;
    private long lastLook;
    private long waited;

    /**
     * Makes one.
     *
     * @param most for how long, in nanoseconds
     * @param look how long a look takes that is not late, in nanoseconds
     */
    Patience(long most, long look) {
        this.most = most;
        this.longestLook = 2 * look;
    }

    /** Has the next look be the first. */
    void renew() {
        begun = false;
    }

    /** Looks: {@return for how long to wait yet, in nanoseconds; zero or less if it has been waited for long enough} */
    long left() {
        long now = System.nanoTime();
        waited = begun ? waited + Math.min(now - lastLook, longestLook) : 0;
        begun = true;
        lastLook = now;
        return most - waited;
    }
}
