package dev.kumihimo.test.matrix;

import dev.kumihimo.channel.Channel;
import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.test.TestRuntime;
import dev.kumihimo.time.Deadline;
import dev.kumihimo.time.Debounce;
import dev.kumihimo.time.Interval;
import dev.kumihimo.time.Throttle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

/** What time ends. */
final class TimeRows {
    private TimeRows() {}

    static List<Row> all() {
        return List.of(
                new Row("Interval.tick", s -> new Ticking()),
                new Row("Throttle.receive", s -> new Throttled()),
                new Row("Throttle.receive, in its pause", s -> new Pausing()),
                new Row("Debounce.receive", s -> new Debounced()));
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
