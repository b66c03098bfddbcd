package dev.kumihimo.test.corpus;

import static dev.kumihimo.test.corpus.CorpusTest.check;
import static dev.kumihimo.test.corpus.CorpusTest.join;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.runtime.Body;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.sync.Barrier;
import dev.kumihimo.sync.Mutex;
import dev.kumihimo.sync.OnceCell;
import dev.kumihimo.sync.RwLock;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.task.CancellationToken;
import dev.kumihimo.task.JoinMap;
import dev.kumihimo.task.JoinSet;
import dev.kumihimo.task.TaskTracker;
import dev.kumihimo.task.Tasks;
import dev.kumihimo.time.Interval;
import dev.kumihimo.time.Timeout;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;

/** Tasks that belong together, share things, and end in order. */
final class Groups {
    private static final Duration MILLI = Duration.ofMillis(1);

    private Groups() {}

    static void fanOut() throws Exception {
        try (JoinSet<Integer> set = JoinSet.open()) {
            for (int i = 1; i <= 3; i++) {
                int number = i;
                set.spawn(() -> {
                    Task.yieldNow();
                    return number;
                });
            }
            check(set.joinAll().stream().mapToInt(n -> n).sum() == 6, "not all");
        }
    }

    static void fanOutWithAFailure() throws Exception {
        int[] succeeded = {0};
        int[] failed = {0};
        try (JoinSet<Integer> set = JoinSet.open()) {
            set.spawn(() -> 1);
            set.spawn(() -> {
                throw new IOException("down");
            });
            set.spawn(() -> 2);
            for (JoinResult<Integer> result; (result = set.joinNext()) != null; ) {
                if (result.isSuccess()) {
                    succeeded[0]++;
                } else {
                    failed[0]++;
                }
            }
        }
        check(succeeded[0] == 2 && failed[0] == 1, succeeded[0] + " succeeded, " + failed[0] + " failed");
    }

    static void allOrNothing() throws Exception {
        Channel<String> never = Channel.rendezvous();
        try {
            Tasks.all(() -> never.receive(), () -> {
                throw new IOException("down");
            });
            check(false, "nothing failed");
        } catch (ExecutionException e) {
            check(e.getCause() instanceof IOException, "failed with " + e.getCause());
        }
        check(never.trySend("x") == false, "somebody still waits");
    }

    static void firstReplicaWins() throws Exception {
        String first = Tasks.race(
                () -> {
                    Task.sleep(MILLI.multipliedBy(2));
                    return "fast";
                },
                () -> {
                    Task.sleep(MILLI.multipliedBy(9));
                    return "slow";
                },
                () -> {
                    throw new IOException("down");
                });
        check(first.equals("fast"), first + " won");
    }

    static void boundedParallelMap() throws Exception {
        int[] running = {0};
        List<Integer> results = new ArrayList<>();
        try (JoinSet<Integer> set = JoinSet.open(2)) {
            for (int i = 0; i < 4; i++) {
                int number = i;
                set.spawn(() -> {
                    check(++running[0] <= 2, running[0] + " are running");
                    Task.sleep(MILLI);
                    running[0]--;
                    return number;
                });
            }
            results.addAll(set.joinAll());
        }
        check(results.stream().mapToInt(n -> n).sum() == 6, "results " + results);
    }

    static void mapWhoseTaskIsAborted() throws Exception {
        Channel<String> never = Channel.rendezvous();
        Map<String, Boolean> ended = new HashMap<>();
        try (JoinMap<String, String> map = JoinMap.open()) {
            map.spawn("waits", () -> never.receive());
            map.spawn("works", () -> "done");
            map.abort("waits");
            for (JoinMap.Entry<String, String> entry; (entry = map.joinNext()) != null; ) {
                ended.put(entry.key(), entry.result().isSuccess());
            }
        }
        check(ended.equals(Map.of("waits", false, "works", true)), "ended " + ended);
    }

