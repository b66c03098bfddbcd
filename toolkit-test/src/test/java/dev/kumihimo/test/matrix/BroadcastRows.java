package dev.kumihimo.test.matrix;

import dev.kumihimo.channel.BackpressuredBroadcast;
import dev.kumihimo.channel.Broadcast;
import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.channel.Watch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Channels whose items go to all: broadcasts and watches. */
final class BroadcastRows {
    private static final int CAPACITY = 16;

    private BroadcastRows() {}

    static List<Row> all() {
        return List.of(
                new Row("Broadcast.receive", s -> lagging()),
                new Row("Broadcast.receive, backpressured", s -> backpressured()),
                new Row("BackpressuredBroadcast.send", s -> new Sending()),
                new Row("Broadcast.awaitNoReceivers", s -> new AwaitingNoReceivers()),
                new Row("Watch.changed", s -> new Watching()),
                new Row("Watch.waitFor", s -> new WatchingFor()),
                new Row("Watch.awaitNoReceivers", s -> new WatchAwaitingNoReceivers()));
    }

    private static Subject lagging() {
        Broadcast<Integer> broadcast = Broadcast.create(CAPACITY);
        return new Receiving(broadcast::subscribe, broadcast::send, broadcast);
    }

    private static Subject backpressured() {
        BackpressuredBroadcast<Integer> broadcast = Broadcast.backpressured(CAPACITY);
        return new Receiving(
                broadcast::subscribe, item -> Subject.ensure(broadcast.trySend(item), "no room"), broadcast);
    }

    /** Each waiter has a receiver of its own, and gets all items. */
    private static final class Receiving extends Subject {
        private final Consumer<Integer> sending;
        private final AutoCloseable broadcast;
        private final List<Broadcast.Receiver<Integer>> receivers = new ArrayList<>();
        private final List<List<Integer>> received = new ArrayList<>();
        private final List<Integer> sent = new ArrayList<>();
        private int items;

        Receiving(
                Supplier<Broadcast.Receiver<Integer>> subscribing, Consumer<Integer> sending, AutoCloseable broadcast) {
            this.sending = sending;
            this.broadcast = broadcast;
            for (int i = 0; i <= SPARE; i++) {
                receivers.add(subscribing.get());
                received.add(new ArrayList<>());
            }
        }

        @Override
        Object op(int who) throws Exception {
            return noted(who, receivers.get(who).receive());
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return noted(who, receivers.get(who).receive(timeout));
        }

        private Integer noted(int who, Integer item) {
            received.get(who).add(item);
            return item;
        }

        @Override
        void tryGrant() {
            Integer item = items++;
            try {
                sending.accept(item);
                sent.add(item);
            } catch (ChannelClosedException e) {
                // not sent
            }
        }

        @Override
        boolean closes() {
            return true;
        }

        @Override
        void close() {
            try {
                broadcast.close();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }

        @Override
        boolean fifo() {
            return false; // each has what it waits at to itself
        }

        @Override
        int rounds(int before) {
            return 2;
        }

        @Override
        boolean couldGo(int first) {
            return receivers.get(first).size() > 0;
        }

        @Override
        void check(List<Outcome> outcomes) {
            for (int i = 0; i <= SPARE; i++) {
                drain(i);
                ensureEqual(received.get(i), sent, "received by " + i);
            }
        }

        private void drain(int who) {
            try {
                for (Integer item; (item = receivers.get(who).tryReceive()) != null; ) {
                    received.get(who).add(item);
                }
            } catch (ChannelClosedException e) {
                // closed and drained
            }
        }
    }

    private static final class Sending extends Subject {
        private final BackpressuredBroadcast<Integer> broadcast = Broadcast.backpressured(1);
        private final Broadcast.Receiver<Integer> receiver = broadcast.subscribe();
        private final List<Integer> sent = new ArrayList<>();
        private final List<Integer> received = new ArrayList<>();
        private int items;

        Sending() {
            trySend();
        }

        private void trySend() {
            Integer item = items++;
            try {
                if (broadcast.trySend(item)) {
                    sent.add(item);
                }
            } catch (ChannelClosedException e) {
                // not sent
            }
        }

        @Override
        Object op(int who) throws Exception {
            Integer item = items++;
            ensureEqual(broadcast.send(item), 1, "receivers");
            sent.add(item);
            return item;
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            Integer item = items++;
            ensureEqual(broadcast.send(item, timeout), 1, "receivers");
            sent.add(item);
            return item;
        }

        @Override
        void grant() throws Exception {
            received.add(receiver.receive());
        }

        @Override
        void tryGrant() {
            tryReceive();
        }

        private boolean tryReceive() {
            try {
                Integer item = receiver.tryReceive();
                if (item != null) {
                    received.add(item);
                }
                return item != null;
            } catch (ChannelClosedException e) {
                return false;
            }
        }

