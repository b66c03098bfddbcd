package dev.kumihimo.test.matrix;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.sync.Barrier;
import dev.kumihimo.sync.Notify;
import dev.kumihimo.sync.OnceCell;
import dev.kumihimo.sync.SetOnce;
import dev.kumihimo.test.TestRuntime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Notifications, barriers, and values that are set once. */
final class SyncRows {
    private SyncRows() {}

    static List<Row> all() {
        return List.of(
                new Row("Notify.notified", s -> new Notified()),
                new Row("Notify.notified, all", s -> new NotifiedAll()),
                new Row("Notify.Listener.await", s -> new Listening()),
                new Row("Barrier.await", s -> new Meeting(s.waiters())),
                new Row("OnceCell.getOrInit", s -> new Making(false)),
                new Row("OnceCell.getOrInit, failing", s -> new Making(true)),
                new Row("SetOnce.await", s -> new AwaitingValue()));
    }

    /** Each call is for one waiter; one that comes while nobody waits is kept. */
    private static class Notified extends Subject {
        final Notify notify = new Notify();
        int calls;
        private int heard;

        @Override
        Object op(int who) throws Exception {
            notify.notified();
            return noted();
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            notify.notified(timeout);
            return noted();
        }

        private Object noted() {
            heard++;
            return "notified";
        }

        @Override
        void tryGrant() {
            calls++;
            notify.notifyOne();
        }

        @Override
        boolean couldGo(int first) {
            return heard < calls; // the peer calls once for each of those who wait
        }

        @Override
        void check(List<Outcome> outcomes) {
            long applied = outcomes.stream().filter(Outcome::applied).count();
            int kept = notify.tryNotified() ? 1 : 0;
            ensure(applied + kept <= calls, applied + " were notified, " + kept + " kept, of " + calls + " calls");
            boolean coalesced = outcomes.stream().anyMatch(o -> o.isShutDown()); // calls that nobody waited for
            ensure(
                    applied == calls || kept == 1 || coalesced && applied > 0,
                    applied + " were notified of " + calls + " calls, and none is kept");
            ensure(!notify.tryNotified(), "two calls were kept");
        }
    }

    private static final class NotifiedAll extends Notified {
        @Override
        void tryGrant() {
            calls++;
            notify.notifyWaiters();
        }

        @Override
        int rounds(int before) {
            return 1;
        }

        @Override
        boolean remembers() {
            return false;
        }

        @Override
        boolean couldGo(int first) {
            return false;
        }

        @Override
        void check(List<Outcome> outcomes) {
            ensure(!notify.tryNotified(), "a call to all was kept");
        }

        @Override
        void use() throws Exception {
            notify.notifyOne();
            op(SPARE, Duration.ZERO);
        }
    }

    /** Listeners made before the first call: each hears it. */
    private static final class Listening extends Subject {
        private final Notify notify = new Notify();
        private final List<Notify.Listener> listeners = new ArrayList<>();
        private int calls;

        Listening() {
            for (int i = 0; i <= SPARE; i++) {
                listeners.add(notify.listen());
            }
        }

        @Override
        Object op(int who) throws Exception {
            listeners.get(who).await();
            return "heard";
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            listeners.get(who).await(timeout);
            return "heard";
        }

        @Override
        void tryGrant() {
            calls++;
            notify.notifyWaiters();
        }

        @Override
        int rounds(int before) {
            return 1;
        }

        @Override
        boolean couldGo(int first) {
            return calls > 0;
        }

        @Override
        void check(List<Outcome> outcomes) {
            for (Outcome outcome : outcomes) {
                boolean heard = outcome.applied();
                boolean toHear = listeners.get(outcome.who).tryAwait();
                ensure(calls > 1 || (heard || toHear) == (calls == 1), outcome + " of " + calls + " calls");
                ensure(calls > 1 || !heard || !toHear, outcome + " has heard a call twice");
            }
        }
    }

    /** All waiters and the peer are one generation. */
    private static final class Meeting extends Subject {
        private final Barrier barrier;
        private final List<Barrier.Passage> passages = new ArrayList<>();

