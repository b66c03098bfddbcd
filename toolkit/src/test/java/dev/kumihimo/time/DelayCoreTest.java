package dev.kumihimo.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.internal.driver.VirtualTimers;
import dev.kumihimo.internal.wait.Expirable;
import dev.kumihimo.internal.wait.TimerService;
import dev.kumihimo.internal.wait.Wait;
import dev.kumihimo.internal.wait.WakeList;
import dev.kumihimo.support.Observe;
import dev.kumihimo.time.DelayQueue.Key;
import java.lang.ref.WeakReference;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the timer decides, step by step: takers that are registered, and run only where a test says so. */
@Timeout(60)
class DelayCoreTest {
    private static final long TICK = 1_000_000;

    private final VirtualTimers clock = new VirtualTimers();
    private final DelayCore core = new DelayCore(clock);

    private Key insert(String value, long millis) {
        Key key = new Key(core, value);
        core.insert(key, true, millis * TICK);
        return key;
    }

    /** Registers a taker, which has yet to park. */
    private Wait taker() {
        return (Wait) core.takeOrRegister();
    }

    private void withdraw(Wait taker) {
        WakeList woken = new WakeList();
        core.lock();
        core.withdraw(taker, woken);
        core.unlock();
        woken.wakeAll();
    }

    private void elapse(long millis) {
        clock.moveTo(clock.nanoTime() + millis * TICK);
    }

    /* ---------------- One timer -------------- */

    @Test
    void oneTimer_isArmed_howeverManyItemsAndTakers() {
        insert("c", 30);
        insert("b", 20);
        assertThat(clock.armed()).isZero();
        taker();
        taker();
        insert("d", 40);
        insert("a", 10);
        assertThat(clock.armed()).isOne();
        assertThat(clock.next()).isEqualTo(10 * TICK);
    }

    @Test
    void noTimer_isArmed_forWhatIsNeverDue() {
        Key key = insert("never", Long.MAX_VALUE / TICK);
        taker();
        core.reset(key, false, Long.MAX_VALUE);
        assertThat(clock.armed()).isZero();
    }

    @Test
    void aimFollows_whateverComesFirst() { // all within the wheel's finest level, which tells the very tick
        Wait first = taker();
        Wait second = taker();
        Key late = insert("late", 14);
        assertThat(clock.next()).isEqualTo(14 * TICK);
        Key early = insert("early", 8);
        assertThat(clock.next()).isEqualTo(8 * TICK);
        core.reset(late, true, 4 * TICK);
        assertThat(clock.next()).isEqualTo(4 * TICK);
        core.reset(late, true, 15 * TICK);
        assertThat(clock.next()).isEqualTo(8 * TICK);
        assertThat(core.remove(early)).isEqualTo("early");
        assertThat(clock.next()).isEqualTo(15 * TICK);
        core.clear();
        assertThat(clock.armed()).isZero();
        insert("new", 13);
        assertThat(clock.next()).isEqualTo(13 * TICK);
        assertThat(first.isDecided() || second.isDecided()).isFalse();
    }

    /* ---------------- What the timer decided is seen by all -------------- */

    @Test
    void anItemThatTheTimerGranted_isGone_beforeItsTakerRuns() {
        Key key = insert("a", 10);
        insert("b", 99);
        Wait taker = taker();
        elapse(10);
        assertThat(taker.isGranted()).isTrue();
        assertThat(taker.item).isSameAs(key);
        assertThat(core.size()).isOne();
        assertThat(key.index).isEqualTo(DelayCore.TAKEN);
    }

    @Test
    void anItemThatTheTimerGranted_isNotRemoved_norReset_norCleared() {
        Key removed = insert("a", 10);
        Wait first = taker();
        elapse(10);
        assertThat(core.remove(removed)).isNull();
        Key reset = insert("b", 10);
        Wait second = taker();
        elapse(10);
        assertThat(core.reset(reset, true, TICK)).isFalse();
        Key cleared = insert("c", 10);
        Wait third = taker();
        elapse(10);
        core.clear();
        Key looked = insert("d", 10);
        Wait fourth = taker();
        elapse(10);
        assertThat(core.timeOf(looked)).isNegative();
        assertThat(List.of(first, second, third, fourth)).allMatch(Wait::isGranted);
        assertThat(List.of(removed, reset, cleared, looked))
                .allMatch(k -> k.value != null && k.index == DelayCore.TAKEN);
    }

    @Test
    void anItemThatTheTimerGranted_isNotTakenByAnother() {
        insert("a", 10);
        Wait taker = taker();
        elapse(10);
        assertThat(core.tryTake()).isNull();
        assertThat(taker.isGranted()).isTrue();
        insert("b", 0);
        assertThat(core.tryTake()).isNotNull();
    }

