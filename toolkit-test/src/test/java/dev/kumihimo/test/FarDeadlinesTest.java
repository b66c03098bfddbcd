package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.select.Select;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.time.Deadline;
import dev.kumihimo.time.Interval;
import dev.kumihimo.time.Timeout;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Times beyond the reach of the wheel, beyond the end of the clock, and of no length, on a clock that stands still. */
class FarDeadlinesTest {
    /** What the levels of the wheel reach: 2^38 ticks, which on this clock are of a millisecond: 8.7 years. */
    private static final Duration ROTATION = Duration.ofMillis(1L << 38);

    private static final Duration TEN_YEARS = Duration.ofDays(3_652);
    private static final Duration LONGEST = Duration.ofNanos(Long.MAX_VALUE);
    private static final Duration FOREVER = ChronoUnit.FOREVER.getDuration();

    private final TestRuntime test = TestRuntime.fifo();

    @AfterEach
    void close() {
        test.close();
    }

    private Duration now() {
        return test.clock().elapsed();
    }

    private boolean endsWithin(Duration time, JoinHandle<?> task) {
        test.advance(time);
        return task.isDone();
    }

    static List<Duration> far() {
        return List.of(
                Duration.ofMillis(1),
                ROTATION.minusMillis(1),
                ROTATION,
                ROTATION.plusMillis(1),
                ROTATION.multipliedBy(2),
                ROTATION.multipliedBy(2).plusMillis(77),
                TEN_YEARS,
                TEN_YEARS.plusMillis(1),
                ROTATION.multipliedBy(8),
                Duration.ofDays(35_000)); // three of them fit into the clock
    }

    static List<Duration> beyondTheEnd() {
        return List.of(LONGEST, LONGEST.plusNanos(1), Duration.ofSeconds(Long.MAX_VALUE, 999_999_999), FOREVER);
    }

    static Stream<Duration> none() {
        return Stream.of(Duration.ZERO, Duration.ofNanos(-1), TEN_YEARS.negated(), Duration.ofSeconds(Long.MIN_VALUE));
    }

    /* ---------------- Sleeping -------------- */

    @ParameterizedTest
    @MethodSource("far")
    void sleep_landsExactly_howeverFar(Duration length) throws Exception {
        test.run(() -> {
            Task.sleep(length);
            assertThat(now()).isEqualTo(length);
            Task.sleep(Duration.ofMillis(3)); // the wheel has come round, and goes on
            assertThat(now()).isEqualTo(length.plusMillis(3));
        });
    }

    @ParameterizedTest
    @MethodSource("far")
    void sleep_isRoundedUpToAMillisecond_howeverFar(Duration length) throws Exception {
        test.run(() -> {
            Task.sleep(length.plusNanos(1));
            assertThat(now()).isEqualTo(length.plusMillis(1));
        });
        test.run(() -> {
            Duration begin = now();
            Task.sleep(length.minusNanos(1));
            assertThat(now()).isEqualTo(begin.plus(length));
        });
    }

