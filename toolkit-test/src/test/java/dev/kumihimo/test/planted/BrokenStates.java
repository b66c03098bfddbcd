package dev.kumihimo.test.planted;

import static dev.kumihimo.test.planted.PlantedBug.check;

import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.Task;
import dev.kumihimo.runtime.VoidBody;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** What goes wrong with the state that those who wait look at: generations, counts, the order of two writes. */
final class BrokenStates {
    private BrokenStates() {}

    private static void join(List<JoinHandle<?>> tasks) throws Exception {
        for (JoinHandle<?> task : tasks) {
            task.join();
        }
    }

    /* ---------------- A barrier ---------------- */

    private static final class Rounds extends Monitor {
        private final boolean broken;
        private int arrived;
        private boolean open;
        private int generation;

        Rounds(boolean broken) {
            this.broken = broken;
        }

        void pass() throws InterruptedException {
            lock();
            if (++arrived == 2) {
                arrived = 0;
                open = true;
                generation++;
                unlockAndWakeAll();
                return;
            }
            try {
                open = false;
                int mine = generation;
                while (broken ? !open : generation == mine) { // the bug: the next round may have shut it again
                    await();
                }
            } finally {
                unlock();
            }
        }
    }

    static void barrierReusedTooSoon(boolean broken) throws Exception {
        Rounds rounds = new Rounds(broken);
        JoinHandle<?> other = Task.spawn(() -> {
            rounds.pass();
            rounds.pass();
        });
        rounds.pass();
        rounds.pass();
        other.join();
    }

    /* ---------------- A scope ---------------- */

    private static final class Scope extends Monitor {
        private final boolean broken;
        private int live;

        Scope(boolean broken) {
            this.broken = broken;
        }

        JoinHandle<?> fork(VoidBody<Exception> body) throws Exception {
            if (!broken) {
                begun();
            }
            return Task.spawn(() -> {
                if (broken) {
                    begun(); // the bug: nobody knows of it before
                }
                body.run();
                lock();
                live--;
                unlockAndWakeAll();
            });
        }

        private void begun() throws Exception {
            locked(() -> live++);
        }

        void close() throws InterruptedException {
            lock();
            try {
                while (live > 0) {
                    await();
                }
            } finally {
                unlock();
            }
        }
    }

    static void scopeClosesBeforeItsLastChild(boolean broken) throws Exception {
        Scope scope = new Scope(broken);
        int[] ended = {0};
        Monitor started = new Monitor();
        boolean[] hasStarted = {false};
        scope.fork(() -> {
            started.lock();
            hasStarted[0] = true;
            started.unlockAndWakeAll();
            scope.fork(() -> ended[0]++);
            ended[0]++;
        });
        started.lock();
        try {
            while (!hasStarted[0]) {
                started.await();
            }
        } finally {
            started.unlock();
        }
        scope.close();
        check(ended[0] == 2, ended[0] + " of 2 children have ended");
    }

    /* ---------------- A future ---------------- */

    private static final class Outcome extends Monitor {
        private boolean done;
        private Exception failure;

        void fail(Exception e, boolean broken) throws Exception {
            lock();
            if (!broken) {
                failure = e;
            }
            done = true;
            unlockAndWakeAll();
            if (broken) {
                locked(() -> failure = e);
            }
        }

        Exception join() throws Exception {
            lock();
            try {
                while (!done) {
                    await();
                }
                return failure;
            } finally {
                unlock();
            }
        }
    }

    static void joinBeforeTheFailureIsPublished(boolean broken) throws Exception {
        Outcome outcome = new Outcome();
        JoinHandle<?> failing = Task.spawn(() -> outcome.fail(new Exception("failed"), broken));
        check(outcome.join() != null, "ended, and neither failed nor succeeded");
        failing.join();
    }

    /* ---------------- A watched value ---------------- */

    private static final class Watched extends Monitor {
        private int value;
        private int version;

