package dev.kumihimo.test.matrix;

import dev.kumihimo.channel.ChannelClosedException;
import dev.kumihimo.signal.FakeSource;
import dev.kumihimo.signal.Signal;
import java.time.Duration;
import java.util.List;

/** What the operating system tells. */
final class SignalRows {
    private SignalRows() {}

    static List<Row> all() {
        return List.of(new Row("Signal.receive", s -> new Hearing()));
    }

    /** Each signal is for one waiter; those that nobody receives count as one. */
    private static final class Hearing extends Subject {
        private final Signal signal = FakeSource.listener();
        private int raised;
        private int heard;

        @Override
        Object op(int who) throws Exception {
            return noted(signal.receive());
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return noted(signal.receive(timeout));
        }

        private Object noted(Object kind) {
            heard++;
            return kind;
        }

        @Override
        void tryGrant() {
            try {
                FakeSource.raise(signal);
                raised++;
            } catch (ChannelClosedException e) {
                // its source would not know it any more
            }
        }

        @Override
        boolean closes() {
            return true;
        }

        @Override
        void close() {
            signal.close();
        }

        @Override
        boolean couldGo(int first) {
            return heard < raised; // one for each of those who wait
        }

        private int left() {
            try {
                return signal.tryReceive() == null ? 0 : 1;
            } catch (ChannelClosedException e) {
                return 0;
            }
        }

        @Override
        void check(List<Outcome> outcomes) {
            long applied = outcomes.stream().filter(Outcome::applied).count();
            int kept = left();
            ensure(applied + kept <= raised, applied + " heard it, " + kept + " kept, of " + raised + " signals");
            boolean coalesced = outcomes.stream().anyMatch(Outcome::isShutDown); // signals that nobody waited for
            ensure(
                    applied == raised || kept == 1 || coalesced && applied > 0,
                    applied + " heard it of " + raised + " signals, and none is kept");
            ensure(left() == 0, "two signals were kept");
        }
    }
}