    @Test
    void whatIsDueForAWaitingTaker_isNotTakenByTryTake_beforeTheTimerFires() {
        StandingTimers standing = new StandingTimers();
        DelayCore late = new DelayCore(standing);
        Key key = new Key(late, "a");
        late.insert(key, true, 10 * TICK);
        Wait taker = (Wait) late.takeOrRegister();
        standing.now = 10 * TICK; // and the timer is late
        assertThat(late.tryTake()).isNull();
        assertThat(taker.isGranted()).isTrue();
        standing.armed.remove().expire(); // comes to nothing
        assertThat(late.size()).isZero();
    }

    @Test
    void whatBecomesDueForAWaitingTaker_whileTryTakeLooks_isLeftToIt() {
        StandingTimers moving = new StandingTimers();
        DelayCore passing = new DelayCore(moving);
        passing.insert(new Key(passing, "a"), true, 2);
        Wait taker = (Wait) passing.takeOrRegister();
        moving.step = 1; // not due at the first look, due at the second
        assertThat(passing.tryTake()).isNull();
        assertThat(passing.size()).isZero();
        assertThat(taker.isGranted()).isTrue();
    }

    @Test
    void theTakerServesTheNext_afterTheTimerHasServedIt() {
        insert("a", 10);
        Key due = insert("b", 10);
        Key later = insert("c", 20);
        Wait first = taker();
        Wait second = taker();
        Wait third = taker();
        elapse(10);
        assertThat(first.isGranted()).isTrue();
        assertThat(second.isDecided()).isFalse(); // the timer takes no lock
        core.settle();
        assertThat(second.isGranted()).isTrue();
        assertThat(second.item).isSameAs(due);
        assertThat(third.isDecided()).isFalse();
        elapse(10);
        assertThat(third.item).isSameAs(later);
        assertThat(third.isGranted()).isTrue();
    }

    /* ---------------- Timers that come too late -------------- */

    /** A clock that stands, and timers that a test fires. */
    private static class StandingTimers implements TimerService {
        final ArrayDeque<Expirable> armed = new ArrayDeque<>();
        int cancelled;
        long now;
        long step; // by which it moves each time it is read

        @Override
        public long nanoTime() {
            now += step;
            return now;
        }

        @Override
        public Timer arm(long deadline, Expirable target) {
            armed.add(target);
            return () -> cancelled++;
        }
    }

    @Test
    void aTimerUnderWay_grantsNothing_onceItsItemIsRemovedOrReset() {
        StandingTimers standing = new StandingTimers();
        DelayCore late = new DelayCore(standing);
        Key removed = new Key(late, "a");
        Key reset = new Key(late, "b");
        late.insert(removed, true, TICK);
        late.insert(reset, true, 2 * TICK);
        Wait taker = (Wait) late.takeOrRegister();
        assertThat(late.remove(removed)).isEqualTo("a");
        assertThat(late.reset(reset, true, 3 * TICK)).isTrue();
        assertThat(standing.armed).hasSize(3);
        assertThat(standing.cancelled).isEqualTo(2);
        standing.armed.remove().expire();
        standing.armed.remove().expire();
        assertThat(taker.isDecided()).isFalse();
        assertThat(late.size()).isOne();
        standing.now = 3 * TICK;
        standing.armed.remove().expire();
        assertThat(taker.isGranted()).isTrue();
        assertThat(taker.item).isSameAs(reset);
    }

    @Test
    void aTimerThatFires_forATakerThatGaveUp_leavesTheItemForTheNext() {
        Key key = insert("a", 10);
        Wait first = taker();
        Wait second = taker();
        first.expire(); // its own time is over, and it has yet to run
        elapse(10);
        assertThat(first.isGranted()).isFalse();
        withdraw(first);
        assertThat(second.isGranted()).isTrue();
        assertThat(second.item).isSameAs(key);
        assertThat(core.size()).isZero();
    }

    @Test
    void theItemOfATakerThatGaveUp_mayBeRemoved_evenIfTheTimerHasFired() {
        Key key = insert("a", 10);
        Wait taker = taker();
        taker.expire();
        elapse(10);
        assertThat(core.remove(key)).isEqualTo("a");
        withdraw(taker);
        assertThat(core.size()).isZero();
    }

    @Test
    void aTakerThatWithdraws_leavesItsTimerToTheNext() {
        Key key = insert("a", 10);
        Wait first = taker();
        Wait second = taker();
        withdraw(first);
        assertThat(clock.armed()).isOne();
        elapse(10);
        assertThat(second.item).isSameAs(key);
        assertThat(second.isGranted()).isTrue();
    }

    @Test
    void aTakerThatWithdraws_asTheOnlyOne_leavesNoTimer() {
        insert("a", 10);
        withdraw(taker());
        assertThat(clock.armed()).isZero();
    }

    /* ---------------- Branches of a select -------------- */

    @Test
    void aBranch_isRefused_ifAnItemHasBecomeDueForIt() {
        insert("a", 10);
        elapse(10);
        core.lock();
        assertThat(core.enqueue(Wait.at(core), new WakeList())).isFalse();
        core.unlock();
        assertThat(core.size()).isOne();
    }

