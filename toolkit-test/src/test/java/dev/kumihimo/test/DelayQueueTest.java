package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.select.Select;
import dev.kumihimo.task.CancellationToken;
import dev.kumihimo.time.Deadline;
import dev.kumihimo.time.DelayQueue;
import dev.kumihimo.time.Timeout;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When and to whom items are handed out, on a clock that stands still. */
class DelayQueueTest {
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

    /** Takes the next item, and tells when: {@code "a at 10"}. */
    private String next(DelayQueue<String> queue) throws InterruptedException {
        return queue.take().value() + " at " + now();
    }

    /** Spawns a task that takes the next item, and lets it wait. */
    private JoinHandle<String> taking(DelayQueue<String> queue) throws InterruptedException {
        JoinHandle<String> taker = Task.spawn(() -> next(queue));
        Task.sleep(millis(1));
        assertThat(taker.isDone()).isFalse();
        return taker;
    }

    /* ---------------- Order and time -------------- */

    @Test
    void take_givesItems_inTheOrderOfTheirDeadlines_eachAtIts() throws Exception {
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            queue.insert("c", millis(30));
            queue.insert("a", millis(10));
            queue.insertAt("b", Deadline.in(millis(20)));
            assertThat(next(queue)).isEqualTo("a at 10");
            assertThat(next(queue)).isEqualTo("b at 20");
            queue.insert("d", millis(5));
            assertThat(next(queue)).isEqualTo("d at 25");
            assertThat(next(queue)).isEqualTo("c at 30");
        });
        assertThat(test.timers()).isZero();
    }

    @Test
    void take_givesItemsOfOneDeadline_inTheOrderOfInsertionOrReset() throws Exception {
        test.run(() -> {
            DelayQueue<Integer> queue = DelayQueue.create();
            Deadline when = Deadline.in(millis(10));
            List<DelayQueue.Key> keys = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                keys.add(queue.insertAt(i, when));
            }
            queue.resetAt(keys.get(3), when);
            List<Integer> taken = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                taken.add(queue.take().value());
            }
            List<Integer> expected =
                    new ArrayList<>(IntStream.range(0, 20).boxed().toList());
            expected.remove(Integer.valueOf(3));
            expected.add(3);
            assertThat(taken).isEqualTo(expected);
            assertThat(now()).isEqualTo(10);
        });
    }

    @Test
    void insert_isDueAtOnce_ifTheDelayIsZeroOrNegativeOrTheDeadlineHasPassed() throws Exception {
        test.run(() -> {
            Deadline past = Deadline.in(millis(3));
            Task.sleep(millis(7));
            DelayQueue<String> queue = DelayQueue.create();
            queue.insert("zero", Duration.ZERO);
            queue.insert("negative", Duration.ofSeconds(Long.MIN_VALUE));
            queue.insertAt("past", past);
            DelayQueue.Expired<String> first = queue.tryTake();
            assertThat(first.value()).isEqualTo("past");
            assertThat(first.deadline().elapsed()).isEqualTo(millis(4));
            assertThat(next(queue)).isEqualTo("zero at 7");
            assertThat(next(queue)).isEqualTo("negative at 7");
        });
    }

    @Test
    void insert_isNeverDue_ifTheDelayIsTooLongForTheClock() throws Exception {
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            Task.sleep(millis(1));
            DelayQueue.Key forever = queue.insert("forever", ChronoUnit.FOREVER.getDuration());
            DelayQueue.Key overflow = queue.insert("overflow", Duration.ofNanos(Long.MAX_VALUE));
            queue.insertAt("none", Deadline.in(ChronoUnit.FOREVER.getDuration()));
            assertThat(queue.nextDeadline().isNone()).isTrue();
            assertThat(queue.deadline(overflow).isNone()).isTrue();
            assertThatThrownBy(() -> queue.take(Duration.ofDays(100_000))).isInstanceOf(TimeoutException.class);
            assertThat(queue.size()).isEqualTo(3);
            queue.reset(forever, Duration.ZERO);
            assertThat(queue.take().value()).isEqualTo("forever");
            assertThat(queue.remove(overflow)).isEqualTo("overflow");
        });
    }

    @Test
    void take_comesAfterYears_toTheMillisecond() throws Exception {
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            queue.insert("late", Duration.ofDays(3_652).plusMillis(1));
            queue.insert("less late", Duration.ofDays(3_652));
            assertThat(queue.take().value()).isEqualTo("less late");
            assertThat(test.clock().elapsed()).isEqualTo(Duration.ofDays(3_652));
            assertThat(queue.take().value()).isEqualTo("late");
            assertThat(test.clock().elapsed()).isEqualTo(Duration.ofDays(3_652).plusMillis(1));
        });
    }

    @Test
    void take_isNeverEarly_ifTheDelayIsNoMultipleOfAMillisecond() throws Exception {
        test.run(() -> {
            DelayQueue<Long> queue = DelayQueue.create();
            Random random = new Random(7);
            for (int i = 0; i < 300; i++) {
                long delay = random.nextLong(50_000_000);
                queue.insert(test.nanoTime() + delay, Duration.ofNanos(delay));
            }
            for (int i = 0; i < 300; i++) {
                long due = queue.take().value();
                assertThat(test.nanoTime()).isBetween(due, due + 1_000_000);
            }
        });
    }

    /* ---------------- What changes while somebody waits -------------- */

    @Test
    void take_waitsForAnInsertion_ifTheQueueIsEmpty_andAgainAfterThat() throws Exception {
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            for (int i = 0; i < 3; i++) {
                JoinHandle<String> taker = taking(queue);
                Task.sleep(millis(8));
                queue.insert("item", millis(1));
                taker.join();
                assertThat(queue.isEmpty()).isTrue();
            }
            assertThat(now()).isEqualTo(30);
        });
    }

    @Test
    void anEarlierItem_isTakenFirst_byOneThatWaitedForALaterOne() throws Exception {
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            queue.insert("late", millis(100));
            JoinHandle<String> taker = taking(queue);
            queue.insert("early", millis(9));
            assertThat(taker.join()).isEqualTo("early at 10");
            JoinHandle<String> another = taking(queue);
            queue.insert("now", Duration.ZERO);
            assertThat(another.join()).isEqualTo("now at 11");
            assertThat(next(queue)).isEqualTo("late at 100");
        });
    }

    @Test
    void reset_toEarlierLaterOrThePast_aimsTheTakerAnew() throws Exception {
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            Deadline past = Deadline.in(Duration.ZERO);
            DelayQueue.Key a = queue.insert("a", millis(50));
            DelayQueue.Key b = queue.insert("b", millis(60));
            JoinHandle<String> first = taking(queue);
            queue.reset(b, millis(9));
            assertThat(first.join()).isEqualTo("b at 10");
            JoinHandle<String> second = taking(queue);
            queue.reset(a, millis(89));
            Task.sleep(millis(80));
            assertThat(second.isDone()).isFalse();
            assertThat(second.join()).isEqualTo("a at 100");
            DelayQueue.Key c = queue.insert("c", millis(500));
            JoinHandle<String> third = taking(queue);
            queue.resetAt(c, past);
            assertThat(third.join()).isEqualTo("c at 101");
        });
        assertThat(test.timers()).isZero();
    }

    @Test
    void reset_ofAnItemThatIsDue_takesItBack() throws Exception {
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            DelayQueue.Key key = queue.insert("a", millis(10));
            Task.sleep(millis(20));
            assertThat(queue.deadline(key).elapsed()).isEqualTo(millis(10));
            queue.reset(key, millis(10));
            assertThat(queue.tryTake()).isNull();
            assertThat(next(queue)).isEqualTo("a at 30");
        });
    }

    @Test
    void remove_ofTheFirst_hasTheTakerWaitForTheNext() throws Exception {
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            DelayQueue.Key first = queue.insert("first", millis(10));
            queue.insert("next", millis(20));
            JoinHandle<String> taker = taking(queue);
            assertThat(queue.remove(first)).isEqualTo("first");
            assertThat(taker.join()).isEqualTo("next at 20");
        });
    }

    @Test
    void remove_ofTheLast_orClear_leavesTheTakerWaiting_forWhatIsInserted() throws Exception {
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            DelayQueue.Key only = queue.insert("only", millis(10));
            JoinHandle<String> taker = taking(queue);
            queue.remove(only);
            Task.sleep(millis(30));
            assertThat(taker.isDone()).isFalse();
            DelayQueue.Key one = queue.insert("one", millis(10));
            DelayQueue.Key other = queue.insert("other", millis(20));
            queue.clear();
            assertThat(queue.isEmpty()).isTrue();
            assertThat(queue.tryRemove(one)).isNull();
            assertThatThrownBy(() -> queue.deadline(other)).hasMessage("the item of this key was removed before");
            Task.sleep(millis(30));
            assertThat(taker.isDone()).isFalse();
            queue.insert("new", millis(9));
            assertThat(taker.join()).isEqualTo("new at 70");
        });
    }

    @Test
    void aRemovedItem_isNotHandedOut_howeverManyAreRemoved() throws Exception {
        test.run(() -> {
            DelayQueue<Integer> queue = DelayQueue.create();
            Random random = new Random(3);
            List<DelayQueue.Key> keys = new ArrayList<>();
            for (int i = 0; i < 500; i++) {
                keys.add(queue.insert(i, millis(1 + random.nextInt(200))));
            }
            JoinHandle<List<Integer>> taker = Task.spawn(() -> {
                List<Integer> taken = new ArrayList<>();
                while (taken.size() < 250) {
                    DelayQueue.Expired<Integer> expired = queue.take();
                    assertThat(expired.deadline().elapsed()).isZero();
                    taken.add(expired.value());
                }
                return taken;
            });
            for (int i = 1; i < 500; i += 2) {
                assertThat(queue.remove(keys.get(i))).isEqualTo(i);
            }
            assertThat(taker.join())
                    .containsExactlyInAnyOrderElementsOf(
                            IntStream.range(0, 250).map(i -> 2 * i).boxed().toList());
        });
    }

    /* ---------------- Several takers -------------- */

    @Test
    void takers_areServedInTheOrderOfArrival_eachWithTheNextItem() throws Exception {
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            List<JoinHandle<String>> takers = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                takers.add(taking(queue));
            }
            queue.insert("d", millis(40));
            queue.insert("b", millis(16));
            queue.insert("c", millis(16));
            queue.insert("a", millis(6));
            List<String> taken = new ArrayList<>();
            for (JoinHandle<String> taker : takers) {
                taken.add(taker.join());
            }
            assertThat(taken).containsExactly("a at 10", "b at 20", "c at 20", "d at 44");
        });
        assertThat(test.timers()).isZero();
    }

    @Test
    void anItem_runsOneTaker_andNoOther() {
        DelayQueue<String> queue = made();
        for (int i = 0; i < 10; i++) {
            test.runtime().spawn(() -> queue.take());
        }
        test.runUntilIdle();
        queue.insert("a", millis(10));
        queue.insert("b", millis(20));
        long before = test.steps();
        test.advance(millis(10));
        assertThat(test.steps() - before).isOne();
        test.advance(millis(10));
        assertThat(test.steps() - before).isEqualTo(2);
        assertThat(test.runtime().liveTasks()).isEqualTo(8);
    }

    /** {@return a queue on the test's clock, for the test's thread} */
    private DelayQueue<String> made() {
        List<DelayQueue<String>> made = new ArrayList<>();
        test.runtime().spawn(() -> made.add(DelayQueue.create()));
        test.runUntilIdle();
        return made.get(0);
    }

    @Test
    void anItem_isForTheNext_ifTheFirstTakerGaveUp() throws Exception {
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            JoinHandle<String> aborted = taking(queue);
            JoinHandle<String> late = Task.spawn(() -> queue.take(millis(5)).value());
            JoinHandle<String> third = taking(queue);
            queue.insert("a", millis(10));
            aborted.abort();
            assertThatThrownBy(aborted::join).isInstanceOf(TaskCancelledException.class);
            assertThatThrownBy(late::join)
                    .cause()
                    .isInstanceOf(TimeoutException.class)
                    .hasMessage("no item was due within PT0.005S");
            assertThat(third.join()).isEqualTo("a at 12");
        });
        assertThat(test.timers()).isZero();
    }

    @Test
    void tryTake_takesNothing_thatAWaitingTakerIsToHave() throws Exception {
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            JoinHandle<String> taker = taking(queue);
            queue.insert("a", Duration.ZERO); // and the taker has yet to run
            assertThat(queue.isEmpty()).isTrue();
            assertThat(queue.tryTake()).isNull();
            queue.insert("b", Duration.ZERO);
            assertThat(queue.tryTake().value()).isEqualTo("b");
            assertThat(taker.join()).isEqualTo("a at 1");
        });
    }

    /* ---------------- Waits that end otherwise -------------- */

    @Test
    void take_withATime_throwsWhenThatIsOver_andTakesNone() throws Exception {
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            queue.insert("a", millis(50));
            assertThatThrownBy(() -> queue.take(Duration.ZERO))
                    .isInstanceOf(TimeoutException.class)
                    .hasMessage("no item is due");
            assertThatThrownBy(() -> queue.take(millis(40))).isInstanceOf(TimeoutException.class);
            assertThatThrownBy(() -> Timeout.call(millis(5), () -> queue.take()))
                    .isInstanceOf(TimeoutException.class);
            assertThat(now()).isEqualTo(45);
            assertThat(queue.take(millis(5)).value()).isEqualTo("a"); // just in time
            queue.insert("b", Duration.ZERO);
            assertThat(queue.take(Duration.ofSeconds(-1)).value()).isEqualTo("b");
        });
        assertThat(test.timers()).isZero();
    }

    @Test
    void take_ofWhatIsDue_obeysNoCancellation_butInALoop() {
        DelayQueue<String> queue = made();
        for (int i = 0; i < 1_000; i++) {
            queue.insert("item", Duration.ZERO);
        }
        CancellationToken token = CancellationToken.create();
        JoinHandle<?> loop = test.runtime()
                .spawn(() -> token.run(() -> {
                    token.cancel();
                    queue.take();
                    while (true) {
                        queue.take();
                    }
                }));
        test.runUntilIdle();
        assertThat(loop.isDone()).isTrue();
        assertThat(queue.size()).isBetween(1_000 - 130, 999);
    }

    /* ---------------- Keys -------------- */

    @Test
    void aKey_whoseItemIsGone_isToldSo() throws Exception {
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            DelayQueue.Key removed = queue.insert("removed", millis(10));
            DelayQueue.Key taken = queue.insert("taken", Duration.ZERO);
            DelayQueue.Expired<String> expired = queue.take();
            assertThat(expired.key()).isSameAs(taken);
            assertThat(queue.remove(removed)).isEqualTo("removed");
            assertThat(queue.tryRemove(removed)).isNull();
            assertThat(queue.tryReset(taken, millis(1))).isFalse();
            assertThat(queue.tryResetAt(removed, Deadline.current())).isFalse();
            assertThatThrownBy(() -> queue.remove(removed))
                    .isInstanceOf(NoSuchElementException.class)
                    .hasMessage("the item of this key was removed before");
            assertThatThrownBy(() -> queue.reset(taken, millis(1)))
                    .isInstanceOf(NoSuchElementException.class)
                    .hasMessage("the item of this key was taken before");
            assertThatThrownBy(() -> queue.resetAt(taken, Deadline.current()))
                    .isInstanceOf(NoSuchElementException.class);
            assertThatThrownBy(() -> queue.deadline(taken)).isInstanceOf(NoSuchElementException.class);
            assertThat(queue.isEmpty()).isTrue();
            assertThat(queue).hasToString("DelayQueue[0]");
        });
    }

    @Test
    void deadlines_areTold_alsoAfterAReset() throws Exception {
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            assertThat(queue.nextDeadline().isNone()).isTrue();
            DelayQueue.Key a = queue.insert("a", millis(10));
            DelayQueue.Key b = queue.insert("b", millis(20));
            assertThat(queue.nextDeadline().remaining()).isEqualTo(millis(10));
            assertThat(queue.tryReset(a, millis(30))).isTrue();
            assertThat(queue.nextDeadline().remaining()).isEqualTo(millis(20));
            assertThat(queue.deadline(a).remaining()).isEqualTo(millis(30));
            assertThat(queue.tryRemove(b)).isEqualTo("b");
            assertThat(queue.nextDeadline().remaining()).isEqualTo(millis(30));
            assertThat(queue.size()).isOne();
        });
    }

    /* ---------------- Selecting -------------- */

    @Test
    void select_takesAnItem_whenItIsDue() throws Exception {
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            Channel<String> never = Channel.bounded(1);
            queue.insert("b", millis(20));
            queue.insert("a", millis(10));
            Select<String> select = Select.<String>of()
                    .on(queue, expired -> expired.value() + " at " + now())
                    .onReceive(never, item -> item)
                    .after(millis(50), () -> "late at " + now());
            assertThat(select.await()).isEqualTo("a at 10");
            assertThat(select.await()).isEqualTo("b at 20");
            assertThat(select.await()).isEqualTo("late at 70");
            queue.insert("c", Duration.ZERO);
            assertThat(select.await()).isEqualTo("c at 70");
        });
        assertThat(test.timers()).isZero();
    }

    @Test
    void select_takesNoItem_ifAnotherBranchWins_andTheNextTakerHasIt() throws Exception {
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            Channel<String> items = Channel.bounded(1);
            queue.insert("a", millis(20));
            JoinHandle<String> selecting = Task.spawn(() -> Select.<String>of()
                    .on(queue, expired -> expired.value())
                    .onReceive(items, item -> item)
                    .await());
            JoinHandle<String> taker = taking(queue);
            items.send("item");
            assertThat(selecting.join()).isEqualTo("item");
            assertThat(taker.join()).isEqualTo("a at 20");
            assertThat(Select.<String>of()
                            .on(queue, expired -> expired.value())
                            .otherwise(() -> "none is due")
                            .await())
                    .isEqualTo("none is due");
        });
        assertThat(test.timers()).isZero();
    }

    @Test
    void select_isServedInItsPlace_amongTakers() throws Exception {
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            JoinHandle<String> first = taking(queue);
            JoinHandle<String> second = Task.spawn(() -> Select.<String>of()
                    .on(queue, expired -> expired.value() + " at " + now())
                    .await());
            JoinHandle<String> third = taking(queue);
            queue.insert("b", millis(20));
            queue.insert("a", millis(10));
            queue.insert("c", millis(30));
            assertThat(first.join()).isEqualTo("a at 12");
            assertThat(second.join()).isEqualTo("b at 22");
            assertThat(third.join()).isEqualTo("c at 32");
        });
    }

    @Test
    void select_overTwoQueues_andOneTwice_losesNoItem() throws Exception {
        test.run(() -> {
            DelayQueue<Integer> one = DelayQueue.create();
            DelayQueue<Integer> other = DelayQueue.create();
            List<Integer> expected = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                one.insert(i, millis(1 + i * 3 % 40));
                other.insert(100 + i, millis(1 + i * 7 % 40));
                expected.add(i);
                expected.add(100 + i);
            }
            List<Integer> taken = new ArrayList<>();
            Select<Boolean> select = Select.<Boolean>of()
                    .on(one, expired -> taken.add(expired.value()))
                    .on(other, expired -> taken.add(expired.value()))
                    .on(one, expired -> taken.add(expired.value()));
            for (int i = 0; i < 80; i++) {
                select.await();
            }
            assertThat(taken).containsExactlyInAnyOrderElementsOf(expected);
            assertThat(now()).isEqualTo(40);
        });
        assertThat(test.timers()).isZero();
    }

    /* ---------------- Clocks -------------- */

    @Test
    void aDeadlineOfAnotherClock_countsByWhatIsLeftOfIt() throws Exception {
        Deadline real = Deadline.in(Duration.ofDays(1));
        test.run(() -> {
            DelayQueue<String> queue = DelayQueue.create();
            queue.insertAt("a", real);
            queue.take();
            assertThat(test.clock().elapsed())
                    .isBetween(
                            Duration.ofDays(1).minusMinutes(10),
                            Duration.ofDays(1).plusMillis(1));
        });
    }
}
