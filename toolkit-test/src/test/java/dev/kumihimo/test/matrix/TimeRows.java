package dev.kumihimo.test.matrix;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.select.Select;
import dev.kumihimo.test.MovingClock;
import dev.kumihimo.test.TestRuntime;
import dev.kumihimo.time.Deadline;
import dev.kumihimo.time.Debounce;
import dev.kumihimo.time.DelayQueue;
import dev.kumihimo.time.Interval;
import dev.kumihimo.time.Throttle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeoutException;

/** What time ends. */
final class TimeRows {
    private TimeRows() {}

    static List<Row> all() {
        return List.of(
                new Row("Interval.tick", s -> new Ticking()),
                new Row("Throttle.receive", s -> new Throttled()),
                new Row("Throttle.receive, in its pause", s -> new Pausing()),
                new Row("Debounce.receive", s -> new Debounced()),
                new Row("DelayQueue.take, due", s -> new Delayed(Duration.ZERO, false)),
                new Row("DelayQueue.take", s -> new Delayed(Duration.ofMillis(3), false)),
                new Row("Select of DelayQueue and channel", s -> new Delayed(Duration.ofMillis(3), true)));
    }

    /** The peer inserts an item, and lets as much time pass as it takes for it to be due. */
    private static final class Delayed extends Subject {
        private final Duration delay;
        private final boolean select;
        private final Channel<Integer> never = Channel.bounded(1);
        private final List<Integer> taken = new ArrayList<>();
        private DelayQueue<Integer> queue;
        private TestRuntime test;
        private int given;
        private int due;

        Delayed(Duration delay, boolean select) {
            this.delay = delay;
            this.select = select;
        }

        @Override
        void prepare(TestRuntime of) {
            test = of;
            of.runtime().spawn(() -> queue = DelayQueue.create()); // on the clock of the test
        }

        @Override
        Object op(int who) throws Exception {
            return select ? select(null) : took(queue.take());
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return select ? select(timeout) : took(queue.take(timeout));
        }

        private Object select(Duration timeout) throws Exception {
            Select<Integer> select = Select.<Integer>of().on(queue, this::took).onReceive(never, item -> item);
            Integer chosen = timeout == null
                    ? select.await()
                    : timeout.isZero()
                            ? select.otherwise(() -> -1).await()
                            : select.after(timeout, () -> -1).await();
            if (chosen < 0) {
                throw new TimeoutException("late");
            }
            return chosen;
        }

        private Integer took(DelayQueue.Expired<Integer> expired) {
            ensure(expired.deadline().isExpired(), "early");
            taken.add(expired.value());
            return expired.value();
        }

        @Override
        void grant() {
            queue.insert(given++, delay);
            MovingClock.advance(delay);
            due = given;
        }

        @Override
        void tryGrant() {
            queue.insert(given++, delay);
            test.elapse(delay);
            due = given;
        }

        @Override
        boolean couldGo(int first) {
            return taken.size() < due;
        }

        @Override
        long rank(Object value) {
            return (Integer) value;
        }

        @Override
        void check(List<Outcome> outcomes) {
            for (Outcome outcome : outcomes) {
                ensure(!outcome.applied() || taken.contains(outcome.value), outcome + ", and it is not noted");
            }
            int left = queue.size();
            ensureEqual(taken.size() + left, given, "items");
            for (int i = 0; i < left; i++) {
                took(Objects.requireNonNull(queue.tryTake(), "what is left is not due"));
            }
            ensureEqual(taken.stream().distinct().count(), (long) given, "different items");
        }
    }

    /** Each waiter has an interval of its own, whose first tick is late enough for all that strikes it. */
    private static final class Ticking extends Subject {
        private static final Duration FIRST = Duration.ofSeconds(5);

        private final List<Interval> intervals = new ArrayList<>();
        private TestRuntime test;

        @Override
        void prepare(TestRuntime of) {
            test = of;
            of.runtime()
                    .spawn(
                            () -> { // on the clock of the test
                                for (int i = 0; i < SPARE; i++) {
                                    intervals.add(Interval.of(Duration.ofDays(1), Deadline.in(FIRST)));
                                }
                            });
        }

        @Override
        Object op(int who) throws Exception {
            Deadline tick = intervals.get(who).tick();
            ensure(test.nanoTime() - tick.elapsed().toNanos() == FIRST.toNanos(), "not the tick that was due");
            return "ticked";
        }