    @Test
    void sleepsOfAllLengths_endInOrder_eachAtItsTime() {
        SplittableRandom random = new SplittableRandom(0x51eeb);
        List<Duration> ends = new ArrayList<>();
        List<JoinHandle<?>> sleepers = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            Duration length = Duration.ofMillis(random.nextLong(1L << random.nextInt(1, 43))); // up to 139 years
            sleepers.add(test.runtime().spawn(() -> {
                Task.sleep(length);
                assertThat(now()).isEqualTo(length);
                ends.add(now());
            }));
        }
        assertThat(test.advance(Duration.ofDays(100_000))).isPositive();
        assertThat(sleepers)
                .allSatisfy(
                        sleeper -> assertThat(sleeper.tryResult().isSuccess()).isTrue());
        assertThat(ends).hasSize(500).isSorted();
    }

    @Test
    void aFarSleepThatIsCancelled_leavesNoTimer() {
        JoinHandle<?> far = test.runtime().spawn(() -> Task.sleep(TEN_YEARS));
        JoinHandle<?> farther = test.runtime().spawn(() -> Task.sleep(TEN_YEARS.plusMillis(5)));
        test.advance(ROTATION.plusDays(1)); // both were moved once
        far.abort();
        test.runUntilIdle();
        assertThat(far.isDone()).isTrue();
        assertThat(test.timers()).isOne();
        assertThat(endsWithin(TEN_YEARS.plusMillis(4).minus(now()), farther)).isFalse();
        assertThat(endsWithin(Duration.ofMillis(1), farther)).isTrue();
        assertThat(test.timers()).isZero();
    }

    @ParameterizedTest
    @MethodSource("beyondTheEnd")
    void sleep_neverEnds_beyondTheEndOfTheClock(Duration length) {
        JoinHandle<?> sleeper = test.runtime().spawn(() -> {
            Task.sleep(Duration.ofMillis(1)); // the sum would overflow from here on
            Task.sleep(length);
        });
        assertThat(endsWithin(Duration.ofDays(106_000), sleeper)).isFalse();
        assertThat(endsWithin(LONGEST, sleeper)).isFalse(); // that is the end
        assertThat(test.timers()).isZero();
        sleeper.abort();
        test.runUntilIdle();
        assertThat(sleeper.isDone()).isTrue();
    }

    @ParameterizedTest
    @MethodSource("none")
    void sleep_ofNoTime_takesNone(Duration length) throws Exception {
        test.run(() -> {
            Task.sleep(Duration.ofMillis(1));
            Task.sleep(length);
            assertThat(now()).isEqualTo(Duration.ofMillis(1));
        });
    }

    /* ---------------- Timeouts, and all else that waits for a time -------------- */

    @ParameterizedTest
    @MethodSource("far")
    void timeoutCall_strikesExactly_howeverFar(Duration length) throws Exception {
        test.run(() -> {
            assertThatThrownBy(() -> Timeout.call(length, () -> Task.sleep(FOREVER)))
                    .isInstanceOf(TimeoutException.class);
            assertThat(now()).isEqualTo(length);
            assertThatThrownBy(() -> Timeout.call(FOREVER, () -> Timeout.call(length, () -> Task.sleep(FOREVER))))
                    .isInstanceOf(TimeoutException.class);
            assertThatThrownBy(() -> Timeout.call(length, () -> Timeout.call(FOREVER, () -> Task.sleep(FOREVER))))
                    .isInstanceOf(TimeoutException.class);
            assertThat(now()).isEqualTo(length.multipliedBy(3));
        });
        assertThat(test.timers()).isZero();
    }

    @ParameterizedTest
    @MethodSource("beyondTheEnd")
    void timeoutCall_neverStrikes_beyondTheEndOfTheClock(Duration length) throws Exception {
        test.run(() -> {
            Task.sleep(Duration.ofMillis(1));
            Timeout.call(length, () -> {
                assertThat(Deadline.current().isNone()).isTrue();
                Task.sleep(Duration.ofDays(100_000));
            });
            assertThat(now()).isEqualTo(Duration.ofDays(100_000).plusMillis(1));
        });
    }

    @ParameterizedTest
    @MethodSource("none")
    void timeoutCall_ofNoTime_letsTheBodyDoWhatNeedsNoWaiting(Duration length) throws Exception {
        test.run(() -> {
            Task.sleep(Duration.ofMillis(1));
            Channel<String> channel = Channel.bounded(1);
            channel.send("item");
            String item = Timeout.call(length, () -> channel.receive());
            assertThat(item).isEqualTo("item");
            assertThatThrownBy(() -> Timeout.call(length, () -> channel.receive()))
                    .isInstanceOf(TimeoutException.class);
            assertThatThrownBy(() -> Timeout.call(length, () -> Task.sleep(FOREVER)))
                    .isInstanceOf(TimeoutException.class);
            assertThat(now()).isEqualTo(Duration.ofMillis(1));
        });
        assertThat(test.timers()).isZero();
    }

    @Test
    void everyTimedWait_landsExactly_tenYearsAhead() throws Exception {
        test.run(() -> {
            Channel<String> channel = Channel.bounded(1);
            assertThatThrownBy(() -> channel.receive(TEN_YEARS)).isInstanceOf(TimeoutException.class);
            assertThat(now()).isEqualTo(TEN_YEARS);
            assertThatThrownBy(() -> Semaphore.of(0).acquire(TEN_YEARS)).isInstanceOf(TimeoutException.class);
            assertThat(now()).isEqualTo(TEN_YEARS.multipliedBy(2));
            String late = Select.<String>of()
                    .onReceive(channel, item -> item)
                    .after(TEN_YEARS, () -> "late")
                    .await();
            assertThat(late).isEqualTo("late");
            assertThat(now()).isEqualTo(TEN_YEARS.multipliedBy(3));
            Interval interval = Interval.of(TEN_YEARS);
            interval.tick();
            interval.tick();
            assertThat(now()).isEqualTo(TEN_YEARS.multipliedBy(4));
            Deadline deadline = Deadline.in(TEN_YEARS);
            Task.sleep(TEN_YEARS.minusNanos(1_000_000));
            assertThat(deadline.remaining()).isEqualTo(Duration.ofMillis(1));
            Task.sleep(deadline.remaining());
            assertThat(deadline.isExpired()).isTrue();
            assertThat(now()).isEqualTo(TEN_YEARS.multipliedBy(5));
        });
    }

    @ParameterizedTest
    @MethodSource("beyondTheEnd")
    void everyTimedWait_isEndedByWhatItWaitsFor_beyondTheEndOfTheClock(Duration length) throws Exception {
        test.run(() -> {
            Channel<String> channel = Channel.bounded(1);
            Task.spawn(() -> {
                for (int i = 0; i < 2; i++) {
                    Task.sleep(TEN_YEARS);
                    channel.send("item");
                }
            });
            assertThat(channel.receive(length)).isEqualTo("item");
            String first = Select.<String>of()
                    .onReceive(channel, item -> item)
                    .after(length, () -> "late")
                    .await();
            assertThat(first).isEqualTo("item");
            assertThat(now()).isEqualTo(TEN_YEARS.multipliedBy(2));
        });
    }
}
