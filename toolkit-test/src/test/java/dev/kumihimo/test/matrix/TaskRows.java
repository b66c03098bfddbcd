package dev.kumihimo.test.matrix;

import dev.kumihimo.runtime.AbortOnClose;
import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.sync.SetOnce;
import dev.kumihimo.task.JoinMap;
import dev.kumihimo.task.JoinSet;
import dev.kumihimo.task.Tasks;
import dev.kumihimo.test.TestRuntime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;

/** Waits for tasks and time. */
final class TaskRows {
    private TaskRows() {}

    static List<Row> all() {
        return List.of(
                new Row("Task.sleep", s -> new Sleeping()),
                new Row("JoinHandle.join", s -> new Joining()),
                new Row("JoinSet.joinNext", s -> new JoiningNext()),
                new Row("JoinMap.joinNext", s -> new JoiningNextOfMap()),
                new Row("JoinSet.spawn, bounded", s -> new SpawningBounded()),
                new Row("JoinSet.close", s -> new ClosingScope()),
                new Row("AbortOnClose.close", s -> new AbortingOnClose()),
                new Row("Tasks.all", s -> new RunningAll()),
                new Row("Tasks.race", s -> new Racing()));
    }

    private static final class Sleeping extends Subject {
        private TestRuntime test;

        @Override
        void prepare(TestRuntime of) {
            test = of;
        }

        @Override
        Object op(int who) throws Exception {
            long begin = test.nanoTime();
            Task.sleep(Duration.ofSeconds(5));
            ensure(test.nanoTime() - begin >= Duration.ofSeconds(5).toNanos(), "slept too short");
            return "slept";
        }

        @Override
        void tryGrant() {
            // the clock does it
        }

        @Override
        boolean timed() {
            return false;
        }

        @Override
        boolean endsByTime() {
            return true;
        }

        @Override
        void check(List<Outcome> outcomes) {
            // the timers are looked at in any case
        }

        @Override
        void use() {
            // nothing to use
        }
    }

    /** Something that goes on when the peer opens a gate; at most one waiter, as all belongs to it. */
    private abstract static class Gated extends Subject {
        final SetOnce<String> gate = new SetOnce<>();
        final List<JoinHandle<?>> children = new ArrayList<>();
        int began;
        int done;

        /** The body of a task that is to be waited for. */
        String child() throws InterruptedException {
            began++;
            try {
                return gate.await();
            } finally {
                done++;
            }
        }

        @Override
        void tryGrant() {
            gate.trySet("open");
        }

        @Override
        int rounds(int before) {
            return 1;
        }

        @Override
        int mostWaiters() {
            return 1;
        }

        @Override
        boolean timed() {
            return false;
        }

        @Override
        boolean couldGo(int first) {
            return gate.isSet();
        }

        @Override
        void check(List<Outcome> outcomes) {
            ensureEqual(done, began, "children that have ended");
        }

        @Override
        void use() throws Exception {
            // it has been closed
        }
    }

    private static final class Joining extends Gated {
        private JoinHandle<String> task;

        @Override
        void prepare(TestRuntime test) {
            task = test.runtime().spawnNamed("joined", () -> child());
        }

        @Override
        JoinHandle<?> standingPeer() {
            return task;
        }

        @Override
        Object op(int who) throws Exception {
            return task.join();
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return task.join(timeout);
        }

        @Override
        int mostWaiters() {
            return SPARE;
        }

        @Override
        boolean timed() {
            return true;
        }

        @Override
        void check(List<Outcome> outcomes) {
            tryGrant();
            for (Outcome outcome : outcomes) {
                ensure(!outcome.applied() || task.tryResult() instanceof JoinResult.Success, outcome + " of " + task);
            }
        }

        @Override
        void use() throws Exception {
            ensure(!task.isDone() || task.join(Duration.ZERO).equals("open"), "joined again");
        }
    }

    private static final class JoiningNext extends Gated {
        @Override
        Object op(int who) throws Exception {
            return with(null);
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return with(timeout);
        }