        Meeting(int waiters) {
            barrier = Barrier.of(waiters + 1);
        }

        @Override
        Object op(int who) throws Exception {
            return noted(barrier.await());
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return noted(barrier.await(timeout));
        }

        private Barrier.Passage noted(Barrier.Passage passage) {
            passages.add(passage);
            return passage;
        }

        @Override
        void grant() throws Exception {
            noted(barrier.await());
        }

        @Override
        void tryGrant() {
            Barrier.Passage passage = barrier.tryAwait();
            if (passage != null) {
                passages.add(passage);
            }
        }

        @Override
        void relieve() {
            tryGrant();
        }

        @Override
        int rounds(int before) {
            return 1;
        }

        @Override
        boolean couldGo(int first) {
            return barrier.waiting() >= barrier.parties();
        }

        @Override
        void check(List<Outcome> outcomes) {
            ensureEqual(barrier.waiting(), 0, "waiting");
            ensureEqual(passages.size() % barrier.parties(), 0, "passages of a generation left over");
            for (int i = 0; i * barrier.parties() < passages.size(); i++) {
                long generation = i;
                List<Barrier.Passage> together = passages.stream()
                        .filter(p -> p.generation() == generation)
                        .toList();
                ensureEqual(together.size(), barrier.parties(), "passages of generation " + i);
                ensureEqual(together.stream().filter(Barrier.Passage::isLeader).count(), 1L, "leaders");
            }
        }

        @Override
        void use() {
            ensure(barrier.tryAwait() == null, "a barrier that one passes alone");
        }
    }

    /** A task makes the value, and is held up until the peer lets it go on; it may fail, and then a waiter makes it. */
    private static final class Making extends Subject {
        private final OnceCell<String> cell = new OnceCell<>();
        private final SetOnce<String> gate = new SetOnce<>();
        private final boolean failing;
        private final List<String> made = new ArrayList<>();
        private JoinHandle<?> maker;

        Making(boolean failing) {
            this.failing = failing;
        }

        @Override
        void prepare(TestRuntime test) {
            maker = test.runtime().spawnNamed("maker", () -> {
                try {
                    cell.getOrInit(() -> {
                        String value = gate.await();
                        if (failing) {
                            throw new IllegalStateException("planned");
                        }
                        return make(value);
                    });
                } catch (IllegalStateException e) {
                    // planned
                }
                return null;
            });
        }

        private String make(String value) {
            made.add(value);
            return value;
        }

        @Override
        Object op(int who) throws Exception {
            return cell.getOrInit(() -> make("by " + who));
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return cell.getOrInit(() -> make("by " + who), timeout);
        }

        @Override
        JoinHandle<?> standingPeer() {
            return maker;
        }

        @Override
        void tryGrant() {
            gate.trySet("by the maker");
        }

        @Override
        int rounds(int before) {
            return 1;
        }

        @Override
        boolean couldGo(int first) {
            return cell.isInitialized() || maker.isDone();
        }

        @Override
        void check(List<Outcome> outcomes) {
            ensure(made.size() <= 1, "made " + made);
            for (Outcome outcome : outcomes) {
                ensure(!outcome.applied() || made.contains((String) outcome.value), outcome + ", made " + made);
            }
            ensureEqual(cell.isInitialized(), made.size() == 1, "initialised");
            String late = "late";
            boolean set = cell.trySet(late); // nobody is making it any more
            ensureEqual(set, made.isEmpty(), "set afterwards");
        }
    }

    private static final class AwaitingValue extends Subject {
        private final SetOnce<String> value = new SetOnce<>();

        @Override
        Object op(int who) throws Exception {
            return value.await();
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return value.await(timeout);
        }

        @Override
        void tryGrant() {
            value.trySet("value");
        }

        @Override
        int rounds(int before) {
            return 1;
        }

        @Override
        boolean couldGo(int first) {
            return value.isSet();
        }

        @Override
        void check(List<Outcome> outcomes) {
            for (Outcome outcome : outcomes) {
                ensure(!outcome.applied() || outcome.value.equals("value"), outcome + " out of nothing");
            }
        }
    }
}
