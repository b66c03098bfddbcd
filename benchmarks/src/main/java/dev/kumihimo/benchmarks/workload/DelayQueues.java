package dev.kumihimo.benchmarks.workload;

import java.util.ArrayList;
import java.util.concurrent.DelayQueue;
import java.util.concurrent.Delayed;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * One task fills a queue with 10,000 items that come due after 20 to 40 ms, removes every other one, sets the delay of the
 * others anew, and takes them as they come due. Each of these is an operation: 25,000 in a batch. The delays look random,
 * and are the same in every column and every run.
 *
 * @param <K> what stands for an item in the queue
 */
final class DelayQueues<K> implements WaitingWorkload {
    private static final int ITEMS = 10_000;
    private static final int OPERATIONS = ITEMS / 2 * 5;
    private static final long OUT = Long.MAX_VALUE;

    /** A queue of numbered items. */
    interface Queue<K> extends AutoCloseable {
        K insert(Integer item, long nanos);

        /** Returns false if the item is due, and comes out all the same. */
        boolean remove(K key);

        /** Returns false if the item is due, and comes out as it was; otherwise the key is used up. */
        boolean reset(K key, long nanos);

        /** Waits for an item that is due. */
        Integer take() throws InterruptedException;

        @Override
        default void close() {}
    }

    private final Supplier<Queue<K>> opener;

    DelayQueues(Supplier<Queue<K>> opener) {
        this.opener = opener;
    }

    private static long nanos(int number) {
        return TimeUnit.MICROSECONDS.toNanos(20_000 + number * 7_919L % 20_011);
    }

    @Override
    public void run(int operations) throws InterruptedException {
        int batches = Math.max(1, operations / OPERATIONS);
        for (int i = 0; i < batches; i++) {
            try (var queue = opener.get()) {
                batch(queue, Math.min(ITEMS, operations / 5 * 2));
            }
        }
    }

    private static <K> void batch(Queue<K> queue, int items) throws InterruptedException {
        var keys = new ArrayList<K>(items);
        var due = new long[items];
        for (int i = 0; i < items; i++) {
            due[i] = System.nanoTime() + nanos(i);
            keys.add(queue.insert(i, nanos(i)));
        }
        int left = items;
        for (int i = 0; i < items; i += 2) {
            if (queue.remove(keys.get(i))) {
                due[i] = OUT;
                left--;
            }
            long reset = System.nanoTime() + nanos(items + i);
            if (queue.reset(keys.get(i + 1), nanos(items + i))) {
                due[i + 1] = reset;
            }
        }
        for (; left > 0; left--) {
            int item = queue.take();
            if (due[item] == OUT || System.nanoTime() - due[item] < 0) {
                throw new IllegalStateException("item " + item + " has come out twice, after its removal, or early");
            }
            due[item] = OUT;
        }
    }

    /** One that is in a {@link DelayQueue}. */
    static final class Entry implements Delayed {
        private final Integer item;
        private long due;

        Entry(Integer item, long nanos) {
            this.item = item;
            this.due = System.nanoTime() + nanos;
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(due - System.nanoTime(), TimeUnit.NANOSECONDS);
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.signum(due - ((Entry) other).due);
        }
    }

    /** That of {@code java.util.concurrent}, which searches the whole queue for what it shall remove. */
    static Queue<Entry> ofJdk() {
        var queue = new DelayQueue<Entry>();
        return new Queue<>() {
            @Override
            public Entry insert(Integer item, long nanos) {
                var entry = new Entry(item, nanos);
                queue.put(entry);
                return entry;
            }

            @Override
            public boolean remove(Entry entry) {
                return queue.remove(entry);
            }

            @Override
            public boolean reset(Entry entry, long nanos) {
                if (!queue.remove(entry)) {
                    return false;
                }
                entry.due = System.nanoTime() + nanos;
                queue.put(entry);
                return true;
            }

            @Override
            public Integer take() throws InterruptedException {
                return queue.take().item;
            }
        };
    }

    /** A timer for each item, whose callback puts it into a {@link LinkedBlockingQueue}. */
    static final class OfTimers<T> implements Queue<OfTimers<T>.Armed> {
        private final Timers<T> timers;
        private final LinkedBlockingQueue<Integer> ready = new LinkedBlockingQueue<>();

        OfTimers(Timers<T> timers) {
            this.timers = timers;
        }

        /** Decides by its flag: a {@code ScheduledFuture} also lets itself be cancelled while it runs. */
        final class Armed extends AtomicBoolean implements Runnable {
            private final transient Integer item;
            private final transient T timer;

            @SuppressWarnings("this-escape") // what the callback reads is set
            Armed(Integer item, long nanos) {
                this.item = item;
                this.timer = timers.arm(this, nanos);
            }

            @Override
            public void run() {
                if (compareAndSet(false, true)) {
                    ready.add(item);
                }
            }

            boolean cancel() {
                if (!compareAndSet(false, true)) {
                    return false;
                }
                timers.cancel(timer);
                return true;
            }
        }

        @Override
        public Armed insert(Integer item, long nanos) {
            return new Armed(item, nanos);
        }

        @Override
        public boolean remove(Armed armed) {
            return armed.cancel();
        }

        @Override
        public boolean reset(Armed armed, long nanos) {
            if (!armed.cancel()) {
                return false;
            }
            insert(armed.item, nanos);
            return true;
        }

        @Override
        public Integer take() throws InterruptedException {
            return ready.take();
        }

        @Override
        public void close() {
            timers.close();
        }
    }
}
