package dev.kumihimo.test.primitives;

import static dev.kumihimo.test.primitives.PrimitivesTest.check;

import dev.kumihimo.channel.BackpressuredBroadcast;
import dev.kumihimo.channel.Broadcast;
import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.channel.Oneshot;
import dev.kumihimo.channel.Permit;
import dev.kumihimo.channel.Watch;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.select.Select;
import dev.kumihimo.task.CancellationToken;
import dev.kumihimo.test.MovingClock;
import dev.kumihimo.time.DelayQueue;
import dev.kumihimo.time.Timeout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;

/** What hands items over: each that was sent has exactly one end, by identity. */
final class Items {
    private static final Duration MILLI = Duration.ofMillis(1);

    private Items() {}

    /** Who sent and received what. */
    private static final class Ledger {
        final List<Object> sent = new ArrayList<>();
        final List<Object> received = new ArrayList<>();

        void send(Channel<Object> channel) throws InterruptedException {
            Object item = new Object();
            try {
                channel.send(item);
                sent.add(item);
            } catch (ChannelClosedException e) {
                check(channel.isClosed(), "refused by an open channel");
            }
        }

        void receive(Channel<Object> channel) throws InterruptedException {
            Object item = channel.receiveOrNull();
            if (item != null) {
                received.add(item);
            } else {
                check(channel.isClosed(), "the end of an open channel");
            }
        }

        /** Takes what is left; then the two must agree. A sender may be told after its receiver: nothing runs any more. */
        void settle(Channel<Object> channel) {
            try {
                for (Object item; (item = channel.tryReceive()) != null; ) {
                    received.add(item);
                }
            } catch (ChannelClosedException e) {
                check(channel.isDrained(), "not drained");
            }
            check(
                    received.size() == sent.size() && received.containsAll(sent),
                    sent.size() + " sent, " + received.size() + " received, or others");
        }
    }

    /* ---------------- Channels ---------------- */

    static void closed(Channel<Object> channel) throws Exception {
        Ledger ledger = new Ledger();
        JoinHandle<?> sender = Task.spawn(() -> ledger.send(channel));
        JoinHandle<?> receiver = Task.spawn(() -> ledger.receive(channel));
        channel.close();
        sender.join();
        receiver.join();
        ledger.settle(channel);
    }

    static void receiverGivesUp(Channel<Object> channel) throws Exception {
        Ledger ledger = new Ledger();
        JoinHandle<?> sender = Task.spawn(() -> ledger.send(channel));
        JoinHandle<?> receiver = Task.spawn(() -> ledger.receive(channel));
        receiver.abort();
        if (!receiver.result().isSuccess()) {
            ledger.receive(channel);
        }
        sender.join();
        ledger.settle(channel);
    }

    static void senderGivesUp(Channel<Object> channel) throws Exception {
        Ledger ledger = new Ledger();
        JoinHandle<?> sender = Task.spawn(() -> ledger.send(channel));
        JoinHandle<?> receiver = Task.spawn(() -> ledger.receive(channel));
        sender.abort();
        if (!sender.result().isSuccess()) {
            ledger.send(channel);
        }
        receiver.join();
        ledger.settle(channel);
    }

    /** One sender's items arrive in its order. */
    static void inOrder(Channel<Object> channel) throws Exception {
        JoinHandle<?> sender = Task.spawn(() -> {
            channel.send(1);
            channel.send(2);
        });
        check(channel.receive().equals(1) && channel.receive().equals(2), "out of order");
        sender.join();
    }

    static void twoSenders(Channel<Object> channel) throws Exception {
        Ledger ledger = new Ledger();
        JoinHandle<?> one = Task.spawn(() -> ledger.send(channel));
        JoinHandle<?> other = Task.spawn(() -> ledger.send(channel));
        ledger.receive(channel);
        ledger.receive(channel);
        one.join();
        other.join();
        ledger.settle(channel);
    }

    static void oneOfTwoSendersGivesUp(Channel<Object> channel) throws Exception {
        Ledger ledger = new Ledger();
        JoinHandle<?> one = Task.spawn(() -> ledger.send(channel));
        JoinHandle<?> other = Task.spawn(() -> ledger.send(channel));
        one.abort();
        ledger.receive(channel);
        if (one.result().isSuccess()) {
            ledger.receive(channel);
        }
        other.join();
        ledger.settle(channel);
    }

    static void oneOfTwoReceiversGivesUp(Channel<Object> channel) throws Exception {
        Ledger ledger = new Ledger();
        JoinHandle<?> one = Task.spawn(() -> ledger.receive(channel));
        JoinHandle<?> other = Task.spawn(() -> ledger.receive(channel));
        one.abort();
        ledger.send(channel);
        if (one.result().isSuccess()) {
            ledger.send(channel);
        }
        other.join();
        ledger.settle(channel);
    }

