package dev.kumihimo.test.planted;

import static dev.kumihimo.test.planted.PlantedBug.check;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.channel.Sender;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.sync.Mutex;
import dev.kumihimo.sync.Notify;
import dev.kumihimo.sync.OnceCell;
import dev.kumihimo.sync.Semaphore;
import dev.kumihimo.task.CancellationToken;
import java.util.ArrayList;
import java.util.List;

/** What programs do wrong with primitives that are sound. */
final class UserBugs {
    private UserBugs() {}

    private static void join(List<JoinHandle<?>> tasks) throws Exception {
        for (JoinHandle<?> task : tasks) {
            task.join();
        }
    }

    private static int get(Mutex<Integer> mutex) throws InterruptedException {
        try (var guard = mutex.lock()) {
            return guard.get();
        }
    }

    private static void set(Mutex<Integer> mutex, int value) throws InterruptedException {
        try (var guard = mutex.lock()) {
            guard.set(value);
        }
    }

    private static void add(Mutex<Integer> mutex, int amount, boolean broken) throws InterruptedException {
        if (broken) {
            set(mutex, get(mutex) + amount); // the lock is given back in between
            return;
        }
        try (var guard = mutex.lock()) {
            guard.set(guard.get() + amount);
        }
    }

    static void lostUpdateAcrossAWait(boolean broken) throws Exception {
        Mutex<Integer> balance = Mutex.of(0);
        JoinHandle<?> other = Task.spawn(() -> add(balance, 1, broken));
        add(balance, 1, broken);
        other.join();
        check(get(balance) == 2, "balance=" + get(balance));
    }

    /** A sum over two accounts, while money goes from one to the other. */
    static void halfATransferSeen(boolean broken) throws Exception {
        Mutex<Integer> from = Mutex.of(1);
        Mutex<Integer> to = Mutex.of(0);
        Mutex<Integer> both = Mutex.of(0);
        JoinHandle<?> transfer = Task.spawn(() -> {
            try (var held = both.lock()) {
                add(from, -1, false);
                add(to, 1, false);
            }
        });
        int sum;
        if (broken) {
            sum = get(from) + get(to);
        } else {
            try (var held = both.lock()) {
                sum = get(from) + get(to);
            }
        }
        transfer.join();
        check(sum == 1, "sum=" + sum);
    }

