package dev.kumihimo.test.matrix;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.channel.Oneshot;
import dev.kumihimo.channel.Permit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;

/** Channels and oneshots. */
final class ChannelRows {
    private ChannelRows() {}

    static List<Row> all() {
        return List.of(
                new Row("Channel.receive, bounded", s -> new Receiving(Channel.bounded(1))),
                new Row("Channel.receive, rendezvous", s -> new Receiving(Channel.rendezvous())),
                new Row("Channel.receive, unbounded", s -> new Receiving(Channel.unbounded())),
                new Row("Channel.receiveMany", s -> new ReceivingMany()),
                new Row("Channel.send, bounded", s -> new Sending(Channel.bounded(1))),
                new Row("Channel.send, rendezvous", s -> new Sending(Channel.rendezvous())),
                new Row("Channel.reserve", s -> new Reserving(s.before(), 1)),
                new Row("Channel.reserveMany", s -> new Reserving(s.before(), 2)),
                new Row("Channel.awaitClosed", s -> new AwaitingClosed()),
                new Row("Oneshot.receive", s -> new OneshotReceiving()),
                new Row("Oneshot.awaitClosed", s -> new OneshotAwaitingClosed()));
    }

    /** A channel, and all that went in and came out. */
    abstract static class OnChannel extends Subject {
        final Channel<Integer> channel;
        final List<Integer> sent = new ArrayList<>();
        final List<Integer> received = new ArrayList<>();
        private int items;

        OnChannel(Channel<Integer> channel) {
            this.channel = channel;
        }

        int newItem() {
            return items++;
        }

        void fill() {
            while (channel.availableCapacity() > 0) {
                trySend();
            }
        }

        void trySend() {
            Integer item = newItem();
            try {
                if (channel.trySend(item)) {
                    sent.add(item);
                }
            } catch (ChannelClosedException e) {
                // not sent
            }
        }

        boolean tryReceive() {
            try {
                Integer item = channel.tryReceive();
                if (item != null) {
                    received.add(item);
                }
                return item != null;
            } catch (ChannelClosedException e) {
                return false;
            }
        }

        @Override
        boolean closes() {
            return true;
        }

        @Override
        void close() {
            channel.close();
        }

        @Override
        void check(List<Outcome> outcomes) {
            while (tryReceive()) {
                // what is left
            }
            ensureEqual(
                    received.stream().sorted().toList(), sent.stream().sorted().toList(), "received");
        }
    }

    static class Receiving extends OnChannel {
        Receiving(Channel<Integer> channel) {
            super(channel);
        }

        @Override
        Object op(int who) throws Exception {
            return noted(channel.receive());
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return noted(channel.receive(timeout));
        }

        final Integer noted(Integer item) {
            received.add(item);
            return item;
        }

        @Override
        void grant() throws Exception {
            Integer item = newItem();
            channel.send(item);
            sent.add(item);
        }

        @Override
        void tryGrant() {
            trySend();
        }

        @Override
        void relieve() {
            tryReceive();
        }

        @Override
        boolean couldGo(int first) {
            return channel.size() > 0;
        }

        @Override
        long rank(Object value) {
            return (Integer) value;
        }

        @Override
        void use() throws Exception {
            if (channel.capacity() > 0) {
                super.use();
            } else {
                ensure(!channel.trySend(newItem()), "somebody receives");
            }
        }
    }

    private static final class ReceivingMany extends OnChannel {
        ReceivingMany() {
            super(Channel.bounded(2));
        }

        @Override
        Object op(int who) throws Exception {
            List<Integer> some = new ArrayList<>();
            return noted(some, channel.receiveMany(some, 2));
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            List<Integer> some = new ArrayList<>();
            return noted(some, channel.receiveMany(some, 2, timeout));
        }

        private List<Integer> noted(List<Integer> some, int count) {
            ensureEqual(some.size(), count, "count");
            ensure(count > 0 || channel.isClosed(), "nothing from an open channel");
            received.addAll(some);
            return some;
        }

        @Override
        void grant() throws Exception {
            Integer item = newItem();
            channel.send(item);
            sent.add(item);
        }

        @Override
        void tryGrant() {
            trySend();
        }

        @Override
        void relieve() {
            tryReceive();
        }

        @Override
        boolean couldGo(int first) {
            return channel.size() > 0;
        }
    }

    /** Into a full channel. */
    private static class Sending extends OnChannel {
        Sending(Channel<Integer> channel) {
            super(channel);
            fill();
        }

