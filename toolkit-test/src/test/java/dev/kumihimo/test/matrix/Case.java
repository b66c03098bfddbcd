package dev.kumihimo.test.matrix;

import static dev.kumihimo.test.matrix.Subject.ensure;

import dev.kumihimo.internal.carrier.LiveTask;
import dev.kumihimo.runtime.CancelReason;
import dev.kumihimo.runtime.JoinHandle;
import dev.kumihimo.runtime.JoinResult;
import dev.kumihimo.runtime.TaskCancelledException;
import dev.kumihimo.task.CancellationToken;
import dev.kumihimo.test.TestRuntime;
import dev.kumihimo.time.Timeout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeoutException;

/** One case: a victim, those before and behind it, a peer, and one event at one point. */
final class Case {
    private static final Duration TIME = Duration.ofSeconds(1);
    private static final Duration LATER = Duration.ofSeconds(2);
    private static final Duration LATEST = Duration.ofSeconds(30);
    private static final int TURNS = 12;

    private final Row row;
    private final State state;
    private final Style style;
    private final Event event;
    private final Event second;
    private final Strike strike;

    private final TestRuntime test = TestRuntime.fifo();
    private final CancellationToken token = CancellationToken.create();
    private final Subject subject;
    private final List<JoinHandle<?>> waiters = new ArrayList<>();
    private final List<Outcome> outcomes = new ArrayList<>();
    private final List<Integer> completed = new ArrayList<>();
    private JoinHandle<?> victim;
    private Outcome seen;
    private JoinHandle<?> peer;
    private long firstOfPeer;
    private final Set<Event> struckBy = EnumSet.noneOf(Event.class);
    private boolean interruptedInside;
    private int queues;

    /** Prepares a case with a second event, or none, at the point of the strike. */
    Case(Row row, State state, Style style, Event event, Event second, Strike strike) {
        this.row = row;
        this.state = state;
        this.style = style;
        this.event = event;
        this.second = second;
        this.strike = strike;
        this.subject = row.subject(state);
    }

    /** {@return false if the path has no such point: then it has ended before, undisturbed} */
    boolean run() {
        boolean done = false;
        try {
            boolean there = play();
            done = true;
            return there;
        } catch (AssertionError | RuntimeException e) {
            done = true;
            throw new AssertionError(this + ": " + e + "; " + outcomes + "; " + dump(), e);
        } finally {
            if (done) {
                end();
            }
        }
    }

    /** {@return how many queues were looked into for waiters that were left} */
    int queues() {
        return queues;
    }

    private String dump() {
        try {
            return test.dump();
        } catch (RuntimeException | Error e) {
            return "no dump: " + e;
        }
    }

    private void end() {
        try {
            test.close();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(this + ": " + e, e);
        }
    }

    private boolean play() {
        subject.prepare(test);
        test.runUntilIdle();
        if (state.kind() == State.Kind.READY) {
            spawnPeer();
            test.runUntilIdle();
        } else if (state.kind() == State.Kind.CLOSED) {
            subject.close();
        }
        for (int i = 0; i < state.before(); i++) {
            spawnOther();
        }
        test.runUntilIdle();
        spawnVictim();
        boolean there = goToPoint();
        if (there) {
            strike(); // unless it was struck where its retreat began
            strikeWith(second);
            if (strike.victimFirst()) {
                runAlone(victim);
            } else if (peer != null) {
                runAlone(peer);
            }
        }
        spawnBehind();
        spawnPeer();
        test.runUntilIdle();
        ensureNobodyWaitsInVain();
        settle();
        judge();
        return there;
    }

    /* ---------------- The way to the point -------------- */

    private boolean goToPoint() {
        return switch (strike.path()) {
            case VICTIM -> victimToPoint();
            case PEER, PEER_STOPS_SHORT -> {
                if (!letVictimWait()) {
                    yield false;
                }
                spawnPeer();
                long point = firstOfPeer + strike.point();
                // one beyond its last: it has ended, the victim is served and has not resumed
                yield test.stepTo(peer, point) || test.points(peer) == point - 1;
            }
            case BOTH -> test.stepTo(victim, strike.point()) && peerToPoint();
            case RETREAT -> retreatToPoint();
            case RETREAT_BOTH -> retreatToPoint() && peerToPoint();
        };
    }

    private boolean victimToPoint() {
        if (test.stepTo(victim, strike.point())) {
            return true;
        }
        if (victim.isDone()) {
            return false;
        }
        letVictimWait();
        spawnPeer();
        while (!test.isReady(victim) && test.step()) {
            // the peer, and whom it serves before the victim
        }
        return test.isReady(victim) && test.stepTo(victim, strike.point());
    }

    /** Lets the victim wait, and those behind it; false if it has ended instead. */
    private boolean letVictimWait() {
        test.runUntilIdle();
        if (victim.isDone()) {
            return false;
        }
        spawnBehind();
        test.runUntilIdle();
        return true;
    }

