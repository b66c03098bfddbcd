package dev.kumihimo.support;

import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for what a test cannot be told of: a thread that has parked, a state that comes about. */
public final class Observe {
    private static final Duration BOUND = Duration.ofSeconds(10);

    private Observe() {}

    /** Returns once a condition holds, and fails if it does not within ten seconds. */
    public static void until(String what, BooleanSupplier condition) {
        until(what, BOUND, condition);
    }

    /** Returns once a condition holds, and fails if it does not within a bound. */
    public static void until(String what, Duration bound, BooleanSupplier condition) {
        long deadline = System.nanoTime() + bound.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not within " + bound + ": " + what);
            }
            LockSupport.parkNanos(100_000);
        }
    }

    /** Returns once a thread waits: in the toolkit or elsewhere. */
    public static void untilParked(Thread thread) {
        try {
            until(thread + " waits", () -> switch (thread.getState()) {
                case WAITING, TIMED_WAITING -> true;
                default -> false;
            });
        } catch (AssertionError e) {
            StringBuilder stack = new StringBuilder(thread.getState().toString());
            Arrays.stream(thread.getStackTrace())
                    .forEach(frame -> stack.append("\n  at ").append(frame));
            throw new AssertionError(e.getMessage() + ", it is " + stack, e);
        }
    }
}
