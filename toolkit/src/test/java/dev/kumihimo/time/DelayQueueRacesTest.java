package dev.kumihimo.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.internal.driver.Driver;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.time.DelayQueue.Expired;
import dev.kumihimo.time.DelayQueue.Key;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.junit.jupiter.api.Test;

/**
 * Many insert, remove and reset, many take and give up, in real time: each item is taken once or removed once, never early, and
 * in order. The seed is printed and can be set with -Dkumihimo.seed.
 */
@org.junit.jupiter.api.Timeout(240)
class DelayQueueRacesTest {
    private static final long SEED = Long.getLong("kumihimo.seed", System.nanoTime());
    private static final int ITEMS = 30_000;
    private static final int WORKERS = 4;
    private static final int END = -1;

    /** One way of taking, with a limit of its own or none. */
    private interface Taking {
        Expired<Integer> take() throws Exception;
    }

    private final AtomicIntegerArray ends = new AtomicIntegerArray(ITEMS);
    private final AtomicReferenceArray<Key> keys = new AtomicReferenceArray<>(ITEMS);
    private final AtomicInteger taken = new AtomicInteger();
    private final AtomicInteger removed = new AtomicInteger();
    private final AtomicInteger gaveUp = new AtomicInteger();

    private static Duration delay(SplittableRandom random) {
        return Duration.ofNanos(random.nextInt(8) == 0 ? 0 : random.nextInt(4_000_000));
    }

    private void insertRemoveReset(DelayQueue<Integer> queue, int worker, SplittableRandom random) throws Exception {
        for (int item = worker; item < ITEMS; item += WORKERS) {
            keys.set(item, queue.insert(item, delay(random)));
            Key other = keys.get(random.nextInt(Math.max(0, item - 200), item + 1)); // likely not due yet
            if (other != null) {
                int what = random.nextInt(4);
                if (what == 0) {
                    Integer value = queue.tryRemove(other);
                    if (value != null) {
                        ends.incrementAndGet(value);
                        removed.incrementAndGet();
                    }
                } else if (what < 3) {
                    queue.tryReset(other, delay(random));
                }
            }
            if (random.nextInt(64) == 0) {
                Task.sleep(Duration.ofMillis(1));
            }
        }
    }

    /** Takes until it gets an end. */
    private void takeAll(Taking taking) throws Exception {
        long lastTime = 0;
        long lastOrder = 0;
        while (true) {
            Expired<Integer> expired;
            try {
                expired = taking.take();
            } catch (TimeoutException e) {
                gaveUp.incrementAndGet();
                continue;
            }
            assertThat(expired.deadline().isExpired()).as("not early").isTrue();
            if (expired.value() == END) {
                return;
            }
            ends.incrementAndGet(expired.value());
            taken.incrementAndGet();
            Key key = expired.key();
            assertThat(key.time >= lastTime || key.order > lastOrder)
                    .as("what was there first, and due first, comes first")
                    .isTrue();
            lastTime = key.time;
            lastOrder = key.order;
        }
    }

    @Test
    void everyItem_isTakenOnceOrRemovedOnce_whateverRaces() throws Exception {
        System.out.println("seed " + SEED);
        SplittableRandom random = new SplittableRandom(SEED);
        try (var runtime = TaskRuntime.builder().workerThreads(2).build()) {
            runtime.blockOn(() -> race(random));
            await().until(() -> runtime.liveTasks() == 0);
        }
        for (int item = 0; item < ITEMS; item++) {
            assertThat(ends.get(item))
                    .as("ends of item %d, seed %d", item, SEED)
                    .isOne();
        }
        assertThat(taken.get() + removed.get()).isEqualTo(ITEMS);
        assertThat(List.of(taken.get(), removed.get(), gaveUp.get()))
                .as("taken, removed, gave up")
                .allMatch(n -> n > 100);
    }

