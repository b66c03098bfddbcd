package dev.kumihimo.test;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.VoidBody;
import dev.kumihimo.select.Select;
import dev.kumihimo.time.DelayQueue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

/** A timer that fires at each point of those who take, remove, reset and give up: every item has exactly one end. */
class SchedulesOfDelayQueueTest {
    private static final Duration MILLI = Duration.ofMillis(1);
    private static final Duration LONG = Duration.ofDays(1);
    private static final String END = "end";

    /** Who got what. */
    private static final class Ledger {
        final DelayQueue<String> queue = DelayQueue.create();
        final List<String> gone = new ArrayList<>();

        void took(DelayQueue.Expired<String> expired) {
            assertThat(expired.deadline().isExpired()).as("not early").isTrue();
            if (!expired.value().equals(END)) {
                gone.add(expired.value());
            }
        }

        void took(String value) {
            if (value != null) {
                gone.add(value);
            }
        }

        /** Has those who still wait end, and takes the rest. */
        void settle(List<JoinHandle<?>> tasks) throws InterruptedException {
            for (int i = 0; i < tasks.size(); i++) {
                queue.insert(END, Duration.ZERO);
            }
            for (JoinHandle<?> task : tasks) {
                task.result();
            }
            MovingClock.advance(LONG);
            for (DelayQueue.Expired<String> expired; (expired = queue.tryTake()) != null; ) {
                took(expired);
            }
            assertThat(queue.isEmpty()).isTrue();
        }
    }

    private static void takersRemoverAndResetter() throws Exception {
        Ledger ledger = new Ledger();
        DelayQueue<String> queue = ledger.queue;
        DelayQueue.Key a = queue.insert("a", MILLI);
        DelayQueue.Key b = queue.insert("b", MILLI);
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            tasks.add(Task.spawn(() -> ledger.took(queue.take())));
        }
        tasks.add(Task.spawn(() -> MovingClock.advance(MILLI)));
        tasks.add(Task.spawn(() -> ledger.took(queue.tryRemove(a))));
        tasks.add(Task.spawn(() -> {
            boolean there = queue.tryReset(b, MILLI);
            assertThat(there || queue.tryRemove(b) == null).isTrue();
        }));
        ledger.settle(tasks);
        assertThat(ledger.gone).containsExactlyInAnyOrder("a", "b");
    }

    private static void takersThatGiveUp() throws Exception {
        Ledger ledger = new Ledger();
        DelayQueue<String> queue = ledger.queue;
        queue.insert("a", MILLI);
        Channel<String> channel = Channel.bounded(1);
        List<JoinHandle<?>> tasks = new ArrayList<>();
        JoinHandle<?> aborted = Task.spawn(() -> ledger.took(queue.take()));
        tasks.add(aborted);
        tasks.add(Task.spawn(() -> Select.<Boolean>of()
                .on(queue, expired -> {
                    ledger.took(expired);
                    return true;
                })
                .onReceive(channel, item -> true)
                .await()));
        tasks.add(Task.spawn(() -> {
            try {
                ledger.took(queue.take(MILLI));
            } catch (TimeoutException e) {
                // it has taken none
            }
        }));
        tasks.add(Task.spawn(() -> MovingClock.advance(MILLI)));
        aborted.abort();
        channel.send("item");
        ledger.settle(tasks);
        assertThat(ledger.gone).containsExactly("a");
    }

    private static void sizeAndTryTake() throws Exception {
        Ledger ledger = new Ledger();
        DelayQueue<String> queue = ledger.queue;
        queue.insert("a", MILLI);
        queue.insert("b", LONG);
        List<JoinHandle<?>> tasks = new ArrayList<>();
        tasks.add(Task.spawn(() -> ledger.took(queue.take())));
        tasks.add(Task.spawn(() -> MovingClock.advance(MILLI)));
        tasks.add(Task.spawn(() -> {
            DelayQueue.Expired<String> expired = queue.tryTake();
            if (expired != null) {
                ledger.took(expired);
            }
        }));
        tasks.add(Task.spawn(() -> queue.insert("c", Duration.ZERO)));
        int gone = ledger.gone.size();
        assertThat(queue.size()).isBetween(0, 3 - gone);
        ledger.settle(tasks);
        assertThat(ledger.gone).containsExactlyInAnyOrder("a", "b", "c");
    }

    @Test
    void everyItemHasOneEnd_inSchedulesOfOnePreemption() {
        explore(SchedulesOfDelayQueueTest::takersRemoverAndResetter);
        explore(SchedulesOfDelayQueueTest::takersThatGiveUp);
        explore(SchedulesOfDelayQueueTest::sizeAndTryTake);
    }

    private static void explore(VoidBody<?> body) {
        assertThat(Explore.preemptions(1).atMost(8_000).run(body).distinct()).isGreaterThan(2_000);
    }

    @Test
    void everyItemHasOneEnd_inSeededSchedules() {
        Explore.seeds(1_500).run(SchedulesOfDelayQueueTest::takersRemoverAndResetter);
        Explore.seeds(1_500).run(SchedulesOfDelayQueueTest::takersThatGiveUp);
        Explore.seeds(1_500).run(SchedulesOfDelayQueueTest::sizeAndTryTake);
    }
}
