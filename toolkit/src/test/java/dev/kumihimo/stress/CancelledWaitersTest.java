package dev.kumihimo.stress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kumihimo.channel.Broadcast;
import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.Watch;
import dev.kumihimo.internal.driver.Driver;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.runtime.TaskRuntime;
import dev.kumihimo.select.Select;
import dev.kumihimo.support.ForkedJvm;
import dev.kumihimo.sync.Mutex;
import dev.kumihimo.sync.Notify;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.task.CancellationToken;
import dev.kumihimo.time.DelayQueue;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryUsage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Waiters that were cancelled, by the million and behind ones that go on waiting, leave nothing. The system property
 * {@code kumihimo.stress.waiters} says how many.
 */
@Timeout(600)
class CancelledWaitersTest {
    private static final String PROPERTY = "kumihimo.stress.waiters";
    private static final int MOST_GROWN = 1 << 19;

    @Test
    void cancelledWaiters_leaveAFlatHeapAndNoTimer() throws Exception {
        int waiters = Integer.getInteger(PROPERTY, 1_000_000);
        String output = ForkedJvm.run(
                Stream.concat(
                                ForkedJvm.WITH_FLAG.stream(),
                                Stream.of("-Xmx512m", "-XX:+UseSerialGC", "-D" + PROPERTY + "=" + waiters))
                        .toList(),
                Waiters.class);
        System.out.print(output);
        long cancelled = Long.parseLong(output.replaceAll("(?s).*?(\\d+) cancelled waiters.*", "$1"));
        assertThat(cancelled).isGreaterThanOrEqualTo(waiters);
        assertThat(output).contains(" 0 timers");
        assertThat(Long.parseLong(output.replaceAll("(?s).*heap grown by (-?\\d+) B.*", "$1")))
                .isLessThan(MOST_GROWN);
    }

    /** What the forked JVM runs. */
    static final class Waiters {
        /** How many wait at a time, where others cancel them. */
        private static final int BATCH = 500;

        private static final Duration LONG = Duration.ofHours(1);

        private final Channel<String> channel = Channel.bounded(1);
        private final Channel<String> full = Channel.bounded(1);
        private final Semaphore semaphore = Semaphore.of(0);
        private final Mutex<String> mutex = Mutex.of("data");
        private final Notify notify = new Notify();
        private final Watch<String> watch = Watch.of("value");
        private final Broadcast<String> broadcast = Broadcast.create(16);
        private final DelayQueue<String> delays = DelayQueue.create();
        private final CancellationToken parent = CancellationToken.create();
        private final List<JoinHandle<?>> staying = new ArrayList<>();
        private final List<Waiting> kinds = List.of(
                () -> channel.receive(),
                () -> channel.receive(LONG),
                () -> full.send("item"),
                () -> semaphore.acquire(2).forget(),
                () -> semaphore.acquire(LONG).forget(),
                () -> mutex.lock().close(),
                () -> mutex.lock(LONG).close(),
                notify::notified,
                () -> notify.listen().await(LONG),
                () -> {
                    try (Watch.Receiver<String> receiver = watch.subscribe()) {
                        receiver.changed(LONG);
                    }
                },
                () -> {
                    try (Broadcast.Receiver<String> receiver = broadcast.subscribe()) {
                        receiver.receive();
                    }
                },
                () -> parent.child().child().awaitCancelled(),
                () -> Task.sleep(LONG),
                () -> delays.take(),
                () -> delays.take(LONG),
                () -> dev.kumihimo.time.Timeout.call(LONG, () -> channel.receive()),
                () -> select().await());

        private long cancelled;

        private interface Waiting {
            void run() throws Exception;
        }

        public static void main(String[] args) throws Exception {
            int waiters = Integer.getInteger(PROPERTY);
            try (TaskRuntime runtime = TaskRuntime.builder().workerThreads(2).build()) {
                runtime.blockOn(() -> new Waiters().run(waiters));
            }
        }