    static void reserved() throws Exception {
        Channel<Object> channel = Channel.bounded(1);
        Ledger ledger = new Ledger();
        JoinHandle<?> reserver = Task.spawn(() -> {
            try (Permit<Object> permit = channel.reserve()) {
                Object item = new Object();
                permit.send(item);
                ledger.sent.add(item);
            }
        });
        JoinHandle<?> sender = Task.spawn(() -> ledger.send(channel));
        reserver.abort();
        ledger.receive(channel);
        if (reserver.result().isSuccess()) {
            ledger.receive(channel);
        }
        sender.join();
        ledger.settle(channel);
        check(channel.availableCapacity() == 1, "a place is lost");
    }

    /* ---------------- One value, the last value, all values ---------------- */

    static void oneshotReceiverGivesUp() throws Exception {
        Oneshot<Object> oneshot = Oneshot.create();
        Object value = new Object();
        JoinHandle<Object> receiver = Task.spawn(() -> oneshot.receive());
        JoinHandle<Boolean> sender = Task.spawn(() -> oneshot.send(value));
        receiver.abort();
        check(sender.join(), "refused");
        Object got = receiver.result().isSuccess() ? receiver.join() : oneshot.tryReceive();
        check(got == value, "got " + got);
    }

    static void oneshotClosed() throws Exception {
        Oneshot<Object> oneshot = Oneshot.create();
        Object value = new Object();
        JoinHandle<Object> receiver = Task.spawn(() -> oneshot.receive());
        JoinHandle<Boolean> sender = Task.spawn(() -> oneshot.send(value));
        oneshot.close();
        boolean sent = sender.join();
        check(sent == receiver.result().isSuccess(), "sent=" + sent + ", " + receiver.result());
        check(!sent || receiver.join() == value, "another value");
    }

    static void watched() throws Exception {
        Watch<Integer> watch = Watch.of(0);
        try (Watch.Receiver<Integer> receiver = watch.subscribe()) {
            JoinHandle<?> sender = Task.spawn(() -> {
                watch.send(1);
                watch.send(2);
                watch.close();
            });
            int last = 0;
            for (Integer next; (next = receiver.changedOrNull()) != null; last = next) {
                check(next > last, next + " after " + last);
            }
            check(last == 2, "the last was " + last);
            sender.join();
        }
    }

    static void watchedByOneThatGivesUp() throws Exception {
        Watch<Integer> watch = Watch.of(0);
        try (Watch.Receiver<Integer> receiver = watch.subscribe()) {
            JoinHandle<Integer> waiter = Task.spawn(() -> receiver.changed());
            JoinHandle<?> sender = Task.spawn(() -> watch.send(1));
            waiter.abort();
            sender.join();
            check(waiter.result().isSuccess() != receiver.hasChanged(), "seen by nobody, or twice");
        }
    }

    static void broadcast() throws Exception {
        Broadcast<Integer> broadcast = Broadcast.create(2);
        try (Broadcast.Receiver<Integer> first = broadcast.subscribe();
                Broadcast.Receiver<Integer> second = broadcast.subscribe()) {
            JoinHandle<Integer> reader = Task.spawn(() -> second.receive());
            JoinHandle<?> sender = Task.spawn(() -> {
                broadcast.send(1);
                broadcast.send(2);
            });
            check(first.receive() == 1 && first.receive() == 2, "out of order");
            check(reader.join() == 1, "not the first");
            sender.join();
        }
        broadcast.close();
    }

    static void broadcastToOneThatGivesUp() throws Exception {
        Broadcast<Integer> broadcast = Broadcast.create(2);
        try (Broadcast.Receiver<Integer> receiver = broadcast.subscribe()) {
            JoinHandle<Integer> reader = Task.spawn(() -> receiver.receive());
            JoinHandle<?> sender = Task.spawn(() -> broadcast.send(1));
            reader.abort();
            sender.join();
            check(reader.result().isSuccess() != (receiver.tryReceive() != null), "received by nobody, or twice");
        }
        broadcast.close();
    }

    static void broadcastThatHoldsTheSenderUp() throws Exception {
        BackpressuredBroadcast<Integer> broadcast = Broadcast.backpressured(1);
        Broadcast.Receiver<Integer> gone = broadcast.subscribe();
        try (Broadcast.Receiver<Integer> receiver = broadcast.subscribe()) {
            JoinHandle<?> sender = Task.spawn(() -> {
                broadcast.send(1);
                broadcast.send(2);
            });
            JoinHandle<?> leaver = Task.spawn(() -> gone.close());
            check(receiver.receive() == 1 && receiver.receive() == 2, "out of order");
            sender.join();
            leaver.join();
        }
        broadcast.close();
    }