    private boolean retreatToPoint() {
        if (!letVictimWait()) {
            return false;
        }
        long parked = test.points(victim);
        strike();
        if (test.stepTo(victim, parked + strike.point())) {
            return true;
        }
        test.runUntilIdle();
        ensureNobodyWaitsInVain(); // the peer has not even begun
        return false;
    }

    private boolean peerToPoint() {
        spawnPeer();
        return test.stepTo(peer, firstOfPeer + strike.peerPoint());
    }

    private void runAlone(JoinHandle<?> task) {
        for (int i = 0; i < TURNS && test.step(task); i++) {
            // it may yield
        }
    }

    private void strike() {
        if (struckBy.isEmpty()) {
            strikeWith(event);
        }
    }

    private void strikeWith(Event what) {
        struckBy.add(what);
        switch (what) {
            case NONE -> {}
            case ABORT -> victim.abort();
            case TOKEN -> token.cancel();
            case EXPIRY -> test.elapse(LATER);
            case INTERRUPT -> {
                interruptedInside = seen.begun && !seen.ended;
                test.interrupt(victim);
            }
            case CLOSE -> subject.close();
            case SHUTDOWN -> test.runtime().shutdown(Duration.ZERO);
        }
    }

    private boolean struckBy(Event what) {
        return struckBy.contains(what);
    }

    /* ---------------- Who takes part -------------- */

    private void spawnVictim() {
        seen = new Outcome(state.before());
        victim = spawn(seen, style);
    }

    private void spawnOther() {
        spawn(new Outcome(outcomes.size()), Style.PLAIN);
    }

    private void spawnBehind() {
        while (outcomes.size() < state.waiters()) {
            spawnOther();
        }
    }

    private JoinHandle<?> spawn(Outcome outcome, Style how) {
        outcomes.add(outcome);
        JoinHandle<?> task = test.runtime().spawnNamed("w" + outcome.who, () -> {
            wait(outcome, how);
            return null;
        });
        waiters.add(task);
        return task;
    }

    private void wait(Outcome outcome, Style how) {
        int who = outcome.who;
        outcome.begun = true;
        try {
            outcome.value = switch (how) {
                case PLAIN -> subject.op(who);
                case TIMED -> subject.op(who, TIME);
                case ZERO -> subject.op(who, Duration.ZERO);
                case IN_TOKEN -> token.run(() -> subject.op(who));
                case IN_CALL -> Timeout.call(TIME, () -> subject.op(who));
                case IN_PAST_CALL -> Timeout.call(Duration.ZERO, () -> subject.op(who));
            };
            completed.add(who);
        } catch (Throwable e) {
            outcome.thrown = e;
        }
        outcome.interrupted = Thread.currentThread().isInterrupted();
        outcome.ended = true;
    }

    private void spawnPeer() {
        if (peer != null || state.kind() == State.Kind.CLOSED) {
            return;
        }
        boolean closing = state.kind() == State.Kind.CLOSING;
        if (!closing && subject.standingPeer() != null) {
            peer = subject.standingPeer();
            firstOfPeer = test.points(peer);
            subject.tryGrant();
            return;
        }
        int turns = subject.rounds(state.before()) - (strike.path() == Strike.Path.PEER_STOPS_SHORT ? 1 : 0);
        peer = test.runtime().spawnNamed("peer", () -> {
            if (closing) {
                subject.close();
                return null;
            }
            for (int i = turns; i > 0; i--) {
                try {
                    subject.grant();
                } catch (RuntimeException e) {
                    if (!subject.saysClosed(e)) {
                        throw e;
                    }
                }
            }
            return null;
        });
    }

    /* ---------------- The end, and what must hold then -------------- */

    private Outcome firstWaiting() {
        for (int i = 0; i < waiters.size(); i++) {
            if (!waiters.get(i).isDone()) {
                return outcomes.get(i);
            }
        }
        return null;
    }

    private void ensureNobodyWaitsInVain() {
        Outcome first = firstWaiting();
        ensure(
                first == null || !subject.couldGo(first.who),
                "w" + (first == null ? "" : first.who) + " waits for what is there");
        ensure(first == null || !isClosed(), "somebody waits for an object that is closed");
        boolean mustEnd = interruptedInside
                || struckBy(Event.ABORT)
                || struckBy(Event.TOKEN)
                || struckBy(Event.EXPIRY)
                || struckBy(Event.SHUTDOWN);
        ensure(!mustEnd || victim.isDone() || !subject.cancellable(), struckBy + " has not ended the wait");
    }

    private void settle() {
        for (int turn = 0; turn < TURNS; turn++) {
            if (firstWaiting() != null) {
                subject.tryGrant();
            } else if (peer != null && !peer.isDone()) {
                subject.relieve();
            } else {
                return;
            }
            test.runUntilIdle();
        }
        if (subject.endsByTime()) {
            test.advance(LATEST);
        }
        ensure(firstWaiting() == null, "somebody waits for ever");
        ensure(peer == null || peer.isDone(), "the peer waits for ever");
    }

