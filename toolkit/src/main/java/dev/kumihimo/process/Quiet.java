package dev.kumihimo.process;

import dev.kumihimo.runtime.Task;
import dev.kumihimo.sync.SetOnce;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Waits that interrupts do not end. */
final class Quiet {
    private Quiet() {}

    /** {@return the value, once it is there; or null if it was not within a time} Interrupts and cancellations are kept for later. */
    static <T> @Nullable T await(SetOnce<T> once, Duration bound) {
        return Task.<@Nullable T, RuntimeException>shield(() -> {
            boolean interrupted = false;
            try {
                while (true) {
                    try {
                        return once.await(bound);
                    } catch (InterruptedException e) {
                        interrupted = true;
                    } catch (TimeoutException e) {
                        return null;
                    }
                }
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        });
    }
}