        @Override
        void relieve() {
            trySend();
        }

        @Override
        boolean closes() {
            return true;
        }

        @Override
        void close() {
            broadcast.close();
        }

        @Override
        boolean couldGo(int first) {
            return broadcast.size() == 0;
        }

        @Override
        void check(List<Outcome> outcomes) {
            while (tryReceive()) {
                // what is left
            }
            ensureEqual(
                    received.stream().sorted().toList(), sent.stream().sorted().toList(), "received");
        }

        @Override
        void use() throws Exception {
            op(SPARE, Duration.ZERO);
        }
    }

    private static final class AwaitingNoReceivers extends Subject {
        private final Broadcast<Integer> broadcast = Broadcast.create(1);
        private final Broadcast.Receiver<Integer> receiver = broadcast.subscribe();

        @Override
        Object op(int who) throws Exception {
            broadcast.awaitNoReceivers();
            return "none";
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            broadcast.awaitNoReceivers(timeout);
            return "none";
        }

        @Override
        void tryGrant() {
            receiver.close();
        }

        @Override
        int rounds(int before) {
            return 1;
        }

        @Override
        boolean couldGo(int first) {
            return broadcast.receiverCount() == 0;
        }

        @Override
        void check(List<Outcome> outcomes) {
            ensure(
                    outcomes.stream().noneMatch(Outcome::applied) || broadcast.receiverCount() == 0,
                    "there is a receiver");
        }
    }

    private static class Watching extends Subject {
        final Watch<Integer> watch = Watch.of(0);
        final List<Watch.Receiver<Integer>> receivers = new ArrayList<>();
        int value;

        Watching() {
            for (int i = 0; i <= SPARE; i++) {
                receivers.add(watch.subscribe());
            }
        }

        @Override
        Object op(int who) throws Exception {
            return receivers.get(who).changed();
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return receivers.get(who).changed(timeout);
        }

        @Override
        void tryGrant() {
            if (watch.send(value + 1)) {
                value++;
            }
        }

        @Override
        boolean closes() {
            return true;
        }

        @Override
        void close() {
            watch.close();
        }

        @Override
        boolean fifo() {
            return false; // each has what it waits at to itself
        }

        @Override
        int rounds(int before) {
            return 2;
        }

        @Override
        boolean couldGo(int first) {
            return receivers.get(first).hasChanged();
        }

        @Override
        void check(List<Outcome> outcomes) {
            for (Outcome outcome : outcomes) {
                Watch.Receiver<Integer> receiver = receivers.get(outcome.who);
                ensureEqual(receiver.value(), value, "value");
                int seen = outcome.applied() ? (Integer) outcome.value : 0;
                ensure(!outcome.applied() || seen > 0, "the value seen first counts as changed");
                if (!watch.isClosed()) {
                    Integer next = receiver.tryChanged();
                    ensure(
                            seen <= value && (next == null) == (seen == value),
                            outcome + ", then " + next + " of " + value);
                }
            }
        }
    }

    private static final class WatchingFor extends Watching {
        @Override
        Object op(int who) throws Exception {
            return receivers.get(who).waitFor(v -> v >= 2);
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return receivers.get(who).waitFor(v -> v >= 2, timeout);
        }

        @Override
        int rounds(int before) {
            return 3;
        }

        @Override
        boolean couldGo(int first) {
            return value >= 2;
        }

        @Override
        void check(List<Outcome> outcomes) {
            for (Outcome outcome : outcomes) {
                ensureEqual(receivers.get(outcome.who).value(), value, "value");
                ensure(!outcome.applied() || (Integer) outcome.value >= 2, outcome + " too early");
            }
        }

        @Override
        void use() throws Exception {
            tryGrant();
            super.use();
        }
    }

    private static final class WatchAwaitingNoReceivers extends Subject {
        private final Watch<Integer> watch = Watch.of(0);
        private final Watch.Receiver<Integer> receiver = watch.subscribe();

        @Override
        Object op(int who) throws Exception {
            watch.awaitNoReceivers();
            return "none";
        }

        @Override
        Object op(int who, Duration timeout) throws InterruptedException, TimeoutException {
            watch.awaitNoReceivers(timeout);
            return "none";
        }

        @Override
        void tryGrant() {
            receiver.close();
        }

        @Override
        int rounds(int before) {
            return 1;
        }

        @Override
        boolean couldGo(int first) {
            return watch.receiverCount() == 0;
        }

        @Override
        void check(List<Outcome> outcomes) {
            ensure(outcomes.stream().noneMatch(Outcome::applied) || watch.receiverCount() == 0, "there is a receiver");
        }
    }
}
