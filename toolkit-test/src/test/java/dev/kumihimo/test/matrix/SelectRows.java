package dev.kumihimo.test.matrix;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.select.Select;
import dev.kumihimo.sync.Mutex;
import dev.kumihimo.sync.Semaphore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;

/** Selects: what has not happened has left no trace. */
final class SelectRows {
    private static final String LATE = "late";

    private SelectRows() {}

    static List<Row> all() {
        return List.of(
                new Row("Select of 2 receives", s -> new OfReceives()),
                new Row("Select of receive, send, permit", s -> new OfThree(false)),
                new Row("Select of receive, send, permit, all served", s -> new OfThree(true)),
                new Row("Select of 2 locks", s -> new OfLocks()));
    }

    private static Object await(Select<String> select, Duration timeout) throws Exception {
        if (timeout == null) {
            return select.await();
        }
        String chosen = timeout.isZero()
                ? select.otherwise(() -> LATE).await()
                : select.after(timeout, () -> LATE).await();
        if (chosen.equals(LATE)) {
            throw new TimeoutException(LATE);
        }
        return chosen;
    }

    /** From two channels; the peer sends to each in turn. */
    private static final class OfReceives extends ChannelRows.OnChannel {
        private final Channel<Integer> second = Channel.rendezvous();
        private int turns;

        OfReceives() {
            super(Channel.bounded(2));
        }

        @Override
        Object op(int who) throws Exception {
            return select(null);
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return select(timeout);
        }

        private Object select(Duration timeout) throws Exception {
            return await(
                    Select.<String>of()
                            .onReceive(channel, item -> noted("first", item))
                            .onReceive(second, item -> noted("second", item)),
                    timeout);
        }

        private String noted(String which, Integer item) {
            received.add(item);
            return which;
        }

        @Override
        void tryGrant() {
            if (turns++ % 2 == 0) {
                Integer item = newItem();
                try {
                    if (second.trySend(item)) {
                        sent.add(item);
                        return;
                    }
                } catch (ChannelClosedException e) {
                    return;
                }
            }
            trySend();
        }

        @Override
        void close() {
            super.close();
            second.close();
        }

        @Override
        boolean couldGo(int first) {
            return channel.size() > 0;
        }
    }

    /** The peer serves one branch after the other, or all at once; each has what it had unless it was chosen. */
    private static final class OfThree extends ChannelRows.OnChannel {
        private final Channel<Integer> full = Channel.bounded(1);
        private final Semaphore semaphore = Semaphore.of(0);
        private final List<Semaphore.Permit> held = new ArrayList<>();
        private final boolean atOnce;
        private int turns;
        private int into = 1;
        private int outOf;
        private int released;

        OfThree(boolean atOnce) {
            super(Channel.bounded(8));
            this.atOnce = atOnce;
            ensure(full.trySend(-1), "no room");
        }

        @Override
        Object op(int who) throws Exception {
            return select(null);
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return select(timeout);
        }

        private Object select(Duration timeout) throws Exception {
            return await(
                    Select.<String>of()
                            .onReceive(channel, item -> {
                                received.add(item);
                                return "received";
                            })
                            .onSend(full, -2, () -> {
                                into++;
                                return "sent";
                            })
                            .onPermit(semaphore, permit -> {
                                held.add(permit);
                                return "permitted";
                            }),
                    timeout);
        }

        @Override
        void tryGrant() {
            int turn = turns++ % 3;
            if (atOnce || turn == 0) {
                trySend();
            }
            if (atOnce || turn == 1) {
                makeRoom();
            }
            if (atOnce || turn == 2) {
                semaphore.release(1);
                released++;
            }
        }

        private boolean makeRoom() {
            try {
                boolean taken = full.tryReceive() != null;
                outOf += taken ? 1 : 0;
                return taken;
            } catch (ChannelClosedException e) {
                return false;
            }
        }

        @Override
        void close() {
            super.close();
            full.close();
            semaphore.close();
        }

        @Override
        boolean fifo() {
            return !atOnce;
        }

        @Override
        boolean couldGo(int first) {
            return channel.size() > 0 || full.size() == 0 || semaphore.availablePermits() > 0;
        }

        @Override
        void check(List<Outcome> outcomes) {
            super.check(outcomes);
            while (makeRoom()) {
                // what is left
            }
            ensureEqual(outOf, into, "through the full channel");
            ensureEqual(semaphore.availablePermits() + held.size(), released, "permits");
            long applied = outcomes.stream().filter(Outcome::applied).count();
            ensure(received.size() + into - 1 + held.size() >= applied, "several got the same");
        }
    }

    /** A task holds two locks; the one that is chosen is given back at once, the other was never held. */
    private static final class OfLocks extends LockRows.Locked {
        private final Mutex<String> left = Mutex.of("left");
        private final Mutex<String> right = Mutex.of("right");

        @Override
        AutoCloseable first() {
            Mutex.Guard<String> one = left.tryLock();
            Mutex.Guard<String> other = right.tryLock();
            return () -> {
                one.close();
                other.close();
            };
        }

        @Override
        Object op(int who) throws Exception {
            return select(null);
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return select(timeout);
        }

        private Object select(Duration timeout) throws Exception {
            return await(Select.<String>of().on(left, this::visit).on(right, this::visit), timeout);
        }

        private String visit(Mutex.Guard<String> guard) {
            try (guard) {
                return guard.get();
            }
        }

        @Override
        boolean fifo() {
            return false; // the two are given back one after the other
        }

        @Override
        boolean couldGo(int first) {
            return !left.isLocked() || !right.isLocked();
        }

        @Override
        void check(List<Outcome> outcomes) {
            for (Mutex<String> mutex : List.of(left, right)) {
                Mutex.Guard<String> guard = mutex.tryLock();
                ensure(guard != null, "held by nobody and not free");
                guard.close();
            }
        }
    }
}