    private void race(SplittableRandom random) throws Exception {
        DelayQueue<Integer> queue = DelayQueue.create();
        Channel<Integer> channel = Channel.bounded(1);
        List<Taking> ways = List.of(
                () -> queue.take(),
                () -> queue.take(Duration.ofNanos(300_000)),
                () -> Timeout.call(Duration.ofNanos(500_000), () -> queue.take()),
                () -> {
                    Expired<Integer> expired = Select.<Expired<Integer>>of()
                            .on(queue, e -> e)
                            .onReceive(channel, item -> null)
                            .await();
                    if (expired == null) {
                        throw new TimeoutException("the other branch");
                    }
                    return expired;
                });
        List<JoinHandle<?>> takers = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            Taking way = ways.get(i % ways.size());
            takers.add(Task.spawn(() -> takeAll(way)));
        }
        List<JoinHandle<?>> workers = new ArrayList<>();
        for (int worker = 0; worker < WORKERS; worker++) {
            int number = worker;
            SplittableRandom own = random.split();
            workers.add(Task.spawn(() -> insertRemoveReset(queue, number, own)));
        }
        JoinHandle<?> sender = Task.spawn(() -> {
            while (true) {
                channel.send(1);
                Task.sleep(Duration.ofMillis(1));
            }
        });
        JoinHandle<?> aborter = Task.spawn(() -> abortTakers(queue));
        for (JoinHandle<?> worker : workers) {
            worker.join();
        }
        aborter.abort();
        aborter.result();
        await().until(queue::isEmpty);
        for (int i = 0; i < takers.size(); i++) {
            queue.insert(END, Duration.ZERO);
        }
        for (JoinHandle<?> taker : takers) {
            taker.join();
        }
        sender.abort();
        sender.result();
        assertThat(queue.tryTake()).isNull();
        Driver driver = Driver.current();
        await().until(() -> !driver.hasNewTimers() && driver.timers() == 0);
    }

    /** Takers that are aborted while they wait, or just when they are served. */
    private void abortTakers(DelayQueue<Integer> queue) throws Exception {
        while (true) {
            List<JoinHandle<Expired<Integer>>> doomed = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                doomed.add(Task.spawn(() -> queue.take()));
            }
            try {
                Task.sleep(Duration.ofNanos(200_000));
            } finally {
                Task.shield(() -> {
                    doomed.forEach(JoinHandle::abort);
                    for (JoinHandle<Expired<Integer>> task : doomed) {
                        if (task.result() instanceof JoinResult.Success<Expired<Integer>>(var got)) {
                            ends.incrementAndGet(got.value());
                            taken.incrementAndGet();
                        } else {
                            gaveUp.incrementAndGet();
                        }
                    }
                });
            }
        }
    }

    /** Items of one time, and a taker for each: all are handed out, however they meet. */
    @Test
    void itemsOfOneTime_areAllHandedOut_toAsManyTakers() throws Exception {
        try (var runtime = TaskRuntime.builder().workerThreads(2).build()) {
            for (int round = 0; round < 1_500; round++) {
                int number = round;
                runtime.blockOn(() -> {
                    DelayQueue<Integer> queue = DelayQueue.create();
                    Deadline when = Deadline.in(Duration.ofNanos(number * 1_000L));
                    List<JoinHandle<Integer>> takers = new ArrayList<>();
                    for (int i = 0; i < 6; i++) {
                        int item = i;
                        takers.add(Task.spawn(() -> queue.take().value()));
                        Task.spawn(() -> queue.insertAt(item, when));
                    }
                    List<Integer> values = new ArrayList<>();
                    for (JoinHandle<Integer> taker : takers) {
                        values.add(taker.join());
                    }
                    assertThat(values).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5);
                });
            }
            await().until(() -> runtime.liveTasks() == 0);
        }
    }

    /** A platform thread takes, on the clock of the global runtime. */
    @Test
    void take_isNotEarly_onAPlatformThread() throws Exception {
        DelayQueue<String> queue = DelayQueue.create();
        for (int i = 0; i < 20; i++) {
            long begin = System.nanoTime();
            queue.insert("item", Duration.ofNanos(2_300_000));
            assertThat(queue.take().value()).isEqualTo("item");
            assertThat(System.nanoTime() - begin).isGreaterThanOrEqualTo(2_300_000);
        }
        queue.insert("late", Duration.ofDays(1));
        assertThatThrownBy(() -> queue.take(Duration.ofMillis(3))).isInstanceOf(TimeoutException.class);
        assertThat(queue.size()).isOne();
    }
}