        void send(int next) {
            lock();
            value = next;
            version++;
            unlockAndWakeAll();
        }

        /** @param seen the version seen last; set to the one returned, or (broken) to a newer one */
        int changed(int[] seen, boolean broken) throws Exception {
            int read;
            lock();
            try {
                while (version == seen[0]) {
                    await();
                }
                read = value;
                seen[0] = version;
            } finally {
                unlock();
            }
            if (broken) {
                locked(() -> seen[0] = version);
            }
            return read;
        }
    }

    static void watchMissesTheLastValue(boolean broken) throws Exception {
        Watched watched = new Watched();
        JoinHandle<?> reader = Task.spawn(() -> {
            int[] seen = {0};
            int last = 0;
            while (last != 2) {
                last = watched.changed(seen, broken);
            }
        });
        watched.send(1);
        watched.send(2);
        reader.join();
    }

    /* ---------------- A notification ---------------- */

    private static final class Bell extends Monitor {
        private final int most;
        private int kept;

        Bell(int most) {
            this.most = most;
        }

        void ring() {
            lock();
            kept = Math.min(most, kept + 1);
            unlockAndWake(1);
        }

        void hear() throws InterruptedException {
            lock();
            try {
                while (kept == 0) {
                    await();
                }
                kept--;
            } finally {
                unlock();
            }
        }
    }

    /** Three rings and one who listens: one ring at most is kept. */
    static void ringsAddUp(boolean broken) throws Exception {
        Bell bell = new Bell(broken ? 3 : 1);
        List<JoinHandle<?>> tasks = new ArrayList<>();
        tasks.add(Task.spawn(bell::hear));
        for (int i = 0; i < 3; i++) {
            tasks.add(Task.spawn(bell::ring));
        }
        join(tasks);
        check(bell.kept <= 1, bell.kept + " rings are kept");
    }

    /* ---------------- A pool ---------------- */

    private static final class Pool extends Monitor {
        private final boolean broken;
        private final ArrayDeque<Runnable> jobs = new ArrayDeque<>();
        private boolean down;

        Pool(boolean broken) {
            this.broken = broken;
        }

        boolean submit(Runnable job) {
            lock();
            boolean taken = !down && jobs.add(job);
            unlockAndWake(1);
            return taken;
        }

        void shutdown() {
            lock();
            down = true;
            unlockAndWakeAll();
        }

        void work() throws InterruptedException {
            for (Runnable job; (job = next()) != null; ) {
                job.run();
            }
        }

        private Runnable next() throws InterruptedException {
            lock();
            try {
                while (jobs.isEmpty() && !down) {
                    await();
                }
                return broken && down ? null : jobs.poll(); // the bug: some may be queued
            } finally {
                unlock();
            }
        }
    }

    static void shutdownLosesAQueuedJob(boolean broken) throws Exception {
        Pool pool = new Pool(broken);
        int[] ran = {0};
        JoinHandle<?> worker = Task.spawn(pool::work);
        JoinHandle<Boolean> submitter = Task.spawn(() -> pool.submit(() -> ran[0]++));
        Task.yieldNow();
        pool.shutdown();
        worker.join();
        check(ran[0] == (submitter.join() ? 1 : 0), "a job was taken and did not run");
    }

    /* ---------------- What runs what was woken ---------------- */

    /** A loop that others hand continuations to; one that has stopped must still take those of who waits. */
    private static final class Loop extends Monitor {
        private final boolean broken;
        private final ArrayDeque<Runnable> queue = new ArrayDeque<>();
        private int expected = 1;
        private boolean stopped;

        Loop(boolean broken) {
            this.broken = broken;
        }

        void execute(Runnable continuation) {
            lock();
            if (broken && stopped) {
                unlock();
                return; // the bug: refused, and whoever waits stays where it is
            }
            queue.add(continuation);
            unlockAndWakeAll();
        }

        void stop() {
            lock();
            stopped = true;
            unlockAndWakeAll();
        }

