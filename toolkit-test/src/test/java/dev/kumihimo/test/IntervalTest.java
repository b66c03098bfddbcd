package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.select.Select;
import dev.kumihimo.time.Deadline;
import dev.kumihimo.time.Interval;
import dev.kumihimo.time.MissedTickBehavior;
import dev.kumihimo.time.Timeout;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When an interval ticks, on a clock that stands still. */
class IntervalTest {
    private static final Duration PERIOD = millis(100);

    private final TestRuntime test = TestRuntime.fifo();

    @AfterEach
    void close() {
        test.close();
    }

    private static Duration millis(long millis) {
        return Duration.ofMillis(millis);
    }

    private long now() {
        return test.clock().elapsed().toMillis();
    }

    /** {@return when a tick was scheduled, in milliseconds on the test's clock} */
    private long scheduled(Deadline tick) {
        return test.clock().elapsed().minus(tick.elapsed()).toMillis();
    }

    private List<Long> ticks(Interval interval, int count) throws InterruptedException {
        List<Long> ticks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ticks.add(scheduled(interval.tick()));
        }
        return ticks;
    }

    /* ---------------- The schedule -------------- */

    @Test
    void tick_givesTheFirstAtOnce_andThenOneAPeriod() throws Exception {
        test.run(() -> {
            Task.sleep(millis(7));
            Interval interval = Interval.of(PERIOD);
            assertThat(scheduled(interval.tick())).isEqualTo(7);
            assertThat(now()).isEqualTo(7);
            assertThat(scheduled(interval.tick())).isEqualTo(107);
            assertThat(now()).isEqualTo(107);
            assertThat(ticks(interval, 3)).containsExactly(207L, 307L, 407L);
            assertThat(now()).isEqualTo(407);
        });
    }

    @Test
    void tick_doesNotDrift_howeverLongTheWorkBetween() throws Exception {
        test.run(() -> {
            Interval interval = Interval.of(PERIOD);
            for (long i = 0; i < 20; i++) {
                assertThat(scheduled(interval.tick())).isEqualTo(i * 100);
                Task.sleep(millis(i * 37 % 100));
            }
        });
    }

    @Test
    void of_beginsWithAPause_ifTheFirstTickIsToComeLater() throws Exception {
        test.run(() -> {
            Interval interval = Interval.of(PERIOD, Deadline.in(millis(250)));
            assertThat(ticks(interval, 3)).containsExactly(250L, 350L, 450L);
        });
    }

    @Test
    void of_countsTheTicksSinceAPastStart_asMissed() throws Exception {
        test.run(() -> {
            Deadline start = Deadline.in(Duration.ZERO);
            Task.sleep(millis(250));
            assertThat(ticks(Interval.of(PERIOD, start), 4)).containsExactly(0L, 100L, 200L, 300L);
            assertThat(now()).isEqualTo(300);
        });
    }

    @Test
    void tick_isNotDue_afterTheEndOfTheClock() throws Exception {
        test.run(() -> {
            Interval once = Interval.of(Duration.ofNanos(Long.MAX_VALUE));
            Task.sleep(millis(1));
            assertThat(scheduled(once.tick())).isZero();
            assertThat(once.tryTick()).isNull();
            assertThat(Interval.of(PERIOD, Deadline.in(ChronoUnit.FOREVER.getDuration()))
                            .tryTick())
                    .isNull();
            assertThatThrownBy(() -> once.tick(Duration.ofDays(10_000))).isInstanceOf(TimeoutException.class);
        });
    }

    @Test
    void tick_isNeverEarly_ifThePeriodIsNoMultipleOfAMillisecond() throws Exception {
        test.run(() -> {
            Interval interval = Interval.of(Duration.ofNanos(333_333));
            for (int i = 0; i < 30; i++) {
                long scheduled = test.nanoTime() - interval.tick().elapsed().toNanos();
                assertThat(scheduled).isLessThanOrEqualTo(test.nanoTime());
            }
            assertThat(test.nanoTime()).isBetween(29 * 333_333L, 29 * 333_333L + 1_000_000);
        });
    }

    /* ---------------- Missed ticks -------------- */

    @ParameterizedTest
    @CsvSource({
        "BURST, 100 200 300 400 500",
        "DELAY, 100 430 530 630 730",
        "SKIP, 100 400 500 600 700",
    })
    void afterALateTick_theBehaviorDecides(MissedTickBehavior behavior, String expected) throws Exception {
        test.run(() -> {
            Interval interval = Interval.of(PERIOD).missedTicks(behavior);
            interval.tick();
            Task.sleep(millis(330));
            List<Long> ticks = ticks(interval, 5);
            assertThat(ticks).extracting(String::valueOf).containsExactly(expected.split(" "));
        });
    }

    @ParameterizedTest
    @CsvSource({"DELAY, 105, 200", "DELAY, 106, 206", "SKIP, 105, 200", "SKIP, 106, 200", "BURST, 106, 200"})
    void aTickUpTo5MillisecondsLate_countsAsInTime(MissedTickBehavior behavior, long taken, long next)
            throws Exception {
        test.run(() -> {
            Interval interval = Interval.of(PERIOD).missedTicks(behavior);
            interval.tick();
            Task.sleep(millis(taken));
            assertThat(scheduled(interval.tick())).isEqualTo(100);
            assertThat(scheduled(interval.tick())).isEqualTo(next);
        });
    }

    @Test
    void skip_goesOnWithTheNextPeriod_ifTheLateTickIsTakenExactlyAtOne() throws Exception {
        test.run(() -> {
            Interval interval = Interval.of(PERIOD).missedTicks(MissedTickBehavior.SKIP);
            Task.sleep(millis(300));
            assertThat(ticks(interval, 3)).containsExactly(0L, 400L, 500L);
        });
    }

    @Test
    void burst_isTheBehavior_unlessAnotherIsChosen() {
        Interval interval = Interval.of(PERIOD);
        assertThat(interval.missedTicks()).isEqualTo(MissedTickBehavior.BURST);
        assertThat(interval.missedTicks(MissedTickBehavior.DELAY).missedTicks()).isEqualTo(MissedTickBehavior.DELAY);
        assertThat(interval.period()).isEqualTo(PERIOD);
        assertThat(interval).hasToString("Interval[every PT0.1S, DELAY]");
    }

    /* ---------------- Resets -------------- */

    @ParameterizedTest
    @CsvSource({"BURST", "DELAY", "SKIP"})
    void aReset_dropsTicksThatAreDue_andBeginsAnew(MissedTickBehavior behavior) throws Exception {
        test.run(() -> {
            Interval interval = Interval.of(PERIOD).missedTicks(behavior);
            Task.sleep(millis(330));
            interval.reset();
            assertThat(ticks(interval, 2)).containsExactly(430L, 530L);
            interval.resetImmediately();
            assertThat(ticks(interval, 2)).containsExactly(530L, 630L);
            interval.resetAfter(millis(1_000)); // may be more than the period
            assertThat(ticks(interval, 2)).containsExactly(1_630L, 1_730L);
            interval.resetAt(Deadline.in(millis(20)));
            assertThat(ticks(interval, 2)).containsExactly(1_750L, 1_850L);
        });
    }

    @Test
    void resetAt_ofThePast_catchesUpAsTheBehaviorSays() throws Exception {
        test.run(() -> {
            Deadline past = Deadline.in(millis(50));
            Task.sleep(millis(300));
            Interval interval = Interval.of(PERIOD);
            interval.resetAt(past);
            assertThat(ticks(interval, 4)).containsExactly(50L, 150L, 250L, 350L);
            interval.missedTicks(MissedTickBehavior.SKIP).resetAt(past);
            assertThat(ticks(interval, 2)).containsExactly(50L, 450L);
        });
    }

    /* ---------------- Waiting -------------- */

    @Test
    void tryTick_takesWhatIsDue_andNothingElse() throws Exception {
        test.run(() -> {
            Interval interval = Interval.of(PERIOD);
            assertThat(interval.tryTick()).isNotNull();
            assertThat(interval.tryTick()).isNull();
            Task.sleep(PERIOD);
            assertThat(scheduled(interval.tryTick())).isEqualTo(100);
            assertThat(interval.tryTick()).isNull();
        });
    }

    @Test
    void tick_withATime_throwsWhenThatIsOver_andTakesNone() throws Exception {
        test.run(() -> {
            Interval interval = Interval.of(PERIOD);
            interval.tick(Duration.ZERO);
            assertThatThrownBy(() -> interval.tick(Duration.ZERO)).isInstanceOf(TimeoutException.class);
            assertThatThrownBy(() -> interval.tick(millis(40)))
                    .isInstanceOf(TimeoutException.class)
                    .hasMessage("no tick within PT0.04S of Interval[every PT0.1S, BURST]");
            assertThat(now()).isEqualTo(40);
            assertThat(scheduled(interval.tick(millis(60)))).isEqualTo(100);
        });
    }

    @Test
    void aTickThatWasCancelledInItsWait_isStillToCome() throws Exception {
        test.run(() -> {
            Interval interval = Interval.of(PERIOD);
            interval.tick();
            assertThatThrownBy(() -> Timeout.call(millis(30), () -> interval.tick()))
                    .isInstanceOf(TimeoutException.class);
            JoinHandle<?> ticking = Task.spawn(() -> interval.tick());
            Task.sleep(millis(30));
            ticking.abort();
            assertThatThrownBy(ticking::join).isInstanceOf(TaskCancelledException.class);
            assertThat(now()).isEqualTo(60);
            assertThat(scheduled(interval.tick())).isEqualTo(100);
        });
    }

    @Test
    void aLoopOverDueTicks_obeysACancellation() {
        JoinHandle<?> loop = test.runtime().spawn(() -> {
            Interval interval = Interval.of(Duration.ofNanos(1), Deadline.in(Duration.ZERO));
            Task.sleep(millis(1));
            while (true) {
                interval.tick(); // a million are due
            }
        });
        test.runUntilIdle();
        test.elapse(millis(1));
        loop.abort();
        test.runUntilIdle();
        assertThat(loop.isDone()).isTrue();
    }

    @Test
    void aTickThatIsCut_byADeadlineAtTheNextOne() throws Exception {
        test.run(() -> {
            Interval interval = Interval.of(PERIOD);
            Deadline tick = interval.tick();
            assertThatThrownBy(() -> Timeout.at(tick.plus(interval.period()), () -> Task.sleep(millis(1_000))))
                    .isInstanceOf(TimeoutException.class);
            assertThat(now()).isEqualTo(100);
        });
    }

    /* ---------------- Selecting -------------- */

    @Test
    void select_takesATick_whenItIsDue() throws Exception {
        test.run(() -> {
            Interval interval = Interval.of(PERIOD);
            Channel<String> never = Channel.bounded(1);
            List<Long> ticks = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                ticks.add(Select.<Long>of()
                        .on(interval, tick -> scheduled(tick))
                        .onReceive(never, item -> -1L)
                        .after(millis(500), () -> -2L)
                        .await());
            }
            assertThat(ticks).containsExactly(0L, 100L, 200L);
            assertThat(now()).isEqualTo(200);
        });
    }

    @Test
    void select_takesNoTick_ifAnotherBranchWins() throws Exception {
        test.run(() -> {
            Interval interval = Interval.of(PERIOD);
            interval.tick();
            Channel<String> items = Channel.bounded(1);
            Task.spawn(() -> {
                Task.sleep(millis(30));
                items.send("item");
            });
            Select<String> select = Select.<String>of()
                    .on(interval, tick -> "tick of " + scheduled(tick))
                    .onReceive(items, item -> item);
            assertThat(select.await()).isEqualTo("item");
            assertThat(select.await()).isEqualTo("tick of 100");
            assertThat(Select.<String>of()
                            .on(interval, tick -> "tick")
                            .otherwise(() -> "none is due")
                            .await())
                    .isEqualTo("none is due");
        });
    }

    @Test
    void select_overTwoIntervals_losesNoTickOfEither() throws Exception {
        test.run(() -> {
            Interval two = Interval.of(millis(2));
            Interval three = Interval.of(millis(3));
            List<Long> twos = new ArrayList<>();
            List<Long> threes = new ArrayList<>();
            Select<Boolean> select = Select.<Boolean>of()
                    .on(two, tick -> twos.add(scheduled(tick)))
                    .on(three, tick -> threes.add(scheduled(tick)));
            for (int i = 0; i < 11; i++) {
                select.await();
            }
            assertThat(twos).startsWith(0L, 2L, 4L, 6L, 8L, 10L);
            assertThat(threes).startsWith(0L, 3L, 6L, 9L);
        });
    }

    /* ---------------- Deadlines -------------- */

    @Test
    void timeoutAt_endsTheBody_atAPointInTime() throws Exception {
        test.run(() -> {
            Deadline deadline = Deadline.in(PERIOD);
            String done = Timeout.at(deadline, () -> {
                Task.sleep(millis(60));
                return "first step";
            });
            assertThat(done).isEqualTo("first step");
            assertThat(deadline.remaining()).isEqualTo(millis(40));
            assertThatThrownBy(() -> Timeout.at(deadline, () -> Task.sleep(millis(60))))
                    .isInstanceOf(TimeoutException.class)
                    .hasMessage("not done by the deadline, which was PT0.04S ahead");
            assertThat(now()).isEqualTo(100);
        });
        assertThat(test.timers()).isZero();
    }

    @Test
    void timeoutAt_ofThePast_letsTheBodyDoWhatNeedsNoWaiting() throws Exception {
        test.run(() -> {
            Deadline past = Deadline.in(Duration.ZERO);
            Task.sleep(PERIOD);
            Channel<String> channel = Channel.bounded(1);
            channel.send("item");
            String item = Timeout.at(past, () -> channel.receive());
            assertThat(item).isEqualTo("item");
            assertThatThrownBy(() -> Timeout.at(past, () -> channel.receive())).isInstanceOf(TimeoutException.class);
            assertThat(now()).isEqualTo(100);
        });
    }

    @Test
    void timeoutAt_ofNoDeadline_neverPasses_andNeverOutlivesTheOneAround() throws Exception {
        test.run(() -> {
            Timeout.at(Deadline.current(), () -> Task.sleep(Duration.ofDays(1)));
            Deadline late = Deadline.in(Duration.ofDays(2));
            Timeout.call(
                    PERIOD,
                    () -> Timeout.at(late, () -> {
                        assertThat(Deadline.current().remaining()).isEqualTo(PERIOD);
                    }));
        });
    }

    @Test
    void aDeadline_isMovedAndTellsHowLongItHasPassed() throws Exception {
        test.run(() -> {
            Deadline soon = Deadline.in(millis(10)).plus(millis(30));
            assertThat(soon.remaining()).isEqualTo(millis(40));
            assertThat(soon.elapsed()).isZero();
            Task.sleep(millis(60));
            assertThat(soon.remaining()).isZero();
            assertThat(soon.elapsed()).isEqualTo(millis(20));
            Deadline none = Deadline.in(ChronoUnit.FOREVER.getDuration());
            assertThat(none.isNone()).isTrue();
            assertThat(none.plus(PERIOD).isNone()).isTrue();
            assertThat(none.elapsed()).isZero();
            assertThat(soon.plus(ChronoUnit.FOREVER.getDuration()).isNone()).isTrue();
        });
    }
}