    private void judge() {
        for (int i = 0; i < waiters.size(); i++) {
            Outcome outcome = outcomes.get(i);
            ensure(isAllowed(outcome), outcome + " is not allowed");
            ensure(((LiveTask) waiters.get(i)).openWait() == null, "w" + i + " has an open wait");
        }
        ensure(peer == null || !(peer.tryResult() instanceof JoinResult.Failure), "the peer failed");
        ensureFlag();
        if (subject.fifo()) {
            ensureOrder();
        }
        ensure(test.timers() == 0, test.timers() + " timers are left");
        subject.check(outcomes);
        if (!isClosed() && !struckBy(Event.SHUTDOWN)) {
            try {
                subject.use();
            } catch (Exception e) {
                throw new AssertionError("the object cannot be used any more: " + e, e);
            }
        }
        queues = Leftovers.check(subject);
        test.runUntilIdle();
        ensure(test.runtime().liveTasks() == 0, test.runtime().liveTasks() + " tasks are left");
    }

    private boolean isAllowed(Outcome outcome) {
        boolean mine = outcome == seen;
        if (!outcome.begun) {
            return struckBy(Event.SHUTDOWN) || mine && struckBy(Event.ABORT);
        }
        Throwable e = outcome.thrown;
        if (e == null) {
            return outcome.ended;
        }
        if ((isClosed() || subject.maySayClosed()) && subject.saysClosed(e)) {
            return true;
        }
        if (mine && style.isPast() && e instanceof TimeoutException) {
            return style == Style.IN_PAST_CALL || state.kind() != State.Kind.READY || subject.alwaysWaits();
        }
        if (mine && style == Style.IN_CALL && subject.endsByTime() && e instanceof TimeoutException) {
            return true;
        }
        return struckBy.stream().anyMatch(what -> isOf(what, e, mine));
    }

    private boolean isOf(Event what, Throwable e, boolean mine) {
        return switch (what) {
            case NONE, CLOSE -> false;
            case ABORT -> mine && isCancelled(e, CancelReason.Kind.ABORT, true);
            case TOKEN -> mine && isCancelled(e, CancelReason.Kind.TOKEN, false);
            case EXPIRY -> mine && e instanceof TimeoutException;
            case INTERRUPT -> mine && e.getClass() == InterruptedException.class;
            case SHUTDOWN -> isCancelled(e, CancelReason.Kind.SHUTDOWN, isOwn(e));
        };
    }

    private static boolean isOwn(Throwable e) {
        return e instanceof TaskCancelledException cancelled && cancelled.isOwn();
    }

    private boolean isClosed() {
        return state.kind() == State.Kind.CLOSED
                || state.kind() == State.Kind.CLOSING && peer != null
                || struckBy(Event.CLOSE);
    }

    private static boolean isCancelled(Throwable e, CancelReason.Kind kind, boolean own) {
        return e instanceof TaskCancelledException cancelled
                && cancelled.reason().kind() == kind
                && cancelled.isOwn() == own;
    }

    /** An interrupt is either thrown or kept in the flag, and nothing else leaves one there. */
    private void ensureFlag() {
        for (Outcome outcome : outcomes) {
            boolean byAbort = struckBy(Event.SHUTDOWN) || outcome == seen && struckBy(Event.ABORT);
            if (byAbort) {
                continue; // its interrupt may be there, and have taken a plain one with it
            }
            if (outcome != seen || !interruptedInside) {
                ensure(
                        !outcome.interrupted || outcome == seen && struckBy(Event.INTERRUPT),
                        outcome + " and the flag is set");
            } else if (second == Event.NONE) {
                boolean thrown = outcome.thrown instanceof InterruptedException;
                ensure(thrown || outcome.interrupted, outcome + ", and the interrupt was lost");
                ensure(!thrown || !outcome.interrupted, outcome + ", and the interrupt is told twice");
            }
        }
    }

    private void ensureOrder() {
        boolean waited = strike.path() == Strike.Path.PEER; // the victim did, in its place
        int last = -1;
        for (int who : completed) {
            boolean inPlace = who != seen.who || event == Event.NONE && waited && !strike.victimFirst();
            if (inPlace && oneServes()) {
                ensure(who > last, "served in the order " + completed);
                last = who;
            }
        }
        long lastRank = Long.MIN_VALUE;
        for (Outcome outcome : outcomes) {
            if ((outcome != seen || waited) && outcome.applied()) {
                long rank = subject.rank(outcome.value);
                ensure(rank >= lastRank, "what came first was not for who came first");
                lastRank = rank;
            }
        }
    }

    /**
     * Whether only one task serves others, and at a time: else one that is served later may be woken first, by a close, or by
     * the retreat of the victim.
     */
    private boolean oneServes() {
        return !isClosed() && strike.path() != Strike.Path.RETREAT_BOTH;
    }

    @Override
    public String toString() {
        return row + " / " + state + " / " + style + " / " + event + (second == Event.NONE ? "" : " and " + second)
                + " / " + strike;
    }
}