    static void timeouts() throws Exception {
        Channel<String> late = Channel.bounded(1);
        JoinHandle<?> sender = Task.spawn(() -> {
            Task.sleep(MILLI.multipliedBy(10));
            late.send("late");
        });
        try {
            late.receive(MILLI.multipliedBy(5));
            check(false, "too early");
        } catch (TimeoutException e) {
            check(Timeout.call(MILLI.multipliedBy(6), () -> late.receive()).equals("late"), "lost");
        }
        sender.join();
    }

    static void timeoutInATimeout() throws Exception {
        Channel<String> never = Channel.rendezvous();
        List<JoinHandle<String>> clients = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            clients.add(Task.spawn(() -> Timeout.call(MILLI.multipliedBy(10), () -> {
                try {
                    return Timeout.call(MILLI.multipliedBy(3), () -> never.receive());
                } catch (TimeoutException e) {
                    Task.sleep(MILLI.multipliedBy(3));
                    return "fallback";
                }
            })));
        }
        for (JoinHandle<String> client : clients) {
            check(client.join().equals("fallback"), client.join());
        }
    }

    static void retriesWithBackOff() throws Exception {
        int[] attempts = {0};
        Body<String, IOException> flaky = () -> {
            if (++attempts[0] < 4) {
                throw new IOException("attempt " + attempts[0]);
            }
            return "done";
        };
        JoinHandle<String> client = Task.spawn(() -> {
            Duration pause = MILLI;
            while (true) {
                try {
                    return flaky.call();
                } catch (IOException e) {
                    Task.sleep(pause);
                    pause = pause.multipliedBy(2);
                }
            }
        });
        check(client.join().equals("done") && attempts[0] == 4, attempts[0] + " attempts");
    }

    static void restartedByASupervisor() throws Exception {
        Channel<Integer> jobs = Channel.bounded(3);
        List<Integer> done = new ArrayList<>();
        JoinHandle<Integer> supervisor = Task.spawn(() -> {
            for (int starts = 1; ; starts++) {
                JoinHandle<?> worker = Task.spawn(() -> jobs.forEach(job -> {
                    done.add(job);
                    if (job == 2) {
                        throw new IllegalStateException("a bad job");
                    }
                }));
                if (worker.result().isSuccess()) {
                    return starts;
                }
            }
        });
        for (int i = 1; i <= 3; i++) {
            jobs.send(i);
        }
        jobs.close();
        check(supervisor.join() == 2 && done.equals(List.of(1, 2, 3)), "done " + done);
    }

    static void limitedRate() throws Exception {
        Semaphore burst = Semaphore.of(1);
        CancellationToken stop = CancellationToken.create();
        List<JoinHandle<?>> tasks = new ArrayList<>();
        JoinHandle<?> refill = Task.spawn(() -> {
            Interval interval = Interval.of(MILLI.multipliedBy(10));
            interval.tick();
            try {
                stop.run(() -> {
                    while (true) {
                        interval.tick();
                        burst.release(1);
                    }
                });
            } catch (TaskCancelledException e) {
                check(stop.isCancelled(), "stopped by nobody");
            }
        });
        for (int i = 0; i < 3; i++) {
            tasks.add(Task.spawn(() -> burst.acquire().forget()));
        }
        join(tasks);
        stop.cancel();
        refill.join();
        check(burst.availablePermits() == 0, "permits from nowhere");
    }

    static void gracefulShutdown() throws Exception {
        CancellationToken stop = CancellationToken.create();
        TaskTracker tracker = TaskTracker.create();
        int[] finished = {0};
        Channel<String> requests = Channel.rendezvous();
        for (int i = 0; i < 2; i++) {
            tracker.spawn(() -> {
                try {
                    stop.run(() -> requests.receive());
                } catch (TaskCancelledException e) {
                    Task.yieldNow(); // it has something to finish
                }
                finished[0]++;
            });
        }
        Task.yieldNow();
        stop.cancel("the service ends");
        tracker.close();
        tracker.await();
        check(finished[0] == 2, finished[0] + " of 2 have finished");
    }

    static void treeOfTokens() throws Exception {
        CancellationToken root = CancellationToken.create();
        CancellationToken left = root.child();
        CancellationToken right = root.child();
        List<JoinHandle<?>> tasks = new ArrayList<>();
        tasks.add(Task.spawn(() -> left.child().awaitCancelled()));
        JoinHandle<?> other = Task.spawn(() -> right.awaitCancelled());
        left.cancel();
        join(tasks);
        check(!right.isCancelled() && !root.isCancelled(), "the wrong way");
        root.cancel();
        other.join();
    }

    static void cacheUnderAMutex() throws Exception {
        Mutex<Map<String, Integer>> cache = Mutex.of(new HashMap<>());
        int[] loads = {0};
        List<JoinHandle<Integer>> tasks = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            tasks.add(Task.spawn(() -> {
                try (var guard = cache.lock()) {
                    Integer there = guard.get().get("key");
                    if (there == null) {
                        Task.sleep(MILLI);
                        there = ++loads[0];
                        guard.get().put("key", there);
                    }
                    return there;
                }
            }));
        }
        for (JoinHandle<Integer> task : tasks) {
            check(task.join() == 1, "loaded again");
        }
    }

    static void cacheUnderAReadersWriterLock() throws Exception {
        RwLock<Integer> cache = RwLock.of(0);
        int[] writing = {0};
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            tasks.add(Task.spawn(() -> {
                try (var guard = cache.read()) {
                    check(writing[0] == 0, "read during a write");
                    Task.yieldNow();
                    check(writing[0] == 0 && guard.get() >= 0, "written during a read");
                }
            }));
            tasks.add(Task.spawn(() -> {
                try (var guard = cache.write()) {
                    check(++writing[0] == 1, "two writers");
                    Task.yieldNow();
                    guard.set(guard.get() + 1);
                    writing[0]--;
                }
            }));
        }
        join(tasks);
        try (var guard = cache.read()) {
            check(guard.get() == 2, "written " + guard.get());
        }
    }

    static void stepsWithABarrier() throws Exception {
        Barrier barrier = Barrier.of(2);
        int[] step = {0, 0};
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            int who = i;
            tasks.add(Task.spawn(() -> {
                for (int round = 1; round <= 2; round++) {
                    step[who] = round;
                    barrier.await();
                    check(step[1 - who] >= round, "the other is behind");
                    barrier.await();
                }
            }));
        }
        join(tasks);
    }

    static void initialisedOnce() throws Exception {
        OnceCell<Integer> cell = new OnceCell<>();
        int[] attempts = {0};
        List<JoinHandle<Integer>> tasks = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            tasks.add(Task.spawn(() -> cell.getOrInit(() -> {
                Task.sleep(MILLI);
                return ++attempts[0];
            })));
        }
        for (JoinHandle<Integer> task : tasks) {
            check(task.join() == 1, "initialised again");
        }
    }

    static void philosophersInOneOrder() throws Exception {
        List<Mutex<Integer>> forks = List.of(Mutex.of(0), Mutex.of(0), Mutex.of(0));
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Mutex<Integer> first = forks.get(Math.min(i, (i + 1) % 3));
            Mutex<Integer> second = forks.get(Math.max(i, (i + 1) % 3));
            tasks.add(Task.spawn(() -> {
                try (var one = first.lock();
                        var other = second.lock()) {
                    one.set(one.get() + 1);
                    other.set(other.get() + 1);
                }
            }));
        }
        join(tasks);
        for (Mutex<Integer> fork : forks) {
            try (var guard = fork.lock()) {
                check(guard.get() == 2, "used " + guard.get() + " times");
            }
        }
    }
}