        private void run(int waiters) throws Exception {
            full.send("item");
            delays.insert("item", LONG.multipliedBy(9));
            Driver driver = Driver.current();
            try (Mutex.Guard<String> held = mutex.lock()) {
                for (Waiting kind : kinds) {
                    staying.add(Task.spawn(() -> kind.run()));
                }
                cancelAll(Math.max(waiters / 20, 50_000)); // until all is loaded, compiled and grown
                cancelled = 0;
                long before = settledHeap();
                long begin = System.nanoTime();
                cancelAll(waiters);
                long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
                long grown = settledHeap() - before;
                long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
                while (grown >= MOST_GROWN && System.nanoTime() < end) {
                    Task.sleep(Duration.ofMillis(10));
                    grown = settledHeap() - before; // what ends with a run, such as a compilation, is no leak
                }
                System.out.println(cancelled + " cancelled waiters in " + millis + " ms; "
                        + staying.stream().filter(JoinHandle::isFinished).count() + " of those in front ended, "
                        + "heap grown by " + grown + " B of " + before);
                ensureUsable(held);
            }
            staying.forEach(JoinHandle::abort);
            for (JoinHandle<?> task : staying) {
                task.result();
            }
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
            while ((driver.hasNewTimers() || driver.timers() > 0) && System.nanoTime() < end) {
                Task.sleep(Duration.ofMillis(1)); // its own timer is gone while it looks
            }
            System.out.println((driver.hasNewTimers() ? "new" : " " + driver.timers()) + " timers");
        }

        private void ensureUsable(Mutex.Guard<String> held) {
            if (mutex.tryLock() != null || channel.tryReceive() != null || semaphore.availablePermits() != 0) {
                throw new AssertionError("somebody was served by nothing: " + held);
            }
        }

        private void cancelAll(int waiters) throws Exception {
            int each = waiters / kinds.size() + 1;
            for (Waiting kind : kinds) {
                cancelThemselves(kind, each - each / 8);
                cancelParked(kind, each / 8 + 1);
            }
            lose(each / 8 + 1);
        }

        /** In a cancelled region a wait registers, finds that it is cancelled, and withdraws. */
        private void cancelThemselves(Waiting kind, int times) throws Exception {
            CancellationToken token = CancellationToken.create();
            JoinHandle<Long> task = Task.spawn(() -> token.run(() -> {
                token.cancel();
                long count = 0;
                for (int i = 0; i < times; i++) {
                    count += isEnded(kind) ? 1 : 0;
                }
                return count;
            }));
            cancelled += task.join();
        }

        /** They wait, and a token ends them all. */
        private void cancelParked(Waiting kind, int times) throws Exception {
            for (int done = 0; done < times; done += BATCH) {
                CancellationToken token = parent.child();
                List<JoinHandle<Boolean>> tasks = new ArrayList<>();
                for (int i = 0; i < BATCH; i++) {
                    tasks.add(Task.spawn(() -> isEnded(() -> token.run(() -> kind.run()))));
                }
                Task.yieldNow();
                token.cancel();
                for (JoinHandle<Boolean> task : tasks) {
                    cancelled += task.join() ? 1 : 0;
                }
            }
        }

        /** They wait in a select, and one branch of each is served: the others have waited for nothing. */
        private void lose(int times) throws Exception {
            Semaphore served = Semaphore.of(0);
            for (int done = 0; done < times; done += BATCH) {
                List<JoinHandle<String>> tasks = new ArrayList<>();
                for (int i = 0; i < BATCH; i++) {
                    tasks.add(Task.spawn(
                            () -> select().onPermit(served, permit -> "served").await()));
                }
                Task.yieldNow();
                served.release(BATCH);
                for (JoinHandle<String> task : tasks) {
                    cancelled += task.join().equals("served") ? 1 : 0;
                }
            }
        }

        private Select<String> select() {
            return Select.<String>of()
                    .onReceive(channel, item -> item)
                    .onSend(full, "item", () -> "sent")
                    .on(mutex, Mutex.Guard::get)
                    .onPermit(semaphore, permit -> "permit")
                    .onCancelled(parent, () -> "cancelled")
                    .on(notify, () -> "notified")
                    .on(delays, () -> "expired")
                    .after(LONG, () -> "late");
        }

        private static boolean isEnded(Waiting wait) throws Exception {
            try {
                wait.run();
                throw new AssertionError("a wait for nothing has ended");
            } catch (TaskCancelledException e) {
                return true;
            }
        }

        /** What is in use once nothing more becomes free: references are cleared, and stacks of parked threads shrink, in steps. */
        private static long settledHeap() throws InterruptedException {
            long before = Long.MAX_VALUE;
            long used = used();
            for (int i = 0; i < 20 && before - used > 1 << 14; i++) {
                Task.sleep(Duration.ofMillis(20));
                before = used;
                used = used();
            }
            return used;
        }

        /** {@return what the collection has left} Other than what is used, this does not count what threads allocate ahead. */
        private static long used() {
            System.gc();
            return ManagementFactory.getMemoryPoolMXBeans().stream()
                    .map(MemoryPoolMXBean::getCollectionUsage)
                    .filter(Objects::nonNull)
                    .mapToLong(MemoryUsage::getUsed)
                    .sum();
        }
    }
}
