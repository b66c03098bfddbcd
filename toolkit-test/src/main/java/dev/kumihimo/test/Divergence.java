package dev.kumihimo.test;

/** Thrown by a strategy that finds a run elsewhere than the one it repeats. */
final class Divergence extends RuntimeException {
    private static final long serialVersionUID = 1;

    Divergence(String message) {
        super(message, null, false, false);
    }
}