        void run() throws InterruptedException {
            for (Runnable next; (next = next()) != null; ) {
                next.run();
                expected--;
            }
        }

        private Runnable next() throws InterruptedException {
            lock();
            try {
                while (queue.isEmpty() && !(stopped && (broken || expected == 0))) {
                    await();
                }
                return queue.poll();
            } finally {
                unlock();
            }
        }
    }

    static void continuationRefused(boolean broken) throws Exception {
        Loop loop = new Loop(broken);
        Outcome resumed = new Outcome();
        List<JoinHandle<?>> tasks = new ArrayList<>();
        tasks.add(Task.spawn(loop::run));
        tasks.add(Task.spawn(() -> loop.execute(() -> {
            resumed.lock();
            resumed.done = true;
            resumed.unlockAndWakeAll();
        })));
        tasks.add(Task.spawn(loop::stop));
        resumed.join();
        join(tasks);
    }

    /* ---------------- A tree of tokens ---------------- */

    private static final class Token extends Monitor {
        private final List<Token> children = new ArrayList<>();
        private boolean cancelled;

        Token child(boolean broken) throws Exception {
            Token child = new Token();
            if (broken && locked(() -> cancelled)) {
                child.cancelled = true;
                return child;
            }
            locked(() -> {
                child.cancelled = !broken && cancelled; // the bug: that was looked at too early
                return children.add(child);
            });
            return child;
        }

        void cancel() throws Exception {
            List<Token> told = locked(() -> {
                cancelled = true;
                return List.copyOf(children);
            });
            for (Token child : told) {
                child.cancel();
            }
        }
    }

    static void childOfACancelledTokenLives(boolean broken) throws Exception {
        Token parent = new Token();
        JoinHandle<Token> child = Task.spawn(() -> parent.child(broken));
        parent.cancel();
        check(child.join().cancelled, "the parent is cancelled, and the child is not");
    }

    /* ---------------- Connections ---------------- */

    private static final class Server extends Monitor {
        private final boolean broken;
        private int open;
        private int halfClosed;

        Server(boolean broken) {
            this.broken = broken;
        }

        void accept() throws Exception {
            locked(() -> open++);
        }

        void shutdownOutput() {
            lock();
            open--;
            halfClosed++;
            unlockAndWakeAll();
        }

        void close() {
            lock();
            halfClosed--;
            unlockAndWakeAll();
        }

        void drain() throws InterruptedException {
            lock();
            try {
                while (open > 0 || !broken && halfClosed > 0) {
                    await();
                }
            } finally {
                unlock();
            }
        }
    }

    static void drainForgetsTheHalfClosed(boolean broken) throws Exception {
        Server server = new Server(broken);
        server.accept();
        Task.spawn(() -> {
            server.shutdownOutput();
            server.close();
        });
        server.drain();
        check(server.halfClosed == 0, "drained, and a connection is half closed");
    }

    /* ---------------- A timer ---------------- */

    private static final class Alarm extends Monitor {
        private final boolean broken;
        private boolean over;
        private boolean fired;

        Alarm(boolean broken) {
            this.broken = broken;
        }

        /** Whether it will not fire. */
        boolean cancel() throws Exception {
            return locked(() -> {
                boolean inTime = !over;
                over = true;
                return inTime;
            });
        }

        /** What the clock does at its deadline: it looks, and then acts. */
        void expire() throws Exception {
            boolean due = locked(() -> {
                boolean inTime = !over;
                over |= !broken;
                return inTime;
            });
            if (due) {
                locked(() -> fired = true);
            }
        }
    }

    static void timerFiresAfterItsCancel(boolean broken) throws Exception {
        Alarm alarm = new Alarm(broken);
        JoinHandle<?> clock = Task.spawn(alarm::expire);
        boolean cancelled = alarm.cancel();
        clock.join();
        check(cancelled != alarm.fired, "cancelled=" + cancelled + ", fired=" + alarm.fired);
    }
}
