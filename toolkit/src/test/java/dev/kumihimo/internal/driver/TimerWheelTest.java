package dev.kumihimo.internal.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each property of the wheel alone, where its digits carry; {@link TimerWheelModelTest} mixes them. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // a broken wheel tends to spin
class TimerWheelTest {

    private static final long ROTATION = 1L << 38;

    private final List<String> expired = new ArrayList<>();
    private final TimerWheel wheel = new TimerWheel(0);

    @Test
    void emptyWheel_hasNothingToDo() {
        assertThat(wheel.size()).isZero();
        assertThat(wheel.nextTick()).isEqualTo(Long.MAX_VALUE);
        assertThat(wheel.advance(Long.MAX_VALUE)).isZero();
        assertThat(wheel.nextTick()).isEqualTo(Long.MAX_VALUE);
    }

    @ParameterizedTest
    @ValueSource(
            longs = {
                1,
                64,
                64 * 64,
                1 << 18,
                1 << 21,
                1 << 23,
                1 << 28,
                1L << 33,
                ROTATION,
                ROTATION << 6,
                ROTATION << 20
            })
    void entriesAroundABoundary_expireAtTheirTick_neverEarly(long boundary) {
        for (long start : new long[] {0, boundary - 1, boundary - 65, boundary / 2 + 3}) {
            TimerWheel wheel = new TimerWheel(start);
            for (long tick = Math.max(start, boundary - 70) + 1; tick <= boundary + 70; tick++) {
                wheel.insert(new Named(Long.toString(tick)), tick);
            }
            for (long tick = Math.max(start, boundary - 70) + 1; tick <= boundary + 70; tick++) {
                expired.clear();
                assertThat(wheel.advance(tick - 1)).as("early").isZero();
                assertThat(wheel.nextTick()).isLessThanOrEqualTo(tick);
                assertThat(wheel.advance(tick)).isOne();
                assertThat(expired).containsExactly(Long.toString(tick));
            }
            assertThat(wheel.nextTick()).isEqualTo(Long.MAX_VALUE);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 63, 64, 4_095, 4_096, 1_000_003, ROTATION - 1, ROTATION + 77, 1L << 62, Long.MAX_VALUE})
    void entry_expiresOnTime_whenTheLoopOnlyFollowsNextTick(long tick) {
        wheel.insert(new Named("it"), tick);
        int rounds = 0;
        while (wheel.size() > 0) {
            long next = wheel.nextTick();
            assertThat(next).isLessThanOrEqualTo(tick);
            assertThat(wheel.advance(next - 1)).isZero();
            assertThat(wheel.advance(next)).isEqualTo(1 - wheel.size());
            rounds++;
        }
        assertThat(wheel.advance(tick)).isZero();
        assertThat(rounds).as("rounds").isBetween(1, 7);
        assertThat(expired).containsExactly("it");
    }

    @Test
    void negativeTicks_areOrderedLikeAnyOther() {
        TimerWheel wheel = new TimerWheel(Long.MIN_VALUE);
        wheel.insert(new Named("positive"), 5);
        wheel.insert(new Named("zero"), 0);
        wheel.insert(new Named("negative"), -5);
        assertThat(wheel.advance(-6)).isZero();
        assertThat(wheel.advance(-1)).isOne();
        assertThat(wheel.nextTick()).isZero();
        assertThat(wheel.advance(5)).isEqualTo(2);
        assertThat(expired).containsExactly("negative", "zero", "positive");
    }

    @ParameterizedTest
    @ValueSource(longs = {10, 64, 100, 5_000, 3 << 16, 300_000, 5 << 21, ROTATION, ROTATION + 100, Long.MAX_VALUE})
    void tiesExpireInInsertionOrder_alsoAcrossCascades(long tick) {
        List<String> inserted = new ArrayList<>();
        // As time draws near, the same tick is inserted at ever finer levels.
        for (long ahead = tick - 1; ahead > 0; ahead /= 3) {
            wheel.advance(tick - 1 - ahead);
            for (int i = 0; i < 2; i++) {
                String name = ahead + "/" + i;
                inserted.add(name);
                wheel.insert(new Named(name), tick);
            }
        }
        assertThat(wheel.advance(tick - 1)).isZero();
        assertThat(wheel.advance(tick)).isEqualTo(inserted.size());
        assertThat(expired).isEqualTo(inserted);
    }

    @Test
    void oneLongJump_expiresAllInOrder() {
        wheel.insert(new Named("d"), Long.MAX_VALUE - 1);
        wheel.insert(new Named("c"), ROTATION * 3);
        wheel.insert(new Named("a"), 7);
        wheel.insert(new Named("b"), 70_000);
        wheel.insert(new Named("e"), Long.MAX_VALUE);
        assertThat(wheel.advance(Long.MAX_VALUE)).isEqualTo(5);
        assertThat(expired).containsExactly("a", "b", "c", "d", "e");
    }

    @Test
    void longJumps_areCheap() {
        // Any cost per tick or per rotation would make this run for hours.
        wheel.insert(new Named("last"), Long.MAX_VALUE);
        for (long now = 1; now < 1L << 62; now += 1L << 42) {
            assertThat(wheel.advance(now)).isZero();
        }
        assertThat(wheel.advance(Long.MAX_VALUE)).isOne();
    }

