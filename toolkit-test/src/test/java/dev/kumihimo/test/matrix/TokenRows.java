package dev.kumihimo.test.matrix;

import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.sync.SetOnce;
import dev.kumihimo.task.CancellationToken;
import dev.kumihimo.task.TaskTracker;
import java.time.Duration;
import java.util.List;

/** Waits for tokens and trackers. */
final class TokenRows {
    private TokenRows() {}

    static List<Row> all() {
        return List.of(
                new Row("CancellationToken.awaitCancelled", s -> new AwaitingToken()),
                new Row("CancellationToken.run, itself cancelled", s -> new InToken()),
                new Row("TaskTracker.await", s -> new AwaitingTracker()));
    }

    private static final class AwaitingToken extends Subject {
        private final CancellationToken parent = CancellationToken.create();
        private final CancellationToken token = parent.child();

        @Override
        Object op(int who) throws Exception {
            return token.awaitCancelled();
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            return token.awaitCancelled(timeout);
        }

        @Override
        void tryGrant() {
            parent.cancel("planned");
        }

        @Override
        int rounds(int before) {
            return 1;
        }

        @Override
        boolean couldGo(int first) {
            return token.isCancelled();
        }

        @Override
        void check(List<Outcome> outcomes) {
            for (Outcome outcome : outcomes) {
                ensure(!outcome.applied() || token.isCancelled(), outcome + ", not cancelled");
                ensure(!outcome.applied() || outcome.value.equals(token.reason()), outcome + ", not " + token.reason());
            }
        }
    }

    /** The peer cancels the token of a region that waits in another wait: it ends, and tells so. */
    private static final class InToken extends Subject {
        private final CancellationToken token = CancellationToken.create();
        private final SetOnce<String> never = new SetOnce<>();

        @Override
        Object op(int who) throws Exception {
            try {
                return token.run(() -> never.await());
            } catch (TaskCancelledException e) {
                if (e.isOwn()) {
                    Task.checkCancelled(); // with the token's reason if both ended the wait; the next wait has the
                    // caller's
                    throw e;
                }
                return e.reason();
            }
        }

        @Override
        void tryGrant() {
            token.cancel("planned");
        }

        @Override
        int rounds(int before) {
            return 1;
        }

        @Override
        boolean timed() {
            return false;
        }

        @Override
        boolean couldGo(int first) {
            return token.isCancelled();
        }

        @Override
        void check(List<Outcome> outcomes) {
            for (Outcome outcome : outcomes) {
                ensure(!outcome.applied() || outcome.value.equals(token.reason()), outcome + ", not " + token.reason());
            }
        }

        @Override
        void use() throws Exception {
            tryGrant();
            op(SPARE);
        }
    }

    private static final class AwaitingTracker extends Subject {
        private final TaskTracker tracker = TaskTracker.create();
        private final TaskTracker.Token token = tracker.token();

        AwaitingTracker() {
            tracker.close();
        }

        @Override
        Object op(int who) throws Exception {
            tracker.await();
            return "empty";
        }

        @Override
        Object op(int who, Duration timeout) throws Exception {
            tracker.await(timeout);
            return "empty";
        }

        @Override
        void tryGrant() {
            token.close();
        }

        @Override
        int rounds(int before) {
            return 1;
        }

        @Override
        boolean couldGo(int first) {
            return tracker.isEmpty();
        }

        @Override
        void check(List<Outcome> outcomes) {
            for (Outcome outcome : outcomes) {
                ensure(!outcome.applied() || tracker.isEmpty(), outcome + ", not empty");
            }
        }
    }
}
