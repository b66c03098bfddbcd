package dev.kumihimo.test.primitives;

import static dev.kumihimo.test.primitives.PrimitivesTest.check;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.sync.Barrier;
import dev.kumihimo.sync.Mutex;
import dev.kumihimo.sync.Notify;
import dev.kumihimo.sync.OnceCell;
import dev.kumihimo.sync.RwLock;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.sync.SemaphoreClosedException;
import dev.kumihimo.sync.SetOnce;
import dev.kumihimo.task.CancellationToken;
import dev.kumihimo.task.JoinSet;
import dev.kumihimo.task.TaskTracker;
import java.util.ArrayList;
import java.util.List;

/** What lets one in, or all, or waits for an end: permits are conserved, one is alone, and every waiter ends. */
final class Turns {
    private Turns() {}

    /* ---------------- Semaphore ---------------- */

    static void permits() throws Exception {
        Semaphore semaphore = Semaphore.of(1);
        int[] inside = {0};
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            tasks.add(Task.spawn(() -> {
                try (var permit = semaphore.acquire()) {
                    check(++inside[0] == 1, "two inside");
                    Task.yieldNow();
                    inside[0]--;
                }
            }));
        }
        tasks.get(0).abort();
        tasks.get(1).join();
        tasks.get(0).result();
        check(semaphore.availablePermits() == 1, semaphore.availablePermits() + " permits");
    }

    /** Who wants many stands before who wants one, and gives up. */
    static void manyPermits() throws Exception {
        Semaphore semaphore = Semaphore.of(1);
        JoinHandle<?> many = Task.spawn(() -> semaphore.acquire(2).close());
        JoinHandle<?> one = Task.spawn(() -> semaphore.acquire().close());
        many.abort();
        one.join();
        many.result();
        check(semaphore.availablePermits() == 1, semaphore.availablePermits() + " permits");
    }

    static void semaphoreClosed() throws Exception {
        Semaphore semaphore = Semaphore.of(0);
        int[] acquired = {0};
        JoinHandle<?> waiter = Task.spawn(() -> {
            try {
                semaphore.acquire().forget();
                acquired[0]++;
            } catch (SemaphoreClosedException e) {
                check(semaphore.isClosed(), "it is open");
            }
        });
        JoinHandle<?> releaser = Task.spawn(() -> semaphore.release(1));
        semaphore.close();
        waiter.join();
        releaser.join();
        check(acquired[0] + semaphore.availablePermits() == 1, "acquired " + acquired[0]);
    }

    /* ---------------- Locks ---------------- */

    static void mutex() throws Exception {
        Mutex<Integer> mutex = Mutex.of(0);
        int[] done = {0};
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            tasks.add(Task.spawn(() -> {
                try (var guard = mutex.lock()) {
                    int before = guard.get();
                    Task.yieldNow();
                    guard.set(before + 1);
                    done[0]++;
                }
            }));
        }
        tasks.get(0).abort();
        tasks.get(1).join();
        tasks.get(0).result();
        try (var guard = mutex.tryLock()) {
            check(guard != null && guard.get() == done[0], "an update is lost, or the lock held");
        }
    }

    static void readersAndAWriter() throws Exception {
        RwLock<Integer> lock = RwLock.of(0);
        JoinHandle<?> writer = Task.spawn(() -> {
            try (var guard = lock.write()) {
                guard.set(1);
                Task.yieldNow();
                guard.set(2);
            }
        });
        JoinHandle<?> reader = Task.spawn(() -> {
            try (var guard = lock.read()) {
                check(guard.get() != 1, "read during a write");
            }
        });
        try (var guard = lock.read()) {
            check(guard.get() != 1, "read during a write");
        }
        writer.join();
        reader.join();
        try (var guard = lock.tryWrite()) {
            check(guard != null && guard.get() == 2, "not written, or the lock held");
        }
    }

    static void writerGivesUp() throws Exception {
        RwLock<Integer> lock = RwLock.of(0);
        JoinHandle<?> writer;
        JoinHandle<?> reader;
        try (var guard = lock.read()) {
            writer = Task.spawn(() -> lock.write().close());
            reader = Task.spawn(() -> lock.read().close());
            writer.abort();
            if (!writer.result().isSuccess()) {
                reader.join(); // while we read
            }
            check(guard.get() == 0, "written");
        }
        reader.join();
        try (var guard = lock.tryWrite()) {
            check(guard != null, "the lock is held");
        }
    }

    /* ---------------- Notifications ---------------- */

    static void notifyOne() throws Exception {
        Notify notify = new Notify();
        JoinHandle<?> first = Task.spawn(() -> notify.notified());
        JoinHandle<?> second = Task.spawn(() -> notify.notified());
        first.abort();
        notify.notifyOne(); // also while one that has given up is the first in the queue
        if (first.result().isSuccess()) {
            notify.notifyOne();
        }
        second.join();
        check(!notify.tryNotified(), "a permit from nowhere");
    }

    static void notifyWaiters() throws Exception {
        Notify notify = new Notify();
        boolean[] ready = {false};
        JoinHandle<?> waiter = Task.spawn(() -> {
            var listener = notify.listen();
            if (!ready[0]) {
                listener.await();
            }
            check(ready[0], "not ready");
        });
        JoinHandle<?> other = Task.spawn(() -> {
            var listener = notify.listen();
            if (!ready[0]) {
                listener.await();
            }
        });
        Task.yieldNow();
        ready[0] = true;
        notify.notifyWaiters();
        waiter.join();
        other.join();
    }

    /* ---------------- All at once, once for all ---------------- */

    static void barrier() throws Exception {
        Barrier barrier = Barrier.of(2);
        JoinHandle<Barrier.Passage> first = Task.spawn(() -> barrier.await());
        JoinHandle<Barrier.Passage> second = Task.spawn(() -> barrier.await());
        first.abort();
        List<Barrier.Passage> passages = new ArrayList<>();
        if (first.result() instanceof JoinResult.Success<Barrier.Passage>(Barrier.Passage passage)) {
            passages.add(passage);
        } else {
            passages.add(barrier.await());
        }
        passages.add(second.join());
        check(passages.get(0).isLeader() != passages.get(1).isLeader(), "leaders: " + passages);
        check(passages.get(0).generation() == passages.get(1).generation(), "generations: " + passages);
        check(barrier.waiting() == 0, "somebody waits");
    }

    static void onceCell() throws Exception {
        OnceCell<Object> cell = new OnceCell<>();
        int[] made = {0};
        JoinHandle<Object> first = Task.spawn(() -> cell.getOrInit(() -> {
            Task.checkCancelled();
            made[0]++;
            return new Object();
        }));
        JoinHandle<Object> second = Task.spawn(() -> cell.getOrInit(() -> {
            made[0]++;
            return new Object();
        }));
        first.abort();
        Object there = second.join();
        check(made[0] == 1 && there == cell.get(), "made " + made[0]);
        JoinResult<Object> result = first.result();
        check(!result.isSuccess() || result.get() == there, "another one");
    }

    static void setOnce() throws Exception {
        SetOnce<Object> cell = new SetOnce<>();
        JoinHandle<Object> waiter = Task.spawn(() -> cell.await());
        JoinHandle<Boolean> other = Task.spawn(() -> cell.trySet("other"));
        boolean mine = cell.trySet("mine");
        check(mine != other.join(), "set twice, or never");
        check(waiter.join().equals(mine ? "mine" : "other"), "another one");
    }

    /* ---------------- Ends ---------------- */

    static void joinSet() throws Exception {
        int[] ended = {0};
        try (JoinSet<Integer> set = JoinSet.open()) {
            set.spawn(() -> ++ended[0]);
            set.spawn(() -> {
                ended[0]++;
                throw new IllegalStateException("fails");
            });
            JoinResult<Integer> first = set.joinNext();
            JoinResult<Integer> second = set.joinNext();
            check(first.isSuccess() != second.isSuccess() && set.joinNext() == null, first + ", " + second);
        }
        check(ended[0] == 2, "ended " + ended[0]);
    }

    static void joinSetWhoseOwnerIsAborted() throws Exception {
        Channel<String> never = Channel.rendezvous();
        int[] live = {0};
        JoinHandle<?> owner = Task.spawn(() -> {
            try (JoinSet<String> set = JoinSet.open()) {
                set.spawn(() -> {
                    live[0]++;
                    try {
                        return never.receive();
                    } finally {
                        live[0]--;
                    }
                });
                set.joinNext();
            }
        });
        owner.abort();
        owner.result();
        check(live[0] == 0, "a child has outlived the set");
        check(!never.trySend("x"), "somebody still waits");
    }

    static void token() throws Exception {
        CancellationToken parent = CancellationToken.create();
        JoinHandle<?> waiter = Task.spawn(() -> parent.child().awaitCancelled());
        int[] called = {0};
        JoinHandle<?> registering = Task.spawn(() -> {
            try (var registration = parent.onCancel(() -> called[0]++)) {
                check(called[0] <= 1, "called " + called[0]);
            }
        });
        check(parent.cancel(), "cancelled before");
        waiter.join();
        registering.join();
        check(called[0] <= 1, "called " + called[0]);
    }

    static void tracker() throws Exception {
        TaskTracker tracker = TaskTracker.create();
        int[] ended = {0};
        tracker.spawn(() -> {
            tracker.spawn(() -> ended[0]++);
            ended[0]++;
        });
        tracker.close();
        tracker.await();
        check(ended[0] == 2 && tracker.isEmpty(), "ended " + ended[0]);
    }

    static void join() throws Exception {
        JoinHandle<Integer> task = Task.spawn(() -> 1);
        JoinHandle<Integer> joiner = Task.spawn(() -> task.join() + 1);
        task.abort();
        JoinResult<Integer> result = task.result();
        check(joiner.result().isSuccess() == result.isSuccess(), result + ", " + joiner.result());
    }
}