        @Override
        Object op(int who) throws Exception {
            Integer item = newItem();
            channel.send(item);
            sent.add(item);
            return item;
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            Integer item = newItem();
            channel.send(item, timeout);
            sent.add(item);
            return item;
        }

        @Override
        void grant() throws Exception {
            received.add(channel.receive());
        }

        @Override
        void tryGrant() {
            tryReceive();
        }

        @Override
        void relieve() {
            trySend();
        }

        @Override
        boolean couldGo(int first) {
            return channel.availableCapacity() > 0;
        }

        @Override
        void use() throws Exception {
            if (channel.capacity() == 0) {
                ensure(channel.tryReceive() == null, "somebody sends");
                return;
            }
            ensureEqual(channel.availableCapacity(), channel.capacity(), "free places");
            op(SPARE, Duration.ZERO);
        }
    }

    /** In a full channel; the victim may want several places, and whoever gets them sends. */
    private static final class Reserving extends Sending {
        private final int victim;
        private final int places;

        Reserving(int victim, int places) {
            super(Channel.bounded(places));
            this.victim = victim;
            this.places = places;
        }

        private int wanted(int who) {
            return who == victim ? places : 1;
        }

        @Override
        Object op(int who) throws Exception {
            return use(channel.reserveMany(wanted(who)));
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return use(channel.reserveMany(wanted(who), timeout));
        }

        private Object use(Permit<Integer> permit) {
            try (permit) {
                int count = permit.count();
                Integer item = newItem();
                permit.send(item);
                sent.add(item);
                return count;
            }
        }

        @Override
        int rounds(int before) {
            return before + places;
        }

        @Override
        boolean couldGo(int first) {
            return channel.availableCapacity() >= wanted(first);
        }
    }

    private static final class AwaitingClosed extends OnChannel {
        AwaitingClosed() {
            super(Channel.bounded(1));
        }

        @Override
        Object op(int who) throws Exception {
            channel.awaitClosed();
            return "closed";
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            channel.awaitClosed(timeout);
            return "closed";
        }

        @Override
        void tryGrant() {
            channel.close();
        }

        @Override
        int rounds(int before) {
            return 1;
        }

        @Override
        boolean couldGo(int first) {
            return channel.isClosed();
        }
    }

    private static final class OneshotReceiving extends Subject {
        private final Oneshot<String> oneshot = Oneshot.create();
        private int sent;
        private int received;

        @Override
        Object op(int who) throws Exception {
            return noted(oneshot.receive());
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return noted(oneshot.receive(timeout));
        }

        private String noted(String value) {
            received++;
            return value;
        }

        @Override
        void tryGrant() {
            if (oneshot.send("value")) {
                sent++;
            }
        }

        @Override
        boolean closes() {
            return true;
        }

        @Override
        void close() {
            oneshot.close();
        }

        @Override
        boolean maySayClosed() {
            return sent > 0; // the first has it, the others see its end
        }

        @Override
        boolean couldGo(int first) {
            return sent > 0 || oneshot.isClosed();
        }

        @Override
        void check(List<Outcome> outcomes) {
            ensure(sent <= 1, sent + " values were taken");
            int left = 0;
            try {
                left = oneshot.tryReceive() == null ? 0 : 1;
            } catch (ChannelClosedException e) {
                // received, or closed
            }
            ensureEqual(received + left, sent, "received");
        }

        @Override
        void use() throws Exception {
            tryGrant();
            try {
                op(SPARE, Duration.ZERO);
            } catch (ChannelClosedException e) {
                ensureEqual(sent, 1, "sent");
            } catch (TimeoutException e) {
                throw new AssertionError(e);
            }
        }
    }

    private static final class OneshotAwaitingClosed extends Subject {
        private final Oneshot<String> oneshot = Oneshot.create();

        @Override
        Object op(int who) throws Exception {
            oneshot.awaitClosed();
            return "closed";
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            oneshot.awaitClosed(timeout);
            return "closed";
        }

        @Override
        void tryGrant() {
            oneshot.close();
        }

        @Override
        int rounds(int before) {
            return 1;
        }

        @Override
        boolean couldGo(int first) {
            return oneshot.isClosed();
        }

        @Override
        void check(List<Outcome> outcomes) {
            ensure(!oneshot.send("late") || !oneshot.isClosed(), "taken after the close");
        }
    }
}
