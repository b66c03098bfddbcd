package dev.kumihimo.test.corpus;

import static dev.kumihimo.test.corpus.CorpusTest.check;
import static dev.kumihimo.test.corpus.CorpusTest.join;

import dev.kumihimo.channel.BackpressuredBroadcast;
import dev.kumihimo.channel.Broadcast;
import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.Oneshot;
import dev.kumihimo.channel.Sender;
import dev.kumihimo.channel.Watch;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.select.Select;
import dev.kumihimo.sync.Notify;
import dev.kumihimo.task.CancellationToken;
import dev.kumihimo.time.DelayQueue;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** Items that go from task to task. */
final class Flows {
    private static final Duration MILLI = Duration.ofMillis(1);

    private Flows() {}

    static void producersAndAConsumer() throws Exception {
        Channel<Integer> channel = Channel.bounded(2);
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (Sender<Integer> sender : List.of(channel.sender(), channel.sender())) {
            tasks.add(Task.spawn(() -> {
                try (sender) {
                    for (int i = 1; i <= 3; i++) {
                        sender.send(i);
                    }
                }
            }));
        }
        int sum = 0;
        for (Integer item; (item = channel.receiveOrNull()) != null; ) {
            sum += item;
        }
        join(tasks);
        check(sum == 12, "sum=" + sum);
    }

    static void pipeline() throws Exception {
        Channel<Integer> numbers = Channel.rendezvous();
        Channel<Integer> squares = Channel.bounded(1);
        List<JoinHandle<?>> tasks = new ArrayList<>();
        tasks.add(Task.spawn(() -> {
            try (numbers) {
                for (int i = 1; i <= 3; i++) {
                    numbers.send(i);
                }
            }
        }));
        tasks.add(Task.spawn(() -> {
            try (squares) {
                numbers.forEach(n -> squares.send(n * n));
            }
        }));
        List<Integer> seen = new ArrayList<>();
        squares.forEach(seen::add);
        join(tasks);
        check(seen.equals(List.of(1, 4, 9)), "seen " + seen);
    }