        private Object with(Duration timeout) throws Exception {
            try (JoinSet<String> set = JoinSet.open()) {
                set.spawn(() -> child());
                JoinResult<String> result;
                try {
                    result = timeout == null ? set.joinNext() : set.joinNext(timeout);
                } catch (InterruptedException | TimeoutException e) {
                    ensureEqual(set.size(), 1, "tasks after a join that failed");
                    throw e;
                }
                ensureEqual(set.size(), 0, "tasks after a join");
                return unwrap(result);
            }
        }

        @Override
        boolean timed() {
            return true;
        }

        @Override
        boolean alwaysWaits() {
            return true; // for a child that has just begun
        }

        @Override
        boolean couldGo(int first) {
            return began > 0 && began == done;
        }
    }

    /** A child cancelled with the shutdown of its runtime counts as that. */
    private static String unwrap(JoinResult<String> result) throws Exception {
        if (result instanceof JoinResult.Cancelled<String>(CancelReason reason)) {
            Subject.ensureEqual(reason.kind(), CancelReason.Kind.SHUTDOWN, "kind");
            return "cancelled";
        }
        return result.get();
    }

    private static final class JoiningNextOfMap extends Gated {
        @Override
        Object op(int who) throws Exception {
            try (JoinMap<String, String> map = JoinMap.open()) {
                map.spawn("key", () -> child());
                JoinMap.Entry<String, String> entry;
                try {
                    entry = map.joinNext();
                } catch (InterruptedException e) {
                    ensure(map.containsKey("key"), "a join that failed has taken the task");
                    throw e;
                }
                return entry.key() + unwrap(entry.result());
            }
        }

        @Override
        boolean couldGo(int first) {
            return began > 0 && began == done;
        }
    }

    private static final class SpawningBounded extends Gated {
        private int second;

        @Override
        Object op(int who) throws Exception {
            try (JoinSet<String> set = JoinSet.open(1)) {
                set.spawn(() -> child());
                try {
                    set.spawn(() -> {
                        second++;
                        return "second";
                    });
                } catch (InterruptedException e) {
                    ensureEqual(set.size(), 1, "tasks after a spawn that failed");
                    throw e;
                }
                return "spawned";
            }
        }

        @Override
        boolean couldGo(int first) {
            return began > 0 && began == done;
        }

        @Override
        void check(List<Outcome> outcomes) {
            super.check(outcomes);
            ensure(second <= (outcomes.get(0).applied() ? 1 : 0), "started " + second);
        }
    }

    /** Waits for a child that cannot be aborted, so nothing ends it but the child's end. */
    private static final class ClosingScope extends Gated {
        @Override
        Object op(int who) throws Exception {
            int before = done;
            try (JoinSet<String> set = JoinSet.open()) {
                set.spawn(() -> Task.shield(() -> child()));
                Task.yieldNow(); // it begins, or will not
            }
            ensureEqual(done, began, "children that have ended, after the close");
            return "closed after " + before;
        }

        @Override
        boolean cancellable() {
            return false;
        }

        @Override
        boolean couldGo(int first) {
            return began > 0 && began == done;
        }
    }

    private static final class AbortingOnClose extends Gated {
        @Override
        Object op(int who) throws Exception {
            try (AbortOnClose<String> task =
                    Task.spawn(() -> Task.shield(() -> child())).abortOnClose()) {
                Task.yieldNow();
                children.add(task.handle());
            }
            ensure(children.get(0).isDone(), "closed before the task has ended");
            return "closed";
        }

        @Override
        boolean cancellable() {
            return false;
        }

        @Override
        boolean couldGo(int first) {
            return began > 0 && began == done;
        }
    }

    private static final class RunningAll extends Gated {
        @Override
        Object op(int who) throws Exception {
            try {
                return Tasks.all(() -> child(), () -> child());
            } finally {
                ensureEqual(done, began, "children that have ended");
            }
        }

        @Override
        boolean couldGo(int first) {
            return began == 2 && began == done;
        }
    }

    private static final class Racing extends Gated {
        private final SetOnce<String> never = new SetOnce<>();

        @Override
        Object op(int who) throws Exception {
            try {
                return Tasks.race(() -> child(), () -> never.await());
            } finally {
                ensureEqual(done, began, "children that have ended");
            }
        }

        @Override
        boolean couldGo(int first) {
            return began > 0 && began == done;
        }
    }
}
