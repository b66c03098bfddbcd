package dev.kumihimo.test.matrix;

import dev.kumihimo.test.TestRuntime;
import dev.kumihimo.time.Deadline;
import dev.kumihimo.time.Interval;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What time ends. */
final class TimeRows {
    private TimeRows() {}

    static List<Row> all() {
        return List.of(new Row("Interval.tick", s -> new Ticking()));
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
}
