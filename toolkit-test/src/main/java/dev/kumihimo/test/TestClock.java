package dev.kumihimo.test;

import dev.kumihimo.internal.driver.VirtualTimers;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/**
 * The clock of a {@link TestRuntime}. It stands while anything runs, and jumps to the next deadline when nothing can.
 *
 * <pre>{@code
 * test.run(() -> Task.sleep(Duration.ofHours(1)));
 * assertThat(test.clock().elapsed()).isEqualTo(Duration.ofHours(1));   // at once
 * }</pre>
 *
 * <p>It is also the {@code instantSource()} of the runtime, and as such begins at 2000-01-01T00:00Z and moves exactly with the
 * virtual time. {@code System.nanoTime()} and {@code Instant.now()} are real time, also in a task. Any thread may read it.
 *
 * @since 0.1
 */
public final class TestClock implements InstantSource {
    private static final Instant START = Instant.parse("2000-01-01T00:00:00Z");

    private final VirtualTimers timers;

    TestClock(VirtualTimers timers) {
        this.timers = timers;
    }

    /** {@return the nanoseconds that have passed since the runtime was made} */
    public long nanoTime() {
        return timers.nanoTime();
    }

    /** {@return how much time has passed since the runtime was made} */
    public Duration elapsed() {
        return Duration.ofNanos(nanoTime());
    }

    @Override
    public Instant instant() {
        return START.plusNanos(nanoTime());
    }

    @Override
    public String toString() {
        return format(nanoTime());
    }

    static String format(long nanos) {
        long millis = nanos / 1_000_000;
        String time = String.format(
                "%02d:%02d:%02d.%03d", millis / 3_600_000, millis / 60_000 % 60, millis / 1_000 % 60, millis % 1_000);
        long rest = nanos % 1_000_000;
        return rest == 0 ? time : time + String.format("_%06d", rest);
    }
}