    static void workerPool() throws Exception {
        Channel<Integer> jobs = Channel.unbounded();
        Channel<Integer> results = Channel.bounded(1);
        List<JoinHandle<?>> workers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            workers.add(Task.spawn(() -> jobs.forEach(job -> results.send(job * 10))));
        }
        for (int i = 0; i < 4; i++) {
            jobs.send(i);
        }
        jobs.close();
        int sum = 0;
        for (int i = 0; i < 4; i++) {
            sum += results.receive();
        }
        join(workers);
        check(sum == 60 && results.tryReceive() == null, "sum=" + sum);
    }

    static void publishAndSubscribe() throws Exception {
        Broadcast<Integer> news = Broadcast.create(4);
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (Broadcast.Receiver<Integer> receiver : List.of(news.subscribe(), news.subscribe())) {
            tasks.add(Task.spawn(() -> {
                try (receiver) {
                    int expected = 0;
                    for (Integer item; (item = receiver.receiveOrNull()) != null; expected++) {
                        check(item == expected, item + " instead of " + expected);
                    }
                    check(expected == 3, "ended after " + expected);
                }
            }));
        }
        for (int i = 0; i < 3; i++) {
            news.send(i);
        }
        news.close();
        join(tasks);
    }

    static void slowSubscriber() throws Exception {
        Broadcast<Integer> news = Broadcast.create(2);
        long[] missed = {0};
        Broadcast.Receiver<Integer> receiver = news.subscribe(count -> missed[0] += count);
        JoinHandle<Integer> reader = Task.spawn(() -> {
            int received = 0;
            try (receiver) {
                while (receiver.receiveOrNull() != null) {
                    received++;
                }
            }
            return received;
        });
        for (int i = 0; i < 5; i++) {
            news.send(i);
        }
        news.close();
        int received = reader.join();
        check(received + missed[0] == 5, received + " received, " + missed[0] + " missed");
    }

    static void subscribersThatHoldTheSenderUp() throws Exception {
        BackpressuredBroadcast<Integer> news = Broadcast.backpressured(1);
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (Broadcast.Receiver<Integer> receiver : List.of(news.subscribe(), news.subscribe())) {
            tasks.add(Task.spawn(() -> {
                try (receiver) {
                    check(receiver.receive() == 0 && receiver.receive() == 1, "out of order");
                }
            }));
        }
        news.send(0);
        news.send(1);
        join(tasks);
        news.close();
    }

    static void selectLoop() throws Exception {
        Channel<String> left = Channel.rendezvous();
        Channel<String> right = Channel.bounded(1);
        CancellationToken stop = CancellationToken.create();
        JoinHandle<Integer> loop = Task.spawn(() -> {
            int handled = 0;
            while (true) {
                boolean more = Select.<Boolean>of()
                        .biased()
                        .onReceive(left, item -> true)
                        .onReceive(right, item -> true)
                        .onCancelled(stop, () -> false)
                        .await();
                if (!more) { // the branches are tried one by one: an item may have come after its own was
                    return right.tryReceive() == null ? handled : handled + 1;
                }
                handled++;
            }
        });
        List<JoinHandle<?>> tasks = new ArrayList<>();
        tasks.add(Task.spawn(() -> left.send("l")));
        tasks.add(Task.spawn(() -> right.send("r")));
        join(tasks);
        stop.cancel();
        check(loop.join() == 2, "not all handled before the stop");
    }

    static void requestsAndReplies() throws Exception {
        record Request(int number, Oneshot<Integer> reply) {}
        Channel<Request> requests = Channel.bounded(1);
        JoinHandle<?> actor = Task.spawn(() -> {
            int[] total = {0};
            requests.forEach(request -> request.reply().send(total[0] += request.number()));
        });
        List<JoinHandle<Integer>> callers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            callers.add(Task.spawn(() -> {
                Oneshot<Integer> reply = Oneshot.create();
                requests.send(new Request(5, reply));
                return reply.receive();
            }));
        }
        int sum = callers.get(0).join() + callers.get(1).join();
        requests.close();
        actor.join();
        check(sum == 15, "sum=" + sum);
    }

    static void reloadedConfiguration() throws Exception {
        Watch<Integer> config = Watch.of(0);
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (Watch.Receiver<Integer> receiver : List.of(config.subscribe(), config.subscribe())) {
            tasks.add(Task.spawn(() -> {
                try (receiver) {
                    int last = 0;
                    while (last < 3) {
                        int next = receiver.changed();
                        check(next > last, next + " after " + last);
                        last = next;
                    }
                }
            }));
        }
        for (int i = 1; i <= 3; i++) {
            config.send(i);
        }
        join(tasks);
        config.close();
    }

    static void dequeWithANotify() throws Exception {
        ArrayDeque<Integer> deque = new ArrayDeque<>();
        Notify notify = new Notify();
        JoinHandle<Integer> consumer = Task.spawn(() -> {
            int sum = 0;
            for (int taken = 0; taken < 3; ) {
                Integer item = deque.poll();
                if (item == null) {
                    notify.notified();
                } else {
                    sum += item;
                    taken++;
                }
            }
            return sum;
        });
        for (int i = 1; i <= 3; i++) {
            deque.add(i);
            notify.notifyOne();
        }
        check(consumer.join() == 6, "not all taken");
    }

    static void delayedJobs() throws Exception {
        DelayQueue<String> queue = DelayQueue.create();
        JoinHandle<String> taker =
                Task.spawn(() -> queue.take().value() + queue.take().value());
        queue.insert("b", MILLI.multipliedBy(20));
        DelayQueue.Key never = queue.insert("x", MILLI.multipliedBy(15));
        queue.insert("a", MILLI.multipliedBy(10));
        check("x".equals(queue.remove(never)), "not removed");
        check(taker.join().equals("ab") && queue.isEmpty(), "out of order");
    }

    static void pooledConnections() throws Exception {
        Channel<Integer> pool = Channel.bounded(2);
        pool.send(1);
        pool.send(2);
        int[] inUse = {0};
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            tasks.add(Task.spawn(() -> {
                int connection = pool.receive();
                check(++inUse[0] <= 2, inUse[0] + " in use");
                Task.sleep(MILLI);
                inUse[0]--;
                pool.send(connection);
            }));
        }
        join(tasks);
        check(pool.size() == 2, pool.size() + " left");
    }
}