        @Override
        void tryGrant() {
            // the clock does it
        }

        @Override
        boolean timed() {
            return false; // it would always be out of time
        }

        @Override
        boolean endsByTime() {
            return true;
        }

        @Override
        void check(List<Outcome> outcomes) {
            test.elapse(FIRST);
            for (Outcome outcome : outcomes) {
                boolean left = intervals.get(outcome.who).tryTick() != null;
                ensure(left != outcome.applied(), outcome + ", and its tick is " + (left ? "still there" : "gone"));
            }
        }

        @Override
        void use() {
            // nothing that all use
        }
    }

    /** Each waiter has a throttle of its own, over the one channel, and of each the first item is due. */
    private static final class Throttled extends ChannelRows.Receiving {
        private final List<Throttle<Integer>> throttles = new ArrayList<>();

        Throttled() {
            super(Channel.bounded(1));
        }

        @Override
        void prepare(TestRuntime test) {
            test.runtime()
                    .spawn(
                            () -> { // on the clock of the test
                                for (int i = 0; i <= SPARE; i++) {
                                    throttles.add(Throttle.of(channel, Duration.ofDays(1)));
                                }
                            });
        }

        @Override
        Object op(int who) throws Exception {
            return noted(throttles.get(who).receive());
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return noted(throttles.get(who).receive(timeout));
        }
    }

    /** Each waiter has a throttle that has received one item; there are more, and its pause is long enough for all strikes. */
    private static final class Pausing extends ChannelRows.OnChannel {
        private static final Duration PERIOD = Duration.ofSeconds(5);

        private final List<Throttle<Integer>> throttles = new ArrayList<>();

        Pausing() {
            super(Channel.bounded(2 * SPARE));
            fill();
        }

        @Override
        void prepare(TestRuntime test) {
            test.runtime().spawn(() -> {
                for (int i = 0; i < SPARE; i++) {
                    throttles.add(Throttle.of(channel, PERIOD));
                    received.add(throttles.get(i).receive());
                }
            });
        }

        @Override
        Object op(int who) throws Exception {
            Integer item = throttles.get(who).receive();
            received.add(item);
            return item;
        }

        @Override
        void tryGrant() {
            // the clock does it
        }

        @Override
        boolean timed() {
            return false; // it would always be out of time
        }

        @Override
        boolean endsByTime() {
            return true;
        }

        @Override
        boolean closes() {
            return false; // a close does not end the pause
        }

        @Override
        void use() {
            // nothing that all use
        }
    }

    /** What was sent last is delivered, held or in the channel; what was sent before may have been replaced. */
    private static final class Debounced extends ChannelRows.Receiving {
        private static final Duration QUIET = Duration.ofMillis(500);

        private TestRuntime test;
        private Debounce<Integer> debounce;

        Debounced() {
            super(Channel.bounded(1));
        }

        @Override
        void prepare(TestRuntime of) {
            test = of;
            of.runtime().spawn(() -> {
                debounce = Debounce.of(channel, QUIET);
            });
        }

        @Override
        int mostWaiters() {
            return 1;
        }

        @Override
        Object op(int who) throws Exception {
            return noted(debounce.receive());
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return noted(debounce.receive(timeout));
        }

        @Override
        boolean alwaysWaits() {
            return true;
        }

        @Override
        boolean endsByTime() {
            return true;
        }

        @Override
        void check(List<Outcome> outcomes) {
            while (tryReceive()) {
                // what is left
            }
            tryDebounce();
            ensure(new HashSet<>(received).size() == received.size(), "received twice: " + received);
            ensure(sent.containsAll(received), "received " + received + " of " + sent);
            ensure(
                    sent.isEmpty() || received.contains(sent.get(sent.size() - 1)),
                    "received " + received + " of " + sent);
        }

        /** Receives what is held, once it is quiet. */
        private void tryDebounce() {
            test.elapse(QUIET);
            try {
                Integer held = debounce.tryReceive();
                if (held != null) {
                    received.add(held);
                }
            } catch (ChannelClosedException e) {
                // nothing is held
            }
        }

        @Override
        void use() {
            received.clear();
            trySend();
            tryDebounce();
            ensure(received.isEmpty(), "not quiet");
            tryDebounce();
            ensureEqual(received, List.of(sent.get(sent.size() - 1)), "received");
        }
    }
}