    @Test
    void overdueEntry_isDueAtTheNextAdvance_beforeAllOthers() {
        wheel.advance(1_000);
        wheel.insert(new Named("future"), 1_001);
        wheel.insert(new Named("past"), 3);
        wheel.insert(new Named("now"), 1_000);
        assertThat(wheel.nextTick()).isEqualTo(1_000);
        assertThat(wheel.advance(1_000)).isEqualTo(2);
        assertThat(wheel.nextTick()).isEqualTo(1_001);
        assertThat(wheel.advance(1_001)).isOne();
        assertThat(expired).containsExactly("past", "now", "future");
    }

    @Test
    void timeThatRunsBackwards_changesNothing() {
        wheel.advance(1_000);
        wheel.insert(new Named("past"), 3);
        wheel.insert(new Named("future"), 1_001);
        assertThat(wheel.advance(999)).isZero();
        assertThat(wheel.nextTick()).isEqualTo(1_000);
        assertThat(wheel.advance(1_001)).isEqualTo(2);
    }

    @Test
    void removingTheLastEntry_emptiesTheSlot() {
        for (long tick : new long[] {-1, 0, 1, 64, 4_096, 1L << 18, 1L << 24, 1L << 30, ROTATION, Long.MAX_VALUE}) {
            Named first = new Named("first");
            Named second = new Named("second");
            wheel.insert(first, tick);
            wheel.insert(second, tick);
            assertThat(wheel.remove(first)).isTrue();
            assertThat(wheel.nextTick()).as("tick %d", tick).isLessThan(Long.MAX_VALUE);
            assertThat(wheel.remove(second)).isTrue();
            assertThat(wheel.remove(second)).isFalse();
            assertThat(wheel.nextTick()).as("tick %d", tick).isEqualTo(Long.MAX_VALUE);
            assertThat(wheel.size()).isZero();
        }
        assertThat(wheel.advance(Long.MAX_VALUE)).isZero();
    }

    @Test
    void farEntry_doesNotTurnTimeBack_whenOneOfAnEarlierRotationWasRemoved() {
        Named gone = new Named("gone");
        wheel.insert(gone, ROTATION + 5);
        wheel.remove(gone);
        wheel.advance(ROTATION * 3);
        wheel.insert(new Named("far"), ROTATION * 7 + 9);
        assertThat(wheel.nextTick()).isEqualTo(ROTATION * 7);
        assertThat(wheel.advance(ROTATION * 7 + 8)).isZero();
        assertThat(wheel.advance(ROTATION * 7 + 9)).isOne();
    }

    @Test
    void remove_unlinksFromTheMiddle() {
        List<Named> entries = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            entries.add(new Named("" + i));
            wheel.insert(entries.get(i), 500);
        }
        wheel.remove(entries.get(2));
        wheel.remove(entries.get(0));
        wheel.remove(entries.get(4));
        assertThat(wheel.advance(500)).isEqualTo(2);
        assertThat(expired).containsExactly("1", "3");
        assertThat(wheel.remove(entries.get(1))).as("after it expired").isFalse();
    }

    @Test
    void insert_refusesAnEntryThatIsInTheWheel() {
        Named entry = new Named("it");
        wheel.insert(entry, 12);
        assertThatIllegalStateException()
                .isThrownBy(() -> wheel.insert(entry, 13))
                .withMessageContaining("tick=12");
    }

    @Test
    void expiringEntry_mayInsertItselfAgain_andExpiresInTheSameAdvanceIfDueByThen() {
        List<Long> ticks = new ArrayList<>();
        TimerEntry periodic = new TimerEntry() {
            @Override
            protected void expire() {
                ticks.add(tick);
                wheel.insert(this, tick + 30);
            }
        };
        wheel.insert(periodic, 30);
        assertThat(wheel.advance(100)).isEqualTo(3);
        assertThat(ticks).containsExactly(30L, 60L, 90L);
        assertThat(wheel.nextTick()).isLessThanOrEqualTo(120);
        assertThat(wheel.advance(120)).isOne();
    }

    @Test
    void whatAnExpiringEntryInsertsTooLate_waitsForTheNextAdvance() {
        TimerEntry again = new TimerEntry() {
            @Override
            protected void expire() {
                expired.add("again");
                wheel.insert(this, 0);
            }
        };
        wheel.insert(again, 50);
        assertThat(wheel.advance(50)).isOne();
        assertThat(wheel.nextTick()).isEqualTo(50);
        assertThat(wheel.advance(50)).isOne();
        assertThat(wheel.advance(51)).isOne();
        assertThat(expired).hasSize(3);
    }

    @Test
    void expiringEntry_mayRemoveOthersThatAreDueWithIt() {
        Named sameTick = new Named("same tick");
        Named later = new Named("later");
        Named overdue = new Named("overdue");
        TimerEntry killer = new TimerEntry() {
            @Override
            protected void expire() {
                expired.add("killer");
                assertThat(wheel.remove(this)).isFalse();
                assertThat(wheel.remove(sameTick)).isTrue();
                assertThat(wheel.remove(later)).isTrue();
            }
        };
        wheel.insert(killer, 10);
        wheel.insert(sameTick, 10);
        wheel.insert(later, 11);
        wheel.insert(overdue, 0);
        assertThat(wheel.advance(20)).isEqualTo(2);
        assertThat(expired).containsExactly("overdue", "killer");
        assertThat(wheel.size()).isZero();
    }

    private final class Named extends TimerEntry {
        private final String name;

        private Named(String name) {
            this.name = name;
        }

        @Override
        protected void expire() {
            expired.add(name);
        }
    }
}