    /** Two that look whether there is an item, and then receive it. */
    static void checkThenReceive(boolean broken) throws Exception {
        Channel<String> channel = Channel.bounded(1);
        channel.send("item");
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            tasks.add(Task.spawn(() -> {
                if (!broken) {
                    channel.tryReceive();
                } else if (channel.size() > 0) {
                    channel.receive();
                }
            }));
        }
        join(tasks);
    }

    static void locksInTwoOrders(boolean broken) throws Exception {
        Mutex<String> left = Mutex.of("left");
        Mutex<String> right = Mutex.of("right");
        JoinHandle<?> other = Task.spawn(() -> {
            try (var first = (broken ? right : left).lock();
                    var second = (broken ? left : right).lock()) {
                check(first.get() != second.get(), "the same lock");
            }
        });
        try (var first = left.lock();
                var second = right.lock()) {
            check(first.get() != second.get(), "the same lock");
        }
        other.join();
    }

    /** Two permits, of which each of two wants both, and takes them one by one. */
    static void permitsTakenOneByOne(boolean broken) throws Exception {
        Semaphore semaphore = Semaphore.of(2);
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            tasks.add(Task.spawn(() -> {
                if (!broken) {
                    semaphore.acquire(2).close();
                    return;
                }
                try (var one = semaphore.acquire();
                        var other = semaphore.acquire()) {
                    check(one.count() + other.count() == 2, "not two");
                }
            }));
        }
        join(tasks);
    }

    /** Whoever looks at a condition and then waits for a call that keeps nothing. */
    static void signalMissed(boolean broken) throws Exception {
        Notify notify = new Notify();
        boolean[] ready = {false};
        JoinHandle<?> waiter = Task.spawn(() -> {
            if (broken) {
                if (!ready[0]) {
                    notify.notified();
                }
                return;
            }
            var listener = notify.listen();
            if (!ready[0]) {
                listener.await();
            }
        });
        Task.yieldNow();
        ready[0] = true;
        notify.notifyWaiters();
        waiter.join();
    }

    private static final class Resource {
        private final Mutex<Integer> mutex = Mutex.of(0);
        private boolean closed;
        private int closes;

        void close(boolean broken) throws InterruptedException {
            if (broken && closed) {
                return;
            }
            try (var guard = mutex.lock()) {
                if (!broken && closed) {
                    return;
                }
                closed = true;
                guard.set(++closes);
            }
        }
    }

    static void closedTwice(boolean broken) throws Exception {
        Resource resource = new Resource();
        JoinHandle<?> other = Task.spawn(() -> resource.close(broken));
        resource.close(broken);
        other.join();
        check(resource.closes == 1, "closed " + resource.closes + " times");
    }

    /** A cache that looks, loads and puts. */
    static void loadedTwice(boolean broken) throws Exception {
        int[] loads = {0};
        Mutex<String> naive = Mutex.of(null);
        OnceCell<String> cell = new OnceCell<>();
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            tasks.add(Task.spawn(() -> {
                if (!broken) {
                    return cell.getOrInit(() -> "value " + ++loads[0]);
                }
                String there;
                try (var guard = naive.lock()) {
                    there = guard.get();
                }
                if (there == null) {
                    there = "value " + ++loads[0];
                    try (var guard = naive.lock()) {
                        guard.set(there);
                    }
                }
                return there;
            }));
        }
        join(tasks);
        check(loads[0] == 1, "loaded " + loads[0] + " times");
    }

    /** An item that was received within a region, and is lost when that is cancelled before it was passed on. */
    static void itemLostInACancelledRegion(boolean broken) throws Exception {
        Channel<String> in = Channel.bounded(1);
        Channel<String> out = Channel.rendezvous();
        CancellationToken token = CancellationToken.create();
        JoinHandle<?> forwarder = Task.spawn(() -> {
            try {
                if (broken) {
                    token.run(() -> out.send(in.receive()));
                } else {
                    String item = token.run(() -> in.receive());
                    out.send(item);
                }
            } catch (TaskCancelledException e) {
                out.close();
            }
        });
        JoinHandle<?> sender = Task.spawn(() -> in.send("item"));
        JoinHandle<?> canceller = Task.spawn(() -> token.cancel());
        sender.join();
        canceller.join();
        String arrived = out.receiveOrNull();
        forwarder.join();
        check(arrived != null || in.size() == 1, "the item is neither here nor there");
    }

    /** Two consumers, and one item that tells them to end. */
    static void oneEndForTwo(boolean broken) throws Exception {
        Channel<String> channel = Channel.bounded(4);
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            tasks.add(Task.spawn(() -> {
                for (String item; (item = channel.receiveOrNull()) != null; ) {
                    if (item.equals("end")) {
                        return;
                    }
                }
            }));
        }
        channel.send("item");
        if (broken) {
            channel.send("end");
        } else {
            channel.close();
        }
        join(tasks);
    }

    /** Two producers, of whom the first to end closes the channel for both. */
    static void closedByTheFirstProducer(boolean broken) throws Exception {
        Channel<Integer> channel = Channel.bounded(1);
        List<Sender<Integer>> senders = List.of(channel.sender(), channel.sender());
        List<JoinHandle<?>> tasks = new ArrayList<>();
        for (Sender<Integer> sender : senders) {
            tasks.add(Task.spawn(() -> {
                try {
                    sender.send(1);
                } catch (ChannelClosedException e) {
                    throw new AssertionError("closed before all had sent", e);
                }
                if (broken) {
                    channel.close();
                } else {
                    sender.close();
                }
            }));
        }
        int received = 0;
        while (channel.receiveOrNull() != null) {
            received++;
        }
        for (JoinHandle<?> task : tasks) {
            task.join();
        }
        check(received == 2, received + " of 2 received");
    }
}