    /* ---------------- Select ---------------- */

    private static Object either(Channel<Object> left, Channel<Object> right) throws InterruptedException {
        return Select.of()
                .onReceive(left, item -> item)
                .onReceive(right, item -> item)
                .await();
    }

    static void selectOfTwo() throws Exception {
        Channel<Object> left = Channel.bounded(1);
        Channel<Object> right = Channel.bounded(1);
        JoinHandle<?> one = Task.spawn(() -> left.send("l"));
        JoinHandle<?> other = Task.spawn(() -> right.send("r"));
        Object taken = either(left, right);
        one.join();
        other.join();
        Object rest = taken.equals("l") ? right.tryReceive() : left.tryReceive();
        check(rest != null && left.size() + right.size() == 0, "took " + taken + ", left " + rest);
    }

    static void selectThatGivesUp() throws Exception {
        Channel<Object> left = Channel.rendezvous();
        Channel<Object> right = Channel.bounded(1);
        JoinHandle<Object> selecting = Task.spawn(() -> either(left, right));
        JoinHandle<?> sender = Task.spawn(() -> right.send("r"));
        selecting.abort();
        sender.join();
        check(selecting.result().isSuccess() == (right.tryReceive() == null), "taken by nobody, or twice");
        check(!left.trySend("l"), "somebody still waits");
    }

    /** Both ends of a hand-over are selects. */
    static void selectMeetsSelect() throws Exception {
        Channel<Object> left = Channel.rendezvous();
        Channel<Object> right = Channel.rendezvous();
        JoinHandle<String> sending = Task.spawn(() -> Select.<String>of()
                .onSend(left, "l", () -> "l")
                .onSend(right, "r", () -> "r")
                .await());
        Object taken = either(left, right);
        check(sending.join().equals(taken), "sent " + sending.join() + ", took " + taken);
    }

    /* ---------------- Time ---------------- */

    static void timeoutAgainstAnItem() throws Exception {
        Channel<Object> channel = Channel.bounded(1);
        JoinHandle<?> clock = Task.spawn(() -> MovingClock.advance(MILLI));
        JoinHandle<?> sender = Task.spawn(() -> channel.send("item"));
        boolean received;
        try {
            received = Timeout.call(MILLI, () -> channel.receive()) != null;
        } catch (TimeoutException e) {
            received = false;
        }
        clock.join();
        sender.join();
        check(received == (channel.tryReceive() == null), "received=" + received);
        Task.yieldNow();
        Task.checkCancelled(); // nothing of the timeout is left
    }

    static void delayed() throws Exception {
        DelayQueue<String> queue = DelayQueue.create();
        DelayQueue.Key key = queue.insert("item", MILLI);
        JoinHandle<?> clock = Task.spawn(() -> MovingClock.advance(MILLI));
        JoinHandle<Object> taker = Task.spawn(() -> queue.take().value());
        boolean removed = queue.tryRemove(key) != null;
        if (removed) {
            queue.insert("item", Duration.ZERO);
        }
        check(taker.join().equals("item") && queue.isEmpty(), "not taken, or still there");
        clock.join();
    }

    static void delayedForOneThatGivesUp() throws Exception {
        DelayQueue<String> queue = DelayQueue.create();
        queue.insert("item", MILLI);
        JoinHandle<?> clock = Task.spawn(() -> MovingClock.advance(MILLI));
        JoinHandle<?> taker = Task.spawn(() -> queue.take());
        taker.abort();
        clock.join();
        check(taker.result().isSuccess() == queue.isEmpty(), "taken by nobody, or twice");
        if (!queue.isEmpty()) {
            check(queue.take().value().equals("item"), "another item");
        }
    }

    static void delayedForTwo() throws Exception {
        DelayQueue<String> queue = DelayQueue.create();
        queue.insert("item", MILLI);
        JoinHandle<?> one = Task.spawn(() -> queue.take());
        JoinHandle<?> other = Task.spawn(() -> queue.take());
        one.abort();
        MovingClock.advance(MILLI);
        if (one.result().isSuccess()) {
            queue.insert("item", Duration.ZERO);
        }
        other.join();
        check(queue.isEmpty(), "an item is left");
    }

    static void cancelledRegion() throws Exception {
        CancellationToken token = CancellationToken.create();
        Channel<Object> channel = Channel.bounded(1);
        JoinHandle<Object> receiver = Task.spawn(() -> token.run(() -> channel.receive()));
        JoinHandle<?> canceller = Task.spawn(() -> token.cancel());
        channel.send("item");
        canceller.join();
        check(receiver.result().isSuccess() == (channel.tryReceive() == null), "received by nobody, or twice");
    }
}