    @Test
    void aBranchThatIsTakenBack_beforeItsTimerWasArmed_armsNone() {
        StandingTimers standing = new StandingTimers();
        DelayCore selected = new DelayCore(standing);
        selected.insert(new Key(selected, "a"), true, TICK);
        WakeList woken = new WakeList();
        Wait branch = Wait.at(selected);
        selected.lock();
        assertThat(selected.enqueue(branch, woken)).isTrue();
        selected.withdraw(branch, woken);
        selected.unlock();
        woken.wakeAll();
        assertThat(standing.armed).isEmpty();
        assertThat(branch.isDecided()).isFalse();
    }

    @Test
    void aTimerThatIsArmed_whileItsPairIsDissolved_isCancelled() {
        List<Key> removed = new ArrayList<>();
        StandingTimers standing = new StandingTimers() {
            @Override
            public Timer arm(long deadline, Expirable target) {
                Key key = removed.get(0);
                assertThat(key.core.remove(key)).isEqualTo("a"); // somebody else is faster
                return super.arm(deadline, target);
            }
        };
        DelayCore racing = new DelayCore(standing);
        removed.add(new Key(racing, "a"));
        racing.insert(removed.get(0), true, TICK);
        Wait taker = (Wait) racing.takeOrRegister();
        assertThat(standing.armed).hasSize(1);
        assertThat(standing.cancelled).isOne();
        assertThat(taker.isDecided()).isFalse();
    }

    /* ---------------- Timers that cannot be armed -------------- */

    @Test
    void aTimerThatCannotBeArmed_isToldToTheTaker_andNothingIsLost() throws Exception {
        Error failure = new OutOfMemoryError("planted");
        StandingTimers failing = new StandingTimers() {
            @Override
            public Timer arm(long deadline, Expirable target) {
                throw failure;
            }
        };
        DelayQueue<String> queue = new DelayQueue<>(failing);
        FutureTask<?> parked = new FutureTask<>(queue::take);
        Thread thread = new Thread(parked);
        thread.start();
        Observe.untilParked(thread);
        Key key = queue.insert("a", Duration.ofMillis(10)); // has worked, although nobody can be aimed at it
        assertThatThrownBy(parked::get).cause().isSameAs(failure);
        thread.join();
        assertThatThrownBy(queue::take).isSameAs(failure);
        assertThatThrownBy(() -> queue.take(Duration.ofSeconds(9))).isSameAs(failure);
        failing.now = 10 * TICK;
        assertThat(queue.take().key()).isSameAs(key);
    }

    /* ---------------- Memory -------------- */

    private void ensureCollected(Callable<String> leave, DelayQueue<Object> queue, List<Key> keys) throws Exception {
        Object value = new Object();
        WeakReference<Object> reference = new WeakReference<>(value);
        keys.add(queue.insert(value, Duration.ofMillis(10)));
        value = null;
        String how = leave.call();
        await().pollInterval(Duration.ofMillis(5)).untilAsserted(() -> {
            System.gc();
            assertThat(reference.get()).as(how).isNull();
        });
    }

    @Test
    void anItemThatIsGone_isNotRetained_evenIfItsKeyIs() throws Exception {
        DelayQueue<Object> queue = new DelayQueue<>(clock);
        List<Key> keys = new ArrayList<>();
        ensureCollected(
                () -> {
                    queue.remove(keys.get(0));
                    return "removed";
                },
                queue,
                keys);
        ensureCollected(
                () -> {
                    elapse(10);
                    return "taken: " + queue.take().key();
                },
                queue,
                keys);
        ensureCollected(
                () -> {
                    queue.clear();
                    return "cleared";
                },
                queue,
                keys);
        FutureTask<?> taking = new FutureTask<>(queue::take);
        Thread taker = new Thread(taking);
        taker.start();
        Observe.untilParked(taker);
        ensureCollected(
                () -> {
                    queue.remove(keys.get(3));
                    return "removed before a taker that waited for it";
                },
                queue,
                keys);
        taker.interrupt();
        taker.join();
        assertThat(keys).hasSize(4);
    }

    private String lostWakeup() {
        core.lock();
        try {
            return core.lostWakeup();
        } finally {
            core.unlock();
        }
    }

    @Test
    void lostWakeup_ofATakerForWhomNoTimerIsArmed_orOneForTheWrongItem() throws Exception {
        Wait first = taker();
        assertThat(lostWakeup()).isNull();
        insert("late", 9);
        Field aim = DelayCore.class.getDeclaredField("aim");
        aim.setAccessible(true);
        Object late = aim.get(core);
        assertThat(lostWakeup()).isNull();
        aim.set(core, null);
        assertThat(lostWakeup()).startsWith("no timer is armed for its first item, and thread \"");
        aim.set(core, late);
        insert("soon", 1);
        assertThat(lostWakeup()).isNull();
        aim.set(core, late);
        assertThat(lostWakeup()).isNotNull();
        first.expire(); // is about to take itself out
        assertThat(lostWakeup()).isNull();
    }
}
